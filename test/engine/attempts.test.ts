import { readdir, writeFile } from "node:fs/promises";

import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import type { Digest } from "../../src/digest.ts";
import { endedAttemptOf } from "../../src/engine/failures.ts";
import {
  type FailedAttempt,
  json,
  type Plan,
  step,
  type StepContext,
  type StepDeclaration,
} from "../../src/engine/step.ts";
import { type ErrorKind, HdashError } from "../../src/error.ts";
import { pause } from "../../src/retry.ts";
import { listAttempts } from "../../src/store/stepAttempts.ts";
import { LEDGER_KINDS, startAfresh } from "../support/ledger.ts";
import { finish, openWorld, play, type World } from "./world.ts";

const inputs = {};
const MACHINE = { cpus: 2, memoryMiB: 1000 };

type Asked = StepDeclaration<{ n: number }, object, { n: ReturnType<typeof json<number>> }, null>;

/** A step whose work is what a test says. */
function makeWork(
  run: (ctx: StepContext, params: { n: number }) => Promise<number>,
  rest: Pick<Asked, "attempts" | "resources" | "runner"> = {},
) {
  return step({
    name: "work",
    version: 1,
    outputs: { n: json<number>() },
    ...rest,
    run: async (_inputs: object, params: { n: number }, ctx) => ({ n: await run(ctx, params) }),
  });
}

describe.each(LEDGER_KINDS)("attempts at a step on %s", (kind) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld(kind);
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    await startAfresh(world.database.db);
    world.warnings.length = 0;
  });

  const attempts = async () => {
    const { rows } = await sql<{ line: string }>`
      select concat_ws(' ', n, runner, state, reason, resources, message) as line from step_attempt
      order by n`.execute(world.database.db);
    return rows.map(({ line }) => line);
  };
  const once = (work: ReturnType<typeof makeWork>) => async (p: Plan) => {
    await p.do(work, { params: { n: 1 }, inputs });
  };

  test("gives the next one more, tells it how the last one ended, and keeps nothing that a failed one found", async () => {
    const told: unknown[] = [];
    const folders: string[][] = [];
    const work = makeWork(
      async (ctx) => {
        told.push(["run", ctx.attempt, ctx.resources]);
        const dir = await ctx.workDir();
        folders.push(await readdir(dir));
        await writeFile(`${dir}/left`, "");
        const message = `found in ${ctx.attempt}`;
        ctx.find([{ rule: "R", severity: "error", subject: "s", row: null, message, fields: {} }]);
        ctx.measure("s", "attempt", ctx.attempt);
        if (ctx.attempt < 3) throw new Error(`failed in ${ctx.attempt}`);
        return ctx.attempt;
      },
      {
        attempts: 3,
        resources: (attempt: number, last: FailedAttempt | null) => {
          told.push(["resources", attempt, last]);
          return { memoryMiB: 100 * attempt };
        },
      },
    );
    const { record } = await finish(world, once(work), { machine: MACHINE });
    const failed = (n: number) => ({
      ...{ state: "failed", reason: "error", message: `failed in ${n}` },
      resources: { memoryMiB: 100 * n },
    });
    expect(told).toEqual([
      ["resources", 1, null],
      ["run", 1, { memoryMiB: 100 }],
      ["resources", 2, failed(1)],
      ["run", 2, { memoryMiB: 200 }],
      ["resources", 3, failed(2)],
      ["run", 3, { memoryMiB: 300 }],
    ]);
    expect(folders).toEqual([[], [], []]);
    expect(record).toMatchObject({ ran: 1, failed: 0 });
    expect(await attempts()).toEqual([
      '1 in-process failed error {"memoryMiB": 100} failed in 1',
      '2 in-process failed error {"memoryMiB": 200} failed in 2',
      '3 in-process succeeded {"memoryMiB": 300}',
    ]);
    const { rows } = await sql`select message from run_finding`.execute(world.database.db);
    expect(rows).toEqual([{ message: "found in 3" }]);
    const measured = await sql`select value from run_measure`.execute(world.database.db);
    expect(measured.rows).toEqual([{ value: 3 }]);
  });

  test("is one where nothing is said", async () => {
    const work = makeWork(() => Promise.reject(new Error("no")));
    const { outcome } = await play(world, once(work));
    expect(outcome).toMatchObject({ record: { status: "failed", error: "no", failed: 1 } });
    expect(await attempts()).toEqual(["1 in-process failed error {} no"]);
  });

  test("ends with the last failure, and says each one", async () => {
    const work = makeWork(({ attempt }) => Promise.reject(new Error(`no ${attempt}`)), {
      attempts: 2,
    });
    const { outcome, events } = await play(world, once(work));
    expect(outcome).toMatchObject({ record: { status: "failed", error: "no 2", failed: 1 } });
    expect(events.filter((event) => event.kind === "retry")).toEqual([
      { kind: "retry", subject: "work", attempt: 1, delayMs: 0, reason: "no 1" },
    ]);
    expect(world.warnings).toContain("work: attempt 1 of 2 failed (failed · error): no 1");
  });

  test.each<ErrorKind>(["config", "usage", "aborted"])(
    "are not made again after an error of kind %s",
    async (errorKind) => {
      let calls = 0;
      const work = makeWork(
        () => {
          calls++;
          return Promise.reject(new HdashError(errorKind, "so it is"));
        },
        { attempts: 3 },
      );
      await play(world, once(work));
      expect(calls).toBe(1);
    },
  );

  test("are not made again when the run is stopped, and are closed with it", async () => {
    const stop = new AbortController();
    let calls = 0;
    const work = makeWork(
      async ({ signal }) => {
        calls++;
        stop.abort(new Error("enough"));
        await new Promise((_resolve, reject) => {
          if (signal.aborted) reject(signal.reason as Error);
          signal.addEventListener("abort", () => reject(signal.reason as Error));
        });
        return 1;
      },
      { attempts: 3 },
    );
    const { outcome } = await play(world, once(work), { signal: stop.signal });
    expect(outcome.kind).toBe("handedBack");
    expect(calls).toBe(1);
    expect(await attempts()).toEqual(["1 in-process cancelled user {} the run was told to stop"]);
  });

  test("are counted on in the next run, so that no row is written over", async () => {
    let isBad = true;
    const work = makeWork(() => (isBad ? Promise.reject(new Error("bad")) : Promise.resolve(1)));
    await play(world, once(work));
    isBad = false;
    await finish(world, once(work));
    expect(await attempts()).toEqual([
      "1 in-process failed error {} bad",
      "2 in-process succeeded {}",
    ]);
  });

  test("tells a step that asks for more memory than there is, with what came before", async () => {
    const work = makeWork(() => Promise.reject(new Error("out of memory")), {
      attempts: 3,
      resources: (attempt) => ({ memoryMiB: 600 * attempt }),
    });
    const { outcome } = await play(world, once(work), { machine: MACHINE });
    expect(outcome).toMatchObject({
      record: {
        error:
          "it asks for 1200 MiB of memory, and this machine has 1000 MiB; the attempt before had failed: out of memory",
      },
    });
  });

  test("stops an attempt that takes too long, and makes another only where that has more time", async () => {
    const late = (minutes: number) =>
      `{"minutes": ${minutes}} work took longer than the ${minutes} minutes that it may`;
    const patient = makeWork(
      async ({ attempt, signal }) => {
        if (attempt === 1) await pause(60_000, signal);
        return attempt;
      },
      { attempts: 3, resources: (attempt) => ({ minutes: attempt === 1 ? 0.0001 : 1 }) },
    );
    await finish(world, async (p) => {
      const { n } = await p.do(patient, { params: { n: 1 }, inputs });
      expect(await p.read(n)).toBe(2);
    });
    expect(await attempts()).toEqual([
      `1 in-process timeout time ${late(0.0001)}`,
      '2 in-process succeeded {"minutes": 1}',
    ]);
    await startAfresh(world.database.db);
    const same = makeWork(({ signal }) => pause(60_000, signal).then(() => 1), {
      ...{ attempts: 3, resources: { minutes: 0.0001 } },
    });
    const { outcome } = await play(world, once(same));
    expect(outcome).toMatchObject({ record: { status: "failed" } });
    expect(await attempts()).toEqual([`1 in-process timeout time ${late(0.0001)}`]);
  });

  test("have the end, the exit code and the usage that the step reports", async () => {
    const work = makeWork(
      ({ attempt, report, log }) => {
        log(`at ${attempt}`);
        report({ code: 137, usage: { cpuMs: 5, programMs: 7 } });
        report({ end: { state: "oom", reason: "memory" }, usage: { cpuMs: 6 } });
        if (attempt === 1) return Promise.reject(new Error("too much"));
        report({ code: 0 });
        return Promise.resolve(1);
      },
      { attempts: 2, runner: "process" },
    );
    await finish(world, once(work), { machine: MACHINE });
    const { rows } = await sql<{ key: string }>`
      select distinct step_key as key from step_attempt`.execute(world.database.db);
    const known = await listAttempts(world.database.db, rows[0]?.key ?? "");
    const wallMs = expect.any(Number) as number;
    const usage = { wallMs, cpuMs: 6, programMs: 7 };
    const machine = { ...MACHINE, arch: expect.any(String) as string };
    const end = { message: "too much", code: 137, usage };
    expect(known).toMatchObject([
      { runner: "process", machine, end: { state: "oom", reason: "memory", ...end } },
      { end: { state: "succeeded", reason: null, message: null, code: 0, usage } },
    ]);
    const log = await world.blobs.read(known[0]?.end?.logDigest as Digest);
    expect(new TextDecoder().decode(log)).toBe("at 1\noom · memory: too much\n");
  });

  test("do not count where their machine was lost, but not for ever", async () => {
    let losses = 2;
    const seen: number[] = [];
    const work = makeWork(
      ({ attempt, report }) => {
        seen.push(attempt);
        if (losses-- <= 0) return Promise.resolve(1);
        report({ end: { state: "lost", reason: "lease" } });
        return Promise.reject(new Error("gone"));
      },
      { attempts: 1 },
    );
    await finish(world, once(work));
    expect(seen).toEqual([1, 1, 1]);
    losses = Infinity;
    await startAfresh(world.database.db);
    await play(world, once(work));
    // Five that were forgiven, and one that was not.
    expect(await attempts()).toHaveLength(6);
  });

  test("go on counting in the same run after its worker was lost, which does not count", async () => {
    const stop = new AbortController();
    const asked: unknown[] = [];
    let isStopping = true;
    const work = makeWork(
      async ({ attempt, signal }) => {
        if (attempt === 1) throw new Error("bad");
        if (!isStopping) return attempt;
        stop.abort(new Error("enough"));
        await pause(60_000, signal);
        return 0;
      },
      {
        attempts: 3,
        resources: (attempt, last) => {
          asked.push([attempt, last?.message ?? null]);
          return { memoryMiB: 100 * attempt };
        },
      },
    );
    const { outcome } = await play(world, once(work), { machine: MACHINE, signal: stop.signal });
    expect(outcome.kind).toBe("handedBack");
    isStopping = false;
    asked.length = 0;
    await finish(world, once(work), { machine: MACHINE });
    expect(asked).toEqual([[2, "bad"]]);
    expect(await attempts()).toEqual([
      '1 in-process failed error {"memoryMiB": 100} bad',
      '2 in-process cancelled user {"memoryMiB": 200} the run was told to stop',
      '3 in-process succeeded {"memoryMiB": 200}',
    ]);
  });

  test("are named by the error that the last of them ends with", async () => {
    const thrown: unknown[] = [];
    const shared = new Error("always the same");
    const work = makeWork(
      ({ log }) => {
        log("a line");
        return Promise.reject(shared);
      },
      { attempts: 2 },
    );
    const { outcome } = await play(world, async (p) => {
      for (const n of [1, 2]) {
        await p.do(work, { params: { n }, inputs }).catch((error: unknown) => thrown.push(error));
      }
      throw thrown[0];
    });
    expect(outcome).toMatchObject({ record: { error: "always the same" } });
    const known = thrown.map(endedAttemptOf);
    const common = { attempt: 2, attempts: 2, state: "failed", reason: "error" };
    expect(known).toEqual(
      [1, 2].map(() => ({
        ...{ ...common, n: 2, lastLines: ["a line"] },
        key: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      })),
    );
    // Each has its own, though the error was one.
    expect(new Set(known.map((one) => one?.key)).size).toBe(2);
    expect(endedAttemptOf(new Error("another"))).toBeNull();
  });

  test("begin anew with nothing of what the last one has left waiting", async () => {
    const [holding, failed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const left: unknown[] = [];
    const holder = makeWork((ctx) =>
      ctx.take({ cpus: 2 }, async () => {
        holding.resolve();
        await failed.promise;
        return 1;
      }),
    );
    const careless = step({
      name: "careless",
      version: 1,
      attempts: 2,
      outputs: { n: json<number>() },
      async run(_inputs: object, _params: null, ctx) {
        if (ctx.attempt === 2) {
          failed.resolve();
          return { n: await ctx.take({ cpus: 1 }, () => Promise.resolve(2)) };
        }
        // Both wait on, with nobody to wait for them.
        const taking = ctx.take({ cpus: 2 }, () => Promise.resolve(1));
        taking.catch((error: unknown) => left.push(error));
        await holding.promise;
        throw new Error("the fetch failed");
      },
    });
    const { record } = await finish(
      world,
      async (p) => {
        const other = p.do(holder, { params: { n: 1 }, inputs });
        await holding.promise;
        await Promise.all([p.do(careless, { params: null, inputs }), other]);
      },
      { machine: MACHINE },
    );
    expect(record).toMatchObject({ ran: 2, failed: 0 });
    expect(left).toMatchObject([{ kind: "aborted" }]);
  });

  test("are not late because others have the room that they wait for", async () => {
    const limitMs = 500;
    const [holding, begun] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const long = makeWork((ctx) =>
      ctx.take({ cpus: 2 }, async () => {
        holding.resolve();
        await begun.promise;
        await pause(1.2 * limitMs, ctx.signal);
        return 1;
      }),
    );
    const limited = step({
      name: "limited",
      version: 1,
      outputs: { n: json<number>() },
      resources: { minutes: limitMs / 60_000 },
      async run(_inputs: object, _params: null, ctx) {
        begun.resolve();
        await ctx.take({ cpus: 2 }, () => Promise.resolve());
        ctx.signal.throwIfAborted();
        return { n: ctx.attempt };
      },
    });
    const { record } = await finish(
      world,
      async (p) => {
        const other = p.do(long, { params: { n: 1 }, inputs });
        await holding.promise;
        await p.do(limited, { params: null, inputs });
        await other;
      },
      { machine: MACHINE },
    );
    expect(record).toMatchObject({ ran: 2, failed: 0 });
  });

  test("end with what the step gave where the log cannot be stored, and keep its lines", async () => {
    const put = (bytes: Uint8Array, ...rest: []) =>
      Buffer.from(bytes).toString() === "a line\n"
        ? Promise.reject(new HdashError("permanent", "the disk is full"))
        : world.blobs.put(bytes, ...rest);
    const full: World = { ...world, blobs: { ...world.blobs, put } };
    const work = makeWork((ctx) => {
      ctx.log("a line");
      return Promise.resolve(1);
    });
    const { record } = await finish(full, once(work));
    expect(record).toMatchObject({ ran: 1, failed: 0 });
    expect(await attempts()).toEqual(["1 in-process succeeded {}"]);
    expect(world.warnings).toEqual(["the log of work could not be stored: the disk is full"]);
    const { rows } = await sql`select line from step_log`.execute(world.database.db);
    expect(rows).toEqual([{ line: "a line" }]);
  });

  test("end with the step's own failure where the log cannot be stored, and keep its lines", async () => {
    const work = makeWork((ctx) => {
      ctx.log("a line");
      return Promise.reject(new Error("no"));
    });
    const put = () => Promise.reject(new HdashError("permanent", "the disk is full"));
    const full: World = { ...world, blobs: { ...world.blobs, put } };
    const { outcome } = await play(full, once(work));
    expect(outcome).toMatchObject({ record: { status: "failed", error: "no", failed: 1 } });
    expect(await attempts()).toEqual(["1 in-process failed error {} no"]);
    expect(world.warnings).toContain("the log of work could not be stored: the disk is full");
    const { rows } = await sql`select line from step_log order by seq`.execute(world.database.db);
    expect(rows).toEqual([{ line: "a line" }, { line: "failed · error: no" }]);
  });

  test("keep what they log: each its own, as a blob when it has ended", async () => {
    const work = makeWork(
      async (ctx) => {
        ctx.log(`line 1 of ${ctx.attempt}`);
        ctx.log("line 2");
        if (ctx.attempt === 1) throw new Error("no");
        return 1;
      },
      { attempts: 2 },
    );
    await finish(world, once(work));
    const { rows } = await sql<{ log_digest: Digest }>`
      select log_digest from step_attempt order by n`.execute(world.database.db);
    const logs = await Promise.all(rows.map(({ log_digest }) => world.blobs.read(log_digest)));
    expect(logs.map((bytes) => new TextDecoder().decode(bytes))).toEqual([
      "line 1 of 1\nline 2\nfailed · error: no\n",
      "line 1 of 2\nline 2\n",
    ]);
    const { rows: lines } = await sql`select * from step_log`.execute(world.database.db);
    expect(lines).toEqual([]);
  });

  test("lose the middle of a log that is too long, and the end of a line that is", async () => {
    const work = makeWork((ctx) => {
      for (let n = 1; n <= 20_003; n++) ctx.log(`line ${n}`);
      ctx.log("x".repeat(65_636));
      return Promise.resolve(1);
    });
    await finish(world, once(work));
    const { rows } = await sql<{ log_digest: Digest }>`
      select log_digest from step_attempt`.execute(world.database.db);
    const text = new TextDecoder().decode(await world.blobs.read(rows[0]?.log_digest as Digest));
    const lines = text.split("\n");
    expect(lines.slice(9_999, 10_002)).toEqual([
      "line 10000",
      "(4 lines are left out)",
      "line 10005",
    ]);
    expect([lines.length, lines[20_000]?.slice(-23)]).toEqual([
      ...[20_002, "… (100 characters more)"],
    ]);
  });

  test("can be followed line by line while they go on", async () => {
    const work = makeWork(async (ctx) => {
      ctx.log("at it");
      for (;;) {
        const { rows } = await sql<{ line: string; state: string }>`
          select l.line, a.state from step_log l join step_attempt a using (step_key, n)`.execute(
          world.database.db,
        );
        // The line is written within a second; timers must have their turn for that.
        await new Promise((resolve) => setImmediate(resolve));
        if (rows.length === 0) continue;
        expect(rows).toEqual([{ line: "at it", state: "running" }]);
        return 1;
      }
    });
    await finish(world, once(work));
  });
});

describe("room for steps", () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld("embedded");
  });
  afterAll(() => world.close());
  beforeEach(() => startAfresh(world.database.db));

  test("is left to others by eight steps that wait for CPUs: a ninth's pages are drawn", async () => {
    const drawn = Promise.withResolvers<void>();
    let atWork = 0;
    let most = 0;
    const analyse = makeWork((ctx) =>
      ctx.take({ cpus: 2 }, async () => {
        most = Math.max(most, ++atWork);
        // Only when the ninth is drawn does the first of the eight end.
        await drawn.promise;
        atWork--;
        return 1;
      }),
    );
    const draw = step({
      name: "draw",
      version: 1,
      outputs: { n: json<number>() },
      async run(_inputs: object, _params: null) {
        drawn.resolve();
        return { n: 9 };
      },
    });
    const { record } = await finish(
      world,
      async (p) => {
        const eight = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => p.do(analyse, { params: { n }, inputs }));
        await p.do(draw, { params: null, inputs });
        await Promise.all(eight);
      },
      { concurrency: 8, machine: MACHINE },
    );
    expect(record).toMatchObject({ ran: 9 });
    expect(most).toBe(1);
  });

  test("is left to others by steps that wait for something else", async () => {
    const went = Promise.withResolvers<void>();
    const work = makeWork(async (ctx, { n }) => {
      if (n > 0) await ctx.wait(() => went.promise);
      else went.resolve();
      return n;
    });
    const { record } = await finish(
      world,
      async (p) => {
        const waiting = [1, 2, 3].map((n) => p.do(work, { params: { n }, inputs }));
        await p.do(work, { params: { n: 0 }, inputs });
        await Promise.all(waiting);
      },
      { concurrency: 2 },
    );
    expect(record).toMatchObject({ ran: 4 });
  });

  test("counts what steps declare: two that need all memory are not at work together", async () => {
    let atWork = 0;
    let most = 0;
    const work = makeWork(
      async () => {
        most = Math.max(most, ++atWork);
        await new Promise((resolve) => setImmediate(resolve));
        atWork--;
        return 1;
      },
      { resources: { memoryMiB: 600 } },
    );
    await finish(
      world,
      async (p) => {
        await Promise.all([1, 2, 3].map((n) => p.do(work, { params: { n }, inputs })));
      },
      { machine: MACHINE },
    );
    expect(most).toBe(1);
  });
});
