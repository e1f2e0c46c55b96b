// The report for people: what does not fit, what is not there, and names that would paint the terminal.

import { describe, expect, test } from "vitest";

import type {
  GroupStatistics,
  MatrixStatistics,
} from "../../../../src/jobs/matrix/counting/statistics.ts";
import { drawReport, type ReportPaint } from "../../../../src/jobs/matrix/counting/statsReport.ts";

const group = (meanPct: readonly number[]): GroupStatistics => ({
  approach: {
    key: "An-approach-with-a-name",
    label: "An approach with a name that is longer than its column",
  },
  cells: 2,
  emptyCells: 1,
  entries: 3,
  counts: 9_876_543,
  genes: {
    nCells: Uint32Array.from(meanPct, (share) => (share > 0 ? 1 : 0)),
    meanCounts: new Float64Array(meanPct.length),
    varianceCounts: new Float64Array(meanPct.length),
    meanPct: Float64Array.from(meanPct),
    logMean: new Float64Array(meanPct.length),
    dispersion: new Float64Array(meanPct.length),
    dispersionNorm: new Float32Array(meanPct.length),
    isVariable: Uint8Array.from(meanPct, (share) => (share > 30 ? 1 : 0)),
  },
  topGenes: [],
});

const statistics: MatrixStatistics = {
  format: "loom",
  genes: {
    ids: ["1", "2", "3"],
    symbols: ["A\u001b[2J", "a-symbol-that-is-longer-than-its-column", "C"],
    isMito: Uint8Array.of(0, 0, 0),
  },
  cells: {
    nCounts: Float64Array.of(0, 9_876_543),
    nGenes: Uint32Array.of(0, 3),
    mitoFraction: null,
  },
  groupOf: null,
  whole: { ...group([40, 60, 0]), approach: null },
  groups: [group([40, 60, 0])],
  notes: [
    {
      rule: "M_ROUNDED",
      severity: "warning",
      message: `the values of ${"several ".repeat(12)}entries were rounded`,
    },
  ],
};

const plain = (text: string): string => text;
const paint: ReportPaint = { strong: plain, dim: plain, warn: (text) => `!${text}` };

describe("drawReport(statistics, facts)", () => {
  test("fits into eighty columns whatever the names", () => {
    const facts = { name: "x.loom", isTerminal: true, readBytes: 2_500_000, tookMs: 500, paint };
    expect(drawReport(statistics, facts)).toEqual([
      "x.loom  loom",
      "  3 genes × 2 cells, 1 without counts",
      "  3 entries (50.0% of all are not 0), 9,876,543 counts, 2 genes seen",
      "",
      "Per cell                   least         25%      median         75%        most",
      "  counts                       0   2,469,136   4,938,272   7,407,407   9,876,543",
      "  genes                        0           1           2           2           3",
      "  mitochondrial             none",
      "",
      "By approach                            cells     entries med. counts  med. genes",
      "  An-approach-with-a-name  An …            2           3   4,938,272           2",
      "",
      "Top genes, by mean share of a cell's counts",
      `  a-symbol-that-is-lo…   60.0%  ${"█".repeat(40)}`,
      `  A [2J                  40.0%  ${"█".repeat(27)}`,
      "",
      "Variable genes: 2 of 3",
      "  A [2J, a-symbol-that-is-longer-than-…",
      "",
      "Worth knowing",
      "!  M_ROUNDED     the values of several several several several several several",
      "!                several several several several several several entries were",
      "!                rounded",
      "",
      "2.50 MB in 500 ms, 5.00 MB/s",
    ]);
  });

  test("cuts a long name on a terminal only, and takes out what turns the direction of text", () => {
    const name = `${"n".repeat(100)}\u202e.loom`;
    const facts = { name, readBytes: 1, tookMs: 1, paint };
    const heads = [true, false].map(
      (isTerminal) => drawReport(statistics, { ...facts, isTerminal })[0],
    );
    expect(heads).toEqual([`${"n".repeat(79)}…`, `${"n".repeat(100)}.loom  loom`]);
  });
});
