// Attempts at a step's work: each with a folder, findings and a log of its own, the resources it asks for, and a row in the ledger that
// is written before the work begins. What a failed attempt found and measured is forgotten.

import type { Digest, Json } from "../digest.ts";
import { HdashError, isAborted, messageOf } from "../error.ts";
import type { Finding } from "../finding.ts";
import type { Measure } from "../store/facts.ts";
import {
  type Amounts,
  beginAttempt,
  type Cause,
  endAttempt,
  listAttempts,
  type NewAttempt,
} from "../store/stepAttempts.ts";
import { type AttemptLog, openAttemptLog } from "./attemptLog.ts";
import { type AttemptTime, limitTime } from "./attemptTime.ts";
import type { Budget } from "./budget.ts";
import { withEndedAttempt } from "./failures.ts";
import type { Hold } from "./places.ts";
import type { AnyStep } from "./ports.ts";
import type { Doing } from "./progress.ts";
import type { WorkFolder } from "./scratch.ts";
import type { Session } from "./session.ts";
import type { FailedAttempt, Resources, StepContext, WorkReport } from "./step.ts";

/** Who does a step that is a function: this process. */
export const IN_PROCESS = "in-process";

/** So many machines may be lost under one step in one start; then it is the step that loses them. */
const MOST_LOST = 5;

/** How many of an attempt's last lines go with the error that ended it, and how much of each. Characters. */
const LAST_LINES = 5;
const LONGEST_LAST_LINE = 500;

/** What there is to do. */
export interface Work {
  readonly key: string;
  /** The number that the ledger gives to the first attempt. */
  readonly first: number;
  /** Why it is done although its result was known; null where nothing was. */
  readonly cause: Cause | null;
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
  /** The how manieth of its run. */
  readonly attempt: number;
  readonly values: Readonly<Record<string, unknown>>;
  readonly findings: readonly Finding[];
  readonly measures: readonly Measure[];
  readonly code: number | null;
  readonly usage: Amounts | null;
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
  let { attempt, last } = await goOn(session, step, work);
  for (let [n, lost] = [work.first, 0]; ; n++) {
    const resources = step.resources(attempt, last);
    try {
      await work.hold.become(resources);
    } catch (error) {
      if (last === null || session.signal.aborted) throw error;
      const before = `the attempt before had failed: ${last.message}`;
      throw new HdashError("permanent", `${messageOf(error)}; ${before}`, { cause: error });
    }
    const tried = await tryOnce(session, step, work, { n, attempt }, resources);
    if (tried === null) return null;
    if (tried.worked !== null) return tried.worked;
    const { end, error } = tried;
    if (end === null) throw error;
    const isLost = end.state === "lost";
    if (isLost ? ++lost > MOST_LOST : !mayTryAgain(step, attempt, end)) throw error;
    last = end;
    const reason = end.message;
    session.onProgress({ kind: "retry", subject: step.name, attempt, delayMs: 0, reason });
    const how = `${end.state} · ${end.reason}`;
    session.log.warn(
      isLost
        ? `${step.name}: attempt ${attempt} was lost and does not count (${how}): ${reason}`
        : `${step.name}: attempt ${attempt} of ${step.attempts} failed (${how}): ${reason}`,
    );
    if (!isLost) attempt++;
  }
}

/**
 * Tells where to go on: attempts that this run has made of the step since it last succeeded count also after its worker was lost, which
 * does not count itself. There is always one left: whoever starts a run again wants to see it tried.
 */
async function goOn(
  session: Session,
  step: AnyStep,
  { key, first }: Work,
): Promise<{ attempt: number; last: FailedAttempt | null }> {
  const fresh = { attempt: 1, last: null };
  if (first === 1 || step.attempts === 1) return fresh;
  const known = await session.withLedger("reading attempts", () =>
    listAttempts(session.db, key, session.lease.runId),
  );
  const since = known.findLastIndex(({ end }) => end?.state === "succeeded") + 1;
  const failed = known.slice(since).flatMap(({ end, resources }): readonly FailedAttempt[] => {
    const state = COUNTED.find((one) => one === end?.state);
    if (end === null || state === undefined) return [];
    return [{ state, reason: end.reason ?? "error", message: end.message ?? state, resources }];
  });
  const last = failed.at(-1) ?? null;
  return { attempt: Math.min(failed.length, step.attempts - 1) + 1, last };
}
const COUNTED = ["failed", "timeout", "oom"] as const;

/** Tells whether a step is tried again: not where it would only be late again. */
function mayTryAgain(step: AnyStep, attempt: number, end: FailedAttempt): boolean {
  if (attempt >= step.attempts) return false;
  if (end.state !== "timeout") return true;
  const more = step.resources(attempt + 1, end).minutes ?? Infinity;
  return more > (end.resources.minutes ?? Infinity);
}

type Tryout =
  | { readonly worked: Worked }
  /** `end` is null where another attempt is of no use. */
  | { readonly worked: null; readonly error: unknown; readonly end: FailedAttempt | null };

/** An attempt while it goes on. */
interface Trying {
  readonly session: Session;
  readonly step: AnyStep;
  readonly work: Work;
  readonly attempt: number;
  readonly resources: Resources;
  readonly begun: NewAttempt;
  /** Counts what it took; null where nobody counts. */
  readonly spend: ReturnType<Budget["begin"]> | null;
  /** On the clock of performance. */
  readonly since: number;
  readonly folder: WorkFolder;
  readonly log: AttemptLog;
  readonly time: AttemptTime;
  readonly findings: Finding[];
  readonly measures: Measure[];
  /** What the step has said of who did the work. */
  readonly report: { -readonly [K in keyof WorkReport]: WorkReport[K] };
  /** Nobody listens to the step any more. */
  isOver: boolean;
  /** Its function has ended, too. */
  hasEnded: boolean;
}

async function tryOnce(
  session: Session,
  step: AnyStep,
  work: Work,
  { n, attempt }: { readonly n: number; readonly attempt: number },
  resources: Resources,
): Promise<Tryout | null> {
  const { key } = work;
  const begun = {
    ...{ key, n, step: step.name, runner: step.runner, machine: session.machine },
    cause: attempt === 1 ? work.cause : null,
    ...{ resources: { ...resources }, startedAt: session.clock() },
  };
  // What hdash does for a user's pipeline costs next to nothing, and tells what became of the rest.
  const spend = step.uses === undefined ? null : (session.budget?.begin(resources) ?? null);
  const isClaimed = await session.withLedger(`beginning ${step.name}`, () =>
    beginAttempt(session.db, session.holder, begun),
  );
  if (!isClaimed) {
    spend?.(null);
    return null;
  }
  const trying: Trying = {
    ...{ session, step, work, attempt, resources, begun, spend, since: performance.now() },
    folder: session.scratch.newFolder(),
    log: openAttemptLog(session, step.name, { key, n }),
    time: limitTime(step.name, resources.minutes, session.signal),
    ...{ findings: [], measures: [], report: {}, isOver: false, hasEnded: false },
  };
  const { folder, log, time, findings, measures } = trying;
  try {
    const doing = (async () =>
      step.run(await work.inputs(folder), contextOf(trying), work.pin))().finally(() => {
      trying.hasEnded = true;
    });
    const values = await Promise.race([doing, time.over]);
    trying.isOver = true;
    work.hold.interrupt();
    const used = usedBy(trying);
    // Storing what it gave takes none of this.
    await work.hold.become({});
    const logDigest = await log.close();
    return { worked: { n, attempt, values, findings, measures, ...used, logDigest, folder } };
  } catch (error) {
    trying.isOver = true;
    work.hold.interrupt();
    await folder.remove();
    // A run that is stopped closes what it has left open.
    if (session.signal.aborted) throw error;
    return await endFailed(trying, error);
  } finally {
    time.end();
  }
}

/** What an attempt used: its own time, and what was reported. */
function usedBy({ report, since, spend }: Trying): Pick<Worked, "code" | "usage"> {
  const wallMs = Math.round(performance.now() - since);
  const usage = { wallMs, ...report.usage };
  spend?.(usage);
  return { code: report.code ?? null, usage };
}

/** Ends the row of an attempt that failed, and says whether another may help. */
async function endFailed(trying: Trying, error: unknown): Promise<Tryout> {
  const { session, step, work, attempt, begun, resources, log, time, report } = trying;
  const isLate = time.signal.aborted;
  const isOwn = work.isOwn(error);
  const thrown: unknown = isLate ? time.signal.reason : error;
  const message = messageOf(thrown);
  const how = isLate ? LATE : (report.end ?? OWN);
  const lastLines = log.last(LAST_LINES).map(shortened);
  // Whoever reads the log alone sees how it ended.
  if (isOwn) log.add(`${how.state} · ${how.reason}: ${message}`);
  const logDigest = await log.close();
  await session.withLedger(`ending ${step.name}`, () =>
    endAttempt(session.db, session.lease, begun, {
      ...(isOwn ? how : UNREAD),
      ...{ message, ...usedBy(trying), logDigest, endedAt: session.clock() },
    }),
  );
  // What does not even stop may be in the way of another attempt.
  const isWorthwhile = isOwn && trying.hasEnded && (isLate || mayHelp(error));
  const { key, n } = begun;
  const ended = { key, n, attempt, attempts: step.attempts, ...how, lastLines };
  return {
    worked: null,
    error: isOwn ? withEndedAttempt(thrown, ended) : thrown,
    end: isWorthwhile ? { ...how, message, resources } : null,
  };
}
const LATE = { state: "timeout", reason: "time" } as const;
const OWN = { state: "failed", reason: "error" } as const;
const UNREAD = { state: "cancelled", reason: "input" };

function shortened(line: string): string {
  return line.length > LONGEST_LAST_LINE ? `${line.slice(0, LONGEST_LAST_LINE)}…` : line;
}

/** What a step may use while it works. */
function contextOf(trying: Trying): Omit<StepContext, "hints"> {
  const { work, attempt, resources, folder, log, time, findings, measures, report } = trying;
  const room = timedHold(work.hold, time);
  return {
    signal: time.signal,
    attempt,
    resources,
    workDir: () => folder.make(),
    progress(done, total, how) {
      if (!trying.isOver) work.progress(done, total, how);
    },
    find(found) {
      // Not push(...found): a list of 200,000 does not fit on the stack.
      for (const finding of found) findings.push(finding);
    },
    measure(subject, name, value) {
      measures.push({ subject, name, value });
    },
    report({ usage, ...rest }) {
      Object.assign(report, rest, { usage: { ...report.usage, ...usage } });
    },
    log: (line) => {
      if (!trying.isOver) log.add(line);
    },
    take: (more, part) =>
      unattended(async () => {
        time.signal.throwIfAborted();
        await room.become(moreOf(resources, more));
        try {
          return await part();
        } finally {
          if (!trying.isOver) await room.become(resources);
        }
      }),
    wait: (part) =>
      unattended(async () => {
        time.signal.throwIfAborted();
        return room.without(part);
      }),
  };
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
function timedHold(hold: Hold, time: AttemptTime): Pick<Hold, "become" | "without"> {
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
