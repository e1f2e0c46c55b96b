// Secrets of a pipeline's steps: hidden wherever something is told, and looked for in what is kept.

import { opendir } from "node:fs/promises";
import { join } from "node:path";

import { HdashError, isAborted, messageOf } from "../../error.ts";
import { makeMasks } from "../../runners/mask.ts";
import { readFilePieces } from "../../store/filePieces.ts";

/** What is shorter cannot be told from other text, nor from chance in large files: it is hidden in logs, and looked for nowhere. Bytes. */
export const LEAST_SECRET = 6;
/** Of a secret of several lines a line of so many bytes is one, too. */
const LEAST_LINE = 16;

export interface Secrets {
  readonly isEmpty: boolean;
  /** The values of some, in every form in which programs say them. */
  formsOf(names: readonly string[]): readonly string[];
  /** Hides them in a text. */
  mask(text: string): string;
  /** Hides them in an error; one that holds none stays what it is. */
  maskError(error: unknown): unknown;
  /** Names one that a text holds; null where it holds none. */
  nameIn(text: string): string | null;
  /** Names one that a file, or any file or name of a folder, holds as it is; null where there is none. */
  nameInFiles(path: string, kind: "file" | "folder"): Promise<string | null>;
}

/** Makes what knows the secrets: values by name, null where one is not set. */
export function makeSecrets(values: Readonly<Record<string, string | null>>): Secrets {
  const forms = new Map(
    Object.entries(values).flatMap(([name, value]) =>
      value === null || value === "" ? [] : [[name, formsOfOne(value)] as const],
    ),
  );
  const all = [...forms.values()].flat();
  const { text: mask } = makeMasks(all);
  const sought = [...forms].flatMap(([name, own]) =>
    [...own, ...own.flatMap(linesOf)]
      .map((form) => Buffer.from(form))
      .filter(({ length }) => length >= LEAST_SECRET)
      .map((bytes) => ({ name, bytes })),
  );
  const find = (bytes: Buffer): string | null =>
    sought.find((one) => bytes.includes(one.bytes))?.name ?? null;
  const overlap = Math.max(0, ...sought.map(({ bytes }) => bytes.length - 1));

  async function nameInFile(path: string): Promise<string | null> {
    let rest = Buffer.alloc(0);
    for await (const piece of readFilePieces(path)) {
      // One that lies across the border of two pieces is in the second with the end of the first.
      const bytes = Buffer.concat([rest, piece]);
      const found = find(bytes);
      if (found !== null) return found;
      rest = bytes.subarray(Math.max(0, bytes.length - overlap));
    }
    return null;
  }

  async function nameInFolder(path: string): Promise<string | null> {
    for await (const entry of await opendir(path, { recursive: true })) {
      const own = join(entry.parentPath, entry.name);
      const found =
        find(Buffer.from(entry.name)) ?? (entry.isFile() ? await nameInFile(own) : null);
      if (found !== null) return found;
    }
    return null;
  }

  return {
    isEmpty: all.length === 0,
    formsOf: (names) => names.flatMap((name) => forms.get(name) ?? []),
    mask: (text) => (all.length === 0 ? text : mask(text)),
    maskError(error) {
      if (all.length === 0 || isAborted(error)) return error;
      const told = textsOf(error);
      return told.every((text) => mask(text) === text) ? error : masked(error, mask);
    },
    nameIn: (text) => (sought.length === 0 ? null : find(Buffer.from(text))),
    async nameInFiles(path, kind) {
      if (sought.length === 0) return null;
      return kind === "file" ? nameInFile(path) : nameInFolder(path);
    },
  };
}

/** As it is, as JSON has it within a text, and as an address has it. */
function formsOfOne(value: string): readonly string[] {
  const quoted = JSON.stringify(value).slice(1, -1);
  return [...new Set([value, quoted, encodeURIComponent(value.toWellFormed())])];
}

/** Lines of a secret of several; what begins and ends a key is in every key. */
function linesOf(form: string): readonly string[] {
  if (!form.includes("\n")) return [];
  return form.split(/\r?\n/).filter((line) => line.length >= LEAST_LINE && !line.startsWith("---"));
}

/** All that is ever told of an error. */
function textsOf(error: unknown): readonly string[] {
  const texts: string[] = [messageOf(error)];
  for (let at = error; at instanceof Error; at = at.cause) {
    texts.push(at.stack ?? "");
    if (at instanceof HdashError) texts.push(at.hint ?? "", at.publicly ?? "");
  }
  return texts;
}

function masked(error: unknown, mask: (text: string) => string): HdashError {
  const own = error instanceof HdashError ? error : null;
  const made = new HdashError(own?.kind ?? "permanent", mask(messageOf(error)), {
    ...((own?.hint ?? null) === null ? {} : { hint: mask(own?.hint ?? "") }),
    ...((own?.publicly ?? null) === null ? {} : { publicly: mask(own?.publicly ?? "") }),
  });
  if (error instanceof Error) made.stack = mask(error.stack ?? "");
  return made;
}
