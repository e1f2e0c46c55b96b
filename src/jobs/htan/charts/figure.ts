// One figure, whole: data → spec → the drawing for a page, the file of its own, and what it says in words.

import { inlineSvg, standaloneSvg } from "../../../render/svg.ts";
import { renderFigure, type VegaLiteSpec } from "../../../render/vega.ts";
import { barsSpec } from "./bars.ts";
import { completenessSpec } from "./completeness.ts";
import type { FigureData, FigureSize } from "./figureData.ts";
import { networkSpec } from "./network.ts";
import { timelineSpec } from "./timeline.ts";

/** A figure to be drawn. */
export interface Figure {
  /** Unique on its page; letters, digits, "_" and "-". */
  readonly id: string;
  readonly title: string;
  /** What it shows, in words and numbers. */
  readonly alt: string;
  readonly data: FigureData;
}

/** A figure, drawn. */
export interface DrawnFigure {
  /** Trusted markup for a page: the drawing for a wide and for a narrow screen, in the page's colours. */
  readonly inlineSvg: string;
  readonly compactSvg: string;
  /** An SVG file of its own, on white; also what pictures are made of. */
  readonly fileSvg: string;
  /** What the wide drawing was made from. */
  readonly spec: VegaLiteSpec;
}

/** Turns a figure's data into a Vega-Lite spec. */
export function figureSpec(data: FigureData, size: FigureSize): VegaLiteSpec {
  switch (data.kind) {
    case "completeness":
      return completenessSpec(data, size);
    case "bars":
      return barsSpec(data, size);
    case "timeline":
      return timelineSpec(data, size);
    case "network":
      return networkSpec(data, size);
  }
}

/** Draws a figure for pages and for files. Throws a permanent error where the spec is not accepted. */
export async function drawFigure(figure: Figure): Promise<DrawnFigure> {
  const spec = figureSpec(figure.data, "wide");
  const wide = await renderFigure(spec, { id: `${figure.id}-w` });
  const compact = await renderFigure(figureSpec(figure.data, "compact"), { id: `${figure.id}-c` });
  return {
    inlineSvg: inlineSvg(wide, figure.alt),
    compactSvg: inlineSvg(compact, figure.alt),
    fileSvg: standaloneSvg(wide, figure.title, figure.alt),
    spec,
  };
}
