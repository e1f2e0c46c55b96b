import { describe, expect, test } from "vitest";

import { tallySteps } from "../../src/lineage/runTally.ts";
import { callOf, reportOf } from "../jobs/analysis/pages/sampleRun.ts";

describe("tallySteps(report)", () => {
  test("counts calls by step, with what they took and saved, and what has waited for what", () => {
    expect(tallySteps(reportOf(4))).toEqual([
      {
        ...{ step: "count", ran: 2, reused: 2, failed: 1, notRun: 0 },
        ...{ ms: 3000, savedMs: 3000, waitsFor: [] },
      },
      {
        ...{ step: "merge", ran: 0, reused: 0, failed: 0, notRun: 1 },
        ...{ ms: 0, savedMs: 0, waitsFor: ["count"] },
      },
    ]);
  });

  test("finds the step of a call that did not run by the longest name that begins it", () => {
    const report = {
      ...reportOf(0),
      calls: [callOf(1), callOf(2, { step: "count words" }), callOf(3, { state: "running" })],
      notRun: [
        { call: "count words of B", why: "it needs what failed" },
        { call: "count", why: "it needs what failed" },
        { call: "plot #2", why: "it needs what failed" },
      ],
    };
    expect(tallySteps(report).map(({ step, notRun }) => [step, notRun])).toEqual([
      ["count", 1],
      ["count words", 1],
      ["plot", 1],
    ]);
  });
});
