// What one module of a graph counts as: itself and all that it reaches. Where files stand and what they are called does not count.

import { type Digest, digestOfJson, type Json } from "../../../../digest.ts";
import type { GraphModule, ModuleGraph } from "./moduleGraph.ts";
import type { PackageNode } from "./packages.ts";
import type { Target } from "./resolveImport.ts";

/** Changes whenever equal code would get another digest than before; all that was done with the old one is then done anew. */
const FORMAT = 1;

export interface Closure {
  readonly digest: Digest;
  /** Modules, in the order in which they are reached. */
  readonly paths: readonly string[];
  /** By id. */
  readonly packages: ReadonlyMap<string, PackageNode>;
}

/**
 * Digests what a module reaches: modules are numbered in the order in which their imports reach them, so that the digest is of how they
 * hang together and of nothing else. @param api what hdash counts as where it is imported.
 */
export function closureOf(graph: ModuleGraph, from: string, api: string): Closure {
  const numbers = new Map([[from, 0]]);
  const direct = new Set<string>();
  const rows: Json[] = [];
  const number = (path: string): number => {
    const known = numbers.get(path) ?? numbers.size;
    numbers.set(path, known);
    return known;
  };
  const write = (target: Target): Json => {
    switch (target.kind) {
      case "module":
        return number(target.path);
      case "packages":
        for (const id of target.ids) direct.add(id);
        return [...target.ids];
      case "hdash":
        return { hdash: api };
      case "nothing":
        return null;
    }
  };
  // A map gives also what is added to it meanwhile.
  for (const path of numbers.keys()) {
    const { text, targets, isScript } = moduleAt(graph, path);
    rows.push([text.digest, isScript, targets.map(write)]);
  }
  const packages = reach(graph, direct);
  const needs = [...packages].map(([id, { needs }]): Json => [id, [...needs].sort()]);
  return {
    digest: digestOfJson({ format: FORMAT, modules: rows, packages: needs }),
    paths: [...numbers.keys()],
    packages,
  };
}

/** Gives a module that a graph is known to hold. */
export function moduleAt(graph: ModuleGraph, path: string): GraphModule {
  const found = graph.modules.get(path);
  if (found === undefined) throw new TypeError(`the graph of ${graph.entry} has no ${path}`);
  return found;
}

function reach(graph: ModuleGraph, direct: ReadonlySet<string>): Map<string, PackageNode> {
  const reached = new Set(direct);
  for (const id of reached) {
    for (const need of graph.packages.get(id)?.needs ?? []) reached.add(need);
  }
  return new Map(
    [...reached].sort().flatMap((id) => {
      const node = graph.packages.get(id);
      return node === undefined ? [] : [[id, node] as const];
    }),
  );
}
