// A matrix's statistics for people: lines of at most eighty characters. Pure: nothing is written here.

import { bytes, count, duration, number, percent } from "../../../format.ts";
import type { MatrixFormat } from "../matrix.ts";
import type { MatrixStatistics } from "./statistics.ts";
import { highestGenes, TOP_GENES } from "./topGenes.ts";

/** How parts of a line are told apart; each function may add colour but no width. */
export interface ReportPaint {
  readonly strong: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly warn: (text: string) => string;
}

/** What the report says beside the statistics. */
export interface ReportFacts {
  readonly name: string;
  /** Whether it is shown on a terminal; in a file or a pipe, where programs read it, the name is never cut. */
  readonly isTerminal: boolean;
  /** Bytes of the source that were read, and how long it took from start to end. */
  readonly readBytes: number;
  readonly tookMs: number;
  readonly paint: ReportPaint;
}

const COLUMNS = 80;
const BAR_WIDTH = 40;
const FORMATS: Readonly<Record<MatrixFormat, string>> = {
  mtx: "MatrixMarket",
  h5ad: "AnnData (h5ad)",
  "10x-h5": "10x HDF5",
  loom: "loom",
};

/** Draws the report. */
export function drawReport(statistics: MatrixStatistics, facts: ReportFacts): readonly string[] {
  const { paint } = facts;
  const head = `${facts.name}  ${FORMATS[statistics.format]}`;
  return [
    paint.strong(facts.isTerminal ? fit(head) : printable(head)),
    ...drawShape(statistics),
    "",
    ...drawCells(statistics, paint),
    "",
    ...drawApproaches(statistics, paint),
    "",
    ...drawTopGenes(statistics, paint),
    "",
    ...drawVariableGenes(statistics, paint),
    ...drawNotes(statistics, paint),
    "",
    paint.dim(fit(drawTime(facts))),
  ];
}

function drawShape({ whole, genes }: MatrixStatistics): readonly string[] {
  const places = whole.cells * genes.ids.length;
  const share = places === 0 ? "" : ` (${percent(whole.entries / places)} of all are not 0)`;
  const empty = whole.emptyCells === 0 ? "" : `, ${number(whole.emptyCells)} without counts`;
  const seen = whole.genes.nCells.reduce((sum, cells) => sum + (cells > 0 ? 1 : 0), 0);
  return [
    `  ${count(genes.ids.length, "gene")} × ${count(whole.cells, "cell")}${empty}`,
    `  ${count(whole.entries, "entry", "entries")}${share}, ${count(whole.counts, "count")}, ${count(seen, "gene")} seen`,
  ].map(fit);
}

const QUARTILES = [0, 0.25, 0.5, 0.75, 1];

function drawCells({ cells }: MatrixStatistics, paint: ReportPaint): readonly string[] {
  const line = (label: string, values: readonly string[]): string =>
    fit(label.padEnd(20) + values.map((value) => value.padStart(12)).join(""));
  const whole = (value: number): string => number(Math.round(value));
  const mito = cells.mitoFraction?.filter((fraction) => !Number.isNaN(fraction));
  return [
    paint.strong(line("Per cell", ["least", "25%", "median", "75%", "most"])),
    line("  counts", quartiles(cells.nCounts).map(whole)),
    line("  genes", quartiles(cells.nGenes).map(whole)),
    mito === undefined
      ? line("  mitochondrial", ["none"])
      : line("  mitochondrial", quartiles(mito).map(percent)),
  ];
}

function drawApproaches(
  { groups, cells, groupOf }: MatrixStatistics,
  paint: ReportPaint,
): readonly string[] {
  const line = (label: string, values: readonly string[]): string =>
    fit(cut(label, 31).padEnd(32) + values.map((value) => value.padStart(12)).join(""));
  return [
    paint.strong(line("By approach", ["cells", "entries", "med. counts", "med. genes"])),
    ...groups.map((group, index) => {
      const isOwn = (_: number, cell: number): boolean =>
        groupOf === null || groupOf[cell] === index;
      const { key = "unknown", label = "" } = group.approach ?? {};
      return line(key === label ? `  ${key}` : `  ${key}  ${label}`, [
        number(group.cells),
        number(group.entries),
        number(Math.round(quantile(cells.nCounts.filter(isOwn).sort(), 0.5))),
        number(Math.round(quantile(cells.nGenes.filter(isOwn).sort(), 0.5))),
      ]);
    }),
  ];
}

function drawTopGenes({ whole, genes }: MatrixStatistics, paint: ReportPaint): readonly string[] {
  const { meanPct } = whole.genes;
  const top = highestGenes(meanPct, TOP_GENES);
  const most = meanPct[top[0] ?? 0] ?? 0;
  return [
    paint.strong("Top genes, by mean share of a cell's counts"),
    ...top.map((index) => {
      const share = meanPct[index] ?? 0;
      const bar = "█".repeat(Math.max(1, Math.round((BAR_WIDTH * share) / most)));
      const symbol = cut(genes.symbols[index] ?? "", 20);
      return fit(`  ${symbol.padEnd(20)}${percent(share / 100).padStart(8)}  ${bar}`);
    }),
  ];
}

function drawVariableGenes(
  { whole, genes }: MatrixStatistics,
  paint: ReportPaint,
): readonly string[] {
  const variable = genes.symbols.filter((_, index) => whole.genes.isVariable[index] === 1);
  const title = `Variable genes: ${number(variable.length)} of ${number(genes.ids.length)}`;
  const shown = variable.slice(0, 40);
  const more =
    variable.length > shown.length ? `, and ${number(variable.length - shown.length)} more` : "";
  return [
    paint.strong(title),
    ...(shown.length === 0 ? [] : wrap(shown.map((name) => cut(name, 30)).join(", ") + more, "  ")),
  ];
}

function drawNotes({ notes }: MatrixStatistics, paint: ReportPaint): readonly string[] {
  if (notes.length === 0) return [];
  return [
    "",
    paint.strong("Worth knowing"),
    ...notes.flatMap(({ rule, severity, message }) => {
      const lines = wrap(`${rule.padEnd(13)} ${message}`, "  ", `  ${" ".repeat(14)}`);
      return severity === "warning" ? lines.map(paint.warn) : lines;
    }),
  ];
}

function drawTime({ readBytes, tookMs }: ReportFacts): string {
  const speed = tookMs > 0 ? `, ${bytes((readBytes * 1000) / tookMs)}/s` : "";
  return `${bytes(readBytes)} in ${duration(tookMs)}${speed}`;
}

function quartiles(values: Float64Array | Uint32Array): readonly number[] {
  const sorted = values.slice().sort();
  return QUARTILES.map((part) => quantile(sorted, part));
}

/** Interpolates linearly between the two values beside, as numpy does; 0 where there are none. */
function quantile(sorted: Float64Array | Uint32Array, part: number): number {
  const place = part * (sorted.length - 1);
  const low = sorted[Math.max(0, Math.floor(place))] ?? 0;
  const high = sorted[Math.max(0, Math.ceil(place))] ?? 0;
  return low + (high - low) * (place - Math.floor(place));
}

function wrap(text: string, indent: string, further = indent): readonly string[] {
  const lines: string[] = [];
  let line = indent;
  let isEmpty = true;
  for (const word of printable(text).split(" ")) {
    if (!isEmpty && line.length + 1 + word.length > COLUMNS) {
      lines.push(line);
      line = further;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line].map(fit);
}

function fit(text: string): string {
  return cut(text, COLUMNS);
}

/** Shortens a text to a width; control characters, which could move the cursor, become spaces, and those that turn the direction of text are taken out. */
function cut(text: string, width: number): string {
  const characters = [...printable(text)];
  return characters.length <= width
    ? characters.join("")
    : `${characters.slice(0, width - 1).join("")}…`;
}

function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, " ").replace(/\p{Cf}/gu, "");
}
