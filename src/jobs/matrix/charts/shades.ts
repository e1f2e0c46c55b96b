// Colours of the matrix figures that stand for values and clusters. They are chosen for white. Points are drawn once for both themes: a dark
// page turns them, and whatever else has such a colour, as it turns the thumbnails (--turn in theme.css), so that all show one ramp.

/** Few to many neighbours: hues of about the same lightness, so that neither end is lost on white or on black. */
export const DENSITY_RAMP: readonly string[] = [
  "#4a7fb5",
  "#7a6bc0",
  "#b2569f",
  "#dd5a6b",
  "#f08a3c",
];

/**
 * Low to high expression, out of the grey of none, each darker than the one before: what is low lies near the ground, and so it does where
 * the page is dark and the ramp is turned. A mark that stands for several cells, few of which express, is nearly grey.
 */
export const EXPRESSION_RAMP: readonly string[] = [
  "#bcc3dc",
  "#9aa3e0",
  "#8169d2",
  "#a02aa6",
  "#a80e56",
];
export const NO_EXPRESSION = "#c3cad2";

/**
 * Clusters by number: twelve hues apart from each other, then the same lighter and then darker. Neighbours in the list differ in
 * lightness too, for readers who see fewer hues; names on the plot tell the rest.
 */
const CLUSTERS: readonly string[] = [
  "#1f77b4",
  "#e8862e",
  "#2f9e6e",
  "#c8487f",
  "#8b6fd0",
  "#b59410",
  "#35a8c9",
  "#d1543f",
  "#6f9a2c",
  "#a3623a",
  "#d27fc8",
  "#6b7f93",
  "#7fb2e5",
  "#c2650a",
  "#66c79a",
  "#e58aae",
  "#5f4bb0",
  "#d9bd4a",
  "#147f96",
  "#f08f7e",
  "#4b7a12",
  "#c99a72",
  "#9a4f94",
  "#9db0c1",
  "#0f5a94",
  "#f3b26b",
  "#14774c",
  "#a12c60",
  "#b3a0ea",
  "#8a6d00",
];

/** The first series' colours for points: lighter than those of lines, for they lie on each other. */
export const POINT_SERIES = { blue: "#3b94cb", green: "#2fa57d", orange: "#dd7439" } as const;

/** Gives a cluster its colour; after thirty they begin anew. */
export function clusterColour(cluster: number): string {
  return CLUSTERS[cluster % CLUSTERS.length] ?? NO_EXPRESSION;
}

/** Gives the red, green and blue 0-255 of a colour "#rrggbb". */
export function channels(colour: string): readonly [number, number, number] {
  const value = Number.parseInt(colour.slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}

/** Finds the colour at a part 0-1 of a ramp. */
export function rampColour(ramp: readonly string[], part: number): string {
  const place = Math.min(Math.max(part, 0), 1) * (ramp.length - 1);
  const low = Math.min(Math.floor(place), ramp.length - 2);
  const from = channels(ramp[low] ?? "#000000");
  const to = channels(ramp[low + 1] ?? "#000000");
  const mixed = from.map((value, channel) =>
    Math.round(value + ((to[channel] ?? 0) - value) * (place - low)),
  );
  return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}
