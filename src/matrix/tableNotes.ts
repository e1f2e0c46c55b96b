// What is worth knowing about a matrix's genes and cells before any count is read.

import { count } from "../format.ts";
import { isUsualApproach } from "./approach.ts";
import type { CellTable, GeneTable, MatrixNote } from "./matrix.ts";

/** More approaches than this are one line of a list nobody reads. */
const MOST_NAMED = 10;

/** Notes about symbols that occur twice; `given` are the symbols before they were made unique. */
export function noteSymbols(genes: GeneTable, given: readonly string[]): readonly MatrixNote[] {
  let changed = 0;
  let example = "";
  genes.symbols.forEach((symbol, index) => {
    const before = given[index];
    if (before === undefined || before === symbol) return;
    if (changed++ === 0) example = `the second ${before} is now ${symbol}`;
  });
  if (changed === 0) return [];
  return [
    {
      rule: "M_SYMBOLS",
      severity: "info",
      message: `${count(changed, "gene")} ${changed === 1 ? "has a symbol" : "have symbols"} that occurred before and ${changed === 1 ? "was" : "were"} renamed, e.g. ${example}`,
    },
  ];
}

/** Notes that there are no mitochondrial genes. */
export function noteMito({ isMito, symbols }: GeneTable): readonly MatrixNote[] {
  if (symbols.length === 0 || isMito.includes(1)) return [];
  return [
    {
      rule: "M_NO_MITO",
      severity: "info",
      message: "no gene symbol starts with MT- or mt-: there is no share of mitochondrial counts",
    },
  ];
}

/** Notes about approaches that are not known, or not among those that portals expect. */
export function noteApproaches(cells: CellTable): readonly MatrixNote[] {
  const counts = cells.approaches.map(() => 0);
  if (cells.approachOf === null) counts[0] = cells.count;
  else for (const index of cells.approachOf) counts[index] = (counts[index] ?? 0) + 1;
  const odd = cells.approaches.flatMap((approach, index) =>
    isUsualApproach(approach) ? [] : [{ approach, cells: counts[index] ?? 0 }],
  );
  const notes: MatrixNote[] = odd.slice(0, MOST_NAMED).map(({ approach, cells: own }) => ({
    rule: "M_APPROACH",
    severity: "warning",
    message:
      approach.key === "unknown"
        ? `the library construction approach of ${count(own, "cell")} is ${approach.label === "not stated" ? "not stated" : `not known: ${approach.label}`}`
        : `the library construction approach ${approach.label} of ${count(own, "cell")} is not among the usual ones (10X, SS2); its figures lie under ${approach.key}`,
  }));
  if (odd.length > MOST_NAMED) {
    const rest = odd.slice(MOST_NAMED);
    notes.push({
      rule: "M_APPROACH",
      severity: "warning",
      message: `${count(rest.length, "more approach", "more approaches")} of ${count(
        rest.reduce((sum, one) => sum + one.cells, 0),
        "cell",
      )} are not among the usual ones either`,
    });
  }
  return notes;
}
