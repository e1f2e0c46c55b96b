// What pipelines and steps take and give, at work: folders from the command line and out of steps, defaults of cells, values that are not as
// narrow as a step wants them.

import { chmod, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { LONG_MS, openPipelineRuns, type PipelineRuns, tally } from "./support/pipelineRuns.ts";

let runs: PipelineRuns;
beforeEach(async () => {
  runs = await openPipelineRuns();
});
afterEach(() => runs.remove());

describe("folder() on the command line", () => {
  const path = (name: string): string => join(runs.dir, name);

  beforeEach(async () => {
    await runs.put(
      "tree.ts",
      `
import { command, file, folder, list, optional, pipeline, sh, table, text } from "hdash";
export const look = command({
  name: "look", takes: { dir: folder(), more: list(folder()) }, gives: { out: file("out.txt") },
  run: ({ dir, more }) => sh\`for d in \${dir} \${more}; do
    (cd \\$d; find . | sort; test -x run && echo executable; cat a/one) || true; done > out.txt\`,
});
export default pipeline({
  name: "tree",
  takes: { dir: folder(), sheet: optional(table({ sample: text(), data: folder() })), more: list(folder()) },
  gives: { out: file() },
  plan: ({ dir, sheet, more }, { run }) =>
    run(look, { dir, more: [...more, ...(sheet ?? []).map(({ data }) => data)] }),
});
`,
    );
    await runs.put("data/a/one", "first\n");
    await runs.put("data/run", "x");
    await chmod(path("data/run"), 0o755);
    await mkdir(path("data/empty"));
    await symlink("a/one", path("data/link"));
    await runs.put("two/a/one", "second\n");
    await runs.put("sheets/s.csv", "sample,data\nB,../two\n");
  });
  const words = (): readonly string[] => [
    ...["--dir", path("data"), "--more", path("two"), "--sheet", path("sheets/s.csv")],
    ...runs.out,
  ];

  test(
    "is known by what is in it, with modes and empty folders, wherever it lies",
    async () => {
      const first = await runs.run("tree.ts", words());
      expect(first.code, first.stderr).toBe(0);
      const two = ".\n./a\n./a/one\nsecond\n";
      expect(await runs.given("out.txt")).toBe(
        `.\n./a\n./a/one\n./empty\n./link\n./run\nexecutable\nfirst\n${two.repeat(2)}`,
      );
      // The two imports, one for both places of the same folder; look; what is given.
      expect(tally(first)).toBe("0 hits, 4 ran, 0 failed");
      expect(tally(await runs.run("tree.ts", words()))).toBe("4 hits, 0 ran, 0 failed");
      await chmod(path("data/run"), 0o644);
      expect(tally(await runs.run("tree.ts", words()))).toBe("1 hit, 3 ran, 0 failed");
      await runs.put("data/a/one", "other\n");
      expect(tally(await runs.run("tree.ts", words()))).toBe("1 hit, 3 ran, 0 failed");
    },
    LONG_MS,
  );

  test("is refused with a link that leads out of it, by its name", async () => {
    await symlink("/etc/hostname", path("data/a/out"));
    const { code, stderr } = await runs.run("tree.ts", words());
    expect(stderr).toMatch(
      /--dir is \S*data: a\/out is a link that leads out of the folder, to \/etc\/hostname/,
    );
    expect(code).toBe(2);
  });
});

test(
  "a step gives folders that may be missing, and several of them",
  async () => {
    await runs.put(
      "many.ts",
      `
import { command, file, folder, integer, list, optional, pipeline, sh, step } from "hdash";
export const split = command({
  name: "split", takes: { n: integer() },
  gives: { parts: list(folder("part-*")), rest: optional(folder("rest")), none: optional(folder("none")) },
  run: ({ n }) => sh\`for i in \\$(seq \${n}); do mkdir part-\\$i; echo \\$i > part-\\$i/number; done; mkdir rest\`,
});
export const pick = step({
  name: "pick", takes: { parts: list(folder()) }, gives: { picked: list(folder()), best: optional(folder()) },
  async run({ parts }, { write }) {
    const all = [];
    for (const part of parts) {
      const text = await part.at("number").text();
      if (text.trim() === "2") continue;
      await write(text.trim() + "/n", text);
      all.push({ path: text.trim() });
    }
    return { picked: all };
  },
});
export const look = command({
  name: "look", takes: { parts: list(folder()), rest: optional(folder()), none: optional(folder()) },
  gives: { out: file("out.txt") },
  run: ({ parts, rest, none }) => sh\`echo \${parts} \${rest} / \${none} > out.txt; cat */*/n >> out.txt; ls -d \${rest} >> out.txt\`,
});
export default pipeline({
  name: "many", takes: { n: integer() }, gives: { out: file(), picked: list(folder()), rest: optional(folder()) },
  plan({ n }, { run }) {
    const { parts, rest, none } = run(split, { n });
    const { picked, best } = run(pick, { parts });
    return { out: run(look, { parts: picked, rest, none: best }).out, picked, rest };
  },
});
`,
    );
    const { code, stderr } = await runs.run("many.ts", ["--n", "3", ...runs.out]);
    expect(code, stderr).toBe(0);
    expect(await runs.given("out.txt")).toBe("parts/1 parts/2 rest /\n1\n3\nrest\n");
    expect(await runs.given("picked/000001/n")).toBe("3\n");
    expect(tally(await runs.run("many.ts", ["--n", "3"]))).toBe("4 hits, 0 ran, 0 failed");
  },
  LONG_MS,
);

test(
  "a missing cell is null, or its column's default, and has the key that these have",
  async () => {
    const source = (rows: string): string => `
import { integer, optional, pipeline, step, table, text } from "hdash";
const sheet = table({ sample: text(), k: integer(6), note: optional(text()) });
export const sum = step({
  name: "sum", takes: { rows: sheet }, gives: { told: text() },
  run: ({ rows }) => ({ told: JSON.stringify(rows) }),
});
export default pipeline({
  name: "cells", takes: { sheet }, gives: { told: text() },
  plan: ({ sheet }, { run }) => run(sum, { rows: ${rows} }),
});
`;
    // The code of another plan is none of the step's, which is in a module of its own.
    await runs.put("steps.ts", source("[]"));
    const use = (rows: string): Promise<void> =>
      runs.put(
        "cells.ts",
        `import { pipeline, table, text, integer, optional } from "hdash"; import { sum } from "./steps.ts";
export default pipeline({
  name: "cells", takes: { sheet: table({ sample: text(), k: integer(6), note: optional(text()) }) }, gives: { told: text() },
  plan: ({ sheet }, { run }) => run(sum, { rows: ${rows} }),
});`,
      );
    await runs.put("s.csv", "sample,k\nA,\nB,7\n");
    await use("sheet");
    const sheet = ["--sheet", join(runs.dir, "s.csv"), ...runs.out];
    const first = await runs.run("cells.ts", sheet);
    expect(first.code, first.stderr).toBe(0);
    const told = JSON.parse(await runs.given("results.json")) as { readonly told: string };
    // The value of a text is in a blob of its own.
    expect(JSON.parse(told.told)).toEqual([
      { sample: "A", k: 6, note: null },
      { sample: "B", k: 7, note: null },
    ]);
    await runs.put("s.csv", "sample,note\nA,\nB,\n");
    await use("[{ sample: 'A', k: 6 }, { note: undefined, k: 7, sample: 'B' }]");
    expect(tally(await runs.run("cells.ts", sheet))).toBe("2 hits, 0 ran, 0 failed");
    await use("sheet");
    await runs.put("s.csv", "sample\nA\n");
    const { stderr } = await runs.run("cells.ts", sheet);
    expect(stderr).toContain("2 ran");
  },
  LONG_MS,
);

test("a value of another step is looked at by who takes it as something narrower", async () => {
  await runs.put(
    "narrow.ts",
    `
import { integer, number, pipeline, step } from "hdash";
export const half = step({
  name: "half", takes: { n: integer() }, gives: { half: number() }, run: ({ n }) => ({ half: n / 2 }),
});
export const square = step({
  name: "square", takes: { n: integer() }, gives: { squared: integer() }, run: ({ n }) => ({ squared: n * n }),
});
export default pipeline({
  name: "narrow", takes: { n: integer() }, gives: { squared: integer() },
  plan: ({ n }, { run }) => run(square, { n: run(half, { n }).half }),
});
`,
  );
  expect(tally(await runs.run("narrow.ts", ["--n", "6"]))).toBe("0 hits, 3 ran, 0 failed");
  const { code, stderr } = await runs.run("narrow.ts", ["--n", "5"]);
  expect(stderr).toMatch(/square #1: n is 2\.5, and should be a whole number/);
  expect(code).toBe(1);
});
