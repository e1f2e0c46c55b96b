// What pages and figures call the completeness grids.

import type { GridName } from "../data/analysis.ts";

/** A grid in words. */
export interface GridLabel {
  readonly name: GridName;
  readonly title: string;
  /** What a row of it is, in the singular. */
  readonly unit: string;
}

/** The grids, in the order in which pages list them. */
export const GRID_LABELS: readonly GridLabel[] = [
  { name: "clinical_tier1_2", title: "Clinical data, tiers 1 and 2", unit: "Participant" },
  { name: "clinical_tier3", title: "Clinical data, tier 3", unit: "Participant" },
  { name: "single_cell", title: "Single cell", unit: "Biospecimen" },
  { name: "bulk", title: "Bulk", unit: "Biospecimen" },
  { name: "image_other", title: "Core imaging", unit: "Biospecimen" },
  { name: "other", title: "Other assays", unit: "Biospecimen" },
];
