// Every check of the datasets: those that fail first, with what they count over time. One that did not run is neither success nor failure.

import { count, instant, list, number, percent } from "../../../format.ts";
import { HTML, type PageFile } from "../../../render/page.ts";
import { sparkline } from "../../../render/sparkline.ts";
import { type CellValue, makeTable, type TableModel } from "../../../render/table.ts";
import { type CheckResult, countOutcomes, isUndone } from "../data/checkResult.ts";
import { typePage } from "../data/studyProblems.ts";
import { headOf, type PageContext, type Trends, WITHHELD } from "./pageFrame.ts";

const ORDER = { failed: 0, not_run: 2, passed: 1 } as const;

/** Makes checks.html. */
export function makeChecksPage(context: PageContext): PageFile {
  const { study, run, render, trends } = context;
  const { checks, types } = study;
  const { passed, failed, notRun } = countOutcomes(checks);
  const undone = checks.filter(isUndone).length;
  const blocked = types.flatMap(({ blocked: one }) => one ?? []);
  const model = {
    ...headOf(context, {
      title: "Checks",
      description: "What every dataset has to be like, and whether it is.",
      file: "checks.html",
    }),
    ...{ builtAt: instant(run.startedAt), build: run.build },
    hasBlocked: blocked.length > 0,
    blocked: blocked.map(({ type, checks: ids, since }) => ({
      type,
      href: typePage(type),
      says: `is held back since ${instant(since)}: ${list(ids)} ${ids.length === 1 ? "fails" : "fail"} on what came. Readers have what was there before.`,
    })),
    headlines: [
      { label: "Passed", value: number(passed), note: `of ${count(checks.length, "check")}` },
      {
        label: "Failed",
        value: number(failed),
        note: failed === 0 ? "none" : "see below",
      },
      {
        label: "Not run",
        value: number(notRun),
        note:
          undone === 0
            ? "nothing to look at"
            : `${number(undone)} of them could not be, or not yet`,
      },
    ],
    checks: checksTable(checks, { name: `cohorts-${study.namespace}-checks`, trends }),
  };
  return { path: "checks.html", contentType: HTML, text: render("cohort/checks", model) };
}

/** The table of some checks, on the page of all and on that of a type. */
export function checksTable(
  checks: readonly CheckResult[],
  { name, trends }: { readonly name: string; readonly trends: Trends },
): TableModel {
  return makeTable({
    id: "checks",
    name,
    caption: "Checks",
    columns: [
      { key: "check", label: "Check", kind: "text", prose: true },
      { key: "outcome", label: "Outcome", kind: "text" },
      { key: "dataset", label: "Dataset", kind: "text" },
      { key: "rows", label: "Rows", kind: "number" },
      { key: "missing", label: "Missing", kind: "number", hint: "Rows without a value" },
      {
        key: "unexpected",
        label: "Not so",
        kind: "number",
        hint: "Rows that are not as they should be",
      },
      { key: "share", label: "Of those with a value", kind: "share" },
      { key: "trend", label: "Trend", kind: "number", hint: "Rows that are not so, over time" },
    ],
    rows: checks
      .toSorted((a, b) => ORDER[a.outcome] - ORDER[b.outcome])
      .map((check) => checkCells(check, trends)),
    empty: "No check looks at this.",
    allHref: "data/checks.json",
  });
}

function checkCells(check: CheckResult, trends: Trends): readonly CellValue[] {
  const { id, text, outcome, rows, missing, unexpected, blocks, why } = check;
  const isWithheld = outcome !== "not_run" && rows === null;
  const told = (value: number | null, cell: object = {}): CellValue =>
    isWithheld ? WITHHELD : value === null ? "" : { text: number(value), value, ...cell };
  const known = rows === null || missing === null ? 0 : rows - missing;
  const points = isWithheld ? [] : (trends[id] ?? []);
  const [first, last] = [points[0], points.at(-1)];
  return [
    { text, ...(blocks ? { note: "keeps the old datasets where it fails" } : {}) },
    outcomeCell(outcome, why),
    { text: check.dataset.replace(/^dataset_/, ""), href: typePage(check.type) },
    told(rows),
    told(missing),
    told(unexpected, unexpected === 0 ? {} : { tone: "error" }),
    unexpected === null || known === 0
      ? ""
      : { text: percent(unexpected / known), value: unexpected / known },
    first === undefined || last === undefined || points.length < 2
      ? ""
      : {
          text: "",
          value: last.value - first.value,
          svg: sparkline(points, `${text}: rows not so`),
        },
  ];
}

function outcomeCell(outcome: CheckResult["outcome"], why: string | null): CellValue {
  if (outcome === "passed") return { text: "passed", tone: "good" };
  if (outcome === "failed") return { text: "failed", tone: "error" };
  return { text: "not run", tone: "muted", note: why ?? "no rows" };
}
