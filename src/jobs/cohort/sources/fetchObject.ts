// An object of a private place on this disk, checked against what is known of it.

import { rm } from "node:fs/promises";

import { HdashError } from "../../../error.ts";
import type { Bucket } from "../../../store/bucket.ts";
import type { KeptObject } from "../data/report.ts";

/** Says that an object is not there, or not what was put: what it was made from has to be read again. */
class LostObject extends HdashError {
  readonly key: string;
  constructor(key: string, what: string) {
    super("permanent", `${key} is ${what}`, {
      hint: "hdash cohort sync finds what else is missing, and repairs what it can.",
    });
    this.key = key;
  }
}

/** Fetches an object into the file `path`, which is only to be read. Throws LostObject where it is missing or has another digest. */
export async function fetchObject(
  bucket: Bucket,
  { key, sha256 }: KeptObject,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  const fetched = await bucket.fetch(key, path, signal);
  if (fetched === null) throw new LostObject(key, "missing");
  if (fetched.digest === sha256) return;
  await rm(path);
  throw new LostObject(key, "damaged");
}
