import assert from "node:assert/strict";
import { test } from "node:test";

import { readNumbers, reportOf, summarize } from "./summary.ts";

test("summarize leaves out what is too high, and counts it", () => {
  assert.deepEqual(summarize([1, 2, 3, 999], 100), { count: 3, mean: 2, deviation: 1, leftOut: 1 });
});

test("summarize refuses readings of which too few are left", () => {
  assert.throws(() => summarize([1, 999], 100), /1 of 2 readings are too few/);
});

test("readNumbers passes over comments, and refuses what is no number", () => {
  assert.deepEqual(readNumbers("# mV\n1.5\n\n2\n"), [1.5, 2]);
  assert.throws(() => readNumbers("1,5"), /"1,5" is no reading/);
});

test("reportOf sorts by treatment", () => {
  const summary = { count: 2, mean: 1, deviation: 0.5, leftOut: 0 };
  const text = reportOf([
    { sample: "s2", treatment: "heat", summary },
    { sample: "s1", treatment: "control", summary },
  ]);
  assert.deepEqual(text.split("\n").slice(1, 3), [
    "control\ts1\t2\t1.000\t0.500\t0",
    "heat\ts2\t2\t1.000\t0.500\t0",
  ]);
});
