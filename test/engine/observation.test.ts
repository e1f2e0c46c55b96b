import { writeFile } from "node:fs/promises";

import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { file, json, observation, type Plan, step, text } from "../../src/engine/step.ts";
import { HdashError } from "../../src/error.ts";
import { LEDGER_KINDS, startAfresh } from "../support/ledger.ts";
import { finish, openWorld, play, type World } from "./world.ts";

const inputs = {};

describe.each(LEDGER_KINDS)("observation(declaration) on %s", (kind) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld(kind);
  });
  afterAll(() => world.close());
  beforeEach(() => startAfresh(world.database.db));

  const documents = async () => {
    const { rows } = await sql<{ document: string }>`
      select document from step_result order by created_at, step_key`.execute(world.database.db);
    return rows.map(({ document }) => JSON.parse(document) as Record<string, unknown>);
  };

  /** Reads what the world says, and counts how often it was asked. */
  function makeLook(given: { says: () => string }) {
    const asked: string[] = [];
    const look = observation({
      name: "look",
      outputs: { said: text(), letters: json<number>() },
      async read({ at }: { at: string }) {
        asked.push(at);
        const said = given.says();
        return { said, letters: said.length };
      },
    });
    return { look, asked };
  }

  test("is read in every run, and is a hit where the world says what it said before", async () => {
    let says = "one";
    const { look, asked } = makeLook({ says: () => says });
    const lengths: string[] = [];
    const measure = step({
      name: "measure",
      version: 1,
      outputs: { n: json<number>() },
      async run({ said }: { said: string }, _params: null) {
        lengths.push(said);
        return { n: said.length };
      },
    });
    const plan = async (p: Plan) => {
      const { said } = await p.do(look, { params: { at: "door" }, inputs });
      await p.do(measure, { params: null, inputs: { said } });
    };
    expect((await finish(world, plan)).record).toMatchObject({ hits: 0, ran: 2 });
    expect((await finish(world, plan)).record).toMatchObject({ hits: 2, ran: 0 });
    says = "three";
    expect((await finish(world, plan)).record).toMatchObject({ hits: 0, ran: 2 });
    says = "one";
    expect((await finish(world, plan)).record).toMatchObject({ hits: 2, ran: 0 });
    expect(asked).toEqual(["door", "door", "door", "door"]);
    expect(lengths).toEqual(["one", "three"]);
  });

  test("has what it found for its pin, and says that it is an observation", async () => {
    const { look } = makeLook({ says: () => "one" });
    await finish(world, async (p) => {
      const { said, letters } = await p.do(look, { params: { at: "door" }, inputs });
      expect(await documents()).toEqual([
        {
          kind: "observation",
          step: "look",
          version: 1,
          params: { at: "door" },
          pin: { said: said.digest, letters: letters.digest },
          inputs: {},
        },
      ]);
      expect(await p.read(said)).toBe("one");
    });
  });

  test("is asked once in a run for the same, so that all of the run sees one world", async () => {
    let count = 0;
    const { look, asked } = makeLook({ says: () => `answer ${++count}` });
    const said = new Map<string, string>();
    const outcome = await finish(world, async (p) => {
      const ask = async (q: Plan, at: string, as: string) => {
        const found = await q.do(look, { params: { at }, inputs });
        said.set(as, await q.read(found.said));
      };
      await Promise.all([ask(p, "door", "top"), p.scope("A", (q) => ask(q, "door", "A"))]);
      await p.scope("B", (q) => ask(q, "door", "B"));
      await ask(p, "window", "other");
    });
    expect(Object.fromEntries(said)).toEqual({
      ...{ top: "answer 1", A: "answer 1", B: "answer 1", other: "answer 2" },
    });
    expect(asked).toEqual(["door", "window"]);
    expect(outcome.record).toMatchObject({ hits: 2, ran: 2, failed: 0 });
  });

  test("is asked again after it failed: a failure is not kept for the whole run", async () => {
    let isUp = false;
    const { look, asked } = makeLook({
      says() {
        if (!isUp) throw new HdashError("transient", "the door is shut");
        return "open";
      },
    });
    const { outcome } = await play(world, async (p) => {
      const first = await p.scope("A", (q) => q.do(look, { params: { at: "door" }, inputs }));
      expect(first).toMatchObject({ ok: false, error: "the door is shut" });
      isUp = true;
      const second = await p.scope("B", (q) => q.do(look, { params: { at: "door" }, inputs }));
      expect(second.ok).toBe(true);
    });
    expect(asked).toEqual(["door", "door"]);
    expect(outcome).toMatchObject({
      record: { status: "degraded", ran: 1, failed: 1, failedScopes: { A: "the door is shut" } },
    });
  });

  test("may give files, which are kept under their content", async () => {
    const pull = observation({
      name: "pull",
      outputs: { body: file() },
      async read(_params: null, ctx) {
        const path = `${await ctx.workDir()}/body`;
        await writeFile(path, "bytes");
        return { body: { path } };
      },
    });
    const plan = async (p: Plan) => {
      const { body } = await p.do(pull, { params: null, inputs });
      const parts: Uint8Array[] = [];
      for await (const part of (await p.read(body)).stream()) parts.push(part);
      expect(Buffer.concat(parts).toString()).toBe("bytes");
    };
    expect((await finish(world, plan)).record).toMatchObject({ ran: 1 });
    expect((await finish(world, plan)).record).toMatchObject({ hits: 1 });
  });
});

describe("do(step, { hints })", () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld("embedded");
  });
  afterAll(() => world.close());
  beforeEach(() => startAfresh(world.database.db));

  test("gives hints to pin and work, and keeps them nowhere: another hint finds what is known", async () => {
    const told: string[] = [];
    const fetch = step({
      name: "fetch",
      version: 1,
      outputs: { body: text() },
      pin: async (_params: { id: string }, _signal, { url }: { url: string }) => {
        told.push(`pin ${url}`);
        return "etag";
      },
      async run(_inputs: object, { id }, ctx) {
        told.push(`run ${ctx.hints.url}`);
        return { body: id };
      },
    });
    for (const url of ["https://a?sig=secret1", "https://b?sig=secret2"]) {
      await finish(world, async (p) => {
        await p.do(fetch, { params: { id: "x" }, inputs, hints: { url } });
      });
    }
    expect(told).toEqual([
      "pin https://a?sig=secret1",
      "run https://a?sig=secret1",
      "pin https://b?sig=secret2",
    ]);
    const { rows } = await sql<{ all: string }>`
      select concat((select json_agg(r) from step_result r), (select json_agg(s) from step_run s),
        (select json_agg(r) from run r)) as all`.execute(world.database.db);
    expect(rows[0]?.all).toContain('"step":"fetch"');
    expect(rows[0]?.all).not.toContain("secret");
  });

  test("refuses hints that are not plain JSON, without telling them", async () => {
    const fetch = step({
      name: "fetch",
      version: 1,
      outputs: { body: text() },
      run: async (_inputs: object, _params: null, ctx: { hints: { at: string } } & object) => ({
        body: ctx.hints.at,
      }),
    });
    const { outcome } = await play(world, async (p) => {
      const hints = { at: new URL("https://a?sig=secret") } as unknown as { at: string };
      await p.do(fetch, { params: null, inputs, hints });
    });
    expect(outcome).toMatchObject({
      record: {
        status: "failed",
        error: "hints of step fetch cannot be used: $.at is not plain JSON (object)",
      },
    });
  });
});

describe("params of a step", () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld("embedded");
  });
  afterAll(() => world.close());

  test("come in the order that the key has, so that another order cannot make another output", async () => {
    const seen: string[] = [];
    const write = step({
      name: "write",
      version: 1,
      outputs: { text: text() },
      pin: async (params: { b: number; a: number }) => ({ z: Object.keys(params), y: 1 }),
      async run(_inputs: object, params, _ctx, pin) {
        seen.push(JSON.stringify([params, pin]));
        return { text: JSON.stringify(params) };
      },
    });
    await finish(world, async (p) => {
      await p.do(write, { params: { b: 1, a: 2 }, inputs });
    });
    expect(seen).toEqual(['[{"a":2,"b":1},{"y":1,"z":["a","b"]}]']);
  });
});

describe("uses of a step", () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld("embedded");
  });
  afterAll(() => world.close());

  test("make it another step where they differ", async () => {
    const drawnWith: string[] = [];
    const makeDraw = (font: string) =>
      step({
        name: "draw",
        version: 1,
        uses: { font },
        outputs: { drawing: text() },
        async run(_inputs: object, _params: null) {
          drawnWith.push(font);
          return { drawing: font };
        },
      });
    for (const font of ["serif", "sans", "serif"]) {
      await finish(world, async (p) => {
        await p.do(makeDraw(font), { params: null, inputs });
      });
    }
    expect(drawnWith).toEqual(["serif", "sans"]);
  });
});
