// A handle is what a step will have given: it can be given to the next step at once, and read when a plan wants to look.

import type { InputFile, InputFolder } from "./values.ts";

declare const READS: unique symbol;

/** Stands for a value that a step gives, or that a pipeline was given. */
export type Handle<T> = {
  /** What `read` gives for it; carries the type only. */
  readonly [READS]: T;
} & (T extends InputFolder ? FolderHandle : unknown);

/** What can be asked of a folder before it is there. */
export interface FolderHandle {
  /** One file of it, without a step. Where it is not in the folder, whoever needs it fails. */
  at(path: string): Handle<InputFile>;
}
