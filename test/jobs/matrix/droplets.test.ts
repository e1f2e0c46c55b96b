// Matrices of all droplets: what is said of them, and figures of more clusters than can be named.

import { describe, expect, test } from "vitest";

import { analyseMatrix } from "../../../src/jobs/matrix/analysis.ts";
import { type ChartSize, pointMarks, type View } from "../../../src/jobs/matrix/charts/chart.ts";
import { umapChart } from "../../../src/jobs/matrix/charts/embeddedCharts.ts";
import { type UmapData } from "../../../src/jobs/matrix/figures/figure.ts";
import { makeFigures } from "../../../src/jobs/matrix/figures/figures.ts";
import { sampleEmbedding, sampleStatistics } from "./figureSample.ts";
import { caseInput } from "./support/countCases.ts";
import { countingIn, mtx, rows, SMALL, useWorkplace } from "./support/matrixFiles.ts";

const place = useWorkplace();
const { count } = countingIn(place);
const SEED = { seed: 1 };

function umapOf(clusters: number): { data: UmapData; caption: string } {
  const embedding = sampleEmbedding(3_000, { clusters });
  const figure = makeFigures(sampleStatistics(3_000), 0, embedding, SEED).find(
    ({ name }) => name === "umap",
  );
  if (figure?.reason !== null || figure.data.kind !== "umap") throw new TypeError("no UMAP");
  return { data: figure.data, caption: figure.caption };
}

interface Word {
  readonly text: string;
  readonly px: number;
  readonly py: number;
}

/** The panel of clusters, and the words in it. */
function clusterPanel(data: UmapData, size: ChartSize): { view: View; words: readonly Word[] } {
  const { view } = umapChart(data, size, pointMarks);
  const { hconcat, vconcat } = view as { hconcat?: readonly View[]; vconcat?: readonly View[] };
  const panel = (hconcat ?? vconcat)?.[0];
  if (panel === undefined) throw new TypeError("no panel");
  const words: Word[] = [];
  JSON.parse(JSON.stringify(panel), (_key, value: unknown) => {
    if (typeof value === "object" && value !== null && "text" in value && "px" in value) {
      words.push(value as Word);
    }
    return value;
  });
  return { view: panel, words };
}

describe("computeStatistics(reader): droplets", () => {
  test("notes that most cells are nearly empty", async () => {
    const folder = caseInput("many-clusters", "input/00000000-0000-4000-8000-000000000032");
    const { notes } = await count(folder);
    expect(notes.filter(({ rule }) => rule === "M_DROPLETS")).toEqual([
      {
        rule: "M_DROPLETS",
        severity: "warning",
        message: expect.stringMatching(
          /^most cells are nearly empty: [34],\d{3} of 4,500 have no more than 10 counts \(median 1\); these may be all droplets, before those with cells were called$/,
        ) as string,
      },
    ]);
  });

  test("says nothing of few cells, nor where most have counts", async () => {
    const folderOf = (cells: number, nearlyEmpty: number): Promise<string> =>
      place.folder({
        ...SMALL,
        "matrix.mtx": mtx(
          3,
          cells,
          Array.from({ length: cells }, (_, at) => [1, at + 1, at < nearlyEmpty ? 1 : 11] as const),
        ),
        "barcodes.tsv": rows(...Array.from({ length: cells }, (_, at) => `cell${at}`)),
      });
    const rulesOf = async (path: string): Promise<readonly string[]> =>
      (await count(path)).notes.map(({ rule }) => rule);
    expect(await rulesOf(await folderOf(99, 99))).not.toContain("M_DROPLETS");
    expect(await rulesOf(await folderOf(100, 50))).not.toContain("M_DROPLETS");
    expect(await rulesOf(await folderOf(100, 51))).toContain("M_DROPLETS");
  });
});

describe("umapChart(data, size, points): many clusters", () => {
  test.each<ChartSize>(["wide", "compact", "thumb"])(
    "keeps every number of a cluster in its panel, and names the largest only: %s",
    (size) => {
      const { data, caption } = umapOf(290);
      expect(caption).toContain("named at the median of their cells (the 40 largest only)");
      const { view, words } = clusterPanel(data, size);
      const { width, height } = view as { width: number; height: number };
      const numbers = words.filter(({ text }) => /^\d+$/.test(text));
      expect(new Set(numbers.map(({ text }) => Number(text)))).toEqual(
        new Set(Array.from({ length: 40 }, (_, cluster) => cluster)),
      );
      const outside = numbers.filter(
        ({ px, py }) => px < 4 || px > width - 4 || py < 4 || py > height - 4,
      );
      expect(outside).toEqual([]);
      // Some of the sample's clusters have no cell, so that they have no place either.
      const headings = words.filter(({ text }) => text.includes("clusters"));
      expect(headings.map(({ text }) => text)).toEqual(
        size === "thumb" ? [] : [`${data.clusters.length} clusters, the 40 largest named`],
      );
    },
  );

  test("names all of no more than forty", () => {
    const { data, caption } = umapOf(40);
    expect(caption).not.toContain("largest only");
    const { words } = clusterPanel(data, "wide");
    expect(words.map(({ text }) => text)).toContain("40 clusters");
    expect(words.map(({ text }) => text)).toContain("39");
  });
});

describe("analyseMatrix(request): medians", () => {
  test("agrees with its violins: cells without counts have no part in either", async () => {
    const path = await place.folder({
      ...SMALL,
      "matrix.mtx": mtx(3, 6, [
        [1, 1, 5],
        [3, 1, 1],
        [2, 2, 7],
      ]),
      "barcodes.tsv": rows("a", "b", "c", "d", "e", "f"),
    });
    const { scratchDir } = place;
    const request = { path, approaches: ["10x v2"], scratchDir, seed: 1, sampleCells: 100 };
    const analysis = await analyseMatrix(request, { signal: new AbortController().signal });
    if (!analysis.isReadable) throw new TypeError(analysis.message);
    const [group] = analysis.facts.groups;
    expect([group?.medianCounts, group?.medianGenes]).toEqual([6.5, 1.5]);
    const violin = analysis.figures[0]?.figures.find(({ name }) => name === "violin");
    if (violin?.reason !== null || violin.data.kind !== "violins") throw new TypeError("none");
    expect(violin.data.panels.slice(0, 2).map(({ median }) => median)).toEqual([6.5, 1.5]);
  });
});

describe("highestGenesFigure(statistics)", () => {
  const altOf = (kept: readonly string[]): string => {
    const statistics = sampleStatistics(200);
    const groups = statistics.groups.map((group) => ({
      ...group,
      topGenes: group.topGenes.filter(({ symbol }) => kept.includes(symbol)),
    }));
    const figure = makeFigures({ ...statistics, groups }, 0, null, SEED).find(
      ({ name }) => name === "highest_expr_genes",
    );
    return figure?.reason === null ? figure.alt : "";
  };

  test.each([
    [["MALAT1", "MT-CO1"], "Among them is 1 mitochondrial gene."],
    [["MALAT1", "RPL10"], "Among them is 1 ribosomal gene."],
    [["MT-CO1", "MT-CO3"], "Among them are 2 mitochondrial genes."],
    [["MT-CO1", "RPL10", "RPL13"], "Among them are 1 mitochondrial and 2 ribosomal genes."],
  ])("counts %s in words", (kept, words) => {
    expect(altOf(kept)).toContain(words);
  });
});
