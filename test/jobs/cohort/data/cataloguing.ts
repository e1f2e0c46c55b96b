// Reports of exports that never were, for tests of what follows from them.

import type { CatalogEntry } from "../../../../src/jobs/cohort/data/catalog.ts";
import type { ExportReport, MemberReport } from "../../../../src/jobs/cohort/data/report.ts";

/** A member's report; its name is its id, and its days and type are in it. */
export function member(id: string | null, more: Partial<MemberReport> = {}): MemberReport {
  return {
    ...{
      name: `${id ?? "Notes"}.json`,
      status: "ok",
      type: id?.split("_")[0] ?? null,
      subtype: null,
    },
    ...{ start: null, end: id === null ? null : (id.split("_").at(-1) ?? null), id, bytes: 10 },
    ...{ sha256: "0", raw: null, copy: null, read: 1, written: 1, quarantined: {}, casts: {} },
    ...{ manifest: 1, staged: 0, extras: [] },
    ...more,
  };
}

/** An export's report, by "<cohort>/<name>". */
export function report(
  key: string,
  members: readonly MemberReport[],
  more: Partial<ExportReport> = {},
): ExportReport {
  const [cohort = "", name = ""] = key.split("/");
  return {
    ...{ schema: "1-x", cohort, export: name, outcome: "read", why: null, findings: [], members },
    ...{ ignored: [], staged: [], quarantine: null },
    ...more,
  };
}

export function entry(one: ExportReport, etag = "e", bytes = 1): CatalogEntry {
  return { bytes, etag, report: one };
}
