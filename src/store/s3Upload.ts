// Puts to S3 of any size in bounded memory: what is large goes up in parts, and counts only when all of it was checked. What a killed put has
// left of its parts is found by the list of uploads.

import { createHash } from "node:crypto";

import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  PutObjectCommand,
  type PutObjectCommandInput,
  UploadPartCommand,
} from "@aws-sdk/client-s3";

import type { Digest } from "../digest.ts";
import { HdashError, messageOf } from "../error.ts";
import type { PutObject } from "./bucket.ts";
import { type ByteSource, checkGiven } from "./byteSource.ts";
import { decodeKey, type OpenedS3, sending, unquote } from "./s3Calls.ts";
import { s3Failure } from "./s3Failure.ts";

/** Above this a body goes up in parts of this size, so that a broken connection costs no more than a part. */
const PART_BYTES = 8 * 1024 * 1024;
/** S3 takes no more parts; beyond 80 GB they have to be larger. */
const MOST_PARTS = 10_000;
/** Parts on their way at a time: enough to hide the round trips. */
const PARTS_AT_ONCE = 4;
/** What they may take together; of parts that are larger than this (beyond 320 GB) one is on its way. */
const FLIGHT_BYTES = PARTS_AT_ONCE * PART_BYTES;
/** How often a put begins again whose upload somebody has aborted. */
const MOST_RESTARTS = 3;
/** How long the last request of a put that failed may take. Milliseconds. */
const ABORT_MS = 10_000;

/** What is said of an object besides its bytes. */
export type S3Headers = Omit<PutObjectCommandInput, "Bucket" | "Key" | "Body">;

/** Puts an object under its whole key. */
export async function putSource(
  opened: OpenedS3,
  key: string,
  source: ByteSource,
  headers: S3Headers,
  {
    digest,
    signal,
  }: { readonly digest?: Digest | undefined; readonly signal?: AbortSignal | undefined },
): Promise<PutObject> {
  const what = `put ${key} to s3://${opened.bucket}`;
  const put = { opened, key, source, headers, digest, signal, what };
  const { etag, ...sent } = source.bytes <= PART_BYTES ? await putWhole(put) : await putParts(put);
  if (etag !== undefined) return { ...sent, etag: unquote(etag) };
  throw new HdashError("permanent", `${what}: the store gives no ETag, so changes cannot be told`);
}

interface Put {
  readonly opened: OpenedS3;
  readonly key: string;
  readonly source: ByteSource;
  readonly headers: S3Headers;
  readonly digest: Digest | undefined;
  readonly signal: AbortSignal | undefined;
  readonly what: string;
}

type Sent = Omit<PutObject, "etag"> & { readonly etag: string | undefined };

async function putWhole({
  opened,
  key,
  source,
  headers,
  digest,
  signal,
  what,
}: Put): Promise<Sent> {
  const { client, bucket, call } = opened;
  const pieces: Uint8Array[] = [];
  for await (const piece of source.open()) pieces.push(piece);
  const [first] = pieces;
  const Body = pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces);
  const hash = createHash("sha256").update(Body).digest("hex") as Digest;
  const sent = { bytes: Body.byteLength, digest: hash };
  checkGiven(source, sent, digest);
  const input = { ...headers, Bucket: bucket, Key: key, Body };
  const { ETag } = await call(what, signal, () =>
    client.send(new PutObjectCommand(input), sending(signal)),
  );
  return { ...sent, etag: ETag };
}

async function putParts(put: Put): Promise<Sent> {
  for (let restarts = 0; ; restarts++) {
    try {
      return await putPartsOnce(put);
    } catch (error) {
      if (!isGone(error) || restarts === MOST_RESTARTS) throw error;
      put.opened.log.warn(`${messageOf(error)} → beginning again`);
    }
  }
}

/** Marks the end of an upload: what else is sent to it fails likewise, and only a new one can go on. */
const GONE = "the upload was aborted by somebody";

function isGone(error: unknown): boolean {
  return error instanceof HdashError && error.message.endsWith(GONE);
}

async function putPartsOnce(put: Put): Promise<Sent> {
  const { opened, key, source, headers, signal, what } = put;
  const { client, bucket, call } = opened;
  const target = { Bucket: bucket, Key: key };
  const { UploadId } = await call(what, signal, () =>
    client.send(new CreateMultipartUploadCommand({ ...headers, ...target }), sending(signal)),
  );
  if (UploadId === undefined)
    throw new HdashError("permanent", `${what}: the store gives no UploadId`);
  const upload = { ...target, UploadId };
  try {
    const { parts, ...sent } = await sendParts(put, upload);
    // Nothing stands under the key before this: what is wrong never does.
    checkGiven(source, sent, put.digest);
    return { ...sent, etag: await complete(put, upload, parts) };
  } catch (error) {
    await abort(opened, upload, what);
    throw error;
  }
}

interface Upload {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string;
}

/** Sends one request to an upload, with patience unless the upload itself is gone. */
async function callUpload<T>({ opened, what, signal }: Put, send: () => Promise<T>): Promise<T> {
  return opened.call(what, signal, async () => {
    try {
      return await send();
    } catch (error) {
      if (s3Failure(error).code !== "NoSuchUpload") throw error;
      throw new HdashError("permanent", `${what}: ${GONE}`, { cause: error });
    }
  });
}

async function sendParts(
  put: Put,
  upload: Upload,
): Promise<{ readonly parts: CompletedPart[]; readonly bytes: number; readonly digest: Digest }> {
  const { client } = put.opened;
  const size = partBytes(put.source.bytes);
  const slots = Math.max(1, Math.floor(FLIGHT_BYTES / size));
  const hash = createHash("sha256");
  const stop = new AbortController();
  const signal =
    put.signal === undefined ? stop.signal : AbortSignal.any([put.signal, stop.signal]);
  const parts: CompletedPart[] = [];
  const flying = new Set<Promise<void>>();
  const failures: unknown[] = [];
  /** Buffers whose part has arrived. */
  const free: Buffer[] = [];
  let [bytes, number] = [0, 0];

  async function send(PartNumber: number, buffer: Buffer, Body: Buffer): Promise<void> {
    try {
      const { ETag } = await callUpload({ ...put, signal }, () =>
        client.send(new UploadPartCommand({ ...upload, PartNumber, Body }), sending(signal)),
      );
      parts.push({ PartNumber, ETag });
      free.push(buffer);
    } catch (error) {
      failures.push(error);
      stop.abort(error);
    }
  }

  try {
    for await (const [buffer, filled] of cut(put.source, size, free)) {
      const body = buffer.subarray(0, filled);
      bytes += filled;
      if (bytes > put.source.bytes) break;
      hash.update(body);
      const flight: Promise<void> = send(++number, buffer, body).finally(() =>
        flying.delete(flight),
      );
      flying.add(flight);
      while (flying.size >= slots) await Promise.race(flying);
      if (failures.length > 0) break;
    }
  } catch (error) {
    failures.push(error);
    stop.abort(error);
  }
  // What still arrives after the upload was aborted would be kept, and paid for.
  await Promise.all(flying);
  if (failures.length > 0) throw failures[0];
  parts.sort((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0));
  return { parts, bytes, digest: hash.digest("hex") as Digest };
}

/** How large the parts of an object are: whole MiB. */
function partBytes(bytes: number): number {
  const mib = 1024 * 1024;
  return Math.max(PART_BYTES, Math.ceil(bytes / MOST_PARTS / mib) * mib);
}

/** Cuts a source into parts; each is a buffer, one of the free ones if there is any, with how much of it is filled. */
async function* cut(
  source: ByteSource,
  size: number,
  free: Buffer[],
): AsyncGenerator<readonly [Buffer, number]> {
  let buffer: Buffer | null = null;
  let filled = 0;
  for await (const piece of source.open()) {
    for (let at = 0; at < piece.byteLength;) {
      buffer ??= free.pop() ?? Buffer.allocUnsafeSlow(size);
      const taken = piece.subarray(at, at + size - filled);
      buffer.set(taken, filled);
      filled += taken.byteLength;
      at += taken.byteLength;
      if (filled < size) continue;
      yield [buffer, filled];
      [buffer, filled] = [null, 0];
    }
  }
  if (buffer !== null) yield [buffer, filled];
}

async function complete(
  put: Put,
  upload: Upload,
  Parts: CompletedPart[],
): Promise<string | undefined> {
  const { client, call } = put.opened;
  const { signal } = put;
  const input = { ...upload, MultipartUpload: { Parts } };
  try {
    const { ETag } = await callUpload(put, () =>
      client.send(new CompleteMultipartUploadCommand(input), sending(signal)),
    );
    return ETag;
  } catch (error) {
    if (!isGone(error)) throw error;
    // Perhaps it was completed, and only the answer was lost.
    const { Bucket, Key } = upload;
    const found = await call(put.what, signal, async () => {
      try {
        return await client.send(new HeadObjectCommand({ Bucket, Key }), sending(signal));
      } catch (missing) {
        if (s3Failure(missing).status === 404) return null;
        throw missing;
      }
    });
    if (found?.ETag !== undefined && unquote(found.ETag) === etagOf(Parts)) return found.ETag;
    throw error;
  }
}

/** The etag of an object in parts: the MD5 of their MD5s, and how many they are. */
function etagOf(parts: readonly CompletedPart[]): string {
  const md5 = createHash("md5");
  for (const { ETag = "" } of parts) md5.update(Buffer.from(unquote(ETag), "hex"));
  return `${md5.digest("hex")}-${parts.length}`;
}

/** Ends an upload that came to nothing, also where the run was told to stop: its parts would be kept. */
async function abort({ client, log }: OpenedS3, upload: Upload, what: string): Promise<void> {
  try {
    await client.send(
      new AbortMultipartUploadCommand(upload),
      sending(AbortSignal.timeout(ABORT_MS)),
    );
  } catch (error) {
    if (s3Failure(error).code === "NoSuchUpload") return;
    log.warn(
      `${what}: its parts are left until unfinished uploads are looked for: ${messageOf(error)}`,
    );
  }
}

/** Aborts the uploads below the prefix that were begun before an instant, and says how many there were. */
export async function abortUploads(
  { client, bucket, prefix, uri, call }: OpenedS3,
  before: Date,
  signal?: AbortSignal,
): Promise<number> {
  let aborted = 0;
  let marker: Pick<ListMultipartUploadsCommandOutput, "NextKeyMarker" | "NextUploadIdMarker"> = {};
  for (;;) {
    const input = {
      Bucket: bucket,
      Prefix: prefix,
      EncodingType: "url" as const,
      KeyMarker: marker.NextKeyMarker,
      UploadIdMarker: marker.NextUploadIdMarker,
    };
    const page = await call(`list unfinished uploads to ${uri}`, signal, () =>
      client.send(new ListMultipartUploadsCommand(input), sending(signal)),
    );
    for (const { Key = "", UploadId, Initiated } of page.Uploads ?? []) {
      const key = decodeKey(Key, page.EncodingType);
      // Not every store heeds the prefix.
      if (!key.startsWith(prefix) || Initiated === undefined || Initiated >= before) continue;
      await call(`abort an unfinished upload to s3://${bucket}/${key}`, signal, async () => {
        const upload = { Bucket: bucket, Key: key, UploadId };
        try {
          await client.send(new AbortMultipartUploadCommand(upload), sending(signal));
        } catch (error) {
          if (s3Failure(error).code !== "NoSuchUpload") throw error;
        }
      });
      aborted++;
    }
    if (page.IsTruncated !== true || page.NextKeyMarker === undefined) return aborted;
    marker = page;
  }
}
