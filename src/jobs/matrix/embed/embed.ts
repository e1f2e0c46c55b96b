// The embedding of a matrix: which passes are made, what is kept in between, and what each group gets or why it does not.

import { number } from "../../../format.ts";
import type { GroupStatistics, MatrixStatistics } from "../counting/statistics.ts";
import type { MatrixReader } from "../matrix.ts";
import { type CellPass, entriesOf, keepCells, passOfReader, throwIfAborted } from "./cellPass.ts";
import { type Components, findComponents, projectCells, type Scores } from "./components.ts";
import {
  type CovarianceSums,
  NORMALISED_SUM,
  packedLength,
  slotsOf,
  sumCovariance,
} from "./covariance.ts";
import type { EmbeddingOptions, GroupEmbedding } from "./embedding.ts";
import { chooseExampleGene } from "./exampleGene.ts";
import { type ClusterMarkers, rankMarkers, whyLeftOut } from "./markers.ts";
import { FEWEST_CELLS, limitMsOf, mapNeighbourhood } from "./neighbourhood.ts";
import { sampleOf } from "./sample.ts";
import { chooseVariableGenes, type VariableGenes } from "./variableGenes.ts";

/** How much may be held at a time, and how long the process for UMAP may take. */
export interface EmbeddingLimits {
  /** Entries that are kept in memory, 8 bytes each, to save passes over the matrix. */
  readonly keptEntries: number;
  /** Covariances that are summed up in the same pass. */
  readonly covarianceBytes: number;
  /** Sums for marker genes in the same pass. */
  readonly markerBytes: number;
  readonly umapMs: (cells: number) => number;
}

/** 160 MB of entries, or six covariances of 2,000 genes and the sums of 279 clusters: a matrix of any size stays well below 1 GB. */
const LIMITS: EmbeddingLimits = {
  keptEntries: 20_000_000,
  covarianceBytes: 100_000_000,
  markerBytes: 128 * 2 ** 20,
  umapMs: limitMsOf,
};

/** One group on its way; everything is null that could not be made (yet). */
interface Plan {
  readonly group: GroupStatistics;
  readonly choice: VariableGenes;
  /** The group's cells with counts, and the sample of them. */
  readonly cells: Uint32Array;
  readonly sample: Uint32Array;
  readonly slots: Int32Array;
  /** Why there can be no PCA. */
  readonly reason: string | null;
}

/** What a group's passes have in common. */
interface Run {
  readonly statistics: MatrixStatistics;
  readonly options: EmbeddingOptions;
  readonly limits: EmbeddingLimits;
  readonly plans: readonly Plan[];
  readonly exampleGene: number | null;
}

/**
 * Embeds the cells of every group of the statistics. Reads the matrix once where its entries can be kept in memory; else twice (covariance,
 * projection), and a third time (markers) where not even the sample's can. More than six groups need a pass more per six.
 */
export async function embed(
  reader: MatrixReader,
  statistics: MatrixStatistics,
  options: EmbeddingOptions,
  limits: EmbeddingLimits = LIMITS,
): Promise<readonly GroupEmbedding[]> {
  const { signal } = options;
  const { nCounts, nGenes } = statistics.cells;
  throwIfAborted(signal);
  const plans = statistics.groups.map((group, at) => planGroup(group, at, statistics, options));
  const exampleGene = chooseExampleGene(reader.genes, statistics.groups);
  const run: Run = { statistics, options, limits, plans, exampleGene };
  const fromReader = passOfReader(reader, statistics.cells, signal);
  const tell = (stage: string) => (fraction: number) => options.onProgress?.(stage, fraction);

  const everything = union(plans.map(({ cells }) => cells));
  const isSmall = entriesOf(everything, nGenes) <= limits.keptEntries;
  const all = isSmall ? keepCells(everything, nGenes, signal) : null;
  const components = await findAllComponents(run, fromReader, all);

  const sample = union(plans.map((plan) => plan.sample));
  const isKept = all === null && entriesOf(sample, nGenes) <= limits.keptEntries;
  const some = isKept ? keepCells(sample, nGenes, signal) : null;
  const scores = await projectAll(run, components, all?.pass ?? fromReader, some);

  const maps = await mapAll(run, components, scores);
  const markers = await rankMarkers(
    maps.map(({ umap }) => umap),
    reader.genes,
    nCounts,
    all?.pass ?? some?.pass ?? fromReader,
    limits.markerBytes,
    tell("markers"),
  );
  return plans.map((_, at) => describe(run, at, components, scores, maps, markers));
}

function planGroup(
  group: GroupStatistics,
  index: number,
  { cells: { nCounts }, groupOf, genes }: MatrixStatistics,
  { sampleCells, seed }: EmbeddingOptions,
): Plan {
  const choice = chooseVariableGenes(group);
  const members: number[] = [];
  for (let cell = 0; cell < nCounts.length; cell++) {
    if ((groupOf?.[cell] ?? 0) === index && (nCounts[cell] ?? 0) > 0) members.push(cell);
  }
  const cells = Uint32Array.from(members);
  return {
    group,
    choice,
    cells,
    sample: sampleOf(cells, sampleCells, seed),
    slots: slotsOf(choice.genes, genes.ids.length),
    reason:
      cells.length < 3
        ? `PCA needs at least 3 cells with counts, there ${areOnly(cells.length)}`
        : choice.genes.length < 3
          ? `PCA needs at least 3 genes that vary between cells, there ${areOnly(choice.genes.length)}`
          : null,
  };
}

function areOnly(found: number): string {
  return found === 0 ? "are none" : found === 1 ? "is only 1" : `are only ${number(found)}`;
}

/** Merges ascending lists that share nothing. */
function union(lists: readonly Uint32Array[]): Uint32Array {
  const [only] = lists;
  if (lists.length === 1 && only !== undefined) return only;
  const merged = new Uint32Array(lists.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const cells of lists) {
    merged.set(cells, at);
    at += cells.length;
  }
  return merged.sort();
}

/** Sums up covariances over all cells, as many groups in a pass as may be held, and finds the components of each. */
async function findAllComponents(
  { statistics, options, limits, plans }: Run,
  fromReader: CellPass,
  all: ReturnType<typeof keepCells> | null,
): Promise<readonly (Components | null)[]> {
  const { groupOf, cells } = statistics;
  const found: (Components | null)[] = plans.map(() => null);
  const batches = batchGroups(plans, limits.covarianceBytes);
  for (const [round, batch] of batches.entries()) {
    const sums = new Map<number, CovarianceSums>(
      batch.map((at) => [at, sumCovariance(plans[at]!.slots, plans[at]!.choice.genes.length)]),
    );
    const byGroup = plans.map((_, at) => sums.get(at));
    const isFirst = round === 0;
    const pass = isFirst ? fromReader : (all?.pass ?? fromReader);
    await pass(
      (cell, genes, counts, from, to) => {
        if (isFirst) all?.keep(cell, genes, counts, from, to);
        const scale = NORMALISED_SUM / cells.nCounts[cell]!;
        byGroup[groupOf?.[cell] ?? 0]?.add(genes, counts, from, to, scale);
      },
      (fraction) => options.onProgress?.("PCA", (0.8 * (round + fraction)) / batches.length),
    );
    for (const [at, sum] of sums) {
      const group = plans[at]!;
      found[at] = await findComponents(
        sum.finish(),
        group.cells.length,
        options.seed,
        options.signal,
      );
    }
  }
  return found;
}

/** Shares the groups that can have a PCA out among passes. */
function batchGroups(plans: readonly Plan[], mostBytes: number): readonly (readonly number[])[] {
  const batches: number[][] = [];
  let used = Infinity;
  for (const [at, { choice, reason }] of plans.entries()) {
    if (reason !== null) continue;
    const bytes = 8 * packedLength(choice.genes.length);
    if (used + bytes > mostBytes) {
      batches.push([]);
      used = 0;
    }
    batches.at(-1)?.push(at);
    used += bytes;
  }
  return batches;
}

/** Projects all cells of all groups that have two components or more. */
async function projectAll(
  { statistics, options, plans, exampleGene }: Run,
  components: readonly (Components | null)[],
  pass: CellPass,
  kept: ReturnType<typeof keepCells> | null,
): Promise<readonly (Scores | null)[]> {
  const { groupOf, cells } = statistics;
  const projections = plans.map(({ slots, cells: members, sample }, at) => {
    const own = components[at];
    return own === null || own === undefined || own.count < 2
      ? null
      : projectCells(own, slots, exampleGene, members, sample);
  });
  if (projections.some((projection) => projection !== null)) {
    await pass(
      (cell, genes, counts, from, to) => {
        kept?.keep(cell, genes, counts, from, to);
        const scale = NORMALISED_SUM / cells.nCounts[cell]!;
        projections[groupOf?.[cell] ?? 0]?.add(cell, genes, counts, from, to, scale);
      },
      (fraction) => options.onProgress?.("PCA", 0.8 + 0.2 * fraction),
    );
  }
  return projections.map((projection) => projection?.scores ?? null);
}

/** UMAP and clusters of a group, or why there are none. */
interface GroupMap {
  readonly umap: NonNullable<GroupEmbedding["umap"]> | null;
  readonly reason: string | null;
}

/** Computes UMAP and clusters, one group after the other: each takes all processors. */
async function mapAll(
  { options, limits, plans }: Run,
  components: readonly (Components | null)[],
  scores: readonly (Scores | null)[],
): Promise<readonly GroupMap[]> {
  const maps: GroupMap[] = [];
  for (const [at, { sample }] of plans.entries()) {
    options.onProgress?.("UMAP", at / plans.length);
    const own = scores[at];
    maps.push(
      own === null || own === undefined
        ? { umap: null, reason: "there are no principal components to build on" }
        : await mapGroup(own, components[at]?.count ?? 0, sample, options, limits),
    );
  }
  options.onProgress?.("UMAP", 1);
  return maps;
}

async function mapGroup(
  scores: Scores,
  components: number,
  cells: Uint32Array,
  { seed, signal }: EmbeddingOptions,
  limits: EmbeddingLimits,
): Promise<GroupMap> {
  if (cells.length < FEWEST_CELLS) {
    return {
      umap: null,
      reason: `UMAP needs at least ${FEWEST_CELLS} cells with counts, there ${areOnly(cells.length)}`,
    };
  }
  const limitMs = limits.umapMs(cells.length);
  const map = await mapNeighbourhood(scores.sample, components, { seed, signal, limitMs });
  return typeof map === "string"
    ? { umap: null, reason: map }
    : { umap: { cells, ...map }, reason: null };
}

/** Puts a group's results and reasons together. */
function describe(
  { plans, statistics, exampleGene }: Run,
  at: number,
  allComponents: readonly (Components | null)[],
  allScores: readonly (Scores | null)[],
  maps: readonly GroupMap[],
  allMarkers: readonly (readonly ClusterMarkers[] | null)[],
): GroupEmbedding {
  const { choice, cells, reason } = plans[at]!;
  const components = allComponents[at] ?? null;
  const scores = allScores[at] ?? null;
  const { umap, reason: umapReason } = maps[at]!;
  const reasons: { -readonly [name in keyof GroupEmbedding["reasons"]]: string } = {};
  if (scores === null) {
    reasons.pca =
      reason ??
      (components?.count === 1
        ? "the cells differ along one direction only"
        : "the cells do not differ in their variable genes");
  }
  if (umapReason !== null) reasons.umap = umapReason;
  const isColoured = scores !== null && exampleGene !== null;
  if (!isColoured) {
    reasons.exampleGene =
      scores === null
        ? "there are no principal components to colour"
        : "no gene has counts in every library construction approach";
  }
  const markers = allMarkers[at] ?? null;
  const markersReason =
    umap === null || markers === null
      ? "there are no clusters to compare"
      : whyLeftOut(umap.clusterSizes, markers);
  if (markersReason !== null) reasons.markers = markersReason;
  return {
    variableGenes: choice.genes,
    atCutoffs: choice.atCutoffs,
    isFallback: choice.isFallback,
    pca:
      scores === null || components === null
        ? null
        : { cells, pc1: scores.pc1, pc2: scores.pc2, varianceRatio: components.varianceRatio },
    umap,
    exampleGene: isColoured
      ? {
          index: exampleGene,
          symbol: statistics.genes.symbols[exampleGene] ?? "",
          expression: scores.expression,
        }
      : null,
    markers: markers === null || markers.length === 0 ? null : markers,
    reasons,
  };
}
