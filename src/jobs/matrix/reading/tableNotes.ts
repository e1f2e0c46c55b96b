// What is worth knowing about a matrix's genes and cells before any count is read.

import { count, wholePercent } from "../../../format.ts";
import { isFolded, isUsualApproach, MOST_APPROACHES } from "../approach.ts";
import type { Approach, CellTable, GeneTable, MatrixNote } from "../matrix.ts";

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
      message:
        "no gene symbol starts with MT- or mt-, or is the Ensembl id of a mitochondrial gene of human or mouse: there is no share of mitochondrial counts",
    },
  ];
}

function stateOf(approach: Approach): string {
  if (isFolded(approach)) {
    return `not told apart: ${approach.label}; no more than ${MOST_APPROACHES} approaches have figures of their own`;
  }
  return approach.label === "not stated" ? "not stated" : `not known: ${approach.label}`;
}

/** Notes about approaches that are not known, or not among those that portals expect. */
export function noteApproaches(cells: CellTable): readonly MatrixNote[] {
  const counts = cells.approaches.map(() => 0);
  if (cells.approachOf === null) counts[0] = cells.count;
  else for (const index of cells.approachOf) counts[index] = (counts[index] ?? 0) + 1;
  const odd = cells.approaches.flatMap((approach, index) =>
    isUsualApproach(approach) ? [] : [{ approach, cells: counts[index] ?? 0 }],
  );
  // First, so that a long list does not hide it.
  odd.sort((a, b) => Number(isFolded(b.approach)) - Number(isFolded(a.approach)));
  const notes: MatrixNote[] = odd.slice(0, MOST_NAMED).map(({ approach, cells: own }) => ({
    rule: "M_APPROACH",
    severity: "warning",
    message:
      approach.key === "unknown"
        ? `the library construction approach of ${count(own, "cell")} is ${stateOf(approach)}`
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

/** Says that most values were rounded, and what that may mean; null where most are whole. `values` are all that are not 0. */
export function mostlyRounded(whose: string, rounded: number, values: number): string | null {
  // Estimated counts are whole for the most part; normalised values hardly ever.
  const share = wholePercent(rounded, Math.max(rounded, values));
  if (rounded * 2 <= values) return null;
  return `${whose}: ${share} of the values are not whole: these may be normalised values rather than counts (${count(rounded, "value")} rounded to the nearest whole count)`;
}
