// The eight figures of one group of a matrix: bounded, plain data with their words, or why one cannot be made.

import { HdashError } from "../../../error.ts";
import type { MatrixStatistics } from "../counting/statistics.ts";
import type { GroupEmbedding } from "../embed/embedding.ts";
import { genesOverCountsFigure, mitoOverCountsFigure, violinFigure } from "./cellQuality.ts";
import { markersFigure, pcaFigure, umapFigure } from "./embedded.ts";
import type { MatrixFigure } from "./figure.ts";
import { groupCells } from "./groupCells.ts";
import { highestGenesFigure } from "./highestGenes.ts";
import { variableGenesFigure } from "./variableGenes.ts";

/** Makes all eight figures of a group, in the order of FIGURE_NAMES; the same seed gives the same figures. */
export function makeFigures(
  statistics: MatrixStatistics,
  group: number,
  embedding: GroupEmbedding | null,
  options: { readonly seed: number },
): readonly MatrixFigure[] {
  const own = statistics.groups[group];
  if (own === undefined) {
    throw new HdashError(
      "permanent",
      `there is no group ${group} among the ${statistics.groups.length} of the matrix`,
    );
  }
  const { seed } = options;
  const cells = groupCells(statistics, group);
  const numbers = { cells: own.cells, emptyCells: own.emptyCells, seed };
  return [
    highestGenesFigure(statistics, own),
    violinFigure(cells, seed),
    genesOverCountsFigure(cells, seed),
    mitoOverCountsFigure(cells, seed),
    variableGenesFigure(statistics, own, embedding, seed),
    pcaFigure(embedding, numbers),
    umapFigure(embedding, numbers),
    markersFigure(embedding, numbers),
  ];
}
