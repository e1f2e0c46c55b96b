// Files of a step's work folder that only their owner may read: participants' records pass through them.

import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { constants, createGzip } from "node:zlib";

import { HdashError, messageOf } from "../../../error.ts";

/** A file that is written piece by piece. */
export interface ScratchFile {
  readonly path: string;
  /** Writes a piece; its memory may be used again afterwards. One at a time. */
  write(piece: Uint8Array): Promise<void>;
  /** Ends it; tells its length and digest. */
  end(): Promise<{ readonly bytes: number; readonly sha256: string }>;
  /** Lets go of it without an end; the folder's end removes it. */
  destroy(): void;
}

/** The fastest level: copies of an export are some forty times smaller than it at any. */
const LEVEL = constants.Z_BEST_SPEED;

/** Makes a file that is written as it is. It is opened when it is first written. */
export function makeScratchFile(path: string): ScratchFile {
  const hash = createHash("sha256");
  let bytes = 0;
  let opened: Promise<FileHandle> | null = null;
  const handle = (): Promise<FileHandle> => (opened ??= open(path, "wx", 0o600));
  return {
    path,
    write: (piece) =>
      written(path, async () => {
        hash.update(piece);
        bytes += piece.length;
        const file = await handle();
        for (let at = 0; at < piece.length;) {
          at += (await file.write(piece, at, piece.length - at)).bytesWritten;
        }
      }),
    end: () =>
      written(path, async () => {
        await (await handle()).close();
        return { bytes, sha256: hash.digest("hex") };
      }),
    // A handle that is closed already says so, and nobody waits for it.
    destroy: () => void opened?.then((file) => file.close()).catch(() => {}),
  };
}

/** Makes a file that is written as gzip. Its bytes follow from what is written: it has no name and no time. */
export function makeGzipFile(path: string): ScratchFile {
  const file = makeScratchFile(path);
  const gzip = createGzip({ level: LEVEL, chunkSize: 128 << 10 });
  const pumping = (async () => {
    for await (const piece of gzip as AsyncIterable<Uint8Array>) await file.write(piece);
    return await file.end();
  })();
  pumping.catch(() => gzip.destroy());
  return {
    path,
    async write(piece) {
      const taken = new Promise<void>((resolve, reject) => {
        gzip.write(piece, (error) => {
          if (error === null || error === undefined) resolve();
          else reject(error);
        });
      });
      taken.catch(() => {});
      // What stops the file says more than what its end does to the stream.
      await Promise.race([taken.catch(() => pumping), pumping]);
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

/** Says which file an error is of. */
async function written<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new HdashError("permanent", `${path} cannot be written: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
