import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { type Heartbeat, type LeaseTiming, startHeartbeat } from "../../src/engine/worker.ts";
import type { HdashError } from "../../src/error.ts";
import { SILENT } from "../../src/log.ts";
import { claimRun } from "../../src/store/claims.ts";
import { openDatabase } from "../../src/store/database.ts";
import type { Lease } from "../../src/store/lease.ts";
import { identifyProcess } from "../../src/store/processIdentity.ts";
import { cancelRun } from "../../src/store/queue.ts";
import { takeSite } from "../../src/store/siteLease.ts";
import { claimStep } from "../../src/store/stepClaims.ts";
import { startAfresh } from "../support/ledger.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";

describe("startHeartbeat(db, lease, log, onLost)", () => {
  let made: TestDatabase;
  let lease: Lease;
  let beating: Heartbeat | null = null;
  const losses: HdashError[] = [];
  const warnings: string[] = [];
  const quick = { leaseSeconds: 60, heartbeatMs: 10 };

  beforeAll(async () => {
    made = await createTestDatabase();
  });
  afterAll(() => made.drop());
  beforeEach(async () => {
    beating?.stop();
    losses.length = 0;
    warnings.length = 0;
    await startAfresh(made.database.db);
    const claim = await claimRun(made.database.db, {
      ...{ pipeline: "p", params: null, build: "b", worker: identifyProcess(), nonce: "n" },
      ...{ startedAt: new Date(), leaseSeconds: 1, isDead: () => false },
    });
    if (claim.kind !== "claimed") throw new Error("busy");
    ({ lease } = claim);
  });

  const start = (timing: LeaseTiming = quick, db = made.database.db) => {
    const log = { ...SILENT, warn: (line: string) => void warnings.push(line) };
    beating = startHeartbeat(
      db,
      { lease, holder: "n" },
      log,
      (error) => losses.push(error),
      timing,
    );
    return beating;
  };
  const secondsLeft = async () => {
    const { rows } = await sql<{ s: number }>`
      select extract(epoch from lease_until - now())::float8 as s from run`.execute(
      made.database.db,
    );
    return rows[0]?.s ?? 0;
  };

  test("renews the lease until it is stopped", async () => {
    const heartbeat = start();
    await expect.poll(secondsLeft).toBeGreaterThan(50);
    heartbeat.stop();
    expect(losses).toEqual([]);
  });

  test("renews the claims of this start with it, and no others", async () => {
    const { db } = made.database;
    const worker = identifyProcess();
    for (const holder of ["n", "another start"]) {
      const claimant = { lease, holder, worker, leaseSeconds: 1 };
      await claimStep(db, `key of ${holder}`, claimant, () => false);
    }
    start();
    const left = async () => {
      const { rows } = await sql<{ s: number }>`
        select round(extract(epoch from lease_until - now()) / 60)::integer as s from step_claim
        order by step_key`.execute(db);
      return rows.map(({ s }) => s);
    };
    await expect.poll(left).toEqual([0, 1]);
  });

  test("tells once that the run was taken over", async () => {
    start();
    await sql`update run set attempt = 2`.execute(made.database.db);
    await expect.poll(() => losses.length).toBe(1);
    expect(losses).toMatchObject([
      {
        kind: "transient",
        message: `run ${lease.runId} was taken over by another worker or cancelled, or the ledger was reset`,
      },
    ]);
  });

  test("tells long before the next beat that the run was cancelled, and renews nothing until then", async () => {
    const { db } = made.database;
    start({ leaseSeconds: 60, heartbeatMs: 3_600_000, lookMs: 10 });
    await cancelRun(db, lease.runId, "not wanted", new Date());
    await expect.poll(() => losses.length).toBe(1);
    expect(losses[0]?.message).toMatch(/was taken over by another worker or cancelled/);
    const { rows } = await sql<{ s: number }>`
      select extract(epoch from lease_until - claimed_at)::float8 as s from run`.execute(db);
    expect(rows[0]?.s).toBe(1);
  });

  test("beats also where it looks in between", async () => {
    start({ leaseSeconds: 60, heartbeatMs: 30, lookMs: 10 });
    await expect.poll(secondsLeft).toBeGreaterThan(50);
    expect(losses).toEqual([]);
  });

  test("takes no look that fails for a loss", async () => {
    const gone = await openDatabase(made.settings);
    await gone.close();
    start({ leaseSeconds: 60, heartbeatMs: 40, lookMs: 10 }, gone.db);
    await expect.poll(() => warnings.length).toBeGreaterThan(0);
    expect(losses).toEqual([]);
  });

  test("tells that another run has taken the site, but not that it was given up", async () => {
    const heartbeat = start();
    await takeSite(made.database.db, lease, "s3://site", () => false);
    heartbeat.holdSite("s3://site");
    await expect.poll(secondsLeft).toBeGreaterThan(50);
    expect(losses).toEqual([]);
    await sql`update run set publishing_site = null`.execute(made.database.db);
    await expect.poll(() => losses.length).toBe(1);
    expect(losses[0]?.message).toBe(
      `run ${lease.runId} has lost its turn to publish s3://site to another run`,
    );
  });

  test("warns while the database does not answer, and gives the lease up when it is over", async () => {
    const gone = await openDatabase(made.settings);
    await gone.close();
    start({ leaseSeconds: 0.2, heartbeatMs: 10 }, gone.db);
    await expect.poll(() => losses.length).toBe(1);
    expect(losses).toMatchObject([
      {
        kind: "transient",
        message: `run ${lease.runId} has lost its lease: the database did not answer in time`,
      },
    ]);
    expect(warnings.length).toBeGreaterThan(1);
    expect(warnings[0]).toBe(`run ${lease.runId}: the lease could not be renewed`);
  });

  test("gives the lease up when it is over, though the database still keeps it waiting", async () => {
    const held = Promise.withResolvers<void>();
    const free = Promise.withResolvers<void>();
    const holding = made.database.db.transaction().execute(async (trx) => {
      await sql`select from run for update`.execute(trx);
      held.resolve();
      await free.promise;
    });
    await held.promise;
    try {
      start({ leaseSeconds: 0.2, heartbeatMs: 10 });
      await expect.poll(() => losses.length).toBe(1);
      expect(losses).toMatchObject([
        {
          kind: "transient",
          message: `run ${lease.runId} has lost its lease: the database did not answer in time`,
        },
      ]);
    } finally {
      free.resolve();
      await holding;
    }
  });
});
