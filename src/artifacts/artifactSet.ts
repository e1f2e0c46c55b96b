// The set of artifacts that a folder makes: the files of this hdash, with those of another folder laid over them, checked to be readable.

import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

import { digestOf } from "../digest.ts";
import { HdashError, messageOf } from "../error.ts";
import { problemsOf } from "../render/templates.ts";
import { checkKey } from "../store/objectKey.ts";
import { type ArtifactFile, isArtifact } from "./manifest.ts";

/** A file and what it holds. */
export interface LocalFile extends ArtifactFile {
  readonly content: Uint8Array;
}

/** A list in config/ that a job reads, or, by a pattern, as many as there are; `check` throws where it could not read one. */
export interface CheckedList {
  readonly path: string | RegExp;
  check(
    text: string,
    file: {
      readonly path: string;
      readonly has: (path: string) => boolean;
      readonly read: (path: string) => string | null;
    },
  ): void;
}

export interface ArtifactSet {
  /** By path, sorted by it. */
  readonly files: ReadonlyMap<string, LocalFile>;
  /** Files of the other folder that hdash does not read. */
  readonly leftOut: readonly string[];
}

/** The folders a set is made of. */
const FOLDERS = ["config", "views"] as const;

/**
 * Reads a whole set: what lies in config/ and views/ of `root`, and instead of it what lies in those of `from`. So no set can lack
 * a file that hdash needs. Throws a config error that names every file of it that hdash could not use.
 */
export async function readArtifactSet(
  root: string,
  from: string | null,
  lists: readonly CheckedList[],
): Promise<ArtifactSet> {
  const own = await filesOf(root);
  const isRead = (path: string): boolean => {
    if (!isArtifact(path)) return false;
    if (path.startsWith("config/")) return lists.some((list) => isOf(list, path));
    // Partials may be of the folder's own making; of a page that this hdash does not make nobody asks for the template.
    return !path.endsWith(".hbs") || path.startsWith("views/partials/") || own.includes(path);
  };
  const other = from === null ? [] : await filesOf(from);
  if (from !== null && !other.some(isRead)) {
    const found = other.slice(0, 3).join(", ");
    throw new HdashError(
      "usage",
      `${from === "" ? "the folder that --from names" : from} holds no artifacts: ` +
        (found === "" ? "there is nothing in config/ or views/" : `hdash does not read ${found}`),
      {
        hint: "Give it the files that differ, e.g. a list of config/ or views/partials/head.hbs; the others are those of this hdash.",
      },
    );
  }
  const places = new Map([
    ...own.map((path): [string, string] => [path, root]),
    ...other.map((path): [string, string] => [path, from ?? root]),
  ]);
  const files = new Map<string, LocalFile>();
  for (const path of [...places.keys()].filter(isRead).sort()) {
    const content = await read(join(places.get(path) ?? root, path));
    const { byteLength: bytes } = content;
    files.set(checkKey(path), { path, bytes, sha256: digestOf(content), content });
  }
  checkSet(files, lists);
  return { files, leftOut: other.filter((path) => !isRead(path)) };
}

function isOf({ path: own }: CheckedList, path: string): boolean {
  return typeof own === "string" ? own === path : own.test(path);
}

async function filesOf(root: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const folder of FOLDERS) {
    const dir = join(root, folder);
    const isFolder = (await stat(dir).catch(() => null))?.isDirectory() === true;
    if (!isFolder) continue;
    for (const name of await readdir(dir, { recursive: true })) {
      // What cannot be looked at, such as a link into nowhere, is not passed over: reading it says why.
      const info = await stat(join(dir, name)).catch(() => null);
      if (info === null || info.isFile()) found.push(`${folder}/${name}`);
    }
  }
  return found.sort();
}

async function read(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new HdashError("config", `${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

/** Refuses lists that no run could read and templates that cannot work. What a page lacks that a template asks for, the run finds. */
function checkSet(files: ReadonlyMap<string, LocalFile>, lists: readonly CheckedList[]): void {
  const problems: string[] = [];
  const check = (path: string, look: (text: string) => unknown): void => {
    try {
      look(textOf(files.get(path)));
    } catch (error) {
      const said = messageOf(error);
      problems.push(said.startsWith(`${path}: `) ? said : `${path}: ${said}`);
    }
  };
  const beside = {
    has: (path: string): boolean => files.has(path),
    read: (path: string): string | null => (files.has(path) ? textOf(files.get(path)) : null),
  };
  for (const list of lists) {
    const paths =
      typeof list.path === "string"
        ? [list.path]
        : [...files.keys()].filter((path) => isOf(list, path));
    for (const path of paths) check(path, (text) => list.check(text, { path, ...beside }));
  }
  const sources: Record<string, string> = {};
  for (const path of files.keys()) {
    if (!path.endsWith(".hbs")) continue;
    check(path, (text) => (sources[path.slice("views/".length, -".hbs".length)] = text));
  }
  for (const [name, problem] of Object.entries(problemsOf(sources))) {
    problems.push(`views/${name}.hbs: ${problem}`);
  }
  if (problems.length === 0) return;
  throw new HdashError("config", `the artifacts were refused:\n  ${problems.join("\n  ")}`);
}

function textOf(file: LocalFile | undefined): string {
  if (file === undefined) throw new Error("it is missing");
  return new TextDecoder("utf-8", { fatal: true }).decode(file.content);
}
