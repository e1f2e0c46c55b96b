// The tables of a matrix: of several that may be its, the richest that fits its size is taken.

import { number } from "../../../format.ts";
import type { CellTable } from "../matrix.ts";
import { UnreadableMatrix } from "../problem.ts";
import { showName } from "./boundedRegion.ts";
import { readCellRows } from "./cellRows.ts";
import { knowFile } from "./fileKinds.ts";
import type { MtxFiles } from "./findMatrices.ts";
import { areSymbols } from "./geneColumns.ts";
import { type GeneRows, readGeneRows } from "./geneRows.ts";
import type { MatrixSize } from "./matrixSize.ts";
import type { ByteRegion } from "./region.ts";
import type { TableChoice } from "./tableNames.ts";

/** A matrix's tables as they were read. */
export interface MtxTables {
  readonly genes: GeneRows;
  readonly cells: CellTable;
  /** Where the cells' table lies. */
  readonly cellRegion: ByteRegion;
}

/** Reads tables, and remembers what the last matrix's gene table was: samples often share one. */
export type TableReader = (files: MtxFiles, size: MatrixSize | null) => Promise<MtxTables>;

/** A table that was read. */
interface ReadTable<Table> {
  readonly region: ByteRegion;
  readonly table: Table;
}

/** How tables of a role are read, measured and compared. */
interface Reading<Table> {
  read(region: ByteRegion): Promise<Table>;
  rows(table: Table): number;
  /** How much a table says of what its like may leave out: symbols besides ids, or the cells' approach. */
  richness(table: Table): number;
}

const SYMBOLS_NAME = /(names?|symbols?)\.[a-z]+(\.gz)?$/i;

/** Makes a reader of tables for the matrices of one file or folder. */
export function makeTableReader(approaches: readonly string[], signal: AbortSignal): TableReader {
  let last: { readonly key: string; readonly genes: GeneRows } | null = null;
  return async (files, size) => {
    // Which dimension a table has to fit is known only where the matrix does not lie on its side; the usual one comes first.
    const sizes = size === null ? [] : [size.rows, size.columns];
    const genes: Reading<GeneRows> = {
      async read(region) {
        const key = JSON.stringify([region.path, region.offset, sizes]);
        if (last?.key !== key) {
          last = { key, genes: await readGeneRows(await unpacked(region), sizes, signal) };
        }
        return last.genes;
      },
      rows: ({ ids }) => ids.length,
      richness: (table) => (areSymbols(table.symbols) ? (hasIds(table) ? 2 : 1) : 0),
    };
    const turned = [...sizes].reverse();
    const cells: Reading<CellTable> = {
      read: async (region) => readCellRows(await unpacked(region), turned, approaches, signal),
      rows: ({ count }) => count,
      richness: (table) => (table.approaches.some(({ key }) => key !== "unknown") ? 1 : 0),
    };
    const [readGenes, readCells] = [remembering(genes), remembering(cells)];
    checkPresent(files);
    for (const [geneRows, cellRows] of size === null ? [] : [sizes, turned]) {
      const ofGenes = await pick(files.genes, readGenes, geneRows ?? 0);
      const ofCells = ofGenes === null ? null : await pick(files.cells, readCells, cellRows ?? 0);
      if (ofGenes === null || ofCells === null) continue;
      const { region, table } = ofCells;
      const named = await withSymbols(ofGenes, files.genes, readGenes);
      return { genes: named, cells: table, cellRegion: region };
    }
    return readMisfits(files, size, readGenes, readCells);
  };
}

/** A file's name does not tell whether it is packed; its first bytes do. */
export async function unpacked(region: ByteRegion): Promise<ByteRegion> {
  return region.layers.includes("gzip") ? region : (await knowFile(region)).region;
}

/** Reads each table once. */
function remembering<Table>(reading: Reading<Table>): Reading<Table> {
  const known = new Map<ByteRegion, Promise<Table>>();
  return {
    ...reading,
    read(region) {
      const before = known.get(region);
      if (before !== undefined) return before;
      const made = reading.read(region);
      known.set(region, made);
      return made;
    },
  };
}

/** Of the likeliest class that has tables which fit, the richest, of equals the first; null where none fits. */
async function pick<Table>(
  { likely, possible }: TableChoice,
  { read, rows, richness }: Reading<Table>,
  wanted: number,
): Promise<ReadTable<Table> | null> {
  const isOnly = likely.flat().length + possible.flat().length === 1;
  for (const some of [...likely, ...possible]) {
    const fitting: ReadTable<Table>[] = [];
    for (const region of some) {
      const table = isOnly ? await read(region) : await readIfItCan(read, region);
      if (table !== null && rows(table) === wanted) fitting.push({ region, table });
    }
    if (fitting.length === 0) continue;
    return fitting.reduce((best, one) => (richness(one.table) > richness(best.table) ? one : best));
  }
  return null;
}

/** A table that cannot be read is none that fits, as long as there are others. */
async function readIfItCan<Table>(
  read: Reading<Table>["read"],
  region: ByteRegion,
): Promise<Table | null> {
  try {
    return await read(region);
  } catch (error) {
    if (error instanceof UnreadableMatrix) return null;
    throw error;
  }
}

/** Gives genes that have ids only the symbols of a table beside theirs with as many rows, such as kallisto's genes.names.txt. */
async function withSymbols(
  { region, table }: ReadTable<GeneRows>,
  { likely, possible }: TableChoice,
  { read }: Reading<GeneRows>,
): Promise<GeneRows> {
  // Names of one column that are no accession numbers may be ids all the same: then only a table that is called so has symbols.
  const isDoubtful = areSymbols(table.symbols);
  if (isDoubtful && hasIds(table)) return table;
  for (const other of [...likely, ...possible].flat()) {
    if (other === region || (isDoubtful && !SYMBOLS_NAME.test(other.name))) continue;
    const named = await readIfItCan(read, other);
    if (named?.ids.length !== table.ids.length || !areSymbols(named.symbols)) continue;
    return { ...table, symbols: named.symbols };
  }
  return table;
}

/** Tells whether ids are other than symbols. */
function hasIds({ ids, symbols }: GeneRows): boolean {
  return ids.some((id, gene) => id !== symbols[gene]);
}

function checkPresent(files: MtxFiles): void {
  const has = ({ likely, possible }: TableChoice): boolean => likely.length + possible.length > 0;
  if (!has(files.genes) || !has(files.cells)) throw missing(files, has);
}

function missing(files: MtxFiles, has: (choice: TableChoice) => boolean): UnreadableMatrix {
  const absent = [
    ...(has(files.genes) ? [] : ["gene table (genes.tsv, features.tsv or genes.csv)"]),
    ...(has(files.cells) ? [] : ["cell table (barcodes.tsv, cells.tsv or cells.csv)"]),
  ];
  return new UnreadableMatrix(
    "M_INCOMPLETE",
    `${showName(files.matrix.name)} has no ${absent.join(" and no ")} beside it, .gz or not`,
  );
}

/** Says what does not fit; where the matrix does not say its size, the likeliest tables are given, and reading it tells why. */
async function readMisfits(
  files: MtxFiles,
  size: MatrixSize | null,
  genes: Reading<GeneRows>,
  cells: Reading<CellTable>,
): Promise<MtxTables> {
  const { matrix } = files;
  const first = ({ likely, possible }: TableChoice): ByteRegion | undefined =>
    likely[0]?.[0] ?? (size === null ? possible[0]?.[0] : undefined);
  const [ofGenes, ofCells] = [first(files.genes), first(files.cells)];
  if (ofGenes === undefined || ofCells === undefined) {
    throw missing(files, (choice) => first(choice) !== undefined);
  }
  const read = { genes: await genes.read(ofGenes), cells: await cells.read(ofCells) };
  if (size === null) return { ...read, cellRegion: ofCells };
  const { rows, columns } = size;
  const [geneRows, cellRows] = [genes.rows(read.genes), cells.rows(read.cells)];
  const wrong = [
    ...(geneRows === rows
      ? []
      : [
          `${showName(ofGenes.name)} has ${number(geneRows)} genes, but the matrix ${number(rows)} rows`,
        ]),
    ...(cellRows === columns
      ? []
      : [
          `${showName(ofCells.name)} has ${number(cellRows)} cells, but the matrix ${number(columns)} columns`,
        ]),
  ];
  throw new UnreadableMatrix("M_TABLE", `${showName(matrix.name)}: ${wrong.join("; ")}`);
}
