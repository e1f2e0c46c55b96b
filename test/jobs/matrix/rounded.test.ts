// Values that are not whole: they are rounded, and M_ROUNDED tells estimated counts from what was normalised.

import { describe, expect, test } from "vitest";

import { mostlyRounded } from "../../../src/jobs/matrix/reading/tableNotes.ts";
import { countingIn, type Entry, mtx, useWorkplace } from "./support/matrixFiles.ts";

const { count, small } = countingIn(useWorkplace());

async function notesOn(entries: readonly Entry[]): Promise<readonly object[]> {
  const path = await small({ "matrix.mtx": mtx(3, 2, entries, { field: "real" }) });
  return (await count(path)).notes;
}

const warned = (message: string) => [{ rule: "M_ROUNDED", severity: "warning", message }];
const NORMALISED =
  "matrix.mtx: 67% of the values are not whole: these may be normalised values rather than counts (2 values rounded to the nearest whole count)";

describe("mostlyRounded(whose, rounded, values)", () => {
  test("warns where more than half are not whole", () => {
    expect(mostlyRounded("x", 0, 10)).toBeNull();
    expect(mostlyRounded("x", 5, 10)).toBeNull();
    expect(mostlyRounded("x", 6, 10)).toBe(
      "x: 60% of the values are not whole: these may be normalised values rather than counts (6 values rounded to the nearest whole count)",
    );
    expect(mostlyRounded("x", 6, 11)).toMatch(/^x: 55% of the values are not whole/);
    expect(mostlyRounded("x", 1, 1)).toMatch(/^x: 100% .* \(1 value rounded/);
  });
});

describe("M_ROUNDED", () => {
  test("says nothing of whole counts, however they are written", async () => {
    expect(
      await notesOn([
        [1, 1, "5.0"],
        [3, 1, "2e1"],
      ]),
    ).toEqual([]);
  });

  test("says how many estimated counts were rounded, up to half of the values", async () => {
    expect(
      await notesOn([
        [1, 1, 20.5],
        [3, 1, 3],
      ]),
    ).toEqual(warned("1 value of matrix.mtx were not whole and were rounded to the nearest count"));
  });

  test("warns of normalised values, where more than half are not whole", async () => {
    const entries: readonly Entry[] = [
      [1, 1, 20.5],
      [2, 1, 1.25],
      [3, 2, 3],
    ];
    expect(await notesOn(entries)).toEqual(warned(NORMALISED));
    // Noughts that are written out are not values, and hide nothing.
    const zeros: readonly Entry[] = [
      [3, 1, 0],
      [1, 2, 0],
      [2, 2, 0],
    ];
    expect(await notesOn([...entries, ...zeros])).toEqual(warned(NORMALISED));
  });
});
