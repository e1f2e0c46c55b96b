// Vega-Lite specs → SVG. Nothing is loaded, nothing is guessed, and the same spec always gives the same bytes.

import * as vega from "vega";
import { compile, type TopLevelSpec } from "vega-lite";

import { HdashError, messageOf } from "../error.ts";
import { textWidth } from "./glyphs.ts";
import { type Drawing, takeDrawing } from "./svg.ts";
import { FONT, INK } from "./theme.ts";

/** A Vega-Lite specification; its data are inside. */
export type VegaLiteSpec = TopLevelSpec;

/** How all figures are set, where a spec does not say otherwise. */
export const FIGURE_CONFIG: NonNullable<TopLevelSpec["config"]> = {
  aria: false,
  font: FONT,
  background: "transparent",
  view: { stroke: null },
  text: { fontSize: 12, color: INK.ink, baseline: "middle" },
  axis: {
    labelColor: INK.muted,
    labelFontSize: 11,
    labelLimit: 1000,
    titleColor: INK.muted,
    titleFontSize: 11,
    titleFontWeight: 400,
    titleLimit: 1000,
    gridColor: INK.grid,
    domainColor: INK.rule,
    tickColor: INK.rule,
  },
};

/**
 * Draws a spec. Ids inside start with `id`, so that several figures can share a page.
 * Throws a permanent error for a spec that vega rejects, warns about, or that would load anything from outside.
 */
export async function renderFigure(
  spec: VegaLiteSpec,
  options: { readonly id: string },
): Promise<Drawing> {
  measureInInter();
  const complaints: string[] = [];
  try {
    const logger = makeLogger(complaints);
    const { spec: compiled } = compile(withConfig(spec), { logger });
    const view = new vega.View(vega.parse(compiled), {
      logger,
      loader: makeDenyingLoader(complaints),
      renderer: "none",
    });
    const svg = await view.toSVG();
    view.finalize();
    if (complaints.length > 0) throw new TypeError([...new Set(complaints)].join("; "));
    return takeDrawing(svg, options.id);
  } catch (cause) {
    throw new HdashError("permanent", `figure ${options.id}: ${messageOf(cause)}`, { cause });
  }
}

function withConfig(spec: VegaLiteSpec): VegaLiteSpec {
  return { ...spec, config: { ...FIGURE_CONFIG, ...spec.config } };
}

/**
 * Vega only warns of missing fields and bad types, and draws on; a figure that is not sure of its data must not appear.
 * Complaints are collected, not thrown: some are made in promises that nobody waits for.
 */
function makeLogger(complaints: string[]): vega.LoggerInterface {
  const complain = (...parts: readonly unknown[]): vega.LoggerInterface => {
    complaints.push(parts.map(messageOf).join(" "));
    return logger;
  };
  // Vega calls it without a value to learn the level, and with one to set it; then it expects the logger back.
  function level(): number;
  function level(value: number): vega.LoggerInterface;
  function level(value?: number): number | vega.LoggerInterface {
    return value === undefined ? 1 : logger;
  }
  const logger: vega.LoggerInterface = {
    level,
    error: complain,
    warn: complain,
    info: () => logger,
    debug: () => logger,
  };
  return logger;
}

function makeDenyingLoader(complaints: string[]): vega.Loader {
  const deny = (uri: string): void => void complaints.push(`would load ${uri}`);
  const empty = async (uri: string): Promise<string> => {
    deny(uri);
    return "";
  };
  // Vega has no way to hear that an address is refused, so this gives it one that leads nowhere.
  const sanitize = async (uri: string): Promise<{ href: string }> => {
    deny(uri);
    return { href: "#" };
  };
  return { load: empty, sanitize, http: empty, file: empty };
}

/**
 * Makes vega measure text with Inter's widths instead of guessing them from the number of letters (50 % too wide).
 * Vega keeps this in one object for the whole process; setting it again to the same function changes nothing.
 */
function measureInInter(): void {
  const metrics: unknown = Reflect.get(vega, "textMetrics");
  if (typeof metrics !== "object" || metrics === null || !("width" in metrics)) {
    throw new HdashError("permanent", "this version of vega does not let its text be measured");
  }
  metrics.width = widthOfItem;
}

function widthOfItem(item: unknown, text: unknown): number {
  if (typeof item !== "object" || item === null) return 0;
  const size = "fontSize" in item && typeof item.fontSize === "number" ? item.fontSize : 11;
  const weight = "fontWeight" in item ? item.fontWeight : 400;
  const isBold = weight === "bold" || (typeof weight === "number" && weight >= 600);
  return textWidth(
    typeof text === "string" ? text : String(Number(text)),
    size,
    isBold ? 600 : 400,
  );
}
