// Rows of words under each other, for terminals and for those who cut lines up again.

import { oneLine } from "../format.ts";

/** Aligns rows of cells: numbers of columns that are named stand to the right. No line ends with blanks. */
export function columns(
  cells: readonly (readonly string[])[],
  right: readonly number[] = [],
): readonly string[] {
  // A name from outside must not begin a row of its own.
  const rows = cells.map((row) => row.map(oneLine));
  const widths: number[] = [];
  for (const row of rows) {
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  }
  return rows.map((row) =>
    row
      .map((cell, at) => {
        const width = widths[at] ?? 0;
        return right.includes(at) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd(),
  );
}
