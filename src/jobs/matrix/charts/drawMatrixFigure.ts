// One figure of a matrix, whole: data → charts → drawings for pages, files of its own, and the spec for reuse.

import { HdashError } from "../../../error.ts";
import { px } from "../../../render/canvas.ts";
import { textWidth } from "../../../render/glyphs.ts";
import { heightOfPng, renderPng } from "../../../render/png.ts";
import { type Drawing, escapeXml, inlineSvg } from "../../../render/svg.ts";
import { FONT, INK } from "../../../render/theme.ts";
import { FIGURE_CONFIG, renderFigure, type VegaLiteSpec } from "../../../render/vega.ts";
import type { MadeFigure, MatrixFigureData } from "../figures/figure.ts";
import { boxesChart } from "./boxesChart.ts";
import {
  type Chart,
  type ChartSize,
  type PanelPoints,
  pictureOf,
  placeColour,
  type PointLayer,
  pointMarks,
  pointPlace,
} from "./chart.ts";
import { pcaChart, umapChart } from "./embeddedCharts.ts";
import { markersChart } from "./markersChart.ts";
import { BLEED, drawPoints } from "./pointPicture.ts";
import { scatterChart } from "./scatterChart.ts";
import { variableGenesChart } from "./variableGenesChart.ts";
import { violinsChart } from "./violinsChart.ts";

/** A figure of a matrix, drawn. */
export interface DrawnMatrixFigure {
  /** Trusted markup for a page in its colours, 600 wide. */
  readonly inlineSvg: string;
  /** The same for a narrow screen, 350 wide. */
  readonly compactSvg: string;
  /** An SVG file of its own, on white, with its title and what it rests on. */
  readonly fileSvg: string;
  /** The Vega-Lite spec with its data, as JSON. */
  readonly spec: string;
  /** The file as a picture: 600 pixels wide at 100 dpi. */
  readonly png: Uint8Array;
  /** Of that picture, in pixels. */
  readonly height: number;
  /** 1,200 pixels wide at 200 dpi. */
  readonly png2x: Uint8Array;
  /** 320 × 240 pixels, without words. */
  readonly thumbnail: Uint8Array;
}

/** Up to as many points are shapes of a page's own; more become one picture, since each shape takes about 130 bytes and a small picture 5,000. */
const MOST_SHAPES = 50;
/** Colours of the PNG: ramps and edges need more than the few of the dashboard's figures. */
const COLOURS = 256;
const DPI = 100;

/** Draws a figure for pages and for files; the same figure gives the same bytes. Throws a permanent error where a chart is not accepted. */
export async function drawMatrixFigure(figure: MadeFigure): Promise<DrawnMatrixFigure> {
  const wide = await drawChart(figure, "wide");
  const compact = await drawChart(figure, "compact");
  const thumb = await drawChart(figure, "thumb");
  const fileSvg = fileSvgOf(wide, figure);
  const png = await renderPng(fileSvg, 1, { colours: COLOURS, dpi: DPI });
  return {
    inlineSvg: inlineSvg(wide, figure.alt),
    compactSvg: inlineSvg(compact, figure.alt),
    fileSvg,
    spec: `${JSON.stringify(publishedSpec(figure))}\n`,
    png,
    height: heightOfPng(png),
    png2x: await renderPng(fileSvg, 2, { colours: COLOURS, dpi: 2 * DPI }),
    thumbnail: await renderPng(sheetSvg(thumb.width, thumb.height, figure, thumb.body), 1, {
      colours: COLOURS,
      dpi: DPI,
    }),
  };
}

/** Makes the chart of a figure's data. */
function chartOf(data: MatrixFigureData, size: ChartSize, points: PointLayer): Chart {
  switch (data.kind) {
    case "boxes":
      return boxesChart(data, size, points);
    case "violins":
      return violinsChart(data, size, points);
    case "scatter":
      return scatterChart(data, size, points);
    case "variableGenes":
      return variableGenesChart(data, size, points);
    case "pca":
      return pcaChart(data, size, points);
    case "umap":
      return umapChart(data, size, points);
    case "markers":
      return markersChart(data, size);
  }
}

/** Panels colour their points by different things, and points by others than shapes. */
const OWN_COLOURS = {
  scale: { color: "independent", fillOpacity: "independent" },
} as const;
const SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json";

/** Makes the spec for reuse: every point is a mark, and it needs nothing from outside, our fonts and colours included. */
function publishedSpec(figure: MadeFigure): VegaLiteSpec {
  const { view } = chartOf(figure.data, "wide", pointMarks);
  return {
    $schema: SCHEMA,
    title: { text: figure.title, anchor: "start", fontSize: 16, offset: 16 },
    description: figure.alt,
    usermeta: { name: figure.name, caption: figure.caption },
    padding: 12,
    ...view,
    resolve: OWN_COLOURS,
    config: { ...FIGURE_CONFIG, font: `${FONT}, sans-serif`, background: INK.surface },
  } as VegaLiteSpec;
}

async function drawChart(figure: MadeFigure, size: ChartSize): Promise<Drawing> {
  const panels: { readonly colour: string; readonly points: PanelPoints }[] = [];
  const chart = chartOf(figure.data, size, (points) => {
    if (points.xs.length <= MOST_SHAPES) return pointMarks(points);
    const panel = panels.length;
    panels.push({ colour: placeColour(panel), points });
    return pointPlace(points, panel);
  });
  const { left, top } = chart.padding;
  const spec = {
    $schema: SCHEMA,
    autosize: "none",
    padding: { left, top, right: 0, bottom: 0 },
    ...chart.view,
    resolve: OWN_COLOURS,
  } as VegaLiteSpec;
  const { body } = await renderFigure(spec, { id: `${figure.name}-${size}` });
  let filled = body;
  for (const { colour, points } of panels) {
    const image = await imageOf(points, size);
    const place = new RegExp(`<path [^>]*fill="${colour}"[^>]*/>`);
    if (!place.test(filled)) {
      throw new HdashError(
        "permanent",
        `figure ${figure.name}: the points’ place ${colour} is lost`,
      );
    }
    filled = filled.replace(place, () => image);
  }
  return { width: chart.width, height: Math.ceil(chart.height), body: filled };
}

async function imageOf(points: PanelPoints, size: ChartSize): Promise<string> {
  const url = await drawPoints(pictureOf(points, size));
  const width = points.width + 2 * BLEED;
  const height = points.height + 2 * BLEED;
  return `<image x="${-BLEED}" y="${-BLEED}" width="${px(width)}" height="${px(height)}" preserveAspectRatio="none" href="${url}"/>`;
}

const TITLE_HEIGHT = 38;
const EDGE = 12;
const SMALL = 10.5;
const LINE = 15;

function fileSvgOf(drawing: Drawing, figure: MadeFigure): string {
  const lines = wrapWords(figure.caption, drawing.width - 2 * EDGE, SMALL);
  const below = TITLE_HEIGHT + drawing.height + 16;
  const height = below + lines.length * LINE + 2;
  const caption = lines
    .map(
      (line, at) =>
        `<text x="${EDGE}" y="${below + at * LINE}" font-size="${SMALL}px" fill="${INK.muted}">${escapeXml(line)}</text>`,
    )
    .join("");
  return sheetSvg(
    drawing.width,
    height,
    figure,
    `<text x="${EDGE}" y="26" font-size="16px" font-weight="600" fill="${INK.ink}">${escapeXml(figure.title)}</text>` +
      `<g transform="translate(0,${TITLE_HEIGHT})">${drawing.body}</g>${caption}`,
  );
}

function sheetSvg(width: number, height: number, figure: MadeFigure, body: string): string {
  const plain = body.replace(/<[^>]+>/g, (tag) => tag.replace(` font-family="${FONT}"`, ""));
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="${FONT}, sans-serif">` +
    `<title>${escapeXml(figure.title)}</title><desc>${escapeXml(figure.alt)}</desc>` +
    `<rect width="${width}" height="${height}" fill="${INK.surface}"/>${plain}</svg>\n`
  );
}

/** Breaks a text into lines that fit. */
function wrapWords(text: string, width: number, size: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && textWidth(longer, size) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return line === "" ? lines : [...lines, line];
}
