// An S3 bucket, or a part of one below a prefix, as a place to publish to.

import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";

import { HdashError } from "../error.ts";
import { type Log, SILENT } from "../log.ts";
import { PATIENT, retry, type RetryPolicy } from "../retry.ts";
import type { Bucket, ObjectHead, PutOptions } from "./bucket.ts";
import { checkKey, normalizePrefix } from "./objectKey.ts";
import { makeS3Client, type S3Place } from "./s3Client.ts";
import { hdashErrorOf, s3Failure } from "./s3Failure.ts";

export interface S3BucketOptions extends S3Place {
  readonly bucket: string;
  /** Folder of the site in the bucket, "" for all of it. */
  readonly prefix: string;
  /** Puts objects with the ACL public-read; default false: who may read them is the bucket's policy. */
  readonly isPublicRead?: boolean;
  /** The variable that names the bucket, for advice; default S3_BUCKET_NAME. */
  readonly variable?: string;
  readonly log?: Log;
  /** Default PATIENT. */
  readonly policy?: RetryPolicy;
}

/** A bucket that holds connections. */
export interface S3Bucket extends Bucket {
  /**
   * Lists everything whose key starts with the prefix, by its whole key: also what others put there under names that put() refuses, and
   * the empty object that the console makes for the prefix itself.
   */
  listWhole(signal?: AbortSignal): AsyncIterable<ObjectHead>;
  /**
   * Deletes what listWhole() lists, but for the whole keys that are to be kept, and returns how many objects went. Throws a permanent
   * error where there is no prefix: that would be the whole bucket.
   */
  clear(keep: (wholeKey: string) => boolean, signal?: AbortSignal): Promise<number>;
  /** Closes idle connections; a process can end without it. */
  close(): Promise<void>;
}

/** Above this a body goes up in parts, so that a broken connection is noticed part by part. */
const MULTIPART_BYTES = 8 * 1024 * 1024;
/** Characters that cannot be written in the XML that asks for many objects to be deleted. */
const UNWRITABLE = /[\u0000-\u001f\ufffe\uffff]/;
/** What DeleteObjects takes at a time. */
const DELETE_BATCH = 1000;

/** A bucket and how it is talked to. */
interface Opened {
  readonly client: S3Client;
  readonly bucket: string;
  readonly prefix: string;
  readonly uri: string;
  /** Does one operation with patience; `what` names it and its object. */
  call<T>(what: string, signal: AbortSignal | undefined, send: () => Promise<T>): Promise<T>;
}

/**
 * Opens the objects below a prefix of an S3 bucket; nothing is asked of the service yet.
 * Its methods try again while S3 is busy or out of reach and then throw a transient HdashError; for all that will not pass
 * (rights, names, keys) they throw a permanent one that says what to do.
 */
export function openS3Bucket(options: S3BucketOptions): S3Bucket {
  const { bucket, endpoint, variable, profile, log = SILENT, policy = PATIENT } = options;
  const acl = options.isPublicRead === true ? ({ ACL: "public-read" } as const) : {};
  const prefix = normalizePrefix(options.prefix);
  const uri = `s3://${bucket}${prefix === "" ? "" : `/${prefix.slice(0, -1)}`}`;
  const client = makeS3Client(options);

  /** Does one operation with patience; `what` names it and its object. */
  async function call<T>(
    what: string,
    signal: AbortSignal | undefined,
    send: () => Promise<T>,
  ): Promise<T> {
    const attempt = async (): Promise<T> => {
      try {
        return await send();
      } catch (error) {
        throw hdashErrorOf(error, { what, uri, bucket, endpoint, variable, profile });
      }
    };
    const onRetry = (event: { attempt: number; delayMs: number; reason: string }): void =>
      log.warn(`${event.reason} → trying again in ${event.delayMs} ms`, { attempt: event.attempt });
    return await retry(what, policy, attempt, { signal, onRetry });
  }

  const opened: Opened = { client, bucket, prefix, uri, call };
  return {
    uri,
    async put(key, body, put, signal) {
      checkKey(key, prefix);
      const input = { ...headersOf(put), ...acl, Bucket: bucket, Key: prefix + key, Body: body };
      const what = `put ${prefix}${key} to s3://${bucket}`;
      const etag = await call(what, signal, async () =>
        body.byteLength > MULTIPART_BYTES
          ? await upload(client, input, signal)
          : (await client.send(new PutObjectCommand(input), sending(signal))).ETag,
      );
      if (etag !== undefined) return unquote(etag);
      throw new HdashError(
        "permanent",
        `${what}: the store gives no ETag, so changes cannot be told`,
      );
    },
    async get(key, signal) {
      checkKey(key, prefix);
      return await call(`get ${prefix}${key} from s3://${bucket}`, signal, async () => {
        try {
          const input = { Bucket: bucket, Key: prefix + key };
          const answer = await client.send(new GetObjectCommand(input), sending(signal));
          return (await answer.Body?.transformToByteArray()) ?? new Uint8Array();
        } catch (error) {
          if (s3Failure(error).code === "NoSuchKey") return null;
          throw error;
        }
      });
    },
    async *list(signal) {
      for await (const page of pagesOf(opened, signal)) {
        for (const head of headsOf(page)) {
          const key = head.key.slice(prefix.length);
          // The console makes an empty object for the prefix itself, to show it as a folder.
          if (key !== "") yield { ...head, key };
        }
      }
    },
    async *listWhole(signal) {
      for await (const page of pagesOf(opened, signal)) yield* headsOf(page);
    },
    async delete(keys, signal) {
      for (const key of keys) checkKey(key, prefix);
      for (let start = 0; start < keys.length; start += DELETE_BATCH) {
        const batch = keys.slice(start, start + DELETE_BATCH);
        await deleteWhole(
          opened,
          batch.map((key) => prefix + key),
          signal,
        );
      }
    },
    async clear(keep, signal) {
      if (prefix === "") throw new HdashError("permanent", `${uri} is a whole bucket: not cleared`);
      let deleted = 0;
      // Page by page: a page holds no more than one request deletes.
      for await (const page of pagesOf(opened, signal)) {
        const keys = headsOf(page)
          .map(({ key }) => key)
          .filter((key) => !keep(key));
        const odd = keys.filter((key) => UNWRITABLE.test(key));
        if (keys.length > odd.length) {
          await deleteWhole(
            opened,
            keys.filter((key) => !odd.includes(key)),
            signal,
          );
        }
        for (const Key of odd) {
          await call(`delete ${JSON.stringify(Key)} from s3://${bucket}`, signal, () =>
            client.send(new DeleteObjectCommand({ Bucket: bucket, Key }), sending(signal)),
          );
        }
        deleted += keys.length;
      }
      return deleted;
    },
    async close() {
      client.destroy();
    },
  };
}

/** Lists what lies below the prefix, page by page. */
async function* pagesOf(
  { client, bucket, prefix, uri, call }: Opened,
  signal?: AbortSignal,
): AsyncGenerator<ListObjectsV2CommandOutput> {
  const what = `list ${uri}`;
  for (let token: string | undefined; ;) {
    const page = await call(what, signal, () =>
      client.send(
        new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: prefix,
          // XML cannot hold every key: without it, an odd foreign one may be misread or make the whole answer unreadable.
          EncodingType: "url",
          ...(token === undefined ? {} : { ContinuationToken: token }),
        }),
        sending(signal),
      ),
    );
    yield page;
    if (page.IsTruncated !== true) return;
    const next = page.NextContinuationToken;
    if (next === undefined || next === token) {
      throw new HdashError("permanent", `${what}: the list is cut short and cannot be continued`);
    }
    token = next;
  }
}

/** Deletes objects by their whole keys, at most DELETE_BATCH of them; those that are not there are no fault. */
async function deleteWhole(
  { client, bucket, uri, call }: Opened,
  keys: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  const what = `delete ${keys.length === 1 ? `${keys[0] ?? ""}` : `${keys.length} objects`} from ${uri}`;
  await call(what, signal, async () => {
    const input = {
      Bucket: bucket,
      Delete: { Objects: keys.map((Key) => ({ Key })), Quiet: true },
    };
    const { Errors = [] } = await client.send(new DeleteObjectsCommand(input), sending(signal));
    const [first] = Errors.filter((error) => error.Code !== "NoSuchKey");
    if (first !== undefined) {
      throw Object.assign(new Error(`${first.Key ?? "an object"}: ${first.Message ?? ""}`), {
        name: first.Code ?? "UnknownError",
      });
    }
  });
}

async function upload(
  client: S3Client,
  params: ConstructorParameters<typeof PutObjectCommand>[0],
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const parts = new Upload({ client, params, partSize: MULTIPART_BYTES, queueSize: 2 });
  const abort = (): void => void parts.abort();
  signal?.addEventListener("abort", abort, { once: true });
  try {
    return (await parts.done()).ETag;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

function headersOf({ contentType, cacheControl }: PutOptions): {
  ContentType: string;
  CacheControl: string;
  ContentDisposition?: string;
} {
  return {
    ContentType: contentType,
    CacheControl: cacheControl,
    // Portals embed pictures; without it some browsers offer them for download.
    ...(contentType.startsWith("image/") ? { ContentDisposition: "inline" } : {}),
  };
}

function sending(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}

/** ETags come in quotes, except where a store forgets them. */
function unquote(etag: string): string {
  return etag.replace(/^"|"$/g, "");
}

/** The objects of one page of a list, by their whole keys. */
function headsOf({ Contents = [], EncodingType }: ListObjectsV2CommandOutput): ObjectHead[] {
  return Contents.map(({ Key = "", ETag = "", Size = 0 }) => ({
    key: decode(Key, EncodingType),
    etag: unquote(ETag),
    bytes: Size,
  }));
}

function decode(key: string, encoding: string | undefined): string {
  return encoding === "url" ? decodeURIComponent(key.replaceAll("+", " ")) : key;
}
