// What became of an export: of each member, what was read of it, what was written, what was set aside and why. Digests, counts and
// places; never a key, a value or a line.

import type { CastNote } from "./casts.ts";
import type { LineReason } from "./lineJudge.ts";

/** Why an object below the namespace is no export that was read. */
export type ObjectOutcome =
  | "read"
  | "ignored"
  | "unknown_cohort"
  | "no_file"
  | "bad_name"
  | "empty_object"
  | "not_archive"
  | "truncated_archive"
  | "too_many_members";

/** Codes of findings, as `hdash cohort audit` prints them. */
export type ReportCode =
  | "manifest_mismatch"
  | "bad_export_name"
  | "no_manifest"
  | "bad_manifest"
  | "bad_member"
  | "bad_member_name"
  | "unknown_type"
  | "too_many_fields"
  | "duplicate_member";

export interface ReportFinding {
  readonly code: ReportCode;
  /** The member, or its name in the manifest; null where it is of the export. */
  readonly member: string | null;
  /** Records by the manifest; null where it does not count the member, or it is not about records. */
  readonly manifest?: number | null;
  readonly read?: number;
  /** What is wrong, in a clause; of a member, to follow its name. */
  readonly why?: string;
}

/** An object that a member gave. */
export interface KeptObject {
  /** Below the namespace in its place. */
  readonly key: string;
  readonly bytes: number;
  readonly sha256: string;
  /** By which its store tells that it is still the same; null where it was not put, since a later export has the member. */
  readonly etag: string | null;
}

export type MemberStatus = "ok" | "unknown_type" | "bad_member" | "bad_member_name";

export interface MemberReport {
  readonly name: string;
  readonly status: MemberStatus;
  /** What its name says; null where that is nothing. */
  readonly type: string | null;
  readonly subtype: string | null;
  readonly start: string | null;
  readonly end: string | null;
  readonly id: string | null;
  /** Of its content, as the archive states it. */
  readonly bytes: number;
  /** Of its content; null where that is not what the archive states. */
  readonly sha256: string | null;
  /** Its copy as it was sent; null where there is none. */
  readonly raw: KeptObject | null;
  /** Its transformed copy. */
  readonly copy: KeptObject | null;
  /** Records; null where they are unknown. */
  readonly read: number | null;
  readonly written: number;
  /** Lines that were set aside, by reason. */
  readonly quarantined: Readonly<Partial<Record<LineReason, number>>>;
  /** Values that a cast changed, by "path:note". */
  readonly casts: Readonly<Record<`${string}:${CastNote}`, number>>;
  /** By the manifest; null where it says nothing. */
  readonly manifest: number | null;
  /** Its number in the staged rows; null where it has none. */
  readonly staged: number | null;
  /** Undeclared fields that its records have and that are columns, for each table of its type; none: []. */
  readonly extras: readonly (readonly string[])[];
}

/** Staged rows of a type: a file for each of its tables that has any, all of the same lines. */
export interface StagedPart {
  readonly type: string;
  /** The form that the rows have: a digest of the tables' columns. */
  readonly layout: string;
  readonly tables: readonly StagedTable[];
}

export interface StagedTable {
  readonly table: number;
  readonly rows: number;
  readonly object: KeptObject;
}

export interface ExportReport {
  /** The schema that it was read with: its version, and a part of its digest. */
  readonly schema: string;
  readonly cohort: string;
  readonly export: string;
  readonly outcome: ObjectOutcome;
  /** Why it was set aside; null where it was read. */
  readonly why: string | null;
  readonly findings: readonly ReportFinding[];
  readonly members: readonly MemberReport[];
  /** Names of members that are no data: in a folder, or of the manifest's. */
  readonly ignored: readonly string[];
  readonly staged: readonly StagedPart[];
  /** Every line that was set aside: member, line, reason, digest of the line; null where there is none. */
  readonly quarantine: KeptObject | null;
}
