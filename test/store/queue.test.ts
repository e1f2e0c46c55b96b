// The queue of runs, claims on steps, attempts and their logs, on both kinds of ledger.

import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { digestOf } from "../../src/digest.ts";
import { claimRun, handBackRun, type Holding, renewLease } from "../../src/store/claims.ts";
import type { Lease } from "../../src/store/lease.ts";
import { identifyProcess } from "../../src/store/processIdentity.ts";
import { cancelRun, claimNext, requestRun } from "../../src/store/queue.ts";
import { countDegradedInARow, finishRun, listRuns, listRunsBefore } from "../../src/store/runs.ts";
import type { Db } from "../../src/store/schema.ts";
import {
  beginAttempt,
  closeAttempts,
  endAttempt,
  listAttempts,
  nameAttempt,
} from "../../src/store/stepAttempts.ts";
import {
  claimStep,
  dropClaims,
  findClaims,
  releaseClaim,
  renewClaims,
} from "../../src/store/stepClaims.ts";
import { appendLog, dropLog, MOST_LOG_LINES, readLog } from "../../src/store/stepLog.ts";
import { LEDGER_KINDS, openLedger, startAfresh, type TestLedger } from "../support/ledger.ts";

const AT = new Date("2026-11-01T00:00:00Z");
const HOUR = 3_600_000;
const never = () => false;

describe.each(LEDGER_KINDS)("the ledger on %s", (kind) => {
  let ledger: TestLedger;
  let db: Db;
  beforeAll(async () => {
    ledger = await openLedger(kind);
    ({ db } = ledger.database);
  });
  afterAll(() => ledger.close());
  beforeEach(() => startAfresh(db));

  const holding = (given: Partial<Holding> = {}): Holding => ({
    ...{ build: "b2", worker: identifyProcess(), nonce: crypto.randomUUID() },
    ...{ startedAt: AT, leaseSeconds: 60, isDead: never, ...given },
  });
  const ask = (params: number, priority = 0, pipeline = "p") =>
    requestRun(db, { pipeline, params, build: "b1", requestedBy: "a form", priority });
  const next = (given: Partial<Holding> = {}) => claimNext(db, ["p", "q"], holding(given));
  const start = async (params: number, startedAt = AT): Promise<Lease> => {
    const claim = await claimRun(db, { ...holding({ startedAt }), pipeline: "p", params });
    if (claim.kind !== "claimed") throw new Error("busy");
    return claim.lease;
  };
  const holderOf = (lease: Lease, holder = `holder of ${lease.runId}`) => ({
    ...{ lease, holder, worker: identifyProcess(), leaseSeconds: 60 },
  });
  const statuses = async () =>
    (await listRuns(db, { limit: 99 })).map(({ id, status }) => `${id} ${status}`).reverse();

  describe("requestRun and claimNext", () => {
    test("give runs out by priority, then by age, of the pipelines that are asked for", async () => {
      await ask(1);
      await ask(2, 5);
      await ask(3);
      await ask(4, 9, "other");
      expect(await ask(3, 7)).toEqual({ runId: "3", isNew: false });
      const given = [];
      for (let claim = await next(); claim !== null; claim = await next()) given.push(claim);
      expect(given.map(({ lease, params }) => [lease.runId, lease.attempt, params])).toEqual([
        ["3", 1, 3],
        ["2", 1, 2],
        ["1", 1, 1],
      ]);
      expect(given[0]).toMatchObject({ pipeline: "p", startedAt: AT, earlierKeys: [] });
      expect(await statuses()).toEqual(["1 running", "2 running", "3 running", "4 queued"]);
    });

    test("give each run to one of many who ask at once", async () => {
      for (let n = 0; n < 4; n++) await ask(n);
      const claims = await Promise.all(Array.from({ length: 8 }, () => next()));
      const ids = claims.flatMap((claim) => (claim === null ? [] : [claim.lease.runId]));
      // Who finds a row locked passes it by, and may go away with nothing; nobody gets what another has.
      for (let claim = await next(); claim !== null; claim = await next())
        ids.push(claim.lease.runId);
      expect(ids.sort()).toEqual(["1", "2", "3", "4"]);
    });

    // The embedded database has one connection: there nobody can hold a row while another asks.
    if (kind === "postgres") {
      test("pass by a run that another is about to claim", async () => {
        await ask(1);
        await ask(2);
        const claiming = await db.transaction().execute(async (trx) => {
          await trx.selectFrom("run").select("id").where("id", "=", "1").forUpdate().execute();
          return next();
        });
        expect(claiming?.lease.runId).toBe("2");
      });
    }

    test("give the same run again to who lost the answer", async () => {
      await ask(1);
      await ask(2);
      const request = holding();
      expect((await claimNext(db, ["p"], request))?.lease.runId).toBe("1");
      expect((await claimNext(db, ["p"], request))?.lease.runId).toBe("1");
    });

    test("keep what was asked for until somebody does it, days later too, also by name", async () => {
      const { runId } = await ask(1);
      const late = new Date(Date.now() + 100 * HOUR);
      expect(await listRuns(db, { limit: 1 })).toMatchObject([
        { id: runId, status: "queued", startedAt: null, requestedBy: "a form" },
      ]);
      expect(await listRunsBefore(db, "99", 9)).toEqual([]);
      // A start of the same pipeline with other params, and then this one.
      await start(2, late);
      expect(await start(1, late)).toEqual({ runId, attempt: 1 });
      expect(await listRuns(db, { limit: 2 })).toMatchObject([
        { id: "2", status: "running" },
        { id: runId, status: "running", startedAt: late.toISOString() },
      ]);
    });

    test("go on with what was handed back or fell silent, and ask anew for what is of another day", async () => {
      await ask(1, 3);
      const first = await next();
      if (first === null) throw new Error("none");
      await handBackRun(db, first.lease);
      expect((await next())?.lease).toEqual({ runId: "1", attempt: 2 });
      expect(await next()).toBeNull();
      await sql`update run set lease_until = now() - interval '1 second'`.execute(db);
      expect((await next())?.lease).toEqual({ runId: "1", attempt: 3 });
      await sql`update run set lease_until = now() - interval '1 second'`.execute(db);
      const late = new Date(AT.getTime() + 7 * HOUR);
      expect(await next({ startedAt: late })).toMatchObject({
        ...{ lease: { runId: "2", attempt: 1 }, startedAt: late, params: 1 },
      });
      expect(await listRuns(db, { limit: 9 })).toMatchObject([
        { id: "2", requestedBy: "a form", priority: 3 },
        { id: "1", status: "failed" },
      ]);
    });
  });

  describe("cancelRun(db, runId, why, at)", () => {
    test("ends a run that waits and one that goes on, whose worker has lost it; no other", async () => {
      await ask(1);
      const lease = await start(2);
      expect(await cancelRun(db, "1", "not needed", AT)).toBe("cancelled");
      expect(await cancelRun(db, lease.runId, "not needed", AT)).toBe("cancelled");
      expect(await renewLease(db, lease, 60)).toBeNull();
      expect(await next()).toBeNull();
      const ended = await start(3);
      const end = { status: "succeeded" as const, error: null, finishedAt: AT };
      await finishRun(db, ended, { ...end, deltas: {}, failedScopes: {} });
      expect(await cancelRun(db, ended.runId, "too late", AT)).toBe("succeeded");
      expect(await cancelRun(db, "99", "none", AT)).toBeNull();
      expect(await listRuns(db, { limit: 9 })).toMatchObject([
        { id: "3", status: "succeeded" },
        { id: "2", status: "cancelled", error: "not needed", finishedAt: AT.toISOString() },
        { id: "1", status: "cancelled", startedAt: null },
      ]);
    });

    test("keep a run's place in the queue where it is asked for anew since it was started too long ago", async () => {
      await ask(1);
      await handBackRun(db, (await next())?.lease ?? { runId: "0", attempt: 0 });
      const asked = async () => {
        const { rows } = await sql<{ line: string }>`
          select status || ' ' || (date_trunc('milliseconds', requested_at) =
            (select date_trunc('milliseconds', min(requested_at)) from run)) as line
          from run order by id`.execute(db);
        return rows.map(({ line }) => line);
      };
      const late = await next({ startedAt: new Date(AT.getTime() + 7 * HOUR) });
      expect(late?.lease).toEqual({ runId: "2", attempt: 1 });
      expect(await asked()).toEqual(["failed true", "running true"]);
    });

    test("leave runs in the order in which they began and ended, not in which they were asked for", async () => {
      const end = async (
        { runId, attempt }: Lease,
        hour: number,
        status: "degraded" | "failed",
      ) => {
        const finishedAt = new Date(AT.getTime() + hour * HOUR);
        const record = await finishRun(
          db,
          { runId, attempt },
          { status, error: null, finishedAt, deltas: {}, failedScopes: {} },
        );
        if (record === null) throw new Error("lost");
        return record;
      };
      await ask(1);
      await ask(2, 9);
      const urgent = await next();
      if (urgent === null) throw new Error("none");
      expect(urgent.lease.runId).toBe("2");
      await end(urgent.lease, 1, "failed");
      const late = await next({ startedAt: new Date(AT.getTime() + 2 * HOUR) });
      if (late === null) throw new Error("none");
      expect((await listRunsBefore(db, late.lease.runId, 9)).map(({ id }) => id)).toEqual(["2"]);
      expect(await listRunsBefore(db, urgent.lease.runId, 9)).toEqual([]);
      expect(await countDegradedInARow(db, await end(late.lease, 3, "degraded"))).toBe(1);
    });

    test("does not end a row of degraded runs", async () => {
      const degraded = async () => {
        const end = { status: "degraded" as const, error: null, finishedAt: AT };
        const record = await finishRun(db, await start(1), {
          ...end,
          deltas: {},
          failedScopes: {},
        });
        if (record === null) throw new Error("lost");
        return record;
      };
      await degraded();
      await cancelRun(db, (await start(1)).runId, "not needed", AT);
      expect(await countDegradedInARow(db, await degraded())).toBe(2);
    });
  });

  describe("claimStep(db, key, claimant, isDead)", () => {
    const claimed = { kind: "claimed", nextAttempt: 1 };

    test("gives a step to exactly one of many, and tells the others who has it", async () => {
      const leases = [];
      for (let n = 0; n < 6; n++) leases.push(await start(n));
      const claims = await Promise.all(
        leases.map((lease) => claimStep(db, "k", holderOf(lease), never)),
      );
      expect(claims.filter((claim) => claim.kind === "claimed")).toEqual([claimed]);
      const winner = leases[claims.findIndex((claim) => claim.kind === "claimed")];
      const busy = claims.find((claim) => claim.kind === "busy");
      expect(busy).toMatchObject({ by: { runId: winner?.runId, identity: identifyProcess() } });
      expect((await findClaims(db, ["k", "other"])).size).toBe(1);
      if (winner === undefined) throw new Error("nobody");
      expect(await claimStep(db, "k", holderOf(winner), never)).toEqual(claimed);
      expect(await releaseClaim(db, "k", holderOf(winner, "another start"))).toBe(false);
      expect(await releaseClaim(db, "k", holderOf(winner))).toBe(true);
      expect((await findClaims(db, ["k"])).size).toBe(0);
    });

    // The embedded database has one connection: nobody else is in a transaction.
    if (kind === "postgres") {
      test("is renewed beside one that a long commit is giving up", async () => {
        const holder = holderOf(await start(1));
        for (const key of ["k", "other"]) await claimStep(db, key, holder, never);
        await sql`update step_claim set lease_until = now()`.execute(db);
        await db.transaction().execute(async (trx) => {
          await releaseClaim(trx, "k", holder);
          await renewClaims(db, holder);
        });
        expect([...(await findClaims(db, ["k", "other"])).keys()]).toEqual(["other"]);
      });

      test("is refused to who has waited while a run claimed it that did not exist before", async () => {
        const [first, second] = [await start(1), await start(2)];
        await claimStep(db, "k", holderOf(first), never);
        await sql`update step_claim set lease_until = now() - interval '1 second'`.execute(db);
        const waiting = await db.transaction().execute(async (trx) => {
          await sql`select from step_claim for update`.execute(trx);
          const claiming = claimStep(db, "k", holderOf(second), never);
          await expect
            .poll(async () => {
              const { rows } = await sql`select from pg_stat_activity
                where datname = current_database() and wait_event_type = 'Lock'`.execute(db);
              return rows.length;
            })
            .toBe(1);
          const third = await start(3);
          await sql`update step_claim set run_id = ${third.runId}, run_attempt = ${third.attempt},
            holder = 'third', lease_until = now() + interval '1 minute'`.execute(trx);
          return { claiming };
        });
        expect(await waiting.claiming).toMatchObject({ kind: "busy", by: { holder: "third" } });
      });
    }

    test.each([
      [
        "whose lease is over",
        () => sql`update step_claim set lease_until = now() - interval '1 s'`,
      ],
      ["whose run was taken over", () => sql`update run set attempt = 2 where id = 1`],
      ["whose run has ended", () => sql`update run set status = 'failed' where id = 1`],
    ])("takes a step from a holder %s", async (_name, leave) => {
      const [first, second] = [await start(1), await start(2)];
      await claimStep(db, "k", holderOf(first), never);
      expect((await claimStep(db, "k", holderOf(second), never)).kind).toBe("busy");
      await leave().execute(db);
      expect((await findClaims(db, ["k"])).size).toBe(0);
      expect(await claimStep(db, "k", holderOf(second), never)).toEqual(claimed);
      expect(await releaseClaim(db, "k", holderOf(first))).toBe(false);
    });

    test("takes it at once from a process that is proven dead, and refuses who has lost the run", async () => {
      const [first, second] = [await start(1), await start(2)];
      await claimStep(db, "k", holderOf(first), never);
      expect(await claimStep(db, "k", holderOf(second), () => true)).toEqual(claimed);
      await handBackRun(db, first);
      expect(await claimStep(db, "k2", holderOf(first), never)).toEqual({ kind: "lost" });
    });

    test("leaves nothing behind when a run is over", async () => {
      const [first, second] = [await start(1), await start(2)];
      await claimStep(db, "k", holderOf(first), never);
      await claimStep(db, "k2", holderOf(second), never);
      await dropClaims(db, first);
      expect([...(await findClaims(db, ["k", "k2"])).keys()]).toEqual(["k2"]);
    });
  });

  describe("attempts and their logs", () => {
    const K = { key: "k", n: 1 };
    const begin = (n: number, lease: Lease) =>
      beginAttempt(db, holderOf(lease), {
        ...{ key: "k", n, step: "work", runner: "docker", resources: { cpus: 2 }, startedAt: AT },
      });
    const claim = (lease: Lease) => claimStep(db, "k", holderOf(lease), never);
    const open = async () =>
      (await listAttempts(db, "k")).filter(({ end }) => end === null).map(({ n }) => n);
    const END = {
      ...{ state: "failed", code: 137, reason: "exit", usage: { cpuMs: 5 } },
      message: "out of\0memory",
      ...{ logDigest: digestOf("log"), endedAt: AT },
    };

    test("are begun once, ended once, and numbered through all runs", async () => {
      const [one, two] = [await start(1), await start(2)];
      expect(await claim(one)).toEqual({ kind: "claimed", nextAttempt: 1 });
      expect([await begin(1, one), await begin(1, one)]).toEqual([true, true]);
      expect(await begin(1, two)).toBe(false);
      await nameAttempt(db, one, K, "container 7");
      await endAttempt(db, one, K, END);
      await endAttempt(db, one, K, { ...END, state: "succeeded" });
      // What has ended is not begun again.
      expect(await begin(1, one)).toBe(false);
      await releaseClaim(db, "k", holderOf(one));
      expect(await claim(two)).toEqual({ kind: "claimed", nextAttempt: 2 });
      await begin(2, two);
      await closeAttempts(db, two.runId, "lost", "gone");
      expect(await listAttempts(db, "k")).toMatchObject([
        {
          ...{ n: 1, step: "work", runId: one.runId, runAttempt: 1 },
          ...{ runner: "docker", runnerId: "container 7" },
          resources: { cpus: 2 },
          machine: null,
          end: { ...END, message: "out of\uFFFDmemory" },
        },
        { n: 2, runId: two.runId, end: { state: "lost", reason: "lease", message: "gone" } },
      ]);
      expect(await listAttempts(db, "k", two.runId)).toHaveLength(1);
    });

    test("belong to the attempt of the run that has the claim, and to nobody else", async () => {
      const [one, two] = [await start(1), await start(2)];
      // Nobody has a claim.
      expect(await begin(1, one)).toBe(false);
      await claim(one);
      await begin(1, one);
      for (const other of [two, { ...one, attempt: one.attempt + 1 }]) {
        await nameAttempt(db, other, K, "container 8");
        await endAttempt(db, other, K, END);
        expect(await begin(2, other)).toBe(false);
      }
      expect(await listAttempts(db, "k")).toMatchObject([{ n: 1, runnerId: null, end: null }]);
      // A claim that was taken from us: the attempt that we have begun is still ours to end, and no other is ours to begin.
      await sql`update step_claim set lease_until = now() - interval '1 second'`.execute(db);
      expect(await claim(two)).toEqual({ kind: "claimed", nextAttempt: 2 });
      expect(await begin(2, one)).toBe(false);
      expect(await begin(2, two)).toBe(true);
      await endAttempt(db, one, K, END);
      expect(await open()).toEqual([2]);
    });

    test("go on counting where a result remembers one whose row is gone", async () => {
      const lease = await start(1);
      await sql`insert into step_result (step_key, step, version, document, outputs, ms, attempt)
        values ('k', 's', 1, '{}', '{}', 1, 7)`.execute(db);
      expect(await claim(lease)).toEqual({ kind: "claimed", nextAttempt: 8 });
    });

    test("are closed when their run is handed back, and when it goes on without their worker", async () => {
      const states = async () =>
        (await listAttempts(db, "k")).map(({ n, end }) => `${n} ${end?.state ?? "open"}`);
      const lease = await start(1);
      await claim(lease);
      await begin(1, lease);
      await handBackRun(db, lease);
      expect(await states()).toEqual(["1 cancelled"]);
      const again = await start(1);
      await claim(again);
      await begin(2, again);
      await sql`update run set lease_until = now() - interval '1 second'`.execute(db);
      await start(1);
      expect(await states()).toEqual(["1 cancelled", "2 lost"]);
    });

    test("keep the last lines, until the log is a blob", async () => {
      const lease = await start(1);
      await claim(lease);
      await begin(1, lease);
      const line = (seq: number, text = `line ${seq}`) => ({
        ...{ key: "k", n: 1, seq, at: AT, line: text },
      });
      await appendLog(db, [line(1), line(2, `${"x".repeat(5000)}\0`)]);
      await appendLog(db, [line(2)]);
      await appendLog(db, [{ ...line(1), key: "unknown" }]);
      const [first, second] = await readLog(db, "k", 1);
      expect(first).toEqual(line(1));
      expect(second?.line).toBe(`${"x".repeat(4000)}…`);
      expect(await readLog(db, "unknown", 1)).toEqual([]);
      expect(await readLog(db, "k", 1, 1)).toHaveLength(1);
      const many = Array.from({ length: 2 * MOST_LOG_LINES }, (_, index) => line(3 + index));
      await appendLog(db, many);
      const kept = await readLog(db, "k", 1);
      expect([kept.length, kept[0]?.seq, kept.at(-1)?.seq]).toEqual([
        ...[MOST_LOG_LINES, MOST_LOG_LINES + 3, 2 * MOST_LOG_LINES + 2],
      ]);
      await dropLog(db, "k", 1);
      expect(await readLog(db, "k", 1)).toEqual([]);
    });
  });
});
