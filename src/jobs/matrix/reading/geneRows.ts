// Reads a gene table as it comes: with or without header, one column or many, with features beside the genes that are left out.

import { number } from "../../../format.ts";
import { UnreadableMatrix } from "../problem.ts";
import { showName } from "./boundedRegion.ts";
import { readTable, type TableRow } from "./delimitedTable.ts";
import { typesOfOthers } from "./featureTypes.ts";
import { chooseColumns, type GeneColumns, kindOf, rolesOf, SAMPLE_ROWS } from "./geneColumns.ts";
import {
  decideHeader,
  type HeaderLook,
  isStandIn,
  type LinedTable,
  lookOfFirstRow,
} from "./headerRow.ts";
import type { ByteRegion } from "./region.ts";

/** The genes of one table, in its order. */
export interface GeneRows {
  readonly ids: readonly string[];
  readonly symbols: readonly string[];
  /** 1 for rows that are no gene expression (antibodies, guides); null where all are. */
  readonly isOther: Uint8Array | null;
  /** What the others are, e.g. ["Antibody Capture"]. */
  readonly otherTypes: readonly string[];
}

/** Peaks of open chromatin are half a million; beyond this no table is one of genes. */
export const MOST_GENES = 4_000_000;
/** Columns that are looked at by what stands in them, besides those whose header says what they are. */
const WATCHED_COLUMNS = 32;
/** Tables of genes have a dozen columns; what lies beyond is not looked for. */
const MOST_COLUMNS = 1000;

/** Reads a gene table; `sizes` are the matrix's rows and columns ([] where they are not known), which tell whether there is a header. */
export async function readGeneRows(
  region: ByteRegion,
  sizes: readonly number[],
  signal: AbortSignal,
): Promise<LinedTable<GeneRows>> {
  const first = await readOnce(region, null, signal);
  const { rows, look } = first;
  const isHeader = decideHeader(rows, sizes, look);
  const read = isHeader === first.withHeader ? first : await readOnce(region, isHeader, signal);
  // Not before it is known whether the first row is a header, whose word is no type.
  return { table: read.leave(), lines: { rows, look } };
}

async function readOnce(
  region: ByteRegion,
  withHeader: boolean | null,
  signal: AbortSignal,
): Promise<{ rows: number; look: HeaderLook; withHeader: boolean; leave: () => GeneRows }> {
  const ids: string[] = [];
  const symbols: string[] = [];
  const types = new Map<string, number>();
  let typeOf = new Uint8Array(1024);
  let look: HeaderLook = "row";
  let isHeader = false;
  let header: readonly string[] = [];
  let columns: GeneColumns | null = null;
  /** The first rows wait until they have told which columns are which. */
  let waiting: TableRow[] = [];

  function take(row: TableRow, at: GeneColumns): void {
    const id = row.field(at.id);
    const symbol = row.field(at.symbol);
    if (id === "" && symbol === "") {
      throw new UnreadableMatrix(
        "M_TABLE",
        `${showName(region.name)}: row ${number(ids.length + (isHeader ? 2 : 1))} names no gene`,
      );
    }
    if (ids.length === MOST_GENES) {
      throw new UnreadableMatrix(
        "M_TOO_LARGE",
        `${showName(region.name)} has more than ${number(MOST_GENES)} rows`,
      );
    }
    if (ids.length === typeOf.length) typeOf = grow(typeOf);
    typeOf[ids.length] = numberOfType(types, row.field(at.type));
    ids.push(id === "" ? symbol : id);
    symbols.push(symbol === "" ? id : symbol);
  }

  function decide(): GeneColumns {
    const decided = columnsOf(header, waiting);
    for (const row of waiting) take(row, decided);
    waiting = [];
    return decided;
  }

  const rows = await readTable(region, signal, (row, index) => {
    if (index === 0) {
      const fields = fieldsOf(row);
      look = lookOfFirstRow(fields);
      isHeader = withHeader ?? look === "header";
      if (isHeader) {
        header = fields;
        return;
      }
    }
    if (columns !== null) {
      take(row, columns);
      return;
    }
    waiting.push(keep(row));
    if (waiting.length === SAMPLE_ROWS) columns = decide();
  });
  if (waiting.length > 0) decide();
  const typeOfRows = typeOf.subarray(0, ids.length);
  const leave = (): GeneRows => ({ ids, symbols, ...leaveOut(region, types, typeOfRows) });
  return { rows, look, withHeader: isHeader, leave };
}

/** Tells which columns are which by the header and the first rows. */
function columnsOf(header: readonly string[], rows: readonly TableRow[]): GeneColumns {
  const [first] = rows;
  const count = first?.count() ?? 0;
  // R writes row names without a name above them.
  const names = header.length > 0 && header.length === count - 1 ? ["", ...header] : header;
  const roles = rolesOf(names);
  return chooseColumns(
    Array.from({ length: Math.min(count, MOST_COLUMNS) }, (_, column) => {
      const name = names[column];
      const role = roles.get(column) ?? null;
      const isWatched = column < WATCHED_COLUMNS || role !== null;
      const values = isWatched ? rows.map((row) => row.field(column)) : [];
      return { role, kind: kindOf(values, name), isUnnamed: name !== undefined && isStandIn(name) };
    }),
  );
}

/** A row that outlives the bytes it was read from. */
function keep(row: TableRow): TableRow {
  const fields = fieldsOf(row);
  return { count: () => fields.length, field: (index) => fields[index] ?? "" };
}

function fieldsOf(row: TableRow): readonly string[] {
  return Array.from({ length: Math.min(row.count(), MOST_COLUMNS) }, (_, index) =>
    row.field(index),
  );
}

/** Types are few; what comes after 254 of them is no column of types, and counts as one. */
function numberOfType(types: Map<string, number>, type: string): number {
  const known = types.get(type);
  if (known !== undefined) return known;
  if (types.size >= 254) return 254;
  types.set(type, types.size);
  return types.size - 1;
}

/** Leaves out rows whose type says that they are no genes. */
function leaveOut(
  region: ByteRegion,
  types: ReadonlyMap<string, number>,
  typeOf: Uint8Array,
): Pick<GeneRows, "isOther" | "otherTypes"> {
  const others = typesOfOthers(showName(region.name), [...types.keys()], typeOf.length);
  if (others.size === 0) return { isOther: null, otherTypes: [] };
  const left = new Set([...types].filter(([name]) => others.has(name)).map(([, index]) => index));
  return { isOther: typeOf.map((type) => (left.has(type) ? 1 : 0)), otherTypes: [...others] };
}

function grow(array: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(array.length * 2);
  larger.set(array);
  return larger;
}
