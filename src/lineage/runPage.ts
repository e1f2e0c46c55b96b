// A run as one page: what failed first, then what it gave, its steps as a drawing and by name, every call in a table that can be searched.

import { bytes, count, duration, instant, listFew, number } from "../format.ts";
import {
  type AssetPaths,
  makeFrame,
  type Menu,
  type PageAssets,
  type RenderPage,
  TABLE_PAGE,
} from "../render/page.ts";
import { inlineSvg } from "../render/svg.ts";
import { type CellValue, makeTable, type TableModel, type Tone } from "../render/table.ts";
import type { LedgerRun } from "../store/lineage.ts";
import type { CallOfStep } from "../store/runCalls.ts";
import { callName } from "./callName.ts";
import { groupSteps } from "./grouping.ts";
import type { Provenance } from "./provenance.ts";
import { drawRun } from "./runFigure.ts";
import type { FailedCall, RunReport } from "./runReport.ts";
import { type StepTally, tallySteps } from "./runTally.ts";

/** Failed calls that are told one by one; the table of calls has all of them. */
export const MOST_FAILED = 20;
const MOST_NOT_RUN = 20;

const LOADS: PageAssets = {
  styles: [...TABLE_PAGE.styles, "figures.css", "provenance.css"],
  scripts: TABLE_PAGE.scripts,
};

/** What the page of a run is made from. */
export interface RunPageInput {
  readonly run: LedgerRun;
  readonly report: RunReport;
  /** Of all that the run has done or found. */
  readonly provenance: Provenance;
  /** The last lines of what failed, by key; null where everybody may read the page: then it has no word of an error either. */
  readonly lastLines: ReadonlyMap<string, readonly string[]> | null;
  /** The page that tells how a result was made, by its name; null where there is none. */
  readonly resultHref: (name: string) => string | null;
  /** The page that tells how all of it was made. */
  readonly provenanceHref: string;
  /** The page's own path from the site's root. */
  readonly path: string;
  readonly menu: Menu;
  readonly assets: AssetPaths;
}

/** Makes the page. */
export function makeRunPage(input: RunPageInput, render: RenderPage): string {
  const { run, report, provenance, path, menu, assets } = input;
  const tallies = tallySteps(report);
  const title = `${run.pipeline}, run ${run.id}`;
  const error = run.status === "failed" && report.failed.length === 0 ? (run.error ?? "") : "";
  const isOpen = input.lastLines !== null;
  return render("lineage/run", {
    frame: makeFrame({
      ...{ title, path, menu, assets, loads: LOADS },
      description: "What a run did, what it reused and what it gave.",
    }),
    ...{ title, summary: summaryOf(run, provenance) },
    hasTrouble: report.failed.length > 0 || error !== "",
    troubleTitle: troubleTitle(report),
    error: isOpen ? error : error === "" ? "" : "The run failed.",
    failures: report.failed.slice(0, MOST_FAILED).map((one) => failureModel(one, input)),
    moreFailed: moreText(report.failed.length - MOST_FAILED, "in the table of calls"),
    notRun: report.notRun
      .slice(0, MOST_NOT_RUN)
      .map(({ call, why }) => ({ call, why: why.replace(/ \(hdash logs [^)]*\)$/, "") })),
    hasNotRun: report.notRun.length > 0,
    moreNotRun: moreText(report.notRun.length + report.moreNotRun - MOST_NOT_RUN, "did not run"),
    headlines: headlines(input, tallies),
    results: resultsTable(input),
    hasSteps: tallies.length > 0,
    figure: figureModel(provenance, tallies),
    steps: stepsTable(run, tallies),
    calls: callsTable(input),
    provenanceHref: input.provenanceHref,
    facts: factsOf(input),
  });
}

function summaryOf({ status, startedAt, finishedAt, build }: LedgerRun, { run }: Provenance) {
  const took =
    startedAt === null || finishedAt === null
      ? ""
      : `took ${duration(finishedAt.getTime() - startedAt.getTime())}`;
  return [
    status,
    startedAt === null ? "not started" : instant(startedAt.toISOString()),
    took,
    run?.file ?? "",
    `hdash ${build}`,
  ]
    .filter((part) => part !== "")
    .join(" · ");
}

function troubleTitle({ failed, notRun, moreNotRun }: RunReport): string {
  const lost = notRun.length + moreNotRun;
  if (failed.length === 0) return "The run failed";
  const names = listFew(
    failed.map(({ name }) => name),
    3,
  );
  return lost === 0 ? `${names} failed` : `${names} failed, ${number(lost)} did not run`;
}

function moreText(more: number, where: string): string {
  return more <= 0 ? "" : `and ${number(more)} more ${where}`;
}

function failureModel(
  { name, scope, end, attempts, says, look, call }: FailedCall,
  { lastLines }: RunPageInput,
) {
  const lines = (call.key === null ? undefined : lastLines?.get(call.key)) ?? [];
  const often = attempts > 1 ? `after ${count(attempts, "attempt")}` : "";
  const why = lastLines === null ? "" : says;
  return {
    name,
    scope: scope === "" ? "" : `in ${scope}`,
    says: [[end, often].filter((part) => part !== "").join(", "), why]
      .filter((part) => part !== "")
      .join(": "),
    hasLog: lines.length > 0,
    lastLines: lines.join("\n"),
    look: lastLines === null ? "" : (look ?? ""),
  };
}

function headlines({ run, report }: RunPageInput, tallies: readonly StepTally[]) {
  const sum = (of: (tally: StepTally) => number): number =>
    tallies.reduce((total, tally) => total + of(tally), 0);
  const { startedAt, finishedAt } = run;
  const lost = report.notRun.length + report.moreNotRun;
  return [
    { label: "Steps ran", value: number(sum(({ ran }) => ran)), note: "" },
    { label: "Reused", value: number(sum(({ reused }) => reused)), note: "" },
    {
      label: "Failed",
      value: number(report.failed.length),
      note: lost === 0 ? "" : `${number(lost)} did not run`,
    },
    {
      label: "Took",
      value:
        startedAt === null || finishedAt === null
          ? "–"
          : duration(finishedAt.getTime() - startedAt.getTime()),
      note: `${duration(sum(({ ms }) => ms))} in steps that ran`,
    },
    { label: "Saved by reuse", value: duration(report.savedMs), note: "" },
  ];
}

function figureModel(provenance: Provenance, tallies: readonly StepTally[]) {
  const groups = groupSteps(provenance);
  const alt = `How ${listFew(
    tallies.map(({ step }) => step),
    8,
  )} read from one another, and what became of their calls`;
  const draw = (isNarrow: boolean): string =>
    inlineSvg(drawRun(groups, tallies, provenance.given.length, { isNarrow }), alt);
  return {
    ...{ id: "steps", title: "What reads from what, by step", svgPath: "", pngPath: "" },
    svg: draw(false),
    compactSvg: draw(true),
  };
}

function resultsTable({ run, provenance, resultHref }: RunPageInput): TableModel {
  const makers = new Map(provenance.steps.map((step) => [step.result, step]));
  return makeTable({
    id: "results",
    name: `${run.pipeline}-${run.id}-results`,
    caption: "Results",
    columns: [
      { key: "name", label: "Result", kind: "text", hint: "Leads to how it was made" },
      { key: "bytes", label: "Size", kind: "number" },
      { key: "kind", label: "Kind", kind: "text" },
      { key: "content", label: "Content", kind: "text", hint: "The first digits of its SHA-256" },
      { key: "by", label: "Made by", kind: "text" },
    ],
    rows: provenance.results.map((one) => {
      const href = resultHref(one.name);
      const name = { text: one.name, ...(href === null ? {} : { href }) };
      if ("value" in one) return [name, "", "value", "", "the plan itself"];
      const maker = one.from === null ? undefined : makers.get(one.from.result);
      return [
        name,
        { text: bytes(one.bytes), value: one.bytes },
        one.kind,
        { text: `sha256:${one.digest.slice(0, 12)}`, value: one.digest },
        maker === undefined ? "" : callName(maker),
      ];
    }),
    empty:
      run.status === "failed" ? "The run failed before it gave anything." : "The run gave nothing.",
  });
}

function stepsTable(run: LedgerRun, tallies: readonly StepTally[]): TableModel {
  const failed = (calls: number): CellValue =>
    calls === 0 ? 0 : { text: number(calls), value: calls, tone: "error" };
  return makeTable({
    id: "steps",
    name: `${run.pipeline}-${run.id}-steps`,
    caption: "Steps",
    columns: [
      { key: "step", label: "Step", kind: "text" },
      { key: "ran", label: "Ran", kind: "number" },
      { key: "reused", label: "Reused", kind: "number" },
      { key: "failed", label: "Failed", kind: "number" },
      { key: "notRun", label: "Not run", kind: "number", hint: "What they need failed" },
      { key: "ms", label: "Time", kind: "number", hint: "In all that ran" },
      { key: "savedMs", label: "Saved", kind: "number", hint: "What the reused took to make" },
    ],
    rows: tallies.map(({ step, ran, reused, notRun, ms, savedMs, ...tally }) => [
      ...[step, ran, reused, failed(tally.failed), notRun],
      { text: duration(ms), value: Math.round(ms) },
      { text: duration(savedMs), value: Math.round(savedMs) },
    ]),
    empty: "No step was begun.",
  });
}

const STATES: Readonly<
  Record<CallOfStep["state"], { readonly text: string; readonly tone: Tone }>
> = {
  ran: { text: "Ran", tone: "good" },
  hit: { text: "Reused", tone: "muted" },
  failed: { text: "Failed", tone: "error" },
  running: { text: "Running", tone: "info" },
};

function callsTable({ run, report }: RunPageInput): TableModel {
  const hasScopes = report.calls.some(({ scope }) => scope !== "");
  const order = ({ state }: CallOfStep): number => (state === "failed" ? 0 : 1);
  return makeTable({
    id: "calls",
    name: `${run.pipeline}-${run.id}-calls`,
    caption: "Calls, those that failed first",
    columns: [
      { key: "step", label: "Step", kind: "text" },
      { key: "label", label: "Call", kind: "text" },
      ...(hasScopes ? [{ key: "scope", label: "Scope", kind: "text" } as const] : []),
      { key: "state", label: "State", kind: "text" },
      { key: "ms", label: "Took", kind: "number", hint: "Compared in milliseconds" },
      { key: "startedAt", label: "Began", kind: "date" },
      { key: "from", label: "Reused from", kind: "text", hint: "The run that made it" },
      { key: "attempts", label: "Attempts", kind: "number", hint: "In this run" },
      { key: "key", label: "Key", kind: "text", hint: "hdash logs KEY, hdash why KEY" },
    ],
    rows: [...report.calls]
      .sort((a, b) => order(a) - order(b))
      .map((call) => callCells(call, run, hasScopes)),
    empty: "No step was begun.",
  });
}

function callCells(call: CallOfStep, run: LedgerRun, hasScopes: boolean): readonly CellValue[] {
  const { step, label, scope, state, startedAt, endedAt, result, attempt, key } = call;
  const ms =
    state === "running" || endedAt === null ? null : endedAt.getTime() - startedAt.getTime();
  const madeIn = result?.runId ?? null;
  const from =
    madeIn === null ? "a forgotten run" : madeIn === run.id ? "this run" : `run ${madeIn}`;
  const at = startedAt.toISOString();
  const took = state === "ran" ? (result?.ms ?? ms) : state === "hit" ? null : ms;
  return [
    step,
    label ?? "",
    ...(hasScopes ? [scope] : []),
    STATES[state],
    took === null ? "" : { text: duration(took), value: Math.round(took) },
    { text: instant(at), value: at },
    state === "hit" ? from : "",
    attempt === null ? "" : attempt.inRun,
    key?.slice(0, 12) ?? "",
  ];
}

/** What the run was given, as it was asked for. */
function factsOf({ run, report, provenance }: RunPageInput) {
  const parameters = provenance.run?.parameters;
  const values =
    typeof parameters === "object" && parameters !== null && !Array.isArray(parameters)
      ? Object.entries(parameters)
      : [];
  return [
    ...values.map(([label, value]) => ({
      label,
      value: clip(typeof value === "string" ? value : JSON.stringify(value)),
    })),
    { label: "Given", value: report.given.length === 0 ? "nothing" : listFew(report.given, 12) },
    ...(run.requestedBy === null ? [] : [{ label: "Asked for by", value: run.requestedBy }]),
  ];
}

const MOST_CHARS = 300;

function clip(text: string): string {
  return text.length > MOST_CHARS ? `${text.slice(0, MOST_CHARS)}…` : text;
}
