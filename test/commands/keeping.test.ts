// hdash gc, du, export and import as users type them, on a ledger of their own, with what they print held to the schemas in docs.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type Ended, hdash } from "../support/command.ts";
import { schemaProblems } from "../support/jsonSchema.ts";

const LONG_MS = 120_000;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-keeping-"));
  await writeFile(join(dir, "package.json"), '{ "type": "module" }');
  await writeFile(join(dir, "words.ts"), PIPELINE);
  for (const [book, text] of Object.entries({ a: "one two", b: "one two three" })) {
    await writeFile(join(dir, book), text);
    const { code, stderr } = await ask("run", join(dir, "words.ts"), "--book", join(dir, book));
    expect(code, stderr).toBe(0);
  }
}, LONG_MS);
afterAll(() => rm(dir, { recursive: true, force: true }));

const PIPELINE = `import { file, pipeline, step } from "hdash";

export const shout = step({
  name: "shout",
  takes: { book: file() },
  gives: { loud: file() },
  run: async ({ book }, { write }) => ({ loud: await write("loud", (await book.text()).toUpperCase()) }),
});

export default pipeline({
  name: "words",
  takes: { book: file() },
  gives: { loud: file() },
  plan: ({ book }, { run }) => run(shout, { book }),
});
`;

function ask(...args: readonly string[]): Promise<Ended> {
  return hdash(args, { HDASH_HOME: join(dir, "home") });
}

/** Reads what a command has printed, which has to be as its schema says. */
function checked(name: string, text: string): unknown {
  const value: unknown = JSON.parse(text);
  expect(schemaProblems(name, value)).toEqual([]);
  return value;
}

describe("hdash du", () => {
  test(
    "says what takes how much, by pipeline, step and run, and as JSON",
    async () => {
      const said = await ask("du", "--runs");
      expect(said.stderr).toBe("");
      expect(said.stdout).toMatch(/^ +blobs +bytes +stored +gc$/m);
      expect(said.stdout).toMatch(/^words +\d+ +\d+ B +\d+ B +0 B$/m);
      expect(said.stdout).toMatch(/^ {2}shout +2 +20 B +20 B +0 B$/m);
      expect(said.stdout).toMatch(/^run 1 words +/m);
      expect(said.stdout).toMatch(/^stored +\d+ B in the folder \(\d+ blobs\)$/m);
      const { stdout } = await ask("du", "--runs", "--json");
      const use = checked("du", stdout) as { readonly steps: readonly object[] };
      expect(use).toMatchObject({ unowned: { blobs: 0 }, runs: [{ run: "2" }, { run: "1" }] });
      expect(use.steps.find((one) => "step" in one && one.step === "shout")).toMatchObject({
        ...{ pipeline: "words", results: 2, blobs: 2, bytes: 20, logicalBytes: 20 },
      });
    },
    LONG_MS,
  );
});

describe("hdash export and hdash import", () => {
  test(
    "bring a result to an empty home, where the same run is all hits",
    async () => {
      const out = join(dir, "loud.tar.zst");
      const said = await ask("export", "words.loud", out);
      expect(said.stderr).toBe("");
      expect(said.stdout).toMatch(/loud\.tar\.zst: 3 results of 1 run, \d blobs, \d+ B$/m);
      checked("export", (await ask("export", "2", join(dir, "run2"), "--json")).stdout);
      const there = { HDASH_HOME: join(dir, "elsewhere") };
      const { stdout, stderr } = await hdash(["import", join(dir, "run2"), "--json"], there);
      expect(stderr).toBe("");
      expect(checked("import", stdout)).toMatchObject({ results: 3, known: 0, runs: ["2"] });
      const again = await hdash(["import", out], there);
      expect(again.stdout).toMatch(/: 0 results, 3 results known already, run 2, 0 blobs, 0 B$/m);
      const run = ["run", join(dir, "words.ts"), "--book", join(dir, "b")];
      expect((await hdash(run, there)).stderr).toMatch(/\(3 hits, 0 ran, 0 failed\)/);
      const taken = await ask("export", "words.loud", out);
      expect(taken.stderr).toContain("loud.tar.zst is there already");
      expect(taken.code).toBe(2);

      // Alone it is found by its name, and its run is no run to compare with: nobody knows what else that has done.
      const alone = { HDASH_HOME: join(dir, "alone") };
      expect((await hdash(["import", out], alone)).code).toBe(0);
      const made = await hdash(["provenance", "words.loud"], alone);
      expect(made.stdout).toMatch(/^loud {2}sha256:\w+ {2}13 B {2}given by shout /);
      const plan = await hdash(["plan", join(dir, "words.ts"), "--book", join(dir, "a")], alone);
      expect(plan.stdout).toContain("There is no run that ended well to compare with.");
    },
    LONG_MS,
  );
});

describe("hdash gc", () => {
  test(
    "tells what would go, removes just that, and the next run makes it again",
    async () => {
      const told = await ask("gc", "--keep", "1 run", "--grace", "0h", "--dry-run");
      expect(told.stdout).toMatch(/^kept +\d+ blobs, \d+ B: needed by 1 run, or published$/m);
      expect(told.stdout).toMatch(/^would go +\d+ blobs, \d+ B$/m);
      const json = await ask("gc", "--keep", "1 run", "--grace", "0h", "--json");
      const done = checked("gc", json.stdout) as { removed: { blobs: number; bytes: number } };
      expect(told.stdout).toContain(
        `would go  ${done.removed.blobs} blobs, ${done.removed.bytes} B`,
      );
      expect(done).toMatchObject({ dryRun: false, keptRuns: ["2"], records: null });
      const again = await ask("run", join(dir, "words.ts"), "--book", join(dir, "b"));
      expect(again.stderr).toMatch(/\(3 hits, 0 ran, 0 failed\)/);
      const first = await ask("run", join(dir, "words.ts"), "--book", join(dir, "a"));
      expect(first.code).toBe(0);
      expect(first.stderr).toMatch(/is missing; the step is done again/);
    },
    LONG_MS,
  );

  test.each([
    [["gc", "--grace", "soon"], "--grace soon is no age"],
    [["gc", "--keep", "nothing.there"], "--keep nothing.there: "],
  ])(
    "refuses %j",
    async (args, says) => {
      const { code, stderr } = await ask(...args);
      expect(stderr).toContain(says);
      expect(code).toBe(2);
    },
    LONG_MS,
  );
});
