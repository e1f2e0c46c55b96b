// Reads a cell table for its number of rows and each cell's approach; barcodes and everything else about the cells stay where they are.

import { number } from "../../../format.ts";
import { APPROACH_COLUMNS, buildCellTable, makeApproachKeys } from "../approach.ts";
import type { CellTable } from "../matrix.ts";
import { UnreadableMatrix } from "../problem.ts";
import { showName } from "./boundedRegion.ts";
import { readTable, type TableRow } from "./delimitedTable.ts";
import { decideHeader, type HeaderLook, type LinedTable, lookOfFirstRow } from "./headerRow.ts";
import type { ByteRegion } from "./region.ts";

/** As of HDF5: the largest known matrix has some ten million. */
const MOST_CELLS = 50_000_000;

/** Reads a cell table; `sizes` are the matrix's columns and rows ([] where they are not known), which tell whether there is a header. */
export async function readCellRows(
  region: ByteRegion,
  sizes: readonly number[],
  approaches: readonly string[],
  signal: AbortSignal,
): Promise<LinedTable<CellTable>> {
  const first = await readOnce(region, null, approaches, signal);
  const { rows, look } = first;
  const isHeader = decideHeader(rows, sizes, look);
  const read =
    isHeader === first.withHeader ? first : await readOnce(region, isHeader, approaches, signal);
  return { table: read.cells, lines: { rows, look } };
}

async function readOnce(
  region: ByteRegion,
  withHeader: boolean | null,
  approaches: readonly string[],
  signal: AbortSignal,
): Promise<{ rows: number; look: HeaderLook; withHeader: boolean; cells: CellTable }> {
  const builder = buildCellTable(approaches);
  const whose = `${showName(region.name)} has`;
  let look: HeaderLook = "row";
  let isHeader = false;
  let header: readonly string[] = [];
  let column: number | null = null;

  const rows = await readTable(region, signal, (row, index) => {
    if (index === 0) {
      const fields = fieldsOf(row);
      look = looksLikeApproaches(fields) ? "header" : lookOfFirstRow(fields);
      isHeader = withHeader ?? look === "header";
      if (isHeader) {
        header = fields;
        return;
      }
    }
    checkCells(whose, isHeader ? index : index + 1);
    if (header.length > 0 && column === null) column = chooseColumn(header, row.count());
    builder.add(column === null || column === -1 ? null : row.field(column));
  });
  return { rows, look, withHeader: isHeader, cells: builder.build() };
}

function looksLikeApproaches(fields: readonly string[]): boolean {
  return APPROACH_COLUMNS.some((name) => fields.includes(name));
}

/** Where the approach stands; -1 where the table does not say. */
function chooseColumn(header: readonly string[], count: number): number {
  const name = APPROACH_COLUMNS.find((column) => header.includes(column));
  if (name === undefined) return -1;
  // R writes row names without a name above them.
  return header.indexOf(name) + (header.length === count - 1 ? 1 : 0);
}

function fieldsOf(row: TableRow): readonly string[] {
  return Array.from({ length: Math.min(row.count(), 10_000) }, (_, index) => row.field(index));
}

/** Puts the cells of several tables after each other; approaches of one key become one. */
export function joinCellTables(tables: readonly CellTable[]): CellTable {
  const [only] = tables;
  if (only !== undefined && tables.length === 1) return only;
  const count = tables.reduce((sum, table) => sum + table.count, 0);
  const keys = makeApproachKeys();
  checkCells("the matrices together have", count);
  const of = new Uint8Array(count);
  let at = 0;
  for (const table of tables.filter((one) => one.count > 0)) {
    const indexes = table.approaches.map(({ key, label }) => {
      const places = label.split(" / ").map((one) => keys.indexOf(key, one));
      return places[0] ?? 0;
    });
    const { approachOf } = table;
    if (approachOf === null) of.fill(indexes[0] ?? 0, at, at + table.count);
    else
      for (let cell = 0; cell < table.count; cell++)
        of[at + cell] = indexes[approachOf[cell] ?? 0] ?? 0;
    at += table.count;
  }
  const joined = keys.build(of);
  return count > 0 ? joined : { ...joined, approaches: only?.approaches ?? [] };
}

/** Gives some cells of a table, in their order there. */
export function pickCells({ approaches, approachOf }: CellTable, rows: Uint32Array): CellTable {
  const of = approachOf === null ? null : Uint8Array.from(rows, (row) => approachOf[row] ?? 0);
  return { count: rows.length, approaches, approachOf: of };
}

/** Throws where there are more cells than can be held. */
export function checkCells(whose: string, cells: number): void {
  if (cells <= MOST_CELLS) return;
  throw new UnreadableMatrix("M_TOO_LARGE", `${whose} more than ${number(MOST_CELLS)} cells`);
}
