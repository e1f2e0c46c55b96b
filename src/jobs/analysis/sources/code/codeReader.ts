// The code of a user's pipeline, as far as it is part of a step's key: what is told of it, and who reads it.

import { realpath } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";

import type { Digest } from "../../../../digest.ts";
import { HdashError } from "../../../../error.ts";
import { type ContentDigests, makeContentDigests } from "../../../../store/contentDigests.ts";
import { type Closure, closureOf, moduleAt } from "./closure.ts";
import { type KnownTexts, type ModuleGraph, readModuleGraph } from "./moduleGraph.ts";
import { type CodePackage, type KnownLocks, openPackages } from "./packages.ts";
import { slashed } from "./place.ts";
import { digestPackage, readUsedFiles, type UsedFiles } from "./usedFiles.ts";

/** What a module counts as, with all that it imports. */
export interface ModuleCode {
  /** Of all of it, and of no path. */
  readonly digest: Digest;
  /** Each module by its path from the root folder, with the digest of itself alone; sorted by path. */
  readonly modules: readonly { readonly path: string; readonly digest: Digest }[];
  /** Sorted by name, then version. */
  readonly packages: readonly CodePackage[];
  /** What the digest cannot see; sorted by path and line. */
  readonly notes: readonly CodeNote[];
}

export interface CodeNote {
  readonly path: string;
  readonly line: number;
  readonly says: string;
}

/** A module of a pipeline, and what it counts as by itself with all that it imports. */
export interface CountedModule {
  /** Absolute, without links. */
  readonly file: string;
  /** From the root folder. */
  readonly path: string;
  /** The same that `codeOf` gives for it. */
  readonly digest: Digest;
  /** Tells all that is in the digest. */
  describe(): ModuleCode;
}

/**
 * Reads code as it stands on the disk now. What counts: the syntax of every module that is imported, and name, version and checksum of every
 * package that is reached, by the nearest lockfile. What does not: comments, layout, types, where files stand and what they are called,
 * the version of Node and what is imported from it, and whatever `notes` tell of.
 * Of a lockfile other than npm's every byte counts. Every method throws an HdashError "usage" that names file and line.
 */
export interface CodeReader {
  /** Reads what a module counts as. @param root the folder that paths are told from; the module's own by default. */
  codeOf(path: string, root?: string): Promise<ModuleCode>;
  /** Reads what each module that a pipeline's reaches counts as, itself first: a step counts as the module that exports it. */
  closuresOf(path: string, root?: string): Promise<readonly CountedModule[]>;
  /** Digests files and folders that a module's step uses, given by paths from the module's folder. */
  usedBy(path: string, uses: readonly string[]): Promise<UsedFiles>;
}

/** What the reader is told, and what it remembers with. */
export interface CodeReaderOptions {
  /** What `hdash` counts as where it is imported: changes when what it gives to pipelines changes its meaning. */
  readonly api: string;
  readonly signal: AbortSignal;
  /** Digests of data files; by default remembered as long as the reader lives. */
  readonly contents?: ContentDigests;
}

/** Makes a reader. It remembers, as long as it lives, what modules and lockfiles of some content say, and looks at every file each time. */
export function makeCodeReader({
  api,
  signal,
  contents = makeContentDigests(),
}: CodeReaderOptions): CodeReader {
  const texts: KnownTexts = new Map();
  const locks: KnownLocks = new Map();
  const read = (path: string): Promise<ModuleGraph> => {
    const packages = openPackages((folder) => digestPackage(folder, contents, signal), locks);
    return readModuleGraph(path, { texts, scopes: new Map(), packages, signal });
  };
  return {
    async codeOf(path, root = dirname(resolve(path))) {
      const graph = await read(path);
      return describe(graph, closureOf(graph, graph.entry, api), await shownFrom(root));
    },
    async closuresOf(path, root = dirname(resolve(path))) {
      const graph = await read(path);
      const shown = await shownFrom(root);
      return [...graph.modules.keys()].map((file) => {
        const own = closureOf(graph, file, api);
        const describeOwn = (): ModuleCode => describe(graph, own, shown);
        return { file, path: shown(file), digest: own.digest, describe: describeOwn };
      });
    },
    usedBy: (path, uses) => readUsedFiles(path, uses, contents, signal),
  };
}

type Shown = (file: string) => string;

async function shownFrom(root: string): Promise<Shown> {
  const real = await realpath(root).catch((error: unknown) => {
    throw new HdashError("usage", `there is no folder ${root}`, { cause: error });
  });
  return (file) => slashed(relative(real, file));
}

function describe(graph: ModuleGraph, closure: Closure, shown: Shown): ModuleCode {
  const modules = closure.paths.map((file) => ({
    ...{ path: shown(file), digest: moduleAt(graph, file).text.digest },
  }));
  const packages = [...closure.packages.values()].map((node) => node.package);
  return {
    digest: closure.digest,
    modules: modules.sort((a, b) => (a.path < b.path ? -1 : 1)),
    packages: packages.sort((a, b) => compare([a.name, a.version], [b.name, b.version])),
    notes: notesOf(graph, closure.paths, shown),
  };
}

function notesOf(graph: ModuleGraph, files: readonly string[], shown: Shown): readonly CodeNote[] {
  const notes = files.flatMap((file) => {
    const { text, targets } = moduleAt(graph, file);
    const path = shown(file);
    const own = text.notes.map((note) => ({ path, ...note, isOnce: false }));
    const ofTargets = targets.flatMap((target, at) => {
      const says = target.kind === "packages" || target.kind === "nothing" ? target.note : null;
      const line = text.imports[at]?.line ?? 1;
      return says === null ? [] : [{ path, line, says, isOnce: true }];
    });
    return [...own, ...ofTargets];
  });
  const sorted = notes.sort((a, b) => compare([a.path, a.line], [b.path, b.line]));
  // A package that many modules import is told of where it is imported first.
  const told = new Set<string>();
  return sorted.flatMap(({ isOnce, ...note }) => {
    const key = isOnce ? note.says : JSON.stringify(note);
    if (told.has(key)) return [];
    told.add(key);
    return [note];
  });
}

function compare(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  for (const [at, one] of a.entries()) {
    const other = b[at];
    if (other !== undefined && one !== other) return one < other ? -1 : 1;
  }
  return 0;
}
