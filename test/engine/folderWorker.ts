// A process that takes so many files of a folder in and lays them out again, and prints how much memory that took.

import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { BlobAccess } from "../../src/engine/blobAccess.ts";
import { decode, encode } from "../../src/engine/codec.ts";
import type { StoredFolder } from "../../src/engine/step.ts";
import { openFolderBlobs } from "../../src/store/folderBlobs.ts";

export interface FolderWork {
  /** An empty folder of the caller's. */
  readonly dir: string;
  readonly files: number;
  readonly fileBytes: number;
}

export interface FolderWorked {
  readonly count: number;
  readonly bytes: number;
  readonly laidOut: number;
  readonly peakBytes: number;
}

// Written by the test.
const work = JSON.parse(process.argv[2] ?? "") as FolderWork;
const made = join(work.dir, "made");
/** So many lie together, as a folder of more would be a test of the file system. */
const PER_FOLDER = 1000;
for (let at = 0; at < work.files; at++) {
  const folder = join(made, String(Math.floor(at / PER_FOLDER)));
  if (at % PER_FOLDER === 0) await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${at}.bin`), Buffer.alloc(work.fileBytes, `${at} `));
}
const access: BlobAccess = {
  blobs: openFolderBlobs(join(work.dir, "blobs")),
  withLedger: (_subject, use) => use(),
};
const blob = await encode(access, "pack.made", "folder", { path: made });
const dir = () => Promise.resolve(join(work.dir, "step"));
// decode() gives what the codec says.
const folder = (await decode(access, { ...blob, codec: "folder" }, dir)) as StoredFolder;
const laidOut = await readdir(await folder.path(), { recursive: true });
const worked: FolderWorked = {
  count: folder.count,
  bytes: folder.bytes,
  laidOut: laidOut.length - Math.ceil(work.files / PER_FOLDER),
  peakBytes: process.resourceUsage().maxRSS * 1024,
};
process.stdout.write(JSON.stringify(worked));
