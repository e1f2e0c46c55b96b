// Matrices that lie ready in a bucket, "project-assets/project-matrices/<uuid>[.<species>].mtx.zip" and the like, as a source.

import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";

import { codeOf, diskRemedy, HdashError, isTransient, messageOf } from "../../../error.ts";
import type { Log } from "../../../log.ts";
import { PATIENT, pause, retry, type RetryPolicy } from "../../../retry.ts";
import type { ObjectReader } from "../../../store/objectReader.ts";
import { openS3Reader, type S3ReaderOptions } from "../../../store/s3Reader.ts";
import type {
  FetchedMatrix,
  MatrixAddress,
  MatrixEntry,
  MatrixSkip,
  MatrixSource,
} from "../source.ts";
import { listingOf, readBlacklistText, readMatrixName, skipUnnamed } from "./matrixName.ts";

/** Room on disk for downloads; sources/diskBudget.ts makes one. */
export interface DownloadRoom {
  take(
    bytes: number,
    options: { readonly subject: string; readonly signal: AbortSignal },
  ): Promise<DownloadHold>;
}

export interface DownloadHold {
  wrote(bytes: number): void;
  settle(path: string, bytes: number): void;
  release(): void;
}

export interface CannedOptions {
  readonly reader: ObjectReader;
  readonly log: Log;
  /** Null: as much disk as there is. */
  readonly budget: DownloadRoom | null;
  /** Default PATIENT. */
  readonly policy?: RetryPolicy;
}

const PREFIX = "project-assets/project-matrices/";
const BLACKLIST = "blacklist";
/** 25,000 ids; there are not that many projects in the world. */
const MAX_BLACKLIST_BYTES = 1024 * 1024;
/** A connection that got so much further than any before it was worth having: it does not count as a failed attempt. */
const PROGRESS_BYTES = 1024 * 1024;

/** Opens the matrices of a bucket of S3 as a source that holds connections; nothing is asked of the service yet. */
export function openCannedMatrices(
  options: S3ReaderOptions & { readonly budget?: DownloadRoom | null },
): MatrixSource & { close(): Promise<void> } {
  const reader = openS3Reader(options);
  const { log, budget = null, policy = PATIENT } = options;
  return { ...makeCannedSource({ reader, log, budget, policy }), close: () => reader.close() };
}

/** Reads the ids of the object `blacklist`; null where there is none. */
async function readBlacklist(
  reader: ObjectReader,
  signal: AbortSignal,
): Promise<readonly string[] | null> {
  const bytes = await reader.get(BLACKLIST, MAX_BLACKLIST_BYTES, signal);
  return bytes === null ? null : readBlacklistText(Buffer.from(bytes).toString("utf8"));
}

/** Makes the source over any reader, e.g. a folder's; `reader` stays the caller's to close. */
export function makeCannedSource(options: CannedOptions): MatrixSource {
  const { reader } = options;
  return {
    kind: "canned",
    label: reader.label.startsWith("s3:") ? `${reader.label}/${PREFIX.slice(0, -1)}` : reader.label,
    fits: `What is read: objects ${PREFIX}<uuid>[.<species>] with .mtx.zip, .zip, .h5ad, .h5 or .loom. Check MATRIX_SOURCE_STAGE and MATRIX_SOURCE_BUCKET (--environ).`,
    async list(signal) {
      const found: MatrixEntry[] = [];
      const skips: MatrixSkip[] = [];
      for await (const { key, etag, bytes } of reader.list(PREFIX, signal)) {
        const name = key.slice(PREFIX.length);
        // The console makes an empty object for the prefix itself, to show it as a folder.
        if (name === "" || name.endsWith("/")) continue;
        const matrix = readMatrixName(name, "file");
        if (matrix === null) {
          skips.push(skipUnnamed(name));
          continue;
        }
        const { id, projectId, species } = matrix;
        found.push({
          id,
          projectId,
          species,
          title: id,
          fileName: name,
          bytes,
          version: { etag, bytes: String(bytes) },
          sha256: null,
          approaches: [],
          cells: null,
          pageUrl: null,
          locator: key,
        });
      }
      return listingOf(found, skips);
    },
    blacklist: (signal) => readBlacklist(reader, signal),
    async pull(entry, dir, { signal, onProgress, wait = (work) => work() }) {
      const name = readMatrixName(entry.fileName, "file");
      if (name === null || entry.bytes === null) {
        const message = `${JSON.stringify(entry.fileName)} is not a matrix of this source`;
        throw new HdashError("permanent", message);
      }
      const path = join(dir, `${name.id}${name.extension}`);
      const bytes = entry.bytes;
      const { budget = null } = options;
      const hold =
        budget === null
          ? null
          : await wait(() => budget.take(bytes, { subject: entry.id, signal }));
      try {
        const received = await download(options, { entry, bytes, path, dir, signal }, (done) => {
          hold?.wrote(done);
          onProgress(done, bytes);
        });
        hold?.settle(path, bytes);
        const fetched: FetchedMatrix & { release(): void } = {
          path,
          bytes: received,
          release: () => hold?.release(),
        };
        return fetched;
      } catch (error) {
        hold?.release();
        throw error;
      }
    },
  };
}

interface Transfer {
  readonly entry: MatrixAddress;
  readonly bytes: number;
  readonly path: string;
  readonly dir: string;
  readonly signal: AbortSignal;
}

/** Writes the object to a part, resumed where a connection broke, and gives the part its name when it is whole; returns what came over the network. */
async function download(
  { reader, log, policy = PATIENT }: CannedOptions,
  transfer: Transfer,
  onBytes: (done: number) => void,
): Promise<number> {
  const { entry, bytes, path, dir, signal } = transfer;
  const subject = `file of ${entry.id}`;
  const part = `${path}.part`;
  const version = entry.version["etag"] ?? "";
  const file = await onDisk(transfer, async () => {
    await mkdir(dir, { recursive: true });
    return await open(part, "w");
  });
  let done = 0;
  /** The most that was ever on disk: a store that always breaks at the same place gets no further, however much it sends. */
  let furthest = 0;
  let received = 0;
  const receive = async (): Promise<"whole" | "more" | "moved"> => {
    try {
      const opened = await reader.open(entry.locator, { etag: version, from: done }, signal);
      if (opened === null) return "moved";
      // A store without ranges starts again; what is there is written over with the same.
      done = opened.from;
      for await (const piece of opened.body) {
        await onDisk(transfer, () => writeAll(file, piece, done));
        done += piece.length;
        received += piece.length;
        onBytes(done);
      }
    } catch (error) {
      const isProgress = done - furthest >= PROGRESS_BYTES;
      furthest = Math.max(furthest, done);
      if (!isTransient(error) || !isProgress) throw error;
      await pause(policy.minDelayMs, signal);
      return "more";
    }
    if (done === bytes) return "whole";
    const message = `${subject}: the object ended after ${done} of ${bytes} bytes`;
    throw new HdashError(done < bytes ? "transient" : "permanent", message);
  };
  try {
    let state: "whole" | "more" | "moved" = bytes === 0 ? "whole" : "more";
    while (state === "more") {
      state = await retry(subject, policy, receive, {
        signal,
        onRetry: ({ attempt, delayMs, reason }) =>
          log.debug(`${reason} → trying again in ${delayMs} ms`, { attempt }),
      });
    }
    // Not tried again here: the object that was listed is gone, and only a new listing says what is there now.
    if (state === "moved") {
      const message = `${entry.fileName} was replaced or removed after it was listed`;
      throw new HdashError("transient", message, { publicly: `${message}; the next run reads it` });
    }
    await file.close();
    await onDisk(transfer, () => rename(part, path));
    return received;
  } catch (error) {
    await file.close();
    await rm(part, { force: true });
    throw error;
  }
}

async function writeAll(file: FileHandle, piece: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < piece.length;) {
    const { bytesWritten } = await file.write(piece, done, piece.length - done, position + done);
    done += bytesWritten;
  }
}

/** Does something on disk; what fails there (no space, no right) will not pass by itself. */
async function onDisk<T>({ entry, dir }: Transfer, fn: () => Promise<T>): Promise<T> {
  try {
    return await fn();
  } catch (error) {
    const code = codeOf(error) ?? messageOf(error);
    const remedy = diskRemedy(error, dir, "HDASH_HOME");
    const message = `file of ${entry.id}: it cannot be kept on disk (${code})${remedy}`;
    throw new HdashError("permanent", message, { cause: error });
  }
}
