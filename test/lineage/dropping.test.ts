// Which bytes of temporary outputs go when a run has ended well, and which stay since somebody else may need them.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { type Digest, digestOf } from "../../src/digest.ts";
import {
  type BlobFile,
  file,
  folder,
  folders,
  json,
  type Plan,
  step,
  type StepContext,
  temporary,
} from "../../src/engine/step.ts";
import { type Dropped, dropTemporary } from "../../src/lineage/dropping.ts";
import { RESULTS_STEP } from "../../src/lineage/namedResult.ts";
import { openPublications } from "../../src/store/publications.ts";
import { finish, openWorld, play, type World } from "../engine/world.ts";
import { LEDGER_KINDS, startAfresh } from "../support/ledger.ts";

type None = Readonly<Record<string, never>>;
type Of = { readonly of: string };

async function write(ctx: StepContext, name: string, text: string): Promise<{ path: string }> {
  const path = join(await ctx.workDir(), name);
  await writeFile(path, text);
  return { path };
}

const big = step({
  name: "big",
  version: 1,
  outputs: { big: temporary(file()) },
  run: async (_inputs: None, { of }: Of, ctx) => ({ big: await write(ctx, "big", of) }),
});
const kept = step({
  name: "kept",
  version: 1,
  outputs: { kept: file() },
  run: async (_inputs: None, { of }: Of, ctx) => ({ kept: await write(ctx, "kept", of) }),
});
const keptFolder = step({
  name: "kept folder",
  version: 1,
  outputs: { kept: folders() },
  run: async (_inputs: None, { of }: Of, ctx) => {
    await write(ctx, "a", of);
    return { kept: [{ path: await ctx.workDir() }] };
  },
});
const bigFolder = step({
  name: "big folder",
  version: 1,
  outputs: { big: temporary(folder()) },
  run: async (_inputs: None, { of }: Of, ctx) => {
    await write(ctx, "a", of);
    return { big: { path: await ctx.workDir() } };
  },
});
const logged = step({
  name: "logged",
  version: 1,
  outputs: { done: json<boolean>() },
  run: (_inputs: None, { of }: Of, ctx) => {
    ctx.log(of);
    return Promise.resolve({ done: true });
  },
});
const named = step({
  name: RESULTS_STEP,
  version: 1,
  outputs: { results: json<null>() },
  run: (_inputs: None, _params: { readonly results: readonly { readonly digest: Digest }[] }) =>
    Promise.resolve({ results: null }),
});

const args = (of: string) => ({ params: { of }, inputs: {} });
const signal = new AbortController().signal;

describe.each(LEDGER_KINDS)("dropTemporary(database, store, runId, signal) on %s", (kind) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld(kind);
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    await startAfresh(world.database.db);
    await world.blobs.clear();
    world.warnings.length = 0;
  });

  const drop = (runId: string): Promise<Dropped> =>
    dropTemporary(world.database, { blobs: world.blobs }, runId, signal);
  const run = async (plan: (plan: Plan) => Promise<unknown>, name = "test"): Promise<string> => {
    const { record } = await finish(world, async (p) => void (await plan(p)), { name });
    expect(record.status, record.error ?? "").toBe("succeeded");
    return record.id;
  };
  const isThere = (text: string): Promise<boolean> => world.blobs.has(digestOf(text));
  const NONE = { blobs: 0, bytes: 0 };

  test("removes what only temporary outputs have, once, however lately it was made", async () => {
    const id = await run(async (p) => {
      await p.do(big, args("one"));
      await p.do(big, args("three"));
      await p.do(bigFolder, args("folder"));
      await p.do(kept, args("kept"));
    });
    expect(await drop(id)).toEqual({ blobs: 3, bytes: 14, waiting: NONE });
    expect(await Promise.all(["one", "three", "folder", "kept"].map(isThere))).toEqual([
      ...[false, false, false, true],
    ]);
    expect(await drop(id)).toEqual({ ...NONE, waiting: NONE });
  });

  test("keeps what another output has that is not temporary, also as a file of a folder of a list", async () => {
    await run(async (p) => {
      await p.do(kept, args("same"));
      await p.do(keptFolder, args("in a folder"));
    }, "other");
    const id = await run(async (p) => {
      for (const text of ["same", "in a folder", "own"]) await p.do(big, args(text));
      await p.do(bigFolder, args("same"));
    });
    expect(await drop(id)).toEqual({ blobs: 1, bytes: 3, waiting: NONE });
    expect(await Promise.all(["same", "in a folder", "own"].map(isThere))).toEqual([
      ...[true, true, false],
    ]);
  });

  test("keeps what is a result by name, by itself or with the folder that it lies in", async () => {
    const id = await run(async (p) => {
      const a = await p.do(big, args("named"));
      const b = await p.do(bigFolder, args("in a named folder"));
      await p.do(big, args("own"));
      const results = [{ digest: a.big.digest }, { digest: b.big.digest }];
      await p.do(named, { params: { results }, inputs: {} });
    });
    expect(await drop(id)).toMatchObject({ blobs: 1 });
    expect(await Promise.all(["named", "in a named folder", "own"].map(isThere))).toEqual([
      ...[true, true, false],
    ]);
  });

  test("keeps what is a log, published, or in a list that nobody has entered yet", async () => {
    const { db } = world.database;
    const id = await run(async (p) => {
      for (const text of ["logged\n", "published", "listed"]) await p.do(big, args(text));
      await p.do(logged, args("logged"));
    });
    await openPublications(db).save("s3://site", {
      ...{ path: "a", owner: "test", digest: digestOf("published"), etag: "e", scope: null },
      ...{ contentType: "text/plain", bytes: 9 },
    });
    await sql`insert into blob_part (whole, path, part, bytes)
      values (${digestOf("a list")}, 'a', ${digestOf("listed")}, 6)`.execute(db);
    expect(await drop(id)).toEqual({ ...NONE, waiting: NONE });
  });

  test("removes after a run that found everything what an earlier one was killed before", async () => {
    const plan = (p: Plan) => p.do(big, args("one"));
    await run(plan);
    expect(await isThere("one")).toBe(true);
    expect(await drop(await run(plan))).toMatchObject({ blobs: 1 });
    // A hit without its bytes, and nothing is told of it.
    const { record } = await finish(world, async (p) => void (await plan(p)));
    expect(record).toMatchObject({ hits: 1, ran: 0 });
    expect(world.warnings).toEqual([]);
  });

  test("says what kept a temporary input from being made again, and notes the step as failed", async () => {
    let isBroken = false;
    const fragile = step({
      name: "fragile",
      version: 1,
      outputs: { big: temporary(file()) },
      run: async (_inputs: None, _params: null, ctx) => {
        if (isBroken) throw new Error("its program is not there any more");
        return { big: await write(ctx, "big", "fragile") };
      },
    });
    const read = step({
      name: "read",
      version: 1,
      outputs: { read: json<string>() },
      run: async (inputs: { readonly all: readonly BlobFile[] }, { of }: Of) =>
        Promise.resolve({ read: `${of} ${inputs.all.length}` }),
    });
    const plan = (of: string) => async (p: Plan) => {
      const made = await p.do(fragile, { params: null, inputs: {} });
      const all = [made.big];
      await p.do(read, { params: { of }, inputs: { all } });
    };
    await drop(await run(plan("a")));
    isBroken = true;
    const { outcome } = await play(world, plan("b"));
    expect(outcome).toMatchObject({
      kind: "finished",
      record: { status: "failed", error: expect.stringContaining("not there any more") as string },
    });
    const { rows } = await sql`
      select step, state from step_run where run_id = 2 order by id`.execute(world.database.db);
    expect(rows).toContainEqual({ step: "read", state: "failed" });
    isBroken = false;
    await run(plan("b"));
  });

  test("has the run start over where a temporary output is not what it was, and takes the new one", async () => {
    let text = "old";
    const fickle = step({
      name: "fickle",
      version: 1,
      outputs: { big: temporary(file()) },
      run: async (_inputs: None, _params: null, ctx) => ({ big: await write(ctx, "big", text) }),
    });
    const read = step({
      name: "read",
      version: 1,
      outputs: { read: json<string>() },
      run: async ({ big: own }: { readonly big: BlobFile }, { of }: Of) => {
        let found = "";
        for await (const piece of own.stream()) found += Buffer.from(piece).toString();
        return { read: `${of} ${found}` };
      },
    });
    const seen: string[] = [];
    const plan = (of: string) => async (p: Plan) => {
      const { big: own } = await p.do(fickle, { params: null, inputs: {} });
      const done = await p.do(read, { params: { of }, inputs: { big: own } });
      seen.push(await p.read(done.read));
    };
    await drop(await run(plan("a")));
    text = "new";
    await run(plan("b"));
    expect(seen).toEqual(["a old", "b new"]);
  });
});

describe("dropTemporary(database, store, runId, signal) beside other runs", () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld("postgres");
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    await startAfresh(world.database.db);
    await world.blobs.clear();
  });
  const drop = (runId: string): Promise<Dropped> =>
    dropTemporary(world.database, { blobs: world.blobs }, runId, signal);

  test("leaves all there while another run is going on, whose end removes it, too", async () => {
    const inner = async (p: Plan): Promise<void> => void (await p.do(big, args("inner")));
    const outer = await finish(
      world,
      async (p) => {
        await p.do(big, args("outer"));
        const { record } = await finish(world, inner, { name: "inner" });
        expect(await drop(record.id)).toEqual({
          ...{ blobs: 0, bytes: 0 },
          waiting: { blobs: 1, bytes: 5 },
        });
        expect(await world.blobs.has(digestOf("inner"))).toBe(true);
      },
      { name: "outer" },
    );
    expect(await drop(outer.record.id)).toMatchObject({ blobs: 2, bytes: 10 });
  });

  test("leaves all there where somebody is about to begin a run, and waits for nobody", async () => {
    const plan = async (p: Plan): Promise<void> => void (await p.do(big, args("one")));
    const { record } = await finish(world, plan);
    await world.database.db.transaction().execute(async (trx) => {
      await sql`lock table run in row exclusive mode`.execute(trx);
      expect(await drop(record.id)).toMatchObject({ blobs: 0, waiting: { blobs: 1 } });
    });
    expect(await drop(record.id)).toMatchObject({ blobs: 1 });
  });

  test("begins nothing once it is told to stop", async () => {
    const { record } = await finish(world, async (p) => void (await p.do(big, args("one"))));
    const stopped = AbortSignal.abort(new Error("stop"));
    const dropping = dropTemporary(world.database, { blobs: world.blobs }, record.id, stopped);
    await expect(dropping).rejects.toThrow("stop");
    expect(await world.blobs.has(digestOf("one"))).toBe(true);
  });
});
