// Handles at work: promises of stored results, with what people call them.

import type { Ref } from "../../engine/step.ts";
import { HdashError, messageOf } from "../../error.ts";

/** What a handle stands for. */
export interface Promised {
  /** "count B_2", "--lane". */
  readonly subject: string;
  readonly ref: Promise<Ref<unknown>>;
}

const PROMISED = new WeakMap<object, Promised>();

/** Finds a file of a folder, once it is there. */
export type FindFile = (folder: Promised, path: string) => Promise<Ref<unknown>>;

/** Makes a handle. Nobody has to wait for it: whether it failed is asked by who needs it, and at the end. */
export function makeHandle(promised: Promised, isFolder: boolean, find: FindFile): object {
  promised.ref.catch(() => {});
  const handle = isFolder
    ? {
        at(path: string) {
          const subject = `${promised.subject}, ${path}`;
          return makeHandle({ subject, ref: find(promised, path) }, false, find);
        },
      }
    : {};
  PROMISED.set(handle, promised);
  return handle;
}

/** What a handle stands for; null for anything else. */
export function promisedOf(value: unknown): Promised | null {
  return typeof value === "object" && value !== null ? (PROMISED.get(value) ?? null) : null;
}

export function isHandle(value: unknown): value is object {
  return promisedOf(value) !== null;
}

/** What did not run since something before it failed; the cause is what failed first. */
export class NotRun extends HdashError {
  readonly first: unknown;
  constructor(subject: string, first: unknown) {
    super("permanent", `${subject} did not run: ${messageOf(first)}`, { cause: first });
    this.first = first;
  }
}

/** What failed first. */
export function firstFailure(error: unknown): unknown {
  return error instanceof NotRun ? error.first : error;
}
