// What an attempt at a step is given, and what is said of how it ended.

/** What a step needs while it works, besides a place. Never part of the key. */
export interface Resources {
  /** Cores that it keeps busy beside the worker's own thread; a machine that has fewer gives all of them. Default 0. */
  readonly cpus?: number;
  /** Memory that it takes beside the worker's own; a step that asks for more than the machine has fails. Default 0. */
  readonly memoryMiB?: number;
  /** For who runs programs of others; not counted here. */
  readonly diskMiB?: number;
  /** After so long an attempt is told to stop, and has failed. */
  readonly minutes?: number;
}

/** How an attempt ended that gave no result, in the words of all runners: lost is one whose machine, or the program's keeper, is gone. */
export interface FailedAttempt {
  readonly state: "failed" | "timeout" | "oom" | "lost";
  /** A word: exit, signal, time, memory … */
  readonly reason: string;
  /** The same for people. */
  readonly message: string;
  readonly resources: Resources;
}

/** What a step says of its work where it has others do it; what is said later counts, usage adds up to one record. */
export interface WorkReport {
  /** How it would end, should the step throw now; where nothing is said: failed · error. */
  readonly end?: Pick<FailedAttempt, "state" | "reason">;
  /** An exit code. */
  readonly code?: number | null;
  /** Numbers by name. */
  readonly usage?: Readonly<Record<string, number>>;
}
