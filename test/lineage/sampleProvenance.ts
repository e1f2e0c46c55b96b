// A provenance as tests of formats want it: so many samples, each counted, all merged; one count failed.

import type { Digest } from "../../src/digest.ts";
import type { Provenance, RunInfo, StepInfo } from "../../src/lineage/provenance.ts";

function digest(n: number): Digest {
  return n.toString(16).padStart(64, "0") as Digest;
}

function run(id: string): RunInfo {
  return {
    ...{ id, pipeline: "kmer", status: "succeeded", build: "0.1.0", requestedBy: null },
    startedAt: `2026-12-01T0${id}:00:00.000Z`,
    finishedAt: `2026-12-01T0${id}:59:59.000Z`,
    ...{
      error: null,
      parameters: { k: 6, lane: "lane 0.fa", note: "", odd: { a: 1 } },
      file: "kmer.ts",
    },
  };
}

function step(result: number, name: string, rest: Partial<StepInfo>): StepInfo {
  return {
    ...{ result: String(result), key: digest(result + 1_000_000), pipeline: "kmer", step: name },
    ...{ version: 1, label: `lane ${result}`, scope: null, kind: "command", code: digest(99) },
    ...{
      uses: null,
      environment: { MODE: "strict" },
      network: false,
      stub: false,
      values: { k: 6 },
    },
    ...{ pin: null, run: "1", attempt: 1, runner: "process", exitCode: 0, ms: 1500, state: "hit" },
    startedAt: "2026-12-01T01:00:00.000Z",
    endedAt: "2026-12-01T01:00:01.500Z",
    ...{ inputs: [], outputs: [], verified: null, trusted: [] },
    ...rest,
  };
}

/** Makes a provenance with so many samples. */
export function provenanceOf(samples: number): Provenance {
  const lanes = Array.from({ length: samples }, (_, at) => at);
  const counts = lanes.map((at) =>
    step(at + 1, "count", {
      inputs: [{ name: "lane", digest: digest(at + 2_000_000), from: null }],
      outputs: [{ port: "counts", digest: digest(at + 3_000_000), bytes: 12, kind: "file" }],
    }),
  );
  const merged = step(samples + 1, "merge", {
    ...{
      label: "",
      run: "2",
      state: "ran",
      startedAt: "2026-12-01T02:00:00.000Z",
      endedAt: "2026-12-01T02:00:09.000Z",
    },
    inputs: lanes.map((at) => ({
      name: `tables[${at}]`,
      digest: digest(at + 3_000_000),
      from: { result: String(at + 1), port: "counts", path: null },
    })),
    outputs: [
      { port: "merged", digest: digest(5), bytes: 34, kind: "file" },
      { port: "all", digest: digest(6), bytes: 340, kind: "folder" },
    ],
    verified: { state: "same", at: "2026-12-01T03:00:00.000Z", build: "0.1.0" },
    trusted: [
      {
        code: digest(98),
        because: "only a name changed",
        by: "Ada",
        at: "2026-12-01T03:00:00.000Z",
        withdrawn: null,
      },
    ],
  });
  return {
    ...{ asked: "kmer", isRun: true, run: run("2"), runs: [run("1"), run("2")] },
    results: [
      {
        ...{ name: "merged", digest: digest(5), bytes: 34, kind: "file", path: null },
        from: { result: String(samples + 1), port: "merged" },
      },
      { name: "answer", value: 42 },
    ],
    steps: [...counts, merged],
    given: lanes.map((at) => ({
      ...{ digest: digest(at + 2_000_000), bytes: 10, kind: "file", names: [`lane ${at}.fa`] },
    })),
    failed: [
      {
        ...{
          step: "count",
          label: "bad",
          scope: "bad",
          key: digest(7),
          error: "count bad ended with 1",
        },
        ...{ startedAt: "2026-12-01T02:00:00.000Z", endedAt: "2026-12-01T02:00:01.000Z" },
      },
    ],
    published: [{ digest: digest(5), site: "s3://site", path: "out/merged file.tsv" }],
    isCut: false,
  };
}
