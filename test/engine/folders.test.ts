// Several folders as one output, and what is given with the digest that it has to have.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { type Digest, digestOf } from "../../src/digest.ts";
import {
  file,
  folder,
  folders,
  json,
  type Ref,
  step,
  type StoredFolder,
} from "../../src/engine/step.ts";
import { LEDGER_KINDS, startAfresh } from "../support/ledger.ts";
import { finish, openWorld, type World } from "./world.ts";

describe.each(LEDGER_KINDS)("folders() on %s", (kind) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld(kind);
  });
  afterAll(() => world.close());

  let calls: string[];
  beforeEach(async () => {
    await startAfresh(world.database.db);
    calls = [];
  });

  const split = step({
    name: "split",
    version: 1,
    outputs: { parts: folders() },
    run: async (_inputs: Readonly<Record<string, never>>, params: { n: number }, ctx) => {
      calls.push("split");
      const dir = await ctx.workDir();
      const parts = Array.from({ length: params.n }, (_none, n) => ({ path: join(dir, `${n}`) }));
      for (const [n, { path }] of parts.entries()) {
        await mkdir(join(path, "empty"), { recursive: true });
        await writeFile(join(path, "number"), `part ${n}`);
        await writeFile(join(path, "same"), "same");
      }
      return { parts };
    },
  });
  const look = step({
    name: "look",
    version: 1,
    outputs: { found: json<readonly string[]>() },
    run: async ({ parts }: { readonly parts: readonly StoredFolder[] }, _params: null) => {
      calls.push("look");
      const found: string[] = [];
      for (const part of parts) {
        const path = await part.path();
        found.push(`${part.count} ${part.bytes} ${await readFile(join(path, "number"), "utf8")}`);
      }
      return { found };
    },
  });
  const FOUND = ["2 10 part 0", "2 10 part 1"];

  test("keeps several folders in their order, also none", async () => {
    const { record } = await finish(world, async (p) => {
      const { parts } = await p.do(split, { params: { n: 2 }, inputs: {} });
      const { found } = await p.do(look, { params: null, inputs: { parts } });
      expect(await p.read(found)).toEqual(FOUND);
      const [first, second, ...rest] = await p.read(parts);
      expect([first?.at("number")?.bytes, second?.count, rest]).toEqual([6, 2, []]);
      const none = await p.do(split, { params: { n: 0 }, inputs: {} });
      expect(await p.read(none.parts)).toEqual([]);
    });
    expect([record.status, record.error]).toEqual(["succeeded", null]);
  });

  test.each<[string, (parts: Ref<readonly StoredFolder[]>, one: Digest) => Digest]>([
    ["its list", (parts) => parts.digest],
    ["the list of a folder", (_parts, one) => one],
    ["a file of a folder", () => digestOf("part 1")],
    ["a file of both", () => digestOf("same")],
  ])("is made again where %s is gone", async (_what, harmed) => {
    const { record } = await finish(world, async (p) => {
      const { parts } = await p.do(split, { params: { n: 2 }, inputs: {} });
      const [, second] = await p.read(parts);
      if (second === undefined) throw new Error("there is no second part");
      await world.blobs.remove(harmed(parts, second.digest));
      const { found } = await p.do(look, { params: null, inputs: { parts } });
      expect(await p.read(found)).toEqual(FOUND);
    });
    expect([record.status, record.error]).toEqual(["succeeded", null]);
    expect(calls.filter((call) => call === "split")).toHaveLength(2);
  });

  test("refuses what is no list, or no folder", async () => {
    const wrong = step({
      ...split,
      name: "wrong",
      run: (_inputs: Readonly<Record<string, never>>, { n }: { n: number }) =>
        // As somebody gives it whose types were not checked.
        Promise.resolve({ parts: (n === 0 ? "x" : [{ path: "/none" }]) as unknown as [] }),
    });
    for (const [n, says] of [
      [0, "output wrong.parts is not a list of folders"],
      [1, "output wrong.parts cannot be stored: /none cannot be read"],
    ] as const) {
      const { record } = await finish(world, async (p) => {
        await p.do(wrong, { params: { n }, inputs: {} });
      });
      expect(record.error).toContain(says);
    }
  });

  test("fails for now where what a step gives is not what it says it is", async () => {
    await writeFile(join(world.dir, "given"), "new");
    await mkdir(join(world.dir, "dir"), { recursive: true });
    const give = step({
      name: "give",
      version: 1,
      outputs: { file: file() },
      run: (_inputs: Readonly<Record<string, never>>, params: { sha256: string }) =>
        Promise.resolve({
          file: { path: join(world.dir, "given"), sha256: params.sha256 as Digest },
        }),
    });
    const giveFolder = step({
      ...{ name: "give folder", version: 1, outputs: { dir: folder() } },
      run: (_inputs: Readonly<Record<string, never>>, params: { sha256: string }) =>
        Promise.resolve({ dir: { path: join(world.dir, "dir"), sha256: params.sha256 as Digest } }),
    });
    const good = await finish(world, async (p) => {
      await p.do(give, { params: { sha256: digestOf("new") }, inputs: {} });
    });
    expect(good.record.status).toBe("succeeded");
    const bad = await finish(world, async (p) => {
      await p.do(give, { params: { sha256: digestOf("old") }, inputs: {} });
    });
    expect(bad.record.error).toMatch(/given has changed since it was looked at/);
    const badFolder = await finish(world, async (p) => {
      await p.do(giveFolder, { params: { sha256: digestOf("old") }, inputs: {} });
    });
    expect(badFolder.record.error).toMatch(/dir has changed since it was looked at/);
  });
});
