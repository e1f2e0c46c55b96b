// How a plan tells of what failed: which call, in which attempt, what it said last, and where there is more.

import { type EndedAttempt, endedAttemptOf } from "../../engine/failures.ts";
import { HdashError, isAborted, messageOf } from "../../error.ts";
import { moreNotRunText, notRunText } from "../../lineage/notRun.ts";

/** So many calls that did not run are named one by one. */
const MOST_NAMED = 20;

/** A call of a step that failed. */
class CallFailed extends HdashError {
  /** "count B_2". */
  readonly subject: string;
  /** What to type to see more of it; null where no attempt was begun. */
  readonly look: string | null;
  constructor(subject: string, look: string | null, text: string, cause: unknown) {
    const own = cause instanceof HdashError ? cause : null;
    super(own?.kind ?? "permanent", text, {
      cause,
      ...((own?.hint ?? null) === null ? {} : { hint: own?.hint ?? "" }),
    });
    this.subject = subject;
    this.look = look;
  }
}

/** Tells of a call that failed. */
export function callFailed(subject: string, error: unknown): HdashError {
  const ended = endedAttemptOf(error);
  const message = messageOf(error);
  if (ended === null) return new CallFailed(subject, null, `${subject}: ${message}`, error);
  const { state, reason, attempt, attempts, lastLines } = ended;
  const end = `${state} · ${reason}, attempt ${attempt} of ${attempts}`;
  const said = lastLines.map((line) => `\n  ${line}`).join("");
  const last = said === "" ? "" : `; it said last:${said}`;
  const look = lookAt(ended);
  const text = `${subject}: ${message} (${end})${last}\nTo look further: ${look}`;
  return new CallFailed(subject, look, text, error);
}

function lookAt({ key, n }: EndedAttempt): string {
  return `hdash logs ${key.slice(0, 8)} --attempt ${n}`;
}

/** What did not run since something before it failed; the cause is what failed first. */
export class NotRun extends HdashError {
  readonly first: unknown;
  /** The same in a line. */
  readonly short: string;
  constructor(subject: string, first: unknown) {
    const why =
      first instanceof CallFailed
        ? `it needs ${first.subject}, which failed${first.look === null ? "" : ` (${first.look})`}`
        : `it needs what failed`;
    const short = notRunText(subject, why);
    super("permanent", `${short}: ${messageOf(first)}`, { cause: first });
    this.first = first;
    this.short = short;
  }
}

/** What failed first. */
export function firstFailure(error: unknown): unknown {
  return error instanceof NotRun ? error.first : error;
}

/** Tells of what failed first, and of all that did not run because of it or of another failure. */
export function failureOf(failures: readonly unknown[]): unknown {
  const first = failures.find((one) => !(one instanceof NotRun)) ?? firstFailure(failures[0]);
  const notRun = [...new Set(failures)].filter((one) => one instanceof NotRun);
  if (notRun.length === 0 || isAborted(first)) return first;
  const lines = notRun.slice(0, MOST_NAMED).map(({ short }) => short);
  const more = notRun.length - lines.length;
  if (more > 0) lines.push(moreNotRunText(more));
  const own = first instanceof HdashError ? first : null;
  return new HdashError(own?.kind ?? "permanent", [messageOf(first), ...lines].join("\n"), {
    cause: first,
    ...((own?.hint ?? null) === null ? {} : { hint: own?.hint ?? "" }),
  });
}
