// Values of ports to blobs and back. A tree or a folder is a blob that lists its files, each of which is a blob of its own.

import { resolve } from "node:path";

import { canonicalJson, type Digest, type Json } from "../digest.ts";
import { HdashError, messageOf } from "../error.ts";
import type { BlobPart } from "../store/blobParts.ts";
import { BlobError, type StoredBlob } from "../store/blobs.ts";
import type { BlobAccess } from "./blobAccess.ts";
import { openFolder, takeFolder } from "./folder.ts";
import { type Manifest, parseManifest, writeManifest } from "./folderManifest.ts";
import type {
  BlobFile,
  Codec,
  StoredFile,
  StoredFolder,
  TreeFile,
  WrittenFile,
  WrittenPath,
} from "./step.ts";

/** A file of a stored tree. */
export interface TreeEntry {
  readonly path: string;
  readonly contentType: string;
  readonly digest: Digest;
  readonly bytes: number;
}

/** Stores a port's value. Throws a permanent error that names the port where the value is not what the codec takes. */
export async function encode(
  access: BlobAccess,
  port: string,
  codec: Codec,
  value: unknown,
): Promise<StoredBlob> {
  const { blobs, signal } = access;
  switch (codec) {
    case "json":
      return putText(access, port, canonical(port, value));
    case "text":
      if (typeof value !== "string") throw wrong(port, "is not a text");
      return putText(access, port, value);
    case "file":
      return expected(value, await putFile(access, port, pathOf(port, value)));
    case "folder": {
      const put = (path: string) => putFile(access, port, path);
      const manifest = await takeFolder(port, pathOf(port, value), put, signal);
      const text = writeManifest(manifest);
      return expected(value, await putList(access, port, text, manifest.files));
    }
    case "folders": {
      if (!Array.isArray(value)) throw wrong(port, "is not a list of folders");
      const lists: BlobPart[] = [];
      for (const one of value) {
        const list = await encode(access, port, "folder", one);
        lists.push({ path: String(lists.length).padStart(6, "0"), ...list });
      }
      return putList(access, port, canonical(port, lists), lists);
    }
    case "tree": {
      const files = parseTree<TreeFile>(port, value, checkBytes);
      return putTree(access, port, files, ({ bytes }) => blobs.put(bytes));
    }
    case "files": {
      const files = parseTree<WrittenFile>(port, value, checkFile);
      return putTree(access, port, files, ({ file }) => blobs.putFile(resolve(file), signal));
    }
  }
}

function pathOf(port: string, value: unknown): string {
  if (typeof value !== "object" || value === null || !("path" in value))
    throw wrong(port, "has no path");
  return resolve(String(value.path));
}

/** Throws where something was given with a digest that it has not: it has changed since whoever gives it looked at it. */
function expected(value: unknown, blob: StoredBlob): StoredBlob {
  const { path, sha256 } = value as WrittenPath;
  if (sha256 === undefined || sha256 === blob.digest) return blob;
  throw new HdashError("transient", `${path} has changed since it was looked at`);
}

function putFile(
  { blobs, withLedger, signal }: BlobAccess,
  port: string,
  path: string,
): Promise<StoredBlob> {
  return withLedger(`storing ${port}`, () => blobs.putFile(path, signal));
}

/** Stores the files of a tree, one after the other, and the list that names them. */
async function putTree<T extends Listed>(
  access: BlobAccess,
  port: string,
  files: readonly T[],
  put: (file: T) => Promise<StoredBlob>,
): Promise<StoredBlob> {
  const entries: TreeEntry[] = [];
  for (const file of files) {
    const { path, contentType } = file;
    const blob = await access.withLedger(`storing ${port}`, () => put(file));
    entries.push({ path, contentType, ...blob });
  }
  return putList(access, port, canonical(port, entries), entries);
}

/** Stores the list of a tree or a folder, and notes what it lists. */
async function putList(
  access: BlobAccess,
  port: string,
  text: string,
  parts: readonly BlobPart[],
): Promise<StoredBlob> {
  const blob = await putText(access, port, text);
  await access.noteParts?.(blob.digest, parts);
  return blob;
}

/**
 * Reads a port's value. A file is given as a BlobFile, whose local copy (if one is asked for) is made in `dir`; so is that of a folder.
 * @param onDamage is told of a blob that is missing or damaged, now or when the file is read later; the reader gets the error all the same.
 */
export async function decode(
  access: BlobAccess,
  ref: { readonly digest: Digest; readonly bytes: number; readonly codec: Codec },
  dir: () => Promise<string>,
  onDamage: OnDamage = () => {},
): Promise<unknown> {
  const { digest, codec } = ref;
  if (codec === "file") return openFile(access, ref, dir, onDamage);
  if (codec === "files") {
    const entries = await watched(onDamage, () => readTree(access, digest));
    return entries.map(({ path, contentType, ...blob }): StoredFile => {
      return { path, contentType, file: openFile(access, blob, dir, onDamage) };
    });
  }
  const folder = async (own: Digest): Promise<StoredFolder> => {
    const manifest = await watched(onDamage, () => readManifest(access, own));
    return openFolder(own, manifest, {
      open: (blob) => openFile(access, blob, dir, onDamage),
      copy: (blob, to) => copyBlob(access, blob, to, onDamage),
      dir,
    });
  };
  if (codec === "folder") return folder(digest);
  if (codec === "folders") {
    const all: StoredFolder[] = [];
    for (const own of await watched(onDamage, () => readFolders(access, digest))) {
      all.push(await folder(own.digest));
    }
    return all;
  }
  return watched(onDamage, () => decodeWhole(access, digest, codec));
}

/** Takes the error of a blob that cannot be read. */
export type OnDamage = (error: BlobError) => void;

async function watched<T>(onDamage: OnDamage, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof BlobError) onDamage(error);
    throw error;
  }
}

async function decodeWhole(
  access: BlobAccess,
  digest: Digest,
  codec: Exclude<Codec, "file" | "files" | "folder" | "folders">,
): Promise<unknown> {
  switch (codec) {
    case "json":
      return JSON.parse(await readText(access, digest));
    case "text":
      return readText(access, digest);
    case "tree": {
      const files: TreeFile[] = [];
      for (const { path, contentType, digest: own } of await readTree(access, digest)) {
        const bytes = await access.withLedger(`reading ${path}`, () => access.blobs.read(own));
        files.push({ path, contentType, bytes });
      }
      return files;
    }
  }
}

/** Tells whether a value is a list of files that are blobs of their own. */
export function hasFiles(codec: string): boolean {
  return ["tree", "files", "folder", "folders"].includes(codec);
}

/** Lists the blobs that an output has its content in, besides its list: those of its files and of its folders' lists, each once. */
export async function listContents(
  access: BlobAccess,
  { digest, codec }: { readonly digest: Digest; readonly codec: Codec },
): Promise<readonly StoredBlob[]> {
  if (!hasFiles(codec)) return [];
  const found = new Map<Digest, StoredBlob>();
  const add = (blob: StoredBlob): void => void found.set(blob.digest, blob);
  if (codec === "folders") {
    for (const own of await readFolders(access, digest)) {
      add(own);
      for (const file of (await readManifest(access, own.digest)).files) add(file);
    }
    return [...found.values()];
  }
  for (const file of await readFiles(access, { digest, codec })) add(file);
  return [...found.values()];
}

/** Lists the files of a stored folder, tree or set of files. */
export async function readFiles(
  access: BlobAccess,
  { digest, codec }: { readonly digest: Digest; readonly codec: string },
): Promise<readonly BlobPart[]> {
  return codec === "folder" ? (await readManifest(access, digest)).files : readTree(access, digest);
}

/** Reads which folders a list of folders has. */
export async function readFolders(
  access: BlobAccess,
  digest: Digest,
): Promise<readonly StoredBlob[]> {
  // Written by encode() under this digest.
  return JSON.parse(await readText(access, digest)) as readonly StoredBlob[];
}

/** Reads what a stored folder lists. */
export async function readManifest(access: BlobAccess, digest: Digest): Promise<Manifest> {
  return parseManifest(digest, await readText(access, digest));
}

/** Lists the files of a stored tree, by path. */
export async function readTree(access: BlobAccess, digest: Digest): Promise<readonly TreeEntry[]> {
  const text = await readText(access, digest);
  // The types let no folder be published; this is for what got around them.
  if (!text.startsWith("["))
    throw new HdashError("permanent", `blob ${digest} is no list of a tree`);
  // Written by encode() under this digest.
  return JSON.parse(text) as readonly TreeEntry[];
}

function openFile(
  access: BlobAccess,
  { digest, bytes }: { readonly digest: Digest; readonly bytes: number },
  dir: () => Promise<string>,
  onDamage: OnDamage,
): BlobFile {
  let local: Promise<string> | undefined;
  return {
    digest,
    bytes,
    async *stream() {
      try {
        yield* streamBlob(access, digest);
      } catch (error) {
        if (error instanceof BlobError) onDamage(error);
        throw error;
      }
    },
    path: () => (local ??= dir().then((to) => copyBlob(access, digest, to, onDamage))),
  };
}

function copyBlob(
  { blobs, withLedger }: BlobAccess,
  digest: Digest,
  dir: string,
  onDamage: OnDamage,
): Promise<string> {
  return watched(onDamage, () =>
    withLedger(`reading blob ${digest}`, () => blobs.localFile(digest, dir)),
  );
}

/** Streams a blob. Where the connection is lost the blob is read from its start again, without giving twice what was given. */
export async function* streamBlob(
  { blobs, withLedger }: BlobAccess,
  digest: Digest,
): AsyncIterable<Uint8Array> {
  let source: AsyncIterator<Uint8Array> | null = null;
  let given = 0;
  let skipped = 0;
  async function next(): Promise<Uint8Array | null> {
    if (source === null) {
      source = blobs.stream(digest)[Symbol.asyncIterator]();
      skipped = 0;
    }
    try {
      for (;;) {
        const found = await source.next();
        if (found.done === true) return null;
        const { value } = found;
        const left = given - skipped;
        if (value.byteLength <= left) {
          skipped += value.byteLength;
          continue;
        }
        skipped += left;
        const piece = value.subarray(left);
        given += piece.byteLength;
        skipped += piece.byteLength;
        return piece;
      }
    } catch (error) {
      source = null;
      throw error;
    }
  }
  try {
    for (;;) {
      const piece = await withLedger(`reading blob ${digest}`, next);
      if (piece === null) return;
      yield piece;
    }
  } finally {
    // Cast because the compiler does not see that next() sets it.
    await (source as AsyncIterator<Uint8Array> | null)?.return?.();
  }
}

async function putText(
  { blobs, withLedger }: BlobAccess,
  port: string,
  text: string,
): Promise<StoredBlob> {
  const bytes = new TextEncoder().encode(text);
  return withLedger(`storing ${port}`, () => blobs.put(bytes));
}

async function readText({ blobs, withLedger }: BlobAccess, digest: Digest): Promise<string> {
  const bytes = await withLedger(`reading blob ${digest}`, () => blobs.read(digest));
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

function canonical(port: string, value: unknown): string {
  try {
    // canonicalJson checks what it is given.
    return canonicalJson(value as Json);
  } catch (error) {
    throw new HdashError("permanent", `output ${port} cannot be stored: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** What a tree says of each of its files besides its bytes. */
type Listed = Pick<TreeEntry, "path" | "contentType">;

/** Checks a tree and sorts it by path: the order in which a step makes its files must not shape the digest. */
function parseTree<T extends Listed>(
  port: string,
  value: unknown,
  checkContent: (port: string, file: T) => void,
): readonly T[] {
  if (!Array.isArray(value)) throw wrong(port, "is not a list of files");
  // Each field is checked below.
  const files = [...(value as readonly T[])].sort((a, b) => (a.path < b.path ? -1 : 1));
  let before: string | null = null;
  for (const file of files) {
    const { path, contentType } = file;
    if (typeof path !== "string" || !isSafePath(path)) {
      throw wrong(port, `has a file whose path "${path}" is not a plain relative one`);
    }
    if (path === before) throw wrong(port, `has two files named ${path}`);
    if (typeof contentType !== "string" || contentType === "")
      throw wrong(port, `has no content type for ${path}`);
    checkContent(port, file);
    before = path;
  }
  return files;
}

function checkBytes(port: string, { path, bytes }: TreeFile): void {
  if (!(bytes instanceof Uint8Array)) throw wrong(port, `has no bytes for ${path}`);
}

function checkFile(port: string, { path, file }: WrittenFile): void {
  if (typeof file !== "string" || file === "") throw wrong(port, `has no file for ${path}`);
}

function isSafePath(path: string): boolean {
  if (/[\\\x00-\x1f]/.test(path)) return false;
  return path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

function wrong(port: string, what: string): HdashError {
  return new HdashError("permanent", `output ${port} ${what}`);
}
