import { describe, expect, test } from "vitest";

import { sparkline } from "../../src/render/sparkline.ts";

const at = (day: number): string => `2026-11-0${day}T02:00:00.000Z`;

describe("sparkline(points, label, options)", () => {
  test("draws nothing where nothing is known", () => {
    expect(sparkline([], "Errors")).toBe("");
    expect(
      sparkline(
        [
          { at: "not a day", value: 1 },
          { at: at(1), value: Number.NaN },
        ],
        "Errors",
      ),
    ).toBe("");
  });

  test("steps from value to value in time, and marks the newest", () => {
    const svg = sparkline(
      [
        { at: at(5), value: 0 },
        { at: at(1), value: 10 },
        { at: at(3), value: 5 },
      ],
      "Errors of HTA1",
    );
    expect(svg).toContain('d="M3,3H48V10H93V17"');
    expect(svg).toContain('<circle cx="93" cy="17"');
    expect(svg).toContain('aria-label="Errors of HTA1: from 10 to 0, lowest 0, highest 10"');
  });

  test("draws a number that never moved as a line through the middle", () => {
    const points = [
      { at: at(1), value: 7 },
      { at: at(2), value: 7 },
    ];
    expect(sparkline(points, "Files")).toContain('d="M3,10H93V10"');
    expect(sparkline(points.slice(0, 1), "Files")).toContain('d="M3,10H93"');
    expect(sparkline(points, "Files")).toContain('aria-label="Files: 7, unchanged"');
  });

  test("tells a number that came back to where it was from one that never moved", () => {
    const svg = sparkline(
      [
        { at: at(1), value: 1 },
        { at: at(2), value: 3 },
        { at: at(3), value: 1 },
      ],
      "Errors",
    );
    expect(svg).toContain('aria-label="Errors: from 1 to 1, lowest 1, highest 3"');
  });

  test("takes a size and a way to write values, and escapes what it says", () => {
    const svg = sparkline([{ at: at(1), value: 2 }], `"<Size>"`, {
      width: 160,
      height: 40,
      format: (value) => `${value} TB`,
    });
    expect(svg).toContain('width="160" height="40" viewBox="0 0 160 40"');
    expect(svg).toContain('aria-label="&quot;&lt;Size&gt;&quot;: 2 TB, unchanged"');
  });

  test("draws a past of any length, in time that grows with it", () => {
    // So many that looking at each for each would outlast the test's limit by far.
    const points = Array.from({ length: 50_000 }, (_, index) => ({
      at: new Date(index * 86_400_000).toISOString(),
      value: index % 7,
    }));
    expect(sparkline(points, "Errors")).toContain(
      'aria-label="Errors: from 0 to 5, lowest 0, highest 6"',
    );
  });
});
