// What a set of artifacts is: which files belong to it, and the manifest that says what they hold. Pure.

import { checkKey } from "../store/objectKey.ts";

/** Name of the manifest, beside the folders config/ and views/. */
export const MANIFEST = "artifacts.json";

/** One file of a set; the path has forward slashes, e.g. "views/index.hbs". */
export interface ArtifactFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** The same where it was put: an object with another etag was changed by somebody else. */
export interface PutFile extends ArtifactFile {
  readonly etag: string;
}

/** What was put, by which hdash. */
export interface Manifest {
  /** The version of hdash that the set belongs to: another one may read other files, or read these differently. */
  readonly version: string;
  /** The version with the revision, where it is known. */
  readonly build: string;
  readonly uploadedAt: string;
  /** Sorted by path. */
  readonly files: readonly PutFile[];
}

/** The lists that hdash reads. */
const CONFIG = /^config\/(htan_projects\.csv|htan_components\.json)$/;
/** Templates, and what of views/assets is published. */
const VIEWS = /^views\/(.+\.hbs|assets\/.+\.(css|js|svg|png|woff2))$/;

/** Tells whether hdash reads a file of this path, relative to the folder that holds config/ and views/. */
export function isArtifact(path: string): boolean {
  return CONFIG.test(path) || VIEWS.test(path);
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
  const { version, build, uploadedAt, files } = asRecord(value);
  if (typeof version !== "string" || typeof build !== "string") return null;
  if (typeof uploadedAt !== "string" || !Array.isArray(files)) return null;
  if (Number.isNaN(Date.parse(uploadedAt))) return null;
  const read = files.map(readFile);
  const whole = read.filter((file): file is PutFile => file !== null);
  const isOnce = new Set(whole.map(({ path }) => path)).size === read.length;
  return isOnce ? { version, build, uploadedAt, files: whole } : null;
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
