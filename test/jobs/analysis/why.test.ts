// hdash why: why a result was made, through the steps that ran only because another did, and why the steps of a run ran.

import { cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type Ended, hdash } from "../../support/command.ts";
import { schemaProblems } from "../../support/jsonSchema.ts";
import { openPipelineRuns, type PipelineRuns, tally } from "./support/pipelineRuns.ts";

const EXAMPLE = join(import.meta.dirname, "../../../examples/02-kmer");

let runs: PipelineRuns;
const home = (): Readonly<Record<string, string>> => ({ HDASH_HOME: join(runs.dir, "home") });
const why = (...words: readonly string[]): Promise<Ended> => hdash(["why", ...words], home());
const run = (...words: readonly string[]): Promise<Ended> =>
  runs.run("kmer.ts", ["--sheet", join(runs.dir, "samples.csv"), ...words]);

/** What is said, without times and digests. */
async function said(...words: readonly string[]): Promise<string> {
  const ended = await why(...words);
  expect(ended.code, ended.stderr).toBe(0);
  return ended.stdout
    .replaceAll(/\d+(\.\d+)? m?s\b/g, "T")
    .replaceAll(/\d+ \w+ \d{4}, \d\d:\d\d UTC/g, "WHEN")
    .replaceAll(/\b[0-9a-f]{4}…/g, "D…")
    .replaceAll(/\d+ vCPU \w+/g, "MACHINE");
}

async function edit(name: string, from: string, to: string): Promise<void> {
  const text = await readFile(join(runs.dir, name), "utf8");
  expect(text).toContain(from);
  await writeFile(join(runs.dir, name), text.replace(from, to));
}

// One story, told in order: each test's run is the one that the next compares with.
describe("hdash why", () => {
  beforeAll(async () => {
    runs = await openPipelineRuns();
    await cp(EXAMPLE, runs.dir, { recursive: true });
    expect(tally(await run())).toBe("0 hits, 12 ran, 0 failed");
  });
  afterAll(() => runs.remove());

  test("says that nothing was there to compare the first with", async () => {
    expect(await said("kmer.comparison")).toBe(
      "compare #1 ran WHEN in run 1 (attempt 1, T, in-process, MACHINE): no run before it has ended well\n",
    );
  });

  test("follows what changed through the steps that ran because of it, down to the byte", async () => {
    const text = await readFile(join(runs.dir, "data/B_2.fa"), "utf8");
    const [head = "", ...lines] = text.split("\n");
    const bases = lines.join("\n").replaceAll("A", "C");
    await writeFile(join(runs.dir, "data/B_2.fa"), `${head}\n${bases}`);
    expect(tally(await run())).toBe("7 hits, 5 ran, 0 failed");
    const told = await said("kmer.comparison");
    const offset = head.length + 1 + lines.join("\n").indexOf("A");
    const size = text.length;
    expect(
      told
        .replaceAll(/counts of count B_2\.fa, [^)]*/g, "counts")
        .replaceAll(/merged of merge B, [^)]*/g, "merged"),
    ).toBe(`compare #1 ran WHEN in run 2 (attempt 1, T, in-process, MACHINE); against run 1:
  samples[1].counts   sha256 D… → D… (merged)
    merge B ran, because:
      tables[1]   sha256 D… → D… (counts)
        count B_2.fa ran, because:
          lane   sha256 D… → D… (B_2.fa, ${size} bytes both); bytes differ from offset ${offset} on
          not changed: k, version, code, uses, kind
      not changed: min, version, code, uses, kind
  not changed: version, code, kind
`);
    const json = JSON.parse((await why("kmer.comparison", "--json")).stdout) as unknown;
    expect(schemaProblems("why", json)).toEqual([]);
    expect(json).toMatchObject({
      ...{ call: { step: "compare", label: "#1" }, runId: "2", against: "1", isNew: false },
      reasons: [
        {
          field: "samples[1].counts",
          ran: { call: { step: "merge", label: "B" }, reasons: [{ field: "tables[1]" }] },
        },
      ],
    });
  });

  test("says of a run why each of its steps ran, and that a later one has found the result", async () => {
    expect((await said("2")).split("\n").map((line) => line.split(":")[0])).toEqual([
      ...[
        "Run 2 has run 3 steps, against run 1",
        "  count B_2.fa",
        "  merge B",
        "  compare #1",
        "",
      ],
    ]);
    const json = JSON.parse((await why("2", "--json")).stdout) as unknown;
    expect(schemaProblems("why", json)).toEqual([]);
    expect(tally(await run())).toBe("12 hits, 0 ran, 0 failed");
    expect(await said("kmer")).toBe("Run 3 has run no step: it has found all it asked for.\n");
    expect(await said("kmer.comparison")).toContain(
      "\nRun 3 has found it: compare #1 has not run since run 2.\n",
    );
  });

  test("names the module and the used file that changed, and what was given one more", async () => {
    await edit("samples.csv", "B,data/B_2.fa", "A,data/B_1.fa\nB,data/B_2.fa");
    await edit("bin/merge.sh", "\n", "\n# another\n");
    expect((await run()).code).toBe(0);
    const told = await said("4");
    expect(told).toContain("  merge A: tables[2] is new: sha256 D… (counts of count B_1.fa, ");
    expect(told).toContain("what it uses changed: bin/merge.sh");
    await edit(
      "kmer.ts",
      "return { comparison",
      "const none = 0;\n    void none;\n    return { comparison",
    );
    expect((await run()).code).toBe(0);
    expect(await said("5")).toContain("its code changed: kmer.ts");
  });

  test("says that somebody insisted, that a blob was gone, or was refused", async () => {
    expect((await run("--force", "merge")).code).toBe(0);
    expect(await said("6")).toContain(
      "merge × 2: its result was known, and somebody insisted (--force) (A, B)",
    );
    await rm(join(runs.dir, "home/blobs"), { recursive: true });
    expect((await run()).code).toBe(0);
    expect(await said("7")).toContain("its result was known, but its blob was gone");
  });

  test.each([
    [["kmer.nothing"], "kmer.nothing: run 7 of kmer has given no nothing"],
    [["kmer.comparison", "--against", "999"], '--against: there is no run "999"'],
  ])("refuses %j", async (words, says) => {
    const ended = await why(...words);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain(says);
  });
});

describe("hdash why, of a step that gives the bytes that it was given", () => {
  test("names who gave them first, and never the step itself", async () => {
    const own = await openPipelineRuns();
    await own.put(
      "same.ts",
      `import { file, pipeline, step } from "hdash";
      export const pick = step({ name: "pick", takes: { from: file() }, gives: { out: file() },
        run: async ({ from }, { write }) => ({ out: await write("out", await from.text()) }) });
      export const scale = step({ name: "scale", takes: { vals: file() }, gives: { out: file() },
        run: async ({ vals }, { write }) => ({ out: await write("out", await vals.text()) }) });
      export default pipeline({ name: "same", takes: { from: file() }, gives: { out: file() },
        plan: ({ from }, { run }) => run(scale, { vals: run(pick, { from }).out }) });`,
    );
    const from = join(own.dir, "from.txt");
    const env = { HDASH_HOME: join(own.dir, "home") };
    for (const content of ["one\n", "two\n"]) {
      await own.put("from.txt", content);
      expect((await own.run("same.ts", ["--from", from])).code).toBe(0);
    }
    const ended = await hdash(["why", "same.out"], env);
    const told = ended.stdout.replaceAll(/\b[0-9a-f]{4}…/g, "D…").split("\n");
    // All three have the same bytes: what gave them first is what has changed.
    expect(told.slice(1)).toEqual([
      "  vals   sha256 D… → D… (from.txt, 4 bytes both); bytes differ from offset 0 on",
      "  not changed: version, code, kind",
      "",
    ]);
    const run = await hdash(["why", "same"], env);
    expect(run.stdout.replaceAll(/\b[0-9a-f]{4}…/g, "D…")).toContain(
      "scale from.txt: its input vals changed: sha256 D… → D… (from.txt, 4 bytes both)",
    );
    await own.remove();
  });
});

describe("hdash why NAME of a value that the plan gives", () => {
  test("says that no step has made it", async () => {
    const own = await openPipelineRuns();
    await own.put(
      "plain.ts",
      `import { integer, pipeline } from "hdash";
      export default pipeline({ name: "plain", takes: { k: integer(3) }, gives: { twice: integer() },
        plan: ({ k }) => ({ twice: 2 * k }) });`,
    );
    expect((await own.run("plain.ts")).code).toBe(0);
    const ended = await hdash(["why", "plain.twice"], { HDASH_HOME: join(own.dir, "home") });
    expect(ended.stdout).toBe("plain.twice is a value of the plan, made by no step: 6\n");
    expect(await readdir(own.dir)).toContain("home");
    await own.remove();
  });
});
