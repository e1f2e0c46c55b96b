// What can be wrong with a manifest as a file, before any check looks at what it says. The codes begin with M_.

import type { Finding, Severity } from "../../../finding.ts";
import { count, list } from "../../../format.ts";
import type { CsvFacts } from "../../../formats/csv.ts";
import type { Dialect } from "../../../formats/csvDialect.ts";
import type { ManifestEntry } from "./analysis.ts";
import { asTemplated, type Component } from "./components.ts";
import { keptValue } from "./keptValue.ts";
import type { OwnComponent } from "./ownComponents.ts";
import { describeSpelling, type SpellingNotes } from "./spellingNotes.ts";

/** The rules by code, in the order in which pages list them. "Error" means that something of the manifest was not read. */
export const MANIFEST_RULES = {
  M_UNREADABLE: { severity: "error", title: "Manifests can be read" },
  M_EMPTY: { severity: "error", title: "Manifests have content" },
  M_NOT_CSV: { severity: "error", title: "Manifests are CSV files" },
  M_UNCLOSED_QUOTE: { severity: "error", title: "Quotes are closed" },
  M_NO_COMPONENT: { severity: "error", title: "Manifests name their component" },
  M_MISSING_COLUMN: { severity: "error", title: "Manifests have the columns of their ids" },
  M_SECOND_TABLE: { severity: "error", title: "A manifest is one table" },
  M_COMPONENT_DIFFERS: { severity: "warning", title: "Manifests and annotations agree" },
  M_MIXED_COMPONENTS: { severity: "warning", title: "Manifests are of one component" },
  M_REPEATED_HEADER: { severity: "warning", title: "Column names stand in the first row alone" },
  M_SPELLING: { severity: "warning", title: "Names and ids are spelt as in the template" },
  M_SEPARATOR: { severity: "warning", title: "Cells are separated by commas" },
  M_DUPLICATE_COLUMN: { severity: "warning", title: "Columns are there once" },
  M_RAGGED_ROWS: { severity: "warning", title: "Rows are as long as the header" },
  M_ENCODING: { severity: "warning", title: "Manifests are UTF-8 text" },
  M_DAYS: { severity: "warning", title: "Treatments end after they start" },
  M_VIEW_ROW: { severity: "warning", title: "The file view can be read" },
} as const satisfies Readonly<
  Record<string, { readonly severity: Severity; readonly title: string }>
>;

type ManifestRule = keyof typeof MANIFEST_RULES;

/** Says of a value that nobody reads it here. */
export const NOT_SHOWN = "what stands there is shown nowhere, since it may name a person";

/** So many rows of a kind are named; more would bury the sentence. */
export const ROWS_NAMED = 5;

/** Rows of a kind: how many, and the first of them. */
interface CountedRows {
  readonly count: number;
  readonly rows: readonly number[];
}

/** What was noticed of a manifest while it was read. */
export interface ManifestContent {
  /** Names of its columns; null where it has none. */
  readonly columns: readonly string[] | null;
  /** The component that it is annotated as in Synapse; null where it is not. */
  readonly annotated: string | null;
  /** The components that its own records name. */
  readonly ownComponents: readonly OwnComponent[];
  readonly dialect: Dialect;
  /** What it is by its first bytes; null where they tell nothing. */
  readonly format: string | null;
  readonly isCsv: boolean;
  readonly records: number;
  /** Rows of another length than the header: how many, and the first of them. */
  readonly ragged: CountedRows;
  /** Rows with something in the Component column that is no component's name. */
  readonly componentRows: CountedRows;
  /** The first row with an id or a label that holds pieces of later rows; null: there is none. */
  readonly swallowingRow: number | null;
  /** Rows that repeat the column names. */
  readonly headerRows: readonly number[];
  /** The row with other column names, at which reading stopped; null: there is none. */
  readonly secondTableRow: number | null;
  readonly spelling: SpellingNotes;
}

/**
 * Tells what is wrong with a manifest as a file. `ofComponents` are those that it counts as, nearly always one: each as its entry in the
 * table, or by its name where it is not in there.
 */
export function findProblems(
  entry: ManifestEntry,
  ofComponents: readonly (Component | string | null)[],
  content: ManifestContent,
  facts: CsvFacts,
): readonly Finding[] {
  const [first = null] = ofComponents;
  const name = typeof first === "string" ? first : (first?.component ?? null);
  const it = describeManifest(entry, name);
  const { columns } = content;
  const problem: MakeProblem = (rule, row, message, fields = {}) => ({
    rule,
    severity: MANIFEST_RULES[rule].severity,
    subject: entry.entityId,
    row,
    message: `${it} ${message}.`,
    fields: { manifest: entry.entityId, component: name ?? "", ...fields },
  });
  if (!content.isCsv || (columns === null && facts.overlongRow !== null)) {
    const message = `is no CSV with the columns of a manifest${whatElse(content)}, so nothing of it was read`;
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
  // Where reading stopped at a quote, that is what there is to say.
  if (content.records === 0 && problems.length === 0) {
    problems.push(problem("M_EMPTY", null, "has a row of column names, but no record"));
  }
  if (name === null) {
    const message =
      "has no Component, neither as an annotation in Synapse nor in its own column, so none of the checks could look at it";
    problems.push(problem("M_NO_COMPONENT", null, message));
  }
  return [
    ...problems,
    ...ofComponents.flatMap((component) =>
      typeof component === "string" || component === null
        ? []
        : missingColumns(columns, component, problem),
    ),
    ...componentProblems(content, problem),
    ...tableProblems(content, columns, problem),
    ...textProblems(content.dialect, facts, problem),
  ];
}

/** Tells what a file is instead of CSV, as far as its beginning tells; "" where it tells nothing. */
function whatElse({ format, dialect }: ManifestContent): string {
  if (format !== null) return `; it looks like ${format}`;
  const { place } = dialect;
  switch (place?.kind) {
    case "later row":
      return `: its column names stand in row ${place.row}, but they have to be the first row`;
    case "one cell":
      return ": each row stands in quotes as one cell, with all its values in it";
    case "unknown separator":
      return ": the names of its columns are there, but neither commas nor semicolons, tabs or bars between them";
    case "first row":
    case undefined:
      return "";
  }
}

/** Where records name other components than the manifest is taken for. */
function componentProblems(
  { annotated, ownComponents }: ManifestContent,
  problem: MakeProblem,
): readonly Finding[] {
  const others = ownComponents.filter(({ name }) => name !== annotated);
  const [first] = others;
  if (first === undefined) return [];
  const value = first.name;
  if (annotated === null) {
    if (others.length < 2) return [];
    const message = `is not annotated in Synapse, and its records name ${count(others.length, "component")}: ${listOwn(others)}; each record counts under its own`;
    return [problem("M_MIXED_COMPONENTS", others[1]?.firstRow ?? null, message, { value })];
  }
  const says =
    ownComponents.length === 1
      ? `its own records say ${value} (from row ${first.firstRow})`
      : `some of its own records say otherwise: ${listOwn(others)}`;
  const message = `is annotated as ${annotated} in Synapse, but ${says}; the annotation was believed`;
  const column = "Component";
  return [problem("M_COMPONENT_DIFFERS", first.firstRow, message, { column, value })];
}

function listOwn(own: readonly OwnComponent[]): string {
  const named = own
    .slice(0, ROWS_NAMED)
    .map(
      ({ name, records, firstRow }) =>
        `${name} (${records === 1 ? `row ${firstRow}` : `${count(records, "record")}, the first in row ${firstRow}`})`,
    );
  return named.join(", ") + (own.length > named.length ? " and others" : "");
}

/** What is odd about columns and rows. */
function tableProblems(
  content: ManifestContent,
  columns: readonly string[],
  problem: MakeProblem,
): readonly Finding[] {
  const { headerRows, secondTableRow, ragged, spelling, componentRows } = content;
  const problems: Finding[] = [];
  if (componentRows.count > 0) {
    const { count: all, rows } = componentRows;
    const message = `has something in the Component column of ${listRows(rows, all)} that is no component's name; ${NOT_SHOWN}`;
    problems.push(problem("M_MIXED_COMPONENTS", rows[0] ?? null, message, { column: "Component" }));
  }
  if (secondTableRow !== null) {
    const message = `has other column names in row ${secondTableRow}, as if another sheet began there; that row and all that follow were not read`;
    problems.push(problem("M_SECOND_TABLE", secondTableRow, message));
  }
  if (headerRows.length > 0) {
    const message = `has its column names once more in ${listRows(headerRows, headerRows.length)}, which ${headerRows.length === 1 ? "counts" : "count"} as no record`;
    problems.push(problem("M_REPEATED_HEADER", headerRows[0] ?? null, message));
  }
  const spelt = describeSpelling(spelling);
  if (spelt !== null) {
    problems.push(problem("M_SPELLING", spelling.row, spelt.message, spelt.fields));
  }
  problems.push(...repeatedColumns(columns, problem));
  if (ragged.count > 0) {
    const message = `has ${count(ragged.count, "row")} with more or fewer cells than its ${columns.length} columns (${listRows(ragged.rows, ragged.count)}); cells that are lacking count as empty`;
    problems.push(
      problem("M_RAGGED_ROWS", ragged.rows[0] ?? null, message, { value: String(ragged.count) }),
    );
  }
  return problems;
}

/** Names the first of so many rows, e.g. "rows 2, 3 and others". */
function listRows(rows: readonly number[], all: number): string {
  const named = rows.slice(0, ROWS_NAMED);
  return `${all === 1 ? "row" : "rows"} ${named.join(", ")}${all > named.length ? " and others" : ""}`;
}

const SEPARATOR_NAMES: Readonly<Record<string, string>> = {
  ";": "semicolons",
  "\t": "tabs",
  "|": "bars",
};

/** What is odd about how the file is written. */
function textProblems(
  { separator, encoding }: Dialect,
  { undecodableRow }: CsvFacts,
  problem: MakeProblem,
): readonly Finding[] {
  const problems: Finding[] = [];
  if (separator !== ",") {
    const between = SEPARATOR_NAMES[separator] ?? JSON.stringify(separator);
    const message = `has ${between} between its cells where commas belong, and was read so; save it as “CSV UTF-8 (comma delimited)”`;
    problems.push(problem("M_SEPARATOR", null, message, { value: separator }));
  }
  if (encoding !== "utf-8") {
    const message = `is text in UTF-16, as Excel saves “Unicode text”, and was read so; save it as “CSV UTF-8”`;
    problems.push(problem("M_ENCODING", null, message));
  } else if (undecodableRow !== null) {
    const message = `has bytes that are not UTF-8 text, the first in row ${undecodableRow}; save it as “CSV UTF-8”`;
    problems.push(problem("M_ENCODING", undecodableRow, message));
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
    const message = `has a quote in row ${swallowingRow} that is closed only in a later row, so that rows were taken for one cell; what cannot be told apart was left out`;
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
      const bare = new Set(any.map(bareName));
      const like = columns.find((name) => bare.has(bareName(name)));
      const what = any.length === 1 ? "no column" : "none of the columns";
      const instead =
        like === undefined ? "" : ` (what it calls “${keptValue(like)}” is no such name)`;
      const message = `has ${what} ${list(any)}${instead}, so its records cannot be linked`;
      return problem("M_MISSING_COLUMN", null, message, { column: any[0] ?? "" });
    });
}

/** A name's letters and digits: what is left of "HTAN_Participant-ID" and "HTANParticipantID" alike. */
function bareName(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
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
