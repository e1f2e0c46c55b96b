// hdash runs: what was run, when, and what changed.

import { type Command, InvalidArgumentError } from "commander";

import type { Effects } from "../effects.ts";
import { duration, instant, oneLine } from "../format.ts";
import { EXIT, type Shell } from "../shell.ts";

/** Adds the command to hdash. */
export function addRuns(program: Command, shell: Shell): void {
  program
    .command("runs")
    .description("list past runs: when, how long, what was done, what changed")
    .option("--limit <n>", "how many", parseLimit, 20)
    .option("--json", "as JSON lines")
    .action(async (flags: { limit: number; json?: boolean }) =>
      shell.exit(await listRuns(shell, flags)),
    );
}

function parseLimit(value: string): number {
  const limit = Number(value);
  if (!Number.isInteger(limit) || limit < 1 || limit > 10_000) {
    throw new InvalidArgumentError("It must be a whole number from 1 to 10000.");
  }
  return limit;
}

async function listRuns(shell: Shell, flags: { limit: number; json?: boolean }): Promise<number> {
  const config = shell.config(["database"]);
  return shell.withEffects(config, shell.log(config), async (effects: Effects) => {
    const { listRuns: list } = await import("../store/runs.ts");
    const runs = await list((await effects.database()).db, { limit: flags.limit });
    if (flags.json === true) {
      for (const one of runs) shell.print(JSON.stringify(one));
      return EXIT.ok;
    }
    if (runs.length === 0) shell.print("no runs yet; `hdash` makes the first one");
    for (const one of runs) {
      const took =
        one.finishedAt === null || one.startedAt === null
          ? ""
          : duration(Date.parse(one.finishedAt) - Date.parse(one.startedAt));
      const changes = `+${one.added} −${one.removed}`;
      shell.print(
        [
          (one.startedAt === null ? "not started" : instant(one.startedAt)).padEnd(22),
          one.pipeline.padEnd(8),
          one.status.padEnd(10),
          took.padStart(8),
          `${one.hits} hits, ${one.ran} ran, ${one.failed} failed`.padEnd(34),
          changes.padEnd(10),
          oneLine(one.error ?? Object.keys(one.failedScopes).join(", ")),
        ]
          .join("  ")
          .trimEnd(),
      );
    }
    return EXIT.ok;
  });
}
