// Whole folders between local disk and blobs: taken in file by file, and laid out again as copies that are a step's own.

import { chmod, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

import type { Digest } from "../digest.ts";
import { HdashError, messageOf } from "../error.ts";
import { oneLine } from "../format.ts";
import type { StoredBlob } from "../store/blobs.ts";
import type { FolderEntry, Manifest } from "./folderManifest.ts";
import { isUnchanged, walkFolder } from "./folderWalk.ts";
import type { BlobFile, FolderFile, StoredFolder } from "./step.ts";

/**
 * A database may be a round trip away, and with less than half of its connections other steps go on. Where all is on one machine of two
 * cores, 1, 4 and 8 were measured to be equally fast.
 */
const FILES_AT_ONCE = 4;

/**
 * Stores the files of a folder and says what it consists of.
 * @param port names it in messages.
 */
export async function takeFolder(
  port: string,
  folder: string,
  put: (path: string) => Promise<StoredBlob>,
  signal: AbortSignal | undefined,
): Promise<Manifest> {
  const subject = `output ${port} cannot be stored`;
  const { files, emptyFolders } = await walkFolder(folder, subject, signal);
  const entries = await mapFew(files, async (file): Promise<FolderEntry> => {
    signal?.throwIfAborted();
    const { path, isExecutable } = file;
    const blob = await put(file.source);
    if (!(await isUnchanged(file))) {
      throw new HdashError(
        "permanent",
        `${subject}: ${oneLine(path)} changed while it was stored`,
        { hint: "The step has left something running that writes." },
      );
    }
    return { path, isExecutable, ...blob };
  });
  return { files: entries, emptyFolders };
}

/** What a stored folder is read with. */
export interface FolderAccess {
  open(blob: StoredBlob): BlobFile;
  /** Makes a file of a blob in a folder, and names it. */
  copy(digest: Digest, dir: string): Promise<string>;
  /** Where copies are made. */
  dir(): Promise<string>;
}

/** Makes what a step gets of a folder. */
export function openFolder(digest: Digest, manifest: Manifest, access: FolderAccess): StoredFolder {
  const { files } = manifest;
  const opened = new Map<string, BlobFile>();
  let byPath: ReadonlyMap<string, FolderEntry> | undefined;
  let laidOut: Promise<string> | undefined;

  /** A file is opened once, so that there is one copy of it, too. */
  function open(entry: FolderEntry): BlobFile {
    const { path, digest: own, bytes } = entry;
    const file = opened.get(path) ?? access.open({ digest: own, bytes });
    opened.set(path, file);
    return file;
  }

  return {
    digest,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    count: files.length,
    *files(): Generator<FolderFile> {
      for (const entry of files) {
        const { path, bytes, isExecutable } = entry;
        yield { path, bytes, isExecutable, file: open(entry) };
      }
    },
    at(path) {
      byPath ??= new Map(files.map((entry) => [entry.path, entry]));
      const entry = byPath.get(path);
      return entry === undefined ? null : open(entry);
    },
    path: () => (laidOut ??= layOut(digest, manifest, access)),
  };
}

/** Makes a copy of a folder, and names it. */
async function layOut(
  digest: Digest,
  { files, emptyFolders }: Manifest,
  { copy, dir }: FolderAccess,
): Promise<string> {
  const root = join(await dir(), `folder-${digest.slice(0, 16)}-${crypto.randomUUID()}`);
  // Beside it: what an access to the blobs that was tried again has left must not lie in it.
  const drafts = `${root}.drafts`;
  try {
    await mkdir(root, { recursive: true });
    const folders = new Set([
      ...emptyFolders.map((path) => join(root, path)),
      ...files.map(({ path }) => dirname(join(root, path))),
    ]);
    for (const folder of folders) await mkdir(folder, { recursive: true });
    await mapFew(files, async ({ path, isExecutable, digest: own }) => {
      const draft = await copy(own, drafts);
      await chmod(draft, isExecutable ? 0o755 : 0o644);
      await rename(draft, join(root, path));
    });
    await rm(drafts, { recursive: true, force: true });
  } catch (error) {
    if (error instanceof HdashError) throw error;
    throw new HdashError(
      "permanent",
      `folder ${digest} cannot be laid out in ${root}: ${messageOf(error)}`,
      { cause: error },
    );
  }
  return root;
}

/** Maps a list, a few at a time. After a failure nothing is begun any more, and what goes on is waited for. */
async function mapFew<T, U>(
  items: readonly T[],
  map: (item: T) => Promise<U>,
): Promise<readonly U[]> {
  const left = items.entries();
  const mapped = new Array<U>(items.length);
  let hasFailed = false;
  async function work(): Promise<void> {
    for (const [index, item] of left) {
      if (hasFailed) return;
      try {
        mapped[index] = await map(item);
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }
  }
  const ended = await Promise.allSettled(Array.from({ length: FILES_AT_ONCE }, work));
  const failed = ended.find((end) => end.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return mapped;
}
