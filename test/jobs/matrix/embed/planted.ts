// Cells in planted clusters, each with marker genes of its own, and how well they are found again.

import { seededRandom } from "../../../../src/jobs/matrix/embed/sample.ts";
import type { Cells } from "./memoryReader.ts";

export interface Planted {
  readonly cells: Cells;
  readonly clusterOf: readonly number[];
  /** Per cluster. */
  readonly markers: readonly (readonly number[])[];
}

/** Draws cells of `clusters` kinds of falling size; each kind has `markers` genes that it expresses `fold` times as much as the others. */
export function plantClusters(
  cellCount: number,
  geneCount: number,
  clusters: number,
  { markers = 12, fold = 12, seed = 1 } = {},
): Planted {
  const random = seededRandom(seed);
  const base = Float64Array.from({ length: geneCount }, () => 0.05 + 0.8 * random() ** 4);
  const ranges = Array.from({ length: clusters }, (_, cluster) =>
    Array.from({ length: markers }, (_, at) => cluster * markers + at),
  );
  const clusterOf: number[] = [];
  const cells = Array.from({ length: cellCount }, () => {
    // The smaller of two draws: the first kinds are more frequent.
    const cluster = Math.floor(clusters * Math.min(random(), random() + 0.15));
    clusterOf.push(cluster);
    const depth = 0.6 + random();
    const own = new Set(ranges[cluster]);
    const cell: [number, number][] = [];
    for (let gene = 0; gene < geneCount; gene++) {
      const count = poisson((own.has(gene) ? fold : 1) * depth * (base[gene] ?? 0), random);
      if (count > 0) cell.push([gene, count]);
    }
    return cell;
  });
  return { cells, clusterOf, markers: ranges };
}

function poisson(mean: number, random: () => number): number {
  const limit = Math.exp(-mean);
  let product = random();
  let count = 0;
  while (product > limit) {
    product *= random();
    count++;
  }
  return count;
}

/** Adjusted Rand index of two labellings: 1 where they agree, about 0 by chance. */
export function adjustedRandIndex(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const pairs = (counts: Iterable<number>): number => {
    let sum = 0;
    for (const count of counts) sum += (count * (count - 1)) / 2;
    return sum;
  };
  const [both, one, other] = [
    new Map<string, number>(),
    new Map<number, number>(),
    new Map<number, number>(),
  ];
  for (let at = 0; at < a.length; at++) {
    const [x, y] = [a[at] ?? -1, b[at] ?? -1];
    both.set(`${x} ${y}`, (both.get(`${x} ${y}`) ?? 0) + 1);
    one.set(x, (one.get(x) ?? 0) + 1);
    other.set(y, (other.get(y) ?? 0) + 1);
  }
  const expected =
    (pairs(one.values()) * pairs(other.values())) / ((a.length * (a.length - 1)) / 2);
  const highest = (pairs(one.values()) + pairs(other.values())) / 2;
  return (pairs(both.values()) - expected) / (highest - expected);
}
