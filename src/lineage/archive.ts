// What an export is: parts with a manifest in front that says of each how long it is and what its SHA-256 is, as one compressed tar file or
// as a folder. It is written and read in one pass, and what is read is never more than the manifest says.

import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { lstat, mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createZstdCompress, createZstdDecompress } from "node:zlib";

import { canonicalJson, type Digest, type Json } from "../digest.ts";
import { codeOf, HdashError, messageOf } from "../error.ts";
import { oneLine } from "../format.ts";
import { BLOCK, fileHeader, padding, readFileHeader } from "../store/tarball.ts";

/** A part of an archive as its manifest has it. */
export interface Part {
  readonly path: string;
  readonly sha256: Digest;
  readonly bytes: number;
}

/** What an archive says of itself. */
export interface ArchiveManifest {
  /** What somebody asked to be exported. */
  readonly asked: { readonly [key: string]: Json };
  /** Whether blobs are in it. */
  readonly hasData: boolean;
  readonly parts: readonly Part[];
}

/** A part with its content. */
export interface FullPart extends Part {
  open(): AsyncIterable<Uint8Array>;
}

export const MANIFEST = "manifest.json";
/** The one part that is no blob. */
export const RECORDS = "records.ndjson";
const FORMAT = "hdash export";
const VERSION = 1;
/** A million blobs. */
const MOST_MANIFEST_BYTES = 256 << 20;

/** Where a blob lies in an archive. */
export function blobPath(digest: Digest): string {
  return `blobs/${digest.slice(0, 2)}/${digest}`;
}

/** Writes an archive where nothing is yet: a file by its ending, else a folder. It has its name when it is whole. */
export async function writeArchive(
  out: string,
  { asked, hasData }: Omit<ArchiveManifest, "parts">,
  parts: readonly FullPart[],
  signal: AbortSignal,
): Promise<void> {
  const listed = parts.map(({ path, sha256, bytes }) => ({ path, sha256, bytes }));
  const text = canonicalJson({ format: FORMAT, version: VERSION, asked, hasData, parts: listed });
  const manifest = Buffer.from(`${text}\n`);
  const draft = join(dirname(out), `.${basename(out)}.${crypto.randomUUID()}.part`);
  try {
    if (isFile(out)) {
      await pipeline(
        packed(manifest, parts),
        createZstdCompress(),
        createWriteStream(draft, { mode: 0o600, flags: "wx" }),
        { signal },
      );
    } else {
      await mkdir(draft, { mode: 0o700 });
      await writePart(draft, MANIFEST, [manifest], signal);
      for (const part of parts) await writePart(draft, part.path, checked(part), signal);
    }
    await refuseExisting(out);
    await rename(draft, out);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (error instanceof HdashError) throw error;
    throw new HdashError("permanent", `${out} cannot be written: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Throws usage where something is there already. */
export async function refuseExisting(out: string): Promise<void> {
  try {
    await lstat(out);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw error;
  }
  throw new HdashError("usage", `${out} is there already; an export writes over nothing`);
}

function isFile(path: string): boolean {
  return path.endsWith(".tar.zst");
}

async function writePart(
  dir: string,
  path: string,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(dirname(join(dir, path)), { recursive: true, mode: 0o700 });
  await pipeline(content, createWriteStream(join(dir, path), { mode: 0o600, flags: "wx" }), {
    signal,
  });
}

/** The bytes of a tar file that hold a manifest and parts. */
async function* packed(
  manifest: Uint8Array,
  parts: readonly FullPart[],
): AsyncGenerator<Uint8Array> {
  yield* packedPart(MANIFEST, manifest.byteLength, [manifest]);
  for (const part of parts) yield* packedPart(part.path, part.bytes, checked(part));
  yield Buffer.alloc(2 * BLOCK);
}

async function* packedPart(
  path: string,
  bytes: number,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield fileHeader({ path, bytes });
  yield* content;
  yield Buffer.alloc(padding(bytes));
}

/** Gives the bytes of a part; throws where they are others than the manifest says, or more or fewer. */
async function* checked(part: FullPart, name = part.path): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const piece of part.open()) {
    bytes += piece.byteLength;
    if (bytes > part.bytes) throw broken(name, `has more than the ${part.bytes} bytes it should`);
    hash.update(piece);
    yield piece;
  }
  if (bytes !== part.bytes) throw broken(name, `has ${bytes} bytes, not ${part.bytes}`);
  const sha256 = hash.digest("hex");
  if (sha256 !== part.sha256) throw broken(name, `has SHA-256 ${sha256}, not ${part.sha256}`);
}

function broken(name: string, how: string): HdashError {
  return new HdashError("permanent", `${name} ${how}`);
}

/** What one does with the parts of an archive while it is read: reads each to its end. False: the rest is not wanted. */
export type OnPart = (part: Part, content: AsyncIterable<Uint8Array>) => Promise<boolean>;

/**
 * Reads an archive: the manifest, then every part in its order, checked while it is read. Throws a permanent error that names the part where
 * anything is missing, changed, too many or too much.
 */
export async function readArchive(
  path: string,
  onManifest: (manifest: ArchiveManifest) => Promise<void>,
  onPart: OnPart,
): Promise<void> {
  let isFolder: boolean;
  try {
    isFolder = (await lstat(path)).isDirectory();
  } catch (error) {
    if (codeOf(error) === "ENOENT") throw new HdashError("usage", `there is no archive ${path}`);
    throw new HdashError("usage", `${path} cannot be read`, { cause: error });
  }
  try {
    await (isFolder ? readFolder : readFile)(path, onManifest, onPart);
  } catch (error) {
    if (error instanceof HdashError) throw error;
    throw new HdashError("permanent", `${path} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function readFolder(
  dir: string,
  onManifest: (manifest: ArchiveManifest) => Promise<void>,
  onPart: OnPart,
): Promise<void> {
  const open = async (path: string): Promise<AsyncIterable<Uint8Array>> => {
    const file = join(dir, path);
    const stats = await lstat(file).catch((error: unknown) => {
      if (codeOf(error) === "ENOENT") throw broken(file, "is missing");
      throw error;
    });
    if (!stats.isFile()) throw broken(file, "is no plain file");
    return createReadStream(file) as AsyncIterable<Uint8Array>;
  };
  const manifest = await parseManifest(await open(MANIFEST), join(dir, MANIFEST));
  const wanted = new Set([MANIFEST, ...manifest.parts.map(({ path }) => path)]);
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name).slice(dir.length).replace(/^\/+/, "");
    if (!entry.isDirectory() && !wanted.has(path)) {
      throw broken(join(dir, oneLine(path)), "is not in the manifest");
    }
  }
  await onManifest(manifest);
  for (const part of manifest.parts) {
    const content = await open(part.path);
    const full = { ...part, open: () => content };
    if (!(await takePart(full, join(dir, part.path), onPart))) return;
  }
}

async function readFile(
  path: string,
  onManifest: (manifest: ArchiveManifest) => Promise<void>,
  onPart: OnPart,
): Promise<void> {
  const source = createReadStream(path);
  const inflated = createZstdDecompress();
  // Whoever stops reading early ends both; the error of the source is the reader's.
  source.on("error", (error) => inflated.destroy(error));
  const reader = makeReader(source.pipe(inflated) as AsyncIterable<Uint8Array>, path);
  try {
    const head = await reader.header();
    if (head?.path !== MANIFEST) throw broken(path, "is no export of hdash: it has no manifest");
    if (head.bytes > MOST_MANIFEST_BYTES) {
      throw broken(
        path,
        `has a manifest of ${head.bytes} bytes, and may have ${MOST_MANIFEST_BYTES}`,
      );
    }
    const manifest = await parseManifest(reader.content(head.bytes), `${path}: ${MANIFEST}`);
    await onManifest(manifest);
    for (const part of manifest.parts) {
      const found = await reader.header();
      if (found === null) throw broken(`${path}: ${part.path}`, "is missing");
      if (found.path !== part.path) {
        throw broken(path, `has ${oneLine(found.path)} where ${part.path} should be`);
      }
      if (found.bytes !== part.bytes) {
        throw broken(`${path}: ${part.path}`, `has ${found.bytes} bytes, not ${part.bytes}`);
      }
      const full = { ...part, open: () => reader.content(part.bytes) };
      if (!(await takePart(full, `${path}: ${part.path}`, onPart))) return;
    }
    const more = await reader.header();
    if (more !== null) throw broken(`${path}: ${oneLine(more.path)}`, "is not in the manifest");
    await reader.end();
  } catch (error) {
    if (error instanceof HdashError) throw error;
    throw broken(path, `is damaged or cut off: ${messageOf(error)}`);
  } finally {
    source.destroy();
    inflated.destroy();
  }
}

async function takePart(part: FullPart, name: string, onPart: OnPart): Promise<boolean> {
  return onPart(part, checked(part, name));
}

/** Reads the blocks of a tar file, one part after the other. */
function makeReader(stream: AsyncIterable<Uint8Array>, name: string) {
  const pieces = stream[Symbol.asyncIterator]();
  let rest: Uint8Array = Buffer.of();

  async function more(): Promise<boolean> {
    const next = await pieces.next();
    if (next.done === true) return false;
    rest = next.value;
    return true;
  }
  async function* take(bytes: number): AsyncGenerator<Uint8Array> {
    for (let left = bytes; left > 0;) {
      if (rest.byteLength === 0 && !(await more())) throw broken(name, "is cut off");
      const piece = rest.subarray(0, left);
      rest = rest.subarray(piece.byteLength);
      left -= piece.byteLength;
      yield piece;
    }
  }
  async function whole(bytes: number): Promise<Buffer> {
    const all: Uint8Array[] = [];
    for await (const piece of take(bytes)) all.push(piece);
    return Buffer.concat(all);
  }
  return {
    header: async () => readFileHeader(await whole(BLOCK)),
    async *content(bytes: number): AsyncGenerator<Uint8Array> {
      yield* take(bytes);
      await whole(padding(bytes));
    },
    /** Throws where anything but zeros follows, or more of them than archives end with. */
    async end(): Promise<void> {
      let zeros = 0;
      do {
        zeros += rest.byteLength;
        if (zeros > MOST_ZEROS || rest.some((byte) => byte !== 0)) {
          throw broken(name, "goes on behind its end");
        }
        rest = Buffer.of();
      } while (await more());
    },
  };
}

/** Some programs fill archives up to 10 KiB. */
const MOST_ZEROS = 64 << 10;

async function parseManifest(
  content: AsyncIterable<Uint8Array>,
  name: string,
): Promise<ArchiveManifest> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of content) {
    bytes += piece.byteLength;
    if (bytes > MOST_MANIFEST_BYTES) throw broken(name, "is larger than a manifest may be");
    pieces.push(piece);
  }
  let value: unknown;
  try {
    value = JSON.parse(Buffer.concat(pieces).toString());
  } catch (error) {
    throw new HdashError("permanent", `${name} is no JSON: ${messageOf(error)}`, { cause: error });
  }
  const found = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (found["format"] !== FORMAT) throw broken(name, "is no manifest of an export of hdash");
  if (found["version"] !== VERSION) {
    throw broken(name, `is of version ${String(found["version"])}; this hdash reads ${VERSION}`);
  }
  const { asked, hasData, parts } = found;
  if (typeof asked !== "object" || asked === null || typeof hasData !== "boolean") {
    throw broken(name, "does not say what was asked for");
  }
  if (!Array.isArray(parts)) throw broken(name, "has no list of parts");
  const seen = (parts as readonly unknown[]).map((part, at) => readPart(part, at, name));
  if (seen[0]?.path !== RECORDS) throw broken(name, `does not begin with ${RECORDS}`);
  return { asked: asked as ArchiveManifest["asked"], hasData, parts: checkOrder(seen, name) };
}

/** A part's row: the first is the records, every other a blob under the name of its digest. */
function readPart(value: unknown, at: number, name: string): Part {
  const { path, sha256, bytes } = (value ?? {}) as Readonly<Record<string, unknown>>;
  const isWell =
    typeof path === "string" &&
    typeof sha256 === "string" &&
    /^[0-9a-f]{64}$/.test(sha256) &&
    typeof bytes === "number" &&
    Number.isSafeInteger(bytes) &&
    bytes >= 0 &&
    path === (at === 0 ? RECORDS : blobPath(sha256 as Digest));
  if (!isWell) {
    throw broken(name, `has a part ${oneLine(JSON.stringify(value).slice(0, 200))}, which is none`);
  }
  return { path, sha256: sha256 as Digest, bytes };
}

function checkOrder(parts: readonly Part[], name: string): readonly Part[] {
  for (const [at, { path }] of parts.entries()) {
    const before = parts[at - 1];
    if (at > 1 && before !== undefined && before.path >= path) {
      throw broken(name, `does not have ${path} in its place`);
    }
  }
  return parts;
}
