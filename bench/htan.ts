// How fast the HTAN dashboard is, in how much memory, and how that grows: node bench/htan.ts --help

import { availableParallelism, cpus } from "node:os";
import { parseArgs } from "node:util";

import { measure } from "./children.ts";
import { renderGrowth, renderScale, type ScaleResult } from "./report.ts";
import { benchWorld } from "./worlds.ts";

const HELP = `node bench/htan.ts [--scale 1|10|all] [--stage compute|peer|whole|all] [--database embedded|postgres] [--json]

  --scale     1: 15 atlases × 600 participants; 10: ten times as many; all: both, and how times grow (default: all)
  --stage     compute: the computation alone, from local files; peer: csv-parse reading the same files;
              whole: the worker, twice, against a look-alike Synapse (default: all)
  --database  what the whole run keeps its ledger in (default: embedded)
  --json      all numbers, as one JSON document
`;

const { values } = parseArgs({
  options: {
    scale: { type: "string", default: "all" },
    stage: { type: "string", default: "all" },
    database: { type: "string", default: "embedded" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

for (const [name, allowed] of Object.entries({
  scale: ["1", "10", "all"],
  stage: ["compute", "peer", "whole", "all"],
  database: ["embedded", "postgres"],
})) {
  const value = String(values[name as keyof typeof values]);
  if (!allowed.includes(value))
    throw new Error(`--${name} is one of ${allowed.join(", ")}, not ${value}`);
}

function has(stage: string): boolean {
  return values.stage === "all" || values.stage === stage;
}

/** The variables that lead the worker to its ledger: none for the embedded one. */
async function openLedger(): Promise<{
  readonly variables: Readonly<Record<string, string>>;
  close(): Promise<void>;
}> {
  if (values.database !== "postgres") return { variables: {}, close: async () => {} };
  const { startPostgres } = await import("../test/support/postgresServer.ts");
  const server = await startPostgres();
  const variables = {
    HDASH_DB_HOST: server.host,
    HDASH_DB_PORT: String(server.port),
    HDASH_DB_USER: server.user,
    HDASH_DB_PASSWORD: server.password,
    // The database that every server has; it was started for this run alone.
    HDASH_DB_NAME: "postgres",
  };
  return { variables, close: () => server.stop() };
}

async function main(): Promise<void> {
  const tell = (text: string): void => void process.stderr.write(`${text}\n`);
  const scales = values.scale === "all" ? [1, 10] : [Number(values.scale)];
  const machine = `Node ${process.version}, ${availableParallelism()} cores, ${cpus()[0]?.model ?? "?"}`;
  const command = ["node bench/htan.ts", ...process.argv.slice(2)].join(" ");
  const results: ScaleResult[] = [];
  if (!values.json) process.stdout.write(`$ ${command}\n${machine}\n`);
  for (const scale of scales) {
    const world = await benchWorld(scale, tell);
    // Small worlds are quick enough to be measured three times; the median counts.
    const repeats = scale === 1 ? 3 : 1;
    let whole: ScaleResult["whole"] = [];
    const compute = has("compute") ? await measure("compute.ts", [world.dir], repeats) : null;
    const peer = has("peer") ? await measure("peer.ts", [world.dir], repeats) : null;
    if (has("whole")) {
      const { measureWhole } = await import("./whole.ts");
      const ledger = await openLedger();
      whole = await measureWhole(world, ledger.variables).finally(() => ledger.close());
    }
    const { rows, manifests, bytes: manifestBytes } = world;
    const result = { scale, rows, manifests, manifestBytes, compute, peer, whole };
    results.push(result);
    if (!values.json) process.stdout.write(`\n${renderScale(result)}\n`);
  }
  const [small, large] = results;
  if (values.json) {
    process.stdout.write(`${JSON.stringify({ command, machine, results }, null, 2)}\n`);
  } else if (small !== undefined && large !== undefined) {
    process.stdout.write(`\n${renderGrowth(small, large)}\n`);
  }
}

if (values.help) process.stdout.write(HELP);
else await main();
