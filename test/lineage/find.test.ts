// What people mean by a result: every way to ask for one, and what is said where there is none.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { Json } from "../../src/digest.ts";
import { file, folder, json, type Plan, type Ref, step } from "../../src/engine/step.ts";
import { findResult, type Found } from "../../src/lineage/find.ts";
import { type NamedResult, RESULTS_STEP } from "../../src/lineage/namedResult.ts";
import { listRunSteps, listSightings } from "../../src/store/lineage.ts";
import { LEDGER_KINDS } from "../support/ledger.ts";
import { finish, openWorld, type World } from "./../engine/world.ts";

const write = step({
  name: "write",
  version: 1,
  outputs: { text: file(), all: folder(), size: json<number>() },
  async run(_inputs: Readonly<Record<string, never>>, { text }: { readonly text: string }, ctx) {
    const dir = await ctx.workDir();
    await mkdir(join(dir, "all", "deep"), { recursive: true });
    await writeFile(join(dir, "text"), text);
    await writeFile(join(dir, "all", "deep", "twice"), text + text);
    return {
      text: { path: join(dir, "text") },
      all: { path: join(dir, "all") },
      size: text.length,
    };
  },
});

const keep = step({
  name: RESULTS_STEP,
  version: 1,
  outputs: { results: json<Json>() },
  run: (_inputs: { readonly found: readonly unknown[] }, { results }: { readonly results: Json }) =>
    Promise.resolve({ results }),
});

describe.each(LEDGER_KINDS)("findResult(db, word, looking) on %s", (kind) => {
  let world: World;
  let refs: Readonly<Record<string, Ref<unknown>>>;
  let runId: string;
  beforeAll(async () => {
    world = await openWorld(kind);
    const plan = async (play: Plan): Promise<void> => {
      refs = await play.do(write, {
        params: { text: "lorem" },
        inputs: {},
        label: "one",
      });
      const named: NamedResult[] = Object.entries(refs).map(([name, ref]) => {
        const { digest, bytes, codec } = ref;
        return { name: name === "text" ? "text[0]" : name, digest, bytes, codec };
      });
      const results: NamedResult[] = [...named, { name: "answer", value: 42 }];
      await play.do(keep, {
        params: { results: results },
        inputs: { found: Object.values(refs) },
      });
    };
    runId = (await finish(world, plan, { name: "words" })).record.id;
  });
  afterAll(() => world.close());

  const find = (word: string): Promise<Found> =>
    findResult(world.database.db, word, {
      siteUrl: "https://site.example/a",
      signal: new AbortController().signal,
    });
  const brief = (found: Found): unknown =>
    found.kind === "run"
      ? `run ${found.run.id}`
      : [found.result.step, found.port, found.path, found.value].filter((one) => one !== undefined);

  test("finds a run by its number, and by the name of its pipeline", async () => {
    expect([await find(runId), await find(`run ${runId}`), await find("words")].map(brief)).toEqual(
      Array(3).fill(`run ${runId}`),
    );
  });

  test("finds what a pipeline gives by its name, also the only one of a list", async () => {
    expect(brief(await find("words.size"))).toEqual(["write", "size", null]);
    expect(brief(await find("words.text[0]"))).toEqual(["write", "text", null]);
    expect(brief(await find("words.text"))).toEqual(["write", "text", null]);
    expect(brief(await find("words.answer"))).toEqual([RESULTS_STEP, null, null, 42]);
  });

  test("finds a step by its key, or digits of it, and content by its digest", async () => {
    const made = await find("words.size");
    const key = made.kind === "result" ? made.result.key : "";
    expect(brief(await find(key.slice(0, 8)))).toEqual(["write", null, null]);
    expect(brief(await find(key))).toEqual(["write", null, null]);
    const digest = refs["text"]?.digest ?? "";
    expect(brief(await find(digest))).toEqual(["write", "text", null]);
    expect(brief(await find(`sha256:${digest.toUpperCase()}`))).toEqual(["write", "text", null]);
  });

  test("finds a file, a folder and a file of a stored folder that lie on the disk", async () => {
    const at = join(world.dir, "copies");
    await mkdir(join(at, "deep"), { recursive: true });
    await writeFile(join(world.dir, "copy"), "lorem");
    await writeFile(join(at, "deep", "twice"), "loremlorem");
    expect(brief(await find(join(world.dir, "copy")))).toEqual(["write", "text", null]);
    expect(brief(await find(at))).toEqual(["write", "all", null]);
    const own = await find(join(at, "deep", "twice"));
    expect(brief(own)).toEqual(["write", "all", "deep/twice"]);
  });

  test.each([
    ["nothing-here", "is no result: no pipeline, run, key or file is called so"],
    ["run 999", "there is no run 999"],
    ["words.nothing", "has given no nothing"],
    ["sha256:abc", "is no digest"],
    [`sha256:${"0".repeat(64)}`, "nothing that the ledger knows has this content"],
    ["https://site.example/a/x.html", "nothing is published under x.html"],
    ["https://elsewhere.example/x", "is no address of the site at https://site.example/a"],
    ["/no/such/file", "is no result"],
  ])("refuses %s, naming it", async (word, said) => {
    await expect(find(word)).rejects.toMatchObject({ kind: "usage" });
    await expect(find(word)).rejects.toThrow(said);
    await expect(find(word)).rejects.toThrow(word.replace(/^https.*x\.html$/, "x.html"));
  });

  test("tells how calls were called, and where a result was seen", async () => {
    const { db } = world.database;
    const steps = await listRunSteps(db, runId);
    expect(steps.map(({ step: name, label, state }) => [name, label, state])).toEqual([
      ["write", "one", "ran"],
      [RESULTS_STEP, null, "ran"],
    ]);
    const seen = await listSightings(db, steps[0]?.resultId ?? "", 10);
    expect(seen.map((one) => [one.runId, one.label])).toEqual([[runId, "one"]]);
  });
});
