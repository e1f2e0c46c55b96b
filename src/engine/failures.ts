// Which attempt at a step an error ended: for those who tell of it, and say where there is more. The errors stay what they are.

import { HdashError, isAborted } from "../error.ts";

/** An attempt that an error ended. */
export interface EndedAttempt {
  readonly key: string;
  /** The number that the ledger has it under. */
  readonly n: number;
  /** The how manieth it was in its run, of how many. */
  readonly attempt: number;
  readonly attempts: number;
  readonly state: string;
  readonly reason: string;
  /** What it has logged last. */
  readonly lastLines: readonly string[];
}

const ENDED = new WeakMap<Error, EndedAttempt>();

/** Tells which attempt an error ended, wherever in the chain of causes that was noted; null where it ended none. */
export function endedAttemptOf(error: unknown): EndedAttempt | null {
  for (let at = error; at instanceof Error; at = at.cause) {
    const ended = ENDED.get(at);
    if (ended !== undefined) return ended;
  }
  return null;
}

/** Notes which attempt an error ended, and returns what is to be thrown: another error only where it is none, or has ended an attempt already. */
export function withEndedAttempt(error: unknown, ended: EndedAttempt): unknown {
  if (isAborted(error)) return error;
  const own = error instanceof Error && endedAttemptOf(error) === null ? error : wrapped(error);
  ENDED.set(own, ended);
  return own;
}

/** The same in an error of its own: a constant that steps throw may be another step's, too. */
function wrapped(error: unknown): Error {
  if (!(error instanceof Error)) return new HdashError("permanent", String(error));
  const kind = error instanceof HdashError ? error.kind : "permanent";
  const hint = error instanceof HdashError && error.hint !== null ? { hint: error.hint } : {};
  return new HdashError(kind, error.message || error.name, { cause: error, ...hint });
}
