// A bucket of S3 that hdash only reads, e.g. somebody else's: lists, small objects, and large ones by version and range.

import {
  GetObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
} from "@aws-sdk/client-s3";

import { HdashError, messageOf } from "../error.ts";
import type { Log } from "../log.ts";
import { PATIENT, retry, type RetryPolicy } from "../retry.ts";
import type { ObjectReader } from "./objectReader.ts";
import { makeS3Client, type S3Place } from "./s3Client.ts";
import { hdashErrorOf, s3Failure } from "./s3Failure.ts";

export interface S3ReaderOptions extends S3Place {
  readonly bucket: string;
  readonly log: Log;
  /** Default PATIENT. */
  readonly policy?: RetryPolicy;
}

/** Opens a bucket for reading; nothing is asked of the service yet. */
export function openS3Reader(options: S3ReaderOptions): ObjectReader {
  const { bucket, endpoint, profile, log, policy = PATIENT } = options;
  const uri = `s3://${bucket}`;
  const client = makeS3Client(options);

  function failureOf(what: string, error: unknown): HdashError {
    const failure = hdashErrorOf(error, { what, uri, bucket, endpoint, profile });
    const hint = adviceOn(error, bucket);
    if (hint === null || failure.kind !== "permanent") return failure;
    return new HdashError("permanent", failure.message, { cause: error, hint });
  }

  async function call<T>(what: string, signal: AbortSignal, send: () => Promise<T>): Promise<T> {
    const attempt = async (): Promise<T> => {
      try {
        return await send();
      } catch (error) {
        throw failureOf(what, error);
      }
    };
    const onRetry = (event: { attempt: number; delayMs: number; reason: string }): void =>
      log.warn(`${event.reason} → trying again in ${event.delayMs} ms`, { attempt: event.attempt });
    return await retry(what, policy, attempt, { signal, onRetry });
  }

  return {
    label: uri,
    async *list(prefix, signal) {
      const what = `list ${uri}/${prefix}`;
      for (let token: string | undefined; ;) {
        const input = {
          Bucket: bucket,
          Prefix: prefix,
          // XML cannot hold every key: without it, an odd foreign one may make the whole answer unreadable.
          EncodingType: "url" as const,
          ...(token === undefined ? {} : { ContinuationToken: token }),
        };
        const page: ListObjectsV2CommandOutput = await call(what, signal, () =>
          client.send(new ListObjectsV2Command(input), { abortSignal: signal }),
        );
        for (const { Key = "", ETag = "", Size = 0 } of page.Contents ?? []) {
          const key = page.EncodingType === "url" ? decode(Key) : Key;
          yield { key, etag: ETag.replace(/^"|"$/g, ""), bytes: Size };
        }
        if (page.IsTruncated !== true) return;
        const next = page.NextContinuationToken;
        if (next === undefined || next === token) {
          const message = `${what}: the list is cut short and cannot be continued`;
          throw new HdashError("permanent", message);
        }
        token = next;
      }
    },
    async get(key, limitBytes, signal) {
      const what = `get ${key} from ${uri}`;
      return await call(what, signal, async () => {
        try {
          const input = { Bucket: bucket, Key: key };
          const answer = await client.send(new GetObjectCommand(input), { abortSignal: signal });
          const pieces: Uint8Array[] = [];
          let bytes = 0;
          for await (const piece of piecesOf(answer.Body, what)) {
            bytes += piece.length;
            if (bytes > limitBytes) {
              const message = `${what}: it is larger than ${limitBytes} bytes`;
              throw new HdashError("permanent", message);
            }
            pieces.push(piece);
          }
          return Buffer.concat(pieces);
        } catch (error) {
          if (s3Failure(error).code === "NoSuchKey") return null;
          throw error;
        }
      });
    },
    async open(key, { etag, from }, signal) {
      const what = `get ${key} from ${uri}`;
      const input = {
        Bucket: bucket,
        Key: key,
        IfMatch: `"${etag}"`,
        ...(from === 0 ? {} : { Range: `bytes=${from}-` }),
      };
      try {
        const answer = await client.send(new GetObjectCommand(input), { abortSignal: signal });
        const start = /^bytes (\d+)-/.exec(answer.ContentRange ?? "")?.[1] ?? "0";
        return { from: Number(start), body: piecesOf(answer.Body, what, signal) };
      } catch (error) {
        const { code, status } = s3Failure(error);
        if (status === 412 || code === "NoSuchKey") return null;
        throw failureOf(what, error);
      }
    },
    async close() {
      client.destroy();
    },
  };
}

/** A body's pieces. Whatever breaks it, short of being told to stop, may pass: the answer had already begun. */
async function* piecesOf(
  body: unknown,
  what: string,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (body === undefined) return;
  let bytes = 0;
  try {
    for await (const piece of body as AsyncIterable<Uint8Array>) {
      bytes += piece.length;
      yield piece;
    }
  } catch (error) {
    const kind = signal?.aborted ? "aborted" : "transient";
    const message = `${what}: the connection broke after ${bytes} bytes of the answer (${messageOf(error)})`;
    throw new HdashError(kind, message, { cause: error });
  }
}

/** What to do, from the point of view of somebody who only reads. */
function adviceOn(error: unknown, bucket: string): string | null {
  const { code, status } = s3Failure(error);
  if (code === "NoSuchBucket") {
    return `Correct the name of the bucket that is read, or S3_ENDPOINT_URL: there is no ${bucket}.`;
  }
  if (code === "AccessDenied" || status === 403) {
    return `Allow these credentials s3:ListBucket on ${bucket} and s3:GetObject on its objects.`;
  }
  return null;
}

function decode(key: string): string {
  return decodeURIComponent(key.replaceAll("+", " "));
}
