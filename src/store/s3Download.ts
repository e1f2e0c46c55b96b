// Reads objects of S3 of any size: a connection that breaks is taken up where it broke, as long as the object is the same.

import { GetObjectCommand, HeadObjectCommand } from "@aws-sdk/client-s3";

import { HdashError, messageOf } from "../error.ts";
import type { ByteRange, ObjectHead, OpenedObject } from "./bucket.ts";
import { type OpenedS3, sending, unquote } from "./s3Calls.ts";
import { s3Failure } from "./s3Failure.ts";

/** Looks an object up by its whole key; null where there is none. */
export async function headObject(
  { client, bucket, call }: OpenedS3,
  key: string,
  signal: AbortSignal | undefined,
): Promise<ObjectHead | null> {
  return call(`look up ${key} in s3://${bucket}`, signal, async () => {
    try {
      const input = { Bucket: bucket, Key: key };
      const answer = await client.send(new HeadObjectCommand(input), sending(signal));
      return { key, etag: unquote(answer.ETag ?? ""), bytes: answer.ContentLength ?? 0 };
    } catch (error) {
      // The answer has no body that could say NoSuchKey.
      if (s3Failure(error).status === 404) return null;
      throw error;
    }
  });
}

/** Opens an object by its whole key; null where there is none. */
export async function openObject(
  opened: OpenedS3,
  key: string,
  { from = 0, to }: ByteRange,
  signal: AbortSignal | undefined,
): Promise<OpenedObject | null> {
  const head = await headObject(opened, key, signal);
  if (head === null) return null;
  const end = Math.min(to ?? head.bytes, head.bytes);
  return { ...head, body: readRange(opened, head, from, end, signal) };
}

async function* readRange(
  { client, bucket, call }: OpenedS3,
  { key, etag, bytes }: ObjectHead,
  from: number,
  end: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const what = `get ${key} from s3://${bucket}`;
  let at = from;
  let source: AsyncIterator<Uint8Array> | null = null;

  async function begin(): Promise<AsyncIterator<Uint8Array>> {
    const isPart = at > 0 || end < bytes;
    const input = {
      Bucket: bucket,
      Key: key,
      IfMatch: `"${etag}"`,
      ...(isPart ? { Range: `bytes=${at}-${end - 1}` } : {}),
    };
    try {
      const answer = await client.send(new GetObjectCommand(input), sending(signal));
      if (isPart && !(answer.ContentRange ?? "").startsWith(`bytes ${at}-`)) {
        throw new HdashError("permanent", `${what}: the store gives no part of an object`);
      }
      return (answer.Body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    } catch (error) {
      const { code, status } = s3Failure(error);
      if (status !== 412 && code !== "NoSuchKey") throw error;
      throw new HdashError("permanent", `${what}: it was replaced or deleted while it was read`, {
        cause: error,
      });
    }
  }

  async function next(): Promise<Uint8Array> {
    source ??= await begin();
    try {
      const found = await source.next();
      if (found.done !== true && at + found.value.byteLength <= end) return found.value;
      throw new Error(found.done === true ? "it ended early" : "more came than was asked for");
    } catch (error) {
      source = null;
      const message = `${what}: the connection broke after ${at} bytes (${messageOf(error)})`;
      throw new HdashError(signal?.aborted ? "aborted" : "transient", message, { cause: error });
    }
  }

  try {
    while (at < end) {
      const piece = await call(what, signal, next);
      at += piece.byteLength;
      yield piece;
    }
  } finally {
    // Cast because the compiler does not see that next() sets it.
    await (source as AsyncIterator<Uint8Array> | null)?.return?.();
  }
}
