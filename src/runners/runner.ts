// What every runner of others' programs is asked and answers: a plain process of this machine, a sandbox, Docker. How a program ended is
// data, with the same names everywhere; a runner throws only where nobody can know how it ended.

/** One program: its words, where in the work folder it starts, and all of its environment. */
export interface ExecCommand {
  /** The program (a path, or a name that is looked for on the PATH of `env`) and its arguments; no shell reads them. */
  readonly argv: readonly string[];
  /** Relative to the work folder; default the work folder itself. */
  readonly cwd?: string;
  /** Nothing of the machine's own environment is added; a runner adds one variable, HDASH_EXEC, by which it finds what it started. */
  readonly env: Readonly<Record<string, string>>;
}

/** What may be used at most; null is no limit. */
export interface ExecLimits {
  /** Of the whole script, by the clock on the wall. */
  readonly timeMs: number | null;
  /** Of all processes together. */
  readonly memoryMiB: number | null;
  /** How much of the log is kept, half of it from its beginning and half from its end; null: 128 KiB. What is over it is no failure. */
  readonly logBytes: number | null;
  /** Of the work folder with all that lies in it, inputs too. */
  readonly diskMiB: number | null;
  /** Processes at one time. */
  readonly processes: number | null;
}

/** What is to be run, in a folder that exists and holds its inputs already. */
export interface ExecSpec {
  /** The work folder: an absolute path. */
  readonly folder: string;
  /** One program after the other, up to the first that fails. */
  readonly script: readonly ExecCommand[];
  /** Values that must not be seen: they are replaced by *** in lines, log and messages. */
  readonly secrets: readonly string[];
  readonly limits: ExecLimits;
}

export type ExecState = "succeeded" | "failed" | "timeout" | "oom" | "cancelled" | "lost";
/**
 * Why a run did not succeed: failed · exit, signal, processes, disk, output (set by who collects outputs), not-started; timeout · time;
 * oom · memory; cancelled · user; lost · lease (who held the program is gone).
 */
export type ExecReason =
  | "exit"
  | "signal"
  | "processes"
  | "disk"
  | "output"
  | "not-started"
  | "time"
  | "memory"
  | "user"
  | "lease";

export interface ExecUsage {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakMemoryBytes: number;
}

/** The log's beginning and end; one follows the other without a gap where nothing was truncated. */
export interface ExecLog {
  readonly head: string;
  readonly tail: string;
  /** How much between head and tail was not kept. */
  readonly truncatedBytes: number;
}

/** How a run ended. Nothing of it is running any more. */
export interface ExecEnd {
  readonly state: ExecState;
  /** Null where it succeeded. */
  readonly reason: ExecReason | null;
  /** A sentence for people, where state and reason do not say it all: which program is not there, which limit was met. */
  readonly message: string | null;
  /** Of the last program that ran; null where none did, or a signal ended it. */
  readonly exitCode: number | null;
  /** The signal that ended the last program, e.g. "SIGSEGV". */
  readonly signal: string | null;
  /** One for each program of the script that ran, as `exitCode`. */
  readonly exitCodes: readonly (number | null)[];
  /** How many processes were still there after the last program had ended by itself, and were ended. */
  readonly leftBehind: number;
  readonly usage: ExecUsage;
  readonly log: ExecLog;
}

export interface ExecIo {
  /** Aborted: the program is ended, and the run is cancelled. */
  readonly signal: AbortSignal;
  /** Is called with each line, without its end, as it comes; what it throws ends the program and is thrown by run(). */
  onLine(line: string): void;
}

export interface Runner {
  readonly name: "process" | "sandbox" | "docker";
  /** What it cannot hold a program to, a sentence each: for people who choose a runner. */
  readonly cannotHold: readonly string[];
  /** Says why this machine cannot run programs so; null where it can. Gets ready what is dear to get ready later. */
  probe(): Promise<string | null>;
  /**
   * Runs a script to its end. `key` names the attempt at a step. Throws a permanent error for a spec that makes no sense, transient where
   * the machine has no room for a process.
   */
  run(key: string, spec: ExecSpec, io: ExecIo): Promise<ExecEnd>;
  /** Ends what workers that were killed left running. */
  cleanup(): Promise<void>;
}
