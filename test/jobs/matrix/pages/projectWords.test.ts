import { describe, expect, test } from "vitest";

import { FIGURE_NAMES } from "../../../../src/jobs/matrix/figures/figure.ts";
import {
  FIGURE_PARTS,
  filledFraction,
  groupFacts,
  medianText,
  methodFacts,
  roundNumber,
  speciesLabel,
} from "../../../../src/jobs/matrix/pages/projectWords.ts";
import type { GroupSummary } from "../../../../src/jobs/matrix/summary.ts";
import { LIVER, RETINA } from "../summarySample.ts";

describe("FIGURE_PARTS", () => {
  test("have each figure once, in the order of the figures", () => {
    expect(FIGURE_PARTS.flatMap(({ figures }) => figures)).toEqual([...FIGURE_NAMES]);
  });
});

describe("speciesLabel(species)", () => {
  test("writes a species as people do", () => {
    expect(
      ["homo_sapiens", "mus_musculus_domesticus", "Danio rerio", "", null].map(speciesLabel),
    ).toEqual(["Homo sapiens", "Mus musculus domesticus", "Danio rerio", "", ""]);
  });
});

describe("roundNumber(value)", () => {
  test("writes out what is short, and rounds the rest to three digits", () => {
    expect(
      [
        0, 1234.4, 9_999_999, 10_000_000, 99_949_999, 123_456_789, 999_499_999, 999_600_000, 2.3e10,
        4.5e12,
      ].map(roundNumber),
    ).toEqual([
      "0",
      "1,234",
      "9,999,999",
      "10.0 million",
      "99.9 million",
      "123 million",
      "999 million",
      "1.00 billion",
      "23.0 billion",
      "4.50 trillion",
    ]);
  });
});

describe("medianText(value)", () => {
  test("keeps a half of a small median, and drops that of a large one", () => {
    expect([0, 2.5, 99.5, 100.5, 2204.5].map(medianText)).toEqual([
      "0",
      "2.5",
      "99.5",
      "101",
      "2,205",
    ]);
  });
});

describe("filledFraction(summary)", () => {
  test("is the share of cells × genes, and 0 of nothing", () => {
    expect(filledFraction({ ...LIVER, entries: 3, cells: 2, genes: 6 })).toBe(0.25);
    expect(filledFraction({ ...LIVER, entries: 0, cells: 0, genes: 6 })).toBe(0);
  });
});

describe("groupFacts(group, genes)", () => {
  const notes = (group: GroupSummary) => groupFacts(group, 58_347).map(({ note }) => note);

  test("says what the clusters rest on, and which cells are without counts", () => {
    const [smart, tenX] = LIVER.groups as readonly [GroupSummary, GroupSummary];
    expect(notes(smart)).toEqual([
      "",
      "of 58,347 in the table",
      "a cell",
      "a cell",
      "of a cell's counts",
      "at the cut-offs",
      "on 2,730 cells",
    ]);
    expect([notes(tenX)[0], notes(tenX).at(-1)]).toEqual([
      "12 of them without counts",
      "on 50,000 sampled cells",
    ]);
    // All cells that have counts are no sample.
    expect(notes({ ...tenX, embeddedCells: 329_988 }).at(-1)).toBe("on 329,988 cells");
  });

  test("has a dash for what there is not", () => {
    const [group] = RETINA.groups as readonly [GroupSummary];
    expect(groupFacts(group, 1).map(({ value }) => value)).toEqual([
      "48",
      "17,952",
      "2,205",
      "820",
      "–",
      "12",
      "–",
    ]);
    expect([notes(group)[4], notes(group)[6]]).toEqual(["no such genes", "not made"]);
  });
});

describe("methodFacts(method)", () => {
  test("names the seed, the sample and the versions, by name", () => {
    const facts = methodFacts({
      seed: 7,
      sampleCells: 50_000,
      madeWith: { "vega-lite": "6.5.0", "scran.js": "4.1.0" },
    });
    expect(facts.at(-1)).toEqual({
      label: "Made with",
      value: "scran.js 4.1.0, vega-lite 6.5.0",
      note: "",
    });
    expect(facts.find(({ label }) => label.startsWith("Neighbours"))?.value).toContain(
      "Above 50,000 cells these rest on a uniform sample of so many. Seed 7:",
    );
    expect(methodFacts({ seed: 1, sampleCells: 1, madeWith: {} }).at(-1)?.label).toBe(
      "Against scanpy",
    );
  });
});
