// A table as data: what a room says about its rows, and the form in which views/partials/table.hbs and views/assets/table.js take it.

import { number } from "../format.ts";

/** How a cell is coloured and marked; never the only carrier of its meaning. */
export type Tone = "error" | "warning" | "info" | "good" | "new" | "muted";

/** A column: `kind` decides how it is sorted, compared, aligned and handed out. A share is a fraction that people read, and filter by, as percent. */
export interface TableColumn {
  /** Names the column in shared addresses and JSON downloads; stable. */
  readonly key: string;
  readonly label: string;
  readonly kind: "text" | "number" | "share" | "date";
  /** One line that says what the column holds. */
  readonly hint?: string;
  /** What a cell's text is appended to, to make its link, where it looks like an id. */
  readonly linkPrefix?: string;
  /** True for prose, which may wrap and gets what width there is. */
  readonly prose?: boolean;
}

/** A cell. A number alone is a value written with thousands; a string alone is text. */
export interface TableCell {
  readonly text: string;
  /** What sorting and `>` compare: a number, or an ISO instant. */
  readonly value?: number | string;
  readonly href?: string;
  readonly tone?: Tone;
  /** A second, smaller line. */
  readonly note?: string;
  /** Fraction 0-1, drawn as a bar behind the number. */
  readonly bar?: number;
  /** A drawing that is already markup (see render/templates.ts); only tables that are written out in full have any. */
  readonly svg?: string;
}
export type CellValue = string | number | TableCell;

/** A table as a room declares it. */
export interface TableSpec {
  /** Names the table in the page and in shared addresses, e.g. "findings". */
  readonly id: string;
  /** Names what is shown when it is downloaded, e.g. "HTA3-findings". */
  readonly name: string;
  readonly caption: string;
  readonly columns: readonly TableColumn[];
  readonly rows: readonly (readonly CellValue[])[];
  /** How many rows there are, where `rows` are a choice of them. */
  readonly total?: number;
  /** Says why there is nothing, where there are no rows. */
  readonly empty: string;
  /** Where all rows can be had, for readers without JavaScript and for tables that are cut. */
  readonly allHref?: string;
}

/** A cell as the template takes it. */
interface CellModel {
  readonly text: string;
  readonly value: string;
  readonly href: string;
  readonly classes: string;
  readonly note: string;
  readonly hasBar: boolean;
  readonly barPct: string;
  readonly svg: string;
  readonly isHeading: boolean;
}

interface ColumnModel {
  readonly key: string;
  readonly label: string;
  readonly kind: TableColumn["kind"];
  readonly hint: string;
  readonly linkPrefix: string;
  readonly classes: string;
}

/** A table as the template takes it. */
export interface TableModel {
  readonly id: string;
  readonly name: string;
  readonly caption: string;
  readonly columns: readonly ColumnModel[];
  readonly rows: readonly (readonly CellModel[])[];
  readonly hasRows: boolean;
  readonly empty: string;
  readonly total: string;
  /** All rows for table.js, in the short form; null where the rows above are all there are. */
  readonly data: readonly (readonly unknown[])[] | null;
  /** What the reader is told where not all rows can be seen. */
  readonly partial: string;
  readonly cut: string;
  readonly allHref: string;
}

/** Beyond this a table's rows travel as data and are drawn a page at a time; 200 rows of markup still parse in a few ms. */
const STATIC_ROWS = 200;
/** What is written out of a longer table for readers without JavaScript. */
const PREVIEW_ROWS = 50;
/** A table's most rows. A page with more than this would be tens of megabytes; the downloads have them all. */
export const MOST_ROWS = 20_000;

/** Makes a declared table ready for its template. */
export function makeTable(spec: TableSpec): TableModel {
  const kept = spec.rows.slice(0, MOST_ROWS);
  const total = spec.total ?? spec.rows.length;
  const isLong = total > STATIC_ROWS;
  const written = isLong ? kept.slice(0, PREVIEW_ROWS) : kept;
  return {
    id: spec.id,
    name: spec.name,
    caption: spec.caption,
    columns: spec.columns.map((column) => ({
      key: column.key,
      label: column.label,
      kind: column.kind,
      hint: column.hint ?? "",
      linkPrefix: column.linkPrefix ?? "",
      classes: columnClasses(column),
    })),
    rows: written.map((row) =>
      row.map((cell, index) => cellModel(cell, spec.columns[index], index)),
    ),
    hasRows: total > 0,
    empty: spec.empty,
    total: number(total),
    data: isLong ? kept.map((row) => row.map(shortCell)) : null,
    partial: isLong ? `The first ${PREVIEW_ROWS} of ${number(total)} rows.` : "",
    cut: total > kept.length ? `${number(kept.length)} of ${number(total)} rows in the table.` : "",
    allHref: spec.allHref ?? "",
  };
}

function columnClasses(column: TableColumn): string {
  return column.kind === "number" || column.kind === "share"
    ? "num"
    : column.prose === true
      ? "prose"
      : "";
}

function cellModel(given: CellValue, column: TableColumn | undefined, index: number): CellModel {
  const cell: TableCell =
    typeof given === "string"
      ? { text: given }
      : typeof given === "number"
        ? { text: number(given), value: given }
        : given;
  const classes = [
    column === undefined ? "" : columnClasses(column),
    cell.tone ? `tone-${cell.tone}` : "",
  ];
  return {
    text: cell.text,
    value: cell.value === undefined ? "" : String(cell.value),
    href: cell.href ?? linkOf(cell.text, column?.linkPrefix),
    classes: classes.filter((name) => name !== "").join(" "),
    note: cell.note ?? "",
    hasBar: cell.bar !== undefined,
    barPct: ((cell.bar ?? 0) * 100).toFixed(1),
    svg: cell.svg ?? "",
    isHeading: index === 0,
  };
}

/** Links a cell that is an id; anything else in such a column (a blank, a remark) stays text. table.js has the same rule. */
function linkOf(text: string, prefix: string | undefined): string {
  return prefix !== undefined && /^[A-Za-z]+\d+$/.test(text) ? prefix + text : "";
}

/** Shortens a cell to what table.js needs: a string, a number, or an object with one-letter keys. */
function shortCell(cell: CellValue): unknown {
  if (typeof cell !== "object") return cell;
  const { text, value, href, tone, note, bar } = cell;
  return {
    t: text,
    ...(value === undefined ? {} : { v: value }),
    ...(href === undefined ? {} : { h: href }),
    ...(tone === undefined ? {} : { c: tone }),
    ...(note === undefined ? {} : { n: note }),
    ...(bar === undefined ? {} : { b: Math.round(bar * 1000) / 10 }),
  };
}
