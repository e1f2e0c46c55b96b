// What is worked out of readings: plain functions, so that a test needs nothing but numbers.

export interface Summary {
  readonly count: number;
  readonly mean: number;
  /** Of a sample: divided by one less than there are. */
  readonly deviation: number;
  /** Readings above the highest that the instrument can give. */
  readonly leftOut: number;
}

/** Reads the numbers of a text, one in each line; lines that are empty or begin with # are passed over. */
export function readNumbers(text: string): number[] {
  const lines = text.split("\n").map((line) => line.trim());
  return lines
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const value = Number(line);
      if (!Number.isFinite(value)) throw new Error(`${JSON.stringify(line)} is no reading`);
      return value;
    });
}

/** Summarizes readings without those that are too high to be true. */
export function summarize(readings: readonly number[], highest: number): Summary {
  const kept = readings.filter((one) => one <= highest);
  if (kept.length < 2) throw new Error(`${kept.length} of ${readings.length} readings are too few`);
  const mean = kept.reduce((sum, one) => sum + one, 0) / kept.length;
  const squares = kept.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / (kept.length - 1));
  return { count: kept.length, mean, deviation, leftOut: readings.length - kept.length };
}

/** Writes a row for each sample, sorted by treatment and name. */
export function reportOf(
  samples: readonly {
    readonly sample: string;
    readonly treatment: string;
    readonly summary: Summary;
  }[],
): string {
  const rows = samples.map(({ sample, treatment, summary }) => [
    ...[treatment, sample, summary.count, summary.mean.toFixed(3), summary.deviation.toFixed(3)],
    summary.leftOut,
  ]);
  const sorted = rows.map((row) => row.join("\t")).sort();
  return [
    ["treatment", "sample", "count", "mean", "deviation", "left out"].join("\t"),
    ...sorted,
    "",
  ].join("\n");
}
