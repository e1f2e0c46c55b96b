// Gives the site's assets published names that carry their content, so that they may be cached for ever.

import { digestOf } from "../digest.ts";
import type { SiteFile } from "./siteFiles.ts";

/** An asset: its name below views/assets, with forward slashes. */
export interface Asset {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface SiteAssets {
  /** Name in views/assets → published path. */
  readonly paths: Readonly<Record<string, string>>;
  readonly files: readonly SiteFile[];
}

/** Which files of views/assets are published, by the ends of their names, and their types. */
export const PUBLISHED_TYPES: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml; charset=utf-8",
  png: "image/png",
  woff2: "font/woff2",
};
/** The same, and the types of files that libraries bring along. */
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  ...PUBLISHED_TYPES,
  json: "application/json; charset=utf-8",
  txt: "text/plain; charset=utf-8",
};

const PUBLISHED = new RegExp(String.raw`\.(${Object.keys(PUBLISHED_TYPES).join("|")})$`);

/** Tells whether a file of views/assets is published. */
export function isPublished(path: string): boolean {
  return PUBLISHED.test(path);
}

/** Assets that keep their names, since other files refer to them: libraries, whose files change with their versions only, and fonts. */
const NAMED = /^(vendor|fonts)\//;

/**
 * Publishes assets under assets/, with eight digits of their digest in the name, e.g. assets/site.1a2b3c4d.css.
 * Vendored libraries and fonts keep their names, since scripts and style sheets refer to them.
 */
export function siteAssets(assets: readonly Asset[]): SiteAssets {
  const files = [...assets]
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map((asset) => ({ asset, path: publishedPath(asset) }));
  return {
    paths: Object.fromEntries(files.map(({ asset, path }) => [asset.path, path])),
    files: files.map(({ asset, path }) => ({
      path,
      bytes: asset.bytes,
      contentType:
        CONTENT_TYPES[path.slice(path.lastIndexOf(".") + 1)] ?? "application/octet-stream",
    })),
  };
}

function publishedPath({ path, bytes }: Asset): string {
  if (NAMED.test(path)) return `assets/${path}`;
  const dot = path.lastIndexOf(".");
  return `assets/${path.slice(0, dot)}.${digestOf(bytes).slice(0, 8)}${path.slice(dot)}`;
}
