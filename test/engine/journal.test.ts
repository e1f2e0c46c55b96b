// What is noted of steps, and heard of their logs, when the ledger takes the one or the other badly.

import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { type Journal, openJournal } from "../../src/engine/journal.ts";
import { json, type Plan, step } from "../../src/engine/step.ts";
import { HdashError } from "../../src/error.ts";
import { SILENT } from "../../src/log.ts";
import { claimRun } from "../../src/store/claims.ts";
import type { Lease } from "../../src/store/lease.ts";
import { identifyProcess } from "../../src/store/processIdentity.ts";
import { MOST_LOG_LINES, readLog } from "../../src/store/stepLog.ts";
import type { StepNote } from "../../src/store/stepRuns.ts";
import { finish, openWorld, type World } from "./world.ts";

const AT = new Date("2026-11-01T00:00:00Z");

let world: World;
beforeEach(async () => {
  world = await openWorld("embedded");
});
afterEach(() => world.close());

describe("openJournal(db, lease, access, onLost)", () => {
  let lease: Lease;
  let journal: Journal;
  /** What is done in the ledger's place, by what it is for. */
  let refused: string[];
  beforeEach(async () => {
    const claim = await claimRun(world.database.db, {
      ...{ pipeline: "p", params: null, build: "b", worker: identifyProcess(), nonce: "n" },
      ...{ startedAt: AT, leaseSeconds: 60, isDead: () => false },
    });
    if (claim.kind !== "claimed") throw new Error("busy");
    ({ lease } = claim);
    refused = [];
    const access = {
      blobs: world.blobs,
      log: SILENT,
      withLedger: <T>(subject: string, work: () => Promise<T>): Promise<T> => {
        const at = refused.indexOf(subject);
        if (at === -1) return work();
        refused.splice(at, 1);
        return Promise.reject(new HdashError("permanent", "the disk is full"));
      },
    };
    journal = openJournal(world.database.db, lease, access, () => {
      throw new Error("lost");
    });
  });
  afterEach(() => journal.close());

  const note = (key: string, done: number): StepNote => ({
    ...{ scope: "", step: "s", key, resultId: null, state: "running", error: null },
    ...{ done, total: 9, startedAt: AT, endedAt: null },
  });
  const noted = async () => {
    const { rows } = await sql<{ line: string }>`
      select step_key || ' ' || done as line from step_run order by step_key`.execute(
      world.database.db,
    );
    return rows.map(({ line }) => line);
  };

  test("keeps notes that could not be written, but for those that newer ones replace", async () => {
    journal.note(note("a", 1));
    journal.note(note("b", 1));
    refused = ["noting steps"];
    const flushing = journal.flush();
    await expect(flushing).rejects.toThrow("the disk is full");
    journal.note(note("b", 2));
    expect(await noted()).toEqual([]);
    await journal.flush();
    expect(await noted()).toEqual(["a 1", "b 2"]);
  });

  test("writes notes also where lines of logs cannot be", async () => {
    journal.note(note("a", 1));
    journal.log({ key: "a", n: 1, seq: 1, at: AT, line: "a line" });
    refused = ["noting logs"];
    await journal.flush();
    expect(refused).toEqual([]);
    expect(await noted()).toEqual(["a 1"]);
  });

  test("keeps the last lines of each attempt, however many come before the ledger has its turn", async () => {
    await sql`insert into step_attempt (step_key, n, step, run_id, run_attempt, runner, state, resources, started_at)
      values ('a', 1, 's', 1, 1, 'r', 'running', '{}', now()), ('a', 2, 's', 1, 1, 'r', 'running', '{}', now())`.execute(
      world.database.db,
    );
    journal.log({ key: "a", n: 2, seq: 1, at: AT, line: "of another" });
    for (let seq = 1; seq <= 5 * MOST_LOG_LINES; seq++) {
      journal.log({ key: "a", n: 1, seq, at: AT, line: `${seq} ${"x".repeat(9000)}` });
    }
    await journal.flush();
    const kept = await readLog(world.database.db, "a", 1);
    expect([kept.length, kept.at(-1)?.seq, kept.at(-1)?.line.length]).toEqual([
      ...[MOST_LOG_LINES, 5 * MOST_LOG_LINES, 4001],
    ]);
    expect(await readLog(world.database.db, "a", 2)).toMatchObject([{ line: "of another" }]);
  });
});

describe("a run", () => {
  test("counts all that it has found, and only warns, where its log has no place", async () => {
    const say = step({
      name: "say",
      version: 1,
      outputs: { n: json<number>() },
      run(_inputs: object, { n }: { n: number }, ctx) {
        if (n === 3) ctx.log("a line");
        return Promise.resolve({ n });
      },
    });
    const plan = (most: number) => async (p: Plan) => {
      for (let n = 0; n <= most; n++) await p.do(say, { params: { n }, inputs: {} });
    };
    await finish(world, plan(2));
    await sql`alter table step_log rename to elsewhere`.execute(world.database.db);
    const { record } = await finish(world, plan(3));
    expect(record).toMatchObject({ status: "succeeded", hits: 3, ran: 1 });
    expect(world.warnings).toContainEqual(
      expect.stringMatching(/^1 lines of logs could not be kept for those who follow them: /),
    );
  });
});
