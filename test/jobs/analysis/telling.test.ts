// What a command line says of how a run is told and what it may cost: --json, --max-cost.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { schemaProblems } from "../../support/jsonSchema.ts";
import { LONG_MS, openPipelineRuns, type PipelineRuns, tally } from "./support/pipelineRuns.ts";

/** Three programs, one after the other; the second fails where it is told so. */
const CHAIN = `
import { choice, command, file, integer, pipeline, sh, step } from "hdash";
const gives = { out: file("out.txt") };
const resources = { cpus: 1, memoryMiB: 64 };
export const first = command({ name: "first", takes: {}, gives, resources, run: () => sh\`echo one > out.txt\` });
export const second = command({
  name: "second", takes: { given: file(), ends: choice("well", "badly") }, gives, resources,
  run: ({ given, ends }) => sh\`echo "looking at it"; test \${ends} = well || exit 7; cat \${given} > out.txt\`,
});
export const third = step({
  name: "third", takes: { given: file() }, gives: { size: integer() }, run: ({ given }) => ({ size: given.bytes }),
});
export default pipeline({
  name: "chain", takes: { ends: choice("well", "badly") }, gives: { size: integer(), first: file(), four: integer() },
  plan: ({ ends }, { run }) => {
    const { out } = run(first, {});
    return { size: run(third, { given: run(second, { given: out, ends }).out }).size, first: out, four: 4 };
  },
});`;

let runs: PipelineRuns;
beforeEach(async () => {
  runs = await openPipelineRuns();
  await runs.put("chain.ts", CHAIN);
});
afterEach(() => runs.remove());

interface Told {
  readonly run: number;
  readonly state: string;
  readonly steps: object;
  readonly results: readonly { readonly name: string; readonly value?: unknown }[];
  readonly failed: readonly object[];
  readonly notRun: readonly object[];
}

function told(stdout: string): Told {
  const lines = stdout.trimEnd().split("\n");
  expect(lines).toHaveLength(1);
  const document: unknown = JSON.parse(lines[0] ?? "");
  expect(schemaProblems("run", document)).toEqual([]);
  return document as Told;
}

describe("hdash run PIPELINE --json", () => {
  test(
    "says what a run gave, with values, and of the next what was reused",
    async () => {
      const ended = await runs.run("chain.ts", ["--ends", "well", "--json"]);
      expect(ended.code, ended.stderr).toBe(0);
      const first = told(ended.stdout);
      expect(first).toMatchObject({
        ...{ run: 1, pipeline: "chain", state: "succeeded", error: null, siteUrl: null },
        steps: { ran: 3, reused: 0, failed: 0, notRun: 0 },
      });
      expect(first.results).toEqual([
        {
          ...{ name: "size", kind: "json", bytes: 1, value: 4 },
          digest: expect.any(String) as string,
        },
        { ...{ name: "first", kind: "file", bytes: 4 }, digest: expect.any(String) as string },
        { name: "four", value: 4 },
      ]);
      const again = await runs.run("chain.ts", ["--ends", "well", "--json"]);
      expect(told(again.stdout)).toMatchObject({
        steps: { ran: 0, reused: 3, failed: 0, notRun: 0 },
        results: first.results,
      });
    },
    LONG_MS,
  );

  test(
    "says what failed, with its end and its last lines, and what did not run since",
    async () => {
      const ended = await runs.run("chain.ts", ["--ends", "badly", "--json"]);
      expect(ended.code, ended.stderr).toBe(1);
      const { state, steps, failed, notRun } = told(ended.stdout);
      expect(state).toBe("failed");
      expect(steps).toEqual({ ran: 1, reused: 0, failed: 1, notRun: 1 });
      expect(failed).toMatchObject([
        {
          ...{ step: "second", state: "failed", reason: "exit", code: 7, attempts: 1 },
          ...{ says: "it ended with 7", lastLines: ["looking at it"] },
        },
      ]);
      expect(notRun).toEqual([
        {
          call: "third badly",
          why: expect.stringMatching(/^it needs second badly, which failed/) as string,
        },
      ]);
    },
    LONG_MS,
  );

  test("says nothing on standard output where no run is begun", async () => {
    const ended = await runs.run("chain.ts", ["--ends", "neither", "--json"]);
    expect([ended.code, ended.stdout]).toEqual([2, ""]);
    expect(ended.stderr).toContain("neither");
  });
});

describe("hdash run PIPELINE --max-cost", () => {
  const prices = (more: object = {}): Promise<void> =>
    writeFile(
      join(runs.dir, "prices.json"),
      JSON.stringify({
        ...{ name: "dear", currency: "EUR", region: "here", source: "a test", date: "2026-12-01" },
        // An hour of a vCPU costs so much that a millisecond is 1.
        ...{ perVcpuHour: 3_600_000, perGibHour: 0 },
        ...more,
      }),
    );
  const flags = (most: string): readonly string[] => [
    ...["--ends", "well", "--max-cost", most, "--prices", join(runs.dir, "prices.json")],
  ];

  test(
    "begins nothing any more once the run has cost that, and says so; a run with more finds what is done",
    async () => {
      await prices();
      const ended = await runs.run("chain.ts", flags("0.5"));
      expect(ended.code, ended.stderr).toBe(1);
      expect(ended.stderr).toMatch(
        /second well: the run has cost \d+\.\d{4} EUR, and --max-cost is 0\.5: nothing more is begun/,
      );
      expect(ended.stderr).toContain("third well did not run: it needs second well");
      expect(ended.stderr).toContain("Begin it again with more: what is done is found.");
      // What hdash itself does is no step of the user's.
      expect(tally(ended)).toBe("0 hits, 1 ran, 1 failed");
      const rich = await runs.run("chain.ts", flags("1e9"));
      expect(rich.code, rich.stderr).toBe(0);
      expect(tally(rich)).toBe("1 hit, 3 ran, 0 failed");
    },
    LONG_MS,
  );

  test.each([
    [["--max-cost", "1"], "--max-cost is set, but --prices is not"],
    [["--prices", "prices.json"], "--prices is set, but --max-cost is not"],
    [["--max-cost", "little", "--prices", "prices.json"], '--max-cost is "little"'],
    [["--max-cost", "0", "--prices", "prices.json"], '--max-cost is "0"'],
    [["--max-cost", "1", "--prices", "none.json"], "--prices none.json cannot be read"],
  ])("refuses %j", async (words, says) => {
    const ended = await runs.run("chain.ts", ["--ends", "well", ...words]);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain(says);
  });
});
