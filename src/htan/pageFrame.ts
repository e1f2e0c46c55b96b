// What every page of the site has: its title, its assets under their published names, and the files it is delivered as.

/** The templates that pages are made with, by the names of their files in views/. */
export type PageTemplate = "atlas" | "index" | "runs" | "missing";
/** Turns a page model into HTML; given to the room, since templates are not its business. */
export type RenderPage = (template: PageTemplate, model: object) => string;
/** Asset by its name in views/assets (e.g. "site.css") → its published path (e.g. "assets/site.1a2b3c4d.css"). */
export type AssetPaths = Readonly<Record<string, string>>;
/** Draws a small trend line as SVG markup; `label` names the number in its text alternative, `format` writes its values there. */
export type DrawSparkline = (
  points: readonly { readonly at: string; readonly value: number }[],
  label: string,
  options?: { readonly format?: (value: number) => string },
) => string;

/** A file of the site as text. */
export interface PageFile {
  readonly path: string;
  readonly contentType: string;
  readonly text: string;
}

/** A figure that is already drawn. `svg` and `compactSvg` are the only markup that a page takes as it is. */
export interface PageFigure {
  /** A grid's name for its heatmap, else "timeline" or "network"; free for matrix figures. */
  readonly id: string;
  readonly title: string;
  readonly alt: string;
  readonly svg: string;
  /** The same for narrow screens; absent where one drawing serves all. */
  readonly compactSvg?: string;
  /** Published files; "" where there is none. */
  readonly svgPath: string;
  readonly pngPath: string;
}

/** A moment in an atlas's history: its measures as they stood from then on. */
export interface AtlasVersion {
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly measures: Readonly<Record<string, number>>;
}

/** A finding's count on either side of a change. */
export interface SeverityCounts {
  readonly error: number;
  readonly warning: number;
  readonly info: number;
}

export const HTML = "text/html; charset=utf-8";
export const JSON_TYPE = "application/json; charset=utf-8";
export const CSV_TYPE = "text/csv; charset=utf-8";
export const PLAIN_TEXT = "text/plain; charset=utf-8";

/** What a Synapse id is appended to, to make the address of its page. */
export const SYNAPSE_LINK = "https://www.synapse.org/Synapse:";

/** Makes the address of a Synapse entity's page; "" for what is no Synapse id. */
export function synapsePage(id: string): string {
  return /^syn\d+$/.test(id) ? SYNAPSE_LINK + id : "";
}

/** What the head of a page needs. */
interface PageFrame {
  readonly title: string;
  readonly description: string;
  readonly styles: readonly string[];
  /** Runs before the page is drawn, so that the chosen theme does not flash. */
  readonly themeScript: string;
  readonly scripts: readonly string[];
  readonly isIndex: boolean;
  readonly isRuns: boolean;
}

/** Assets that every page with tables loads, in their order, and those that only an atlas's page has use for. */
const STYLES = ["theme.css", "site.css", "table.css"];
const SCRIPTS = ["address.js", "rows.js", "table.js"];
const ATLAS_STYLES = [...STYLES, "atlas.css", "figures.css"];
const ATLAS_SCRIPTS = [
  "address.js",
  "tabs.js",
  "rows.js",
  "table.js",
  "figures.js",
  "lineage.js",
  "timelineFigure.js",
  "networkFigure.js",
];

/** Makes a page's frame. Assets that are not in the map are taken from assets/ by their own name. */
export function makeFrame(
  page: PageTemplate,
  title: string,
  description: string,
  assets: AssetPaths,
): PageFrame {
  const published = (name: string) => assets[name] ?? `assets/${name}`;
  const isAtlas = page === "atlas";
  return {
    title,
    description,
    styles: (isAtlas ? ATLAS_STYLES : STYLES).map(published),
    themeScript: published("theme.js"),
    scripts: (isAtlas ? ATLAS_SCRIPTS : SCRIPTS).map(published),
    isIndex: page === "index",
    isRuns: page === "runs",
  };
}

/** Writes JSON for a download: an object's keys or a list's items a line each, so that it can be read and compared without growing much. */
export function jsonText(value: object): string {
  const isList = Array.isArray(value);
  const lines = isList
    ? value.map((item) => JSON.stringify(item))
    : Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${JSON.stringify(item)}`);
  const [open, close] = isList ? "[]" : "{}";
  return lines.length === 0 ? `${open}${close}\n` : `${open}\n${lines.join(",\n")}\n${close}\n`;
}
