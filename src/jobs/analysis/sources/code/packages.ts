// Packages that a pipeline imports: which ones they are, by the nearest lockfile, with all that they need themselves.

import { join, relative } from "node:path";

import { type Digest, digestOf } from "../../../../digest.ts";
import { HdashError } from "../../../../error.ts";
import { findPlace, type LockedPackage, type NpmLock, parseNpmLock } from "./npmLock.ts";
import { foldersUp, kindOf, readIfThere, readObject, slashed } from "./place.ts";

/** A package that counts. A lockfile that counts as a whole is listed as one, without a version. */
export interface CodePackage {
  readonly name: string;
  readonly version: string;
  readonly integrity: string | null;
}

/** A package, and the ids of what it needs. */
export interface PackageNode {
  readonly package: CodePackage;
  readonly needs: ReadonlySet<string>;
}

/** What one import of a package means. */
export interface FoundPackage {
  readonly ids: readonly string[];
  /** What of it does not count, if anything. */
  readonly note: string | null;
}

export interface Packages {
  /** Finds what a package's name means to the modules of a folder; null where it is neither installed nor locked. */
  find(name: string, folder: string): Promise<FoundPackage | null>;
  /** All that was found, and what that needs, by id. */
  readonly nodes: ReadonlyMap<string, PackageNode>;
}

/** The name that pipelines import hdash by. */
export const HDASH = "hdash";
const NPM: readonly string[] = ["npm-shrinkwrap.json", "package-lock.json"];
const OTHERS: readonly string[] = ["pnpm-lock.yaml", "yarn.lock", "bun.lock", "bun.lockb"];

interface Lock {
  readonly file: string;
  readonly folder: string;
  /** Null for a lockfile of another program than npm, which counts as a whole. */
  readonly npm: NpmLock | null;
  readonly digest: Digest;
}

/** What digests the files of a package that is linked, not fetched. */
export type DigestFolder = (folder: string) => Promise<Digest>;

/** Lockfiles by the digest of their bytes: they are large, and the same for many. */
export type KnownLocks = Map<Digest, NpmLock>;

/** Looks for packages as they are now. */
export function openPackages(digestFolder: DigestFolder, known: KnownLocks): Packages {
  const nodes = new Map<string, { readonly package: CodePackage; readonly needs: Set<string> }>();
  const locks = new Map<string, Promise<Lock | null>>();
  const identified = new Map<string, Promise<string>>();
  const walked = new Map<string, Promise<string>>();
  const finds = new Map<string, Promise<FoundPackage | null>>();

  function add(found: CodePackage): string {
    const id = `${found.name}@${found.version} ${found.integrity ?? ""}`;
    if (!nodes.has(id)) nodes.set(id, { package: found, needs: new Set() });
    return id;
  }

  function identify(lock: Lock, npm: NpmLock, place: string): Promise<string> {
    return once(identified, join(lock.folder, place), async () =>
      add(await identityOf(lock, npm, place, digestFolder)),
    );
  }

  /** Adds the package at a place and all that it needs, of which some may need each other. */
  function walk(lock: Lock, npm: NpmLock, first: string): Promise<string> {
    return once(walked, join(lock.folder, first), async () => {
      const places = new Set([first]);
      for (const place of places) {
        const id = await identify(lock, npm, place);
        const real = npm.get(place)?.linkedTo ?? place;
        for (const name of npm.get(real)?.needs ?? []) {
          const next = name === HDASH ? null : findPlace(npm, real, name);
          // What is optional may be missing, and so may what a package brings along inside of itself.
          if (next === null) continue;
          places.add(next);
          nodes.get(id)?.needs.add(await identify(lock, npm, next));
        }
      }
      return identify(lock, npm, first);
    });
  }

  async function lockFor(folder: string): Promise<Lock | null> {
    for (const above of foldersUp(folder)) {
      const found = await once(locks, above, () => readLock(above, known));
      if (found !== null) return found;
    }
    return null;
  }

  async function find(name: string, folder: string): Promise<FoundPackage | null> {
    const installed = await findInstalled(name, folder);
    const lock = await lockFor(folder);
    const npm = lock?.npm ?? null;
    if (lock !== null && npm !== null) {
      const from = slashed(relative(lock.folder, installed ?? folder));
      const place = installed === null ? findPlace(npm, from, name) : from;
      if (place !== null && npm.has(place)) {
        return { ids: [await walk(lock, npm, place)], note: noteOf(lock, npm.get(place)) };
      }
    }
    if (installed === null) return null;
    const id = add({ name, version: await versionAt(installed), integrity: null });
    if (lock !== null && npm === null) {
      const whole = add({ name: lock.file, version: "", integrity: `sha256-${lock.digest}` });
      return { ids: [id, whole], note: `any change of ${lock.file} counts as a change of code` };
    }
    const why = lock === null ? "there is no lockfile" : `${lock.file} does not name it`;
    return { ids: [id], note: `${name} counts by name and version alone: ${why}` };
  }

  return {
    nodes,
    find: (name, folder) => once(finds, `${folder}\0${name}`, () => find(name, folder)),
  };
}

function once<T>(known: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const begun = known.get(key) ?? make();
  known.set(key, begun);
  return begun;
}

function noteOf(lock: Lock, locked: LockedPackage | undefined): string | null {
  if (locked === undefined || locked.integrity !== null) return null;
  if (locked.linkedTo !== null) {
    return `${locked.name} is linked: every byte of its folder counts, but no file outside of it`;
  }
  return `${locked.name} counts by name and version alone: ${lock.file} has no checksum of it`;
}

/** Says which package stands at a place. Throws an HdashError where another version is installed than the lockfile names. */
async function identityOf(
  lock: Lock,
  npm: NpmLock,
  place: string,
  digestFolder: DigestFolder,
): Promise<CodePackage> {
  const locked = npm.get(place);
  if (locked === undefined) throw new TypeError(`${lock.file} has no ${place}`);
  const { name, version, integrity, linkedTo } = locked;
  if (linkedTo !== null) {
    const content = await digestFolder(join(lock.folder, linkedTo));
    return { name, version: npm.get(linkedTo)?.version ?? "", integrity: `sha256-${content}` };
  }
  const json = await readObject(join(lock.folder, place, "package.json"));
  const installed = json?.["version"];
  if (typeof installed === "string" && version !== "" && installed !== version) {
    throw new HdashError(
      "usage",
      `${join(lock.folder, place)} is version ${installed}, but ${lock.file} says ${version}`,
      { hint: "Install what the lockfile names: npm ci" },
    );
  }
  return { name, version, integrity };
}

async function readLock(folder: string, known: KnownLocks): Promise<Lock | null> {
  for (const file of [...NPM, ...OTHERS]) {
    const path = join(folder, file);
    const bytes = await readIfThere(path);
    if (bytes === null) continue;
    const digest = digestOf(bytes);
    if (!NPM.includes(file)) return { file, folder, npm: null, digest };
    const npm = known.get(digest) ?? parseNpmLock(path, new TextDecoder().decode(bytes));
    known.set(digest, npm);
    return { file, folder, npm, digest };
  }
  return null;
}

/** Finds a package's folder as Node does: in the nearest node_modules that has it. */
async function findInstalled(name: string, folder: string): Promise<string | null> {
  for (const above of foldersUp(folder)) {
    const place = join(above, "node_modules", name);
    if ((await kindOf(place)) === "folder") return place;
  }
  return null;
}

async function versionAt(folder: string): Promise<string> {
  const version = (await readObject(join(folder, "package.json")))?.["version"];
  return typeof version === "string" ? version : "";
}
