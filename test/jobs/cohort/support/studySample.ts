// A study to be told: two cohorts, a few types, some days; any number of it may be chosen.

import type { Digest } from "../../../../src/digest.ts";
import type { CatalogEntry, ListedObject } from "../../../../src/jobs/cohort/data/catalog.ts";
import { sortListing } from "../../../../src/jobs/cohort/data/catalog.ts";
import type { CheckResult } from "../../../../src/jobs/cohort/data/checkResult.ts";
import type { Current } from "../../../../src/jobs/cohort/data/current.ts";
import type { DatasetProfile } from "../../../../src/jobs/cohort/data/profile.ts";
import type { MemberReport, ReportFinding } from "../../../../src/jobs/cohort/data/report.ts";
import type { StudyFacts } from "../../../../src/jobs/cohort/data/study.ts";
import { allInputs } from "../../../../src/jobs/cohort/data/typeInput.ts";
import { laidOut } from "./studySchema.ts";

const COHORTS = ["adults_v1", "pediatric_v1"] as const;

/** Lines of a member of a type: how many were sent, and how many of them were set aside. */
export interface SampleMember {
  readonly type: string;
  readonly lines: number;
  readonly aside?: number;
  readonly reason?: string;
  readonly manifest?: number | null;
}

export interface SampleExport {
  readonly cohort: string;
  readonly day: string;
  readonly members: readonly SampleMember[];
  readonly findings?: readonly ReportFinding[];
  /** Ends its name, so that a day may have several. */
  readonly suffix?: string;
}

export interface SampleDataset {
  readonly type: string;
  readonly rows: number;
  readonly people: Readonly<Record<string, number>>;
}

export interface SampleOptions {
  readonly today: string;
  readonly exports: readonly SampleExport[];
  readonly datasets: readonly SampleDataset[];
  readonly checks?: readonly CheckResult[];
  readonly before?: StudyFacts | null;
  readonly leastPeople?: number;
  readonly others?: readonly ListedObject[];
}

/** Makes what a study is told from. */
export function studyFacts(options: SampleOptions): StudyFacts {
  const { exports, datasets, before = null, today, leastPeople = 5, others = [] } = options;
  const entries = exports.map(entryOf).sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const catalog = { version: 1 as const, exports: entries };
  const listing = sortListing(
    [
      ...entries.map((entry) => ({ key: keyOf(entry), bytes: entry.bytes, etag: entry.etag })),
      ...others,
    ],
    COHORTS,
  );
  const inputs = allInputs(catalog, laidOut(), []);
  const shapes = [...laidOut().shapes.values()];
  const current: Current = {
    ...{
      schema: 1,
      build: `${today}-build`,
      prefix: "parquet/v/x/",
      dropped: [],
      stale: [],
      failed: [],
    },
    ...{ blocked: [], segments: null, kept: [] },
    datasets: shapes.flatMap(({ type, tables }) =>
      tables.map(({ dataset, parent }) => ({
        name: dataset,
        rows: parent === null ? (datasets.find((one) => one.type === type.name)?.rows ?? 0) : 0,
        columns: [
          { name: "ParticipantIdentifier", type: "string" as const },
          { name: "Value", type: "double" as const },
        ],
        files: [],
      })),
    ),
    types: Object.fromEntries(
      shapes.map(({ type, tables }) => {
        const own = inputs.get(type.name);
        const read = own?.input.read ?? {};
        const counts =
          type.deletes === null
            ? { READ: read, DROP_DUPLICATES: read, WRITE: read }
            : { READ: read, DROP_DUPLICATES: read };
        const state = {
          inputs: own?.digest ?? ("" as Digest),
          datasets: type.deletes === null ? tables.map(({ dataset }) => dataset) : [],
          people: COHORTS.map((cohort) => ({
            cohort,
            count: datasets.find((one) => one.type === type.name)?.people[cohort] ?? 0,
          })),
          ...{ counts, build: `${today}-build` },
        };
        return [type.name, state];
      }),
    ),
  };
  const profiles = new Map(
    datasets.map((one) => [`dataset_${one.type.toLowerCase()}`, profileOf(one)]),
  );
  return {
    ...{
      namespace: "main",
      cohorts: COHORTS,
      catalog,
      listing,
      current,
      laidOut: laidOut(),
      inputs,
    },
    ...{ profiles, checks: options.checks ?? [], today, leastPeople },
    before: {
      catalog: before?.catalog ?? { version: 1, exports: [] },
      current: before?.current ?? null,
    },
  };
}

function keyOf({ report }: CatalogEntry): string {
  return `${report.cohort}/${report.export}`;
}

function entryOf({ cohort, day, members, findings = [], suffix = "" }: SampleExport): CatalogEntry {
  const name = `${day}T05--00--00Z_sample${suffix}`;
  return {
    bytes: 1000,
    etag: `${cohort}-${name}`,
    report: {
      ...{ schema: "1-abcdef", cohort, export: name, outcome: "read", why: null, findings },
      members: members.map((member) => memberOf(member, day)),
      ...{ ignored: [], staged: [], quarantine: null },
    },
  };
}

function memberOf(
  { type, lines, aside = 0, reason = "bad_json", manifest = lines }: SampleMember,
  day: string,
): MemberReport {
  const end = day.replaceAll("-", "");
  return {
    ...{ name: `${type}_${end}.json`, status: "ok", type, subtype: null, start: null },
    ...{
      end: `${day}T00:00:00`,
      id: `${type}_${end}`,
      bytes: 100,
      sha256: "0",
      raw: null,
      copy: null,
    },
    ...{ read: lines, written: lines - aside, manifest, staged: 0, extras: [], casts: {} },
    quarantined: aside === 0 ? {} : { [reason]: aside },
  };
}

function profileOf({ type, rows, people }: SampleDataset): DatasetProfile {
  return {
    ...{ dataset: `dataset_${type.toLowerCase()}`, type, rows },
    columns: [
      { name: "ParticipantIdentifier", type: "string", filled: rows, isIdentifying: true },
      { name: "Value", type: "double", filled: Math.floor(rows / 2), isIdentifying: false },
    ],
    people: COHORTS.map((cohort) => ({ cohort, count: people[cohort] ?? 0 })),
  };
}
