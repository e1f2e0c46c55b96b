// What a worker does about the artifacts of its namespace: uses them, or its own files, and says which and why.

import { count, instant } from "../format.ts";
import type { Log } from "../log.ts";
import { nameBuild } from "./build.ts";
import { downloadArtifacts, type DownloadOptions } from "./download.ts";

export interface FetchOptions extends DownloadOptions {
  readonly namespace: string;
  readonly log: Log;
}

/** What came of looking for artifacts. */
export interface FetchedArtifacts {
  /** The folder they are in; null: hdash's own files are to be used. */
  readonly dir: string | null;
  /** True where there are artifacts, but of another build than this. */
  readonly isOther: boolean;
}

/** Fetches the artifacts into a new folder, and says in the log what is used. */
export async function fetchArtifacts(options: FetchOptions): Promise<FetchedArtifacts> {
  const { bucket, namespace, build, log } = options;
  const found = await downloadArtifacts(options);
  switch (found.kind) {
    case "none":
      log.info(
        `${namespace} has no artifacts in ${bucket.uri}: hdash's own views and lists are used`,
      );
      return { dir: null, isOther: false };
    case "otherBuild":
      log.warn(
        `the artifacts of ${namespace} in ${bucket.uri} are of hdash ${nameBuild(found.manifest)}, this is ${nameBuild(build)}: ` +
          "its own views and lists are used; `hdash artifacts upload` replaces them",
      );
      return { dir: null, isOther: true };
    case "fetched": {
      const { files, uploadedAt } = found.manifest;
      log.info(
        `the artifacts of ${namespace} are used: ${count(files.length, "file")} of hdash ${nameBuild(found.manifest)}, uploaded ${instant(uploadedAt)}`,
        { namespace, files: files.length, uploadedAt },
      );
      return { dir: found.dir, isOther: false };
    }
  }
}
