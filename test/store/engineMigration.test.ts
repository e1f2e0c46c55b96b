// Migration 0002 over a ledger that holds something, on both kinds of database: what was known is known, and what is new begins well.

import { type Kysely, sql } from "kysely";
import { describe, expect, test } from "vitest";

import * as first from "../../migrations/0001_ledger.ts";
import * as second from "../../migrations/0002_engine.ts";
import * as third from "../../migrations/0003_objects.ts";
import * as fourth from "../../migrations/0004_lineage.ts";
import { type Digest, digestOf } from "../../src/digest.ts";
import { claimRun } from "../../src/store/claims.ts";
import { type Database, openDatabase } from "../../src/store/database.ts";
import { openPglite, startPglite } from "../../src/store/embedded.ts";
import { listFindings } from "../../src/store/facts.ts";
import { migrate } from "../../src/store/migrate.ts";
import { identifyProcess } from "../../src/store/processIdentity.ts";
import { isQueued } from "../../src/store/queue.ts";
import { commitResult, findResults, findSources, hasOutput } from "../../src/store/results.ts";
import { listRuns } from "../../src/store/runs.ts";
import { readMeasures } from "../../src/store/scopes.ts";
import { beginAttempt, listAttempts } from "../../src/store/stepAttempts.ts";
import { claimStep } from "../../src/store/stepClaims.ts";
import { LEDGER_KINDS, type LedgerKind } from "../support/ledger.ts";
import { createEmptyDatabase } from "../support/postgres.ts";

const AT = "2026-10-01T00:00:00.000Z";

/** Rows as the first hdash wrote them: a finished run, and one that goes on; a step that both came by, and one that failed. */
const ROWS = [
  `insert into run (pipeline, params, params_key, status, attempt, build, started_at, finished_at, outcome) values
    ('p', 'null', 'n', 'succeeded', 1, 'b', '${AT}', '${AT}', '{"ran": 2}'),
    ('p', '1', '${digestOf("1")}', 'queued', 3, 'b', '${AT}', null, null)`,
  `insert into run_scope values (1, 'A', 'done', 1, null, 'f', null, '${AT}', '${AT}')`,
  `insert into step_result (step_key, step, version, document, outputs, facts_digest, ms, created_at, run_id) values
    ('late', 's', 1, '{}', '{"out": {"digest": "d2", "bytes": 1, "codec": "json", "visibility": "private"}}', null, 2,
      '2026-10-02', 1),
    ('early', 's', 1, '{}', '{"out": {"digest": "d1", "bytes": 1, "codec": "json", "visibility": "private"}}', 'f', 2,
      '2026-10-01', 1)`,
  `insert into step_run (run_id, scope, step, step_key, state, attempt, started_at) values
    (1, 'A', 's', 'early', 'ran', 1, '${AT}'), (2, 'A', 's', 'early', 'hit', 3, '${AT}'),
    (2, 'A', 's', 'late', 'failed', 3, '${AT}'), (2, '', 's', null, 'failed', 3, '${AT}')`,
  `insert into finding values ('early', 0, 'i', 'R', 'error', 'x', 7, 'm', '{"value": "v"}')`,
  `insert into measure values ('early', 'A', 'files', 2.5), ('late', 'A', 'files', 3)`,
  `insert into publication (site, path, owner, digest, etag, content_type, bytes, run_id) values
    ('s', 'a.html', 'p', 'd1', 'e', 'text/html', 1, 1)`,
];

async function openEmpty(
  kind: LedgerKind,
): Promise<{ database: Database; close: () => Promise<void> }> {
  if (kind === "embedded") {
    const database = await openPglite(await startPglite({}), "embedded test database");
    return { database, close: () => database.close() };
  }
  const { settings, drop } = await createEmptyDatabase();
  const database = await openDatabase(settings);
  return {
    database,
    async close() {
      await database.close();
      await drop();
    },
  };
}

/** Makes a ledger as an hdash that knew the first migration alone, or more of them, has left it. */
async function makeOldLedger(
  { db }: Database,
  rows: readonly string[],
  more: Readonly<Record<string, Pick<typeof first, "up">>> = {},
): Promise<void> {
  const untyped = db as Kysely<unknown>;
  await sql`create schema hdash`.execute(db);
  await first.up(untyped);
  await sql`create table kysely_migration (name varchar(255) primary key, timestamp varchar(255) not null)`.execute(
    db,
  );
  await sql`insert into kysely_migration values ('0001_ledger', ${AT})`.execute(db);
  for (const [name, { up }] of Object.entries(more)) {
    await up(untyped);
    await sql`insert into kysely_migration values (${name}, ${AT})`.execute(db);
  }
  for (const row of rows) await sql.raw(row).execute(db);
}

describe.each(LEDGER_KINDS)("migrations/0002_engine.ts on %s", (kind) => {
  test("carries over what a ledger holds, and numbers go on after it", async () => {
    const { database, close } = await openEmpty(kind);
    const { db } = database;
    await makeOldLedger(database, ROWS);
    await migrate(database);

    expect(await listRuns(db, { limit: 9 })).toMatchObject([
      { id: "2", status: "queued", startedAt: AT, requestedAt: AT, requestedBy: null, priority: 0 },
      { id: "1", status: "succeeded", startedAt: AT, ran: 2 },
    ]);
    const known = await findResults(db, ["early", "late", "none"]);
    expect([...known.values()].map(({ id, key }) => `${id} ${key}`)).toEqual(["1 early", "2 late"]);
    const seen = await sql`
      select run_id, step_key, state, result_id from step_run order by id`.execute(db);
    expect(seen.rows).toEqual([
      { run_id: "1", step_key: "early", state: "ran", result_id: "1" },
      { run_id: "2", step_key: "early", state: "hit", result_id: "1" },
      { run_id: "2", step_key: "late", state: "failed", result_id: null },
      { run_id: "2", step_key: null, state: "failed", result_id: null },
    ]);
    expect(await listFindings(db, "1", "A")).toMatchObject([{ rule: "R", fields: { value: "v" } }]);
    expect(await listFindings(db, "2", "A")).toHaveLength(1);
    expect(await readMeasures(db, ["1"], ["A"])).toEqual(
      new Map([["1", new Map([["A", { files: 2.5 }]])]]),
    );
    const views = await sql`
      select run_id, step_key, subject from run_finding
      union all select run_id, step_key, name from run_measure order by 1, 3`.execute(db);
    expect(views.rows).toEqual(
      ["1", "2"].flatMap((run_id) => [
        { run_id, step_key: "early", subject: "files" },
        { run_id, step_key: "early", subject: "x" },
      ]),
    );
    expect(await findSources(db, "d1" as Digest)).toMatchObject([
      { resultId: "1", key: "early", ports: ["out"] },
    ]);

    // A step of then gives something else now: both stay, each with what was seen of it.
    const worker = identifyProcess();
    const claim = await claimRun(db, {
      ...{ pipeline: "p", params: 1, build: "b", worker, nonce: "n", startedAt: new Date(AT) },
      ...{ leaseSeconds: 60, isDead: () => false },
    });
    if (claim.kind !== "claimed") throw new Error("busy");
    expect(claim.lease).toEqual({ runId: "2", attempt: 4 });
    const holder = { lease: claim.lease, holder: "h", worker, leaseSeconds: 60 };
    expect(await claimStep(db, "early", holder, () => false)).toEqual({
      ...{ kind: "claimed", nextAttempt: 1 },
    });
    const startedAt = new Date(AT);
    await beginAttempt(db, holder, {
      ...{ key: "early", n: 1, step: "s", runner: "in-process", resources: {}, startedAt },
    });
    const commit = await commitResult(db, holder, {
      ...{ key: "early", attempt: 1, outputs: {}, factsDigest: null, step: "s", version: 1 },
      ...{ document: "{}", facts: { findings: [], measures: [] }, ms: 1, scope: "A" },
      ...{ startedAt, endedAt: startedAt },
    });
    expect(commit).toMatchObject({ kind: "inserted", stored: { id: "3" }, before: { id: "1" } });
    expect(await listFindings(db, "1", "A")).toHaveLength(1);
    expect(await listFindings(db, "2", "A")).toEqual([]);
    await close();
  });

  test("begins at 1 in a ledger that holds nothing, and finds digests and the next run by an index", async () => {
    const { database, close } = await openEmpty(kind);
    const { db } = database;
    await makeOldLedger(database, []);
    await migrate(database);
    await sql`insert into step_result (step_key, step, version, document, outputs, ms)
      select 'k' || n, 's', 1, '{}', jsonb_build_object('out', jsonb_build_object('digest',
        encode(sha256(n::text::bytea), 'hex'), 'bytes', 1, 'codec', 'json', 'visibility', 'private')), 1
      from generate_series(0, 19999) n`.execute(db);
    await sql`insert into run (pipeline, params, params_key, attempt, status, build, requested_at, started_at)
      select 'p', '{}', n::text, 1, case when n % 2000 = 0 then 'queued' else 'succeeded' end, 'b', now(), now()
      from generate_series(1, 20000) n`.execute(db);
    await sql`analyze step_result, run`.execute(db);
    const ids = await sql`select min(id) as first, max(id) as last from step_result`.execute(db);
    expect(ids.rows).toEqual([{ first: "1", last: "20000" }]);
    const digest = digestOf("1234");
    expect(await findSources(db, digest)).toMatchObject([{ key: "k1234", ports: ["out"] }]);
    const plans = [
      sql`explain select id from step_result where ${hasOutput(digest)}`,
      sql`explain select distinct on (step_key) id from step_result
        where step_key = any(${["k1", "k2"]}::text[]) order by step_key, id desc`,
      sql`explain select id from run where ${isQueued()} order by priority desc, requested_at, id limit 1`,
    ];
    const explained: string[] = [];
    for (const plan of plans) {
      const { rows } = await plan.execute(db);
      explained.push(JSON.stringify(rows));
    }
    expect(explained[0]).toContain("step_result_output");
    expect(explained[1]).toContain("step_result_key");
    expect(explained[2]).toContain("run_queue");
    expect(explained.join()).not.toContain("Seq Scan");
    await close();
  });
});

describe.each(LEDGER_KINDS)("migrations/0005_ends.ts on %s", (kind) => {
  test("tells ends of before in the words of today, and keeps what was said of them", async () => {
    const { database, close } = await openEmpty(kind);
    const states = ["succeeded", "failed", "timedOut", "cancelled", "lost"];
    const rows = states.map(
      (state, index) => `insert into step_attempt
        (step_key, n, step, run_attempt, runner, state, resources, started_at, ended_at, reason) values
        ('k', ${index + 1}, 's', 1, 'in-process', '${state}', '{}', '${AT}', '${AT}',
          ${state === "succeeded" ? "null" : `'said of ${state}'`})`,
    );
    const running = `insert into step_attempt
      (step_key, n, step, run_attempt, runner, state, resources, started_at) values
      ('k', 6, 's', 1, 'in-process', 'running', '{}', '${AT}')`;
    const known = { "0002_engine": second, "0003_objects": third, "0004_lineage": fourth };
    await makeOldLedger(database, [], known);
    for (const row of [...rows, running]) await sql.raw(row).execute(database.db);
    await migrate(database);
    const attempts = await listAttempts(database.db, "k");
    expect(attempts.map(({ end }) => end && [end.state, end.reason, end.message])).toEqual([
      ["succeeded", null, null],
      ["failed", "error", "said of failed"],
      ["timeout", "time", "said of timedOut"],
      ["cancelled", "run", "said of cancelled"],
      ["lost", "lease", "said of lost"],
      null,
    ]);
    expect(attempts[0]?.machine).toBeNull();
    await close();
  });
});
