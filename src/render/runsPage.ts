// Pages of a site as a whole: the history of runs, and the page for addresses that are none.

import { count, duration, instant, list, number } from "../format.ts";
import type { RunRecord } from "../run.ts";
import {
  type AssetPaths,
  HTML,
  makeFrame,
  type Menu,
  type PageFile,
  type RenderPage,
  TABLE_PAGE,
} from "./page.ts";
import {
  type CellValue,
  makeTable,
  type TableColumn,
  type TableModel,
  type Tone,
} from "./table.ts";

/** What runs.html is made from. */
export interface RunsPageInput {
  /** Of every job, newest first; only runs before the one that makes the page. */
  readonly runs: readonly RunRecord[];
  readonly current: CurrentRun;
  readonly assets: AssetPaths;
  readonly menu: Menu;
  /** Says what the runs were for. */
  readonly description: string;
  /** Begins the names of what the table is saved as. */
  readonly name: string;
}

/** What the run that makes the page knows of itself: it is not at its end. */
export interface CurrentRun extends Pick<
  RunRecord,
  "pipeline" | "startedAt" | "build" | "added" | "removed"
> {
  /** Scopes that it could not update. */
  readonly notUpdated: readonly string[];
}

/** What the page for addresses that are none says; it is known to nobody what was looked for. */
export interface NotFoundPageInput {
  /** What the site is called. */
  readonly site: string;
  /** Why somebody may have come here. */
  readonly reason: string;
  /** What the site's first page has. */
  readonly homeLabel: string;
  /** The site's own address; null where it is not known, and the link then leads to "./". */
  readonly siteUrl: string | null;
}

const RUNS_PATH = "runs.html";

const COLUMNS: readonly TableColumn[] = [
  { key: "startedAt", label: "Started", kind: "date" },
  { key: "pipeline", label: "Job", kind: "text", hint: "As in hdash run NAME" },
  { key: "status", label: "Outcome", kind: "text" },
  { key: "durationMs", label: "Took", kind: "number", hint: "Compared in milliseconds" },
  { key: "hits", label: "Hits", kind: "number", hint: "Steps whose result was already known" },
  { key: "ran", label: "Ran", kind: "number", hint: "Steps that were done" },
  { key: "failed", label: "Failed", kind: "number", hint: "Steps that failed" },
  { key: "added", label: "New", kind: "number", hint: "Findings that appeared" },
  { key: "removed", label: "Fixed", kind: "number", hint: "Findings that disappeared" },
  { key: "published", label: "Published", kind: "number", hint: "Files put and deleted" },
  { key: "remark", label: "Remark", kind: "text", prose: true },
  { key: "build", label: "Build", kind: "text" },
];

const OUTCOMES: Readonly<
  Record<RunRecord["status"], { readonly text: string; readonly tone: Tone }>
> = {
  queued: { text: "Waiting", tone: "muted" },
  running: { text: "Running", tone: "muted" },
  succeeded: { text: "Succeeded", tone: "good" },
  degraded: { text: "Degraded", tone: "warning" },
  failed: { text: "Failed", tone: "error" },
  cancelled: { text: "Cancelled", tone: "muted" },
};

/** Makes runs.html. */
export function makeRunsPage(input: RunsPageInput, render: RenderPage): PageFile {
  const { runs, current } = input;
  const model = {
    frame: makeFrame({
      title: "Runs",
      description: input.description,
      path: RUNS_PATH,
      menu: input.menu,
      loads: TABLE_PAGE,
      assets: input.assets,
    }),
    title: "Runs",
    note: `This page was made by the run of ${current.pipeline} that started ${instant(current.startedAt)}. How it went on, and what other jobs have done since, is here after its next run.`,
    summary: summaryOf(runs),
    list: runsTable(input),
  };
  return { path: RUNS_PATH, contentType: HTML, text: render("site/list", model) };
}

/** Makes 404.html, which is served for an address at any depth and so refers to nothing but the site's root. */
export function makeNotFoundPage(input: NotFoundPageInput, render: RenderPage): PageFile {
  const { siteUrl, site, reason, homeLabel } = input;
  const home = siteUrl === null ? "./" : siteUrl.endsWith("/") ? siteUrl : `${siteUrl}/`;
  const model = { home, site, reason, homeLabel };
  return { path: "404.html", contentType: HTML, text: render("site/missing", model) };
}

function summaryOf(runs: readonly RunRecord[]): string {
  if (runs.length === 0) return "No run has finished before this one.";
  const outcomes = (["succeeded", "degraded", "failed"] as const)
    .map((status) => ({ status, runs: runs.filter((run) => run.status === status).length }))
    .filter((one) => one.runs > 0)
    .map((one) => `${number(one.runs)} ${one.status}`);
  const times = runs
    .map(durationOf)
    .filter((ms) => ms !== null)
    .sort((a, b) => a - b);
  const middle = times[Math.floor((times.length - 1) / 2)];
  return [
    `The last ${count(runs.length, "run")}`,
    ...(outcomes.length > 0 ? [`: ${list(outcomes)}`] : []),
    ...(middle === undefined ? [] : [`; half of them took ${duration(middle)} or less`]),
    ".",
  ].join("");
}

function durationOf({ startedAt, finishedAt }: RunRecord): number | null {
  return finishedAt === null ? null : Date.parse(finishedAt) - Date.parse(startedAt);
}

function runsTable({ runs, current, name }: RunsPageInput): TableModel {
  return makeTable({
    id: "runs",
    name,
    caption: "Runs, newest first",
    columns: COLUMNS,
    rows: [currentCells(current), ...runs.map(runCells)],
    empty: "No run has finished yet.",
  });
}

function currentCells(run: CurrentRun): readonly CellValue[] {
  return [
    { text: instant(run.startedAt), value: run.startedAt },
    run.pipeline,
    { text: "Made this page", tone: "muted" },
    "",
    "",
    "",
    "",
    run.added,
    run.removed,
    "",
    remarkOf(run.notUpdated),
    run.build,
  ];
}

function runCells(run: RunRecord): readonly CellValue[] {
  const ms = durationOf(run);
  const { published } = run;
  return [
    { text: instant(run.startedAt), value: run.startedAt },
    run.pipeline,
    OUTCOMES[run.status],
    ms === null ? "" : { text: duration(ms), value: ms },
    run.hits,
    run.ran,
    run.failed > 0 ? { text: number(run.failed), value: run.failed, tone: "error" } : 0,
    run.added,
    run.removed,
    published === null
      ? ""
      : {
          text: `${number(published.put)} put${published.deleted > 0 ? `, ${number(published.deleted)} deleted` : ""}`,
          value: published.put + published.deleted,
          note: `${number(published.unchanged)} unchanged`,
        },
    remarkOf(Object.keys(run.failedScopes)),
    run.build,
  ];
}

/** Names what was not updated. Why is for the log, the ledger and Slack: an error's text may name users, addresses and paths. */
function remarkOf(scopes: readonly string[]): string {
  return scopes.length === 0 ? "" : `Not updated: ${scopes.join(", ")}`;
}
