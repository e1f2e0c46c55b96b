// What a comparison has found, as a test chooses it.

import type {
  CompareResult,
  DatasetComparison,
} from "../../../../src/jobs/cohort/data/compareResult.ts";

const MANY = [
  { cohort: "adults_v1", count: 20 },
  { cohort: "pediatric_v1", count: 20 },
];

/** A dataset of a parent, compared. */
export function comparedDataset(
  type: string,
  numbers: {
    readonly inCommon?: number;
    readonly onlyStaging?: number;
    readonly onlyMain?: number;
    readonly unequal?: number;
    readonly columns?: readonly string[];
  } = {},
): DatasetComparison {
  const { inCommon = 100, onlyStaging = 0, onlyMain = 0, unequal = 0, columns = [] } = numbers;
  return {
    ...{ dataset: `dataset_${type.toLowerCase()}`, type, parent: null, isLimited: true },
    key: ["ParticipantIdentifier", "Date"],
    columns: {
      ...{ staging: 5, main: 5, inCommon: 5, compared: 3, onlyStaging: columns, onlyMain: [] },
    },
    rows: {
      ...{ staging: inCommon + onlyStaging, main: inCommon + onlyMain, inCommon, onlyStaging },
      ...{ onlyMain, someUnequal: unequal, noneUnequal: inCommon - unequal },
    },
    duplicates: { staging: 0, main: 0 },
    unequal:
      unequal === 0
        ? []
        : [
            {
              ...{ name: "Value", types: { staging: "DOUBLE", main: "DOUBLE" } },
              ...{ unequal, nullDiff: 1 },
            },
          ],
    overTime: [
      {
        end: "2026-01-12T00:00:00",
        ...{ inCommon, onlyStaging, onlyMain, unequal },
      },
    ],
  };
}

/** A comparison of a branch's datasets with main's; `few` names types that few people of main have. */
export function compareResult(
  datasets: readonly DatasetComparison[],
  few: readonly string[] = [],
): CompareResult {
  const types = datasets.map(({ type }) => type);
  const people = (isMain: boolean) =>
    Object.fromEntries(
      types.map((type) => [
        type,
        isMain && few.includes(type) ? [{ cohort: "adults_v1", count: 3 }] : MANY,
      ]),
    );
  return {
    version: 1,
    staging: { namespace: "foo", build: "b2", label: "foo", stale: [], people: people(false) },
    main: { namespace: "main", build: "b1", label: "main", stale: [], people: people(true) },
    limit: { kind: "exports", unmatched: [] },
    datasets,
    notCompared: [{ dataset: "dataset_older", why: "no_type" }],
  };
}
