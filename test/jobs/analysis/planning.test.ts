// hdash plan: what a run would do and why, said without doing it; and that the run then does just that.

import { createHash } from "node:crypto";
import { appendFile, cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { type Ended, hdash } from "../../support/command.ts";
import { schemaProblems } from "../../support/jsonSchema.ts";
import { openPipelineRuns, type PipelineRuns, tally } from "./support/pipelineRuns.ts";

const EXAMPLE = join(import.meta.dirname, "../../../examples/02-kmer");

const SHA_OF_FAR = createHash("sha256").update("far").digest("hex");

let runs: PipelineRuns;
beforeEach(async () => {
  runs = await openPipelineRuns();
  await cp(EXAMPLE, runs.dir, { recursive: true });
});
afterEach(() => runs.remove());

/** What `hdash plan --json` says. */
interface Told {
  readonly tally: Readonly<Record<string, number>>;
  readonly unread: readonly string[];
  readonly given: number;
  readonly against: string | null;
  readonly calls: readonly {
    readonly step: string;
    readonly label: string;
    readonly state: string;
    readonly because: string | null;
    readonly waitsFor: readonly string[];
    readonly reasons: readonly { readonly field: string; readonly says: string }[];
  }[];
}

const sheet = (): readonly string[] => ["--sheet", join(runs.dir, "samples.csv")];

function plan(...words: readonly string[]): Promise<Ended> {
  const home = { HDASH_HOME: join(runs.dir, "home") };
  return hdash(["plan", join(runs.dir, "kmer.ts"), ...sheet(), ...words], home);
}

async function told(...words: readonly string[]): Promise<Told> {
  const ended = await plan("--json", ...words);
  expect(ended.code, ended.stderr).toBe(0);
  return JSON.parse(ended.stdout) as Told;
}

/** "run count A_1.fa: why", of what is no hit. */
function brief({ calls }: Told): readonly string[] {
  return calls
    .filter(({ state }) => state !== "hit")
    .map(({ step, label, state, because, reasons }) => {
      const why = because ?? reasons.map(({ says }) => says).join("; ");
      return `${state} ${step} ${label}${why === "" ? "" : `: ${why}`}`;
    });
}

describe("hdash plan ./kmer.ts", () => {
  test("says before the first run that all has to be done, and does nothing", async () => {
    const first = await told();
    expect(first).toMatchObject({ given: 4, against: null, unread: [] });
    expect(first.tally).toMatchObject({ calls: 7, hit: 0, run: 4, unknown: 3, failed: 0 });
    expect(first.calls.map(({ step, label, waitsFor }) => [step, label, waitsFor])).toEqual([
      ["count", "A_1.fa", []],
      ["count", "A_2.fa", []],
      ["count", "B_1.fa", []],
      ["count", "B_2.fa", []],
      ["merge", "A", ["count A_1.fa", "count A_2.fa"]],
      ["merge", "B", ["count B_1.fa", "count B_2.fa"]],
      ["compare", "#1", ["merge A", "merge B"]],
    ]);
    // Nothing was done: the run after it does all of it.
    const list = await hdash(["runs", "--json"], { HDASH_HOME: join(runs.dir, "home") });
    expect(list.stdout).toBe("");
    expect(tally(await runs.run("kmer.ts", sheet()))).toBe("0 hits, 12 ran, 0 failed");
  });

  test("names the field that changed, for every kind of change, and what waits for it", async () => {
    expect(tally(await runs.run("kmer.ts", sheet()))).toBe("0 hits, 12 ran, 0 failed");
    expect((await told()).tally).toMatchObject({ hit: 7, run: 0, unknown: 0 });

    await appendFile(join(runs.dir, "data/B_2.fa"), "ACGTACGTAA\nACGTACGTAA\n");
    const ofInput = await told();
    expect(brief(ofInput)).toEqual([
      expect.stringMatching(
        /^run count B_2\.fa: its input lane changed: sha256 \w{4}… → \w{4}… \(B_2\.fa in row 5 of samples\.csv, \d+ → \d+ bytes\)$/,
      ),
      "unknown merge B: a hit if that gives what it gave",
      "unknown compare #1: a hit if that gives what it gave",
    ]);
    expect(ofInput.calls[0]?.reasons).toEqual([]);
    expect(schemaProblems("plan", ofInput)).toEqual([]);
    const text = await plan();
    expect(text.stdout.replaceAll(/\d+(\.\d+)? m?s\b/g, "T")).toMatch(
      /^kmer {3}7 steps: 1 would run, 4 are hits, 2 depend on what runs {3}T\n {2}run {3}count B_2\.fa {3}its input lane changed: .*\n {2}\? {5}merge B {8}reads count B_2\.fa: a hit if that gives what it gave, else about T\n/,
    );
    // The run does what was said: an import, a count, a merge, the comparison and what is given.
    expect(tally(await runs.run("kmer.ts", sheet()))).toBe("7 hits, 5 ran, 0 failed");

    // A line without a k-mer: the count gives what it gave, and all that waits for it is a hit.
    await appendFile(join(runs.dir, "data/B_2.fa"), "ACGT\n");
    expect(brief(await told()).at(1)).toBe("unknown merge B: a hit if that gives what it gave");
    expect(tally(await runs.run("kmer.ts", sheet()))).toBe("10 hits, 2 ran, 0 failed");

    expect(brief(await told("--k", "5")).slice(0, 4)).toEqual(
      ["A_1", "A_2", "B_1", "B_2"].map((lane) => `run count ${lane}.fa: k changed: 6 → 5`),
    );
    await appendFile(join(runs.dir, "bin/merge.sh"), "# another\n");
    expect(brief(await told())).toEqual([
      "run merge A: what it uses changed: bin/merge.sh",
      "run merge B: what it uses changed: bin/merge.sh",
      "unknown compare #1: a hit if that gives what it gave",
    ]);
    expect(brief(await told("--force")).slice(0, 1)).toEqual([
      "run count A_1.fa: you insist: --force",
    ]);
  });

  test("stands still where the plan reads what is not known yet, and says so", async () => {
    await runs.put(
      "reads.ts",
      `import { integer, list, pipeline, step, text } from "hdash";
      export const split = step({ name: "split", takes: { words: text() }, gives: { parts: list(text()) },
        run: ({ words }) => ({ parts: words.split(" ") }) });
      export const size = step({ name: "size", takes: { word: text() }, gives: { size: integer() },
        run: ({ word }) => ({ size: word.length }) });
      export default pipeline({ name: "reads", takes: { words: text() }, gives: { sizes: list(integer()) },
        async plan({ words }, { run, read }) {
          const parts = await read(run(split, { words }).parts);
          return { sizes: parts.map((word) => run(size, { word }).size) };
        } });`,
    );
    const reads = (...words: readonly string[]): Promise<Ended> =>
      hdash(["plan", join(runs.dir, "reads.ts"), ...words], { HDASH_HOME: join(runs.dir, "home") });
    const before = await reads("--words", "a bc");
    expect(before.stdout).toContain("reads   1 step: 1 would run");
    expect(before.stdout).toContain(
      "What comes behind is not known: the plan reads what split a bc would give.",
    );
    expect(tally(await runs.run("reads.ts", ["--words", "a bc"]))).toBe("0 hits, 4 ran, 0 failed");
    expect((await reads("--words", "a bc")).stdout).toContain("reads   3 steps: 3 are hits");
  });

  test("goes on where a part of the plan still reads a file while another waits for what is not known", async () => {
    await runs.put(
      "both.ts",
      `import { file, integer, pipeline, step } from "hdash";
      export const twice = step({ name: "twice", takes: { of: integer() }, gives: { twice: integer() },
        run: ({ of }) => ({ twice: of * 2 }) });
      export default pipeline({ name: "both", takes: { book: file() }, gives: { twice: integer(), again: integer() },
        async plan({ book }, { run, read }) {
          const waits = read(run(twice, { of: 1 }).twice).then((of) => run(twice, { of }));
          const text = await read(book);
          let lines = 0;
          for await (const _line of text.lines()) lines++;
          const counted = run(twice, { of: lines });
          return { twice: counted.twice, again: (await waits).twice };
        } });`,
    );
    await writeFile(join(runs.dir, "book.txt"), "a line of a long book\n".repeat(50_000));
    const ended = await hdash(
      ["plan", join(runs.dir, "both.ts"), "--book", join(runs.dir, "book.txt"), "--json"],
      { HDASH_HOME: join(runs.dir, "home") },
    );
    expect(ended.code, ended.stderr).toBe(0);
    const { calls } = JSON.parse(ended.stdout) as Told;
    expect(calls.filter(({ step }) => step === "twice").map(({ label }) => label)).toEqual([
      "#1",
      "#2",
    ]);
  });

  test("reads what was given where it lies, before anything ran, and waits for data that nobody has fetched", async () => {
    await runs.put(
      "given.ts",
      `import { data, file, folder, integer, pipeline, step, text } from "hdash";
      export const size = step({ name: "size", takes: { word: text() }, gives: { size: integer() },
        run: ({ word }) => ({ size: word.length }) });
      export default pipeline({ name: "given", takes: { book: file(), site: folder() }, gives: { size: integer() },
        async plan({ book, site }, { run, read }) {
          const of = (word, label) => run(size, { word }, { label });
          of(await (await read(book)).text(), "file");
          of(await (await read(site)).at("in/deep.txt").text(), "folder");
          of(await (await read(site.at("in/deep.txt"))).text(), "file of a folder");
          const far = data("far.txt", { sha256: "${SHA_OF_FAR}" });
          return of(await (await read(far)).text(), "data");
        } });`,
    );
    const at = (name: string): string => join(runs.dir, name);
    await mkdir(at("site/in"), { recursive: true });
    await writeFile(at("book.txt"), "a book");
    await writeFile(at("site/in/deep.txt"), "deep");
    await writeFile(at("far.txt"), "far");
    const given = ["--book", at("book.txt"), "--site", at("site")];
    const planned = async (): Promise<Told> => {
      const ended = await hdash(["plan", at("given.ts"), ...given, "--json"], {
        HDASH_HOME: at("home"),
      });
      expect(ended.code, ended.stderr).toBe(0);
      return JSON.parse(ended.stdout) as Told;
    };
    const before = await planned();
    expect(before.calls.map(({ label, state }) => `${state} ${label}`)).toEqual([
      "run file",
      "run folder",
      "hit file of a folder",
    ]);
    expect(before.unread).toEqual([expect.stringContaining("far.txt")]);
    expect(tally(await runs.run("given.ts", given))).toBe("0 hits, 7 ran, 0 failed");
    const after = await planned();
    expect(after.tally).toMatchObject({ calls: 4, hit: 4, run: 0 });
    expect(after.unread).toEqual([]);
  });

  test("tells of a label or a scope of several lines in one", async () => {
    await runs.put(
      "odd.ts",
      `import { integer, pipeline, step } from "hdash";
      export const one = step({ name: "one", takes: {}, gives: { n: integer() }, run: () => ({ n: 1 }) });
      export default pipeline({ name: "odd", takes: {}, gives: { n: integer() },
        plan: async (_none, { run, scope }) => {
          await scope("a\\nscope", () => run(one, {}, { label: "two\\nlines\\tand more" }));
          return run(one, {}, { label: "plain" });
        } });`,
    );
    const ended = await hdash(["plan", join(runs.dir, "odd.ts")], {
      HDASH_HOME: join(runs.dir, "home"),
    });
    expect(ended.stdout.split("\n").slice(1)).toEqual([
      expect.stringMatching(
        /^ {2}run {3}one two\\nlines\\tand more in a\\nscope {3}it has not run before as two\\nlines\\tand more$/,
      ),
      "Nobody knows how long the work takes.",
      "There is no run that ended well to compare with.",
      "",
    ]);
  });

  test("compares a call with none that is there under its own name, and says so of a new one", async () => {
    await runs.run("kmer.ts", sheet());
    await cp(join(runs.dir, "data/B_2.fa"), join(runs.dir, "data/C.fa"));
    await appendFile(join(runs.dir, "data/C.fa"), "ACGTACGTAA\nACGTACGTAA\n");
    const csv = join(runs.dir, "samples.csv");
    const text = await readFile(csv, "utf8");
    await writeFile(csv, text.replace("B_2.fa", "C.fa"));
    expect(brief(await told()).slice(0, 1)).toEqual([
      expect.stringMatching(
        /^run count C\.fa: its input lane changed: .* \(B_2\.fa → C\.fa in row 5/,
      ),
    ]);
    await writeFile(csv, `${text}Z,data/C.fa\n`);
    expect(brief(await told()).slice(0, 2)).toEqual([
      "run count C.fa: it has not run before as C.fa",
      "unknown merge Z",
    ]);
  });

  test("says which blob's absence makes a step run again", async () => {
    await runs.run("kmer.ts", sheet());
    await rm(join(runs.dir, "home/blobs"), { recursive: true });
    expect(brief(await told()).slice(0, 1)).toEqual([
      "run count A_1.fa: its result is known, but a blob of it is gone",
    ]);
  });
});

describe("hdash plan --save FILE, and hdash run --plan FILE", () => {
  test("lets a run do what was planned, and refuses it once the world has moved", async () => {
    const file = join(runs.dir, "plan.json");
    expect((await plan("--save", file)).code).toBe(0);
    const planned = await runs.run("kmer.ts", [...sheet(), "--plan", file]);
    expect(planned.code, planned.stderr).toBe(0);
    expect(tally(planned)).toBe("0 hits, 12 ran, 0 failed");
    // Also of what depends on what runs.
    await appendFile(join(runs.dir, "data/B_2.fa"), "ACGTACGTAA\nACGTACGTAA\n");
    expect((await plan("--save", file)).code).toBe(0);
    await appendFile(join(runs.dir, "bin/merge.sh"), "# another\n");
    const moved = await runs.run("kmer.ts", [...sheet(), "--plan", file]);
    expect(moved.stderr).toContain("merge B is another call now");
    const again = await runs.run("kmer.ts", [...sheet(), "--plan", file]);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain(
      `the world has moved since ${file} was saved: merge A was hit, is run`,
    );
    const other = await runs.run("kmer.ts", [...sheet(), "--k", "5", "--plan", file]);
    expect(other.code).toBe(1);
    expect(other.stderr).toContain("kmer was given other values then");
  });

  test.each([
    ["no plan at all", "{}", "is no plan that hdash has saved"],
    ["no JSON", "plan", "cannot be read as a plan"],
    [
      "another pipeline's",
      '{"hdashPlan":1,"pipeline":"words","params":"","calls":[]}',
      "is a plan of words, not of kmer",
    ],
  ])("refuses a file that is %s", async (_name, content, says) => {
    const file = join(runs.dir, "plan.json");
    await writeFile(file, content);
    const ended = await runs.run("kmer.ts", [...sheet(), "--plan", file]);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain(`${file} ${says}`);
  });

  test("says where a plan cannot be saved", async () => {
    const ended = await plan("--save", join(runs.dir, "no/such/folder/p.json"));
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain("the plan cannot be saved as");
  });
});
