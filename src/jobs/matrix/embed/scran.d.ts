// What is used of scran.js, which brings no types.

declare module "scran.js" {
  interface NeighbourIndex {
    free(): void;
  }
  interface Neighbours {
    serialize(): {
      readonly runs: Int32Array;
      readonly indices: Int32Array;
      readonly distances: Float64Array;
    };
    free(): void;
  }
  interface Umap {
    run(options: { runTime: number }): void;
    currentEpoch(): number;
    totalEpochs(): number;
    extractCoordinates(): { readonly x: Float64Array; readonly y: Float64Array };
    free(): void;
  }
  export function initialize(options: { numberOfThreads: number }): Promise<boolean>;
  export function terminate(): void;
  export function buildNeighborSearchIndex(
    values: Float64Array,
    options: { numberOfDims: number; numberOfCells: number; approximate: boolean },
  ): NeighbourIndex;
  export function findNearestNeighbors(index: NeighbourIndex, count: number): Neighbours;
  export function initializeUmap(
    neighbours: Neighbours,
    options: { neighbors: number; epochs: number; minDist: number },
  ): Umap;
}
