import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import {
  channels,
  EXPRESSION_RAMP,
  NO_EXPRESSION,
  rampColour,
} from "../../../../src/jobs/matrix/charts/shades.ts";

const THEME = join(import.meta.dirname, "../../../../views/assets/theme.css");

type Rgb = readonly [number, number, number];

/** How light a colour is, 0 to 1, as sRGB defines it. */
function luminance(rgb: Rgb): number {
  const [red = 0, green = 0, blue = 0] = rgb.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Does what theme.css asks of a dark page: the filters of CSS, as Filter Effects defines them. */
function turned(rgb: Rgb): Rgb {
  const filters = /--turn: (invert.*?);/.exec(readFileSync(THEME, "utf8"))?.[1] ?? "";
  const [, invert, rotate, saturate] =
    /^invert\(([\d.]+)\) hue-rotate\((\d+)deg\) saturate\(([\d.]+)\)$/.exec(filters) ?? [];
  expect(rotate).toBe("180");
  const clamp = (value: number) => Math.min(Math.max(value, 0), 255);
  const apply = (matrix: readonly (readonly number[])[], from: Rgb): Rgb =>
    matrix.map((row) =>
      clamp(row.reduce((sum, one, at) => sum + one * (from[at] ?? 0), 0)),
    ) as unknown as Rgb;
  const amount = Number(invert);
  const inverted = rgb.map((value) => 255 * amount + value * (1 - 2 * amount)) as unknown as Rgb;
  // The matrix for 180°: cosine −1, sine 0.
  const hue = [
    [-0.574, 1.43, 0.144],
    [0.426, 0.43, 0.144],
    [0.426, 1.43, -0.856],
  ];
  const s = Number(saturate);
  const [r, g, b] = [0.213, 0.715, 0.072];
  const saturation = [
    [r + (1 - r) * s, g - g * s, b - b * s],
    [r - r * s, g + (1 - g) * s, b - b * s],
    [r - r * s, g - g * s, b + (1 - b) * s],
  ];
  return apply(saturation, apply(hue, inverted));
}

describe("EXPRESSION_RAMP", () => {
  const steps = Array.from({ length: 24 }, (_, step) => rampColour(EXPRESSION_RAMP, step / 23));
  const ramp = [NO_EXPRESSION, ...steps].map(channels);

  test("goes away from white, the lower the nearer", () => {
    const light = ramp.map(luminance);
    expect(light.toSorted((a, b) => b - a)).toEqual(light);
    expect((light[0] ?? 0) / (light.at(-1) ?? 1)).toBeGreaterThan(5);
  });

  test("goes away from a dark page as well, once that has turned it", () => {
    const dark = ramp.map((rgb) => luminance(turned(rgb)));
    expect(dark.toSorted((a, b) => a - b)).toEqual(dark);
    // The grey of none is nearer to the page than to the highest.
    expect(dark[0]).toBeLessThan(0.08);
    expect(dark.at(-1)).toBeGreaterThan(0.35);
  });
});
