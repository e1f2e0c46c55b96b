// The settings of the matrix job: where matrices come from, where figures go, which are chosen.

import { statSync } from "node:fs";
import { resolve } from "node:path";

import { quoted } from "../../format.ts";
import type { JobSettings, ValueReader } from "../../settings/jobSettings.ts";
import {
  bucketName,
  checked,
  flag,
  oneOf,
  optional,
  text,
  url,
  wholeNumber,
} from "../../settings/rules.ts";
import { variable } from "../../settings/variables.ts";
import { MATRIX_SOURCES, type MatrixSourceKind } from "./source.ts";

/** Stages of the Human Cell Atlas's services. */
const STAGES = ["dev", "integration", "staging", "prod", "ux-dev"] as const;
type Stage = (typeof STAGES)[number];
const SERVICES = ["azul", "azul-v0", "hca"] as const;

export interface MatrixSettings {
  readonly source:
    | {
        readonly kind: "fresh";
        readonly service: (typeof SERVICES)[number];
        readonly endpoint: string;
        readonly catalog: string | null;
        readonly pollMs: number;
        /** The older Azul of the same stage, which knows the titles of what the HCA matrix service has. */
        readonly titlesEndpoint: string;
      }
    | { readonly kind: "canned"; readonly bucket: string }
    | { readonly kind: "local"; readonly dir: string }
    | {
        readonly kind: "cellxgene";
        readonly endpoint: string;
        /** Null: every public dataset. */
        readonly collectionId: string | null;
      };
  /** Bucket that holds the blacklist of a source that is a service. */
  readonly sourceBucket: string;
  /** Bucket for figures and their pages; null: they go to the site. */
  readonly targetBucket: string | null;
  readonly isPublicRead: boolean;
  readonly useBlacklist: boolean;
  /** Project ids or "<uuid>.<species>", in a folder names as well; null: all. */
  readonly targets: readonly string[] | null;
  readonly isForced: boolean;
  /** Null: what is free, less a tenth. */
  readonly diskBytes: number | null;
  /** Project id, in a folder a name as well → atlas id. */
  readonly atlases: Readonly<Record<string, string>>;
}

/** The bucket that a stage's portal reads, e.g. "dev.project-assets.data.humancellatlas.org". */
function stageBucket(stage: Stage): string {
  return `${stageText(stage)}project-assets.data.humancellatlas.org`;
}

function stageText(stage: Stage): string {
  return stage === "prod" ? "" : `${stage}.`;
}

/** The matrix job's variables, each already checked by itself. */
interface MatrixValues {
  readonly source: MatrixSourceKind | null;
  readonly sourceStage: Stage;
  readonly sourceBucket: string | null;
  readonly targetStage: Stage | null;
  readonly targetBucket: string | null;
  readonly isPublicRead: boolean;
  readonly path: string | null;
  readonly service: (typeof SERVICES)[number];
  readonly endpoint: string | null;
  readonly catalog: string | null;
  readonly collection: string | null;
  readonly pollSeconds: number;
  readonly useBlacklist: boolean;
  readonly targets: string | null;
  readonly isForced: boolean;
  readonly diskMb: number | null;
  readonly atlases: string | null;
}

type Report = (variable: string, what: string) => void;

/** Puts the values together; null where no source is named. `report` takes what does not fit together. */
function makeSettings(
  values: MatrixValues,
  report: Report,
  isAsked: boolean,
): MatrixSettings | null {
  if (values.source === null) return null;
  if (values.source === "local" && values.path === null) {
    report("MATRIX_PATH", "is not set, but MATRIX_SOURCE is local");
  }
  // Only where it is going to be read: the doctor says it of the source, and another job needs no matrices.
  if (isAsked && values.source === "local" && values.path !== null) checkPath(values.path, report);
  if (values.source !== "local") checkTargets(values.targets, values.source, report);
  return {
    source: makeSource(values, values.source),
    sourceBucket: values.sourceBucket ?? stageBucket(values.sourceStage),
    targetBucket:
      values.targetBucket ?? (values.targetStage === null ? null : stageBucket(values.targetStage)),
    isPublicRead: values.isPublicRead,
    useBlacklist: values.useBlacklist,
    targets: readTargets(values.targets, values.source),
    isForced: values.isForced,
    diskBytes: values.diskMb === null ? null : values.diskMb * 1e6,
    atlases: readAtlases(values.atlases, values.source, report),
  };
}

function makeSource(values: MatrixValues, kind: MatrixSourceKind): MatrixSettings["source"] {
  const { service, sourceStage, catalog, pollSeconds } = values;
  const stage = stageText(sourceStage);
  const endpoint = (fallback: string) => (values.endpoint ?? fallback).replace(/\/+$/, "");
  switch (kind) {
    case "fresh": {
      const older = `https://service.${stage}explore.data.humancellatlas.org`;
      const address = {
        azul: `https://service.${stage}azul.data.humancellatlas.org`,
        "azul-v0": older,
        hca: `https://matrix.${stage}data.humancellatlas.org/v1`,
      }[service];
      return {
        kind,
        service,
        endpoint: endpoint(address),
        catalog,
        pollMs: pollSeconds * 1000,
        titlesEndpoint: older,
      };
    }
    case "canned":
      return { kind, bucket: values.sourceBucket ?? stageBucket(sourceStage) };
    case "local":
      return { kind, dir: resolve(values.path ?? ".") };
    case "cellxgene":
      return {
        kind,
        endpoint: endpoint("https://api.cellxgene.cziscience.com/curation/v1"),
        collectionId: values.collection,
      };
  }
}

/** Reports a path at which there is nothing to read. */
function checkPath(path: string, report: Report): void {
  const shown = quoted(path);
  try {
    const found = statSync(resolve(path));
    if (found.isDirectory() || found.isFile()) return;
    report("MATRIX_PATH", `is ${shown}, which is neither a folder nor a file`);
  } catch {
    report("MATRIX_PATH", `is ${shown}: there is no such folder, or it may not be looked into`);
  }
}

/** "<uuid>", or with a species: what matrices are called everywhere but in a folder of one's own. */
const TARGET = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(\.[\w-]+)?$/i;

/** Reports targets that can be nobody's, before anything is asked of a service. */
function checkTargets(text: string | null, source: MatrixSourceKind, report: Report): void {
  for (const target of readTargets(text, source) ?? []) {
    if (TARGET.test(target)) continue;
    report("MATRIX_TARGET_UUIDS", `has ${JSON.stringify(target)}, which is no <uuid>[.<species>]`);
  }
}

/** Names in a folder may have blanks; ids, which have none, may be separated by them everywhere. */
function readTargets(text: string | null, source: MatrixSourceKind): readonly string[] | null {
  const names = (text ?? "").split(/[,\r\n]+/).flatMap((name) => {
    const words = name.trim().split(/\s+/);
    const isIds = source !== "local" || words.every((word) => TARGET.test(word));
    return isIds ? words : [name.trim()];
  });
  const given = names.filter((name) => name !== "");
  return given.length === 0 ? null : [...new Set(given)].sort();
}

const ATLAS_OF_ID = /^(HTA(?:[1-9]\d?|20\d))=([A-Za-z0-9._-]+)$/;
const ATLAS_OF_NAME = /^(HTA(?:[1-9]\d?|20\d))=([^=/\\]+)$/;

function readAtlases(
  text: string | null,
  source: MatrixSourceKind,
  report: Report,
): Readonly<Record<string, string>> {
  const atlases: Record<string, string> = {};
  const pairs = (text ?? "").split(source === "local" ? /\s*,\s*|\s+(?=HTA\d+=)/ : /[\s,]+/);
  for (const pair of pairs.map((part) => part.trim()).filter((part) => part !== "")) {
    const [, atlas, project] = (source === "local" ? ATLAS_OF_NAME : ATLAS_OF_ID).exec(pair) ?? [];
    if (atlas === undefined || project === undefined) {
      report("MATRIX_ATLASES", `has ${JSON.stringify(pair)}, which is not an atlas=project`);
    } else atlases[project] = atlas;
  }
  return atlases;
}

function valuesFrom({ text: textOf, value }: ValueReader): MatrixValues {
  return {
    source: value("MATRIX_SOURCE"),
    sourceStage: value<Stage>("MATRIX_SOURCE_STAGE") ?? "prod",
    sourceBucket: textOf("MATRIX_SOURCE_BUCKET"),
    targetStage: value("MATRIX_TARGET_STAGE"),
    targetBucket: textOf("MATRIX_TARGET_BUCKET"),
    isPublicRead: value("MATRIX_PUBLIC_READ") === true,
    path: textOf("MATRIX_PATH"),
    service: value<MatrixValues["service"]>("MATRIX_SERVICE") ?? "azul",
    endpoint: textOf("MATRIX_ENDPOINT_URL"),
    catalog: textOf("MATRIX_CATALOG"),
    collection: textOf("MATRIX_COLLECTION"),
    pollSeconds: value<number>("MATRIX_POLL_SECONDS") ?? 30,
    useBlacklist: value("MATRIX_BLACKLIST") === true,
    targets: textOf("MATRIX_TARGET_UUIDS"),
    isForced: value("MATRIX_FORCE") === true,
    diskMb: value("MATRIX_DISK_MB"),
    atlases: textOf("MATRIX_ATLASES"),
  };
}

/** The variables that the flags of `hdash run matrix` stand for may be one of these. */
export const CHOICES = { sources: MATRIX_SOURCES, stages: STAGES } as const;

export const SETTINGS: JobSettings<MatrixSettings> = {
  variables: [
    variable(
      "MATRIX_SOURCE",
      "Matrices",
      "(no matrix figures)",
      "fresh",
      "Where expression matrices come from: fresh, canned, local or cellxgene",
    ),
    variable(
      "MATRIX_SOURCE_STAGE",
      "Matrices",
      "prod",
      "dev",
      "Stage that is read: dev, integration, staging, prod or ux-dev",
    ),
    variable(
      "MATRIX_SOURCE_BUCKET",
      "Matrices",
      "({stage.}project-assets.data.humancellatlas.org)",
      "my-matrices",
      "Bucket of canned matrices and of the blacklist",
    ),
    variable(
      "MATRIX_TARGET_STAGE",
      "Matrices",
      "(figures go to the site)",
      "dev",
      "Stage whose bucket figures are published to",
    ),
    variable(
      "MATRIX_TARGET_BUCKET",
      "Matrices",
      "(the target stage's, else the site)",
      "my-figures",
      "Bucket that figures and their pages are published to",
    ),
    variable(
      "MATRIX_PUBLIC_READ",
      "Matrices",
      "0",
      "1",
      "1: objects in the target bucket are put with public-read",
    ),
    variable("MATRIX_PATH", "Matrices", "", "./matrices", "Folder of a local source"),
    variable(
      "MATRIX_SERVICE",
      "Matrices",
      "azul",
      "hca",
      "Who a fresh source asks: azul, azul-v0 (the older one) or hca (matrix service v1)",
    ),
    variable(
      "MATRIX_ENDPOINT_URL",
      "Matrices",
      "(the service's public address)",
      "http://127.0.0.1:8081",
      "Where that service, or CELLxGENE, is",
    ),
    variable("MATRIX_CATALOG", "Matrices", "(the service's own)", "dcp50", "Azul catalogue"),
    variable(
      "MATRIX_COLLECTION",
      "Matrices",
      "(every public dataset)",
      "283d65eb-dd53-496d-adb7-7570c7caa443",
      "CELLxGENE collection",
    ),
    variable(
      "MATRIX_POLL_SECONDS",
      "Matrices",
      "30",
      "5",
      "How often a prepared matrix is asked for",
    ),
    variable(
      "MATRIX_BLACKLIST",
      "Matrices",
      "0",
      "1",
      "1: leave out the projects that the object `blacklist` names",
    ),
    variable(
      "MATRIX_TARGET_UUIDS",
      "Matrices",
      "(all)",
      "4a95101c-9ffc-4f30-a809-f04518a23803",
      "Only these projects, separated by commas",
    ),
    variable("MATRIX_FORCE", "Matrices", "0", "1", "1: do again what is up to date"),
    variable(
      "MATRIX_DISK_MB",
      "Matrices",
      "(what is free, less a tenth)",
      "50000",
      "Most that downloads take in HDASH_HOME at a time",
    ),
    variable(
      "MATRIX_ATLASES",
      "Matrices",
      "",
      "HTA3=4a95101c-9ffc-4f30-a809-f04518a23803",
      "Which atlas a project belongs to; its figures are shown on that atlas's page",
    ),
  ],
  rules: {
    MATRIX_SOURCE: oneOf(MATRIX_SOURCES)(optional),
    MATRIX_SOURCE_STAGE: oneOf(STAGES)({ default: "prod" }),
    MATRIX_SOURCE_BUCKET: bucketName(),
    MATRIX_TARGET_STAGE: oneOf(STAGES)(optional),
    MATRIX_TARGET_BUCKET: bucketName(),
    MATRIX_PUBLIC_READ: flag(optional),
    MATRIX_PATH: text(optional),
    MATRIX_SERVICE: oneOf(SERVICES)({ default: "azul" }),
    MATRIX_ENDPOINT_URL: url(),
    MATRIX_CATALOG: checked(/^[\w-]+$/, "a catalogue's name")(optional),
    MATRIX_COLLECTION: checked(/^[\w-]+$/, "a collection's id")(optional),
    MATRIX_POLL_SECONDS: wholeNumber(1, 3600)({ default: 30 }),
    MATRIX_BLACKLIST: flag(optional),
    MATRIX_TARGET_UUIDS: checked(
      /^(?:[^/\\\p{Cc}]|\s)+$/u,
      "project ids, or names of matrices in a folder, separated by commas",
    )(optional),
    MATRIX_FORCE: flag(optional),
    MATRIX_DISK_MB: wholeNumber(1, 1_000_000_000)(optional),
    MATRIX_ATLASES: text(optional),
  },
  isGiven: (names) => names.includes("MATRIX_SOURCE"),
  read(values) {
    if (values.isAsked) values.need("MATRIX_SOURCE", "matrices have to be read");
    const report: Report = (name, what) => values.report(name, what);
    return makeSettings(valuesFrom(values), report, values.isAsked);
  },
  usesBuckets: ({ source, targetBucket }) => source.kind === "canned" || targetBucket !== null,
};
