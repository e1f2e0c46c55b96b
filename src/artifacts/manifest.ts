// What a set of artifacts is: which files belong to it, the manifest that says what they hold, and what a run makes of it. Pure.

import { isPublished } from "../render/assets.ts";
import { checkKey } from "../store/objectKey.ts";
import { type Build, isOtherBuild } from "./build.ts";

/** Name of the manifest, beside the folders config/ and views/. */
export const MANIFEST = "artifacts.json";

/** One file of a set; the path has forward slashes, e.g. "views/partials/head.hbs". */
export interface ArtifactFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** The same where it was put: an object with another etag was changed by somebody else. */
export interface PutFile extends ArtifactFile {
  readonly etag: string;
}

/** What was put, and the hdash that it belongs to: another one may read other files, or read these differently. */
export interface Manifest extends Build {
  readonly uploadedAt: string;
  /** Sorted by path. */
  readonly files: readonly PutFile[];
}

/** The lists of jobs, or a folder of such; which of them hdash reads, its jobs say. */
const CONFIG = /^config\/([a-z][\w-]*\/)?\w[\w-]*\.(csv|json)$/;
const TEMPLATES = /^views\/.+\.hbs$/;
const ASSETS = /^views\/assets\/./;
/** What an image calls its commit. */
const REVISION = /^[\w.-]{1,64}$/;

/** Tells whether hdash reads a file of this path, relative to the folder that holds config/ and views/. */
export function isArtifact(path: string): boolean {
  return CONFIG.test(path) || TEMPLATES.test(path) || (ASSETS.test(path) && isPublished(path));
}

/** Writes a manifest. */
export function writeManifest(manifest: Manifest): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`);
}

/** Reads a manifest; null where it is none, or names a file that is no artifact or that lies elsewhere. */
export function readManifest(bytes: Uint8Array): Manifest | null {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return null; // what does not parse was not written by us
  }
  const { version, revision = null, uploadedAt, files } = asRecord(value);
  if (typeof version !== "string") return null;
  const isRevision = typeof revision === "string" && REVISION.test(revision);
  if (!isRevision && revision !== null) return null;
  if (typeof uploadedAt !== "string" || !Array.isArray(files)) return null;
  if (Number.isNaN(Date.parse(uploadedAt))) return null;
  const read = files.map(readFile);
  const whole = read.filter((file): file is PutFile => file !== null);
  const isOnce = new Set(whole.map(({ path }) => path)).size === read.length;
  return isOnce ? { version, revision, uploadedAt, files: whole } : null;
}

/**
 * What a run makes of the artifacts it finds: there are none, or they belong to another hdash, and it takes its own; they are broken,
 * and it fails; or it takes them.
 */
export type Verdict =
  | { readonly kind: "none" }
  | { readonly kind: "otherBuild"; readonly manifest: Manifest }
  | { readonly kind: "broken"; readonly why: string }
  | { readonly kind: "usable"; readonly manifest: Manifest };

/**
 * Judges by the manifest; whether the files are what it says is looked at by whom it lets go on.
 * @param bytes null where there is no manifest.
 * @param beside a file that is there, for the case that there is no manifest; null where there is none.
 * @param build the hdash that would run.
 */
export function judgeManifest(
  bytes: Uint8Array | null,
  beside: string | null,
  build: Build,
): Verdict {
  if (bytes === null) {
    if (beside === null) return { kind: "none" };
    return { kind: "broken", why: `${MANIFEST} is missing beside ${beside}` };
  }
  const manifest = readManifest(bytes);
  if (manifest === null) return { kind: "broken", why: `${MANIFEST} cannot be read` };
  return { kind: isOtherBuild(manifest, build) ? "otherBuild" : "usable", manifest };
}

/** Says what is wrong with a file that is not as the manifest says. */
export function wrongWith(path: string, isThere: boolean): string {
  return isThere ? `${path} is not what ${MANIFEST} says` : `${path} is missing`;
}

function readFile(value: unknown): PutFile | null {
  const { path, bytes, sha256, etag } = asRecord(value);
  if (typeof path !== "string" || !isArtifact(path) || !isKey(path)) return null;
  if (typeof bytes !== "number" || !Number.isSafeInteger(bytes) || bytes < 0) return null;
  if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256)) return null;
  return typeof etag === "string" ? { path, bytes, sha256, etag } : null;
}

function isKey(path: string): boolean {
  try {
    return checkKey(path) === path;
  } catch {
    return false; // it would climb out of the folder
  }
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
