// An object of a private place on this disk, checked against what is known of it.

import { HdashError } from "../../../error.ts";
import type { Bucket } from "../../../store/bucket.ts";
import type { KeptObject } from "../data/report.ts";
import { makeScratchFile } from "../ingest/scratchFile.ts";

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

/** Fetches an object into the file `path`. Throws LostObject where it is missing or has another digest. */
export async function fetchObject(
  bucket: Bucket,
  { key, sha256 }: KeptObject,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  const opened = await bucket.open(key, {}, signal);
  if (opened === null) throw new LostObject(key, "missing");
  const file = makeScratchFile(path);
  try {
    for await (const piece of opened.body) await file.write(piece);
    const found = await file.end();
    if (found.sha256 !== sha256) throw new LostObject(key, "damaged");
  } catch (error) {
    file.destroy();
    throw error;
  }
}
