// What a check finds, and where.

/** One thing that a check has found. An error keeps the pipeline from running as it should; a note is to be known. */
export interface Found {
  /** From the folder that the command was typed in. */
  readonly path: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  readonly severity: "error" | "note";
  readonly rule: Rule;
  readonly says: string;
  /** What to do. */
  readonly advice: string;
}

/**
 * syntax: no module can be made of it. types: what the compiler says. load: the module throws when it is loaded. plan: a plan reads what no key
 * knows of. step: a step does. raw: unquoted text. graph: what is declared cannot hang together. program: a program that is not there.
 * image: an image. code: what the identity of the code cannot see.
 */
export type Rule =
  "syntax" | "types" | "load" | "plan" | "step" | "raw" | "graph" | "program" | "image" | "code";

/** Where something stands in a file. */
export interface Spot {
  readonly line: number;
  readonly column: number;
}

/** The beginning of a file: for what stands nowhere in particular. */
export const START: Spot = { line: 1, column: 1 };

/** What is found, before it is known how its file is called. */
export type FoundIn = Omit<Found, "path" | "severity">;
