// What can be wrong with a manifest as a file, before any check looks at what it says. The codes begin with M_.

import type { Finding, Severity } from "../../../finding.ts";
import { count, list } from "../../../format.ts";
import type { CsvFacts } from "../../../formats/csv.ts";
import type { ManifestEntry } from "./analysis.ts";
import { asTemplated, type Component } from "./components.ts";
import { keptValue } from "./keptValue.ts";

/** The rules by code, in the order in which pages list them. "Error" means that something of the manifest was not read. */
export const MANIFEST_RULES = {
  M_UNREADABLE: { severity: "error", title: "Manifests can be read" },
  M_EMPTY: { severity: "error", title: "Manifests have content" },
  M_NOT_CSV: { severity: "error", title: "Manifests are CSV files" },
  M_UNCLOSED_QUOTE: { severity: "error", title: "Quotes are closed" },
  M_NO_COMPONENT: { severity: "error", title: "Manifests name their component" },
  M_MISSING_COLUMN: { severity: "error", title: "Manifests have the columns of their ids" },
  M_COMPONENT_DIFFERS: { severity: "warning", title: "Manifests and annotations agree" },
  M_DUPLICATE_COLUMN: { severity: "warning", title: "Columns are there once" },
  M_RAGGED_ROWS: { severity: "warning", title: "Rows are as long as the header" },
  M_ENCODING: { severity: "warning", title: "Manifests are UTF-8 text" },
  M_DAYS: { severity: "warning", title: "Treatments end after they start" },
  M_VIEW_ROW: { severity: "warning", title: "The file view can be read" },
} as const satisfies Readonly<
  Record<string, { readonly severity: Severity; readonly title: string }>
>;

type ManifestRule = keyof typeof MANIFEST_RULES;

/** So many rows of a kind are named; more would bury the sentence. */
export const ROWS_NAMED = 5;

/** What was noticed of a manifest while it was read. */
export interface ManifestContent {
  /** Names of its columns; null where it has none. */
  readonly columns: readonly string[] | null;
  /** The component that its own records name; "" for none. */
  readonly ownComponent: string;
  /** What it is by its first bytes; null where they tell nothing. */
  readonly format: string | null;
  readonly isCsv: boolean;
  readonly records: number;
  /** Rows of another length than the header: how many, and the first of them. */
  readonly ragged: { readonly count: number; readonly rows: readonly number[] };
  /** The first row with an id or a label that holds pieces of later rows; null: there is none. */
  readonly swallowingRow: number | null;
}

/** Tells what is wrong with a manifest as a file. `component` is its entry in the table, or its name where it is not in there. */
export function findProblems(
  entry: ManifestEntry,
  component: Component | string | null,
  content: ManifestContent,
  facts: CsvFacts,
): readonly Finding[] {
  const name = typeof component === "string" ? component : (component?.component ?? null);
  const it = describeManifest(entry, name);
  const { columns, ownComponent, ragged } = content;
  const problem: MakeProblem = (rule, row, message, fields = {}) => ({
    rule,
    severity: MANIFEST_RULES[rule].severity,
    subject: entry.entityId,
    row,
    message: `${it} ${message}.`,
    fields: { manifest: entry.entityId, component: name ?? "", ...fields },
  });
  if (!content.isCsv || (columns === null && facts.overlongRow !== null)) {
    const guess = content.format === null ? "" : `; it looks like ${content.format}`;
    const message = `is no CSV with the columns of a manifest${guess}, so nothing of it was read`;
    return [problem("M_NOT_CSV", null, message)];
  }
  if (columns === null && facts.unclosedRow !== null) {
    const message = `has a quote in row ${facts.unclosedRow}, that of its column names, that is never closed, so nothing of it was read`;
    return [problem("M_UNCLOSED_QUOTE", facts.unclosedRow, message)];
  }
  if (columns === null) {
    return [problem("M_EMPTY", null, "is empty: it has not even a row of column names")];
  }
  const problems = [...quoteProblems(content, facts, problem)];
  if (name === null) {
    const message =
      "has no Component, neither as an annotation in Synapse nor in its own column, so none of the checks could look at it";
    problems.push(problem("M_NO_COMPONENT", null, message));
  }
  if (typeof component !== "string" && component !== null) {
    problems.push(...missingColumns(columns, component, problem));
  }
  if (entry.component !== null && ownComponent !== "" && ownComponent !== entry.component) {
    const message = `is annotated as ${entry.component} in Synapse, but its own records say ${ownComponent}; the annotation was believed`;
    problems.push(problem("M_COMPONENT_DIFFERS", null, message, { value: ownComponent }));
  }
  problems.push(...repeatedColumns(columns, problem));
  if (ragged.count > 0) {
    const rows = `${ragged.rows.length === 1 ? "row" : "rows"} ${ragged.rows.join(", ")}${ragged.count > ragged.rows.length ? " and others" : ""}`;
    const message = `has ${count(ragged.count, "row")} with more or fewer cells than its ${columns.length} columns (${rows}); cells that are lacking count as empty`;
    problems.push(
      problem("M_RAGGED_ROWS", ragged.rows[0] ?? null, message, { value: String(ragged.count) }),
    );
  }
  if (facts.undecodableRow !== null) {
    const message = `has bytes that are not UTF-8 text, the first in row ${facts.undecodableRow}; save it as “CSV UTF-8”`;
    problems.push(problem("M_ENCODING", facts.undecodableRow, message));
  }
  return problems;
}

type MakeProblem = (
  rule: ManifestRule,
  row: number | null,
  message: string,
  fields?: Readonly<Record<string, string>>,
) => Finding;

function quoteProblems(
  content: ManifestContent,
  facts: CsvFacts,
  problem: MakeProblem,
): readonly Finding[] {
  const { unclosedRow, overlongRow } = facts;
  const { swallowingRow } = content;
  const problems: Finding[] = [];
  if (swallowingRow !== null) {
    const message = `has a quote in row ${swallowingRow} that is closed only in a later row, so that rows were taken for one cell, which was left out`;
    problems.push(problem("M_UNCLOSED_QUOTE", swallowingRow, message));
  }
  if (unclosedRow !== null) {
    const message = `has a quote in row ${unclosedRow} that is never closed, so that this row and all that follow were not read`;
    problems.push(problem("M_UNCLOSED_QUOTE", unclosedRow, message));
  } else if (overlongRow !== null) {
    const message = `has no end to row ${overlongRow}, probably because a quote is not closed; reading stopped there after ${count(content.records, "record")}`;
    problems.push(problem("M_UNCLOSED_QUOTE", overlongRow, message));
  }
  return problems;
}

/** Adjacent specimens need not be named, so their column may be left out; and H_ENTITY_ID looks for entityId. */
function missingColumns(
  columns: readonly string[],
  component: Component,
  problem: MakeProblem,
): readonly Finding[] {
  const { primaryIdColumn, parentIdColumns } = asTemplated(component, columns);
  const wanted = [primaryIdColumn === null ? [] : [primaryIdColumn], parentIdColumns];
  // Of several columns for parents, templates have had one or the other.
  return wanted
    .filter((any) => any.length > 0 && !any.some((column) => columns.includes(column)))
    .map((any) => {
      const what = any.length === 1 ? "no column" : "none of the columns";
      const message = `has ${what} ${list(any)}, so its records cannot be linked`;
      return problem("M_MISSING_COLUMN", null, message, { column: any[0] ?? "" });
    });
}

function repeatedColumns(columns: readonly string[], problem: MakeProblem): readonly Finding[] {
  const places = Map.groupBy(columns, (name) => name);
  const repeated = [...places].filter(([name, same]) => name !== "" && same.length > 1);
  return repeated.map(([name]) => {
    const column = keptValue(name);
    const message = `has the column ${column} more than once; the first was read`;
    return problem("M_DUPLICATE_COLUMN", null, message, { column });
  });
}

/** Names a manifest at the start of a sentence, e.g. "The Biospecimen manifest (specimens/synapse_storage_manifest_biospecimen.csv)". */
export function describeManifest(entry: ManifestEntry, component: string | null): string {
  const path = entry.path === "" ? entry.name : `${entry.path}/${entry.name}`;
  return component === null ? `The manifest ${path}` : `The ${component} manifest (${path})`;
}

const SIGNATURES: readonly (readonly [string, string])[] = [
  ["PK\u0003\u0004", "a zip file, as Excel workbooks are"],
  ["\u00d0\u00cf\u0011\u00e0", "an old Excel workbook"],
  ["\u001f\u008b", "compressed with gzip"],
  ["\u00ff\u00fe", "text in UTF-16, as Excel saves “Unicode text”"],
  ["\u00fe\u00ff", "text in UTF-16"],
  ["%PDF", "a PDF"],
  ["<", "HTML or XML"],
  ["{", "JSON"],
  ["[", "JSON"],
];

/** Guesses by its first bytes what a file is that is not CSV; null where they tell nothing. */
export function guessFormat(head: Buffer): string | null {
  const start = head.toString("latin1", 0, 8);
  return SIGNATURES.find(([signature]) => start.startsWith(signature))?.[1] ?? null;
}
