// Figures, drawn for pages and as files. Loaded when first drawn: a run in which nothing moved needs no chart engine.

import type { TreeFile } from "../../../engine/step.ts";
import type { PageFigure } from "../../../render/page.ts";
import { renderPng } from "../../../render/png.ts";
import { textFile } from "../../../render/siteFiles.ts";
import { inlineSvg, standaloneSvg } from "../../../render/svg.ts";
import { renderFigure } from "../../../render/vega.ts";
import type { StudyFigure } from "../pages/studyFigures.ts";

/** Draws figures for pages and as files. */
export async function drawFigures(figures: readonly (StudyFigure | null)[]) {
  const drawn: PageFigure[] = [];
  const drawings: TreeFile[] = [];
  for (const figure of figures) {
    if (figure === null) continue;
    const { id, title, alt } = figure;
    const wide = await renderFigure(figure.spec("wide"), { id: `${id}-w` });
    const compact = await renderFigure(figure.spec("compact"), { id: `${id}-c` });
    const text = standaloneSvg(wide, title, alt);
    const [svgPath, pngPath] = [`figures/${id}.svg`, `figures/${id}.png`];
    drawings.push(textFile({ path: svgPath, contentType: "image/svg+xml; charset=utf-8", text }), {
      path: pngPath,
      contentType: "image/png",
      bytes: await renderPng(text),
    });
    drawn.push({
      ...{ id, title, alt, svgPath, pngPath },
      svg: inlineSvg(wide, alt),
      compactSvg: inlineSvg(compact, alt),
    });
  }
  return { figures: drawn, drawings };
}
