// Fetches the artifacts of a namespace into a folder, whole and checked, or not at all: no run may publish with half a design.

import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import pLimit from "p-limit";

import { digestOf } from "../digest.ts";
import { HdashError, messageOf } from "../error.ts";
import { pause } from "../retry.ts";
import type { Bucket } from "../store/bucket.ts";
import { MANIFEST, type Manifest, readManifest } from "./manifest.ts";
import { FILES_AT_ONCE } from "./upload.ts";

/** An upload that is under way is over within seconds: so often, and so long apart in milliseconds, a broken set is looked at again. */
const LOOKS = 4;
const LOOK_AGAIN_MS = 1000;

export interface DownloadOptions {
  /** What lies below the namespace's artifacts. */
  readonly bucket: Bucket;
  /** The version of this hdash. */
  readonly version: string;
  /** Makes the folder that files are written to; called only where there is something to write. */
  readonly makeFolder: () => Promise<string>;
  readonly signal?: AbortSignal;
  /** Default one second. */
  readonly lookAgainMs?: number;
}

/** What there is for a worker to use. */
export type Downloaded =
  | { readonly kind: "none" }
  | { readonly kind: "otherVersion"; readonly manifest: Manifest }
  | { readonly kind: "fetched"; readonly manifest: Manifest; readonly dir: string };

/**
 * Downloads a set and checks each file against its manifest. Throws a transient error where the set is not whole: an upload that was
 * stopped, or files that somebody changed.
 */
export async function downloadArtifacts(options: DownloadOptions): Promise<Downloaded> {
  const { bucket, signal } = options;
  for (let look = 1; ; look++) {
    const found = await tryDownload(options);
    if (typeof found !== "string") return found;
    if (look === LOOKS) {
      throw new HdashError("transient", `the artifacts in ${bucket.uri} are not whole: ${found}`, {
        hint: "Upload them again: `hdash artifacts upload`. Until then nothing is published, so that no page has half a design.",
        publicly: "the site's templates were just being replaced; the next run tries again",
      });
    }
    await pause(options.lookAgainMs ?? LOOK_AGAIN_MS, signal);
  }
}

/** The set, or what is wrong with it. */
async function tryDownload(options: DownloadOptions): Promise<Downloaded | string> {
  const { bucket, version, makeFolder, signal } = options;
  const bytes = await bucket.get(MANIFEST, signal);
  if (bytes === null) {
    for await (const { key } of bucket.list(signal)) return `${MANIFEST} is missing beside ${key}`;
    return { kind: "none" };
  }
  const manifest = readManifest(bytes);
  if (manifest === null) return `${MANIFEST} cannot be read`;
  if (manifest.version !== version) return { kind: "otherVersion", manifest };
  const contents = new Map<string, Uint8Array>();
  const limit = pLimit(FILES_AT_ONCE);
  const wrongs = await Promise.all(
    manifest.files.map(({ path, bytes: size, sha256 }) =>
      limit(async () => {
        const content = await bucket.get(path, signal);
        if (content === null) return `${path} is missing`;
        contents.set(path, content);
        const isRight = content.byteLength === size && digestOf(content) === sha256;
        return isRight ? null : `${path} is not what ${MANIFEST} says`;
      }),
    ),
  );
  const wrong = wrongs.find((one) => one !== null);
  if (wrong !== undefined && wrong !== null) return wrong;
  const dir = await makeFolder();
  try {
    for (const [path, content] of contents) {
      await mkdir(dirname(join(dir, path)), { recursive: true });
      await writeFile(join(dir, path), content);
    }
  } catch (error) {
    throw new HdashError(
      "permanent",
      `no artifacts can be written to ${dir}: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
  return { kind: "fetched", manifest, dir };
}
