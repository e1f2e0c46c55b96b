// An S3 bucket, or a part of one below a prefix, as a place to publish to.

import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
} from "@aws-sdk/client-s3";

import { HdashError } from "../error.ts";
import { type Log, SILENT } from "../log.ts";
import { PATIENT, retry, type RetryPolicy } from "../retry.ts";
import type { Bucket, ObjectHead, PutOptions } from "./bucket.ts";
import { bytesSource } from "./byteSource.ts";
import { writeBody } from "./fetchFile.ts";
import { checkKey, normalizePrefix } from "./objectKey.ts";
import { decodeKey, type OpenedS3, sending, unquote } from "./s3Calls.ts";
import { makeS3Client, type S3Place } from "./s3Client.ts";
import { headObject, openObject } from "./s3Download.ts";
import { hdashErrorOf, s3Failure } from "./s3Failure.ts";
import { abortUploads, putSource } from "./s3Upload.ts";

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
  /** Aborts uploads below the prefix that were begun before an instant and not finished: their parts are kept, and paid for. Returns their number. */
  abortUploads(before: Date, signal?: AbortSignal): Promise<number>;
  /** Lists what was put below the prefix before an instant, and not again since. */
  listBefore(before: Date, signal?: AbortSignal): AsyncIterable<ObjectHead>;
  /** Closes idle connections; a process can end without it. */
  close(): Promise<void>;
}

/** Characters that cannot be written in the XML that asks for many objects to be deleted. */
const UNWRITABLE = /[\u0000-\u001f\ufffe\uffff]/;
/** What DeleteObjects takes at a time. */
const DELETE_BATCH = 1000;

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

  const opened: OpenedS3 = { client, bucket, prefix, uri, log, call };
  return {
    uri,
    async put(key, body, put, signal) {
      checkKey(key, prefix);
      const source = bytesSource(body, key);
      const headers = { ...headersOf(put), ...acl };
      return (await putSource(opened, prefix + key, source, headers, { signal })).etag;
    },
    async putStream(key, source, { digest, metadata, ...put }, signal) {
      checkKey(key, prefix);
      const more = metadata === undefined ? {} : { Metadata: { ...metadata } };
      const headers = { ...headersOf(put), ...acl, ...more };
      return putSource(opened, prefix + key, source, headers, { digest, signal });
    },
    async head(key, signal) {
      checkKey(key, prefix);
      const head = await headObject(opened, prefix + key, signal);
      return head === null ? null : { ...head, key };
    },
    async open(key, range = {}, signal) {
      checkKey(key, prefix);
      const object = await openObject(opened, prefix + key, range, signal);
      return object === null ? null : { ...object, key };
    },
    async fetch(key, path, signal) {
      checkKey(key, prefix);
      const object = await openObject(opened, prefix + key, {}, signal);
      return object === null ? null : await writeBody(object.body, path);
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
    list: (signal) => headsBelow(opened, "", signal),
    async *keys(folder, signal) {
      for await (const { key } of headsBelow(opened, folder, signal)) yield key;
    },
    async *listWhole(signal) {
      for await (const page of pagesOf(opened, signal)) yield* headsOf(page);
    },
    listBefore: (before, signal) => headsBefore(opened, before, signal),
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
    abortUploads: (before, signal) => abortUploads(opened, before, signal),
    async close() {
      client.destroy();
    },
  };
}

/** Lists what lies below a folder, "" or one that ends in a slash, by its key below the prefix. */
async function* headsBelow(
  opened: OpenedS3,
  folder: string,
  signal?: AbortSignal,
): AsyncGenerator<ObjectHead> {
  for await (const page of pagesOf({ ...opened, prefix: opened.prefix + folder }, signal)) {
    for (const head of headsOf(page)) {
      const key = head.key.slice(opened.prefix.length);
      // The console makes an empty object for a folder itself, to show it as one.
      if (key !== folder) yield { ...head, key };
    }
  }
}

/** Lists what was put below the prefix before an instant, by its key below the prefix. */
async function* headsBefore(
  opened: OpenedS3,
  before: Date,
  signal?: AbortSignal,
): AsyncGenerator<ObjectHead> {
  for await (const page of pagesOf(opened, signal)) {
    const { Contents: contents = [] } = page;
    const old = contents.filter(({ LastModified: at }) => at !== undefined && at < before);
    for (const head of headsOf({ ...page, Contents: old })) {
      yield { ...head, key: head.key.slice(opened.prefix.length) };
    }
  }
}

/** Lists what lies below the prefix, page by page. */
async function* pagesOf(
  { client, bucket, prefix, uri, call }: OpenedS3,
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
  { client, bucket, uri, call }: OpenedS3,
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

/** The objects of one page of a list, by their whole keys. */
function headsOf({ Contents = [], EncodingType }: ListObjectsV2CommandOutput): ObjectHead[] {
  return Contents.map(({ Key = "", ETag = "", Size = 0 }) => ({
    key: decodeKey(Key, EncodingType),
    etag: unquote(ETag),
    bytes: Size,
  }));
}
