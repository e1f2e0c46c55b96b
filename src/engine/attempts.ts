// Attempts at a step's work: each with a folder, findings and a log of its own, the resources it asks for, and a row in the ledger that
// is written before the work begins. What a failed attempt found and measured is forgotten.

import type { Digest, Json } from "../digest.ts";
import { HdashError, isAborted, messageOf } from "../error.ts";
import type { Finding } from "../finding.ts";
import { pause } from "../retry.ts";
import type { Measure } from "../store/facts.ts";
import { beginAttempt, endAttempt } from "../store/stepAttempts.ts";
import { dropLog } from "../store/stepLog.ts";
import type { Hold } from "./places.ts";
import type { AnyStep } from "./ports.ts";
import type { WorkFolder } from "./scratch.ts";
import type { Session } from "./session.ts";
import type { AttemptEnd, Resources, StepContext } from "./step.ts";

/** Who does a step that is a function: this process. */
export const IN_PROCESS = "in-process";

/** How long an attempt whose time is over may take to stop before it is given up. */
const GRACE_MS = 7000;

/** A timer of more would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A log of more than this loses its middle: what is asked for is how it began and how it ended. Lines. */
const MOST_LINES = 20_000;

/** What there is to do. */
export interface Work {
  readonly key: string;
  /** The number that the ledger gives to the first attempt. */
  readonly first: number;
  readonly pin: Json;
  readonly hold: Hold;
  /** Reads the inputs; local copies are made in the attempt's folder. */
  inputs(folder: WorkFolder): Promise<Record<string, unknown>>;
  progress(done: number, total: number | null): void;
  /** Tells whether an error is the step's own failure, so that another attempt may help. */
  isOwn(error: unknown): boolean;
}

/** What the attempt that succeeded came to. Its row is still open: it is ended with the commit. */
export interface Worked {
  readonly n: number;
  readonly values: Readonly<Record<string, unknown>>;
  readonly findings: readonly Finding[];
  readonly measures: readonly Measure[];
  /** The blob of its log; null where it logged nothing. */
  readonly logDigest: Digest | null;
  /** Its folder, where what it returned may lie; the caller removes it. Null where there is none. */
  readonly folder: WorkFolder | null;
}

/**
 * Does a step's work, as often as the step allows; null where another run has taken the step over. Throws what the last attempt threw,
 * whose row is ended then.
 */
export async function workInAttempts(
  session: Session,
  step: AnyStep,
  work: Work,
): Promise<Worked | null> {
  let last: AttemptEnd | null = null;
  for (let attempt = 1; ; attempt++) {
    const resources = step.resources(attempt, last);
    try {
      await work.hold.become(resources);
    } catch (error) {
      if (last === null || session.signal.aborted) throw error;
      const before = `attempt ${attempt - 1} had failed: ${last.reason}`;
      throw new HdashError("permanent", `${messageOf(error)}; ${before}`, { cause: error });
    }
    const tried = await tryOnce(session, step, work, attempt, resources);
    if (tried === null) return null;
    if (tried.worked !== null) return tried.worked;
    const { end, error } = tried;
    if (end === null || attempt >= step.attempts) throw error;
    last = end;
    const { reason } = end;
    session.onProgress({ kind: "retry", subject: step.name, attempt, delayMs: 0, reason });
    session.log.warn(`${step.name}: attempt ${attempt} of ${step.attempts} failed: ${reason}`);
  }
}

type Tried =
  | { readonly worked: Worked }
  /** `end` is null where another attempt is of no use. */
  | { readonly worked: null; readonly error: unknown; readonly end: AttemptEnd | null };

async function tryOnce(
  session: Session,
  step: AnyStep,
  work: Work,
  attempt: number,
  resources: Resources,
): Promise<Tried | null> {
  const { key } = work;
  const n = work.first + attempt - 1;
  const begun = {
    ...{ key, n, runId: session.lease.runId, runner: IN_PROCESS },
    ...{ resources: { ...resources }, startedAt: session.clock() },
  };
  const isClaimed = await session.withLedger(`beginning ${step.name}`, () =>
    beginAttempt(session.db, begun),
  );
  if (!isClaimed) return null;
  const folder = session.scratch.newFolder();
  const log = openLog(session, key, n);
  const time = limitTime(step.name, resources, session.signal);
  const findings: Finding[] = [];
  const measures: Measure[] = [];
  let isOver = false;
  let hasEnded = false;
  const { hold } = work;
  const ctx: Omit<StepContext, "hints"> = {
    signal: time.signal,
    attempt,
    resources,
    workDir: () => folder.make(),
    progress(done, total) {
      if (!isOver) work.progress(done, total);
    },
    find(found) {
      // Not push(...found): a list of 200,000 does not fit on the stack.
      for (const finding of found) findings.push(finding);
    },
    measure(subject, name, value) {
      measures.push({ subject, name, value });
    },
    log: (line) => {
      if (!isOver) log.add(line);
    },
    async take(more, part) {
      time.signal.throwIfAborted();
      await hold.become(moreOf(resources, more));
      try {
        return await part();
      } finally {
        if (!isOver) await hold.become(resources);
      }
    },
    async wait(part) {
      time.signal.throwIfAborted();
      return hold.without(part);
    },
  };
  try {
    const doing = (async () => step.run(await work.inputs(folder), ctx, work.pin))().finally(() => {
      hasEnded = true;
    });
    const values = await Promise.race([doing, time.over]);
    isOver = true;
    // Storing what it gave takes none of this.
    await hold.become({});
    const logDigest = await log.close();
    return { worked: { n, values, findings, measures, logDigest, folder } };
  } catch (error) {
    isOver = true;
    await folder.remove();
    // A run that is stopped closes what it has left open.
    if (session.signal.aborted) throw error;
    const isLate = time.signal.aborted;
    const reason = isLate ? messageOf(time.signal.reason) : messageOf(error);
    const state = isLate ? "timedOut" : "failed";
    const isOwn = work.isOwn(error);
    // The step's own failure counts; of a log that cannot be stored, its last lines stay in the ledger.
    const logDigest = await log.close().catch((lost: unknown) => {
      session.log.warn(`the log of ${step.name} could not be stored: ${messageOf(lost)}`);
      return null;
    });
    await session.withLedger(`ending ${step.name}`, () =>
      endAttempt(session.db, begun, {
        ...{ state: isOwn ? state : "cancelled", reason, code: null, usage: null },
        ...{ logDigest, endedAt: session.clock() },
      }),
    );
    // What does not even stop may be in the way of another attempt.
    const isWorthwhile = isOwn && hasEnded && (isLate || mayHelp(error));
    const end: AttemptEnd = { state, reason, resources };
    const thrown: unknown = isLate ? time.signal.reason : error;
    return { worked: null, error: thrown, end: isWorthwhile ? end : null };
  } finally {
    time.end();
  }
}

/** Tells whether another attempt may help: not where we were told to stop, or somebody has to change a setting first. */
function mayHelp(error: unknown): boolean {
  if (isAborted(error)) return false;
  return !(error instanceof HdashError) || !["config", "usage", "busy"].includes(error.kind);
}

function moreOf(own: Resources, more: Resources): Resources {
  return {
    ...own,
    cpus: Math.max(own.cpus ?? 0, more.cpus ?? 0),
    memoryMiB: Math.max(own.memoryMiB ?? 0, more.memoryMiB ?? 0),
  };
}

/** Watches an attempt's time: `signal` aborts when it is over, and `over` rejects when the attempt does not stop then. */
function limitTime(step: string, { minutes }: Resources, stop: AbortSignal) {
  if (minutes === undefined)
    return { signal: stop, over: new Promise<never>(() => {}), end: () => {} };
  const late = new AbortController();
  const ended = new AbortController();
  const reason = new HdashError(
    "transient",
    `${step} took longer than the ${minutes} minutes that it may`,
  );
  const over = (async (): Promise<never> => {
    await pause(Math.min(minutes * 60_000, LONGEST_TIMER_MS), ended.signal);
    late.abort(reason);
    await pause(GRACE_MS, ended.signal);
    throw reason;
  })();
  // It is of no interest once the attempt has ended.
  over.catch(() => {});
  return {
    signal: AbortSignal.any([stop, late.signal]),
    over: over.catch((error: unknown) =>
      ended.signal.aborted ? new Promise<never>(() => {}) : Promise.reject(error as Error),
    ),
    end: () => ended.abort(),
  };
}

/** Keeps an attempt's log: line by line in the ledger for those who follow, and all of it as a blob when it is closed. */
function openLog(session: Session, key: string, n: number) {
  const lines: string[] = [];
  let seq = 0;
  let left = 0;
  return {
    add(line: string): void {
      session.journal.log({ key, n, seq: ++seq, at: session.clock(), line });
      lines.push(line);
      if (lines.length > MOST_LINES) {
        lines.splice(MOST_LINES / 2, 1);
        left++;
      }
    },
    /** Stores the whole log; null where there is none. */
    async close(): Promise<Digest | null> {
      if (seq === 0) return null;
      const middle = left === 0 ? [] : [`(${left} lines are left out)`];
      const half = left === 0 ? lines.length : MOST_LINES / 2;
      const text = [...lines.slice(0, half), ...middle, ...lines.slice(half), ""].join("\n");
      const bytes = new TextEncoder().encode(text);
      const { digest } = await session.withLedger("storing a log", () => session.blobs.put(bytes));
      // What is written later than this would stay.
      await session.journal.flush();
      await session.withLedger("dropping log lines", () => dropLog(session.db, key, n));
      return digest;
    },
  };
}
