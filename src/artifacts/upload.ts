// Brings the artifacts of a namespace to what a set holds: what changed is put, what is gone is deleted, the manifest comes last.

import { HdashError } from "../error.ts";
import { PUBLISHED_TYPES } from "../render/assets.ts";
import type { S3Bucket } from "../store/s3Bucket.ts";
import type { ArtifactSet, LocalFile } from "./artifactSet.ts";
import { mapAtOnce } from "./atOnce.ts";
import type { Build } from "./build.ts";
import { inspectArtifacts } from "./inspect.ts";
import { MANIFEST, type Manifest, type PutFile, readManifest, writeManifest } from "./manifest.ts";

export interface UploadOptions {
  /** What lies below the namespace's artifacts. */
  readonly bucket: S3Bucket;
  /** Its prefix in the bucket, with the final slash. */
  readonly prefix: string;
  readonly set: ArtifactSet;
  /** The hdash that the set belongs to. */
  readonly build: Build;
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
  /** True where the manifest was put: also where only the version or the commit is another. */
  readonly isChanged: boolean;
}

/**
 * Uploads a set. Stopped in the middle it leaves a set that no run takes; uploading again mends it. Throws a transient error where
 * another upload at the same time has mixed its files with these.
 */
export async function uploadArtifacts(options: UploadOptions): Promise<Uploaded> {
  const { bucket, prefix, set, build, isDry, signal } = options;
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
    before.version !== build.version ||
    before.revision !== build.revision ||
    before.files.length !== set.files.size;
  const done = {
    put: changed.map(({ path }) => path),
    deleted,
    unchanged: kept.length,
    isChanged,
  };
  if (isDry || !isChanged) return done;

  const put = await mapAtOnce(changed, async (file): Promise<PutFile> => {
    const { content, ...facts } = file;
    const etag = await bucket.put(file.path, content, headersOf(file.path), signal);
    return { ...facts, etag };
  });
  if (deleted.length > 0) await bucket.clear((key) => keep(key.slice(prefix.length)), signal);
  const manifest: Manifest = {
    version: build.version,
    revision: build.revision,
    uploadedAt: options.clock().toISOString(),
    files: [...kept, ...put].sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
  await bucket.put(MANIFEST, writeManifest(manifest), headersOf(MANIFEST), signal);
  // Of two uploads at once the one whose manifest comes last finds what the other did: it is over by then.
  const { verdict } = await inspectArtifacts(bucket, set.files, build, signal);
  if (verdict.kind === "usable") return done;
  const why = verdict.kind === "broken" ? verdict.why : `${MANIFEST} is not the one just put`;
  throw new HdashError("transient", `another upload to ${bucket.uri} was under way: ${why}`, {
    hint: "Upload again, one after the other.",
  });
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  ...PUBLISHED_TYPES,
  csv: "text/csv; charset=utf-8",
  json: "application/json",
  hbs: "text/x-handlebars-template; charset=utf-8",
};

function headersOf(path: string): { contentType: string; cacheControl: string } {
  const type = CONTENT_TYPES[path.slice(path.lastIndexOf(".") + 1)] ?? "application/octet-stream";
  return { contentType: type, cacheControl: "no-store" };
}
