// What is remembered of tables that were read: enough to tell which matrices they fit, however many matrices are asked about.

import { UnreadableMatrix } from "../problem.ts";
import { decideHeader, type LinedTable, type TableLines } from "./headerRow.ts";
import type { ByteRegion } from "./region.ts";

/** How tables of a role are read and judged. */
export interface Reading<Table, Merits> {
  /** `sizes` are what the matrix says of its rows and columns, the one that should fit first; [] where it says nothing. */
  read(region: ByteRegion, sizes: readonly number[]): Promise<LinedTable<Table>>;
  /** What a table says of what its like may leave out. */
  judge(table: Table): Merits;
}

/** What is known of a table. */
export interface SeenTable<Merits> {
  /** Whether its first row stands above columns; it is none of the rows then. */
  readonly hasHeader: boolean;
  readonly rows: number;
  readonly merits: Merits;
}

/** Tables that are read when they are first asked for. */
export interface TableMemory<Table, Merits> {
  /** Reads a table, if it is not one of the last. */
  read(region: ByteRegion, sizes: readonly number[]): Promise<Table>;
  /** Tells what a table is like, which is read only the first time; null where it cannot be read. */
  look(region: ByteRegion, sizes: readonly number[]): Promise<SeenTable<Merits> | null>;
  /** Tells the same without reading; undefined where that is not known. */
  recall(region: ByteRegion, sizes: readonly number[]): SeenTable<Merits> | null | undefined;
}

interface Known<Merits> {
  readonly lines: TableLines;
  /** By whether the first row is taken for a header. */
  readonly merits: Map<boolean, Merits>;
}

/** Tables of 30,000 genes take some megabytes each: samples often share one, and the symbols of another. */
const MOST_HELD = 2;

/** Makes a memory of tables: a few numbers of each, and the last of them whole. */
export function makeTableMemory<Table, Merits>({
  read: readTable,
  judge,
}: Reading<Table, Merits>): TableMemory<Table, Merits> {
  // Null is one that cannot be read.
  const known = new Map<ByteRegion, Known<Merits> | null>();
  let held: readonly {
    readonly region: ByteRegion;
    readonly isHeader: boolean;
    readonly table: Table;
  }[] = [];

  const isHeaderOf = ({ rows, look }: TableLines, sizes: readonly number[]): boolean =>
    decideHeader(rows, sizes, look);

  async function read(region: ByteRegion, sizes: readonly number[]): Promise<Table> {
    const before = known.get(region);
    if (before) {
      const isHeader = isHeaderOf(before.lines, sizes);
      const same = held.find((one) => one.region === region && one.isHeader === isHeader);
      if (same !== undefined) {
        held = [...held.filter((one) => one !== same), same];
        return same.table;
      }
    }
    const { table, lines } = await readTable(region, sizes);
    const isHeader = isHeaderOf(lines, sizes);
    const own = before ?? { lines, merits: new Map<boolean, Merits>() };
    known.set(region, own);
    if (!own.merits.has(isHeader)) own.merits.set(isHeader, judge(table));
    held = [...held, { region, isHeader, table }].slice(-MOST_HELD);
    return table;
  }

  function recall(
    region: ByteRegion,
    sizes: readonly number[],
  ): SeenTable<Merits> | null | undefined {
    const before = known.get(region);
    if (!before) return before;
    const hasHeader = isHeaderOf(before.lines, sizes);
    const merits = before.merits.get(hasHeader);
    if (merits === undefined) return undefined;
    return { hasHeader, rows: before.lines.rows - (hasHeader ? 1 : 0), merits };
  }

  return {
    read,
    recall,
    async look(region, sizes) {
      const before = recall(region, sizes);
      if (before !== undefined) return before;
      try {
        await read(region, sizes);
      } catch (error) {
        if (!(error instanceof UnreadableMatrix)) throw error;
        known.set(region, null);
      }
      return recall(region, sizes) ?? null;
    },
  };
}
