// npm's lockfile (package-lock.json, npm-shrinkwrap.json; versions 2 and 3): which packages there are, where, and what each needs.

import { posix } from "node:path";

import { HdashError } from "../../../../error.ts";
import { isObject, parseObject } from "./place.ts";

export interface LockedPackage {
  readonly name: string;
  /** "" where the lockfile says none, as of a link. */
  readonly version: string;
  /** What the lockfile knows of its content: a checksum, or the commit it comes from; null where nothing. */
  readonly integrity: string | null;
  /** Names of what it may import. */
  readonly needs: readonly string[];
  /** Where it really stands, for a package of the same workspace; null for one that was fetched. */
  readonly linkedTo: string | null;
}

/** Packages by their place below the lockfile's folder, e.g. "node_modules/a/node_modules/b". */
export type NpmLock = ReadonlyMap<string, LockedPackage>;

const MODULES = "node_modules/";

/** Parses a lockfile. Throws an HdashError where it is none, or too old to say where packages stand. @param path for messages. */
export function parseNpmLock(path: string, text: string): NpmLock {
  const { packages } = parseObject(path, text);
  if (!isObject(packages)) {
    throw new HdashError("usage", `${path} is a lockfile of version 1, which hdash does not read`, {
      hint: "Write it anew: npm install --package-lock-only --lockfile-version 3",
    });
  }
  return new Map(
    Object.entries(packages).map(([place, entry]) => [place, readEntry(path, place, entry)]),
  );
}

function readEntry(path: string, place: string, entry: unknown): LockedPackage {
  if (!isObject(entry)) throw new HdashError("usage", `${path}: ${place} is no object`);
  const { name, version, integrity, resolved, link } = entry;
  const at = place.lastIndexOf(MODULES);
  return {
    // Said where it is installed under another name than its own.
    name: typeof name === "string" ? name : at < 0 ? place : place.slice(at + MODULES.length),
    version: typeof version === "string" ? version : "",
    integrity: typeof integrity === "string" ? integrity : commitOf(resolved),
    needs: ["dependencies", "optionalDependencies", "peerDependencies"].flatMap((key) => {
      const needed = entry[key];
      return isObject(needed) ? Object.keys(needed) : [];
    }),
    linkedTo: link === true && typeof resolved === "string" ? resolved : null,
  };
}

/** The commit of a package that comes from git, which has no checksum. */
function commitOf(resolved: unknown): string | null {
  if (typeof resolved !== "string" || !resolved.startsWith("git")) return null;
  return /#(.+)$/.exec(resolved)?.[1] ?? null;
}

/** Finds the place of the package that a name means to what stands at another place, by Node's way up; null where there is none. */
export function findPlace(lock: NpmLock, from: string, name: string): string | null {
  for (let folder = from; ; folder = posix.dirname(folder)) {
    const isTop = folder === "" || folder === ".";
    const place = `${isTop ? "" : `${folder}/`}${MODULES}${name}`;
    if (lock.has(place)) return place;
    if (isTop) return null;
  }
}
