// What commands that ask the ledger have in common: opening it, finding the run that a word means, reading times.

import { InvalidArgumentError } from "commander";

import type { Effects } from "../effects.ts";
import { HdashError } from "../error.ts";
import { instant } from "../format.ts";
import type { Shell } from "../shell.ts";
import type { LedgerRun } from "../store/lineage.ts";
import type { FolderInUse } from "../store/lockFile.ts";
import { livenessOf } from "../store/processIdentity.ts";
import type { Db } from "../store/schema.ts";

/** The ledger, and what belongs to it. */
export interface Asked {
  readonly db: Db;
  readonly effects: Effects;
  readonly isEmbedded: boolean;
}

/** Runs `act` with the ledger open. `onBusy` answers where another process has the embedded database; without it that is the error. */
export async function askLedger(
  shell: Shell,
  act: (asked: Asked) => Promise<number>,
  onBusy?: (error: FolderInUse) => number,
): Promise<number> {
  const config = shell.config(["database"]);
  const { FolderInUse } = await import("../store/lockFile.ts");
  try {
    return await shell.withEffects(config, shell.log(config), async (effects) => {
      const { db, kind } = await effects.database();
      return act({ db, effects, isEmbedded: kind === "embedded" });
    });
  } catch (error) {
    if (onBusy !== undefined && error instanceof FolderInUse) return onBusy(error);
    throw error;
  }
}

/** Says who has the embedded database, and that its process alone can answer. */
export function heldText({ holder, since }: FolderInUse): string {
  const { pid, host } = holder;
  const when = Number.isNaN(Date.parse(since)) ? since : instant(since);
  return `pid ${pid} on ${host} is at work with the embedded database, since ${when}`;
}

/** Says how to stop the process that has the embedded database. */
export function stopText({ holder }: FolderInUse): string {
  const isHere = livenessOf(holder) === "alive";
  return isHere
    ? `Press Ctrl-C where it runs, or: kill -TERM ${holder.pid}`
    : `Press Ctrl-C where it runs, or send SIGTERM to pid ${holder.pid} on ${holder.host}.`;
}

/**
 * Finds the run that a word means: by its number, or the newest of a pipeline by the pipeline's name. Throws usage where it means none, or
 * something else.
 */
export async function findRun({ db, effects }: Asked, word: string): Promise<LedgerRun> {
  const { findResult } = await import("../lineage/find.ts");
  const { readLedgerRun } = await import("../store/lineage.ts");
  if (PIPELINE.test(word)) {
    const { listRuns } = await import("../store/runs.ts");
    const [newest] = await listRuns(db, { limit: 1, pipeline: word });
    const run = newest === undefined ? null : await readLedgerRun(db, newest.id);
    if (run !== null) return run;
  }
  const looking = { siteUrl: effects.config.siteUrl, signal: new AbortController().signal };
  const found = await findResult(db, word, looking);
  if (found.kind === "run") return found.run;
  throw new HdashError("usage", `${word} is no run, but a result of ${found.result.step}`, {
    hint: "A run is meant by its number, as `hdash runs` shows it, or by the name of its pipeline: the newest.",
  });
}

const UNIT_MS: Readonly<Record<string, number>> = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** The name of a pipeline, or of its runs with stubs. */
export const PIPELINE = /^[a-z][a-z0-9-]*(:stub)?$/;

/** A moment that an option names, seen from now. */
export type Since = (now: Date) => Date;

/** Reads how long ago (30d, 12h, 90m, 2w), or a day or moment (2026-11-30, 2026-11-30T12:00Z), of an option. */
export function parseSince(value: string): Since {
  const [, number = "", unit = ""] = /^(\d{1,6})([mhdw])$/.exec(value) ?? [];
  const ms = UNIT_MS[unit];
  if (ms !== undefined) return (now) => new Date(now.getTime() - Number(number) * ms);
  const at = new Date(value);
  if (MOMENT.test(value) && !Number.isNaN(at.getTime())) return () => at;
  throw new InvalidArgumentError(
    "It must say how long ago (30d, 12h, 90m, 2w), or be a day or a moment (2026-11-30, 2026-11-30T12:00Z).",
  );
}
const MOMENT = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/;
