// The settings of the cohort job: where exports come from, where their copies and datasets go, and what a run is asked for.

import { resolve } from "node:path";

import { quoted } from "../../format.ts";
import type { JobSettings, ValueReader } from "../../settings/jobSettings.ts";
import { checked, flag, oneOf, optional, text, wholeNumber } from "../../settings/rules.ts";
import {
  readSynapseAccess,
  SYNAPSE_CONFIDENTIAL,
  SYNAPSE_RULES,
  SYNAPSE_VARIABLES,
  type SynapseAccess,
} from "../../settings/synapseAccess.ts";
import { variable } from "../../settings/variables.ts";
import type { Choice } from "./data/catalog.ts";

/** A prefix of a bucket, or a folder. */
export type Place =
  | { readonly kind: "s3"; readonly bucket: string; readonly prefix: string }
  | { readonly kind: "folder"; readonly dir: string };

/** A project or folder of Synapse. */
export interface SynapsePlace {
  readonly kind: "synapse";
  readonly id: string;
  readonly access: SynapseAccess;
}

/** Parts of the work, in the order in which a run does them. */
export const PARTS = ["ingest", "sync", "build"] as const;
export type Part = (typeof PARTS)[number];

export interface CohortSettings {
  readonly source: Place | SynapsePlace;
  readonly raw: Place;
  readonly intermediate: Place;
  readonly processed: Place;
  readonly parts: readonly Part[];
  readonly choice: Choice;
  /** Data types that are built; null: all. */
  readonly types: readonly string[] | null;
  /** How many builds before the current one stay readable. */
  readonly keepBuilds: number;
  readonly memoryMiB: number;
  /** Columns that are left out of datasets. */
  readonly dropped: readonly string[];
}

const DATE = /^\d{4}-\d\d-\d\d$/;
const IN_SYNAPSE = /^synapse:(syn\d+)$/;
const GROUP = "Cohorts";

/** Tells whether a value of COHORT_SOURCE means Synapse. */
export function isInSynapse(source: string | undefined): source is string {
  return IN_SYNAPSE.test(source?.trim() ?? "");
}

function readPlace(name: string, { text: textOf, report }: ValueReader): Place | null {
  const value = textOf(name);
  if (value === null) return null;
  const [, bucket, prefix = ""] = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(value) ?? [];
  if (bucket !== undefined) return { kind: "s3", bucket, prefix: prefix.replace(/\/+$/, "") };
  if (/^[a-z][a-z0-9+.-]*:/i.test(value)) {
    report(name, `is ${quoted(value)}, which is neither s3://bucket/prefix nor a folder`);
    return null;
  }
  return { kind: "folder", dir: resolve(value) };
}

function readSource(values: ValueReader): CohortSettings["source"] | null {
  const value = values.text("COHORT_SOURCE");
  const [, id] = IN_SYNAPSE.exec(value ?? "") ?? [];
  if (id !== undefined) {
    const access = readSynapseAccess(values, "COHORT_SOURCE is in Synapse");
    return { kind: "synapse", id, access };
  }
  return readPlace("COHORT_SOURCE", values);
}

/** Names separated by commas; null where there is none. */
function names(value: string | null): readonly string[] | null {
  const all = (value ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  return all.length === 0 ? null : [...new Set(all)].sort();
}

/** Places are told apart so that none is another's, or within it: what one removes would be the other's. */
function checkApart(
  places: readonly (readonly [string, Place | null])[],
  values: ValueReader,
): void {
  const where = (place: Place): string =>
    place.kind === "s3" ? `s3://${place.bucket}/${place.prefix}/` : `${place.dir}/`;
  for (const [at, [name, place]] of places.entries()) {
    for (const [other, before] of places.slice(0, at)) {
      if (place === null || before === null) continue;
      const [one, two] = [where(place), where(before)].map((path) => path.replace(/\/+$/, "/"));
      if (one === undefined || two === undefined) continue;
      if (one.startsWith(two) || two.startsWith(one)) {
        values.report(name, `is ${quoted(one)}, which is not apart from ${other}: ${quoted(two)}`);
      }
    }
  }
}

const PLACES = ["COHORT_RAW", "COHORT_INTERMEDIATE", "COHORT_PROCESSED"] as const;

function read(values: ValueReader): CohortSettings | null {
  const source = readSource(values);
  if (values.text("COHORT_SOURCE") === null) {
    if (values.isAsked) values.need("COHORT_SOURCE", "exports are read from it");
    return null;
  }
  const places = PLACES.map((name) => {
    if (values.isAsked) values.need(name, "COHORT_SOURCE is, and copies go there");
    return [name, readPlace(name, values)] as const;
  });
  const own = source?.kind === "synapse" ? null : source;
  checkApart([["COHORT_SOURCE", own], ...places], values);
  const [raw, intermediate, processed] = places.map(([, place]) => place);
  if (source === null || !raw || !intermediate || !processed) return null;
  return {
    ...{ source, raw, intermediate, processed },
    parts: readParts(values),
    choice: {
      cohorts: names(values.text("COHORT_ONLY")),
      since: values.text("COHORT_SINCE"),
      exports: names(values.text("COHORT_EXPORTS")),
      isAgain: values.value("COHORT_AGAIN") === true,
    },
    types: names(values.text("COHORT_TYPES")),
    keepBuilds: values.value<number>("COHORT_KEEP_BUILDS") ?? KEEP_BUILDS,
    memoryMiB: values.value<number>("COHORT_MEMORY_MB") ?? MEMORY_MB,
    dropped: names(values.text("COHORT_DROP")) ?? [],
  };
}

function readParts(values: ValueReader): readonly Part[] {
  const part = values.value<Part | "all">("COHORT_PART") ?? "all";
  return part === "all" ? PARTS : [part];
}

const KEEP_BUILDS = 2;
const MEMORY_MB = 2048;

export const SETTINGS: JobSettings<CohortSettings> = {
  variables: [
    variable(
      "COHORT_SOURCE",
      GROUP,
      "(no cohorts)",
      "s3://my-exports",
      "Where exports are, below it NAMESPACE/COHORT/EXPORT: s3://bucket/prefix, a folder, or synapse:syn123",
    ),
    variable(
      "COHORT_RAW",
      GROUP,
      "",
      "s3://my-raw",
      "Private: members as they were sent; s3:// or a folder",
    ),
    variable(
      "COHORT_INTERMEDIATE",
      GROUP,
      "",
      "s3://my-intermediate",
      "Private: transformed records, and rows on their way to datasets",
    ),
    variable(
      "COHORT_PROCESSED",
      GROUP,
      "",
      "s3://my-processed",
      "Private: datasets and their proof",
    ),
    variable("COHORT_PART", GROUP, "all", "ingest", "What a run does: all, ingest, sync or build"),
    variable(
      "COHORT_ONLY",
      GROUP,
      "(all)",
      "adults_v1",
      "Only exports of these cohorts, separated by commas",
    ),
    variable(
      "COHORT_SINCE",
      GROUP,
      "(all)",
      "2026-01-11",
      "Only exports whose names begin with this day or a later one",
    ),
    variable(
      "COHORT_EXPORTS",
      GROUP,
      "(all)",
      "adults_v1/2026-01-11T05--00--08Z_5996f0e9",
      "Only these exports, by COHORT/EXPORT, separated by commas",
    ),
    variable("COHORT_AGAIN", GROUP, "0", "1", "1: read exports again that have been read"),
    variable(
      "COHORT_TYPES",
      GROUP,
      "(all)",
      "FitbitDevices",
      "Only datasets of these data types, separated by commas",
    ),
    variable(
      "COHORT_KEEP_BUILDS",
      GROUP,
      String(KEEP_BUILDS),
      "7",
      "How many builds stay readable beside the current one",
    ),
    variable("COHORT_MEMORY_MB", GROUP, String(MEMORY_MB), "8192", "Memory that the work may take"),
    variable(
      "COHORT_DROP",
      GROUP,
      "(none)",
      "EmailAddress,LastName",
      "Columns that no dataset has, separated by commas",
    ),
    ...SYNAPSE_VARIABLES,
  ],
  rules: {
    COHORT_SOURCE: text(optional),
    COHORT_RAW: text(optional),
    COHORT_INTERMEDIATE: text(optional),
    COHORT_PROCESSED: text(optional),
    COHORT_PART: oneOf(["all", ...PARTS])({ default: "all" }),
    COHORT_ONLY: text(optional),
    COHORT_SINCE: checked(DATE, "a day, YYYY-MM-DD")(optional),
    COHORT_EXPORTS: text(optional),
    COHORT_AGAIN: flag({ default: false }),
    COHORT_TYPES: text(optional),
    COHORT_KEEP_BUILDS: wholeNumber(0, 1000)({ default: KEEP_BUILDS }),
    COHORT_MEMORY_MB: wholeNumber(512, 1_000_000)({ default: MEMORY_MB }),
    COHORT_DROP: text(optional),
    ...SYNAPSE_RULES,
  },
  confidential: SYNAPSE_CONFIDENTIAL,
  isGiven: (given) => given.some((name) => name.startsWith("COHORT_")),
  claims: ({ COHORT_SOURCE: source }) =>
    isInSynapse(source) ? SYNAPSE_VARIABLES.map(({ name }) => name) : [],
  read,
  usesBuckets: ({ source, raw, intermediate, processed }) =>
    [source, raw, intermediate, processed].some(({ kind }) => kind === "s3"),
};
