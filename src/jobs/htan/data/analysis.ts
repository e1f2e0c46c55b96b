// What hdash finds out about one atlas. Names follow the published data/<atlas>.json.

import type { Finding, Severity } from "../../../finding.ts";

/** Kinds of file, in the order in which pages list them. */
export const FILE_KINDS = ["BAM", "FASTQ", "IMAGE", "MATRIX", "OTHER_ASSAY", "METADATA"] as const;
export type FileKind = (typeof FILE_KINDS)[number];

/** One row of the master file view, as far as hdash uses it. */
export interface ViewRow {
  readonly id: string;
  readonly name: string;
  readonly type: "file" | "folder";
  readonly parentId: string;
  /** Null: not annotated. */
  readonly component: string | null;
  /** Milliseconds since the epoch; 0 where the view has none. */
  readonly modifiedOn: number;
  readonly sizeBytes: number;
  readonly md5: string | null;
}

export interface RootFolder {
  /** Null for '' (files that lie in the project itself). */
  readonly synapseId: string | null;
  readonly annotated: number;
  readonly unannotated: number;
}

/** A manifest that counts: the newest metadata file of its folder. */
export interface ManifestEntry {
  readonly entityId: string;
  readonly name: string;
  readonly path: string;
  /** As annotated in the view; null where it is not. */
  readonly component: string | null;
  readonly md5: string | null;
  readonly sizeBytes: number;
  /** ISO 8601, UTC; null where the view has none. */
  readonly modifiedAt: string | null;
}

/** A manifest that does not count, since its folder has a newer one. */
export interface PassedOver {
  readonly entityId: string;
  readonly name: string;
  readonly path: string;
  /** As annotated in the view; null where it is not. */
  readonly component: string | null;
  /** The one that counts. */
  readonly newer: string;
}

/** What the file view says about an atlas. Small, whatever the size of the atlas. */
export interface AtlasFiles {
  readonly totalFileSize: number;
  readonly fileCounts: Readonly<Record<FileKind, number>>;
  readonly rootFolders: Readonly<Record<string, RootFolder>>;
  /** In the order of component, then entity id: the order in which checks walk them. */
  readonly manifests: readonly ManifestEntry[];
  /** In the order of their ids. */
  readonly passedOver: readonly PassedOver[];
  /** H_FILE_NAMES findings, and findings about the view itself. */
  readonly findings: readonly Finding[];
}

export interface ManifestSummary {
  readonly component: string | null;
  readonly name: string;
  readonly path: string;
  readonly modifiedAt: string | null;
  readonly records: number;
  readonly fields: number;
  readonly filledFields: number;
  /** Fraction 0-1. */
  readonly percentComplete: number;
}

/** A manifest that counts, but could not be read. */
export interface UnreadSummary {
  readonly entityId: string;
  readonly component: string | null;
  readonly name: string;
  readonly path: string;
  /** In words fit for a page. */
  readonly reason: string;
  /** The parts of the page that lack what it holds. */
  readonly parts: readonly ("completeness" | "longitudinal" | "network")[];
}

export type GridName =
  "clinical_tier1_2" | "clinical_tier3" | "single_cell" | "bulk" | "image_other" | "other";

/** A completeness matrix: participants or biospecimens × components. */
export interface Grid {
  readonly columns: readonly string[];
  /** Column → rows that have it. */
  readonly counts: Readonly<Record<string, number>>;
  /** Number of rows. */
  readonly rows: number;
  /** The rows in order, with and without data. */
  readonly rowIds: readonly string[];
  /** Row → the columns that have data, for each row with data. */
  readonly ones: Readonly<Record<string, readonly string[]>>;
}

/** A bar of the longitudinal timeline, in days relative to the first event of its row. Keys as in the published data. */
export interface TimelineEvent {
  readonly Event: string;
  readonly Start: number;
  readonly Finish: number;
  /** The row: participant and "Therapy" or the site. */
  readonly Grouping: string;
  /** Specimen numbers, or "NA". */
  readonly Samples: readonly string[] | "NA";
  /** Where a specimen came from is free text, and not published; the field is there for those who read it. */
  readonly Location: "NA";
  /** The participant the row belongs to. */
  readonly participant: string;
}

/** How a rule of the checks came out. */
export interface RuleOutcome {
  readonly rule: string;
  readonly title: string;
  readonly severity: Severity;
  readonly status: "passed" | "found" | "not run";
  /** Why it did not run, or could not look at everything; else null. */
  readonly reason: string | null;
  readonly count: number;
}

/** Everything hdash knows about one atlas at one moment. */
export interface AtlasAnalysis {
  readonly atlasId: string;
  readonly totalFileSize: number;
  readonly fileCounts: Readonly<Record<FileKind, number>>;
  readonly rootFolders: Readonly<Record<string, RootFolder>>;
  /** Fraction 0-1, named as in the published data. */
  readonly percentMetadataComplete: number;
  readonly fields: number;
  readonly filledFields: number;
  readonly manifests: Readonly<Record<string, ManifestSummary>>;
  /** Manifests that could not be read, in the order of component and id; they are not among the others. */
  readonly unread: readonly UnreadSummary[];
  readonly rules: readonly RuleOutcome[];
  readonly findings: readonly Finding[];
  readonly grids: Readonly<Record<GridName, Grid>>;
  /** Sorted lines "<parent>\tconnect\t<child>". */
  readonly sif: readonly string[];
  readonly timelineEvents: readonly TimelineEvent[];
}
