// The site's first page: totals and one row per atlas, made from measures and history alone, so that an atlas that failed keeps its last good numbers.

import { bytes, count, instant, list, number } from "../../../format.ts";
import {
  type AssetPaths,
  HTML,
  JSON_TYPE,
  jsonText,
  makeFrame,
  type Menu,
  type PageFile,
  TABLE_PAGE,
} from "../../../render/page.ts";
import {
  type CellValue,
  makeTable,
  type TableColumn,
  type TableModel,
} from "../../../render/table.ts";
import { FILE_KINDS } from "../data/analysis.ts";
import type { Atlas } from "../data/atlas.ts";
import type { AtlasVersion } from "../data/past.ts";
import type { PageTools } from "./atlasPage.ts";
import { changeMarks } from "./headlines.ts";
import { KIND_LABELS } from "./kindLabels.ts";
import { type SeverityCounts, SYNAPSE_LINK } from "./pageFrame.ts";
import { shareCell } from "./pageTables.ts";

/** An atlas as the index knows it. */
export interface IndexRow {
  readonly atlas: Atlas;
  /** Why this run could not update it; null where it could, or was not asked to. */
  readonly failure: string | null;
  /** When the last run that could started; null where none ever could. */
  readonly updatedAt: string | null;
  /** Oldest first, ending with the last good facts; empty where there are none. */
  readonly versions: readonly AtlasVersion[];
  /** Findings that came and went since the last run that did the atlas; null where there was none, or this one failed. */
  readonly delta: { readonly added: SeverityCounts; readonly removed: SeverityCounts } | null;
}

/** What the index is made from. */
export interface IndexPageInput {
  readonly rows: readonly IndexRow[];
  readonly run: IndexRun;
  readonly assets: AssetPaths;
  readonly menu: Menu;
}

/** The run that makes the index. */
interface IndexRun {
  readonly startedAt: string;
  readonly build: string;
  readonly viewId: string;
}

const PATH = "index.html";
const DATA_KINDS = FILE_KINDS.filter((kind) => kind !== "METADATA");

const COLUMNS: readonly TableColumn[] = [
  { key: "atlas", label: "Atlas", kind: "text" },
  { key: "name", label: "Name", kind: "text", prose: true },
  {
    key: "projectId",
    label: "Synapse",
    kind: "text",
    hint: "Its project",
    linkPrefix: SYNAPSE_LINK,
  },
  { key: "totalFileSize", label: "Size", kind: "number", hint: "Filter as in >500 GB" },
  { key: "files", label: "Files", kind: "number" },
  ...DATA_KINDS.map((kind): TableColumn => ({
    key: kind,
    label: KIND_LABELS[kind],
    kind: "number",
    hint: `${KIND_LABELS[kind]} files`,
  })),
  {
    key: "manifests",
    label: "Metadata",
    kind: "number",
    hint: "Yes and how many metadata files count, or no",
  },
  {
    key: "percentMetadataComplete",
    label: "Complete",
    kind: "share",
    hint: "Share of metadata fields filled in; filter as in >80 %",
  },
  { key: "errors", label: "Errors", kind: "number" },
  { key: "warnings", label: "Warnings", kind: "number" },
  { key: "added", label: "New", kind: "number", hint: "Errors and warnings that came" },
  { key: "removed", label: "Fixed", kind: "number", hint: "Errors and warnings that went" },
  {
    key: "trend",
    label: "Trend",
    kind: "number",
    hint: "Errors over time; sorts by their change over what is drawn",
  },
];

/** Makes index.html and data/index.json. */
export function makeIndexPage(input: IndexPageInput, tools: PageTools): readonly PageFile[] {
  const { rows, run } = input;
  const totals = totalsOf(rows);
  const failed = rows.filter(({ failure }) => failure !== null);
  const atlases = count(rows.length, "atlas", "atlases");
  const model = {
    frame: makeFrame({
      title: "HTAN data dashboard",
      description:
        "What every HTAN atlas has submitted to Synapse, how complete it is, and what is to be mended.",
      path: PATH,
      menu: input.menu,
      loads: TABLE_PAGE,
      assets: input.assets,
    }),
    builtAt: instant(run.startedAt),
    build: run.build,
    viewId: run.viewId,
    viewHref: SYNAPSE_LINK + run.viewId,
    atlasCount: atlases,
    totals: [
      { label: "Total size", value: bytes(totals.totalFileSize), note: atlases },
      { label: "Files", value: number(totals.files), note: kindsNote(totals.fileCounts) },
      {
        label: "Metadata files",
        value: number(totals.manifests),
        note: count(totals.records, "record"),
      },
      { label: "Errors", value: number(totals.errors), note: deltaNote(rows, "error") },
      { label: "Warnings", value: number(totals.warnings), note: deltaNote(rows, "warning") },
    ],
    hasFailed: failed.length > 0,
    failedTitle: `${count(failed.length, "atlas", "atlases")} could not be updated`,
    failed: failed.map((row) => ({
      atlasId: row.atlas.atlasId,
      name: row.atlas.name,
      says: staleNote(row),
    })),
    atlases: indexTable(input, tools),
  };
  return [
    { path: PATH, contentType: HTML, text: tools.render("htan/index", model) },
    { path: "data/index.json", contentType: JSON_TYPE, text: jsonText(indexJson(input, totals)) },
  ];
}

interface Totals {
  readonly totalFileSize: number;
  readonly files: number;
  readonly fileCounts: Readonly<Record<string, number>>;
  readonly manifests: number;
  readonly records: number;
  readonly errors: number;
  readonly warnings: number;
}

function totalsOf(rows: readonly IndexRow[]): Totals {
  const sum = (measure: string) =>
    rows.reduce((total, row) => total + (measureOf(row, measure) ?? 0), 0);
  return {
    totalFileSize: sum("totalFileSize"),
    files: sum("files"),
    fileCounts: Object.fromEntries(FILE_KINDS.map((kind) => [kind, sum(`files.${kind}`)])),
    manifests: sum("manifests"),
    records: sum("records"),
    errors: sum("errors"),
    warnings: sum("warnings"),
  };
}

function measureOf(row: IndexRow, measure: string): number | undefined {
  return row.versions.at(-1)?.measures[measure];
}

function kindsNote(fileCounts: Totals["fileCounts"]): string {
  const most = FILE_KINDS.map((kind) => ({ kind, files: fileCounts[kind] ?? 0 }))
    .filter(({ files }) => files > 0)
    .sort((a, b) => b.files - a.files)
    .slice(0, 2);
  return most.length === 0 ? "" : `mostly ${list(most.map(({ kind }) => KIND_LABELS[kind]))}`;
}

function deltaNote(rows: readonly IndexRow[], severity: "error" | "warning"): string {
  if (rows.every(({ delta }) => delta === null)) return "nothing to compare with yet";
  const sum = (side: "added" | "removed") =>
    rows.reduce((total, { delta }) => total + (delta?.[side][severity] ?? 0), 0);
  return changeMarks(sum("added"), sum("removed")) || "no change since the last run";
}

function staleNote({ failure, updatedAt }: IndexRow): string {
  const reason = failure ?? "";
  return updatedAt === null
    ? `Never updated: ${reason}`
    : `Not updated since ${instant(updatedAt)}: ${reason}`;
}

function indexTable({ rows, run }: IndexPageInput, tools: PageTools): TableModel {
  return makeTable({
    id: "atlases",
    name: "htan-atlases",
    caption: "Atlases",
    columns: COLUMNS,
    rows: rows.map((row) => indexCells(row, run, tools)),
    empty: "No atlas is registered yet.",
    allHref: "data/index.json",
  });
}

function indexCells(row: IndexRow, run: IndexRun, tools: PageTools): readonly CellValue[] {
  const value = (measure: string): CellValue => measureOf(row, measure) ?? "";
  const size = measureOf(row, "totalFileSize");
  const complete = measureOf(row, "percentMetadataComplete");
  const errors = measureOf(row, "errors");
  return [
    { text: row.atlas.atlasId, ...pageOf(row) },
    nameCell(row, run),
    row.atlas.projectId,
    size === undefined ? "" : { text: bytes(size), value: size },
    value("files"),
    ...DATA_KINDS.map((kind) => value(`files.${kind}`)),
    metadataCell(row),
    complete === undefined ? "" : shareCell(complete),
    errors === undefined || errors === 0
      ? value("errors")
      : { text: number(errors), value: errors, tone: "error" },
    value("warnings"),
    changeCell(row.delta?.added),
    changeCell(row.delta?.removed),
    trendCell(row, tools),
  ];
}

/** Links an atlas to its page, which it has once it was updated. */
function pageOf({ atlas, versions }: IndexRow): { readonly href?: string } {
  return versions.length > 0 ? { href: `${atlas.atlasId}.html` } : {};
}

function nameCell(row: IndexRow, run: IndexRun): CellValue {
  const cell = { text: row.atlas.name, ...pageOf(row) };
  if (row.failure !== null) return { ...cell, note: staleNote(row), tone: "error" };
  if (row.updatedAt === run.startedAt) return cell;
  // A run may be asked for some atlases only; the others stand as they were.
  const note = row.updatedAt === null ? "Not updated yet" : `As of ${instant(row.updatedAt)}`;
  return { ...cell, note };
}

function metadataCell(row: IndexRow): CellValue {
  const manifests = measureOf(row, "manifests");
  if (manifests === undefined) return "";
  const isThere = measureOf(row, "hasMetadata") === 1;
  return { text: isThere ? `Yes · ${number(manifests)}` : "No", value: manifests };
}

/** Counts errors and warnings on one side of a change; blank where there is nothing to compare with. */
function changeCell(counts: SeverityCounts | undefined): CellValue {
  return counts === undefined ? "" : counts.error + counts.warning;
}

function trendCell({ atlas, versions }: IndexRow, { sparkline }: PageTools): CellValue {
  const points = versions.flatMap(({ startedAt, measures }) => {
    const errors = measures["errors"];
    return errors === undefined ? [] : [{ at: startedAt, value: errors }];
  });
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return "";
  return {
    text: "",
    value: last.value - first.value,
    svg: sparkline(points, `Errors of ${atlas.atlasId}`),
  };
}

function indexJson({ rows, run }: IndexPageInput, totals: Totals): object {
  return {
    schema: "hdash/index/1",
    builtAt: run.startedAt,
    build: run.build,
    view: run.viewId,
    totals: { atlases: rows.length, ...totals },
    atlases: rows.map((row) => {
      const { atlas, versions } = row;
      const isKnown = versions.length > 0;
      const value = (measure: string) => measureOf(row, measure) ?? null;
      return {
        atlasId: atlas.atlasId,
        name: atlas.name,
        projectId: atlas.projectId,
        liaison: atlas.liaison,
        page: isKnown ? `${atlas.atlasId}.html` : null,
        data: isKnown ? `data/${atlas.atlasId}.json` : null,
        updatedAt: row.updatedAt,
        failure: row.failure,
        totalFileSize: value("totalFileSize"),
        files: value("files"),
        fileCounts: isKnown
          ? Object.fromEntries(FILE_KINDS.map((kind) => [kind, value(`files.${kind}`)]))
          : null,
        hasMetadata: isKnown ? measureOf(row, "hasMetadata") === 1 : null,
        manifests: value("manifests"),
        records: value("records"),
        percentMetadataComplete: value("percentMetadataComplete"),
        errors: value("errors"),
        warnings: value("warnings"),
        change: row.delta,
        history: versions.map(({ startedAt, measures }) => ({
          at: startedAt,
          errors: measures["errors"] ?? null,
        })),
      };
    }),
  };
}
