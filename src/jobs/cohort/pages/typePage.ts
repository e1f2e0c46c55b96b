// The page of a data type: where it stands, its records over time, what its columns hold, its checks, and what was set aside of it.

import { count, date, instant, list, number, percent } from "../../../format.ts";
import { HTML, type PageFigure, type PageFile } from "../../../render/page.ts";
import { type CellValue, makeTable, type TableModel } from "../../../render/table.ts";
import { countOutcomes } from "../data/checkResult.ts";
import type { DatasetLine, TypeLine } from "../data/study.ts";
import { newestDay, reasonText } from "../data/studyProblems.ts";
import { mostFirst, sumOf } from "../data/sums.ts";
import { checksTable } from "./checksPage.ts";
import { stateCell } from "./overviewPage.ts";
import { headOf, type PageContext, peopleText, toldCell, withheldText } from "./pageFrame.ts";

/** What casts did, in words. */
const CASTS: Readonly<Record<string, string>> = {
  failed: "is no such value: null now",
  truncated: "a fraction was cut off",
  repaired: "half a character became U+FFFD",
  conflict: "sent twice under different names: one was used",
};

/** Makes the page of a type. */
export function makeTypePage(
  context: PageContext,
  type: TypeLine,
  figure: PageFigure | null,
): PageFile {
  const { study, run, render, trends } = context;
  const file = `${type.type}.html`;
  const last = newestDay(study) ?? "";
  const state = stateCell(type, last);
  const aside = mostFirst(type.quarantined);
  const casts = mostFirst(type.casts);
  const model = {
    ...headOf(context, {
      title: type.type,
      description: `Records of ${type.type}: how many, of which days, and what is wrong with them.`,
      file,
    }),
    type: type.type,
    ...{ builtAt: instant(run.startedAt), build: run.build },
    state: typeof state === "object" ? { text: state.text, tone: state.tone ?? "muted" } : {},
    note: noteOf(type, study.leastPeople),
    headlines: headlines(context, type),
    hasFigure: figure !== null,
    figure: figure ?? {},
    isDeleting: type.deletes !== null,
    deletes: type.deletes ?? "",
    datasets: type.datasets.map((dataset) => datasetModel(dataset, type)),
    hasChecks: type.checks.length > 0,
    // Beside numbers of what is shown stand results of what is not.
    isOfHeld: type.blocked !== null,
    checks: checksTable(type.checks, { name: `cohorts-${type.type}-checks`, trends }),
    hasAside: aside.length > 0,
    aside: asideTable(type, aside),
    hasCasts: casts.length > 0,
    castsTitle: `Values that were changed (${count(casts.length, "kind")})`,
    casts: castsTable(type, casts),
    schemas: Object.entries(type.schemas).map(([schema, exports]) => ({
      schema: schema.split("-")[0] ?? schema,
      exports: count(exports, "export"),
    })),
    dataPath: `data/${type.type}.json`,
  };
  return { path: file, contentType: HTML, text: render("cohort/type", model) };
}

function noteOf({ withheld, blocked }: TypeLine, least: number): string {
  const said = [
    ...(blocked === null
      ? []
      : [
          `What came since ${date(blocked.since)} is not shown, since ${list(blocked.checks)} ${blocked.checks.length === 1 ? "fails" : "fail"} on it.`,
        ]),
    ...(withheld === null ? [] : [withheldText(withheld, least)]),
  ];
  return said.join(" ");
}

function headlines({ study }: PageContext, type: TypeLine) {
  const { rows, rowsBefore, withheld, people, newest, presence, quarantined, checks } = type;
  const aside = sumOf(quarantined);
  const { passed, failed } = countOutcomes(checks);
  const change = rows !== null && rowsBefore !== null ? rows - rowsBefore : 0;
  return [
    {
      label: "Records",
      value: rows === null ? "–" : number(rows),
      note:
        withheld !== null
          ? "withheld"
          : change === 0
            ? ""
            : `${change > 0 ? "+" : "−"}${number(Math.abs(change))} with this build`,
    },
    ...people.map((told) => ({
      label: told.cohort,
      value: peopleText(told, study.leastPeople),
      note: told.count === 1 ? "participant" : "participants",
    })),
    {
      label: "Newest",
      value: newest === null ? "–" : date(newest),
      note: count(presence.length, "day"),
    },
    {
      label: "Set aside",
      value: withheld !== null ? "–" : number(aside),
      note: withheld !== null ? "withheld" : "lines",
    },
    {
      label: "Checks",
      value: passed + failed === 0 ? "–" : `${number(passed)} of ${number(passed + failed)}`,
      note:
        failed === 0 ? (checks.length === 0 ? "none looks at it" : "") : `${number(failed)} failed`,
    },
  ];
}

function datasetModel(dataset: DatasetLine, { type }: TypeLine) {
  const { name, isChild, rows, columns } = dataset;
  const identifying = columns.filter(({ isIdentifying }) => isIdentifying).length;
  const table: TableModel = makeTable({
    id: name,
    name,
    caption: `Columns of ${name}`,
    columns: [
      { key: "column", label: "Column", kind: "text" },
      { key: "type", label: "Type", kind: "text" },
      { key: "filled", label: "Filled", kind: "share", hint: "Rows that have a value" },
      { key: "who", label: "Identifies", kind: "text", hint: "May tell who a participant is" },
    ],
    rows: columns.map((column): readonly CellValue[] => [
      column.name,
      column.type === "surrogate" ? "array" : column.type,
      column.filled === null
        ? rows === 0
          ? ""
          : toldCell(null)
        : { text: percent(column.filled), value: column.filled, bar: column.filled },
      column.isIdentifying ? { text: "people", tone: "warning" } : "",
    ]),
    empty: "It has no column.",
    allHref: `data/${type}.json`,
  });
  const who = identifying === 0 ? "" : `, ${number(identifying)} of which identify people`;
  return {
    name,
    isChild,
    summary: `${rows === null ? "" : `${count(rows, "row")}, `}${count(columns.length, "column")}${who}.`,
    table,
  };
}

function asideTable(
  { type }: TypeLine,
  aside: readonly (readonly [reason: string, lines: number | null])[],
): TableModel {
  return makeTable({
    id: "aside",
    name: `cohorts-${type}-set-aside`,
    caption: "Lines set aside",
    columns: [
      { key: "reason", label: "Reason", kind: "text" },
      { key: "words", label: "The line is", kind: "text", prose: true },
      { key: "lines", label: "Lines", kind: "number" },
    ],
    rows: aside.map(([reason, lines]) => [reason, reasonText(reason), toldCell(lines)]),
    empty: "No line was set aside.",
  });
}

function castsTable(
  { type }: TypeLine,
  casts: readonly (readonly [what: string, values: number | null])[],
): TableModel {
  return makeTable({
    id: "casts",
    name: `cohorts-${type}-casts`,
    caption: "Values that were changed",
    columns: [
      { key: "field", label: "Field", kind: "text" },
      { key: "what", label: "What was done", kind: "text", prose: true },
      { key: "values", label: "Values", kind: "number" },
    ],
    rows: casts.map(([what, values]) => {
      const cut = what.lastIndexOf(":");
      const [field, note] = [what.slice(0, cut), what.slice(cut + 1)];
      return [field, CASTS[note] ?? note, toldCell(values)];
    }),
    empty: "No value was changed.",
  });
}
