// What a user gave on the command line, made ready for a plan: tables are read, files are digested.

import { stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";

import { codeOf, HdashError } from "../../../error.ts";
import { count } from "../../../format.ts";
import { readCsv } from "../../../formats/csv.ts";
import { cellText, type CsvRecord } from "../../../formats/csvRecord.ts";
import type { ContentDigests } from "../../../store/contentDigests.ts";
import { readFilePieces } from "../../../store/filePieces.ts";
import { parseValue, shapeText } from "../data/shapes.ts";
import type { Shape } from "../writing/kinds.ts";

/** A file of the machine, by content. */
export interface LocalFile {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** Makes of a value, in which files are paths, what a plan takes; `fileOf` makes a handle of a file. `base`: the folder that paths are seen from. */
export async function giveValue(
  shape: Shape,
  value: unknown,
  of: {
    readonly at: string;
    readonly base: string;
    readonly digests: ContentDigests;
    readonly signal: AbortSignal;
    readonly fileOf: (file: LocalFile) => object;
  },
): Promise<unknown> {
  if (value === null || value === undefined) return null;
  switch (shape.kind) {
    case "file": {
      const path = resolve(of.base, value as string);
      const { sha256, bytes } = await digest(path, of);
      return of.fileOf({ path, sha256, bytes });
    }
    case "folder":
      throw new HdashError("usage", `${of.at}: a folder cannot be given to a pipeline yet`);
    case "optional":
      return giveValue(shape.of, value, of);
    case "list": {
      const all: unknown[] = [];
      for (const [index, one] of (value as readonly unknown[]).entries()) {
        all.push(await giveValue(shape.of, one, { ...of, at: `${of.at}[${index}]` }));
      }
      return all;
    }
    case "table": {
      if (typeof value !== "string") return value;
      const path = resolve(of.base, value);
      const rows: unknown[] = [];
      for (const row of await readTable(path, shape, of.at)) {
        const cells: Record<string, unknown> = {};
        for (const [name, column] of Object.entries(shape.columns)) {
          const at = `${of.at}, row ${row.number}, ${name}`;
          cells[name] = await giveValue(column, row.cells[name], {
            ...of,
            at,
            base: dirname(path),
          });
        }
        rows.push(cells);
      }
      return rows;
    }
    case "text":
    case "integer":
    case "number":
    case "boolean":
    case "choice":
    case "json":
      return value;
  }
}

async function digest(
  path: string,
  {
    at,
    digests,
    signal,
  }: { readonly at: string; readonly digests: ContentDigests; readonly signal: AbortSignal },
): Promise<{ readonly sha256: string; readonly bytes: number }> {
  const stats = await stat(path).catch((error: unknown) => {
    const why =
      codeOf(error) === "ENOENT"
        ? "there is no such file"
        : `it cannot be read (${codeOf(error) ?? "?"})`;
    throw new HdashError("usage", `${at} is ${path}: ${why}`);
  });
  if (!stats.isFile()) throw new HdashError("usage", `${at} is ${path}, which is no file`);
  return digests.of(path, signal);
}

/** Says what is wrong with a table's first row; null where nothing is. */
function headerProblem(
  header: readonly string[],
  columns: Readonly<Record<string, Shape>>,
): string | null {
  const twice = header.find((name, at) => header.indexOf(name) !== at);
  if (twice !== undefined && Object.hasOwn(columns, twice)) return `has column ${twice} twice`;
  const missing = Object.entries(columns).find(
    ([name, { kind }]) => kind !== "optional" && !header.includes(name),
  );
  return missing === undefined ? null : `has no column ${missing[0]}; it has ${header.join(", ")}`;
}

interface TableRow {
  /** As a spreadsheet numbers it; the header is 1. */
  readonly number: number;
  readonly cells: Readonly<Record<string, unknown>>;
}

/** Reads a CSV with a header. Throws usage that names file, row and column. */
async function readTable(
  path: string,
  { columns }: Extract<Shape, { readonly kind: "table" }>,
  at: string,
): Promise<readonly TableRow[]> {
  const rows: TableRow[] = [];
  let header: readonly string[] | null = null;
  let problem: string | null = null;
  const cellsOf = (record: CsvRecord): readonly string[] =>
    Array.from({ length: record.length }, (_none, cell) => cellText(record, cell));
  const take = (record: CsvRecord): boolean => {
    const cells = cellsOf(record);
    if (header === null) {
      header = cells.map((cell) => cell.trim());
      problem = headerProblem(header, columns);
      return problem === null;
    }
    if (cells.length !== header.length) {
      problem = `has ${count(cells.length, "cell")} in row ${record.row}, and ${count(header.length, "column")}`;
      return false;
    }
    const own: Record<string, unknown> = {};
    for (const [name, shape] of Object.entries(columns)) {
      const text = cells[header.indexOf(name)] ?? "";
      const parsed = parseValue(shape, text);
      if (!parsed.ok) {
        problem = `has ${JSON.stringify(text)} in row ${record.row} as ${name}, which should be ${shapeText(shape)}`;
        return false;
      }
      own[name] = parsed.value;
    }
    rows.push({ number: record.row, cells: own });
    return true;
  };
  try {
    const facts = await readCsv(readFilePieces(path), take);
    if (facts.undecodableRow !== null) problem = `is no UTF-8 in row ${facts.undecodableRow}`;
    if (facts.unclosedRow !== null)
      problem ??= `has quotes in row ${facts.unclosedRow} that are not closed`;
    if (facts.overlongRow !== null)
      problem ??= `has a row ${facts.overlongRow} that is too long for a table`;
  } catch (error) {
    const code = codeOf(error);
    if (code === null || code === undefined) throw error;
    problem =
      code === "ENOENT" || code === "ENOTDIR"
        ? "is not there"
        : code === "EISDIR"
          ? "is a folder"
          : `cannot be read (${code})`;
  }
  if (problem === null && header === null) problem = "is empty: it needs a header";
  if (problem !== null) throw new HdashError("usage", `${at} (${path}) ${problem}`);
  return rows;
}
