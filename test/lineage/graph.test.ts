// What the walk finds: makers of the same content told apart, files of folders, copies, depth, what was forgotten.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { file, folder, type Plan, type Ref, step } from "../../src/engine/step.ts";
import { type Lineage, walkLineage } from "../../src/lineage/graph.ts";
import {
  findMakers,
  type LedgerResult,
  listRunSteps,
  readResults,
} from "../../src/store/lineage.ts";
import { finish, openWorld, type World } from "../engine/world.ts";
import { LEDGER_KINDS } from "../support/ledger.ts";

type Nothing = Readonly<Record<string, never>>;

const write = step({
  name: "write",
  version: 1,
  outputs: { text: file() },
  async run(_inputs: Nothing, { text }: { readonly text: string; readonly salt?: string }, ctx) {
    const path = join(await ctx.workDir(), "text");
    await writeFile(path, text);
    return { text: { path } };
  },
});

/** Gives what it gets. */
const copy = step({
  name: "copy",
  version: 1,
  outputs: { text: file() },
  run: async (
    { from }: { readonly from: { path(): Promise<string> } },
    _params: { readonly n: number },
  ) => ({
    text: { path: await from.path() },
  }),
});

const unpack = step({
  name: "unpack",
  version: 1,
  outputs: { all: folder() },
  async run({ from }: { readonly from: { path(): Promise<string> } }, _params: null, ctx) {
    const dir = join(await ctx.workDir(), "all");
    await mkdir(join(dir, "deep"), { recursive: true });
    const { readFile } = await import("node:fs/promises");
    await writeFile(
      join(dir, "deep", "file"),
      `unpacked ${await readFile(await from.path(), "utf8")}`,
    );
    return { all: { path: dir } };
  },
});

/** Everything that it was given, in one file. */
const merge = step({
  name: "merge",
  version: 1,
  outputs: { text: file() },
  async run({ all }: { readonly all: readonly { path(): Promise<string> }[] }, _params: null, ctx) {
    const { readFile } = await import("node:fs/promises");
    const texts = await Promise.all(all.map(async (one) => readFile(await one.path(), "utf8")));
    const path = join(await ctx.workDir(), "merged");
    await writeFile(path, `merged ${texts.join(" ")}`);
    return { text: { path } };
  },
});

describe.each(LEDGER_KINDS)("walkLineage(db, results, walking) on %s", (kind) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld(kind);
  });
  afterAll(() => world.close());

  /** Runs a plan that gives one ref; the result that has made it. */
  async function made(
    name: string,
    plan: (plan: Plan) => Promise<Ref<unknown>>,
  ): Promise<{ readonly result: LedgerResult; readonly runId: string }> {
    let ref: Ref<unknown> | undefined;
    const { record } = await finish(
      world,
      async (own) => {
        ref = await plan(own);
      },
      { name },
    );
    const steps = await listRunSteps(world.database.db, record.id);
    const ids = steps.flatMap(({ resultId }) => resultId ?? []);
    const results = await readResults(world.database.db, ids);
    const last = results
      .filter(({ outputs }) => Object.values(outputs).some(({ digest }) => digest === ref?.digest))
      .sort((a, b) => Number(b.id) - Number(a.id))[0];
    if (last === undefined) throw new Error("nothing was made");
    return { result: last, runId: record.id };
  }

  /** "merge ← all[0]: write.text, all[1]: …", a line a step. */
  function told({ steps }: Lineage): readonly string[] {
    const nameOf = (id: string): string => {
      const found = steps.find(({ result }) => result.id === id);
      return found === undefined
        ? "beyond"
        : `${found.document.pipeline}/${found.result.step} ${found.calls[0]?.label ?? ""}`.trim();
    };
    return steps.map(({ result, level, inputs }) => {
      const from = inputs.map(
        ({ name, from: origin }) =>
          `${name}: ${origin === null ? "?" : `${nameOf(origin.resultId)}.${origin.port}${origin.path === null ? "" : `/${origin.path}`}`}`,
      );
      return `${level} ${nameOf(result.id)} ← ${from.join(", ")}`;
    });
  }

  test("names makers before who reads them, by how they were called", async () => {
    const { result, runId } = await made("plain", async (plan) => {
      const one = await plan.do(write, { params: { text: "one" }, inputs: {}, label: "first" });
      const two = await plan.do(write, { params: { text: "two" }, inputs: {}, label: "second" });
      const all = await plan.do(merge, { params: null, inputs: { all: [one.text, two.text] } });
      return all.text;
    });
    const found = await walkLineage(world.database.db, [result]);
    expect(told(found)).toEqual([
      "1 plain/write first ← ",
      "1 plain/write second ← ",
      "0 plain/merge ← all[0]: plain/write first.text, all[1]: plain/write second.text",
    ]);
    expect(found.runIds).toEqual([runId]);
    expect(found.steps.map(({ attempt }) => [attempt?.runner, attempt?.state])).toEqual(
      Array(3).fill(["in-process", "succeeded"]),
    );
  });

  test("tells apart who has made the same content: what the same run has seen, and what was there before", async () => {
    const { result } = await made("mine", async (plan) => {
      const one = await plan.do(write, { params: { text: "same" }, inputs: {}, label: "mine" });
      return (await plan.do(copy, { params: { n: 1 }, inputs: { from: one.text } })).text;
    });
    await made("theirs", async (plan) => {
      const one = await plan.do(write, { params: { text: "same" }, inputs: {}, label: "theirs" });
      return one.text;
    });
    expect(told(await walkLineage(world.database.db, [result]))).toEqual([
      "1 mine/write mine ← ",
      "0 mine/copy ← from: mine/write mine.text",
    ]);
  });

  test("goes through steps that give what they got, and meets none of them twice", async () => {
    const { result } = await made("chain", async (plan) => {
      let { text } = await plan.do(write, { params: { text: "chained" }, inputs: {} });
      for (const n of [1, 2]) {
        ({ text } = await plan.do(copy, { params: { n }, inputs: { from: text }, label: `${n}` }));
      }
      return text;
    });
    expect(told(await walkLineage(world.database.db, [result]))).toEqual([
      "2 chain/write ← ",
      "1 chain/copy 1 ← from: chain/write.text",
      "0 chain/copy 2 ← from: chain/copy 1.text",
    ]);
  });

  test("finds a file of a folder by the folder that it lies in", async () => {
    const { result } = await made("folders", async (plan) => {
      const { text } = await plan.do(write, { params: { text: "packed" }, inputs: {} });
      const { all } = await plan.do(unpack, { params: null, inputs: { from: text } });
      const found = await plan.fileIn(all, "deep/file");
      if (found === null) throw new Error("it is not there");
      return (await plan.do(merge, { params: null, inputs: { all: [found] } })).text;
    });
    expect(told(await walkLineage(world.database.db, [result]))).toEqual([
      "2 folders/write ← ",
      "1 folders/unpack ← from: folders/write.text",
      "0 folders/merge ← all: folders/unpack.all/deep/file",
    ]);
  });

  test("tells apart what very many have made, by the run that has read it", async () => {
    const text = "popular";
    const { result, runId } = await made("popular", async (plan) => {
      const all: Ref<unknown>[] = [];
      for (let n = 0; n < 70; n++) {
        const params = { text, salt: `${n}` };
        all.push((await plan.do(write, { params, inputs: {}, label: `${n}` })).text);
      }
      return all[0] as Ref<unknown>;
    });
    const { result: reader } = await made("reader", async (plan) => {
      const one = await plan.do(write, { params: { text }, inputs: {}, label: "its own" });
      return (await plan.do(copy, { params: { n: 1 }, inputs: { from: one.text } })).text;
    });
    expect(told(await walkLineage(world.database.db, [reader]))).toEqual([
      "1 reader/write its own ← ",
      "0 reader/copy ← from: reader/write its own.text",
    ]);
    expect((await walkLineage(world.database.db, [result], { runId })).steps).toHaveLength(1);
  });

  test("ends where it is told to, and says so", async () => {
    const [result] = await findMakersOfChain();
    const all = await walkLineage(world.database.db, [result as LedgerResult]);
    expect([all.steps.length, all.isCut]).toEqual([3, false]);
    const cut = await walkLineage(world.database.db, [result as LedgerResult], { depth: 1 });
    expect(told(cut)).toEqual([
      "1 chain/copy 1 ← from: ?",
      "0 chain/copy 2 ← from: chain/copy 1.text",
    ]);
    expect(cut.isCut).toBe(true);
    const whole = await walkLineage(world.database.db, [result as LedgerResult], { depth: 2 });
    expect([whole.steps.length, whole.isCut]).toEqual([3, false]);
  });

  /** The last copy of the chain above. */
  async function findMakersOfChain(): Promise<readonly LedgerResult[]> {
    const { digestOf } = await import("../../src/digest.ts");
    return findMakers(world.database.db, digestOf("chained"), 1);
  }

  test("says of what nobody has made that it is not known, and of a forgotten run nothing", async () => {
    const { db } = world.database;
    const { result, runId } = await made("forgotten", async (plan) => {
      const one = await plan.do(write, { params: { text: "gone" }, inputs: {} });
      return (await plan.do(copy, { params: { n: 9 }, inputs: { from: one.text } })).text;
    });
    const { steps } = await walkLineage(db, [result]);
    await db
      .deleteFrom("step_result")
      .where("id", "=", steps[0]?.result.id ?? "")
      .execute();
    expect(told(await walkLineage(db, [result]))).toEqual(["0 forgotten/copy ← from: ?"]);
    await db.deleteFrom("run").where("id", "=", runId).execute();
    const [again] = await readResults(db, [result.id]);
    const found = await walkLineage(db, [again as LedgerResult]);
    expect(told(found)).toEqual(["0 forgotten/copy ← from: ?"]);
    expect(found.runIds).toEqual([]);
  });
});
