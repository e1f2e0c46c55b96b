import { describe, expect, test } from "vitest";

import type { MatrixAnalysis } from "../../../src/jobs/matrix/analysis.ts";
import { analysisFindings, analysisMeasures } from "../../../src/jobs/matrix/findings.ts";

const READ: MatrixAnalysis = {
  isReadable: true,
  facts: {
    format: "mtx",
    genes: 3,
    cells: 2,
    entries: 4,
    counts: 9,
    groups: [
      {
        approach: { key: "10X", label: "10X v2" },
        cells: 2,
        emptyCells: 0,
        entries: 4,
        counts: 9,
        detectedGenes: 3,
        medianCounts: 4.5,
        medianGenes: 2,
        medianMitoFraction: null,
        variableGenes: 0,
        clusters: null,
        embeddedCells: null,
        exampleGene: null,
        figures: [
          { name: "violin", title: "Per cell", caption: "c", alt: "a", reason: null },
          { name: "umap", title: "UMAP", reason: "There are only 2 cells." },
        ],
      },
    ],
    notes: [{ rule: "M_ROUNDED", severity: "warning", message: "3 values were rounded." }],
  },
  figures: [],
};

describe("analysisFindings(id, analysis)", () => {
  test("makes one of every note and of every figure that was left out", () => {
    expect(
      analysisFindings("id-1", READ).map(({ rule, severity, subject, message }) => [
        rule,
        severity,
        subject,
        message,
      ]),
    ).toEqual([
      ["M_ROUNDED", "warning", "id-1", "3 values were rounded."],
      ["M_FIGURE", "info", "id-1", "UMAP (10X): There are only 2 cells."],
    ]);
  });

  test("makes an error of a matrix that cannot be read", () => {
    const analysis = { isReadable: false, rule: "M_CORRUPT", message: "It is cut off." } as const;
    expect(analysisFindings("id-1", analysis)).toEqual([
      {
        rule: "M_CORRUPT",
        severity: "error",
        subject: "id-1",
        row: null,
        message: "It is cut off.",
        fields: {},
      },
    ]);
    expect(analysisMeasures(analysis)).toEqual({ errors: 1, warnings: 0 });
  });
});

describe("analysisMeasures(analysis)", () => {
  test("counts what there is", () => {
    expect(analysisMeasures(READ)).toEqual({
      fingerprint: expect.any(Number) as number,
      errors: 0,
      warnings: 1,
      genes: 3,
      cells: 2,
      entries: 4,
      counts: 9,
      figures: 1,
    });
  });

  test("tells other content apart that has the same totals", () => {
    const [group] = READ.facts.groups;
    const other = {
      ...READ,
      facts: { ...READ.facts, groups: [{ ...group, medianGenes: 3 }] },
    } as MatrixAnalysis;
    expect(analysisMeasures(other)["fingerprint"]).not.toBe(analysisMeasures(READ)["fingerprint"]);
    expect({ ...analysisMeasures(other), fingerprint: 0 }).toEqual({
      ...analysisMeasures(READ),
      fingerprint: 0,
    });
  });
});
