// The genes that take the largest share of a cell's counts, as box plots.

import { count, list } from "../../../format.ts";
import type { GroupStatistics, MatrixStatistics } from "../counting/statistics.ts";
import type { GeneSort, MadeFigure, MissingFigure } from "./figure.ts";
import { precise } from "./span.ts";
import { cellsOf, geneName, pct } from "./words.ts";

const NAME = "highest_expr_genes";
const TITLE = "Highest expressed genes";
/** Proteins of the large and small ribosomal subunit, in human's and mouse's spelling; no kinases (RPS6KA1) and no pseudogenes. */
const RIBOSOMAL = /^(?:RP[LS]|Rp[ls]|RPLP|Rplp)(?:A|a|\d+[AaLlXxYyP]?\d?)(?:-\d+)?$/;

/** Makes the box plots of the genes with the highest mean share of a cell's counts. */
export function highestGenesFigure(
  statistics: MatrixStatistics,
  group: GroupStatistics,
): MadeFigure | MissingFigure {
  const top = group.topGenes;
  const first = top[0];
  if (first === undefined) {
    return { name: NAME, title: TITLE, reason: "No gene has any counts." };
  }
  const rows = top.map(({ index, symbol, meanPct, box }) => ({
    symbol,
    sort: sortOf(symbol, statistics.genes.isMito[index] === 1),
    mean: precise(meanPct),
    q1: precise(box.q1),
    median: precise(box.median),
    q3: precise(box.q3),
    whiskerLow: precise(box.whiskerLow),
    whiskerHigh: precise(box.whiskerHigh),
    outliers: box.outliers.map(precise),
  }));
  const withCounts = group.cells - group.emptyCells;
  const outliers = top.reduce((sum, { box }) => sum + box.outlierCount, 0);
  const drawn = rows.reduce((sum, row) => sum + row.outliers.length, 0);
  const points =
    outliers > drawn
      ? "Points are cells further out: the most extreme and an even choice of the others."
      : "Points are cells further out.";
  const last = top.at(-1) ?? first;
  const mitochondrial = rows.filter((row) => row.sort === "mitochondrial").length;
  const ribosomal = rows.filter((row) => row.sort === "ribosomal").length;
  const kinds = [
    ...(mitochondrial > 0 ? [`${mitochondrial} mitochondrial`] : []),
    ...(ribosomal > 0 ? [`${ribosomal} ribosomal`] : []),
  ];
  return {
    name: NAME,
    title: TITLE,
    caption:
      `${cellsOf(withCounts, group.cells)}; the ${count(top.length, "gene")} with the highest mean share of a cell’s counts, highest first. ` +
      `Boxes span the quartiles with the median as a line, whiskers reach to the last cell within 1.5 times the interquartile range, diamonds are means. ${points}`,
    alt:
      `Box plots of the ${count(top.length, "gene")} with the highest mean share of a cell’s counts. ` +
      `${list(top.slice(0, 3).map((gene) => `${geneName(gene.symbol)} (mean ${pct(gene.meanPct)}, median ${pct(gene.box.median)})`))} ${top.length === 1 ? "is" : "are"} highest` +
      (top.length > 3
        ? `; ${geneName(last.symbol)} comes last with a mean of ${pct(last.meanPct)}.`
        : ".") +
      (kinds.length > 0
        ? ` Among them ${mitochondrial + ribosomal === 1 ? "is" : "are"} ${list(kinds)} ${(ribosomal || mitochondrial) === 1 ? "gene" : "genes"}.`
        : ""),
    data: { kind: "boxes", axisTitle: "Share of a cell’s counts (%)", rows },
    reason: null,
  };
}

function sortOf(symbol: string, isMito: boolean): GeneSort {
  if (isMito) return "mitochondrial";
  return RIBOSOMAL.test(symbol) ? "ribosomal" : "other";
}
