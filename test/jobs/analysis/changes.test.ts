// A pipeline of three levels, and for every kind of change the very steps that run, and no other.

import { chmod, rename, rm } from "node:fs/promises";
import { join } from "node:path";

import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { LANES, lockFile, packageFiles } from "./support/lanes.ts";
import {
  type Files,
  openPipelineRunner,
  type PipelineRunner,
  ranOf,
  type TracedRun,
  writeFolder,
} from "./support/pipelineRunner.ts";

/** What is changed. */
interface Change {
  /** Files that are other ones, or new. */
  readonly files?: Files;
  /** Of a file of the pipeline, what stands there now and what is to; all places. */
  readonly edit?: readonly [file: string, from: string, to: string];
  readonly values?: Readonly<Record<string, unknown>>;
  /** Something else that is done to the folder. */
  readonly act?: (folder: string) => Promise<unknown>;
}

const LANE_NAMES = ["A_1", "A_2", "B_1", "B_2", "C_1"];
const counts = LANE_NAMES.map((name) => `count ${name}.fa`);
const merges = ["merge A", "merge B", "merge C"];
/** What is there at the end of each run where what is reported is another. */
const reported = ["report all", "results"];
const all = [
  ...LANE_NAMES.map((name) => `import file ${name}.fa`),
  ...counts,
  ...merges,
  ...reported,
];

let runner: PipelineRunner;
let folders = 0;
beforeAll(async () => {
  runner = await openPipelineRunner();
});
afterAll(() => runner.close());

/** Runs the pipeline in a folder of its own in which something is changed. */
async function runWith({ files = {}, edit, values = {}, act }: Change): Promise<TracedRun> {
  const folder = join(runner.dir, `pipeline ${++folders}`);
  const edited: Record<string, string> = {};
  if (edit !== undefined) {
    const [name, from, to] = edit;
    const text = LANES[name] ?? "";
    expect(text).toContain(from);
    edited[name] = text.replaceAll(from, to);
  }
  await writeFolder(folder, { ...LANES, ...edited, ...files });
  await act?.(folder);
  const given = { sheet: join(folder, "samples.csv"), ...values };
  const run = await runner.run({ file: join(folder, "pipeline.ts"), values: given });
  expect(run).toMatchObject({ status: "succeeded", error: null });
  return run;
}

const sheet = (...rows: readonly string[]): Files => ({
  "samples.csv": `sample,lane\n${rows.map((row) => `${row}\n`).join("")}`,
});
const [A1, A2, B1, B2, C1] = [
  "A,data/A_1.fa",
  "A,data/A_2.fa",
  "B,data/B_1.fa",
  "B,data/B_2.fa",
  "C,data/C_1.fa",
];

describe("a pipeline of three levels, of which all results are known", () => {
  beforeAll(async () => {
    expect(ranOf(await runWith({}))).toEqual([...all].sort());
  });

  test.each<[string, Change, readonly string[]]>([
    ["nothing", {}, []],
    [
      "a byte of one lane",
      { files: { "data/B_2.fa": ">read 4\nACGACGACGC\n" } },
      ["import file B_2.fa", "count B_2.fa", "merge B", ...reported],
    ],
    [
      "a byte that nobody counts: what is counted stays, and so does all that is made of it",
      { files: { "data/B_2.fa": ">read 9\nACGACGACGA\n" } },
      ["import file B_2.fa", "count B_2.fa"],
    ],
    [
      "the place and the name of a file",
      {
        files: sheet("A,other/first.fa", A2, B1, B2, C1),
        act: (folder) => writeFolder(folder, { "other/first.fa": LANES["data/A_1.fa"] ?? "" }),
      },
      [],
    ],
    [
      "the layout of the sheet",
      { files: { "samples.csv": `\ufeff"sample","lane"\r\n${[A1, A2, B1, B2, C1].join("\r\n")}` } },
      [],
    ],
    ["k, of the first step", { values: { k: 3 } }, [...counts, ...merges, ...reported]],
    [
      "min, of the second step, where it changes two of three samples",
      { values: { min: 2 } },
      [...merges, ...reported],
    ],
    ["min, where it changes nothing that is merged", { values: { min: 0 } }, merges],
    ["top, of the last step", { values: { top: 2 } }, reported],
    ["a value that is given as what it is by default", { values: { k: 2, min: 1, top: 3 } }, []],
    [
      "the order of a sample's rows, which is the order of what is merged",
      { files: sheet(A2, A1, B1, B2, C1) },
      ["merge A"],
    ],
    [
      "the order of samples, which is the order of what is reported",
      { files: sheet(B1, B2, A1, A2, C1) },
      ["report all"],
    ],
    [
      "rows of two samples that change places: each sample's own order stays",
      { files: sheet(A1, B1, A2, B2, C1) },
      [],
    ],
    [
      "a row more in the middle",
      { files: { ...sheet(A1, "A,data/A_3.fa", A2, B1, B2, C1), "data/A_3.fa": ">\nCCCCCC\n" } },
      ["import file A_3.fa", "count A_3.fa", "merge A", ...reported],
    ],
    [
      "a row more whose bytes are known",
      { files: sheet(A1, A1, A2, B1, B2, C1) },
      ["merge A", ...reported],
    ],
    [
      "a sample more, in front",
      { files: sheet("D,data/A_1.fa", A1, A2, B1, B2, C1) },
      ["merge D", ...reported],
    ],
    ["a row less", { files: sheet(A1, A2, B1, C1) }, ["merge B", ...reported]],
    [
      "the name of a sample, which no step is given",
      { files: sheet("Z,data/A_1.fa", "Z,data/A_2.fa", B1, B2, C1) },
      [],
    ],
    ["code of the first step", { edit: ["count.ts", "< ${lane} >", "0<${lane} >"] }, counts],
    [
      "code of one step, which then gives something else",
      { edit: ["merge.ts", "?? 0) + n", "?? 0) + 2 * n"] },
      [...merges, ...reported],
    ],
    [
      "code of a helper that two steps share",
      { edit: ["table.ts", "Number(times)", "Number(times ?? 0)"] },
      [...merges, "report all"],
    ],
    [
      "code of the plan, which is in no step's key",
      { edit: ["pipeline.ts", "const tables", "console.assert(k > 0);\n    const tables"] },
      [],
    ],
    ["comments and layout of all modules", { edit: ["table.ts", "\n", "\n\n  // Why.\n"] }, []],
    ["types and names of types", { edit: ["table.ts", "Row", "Line"] }, []],
    [
      "the name of a module",
      {
        edit: ["report.ts", "./table.ts", "./lib/tables.ts"],
        files: { "merge.ts": (LANES["merge.ts"] ?? "").replace("./table.ts", "./lib/tables.ts") },
        act: (folder) => writeFolder(folder, { "lib/tables.ts": LANES["table.ts"] ?? "" }),
      },
      [],
    ],
    [
      "a package of the lockfile",
      { files: { "package-lock.json": lockFile("1.0.1"), ...packageFiles("1.0.1") } },
      ["report all"],
    ],
    [
      "a package that nobody imports",
      { files: { "package-lock.json": lockFile("1.0.0", "2.0.0") } },
      [],
    ],
    ["a used script", { edit: ["bin/count.sh", "# Counts", "# Tells"] }, counts],
    [
      "a used script's mode",
      { act: (folder) => chmod(join(folder, "bin/count.sh"), 0o644) },
      counts,
    ],
    [
      "a used script's name",
      {
        edit: ["count.ts", "count.sh", "words.sh"],
        act: (folder) => rename(join(folder, "bin/count.sh"), join(folder, "bin/words.sh")),
      },
      counts,
    ],
    ["a file more in a used folder", { files: { "bin/more.sh": "#!/bin/bash\n" } }, counts],
    [
      "a file beside, which no step uses",
      {
        files: { "notes.txt": "Read me.\n" },
        act: (folder) =>
          rm(join(folder, "package.json")).then(() =>
            writeFolder(folder, { "package.json": '{"type":"module"}' }),
          ),
      },
      [],
    ],
  ])("runs for %s what has to run, and no other step", async (_change, change, expected) => {
    expect(ranOf(await runWith(change))).toEqual([...expected].sort());
    // What is changed back is found again.
    expect(ranOf(await runWith({}))).toEqual([]);
  });
});

describe("a pipeline of three levels, of which something stored was lost", () => {
  const damage = async (digests: readonly string[], what: "delete" | "change"): Promise<void> => {
    for (const digest of digests) {
      if (what === "delete")
        await sql`delete from blob where digest = ${digest}`.execute(runner.db);
      else {
        await sql`update blob_chunk set bytes = overlay(bytes placing '\\x00000000'::bytea from 6)
          where digest = ${digest}`.execute(runner.db);
      }
    }
  };

  /** The digests of what steps of a run gave. */
  async function given({ steps }: TracedRun, names: readonly string[]): Promise<readonly string[]> {
    const keys = steps.flatMap(({ name, key }) => (names.includes(name) ? [key] : []));
    expect(keys).toHaveLength(names.length);
    const { rows } = await sql<{ digest: string }>`select o.value ->> 'digest' as digest
      from step_result r, jsonb_each(r.outputs) o where r.step_key in (${sql.join(keys)})`.execute(
      runner.db,
    );
    return rows.map(({ digest }) => digest);
  }

  const cases: readonly [string, string[], "delete" | "change", Change, readonly string[]][] = [
    ["a result that is there no more", ["merge B"], "delete", {}, ["merge B"]],
    ["a given file", ["import file C_1.fa"], "delete", {}, ["import file C_1.fa"]],
    ["the last result", ["report all"], "delete", {}, ["report all"]],
    [
      "two results in a row",
      ["count A_1.fa", "merge A"],
      "delete",
      {},
      ["count A_1.fa", "merge A"],
    ],
    [
      "a result that is damaged at equal length, and that nobody reads",
      ["merge B"],
      "change",
      {},
      [],
    ],
    [
      "the same, read by a step that runs",
      ["merge B"],
      "change",
      { values: { top: 1 } },
      ["merge B", ...reported],
    ],
    [
      "a damaged result at the first level",
      ["count B_1.fa"],
      "change",
      { values: { min: -1 } },
      ["count B_1.fa", ...merges],
    ],
  ];
  test.each(cases)(
    "makes %s again, and nothing else",
    async (_what, lost, how, change, expected) => {
      const base = await runWith({});
      await damage(await given(base, lost), how);
      expect(ranOf(await runWith(change))).toEqual([...expected].sort());
      expect(ranOf(await runWith(change))).toEqual([]);
    },
  );
});
