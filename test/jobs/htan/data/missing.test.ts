import { describe, expect, test } from "vitest";

import { isAbsent, isMissing, isMissingBytes } from "../../../../src/jobs/htan/data/missing.ts";

/** Cell → whether it is absent, whether it is missing. */
const CELLS: readonly (readonly [string, boolean, boolean])[] = [
  ["", true, true],
  ...[
    ..."#N/A #NA N/A n/a NA <NA> NULL null NaN -NaN -nan nan 1.#IND -1.#IND 1.#QNAN -1.#QNAN".split(
      " ",
    ),
    "#N/A N/A",
  ].map((cell): [string, boolean, boolean] => [cell, true, true]),
  ...["na", "Na", "nA", "NAN", "Nan", "unknown", "UNKNOWN", "Unknown"].map(
    (cell): [string, boolean, boolean] => [cell, false, true],
  ),
  ...["Not Applicable", "not applicable", "NOT APPLICABLE", "Not Reported", "not reported"].map(
    (cell): [string, boolean, boolean] => [cell, false, true],
  ),
  ...[
    "No",
    "no",
    "N",
    "0",
    " ",
    "NA ",
    " NA",
    "Null",
    "nULL",
    "N/a",
    "#n/a",
    "None",
    "-",
    "--",
  ].map((cell): [string, boolean, boolean] => [cell, false, false]),
  ...["unknowns", "not reportet", "not applicables", "1.#INF", "Not  Reported", "ňa", "ſ", "K"].map(
    (cell): [string, boolean, boolean] => [cell, false, false],
  ),
];

describe("isAbsent(text)", () => {
  test.each(CELLS)("tells %j: %s", (cell, absent) => {
    expect(isAbsent(cell)).toBe(absent);
  });
});

describe("isMissing(text)", () => {
  test.each(CELLS)("tells %j (absent: %s): %s", (cell, _absent, missing) => {
    expect(isMissing(cell)).toBe(missing);
  });
});

describe("isMissingBytes(bytes, start, end)", () => {
  test.each(CELLS)(
    "tells %j (absent: %s): %s, in the midst of other bytes",
    (cell, _absent, missing) => {
      const bytes = Buffer.from(`x${cell}x`);
      expect(isMissingBytes(bytes, 1, bytes.length - 1)).toBe(missing);
    },
  );
});
