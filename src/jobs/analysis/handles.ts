// Handles at work: promises of stored results, with what people call them.

import type { Ref } from "../../engine/step.ts";

/** What a handle stands for. */
export interface Promised {
  /** "count B_2", "--lane". */
  readonly subject: string;
  /** How the call is called that gives it; missing for what the user gave. */
  readonly label?: string;
  /** How names of such files end, e.g. ".fastq.gz"; "" where nothing tells. */
  readonly ending: string;
  /** Whoever asks for it first has it begun. */
  readonly ref: Promise<Ref<unknown>>;
  /** Whether somebody has asked. */
  readonly isBegun: boolean;
}

/** The ending of a file's name, with that of what it is packed by: ".tsv", ".fastq.gz". */
export function endingOf(path: string): string {
  return /(?:\.[A-Za-z]\w{0,9})?(?:\.(?:gz|bgz|bz2|xz|zst))?$/.exec(path)?.[0] ?? "";
}

/**
 * What begins when somebody asks for it. Nobody has to wait for it: whether it failed is asked by who needs it, and at the end.
 * @param how how the call is called, and the path or the name of the file where it comes from.
 */
export function lazily(
  subject: string,
  begin: () => Promise<Ref<unknown>>,
  how: { readonly label?: string; readonly path?: string | null } = {},
): Promised {
  const { label, path = null } = how;
  let going: Promise<Ref<unknown>> | null = null;
  return {
    subject,
    ending: path === null ? "" : endingOf(path),
    ...(label === undefined ? {} : { label }),
    get ref() {
      if (going === null) {
        going = begin();
        going.catch(() => {});
      }
      return going;
    },
    get isBegun() {
      return going !== null;
    },
  };
}

/** Has it begun at once. */
export function begun(promised: Promised): Promised {
  void promised.ref;
  return promised;
}

const PROMISED = new WeakMap<object, Promised>();

/** Finds a file of a folder, once it is there. */
export type FindFile = (folder: Promised, path: string) => Promise<Ref<unknown>>;

/** Makes a handle. */
export function makeHandle(promised: Promised, isFolder: boolean, find: FindFile): object {
  const handle = isFolder
    ? {
        at(path: string) {
          const subject = `${promised.subject}, ${path}`;
          return makeHandle(
            lazily(subject, () => find(promised, path), { path }),
            false,
            find,
          );
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
