// What a worker does about the artifacts of its namespace: uses them, or its own files, and says which and why.

import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";

import { HdashError, messageOf } from "../error.ts";
import { count, instant } from "../format.ts";
import type { Log } from "../log.ts";
import type { Bucket } from "../store/bucket.ts";
import { downloadArtifacts } from "./download.ts";

export interface FetchOptions {
  /** What lies below the namespace's artifacts. */
  readonly bucket: Bucket;
  readonly namespace: string;
  /** Of this hdash. */
  readonly version: string;
  readonly log: Log;
  /** Makes and names the folder for work files. */
  readonly scratch: () => Promise<string>;
}

/** Fetches the artifacts into a new folder and returns it; null where hdash's own files are to be used. */
export async function fetchArtifacts(options: FetchOptions): Promise<string | null> {
  const { bucket, namespace, version, log, scratch } = options;
  const found = await downloadArtifacts({
    bucket,
    version,
    makeFolder: async () => makeFolder(await scratch()),
  });
  switch (found.kind) {
    case "none":
      log.info(
        `${namespace} has no artifacts in ${bucket.uri}: hdash's own views and lists are used`,
      );
      return null;
    case "otherVersion":
      log.warn(
        `the artifacts of ${namespace} in ${bucket.uri} are of hdash ${found.manifest.version}, this is ${version}: ` +
          "its own views and lists are used; `hdash artifacts upload` replaces them",
      );
      return null;
    case "fetched": {
      const { files, build, uploadedAt } = found.manifest;
      log.info(
        `the artifacts of ${namespace} are used: ${count(files.length, "file")} of hdash ${build}, uploaded ${instant(uploadedAt)}`,
        { namespace, files: files.length, uploadedAt },
      );
      return found.dir;
    }
  }
}

async function makeFolder(scratch: string): Promise<string> {
  try {
    return await mkdtemp(join(scratch, "artifacts-"));
  } catch (error) {
    throw new HdashError("permanent", `no folder can be made in ${scratch}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
