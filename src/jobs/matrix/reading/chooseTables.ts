// The tables of a matrix: of several that may be its, the richest that fits its size is taken.

import { number } from "../../../format.ts";
import type { CellTable } from "../matrix.ts";
import { UnreadableMatrix } from "../problem.ts";
import type { CellNames } from "./barcodes.ts";
import { showName } from "./boundedRegion.ts";
import { readCellRows } from "./cellRows.ts";
import { unpacked } from "./fileKinds.ts";
import type { MtxFiles } from "./findMatrices.ts";
import { areSymbols } from "./geneColumns.ts";
import { type GeneRows, readGeneRows } from "./geneRows.ts";
import type { MatrixSize } from "./matrixSize.ts";
import type { ByteRegion } from "./region.ts";
import { makeTableMemory, type TableMemory } from "./tableMemory.ts";
import type { TableChoice } from "./tableNames.ts";

/** A matrix's tables as they were read. */
export interface MtxTables extends CellNames {
  readonly genes: GeneRows;
  readonly cells: CellTable;
}

/** Reads the tables of one matrix after the other. */
export type TableReader = (files: MtxFiles, size: MatrixSize | null) => Promise<MtxTables>;

/** How tables are read; tests count it. */
export interface TableReadings {
  readonly genes: typeof readGeneRows;
  readonly cells: typeof readCellRows;
}

/** A table that was read. */
interface ReadTable<Table, Merits> {
  readonly region: ByteRegion;
  readonly table: Table;
  readonly merits: Merits;
}

/** The tables of one role, for one matrix. */
interface RoleTables<Table, Merits> {
  readonly memory: TableMemory<Table, Merits>;
  readonly sizes: readonly number[];
  /** How much a table says of what its like may leave out. */
  readonly richness: (merits: Merits) => number;
}

/** Whether a gene table has symbols, and ids that are other than its symbols. */
interface GeneMerits {
  readonly hasSymbols: boolean;
  readonly hasIds: boolean;
}

type GeneTables = RoleTables<GeneRows, GeneMerits>;
/** Of cells: whether it names an approach. */
type CellTables = RoleTables<CellTable, boolean>;

const SYMBOLS_NAME = /(names?|symbols?)\.[a-z]+(\.gz)?$/i;

/** Makes a reader of tables for the matrices of one file or folder, which reads each table a few times at most. */
export function makeTableReader(
  approaches: readonly string[],
  signal: AbortSignal,
  { genes: readGenes, cells: readCells }: TableReadings = {
    genes: readGeneRows,
    cells: readCellRows,
  },
): TableReader {
  const geneMemory = makeTableMemory<GeneRows, GeneMerits>({
    read: async (region, sizes) => readGenes(await unpacked(region), sizes, signal),
    judge: (table) => ({ hasSymbols: areSymbols(table.symbols), hasIds: hasIds(table) }),
  });
  const cellMemory = makeTableMemory<CellTable, boolean>({
    read: async (region, sizes) => readCells(await unpacked(region), sizes, approaches, signal),
    judge: (table) => table.approaches.some(({ key }) => key !== "unknown"),
  });
  return async (files, size) => {
    // Which dimension a table has to fit is known only where the matrix does not lie on its side; the usual one comes first.
    const sizes = size === null ? [] : [size.rows, size.columns];
    const turned = [...sizes].reverse();
    const genes: GeneTables = {
      memory: geneMemory,
      sizes,
      richness: (merits) => (merits.hasSymbols ? (merits.hasIds ? 2 : 1) : 0),
    };
    const cells: CellTables = { memory: cellMemory, sizes: turned, richness: Number };
    checkPresent(files);
    for (const [geneRows, cellRows] of size === null ? [] : [sizes, turned]) {
      const ofGenes = await pick(files.genes, genes, geneRows ?? 0);
      const ofCells = ofGenes === null ? null : await pick(files.cells, cells, cellRows ?? 0);
      if (ofGenes === null || ofCells === null) continue;
      const named = await withSymbols(ofGenes, files.genes, genes);
      return { genes: named, ...cellTable(ofCells.region, ofCells.table, cells) };
    }
    return readMisfits(files, size, genes, cells);
  };
}

function cellTable(
  region: ByteRegion,
  cells: CellTable,
  { memory, sizes }: CellTables,
): Omit<MtxTables, "genes"> {
  const hasCellHeader = memory.recall(region, sizes)?.hasHeader ?? false;
  return { cells, cellRegion: region, hasCellHeader };
}

/** Of the likeliest class that has tables which fit, the richest, of equals the first; null where none fits. */
async function pick<Table, Merits>(
  { likely, possible }: TableChoice,
  { memory, sizes, richness }: RoleTables<Table, Merits>,
  wanted: number,
): Promise<ReadTable<Table, Merits> | null> {
  const isOnly = likely.flat().length + possible.flat().length === 1;
  for (const some of [...likely, ...possible]) {
    let best: { readonly region: ByteRegion; readonly merits: Merits } | null = null;
    for (const region of some) {
      const known = memory.recall(region, sizes);
      // A table that cannot be read is none that fits, as long as there are others.
      if (isOnly && !known) await memory.read(region, sizes);
      // Of many tables most are known: waiting for each of them, for each of many matrices, would take longer than reading them.
      const seen = known === undefined ? await memory.look(region, sizes) : known;
      if (seen?.rows !== wanted) continue;
      if (best !== null && richness(seen.merits) <= richness(best.merits)) continue;
      best = { region, merits: seen.merits };
    }
    if (best !== null) return { ...best, table: await memory.read(best.region, sizes) };
  }
  return null;
}

/** Gives genes that have ids only the symbols of a table beside theirs with as many rows, such as kallisto's genes.names.txt. */
async function withSymbols(
  { region, table, merits }: ReadTable<GeneRows, GeneMerits>,
  { likely, possible }: TableChoice,
  { memory, sizes }: GeneTables,
): Promise<GeneRows> {
  // Names of one column that are no accession numbers may be ids all the same: then only a table that is called so has symbols.
  const isDoubtful = merits.hasSymbols;
  if (isDoubtful && merits.hasIds) return table;
  for (const other of [...likely, ...possible].flat()) {
    if (other === region || (isDoubtful && !SYMBOLS_NAME.test(other.name))) continue;
    const known = memory.recall(other, sizes);
    const seen = known === undefined ? await memory.look(other, sizes) : known;
    if (seen?.rows !== table.ids.length || !seen.merits.hasSymbols) continue;
    const { symbols } = await memory.read(other, sizes);
    return { ...table, symbols };
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
  genes: GeneTables,
  cells: CellTables,
): Promise<MtxTables> {
  const { matrix } = files;
  const first = ({ likely, possible }: TableChoice): ByteRegion | undefined =>
    likely[0]?.[0] ?? (size === null ? possible[0]?.[0] : undefined);
  const [ofGenes, ofCells] = [first(files.genes), first(files.cells)];
  if (ofGenes === undefined || ofCells === undefined) {
    throw missing(files, (choice) => first(choice) !== undefined);
  }
  const read = {
    genes: await genes.memory.read(ofGenes, genes.sizes),
    cells: await cells.memory.read(ofCells, cells.sizes),
  };
  if (size === null) return { genes: read.genes, ...cellTable(ofCells, read.cells, cells) };
  const { rows, columns } = size;
  const [geneRows, cellRows] = [read.genes.ids.length, read.cells.count];
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
