// A folder of a user's pipeline, made of texts, and a reader of its code.

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { onTestFinished } from "vitest";

import { HdashError } from "../../../../../src/error.ts";
import {
  type CodeReader,
  makeCodeReader,
} from "../../../../../src/jobs/analysis/sources/code/codeReader.ts";

/** Files by their paths from the folder; null takes one away. */
export type Files = Readonly<Record<string, string | null>>;

/** Makes a folder with files, for as long as the test goes. */
export async function makeFolder(files: Files): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "hdash-code-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await write(folder, files);
  return folder;
}

/** Writes files over what is there. */
export async function write(folder: string, files: Files): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    const place = join(folder, path);
    if (text === null) {
      await rm(place, { recursive: true });
      continue;
    }
    await mkdir(dirname(place), { recursive: true });
    await writeFile(place, text);
  }
}

/** A reader that knows nothing yet. */
export function newReader(api = "1"): CodeReader {
  return makeCodeReader({ api, signal: new AbortController().signal });
}

/** The digest of a module of a folder, by a reader that knows nothing. */
export async function digestIn(folder: string, path = "pipeline.ts"): Promise<string> {
  return (await newReader().codeOf(join(folder, path))).digest;
}

/** The digest of a module of a folder of these files. */
export async function digestOfFiles(files: Files, path = "pipeline.ts"): Promise<string> {
  return digestIn(await makeFolder(files), path);
}

/** What an error says, and what it advises, with the folder's place taken out. */
export async function refusalIn(
  folder: string,
  work: Promise<unknown>,
): Promise<{ readonly says: string; readonly hint: string | null }> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof HdashError)) throw new Error("it was not refused", { cause: error });
  if (error.kind !== "usage") throw new Error(`it is of kind ${error.kind}`, { cause: error });
  const short = (text: string): string => text.replaceAll(`${folder}/`, "");
  return { says: short(error.message), hint: error.hint === null ? null : short(error.hint) };
}
