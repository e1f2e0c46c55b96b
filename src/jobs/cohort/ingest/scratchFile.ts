// Files of a step's work folder that only their owner may read: participants' records pass through them.

import { createHash } from "node:crypto";
import { createWriteStream, type WriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { constants, createGzip, type Gzip } from "node:zlib";

import { HdashError, messageOf } from "../../../error.ts";

/** A file that is written piece by piece. */
export interface ScratchFile {
  readonly path: string;
  /** Takes a piece, which is the file's from now on; waits while the disk is behind. */
  write(piece: Uint8Array): Promise<void>;
  /** Ends it; tells its length and digest. */
  end(): Promise<{ readonly bytes: number; readonly sha256: string }>;
  /** Lets go of it without an end; the folder's end removes it. */
  destroy(): void;
}

/** The fastest level: copies of an export are some forty times smaller than it at any. */
const LEVEL = constants.Z_BEST_SPEED;

/** Makes a file that is written as it is. */
export function makeScratchFile(path: string): ScratchFile {
  const hash = createHash("sha256");
  let bytes = 0;
  const out = createWriteStream(path, { flags: "wx", mode: 0o600, highWaterMark: 1 << 20 });
  const failure = watch(out, path);
  return {
    path,
    async write(piece) {
      hash.update(piece);
      bytes += piece.length;
      if (!out.write(piece)) await drained(out, failure);
    },
    async end() {
      out.end();
      await failure.settled(finished(out));
      return { bytes, sha256: hash.digest("hex") };
    },
    destroy: () => void out.destroy(),
  };
}

/** Makes a file that is written as gzip. Its bytes follow from what is written: it has no name and no time. */
export function makeGzipFile(path: string): ScratchFile {
  const file = makeScratchFile(path);
  const gzip = createGzip({ level: LEVEL, chunkSize: 128 << 10 });
  const failure = watch(gzip, path);
  const pumping = (async () => {
    for await (const piece of gzip as AsyncIterable<Uint8Array>) await file.write(piece);
    return await file.end();
  })();
  pumping.catch(() => gzip.destroy());
  return {
    path,
    async write(piece) {
      if (!gzip.write(piece)) await Promise.race([drained(gzip, failure), pumping]);
    },
    async end() {
      gzip.end();
      return await pumping;
    },
    destroy() {
      gzip.destroy();
      file.destroy();
    },
  };
}

interface Watched {
  readonly failed: Promise<never>;
  settled<T>(work: Promise<T>): Promise<T>;
}

/** A stream's error may come while nobody waits for it. */
function watch(stream: WriteStream | Gzip, path: string): Watched {
  const failed = new Promise<never>((_resolve, reject) => {
    stream.once("error", (error: Error) =>
      reject(
        new HdashError("permanent", `${path} cannot be written: ${messageOf(error)}`, {
          cause: error,
        }),
      ),
    );
  });
  failed.catch(() => {});
  return { failed, settled: (work) => Promise.race([work, failed]) };
}

async function drained(stream: WriteStream | Gzip, { failed }: Watched): Promise<void> {
  let onDrain = (): void => {};
  const drain = new Promise<void>((resolve) => {
    onDrain = resolve;
    stream.once("drain", resolve);
    // A stream that is destroyed never drains.
    stream.once("close", resolve);
  });
  try {
    await Promise.race([drain, failed]);
  } finally {
    stream.off("drain", onDrain);
    stream.off("close", onDrain);
  }
}
