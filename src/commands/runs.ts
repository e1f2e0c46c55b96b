// hdash runs: what was run, when, and what changed.

import { type Command, InvalidArgumentError, Option } from "commander";

import { duration, instant, oneLine } from "../format.ts";
import type { RunStatus } from "../run.ts";
import { EXIT, type Shell } from "../shell.ts";
import type { ListedRun } from "../store/runs.ts";
import { askLedger, parseSince, type Since } from "./asking.ts";
import { columns } from "./columns.ts";

interface RunsFlags {
  readonly limit: number;
  readonly pipeline?: string;
  readonly status?: RunStatus;
  readonly since?: Since;
  readonly json?: boolean;
}

const STATUSES: readonly RunStatus[] = [
  ...(["queued", "running", "succeeded", "degraded", "failed", "cancelled"] as const),
];

/** Adds the command to hdash. */
export function addRuns(program: Command, shell: Shell): void {
  program
    .command("runs")
    .description("list past runs: when, how long, what was done, what changed")
    .option("--limit <n>", "how many", parseLimit, 20)
    .option("--pipeline <name>", "only runs of this pipeline")
    .addOption(new Option("--status <status>", "only runs that stand so").choices(STATUSES))
    .option("--since <when>", "only runs since then: 30d, 12h, 2026-11-30", parseSince)
    .option("--json", "as JSON lines (docs/schemas/runs.schema.json)")
    .addHelpText("after", "\nExample: hdash runs --pipeline kmer --status failed --since 7d")
    .action(async (flags: RunsFlags) => shell.exit(await listRuns(shell, flags)));
}

function parseLimit(value: string): number {
  const limit = Number(value);
  if (!Number.isInteger(limit) || limit < 1 || limit > 10_000) {
    throw new InvalidArgumentError("It must be a whole number from 1 to 10000.");
  }
  return limit;
}

async function listRuns(shell: Shell, { json, since, ...only }: RunsFlags): Promise<number> {
  return askLedger(shell, async ({ db, effects }) => {
    const { listRuns: list } = await import("../store/runs.ts");
    const from = since === undefined ? {} : { since: since(effects.clock()) };
    const runs = await list(db, { ...only, ...from });
    if (json === true) {
      for (const one of runs) shell.print(JSON.stringify(one));
      return EXIT.ok;
    }
    const isAll = [only.pipeline, only.status, since].every((one) => one === undefined);
    if (runs.length === 0) {
      shell.print(isAll ? "no runs yet; `hdash` makes the first one" : "no such runs");
    }
    for (const line of columns(runs.map(cellsOf), [0, 4])) shell.print(line);
    return EXIT.ok;
  });
}

function cellsOf(run: ListedRun): readonly string[] {
  const { startedAt, finishedAt } = run;
  return [
    run.id,
    startedAt === null ? "not started" : instant(startedAt),
    run.pipeline,
    run.status,
    finishedAt === null || startedAt === null
      ? ""
      : duration(Date.parse(finishedAt) - Date.parse(startedAt)),
    `${run.hits} hits, ${run.ran} ran, ${run.failed} failed`,
    `+${run.added} −${run.removed}`,
    oneLine(run.error ?? Object.keys(run.failedScopes).join(", ")),
  ];
}
