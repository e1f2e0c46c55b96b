// The kinds of error hdash throws. Bad data is never one of them (see finding.ts): an error means that we could not know.

/**
 * What went wrong, as far as it decides what happens next.
 * config: a setting is wrong (exit 2) · usage: the command line is wrong (exit 2) · transient: may pass by itself, is retried ·
 * permanent: will not pass by itself · aborted: we were told to stop · busy: somebody else is at it.
 */
export type ErrorKind = "config" | "usage" | "transient" | "permanent" | "aborted" | "busy";

/** Carries an error's kind, the message for people (which names the subject and the value) and, where there is one, what to do. */
export class HdashError extends Error {
  readonly kind: ErrorKind;
  readonly hint: string | null;
  /** How long the other side asks us to wait (Retry-After), in milliseconds; null where it does not say. */
  readonly retryAfterMs: number | null;
  /** The same in a sentence fit for a public page: no user, no address, no path of ours; null where there is none. */
  readonly publicly: string | null;
  /** The one thing that could not be had, where that says nothing about any other: who can do without it may go on. Null: not so. */
  readonly lacking: string | null;
  constructor(
    kind: ErrorKind,
    message: string,
    options: {
      cause?: unknown;
      hint?: string;
      retryAfterMs?: number;
      publicly?: string;
      lacking?: string;
    } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = "HdashError";
    this.kind = kind;
    this.hint = options.hint ?? null;
    this.retryAfterMs = options.retryAfterMs ?? null;
    this.publicly = options.publicly ?? null;
    this.lacking = options.lacking ?? null;
  }
}

/** Tells whether an error may pass by itself, so that trying again makes sense. */
export function isTransient(error: unknown): boolean {
  return error instanceof HdashError && error.kind === "transient";
}

/** Tells whether an error only says that we were asked to stop. */
export function isAborted(error: unknown): boolean {
  return (
    (error instanceof HdashError && error.kind === "aborted") ||
    (error instanceof Error && error.name === "AbortError")
  );
}

/** Tells whether an error says that a setting or the command line is wrong. */
export function isSetup(error: unknown): boolean {
  return error instanceof HdashError && (error.kind === "config" || error.kind === "usage");
}

/** Tells whether somebody else holds what we need. */
export function isBusy(error: unknown): boolean {
  return error instanceof HdashError && error.kind === "busy";
}

/** Tells which one thing could not be had, wherever in the chain of causes it says so; null where the error is about more than that. */
export function lackingOf(error: unknown): string | null {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof HdashError && at.lacking !== null) return at.lacking;
  }
  return null;
}

/** Says what an error means in words fit for a public page; what only operators may know is left to log, ledger and Slack. */
export function publicMessageOf(error: unknown): string {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof HdashError && at.publicly !== null) return at.publicly;
  }
  return isTransient(error)
    ? "a service did not answer as it should; the next run tries again"
    : "it could not be read; the log of the run says why";
}

/** Says what to do about an error: what it says itself, or that a wrong setting stays wrong; null where nobody knows. */
export function remedyOf(error: unknown): string | null {
  if (!(error instanceof HdashError)) return null;
  if (error.hint !== null) return error.hint;
  return isSetup(error)
    ? "Change the setting: until then every run ends like this. `hdash doctor` checks settings and services."
    : null;
}

/** Says in one line what an unknown thrown value means, following causes as long as they add something. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : messageOf(error.cause);
  const own = error.message || error.name;
  return cause === "" || own.includes(cause) ? own : `${own}: ${cause}`;
}

/** The operating system's code of an error, e.g. "ENOENT"; null where it has none. */
export function codeOf(error: unknown): string | null {
  return error instanceof Error && "code" in error ? String(error.code) : null;
}

const FULL = ["ENOSPC", "EDQUOT"];
const FORBIDDEN = ["EACCES", "EPERM", "EROFS"];

/**
 * Says in a clause, to follow a message, what to do about a full disk or a missing right; "" for any other error.
 * @param folder what was written to. @param setting what names it, e.g. "HDASH_HOME".
 */
export function diskRemedy(error: unknown, folder: string, setting: string): string {
  for (let at = error; at instanceof Error; at = at.cause) {
    const code = codeOf(at) ?? "";
    if (FULL.includes(code)) {
      return `; free some space on the disk of ${folder}, or name a folder on another disk (${setting})`;
    }
    if (FORBIDDEN.includes(code)) {
      return `; give this user the right to write to ${folder}, or name another folder (${setting})`;
    }
  }
  return "";
}
