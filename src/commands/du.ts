// hdash du: what takes how much.

import type { Command } from "commander";

import { bytes, count } from "../format.ts";
import type { DiskUse, Share } from "../lineage/diskUse.ts";
import { EXIT, type Shell } from "../shell.ts";

const EXAMPLES = `
A blob that several results share counts once in each step, pipeline and run that has it, and once in all. "gc" is what \`hdash gc\` would
remove now.

Examples:
  hdash du
  hdash du --runs --json
`;

interface Flags {
  readonly runs?: boolean;
  readonly json?: boolean;
}

/** Adds the command to hdash. */
export function addDu(program: Command, shell: Shell): void {
  program
    .command("du")
    .description("say what takes how much: by pipeline and step, and the ledger itself")
    .option("--runs", "by run, too")
    .option("--json", "as JSON")
    .addHelpText("after", EXAMPLES)
    .action(async (flags: Flags) => shell.exit(await du(shell, flags)));
}

async function du(shell: Shell, flags: Flags): Promise<number> {
  const config = shell.config(["database"]);
  return shell.withEffects(config, shell.log(config), async (effects) => {
    const { measureUse } = await import("../lineage/diskUse.ts");
    const { KEPT_BY_ITSELF, GRACE_MS } = await import("../lineage/roots.ts");
    const database = await effects.database();
    const store = { db: database.db, blobs: await effects.blobs() };
    const use = await measureUse(database, store, {
      ...{ keeps: [KEPT_BY_ITSELF], graceMs: GRACE_MS, runs: flags.runs === true },
      looking: { siteUrl: config.siteUrl, signal: shell.signal },
    });
    if (flags.json === true) shell.print(JSON.stringify(use));
    else for (const line of linesOf(use)) shell.print(line);
    return EXIT.ok;
  });
}

function linesOf(use: DiskUse): readonly string[] {
  const rows: (readonly string[])[] = [["", "blobs", "bytes", "stored", "gc"]];
  const add = (name: string, share: Share): void => {
    const sizes = [share.bytes, share.storedBytes, share.reclaimable.storedBytes].map(bytes);
    rows.push([name, String(share.blobs), ...sizes]);
  };
  for (const { step, pipeline, ...share } of use.steps) {
    add(step === null ? pipeline : `  ${step}`, share);
  }
  for (const { run, pipeline, ...share } of use.runs) add(`run ${run} ${pipeline}`, share);
  if (use.unowned.blobs > 0) add("of no result", use.unowned);
  add("all", use.total);
  const places = Object.entries(use.places).map(
    ([place, { blobs, storedBytes }]) =>
      `${bytes(storedBytes)} in the ${place} (${count(blobs, "blob")})`,
  );
  const ledger = use.tables.reduce((sum, table) => sum + table.bytes, 0);
  const largest = use.tables.slice(0, 3).map(({ table, bytes: size }) => `${table} ${bytes(size)}`);
  return [
    ...aligned(rows),
    "",
    `stored   ${places.join(", ") || "nothing"}`,
    `shared   without sharing it would be ${bytes(use.logicalBytes)}`,
    `logs     ${bytes(use.logs.storedBytes)} (${count(use.logs.blobs, "blob")})`,
    `ledger   ${bytes(ledger)}: ${largest.join(", ")}, …`,
  ];
}

/** The first column to the left, numbers to the right. */
function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, at) =>
    Math.max(...rows.map((row) => row[at]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join("  "),
  );
}
