// The tree of a project's folders: which folder at the top a folder is in, and the path to it. The view may lack folders, or have them in a ring.

import type { Folder } from "./view.ts";

/** The id that stands for the project itself: what lies there lies in no folder. */
export const TOP = 0;

/** A folder at the top of the project; the name is "" for the project itself. */
export interface Root {
  readonly id: number;
  readonly name: string;
}

export interface FolderTree {
  /** Tells in which folder at the top a folder is; folders that the view does not have are the project. */
  rootOf(folder: number): Root;
  /** Names of the folders from the top down to this one, joined by slashes; "" for the project. */
  pathOf(folder: number): string;
}

/**
 * Makes the tree. A path begins where the view knows no parent. Folders in a ring (which Synapse should not allow) hang on the one of
 * them that has the lowest id, so that the answer does not depend on the order of rows.
 */
export function makeFolderTree(folders: ReadonlyMap<number, Folder>): FolderTree {
  const tops = topsOfRings(folders);
  const roots = new Map<number, Root>();
  const project: Root = { id: TOP, name: "" };

  return {
    rootOf(folder) {
      const chain = chainOf(folder);
      const known = roots.get(chain.at(-1) ?? TOP);
      const root = known ?? rootOfChain(chain);
      for (const id of chain) roots.set(id, root);
      return root;
    },
    pathOf(folder) {
      const names: string[] = [];
      for (let at = folder; ;) {
        const known = folders.get(at);
        if (known === undefined) break;
        names.push(known.name);
        if (tops.has(at)) break;
        at = known.parent;
      }
      return names.reverse().join("/");
    },
  };

  /** The folder and those above it, up to the top or to one whose root is known. */
  function chainOf(folder: number): number[] {
    const chain: number[] = [];
    for (let at = folder; folders.has(at); at = folders.get(at)?.parent ?? TOP) {
      chain.push(at);
      if (roots.has(at) || tops.has(at)) break;
    }
    return chain;
  }

  function rootOfChain(chain: readonly number[]): Root {
    const id = chain.at(-1);
    const folder = id === undefined ? undefined : folders.get(id);
    return id === undefined || folder === undefined ? project : { id, name: folder.name };
  }
}

/** Finds the folder of lowest id in each ring of folders. */
function topsOfRings(folders: ReadonlyMap<number, Folder>): ReadonlySet<number> {
  const tops = new Set<number>();
  /** Folder → the folder from which the walk that met it set out. */
  const metBy = new Map<number, number>();
  for (const start of folders.keys()) {
    let at = start;
    while (folders.has(at) && !metBy.has(at)) {
      metBy.set(at, start);
      at = folders.get(at)?.parent ?? TOP;
    }
    if (!folders.has(at) || metBy.get(at) !== start) continue;
    let lowest = at;
    for (let next = folders.get(at)?.parent ?? TOP; next !== at;) {
      lowest = Math.min(lowest, next);
      next = folders.get(next)?.parent ?? TOP;
    }
    tops.add(lowest);
  }
  return tops;
}
