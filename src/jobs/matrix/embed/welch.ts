// Welch's t of every gene, one cluster against the other cells, from sums and sums of squares; scanpy's conventions.

/** Sums over cells, one value for each gene. */
export interface GeneSums {
  readonly cells: number;
  readonly sums: Float64Array;
  readonly squares: Float64Array;
}

/** What rounding leaves of a variance that is 0, as a share of the mean square. */
const ROUNDING = 1e-13;

/** Computes Welch's t per gene, `group` against `rest`, variances with n − 1; 0 where neither varies (as scanpy has it). Both need two cells. */
export function welchScores(group: GeneSums, rest: GeneSums): Float64Array {
  return group.sums.map((sum, gene) => {
    const difference = sum / group.cells - rest.sums[gene]! / rest.cells;
    const error = squaredError(group, gene) + squaredError(rest, gene);
    return error > 0 ? difference / Math.sqrt(error) : 0;
  });
}

/** Variance over the number of cells. */
function squaredError({ cells, sums, squares }: GeneSums, gene: number): number {
  const square = squares[gene]!;
  const spread = square - (sums[gene]! * sums[gene]!) / cells;
  return spread > ROUNDING * square ? spread / (cells - 1) / cells : 0;
}

/** Adds up what several sets of cells have. */
export function addSums(parts: readonly GeneSums[], genes: number): GeneSums {
  const sums = new Float64Array(genes);
  const squares = new Float64Array(genes);
  for (const part of parts) {
    for (let gene = 0; gene < genes; gene++) {
      sums[gene]! += part.sums[gene]!;
      squares[gene]! += part.squares[gene]!;
    }
  }
  return { cells: parts.reduce((cells, part) => cells + part.cells, 0), sums, squares };
}

/** Names the `count` genes with the highest scores among those with a value in `all`; ties by gene order. */
export function topGenes(
  scores: Float64Array,
  all: GeneSums,
  count: number,
): readonly { readonly index: number; readonly score: number }[] {
  const top: { readonly index: number; readonly score: number }[] = [];
  for (let index = 0; index < scores.length; index++) {
    const score = scores[index]!;
    if (all.sums[index] === 0) continue;
    if (top.length === count && score <= top[count - 1]!.score) continue;
    let place = top.length;
    while (place > 0 && top[place - 1]!.score < score) place--;
    top.splice(place, 0, { index, score });
    if (top.length > count) top.pop();
  }
  return top;
}
