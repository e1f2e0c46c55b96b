// Files of a step's work folder that only their owner may read: participants' records pass through them.

import { createHash } from "node:crypto";
import { type FileHandle, open, unlink } from "node:fs/promises";
import { constants, createGzip } from "node:zlib";

import { HdashError, messageOf } from "../../../error.ts";
import { type ByteSource, bytesSource, fileSource } from "../../../store/byteSource.ts";

/** A file that has been written. */
export interface WrittenFile {
  readonly bytes: number;
  readonly sha256: string;
  readonly source: ByteSource;
  remove(): Promise<void>;
}

/** A file that is written piece by piece. */
export interface ScratchFile {
  readonly path: string;
  /** Writes a piece; its memory may be used again afterwards. One at a time. */
  write(piece: Uint8Array): Promise<void>;
  /** Ends it; tells its length and digest. */
  end(): Promise<WrittenFile>;
  /** Lets go of it without an end; the folder's end removes it. */
  destroy(): void;
}

/** The fastest level: copies of an export are some forty times smaller than it at any. */
const LEVEL = constants.Z_BEST_SPEED;

/** Copies up to this are never written to the disk: most members are small, and to make and remove a file costs more than to read them. */
export const HELD_BYTES = 128 << 10;

/**
 * Makes a file that is written as it is. It is opened when it is first written.
 * @param heldBytes So much of it is held in memory; nothing lies at its path where it is no longer than that.
 */
export function makeScratchFile(path: string, heldBytes = 0): ScratchFile {
  const hash = createHash("sha256");
  let bytes = 0;
  let held: Buffer[] = [];
  let opened: Promise<FileHandle> | null = null;
  const handle = (): Promise<FileHandle> => (opened ??= open(path, "wx", 0o600));
  async function writeOut(piece: Uint8Array): Promise<void> {
    const file = await handle();
    for (let at = 0; at < piece.length;) {
      at += (await file.write(piece, at, piece.length - at)).bytesWritten;
    }
  }
  return {
    path,
    write: (piece) =>
      written(path, async () => {
        hash.update(piece);
        bytes += piece.length;
        if (bytes <= heldBytes) {
          // Its memory is used again.
          held.push(Buffer.from(piece));
          return;
        }
        for (const one of held) await writeOut(one);
        held = [];
        await writeOut(piece);
      }),
    end: () =>
      written(path, async () => {
        const known = { bytes, sha256: hash.digest("hex") };
        if (bytes <= heldBytes) {
          const source = bytesSource(Buffer.concat(held), path);
          return { ...known, source, remove: async () => {} };
        }
        await (await handle()).close();
        return { ...known, source: await fileSource(path), remove: () => unlink(path) };
      }),
    // A handle that is closed already says so, and nobody waits for it.
    destroy: () => void opened?.then((file) => file.close()).catch(() => {}),
  };
}

/**
 * Makes a file that is written as gzip. Its bytes follow from what is written: it has no name and no time.
 * @param bytes About how much is written: little of it needs little memory.
 */
export function makeGzipFile(path: string, bytes = Infinity): ScratchFile {
  const file = makeScratchFile(path, HELD_BYTES);
  const chunkSize = Math.max(1 << 10, Math.min(128 << 10, bytes));
  const gzip = createGzip({ level: LEVEL, chunkSize });
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
