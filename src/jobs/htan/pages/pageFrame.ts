// What the dashboard's pages share: their place in the menu and what they load, trends, counts by severity and links to Synapse.

import type { JobPages } from "../../../job.ts";
import { type PageAssets, TABLE_PAGE } from "../../../render/page.ts";

/** The dashboard in the menu of its site. */
export const PAGES: JobPages = {
  brand: "HTAN data dashboard",
  places: [
    { label: "Atlases", path: "index.html" },
    { label: "Runs", path: "runs.html" },
  ],
};

/** What the pages of the site as a whole (src/render/runsPage.ts) say where it is the dashboard's. */
export const RUNS_PAGE = {
  name: "runs",
  description: "When the site was updated, by which job, and what each update found.",
};
export const NOT_FOUND_PAGE = {
  site: PAGES.brand,
  reason: "The atlas may have been taken off the dashboard, or the address has a slip in it.",
  homeLabel: "All atlases",
};

/** What the page of an atlas loads. */
export const ATLAS_PAGE: PageAssets = {
  styles: [...TABLE_PAGE.styles, "atlas.css", "figures.css"],
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
};

/** Where the page of an atlas shows what other jobs have of it, from the site's root. */
export function atlasFigures(atlasId: string): string {
  return `${encodeURIComponent(atlasId)}.html#figures`;
}

/** Draws a small trend line as SVG markup; `label` names the number in its text alternative, `format` writes its values there. */
export type DrawSparkline = (
  points: readonly { readonly at: string; readonly value: number }[],
  label: string,
  options?: { readonly format?: (value: number) => string },
) => string;

/** A finding's count on either side of a change. */
export interface SeverityCounts {
  readonly error: number;
  readonly warning: number;
  readonly info: number;
}

/** What a Synapse id is appended to, to make the address of its page. */
export const SYNAPSE_LINK = "https://www.synapse.org/Synapse:";

/** Makes the address of a Synapse entity's page; "" for what is no Synapse id. */
export function synapsePage(id: string): string {
  return /^syn\d+$/.test(id) ? SYNAPSE_LINK + id : "";
}
