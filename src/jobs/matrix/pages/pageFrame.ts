// What pages about matrices share: their place in the menu, what they load, and where they stand.

import type { JobPages } from "../../../job.ts";
import { hrefTo, type PageAssets, TABLE_PAGE } from "../../../render/page.ts";

/** Everything but figures lies below it, with assets of its own: the files of other jobs are theirs. */
export const FOLDER = "matrices/";

/** The matrix job in the menu of its site. */
export const PAGES: JobPages = {
  brand: "Matrix figures",
  places: [{ label: "Matrices", path: `${FOLDER}index.html` }],
};

/** What the index of matrices loads. */
export const INDEX_PAGE: PageAssets = {
  styles: [...TABLE_PAGE.styles, "gallery.css", "matrices.css"],
  scripts: [...TABLE_PAGE.scripts, "gallery.js"],
};

/** What the page of a matrix loads. */
export const MATRIX_PAGE: PageAssets = {
  styles: [...TABLE_PAGE.styles, "atlas.css", "figures.css", "gallery.css"],
  scripts: ["address.js", "tabs.js", "controls.js", "rows.js", "table.js", "gallery.js"],
};

/** The address of what another job has, as pages about matrices see it; "" where there is nothing. */
export function hrefOutside(path: string | null): string {
  return path === null ? "" : hrefTo(path, PAGES.places[0].path);
}
