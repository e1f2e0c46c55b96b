import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import type { ProgressEvent } from "../../src/engine/progress.ts";
import {
  type BlobFile,
  file,
  json,
  type Plan,
  publicTree,
  step,
  text,
  type TreeFile,
} from "../../src/engine/step.ts";
import { HdashError } from "../../src/error.ts";
import type { Finding } from "../../src/finding.ts";
import { LEDGER_KINDS, startAfresh } from "../support/ledger.ts";
import { finish, openWorld, play, type World } from "./world.ts";

/** Doubles a number and counts how often it had to. */
function makeDouble(given: { version?: number; fail?: () => Error | null } = {}) {
  const calls: number[] = [];
  const double = step({
    name: "double",
    version: given.version ?? 1,
    outputs: { n: json<number>() },
    async run(_inputs: Record<never, never>, params: { n: number }) {
      calls.push(params.n);
      const error = given.fail?.();
      if (error) throw error;
      return { n: params.n * 2 };
    },
  });
  return { double, calls };
}

const finding = (value: string): Finding => ({
  rule: "R",
  severity: "error",
  subject: "syn1",
  row: null,
  message: `value ${value}`,
  fields: { value },
});

/** Finds what it is told to. */
const report = step({
  name: "report",
  version: 1,
  outputs: { count: json<number>() },
  async run(_inputs: Record<never, never>, params: { scope: string; values: string[] }, ctx) {
    ctx.find(params.values.map(finding));
    ctx.measure(params.scope, "findings", params.values.length);
    return { count: params.values.length };
  },
});

describe.each(LEDGER_KINDS)("executeRun(request) on %s", (kind) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld(kind);
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    await startAfresh(world.database.db);
    world.warnings.length = 0;
  });

  const noInputs = {};
  const stepRuns = async () => {
    const { rows } = await sql<{ line: string }>`
      select concat_ws(' ', nullif(scope, ''), step, state, error) as line from step_run order by id`.execute(
      world.database.db,
    );
    return rows.map(({ line }) => line);
  };

  test("runs what is not known, finds what is, and says both", async () => {
    const { double, calls } = makeDouble();
    const plan = async (p: Plan) => {
      const { n } = await p.do(double, { params: { n: 3 }, inputs: noInputs });
      expect(await p.read(n)).toBe(6);
      await p.scope("A", (q) => q.do(double, { params: { n: 4 }, inputs: noInputs }));
    };
    const first = await play(world, plan);
    const second = await play(world, plan);
    expect(calls).toEqual([3, 4]);
    const label = { step: "double", key: expect.stringMatching(/^[0-9a-f]{64}$/) as string };
    const ms = { durationMs: expect.any(Number) as number };
    const ended = (scope: string | null, state: "ran" | "hit") => ({
      ...{ kind: "stepEnded", scope, ...label, state, ...ms, error: null },
    });
    const at = expect.stringMatching(/^\d{4}-.*Z$/) as string;
    expect(first.events).toEqual([
      {
        kind: "runStarted",
        runId: "1",
        pipeline: "test",
        startedAt: at,
        attempt: 1,
        isReplay: false,
      },
      { kind: "stepStarted", scope: null, ...label },
      ended(null, "ran"),
      { kind: "scopeStarted", scope: "A" },
      { kind: "stepStarted", scope: "A", ...label },
      ended("A", "ran"),
      { kind: "scopeEnded", scope: "A", ok: true, error: null, ...ms },
      {
        kind: "runEnded",
        runId: "1",
        status: "succeeded",
        hits: 0,
        ran: 2,
        failed: 0,
        ...ms,
        error: null,
      },
    ]);
    expect(second.events.filter((event) => event.kind === "stepEnded")).toEqual([
      ended(null, "hit"),
      ended("A", "hit"),
    ]);
    expect(second.outcome).toMatchObject({
      kind: "finished",
      record: { id: "2", status: "succeeded", hits: 2, ran: 0, failed: 0 },
    });
    expect(await stepRuns()).toEqual(["double ran", "A double ran", "double hit", "A double hit"]);
    expect(await readdir(world.scratch)).toEqual([]);
  });

  test("stops the cascade where a moved source gives the same content", async () => {
    let etag = "1";
    let content = "same";
    const calls: string[] = [];
    const pull = step({
      name: "pull",
      version: 1,
      outputs: { body: text() },
      pin: async () => ({ etag }),
      async run(_inputs: Record<never, never>, _params: null, _ctx, pin) {
        calls.push(`pull ${JSON.stringify(pin)}`);
        return { body: content };
      },
    });
    const parse = step({
      name: "parse",
      version: 1,
      outputs: { length: json<number>() },
      async run(inputs: { bodies: readonly string[] }) {
        calls.push(`parse ${inputs.bodies.join()}`);
        return { length: inputs.bodies.join().length };
      },
    });
    const plan = async (p: Plan) => {
      const { body } = await p.do(pull, { params: null, inputs: noInputs });
      await p.do(parse, { params: null, inputs: { bodies: [body, body] } });
    };
    await finish(world, plan);
    await finish(world, plan);
    etag = "2";
    await finish(world, plan);
    etag = "3";
    content = "other";
    await finish(world, plan);
    expect(calls).toEqual([
      'pull {"etag":"1"}',
      "parse same,same",
      'pull {"etag":"2"}',
      'pull {"etag":"3"}',
      "parse other,other",
    ]);
  });

  test("reads a source again that moves while it is read, and gives up for now if it does not rest", async () => {
    let etag = 0;
    let moves = 2;
    const pins: unknown[] = [];
    const pull = step({
      name: "pull",
      version: 1,
      outputs: { body: json<number>() },
      pin: async () => etag,
      repin: true,
      async run(_inputs: Record<never, never>, _params: null, ctx, pin) {
        pins.push(pin);
        ctx.find([finding(JSON.stringify(pin))]);
        if (moves-- > 0) etag++;
        return { body: etag };
      },
    });
    const plan = async (p: Plan) => {
      await p.scope("A", (q) => q.do(pull, { params: null, inputs: noInputs }));
    };
    const first = await finish(world, plan);
    expect(pins).toEqual([0, 1, 2]);
    expect(first.record).toMatchObject({ status: "succeeded", ran: 1, failed: 0 });
    const { rows } = await sql`select message from run_finding`.execute(world.database.db);
    expect(rows).toEqual([{ message: "value 2" }]);

    etag = 10;
    moves = Infinity;
    const second = await finish(world, plan);
    expect(second.record.failedScopes).toEqual({
      A: "the source of pull moved 4 times while it was read",
    });
  });

  test("does equal steps that are asked for at once only once, and counts them per scope", async () => {
    const { double, calls } = makeDouble();
    const outcome = await finish(world, async (p) => {
      const ask = (q: Plan) =>
        Promise.all([1, 1, 1].map((n) => q.do(double, { params: { n }, inputs: noInputs })));
      await Promise.all([ask(p), p.scope("A", ask), p.scope("B", ask)]);
    });
    expect(calls).toEqual([1]);
    expect(outcome.record).toMatchObject({ hits: 2, ran: 1 });
    expect((await stepRuns()).map((line) => line.split(" ").at(-1)).sort()).toEqual([
      "hit",
      "hit",
      "ran",
    ]);
  });

  test("runs no more steps at once than it is told", async () => {
    let running = 0;
    let most = 0;
    const areThree = Promise.withResolvers<void>();
    const busy = step({
      name: "busy",
      version: 1,
      outputs: { n: json<number>() },
      async run(_inputs: Record<never, never>, params: { n: number }) {
        most = Math.max(most, ++running);
        if (running === 3) areThree.resolve();
        await areThree.promise;
        running--;
        return { n: params.n };
      },
    });
    await finish(
      world,
      async (p) => {
        const all = Array.from({ length: 12 }, (_, n) => n);
        await Promise.all(all.map((n) => p.do(busy, { params: { n }, inputs: noInputs })));
      },
      { concurrency: 3 },
    );
    expect(most).toBe(3);
  });

  test("isolates the failure of a scope and ends degraded", async () => {
    const { double } = makeDouble({
      fail: () => new HdashError("transient", "Synapse is busy", { cause: new Error("503") }),
    });
    const other = makeDouble({ version: 2 });
    const seen: unknown[] = [];
    const { outcome, events } = await play(world, async (p) => {
      for (const [name, { double: doing }] of [
        ["A", { double }],
        ["B", other],
      ] as const) {
        const scope = await p.scope(name, async (q) => {
          const { n } = await q.do(doing, { params: { n: 1 }, inputs: noInputs });
          return q.read(n);
        });
        seen.push(scope);
      }
      seen.push(await p.deltas());
    });
    const error = "Synapse is busy: 503";
    const publicly = "a service did not answer as it should; the next run tries again";
    expect(seen).toEqual([{ ok: false, error, publicly }, { ok: true, value: 2 }, { B: null }]);
    expect(outcome).toMatchObject({
      record: { status: "degraded", ran: 1, failed: 1, error: null, failedScopes: { A: error } },
      deltas: { B: null },
    });
    expect(events.filter(({ kind: what }) => what === "scopeEnded")).toMatchObject([
      { scope: "A", ok: false, error },
      { scope: "B", ok: true },
    ]);
    expect(await stepRuns()).toEqual([`A double failed ${error}`, "B double ran"]);
    const { rows } = await sql`select scope, status, error from run_scope order by scope`.execute(
      world.database.db,
    );
    expect(rows).toEqual([
      { scope: "A", status: "failed", error },
      { scope: "B", status: "done", error: null },
    ]);
  });

  test("waits for what a failed scope has begun before the scope ends", async () => {
    const { double } = makeDouble();
    const order: string[] = [];
    const { events } = await play(world, async (p) => {
      await p.scope("A", async (q) => {
        void q
          .do(double, { params: { n: 1 }, inputs: noInputs })
          .then(() => q.do(double, { params: { n: 2 }, inputs: noInputs }))
          .then(() => order.push("both"));
        throw new Error("gave up");
      });
      order.push("after");
    });
    expect(order).toEqual(["both", "after"]);
    expect(events.map((event) => event.kind).slice(-2)).toEqual(["scopeEnded", "runEnded"]);
  });

  test("ends failed where the plan throws, with the reason and all that was done", async () => {
    const { double } = makeDouble();
    const outcome = await finish(world, async (p) => {
      await p.do(double, { params: { n: 1 }, inputs: noInputs });
      throw new Error("no atlas is registered", { cause: new Error("run init") });
    });
    expect(outcome.record).toMatchObject({
      ...{ status: "failed", error: "no atlas is registered: run init", ran: 1 },
      finishedAt: expect.any(String) as string,
    });
  });

  test("stops other steps when the plan fails, and does not wait for one that will not", async () => {
    const told: string[] = [];
    const begun = Promise.withResolvers<void>();
    const wait = step({
      name: "wait",
      version: 1,
      outputs: { n: json<number>() },
      async run(_inputs: Record<never, never>, _params: null, ctx) {
        await new Promise((_resolve, reject) => {
          ctx.signal.addEventListener("abort", () => {
            told.push("stopped");
            reject(new Error("stopped"));
          });
          begun.resolve();
        });
        return { n: 1 };
      },
    });
    const { double } = makeDouble({ fail: () => new Error("broken") });
    const outcome = await finish(world, async (p) => {
      const waiting = p.do(wait, { params: null, inputs: noInputs });
      waiting.catch(() => {});
      await begun.promise;
      await Promise.all([waiting, p.do(double, { params: { n: 1 }, inputs: noInputs })]);
    });
    expect(told).toEqual(["stopped"]);
    expect(outcome.record).toMatchObject({ status: "failed", error: "broken", failed: 1 });
    expect(await stepRuns()).toEqual(["double failed broken"]);
  });

  test("lets an aborted error pass through scopes", async () => {
    const outcome = await finish(world, async (p) => {
      await p.scope("A", () => Promise.reject(new HdashError("aborted", "told to stop")));
    });
    expect(outcome.record).toMatchObject({ status: "failed", error: "told to stop" });
  });

  test("keeps files, texts and trees, gives each step its own folder and removes it", async () => {
    const folders: string[] = [];
    const write = step({
      name: "write",
      version: 1,
      outputs: { body: file(), note: text(), tree: publicTree() },
      async run(_inputs: Record<never, never>, _params: null, ctx) {
        const dir = await ctx.workDir();
        expect(await ctx.workDir()).toBe(dir);
        folders.push(dir);
        const path = join(dir, "body.txt");
        await writeFile(path, "a body");
        const tree: TreeFile[] = ["b/c.txt", "a.txt"].map((name) => ({
          path: name,
          contentType: "text/plain; charset=utf-8",
          bytes: new TextEncoder().encode(name),
        }));
        return { body: { path }, note: "\uFEFFnoté", tree };
      },
    });
    const read = step({
      name: "read",
      version: 1,
      outputs: { seen: json<unknown>() },
      async run(
        inputs: { body: BlobFile; note: string; tree: readonly TreeFile[] },
        _params: null,
      ) {
        const { body, note, tree } = inputs;
        const chunks: Uint8Array[] = [];
        for await (const chunk of body.stream()) chunks.push(chunk);
        return {
          seen: {
            bytes: body.bytes,
            streamed: Buffer.concat(chunks).toString(),
            local: await readFile(await body.path(), "utf8"),
            note,
            tree: tree.map(({ path, contentType, bytes }) => [
              path,
              contentType,
              Buffer.from(bytes).toString(),
            ]),
          },
        };
      },
    });
    await finish(world, async (p) => {
      const written = await p.do(write, { params: null, inputs: noInputs });
      const { seen } = await p.do(read, { params: null, inputs: written });
      const type = "text/plain; charset=utf-8";
      expect(await p.read(seen)).toEqual({
        ...{ bytes: 6, streamed: "a body", local: "a body", note: "\uFEFFnoté" },
        tree: [
          ["a.txt", type, "a.txt"],
          ["b/c.txt", type, "b/c.txt"],
        ],
      });
      expect(await readFile(await (await p.read(written.body)).path(), "utf8")).toBe("a body");
      const value = await p.value({ b: [1], a: null });
      expect(await p.read(value)).toEqual({ a: null, b: [1] });
    });
    expect(folders.length).toBe(1);
    expect(await readdir(world.scratch)).toEqual([]);
  });

  test.each<[string, () => Promise<Record<string, unknown>>, string]>([
    [
      "an output that is missing",
      async () => ({}),
      "output odd.out cannot be stored: $ is not plain JSON (undefined)",
    ],
    [
      "NaN",
      async () => ({ out: { x: [1, NaN] } }),
      "output odd.out cannot be stored: $.x[1] is NaN, which JSON cannot hold",
    ],
  ])("says which output is wrong where a step returns %s", async (_name, run, error) => {
    const odd = step({
      name: "odd",
      version: 1,
      outputs: { out: json<unknown>() },
      run: run as () => Promise<{ out: unknown }>,
    });
    const outcome = await finish(world, async (p) => {
      await p.scope("A", (q) => q.do(odd, { params: null, inputs: noInputs }));
    });
    expect(outcome.record.failedScopes).toEqual({ A: error });
  });

  test.each<[string, readonly Partial<TreeFile>[], string]>([
    ["climbs out", [{ path: "../x" }], 'has a file whose path "../x" is not a plain relative one'],
    ["is absolute", [{ path: "/x" }], 'has a file whose path "/x" is not a plain relative one'],
    [
      "has a backslash",
      [{ path: "a\\b" }],
      'has a file whose path "a\\b" is not a plain relative one',
    ],
    ["is there twice", [{ path: "x" }, { path: "x" }], "has two files named x"],
    ["has no type", [{ path: "x", contentType: "" }], "has no content type for x"],
    ["has no bytes", [{ path: "x", bytes: "text" as unknown as Uint8Array }], "has no bytes for x"],
  ])("refuses a tree with a file that %s", async (_name, files, error) => {
    const grow = step({
      name: "grow",
      version: 1,
      outputs: { tree: publicTree() },
      async run() {
        const whole = { path: "", contentType: "text/plain", bytes: new Uint8Array() };
        return { tree: files.map((given) => ({ ...whole, ...given })) };
      },
    });
    const outcome = await finish(world, async (p) => {
      await p.do(grow, { params: null, inputs: noInputs });
    });
    expect(outcome.record.error).toBe(`output grow.tree ${error}`);
  });

  test("refuses a known result that lacks a port, because the version was not raised", async () => {
    const { double } = makeDouble();
    await finish(world, async (p) => {
      await p.do(double, { params: { n: 1 }, inputs: noInputs });
    });
    const changed = step({
      ...double,
      outputs: { ...double.outputs, more: json<number>() },
    } as never);
    const outcome = await finish(world, async (p) => {
      await p.do(changed, { params: { n: 1 }, inputs: noInputs as never });
    });
    expect(outcome.record.error).toBe(
      "the known result of double has no output more of codec json",
    );
  });

  test("tells history, findings, deltas and runs as they were before", async () => {
    const days: unknown[] = [];
    const day = (values: readonly string[], fail = false) =>
      finish(
        world,
        async (p) => {
          await p.scope("A", async (q) => {
            await q.do(report, { params: { scope: "A", values: [...values] }, inputs: noInputs });
            if (fail) throw new Error("no");
            const { versions, last, factsDigest } = await q.history();
            const before = last === null ? [] : await q.findings(last.runId);
            days.push({
              versions: versions.map(({ runId, measures }) => [runId, measures]),
              last: last?.runId ?? null,
              isKnown: versions.some((version) => version.factsDigest === factsDigest),
              before: before.map(({ message }) => message),
              now: (await q.findings(q.run.id)).length,
            });
          });
          days.push(await p.deltas());
          expect((await p.history("A", 1)).versions.length).toBeLessThanOrEqual(1);
          await expect(p.history()).rejects.toThrow(
            "outside of a scope, the scope has to be named",
          );
          expect((await p.runs(2)).map(({ id }) => Number(id))).toEqual(
            [1, 2].map((n) => Number(p.run.id) - n).filter((id) => id > 0),
          );
        },
        { clock: () => new Date("2026-11-01T00:00:00Z") },
      );
    const none = { error: 0, warning: 0, info: 0 };
    const first = await day(["x", "y"]);
    expect(first).toMatchObject({ deltas: { A: null }, measures: { A: { findings: 2 } } });
    await day(["x", "y"]);
    await day(["z"], true);
    const fourth = await day(["y", "z", "u"]);
    expect(fourth.record).toMatchObject({ added: 2, removed: 1 });
    expect(days).toEqual([
      { versions: [], last: null, isKnown: false, before: [], now: 2 },
      { A: null },
      {
        ...{ versions: [["1", { findings: 2 }]], last: "1", isKnown: true },
        ...{ before: ["value x", "value y"], now: 2 },
      },
      { A: { added: none, removed: none } },
      {},
      {
        ...{ versions: [["1", { findings: 2 }]], last: "2", isKnown: false },
        ...{ before: ["value x", "value y"], now: 3 },
      },
      { A: { added: { ...none, error: 2 }, removed: { ...none, error: 1 } } },
    ]);
  });

  test("gathers the facts of a scope that the plan comes back to", async () => {
    const outcome = await finish(world, async (p) => {
      await p.scope("A", (q) =>
        q.do(report, { params: { scope: "A", values: ["x"] }, inputs: noInputs }),
      );
      await p.scope("A", (q) =>
        q.do(report, { params: { scope: "B", values: ["y"] }, inputs: noInputs }),
      );
      expect((await p.findings(p.run.id, "A")).length).toBe(2);
    });
    expect(outcome.record).toMatchObject({ status: "succeeded", ran: 2 });
  });

  test.each<[string, (p: Plan) => Promise<unknown>, string]>([
    [
      "a scope inside of a scope",
      (p) => p.scope("A", (q) => q.scope("B", async () => 1)),
      "scope B is inside of scope A; scopes do not nest",
    ],
    ["a scope without a name", (p) => p.scope("", async () => 1), "a scope needs a name"],
    [
      "a scope that is going on",
      (p) => Promise.all([p.scope("A", () => p.runs(1)), p.scope("A", async () => 1)]),
      "scope A is going on already",
    ],
    [
      "a value that is not JSON",
      (p) => p.value(new Map()),
      "a value of the plan cannot be stored: $ is not plain JSON (object)",
    ],
    [
      "a site without a publisher",
      (p) => p.site(async () => ({ parts: [], keepScopes: [] })),
      "test has a site, but there is nowhere to publish it to",
    ],
  ])("refuses %s", async (_name, wrong, error) => {
    const { record } = await finish(world, async (p) => {
      const outcome = await wrong(p);
      // A scope keeps its failure to itself.
      const failed = outcome as { ok?: boolean; error?: string };
      if (failed.ok === false) throw new Error(failed.error);
    });
    expect(record).toMatchObject({ status: "failed", error });
  });

  test("refuses a plan that is used after its scope is over", async () => {
    let kept: Plan | undefined;
    const { record } = await finish(world, async (p) => {
      await p.scope("A", async (q) => {
        kept = q;
      });
      await kept?.runs(1);
    });
    expect(record.error).toBe("the scope A is over");
    await expect(kept?.runs(1)).rejects.toThrow("the plan has failed");
  });

  test("does everything again when forced, and keeps both results where it came out otherwise", async () => {
    let luck = 1;
    const calls: number[] = [];
    const roll = step({
      name: "roll",
      version: 1,
      outputs: { n: json<number>() },
      async run(_inputs: Record<never, never>, _params: null, ctx) {
        calls.push(luck);
        ctx.find([finding(String(luck))]);
        return { n: luck };
      },
    });
    const seen: number[] = [];
    const plan = async (p: Plan) => {
      for (const name of ["A", "B"]) {
        await p.scope(name, async (q) => {
          const { n } = await q.do(roll, { params: null, inputs: noInputs });
          seen.push(await q.read(n));
        });
      }
    };
    await finish(world, plan);
    const same = await finish(world, plan, { force: true });
    expect(same.record).toMatchObject({ ran: 1, hits: 1 });
    expect(world.warnings).toEqual([]);
    luck = 2;
    await finish(world, plan);
    await finish(world, plan, { force: true });
    await finish(world, plan);
    expect(calls).toEqual([1, 1, 2]);
    expect(seen).toEqual([1, 1, 1, 1, 1, 1, 2, 2, 2, 2]);
    expect(world.warnings).toEqual([
      "roll gave another result than before for the same key; the new one counts",
    ]);
    // Nothing is written over: each run goes on pointing at what it saw.
    const { rows } = await sql`
      select run_id, min(message) as message from run_finding group by run_id order by run_id`.execute(
      world.database.db,
    );
    expect(rows).toEqual(
      ["1", "1", "1", "2", "2"].map((value, index) => ({
        run_id: String(index + 1),
        message: `value ${value}`,
      })),
    );
  });

  test("does a step again whose blob is gone", async () => {
    const { double, calls } = makeDouble();
    const plan = async (p: Plan) => {
      const { n } = await p.do(double, { params: { n: 21 }, inputs: noInputs });
      expect(await p.read(n)).toBe(42);
    };
    await finish(world, plan);
    await world.blobs.clear();
    expect((await finish(world, plan)).record).toMatchObject({ status: "succeeded", ran: 1 });
    expect(calls).toEqual([21, 21]);
    expect(world.warnings).toEqual([
      "double: a blob of its result is missing; the step is done again",
    ]);
  });

  test("fails a step whose measure is not a number, and keeps hostile text", async () => {
    const odd = step({
      name: "odd",
      version: 1,
      outputs: {},
      async run(_inputs: Record<never, never>, params: { value: string }, ctx) {
        ctx.find([finding("nul \0 half \ud800")]);
        ctx.measure("A", "n", Number(params.value));
        return {};
      },
    });
    const { record } = await finish(world, async (p) => {
      await p.scope("A", (q) => q.do(odd, { params: { value: "1" }, inputs: noInputs }));
      await p.scope("B", (q) => q.do(odd, { params: { value: "x" }, inputs: noInputs }));
    });
    expect(record.failedScopes).toEqual({ B: "the measure n of A is NaN" });
    const { rows } = await sql`select message from run_finding`.execute(world.database.db);
    expect(rows).toEqual([{ message: "value nul \uFFFD half \uFFFD" }]);
  });

  test("shows in the ledger and to the caller how far a running step is", async () => {
    const events: ProgressEvent[] = [];
    const slow = step({
      name: "slow",
      version: 1,
      outputs: {},
      async run(_inputs: Record<never, never>, _params: null, ctx) {
        for (let done = 0; done < 1000; done++) ctx.progress(done, 1000);
        await expect
          .poll(async () => {
            const row = await world.database.db
              .selectFrom("step_run")
              .selectAll()
              .executeTakeFirst();
            return [row?.state, row?.total];
          })
          .toEqual(["running", 1000]);
        ctx.progress(1000, 1000);
        return {};
      },
    });
    await finish(
      world,
      async (p) => {
        await p.do(slow, { params: null, inputs: noInputs });
      },
      { onProgress: (event) => void events.push(event) },
    );
    const progress = events.filter((event) => event.kind === "stepProgress");
    expect(progress.length).toBeLessThan(20);
    expect(progress.at(-1)).toMatchObject({ step: "slow", scope: null, done: 1000, total: 1000 });
    expect(await stepRuns()).toEqual(["slow ran"]);
  });
});

describe("Ref", () => {
  test("lets only public trees into a site", () => {
    const check = async (p: Plan) => {
      const rows = await p.do(report, { params: { scope: "A", values: [] }, inputs: {} });
      const part = { scope: null, prefix: "", cache: "page" } as const;
      // @ts-expect-error -- a private port must not reach the site
      await p.site(async () => ({ parts: [{ ...part, tree: rows.count }], keepScopes: [] }));
    };
    expect(check).toBeTypeOf("function");
  });
});
