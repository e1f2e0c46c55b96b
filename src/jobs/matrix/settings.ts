// The settings of the matrix job: where matrices come from, where figures go, which are chosen.

import { resolve } from "node:path";

import type { MatrixSourceKind } from "./source.ts";

/** Stages of the Human Cell Atlas's services. */
export const STAGES = ["dev", "integration", "staging", "prod", "ux-dev"] as const;
export type Stage = (typeof STAGES)[number];
export const SERVICES = ["azul", "azul-v0", "hca"] as const;

export interface MatrixConfig {
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
  /** Project ids or "<uuid>.<species>"; null: all. */
  readonly targets: readonly string[] | null;
  readonly isForced: boolean;
  /** Null: what is free, less a tenth. */
  readonly diskBytes: number | null;
  /** Project id → atlas id. */
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
export interface MatrixValues {
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

/** Puts the values together; null where no source is named. `report` takes what does not fit together. */
export function makeMatrixConfig(
  values: MatrixValues,
  report: (variable: string, what: string) => void,
): MatrixConfig | null {
  if (values.source === null) return null;
  if (values.source === "local" && values.path === null) {
    report("MATRIX_PATH", "is not set, but MATRIX_SOURCE is local");
  }
  return {
    source: makeSource(values, values.source),
    sourceBucket: values.sourceBucket ?? stageBucket(values.sourceStage),
    targetBucket:
      values.targetBucket ?? (values.targetStage === null ? null : stageBucket(values.targetStage)),
    isPublicRead: values.isPublicRead,
    useBlacklist: values.useBlacklist,
    targets: readTargets(values.targets),
    isForced: values.isForced,
    diskBytes: values.diskMb === null ? null : values.diskMb * 1e6,
    atlases: readAtlases(values.atlases, report),
  };
}

function makeSource(values: MatrixValues, kind: MatrixSourceKind): MatrixConfig["source"] {
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

function readTargets(text: string | null): readonly string[] | null {
  const ids = (text ?? "").split(/[\s,]+/).filter((id) => id !== "");
  return ids.length === 0 ? null : [...new Set(ids)].sort();
}

function readAtlases(
  text: string | null,
  report: (variable: string, what: string) => void,
): Readonly<Record<string, string>> {
  const atlases: Record<string, string> = {};
  for (const pair of (text ?? "").split(/[\s,]+/).filter((part) => part !== "")) {
    const [, atlas, project] = /^(HTA[1-9]\d?)=([A-Za-z0-9._-]+)$/.exec(pair) ?? [];
    if (atlas === undefined || project === undefined) {
      report("MATRIX_ATLASES", `has ${JSON.stringify(pair)}, which is not an atlas=project`);
    } else atlases[project] = atlas;
  }
  return atlases;
}
