// The fixture's answers, as far as tests hold something against them.

import { readFileSync } from "node:fs";

import type { ColumnKind } from "./digest.ts";

export interface ExpectedMember {
  readonly bytes: number;
  readonly type?: string;
  readonly subtype?: string | null;
  readonly start?: string | null;
  readonly end?: string;
  readonly id?: string;
  readonly sha256?: string;
  readonly rawKey?: string;
  readonly status: string;
  readonly read: number | null;
  readonly written: number;
  readonly quarantined: Readonly<Record<string, readonly number[]>>;
  readonly manifest: number | null;
  readonly superseded?: boolean;
  readonly casts?: Readonly<Record<string, number>>;
}

export interface ExpectedDataset {
  readonly rows: number;
  readonly columns: Readonly<Record<string, ColumnKind>>;
  readonly sha256: string;
  readonly childOf?: string;
  readonly surrogate?: string;
  readonly key?: readonly string[];
}

export interface ExpectedNamespace {
  readonly totals: Readonly<Record<string, unknown>>;
  readonly objects: Readonly<Record<string, string>>;
  readonly exports: Readonly<
    Record<
      string,
      {
        readonly findings: readonly Readonly<Record<string, unknown>>[];
        readonly members: Readonly<Record<string, ExpectedMember>>;
      }
    >
  >;
  readonly datasets: Readonly<Record<string, ExpectedDataset>>;
  readonly expectations?: readonly {
    readonly dataset: string;
    readonly column: string;
    readonly check: string;
    readonly elementCount: number;
    readonly missingCount?: number;
    readonly unexpectedCount?: number;
    readonly success: boolean;
  }[];
  readonly recordCounts?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Reads the answers of a folder of the fixture, by namespace. */
export function expectedOf(folder: string): Readonly<Record<string, ExpectedNamespace>> {
  const { namespaces } = JSON.parse(readFileSync(`${folder}/expected.json`, "utf8")) as {
    readonly namespaces: Readonly<Record<string, ExpectedNamespace>>;
  };
  return namespaces;
}
