// What every page of either job has: its title, its place in the site, its assets under their published names, and the files it is delivered as.

/** The templates that pages are made with, by the names of their files in views/. */
export type PageTemplate = "atlas" | "index" | "runs" | "missing" | "matrix" | "matrices";
/** Turns a page model into HTML; given to the rooms, since templates are not their business. */
export type RenderPage = (template: PageTemplate, model: object) => string;
/** Asset by its name in views/assets (e.g. "site.css") → its published path (e.g. "assets/site.1a2b3c4d.css"). */
export type AssetPaths = Readonly<Record<string, string>>;

/** A file of the site as text. */
export interface PageFile {
  readonly path: string;
  readonly contentType: string;
  readonly text: string;
}

/** A figure that is already drawn. `svg` and `compactSvg` are the only markup that a page takes as it is. */
export interface PageFigure {
  /** Names the figure within its page; a grid's name for its heatmap, else "timeline" or "network". */
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

/** A matrix's figures as a page of its atlas shows them; addresses are from the site's root. */
export interface Gallery {
  readonly title: string;
  /** Its page, e.g. "matrices/<id>.html". */
  readonly href: string;
  /** One line, e.g. "10X · 2,700 cells · median 820 genes". */
  readonly facts: string;
  readonly figures: readonly GalleryFigure[];
}

/** A published picture. */
interface GalleryFigure {
  /** Address of the picture and of the same at twice the density. */
  readonly src: string;
  readonly src2x: string;
  readonly alt: string;
  readonly title: string;
  /** Which of the matrix's approaches it is of, as a heading; "" where there is only one. */
  readonly approach: string;
  /** Pixels of the first; they keep its place while it loads. */
  readonly width: number;
  readonly height: number;
}

export const HTML = "text/html; charset=utf-8";
export const JSON_TYPE = "application/json; charset=utf-8";
export const CSV_TYPE = "text/csv; charset=utf-8";
export const PLAIN_TEXT = "text/plain; charset=utf-8";

/** A link of the header. */
interface FrameLink {
  readonly label: string;
  readonly href: string;
  readonly isCurrent: boolean;
}

/** What the head of a page needs. */
interface PageFrame {
  readonly title: string;
  readonly description: string;
  readonly brand: { readonly label: string; readonly href: string };
  readonly links: readonly FrameLink[];
  readonly styles: readonly string[];
  /** Runs before the page is drawn, so that the chosen theme does not flash. */
  readonly themeScript: string;
  readonly scripts: readonly string[];
}

/** What a template's pages load, in order, apart from theme.js. */
interface PageAssets {
  readonly styles: readonly string[];
  readonly scripts: readonly string[];
}

const TABLE_STYLES = ["theme.css", "site.css", "table.css"];
const TABLE_SCRIPTS = ["address.js", "controls.js", "rows.js", "table.js"];
const TABLES: PageAssets = { styles: TABLE_STYLES, scripts: TABLE_SCRIPTS };
const PAGE_ASSETS: Readonly<Record<PageTemplate, PageAssets>> = {
  index: TABLES,
  runs: TABLES,
  // It carries its own style, since it is served for addresses at any depth.
  missing: { styles: [], scripts: [] },
  atlas: {
    styles: [...TABLE_STYLES, "atlas.css", "figures.css"],
    scripts: [
      "address.js",
      "tabs.js",
      "controls.js",
      "rows.js",
      "table.js",
      "figures.js",
      "lineage.js",
      "timelineFigure.js",
      "networkFigure.js",
    ],
  },
  matrices: {
    styles: [...TABLE_STYLES, "gallery.css", "matrices.css"],
    scripts: [...TABLE_SCRIPTS, "gallery.js"],
  },
  matrix: {
    styles: [...TABLE_STYLES, "atlas.css", "figures.css", "gallery.css"],
    scripts: ["address.js", "tabs.js", "controls.js", "rows.js", "table.js", "gallery.js"],
  },
};

/** A link of the header with the template of the page that it leads to. */
type Place = readonly [label: string, href: string, template: PageTemplate];
/** The dashboard's own pages, as seen from the site's root. */
const DASHBOARD: readonly Place[] = [
  ["Atlases", "index.html", "index"],
  ["Runs", "runs.html", "runs"],
];
/** The matrix job's own pages, as seen from their folder. */
const MATRICES: readonly Place[] = [["Matrices", "index.html", "matrices"]];

/** What a page says of itself. */
interface FrameInput {
  readonly title: string;
  readonly description: string;
  readonly assets: AssetPaths;
  /** True where pages about matrices lie in a folder below a dashboard of atlases; other pages need not say. */
  readonly hasDashboard?: boolean;
  /** True where the site has pages about matrices, for pages of the dashboard. */
  readonly hasMatrices?: boolean;
  /** Styles for parts that only some pages of the template have. */
  readonly moreStyles?: readonly string[];
}

/** Makes a page's frame. Assets that are not in the map are taken from assets/ by their own name. */
export function makeFrame(page: PageTemplate, input: FrameInput): PageFrame {
  const published = (name: string) => input.assets[name] ?? `assets/${name}`;
  const { styles, scripts } = PAGE_ASSETS[page];
  return {
    title: input.title,
    description: input.description,
    ...navigation(page, input),
    styles: [...styles, ...(input.moreStyles ?? [])].map(published),
    themeScript: published("theme.js"),
    scripts: scripts.map(published),
  };
}

function navigation(
  page: PageTemplate,
  { hasDashboard = false, hasMatrices = false }: FrameInput,
): Pick<PageFrame, "brand" | "links"> {
  const isMatrices = page === "matrix" || page === "matrices";
  const seenFrom = (folder: string, places: readonly Place[]) =>
    places.map(([label, href, template]): Place => [label, folder + href, template]);
  const places = isMatrices
    ? [...(hasDashboard ? seenFrom("../", DASHBOARD) : []), ...MATRICES]
    : [...DASHBOARD, ...(hasMatrices ? seenFrom("matrices/", MATRICES) : [])];
  return {
    brand: {
      label: isMatrices && !hasDashboard ? "Matrix figures" : "HTAN data dashboard",
      href: isMatrices && hasDashboard ? "../index.html" : "index.html",
    },
    links: places.map(([label, href, template]) => ({ label, href, isCurrent: template === page })),
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
