// What a command line says of a run besides what its pipeline takes: stubs, a file of parameters, some results only, some steps again.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { LONG_MS, openPipelineRuns, type PipelineRuns, tally } from "./support/pipelineRuns.ts";

const ROOT = join(import.meta.dirname, "../../..");

describe("hdash run --out DIR, of what cannot be a folder", () => {
  test.each([
    ["a file", "sheet.csv", "is no folder"],
    ["below a file", "sheet.csv/below", "is no folder"],
    ["where nobody may make one", "/proc/none", "cannot be made"],
  ])("is refused before anything is done: %s", async (_name, out, says) => {
    const own = await openPipelineRuns();
    await own.put("sheet.csv", "a\n");
    await own.put(
      "one.ts",
      `import { integer, pipeline, step } from "hdash";
      export const one = step({ name: "one", takes: {}, gives: { n: integer() }, run: () => ({ n: 1 }) });
      export default pipeline({ name: "one", takes: {}, gives: { n: integer() }, plan: (_none, { run }) => run(one, {}) });`,
    );
    const path = out.startsWith("/") ? out : join(own.dir, out);
    const ended = await own.run("one.ts", ["--out", path]);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain(says);
    expect(ended.stderr).toContain("--out is ");
    expect(tally(ended)).toBe("0 hits, 0 ran, 0 failed");
    await own.remove();
  });
});

let runs: PipelineRuns;
beforeEach(async () => {
  runs = await openPipelineRuns();
  await runs.put(
    "sums.ts",
    `
import { command, container, file, integer, list, pipeline, sh, step, table, text } from "hdash";
export const count = command({
  name: "count", takes: { lane: file() }, gives: { n: file("n.txt") },
  run: ({ lane }) => sh\`wc -c < \${lane} > n.txt\`,
  stub: () => sh\`echo stub > n.txt\`,
});
export const align = container({
  name: "align", image: "example.org/none:1", takes: { lane: file() }, gives: { bam: file("out.bam") },
  run: () => sh\`false\`,
  stub: ({ lane }) => sh\`cp \${lane} out.bam\`,
});
export const join = step({
  name: "join", takes: { parts: list(file()), by: text() }, gives: { joined: text() },
  run: async ({ parts, by }) => ({ joined: (await Promise.all(parts.map((one) => one.text()))).map((one) => one.trim()).join(by) }),
});
export const slow = step({
  name: "slow", takes: { k: integer() }, gives: { doubled: integer() },
  run: ({ k }) => ({ doubled: 2 * k }),
  stub: () => ({ doubled: 0 }),
});
export default pipeline({
  name: "sums",
  takes: { sheet: table({ lane: file(), k: integer(1) }), by: text("+"), k: integer(6) },
  gives: { joined: text(), doubled: integer(), bams: list(file()) },
  plan({ sheet, by, k }, { run }) {
    const parts = sheet.map(({ lane }) => run(count, { lane }).n);
    const bams = sheet.map(({ lane }) => run(align, { lane }).bam);
    return { joined: run(join, { parts, by }).joined, doubled: run(slow, { k }).doubled, bams };
  },
});
`,
  );
  await runs.put("in/a.txt", "1234");
  await runs.put("in/b.txt", "123");
  await runs.put("in/s.csv", "lane\na.txt\nb.txt\n");
});
afterEach(() => runs.remove());

const sheet = (): readonly string[] => ["--sheet", join(runs.dir, "in/s.csv")];
const results = async (): Promise<unknown> => JSON.parse(await runs.given("results.json"));
const SOME = ["--only", "joined,doubled"];

describe("hdash run PIPELINE --stub", () => {
  test("asks for no secret of a step whose stub is run, and gives it one that is set", async () => {
    await runs.put(
      "secret.ts",
      `import { command, file, pipeline, sh } from "hdash";
      export const ask = command({
        name: "ask", takes: {}, gives: { out: file("out.txt") }, secrets: ["THE_KEY"],
        run: () => sh\`false\`, stub: () => sh\`(printenv THE_KEY || true) | wc -c > out.txt\`,
      });
      export default pipeline({ name: "secret", takes: {}, gives: { out: file() }, plan: (_none, { run }) => run(ask, {}) });`,
    );
    const without = await runs.run("secret.ts", ["--stub", ...runs.out]);
    expect(without.code, without.stderr).toBe(0);
    expect(await runs.given("out.txt")).toBe("0\n");
    const given = await runs.run("secret.ts", ["--stub", "--force", ...runs.out], {
      THE_KEY: "correct-horse",
    });
    expect(given.code, given.stderr).toBe(0);
    expect(await runs.given("out.txt")).toBe("14\n");
    const earnest = await runs.run("secret.ts");
    expect(earnest.stderr).toContain("the secret THE_KEY is not set");
  });

  test(
    "runs the stubs of steps, says so, and never meets results of others",
    async () => {
      const stubbed = await runs.run("sums.ts", [...sheet(), "--stub", ...runs.out]);
      expect(stubbed.code, stubbed.stderr).toBe(0);
      expect(stubbed.stderr).toContain(
        "sums runs with stubs, under the name sums:stub: align, count, slow; done as they are: join",
      );
      expect(await results()).toEqual({ joined: "stub+stub", doubled: 0 });
      expect(await runs.given("bams-0.bam")).toBe("1234");
      // Two imports, two counts, two alignments, join, slow, what is given.
      expect(tally(stubbed)).toBe("0 hits, 9 ran, 0 failed");
      expect(tally(await runs.run("sums.ts", [...sheet(), "--stub"]))).toBe(
        "9 hits, 0 ran, 0 failed",
      );
      const earnest = await runs.run("sums.ts", [...sheet(), ...SOME, ...runs.out]);
      expect(earnest.code, earnest.stderr).toBe(0);
      expect(await results()).toEqual({ joined: "4+3", doubled: 12 });
      expect(tally(earnest)).toBe("0 hits, 7 ran, 0 failed");
      expect(tally(await runs.run("sums.ts", [...sheet(), "--stub"]))).toBe(
        "9 hits, 0 ran, 0 failed",
      );
    },
    LONG_MS,
  );
});

describe("hdash run PIPELINE --only", () => {
  test("does no step that is not needed, and keeps no other result", async () => {
    const ended = await runs.run("sums.ts", [...sheet(), "--only", "doubled", ...runs.out]);
    expect(ended.code, ended.stderr).toBe(0);
    expect(tally(ended)).toBe("0 hits, 2 ran, 0 failed");
    expect(await results()).toEqual({ doubled: 12 });
  });

  test("does all that a scope calls, since whether it fails is for the plan to see", async () => {
    await runs.put(
      "scoped.ts",
      `
import { integer, pipeline, step } from "hdash";
export const one = step({ name: "one", takes: { n: integer() }, gives: { n: integer() }, run: ({ n }) => {
  if (n === 1) throw new Error("it is one"); return { n }; } });
export default pipeline({
  name: "scoped", takes: {}, gives: { a: integer(), b: integer() },
  async plan(_none, { run, scope }) {
    const done = await scope("part", () => { run(one, { n: 1 }); return run(one, { n: 2 }).n; });
    run(one, { n: 3 });
    return { a: run(one, { n: done.ok ? 4 : 5 }).n, b: run(one, { n: 6 }).n };
  },
});
`,
    );
    const ended = await runs.run("scoped.ts", ["--only", "a", ...runs.out]);
    expect(ended.code, ended.stderr).toBe(3);
    expect(await results()).toEqual({ a: 5 });
    // Of the scope one failed and one ran; then what is wanted, and what is given.
    expect(tally(ended)).toBe("0 hits, 3 ran, 1 failed");
  });

  test.each([
    ["nothing", "there are: joined, doubled, bams"],
    ["joind", "did you mean joined?"],
  ])("refuses a result that the pipeline does not give: %s", async (name, hint) => {
    const { code, stderr } = await runs.run("sums.ts", [...sheet(), "--only", name]);
    expect(stderr).toContain(`--only is "${name}": sums gives no such result`);
    expect(stderr.toLowerCase()).toContain(hint);
    expect(code).toBe(2);
  });
});

describe("hdash run PIPELINE --force", () => {
  const words = (): readonly string[] => [...sheet(), ...SOME];

  test(
    "does steps of a name again, or all, wherever it stands",
    async () => {
      expect(tally(await runs.run("sums.ts", words()))).toBe("0 hits, 7 ran, 0 failed");
      const again = async (...more: readonly string[]): Promise<string> =>
        tally(await runs.run("sums.ts", more));
      expect(await again("--force", "count", ...words())).toBe("5 hits, 2 ran, 0 failed");
      expect(await again(...words(), "--force=count,join")).toBe("4 hits, 3 ran, 0 failed");
      expect(await again("--force", "count", "--force", "slow", ...words())).toBe(
        "4 hits, 3 ran, 0 failed",
      );
      expect(await again(...words(), "--force")).toBe("0 hits, 7 ran, 0 failed");
      const before = await runs.runWith(["--force"], "sums.ts", words());
      expect(tally(before)).toBe("0 hits, 7 ran, 0 failed");
    },
    LONG_MS,
  );

  test("refuses a step that there is not", async () => {
    const { code, stderr } = await runs.run("sums.ts", [...words(), "--force", "cuont"]);
    expect(stderr).toMatch(/--force: there is no step "cuont"\nDid you mean count\?/);
    expect(code).toBe(2);
  });
});

describe("hdash run PIPELINE --params", () => {
  const told = async (params: string, ...more: readonly string[]): Promise<string> => {
    await runs.put("in/p.json", params);
    const words = ["--params", join(runs.dir, "in/p.json"), ...SOME, ...runs.out, ...more];
    const { code, stderr } = await runs.run("sums.ts", words, { SUMS_BY: "-", SUMS_K: "8" });
    expect([0, 2], stderr).toContain(code);
    return stderr.replaceAll(`${runs.dir}/`, "");
  };

  test(
    "takes values from a file: flags win over it, and it wins over variables",
    async () => {
      await told('\ufeff{ "sheet": "s.csv", "by": "" }');
      expect(await results()).toEqual({ joined: "43", doubled: 16 });
      await told(
        '{ "sheet": [{ "lane": "a.txt" }, { "lane": "b.txt", "k": null }], "k": 7 }',
        ...["--by", "/"],
      );
      expect(await results()).toEqual({ joined: "4/3", doubled: 14 });
      await told('{ "sheet": "s.csv", "by": "," }', "--k", "9");
      expect(await results()).toEqual({ joined: "4,3", doubled: 18 });
    },
    LONG_MS,
  );

  test("takes values from standard input, with paths from where it is run", async () => {
    const own = spawn(
      process.execPath,
      [
        ...["--disable-warning=ExperimentalWarning", "--", join(ROOT, "src/main.ts")],
        ...["run", "./sums.ts", "--params", "-", ...SOME, ...runs.out],
      ],
      {
        cwd: runs.dir,
        env: { PATH: process.env["PATH"] ?? "", HDASH_HOME: join(runs.dir, "home"), TZ: "UTC" },
      },
    );
    own.stdin.end('{"sheet":"in/s.csv"}');
    const stderr = text(own.stderr);
    const [code] = (await once(own, "close")) as readonly unknown[];
    expect(code, await stderr).toBe(0);
    expect(await results()).toEqual({ joined: "4+3", doubled: 12 });
  });

  test.each<[string, string, RegExp]>([
    ["no JSON", "{", /--params \(in\/p\.json\) is no JSON: /],
    ["a list", "[]", /--params \(in\/p\.json\) is no object of values by name/],
    [
      "a name that it does not take",
      '{"kk":1,"sheet":"s.csv"}',
      /--params \(in\/p\.json\) has "kk", which the pipeline does not take\nDid you mean k\?/,
    ],
    [
      "values of another kind, all of them",
      '{"k":"6","by":7,"sheet":"s.csv"}',
      /\(in\/p\.json\) is wrong: k is "6", and should be a whole number; it is wrong: by is 7, and should be text/,
    ],
    [
      "a row of another kind",
      '{"sheet":[{"lane":1}]}',
      /\(in\/p\.json\) is wrong: sheet\[0\]\.lane is 1, and should be a file/,
    ],
    [
      "a file that is not there",
      '{"sheet":[{"lane":"gone"}]}',
      /--sheet, row 1, lane is in\/gone: there is no such file/,
    ],
    ["nothing that it needs", "{}", /--sheet \(SUMS_SHEET\) is not given, and sums takes sheet/],
  ])("refuses %s, naming file, name and value", async (_what, params, says) => {
    expect(await told(params)).toMatch(says);
  });

  test("refuses a file that is not there", async () => {
    const { code, stderr } = await runs.run("sums.ts", ["--params", "/none/p.json"]);
    expect(stderr).toContain("--params (/none/p.json) is not there");
    expect(code).toBe(2);
  });
});

test("a pipeline that takes what is a flag of every run is refused", async () => {
  await runs.put(
    "flag.ts",
    `import { integer, pipeline } from "hdash";
     export default pipeline({ name: "flag", takes: { only: integer() }, gives: {}, plan: () => ({}) });`,
  );
  const { code, stderr } = await runs.run("flag.ts");
  expect(stderr).toContain("pipeline flag takes only, and --only is a flag of every run");
  expect(code).toBe(2);
});
