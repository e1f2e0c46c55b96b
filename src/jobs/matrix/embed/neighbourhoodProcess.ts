// A process of its own for neighbours, UMAP and clusters: WebAssembly that hangs or dies takes nothing else with it.

import { setImmediate } from "node:timers/promises";

import {
  buildNeighborSearchIndex,
  findNearestNeighbors,
  initialize,
  initializeUmap,
  terminate,
} from "scran.js";

import { messageOf } from "../../../error.ts";
import { clusterCells } from "./louvain.ts";
import type { NeighbourhoodAnswer, NeighbourhoodTask } from "./neighbourhood.ts";

/** Between two looks whether anybody still waits; the coordinates are the same bytes with any. */
const SLICE_MS = 500;

/** Finds neighbours, coordinates and clusters; only numbers go to scran.js, never a file. */
async function mapCells(task: NeighbourhoodTask): Promise<NeighbourhoodAnswer> {
  const { scores, components, cells, neighbours, seed } = task;
  await initialize({ numberOfThreads: task.threads });
  try {
    const index = buildNeighborSearchIndex(scores, {
      numberOfDims: components,
      numberOfCells: cells,
      approximate: task.isApproximate,
    });
    const nearest = findNearestNeighbors(index, neighbours);
    index.free();
    const { indices } = nearest.serialize();
    const umap = initializeUmap(nearest, {
      neighbors: neighbours,
      epochs: task.epochs,
      minDist: task.minDist,
    });
    while (umap.currentEpoch() < umap.totalEpochs()) {
      umap.run({ runTime: SLICE_MS });
      await setImmediate();
      // Killed, the calling process cannot say so: without it, nobody would stop this one.
      if (!process.connected) throw new Error("the calling process has ended");
    }
    const { x, y } = umap.extractCoordinates();
    const clusters = clusterCells(cells, indices, neighbours, seed);
    return { x: Float32Array.from(x), y: Float32Array.from(y), ...clusters };
  } finally {
    terminate();
  }
}

/** What failed is said on public pages. */
function withoutPaths(message: string): string {
  return message.replace(/(file:\/\/)?\/[^\s'",]+/g, "…");
}

process.once("message", (task: NeighbourhoodTask) => {
  mapCells(task)
    .catch((error: unknown): NeighbourhoodAnswer => ({ failure: withoutPaths(messageOf(error)) }))
    .then((answer) => process.send?.(answer))
    // Nobody is left to answer to.
    .catch(() => process.disconnect());
});
