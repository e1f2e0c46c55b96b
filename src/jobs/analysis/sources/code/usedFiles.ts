// Files and folders that belong to a step's code without being modules: programs and data beside the module, by their bytes.

import { lstat, readdir, realpath } from "node:fs/promises";
import { basename, dirname, isAbsolute, join } from "node:path";

import { type Digest, digestOfJson } from "../../../../digest.ts";
import { codeOf, HdashError } from "../../../../error.ts";
import { nearest } from "../../../../settings/nearest.ts";
import type { ContentDigests } from "../../../../store/contentDigests.ts";
import { slashed } from "./place.ts";

/** What a step uses besides modules, by paths from the module's folder. */
export interface UsedFiles {
  /** Of paths, contents, executable bits, and which folders there are. */
  readonly digest: Digest;
  readonly files: readonly UsedFile[];
  readonly folders: readonly string[];
}

interface UsedFile {
  readonly path: string;
  /** Its owner may start it. */
  readonly isExecutable: boolean;
  readonly digest: string;
}

interface Look {
  readonly base: string;
  /** Says who asked, in messages. */
  readonly asker: string;
  /** Names that are passed by, wherever they stand. */
  readonly skips: readonly string[];
  readonly contents: ContentDigests;
  readonly signal: AbortSignal;
  readonly files: Map<string, UsedFile>;
  readonly folders: Set<string>;
}

const OWNER_EXECUTES = 0o100;
/** Of a linked package: what it installs counts by its lockfile, and its history is not its code. */
const NOT_OF_A_PACKAGE: readonly string[] = ["node_modules", ".git"];

/**
 * Digests what a module says that it uses. Throws an HdashError for what is not there, for a path that is not relative, and for links
 * and devices, of which nobody can say what they hold elsewhere.
 */
export async function readUsedFiles(
  module: string,
  uses: readonly string[],
  contents: ContentDigests,
  signal: AbortSignal,
): Promise<UsedFiles> {
  const base = dirname(await realpath(module));
  const looking = { base, asker: `${module} uses`, skips: [], contents, signal };
  const look: Look = { ...looking, files: new Map(), folders: new Set() };
  for (const used of uses) {
    if (used === "" || isAbsolute(used)) {
      const says = `${JSON.stringify(used)}, which is no path from its folder`;
      throw new HdashError("usage", `${look.asker} ${says}`);
    }
    const path = join(base, used, ".");
    const real = await realpath(path).catch(async (error: unknown) => {
      throw await refuseMissing(path, look, error);
    });
    if (real !== path) throw refuseKind(path, "a link", look);
    await lookAt(path, slashed(join(used, ".")), look);
  }
  return summarize(look);
}

/** Digests all files of a package's folder but what it has installed. */
export async function digestPackage(
  folder: string,
  contents: ContentDigests,
  signal: AbortSignal,
): Promise<Digest> {
  const looking = { base: folder, asker: "a linked package holds", skips: NOT_OF_A_PACKAGE };
  const found = { files: new Map(), folders: new Set<string>() };
  const look: Look = { ...looking, contents, signal, ...found };
  await lookAt(folder, ".", look);
  return summarize(look).digest;
}

async function lookAt(path: string, name: string, look: Look): Promise<void> {
  look.signal.throwIfAborted();
  try {
    await lookInto(path, name, look);
  } catch (error) {
    // What has no code of the operating system is ours, or an end that was asked for.
    if (error instanceof HdashError || look.signal.aborted || codeOf(error) === null) throw error;
    const says = `${look.asker} ${path}, which cannot be read`;
    throw new HdashError("usage", says, { cause: error });
  }
}

async function lookInto(path: string, name: string, look: Look): Promise<void> {
  const found = await lstat(path);
  if (found.isFile()) {
    const { sha256 } = await look.contents.of(path, look.signal);
    const isExecutable = (found.mode & OWNER_EXECUTES) !== 0;
    look.files.set(name, { path: name, isExecutable, digest: sha256 });
  } else if (found.isDirectory()) {
    look.folders.add(name);
    for (const entry of await readdir(path)) {
      if (look.skips.includes(entry)) continue;
      await lookAt(join(path, entry), name === "." ? entry : `${name}/${entry}`, look);
    }
  } else {
    throw refuseKind(path, found.isSymbolicLink() ? "a link" : "neither file nor folder", look);
  }
}

function summarize({ files, folders }: Look): UsedFiles {
  const sorted = {
    files: [...files.values()].sort((a, b) => (a.path < b.path ? -1 : 1)),
    folders: [...folders].sort(),
  };
  const rows = sorted.files.map((file) => [file.path, file.isExecutable, file.digest] as const);
  return { digest: digestOfJson({ files: rows, folders: sorted.folders }), ...sorted };
}

function refuseKind(path: string, kind: string, look: Look): HdashError {
  return new HdashError("usage", `${look.asker} ${path}, which is or goes through ${kind}`, {
    hint: "Name the file or the folder itself, or copy it there.",
  });
}

async function refuseMissing(path: string, look: Look, error: unknown): Promise<HdashError> {
  if (codeOf(error) !== "ENOENT" && codeOf(error) !== "ENOTDIR") {
    return new HdashError("usage", `${look.asker} ${path}, which cannot be read`, { cause: error });
  }
  const there = await readdir(dirname(path)).catch((): string[] => []);
  const meant = nearest(basename(path), there);
  return new HdashError("usage", `${look.asker} ${path}, which is not there`, {
    cause: error,
    ...(meant === null ? {} : { hint: `Did you mean ${join(dirname(path), meant)}?` }),
  });
}
