import { readdir } from "node:fs/promises";

import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { json, type Plan, step } from "../../src/engine/step.ts";
import { identifyProcess } from "../../src/store/processIdentity.ts";
import { cancelRun } from "../../src/store/queue.ts";
import { listRuns } from "../../src/store/runs.ts";
import { LEDGER_KINDS, startAfresh } from "../support/ledger.ts";
import { finish, openWorld, play, type World } from "./world.ts";

/** Steps of which each waits for a gate of its own, and tells when it has begun. */
function makeGates() {
  const calls: string[] = [];
  const begun = new Map<string, PromiseWithResolvers<void>>();
  const gates = new Map<string, PromiseWithResolvers<void>>();
  const of = (map: typeof gates, name: string) => {
    const known = map.get(name) ?? Promise.withResolvers<void>();
    map.set(name, known);
    return known;
  };
  const gated = step({
    name: "gated",
    version: 1,
    outputs: { name: json<string>() },
    async run(_inputs: Record<never, never>, params: { name: string; listens: boolean }, ctx) {
      calls.push(params.name);
      of(begun, params.name).resolve();
      const stopped = new Promise<never>((_resolve, reject) => {
        if (params.listens)
          ctx.signal.addEventListener("abort", () => reject(new Error("stopped")));
      });
      await Promise.race([of(gates, params.name).promise, stopped]);
      return { name: params.name };
    },
  });
  return {
    calls,
    gated,
    begun: (name: string) => of(begun, name).promise,
    open: (...names: string[]) => names.forEach((name) => of(gates, name).resolve()),
  };
}

describe.each(LEDGER_KINDS)("a run that does not end by itself, on %s", (kind) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld(kind);
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    await startAfresh(world.database.db);
    world.warnings.length = 0;
  });

  const plan =
    (gates: ReturnType<typeof makeGates>, listens = true) =>
    async (p: Plan) => {
      for (const name of ["one", "two", "three"]) {
        await p.scope(name, (q) => q.do(gates.gated, { params: { name, listens }, inputs: {} }));
      }
    };
  const runs = () => listRuns(world.database.db, { limit: 10 });
  const expire = () =>
    sql`update run set lease_until = now() - interval '1 second' where status = 'running'`.execute(
      world.database.db,
    );

  test("is handed back when it is told to stop, and gone on with at the next start", async () => {
    const gates = makeGates();
    gates.open("one");
    const stopping = new AbortController();
    const clock = () => new Date("2026-11-01T00:00:00Z");
    const first = play(world, plan(gates), { signal: stopping.signal, clock });
    await gates.begun("two");
    // What the second step waits for comes only later: a run that waited for it would never end.
    stopping.abort();
    const { outcome, events } = await first;
    expect(outcome).toEqual({ kind: "handedBack", runId: "1" });
    expect(events.at(-1)).toMatchObject({
      kind: "runEnded",
      status: "handedBack",
      ran: 1,
      failed: 0,
    });
    expect(await runs()).toMatchObject([{ id: "1", status: "queued", ran: 1 }]);
    expect(await readdir(world.scratch)).toEqual([]);

    gates.open("two", "three");
    const second = await play(world, plan(gates), {
      clock: () => new Date("2026-11-01T03:00:00Z"),
    });
    expect(gates.calls).toEqual(["one", "two", "two", "three"]);
    expect(second.events[0]).toMatchObject({
      ...{ kind: "runStarted", runId: "1", attempt: 2, isReplay: true },
      startedAt: "2026-11-01T00:00:00.000Z",
    });
    // What the first attempt ran is found by the second, and still counts as run.
    expect(second.outcome).toMatchObject({
      record: { id: "1", status: "succeeded", hits: 0, ran: 3, failed: 0 },
    });
    expect(await runs()).toHaveLength(1);
  });

  // Seven seconds of grace are waited for; the database has no part in it.
  if (kind === "postgres") {
    test("is handed back even where a step does not listen, and what that step says later is void", async () => {
      const gates = makeGates();
      gates.open("one");
      const stopping = new AbortController();
      const first = play(world, plan(gates, false), { signal: stopping.signal });
      await gates.begun("two");
      stopping.abort();
      expect((await first).outcome).toEqual({ kind: "handedBack", runId: "1" });
      gates.open("two");
      const { record } = await finish(world, async (p) => {
        await p.scope("one", (q) =>
          q.do(gates.gated, { params: { name: "one", listens: false }, inputs: {} }),
        );
      });
      expect(record).toMatchObject({ id: "1", ran: 1, hits: 0 });
      const { rows } = await sql`select step_key from step_result`.execute(world.database.db);
      expect(rows).toHaveLength(1);
    });
  }

  test("does not even begin where it was told to stop before", async () => {
    await expect(
      play(world, plan(makeGates()), { signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ kind: "aborted" });
    expect(await runs()).toEqual([]);
  });

  test("keeps a second start from running, which says who has it", async () => {
    const gates = makeGates();
    const first = play(world, plan(gates));
    await gates.begun("one");
    const { outcome, events } = await play(world, plan(gates));
    const at = expect.stringMatching(/^\d{4}-.*Z$/) as string;
    expect(outcome).toEqual({
      ...{ kind: "busy", runId: "1", since: at, leaseUntil: at },
      worker: `pid ${process.pid} on ${identifyProcess().host}`,
    });
    expect(events).toEqual([]);
    gates.open("one", "two", "three");
    await first;
    expect(await runs()).toHaveLength(1);
  });

  test("is waited for by a start that was told to wait, which then makes a run of its own", async () => {
    const gates = makeGates();
    const first = play(world, plan(gates));
    await gates.begun("one");
    const told = Promise.withResolvers<void>();
    const second = play(world, plan(gates), {
      wait: true,
      onProgress: ({ kind: what }) => what === "waiting" && told.resolve(),
    });
    await told.promise;
    gates.open("one", "two", "three");
    expect((await first).outcome).toMatchObject({ record: { id: "1", ran: 3 } });
    const { outcome, events } = await second;
    expect(outcome).toMatchObject({ record: { id: "2", hits: 3, ran: 0 } });
    expect(events[0]).toMatchObject({ kind: "waiting", for: "run" });
  });

  test("can be given up waiting for", async () => {
    const gates = makeGates();
    const first = play(world, plan(gates));
    await gates.begun("one");
    const stopping = new AbortController();
    const second = play(world, plan(gates), {
      wait: true,
      signal: stopping.signal,
      onProgress: () => stopping.abort(),
    });
    await expect(second).rejects.toMatchObject({ kind: "aborted" });
    gates.open("one", "two", "three");
    await first;
  });

  test("loses to another worker once its lease is over, and can commit nothing more", async () => {
    const slow = makeGates();
    slow.open("one");
    // It may learn of its loss before the other has ended.
    const lost = expect(play(world, plan(slow))).rejects.toMatchObject({
      kind: "transient",
      message: "run 1 was taken over by another worker or cancelled, or the ledger was reset",
    });
    await slow.begun("two");
    await expire();
    const quick = makeGates();
    quick.open("one", "two", "three");
    const { outcome } = await play(world, plan(quick));
    expect(outcome).toMatchObject({ record: { id: "1", status: "succeeded", ran: 3, hits: 0 } });
    expect(quick.calls).toEqual(["two", "three"]);
    slow.open("two", "three");
    await lost;
    expect(slow.calls).toEqual(["one", "two"]);
    expect(await runs()).toMatchObject([{ id: "1", status: "succeeded", ran: 3 }]);
  });

  test("ends as cancelled where it is cancelled under its worker; the next one finds what it had done", async () => {
    const gates = makeGates();
    gates.open("one");
    const first = play(world, plan(gates));
    await gates.begun("two");
    expect(await cancelRun(world.database.db, "1", "not needed", new Date())).toBe("cancelled");
    gates.open("two", "three");
    const { outcome, events } = await first;
    expect(outcome).toEqual({ kind: "cancelled", runId: "1" });
    expect(events.at(-1)).toMatchObject({ kind: "runEnded", status: "cancelled", error: null });
    expect(await runs()).toMatchObject([{ id: "1", status: "cancelled", error: "not needed" }]);
    expect((await finish(world, plan(gates))).record).toMatchObject({ id: "2", hits: 1, ran: 2 });
  });

  test("stops where the ledger was reset under it", async () => {
    const gates = makeGates();
    const lost = expect(play(world, plan(gates))).rejects.toMatchObject({ kind: "transient" });
    await gates.begun("one");
    await startAfresh(world.database.db);
    gates.open("one", "two", "three");
    await lost;
    expect(await runs()).toEqual([]);
  });
});
