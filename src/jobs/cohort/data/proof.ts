// The proof: for every export and member, that what was read is what was written and what was set aside, and what its sender has counted.

import { type Catalog, exportKey, type FoundExport, type SortedListing } from "./catalog.ts";
import type { CohortState } from "./known.ts";
import { notRead } from "./listing.ts";
import { manifestSum } from "./memberName.ts";
import { supersededMembers } from "./ranking.ts";
import type { ExportReport, MemberReport, ReportFinding } from "./report.ts";
import { sumOf } from "./sums.ts";
import type { WholeInput } from "./typeInput.ts";
import { shownPath } from "./undeclared.ts";

/** The sums of an export, or of all. */
export interface Sums {
  readonly members: number;
  readonly read: number;
  readonly written: number;
  readonly quarantined: number;
  /** Records by the manifests, of the members that they count. */
  readonly manifest: number;
  readonly findings: number;
}

export interface AuditedExport {
  readonly key: string;
  readonly outcome: ExportReport["outcome"];
  readonly why: string | null;
  readonly sums: Sums;
  readonly findings: readonly ReportFinding[];
  /** Members whose numbers do not add up: a fault of ours, whatever was sent. */
  readonly broken: readonly string[];
}

export interface Audit {
  readonly exports: readonly AuditedExport[];
  readonly total: Sums;
  /** True where every record is accounted for: no number is broken. Findings are of what was sent. */
  readonly isWhole: boolean;
}

/** Adds up what the reports say. */
export function auditCatalog({ exports }: Catalog): Audit {
  const audited = exports.map(({ report }) => auditReport(report));
  return {
    exports: audited,
    total: addUp(audited.map(({ sums }) => sums)),
    isWhole: audited.every(({ broken }) => broken.length === 0),
  };
}

function auditReport(report: ExportReport): AuditedExport {
  const { outcome, why, findings, members } = report;
  const sums = addUp(
    members.map((member) => ({
      members: 1,
      read: member.read ?? 0,
      written: member.written,
      quarantined: sumOf(member.quarantined),
      ...{ manifest: 0, findings: 0 },
    })),
  );
  return {
    key: exportKey(report),
    ...{ outcome, why, findings },
    sums: { ...sums, manifest: manifestSum(members), findings: findings.length },
    broken: members.filter(isBroken).map(({ name }) => name),
  };
}

function isBroken(member: MemberReport): boolean {
  if (member.read === null) return member.written > 0 || sumOf(member.quarantined) > 0;
  return member.read !== member.written + sumOf(member.quarantined);
}

function addUp(all: readonly Sums[]): Sums {
  const total = { members: 0, read: 0, written: 0, quarantined: 0, manifest: 0, findings: 0 };
  for (const sums of all) {
    total.members += sums.members;
    total.read += sums.read;
    total.written += sums.written;
    total.quarantined += sums.quarantined;
    total.manifest += sums.manifest;
    total.findings += sums.findings;
  }
  return total;
}

/** Where an export stands: "waiting" is listed and not read, "changed" is listed in another version, "gone" was read and is not listed. */
export type ExportStand = "waiting" | "changed" | "gone" | ExportReport["outcome"];

/** Tells whether an export was read, be it listed still or not. */
export function wasRead(stand: ExportStand): boolean {
  return stand === "read" || stand === "gone";
}

export interface StandingExport {
  readonly key: string;
  readonly stand: ExportStand;
  readonly members: number;
  readonly superseded: number;
  readonly findings: number;
  /** Lines that were set aside. */
  readonly quarantined: number;
}

const NOTHING = { members: 0, superseded: 0, findings: 0, quarantined: 0 } as const;

/** Tells where each export stands. */
export function exportStands(catalog: Catalog, listing: SortedListing): readonly StandingExport[] {
  const superseded = supersededMembers(catalog.exports.map(({ report }) => report));
  const listed = new Map(listing.exports.map((found) => [found.key, found]));
  const known = catalog.exports.map(({ bytes, etag, report }) => {
    const key = exportKey(report);
    const found = listed.get(key);
    listed.delete(key);
    const { members, findings, outcome } = report;
    return {
      key,
      stand: standOf(found, { bytes, etag, outcome }),
      members: members.length,
      superseded: members.filter((member) => superseded.has(member)).length,
      findings: findings.length,
      quarantined: members.reduce((sum, member) => sum + sumOf(member.quarantined), 0),
    };
  });
  const waiting = [...listed.keys()].map((key) => ({ key, stand: "waiting" as const, ...NOTHING }));
  const others = notRead(listing).map(({ key, outcome }) => ({ key, stand: outcome, ...NOTHING }));
  return [...known, ...waiting, ...others].sort((a, b) => (a.key < b.key ? -1 : 1));
}

function standOf(
  found: FoundExport | undefined,
  {
    bytes,
    etag,
    outcome,
  }: Pick<FoundExport, "bytes" | "etag"> & { readonly outcome: ExportReport["outcome"] },
): ExportStand {
  if (found === undefined) return "gone";
  return found.bytes === bytes && found.etag === etag ? outcome : "changed";
}

/**
 * Where a type stands: "behind" has records that its datasets do not have yet, "failed" could not be built the last time, "blocked" was
 * built and is held back by a check, "unread": nothing has been built, and no export has been read of which something could be.
 */
export interface StandingType {
  readonly type: string;
  readonly stand: "current" | "behind" | "failed" | "blocked" | "unread";
  /** The build that its files are of; null where there is none. */
  readonly build: string | null;
  readonly datasets: readonly {
    readonly name: string;
    readonly rows: number;
    readonly files: number;
  }[];
}

/** Tells where each type stands, by what would be built of it now. */
export function typeStands(
  { catalog, current }: Pick<CohortState, "catalog" | "current">,
  inputs: ReadonlyMap<string, WholeInput>,
): readonly StandingType[] {
  const isUnread =
    current === null && catalog.exports.every(({ report }) => report.outcome !== "read");
  const later = isUnread ? "unread" : "behind";
  const datasets = new Map(current?.datasets.map((dataset) => [dataset.name, dataset]));
  return [...inputs].map(([type, { digest }]) => {
    const state = current?.types[type];
    const isCurrent = state?.inputs === digest;
    const stand = isCurrent
      ? "current"
      : current?.failed.includes(type)
        ? "failed"
        : current?.blocked.some((one) => one.type === type)
          ? "blocked"
          : later;
    const own = (state?.datasets ?? []).flatMap((name) => {
      const dataset = datasets.get(name);
      return dataset === undefined
        ? []
        : [{ name, rows: dataset.rows, files: dataset.files.length }];
    });
    return { type, stand, build: state?.build ?? null, datasets: own };
  });
}

/** A report as others may read it: with the names of undeclared fields, and not their values. */
export function shownReport(report: ExportReport): ExportReport {
  const members = report.members.map((member) => {
    return { ...member, extras: member.extras.map((paths) => paths.map(shownPath)) };
  });
  return { ...report, members };
}
