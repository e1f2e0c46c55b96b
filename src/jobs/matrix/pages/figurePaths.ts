// Where the published files of a figure lie: as keys from the site's root, and as addresses within pages.

import type { FigureName } from "../figures/figure.ts";
import type { Approach } from "../matrix.ts";
import { figureBase } from "../summary.ts";

/** The files of one figure. */
export interface FigurePaths {
  readonly png: string;
  readonly png2x: string;
  readonly thumbnail: string;
  readonly svg: string;
  readonly spec: string;
}

/** Makes the keys of a figure's files, from the site's root. */
export function figureKeys(id: string, approach: Approach, name: FigureName): FigurePaths {
  const base = figureBase(id, approach, name);
  return {
    png: `${base}.png`,
    png2x: `${base}@2x.png`,
    thumbnail: `${base}-thumb.png`,
    svg: `${base}.svg`,
    spec: `${base}.vl.json`,
  };
}

/** Writes a key as a part of an address. */
export function encodeKey(key: string): string {
  return key.split("/").map(encodeURIComponent).join("/");
}

/** Makes the addresses of a figure's files for pages in the folder of matrices. */
export function figureHrefs(id: string, approach: Approach, name: FigureName): FigurePaths {
  const { png, png2x, thumbnail, svg, spec } = figureKeys(id, approach, name);
  const from = (key: string) => `../${encodeKey(key)}`;
  return {
    png: from(png),
    png2x: from(png2x),
    thumbnail: from(thumbnail),
    svg: from(svg),
    spec: from(spec),
  };
}
