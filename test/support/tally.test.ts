import { describe, expect, test } from "vitest";

import { addGates, readTally, tallyLine } from "./tally.ts";

const REPORT = JSON.stringify({
  numPassedTests: 12,
  numFailedTests: 2,
  numPendingTests: 1,
  numTodoTests: 1,
});

describe("readTally(report, exitCode)", () => {
  test("reads vitest's counts", () => {
    expect(readTally(REPORT, 1)).toEqual({ passed: 12, failed: 2, skipped: 2 });
  });

  test("counts a failure outside of every test", () => {
    const report = JSON.stringify({ numPassedTests: 12, numFailedTests: 0 });
    expect(readTally(report, 1)).toEqual({ passed: 12, failed: 1, skipped: 0 });
  });

  test("counts a run that was killed or left no report", () => {
    expect(readTally(null, null)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });
});

describe("addGates(tally, outcomes)", () => {
  test("counts each gate as one check", () => {
    const tally = { passed: 12, failed: 0, skipped: 1 };
    expect(addGates(tally, [true, false, true])).toEqual({ passed: 14, failed: 1, skipped: 1 });
  });
});

describe("tallyLine(tally)", () => {
  test("names what was skipped only where something was", () => {
    expect(tallyLine({ passed: 3, failed: 0, skipped: 0 })).toBe("3 passed, 0 failed");
    expect(tallyLine({ passed: 3, failed: 1, skipped: 2 })).toBe("3 passed, 1 failed, 2 skipped");
  });
});
