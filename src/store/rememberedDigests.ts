// Digests of files over runs, in a small JSON file: terabytes of local files are not read again because a process is a new one.

import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

import type { KnownDigest } from "./contentDigests.ts";

/** Changes when the file is written otherwise; another one's is ignored. */
const FORMAT = 1;

/** Reads what was remembered, by path; nothing where the file is missing, damaged, or of another format: it only saves time. */
export async function readDigests(path: string): Promise<Map<string, KnownDigest>> {
  try {
    return new Map(parse(JSON.parse(await readFile(path, "utf8"))));
  } catch {
    // Whatever is wrong with it, the files themselves say what it would have said.
    return new Map();
  }
}

/** Writes what is to be remembered: the whole file, or none of it. */
export async function writeDigests(
  path: string,
  known: ReadonlyMap<string, KnownDigest>,
): Promise<void> {
  const files = [...known]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([file, { state, sha256 }]) => [file, state, sha256]);
  const draft = `${path}.${crypto.randomUUID()}.part`;
  // For their user alone: names of files are nobody else's business.
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    await writeFile(draft, JSON.stringify({ format: FORMAT, files }), { mode: 0o600 });
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** A single line that is wrong makes all of it doubtful. */
function parse(value: unknown): readonly (readonly [string, KnownDigest])[] {
  if (typeof value !== "object" || value === null) return [];
  const { format, files } = value as Readonly<Record<string, unknown>>;
  if (format !== FORMAT || !Array.isArray(files)) return [];
  const digests = (files as readonly unknown[]).map(readDigest);
  return digests.every((digest) => digest !== null) ? digests : [];
}

function readDigest(value: unknown): readonly [string, KnownDigest] | null {
  if (!Array.isArray(value)) return null;
  const [path, state, sha256] = value as readonly unknown[];
  const isKnown =
    typeof path === "string" &&
    typeof state === "string" &&
    /^\d+( \d+){3}$/.test(state) &&
    typeof sha256 === "string" &&
    /^[0-9a-f]{64}$/.test(sha256);
  return isKnown ? [path, { state, sha256 }] : null;
}
