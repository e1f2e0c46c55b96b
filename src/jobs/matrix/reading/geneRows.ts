// Reads a gene table as it comes: with or without header, one column or many, with features beside the genes that are left out.

import { number } from "../../../format.ts";
import { UnreadableMatrix } from "../problem.ts";
import { showName } from "./boundedRegion.ts";
import { readTable, type TableRow } from "./delimitedTable.ts";
import { typesOfOthers } from "./featureTypes.ts";
import { decideHeader, type HeaderLook, isStandIn, lookOfFirstRow } from "./headerRow.ts";
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
const ID_NAMES =
  /^(featurekey|featureid|geneids?|ensembl|ensemblid|ensemblgeneid|ensgid|accession|ids?)$/;
const SYMBOL_NAMES =
  /^(featurename|genenames?|genesymbols?|symbols?|geneshortname|hgncsymbol|names?)$/;
/** Stands above ids as well as above symbols: what it means is told by the column before it. */
const EITHER_NAMES = /^(genes?|features?)$/;
const TYPE_NAMES = /^featuretypes?$/;

interface Columns {
  readonly id: number;
  readonly symbol: number;
  readonly type: number;
}

/** Reads a gene table; `sizes` are the matrix's rows and columns ([] where they are not known), which tell whether there is a header. */
export async function readGeneRows(
  region: ByteRegion,
  sizes: readonly number[],
  signal: AbortSignal,
): Promise<GeneRows> {
  const first = await readOnce(region, null, signal);
  const isHeader = decideHeader(first.rows, sizes, first.look);
  const read = isHeader === first.withHeader ? first : await readOnce(region, isHeader, signal);
  // Not before it is known whether the first row is a header, whose word is no type.
  return read.leave();
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
  let columns: Columns | null = null;

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
    columns ??= withoutRowNumbers(chooseColumns(header, row.count()), header, row);
    const id = row.field(columns.id);
    const symbol = row.field(columns.symbol);
    if (id === "" && symbol === "") {
      throw new UnreadableMatrix(
        "M_TABLE",
        `${showName(region.name)}: row ${number(index + 1)} names no gene`,
      );
    }
    if (ids.length === MOST_GENES) {
      throw new UnreadableMatrix(
        "M_TOO_LARGE",
        `${showName(region.name)} has more than ${number(MOST_GENES)} rows`,
      );
    }
    if (ids.length === typeOf.length) typeOf = grow(typeOf);
    typeOf[ids.length] = numberOfType(types, row.field(columns.type));
    ids.push(id === "" ? symbol : id);
    symbols.push(symbol === "" ? id : symbol);
  });
  const typeOfRows = typeOf.subarray(0, ids.length);
  const leave = (): GeneRows => ({ ids, symbols, ...leaveOut(region, types, typeOfRows) });
  return { rows, look, withHeader: isHeader, leave };
}

/** Where id, symbol and type stand: by the header's words; without them the first, the second and the third column, as 10x has them. */
function chooseColumns(header: readonly string[], count: number): Columns {
  const words = header.map((word) => word.toLowerCase().replace(/[\s_.-]+/g, ""));
  // R writes row names without a name above them.
  const shift = header.length === count - 1 ? 1 : 0;
  const find = (names: RegExp): number | null => {
    const at = words.findIndex((word) => names.test(word));
    return at === -1 ? null : at + shift;
  };
  const id = find(ID_NAMES);
  const symbol = find(SYMBOL_NAMES);
  const second = Math.min(1, count - 1);
  return {
    id: id ?? (symbol === 0 ? second : 0),
    symbol:
      symbol ??
      (id !== null && id > 0
        ? 0
        : header.length > 0 && id === null
          ? (find(EITHER_NAMES) ?? 0)
          : second),
    type: find(TYPE_NAMES) ?? 2,
  };
}

/** pandas numbers rows in a column without a name: such numbers are no ids. */
function withoutRowNumbers(columns: Columns, header: readonly string[], row: TableRow): Columns {
  const isNumbered =
    header.length > 0 &&
    columns.symbol > columns.id &&
    isStandIn(header.length === row.count() ? header[columns.id] : "") &&
    /^\d+$/.test(row.field(columns.id));
  return isNumbered ? { ...columns, id: columns.symbol } : columns;
}

function fieldsOf(row: TableRow): readonly string[] {
  return Array.from({ length: Math.min(row.count(), 1000) }, (_, index) => row.field(index));
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
