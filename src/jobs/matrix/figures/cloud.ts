// Very many cells as a bounded number of marks: those too close to be told apart become one, and those that stand alone stay.

/** The most marks of a scatter plot: a file of some hundred kilobytes, and more than a panel has room for side by side. */
export const MOST_MARKS = 20_000;
/** Bins along an axis, finest first: the first that gives few enough marks is taken. 640 is below a pixel of the largest panel. */
const FINENESS = [640, 480, 360, 270, 200, 150, 110, 80] as const;
/** Bins along an axis of the density that colours marks. */
const DENSITY_BINS = 96;
/** Over how many bins a density is smoothed: Scott's rule for two dimensions at a usual spread, and not below what hides the bins. */
const LEAST_SIGMA = 1.3;
const SIGMA_OF_ONE = 8;

/** Places 0-1 on both axes, with what marks carry. */
export interface Cloud {
  readonly u: Float64Array;
  readonly v: Float64Array;
  /** Averaged where places become one. */
  readonly value: Float64Array | null;
  /** The most frequent is taken where places become one; below 65,536. */
  readonly group: Uint16Array | null;
}

/** Merges places that lie in one bin, until there are at most `most`; few enough places stay as they are. */
export function mergeCloud(cloud: Cloud, most = MOST_MARKS): Cloud {
  if (cloud.u.length <= most) return cloud;
  for (const bins of FINENESS) {
    const { binOf, occupied } = binPlaces(cloud, bins);
    if (occupied <= most || bins === FINENESS.at(-1)) return mergeBins(cloud, binOf, bins);
  }
  return cloud;
}

function binPlaces(
  cloud: Cloud,
  bins: number,
): { readonly binOf: Uint32Array; readonly occupied: number } {
  const binOf = new Uint32Array(cloud.u.length);
  const seen = new Uint8Array(bins * bins);
  let occupied = 0;
  for (let index = 0; index < binOf.length; index++) {
    const bin = binAt(cloud.v[index] ?? 0, bins) * bins + binAt(cloud.u[index] ?? 0, bins);
    binOf[index] = bin;
    if (seen[bin] === 0) {
      seen[bin] = 1;
      occupied++;
    }
  }
  return { binOf, occupied };
}

function binAt(part: number, bins: number): number {
  return Math.min(Math.max(Math.floor(part * bins), 0), bins - 1);
}

/** Merges in the order of first appearance, which keeps a shuffled order shuffled. */
function mergeBins(cloud: Cloud, binOf: Uint32Array, bins: number): Cloud {
  const markOf = new Int32Array(bins * bins).fill(-1);
  let marks = 0;
  for (const bin of binOf) {
    if (markOf[bin] === -1) markOf[bin] = marks++;
  }
  const cells = new Float64Array(marks);
  const u = new Float64Array(marks);
  const v = new Float64Array(marks);
  const value = cloud.value === null ? null : new Float64Array(marks);
  for (let index = 0; index < binOf.length; index++) {
    const mark = markOf[binOf[index] ?? 0] ?? 0;
    cells[mark] = (cells[mark] ?? 0) + 1;
    u[mark] = (u[mark] ?? 0) + (cloud.u[index] ?? 0);
    v[mark] = (v[mark] ?? 0) + (cloud.v[index] ?? 0);
    if (value !== null) value[mark] = (value[mark] ?? 0) + (cloud.value?.[index] ?? 0);
  }
  for (const sums of [u, v, value]) {
    sums?.forEach((sum, mark) => (sums[mark] = sum / (cells[mark] ?? 1)));
  }
  const group = cloud.group === null ? null : majority(cloud.group, binOf, markOf, marks);
  return { u, v, value, group };
}

function majority(
  group: Uint16Array,
  binOf: Uint32Array,
  markOf: Int32Array,
  marks: number,
): Uint16Array {
  const votes = new Map<number, number>();
  const best = new Uint16Array(marks);
  const bestVotes = new Uint32Array(marks);
  for (let index = 0; index < binOf.length; index++) {
    const mark = markOf[binOf[index] ?? 0] ?? 0;
    const own = group[index] ?? 0;
    const key = mark * 65_536 + own;
    const count = (votes.get(key) ?? 0) + 1;
    votes.set(key, count);
    const lead = bestVotes[mark] ?? 0;
    if (count > lead || (count === lead && own < (best[mark] ?? 0))) {
      best[mark] = own;
      bestVotes[mark] = count;
    }
  }
  return best;
}

/**
 * Makes a function that says how densely places lie around one: 0-1 of the densest, on a logarithmic scale, so that the many cells
 * of a peak do not hide that there are some elsewhere.
 */
export function densityOf(cloud: Cloud): (u: number, v: number) => number {
  const bins = DENSITY_BINS;
  const counts = new Float64Array(bins * bins);
  for (let index = 0; index < cloud.u.length; index++) {
    const bin = binAt(cloud.v[index] ?? 0, bins) * bins + binAt(cloud.u[index] ?? 0, bins);
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  const kernel = makeKernel(
    Math.max(SIGMA_OF_ONE * Math.max(cloud.u.length, 1) ** (-1 / 6), LEAST_SIGMA),
  );
  const smooth = blur(blur(counts, bins, 1, bins, kernel), bins, bins, 1, kernel);
  // What a place alone comes to is the least: nought on the scale.
  const alone = (kernel[0] ?? 1) ** 2;
  let most = alone;
  for (const density of smooth) if (density > most) most = density;
  const height = Math.log(most / alone);
  const at = (column: number, row: number): number =>
    smooth[Math.min(Math.max(row, 0), bins - 1) * bins + Math.min(Math.max(column, 0), bins - 1)] ??
    0;
  return (u, v) => {
    if (height === 0) return 0;
    const x = u * bins - 0.5;
    const y = v * bins - 0.5;
    const column = Math.floor(x);
    const row = Math.floor(y);
    const right = x - column;
    const down = y - row;
    const density =
      (at(column, row) * (1 - right) + at(column + 1, row) * right) * (1 - down) +
      (at(column, row + 1) * (1 - right) + at(column + 1, row + 1) * right) * down;
    return Math.min(Math.max(Math.log(Math.max(density, alone) / alone) / height, 0), 1);
  };
}

function makeKernel(sigma: number): readonly number[] {
  const length = Math.ceil(3 * sigma) + 1;
  const raw = Array.from({ length }, (_, at) => Math.exp(-(at ** 2) / (2 * sigma ** 2)));
  const sum = raw.reduce((total, weight, at) => total + (at === 0 ? weight : 2 * weight), 0);
  return raw.map((weight) => weight / sum);
}

/** Smooths along one direction: `step` is the distance of neighbours in it, `line` that of the lines across. */
function blur(
  counts: Float64Array,
  bins: number,
  step: number,
  line: number,
  kernel: readonly number[],
): Float64Array {
  const smooth = new Float64Array(counts.length);
  for (let row = 0; row < bins; row++) {
    for (let at = 0; at < bins; at++) {
      const count = counts[row * line + at * step] ?? 0;
      if (count === 0) continue;
      for (let shift = 1 - kernel.length; shift < kernel.length; shift++) {
        const target = at + shift;
        if (target < 0 || target >= bins) continue;
        const index = row * line + target * step;
        smooth[index] = (smooth[index] ?? 0) + count * (kernel[Math.abs(shift)] ?? 0);
      }
    }
  }
  return smooth;
}
