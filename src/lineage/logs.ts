// Logs of attempts: read whole where they are, and followed while they are written, in bounded memory.

import type { Digest } from "../digest.ts";
import { HdashError } from "../error.ts";
import { linesOf } from "../formats/lines.ts";
import { pause } from "../retry.ts";
import type { BlobStore } from "../store/blobs.ts";
import type { ProcessIdentity } from "../store/processIdentity.ts";
import type { Db } from "../store/schema.ts";
import { readLog, readLogs } from "../store/stepLog.ts";
import {
  type AttemptCursor,
  listChanged,
  listKeyAttempts,
  listRunAttempts,
  type LoggedAttempt,
  readWatched,
} from "../store/watching.ts";
import { type Standing, standingOf } from "./standing.ts";

/** Where logs are. */
export interface LogPlaces {
  readonly db: Db;
  readonly blobs: BlobStore;
}

/** A line of an attempt's log. */
export interface LogEntry {
  readonly attempt: LoggedAttempt;
  /** Counts the lines of the attempt from 1. */
  readonly seq: number;
  /** When it was written; null where only the whole log is kept. */
  readonly at: Date | null;
  readonly line: string;
}

/** Attempts that are looked at in one go. */
const PAGE = 200;

/** Gives the attempts of a run: those that ended badly first, then the others, by time. */
export async function* attemptsOfRun(
  db: Db,
  runId: string,
  { onlyBad }: { readonly onlyBad: boolean },
): AsyncGenerator<LoggedAttempt> {
  for (const isBad of onlyBad ? [true] : [true, false]) {
    for (let after: AttemptCursor | null = null; ;) {
      const page: readonly LoggedAttempt[] = await listRunAttempts(db, runId, {
        ...{ isBad, after, limit: PAGE },
      });
      yield* page;
      after = page.at(-1) ?? null;
      if (page.length < PAGE) break;
    }
  }
}

/** What a log that was too long says in place of its middle. */
const LEFT_OUT = /^\((\d+) lines are left out\)$/;

/** Gives the lines of an attempt's log: all of it where it is kept, else the last lines that the ledger has. */
export async function* logOf(places: LogPlaces, attempt: LoggedAttempt): AsyncGenerator<LogEntry> {
  if (attempt.logDigest !== null) yield* wholeLog(places, attempt, attempt.logDigest, 0);
  else {
    for (const { seq, at, line } of await readLog(places.db, attempt.key, attempt.n)) {
      for (const one of line.split("\n")) yield { attempt, seq, at, line: one };
    }
  }
}

async function* wholeLog(
  { blobs }: LogPlaces,
  attempt: LoggedAttempt,
  digest: Digest,
  afterLine: number,
): AsyncGenerator<LogEntry> {
  let seq = 0;
  for await (const line of linesOf(blobs.stream(digest))) {
    seq++;
    const left = LEFT_OUT.exec(line)?.[1];
    if (seq > afterLine) yield { attempt, seq, at: null, line };
    // It stands for so many lines: those behind it keep their numbers.
    if (left !== undefined) seq += Number(left) - 1;
  }
}

/** Gives the last line of an attempt's log; null where there is none. */
export async function lastLineOf(
  places: LogPlaces,
  attempt: LoggedAttempt,
): Promise<string | null> {
  let last: string | null = null;
  for await (const { line } of logOf(places, attempt)) {
    // The engine's own last words say what the error says.
    if (line.trim() !== "" && !isEnd(line, attempt)) last = line;
  }
  return last;
}

function isEnd(line: string, { state, reason }: LoggedAttempt): boolean {
  return reason !== null && line.startsWith(`${state} · ${reason}`);
}

/** How often one looks for more. */
const FOLLOW_POLL_MS = 1000;
/** Attempts end by the clock of their worker, or of the database: so far apart they may be. */
const CLOCKS_APART_MS = 60_000;

/** What was given of an attempt that is followed. */
interface Seen {
  seq: number;
  /** Lines of its whole log: what was logged at once may be several. */
  lines: number;
  isWhole: boolean;
}

/** What to follow, and what tells that nothing more comes. */
export interface Following {
  readonly runId: string;
  /** Only attempts at this key; null: all of the run. */
  readonly key: string | null;
  readonly signal: AbortSignal;
  readonly isDead: (worker: ProcessIdentity) => boolean;
  readonly pollMs?: number;
}

/**
 * Gives the lines of a run's logs as they come, until the run has ended or nobody does it any more; then tells how it stands. A run that is
 * queued is waited for. Memory holds a number for each attempt, and a page of lines.
 */
export async function* followRun(
  places: LogPlaces,
  { runId, key, signal, isDead, pollMs = FOLLOW_POLL_MS }: Following,
): AsyncGenerator<LogEntry, Standing | null> {
  const seen = new Map<string, Seen>();
  let newest: number | null = null;
  for (;;) {
    signal.throwIfAborted();
    const run = await readWatched(places.db, runId);
    // Before its logs are read: what was written until it ended is read then.
    const standing = run === null ? null : standingOf(run, isDead);
    const isOver = standing !== "queued" && standing !== "running";
    const since: Date | null =
      newest === null || isOver ? null : new Date(newest - CLOCKS_APART_MS);
    const attempts =
      key === null
        ? await listChanged(places.db, runId, since)
        : await listKeyAttempts(places.db, key, runId);
    for (const { endedAt } of attempts) {
      if (endedAt !== null) newest = Math.max(newest ?? 0, endedAt.getTime());
    }
    yield* moreOf(places, attempts, seen);
    if (isOver) return standing;
    await pause(pollMs, signal);
  }
}

/** Gives what attempts have logged since the last time, those that still log together and by time. */
async function* moreOf(
  places: LogPlaces,
  attempts: readonly LoggedAttempt[],
  seen: Map<string, Seen>,
): AsyncGenerator<LogEntry> {
  const written: { readonly attempt: LoggedAttempt; readonly own: Seen }[] = [];
  for (const attempt of attempts) {
    const name = nameOf(attempt);
    const own = seen.get(name) ?? { seq: 0, lines: 0, isWhole: false };
    seen.set(name, own);
    if (own.isWhole) continue;
    if (attempt.logDigest === null) {
      written.push({ attempt, own });
      continue;
    }
    yield* wholeLog(places, attempt, attempt.logDigest, own.lines);
    own.isWhole = true;
  }
  for (let at = 0; at < written.length; at += PAGE) {
    yield* newLines(places.db, written.slice(at, at + PAGE));
  }
}

/** Lines that are read in one go. */
const LINES = 2000;

async function* newLines(
  db: Db,
  written: readonly { readonly attempt: LoggedAttempt; readonly own: Seen }[],
): AsyncGenerator<LogEntry> {
  const byName = new Map(written.map((one) => [nameOf(one.attempt), one]));
  for (;;) {
    const asked = written.map(({ attempt: { key, n }, own }) => ({ key, n, afterSeq: own.seq }));
    const lines = await readLogs(db, asked, LINES);
    for (const { seq, at, line, ...id } of lines) {
      const found = byName.get(nameOf(id));
      if (found === undefined) continue;
      const { attempt, own } = found;
      const missed = seq - own.seq - 1;
      if (missed > 0) {
        const said = `(${missed} lines went by too fast to be followed)`;
        yield { attempt, seq: seq - 1, at, line: said };
      }
      own.seq = Math.max(own.seq, seq);
      const parts = line.split("\n");
      own.lines += Math.max(missed, 0) + parts.length;
      for (const one of parts) yield { attempt, seq, at, line: one };
    }
    if (lines.length < LINES) break;
  }
  for (const { attempt, own } of written) own.isWhole = attempt.endedAt !== null;
}

function nameOf({ key, n }: { readonly key: string; readonly n: number }): string {
  return `${key} ${n}`;
}

/** Lines of a log that are shown. */
const LAST_LINES = 20;
/** A line that is longer is cut. Characters. */
const LONGEST_LINE = 500;

/** The last lines of calls that failed in a run, by their keys. */
export async function lastLinesOf(
  places: LogPlaces,
  runId: string,
  failed: readonly {
    readonly call: { readonly key: string | null; readonly attempt: { readonly n: number } | null };
  }[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const wanted = new Map<string, number>();
  for (const { call } of failed) {
    if (call.key !== null && call.attempt !== null) wanted.set(call.key, call.attempt.n);
  }
  const found = new Map<string, readonly string[]>();
  for await (const attempt of attemptsOfRun(places.db, runId, { onlyBad: true })) {
    if (found.size === wanted.size) break;
    if (wanted.get(attempt.key) !== attempt.n) continue;
    const last: string[] = [];
    try {
      for await (const { line } of logOf(places, attempt)) {
        last.push(line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line);
        if (last.length > LAST_LINES) last.shift();
      }
    } catch (error) {
      // A log that is gone or damaged is no reason to have no page.
      if (!(error instanceof HdashError) || error.kind === "aborted") throw error;
      last.push(`(the log cannot be read: ${error.message})`);
    }
    // The engine's own last words say what the error says.
    if (last.at(-1)?.startsWith(`${attempt.state} · ${attempt.reason ?? ""}`) === true) last.pop();
    found.set(attempt.key, last);
  }
  return found;
}
