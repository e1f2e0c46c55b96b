// Record counts: rows of each type at each step from exports to datasets, in sum and by the day that their export ends.

import { instant, number, percent } from "../../../format.ts";
import { HTML, type PageFile } from "../../../render/page.ts";
import {
  type CellValue,
  makeTable,
  type TableColumn,
  type TableModel,
} from "../../../render/table.ts";
import type { CountEvent } from "../data/days.ts";
import type { TypeLine } from "../data/study.ts";
import { typePage } from "../data/studyProblems.ts";
import { sumOf } from "../data/sums.ts";
import { dayCell, headOf, type PageContext, WITHHELD } from "./pageFrame.ts";

/** Events in the order in which they happen, and what they leave. */
const EVENTS: readonly {
  readonly event: CountEvent;
  readonly label: string;
  readonly hint: string;
}[] = [
  { event: "READ", label: "Read", hint: "READ: of members that count" },
  { event: "DROP_DUPLICATES", label: "Unique", hint: "DROP_DUPLICATES: one for each key" },
  { event: "DROP_DELETED_SAMPLES", label: "Not deleted", hint: "DROP_DELETED_SAMPLES" },
  { event: "WRITE", label: "In datasets", hint: "WRITE" },
];

const EVENT_COLUMNS = EVENTS.map(({ event, label, hint }): TableColumn => ({
  key: event,
  label,
  hint,
  kind: "number",
}));

/** Days that the page shows; the CSV has all. */
const DAYS_SHOWN = 60;

/** Makes counts.html. */
export function makeCountsPage(context: PageContext): PageFile {
  const { study, run, render } = context;
  const model = {
    ...headOf(context, {
      title: "Record counts",
      description: "How many rows of each type were read, kept and written.",
      file: "counts.html",
    }),
    ...{ builtAt: instant(run.startedAt), build: run.build, buildName: study.build ?? "none yet" },
    sums: sumsTable(context),
    days: daysTable(context),
    daysShown: number(DAYS_SHOWN),
  };
  return { path: "counts.html", contentType: HTML, text: render("cohort/counts", model) };
}

function rowsOf({ counts }: TypeLine, event: CountEvent): number | null {
  const days = counts[event];
  return days === undefined ? null : sumOf(days);
}

function sumsTable({ study }: PageContext): TableModel {
  return makeTable({
    id: "sums",
    name: `cohorts-${study.namespace}-record-counts`,
    caption: "Rows by type",
    columns: [
      { key: "type", label: "Data type", kind: "text" },
      ...EVENT_COLUMNS,
      { key: "kept", label: "Kept", kind: "share", hint: "In datasets, of those read" },
    ],
    rows: study.types.map((type) => {
      const [read, kept] = [rowsOf(type, "READ"), rowsOf(type, "WRITE")];
      const isKnown = read !== null && read > 0 && kept !== null;
      return [
        { text: type.type, href: typePage(type.type) },
        ...EVENTS.map(({ event }) => sumCell(type, event)),
        isKnown ? { text: percent(kept / read), value: kept / read, bar: kept / read } : "",
      ];
    }),
    empty: "Nothing was built yet.",
    allHref: "data/record-counts.csv",
  });
}

function sumCell(type: TypeLine, event: CountEvent): CellValue {
  if (type.withheld !== null) return type.presence.length === 0 ? "" : WITHHELD;
  return rowsOf(type, event) ?? "";
}

/** All rows of the record counts: type, day and what each event left. */
export function countRows(types: readonly TypeLine[]) {
  return types.flatMap(({ type, counts }) => {
    const days = [...new Set(Object.values(counts).flatMap((one) => Object.keys(one)))].sort();
    return days.map((day) => ({
      ...{ type, day },
      rows: EVENTS.map(({ event }) => {
        const own = counts[event];
        return own === undefined ? null : (own[day] ?? 0);
      }),
    }));
  });
}

function daysTable({ study }: PageContext): TableModel {
  const all = countRows(study.types);
  const days = new Set([...new Set(all.map(({ day }) => day))].sort().slice(-DAYS_SHOWN));
  const shown = all
    .filter(({ day }) => days.has(day))
    .sort((a, b) => (a.day === b.day ? 0 : a.day < b.day ? 1 : -1));
  return makeTable({
    id: "days",
    name: `cohorts-${study.namespace}-record-counts-by-day`,
    caption: "Rows by type and day",
    columns: [
      { key: "day", label: "Day", kind: "date", hint: "That the export ends" },
      { key: "type", label: "Data type", kind: "text" },
      ...EVENT_COLUMNS,
    ],
    rows: shown.map(({ type, day, rows }) => [
      dayCell(day.slice(0, 10)),
      { text: type, href: typePage(type) },
      ...rows.map((value): CellValue => value ?? ""),
    ]),
    total: shown.length,
    empty: "Nothing was built yet.",
    allHref: "data/record-counts.csv",
  });
}
