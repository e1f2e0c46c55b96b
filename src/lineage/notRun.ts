// How it is told that a call of a step did not run since something before it failed: written into the run's error, and read from there.

/** A call that did not run, and why. */
export interface NotRunCall {
  /** "merge B". */
  readonly call: string;
  /** "it needs count B_2, which failed (hdash logs 1a2b3c4d --attempt 2)". */
  readonly why: string;
}

const BETWEEN = " did not run: ";
const MORE = " more did not run";

/** Tells of one in a line. */
export function notRunText(call: string, why: string): string {
  return `${call}${BETWEEN}${why}`;
}

/** Tells of those that are not told one by one. */
export function moreNotRunText(more: number): string {
  return `${more}${MORE}`;
}

/** Reads who did not run from what a run or a scope failed with. What programs said is indented there, and is none of it. */
export function readNotRun(error: string): {
  readonly calls: readonly NotRunCall[];
  readonly more: number;
} {
  const calls: NotRunCall[] = [];
  let more = 0;
  for (const line of error.split("\n")) {
    const at = line.indexOf(BETWEEN);
    if (/^\s/.test(line)) continue;
    if (at > 0) calls.push({ call: line.slice(0, at), why: line.slice(at + BETWEEN.length) });
    else if (line.endsWith(MORE)) more += Number(line.slice(0, -MORE.length)) || 0;
  }
  return { calls, more };
}
