// The index of matrices: totals, one row per matrix with a small picture, what failed on top, what was left out in a fold.

import { bytes, count, date, instant, list, number, percent } from "../../../format.ts";
import {
  type AssetPaths,
  HTML,
  JSON_TYPE,
  jsonText,
  makeFrame,
  type Menu,
  type PageFile,
  type RenderPage,
} from "../../../render/page.ts";
import { makeTable, type TableModel } from "../../../render/table.ts";
import { FIGURE_NAMES } from "../figures/figure.ts";
import type { MatrixSkip } from "../source.ts";
import type { GroupSummary, MatrixSummary } from "../summary.ts";
import { figureHrefs, figureKeys } from "./figurePaths.ts";
import { FOLDER, INDEX_PAGE } from "./pageFrame.ts";
import { byCells, FIGURE_LABELS, medianText, roundNumber, speciesLabel } from "./projectWords.ts";

const PATH = "index.html";
export const INDEX_SCHEMA = "hdash/matrices/1";

/** A matrix as the index knows it. */
export interface ProjectRow {
  readonly id: string;
  readonly title: string;
  /** The last good numbers; null where there never were any. */
  readonly summary: MatrixSummary | null;
  /** Why this run could not read it, in words fit for a public page; null where it could, or was not asked to. */
  readonly failure: string | null;
  /** ISO 8601: when the numbers were last made anew; null where they never were. */
  readonly updatedAt: string | null;
}

/** What the index is made from. */
export interface ProjectsPageInput {
  readonly rows: readonly ProjectRow[];
  readonly skips: readonly MatrixSkip[];
  readonly run: {
    readonly startedAt: string;
    readonly build: string;
    readonly sourceLabel: string;
  };
  readonly assets: AssetPaths;
  readonly menu: Menu;
}

/** A line of a row: one approach. */
interface LineModel {
  readonly key: string;
  readonly label: string;
  readonly cells: string;
  readonly medianCounts: string;
  readonly medianGenes: string;
  readonly medianMito: string;
}

/** A row as the template takes it; what is compared is beside what is read. */
interface RowModel {
  readonly id: string;
  readonly title: string;
  /** False where its id is all that it is called. */
  readonly isTitled: boolean;
  readonly href: string;
  readonly note: string;
  readonly isFailed: boolean;
  readonly species: string;
  readonly approaches: string;
  readonly picture: string;
  /** Names of the figures that there are thumbnails of. */
  readonly pictures: string;
  readonly lines: readonly LineModel[];
  readonly moreLines: string;
  readonly genes: string;
  readonly size: string;
  readonly updated: string;
  readonly sort: Readonly<Record<SortKey, number | string>>;
}

/** Values by which rows are sorted, as attributes data-<name>. */
type SortKey = "cells" | "genes" | "counts" | "median" | "mito" | "size" | "updated";

/** Approaches of one matrix that a row has room for; its page has all. */
const MOST_LINES = 4;
/** The picture of a row: the first of these that was made, else the first figure that was. */
const PICTURES = ["umap", "violin"] as const;

/** Makes index.html and data/index.json, both below the folder of matrices. */
export function makeProjectsPage(
  input: ProjectsPageInput,
  render: RenderPage,
): readonly PageFile[] {
  return [
    { path: PATH, contentType: HTML, text: render("matrix/matrices", projectsModel(input)) },
    { path: "data/index.json", contentType: JSON_TYPE, text: jsonText(indexJson(input)) },
  ];
}

function projectsModel(input: ProjectsPageInput): object {
  const { rows, skips, run, assets, menu } = input;
  const failed = rows.filter(({ failure }) => failure !== null);
  return {
    frame: makeFrame({
      title: "Gene expression matrices",
      description: "What is in each gene expression matrix, in eight figures and a few numbers.",
      path: FOLDER + PATH,
      menu,
      loads: INDEX_PAGE,
      assets,
    }),
    builtAt: instant(run.startedAt),
    build: run.build,
    sourceLabel: run.sourceLabel,
    totals: totals(input),
    hasFailed: failed.length > 0,
    failedTitle: `${count(failed.length, "matrix", "matrices")} could not be read`,
    failed: failed.map(failedModel),
    hasKept: failed.some(({ summary }) => summary !== null),
    hasRows: rows.length > 0,
    rows: rows.map(rowModel),
    pictures: FIGURE_NAMES.map((name) => ({ name, label: FIGURE_LABELS[name] })),
    hasSkips: skips.length > 0,
    skipsTitle: leftOutTitle(input),
    skips: skipsTable(skips),
  };
}

/** Counts the matrices that were left out, and what else was: other files of a matrix that has a row, and files that are none. */
function countLeftOut({ rows, skips }: ProjectsPageInput) {
  const shown = new Set(rows.map(({ id }) => id));
  const ids = skips.filter((skip) => isMatrix(skip) && !shown.has(skip.id)).map(({ id }) => id);
  return { matrices: new Set(ids).size, files: skips.length - ids.length };
}

/** Why only what is a matrix is left out, whatever it is called. */
const OF_MATRICES = ["blacklisted"];

/** A matrix is named by a uuid, or was left out as one; a README is not. */
function isMatrix({ id, why }: MatrixSkip): boolean {
  const isUuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:\.|$)/i.test(id);
  return isUuid || OF_MATRICES.includes(why);
}

/** Says how much the fold holds: matrices, as many as on top of the page, and other files. */
function leftOutTitle(input: ProjectsPageInput): string {
  const { matrices, files } = countLeftOut(input);
  const noun = matrices > 0 ? "other file" : "file";
  const parts = [
    ...(matrices > 0 ? [count(matrices, "matrix", "matrices")] : []),
    ...(files > 0 ? [count(files, noun)] : []),
  ];
  return `${list(parts)} left out`;
}

/** Names a matrix that failed once: what it is called, its id where that is another, and what went wrong. */
function failedModel(row: ProjectRow) {
  const { id, title, summary } = row;
  return {
    id: title === id ? "" : id,
    title,
    href: summary === null ? "" : pageHref(id),
    says: failureText(row),
  };
}

function pageHref(id: string): string {
  return `${encodeURIComponent(id)}.html`;
}

function totals(input: ProjectsPageInput) {
  const { rows } = input;
  const { matrices: leftOut } = countLeftOut(input);
  const known = rows.flatMap(({ summary }) => summary ?? []);
  const groups = known.flatMap((summary) => summary.groups);
  const figures = groups.flatMap((group) => group.figures);
  const made = figures.filter(({ reason }) => reason === null).length;
  const sum = (numbers: readonly number[]) => numbers.reduce((total, value) => total + value, 0);
  const projects = new Set(known.map(({ projectId }) => projectId)).size;
  // Sources spell it as they like: homo_sapiens, Homo_Sapiens.
  const species = new Set(
    known.flatMap((summary) => speciesLabel(summary.species).toLowerCase() || []),
  ).size;
  const keys = [...new Set(groups.map(({ approach }) => approach.key))].sort();
  const failures = rows.filter(({ failure }) => failure !== null).length;
  const unread = [
    ...(failures > 0 ? [`${number(failures)} failed`] : []),
    ...(leftOut > 0 ? [`${number(leftOut)} left out`] : []),
  ];
  return [
    {
      label: "Matrices",
      value: number(known.length),
      note: unread.length > 0 ? list(unread) : "all that there are",
    },
    {
      label: "Projects",
      value: number(projects),
      note: species === 0 ? "" : `of ${number(species)} species`,
    },
    {
      label: "Cells",
      value: roundNumber(sum(known.map(({ cells }) => cells))),
      note: `${bytes(sum(known.map(({ source }) => source.bytes ?? 0)))} of files`,
    },
    {
      label: "Counts",
      value: roundNumber(sum(known.map(({ counts }) => counts))),
      note: `in ${roundNumber(sum(known.map(({ entries }) => entries)))} entries`,
    },
    {
      label: "Figures",
      value: number(made),
      note:
        keys.length === 0
          ? ""
          : keys.length > 4
            ? `of ${number(keys.length)} approaches`
            : list(keys),
    },
  ];
}

/** Tells the reason and how old the numbers are. Reasons name the file, which is often called as the matrix is: that has been said. */
function failureText({ id, failure, updatedAt, summary }: ProjectRow): string {
  const said = failure ?? "";
  const rest = said.startsWith(id)
    ? /^(?:\.[A-Za-z0-9.]+)?: (.+)$/.exec(said.slice(id.length))
    : null;
  const reason = rest?.[1] ?? said;
  return summary === null || updatedAt === null
    ? `Never read: ${reason}`
    : `Not updated since ${instant(updatedAt)}: ${reason}`;
}

function rowModel(row: ProjectRow): RowModel {
  const { id, title, summary, updatedAt, failure } = row;
  const groups = byCells(summary?.groups ?? []);
  const first = groups[0];
  const species = speciesLabel(summary?.species ?? null);
  const size = summary?.source.bytes ?? null;
  const { picture, pictures } = picturesOf(id, groups);
  return {
    id,
    title,
    isTitled: title !== id,
    href: summary === null ? "" : pageHref(id),
    note: failure === null ? "" : failureText(row),
    isFailed: failure !== null,
    species,
    approaches: groups.map(({ approach }) => approach.key).join(" "),
    picture,
    pictures,
    lines: groups.slice(0, MOST_LINES).map(lineModel),
    moreLines:
      groups.length > MOST_LINES ? `and ${count(groups.length - MOST_LINES, "other")}` : "",
    genes: summary === null ? "" : number(summary.genes),
    size: size === null ? "" : bytes(size),
    updated: updatedAt === null ? "" : date(updatedAt),
    sort: {
      cells: summary?.cells ?? "",
      genes: summary?.genes ?? "",
      counts: first?.medianCounts ?? "",
      median: first?.medianGenes ?? "",
      mito: first?.medianMitoFraction ?? "",
      size: size ?? "",
      updated: updatedAt ?? "",
    },
  };
}

function lineModel(group: GroupSummary): LineModel {
  const { approach, medianMitoFraction } = group;
  return {
    key: approach.key,
    label: approach.label,
    cells: number(group.cells),
    medianCounts: medianText(group.medianCounts),
    medianGenes: medianText(group.medianGenes),
    medianMito: medianMitoFraction === null ? "–" : percent(medianMitoFraction),
  };
}

/** The picture of a row is that of its largest approach that has any. */
function picturesOf(id: string, groups: readonly GroupSummary[]) {
  for (const { approach, figures } of groups) {
    const names = figures.filter(({ reason }) => reason === null).map(({ name }) => name);
    const name = PICTURES.find((wanted) => names.includes(wanted)) ?? names[0];
    if (name !== undefined) {
      const picture = figureHrefs(id, approach, name).thumbnail;
      return { picture, pictures: names.join(" ") };
    }
  }
  return { picture: "", pictures: "" };
}

function skipsTable(skips: readonly MatrixSkip[]): TableModel {
  return makeTable({
    id: "skips",
    name: "matrices-left-out",
    caption: "Matrices left out",
    columns: [
      { key: "title", label: "Project", kind: "text", prose: true },
      { key: "id", label: "Matrix", kind: "text" },
      { key: "why", label: "Why", kind: "text" },
      { key: "message", label: "Reason", kind: "text", prose: true },
    ],
    rows: skips.map(({ id, title, why, message }) => [title, id, why, message]),
    empty: "Nothing was left out.",
    allHref: "data/index.json",
  });
}

function indexJson({ rows, skips, run }: ProjectsPageInput): object {
  return {
    schema: INDEX_SCHEMA,
    builtAt: run.startedAt,
    build: run.build,
    source: run.sourceLabel,
    matrices: rows.map(({ id, title, summary, failure, updatedAt }) => ({
      id,
      title,
      projectId: summary?.projectId ?? null,
      species: summary?.species ?? null,
      atlasId: summary?.atlasId ?? null,
      page: summary === null ? null : `matrices/${id}.html`,
      data: summary === null ? null : `matrices/data/${id}.json`,
      updatedAt,
      failure,
      bytes: summary?.source.bytes ?? null,
      format: summary?.format ?? null,
      genes: summary?.genes ?? null,
      cells: summary?.cells ?? null,
      entries: summary?.entries ?? null,
      counts: summary?.counts ?? null,
      approaches: (summary?.groups ?? []).map((group) => groupJson(id, group)),
    })),
    leftOut: skips,
  };
}

function groupJson(id: string, { approach, figures, ...group }: GroupSummary): object {
  const { cells, medianCounts, medianGenes, medianMitoFraction, clusters } = group;
  return {
    key: approach.key,
    label: approach.label,
    cells,
    medianCounts,
    medianGenes,
    medianMitoFraction,
    clusters,
    figures: figures.flatMap(({ name, reason }) =>
      reason === null ? [figureKeys(id, approach, name).png] : [],
    ),
  };
}
