import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import {
  drawMatrixFigure,
  type DrawnMatrixFigure,
} from "../../../../src/jobs/matrix/charts/drawMatrixFigure.ts";
import type { MatrixStatistics } from "../../../../src/jobs/matrix/counting/statistics.ts";
import type { GroupEmbedding } from "../../../../src/jobs/matrix/embed/embedding.ts";
import { FIGURE_NAMES, type MadeFigure } from "../../../../src/jobs/matrix/figures/figure.ts";
import { makeFigures } from "../../../../src/jobs/matrix/figures/figures.ts";
import { prepareFonts } from "../../../../src/render/fonts.ts";
import { renderFigure, type VegaLiteSpec } from "../../../../src/render/vega.ts";
import { sampleEmbedding, sampleStatistics } from "../figureSample.ts";

let dir = "";
let figures: readonly MadeFigure[] = [];
let drawn: ReadonlyMap<string, DrawnMatrixFigure> = new Map();

function madeOf(
  statistics: MatrixStatistics,
  embedding: GroupEmbedding | null,
): readonly MadeFigure[] {
  return makeFigures(statistics, 0, embedding, { seed: 1 }).filter(
    (figure) => figure.reason === null,
  );
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-fonts-"));
  // Before sharp draws for the first time in this process, as effects.ts does it.
  Object.assign(process.env, await prepareFonts(dir));
  figures = madeOf(sampleStatistics(1_500), sampleEmbedding(1_500));
  const drawings = new Map<string, DrawnMatrixFigure>();
  for (const figure of figures) drawings.set(figure.name, await drawMatrixFigure(figure));
  drawn = drawings;
});
afterAll(() => rm(dir, { recursive: true, force: true }));

function drawingOf(name: string): DrawnMatrixFigure {
  const drawing = drawn.get(name);
  if (drawing === undefined) throw new TypeError(`${name} was not drawn`);
  return drawing;
}

/** What a PNG says of itself: its size, and pixels per metre where it has them. */
function headOf(png: Uint8Array): { width: number; height: number; perMetre: number | null } {
  const bytes = Buffer.from(png);
  const at = bytes.indexOf("pHYs");
  return {
    width: bytes.readUInt32BE(16),
    height: bytes.readUInt32BE(20),
    perMetre: at === -1 ? null : bytes.readUInt32BE(at + 4),
  };
}

/** The rows of CSV in all data of a spec, by their header line. */
function rowsOf(spec: string): Readonly<Record<string, number>> {
  const found: Record<string, number> = {};
  JSON.parse(spec, (_key, value: unknown) => {
    if (typeof value === "string" && value.startsWith("x,y,")) {
      const [head = "", ...rows] = value.trimEnd().split("\n");
      found[head] = (found[head] ?? 0) + rows.length;
    }
    return value;
  });
  return found;
}

describe("drawMatrixFigure(figure)", () => {
  test.each(FIGURE_NAMES)(
    "draws %s as pictures of the sizes and densities that are asked for",
    (name) => {
      const { png, png2x, thumbnail, height } = drawingOf(name);
      const one = headOf(png);
      expect(height).toBe(one.height);
      expect(one).toEqual({ width: 600, height: one.height, perMetre: 3937 });
      expect(headOf(png2x)).toEqual({ width: 1200, height: 2 * one.height, perMetre: 7874 });
      expect(headOf(thumbnail)).toEqual({ width: 320, height: 240, perMetre: 3937 });
    },
  );

  test.each(FIGURE_NAMES)(
    "draws %s for a wide and a narrow page, in the page's colours",
    (name) => {
      const { inlineSvg, compactSvg } = drawingOf(name);
      expect(inlineSvg).toMatch(
        /^<svg width="600" height="\d+" viewBox="0 0 600 \d+" role="img" aria-label="/,
      );
      expect(compactSvg).toMatch(
        /^<svg width="350" height="\d+" viewBox="0 0 350 \d+" role="img" aria-label="/,
      );
      for (const svg of [inlineSvg, compactSvg]) {
        expect(svg).toContain("var(--fig-ink, #1f2933)");
        expect(svg).not.toMatch(/NaN|undefined|Infinity|#0102/);
        // Two approaches of a project share a page: ids would clash.
        expect(svg).not.toMatch(/ id="|url\(#|<script|href="(?!data:image\/png;base64,)/);
      }
    },
  );

  test("marks what has a colour of its own, which a dark page turns, and nothing else", () => {
    for (const name of FIGURE_NAMES) {
      const { inlineSvg, compactSvg } = drawingOf(name);
      for (const [tag] of (inlineSvg + compactSvg).matchAll(/<[a-z]+ [^>]*>/g)) {
        const isOwn = tag.startsWith("<image ") || /(?:fill|stroke)="#/.test(tag);
        expect([tag.slice(0, 60), tag.includes(' class="turned"')]).toEqual([
          tag.slice(0, 60),
          isOwn,
        ]);
      }
    }
    expect(drawingOf("rank_gene_groups").inlineSvg).toContain('class="turned"');
    expect(drawingOf("umap").fileSvg).not.toContain("turned");
  });

  test("puts many points into one picture for each panel, and few as shapes", async () => {
    const images = FIGURE_NAMES.map(
      (name) => drawingOf(name).inlineSvg.split("<image ").length - 1,
    );
    expect(images).toEqual([1, 3, 1, 1, 2, 1, 2, 0]);
    const [few] = madeOf(sampleStatistics(40), null).filter(({ name }) => name === "violin");
    if (few === undefined) throw new TypeError("no violin");
    const { inlineSvg } = await drawMatrixFigure(few);
    expect(inlineSvg).not.toContain("<image ");
    // The quartile's dot, and the cells.
    expect(inlineSvg.match(/A/g)?.length).toBeGreaterThan(120);
  });

  test("keeps a page with all eight below 0.8 megabytes", () => {
    const total = [...drawn.values()].reduce(
      (sum, { inlineSvg, compactSvg }) => sum + inlineSvg.length + compactSvg.length,
      0,
    );
    expect(total).toBeLessThan(750_000);
  });

  test("gives the same bytes for the same figure", async () => {
    for (const figure of figures.filter(({ name }) => name === "umap" || name === "violin")) {
      expect(await drawMatrixFigure(figure)).toEqual(drawingOf(figure.name));
    }
  });

  test.each(FIGURE_NAMES)("gives a spec of %s that is drawn from its JSON alone", async (name) => {
    const { spec } = drawingOf(name);
    const parsed = JSON.parse(spec) as VegaLiteSpec;
    expect(parsed.$schema).toBe("https://vega.github.io/schema/vega-lite/v6.json");
    const { width, height, body } = await renderFigure(parsed, { id: "alone" });
    expect(width).toBeGreaterThan(500);
    expect(height).toBeGreaterThan(200);
    expect(body).toContain(parsed.title === undefined ? "no title" : "<text");
    expect(body).not.toMatch(/NaN|Infinity|<image/);
  });

  test("writes every point into the spec, and each becomes a mark", async () => {
    const genes = figures.find(({ name }) => name === "highly_variable_genes");
    if (genes?.data.kind !== "variableGenes") throw new TypeError("no variable genes");
    const marks = genes.data.panels.reduce((sum, panel) => sum + panel.marks.x.length, 0);
    const rows = FIGURE_NAMES.map((name) => rowsOf(drawingOf(name).spec));
    expect(rows.slice(1)).toEqual([
      { "x,y,n": 900 },
      { "x,y,density": 1_500 },
      { "x,y,density": 1_500 },
      { "x,y,level": marks },
      { "x,y,expression": 1_500 },
      { "x,y,cluster": 1_500, "x,y,expression": 1_500 },
      {},
    ]);
    const parsed = JSON.parse(drawingOf("umap").spec) as VegaLiteSpec;
    const { body } = await renderFigure(parsed, { id: "alone" });
    expect(body.match(/<path [^>]*fill-opacity/g)).toHaveLength(3_000);
  });

  test("tells a file's title, words and what it rests on", () => {
    const { fileSvg } = drawingOf("umap");
    expect(fileSvg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="600" /);
    expect(fileSvg).toContain(
      "<title>UMAP and clusters</title><desc>Two UMAP plots of 1,500 cells. ",
    );
    expect(fileSvg).toContain(">1,500 cells. 8 Louvain clusters, numbered by size");
    expect(fileSvg).not.toContain("var(--");
  });

  test("puts points where the axes say", async () => {
    const [figure] = figures.filter(({ name }) => name === "scatter_genes_vs_counts");
    if (figure?.data.kind !== "scatter") throw new TypeError("no scatter plot");
    const { x, y } = figure.data;
    const corners = {
      ...figure,
      data: {
        ...figure.data,
        marks: {
          // 300 points in the lower left corner, so that they become a picture, and 300 in the upper right one.
          x: Array.from({ length: 600 }, (_, at) => x.domain[at < 300 ? 0 : 1]),
          y: Array.from({ length: 600 }, (_, at) => y.domain[at < 300 ? 0 : 1]),
          density: Array.from({ length: 600 }, () => 1),
        },
      },
    };
    const { inlineSvg } = await drawMatrixFigure(corners);
    const url = /href="data:image\/png;base64,([^"]+)"/.exec(inlineSvg)?.[1] ?? "";
    const { default: sharp } = await import("sharp");
    const { data, info } = await sharp(Buffer.from(url, "base64"))
      .raw()
      .toBuffer({ resolveWithObject: true });
    const opacity = (left: number, top: number): number =>
      data[(Math.round(top) * info.width + Math.round(left)) * 4 + 3] ?? 0;
    const bleed = 8;
    expect(opacity(bleed, info.height - bleed)).toBeGreaterThan(200);
    expect(opacity(info.width - bleed, bleed)).toBeGreaterThan(200);
    expect(opacity(bleed, bleed)).toBe(0);
    expect(opacity(info.width / 2, info.height / 2)).toBe(0);
  });
});

describe("drawMatrixFigure(figure) of awkward data", () => {
  const few = { genes: 400 };
  const one = sampleStatistics(1, few);
  const equal = sampleStatistics(60, few);
  equal.cells.nCounts.fill(500);
  equal.cells.nGenes.fill(200);
  equal.cells.mitoFraction?.fill(0);
  const flat = sampleEmbedding(60);
  flat.pca?.pc1.fill(1);
  flat.pca?.pc2.fill(1);
  flat.umap?.x.fill(3);
  flat.umap?.y.fill(3);
  flat.exampleGene?.expression.fill(0);
  const wild = sampleStatistics(60, { ...few, hasMito: false });
  wild.cells.nCounts[0] = 0;
  wild.cells.nCounts[1] = 5_000_000_000;
  const word = `<i>&"x" ]]> \u0000\u202e הגן`;
  const hostile = sampleEmbedding(300, { clusters: 2 });
  const named: GroupEmbedding = {
    ...hostile,
    exampleGene:
      hostile.exampleGene === null ? null : { ...hostile.exampleGene, symbol: word.repeat(9) },
    markers: [
      { cluster: 0, cells: 9, genes: [{ index: 0, symbol: word.repeat(9), score: -3 }] },
      { cluster: 1, cells: 1, genes: [{ index: 0, symbol: "", score: 1e9 }] },
    ],
  };

  test.each([
    ["one cell", one, sampleEmbedding(1, { clusters: 1 })],
    ["two cells", sampleStatistics(2, few), sampleEmbedding(2, { clusters: 1 })],
    ["one gene", sampleStatistics(40, { genes: 1 }), sampleEmbedding(40, { clusters: 2 })],
    ["cells that are all the same", equal, flat],
    ["counts far apart, no gene to show", wild, { ...sampleEmbedding(60), exampleGene: null }],
    ["forty clusters", sampleStatistics(800, few), sampleEmbedding(800, { clusters: 40 })],
    ["names that are markup", sampleStatistics(300, few), named],
  ] as const)("draws %s without a complaint", async (_, statistics, embedding) => {
    const awkward = madeOf(statistics, embedding);
    expect(awkward.length).toBeGreaterThanOrEqual(7);
    for (const figure of awkward) {
      const { inlineSvg, compactSvg, fileSvg, png, spec } = await drawMatrixFigure(figure);
      for (const svg of [inlineSvg, compactSvg, fileSvg]) {
        expect(svg.replace(/base64,[^"]*/g, "")).not.toMatch(
          /NaN|Infinity|undefined|<i>|\u0000|\u202e/,
        );
      }
      expect(headOf(png).width).toBe(600);
      await renderFigure(JSON.parse(spec) as VegaLiteSpec, { id: "alone" });
    }
  });
});
