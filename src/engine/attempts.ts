// Attempts at a step's work: each with a folder, findings and a log of its own, the resources it asks for, and a row in the ledger that
// is written before the work begins. What a failed attempt found and measured is forgotten.

import type { Digest, Json } from "../digest.ts";
import { HdashError, isAborted, messageOf } from "../error.ts";
import type { Finding } from "../finding.ts";
import type { Measure } from "../store/facts.ts";
import { type AttemptId, beginAttempt, endAttempt } from "../store/stepAttempts.ts";
import { dropLog } from "../store/stepLog.ts";
import type { Hold } from "./places.ts";
import type { AnyStep } from "./ports.ts";
import type { Doing } from "./progress.ts";
import type { WorkFolder } from "./scratch.ts";
import type { Session } from "./session.ts";
import type { FailedAttempt, Resources, StepContext } from "./step.ts";

/** Who does a step that is a function: this process. */
export const IN_PROCESS = "in-process";

/** How long an attempt whose time is over may take to stop before it is given up. */
const GRACE_MS = 7000;

/** A timer of more would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A log of more than this loses its middle: what is asked for is how it began and how it ended. Lines, and characters. */
const MOST_LINES = 20_000;
const MOST_CHARACTERS = 16 << 20;
/** A line of more loses its end. Characters. */
const LONGEST_LINE = 1 << 16;

/** What there is to do. */
export interface Work {
  readonly key: string;
  /** The number that the ledger gives to the first attempt. */
  readonly first: number;
  readonly pin: Json;
  readonly hold: Hold;
  /** Reads the inputs; local copies are made in the attempt's folder. */
  inputs(folder: WorkFolder): Promise<Record<string, unknown>>;
  progress(done: number, total: number | null, how?: Doing): void;
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
  let last: FailedAttempt | null = null;
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

type Tryout =
  | { readonly worked: Worked }
  /** `end` is null where another attempt is of no use. */
  | { readonly worked: null; readonly error: unknown; readonly end: FailedAttempt | null };

async function tryOnce(
  session: Session,
  step: AnyStep,
  work: Work,
  attempt: number,
  resources: Resources,
): Promise<Tryout | null> {
  const { key } = work;
  const n = work.first + attempt - 1;
  const begun = {
    ...{ key, n, step: step.name, runner: IN_PROCESS },
    ...{ resources: { ...resources }, startedAt: session.clock() },
  };
  const isClaimed = await session.withLedger(`beginning ${step.name}`, () =>
    beginAttempt(session.db, session.holder, begun),
  );
  if (!isClaimed) return null;
  const folder = session.scratch.newFolder();
  const log = openLog(session, step.name, { key, n });
  const time = limitTime(step.name, resources, session.signal);
  const findings: Finding[] = [];
  const measures: Measure[] = [];
  let isOver = false;
  let hasEnded = false;
  const room = timedHold(work.hold, time);
  const ctx: Omit<StepContext, "hints"> = {
    signal: time.signal,
    attempt,
    resources,
    workDir: () => folder.make(),
    progress(done, total, how) {
      if (!isOver) work.progress(done, total, how);
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
    take: (more, part) =>
      unattended(async () => {
        time.signal.throwIfAborted();
        await room.become(moreOf(resources, more));
        try {
          return await part();
        } finally {
          if (!isOver) await room.become(resources);
        }
      }),
    wait: (part) =>
      unattended(async () => {
        time.signal.throwIfAborted();
        return room.without(part);
      }),
  };
  try {
    const doing = (async () => step.run(await work.inputs(folder), ctx, work.pin))().finally(() => {
      hasEnded = true;
    });
    const values = await Promise.race([doing, time.over]);
    isOver = true;
    work.hold.interrupt();
    // Storing what it gave takes none of this.
    await work.hold.become({});
    const logDigest = await log.close();
    return { worked: { n, values, findings, measures, logDigest, folder } };
  } catch (error) {
    isOver = true;
    work.hold.interrupt();
    await folder.remove();
    // A run that is stopped closes what it has left open.
    if (session.signal.aborted) throw error;
    const isLate = time.signal.aborted;
    const reason = isLate ? messageOf(time.signal.reason) : messageOf(error);
    const state = isLate ? "timedOut" : "failed";
    const isOwn = work.isOwn(error);
    const logDigest = await log.close();
    await session.withLedger(`ending ${step.name}`, () =>
      endAttempt(session.db, session.lease, begun, {
        ...{ state: isOwn ? state : "cancelled", reason, code: null, usage: null },
        ...{ logDigest, endedAt: session.clock() },
      }),
    );
    // What does not even stop may be in the way of another attempt.
    const isWorthwhile = isOwn && hasEnded && (isLate || mayHelp(error));
    const end: FailedAttempt = { state, reason, resources };
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

/** Does what a step may no longer be waiting for when it fails: nobody hears of that, so it must not end the process. */
function unattended<T>(work: () => Promise<T>): Promise<T> {
  const going = work();
  going.catch(() => {});
  return going;
}

/** A hold whose waiting for room does not count as the attempt's time. */
function timedHold(hold: Hold, time: TimeLimit): Pick<Hold, "become" | "without"> {
  return {
    async become(need) {
      time.pause();
      try {
        await hold.become(need);
      } finally {
        time.resume();
      }
    },
    async without(work) {
      let isBack = false;
      try {
        return await hold.without(async () => {
          try {
            return await work();
          } finally {
            isBack = true;
            time.pause();
          }
        });
      } finally {
        if (isBack) time.resume();
      }
    },
  };
}

/** An attempt's time. */
interface TimeLimit {
  /** Aborts when the attempt is told to stop, or its time is over. */
  readonly signal: AbortSignal;
  /** Rejects where the attempt's time is over and it does not stop then. */
  readonly over: Promise<never>;
  /** Stands still while the attempt waits for room: that others are at work is not its fault. Ends with as many calls of resume(). */
  pause(): void;
  resume(): void;
  end(): void;
}

/** Watches the time of an attempt; without `minutes` it may take as long as it likes. */
function limitTime(step: string, { minutes }: Resources, stop: AbortSignal): TimeLimit {
  const { promise: over, reject } = Promise.withResolvers<never>();
  // It is of no interest once the attempt has ended.
  over.catch(() => {});
  if (minutes === undefined) {
    return { signal: stop, over, pause() {}, resume() {}, end() {} };
  }
  const late = new AbortController();
  const reason = new HdashError(
    "transient",
    `${step} took longer than the ${minutes} minutes that it may`,
  );
  let left = minutes * 60_000;
  let since = 0;
  let pauses = 0;
  let hasEnded = false;
  let timer: NodeJS.Timeout | undefined;
  const expire = () => {
    late.abort(reason);
    timer = setTimeout(() => reject(reason), GRACE_MS);
  };
  const go = () => {
    since = performance.now();
    timer = setTimeout(expire, Math.min(left, LONGEST_TIMER_MS));
  };
  go();
  return {
    signal: AbortSignal.any([stop, late.signal]),
    over,
    pause() {
      if (pauses++ > 0 || late.signal.aborted) return;
      clearTimeout(timer);
      left -= performance.now() - since;
    },
    resume() {
      if (--pauses === 0 && !late.signal.aborted && !hasEnded) go();
    },
    end() {
      hasEnded = true;
      clearTimeout(timer);
    },
  };
}

/** Keeps an attempt's log: line by line in the ledger for those who follow it, and all of it as a blob when it is closed. */
function openLog(session: Session, step: string, { key, n }: AttemptId) {
  const first: string[] = [];
  const last: string[] = [];
  let [seq, left, start, end] = [0, 0, 0, 0];
  return {
    add(text: string): void {
      const line = cut(text);
      session.journal.log({ key, n, seq: ++seq, at: session.clock(), line });
      if (last.length === 0 && first.length < MOST_LINES / 2 && start < MOST_CHARACTERS / 2) {
        first.push(line);
        start += line.length;
        return;
      }
      last.push(line);
      end += line.length;
      while (last.length > MOST_LINES / 2 || end > MOST_CHARACTERS / 2) {
        end -= last.shift()?.length ?? 0;
        left++;
      }
    },
    /** Stores the whole log. Null where there is none, or it cannot be stored: what came of the attempt counts, and its last lines stay in the ledger. */
    async close(): Promise<Digest | null> {
      if (seq === 0) return null;
      try {
        return await store();
      } catch (error) {
        session.log.warn(`the log of ${step} could not be stored: ${messageOf(error)}`);
        return null;
      }
    },
  };

  async function store(): Promise<Digest> {
    const middle = left === 0 ? [] : [`(${left} lines are left out)`];
    const text = [...first, ...middle, ...last, ""].join("\n");
    const bytes = new TextEncoder().encode(text);
    const { digest } = await session.withLedger("storing a log", () => session.blobs.put(bytes));
    // What is written later than this would stay.
    await session.journal.flush();
    await session.withLedger("dropping log lines", () => dropLog(session.db, key, n));
    return digest;
  }
}

function cut(line: string): string {
  const more = line.length - LONGEST_LINE;
  return more <= 0 ? line : `${line.slice(0, LONGEST_LINE)}… (${more} characters more)`;
}
