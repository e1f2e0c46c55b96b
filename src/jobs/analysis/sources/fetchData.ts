// A file by its digest, brought to this disk: from the store where it is there, else from where it lies.

import { copyFile } from "node:fs/promises";
import { join, resolve } from "node:path";

import type { Digest } from "../../../digest.ts";
import { codeOf, HdashError } from "../../../error.ts";
import type { OnRetry, RetryPolicy } from "../../../retry.ts";
import { download } from "../../../sources/download.ts";
import type { Http } from "../../../sources/http.ts";
import { BlobError, type BlobStore } from "../../../store/blobs.ts";
import type { Bucket } from "../../../store/bucket.ts";
import { makeContentDigests } from "../../../store/contentDigests.ts";
import { dataName } from "../writing/data.ts";

/** What fetching uses of the world; each is opened when it is needed. */
export interface FetchEffects {
  blobs(): Promise<Pick<BlobStore, "has" | "localFile">>;
  http(): Promise<Http>;
  bucket(name: string): Promise<Pick<Bucket, "fetch">>;
  readonly policy: RetryPolicy;
  readonly onRetry: OnRetry;
  /** The folder that paths are seen from. */
  readonly base: string;
}

interface Fetching {
  readonly url: string;
  readonly sha256: Digest;
  /** Where the file may be put. */
  readonly dir: string;
  readonly signal: AbortSignal;
  onProgress(done: number, total: number | null): void;
}

/** Brings the file, and names it. Throws an error that names the address, and both digests where it is another file. */
export async function fetchData(effects: FetchEffects, of: Fetching): Promise<string> {
  const { url, sha256, dir, signal } = of;
  const known = await fromStore(await effects.blobs(), sha256, dir);
  if (known !== null) return known;
  const subject = `data ${dataName(url)}`;
  const path = join(dir, "data");
  const inBucket = /^s3:\/\/([^/]+)\/(.+)$/i.exec(url);
  if (/^https?:\/\//i.test(url)) {
    await download(
      { http: await effects.http(), policy: effects.policy, onRetry: effects.onRetry },
      {
        ...{ subject, endpoint: url, path, sha256, signal, bytes: null },
        locate: () => Promise.resolve(url),
        hold: { grow: () => Promise.resolve(), wrote: () => {} },
        onProgress: of.onProgress,
      },
    );
  } else if (inBucket !== null) {
    const [, bucket = "", key = ""] = inBucket;
    const found = await (await effects.bucket(bucket)).fetch(key, path, signal);
    if (found === null) throw new HdashError("permanent", `${subject} is not there`);
    checkDigest(subject, found.digest, sha256);
  } else {
    await copyLocal(resolve(effects.base, url), path, subject);
    const found = await makeContentDigests().of(path, signal);
    checkDigest(subject, found.sha256, sha256);
  }
  return path;
}

function checkDigest(subject: string, found: string, wanted: Digest): void {
  if (found === wanted) return;
  throw new HdashError("permanent", `${subject} has the sha256 ${found} instead of ${wanted}`);
}

/** A copy of what the store has; null where it has it not, or damaged. */
async function fromStore(
  blobs: Pick<BlobStore, "has" | "localFile">,
  digest: Digest,
  dir: string,
): Promise<string | null> {
  if (!(await blobs.has(digest))) return null;
  try {
    return await blobs.localFile(digest, dir);
  } catch (error) {
    if (error instanceof BlobError) return null;
    throw error;
  }
}

async function copyLocal(from: string, to: string, subject: string): Promise<void> {
  try {
    await copyFile(from, to);
  } catch (error) {
    if (codeOf(error) === "ENOENT") throw new HdashError("permanent", `${subject} is not there`);
    throw new HdashError("permanent", `${subject} cannot be read`, { cause: error });
  }
}
