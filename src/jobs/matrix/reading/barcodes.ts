// The names of a matrix's cells, which are read only where matrices are compared or joined: there may be millions of them.

import { readTable } from "./delimitedTable.ts";
import { unpacked } from "./fileKinds.ts";
import { kindOf, SAMPLE_ROWS } from "./geneColumns.ts";
import type { ByteRegion } from "./region.ts";

/** Where a matrix's cells have their names. */
export interface CellNames {
  readonly cellRegion: ByteRegion;
  /** Whether the table's first row stands above columns. */
  readonly hasCellHeader: boolean;
}

/** Gives the name of each cell in turn: the first column of its table, or the second where the first numbers rows. */
export async function eachBarcode(
  { cellRegion, hasCellHeader }: CellNames,
  signal: AbortSignal,
  onBarcode: (barcode: string) => void,
): Promise<void> {
  let column: 0 | 1 | null = null;
  // The first rows wait until they have told which column it is.
  let waiting: (readonly [first: string, second: string])[] = [];
  const decide = (): void => {
    const isNumbered = kindOf(waiting.map(([first]) => first)) === "row numbers";
    const chosen = isNumbered && waiting.some(([, second]) => second !== "") ? 1 : 0;
    for (const fields of waiting) onBarcode(fields[chosen]);
    waiting = [];
    column = chosen;
  };
  await readTable(await unpacked(cellRegion), signal, (row, index) => {
    if (hasCellHeader && index === 0) return;
    if (column !== null) {
      onBarcode(row.field(column));
      return;
    }
    waiting.push([row.field(0), row.field(1)]);
    if (waiting.length === SAMPLE_ROWS) decide();
  });
  if (column === null) decide();
}

/** Reads the names of all cells. */
export async function readBarcodes(
  names: CellNames,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const barcodes: string[] = [];
  await eachBarcode(names, signal, (barcode) => void barcodes.push(barcode));
  return barcodes;
}
