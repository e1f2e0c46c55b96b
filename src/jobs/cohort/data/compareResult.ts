// What a comparison of two builds has found, in counts and names of columns: never a key, a value or a line of a participant.

import type { PeopleCount } from "./people.ts";

/** The versions of a CompareResult that there are. */
export const COMPARE_VERSION = 1;

/** A build as one of the two sides. */
export interface ComparedBuild {
  readonly namespace: string;
  readonly build: string;
  /** How it is called beside the other: by its namespace, or, where that is the other's too, with its build. */
  readonly label: string;
  /** Data types of those compared whose datasets do not show all records that were read. */
  readonly stale: readonly string[];
  /** Participants of these types by cohort; a type whose people nobody could count is missing. */
  readonly people: Readonly<Record<string, readonly PeopleCount[]>>;
}

/** A number for each side. */
export interface BySide<T> {
  readonly staging: T;
  readonly main: T;
}

/** A column with unequal values, or of two types. */
export interface UnequalColumn {
  readonly name: string;
  readonly types: BySide<string>;
  /** Rows in common whose values differ. */
  readonly unequal: number;
  /** Those of them in which one value is null. */
  readonly nullDiff: number;
}

/** Rows by the day that their export ends. */
export interface ComparedDay {
  /** ISO date and time, as rows have it; null where they have none. A row in common counts by staging's. */
  readonly end: string | null;
  readonly inCommon: number;
  readonly onlyStaging: number;
  readonly onlyMain: number;
  /** Rows in common with some inequality. */
  readonly unequal: number;
}

export interface DatasetComparison {
  readonly dataset: string;
  readonly type: string;
  /** The dataset that a child belongs to; null for a parent. */
  readonly parent: string | null;
  /** Columns that rows are matched on, "^parent_index" being the index of the element that an array in an array lies in. */
  readonly key: readonly string[];
  /** True where main's rows were limited to the exports that staging's have. */
  readonly isLimited: boolean;
  readonly columns: BySide<number> & {
    readonly inCommon: number;
    /** Those in common whose values are compared: neither keys nor surrogates. */
    readonly compared: number;
    /** Sorted. */
    readonly onlyStaging: readonly string[];
    readonly onlyMain: readonly string[];
  };
  readonly rows: BySide<number> & {
    readonly inCommon: number;
    readonly onlyStaging: number;
    readonly onlyMain: number;
    /** Of those in common. */
    readonly someUnequal: number;
    readonly noneUnequal: number;
  };
  /** Rows whose key another row of their side has, the first of each key not counted. */
  readonly duplicates: BySide<number>;
  /** Sorted by name. */
  readonly unequal: readonly UnequalColumn[];
  /** Sorted by day; null for a child, whose rows have no day. */
  readonly overTime: readonly ComparedDay[] | null;
}

/** Why a dataset of one of the builds was not compared. */
export type NotComparedReason = "only_staging" | "only_main" | "no_type" | "unmatched";

/** Which of main's rows count: all, or those of the exports that staging's catalog has members of, type by type. */
export interface CompareLimit {
  readonly kind: "all" | "exports";
  /** Types that main has rows of, and none of these exports, so that all of them count. Sorted. */
  readonly unmatched: readonly string[];
}

export interface CompareResult {
  readonly version: typeof COMPARE_VERSION;
  readonly staging: ComparedBuild;
  readonly main: ComparedBuild;
  readonly limit: CompareLimit;
  /** By data type, a parent before its children. */
  readonly datasets: readonly DatasetComparison[];
  /** Datasets of a build that could not be compared, sorted by name. */
  readonly notCompared: readonly {
    readonly dataset: string;
    readonly why: NotComparedReason;
    /** What keeps its rows from being matched; only where that is why. */
    readonly says?: string;
  }[];
}

/** Tells whether a dataset is the same on both sides: rows, columns, types and values. */
export function isSame({ columns, rows, unequal }: DatasetComparison): boolean {
  const differing = [
    ...[columns.onlyStaging.length, columns.onlyMain.length, rows.onlyStaging, rows.onlyMain],
    unequal.length,
  ];
  return differing.every((count) => count === 0);
}
