// What a step gave beside what it gave when it was done again: which file differs, from which byte on, and of what kind the difference is.

import { crc32 } from "node:zlib";

import type { Digest } from "../digest.ts";
import { hasFiles } from "../engine/codec.ts";
import { parseManifest } from "../engine/folderManifest.ts";
import type { Redone } from "../engine/redoing.ts";
import { BlobError, type BlobStore, readAll } from "../store/blobs.ts";
import type { StoredOutput } from "../store/results.ts";
import { type ContentKind, type Doings, type Kinded, kindOf } from "./differenceKinds.ts";

/**
 * A kind of difference. order: the same in another order · missing, added: a file · mode: whether a file may be executed · gone: what was
 * kept cannot be read any more, so that nobody knows · else see ContentKind.
 */
export type DifferenceKind = ContentKind | "order" | "missing" | "added" | "mode" | "gone";

/** A difference between what is kept and what was given now. */
export interface Difference {
  readonly port: string;
  /** Which file of a folder or a list; null where the port is one content. */
  readonly path: string | null;
  readonly kind: DifferenceKind;
  /** The first byte that differs; null where that says nothing. */
  readonly offset: number | null;
  readonly bytes: { readonly before: number | null; readonly now: number | null };
  /** What stands there; null where that says nothing. Never kept: it is of the data. */
  readonly before: string | null;
  readonly now: string | null;
}

/** So many differences of a step are told. */
export const MOST_DIFFERENCES = 20;
/** What stands in front of the place at which contents begin to differ, and behind it. Bytes. */
const WINDOW = { front: 512, behind: 4096 };
/** Words of contents of at most so many bytes are compared; of larger ones lines are. */
const MOST_WORDS_BYTES = 8 * 1024 * 1024;

interface Sides {
  readonly stored: BlobStore;
  readonly redone: Redone;
  readonly doings: Doings;
}

/** Compares what a step gave with what it gave now, port by port. */
export async function compareOutputs(
  before: Readonly<Record<string, StoredOutput>>,
  sides: Sides,
): Promise<readonly Difference[]> {
  const found: Difference[] = [];
  for (const [port, was] of Object.entries(before)) {
    const is = sides.redone.outputs[port];
    if (is === undefined) found.push(whole(port, null, "missing", was, null));
    else if (is.digest !== was.digest) {
      found.push(...(await unlessGone(port, was, is, () => compareOutput(port, was, is, sides))));
    }
  }
  for (const [port, is] of Object.entries(sides.redone.outputs)) {
    if (before[port] === undefined) found.push(whole(port, null, "added", null, is));
  }
  return found;
}

interface Sized {
  readonly digest: Digest;
  readonly bytes: number;
}

function whole(
  port: string,
  path: string | null,
  kind: DifferenceKind,
  before: Sized | null,
  now: Sized | null,
): Difference {
  const bytes = { before: before?.bytes ?? null, now: now?.bytes ?? null };
  return { port, path, kind, offset: null, bytes, before: null, now: null };
}

async function unlessGone(
  port: string,
  was: Sized,
  is: Sized,
  compare: () => Promise<readonly Difference[]>,
): Promise<readonly Difference[]> {
  try {
    return await compare();
  } catch (error) {
    if (!(error instanceof BlobError)) throw error;
    return [whole(port, null, "gone", was, is)];
  }
}

async function compareOutput(
  port: string,
  was: StoredOutput,
  is: StoredOutput,
  sides: Sides,
): Promise<readonly Difference[]> {
  if (was.codec !== is.codec || !hasFiles(was.codec)) {
    return [await compareContents(port, null, was, is, sides)];
  }
  const [a, b] = [
    entriesOf(was, await readAll(sides.stored.stream(was.digest))),
    entriesOf(is, await readAll(sides.redone.blobs.stream(is.digest))),
  ];
  const isNumbered = was.codec === "files" || was.codec === "folders";
  if (isNumbered && sorted(a) === sorted(b)) return [whole(port, null, "order", was, is)];
  const now = new Map(b.map((one) => [one.path, one]));
  const found: Difference[] = [];
  for (const one of a) {
    const other = now.get(one.path);
    now.delete(one.path);
    if (other === undefined) found.push(whole(port, one.path, "missing", one, null));
    else if (other.digest !== one.digest && was.codec === "folders") {
      const [own, then] = [asFolder(one), asFolder(other)];
      const inner = await compareOutput(port, own, then, sides);
      found.push(...inner.map((of) => ({ ...of, path: pathIn(one.path, of.path) })));
    } else if (other.digest !== one.digest) {
      found.push(await compareContents(port, one.path, one, other, sides));
    } else if (other.isExecutable !== one.isExecutable) {
      found.push(whole(port, one.path, "mode", one, other));
    }
  }
  for (const one of now.values()) found.push(whole(port, one.path, "added", null, one));
  return found;
}

/** A file of a list, or an empty folder of one. */
interface Entry extends Sized {
  readonly path: string;
  readonly isExecutable?: boolean;
}

function entriesOf({ codec, digest }: StoredOutput, bytes: Uint8Array): readonly Entry[] {
  const text = Buffer.from(bytes).toString("utf8");
  // Written by encode() under this digest.
  if (codec !== "folder") return JSON.parse(text) as readonly Entry[];
  const { files, emptyFolders } = parseManifest(digest, text);
  const empty = { digest: "" as Digest, bytes: 0 };
  return [...files, ...emptyFolders.map((path) => ({ path: `${path}/`, ...empty }))];
}

function sorted(entries: readonly Entry[]): string {
  return entries
    .map(({ digest }) => digest)
    .sort()
    .join(" ");
}

function asFolder({ digest, bytes }: Sized): StoredOutput {
  return { digest, bytes, codec: "folder", visibility: "private" };
}

function pathIn(folder: string, path: string | null): string {
  return path === null ? folder : `${folder}/${path}`;
}

async function compareContents(
  port: string,
  path: string | null,
  was: Sized,
  is: Sized,
  { stored, redone, doings }: Sides,
): Promise<Difference> {
  const open = {
    before: () => stored.stream(was.digest),
    now: () => redone.blobs.stream(is.digest),
  };
  const bytes = { before: was.bytes, now: is.bytes };
  const offset = await findOffset(open.before(), open.now());
  const told = { port, path, offset, bytes };
  if (was.bytes === is.bytes && (await isReordered(open, was.bytes))) {
    return { ...told, kind: "order", before: null, now: null };
  }
  const from = Math.max(0, offset - WINDOW.front);
  const to = offset + WINDOW.behind;
  const [before, now] = [
    await readPart(open.before(), from, to),
    await readPart(open.now(), from, to),
  ];
  const kinded: Kinded = kindOf({ before, now, at: offset - from, bytes, offset }, doings);
  return { ...told, ...kinded };
}

/** Finds the first byte that differs; where the one is the beginning of the other, that is where it ends. */
export async function findOffset(
  a: AsyncIterable<Uint8Array>,
  b: AsyncIterable<Uint8Array>,
): Promise<number> {
  const [left, right] = [piecesOf(a), piecesOf(b)];
  try {
    for (let offset = 0; ;) {
      const [one, other] = [await left.peek(), await right.peek()];
      if (one === null || other === null) return offset;
      const length = Math.min(one.length, other.length);
      if (Buffer.compare(one.subarray(0, length), other.subarray(0, length)) !== 0) {
        let at = 0;
        while (one[at] === other[at]) at++;
        return offset + at;
      }
      offset += length;
      left.skip(length);
      right.skip(length);
    }
  } finally {
    await left.end();
    await right.end();
  }
}

function piecesOf(source: AsyncIterable<Uint8Array>) {
  const pieces = source[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array();
  return {
    async peek(): Promise<Uint8Array | null> {
      while (rest.length === 0) {
        const next = await pieces.next();
        if (next.done === true) return null;
        rest = next.value;
      }
      return rest;
    },
    skip(length: number): void {
      rest = rest.subarray(length);
    },
    async end(): Promise<void> {
      await pieces.return?.();
    },
  };
}

async function readPart(
  source: AsyncIterable<Uint8Array>,
  from: number,
  to: number,
): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let at = 0;
  for await (const piece of source) {
    parts.push(piece.subarray(Math.max(0, from - at), Math.max(0, to - at)));
    at += piece.length;
    if (at >= to) break;
  }
  return Buffer.concat(parts);
}

/** Tells whether contents of equal size have the same words, or the same lines, in another order. */
async function isReordered(
  { before, now }: Readonly<Record<"before" | "now", () => AsyncIterable<Uint8Array>>>,
  bytes: number,
): Promise<boolean> {
  if (bytes <= MOST_WORDS_BYTES) {
    const [a, b] = [await readAll(before()), await readAll(now())].map(wordsOf);
    return a === b && a !== "";
  }
  const [a, b] = [await tallyLines(before()), await tallyLines(now())];
  return a === b;
}

/** What stands between signs that JSON and tables have between values, sorted; "" where it is one word. */
function wordsOf(bytes: Uint8Array): string {
  const words = Buffer.from(bytes)
    .toString("latin1")
    .split(/[\s,;[\]{}"]+/)
    .filter((word) => word !== "");
  return words.length < 2 ? "" : words.sort().join("\n");
}

/** Sums over all lines, whatever their order: the same for the same lines, and hardly ever for others. */
async function tallyLines(source: AsyncIterable<Uint8Array>): Promise<string> {
  let [lines, sum, squares] = [0, 0n, 0n];
  const take = (hash: number): void => {
    const value = BigInt(hash);
    lines++;
    sum += value;
    squares += value * value;
  };
  let hash = 0;
  for await (const piece of source) {
    let from = 0;
    for (let end = piece.indexOf(LINE_END); end !== -1; end = piece.indexOf(LINE_END, from)) {
      take(crc32(piece.subarray(from, end), hash));
      hash = 0;
      from = end + 1;
    }
    hash = crc32(piece.subarray(from), hash);
  }
  take(hash);
  return [lines, sum, squares].join(" ");
}
const LINE_END = 0x0a;
