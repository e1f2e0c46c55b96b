// Brings the artifacts of a namespace to what a set holds: what changed is put, what is gone is deleted, the manifest comes last.

import pLimit from "p-limit";

import type { S3Bucket } from "../store/s3Bucket.ts";
import type { ArtifactSet, LocalFile } from "./artifactSet.ts";
import { MANIFEST, type Manifest, type PutFile, readManifest, writeManifest } from "./manifest.ts";

/** Files on their way at a time: they are small, and each is a round trip. */
export const FILES_AT_ONCE = 8;

export interface UploadOptions {
  /** What lies below the namespace's artifacts. */
  readonly bucket: S3Bucket;
  /** Its prefix in the bucket, with the final slash. */
  readonly prefix: string;
  readonly set: ArtifactSet;
  readonly version: string;
  readonly build: string;
  readonly clock: () => Date;
  /** Only finds out what would be done. */
  readonly isDry: boolean;
  readonly signal?: AbortSignal;
}

/** What was done, or would be. */
export interface Uploaded {
  readonly put: readonly string[];
  /** Whole keys without the prefix. */
  readonly deleted: readonly string[];
  readonly unchanged: number;
  /** True where the manifest was put: also where only the version is another. */
  readonly isChanged: boolean;
}

/** Uploads a set. Stopped in the middle it leaves a set that no run takes; uploading again mends it. */
export async function uploadArtifacts(options: UploadOptions): Promise<Uploaded> {
  const { bucket, prefix, set, version, build, isDry, signal } = options;
  const bytes = await bucket.get(MANIFEST, signal);
  const before = bytes === null ? null : readManifest(bytes);
  const known = new Map(before?.files.map((file) => [file.path, file]));
  const there = new Map<string, { readonly etag: string; readonly bytes: number }>();
  for await (const { key, ...head } of bucket.listWhole(signal)) {
    there.set(key.slice(prefix.length), head);
  }

  const kept: PutFile[] = [];
  const changed: LocalFile[] = [];
  for (const file of set.files.values()) {
    const was = known.get(file.path);
    const is = there.get(file.path);
    const isSame = was?.sha256 === file.sha256 && is?.etag === was.etag && is.bytes === file.bytes;
    if (isSame) kept.push(was);
    else changed.push(file);
  }
  const keep = (path: string): boolean => path === MANIFEST || set.files.has(path);
  const deleted = [...there.keys()].filter((path) => !keep(path)).sort();
  const isChanged =
    changed.length > 0 ||
    deleted.length > 0 ||
    before === null ||
    before.version !== version ||
    before.build !== build ||
    before.files.length !== set.files.size;
  const done = {
    put: changed.map(({ path }) => path),
    deleted,
    unchanged: kept.length,
    isChanged,
  };
  if (isDry || !isChanged) return done;

  const limit = pLimit(FILES_AT_ONCE);
  const put = await Promise.all(
    changed.map((file) =>
      limit(async (): Promise<PutFile> => {
        const { content, ...facts } = file;
        const etag = await bucket.put(file.path, content, headersOf(file.path), signal);
        return { ...facts, etag };
      }),
    ),
  );
  if (deleted.length > 0) await bucket.clear((key) => keep(key.slice(prefix.length)), signal);
  const manifest: Manifest = {
    version,
    build,
    uploadedAt: options.clock().toISOString(),
    files: [...kept, ...put].sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
  await bucket.put(MANIFEST, writeManifest(manifest), headersOf(MANIFEST), signal);
  return done;
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  csv: "text/csv; charset=utf-8",
  json: "application/json",
  hbs: "text/x-handlebars-template; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
  png: "image/png",
  woff2: "font/woff2",
};

function headersOf(path: string): { contentType: string; cacheControl: string } {
  const type = CONTENT_TYPES[path.slice(path.lastIndexOf(".") + 1)] ?? "application/octet-stream";
  return { contentType: type, cacheControl: "no-store" };
}
