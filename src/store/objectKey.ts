// What may be the key of an object: a path that means the same to S3, to a folder and to a browser, and that cannot climb.

import { HdashError } from "../error.ts";

/** S3's bound on a whole key, prefix included. */
const MAX_KEY_BYTES = 1024;
/** What file systems take for a name. */
const MAX_NAME_BYTES = 255;

/** Tells whether a key can name an object, in a bucket and in a folder, whose names have 255 bytes at most. */
export function isKey(key: string, prefix = ""): boolean {
  return (
    reasonAgainst(key, prefix) === null &&
    key.split("/").every((segment) => Buffer.byteLength(segment) <= MAX_NAME_BYTES)
  );
}

/**
 * Returns the key if it can name an object below `prefix`.
 * Throws a permanent error for an absolute key, an empty, "." or ".." segment, a backslash, a control character, or more than 1024 bytes.
 */
export function checkKey(key: string, prefix = ""): string {
  const wrong = reasonAgainst(key, prefix);
  if (wrong === null) return key;
  throw new HdashError("permanent", `${JSON.stringify(key)} cannot name an object: ${wrong}`);
}

function reasonAgainst(key: string, prefix: string): string | null {
  if (key === "") return "it is empty";
  if (key.startsWith("/")) return "it starts with a slash";
  const segments = key.split("/");
  if (segments.includes("")) return "it has an empty segment";
  if (segments.includes("..") || segments.includes(".")) return "it has a dot segment";
  if (key.includes("\\")) return "it has a backslash";
  // A control character cannot be written in the XML that lists the bucket.

  if (/[\u0000-\u001f\u007f]/.test(key)) return "it has a control character";
  if (!key.isWellFormed()) return "it is not well-formed Unicode";
  const bytes = Buffer.byteLength(prefix + key);
  if (bytes > MAX_KEY_BYTES) return `it has ${bytes} bytes, more than ${MAX_KEY_BYTES}`;
  return null;
}

/** Writes a prefix as "" or "a/b/": without a slash at its start and with one at its end. Throws as checkKey does. */
export function normalizePrefix(prefix: string): string {
  const path = prefix.replace(/^\/+|\/+$/g, "");
  return path === "" ? "" : `${checkKey(path)}/`;
}
