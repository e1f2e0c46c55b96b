// What every page has, whichever job's it is: its title, its place in the site's menu, its assets under their published names, and the files
// it is delivered as.

import { posix } from "node:path";

/** Turns a page model into HTML by the template's name in views/, e.g. "site/list"; given to the rooms, since templates are not their business. */
export type RenderPage = (template: string, model: object) => string;
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

/** Figures of one job as a page of another shows them; addresses are from the site's root. */
export interface Gallery {
  readonly title: string;
  /** The page that they are from. */
  readonly href: string;
  /** One line of numbers about what they show. */
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
  /** Which part of the data it is of, as a heading; "" where there is only one. */
  readonly approach: string;
  /** Pixels of the first; they keep its place while it loads. */
  readonly width: number;
  readonly height: number;
}

export const HTML = "text/html; charset=utf-8";
export const JSON_TYPE = "application/json; charset=utf-8";
export const CSV_TYPE = "text/csv; charset=utf-8";
export const PLAIN_TEXT = "text/plain; charset=utf-8";

/** A page that the menu leads to. */
export type Place = {
  readonly label: string;
  /** Its path from the site's root, e.g. "index.html". */
  readonly path: string;
};

/** The head of every page of a site: what the site is called, and where its menu leads. */
export type Menu = {
  readonly brand: Place;
  readonly places: readonly Place[];
};

/** What a page loads, in order, apart from theme.js and print.css: names in views/assets. */
export interface PageAssets {
  readonly styles: readonly string[];
  readonly scripts: readonly string[];
}

/** What a page of tables (views/partials/table.hbs) loads. */
export const TABLE_PAGE: PageAssets = {
  styles: ["theme.css", "site.css", "table.css"],
  scripts: ["address.js", "controls.js", "rows.js", "table.js"],
};

/** What the head of a page needs. */
interface PageFrame {
  readonly title: string;
  readonly description: string;
  readonly brand: { readonly label: string; readonly href: string };
  readonly links: readonly {
    readonly label: string;
    readonly href: string;
    readonly isCurrent: boolean;
  }[];
  readonly styles: readonly string[];
  /** Runs before the page is drawn, so that the chosen theme does not flash. */
  readonly themeScript: string;
  readonly scripts: readonly string[];
}

/** What a page says of itself. */
export interface FrameInput {
  readonly title: string;
  readonly description: string;
  /** Its own path from the site's root: links are made as seen from there. */
  readonly path: string;
  readonly menu: Menu;
  readonly loads: PageAssets;
  /** Where assets are published, as seen from the page. */
  readonly assets: AssetPaths;
}

/** Makes a page's frame. Assets that are not in the map are taken from assets/ by their own name. */
export function makeFrame(input: FrameInput): PageFrame {
  const { title, description, path, menu, loads } = input;
  const published = (name: string) => input.assets[name] ?? `assets/${name}`;
  return {
    title,
    description,
    brand: { label: menu.brand.label, href: hrefTo(menu.brand.path, path) },
    links: menu.places.map((place) => ({
      label: place.label,
      href: hrefTo(place.path, path),
      isCurrent: place.path === path,
    })),
    // Last, for it undoes what the others do for screens.
    styles: [...loads.styles, "print.css"].map(published),
    themeScript: published("theme.js"),
    scripts: loads.scripts.map(published),
  };
}

/** The address of a page as seen from another; both paths are from the site's root. */
export function hrefTo(path: string, from: string): string {
  return posix.relative(posix.dirname(from), path);
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
