// Exports as pages tell them: what each held, where its lines went, and what is wrong with it.

import { type Catalog, exportKey, type SortedListing } from "./catalog.ts";
import type { RecordCounts } from "./days.ts";
import { exportDay } from "./exportName.ts";
import { manifestName, manifestSum } from "./memberName.ts";
import { type ExportStand, exportStands } from "./proof.ts";
import type { ExportReport, MemberReport, ReportFinding } from "./report.ts";
import { addByName, sumOf } from "./sums.ts";

/** Members of so many exports are told, the newest; those of older ones are in their reports alone. */
export const MEMBERS_OF_EXPORTS = 60;

/** A member as pages tell it. Its numbers are null where they are withheld, or unknown. */
export interface MemberLine {
  readonly name: string;
  readonly type: string | null;
  readonly status: MemberReport["status"];
  readonly read: number | null;
  readonly written: number | null;
  /** By reason. */
  readonly quarantined: Readonly<Record<string, number | null>>;
  readonly manifest: number | null;
  readonly isSuperseded: boolean;
  readonly isWithheld: boolean;
}

export interface ExportLine {
  readonly key: string;
  readonly cohort: string;
  readonly name: string;
  /** The day that its name begins with. */
  readonly day: string | null;
  readonly stand: ExportStand;
  /** Why it was set aside, in a clause. */
  readonly why: string | null;
  /** True where this run has read it. */
  readonly isNew: boolean;
  readonly schema: string | null;
  /** Members that hold something; of those that are withheld no number is in the sums that follow. */
  readonly memberCount: number;
  /** Of the newest exports alone. */
  readonly members: readonly MemberLine[];
  readonly superseded: number;
  readonly read: number;
  readonly written: number;
  readonly supersededRecords: number;
  readonly manifest: number;
  readonly quarantined: Readonly<Record<string, number>>;
  readonly findings: readonly ReportFinding[];
}

/** Where all records went that may be told of. */
export interface Flow {
  readonly read: number;
  readonly written: number;
  /** By reason. */
  readonly quarantined: Readonly<Record<string, number>>;
  /** Written, of members that were sent again later. */
  readonly superseded: number;
  /** Older versions of a record, records that were deleted, what deletes them, and what is in a dataset: of the build. */
  readonly duplicates: number;
  readonly deleted: number;
  readonly deletions: number;
  readonly kept: number;
  /** Written, and not in the build yet. */
  readonly waiting: number;
}

interface Telling {
  readonly superseded: ReadonlySet<MemberReport>;
  /** Tells whether the numbers of a type are withheld. */
  readonly isWithheld: (type: string | null) => boolean;
}

/** Tells all exports, the newest day first, and within it by cohort. */
export function exportLines(
  {
    catalog,
    listing,
    before,
  }: {
    readonly catalog: Catalog;
    readonly listing: SortedListing;
    readonly before: { readonly catalog: Catalog };
  },
  telling: Telling,
): readonly ExportLine[] {
  const reports = new Map(catalog.exports.map((one) => [exportKey(one.report), one]));
  const known = new Map(before.catalog.exports.map((one) => [exportKey(one.report), one.etag]));
  const lines = exportStands(catalog, listing).map(({ key, stand }): ExportLine => {
    const entry = reports.get(key);
    const cut = key.indexOf("/");
    const [cohort, name] = [key.slice(0, cut), key.slice(cut + 1)];
    const isNew = entry !== undefined && known.get(key) !== entry.etag;
    const head = { key, cohort, name, day: exportDay(name), stand, isNew };
    return { ...head, ...contentOf(entry?.report ?? null, telling) };
  });
  const sorted = lines.sort(
    (a, b) =>
      compare(b.day ?? "", a.day ?? "") || compare(a.cohort, b.cohort) || compare(b.name, a.name),
  );
  return sorted.map((line, at) => (at < MEMBERS_OF_EXPORTS ? line : { ...line, members: [] }));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function contentOf(report: ExportReport | null, telling: Telling) {
  const members = (report?.members ?? []).map((member) => memberLine(member, telling));
  const told = members.filter(({ isWithheld }) => !isWithheld);
  const sum = (of: (member: MemberLine) => number | null): number =>
    told.reduce((total, member) => total + (of(member) ?? 0), 0);
  return {
    why: report?.why ?? null,
    schema: report?.schema ?? null,
    memberCount: members.length,
    members,
    superseded: members.filter(({ isSuperseded }) => isSuperseded).length,
    read: sum(({ read }) => read),
    written: sum(({ written }) => written),
    supersededRecords: sum(({ written, isSuperseded }) => (isSuperseded ? written : 0)),
    manifest: manifestSum(told),
    quarantined: addByName(told.map(({ quarantined }) => quarantined)),
    findings: (report?.findings ?? []).map((finding) => tellFinding(finding, members)),
  };
}

function memberLine(member: MemberReport, { superseded, isWithheld }: Telling): MemberLine {
  const { name, type, status, read, written, quarantined, manifest } = member;
  const isOut = isWithheld(type);
  return {
    ...{ name, type, status, isSuperseded: superseded.has(member), isWithheld: isOut },
    read: isOut ? null : read,
    written: isOut ? null : written,
    manifest: isOut ? null : manifest,
    quarantined: Object.fromEntries(
      Object.entries(quarantined).map(([reason, lines]) => [reason, isOut ? null : lines]),
    ),
  };
}

/** A finding without numbers where they are of a member whose numbers are withheld. */
function tellFinding(finding: ReportFinding, members: readonly MemberLine[]): ReportFinding {
  const { code, member, why } = finding;
  if (code !== "manifest_mismatch") return finding;
  const own = members.filter(({ name }) => manifestName(name) === member);
  const isTold = own.length > 0 && own.every(({ isWithheld }) => !isWithheld);
  return isTold ? finding : { code, member, ...(why === undefined ? {} : { why }) };
}

/** Adds up where records went: of exports that have been read, and of the build. */
export function flowOf(
  exports: readonly ExportLine[],
  types: readonly { readonly deletes: string | null; readonly counts: RecordCounts }[],
): Flow {
  const total = (of: (one: ExportLine) => number): number =>
    exports.reduce((sum, one) => sum + of(one), 0);
  // Each event counts what is left behind it.
  const sums = types.map(({ deletes, counts }) => {
    const left = (name: keyof RecordCounts): number => sumOf(counts[name] ?? {});
    const [read, unique] = [left("READ"), left("DROP_DUPLICATES")];
    return deletes === null
      ? { read, unique, kept: left("WRITE"), deletions: 0 }
      : { read, unique, kept: unique, deletions: unique };
  });
  const add = (of: (one: (typeof sums)[number]) => number): number =>
    sums.reduce((sum, one) => sum + of(one), 0);
  const written = total((one) => one.written);
  const superseded = total(({ supersededRecords }) => supersededRecords);
  return {
    read: total((one) => one.read),
    written,
    quarantined: addByName(exports.map(({ quarantined }) => quarantined)),
    superseded,
    duplicates: add(({ read, unique }) => read - unique),
    deleted: add(({ unique, kept }) => unique - kept),
    deletions: add(({ deletions }) => deletions),
    kept: add(({ kept, deletions }) => kept - deletions),
    waiting: Math.max(0, written - superseded - add(({ read }) => read)),
  };
}
