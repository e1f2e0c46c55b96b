// A comparison of two builds as it may be told in public: without numbers of datasets that few people of either side have, and with no number of
// rows that is small.

import type { CompareResult, DatasetComparison } from "./compareResult.ts";
import type { Days } from "./days.ts";
import { sumDays } from "./days.ts";
import { withheldBecause } from "./disclosure.ts";
import type { LaidOut } from "./recordShape.ts";

export interface ToldDataset {
  readonly dataset: string;
  readonly type: string;
  readonly isChild: boolean;
  readonly isLimited: boolean;
  readonly isSame: boolean;
  /** Null where numbers are withheld. */
  readonly rows: DatasetComparison["rows"] | null;
  readonly duplicates: DatasetComparison["duplicates"] | null;
  readonly onlyStaging: readonly string[];
  readonly onlyMain: readonly string[];
  /** Columns with unequal values or types; counts are null where withheld. */
  readonly unequal: readonly {
    readonly name: string;
    readonly types: { readonly staging: string; readonly main: string };
    readonly unequal: number | null;
    readonly nullDiff: number | null;
  }[];
}

export interface Comparison {
  readonly staging: { readonly label: string; readonly build: string };
  readonly main: { readonly label: string; readonly build: string };
  readonly isLimited: boolean;
  readonly datasets: readonly ToldDataset[];
  readonly notCompared: CompareResult["notCompared"];
  /** Rows of parents by day, of datasets whose numbers are told. */
  readonly days: {
    readonly onlyStaging: Days;
    readonly onlyMain: Days;
    readonly unequal: Days;
  };
}

/** Tells a comparison. */
export function tellComparison(result: CompareResult, laidOut: LaidOut, least: number): Comparison {
  const isTold = (type: string): boolean => {
    const own = laidOut.shapes.get(type)?.type;
    if (own === undefined) return false;
    return [result.staging, result.main].every(
      ({ people }) => withheldBecause(people[type] ?? null, own, least) === null,
    );
  };
  const told = result.datasets.filter(({ type }) => isTold(type));
  const daysOf = (of: "onlyStaging" | "onlyMain" | "unequal"): Days =>
    sumDays(
      told.flatMap(({ overTime }) =>
        (overTime ?? []).map((one) => ({ [one.end?.slice(0, 10) ?? ""]: one[of] })),
      ),
    );
  const side = ({ label, build }: CompareResult["staging"]) => ({ label, build });
  return {
    ...{ staging: side(result.staging), main: side(result.main) },
    isLimited: result.limit.kind === "exports",
    datasets: result.datasets.map((one) => tellDataset(one, isTold(one.type))),
    notCompared: result.notCompared,
    days: {
      onlyStaging: withoutNoDay(daysOf("onlyStaging")),
      onlyMain: withoutNoDay(daysOf("onlyMain")),
      unequal: withoutNoDay(daysOf("unequal")),
    },
  };
}

function withoutNoDay(days: Days): Days {
  return Object.fromEntries(Object.entries(days).filter(([day]) => day !== ""));
}

function tellDataset(one: DatasetComparison, isTold: boolean): ToldDataset {
  const { dataset, type, parent, isLimited, rows, columns, duplicates, unequal } = one;
  const differing = rows.onlyStaging + rows.onlyMain + unequal.length;
  const odd = columns.onlyStaging.length + columns.onlyMain.length;
  return {
    ...{ dataset, type, isChild: parent !== null, isLimited, isSame: differing + odd === 0 },
    ...{ rows: isTold ? rows : null, duplicates: isTold ? duplicates : null },
    ...{ onlyStaging: columns.onlyStaging, onlyMain: columns.onlyMain },
    unequal: unequal.map((column) => ({
      ...{ name: column.name, types: column.types },
      unequal: isTold ? column.unequal : null,
      nullDiff: isTold ? column.nullDiff : null,
    })),
  };
}
