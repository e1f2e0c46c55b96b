// The marker genes of every group's clusters, from one pass over the sampled cells (or several where there are very many clusters).

import { list } from "../../../format.ts";
import type { GeneTable } from "../matrix.ts";
import type { CellPass } from "./cellPass.ts";
import { NORMALISED_SUM } from "./covariance.ts";
import type { GroupEmbedding } from "./embedding.ts";
import { addSums, type GeneSums, topGenes, welchScores } from "./welch.ts";

/** As the figure shows. */
const TOP_GENES = 10;

/** The clusters of one group: parallel arrays of the sampled cells (ascending) and their clusters. */
export interface ClusteredCells {
  readonly cells: Uint32Array;
  readonly clusters: Uint16Array;
  readonly clusterSizes: readonly number[];
}

export type ClusterMarkers = NonNullable<GroupEmbedding["markers"]>[number];

/** What the sums of one pass are for: clusters first … end − 1 of a group. */
interface Batch {
  readonly group: number;
  readonly first: number;
  readonly end: number;
}

/**
 * Ranks the genes of each cluster of each group by Welch's t against the group's other sampled cells.
 * Clusters of one cell, and those that leave less than two others, are left out. `mostBytes` bounds the sums, which take
 * 16 bytes a gene and cluster: 128 MB are 279 clusters of 30,000 genes, so a second pass is rare.
 */
export async function rankMarkers(
  groups: readonly (ClusteredCells | null)[],
  genes: GeneTable,
  nCounts: Float64Array,
  pass: CellPass,
  mostBytes: number,
  onFraction: (fraction: number) => void,
): Promise<readonly (readonly ClusterMarkers[] | null)[]> {
  const geneCount = genes.ids.length;
  const most = Math.max(2, Math.floor(mostBytes / (16 * Math.max(1, geneCount))));
  const rounds = planRounds(groups, most);
  const markers = groups.map((group): ClusterMarkers[] | null => (group === null ? null : []));
  for (const [round, batches] of rounds.entries()) {
    const sums = batches.map((batch) => sumClusters(batch, groups[batch.group]!, geneCount));
    await pass(
      (cell, geneIndexes, counts, from, to) => {
        const scale = NORMALISED_SUM / nCounts[cell]!;
        for (const { add } of sums) add(cell, geneIndexes, counts, from, to, scale);
      },
      (fraction) => onFraction((round + fraction) / rounds.length),
    );
    for (const [at, batch] of batches.entries()) {
      markers[batch.group]?.push(...markersOf(batch, sums[at]!.parts, genes));
    }
  }
  return markers;
}

/** Shares the clusters out among passes so that none has more than `most` sums; each part of a group has one more, for the group's other cells. */
function planRounds(
  groups: readonly (ClusteredCells | null)[],
  most: number,
): readonly (readonly Batch[])[] {
  const rounds: Batch[][] = [];
  let free = 0;
  for (const [group, clustered] of groups.entries()) {
    const clusters = clustered?.clusterSizes.length ?? 0;
    // One cluster has nothing to be compared with.
    for (let first = 0; first < clusters && clusters > 1;) {
      if (free < 2) {
        rounds.push([]);
        free = most;
      }
      const end = Math.min(clusters, first + free - 1);
      rounds.at(-1)?.push({ group, first, end });
      free -= end - first + 1;
      first = end;
    }
  }
  return rounds;
}

/** Makes what sums up a group's cells: a part for each cluster of the batch, and a last one for all others. */
function sumClusters(
  { first, end }: Batch,
  { cells, clusters, clusterSizes }: ClusteredCells,
  geneCount: number,
): {
  readonly parts: readonly GeneSums[];
  add(
    cell: number,
    genes: Uint32Array,
    counts: Uint32Array,
    from: number,
    to: number,
    scale: number,
  ): void;
} {
  const sizes = clusterSizes.slice(first, end);
  const others = cells.length - sizes.reduce((sum, size) => sum + size, 0);
  const parts = [...sizes, others].map((size) => ({
    cells: size,
    sums: new Float64Array(geneCount),
    squares: new Float64Array(geneCount),
  }));
  let next = 0;
  return {
    parts,
    add(cell, genes, counts, from, to, scale) {
      if (cells[next] !== cell) return;
      const cluster = clusters[next++]!;
      const part = parts[cluster >= first && cluster < end ? cluster - first : parts.length - 1]!;
      const { sums, squares } = part;
      for (let at = from; at < to; at++) {
        const gene = genes[at]!;
        const value = Math.log1p(counts[at]! * scale);
        sums[gene]! += value;
        squares[gene]! += value * value;
      }
    },
  };
}

function markersOf(
  { first, end }: Batch,
  parts: readonly GeneSums[],
  { ids, symbols }: GeneTable,
): readonly ClusterMarkers[] {
  const all = addSums(parts, ids.length);
  return parts.slice(0, end - first).flatMap((part, at) => {
    // Added up, not subtracted from all: what cancels out would leave rounding in genes that the others hardly have.
    const rest = addSums(
      parts.filter((other) => other !== part),
      ids.length,
    );
    if (part.cells < 2 || rest.cells < 2) return [];
    return [
      {
        cluster: first + at,
        cells: part.cells,
        genes: topGenes(welchScores(part, rest), all, TOP_GENES).map(({ index, score }) => ({
          index,
          symbol: symbols[index] ?? "",
          score,
        })),
      },
    ];
  });
}

/** Says in one sentence which clusters have no markers, and why; null where all have. */
export function whyLeftOut(
  clusterSizes: readonly number[],
  markers: readonly ClusterMarkers[],
): string | null {
  if (clusterSizes.length === 1) {
    return "all cells are in one cluster, so there is nothing to compare it with";
  }
  const ranked = new Set(markers.map(({ cluster }) => cluster));
  const left = [...clusterSizes.keys()].filter((cluster) => !ranked.has(cluster));
  if (left.length === 0) return null;
  const names = `${left.length === 1 ? "cluster" : "clusters"} ${list(left.map(String))}`;
  return `${names} ${left.length === 1 ? "is" : "are"} left out: a comparison needs two cells on either side`;
}
