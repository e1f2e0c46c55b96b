// A file of gigabytes through the spine: stored as a blob (digest, then parts to a bucket), streamed back with its digest checked, and
// copied out. Peak memory is that of the process that does it; the look-alike of S3 has one of its own.

import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { SILENT } from "../src/log.ts";
import { openBucketBlobs } from "../src/store/bucketBlobs.ts";
import { openDatabase } from "../src/store/database.ts";
import { openFolderBlobs } from "../src/store/folderBlobs.ts";
import { openS3Bucket } from "../src/store/s3Bucket.ts";
import { startPostgres } from "../test/support/postgresServer.ts";
import { createClone, makeTemplate } from "../test/support/postgresTemplate.ts";
import { startS3 } from "../test/support/s3Server.ts";
import { startWatch } from "./stopwatch.ts";

const HELP = `Stores a large file as a blob and reads it back; says how long that takes and how much memory.

  node bench/largeBlobs.ts [--gib 5] [--to bucket|folder] [--json]

  --gib     size of the file (default: 5); it, its blob and a copy take three times as much of the disk
  --to      bucket: objects of a look-alike of S3, beside Postgres; folder: files, as with the embedded database (default: bucket)
  --json    all numbers, for programs
  --help    this text
`;

const { values } = parseArgs({
  options: {
    gib: { type: "string", default: "5" },
    to: { type: "string", default: "bucket" },
    json: { type: "boolean", default: false },
    /** What this process does for its parent. */
    serve: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit();
}

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

/** Serves S3 until the parent goes. */
async function serve(): Promise<void> {
  const s3 = await startS3({ buckets: ["work"] });
  const { url, accessKeyId, secretAccessKey } = s3;
  process.send?.({ url, accessKeyId, secretAccessKey });
  await once(process, "disconnect");
  await s3.close();
}

/** Writes a file of bytes that differ from block to block, so that nothing on the way can save itself the work. */
async function writeFile(path: string, bytes: number): Promise<void> {
  const block = Buffer.alloc(4 * MIB);
  for (let at = 0; at < block.length; at += 4) block.writeUInt32LE((at * 2654435761) >>> 0, at);
  const file = await open(path, "w");
  try {
    for (let at = 0; at < bytes; at += block.length) {
      block.writeDoubleLE(at, 0);
      await file.write(block, 0, Math.min(block.length, bytes - at));
    }
  } finally {
    await file.close();
  }
}

async function openBucket(onClose: (() => Promise<void>)[]) {
  const child = fork(import.meta.filename, ["--serve"], {
    execArgv: ["--disable-warning=ExperimentalWarning"],
  });
  onClose.push(async () => {
    child.disconnect();
    await once(child, "exit");
  });
  const [told] = (await once(child, "message")) as [
    { readonly url: string; readonly accessKeyId: string; readonly secretAccessKey: string },
  ];
  const { url: endpoint, ...credentials } = told;
  const bucket = openS3Bucket({ bucket: "work", prefix: "bench/blobs", endpoint, credentials });
  const { stop, ...server } = await startPostgres();
  onClose.push(stop);
  await makeTemplate(server);
  const database = await openDatabase(await createClone(server));
  onClose.push(() => database.close());
  return openBucketBlobs({ db: database.db, bucket, log: SILENT, clock: () => new Date() });
}

async function measure(bytes: number): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "hdash-large-"));
  const onClose: (() => Promise<void>)[] = [];
  try {
    const path = join(dir, "file");
    await writeFile(path, bytes);
    const blobs =
      values.to === "folder" ? openFolderBlobs(join(dir, "blobs")) : await openBucket(onClose);
    const before = process.resourceUsage().maxRSS * 1024;
    const watch = startWatch();
    const blob = await watch.time("store", () => blobs.putFile(path));
    const [read] = await watch.time("stream", async () => {
      let length = 0;
      for await (const piece of blobs.stream(blob.digest)) length += piece.byteLength;
      return [length];
    });
    const copy = await watch.time("copy out", () => blobs.localFile(blob.digest, dir));
    const copied = (await stat(copy)).size;
    if (blob.bytes !== bytes || read !== bytes || copied !== bytes) {
      throw new Error(
        `of ${bytes} bytes, ${blob.bytes} were stored, ${read} read, ${copied} copied`,
      );
    }
    const result = watch.stop({ bytes });
    if (values.json) return console.log(JSON.stringify({ before, ...result }, null, 2));
    console.log(`${bytes / GIB} GiB to ${values.to}, SHA-256 ${blob.digest}`);
    for (const { stage, wallMs, cpuMs } of result.stages) {
      const speed = (bytes / MIB / (wallMs / 1000)).toFixed(0);
      const took = `${(wallMs / 1000).toFixed(1)} s wall, ${(cpuMs / 1000).toFixed(1)} s CPU`;
      console.log(`  ${stage.padEnd(8)} ${took}, ${speed} MiB/s`);
    }
    const peak = `${(result.maxRssBytes / MIB).toFixed(0)} MiB`;
    console.log(`  peak memory ${peak} (${(before / MIB).toFixed(0)} MiB before anything was put)`);
  } finally {
    for (const close of onClose.toReversed()) await close();
    await rm(dir, { recursive: true, force: true });
  }
}

if (values.serve) await serve();
else await measure(Number(values.gib) * GIB);
