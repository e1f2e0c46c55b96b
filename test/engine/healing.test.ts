// What is damaged is made again, on either ledger with the blobs that go with it: whenever it is found, and whoever finds it.

import { appendFile, chmod, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import type { Digest } from "../../src/digest.ts";
import {
  type BlobFile,
  file,
  json,
  type Plan,
  publicTree,
  step,
  type TreeFile,
} from "../../src/engine/step.ts";
import { listAttempts } from "../../src/store/stepAttempts.ts";
import { LEDGER_KINDS, startAfresh } from "../support/ledger.ts";
import { finish, makeMemorySite, openWorld, type World } from "./world.ts";

describe.each(LEDGER_KINDS)("a blob that is damaged at equal length, on %s", (kind) => {
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

  /** Changes a blob's bytes, and leaves its length as it was. */
  async function damage(digest: Digest): Promise<void> {
    if (kind === "postgres") {
      await sql`update blob_chunk set bytes = overlay(bytes placing '\\x00000000'::bytea from 6)
        where digest = ${digest}`.execute(world.database.db);
      return;
    }
    const path = join(world.dir, "blobs", digest.slice(0, 2), digest.slice(2));
    await chmod(path, 0o600);
    const bytes = await readFile(path);
    bytes[0] = ((bytes[0] ?? 0) + 1) % 256;
    await writeFile(path, bytes);
  }

  /** Takes a blob away. */
  async function lose(digest: Digest): Promise<void> {
    if (kind === "postgres") {
      await sql`delete from blob where digest = ${digest}`.execute(world.database.db);
      return;
    }
    await rm(join(world.dir, "blobs", digest.slice(0, 2), digest.slice(2)));
  }

  /** Two steps in a row, of which the first gives what it is told to; every run of one is a call. */
  function makeChain(
    told: { text: () => string; swallows?: boolean } = { text: () => "some text" },
  ) {
    const calls: string[] = [];
    let digest: Digest | null = null;
    const write = step({
      name: "write",
      version: 1,
      outputs: { body: file() },
      async run(_inputs: Record<never, never>, _params: null, ctx) {
        calls.push("write");
        ctx.measure("S", "written", 1);
        const path = join(await ctx.workDir(), "body");
        await writeFile(path, told.text());
        return { body: { path } };
      },
    });
    const copy = step({
      name: "copy",
      version: 1,
      outputs: { body: file() },
      async run({ body }: { body: BlobFile }) {
        calls.push("copy");
        return { body: { path: await body.path() } };
      },
    });
    const count = step({
      name: "count",
      version: 1,
      outputs: { text: json<string>() },
      async run({ body }: { body: BlobFile }, params: { n: number }) {
        calls.push(`count ${params.n}`);
        const chunks: Uint8Array[] = [];
        try {
          for await (const chunk of body.stream()) chunks.push(chunk);
        } catch (error) {
          if (told.swallows !== true) throw error;
        }
        return { text: Buffer.concat(chunks).toString() };
      },
    });
    const plan =
      (n: number, seen: string[] = []) =>
      async (p: Plan) => {
        await p.scope("S", async (q) => {
          const { body } = await q.do(write, { params: null, inputs: {} });
          digest ??= body.digest;
          const { text } = await q.do(count, { params: { n }, inputs: { body } });
          seen.push(await q.read(text));
        });
      };
    return { calls, write, copy, count, plan, digest: () => digest ?? ("" as Digest) };
  }

  test.each([false, true])(
    "is made again where a step reads it (which takes the error for itself: %s)",
    async (swallows) => {
      const chain = makeChain({ text: () => "some text", swallows });
      await finish(world, chain.plan(1));
      await damage(chain.digest());
      chain.calls.length = 0;
      const seen: string[] = [];
      const { record } = await finish(world, chain.plan(2, seen));
      expect(record).toMatchObject({ status: "succeeded", failed: 0, ran: 2, hits: 0 });
      expect(chain.calls).toEqual(["count 2", "write", "count 2"]);
      expect(seen).toEqual(["some text"]);
      expect(Buffer.from(await world.blobs.read(chain.digest())).toString()).toBe("some text");
      expect(world.warnings).toEqual([
        expect.stringMatching(
          /^count \(S\) cannot read an input: blob \w+ is damaged in .*; it is made again$/,
        ),
      ]);
      // The same result once more: what was made from it stays as it is, and so do its facts.
      const results = await sql`select step, attempt from step_result order by id`.execute(
        world.database.db,
      );
      expect(results.rows).toEqual([
        { step: "write", attempt: 1 },
        { step: "count", attempt: 1 },
        { step: "count", attempt: 2 },
      ]);
      const facts = await sql`select run_id from run_measure order by run_id`.execute(
        world.database.db,
      );
      expect(facts.rows).toEqual([{ run_id: "1" }, { run_id: "2" }]);
    },
  );

  test.each([
    ["damaged", damage],
    ["gone", lose],
  ])(
    "is made again where it is %s when it is read, and where several steps find it at once",
    async (_name, spoil) => {
      const chain = makeChain();
      await finish(world, chain.plan(1));
      chain.calls.length = 0;
      const { record } = await finish(world, async (p) => {
        const { body } = await p.do(chain.write, { params: null, inputs: {} });
        // It was whole when it was looked up.
        await spoil(body.digest);
        await Promise.all(
          [2, 3, 4, 5].map((n) => p.do(chain.count, { params: { n }, inputs: { body } })),
        );
      });
      expect(record).toMatchObject({ status: "succeeded", ran: 5 });
      expect(chain.calls.filter((call) => call === "write")).toHaveLength(1);
    },
  );

  test("is made again by who made it first, not by who hands on what it was given", async () => {
    const chain = makeChain();
    const plan = (n: number) => async (p: Plan) => {
      const { body } = await p.do(chain.write, { params: null, inputs: {} });
      const copied = await p.do(chain.copy, { params: null, inputs: { body } });
      expect(copied.body.digest).toBe(body.digest);
      await p.do(chain.count, { params: { n }, inputs: { body: copied.body } });
    };
    await finish(world, chain.plan(0));
    await finish(world, plan(1));
    await damage(chain.digest());
    chain.calls.length = 0;
    expect((await finish(world, plan(2))).record.status).toBe("succeeded");
    expect(chain.calls).toEqual(["count 2", "write", "count 2"]);
  });

  test("is made again where the plan reads it, be it a step's or the plan's own", async () => {
    const chain = makeChain();
    await finish(world, chain.plan(1));
    await damage(chain.digest());
    const texts: string[] = [];
    const { record } = await finish(world, async (p) => {
      const { body } = await p.do(chain.write, { params: null, inputs: {} });
      const chunks: Uint8Array[] = [];
      for await (const chunk of (await p.read(body)).stream()) chunks.push(chunk);
      const own = await p.value({ own: "value" });
      await damage(own.digest);
      texts.push(Buffer.concat(chunks).toString(), JSON.stringify(await p.read(own)));
    });
    expect(record.status).toBe("succeeded");
    expect(texts).toEqual(["some text", '{"own":"value"}']);
  });

  test("is made again where it is a file of a tree, or the list of one, also while it is published", async () => {
    const calls: number[] = [];
    const draw = step({
      name: "draw",
      version: 1,
      outputs: { tree: publicTree() },
      async run(_inputs: Record<never, never>, params: { n: number }) {
        calls.push(params.n);
        const page = (name: string): TreeFile => ({
          path: `${name}.html`,
          contentType: "text/html",
          bytes: Buffer.from(`page ${name} ${params.n}`),
        });
        return { tree: [page("a"), page("b")] };
      },
    });
    const site = makeMemorySite();
    for (const [n, which] of [
      [1, "file"],
      [2, "list"],
    ] as const) {
      calls.length = 0;
      const { record } = await finish(
        world,
        async (p) => {
          const { tree } = await p.do(draw, { params: { n }, inputs: {} });
          const list = JSON.parse(Buffer.from(await world.blobs.read(tree.digest)).toString()) as {
            digest: Digest;
          }[];
          await damage(which === "list" ? tree.digest : (list[1]?.digest ?? tree.digest));
          await p.site(async () => ({
            parts: [{ scope: null, prefix: "", tree, cache: "page" }],
            keepScopes: [],
          }));
        },
        { publisher: site },
      );
      expect(record.status).toBe("succeeded");
      expect(calls).toEqual([n, n]);
      expect([...site.files].map(([path, { text }]) => `${path} ${text}`)).toEqual([
        `a.html page a ${n}`,
        `b.html page b ${n}`,
      ]);
    }
  });

  test("makes the run start over where its step gives something else now; what read the old reads the new", async () => {
    let text = "old text";
    const chain = makeChain({ text: () => text });
    await finish(world, chain.plan(1));
    await damage(chain.digest());
    text = "new text";
    chain.calls.length = 0;
    const seen: string[] = [];
    const { record } = await finish(world, chain.plan(2, seen));
    expect(record).toMatchObject({ id: "2", status: "succeeded", ran: 2, hits: 0 });
    expect(seen).toEqual(["new text"]);
    expect(chain.calls).toEqual(["count 2", "write", "count 2"]);
    expect(world.warnings.at(-1)).toMatch(
      /^write gives another result than the one that is damaged: \w+; the run starts over, and finds what it has done$/,
    );
  });

  test("ends its reader, not in a circle, where its step gives something else each time", async () => {
    let n = 0;
    const chain = makeChain({ text: () => `text ${++n}` });
    await finish(world, chain.plan(1));
    await damage(chain.digest());
    const restless = step({
      name: "restless",
      version: 1,
      outputs: { ok: json<boolean>() },
      async run({ body }: { body: BlobFile }) {
        // As a disk does that gives back nothing as it was.
        await damage(body.digest);
        await body.path();
        return { ok: true };
      },
    });
    const { record } = await finish(world, async (p) => {
      await p.scope("S", async (q) => {
        const { body } = await q.do(chain.write, { params: null, inputs: {} });
        await q.do(restless, { params: null, inputs: { body } });
      });
    });
    expect(record).toMatchObject({ status: "degraded" });
    expect(record.failedScopes["S"]).toMatch(
      /^write gives another result than the one that is damaged: \w+, after the run was started over 3 times$/,
    );
  });

  test("ends its reader where it is damaged again each time it was made again", async () => {
    const chain = makeChain();
    const restless = step({
      name: "restless",
      version: 1,
      outputs: { ok: json<boolean>() },
      async run({ body }: { body: BlobFile }) {
        await damage(body.digest);
        await body.path();
        return { ok: true };
      },
    });
    const { record } = await finish(world, async (p) => {
      await p.scope("S", async (q) => {
        const { body } = await q.do(chain.write, { params: null, inputs: {} });
        await q.do(restless, { params: null, inputs: { body } });
      });
    });
    expect(record.failedScopes["S"]).toMatch(
      /^blob \w+ is damaged in .*, although it was made again 3 times$/,
    );
    expect(chain.calls).toEqual(["write", "write", "write", "write"]);
  });

  test("tells what kept its step from making it again", async () => {
    let isDown = false;
    const chain = makeChain({
      text: () => {
        if (isDown) throw new Error("the source is down");
        return "some text";
      },
    });
    await finish(world, chain.plan(1));
    await damage(chain.digest());
    isDown = true;
    const { record } = await finish(world, chain.plan(2));
    expect(record).toMatchObject({ status: "degraded", hits: 1, failed: 1 });
    expect(record.failedScopes).toEqual({ S: "the source is down" });
    isDown = false;
    expect((await finish(world, chain.plan(2))).record.status).toBe("succeeded");
  });

  test("does not come from a step that appends to the file it was given", async () => {
    const chain = makeChain();
    const append = step({
      name: "append",
      version: 1,
      outputs: { longer: file() },
      async run({ body }: { body: BlobFile }) {
        const path = await body.path();
        await chmod(path, 0o600);
        await appendFile(path, " and more");
        return { longer: { path } };
      },
    });
    await finish(world, async (p) => {
      const { body } = await p.do(chain.write, { params: null, inputs: {} });
      const { longer } = await p.do(append, { params: null, inputs: { body } });
      const read = async (digest: Digest) => Buffer.from(await world.blobs.read(digest)).toString();
      expect(await read(body.digest)).toBe("some text");
      expect(await read(longer.digest)).toBe("some text and more");
    });
    expect(world.warnings).toEqual([]);
  });

  test("leaves the attempts that it took in the ledger, each ended", async () => {
    const chain = makeChain();
    await finish(world, chain.plan(1));
    await damage(chain.digest());
    await finish(world, chain.plan(2));
    const { db } = world.database;
    const keys = await sql<{ step_key: string }>`
      select distinct on (step_key) step_key from step_result order by step_key, id`.execute(db);
    const attempts = await Promise.all(keys.rows.map(({ step_key: key }) => listAttempts(db, key)));
    const ends = attempts.map((of) => of.map(({ n, end }) => `${n} ${end?.state ?? "open"}`));
    expect(ends.sort()).toEqual([
      ["1 cancelled", "2 succeeded"],
      ["1 succeeded"],
      ["1 succeeded", "2 succeeded"],
    ]);
  });
});
