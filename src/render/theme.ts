// The colours and type of every figure: one palette for paper, and for pages the CSS variables that take its place.

/**
 * Colours of a figure on white. Each is distinct, because a page replaces each by its CSS variable.
 * Text colours reach 4.5:1 on white and mark colours 3:1; the series are Okabe and Ito's hues, darkened until they do.
 */
export const INK = {
  ink: "#1f2933",
  muted: "#55616d",
  faint: "#66727e",
  rule: "#8d99a5",
  grid: "#d5dce3",
  track: "#eef2f5",
  surface: "#ffffff",
  accent: "#0072b2",
  warn: "#c4500c",
} as const;

/** Colours for kinds of things, in the order in which they are given out; told apart by shape as well. */
export const SERIES = ["#0072b1", "#c4510c", "#00805d", "#a4508b", "#8a6a00", "#3b5fa0"] as const;

/** The shapes that go with SERIES. */
export const SHAPES = [
  "circle",
  "square",
  "triangle-up",
  "diamond",
  "triangle-down",
  "cross",
] as const;

/** What is left when the series are used up: a short flat bar. */
export const OTHER = { color: "#66727f", shape: "M-0.6,-0.2h1.2v0.4h-1.2Z" } as const;

/** The family that figures are set in, and what a machine without it takes. */
export const FONT = "Inter";

/** Colour → CSS custom property, for figures that live in a page and follow its light or dark theme. */
export const CSS_VARIABLES: Readonly<Record<string, string>> = {
  [INK.ink]: "--fig-ink",
  [INK.muted]: "--fig-muted",
  [INK.faint]: "--fig-faint",
  [INK.rule]: "--fig-rule",
  [INK.grid]: "--fig-grid",
  [INK.track]: "--fig-track",
  [INK.surface]: "--fig-surface",
  [INK.accent]: "--fig-accent",
  [INK.warn]: "--fig-warn",
  [SERIES[0]]: "--fig-series-1",
  [SERIES[1]]: "--fig-series-2",
  [SERIES[2]]: "--fig-series-3",
  [SERIES[3]]: "--fig-series-4",
  [SERIES[4]]: "--fig-series-5",
  [SERIES[5]]: "--fig-series-6",
  [OTHER.color]: "--fig-other",
};
