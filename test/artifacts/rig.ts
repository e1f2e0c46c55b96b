// A work bucket on the strict S3 server, and folders to upload from.
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { afterAll, beforeEach } from "vitest";

import { type ArtifactSet, readArtifactSet } from "../../src/artifacts/artifactSet.ts";
import type { Build } from "../../src/artifacts/build.ts";
import { downloadArtifacts } from "../../src/artifacts/download.ts";
import { inspectArtifacts } from "../../src/artifacts/inspect.ts";
import { uploadArtifacts, type Uploaded, type UploadOptions } from "../../src/artifacts/upload.ts";
import { JOBS } from "../../src/jobList.ts";
import type { RetryPolicy } from "../../src/retry.ts";
import { placesOf } from "../../src/settings/namespace.ts";
import { openS3Bucket, type S3Bucket } from "../../src/store/s3Bucket.ts";
import { type S3Server, startS3 } from "../support/s3Server.ts";

/** The repository. */
/** The lists that jobs read. */
export const LISTS = JOBS.flatMap(({ configFiles }) => configFiles ?? []);
export const ROOT = join(import.meta.dirname, "..", "..");
const QUICK: RetryPolicy = { attempts: 2, minDelayMs: 1, maxDelayMs: 2 };
/** The hdash that uploads. */
export const BUILD: Build = { version: "1.0.0", revision: "0123456789abcdef" };
export const AT = new Date("2026-11-21T10:00:00Z");
/** Two thirds of an atlas list. */
export const LIST = "id,atlas_id,name,liaison\nsyn1,HTA1,One,\nsyn2,HTA2,Two,\n";

/** Opens what lies below a prefix of a bucket. */
export function openAt(s3: S3Server, bucket: string, prefix: string): S3Bucket {
  const { accessKeyId, secretAccessKey } = s3;
  const credentials = { accessKeyId, secretAccessKey };
  return openS3Bucket({ bucket, prefix, endpoint: s3.url, credentials, policy: QUICK });
}

/** Makes a folder with these files. */
export async function makeFolder(files: Readonly<Record<string, string>>): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "hdash-artifacts-"));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text);
  }
  return dir;
}

/** Uploads this checkout's files with those of a folder to a namespace of the bucket "work". */
export async function uploadTo(
  s3: S3Server,
  namespace: string,
  options: Partial<UploadOptions> & { readonly from?: string } = {},
): Promise<Uploaded> {
  const prefix = placesOf(namespace).artifacts;
  const bucket = openAt(s3, "work", prefix);
  try {
    return await uploadArtifacts({
      ...{ bucket, prefix, build: BUILD, isDry: false },
      set: await readArtifactSet(ROOT, options.from ?? null, LISTS),
      clock: () => AT,
      ...options,
    });
  } finally {
    await bucket.close();
  }
}

/** Key → etag of everything in a bucket. */
export function stateOf(s3: S3Server, bucket: string): Readonly<Record<string, string>> {
  return Object.fromEntries([...s3.objects(bucket)].map(([key, { etag }]) => [key, etag]));
}

/** The artifacts of the namespace "foo" in a bucket of a test file's own, emptied before each test. */
export interface WorkBucket {
  readonly s3: S3Server;
  /** What lies below foo/artifacts/. */
  readonly bucket: S3Bucket;
  /** A folder to upload from, with a list and a style that this checkout has not. */
  readonly folder: string;
  inspect(): ReturnType<typeof inspectArtifacts>;
  download(build?: Build): ReturnType<typeof downloadArtifacts>;
}

/** Starts the S3 server of a test file, and ends it with the file. */
export async function useWorkBucket(own: ArtifactSet): Promise<WorkBucket> {
  // A page of the listing holds fewer keys than a set has files.
  const s3 = await startS3({ buckets: ["work"], pageKeys: 7 });
  const bucket = openAt(s3, "work", "foo/artifacts/");
  const folder = await makeFolder({
    "config/htan_projects.csv": LIST,
    "views/assets/größe + 1%2F2.css": "p {}",
  });
  beforeEach(() => {
    s3.setFaults(null);
    for (const key of s3.objects("work").keys()) s3.removeObject("work", key);
  });
  afterAll(async () => {
    await bucket.close();
    await s3.close();
  });
  return {
    s3,
    bucket,
    folder,
    inspect: () => inspectArtifacts(bucket, own.files, BUILD),
    download: (build = BUILD) =>
      downloadArtifacts({ ...{ bucket, build, lookAgainMs: 1 }, makeFolder: () => makeFolder({}) }),
  };
}
