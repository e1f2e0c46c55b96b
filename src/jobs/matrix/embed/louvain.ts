// Louvain clusters of the graph that joins each cell with its nearest neighbours, numbered by size.

import { UndirectedGraph } from "graphology";
import louvainModule from "graphology-communities-louvain";

import { seededRandom } from "./sample.ts";

/** The package is CommonJS: Node gives its whole export as the default, its types speak of a default within. */
const louvain = louvainModule as unknown as typeof louvainModule.default;

export interface Clusters {
  /** 0-based cluster of each cell; the largest is 0, of equal ones the one with the first cell comes first. */
  readonly clusters: Uint16Array;
  readonly clusterSizes: readonly number[];
  readonly modularity: number;
}

/** Clusters cells by Louvain (resolution 1) on the unweighted graph that has an edge where one of two cells is the other's neighbour: scanpy's construction. */
export function clusterCells(
  cells: number,
  neighbours: Int32Array,
  perCell: number,
  seed: number,
): Clusters {
  const graph = new UndirectedGraph();
  for (let cell = 0; cell < cells; cell++) graph.addNode(cell);
  for (let at = 0; at < neighbours.length; at++) {
    graph.mergeEdge(Math.floor(at / perCell), neighbours[at]);
  }
  const { communities, modularity } = louvain.detailed(graph, {
    getEdgeWeight: null,
    resolution: 1,
    rng: seededRandom(seed),
  });
  const members = new Map<number, number>();
  const found = Array.from({ length: cells }, (_, cell) => communities[cell] ?? 0);
  for (const community of found) members.set(community, (members.get(community) ?? 0) + 1);
  // A map keeps the order of first appearance, and sorting keeps that order among equals.
  const bySize = [...members].sort(([, a], [, b]) => b - a);
  const numbers = new Map(bySize.map(([community], number) => [community, number]));
  return {
    clusters: Uint16Array.from(found, (community) => numbers.get(community) ?? 0),
    clusterSizes: bySize.map(([, size]) => size),
    modularity,
  };
}
