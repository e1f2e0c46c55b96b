import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { json, type Plan, step } from "../../src/engine/step.ts";
import { type Database, openDatabase } from "../../src/store/database.ts";
import { openDatabaseBlobs } from "../../src/store/databaseBlobs.ts";
import { startAfresh } from "../support/ledger.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { layWire, type Wire } from "../support/wire.ts";
import { finish, play, type World } from "./world.ts";

describe("a run whose database goes away", () => {
  let made: TestDatabase;
  let wire: Wire;
  let database: Database;
  let world: World;
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "hdash-outage-"));
    made = await createTestDatabase();
    wire = await layWire(made.settings.port);
    database = await openDatabase({ ...made.settings, port: wire.port });
    world = {
      ...{ database, blobs: openDatabaseBlobs(database.db), warnings: [] },
      ...{ dir, scratch: dir, close: async () => {} },
    };
  });
  afterAll(async () => {
    wire.cut();
    await database.close();
    await made.drop();
    await rm(dir, { recursive: true, force: true });
  });
  beforeEach(() => startAfresh(made.database.db));

  /** Steps of which the second cuts the wire while it runs. */
  function makePlan(onSecond: () => void) {
    const calls: number[] = [];
    const work = step({
      name: "work",
      version: 1,
      outputs: { n: json<number>() },
      async run(_inputs: Record<never, never>, params: { n: number }) {
        calls.push(params.n);
        if (params.n === 2) onSecond();
        return { n: params.n };
      },
    });
    const plan = async (p: Plan) => {
      for (const n of [1, 2, 3]) {
        await p.scope(`S${n}`, (q) => q.do(work, { params: { n }, inputs: {} }));
      }
    };
    return { calls, plan };
  }

  test("goes on when it is back soon, and has done nothing twice", async () => {
    const { calls, plan } = makePlan(() => {
      wire.cut();
      setTimeout(() => void wire.mend(), 500);
    });
    const { outcome, events } = await play(world, plan);
    expect(outcome).toMatchObject({ record: { status: "succeeded", ran: 3 } });
    expect(calls).toEqual([1, 2, 3]);
    expect(events.find(({ kind }) => kind === "retry")).toMatchObject({
      subject: "storing work.n",
      attempt: 1,
      reason: expect.stringMatching(/^Postgres database hdash_test_/) as string,
    });
  });

  test("fails with a clear error when it stays away, and the next start goes on with it", async () => {
    let cuts = 0;
    const { calls, plan } = makePlan(() => {
      if (cuts++ === 0) wire.cut();
    });
    await expect(play(world, plan)).rejects.toMatchObject({
      kind: "transient",
      message: expect.stringMatching(
        // Whichever statement was waiting first: a step's output or the notes of the run.
        /^the ledger does not answer \([a-z][\w .]+\): Postgres database hdash_test_\w+ at 127\.0\.0\.1:\d+: /,
      ) as string,
      hint: "Start again when it does: the run goes on where it was.",
    });
    await wire.mend();
    await made.database.db
      .updateTable("run")
      .set({ lease_until: new Date(0) })
      .execute();
    const { record } = await finish(world, plan);
    expect(record).toMatchObject({ id: "1", status: "succeeded", ran: 3, hits: 0 });
    expect(calls).toEqual([1, 2, 2, 3]);
  });
});
