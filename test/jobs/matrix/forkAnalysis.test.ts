import { cp, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { analyseMatrix, SAMPLE_CELLS, SEED } from "../../../src/jobs/matrix/analysis.ts";
import { forkAnalysis } from "../../../src/jobs/matrix/forkAnalysis.ts";
import { refusal } from "../../support/refusal.ts";

const FIXTURE = join(import.meta.dirname, "../../fixtures/matrix");
const ZIP = "00000000-0000-4000-8000-000000000005.homo_sapiens.mtx.zip";

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-fork-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const script = (name: string): URL => new URL(`./processes/${name}.ts`, import.meta.url);
const request = (path: string) => ({
  path,
  approaches: [],
  scratchDir: dir,
  seed: SEED,
  sampleCells: SAMPLE_CELLS,
});
const never = new AbortController().signal;

describe("forkAnalysis(request, options)", () => {
  test("gives what an analysis in this process gives, and tells how far it is", async () => {
    const stages: string[] = [];
    const fractions: number[] = [];
    const forked = await forkAnalysis(request(join(FIXTURE, ZIP)), {
      signal: never,
      onStage: (stage, fraction) => {
        stages.push(stage);
        fractions.push(fraction);
      },
    });
    const own = await analyseMatrix(request(join(FIXTURE, ZIP)), { signal: never });
    expect(forked).toEqual(JSON.parse(JSON.stringify(own)));
    if (!forked.isReadable) throw new Error(forked.message);
    expect(forked.facts.groups.map(({ approach, cells }) => [approach.key, cells])).toEqual([
      ["SS2", 80],
      ["10X", 160],
    ]);
    expect(stages.at(-1)).toBe("figures");
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
  });

  test("gives the reason why a matrix cannot be read, as a result", async () => {
    const path = join(dir, "reads.csv");
    await writeFile(path, "a,b\n1,2\n");
    const analysis = await forkAnalysis(request(path), { signal: never });
    expect(analysis).toMatchObject({ isReadable: false, rule: "M_FORMAT" });
    expect(JSON.stringify(analysis)).not.toContain(dir);
  });

  test("fails as transient where the process dies, with its last words", async () => {
    const error = await refusal(
      forkAnalysis(request("x"), { signal: never, script: script("dies") }),
    );
    expect([error.kind, error.message]).toEqual([
      "transient",
      "the analysis was ended by SIGKILL: first line | out of memory",
    ]);
    expect(error.hint).toContain("memory");
  });

  test("ends a process that hangs", async () => {
    const error = await refusal(
      forkAnalysis(request("x"), { signal: never, script: script("hangs"), silenceMs: 300 }),
    );
    expect([error.kind, error.message]).toEqual([
      "transient",
      expect.stringContaining("the analysis was silent"),
    ]);
  });

  test("stops at once when told to", async () => {
    const abort = new AbortController();
    const going = forkAnalysis(request("x"), {
      signal: abort.signal,
      script: script("hangs"),
      onStage: () => abort.abort(),
    });
    expect((await refusal(going)).kind).toBe("aborted");
    expect((await refusal(forkAnalysis(request("x"), { signal: abort.signal }))).kind).toBe(
      "aborted",
    );
  });

  test("leaves nothing but its answer in the scratch folder", async () => {
    await cp(join(FIXTURE, "tenx.h5"), join(dir, "m.h5"));
    await forkAnalysis(request(join(dir, "m.h5")), { signal: never });
    expect((await readdir(dir)).sort()).toEqual(["analysis.json", "m.h5"]);
  });
});
