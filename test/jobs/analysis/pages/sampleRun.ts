// A run as tests of its page want it: so many samples, each aligned and called; the first call has failed, and what merges them did not run.

import type { Provenance, StepInfo } from "../../../../src/lineage/provenance.ts";
import type { RunPageInput } from "../../../../src/lineage/runPage.ts";
import type { RunReport } from "../../../../src/lineage/runReport.ts";
import type { LedgerRun } from "../../../../src/store/lineage.ts";
import type { CallOfStep } from "../../../../src/store/runCalls.ts";
import { provenanceOf } from "../../../lineage/sampleProvenance.ts";

const BEGAN = new Date("2026-12-01T02:00:00.000Z");
const ENDED = new Date("2026-12-01T02:20:00.000Z");

/** A run of the pipeline "kmer". */
export const RUN: LedgerRun = {
  ...{ id: "2", pipeline: "kmer", params: { k: 6 }, status: "failed", build: "0.1.0" },
  ...{ worker: null, workerDetail: null, origin: null, requestedBy: "ada", requestedAt: BEGAN },
  ...{ startedAt: BEGAN, finishedAt: ENDED, error: "count lane 1: it ended with 7" },
};

/** A call of a step of that run. */
export function callOf(at: number, more: Partial<CallOfStep> = {}): CallOfStep {
  return {
    ...{ scope: "", step: "count", label: `lane ${at}`, state: "ran", error: null },
    key: String(at).padStart(64, "a"),
    ...{ startedAt: BEGAN, endedAt: ENDED, attempt: null },
    result: { id: String(at), runId: "2", ms: 1500, isClosed: true, outputs: {} },
    ...more,
  };
}

const BROKEN = callOf(0, {
  ...{ label: "lane <b>0</b>", scope: "lane 0", state: "failed", result: null },
  error: "it ended with 7",
  attempt: {
    ...{ n: 4, inRun: 2, state: "failed", code: null, reason: "exit", message: "it ended with 7" },
    ...{ runner: "process", logDigest: null },
  },
});

/** What a run of so many samples has done: one call failed, every other one was reused. */
export function reportOf(samples: number): RunReport {
  const calls = Array.from({ length: samples }, (_, at) => {
    const isHit = at % 2 === 0;
    const result = { id: String(at + 1), ms: 1500, isClosed: true, outputs: {} };
    const own = { state: isHit ? "hit" : "ran", result: { ...result, runId: isHit ? "1" : "2" } };
    return callOf(at + 1, own as Partial<CallOfStep>);
  });
  return {
    calls: [...calls, BROKEN],
    failed: [
      {
        ...{ name: "count lane <b>0</b>", scope: "lane 0", end: "failed · exit", attempts: 2 },
        ...{ says: "it ended with 7", look: "hdash logs aaaaaaaa --attempt 4", call: BROKEN },
      },
    ],
    notRun: [{ call: "merge #1", why: "it needs count lane <b>0</b>, which failed" }],
    ...{ moreNotRun: 3, given: ["lane 1.fa"], results: [], savedMs: 1500 * (samples / 2) },
  };
}

/** What the page of such a run is made from. */
export function runOf(samples: number): Omit<RunPageInput, "assets"> {
  const provenance: Provenance = provenanceOf(samples);
  const isCount = ({ step }: StepInfo): boolean => step === "count";
  const key = BROKEN.key ?? "";
  return {
    ...{ run: RUN, report: reportOf(samples) },
    provenance: { ...provenance, steps: provenance.steps.filter(isCount) },
    lastLines: new Map([[key, ["reading lane 0", "<script>no header</script>", "x".repeat(900)]]]),
    resultHref: (name) => (name === "merged" ? "result-merged.html" : null),
    ...{ provenanceHref: "provenance.html", path: "index.html" },
    menu: { brand: { label: "kmer", path: "index.html" }, places: [] },
  };
}
