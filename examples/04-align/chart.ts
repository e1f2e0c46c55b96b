// Draws how deep reads lie along the reference: a line for each sample.

export interface Depths {
  readonly sample: string;
  /** Mean depth of window after window of the reference. */
  readonly means: readonly number[];
}

const WIDTH = 640;
const HEIGHT = 120;
const COLOURS = ["#1b6ca8", "#c2571a", "#3a7d44", "#7a4fa3", "#8a6d1d"];

/** Draws a line for each sample over windows of the reference, all of one scale, as SVG. */
export function depthChart(samples: readonly Depths[]): string {
  const most = Math.max(1, ...samples.flatMap(({ means }) => means));
  const lines = samples.map(({ means }, at) => {
    const points = means.map((mean, window) => {
      const x = (window / Math.max(1, means.length - 1)) * WIDTH;
      return `${x.toFixed(1)},${(HEIGHT - (mean / most) * HEIGHT).toFixed(1)}`;
    });
    const stroke = COLOURS[at % COLOURS.length] ?? "black";
    return `<polyline fill="none" stroke="${stroke}" points="${points.join(" ")}"/>`;
  });
  const names = samples.map(
    ({ sample }, at) =>
      `<text x="${8 + at * 90}" y="14" fill="${COLOURS[at % COLOURS.length]}">${sample}</text>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<title>Depth of reads along the reference, at most ${most.toFixed(1)}</title>`,
    ...lines,
    ...names,
    "</svg>\n",
  ].join("\n");
}
