// Users' pipelines beside make, ninja and Snakemake on the same graph: everything done, nothing to do, asked for a plan; and what a start,
// a larger graph, and a ledger of a million results take.

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { sql } from "kysely";

import { openDatabase, type PostgresSettings } from "../src/store/database.ts";
import { startPostgres } from "../test/support/postgresServer.ts";
import { createClone, makeTemplate } from "../test/support/postgresTemplate.ts";
import { compile, HDASH } from "./compiled.ts";
import { copyPipeline, layOut, type Peer, PEERS, type Shape } from "./engine/graph.ts";
import { type Meter, parentOf, take, type Taken } from "./engine/limited.ts";
import { fillLedger, NODES, outputOf } from "./engine/manyResults.ts";

const HELP = `Measures users' pipelines, compiled as the image has them, beside other tools on the same graph.

  node bench/engine.ts [--stage start|graph|provenance]... [--nodes 1000,10000] [--kind text,file,command]
      [--shape layers,fan] [--database postgres,embedded] [--peers make,ninja,snakemake]
      [--limit 180] [--results 1000000] [--json]

  --stage     what is measured; default: start and graph. "provenance" fills a ledger first, which takes some minutes
  --nodes     sizes of the graph; the largest of functions may be 100000
  --kind      what a node is: a function of texts, a function of files, a program (cat)
  --shape     five layers with two inputs each, and a sink; or one that all read, and one that reads all
  --limit     seconds after which a measurement is given up
  --results   of the ledger of "provenance"
  --help      this text
`;

/** What is to be reached, in CPU seconds unless it says otherwise. Per node: beside what a run with one node takes. */
const GOALS = {
  noop10000: 2,
  noop10000MB: 400,
  hitMs: 0.2,
  functionMs: 2,
  commandMs: 5,
  plan10000: 3,
  plan300: 0.5,
  start: 0.5,
  provenanceMs: 100,
} as const;

const { values } = parseArgs({
  options: {
    stage: { type: "string", multiple: true, default: ["start", "graph"] },
    nodes: { type: "string", default: "1000,10000" },
    kind: { type: "string", default: "text,file,command" },
    shape: { type: "string", default: "layers" },
    database: { type: "string", default: "postgres,embedded" },
    peers: { type: "string", default: "make,ninja,snakemake" },
    limit: { type: "string", default: "180" },
    results: { type: "string", default: "1000000" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit();
}
const list = (words: string): readonly string[] => words.split(",").filter((word) => word !== "");
const root = mkdtempSync(join(tmpdir(), "hdash-bench-engine-"));
const limitSeconds = Number(values.limit);

/** Packages of Debian that have the other tools. */
const DEBIAN = { make: "make", ninja: "ninja-build", snakemake: "snakemake" } as const;

/** One line of the result: who did what with how many nodes. */
interface Line {
  readonly what: string;
  readonly nodes: number;
  readonly taken: Taken;
  /** CPU of hdash's own process alone, in seconds: without its programs and what starts them. */
  readonly ownSeconds: number | null;
}
const lines: Line[] = [];

function tell(what: string, nodes: number, taken: Taken, ownSeconds: number | null = null): Taken {
  lines.push({ what, nodes, taken, ownSeconds });
  if (!values.json) console.log(textOf({ what, nodes, taken, ownSeconds }));
  return taken;
}

function textOf({ what, nodes, taken, ownSeconds }: Line): string {
  const name = `  ${what.padEnd(44)}${nodes.toLocaleString("en").padStart(8)}`;
  if (taken === null) return `${name}   not measured`;
  const { wallSeconds, cpuSeconds, peakMB, serverSeconds } = taken;
  const server = serverSeconds === null ? "" : `, server ${serverSeconds.toFixed(2)} s`;
  const own = ownSeconds === null ? "" : `, own ${ownSeconds.toFixed(2)} s`;
  const cpu = `${cpuSeconds.toFixed(2)} s CPU`.padStart(14);
  return `${name}${cpu}${`${wallSeconds.toFixed(2)} s`.padStart(10)}${`${peakMB.toFixed(0)} MiB`.padStart(10)}${own}${server}`;
}

/** A ledger of its own, and how hdash is told of it. */
interface Place {
  readonly name: string;
  readonly meter: Meter;
  readonly environment: Readonly<Record<string, string>>;
}

type Server = Awaited<ReturnType<typeof startPostgres>>;

async function openPlace(database: string, server: Server | null): Promise<Place> {
  const home = mkdtempSync(join(root, "home-"));
  const common = {
    HDASH_HOME: home,
    HDASH_LOG_FORMAT: "plain",
    HDASH_LOG_LEVEL: "error",
    TZ: "UTC",
  };
  if (server === null) {
    return { name: database, meter: { limitSeconds, server: null }, environment: common };
  }
  const settings = await createClone(server);
  const environment = { ...common, ...variablesOf(settings) };
  return { name: database, meter: { limitSeconds, server: await pidOf(settings) }, environment };
}

function variablesOf(settings: PostgresSettings): Readonly<Record<string, string>> {
  return {
    HDASH_DB_HOST: settings.host,
    HDASH_DB_PORT: String(settings.port),
    HDASH_DB_USER: settings.user,
    HDASH_DB_PASSWORD: settings.password,
    HDASH_DB_NAME: settings.name,
    HDASH_DB_SCHEMA: settings.schema,
  };
}

async function pidOf(settings: PostgresSettings): Promise<number> {
  const { db, close } = await openDatabase(settings);
  try {
    const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db);
    return parentOf(rows[0]?.pid ?? 0);
  } finally {
    await close();
  }
}

/** Runs hdash in a folder; its own CPU is what its process says of itself. */
function hdash(
  { meter, environment }: Place,
  dir: string,
  words: readonly string[],
): { readonly taken: Taken; readonly ownSeconds: number | null } {
  const usage = join(root, "usage.json");
  rmSync(usage, { force: true });
  const [node = "", script = ""] = HDASH;
  const counting = `--import=${join(import.meta.dirname, "usage.ts")}`;
  const command = [node, "--disable-warning=ExperimentalWarning", counting, script, ...words];
  const taken = take(meter, dir, command, { ...environment, BENCH_USAGE_FILE: usage });
  if (taken === null) return { taken, ownSeconds: null };
  const { cpuMs } = JSON.parse(readFileSync(usage, "utf8")) as { readonly cpuMs: number };
  return { taken, ownSeconds: cpuMs / 1000 };
}

/** Tells whether hdash has a command yet. */
function hasCommand(name: string): boolean {
  const [node = "", script = ""] = HDASH;
  const help = execFileSync(node, [script, "--help"], { encoding: "utf8" });
  return new RegExp(`^  ${name}\\b`, "m").test(help);
}

const graphOf = (nodes: number, kind: string, shape: string): readonly string[] => [
  ...["--nodes", String(nodes), "--kind", kind, "--shape", shape],
];

/** What a command takes that has next to nothing to do; the smaller of two, since the first compiles. */
function measureStart(place: Place, dir: string): number {
  const run = ["run", "./graph.ts", ...graphOf(6, "text", "layers")];
  hdash(place, dir, run);
  const least = [1, 2, 3].map(() => hdash(place, dir, run).taken);
  const known = least.flatMap((taken) => (taken === null ? [] : [taken]));
  const [best = null] = known.sort((a, b) => a.cpuSeconds - b.cpuSeconds);
  tell(`start: a run of hits, ${place.name}`, 6, best);
  return best?.cpuSeconds ?? 0;
}

function perNode(name: string, seconds: number | null, nodes: number, goal: number): void {
  if (seconds === null || values.json) return;
  const ms = (1000 * seconds) / nodes;
  console.log(
    `    ${name}: ${ms.toFixed(2)} ms a node (goal ${goal}${ms <= goal ? "" : ", MISSED"})`,
  );
}

/** Measures a graph: all of it, then nothing; and a plan of all before, where there are plans. */
function measureGraph(
  place: Place,
  dir: string,
  graph: { readonly nodes: number; readonly kind: string; readonly shape: string },
  start: number,
): void {
  const { nodes, kind, shape } = graph;
  const own = graphOf(nodes, kind, shape);
  const name = `hdash, ${kind}, ${shape}, ${place.name}`;
  if (canPlan) {
    const { taken, ownSeconds } = hdash(place, dir, ["plan", "./graph.ts", ...own]);
    tell(`${name}: plan`, nodes, taken, ownSeconds);
  }
  const first = hdash(place, dir, ["run", "./graph.ts", ...own]);
  tell(`${name}: first`, nodes, first.taken, first.ownSeconds);
  if (first.taken === null) return;
  const goal = kind === "command" ? GOALS.commandMs : GOALS.functionMs;
  perNode("step", (first.ownSeconds ?? 0) - start, nodes, goal);
  const noop = hdash(place, dir, ["run", "./graph.ts", ...own]);
  tell(`${name}: noop`, nodes, noop.taken, noop.ownSeconds);
  perNode("hit", noop.taken === null ? null : noop.taken.cpuSeconds - start, nodes, GOALS.hitMs);
}

/** Measures another tool; Snakemake is given what make has made where making it all by itself would take too long. */
function measurePeer(peer: Peer, nodes: number, shape: Shape): void {
  const dir = join(root, `${peer.name}-${nodes}-${shape}`);
  mkdirSync(dir, { recursive: true });
  layOut(peer, dir, nodes, shape);
  const meter = { limitSeconds, server: null };
  const name = `${peer.name}, ${shape}`;
  tell(`${name}: plan`, nodes, take(meter, dir, peer.plan));
  const first = tell(`${name}: first`, nodes, take(meter, dir, peer.all));
  if (first === null && peer.name !== "make") {
    const made = join(root, `make-${nodes}-${shape}`, "out");
    cpSync(made, join(dir, "out"), { recursive: true, preserveTimestamps: true });
    if (peer.name === "snakemake") take(meter, dir, ["snakemake", "--unlock", "--quiet", "all"]);
  }
  tell(`${name}: noop`, nodes, take(meter, dir, peer.all));
}

/** Fills a ledger, and asks it where things come from. */
async function measureProvenance(place: Place, settings: PostgresSettings): Promise<void> {
  const runs = Math.max(1, Math.round(Number(values.results) / NODES));
  const { db, close } = await openDatabase(settings);
  try {
    const since = performance.now();
    await fillLedger(db, runs);
    const seconds = ((performance.now() - since) / 1000).toFixed(0);
    if (!values.json)
      console.log(`  a ledger of ${runs * NODES} results was filled in ${seconds} s`);
  } finally {
    await close();
  }
  const middle = Math.ceil(runs / 2);
  for (const [what, node] of [
    ["of a node, 15 before it", NODES - 50],
    ["of a sink, a thousand before it", NODES - 1],
  ] as const) {
    const words = ["provenance", `sha256:${outputOf(middle, node)}`];
    const { taken, ownSeconds } = canProve
      ? hdash(place, root, words)
      : { taken: null, ownSeconds: null };
    tell(`provenance ${what}`, runs * NODES, taken, ownSeconds);
  }
}

/** Says of graphs that were measured at several sizes what ten times as many nodes take. */
function tellGrowth(): void {
  for (const large of lines) {
    if (large.nodes === 0) continue;
    const small = lines.find((one) => one.what === large.what && one.nodes * 10 === large.nodes);
    if (small?.taken === undefined || small.taken === null || large.taken === null) continue;
    const times = (large.taken.cpuSeconds / small.taken.cpuSeconds).toFixed(1);
    const memory = (large.taken.peakMB / small.taken.peakMB).toFixed(1);
    console.log(
      `  ${large.what}, ${small.nodes} → ${large.nodes}: CPU ×${times}, memory ×${memory}`,
    );
  }
}

compile();
const canPlan = hasCommand("plan");
const canProve = hasCommand("provenance");
if (!values.json && !canPlan) console.log("there is no `hdash plan` to be measured");
if (!values.json && !canProve) console.log("there is no `hdash provenance` to be measured");
const databases = list(values.database);
const server = databases.includes("postgres") ? await startPostgres() : null;
try {
  if (server !== null) await makeTemplate(server);
  const dir = join(root, "pipeline");
  mkdirSync(dir);
  copyPipeline(dir);
  const sizes = list(values.nodes).map(Number);
  const shapes = list(values.shape) as readonly Shape[];
  for (const database of databases) {
    const of = database === "postgres" ? server : null;
    const start = measureStart(await openPlace(database, of), dir);
    if (values.stage.includes("start")) {
      const help = hdash(await openPlace(database, of), dir, ["--help"]);
      tell("start: hdash --help", 0, help.taken, help.ownSeconds);
    }
    if (!values.stage.includes("graph")) continue;
    for (const shape of shapes)
      for (const kind of list(values.kind))
        for (const nodes of sizes) {
          // What was made for one is no hit for another.
          measureGraph(await openPlace(database, of), dir, { nodes, kind, shape }, start);
        }
  }
  if (values.stage.includes("graph")) {
    const asked = list(values.peers);
    for (const peer of PEERS.filter(({ name }) => asked.includes(name))) {
      if (!isThere(peer.name)) {
        console.log(`  ${peer.name} is not there: apt-get install ${DEBIAN[peer.name]}`);
        continue;
      }
      for (const shape of shapes) for (const nodes of sizes) measurePeer(peer, nodes, shape);
    }
  }
  if (values.stage.includes("provenance") && server !== null) {
    const settings = await createClone(server);
    const place = await openPlace("postgres", server);
    const environment = { ...place.environment, ...variablesOf(settings) };
    await measureProvenance({ ...place, environment }, settings);
  }
  if (values.json) console.log(JSON.stringify({ goals: GOALS, lines }, null, 2));
  else tellGrowth();
} finally {
  await server?.stop();
  rmSync(root, { recursive: true, force: true });
}

function isThere(program: string): boolean {
  try {
    execFileSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
