// The settings of the cohort job: where exports come from, where their copies and datasets go, and what a run is asked for.

import type { JobSettings, ValueReader } from "../../settings/jobSettings.ts";
import {
  checked,
  flag,
  namespaceName,
  optional,
  someOf,
  text,
  wholeNumber,
} from "../../settings/rules.ts";
import {
  readSynapseAccess,
  SYNAPSE_CONFIDENTIAL,
  SYNAPSE_RULES,
  SYNAPSE_VARIABLES,
  type SynapseAccess,
} from "../../settings/synapseAccess.ts";
import { variable } from "../../settings/variables.ts";
import type { Choice } from "./data/catalog.ts";
import { isDay } from "./data/exportName.ts";
import { type CohortPlaces, isInSynapse, readPlaces } from "./places.ts";

export type { Place, SynapsePlace } from "./places.ts";

/** Parts of the work, in the order in which a run does them. */
export const PARTS = ["ingest", "sync", "build", "validate"] as const;
export type Part = (typeof PARTS)[number];

export interface CohortSettings extends CohortPlaces {
  readonly parts: readonly Part[];
  readonly choice: Choice;
  /** Data types that are built; null: all. */
  readonly types: readonly string[] | null;
  /** How many builds before the current one stay readable. */
  readonly keepBuilds: number;
  readonly memoryMiB: number;
  /** Columns that are left out of datasets. */
  readonly dropped: readonly string[];
  /** Fewer people than this are not told on pages. */
  readonly leastPeople: number;
  /** The namespace whose exports are read; null: its own. */
  readonly from: string | null;
  /** How Synapse is reached by who asks for something there. */
  readonly synapse: SynapseAccess;
}

const GROUP = "Cohorts";

/** Names separated by commas; null where there is none. */
function names(value: string | null): readonly string[] | null {
  const all = (value ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  return all.length === 0 ? null : [...new Set(all)].sort();
}

function read(values: ValueReader): CohortSettings | null {
  const places = readPlaces(values);
  if (places === null) return null;
  return {
    ...places,
    parts: values.value<readonly Part[]>("COHORT_PART") ?? PARTS,
    choice: {
      cohorts: names(values.text("COHORT_ONLY")),
      since: values.text("COHORT_SINCE"),
      exports: names(values.text("COHORT_EXPORTS")),
      newest: values.value<number>("COHORT_NEWEST"),
      isAgain: values.value("COHORT_AGAIN") === true,
    },
    types: names(values.text("COHORT_TYPES")),
    keepBuilds: values.value<number>("COHORT_KEEP_BUILDS") ?? KEEP_BUILDS,
    memoryMiB: values.value<number>("COHORT_MEMORY_MB") ?? MEMORY_MB,
    dropped: names(values.text("COHORT_DROP")) ?? [],
    leastPeople: values.value<number>("COHORT_SMALL_CELL") ?? SMALL_CELL,
    from: values.text("COHORT_FROM"),
    synapse: readSynapseAccess({ ...values, isAsked: false }, ""),
  };
}

const KEEP_BUILDS = 2;
const MEMORY_MB = 2048;
const SMALL_CELL = 5;

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
    variable(
      "COHORT_PART",
      GROUP,
      "all",
      "ingest,build",
      "What a run does: some of ingest, sync, build and validate, separated by commas, or all",
    ),
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
    variable(
      "COHORT_NEWEST",
      GROUP,
      "(all)",
      "28",
      "Only so many exports, those whose names are the latest, of all cohorts together",
    ),
    variable(
      "COHORT_FROM",
      GROUP,
      "(NAMESPACE)",
      "main",
      "The namespace whose exports are read; copies and datasets stay in NAMESPACE's own places",
    ),
    variable(
      "COHORT_AGAIN",
      GROUP,
      "0",
      "1",
      "1: read exports again that have been read, and build every type whole",
    ),
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
    variable(
      "COHORT_MEMORY_MB",
      GROUP,
      String(MEMORY_MB),
      "8192",
      "Most memory that a run takes, in MB",
    ),
    variable(
      "COHORT_DROP",
      GROUP,
      "(none)",
      "EmailAddress,LastName",
      "Columns that no dataset has, separated by commas",
    ),
    variable(
      "COHORT_SMALL_CELL",
      GROUP,
      String(SMALL_CELL),
      "10",
      "Fewer people than this are not told on pages, nor is anything from which they follow",
    ),
    ...SYNAPSE_VARIABLES,
  ],
  rules: {
    COHORT_SOURCE: text(optional),
    COHORT_RAW: text(optional),
    COHORT_INTERMEDIATE: text(optional),
    COHORT_PROCESSED: text(optional),
    COHORT_PART: someOf(PARTS, "all")({ default: PARTS }),
    COHORT_ONLY: text(optional),
    COHORT_SINCE: checked({ test: isDay }, "a day, YYYY-MM-DD")(optional),
    COHORT_EXPORTS: text(optional),
    COHORT_NEWEST: wholeNumber(1, 1_000_000)(optional),
    COHORT_FROM: namespaceName(optional),
    COHORT_AGAIN: flag({ default: false }),
    COHORT_TYPES: text(optional),
    COHORT_KEEP_BUILDS: wholeNumber(0, 1000)({ default: KEEP_BUILDS }),
    COHORT_MEMORY_MB: wholeNumber(512, 1_000_000)({ default: MEMORY_MB }),
    COHORT_DROP: text(optional),
    COHORT_SMALL_CELL: wholeNumber(1, 1000)({ default: SMALL_CELL }),
    ...SYNAPSE_RULES,
  },
  confidential: SYNAPSE_CONFIDENTIAL,
  isGiven: (given) => given.some((name) => name.startsWith("COHORT_")),
  claims: ({ COHORT_SOURCE: source = "" }) =>
    isInSynapse(source) ? SYNAPSE_VARIABLES.map(({ name }) => name) : [],
  read,
  usesBuckets: ({ source, raw, intermediate, processed }) =>
    [source, raw, intermediate, processed].some(({ kind }) => kind === "s3"),
};
