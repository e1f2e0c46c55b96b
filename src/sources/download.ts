// A large file from somewhere on the web to disk: redirects followed, broken connections resumed, length and sha256 checked.
// Memory stays at one piece of the body. Until it is whole and right, the file has another name.

import { createHash, type Hash } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { basename } from "node:path";

import { codeOf, HdashError, isTransient, messageOf } from "../error.ts";
import { type OnRetry, pause, retry, type RetryPolicy } from "../retry.ts";
import type { DiskHold } from "./diskBudget.ts";
import type { Http } from "./http.ts";
import { type Address, makeAddress, openAddress } from "./redirects.ts";

export interface DownloadContext {
  readonly http: Http;
  readonly policy: RetryPolicy;
  readonly onRetry: OnRetry;
}

export interface DownloadRequest {
  /** What it is, for messages. Addresses are never named: they may carry a signature. */
  readonly subject: string;
  /** The configured service that says where it is. */
  readonly endpoint: string;
  /** Says where the file is now; asked again where an address has expired. */
  readonly locate: (signal: AbortSignal) => Promise<string>;
  readonly path: string;
  /** What its length must be; null: not known. */
  readonly bytes: number | null;
  /** What its sha256 must be, in hex; null: not known. */
  readonly sha256: string | null;
  /** Grows with the file; what is settled or released is the caller's. */
  readonly hold: Pick<DiskHold, "grow" | "wrote">;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number | null) => void;
}

export interface Downloaded {
  readonly sha256: string;
  readonly bytes: number;
  /** Bytes that came over the network: more than `bytes` where some came twice. */
  readonly received: number;
}

/** A connection that got so much further than any before it was worth having: it does not count as a failed attempt. */
const PROGRESS_BYTES = 1024 * 1024;

/** A download under way; what arrived is kept across attempts. */
interface Transfer {
  readonly file: FileHandle;
  readonly address: Address;
  hash: Hash;
  /** Bytes of the part on disk, all of them in the hash. */
  done: number;
  /** The most that was ever on disk: a server that always breaks at the same place gets no further, however much it sends. */
  furthest: number;
  /** Length as the server says it. */
  total: number | null;
  /** What If-Range compares: a strong ETag or a date; null where the server gives neither. */
  validator: string | null;
  /** Bytes that the hold has room for. */
  held: number;
  received: number;
  mismatches: number;
}

/**
 * Downloads to `path`, which appears only when length and sha256 are right; nothing is left where it fails. Content that is wrong
 * twice is a permanent error.
 */
export async function download(
  context: DownloadContext,
  request: DownloadRequest,
): Promise<Downloaded> {
  const part = `${request.path}.part`;
  const transfer = await begin(request, part);
  let result: Downloaded | null = null;
  try {
    while (result === null) {
      result = await retry(
        request.subject,
        context.policy,
        () => advance(context, request, transfer),
        {
          signal: request.signal,
          onRetry: context.onRetry,
        },
      );
    }
    await transfer.file.close();
    await onDisk(request, () => rename(part, request.path));
    return result;
  } catch (error) {
    await transfer.file.close();
    await rm(part, { force: true });
    throw error;
  }
}

/** Makes the part, empty whatever there was. */
async function begin(request: DownloadRequest, part: string): Promise<Transfer> {
  return {
    file: await onDisk(request, () => open(part, "w")),
    address: makeAddress(request.locate),
    hash: createHash("sha256"),
    done: 0,
    furthest: 0,
    total: null,
    validator: null,
    held: 0,
    received: 0,
    mismatches: 0,
  };
}

/** Takes in what one connection brings; null where it broke but brought enough to go on without counting it as a failure. */
async function advance(
  context: DownloadContext,
  request: DownloadRequest,
  transfer: Transfer,
): Promise<Downloaded | null> {
  try {
    if (transfer.done === 0 || transfer.done !== request.bytes) {
      await receive(context, request, transfer);
    }
    return await check(request, transfer);
  } catch (error) {
    const isProgress = transfer.done - transfer.furthest >= PROGRESS_BYTES;
    transfer.furthest = Math.max(transfer.furthest, transfer.done);
    if (!isProgress || !isTransient(error)) throw error;
    await pause(context.policy.minDelayMs, request.signal);
    return null;
  }
}

async function receive(
  context: DownloadContext,
  request: DownloadRequest,
  transfer: Transfer,
): Promise<void> {
  const canResume = transfer.validator !== null || request.sha256 !== null;
  if (transfer.done > 0 && !canResume) await startOver(request, transfer);
  const isResumed = transfer.done > 0;
  const headers: Record<string, string> = isResumed ? { range: `bytes=${transfer.done}-` } : {};
  if (isResumed && transfer.validator !== null) headers["if-range"] = transfer.validator;
  const { subject, endpoint, signal } = request;
  const asking = { subject, endpoint, headers, signal };
  const answer = await openAddress(context, transfer.address, asking);
  const length = /^\d+$/.exec(answer.header("content-length") ?? "")?.[0] ?? null;
  if (answer.status === 416) {
    answer.discard();
    const end = /^bytes \*\/(\d+)$/.exec(answer.header("content-range") ?? "")?.[1];
    // The connection broke exactly at the end: there is nothing more to come.
    if (isResumed && Number(end) === transfer.done) return void (transfer.total = transfer.done);
    const had = transfer.done;
    await startOver(request, transfer);
    throw new HdashError("transient", `${subject}: the server has nothing after ${had} bytes`);
  }
  if (answer.status === 206) {
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(answer.header("content-range") ?? "");
    if (!isResumed || Number(range?.[1]) !== transfer.done) {
      answer.discard();
      await startOver(request, transfer);
      throw new HdashError("transient", `${subject}: the server sent another range`);
    }
    transfer.total = range?.[2] === undefined || range[2] === "*" ? null : Number(range[2]);
  } else {
    if (isResumed) await startOver(request, transfer);
    transfer.total = length === null ? null : Number(length);
  }
  transfer.validator = validatorOf(answer);
  if (request.bytes !== null && transfer.total !== null && transfer.total !== request.bytes) {
    answer.discard();
    throw await mismatch(request, transfer, `${transfer.total} bytes`, `${request.bytes} bytes`);
  }
  for await (const piece of answer.body) {
    // Leaving the loop ends the answer: what is already too long need not be read to its end.
    if (request.bytes !== null && transfer.done + piece.length > request.bytes) {
      throw await mismatch(request, transfer, "more", `${request.bytes} bytes`);
    }
    await keep(request, transfer, piece);
  }
}

async function keep(
  request: DownloadRequest,
  transfer: Transfer,
  piece: Uint8Array,
): Promise<void> {
  const missing = transfer.done + piece.length - transfer.held;
  if (missing > 0) {
    await request.hold.grow(missing);
    transfer.held += missing;
  }
  await onDisk(request, () => writeAll(transfer.file, piece, transfer.done));
  transfer.hash.update(piece);
  transfer.done += piece.length;
  transfer.received += piece.length;
  request.hold.wrote(transfer.done);
  request.onProgress(transfer.done, request.bytes ?? transfer.total);
}

async function check(request: DownloadRequest, transfer: Transfer): Promise<Downloaded> {
  const { done, received } = transfer;
  const expected = request.bytes ?? transfer.total;
  if (expected !== null && done < expected) {
    const message = `${request.subject}: the body ended after ${done} of ${expected} bytes`;
    throw new HdashError("transient", message);
  }
  const sha256 = transfer.hash.copy().digest("hex");
  if (request.sha256 !== null && sha256 !== request.sha256.toLowerCase()) {
    throw await mismatch(request, transfer, `sha256 ${sha256}`, request.sha256.toLowerCase());
  }
  return { sha256, bytes: done, received };
}

/** Throws everything away; the first wrong content may be an accident of the way, the second is what the server has. */
async function mismatch(
  request: DownloadRequest,
  transfer: Transfer,
  found: string,
  wanted: string,
): Promise<HdashError> {
  transfer.mismatches++;
  transfer.address.forget();
  await startOver(request, transfer);
  const isLast = transfer.mismatches > 1;
  const message = `${request.subject}: the server sent ${found} instead of ${wanted}${isLast ? ", twice" : ""}`;
  return new HdashError(isLast ? "permanent" : "transient", message, {
    publicly: `${basename(request.path)} did not arrive as its source describes it (${found} instead of ${wanted})`,
  });
}

async function startOver(request: DownloadRequest, transfer: Transfer): Promise<void> {
  transfer.done = 0;
  transfer.hash = createHash("sha256");
  transfer.validator = null;
  await onDisk(request, () => transfer.file.truncate(0));
  request.hold.wrote(0);
}

/** A weak ETag says nothing about single bytes, so it is no use for ranges. */
function validatorOf(answer: { header(name: string): string | null }): string | null {
  const etag = answer.header("etag");
  return etag !== null && etag.startsWith('"') ? etag : answer.header("last-modified");
}

async function writeAll(file: FileHandle, piece: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < piece.length;) {
    const { bytesWritten } = await file.write(piece, done, piece.length - done, position + done);
    done += bytesWritten;
  }
}

/** Does something on disk; what fails there (no space, no right) will not pass by itself. */
async function onDisk<T>(request: DownloadRequest, fn: () => Promise<T>): Promise<T> {
  try {
    return await fn();
  } catch (error) {
    const { subject, signal } = request;
    if (signal.aborted) {
      throw new HdashError("aborted", `stopped while: ${subject}`, { cause: error });
    }
    const code = codeOf(error) ?? messageOf(error);
    throw new HdashError("permanent", `${subject}: it cannot be kept on disk (${code})`, {
      cause: error,
    });
  }
}
