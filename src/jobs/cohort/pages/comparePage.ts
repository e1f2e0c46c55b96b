// The last comparison of the namespace's datasets with others: which differ, in which columns, and of which days.

import { count, instant, number } from "../../../format.ts";
import { HTML, type PageFigure, type PageFile } from "../../../render/page.ts";
import { type CellValue, makeTable, type TableModel } from "../../../render/table.ts";
import type { Comparison, ToldDataset } from "../data/comparison.ts";
import { typePage } from "../data/studyProblems.ts";
import { headOf, type PageContext, toldCell, WITHHELD } from "./pageFrame.ts";

/** Makes compare.html. */
export function makeComparePage(context: PageContext, figures: readonly PageFigure[]): PageFile {
  const { comparison, run, render } = context;
  const known = comparison === null ? null : tell(comparison);
  const model = {
    ...headOf(context, {
      title: "Comparison",
      description: "How these datasets differ from those of another namespace or build.",
      file: "compare.html",
    }),
    ...{ builtAt: instant(run.startedAt), build: run.build },
    isKnown: known !== null,
    ...(known ?? NOTHING),
    figures,
  };
  return { path: "compare.html", contentType: HTML, text: render("cohort/compare", model) };
}

const NOTHING = {
  ...{ summary: "", limit: "", headlines: [], datasets: {}, columns: {}, hasColumns: false },
  ...{ hasLeftOut: false, leftOut: [] },
};

function tell(comparison: Comparison) {
  const { staging, main, isLimited, datasets, notCompared } = comparison;
  const same = datasets.filter(({ isSame }) => isSame).length;
  const sum = (of: (rows: NonNullable<ToldDataset["rows"]>) => number): number =>
    datasets.reduce((total, { rows }) => total + (rows === null ? 0 : of(rows)), 0);
  return {
    summary: `${staging.label} (build ${staging.build}) compared with ${main.label} (build ${main.build})`,
    limit: isLimited
      ? `Of ${main.label} the rows of exports that ${staging.label} holds.`
      : `All rows of ${main.label}.`,
    headlines: [
      { label: "Datasets", value: number(datasets.length), note: `${number(same)} the same` },
      {
        label: "Rows in common",
        value: number(sum((rows) => rows.inCommon)),
        note: "by their keys",
      },
      {
        label: `Only ${staging.label}`,
        value: number(sum((rows) => rows.onlyStaging)),
        note: "rows",
      },
      { label: `Only ${main.label}`, value: number(sum((rows) => rows.onlyMain)), note: "rows" },
      { label: "Unequal", value: number(sum((rows) => rows.someUnequal)), note: "rows in common" },
    ],
    datasets: datasetsTable(comparison),
    columns: columnsTable(comparison),
    hasColumns: datasets.some(({ unequal }) => unequal.length > 0),
    hasLeftOut: notCompared.length > 0,
    leftOut: notCompared.map(({ dataset, why }) => ({
      dataset,
      why:
        why === "no_type"
          ? "the schema has no data type of it"
          : why === "unmatched"
            ? "its rows cannot be matched"
            : `only ${why === "only_staging" ? staging.label : main.label} has it`,
    })),
  };
}

function datasetsTable({ staging, main, datasets }: Comparison): TableModel {
  return makeTable({
    id: "datasets",
    name: `cohorts-${staging.label}-${main.label}`,
    caption: "Datasets compared",
    columns: [
      { key: "dataset", label: "Dataset", kind: "text" },
      { key: "state", label: "State", kind: "text" },
      { key: "common", label: "In common", kind: "number", hint: "Rows with the same key" },
      { key: "staging", label: `Only ${staging.label}`, kind: "number" },
      { key: "main", label: `Only ${main.label}`, kind: "number" },
      {
        key: "unequal",
        label: "Unequal",
        kind: "number",
        hint: "Rows in common with another value",
      },
      { key: "repeated", label: "Repeated keys", kind: "number", hint: "On both sides" },
      { key: "columns", label: "Columns of one side", kind: "text", prose: true },
    ],
    rows: datasets.map((one): readonly CellValue[] => [
      { text: one.dataset.replace(/^dataset_/, ""), href: typePage(one.type) },
      one.isSame ? { text: "the same", tone: "good" } : { text: "differs", tone: "warning" },
      toldCell(one.rows?.inCommon ?? null),
      differenceCell(one.rows?.onlyStaging),
      differenceCell(one.rows?.onlyMain),
      differenceCell(one.rows?.someUnequal),
      one.duplicates === null ? WITHHELD : one.duplicates.staging + one.duplicates.main,
      [
        ...one.onlyStaging.map((name) => `${staging.label}: ${name}`),
        ...one.onlyMain.map((name) => `${main.label}: ${name}`),
      ].join(", "),
    ]),
    empty: "No dataset was compared.",
    allHref: "data/compare.json",
  });
}

function differenceCell(rows: number | undefined): CellValue {
  if (rows === undefined) return WITHHELD;
  return rows === 0 ? 0 : { text: number(rows), value: rows, tone: "warning" };
}

function columnsTable({ staging, main, datasets }: Comparison): TableModel {
  return makeTable({
    id: "columns",
    name: `cohorts-${staging.label}-${main.label}-columns`,
    caption: "Columns with unequal values or types",
    columns: [
      { key: "column", label: "Column", kind: "text" },
      { key: "dataset", label: "Dataset", kind: "text" },
      { key: "types", label: "Types", kind: "text" },
      { key: "unequal", label: "Unequal values", kind: "number" },
      { key: "null", label: "One of them missing", kind: "number" },
    ],
    rows: datasets.flatMap(({ dataset, unequal }) =>
      unequal.map((column): readonly CellValue[] => [
        column.name,
        dataset.replace(/^dataset_/, ""),
        column.types.staging === column.types.main
          ? column.types.main
          : {
              text: `${column.types.staging} and ${column.types.main}`,
              tone: "warning",
              note: `${staging.label} and ${main.label}`,
            },
        toldCell(column.unequal),
        toldCell(column.nullDiff),
      ]),
    ),
    empty: `No column of ${count(datasets.length, "dataset")} differs.`,
    allHref: "data/compare.json",
  });
}
