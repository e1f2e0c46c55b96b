// Highly variable genes, as scanpy 1.4 finds them (flavour "seurat"): dispersion against that of genes with a similar mean.

/** What is found of each gene; see GeneVectors. */
export interface VariableGenes {
  readonly logMean: Float64Array;
  readonly dispersion: Float64Array;
  readonly dispersionNorm: Float32Array;
  readonly isVariable: Uint8Array;
}

const BINS = 20;
/** scanpy's own defaults of the reference pipeline. */
const LEAST_MEAN = 0.05;
const MOST_MEAN = 30;
const LEAST_DISPERSION = 1.9;

/** Finds the variable genes from the means and sample variances of normalised counts. */
export function findVariableGenes(means: Float64Array, variances: Float64Array): VariableGenes {
  const genes = means.length;
  const logMean = new Float64Array(genes);
  const dispersion = new Float64Array(genes);
  for (let gene = 0; gene < genes; gene++) {
    const given = means[gene] ?? 0;
    const mean = given === 0 ? 1e-12 : given;
    const ratio = (variances[gene] ?? 0) / mean;
    dispersion[gene] = ratio === 0 ? NaN : Math.log(ratio);
    logMean[gene] = Math.log1p(mean);
  }
  const bins = binsOf(logMean);
  const sizes = new Float64Array(BINS);
  const centres = new Float64Array(BINS);
  const spreads = new Float64Array(BINS);
  eachKnown(dispersion, bins, (value, bin) => {
    sizes[bin] = (sizes[bin] ?? 0) + 1;
    centres[bin] = (centres[bin] ?? 0) + value;
  });
  for (let bin = 0; bin < BINS; bin++) centres[bin] = (centres[bin] ?? 0) / (sizes[bin] ?? 0);
  eachKnown(dispersion, bins, (value, bin) => {
    spreads[bin] = (spreads[bin] ?? 0) + (value - (centres[bin] ?? 0)) ** 2;
  });
  for (let bin = 0; bin < BINS; bin++) {
    const size = sizes[bin] ?? 0;
    if (size > 1) {
      spreads[bin] = Math.sqrt((spreads[bin] ?? 0) / (size - 1));
    } else {
      // A gene alone in its bin has no spread: scanpy takes its dispersion for it, so that the score is 1.
      spreads[bin] = centres[bin] ?? 0;
      centres[bin] = 0;
    }
  }
  const dispersionNorm = new Float32Array(genes);
  const isVariable = new Uint8Array(genes);
  for (let gene = 0; gene < genes; gene++) {
    const bin = bins[gene] ?? 0;
    const score = Math.fround(
      ((dispersion[gene] ?? 0) - (centres[bin] ?? 0)) / (spreads[bin] ?? 0),
    );
    const known = Number.isNaN(score) ? 0 : score;
    const mean = logMean[gene] ?? 0;
    dispersionNorm[gene] = known;
    isVariable[gene] = mean > LEAST_MEAN && mean < MOST_MEAN && known > LEAST_DISPERSION ? 1 : 0;
  }
  return { logMean, dispersion, dispersionNorm, isVariable };
}

function eachKnown(
  values: Float64Array,
  bins: Uint8Array,
  use: (value: number, bin: number) => void,
): void {
  for (let at = 0; at < values.length; at++) {
    const value = values[at] ?? NaN;
    if (!Number.isNaN(value)) use(value, bins[at] ?? 0);
  }
}

/** Sorts into bins as pandas.cut does: of equal width, closed on the right, the first a little wider on the left. */
function binsOf(values: Float64Array): Uint8Array {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const widened = low === high;
  if (widened) {
    const by = low === 0 ? 0.001 : 0.001 * Math.abs(low);
    low -= by;
    high += by;
  }
  const step = (high - low) / BINS;
  const edges = Float64Array.from({ length: BINS + 1 }, (_, at) => at * step + low);
  edges[BINS] = high;
  if (!widened) edges[0] = low - (high - low) * 0.001;
  const bins = new Uint8Array(values.length);
  for (let at = 0; at < values.length; at++) {
    const value = values[at] ?? 0;
    let bin = 0;
    while (bin < BINS - 1 && value > (edges[bin + 1] ?? 0)) bin++;
    bins[at] = bin;
  }
  return bins;
}
