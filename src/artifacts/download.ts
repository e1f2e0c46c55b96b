// Fetches the artifacts of a namespace into a folder, whole and checked, or not at all: no run may publish with half a design.

import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { digestOf } from "../digest.ts";
import { HdashError, messageOf } from "../error.ts";
import { pause } from "../retry.ts";
import type { Bucket } from "../store/bucket.ts";
import { mapAtOnce } from "./atOnce.ts";
import type { Build } from "./build.ts";
import { judgeManifest, MANIFEST, type Manifest, wrongWith } from "./manifest.ts";

/** An upload that is under way is over within seconds: so often, and so long apart in milliseconds, a broken set is looked at again. */
const LOOKS = 4;
const LOOK_AGAIN_MS = 1000;

export interface DownloadOptions {
  /** What lies below the namespace's artifacts. */
  readonly bucket: Bucket;
  /** This hdash. */
  readonly build: Build;
  /** Makes the folder that files are written to; called only where there is something to write. */
  readonly makeFolder: () => Promise<string>;
  readonly signal?: AbortSignal;
  /** Default one second. */
  readonly lookAgainMs?: number;
}

/** What there is for a worker to use. */
export type Downloaded =
  | { readonly kind: "none" }
  | { readonly kind: "otherBuild"; readonly manifest: Manifest }
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
  const { bucket, build, makeFolder, signal } = options;
  const bytes = await bucket.get(MANIFEST, signal);
  const beside = bytes === null ? await firstOf(bucket, signal) : null;
  const verdict = judgeManifest(bytes, beside, build);
  if (verdict.kind === "broken") return verdict.why;
  if (verdict.kind !== "usable") return verdict;
  const { manifest } = verdict;
  const contents = new Map<string, Uint8Array>();
  const wrongs = await mapAtOnce(manifest.files, async ({ path, bytes: size, sha256 }) => {
    const content = await bucket.get(path, signal);
    if (content === null) return wrongWith(path, false);
    contents.set(path, content);
    const isRight = content.byteLength === size && digestOf(content) === sha256;
    return isRight ? null : wrongWith(path, true);
  });
  const wrong = wrongs.find((one) => one !== null);
  if (wrong !== undefined && wrong !== null) return wrong;
  const dir = await makeFolder();
  try {
    for (const [path, content] of contents) {
      await mkdir(dirname(join(dir, path)), { recursive: true });
      await writeFile(join(dir, path), content);
    }
  } catch (error) {
    // Whoever asked does not know the folder yet, so nobody else would remove it; a full disk must not stay full.
    await rm(dir, { recursive: true, force: true }).catch(() => {});
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

async function firstOf(bucket: Bucket, signal: AbortSignal | undefined): Promise<string | null> {
  for await (const { key } of bucket.list(signal)) return key;
  return null;
}
