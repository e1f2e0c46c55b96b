// hdash gc: the bytes that nothing needs any more go; what was made of what stays told.

import type { Command } from "commander";

import { HdashError } from "../error.ts";
import { bytes, count, instant } from "../format.ts";
import type { GcOutcome, GcRequest } from "../lineage/gc.ts";
import { EXIT, type Shell } from "../shell.ts";

const EXAMPLES = `
Always kept: what the last good run of each pipeline has found or made, what runs that are going on or wait have, what is on a site, and
whatever was used within the grace. Results and runs stay in the ledger (--records removes those, too): a step whose bytes have gone is done
again where they are wanted.

Examples:
  hdash gc --dry-run                          what would go with --keep 30d, which is what is kept where nothing is said
  hdash gc --keep "10 runs" --keep kmer.merged[1] --keep 17
`;

interface Flags {
  readonly keep: readonly string[];
  readonly grace: string;
  readonly dryRun?: boolean;
  readonly records?: boolean;
  readonly json?: boolean;
}

/** Adds the command to hdash. */
export function addGc(program: Command, shell: Shell): void {
  program
    .command("gc")
    .description("remove the bytes that nothing needs any more")
    .option(
      "--keep <what>",
      'an age of runs ("30d", "12h", "2w"), a number of each pipeline\'s ("10 runs"), a result or run; may be repeated',
      (word: string, before: readonly string[]) => [...before, word],
      [],
    )
    .option("--grace <age>", "what was used so lately stays", "24h")
    .option("--dry-run", "remove nothing, and tell what would go")
    .option("--records", "forget old runs and results, too, and with them how things were made")
    .option("--json", "as JSON")
    .addHelpText("after", EXAMPLES)
    .action(async (flags: Flags) => shell.exit(await gc(shell, flags)));
}

async function gc(shell: Shell, flags: Flags): Promise<number> {
  const config = shell.config(["database"]);
  const { KEPT_BY_ITSELF, parseAge, parseKeep } = await import("../lineage/roots.ts");
  const graceMs = parseAge(flags.grace);
  if (graceMs === null) {
    throw new HdashError("usage", `--grace ${flags.grace} is no age`, {
      hint: "It is a number with h, d or w: 24h.",
    });
  }
  const request: GcRequest = {
    keeps: flags.keep.length === 0 ? [KEPT_BY_ITSELF] : flags.keep.map(parseKeep),
    graceMs,
    isDryRun: flags.dryRun === true,
    withRecords: flags.records === true,
  };
  return shell.withEffects(config, shell.log(config), async (effects) => {
    const { collectGarbage } = await import("../lineage/gc.ts");
    const database = await effects.database();
    const store = { db: database.db, blobs: await effects.blobs() };
    const looking = { siteUrl: config.siteUrl, signal: shell.signal };
    const outcome = await collectGarbage(database, store, request, looking);
    if (flags.json === true) shell.print(JSON.stringify(asJson(request, outcome)));
    else for (const line of linesOf(request, outcome)) shell.print(line);
    return EXIT.ok;
  });
}

function asJson({ isDryRun }: GcRequest, outcome: GcOutcome): object {
  const { before, roots, kept, young, removed, leftovers, records } = outcome;
  return {
    dryRun: isDryRun,
    before: before.toISOString(),
    keptRuns: roots.runIds,
    keptResults: roots.results.map(({ key }) => key),
    ...{ kept, young, removed, leftovers, records },
  };
}

function linesOf({ isDryRun, withRecords }: GcRequest, outcome: GcOutcome): readonly string[] {
  const { before, roots, kept, young, removed, leftovers, records } = outcome;
  const named = roots.results.length === 0 ? "" : ` and ${count(roots.results.length, "result")}`;
  const lines = [
    `kept      ${amount(kept)}: needed by ${count(roots.runIds.length, "run")}${named}, or published`,
  ];
  if (young.blobs > 0) {
    lines.push(`kept      ${amount(young)}: used since ${instant(before.toISOString())}`);
  }
  lines.push(`${isDryRun ? "would go " : "removed  "} ${amount(removed)}`);
  if (leftovers.count > 0) {
    const what = `${count(leftovers.count, "leftover")} of processes that were killed`;
    lines.push(`${isDryRun ? "would go " : "removed  "} ${what}, ${bytes(leftovers.bytes)}`);
  }
  if (!withRecords) return lines;
  if (records === null) {
    return [...lines, "records   stay, because a run is going on; say it again when it has ended"];
  }
  const { runs, results } = records;
  const gone = `${count(runs, "run")} and ${count(results, "result")} of the ledger`;
  return [...lines, `${isDryRun ? "would go " : "removed  "} ${gone}`];
}

function amount({ blobs, bytes: size, storedBytes }: GcOutcome["kept"]): string {
  const stored = storedBytes === size ? "" : ` (${bytes(storedBytes)} stored)`;
  return `${count(blobs, "blob")}, ${bytes(size)}${stored}`;
}
