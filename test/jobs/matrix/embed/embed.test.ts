import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

import { describe, expect, test } from "vitest";

import { embed, type EmbeddingLimits } from "../../../../src/jobs/matrix/embed/embed.ts";
import type {
  EmbeddingOptions,
  GroupEmbedding,
} from "../../../../src/jobs/matrix/embed/embedding.ts";
import { sampleOf } from "../../../../src/jobs/matrix/embed/sample.ts";
import type { Approach } from "../../../../src/jobs/matrix/matrix.ts";
import { type Cells, type MemoryOptions, type MemoryReader, readMemory } from "./memoryReader.ts";
import { plainStatistics } from "./plainStatistics.ts";
import { adjustedRandIndex, plantClusters } from "./planted.ts";

const OPTIONS: EmbeddingOptions = {
  seed: 1,
  sampleCells: 50_000,
  signal: new AbortController().signal,
};
const LIMITS: EmbeddingLimits = {
  keptEntries: 20_000_000,
  covarianceBytes: 100_000_000,
  markerBytes: 2 ** 27,
  umapMs: () => 60_000,
};
/** Many processes, each of which takes a second to start where other tests run beside it. */
const TWO: readonly Approach[] = [
  { key: "10X", label: "10X v2 sequencing" },
  { key: "SS2", label: "Smart-seq2" },
];

/** Embeds cells that are in memory. */
async function embedCells(
  cells: Cells,
  genes: number,
  options: Partial<EmbeddingOptions> = {},
  limits: Partial<EmbeddingLimits> = {},
  memory: MemoryOptions = {},
): Promise<{ readonly groups: readonly GroupEmbedding[]; readonly reader: MemoryReader }> {
  const reader = readMemory(cells, genes, memory);
  const statistics = plainStatistics(reader, cells);
  const groups = await embed(
    reader,
    statistics,
    { ...OPTIONS, ...options },
    { ...LIMITS, ...limits },
  );
  return { groups, reader };
}

async function embedOne(...args: Parameters<typeof embedCells>): Promise<GroupEmbedding> {
  const { groups } = await embedCells(...args);
  const [group] = groups;
  if (group === undefined || groups.length > 1) throw new Error("one group was expected");
  return group;
}

const planted = plantClusters(1_500, 800, 5);
const small = plantClusters(300, 120, 3);

describe("embed(reader, statistics, options)", () => {
  test("finds planted clusters and their marker genes again", async () => {
    const { groups, reader } = await embedCells(planted.cells, 800);
    const { pca, umap, markers, reasons } = groups[0]!;
    expect(reasons).toEqual({});
    expect(reader.passes()).toBe(1);
    expect(adjustedRandIndex(planted.clusterOf, umap!.clusters)).toBeGreaterThanOrEqual(0.95);
    expect(umap!.cells).toEqual(Uint32Array.from({ length: 1_500 }, (_, cell) => cell));
    expect(pca!.cells).toEqual(umap!.cells);
    // Largest first, and no cell lost.
    expect(umap!.clusterSizes).toEqual(umap!.clusterSizes.toSorted((a, b) => b - a));
    const counted = umap!.clusterSizes.map(
      (_, cluster) => umap!.clusters.filter((own) => own === cluster).length,
    );
    expect(counted).toEqual(umap!.clusterSizes);
    expect(markers).toHaveLength(5);
    for (const { cluster, cells, genes } of markers!) {
      expect(cells).toBe(umap!.clusterSizes[cluster]);
      const kind = planted.clusterOf[umap!.clusters.indexOf(cluster)]!;
      expect(genes.filter(({ index }) => planted.markers[kind]!.includes(index))).toHaveLength(10);
      expect(genes.map(({ score }) => score)).toEqual(
        genes.map(({ score }) => score).toSorted((a, b) => b - a),
      );
      expect(genes.every(({ symbol, index }) => symbol === `GENE${index}`)).toBe(true);
    }
  });

  test("gives components in falling order whose scores are centred and have their variance", async () => {
    const { pca } = await embedOne(planted.cells, 800);
    expect(pca!.varianceRatio).toHaveLength(50);
    expect(pca!.varianceRatio).toEqual(pca!.varianceRatio.toSorted((a, b) => b - a));
    expect(pca!.varianceRatio.reduce((sum, ratio) => sum + ratio, 0)).toBeLessThan(1);
    const variance = (values: Float32Array): number => {
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      expect(mean).toBeCloseTo(0, 4);
      return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
    };
    const expected = pca!.varianceRatio[1]! / pca!.varianceRatio[0]!;
    expect(variance(pca!.pc2) / variance(pca!.pc1)).toBeCloseTo(expected, 5);
  });

  test("gives the same bytes again, and whether entries are kept or read again", async () => {
    const once = await embedCells(small.cells, 120);
    const again = await embedCells(small.cells, 120);
    const read = await embedCells(small.cells, 120, {}, { keptEntries: 0 });
    expect(again.groups).toEqual(once.groups);
    expect(read.groups).toEqual(once.groups);
    expect([once, again, read].map(({ reader }) => reader.passes())).toEqual([1, 1, 3]);
  });

  test("rests UMAP, clusters and markers on a sample, PCA on all cells", async () => {
    const sampled = { sampleCells: 200 };
    const entries = small.cells.flat().length;
    const all = await embedOne(small.cells, 120);
    const kept = await embedCells(small.cells, 120, sampled);
    // Room for the sample only: one pass for the covariance, one that projects and keeps.
    const some = await embedCells(small.cells, 120, sampled, { keptEntries: 0.8 * entries });
    const none = await embedCells(small.cells, 120, sampled, { keptEntries: 0 });
    expect([kept, some, none].map(({ reader }) => reader.passes())).toEqual([1, 2, 3]);
    expect(some.groups).toEqual(kept.groups);
    expect(none.groups).toEqual(kept.groups);
    const [group] = kept.groups;
    expect(group!.pca).toEqual(all.pca);
    expect(group!.exampleGene).toEqual(all.exampleGene);
    expect(group!.umap!.cells).toEqual(sampleOf(all.pca!.cells, 200, 1));
    const kinds = Array.from(group!.umap!.cells, (cell) => small.clusterOf[cell] ?? -1);
    expect(adjustedRandIndex(kinds, group!.umap!.clusters)).toBeGreaterThanOrEqual(0.95);
    const ranked = group!.markers!.reduce((sum, { cells }) => sum + cells, 0);
    expect(ranked).toBe(200);
  });

  test("embeds groups apart, each as if it were alone, in the same passes", async () => {
    const approachOf = Uint8Array.from(small.cells, (_, cell) => (cell % 5 < 3 ? 0 : 1));
    const memory = { approaches: TWO, approachOf };
    const together = await embedCells(small.cells, 120, {}, { keptEntries: 0 }, memory);
    expect(together.reader.passes()).toBe(3);
    for (const [at, group] of together.groups.entries()) {
      const own = [...approachOf.keys()].filter((cell) => approachOf[cell] === at);
      const alone = await embedOne(
        own.map((cell) => small.cells[cell]!),
        120,
      );
      const numbered = (cells: Uint32Array): Uint32Array => cells.map((cell) => own[cell]!);
      expect(group).toEqual({
        ...alone,
        pca: { ...alone.pca!, cells: numbered(alone.pca!.cells) },
        umap: { ...alone.umap!, cells: numbered(alone.umap!.cells) },
      });
    }
    // Room for one covariance at a time: a pass more, the same numbers.
    const bytes = 8 * ((120 * 121) / 2);
    const limits = { keptEntries: 0, covarianceBytes: bytes };
    const apart = await embedCells(small.cells, 120, {}, limits, memory);
    expect(apart.reader.passes()).toBe(4);
    expect(apart.groups).toEqual(together.groups);
    const kept = await embedCells(small.cells, 120, {}, { covarianceBytes: bytes }, memory);
    expect(kept.reader.passes()).toBe(1);
    expect(kept.groups).toEqual(together.groups);
  });

  test("leaves out cells without counts, and gives the example gene's expression of the others", async () => {
    const cells = small.cells.map((cell, at) => (at % 10 === 0 ? [] : cell));
    const symbols = Array.from({ length: 120 }, (_, gene) => (gene === 7 ? "CST3" : `GENE${gene}`));
    const { pca, umap, exampleGene } = await embedOne(cells, 120, {}, {}, { symbols });
    const counted = [...cells.keys()].filter((cell) => cell % 10 !== 0);
    expect(pca!.cells).toEqual(Uint32Array.from(counted));
    expect(umap!.cells).toEqual(pca!.cells);
    const expected = counted.map((cell) => {
      const sum = cells[cell]!.reduce((total, [, count]) => total + count, 0);
      const own = cells[cell]!.find(([gene]) => gene === 7)?.[1] ?? 0;
      return Math.log1p((1_000 * own) / sum);
    });
    expect(exampleGene).toMatchObject({ index: 7, symbol: "CST3" });
    exampleGene!.expression.forEach((value, at) => expect(value).toBeCloseTo(expected[at]!, 5));
  });

  test("finds the clusters planted in the fixture", async () => {
    const folder = join(import.meta.dirname, "../../../fixtures/matrix");
    const { whole } = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8")) as {
      readonly whole: {
        readonly highly_variable: readonly string[];
        readonly planted_cluster: readonly number[];
      };
    };
    const lines = gunzipSync(readFileSync(join(folder, "tenx/matrix.mtx.gz")))
      .toString()
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("%"))
      .map((line) => line.split(" ").map(Number));
    const [[genes = 0, count = 0] = [], ...entries] = lines;
    const cells = Array.from({ length: count }, () => [] as [number, number][]);
    for (const [gene = 0, cell = 0, value = 0] of entries) {
      if (value > 0) cells[cell - 1]?.push([gene - 1, value]);
    }
    const { atCutoffs, isFallback, umap, pca, reasons } = await embedOne(cells, genes);
    expect([atCutoffs, isFallback]).toEqual([whole.highly_variable.length, true]);
    expect(reasons).toEqual({});
    expect(pca!.cells).toHaveLength(240);
    expect(adjustedRandIndex(whole.planted_cluster, umap!.clusters)).toBeGreaterThanOrEqual(0.95);
  });

  test("tells how far it is, never backwards", async () => {
    const told: [string, number][] = [];
    const onProgress = (stage: string, fraction: number): void => void told.push([stage, fraction]);
    await embedOne(small.cells, 120, { onProgress });
    expect([...new Set(told.map(([stage]) => stage))]).toEqual(["PCA", "UMAP", "markers"]);
    for (const stage of ["PCA", "UMAP", "markers"]) {
      const fractions = told.filter(([own]) => own === stage).map(([, fraction]) => fraction);
      expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
      expect(fractions.at(-1)).toBe(1);
    }
  });

  test("fails as transient where its process was stopped: that says nothing about the matrix", async () => {
    await expect(embedOne(planted.cells, 800, {}, { umapMs: () => 1 })).rejects.toMatchObject({
      kind: "transient",
      message: "neighbours, UMAP and clusters took longer than 1 s and were stopped",
    });
  });

  test("stops when it is told to: before, while it reads, while it computes UMAP", async () => {
    const aborted = { kind: "aborted", cause: "enough" };
    const before = embedOne(small.cells, 120, { signal: AbortSignal.abort("enough") });
    await expect(before).rejects.toMatchObject(aborted);
    const reading = new AbortController();
    const onBlock = (cell: number): void => (cell > 0 ? reading.abort("enough") : undefined);
    await expect(
      embedOne(small.cells, 120, { signal: reading.signal }, {}, { onBlock }),
    ).rejects.toMatchObject(aborted);
    const mapping = new AbortController();
    const onProgress = (stage: string): void =>
      stage === "UMAP" ? mapping.abort("enough") : undefined;
    await expect(
      embedOne(small.cells, 120, { signal: mapping.signal, onProgress }),
    ).rejects.toMatchObject(aborted);
  });
});

describe("embed(reader, statistics, options) of what is hardly a matrix", () => {
  const row = (...counts: number[]): (readonly [number, number])[] =>
    [...counts.entries()].filter(([, count]) => count > 0);
  const NO_BASIS = {
    umap: "there are no principal components to build on",
    exampleGene: "there are no principal components to colour",
    markers: "there are no clusters to compare",
  };

  test.each<readonly [string, Cells, number, string]>([
    ["no cell", [], 3, "PCA needs at least 3 cells with counts, there are none"],
    ["one cell", [row(1, 2, 3)], 3, "PCA needs at least 3 cells with counts, there is only 1"],
    [
      "two cells",
      [row(1, 2, 3), row(3, 1, 1)],
      3,
      "PCA needs at least 3 cells with counts, there are only 2",
    ],
    [
      "cells without counts",
      [[], [], [], row(1, 1)],
      2,
      "PCA needs at least 3 cells with counts, there is only 1",
    ],
    [
      "one gene",
      [row(1), row(2), row(3), row(4)],
      1,
      "PCA needs at least 3 genes that vary between cells, there are none",
    ],
    [
      "two genes",
      [row(1, 4), row(2, 1), row(3, 9), row(4, 4)],
      2,
      "PCA needs at least 3 genes that vary between cells, there are only 2",
    ],
    [
      "cells that are all alike",
      Array.from({ length: 40 }, () => row(1, 2, 3, 4)),
      4,
      "PCA needs at least 3 genes that vary between cells, there are none",
    ],
    [
      "cells of two kinds",
      Array.from({ length: 40 }, (_, cell) => (cell % 2 === 0 ? row(1, 2, 3, 4) : row(4, 3, 2, 1))),
      4,
      "the cells differ along one direction only",
    ],
  ])("says why there is nothing for %s", async (_, cells, genes, reason) => {
    const group = await embedOne(cells, genes);
    expect(group).toMatchObject({ pca: null, umap: null, exampleGene: null, markers: null });
    expect(group.reasons).toEqual({ pca: reason, ...NO_BASIS });
  });

  test("makes a PCA of three cells, and says why there is no UMAP", async () => {
    const group = await embedOne([row(1, 2, 3), row(3, 1, 1), row(9, 1, 4)], 3);
    expect(group.pca!.varianceRatio).toHaveLength(2);
    expect(group.pca!.pc1.every(Number.isFinite)).toBe(true);
    expect(group.exampleGene!.expression).toHaveLength(3);
    expect(group.reasons).toEqual({
      umap: "UMAP needs at least 11 cells with counts, there are only 3",
      markers: "there are no clusters to compare",
    });
  });

  test("says why there are no markers where all cells are in one cluster", async () => {
    const group = await embedOne(small.cells.slice(0, 11), 120);
    expect(group.umap!.clusterSizes).toEqual([11]);
    expect(group.markers).toBe(null);
    expect(group.reasons).toEqual({
      markers: "all cells are in one cluster, so there is nothing to compare it with",
    });
  });

  test("embeds one group beside others that have too little", async () => {
    const approaches = [...TWO, { key: "unknown", label: "unknown" }];
    const approachOf = Uint8Array.from(small.cells, (_, cell) =>
      cell === 5 ? 1 : cell < 5 ? 2 : 0,
    );
    const cells = small.cells.map((cell, at) => (at < 5 ? [] : cell));
    const { groups } = await embedCells(cells, 120, {}, {}, { approaches, approachOf });
    expect(groups.map(({ pca }) => pca?.cells.length ?? null)).toEqual([294, null, null]);
    expect(groups.map(({ reasons }) => reasons.pca ?? null)).toEqual([
      null,
      "PCA needs at least 3 cells with counts, there is only 1",
      "PCA needs at least 3 cells with counts, there are none",
    ]);
    expect(groups[0]!.exampleGene!.expression).toHaveLength(294);
  });

  test("says so where groups share no gene", async () => {
    const cells = Array.from({ length: 8 }, (_, cell): Cells[number] =>
      row(...[1, 2 + cell, 3 * (cell % 3) + 1]).map(([gene, count]) => [
        gene + (cell < 4 ? 0 : 3),
        count,
      ]),
    );
    const approachOf = Uint8Array.of(0, 0, 0, 0, 1, 1, 1, 1);
    const { groups } = await embedCells(cells, 6, {}, {}, { approaches: TWO, approachOf });
    for (const { pca, exampleGene, reasons } of groups) {
      expect(pca!.cells).toHaveLength(4);
      expect(exampleGene).toBe(null);
      expect(reasons.exampleGene).toBe("no gene has counts in every library construction approach");
    }
  });
});
