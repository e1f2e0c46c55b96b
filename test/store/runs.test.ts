import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { digestOf, type Json } from "../../src/digest.ts";
import type { Finding } from "../../src/finding.ts";
import {
  type Claim,
  claimRun,
  handBackRun,
  isRunActive,
  renewLease,
  startOver,
} from "../../src/store/claims.ts";
import {
  countDelta,
  digestFacts,
  listFindings,
  makeFacts,
  type Measure,
  noDelta,
} from "../../src/store/facts.ts";
import type { Lease } from "../../src/store/lease.ts";
import { identifyProcess, type ProcessIdentity } from "../../src/store/processIdentity.ts";
import { listOwners, listUnder, openPublications } from "../../src/store/publications.ts";
import { cancelRun } from "../../src/store/queue.ts";
import { resetLedger } from "../../src/store/reset.ts";
import { commitResult, findResults, type NewResult } from "../../src/store/results.ts";
import {
  countDegradedInARow,
  finishRun,
  listRuns,
  listRunsBefore,
  savePublished,
} from "../../src/store/runs.ts";
import type { Db } from "../../src/store/schema.ts";
import {
  endScope,
  findLastDone,
  listVersions,
  readMeasures,
  startScope,
} from "../../src/store/scopes.ts";
import { releaseSite, takeSite } from "../../src/store/siteLease.ts";
import { beginAttempt } from "../../src/store/stepAttempts.ts";
import { claimStep } from "../../src/store/stepClaims.ts";
import { noteSteps } from "../../src/store/stepRuns.ts";
import { LEDGER_KINDS, openLedger, startAfresh, type TestLedger } from "../support/ledger.ts";

const AT = new Date("2026-11-01T00:00:00Z");
const DIGEST = digestOf("a blob");
const never = () => false;

const finding = (value: string, severity: Finding["severity"] = "error"): Finding => ({
  rule: "R",
  severity,
  subject: "syn1",
  row: 1,
  message: `value ${value}`,
  fields: { value },
});

describe.each(LEDGER_KINDS)("the ledger on %s", (kind) => {
  let ledger: TestLedger;
  let db: Db;
  beforeAll(async () => {
    ledger = await openLedger(kind);
    ({ db } = ledger.database);
  });
  afterAll(() => ledger.close());
  beforeEach(() => startAfresh(db));

  const start = (
    given: {
      params?: Json;
      pipeline?: string;
      startedAt?: Date;
      isDead?: (worker: ProcessIdentity) => boolean;
    } = {},
  ): Promise<Claim> =>
    claimRun(db, {
      pipeline: given.pipeline ?? "p",
      params: given.params ?? null,
      build: "b",
      worker: identifyProcess(),
      nonce: crypto.randomUUID(),
      startedAt: given.startedAt ?? AT,
      leaseSeconds: 60,
      isDead: given.isDead ?? never,
    });
  const claimed = async (given: Parameters<typeof start>[0] = {}): Promise<Lease> => {
    const claim = await start(given);
    if (claim.kind !== "claimed") throw new Error("busy");
    return claim.lease;
  };
  const expire = (runId: string) =>
    sql`update run set lease_until = now() - interval '1 second' where id = ${runId}`.execute(db);
  const end = (lease: Lease, at = AT) =>
    finishRun(db, lease, {
      status: "succeeded",
      error: null,
      finishedAt: at,
      deltas: {},
      failedScopes: {},
    });
  const result = (
    key: string,
    given: Partial<NewResult> & { found?: readonly Finding[]; measured?: readonly Measure[] } = {},
  ): NewResult => {
    const { found = [], measured = [], ...rest } = given;
    const facts = makeFacts(found, measured);
    return {
      key,
      attempt: 1,
      outputs: { out: { digest: DIGEST, bytes: 6, codec: "json", visibility: "private" } },
      factsDigest: digestFacts(facts),
      step: "s",
      version: 1,
      document: "{}",
      facts,
      ms: 1,
      scope: "A",
      startedAt: AT,
      endedAt: AT,
      ...rest,
    };
  };
  const holderOf = (lease: Lease) => ({
    ...{ lease, holder: `holder ${lease.runId} ${lease.attempt}` },
    ...{ worker: identifyProcess(), leaseSeconds: 60 },
  });
  /** Claims a step, begins an attempt at it and commits its result, as a run does. */
  const commit = async (lease: Lease, given: NewResult) => {
    const holder = holderOf(lease);
    const claim = await claimStep(db, given.key, holder, never);
    const attempt = claim.kind === "claimed" ? claim.nextAttempt : given.attempt;
    if (claim.kind === "claimed") {
      const begun = { key: given.key, n: attempt, step: given.step, runner: "in-process" };
      await beginAttempt(db, holder, { ...begun, resources: {}, startedAt: AT });
    }
    return commitResult(db, holder, { ...given, attempt });
  };
  const count = async (table: "finding" | "measure" | "step_run" | "run_scope") =>
    Number(
      (await db.selectFrom(table).select(db.fn.countAll().as("n")).executeTakeFirstOrThrow()).n,
    );

  describe("claimRun(db, request)", () => {
    test("lets exactly one of many have a new run, and tells the others who", async () => {
      const claims = await Promise.all(Array.from({ length: 8 }, () => start()));
      expect(claims.map((claim) => claim.kind).sort()).toEqual([
        ...Array<string>(7).fill("busy"),
        "claimed",
      ]);
      const busy = claims.find((claim) => claim.kind === "busy");
      expect(busy).toEqual({
        kind: "busy",
        runId: "1",
        worker: expect.stringContaining(`pid ${process.pid} on `) as string,
        since: expect.stringMatching(/^\d{4}-.*Z$/) as string,
        leaseUntil: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      });
      expect((await listRuns(db, { limit: 9 })).length).toBe(1);
    });

    test("keeps other params and other pipelines apart", async () => {
      await claimed();
      expect((await claimed({ params: { atlases: ["HTA1"] } })).attempt).toBe(1);
      expect((await claimed({ pipeline: "q" })).attempt).toBe(1);
    });

    test.each([
      ["handed back", (lease: Lease) => handBackRun(db, lease)],
      ["whose lease is over", (lease: Lease) => expire(lease.runId)],
    ])("lets exactly one of many go on with a run %s", async (_name, leave) => {
      const first = await claimed();
      await leave(first);
      const claims = await Promise.all(Array.from({ length: 6 }, () => start()));
      const won = claims.filter((claim) => claim.kind === "claimed");
      expect(won).toEqual([
        {
          kind: "claimed",
          lease: { runId: first.runId, attempt: 2 },
          startedAt: AT,
          earlierKeys: [],
        },
      ]);
    });

    test("takes a run at once from a worker that is provably dead", async () => {
      const { runId } = await claimed();
      expect((await start()).kind).toBe("busy");
      const seen: ProcessIdentity[] = [];
      const isDead = (worker: ProcessIdentity) => seen.push(worker) > 0;
      expect(await claimed({ isDead })).toEqual({ runId, attempt: 2 });
      expect(seen).toEqual([identifyProcess()]);
    });

    test("gives the same claim again to who lost the answer", async () => {
      const request = {
        ...{ pipeline: "p", params: null, build: "b", worker: identifyProcess(), nonce: "n" },
        ...{ startedAt: AT, leaseSeconds: 60, isDead: never },
      };
      const first = await claimRun(db, request);
      expect(await claimRun(db, request)).toEqual(first);
    });

    test("is started over by who has it, and by nobody whose run was taken over", async () => {
      const request = {
        ...{ pipeline: "p", params: null, build: "b", worker: identifyProcess() },
        ...{ nonce: "mine", startedAt: AT, leaseSeconds: 60, isDead: never },
      };
      const holding = { nonce: "mine", leaseSeconds: 60 };
      const first = await claimRun(db, request);
      if (first.kind !== "claimed") throw new Error("busy");
      await expire(first.lease.runId);
      const over = await startOver(db, first.lease, holding);
      expect(over?.lease).toEqual({ runId: first.lease.runId, attempt: 2 });
      expect(await isRunActive(db, { ...first.lease, attempt: 2 })).toBe(true);
      // The answer may have been lost.
      expect((await startOver(db, first.lease, holding))?.lease).toEqual(over?.lease);
      const second = { runId: first.lease.runId, attempt: 2 };
      await expire(second.runId);
      const theirs = await claimed();
      expect(theirs).toEqual({ ...second, attempt: 3 });
      expect(await startOver(db, second, holding)).toBeNull();
      expect(await renewLease(db, theirs, 60)).not.toBeNull();
    });

    describe("a run that was started long ago", () => {
      const SIX_HOURS = new Date(AT.getTime() + 6 * 3_600_000);
      const LATER = new Date(SIX_HOURS.getTime() + 1);
      const statuses = async () =>
        (await listRuns(db, { limit: 9 })).map(({ id, status }) => `${id} ${status}`).reverse();

      test("is gone on with for six hours, and abandoned for a new one after that", async () => {
        const first = await claimed();
        await commit(first, result("k"));
        await noteSteps(db, first, [
          {
            ...{ scope: "", step: "t", key: "t", resultId: null, state: "running" },
            ...{ done: null, total: null },
            ...{ error: null, startedAt: AT, endedAt: null },
          },
        ]);
        await handBackRun(db, first);
        const again = await claimed({ startedAt: SIX_HOURS });
        expect(again).toEqual({ runId: first.runId, attempt: 2 });
        await expire(again.runId);
        expect(await start({ startedAt: LATER })).toEqual({
          ...{ kind: "claimed", lease: { runId: "2", attempt: 1 }, startedAt: LATER },
          earlierKeys: [],
        });
        const [, old] = await listRuns(db, { limit: 9 });
        expect(old).toMatchObject({
          ...{ id: "1", status: "failed", finishedAt: LATER.toISOString() },
          ...{ hits: 0, ran: 1, failed: 0 },
          error:
            "abandoned: started at 2026-11-01T00:00:00.000Z, more than 6 hours before the next start",
        });
        // Who was silent for so long cannot end it in another way.
        expect(await end(again)).toBeNull();
        expect(await commit(again, result("k2"))).toEqual({ kind: "lost" });
      });

      test("is left to its worker while that is alive, and abandoned when it is dead", async () => {
        const { runId } = await claimed();
        expect(await start({ startedAt: LATER })).toMatchObject({ kind: "busy", runId });
        expect(await claimed({ startedAt: LATER, isDead: () => true })).toEqual({
          runId: "2",
          attempt: 1,
        });
        expect(await statuses()).toEqual(["1 failed", "2 running"]);
      });

      test("is abandoned by a start of the same pipeline with other params, unless it is alive", async () => {
        await claimed({ params: "alive" });
        await expire((await claimed({ params: "silent" })).runId);
        await handBackRun(db, await claimed({ params: "handed back" }));
        await expire((await claimed({ params: "of another pipeline", pipeline: "q" })).runId);
        await expire((await claimed({ params: "young", startedAt: SIX_HOURS })).runId);
        await claimed({ params: "new", startedAt: LATER });
        expect(await statuses()).toEqual([
          ...["1 running", "2 failed", "3 failed", "4 running", "5 running", "6 running"],
        ]);
      });
    });

    test("starts a new run after one that finished", async () => {
      await end(await claimed());
      expect(await claimed()).toEqual({ runId: "2", attempt: 1 });
    });
  });

  describe("a lease", () => {
    test("is renewed as long as the run is ours", async () => {
      const lease = await claimed();
      await expire(lease.runId);
      expect(await isRunActive(db, lease)).toBe(false);
      expect(await renewLease(db, lease, 60)).toEqual({ publishingSite: null });
      expect(await isRunActive(db, lease)).toBe(true);
      expect((await start()).kind).toBe("busy");
    });

    test("lets whoever has lost the run write nothing any more", async () => {
      const lost = await claimed();
      await startScope(db, lost, "A", AT);
      await expire(lost.runId);
      const ours = await claimed();

      expect(await renewLease(db, lost, 60)).toBeNull();
      expect(await handBackRun(db, lost)).toBe(false);
      expect(await commit(lost, result("k", { found: [finding("x")] }))).toEqual({
        kind: "lost",
      });
      expect(await startScope(db, lost, "B", AT)).toBe(false);
      expect(await savePublished(db, lost, { published: { put: 1 } })).toBe(false);
      expect(await takeSite(db, lost, "s3://site", never)).toEqual({ kind: "lost" });
      expect(await end(lost)).toBeNull();
      expect(await findResults(db, ["k"])).toEqual(new Map());
      expect(await count("finding")).toBe(0);
      expect((await end(ours))?.status).toBe("succeeded");
      expect(
        await endScope(db, lost, "B", {
          ...{ status: "done", error: null, factsDigest: DIGEST, delta: null, endedAt: AT },
        }),
      ).toBe(false);
    });

    test("is void once the run was handed back", async () => {
      const lease = await claimed();
      expect(await handBackRun(db, lease)).toBe(true);
      expect(await commit(lease, result("k"))).toEqual({ kind: "lost" });
    });
  });

  describe("commitResult(db, claim, result)", () => {
    test("commits the result, its facts and the step's run together", async () => {
      const lease = await claimed();
      const committed = await commit(
        lease,
        result("k", {
          found: [finding("x"), finding("x"), finding("y", "info")],
          measured: [{ subject: "A", name: "files", value: 2.5 }],
        }),
      );
      expect(committed.kind).toBe("inserted");
      const found = await listFindings(db, lease.runId, "A");
      expect(found).toEqual(
        makeFacts([finding("x"), finding("x"), finding("y", "info")], []).findings,
      );
      expect(await readMeasures(db, [lease.runId], ["A"])).toEqual(
        new Map([[lease.runId, new Map([["A", { files: 2.5 }]])]]),
      );
      const { rows } = await sql`
        select run_id, scope, step, rule, severity, subject, "row", message, fields ->> 'value' as value
        from run_finding order by ordinal limit 1`.execute(db);
      expect(rows).toEqual([
        {
          ...{ run_id: lease.runId, scope: "A", step: "s", rule: "R", severity: "error" },
          ...{ subject: "syn1", row: 1, message: "value x", value: "x" },
        },
      ]);
      const measures = await sql`select scope, subject, name, value from run_measure`.execute(db);
      expect(measures.rows).toEqual([{ scope: "A", subject: "A", name: "files", value: 2.5 }]);
    });

    test("takes an equal result that was known already for its own", async () => {
      const lease = await claimed();
      const given = result("k", { found: [finding("x")] });
      await commit(lease, given);
      expect((await commit(lease, given)).kind).toBe("same");
      expect(await count("finding")).toBe(1);
    });

    test("keeps both of two different results: the newer counts, and a run has what it saw", async () => {
      const old = await claimed();
      const first = await commit(old, result("k", { found: [finding("x")] }));
      await end(old);
      const lease = await claimed();
      const second = await commit(
        lease,
        result("k", {
          found: [finding("y"), finding("z")],
          measured: [{ subject: "A", name: "n", value: 1 }],
        }),
      );
      expect([first.kind, second.kind]).toEqual(["inserted", "inserted"]);
      expect(second).toMatchObject({ before: { id: "1" }, stored: { id: "2" } });
      const { rows } = await sql`
        select r.id, r.attempt, r.run_id, s.run_id as seen_by
        from step_result r join step_run s on s.result_id = r.id order by r.id`.execute(db);
      expect(rows).toEqual([
        { id: "1", attempt: 1, run_id: old.runId, seen_by: old.runId },
        { id: "2", attempt: 2, run_id: lease.runId, seen_by: lease.runId },
      ]);
      const known = await findResults(db, ["k", "other"]);
      expect([...known]).toMatchObject([["k", { id: "2" }]]);
      const values = async (runId: string) =>
        (await listFindings(db, runId, "A")).map(({ fields }) => fields["value"]);
      expect(await values(old.runId)).toEqual(["x"]);
      expect(await values(lease.runId)).toEqual(["y", "z"]);
      expect(await readMeasures(db, [old.runId, lease.runId], ["A"])).toEqual(
        new Map([[lease.runId, new Map([["A", { n: 1 }]])]]),
      );
      const seen = await sql`select run_id, fields ->> 'value' as value from run_finding
        union all select run_id, name from run_measure order by 1, 2`.execute(db);
      expect(seen.rows).toEqual([
        { run_id: old.runId, value: "x" },
        ...["n", "y", "z"].map((value) => ({ run_id: lease.runId, value })),
      ]);
    });

    test("says again what it came to when the answer was lost", async () => {
      const lease = await claimed();
      await commit(lease, result("k", { found: [finding("x")] }));
      const again = await commitResult(db, holderOf(lease), result("k", { found: [finding("x")] }));
      expect(again).toMatchObject({ kind: "same", stored: { id: "1" } });
      expect([await count("finding"), await count("step_run")]).toEqual([1, 1]);
    });

    test("writes nothing where another run has taken the step over", async () => {
      const [slow, quick] = [await claimed({ params: 1 }), await claimed({ params: 2 })];
      await claimStep(db, "k", holderOf(slow), never);
      await beginAttempt(db, holderOf(slow), {
        ...{ key: "k", n: 1, step: "s", runner: "in-process", resources: {}, startedAt: AT },
      });
      await sql`update step_claim set lease_until = now() - interval '1 second'`.execute(db);
      const theirs = await commit(quick, result("k"));
      const ours = result("k", { found: [finding("x")] });
      expect(await commitResult(db, holderOf(slow), ours)).toEqual({ kind: "unclaimed" });
      expect(await findResults(db, ["k"])).toEqual(
        new Map([["k", theirs.kind === "inserted" ? theirs.stored : null]]),
      );
      expect(await count("finding")).toBe(0);
    });

    test("takes 100,000 findings with hostile text", async () => {
      const lease = await claimed();
      const many = Array.from({ length: 100_000 }, (_, index) => finding(`'"\\{},\0é ${index}`));
      await commit(lease, result("k", { found: many }));
      expect(await count("finding")).toBe(100_000);
      const first = await listFindings(db, lease.runId, "A");
      expect(first[0]?.fields).toEqual({ value: "'\"\\{},\uFFFDé 0" });
    });
  });

  describe("noteSteps(db, lease, notes)", () => {
    const note = (state: "running" | "hit" | "failed", key: string | null = "k") => ({
      ...{ scope: "", step: "s", key, resultId: null, state, done: null, total: null },
      error: null,
      ...{ startedAt: AT, endedAt: null },
    });
    const states = async () =>
      (
        await db
          .selectFrom("step_run")
          .select(["step_key", "state", "attempt"])
          .orderBy("id")
          .execute()
      ).map((row) => `${row.step_key ?? "-"} ${row.state} ${row.attempt}`);

    test("never takes back that the run ran a step, in this attempt or an earlier one", async () => {
      const first = await claimed();
      await noteSteps(db, first, [note("running"), note("hit", "h"), note("failed", null)]);
      await commit(first, result("k", { scope: "" }));
      await noteSteps(db, first, [note("running")]);
      expect(await states()).toEqual(["k ran 1", "h hit 1", "- failed 1"]);

      await expire(first.runId);
      const again = await start();
      expect(again).toMatchObject({ earlierKeys: ["k"] });
      expect(await states()).toEqual(["k ran 1"]);
      const second = { runId: first.runId, attempt: 2 };
      await noteSteps(db, second, [note("hit")]);
      expect(await states()).toEqual(["k ran 2"]);
      expect(await end(second)).toMatchObject({ hits: 0, ran: 1, failed: 0 });
    });

    test("forgets, when the run ends, what only an earlier attempt came by", async () => {
      const first = await claimed();
      await commit(first, result("k", { found: [finding("x")] }));
      await startScope(db, first, "A", AT);
      await expire(first.runId);
      const second = await claimed();
      await commit(second, result("k2"));
      await noteSteps(db, second, [note("running", "k3")]);
      expect(await end(second)).toMatchObject({ hits: 0, ran: 1, failed: 0 });
      expect(await states()).toEqual(["k2 ran 2"]);
      expect(await count("run_scope")).toBe(0);
    });
  });

  describe("the past", () => {
    /** A finished run of scope A with these findings, a day after the one before. */
    async function day(n: number, values: readonly string[], status: "done" | "failed" = "done") {
      const at = new Date(AT.getTime() + n * 86_400_000);
      const claim = await claimRun(db, {
        ...{ pipeline: "p", params: null, build: "b", worker: identifyProcess() },
        ...{ nonce: String(n), startedAt: at, leaseSeconds: 60, isDead: never },
      });
      if (claim.kind !== "claimed") throw new Error("busy");
      const { lease } = claim;
      const made = result(`k${values.join()}`, {
        found: values.map((value) => finding(value, value.startsWith("w") ? "warning" : "error")),
        measured: [{ subject: "A", name: "n", value: values.length }],
      });
      await startScope(db, lease, "A", at);
      await commit(lease, made);
      await endScope(db, lease, "A", {
        ...{ status, error: null, factsDigest: made.factsDigest, delta: null, endedAt: at },
      });
      await end(lease, at);
      return { runId: lease.runId, startedAt: at.toISOString(), factsDigest: made.factsDigest };
    }

    test("tells the versions of a scope, neighbours folded, newest last, failures left out", async () => {
      const one = await day(1, ["x"]);
      await day(2, ["x"]);
      const three = await day(3, ["x", "y"]);
      await day(4, ["z", "z"], "failed");
      const five = await day(5, ["x"]);
      const six = await day(6, ["x"]);
      const other = await claimed({
        pipeline: "q",
        startedAt: new Date(AT.getTime() + 6.5 * 86_400_000),
      });
      const here = await claimed({ startedAt: new Date(AT.getTime() + 7 * 86_400_000) });
      const measures = { n: 1 };
      expect(await listVersions(db, "p", here.runId, "A", 10)).toEqual([
        { ...one, measures },
        { ...three, measures: { n: 2 } },
        { ...five, measures },
      ]);
      expect(await listVersions(db, "p", here.runId, "A", 2)).toEqual([
        { ...three, measures: { n: 2 } },
        { ...five, measures },
      ]);
      expect(await findLastDone(db, "p", here.runId, "A")).toEqual({
        ...six,
        startedAt: new Date(six.startedAt),
      });
      expect(await findLastDone(db, "p", here.runId, "B")).toBeNull();
      expect(await findLastDone(db, "q", here.runId, "A")).toBeNull();
      // Of every pipeline: the history is the site's.
      const before = await listRunsBefore(db, here.runId, 3);
      expect(before.map(({ id, pipeline }) => [id, pipeline])).toEqual([
        [other.runId, "q"],
        ["6", "p"],
        ["5", "p"],
      ]);
    });

    test("counts what appeared and disappeared by identity, not by row", async () => {
      const before = await day(1, ["x", "x", "y", "w1"]);
      const after = await day(2, ["x", "y", "z", "w2", "w3"]);
      expect(await countDelta(db, "A", after.runId, before.runId)).toEqual({
        added: { error: 1, warning: 2, info: 0 },
        removed: { error: 1, warning: 1, info: 0 },
      });
      expect(await countDelta(db, "B", after.runId, before.runId)).toEqual(noDelta());
    });

    test("counts degraded runs of a pipeline back to its last other end", async () => {
      const ended = async (status: "succeeded" | "degraded" | "failed", pipeline = "p") => {
        const lease = await claimed({ pipeline });
        const end = { status, error: null, finishedAt: AT, deltas: {}, failedScopes: {} };
        const record = await finishRun(db, lease, end);
        if (record === null) throw new Error("the run was lost");
        return record;
      };
      const counts: number[] = [];
      for (const status of ["degraded", "degraded", "succeeded", "degraded"] as const) {
        counts.push(await countDegradedInARow(db, await ended(status)));
      }
      // Another pipeline's runs are not in between; a run that goes on has not ended.
      await ended("succeeded", "q");
      await claimed({ pipeline: "p", params: { other: 1 } });
      const third = await ended("degraded");
      counts.push(await countDegradedInARow(db, third));
      await ended("failed");
      // Later ends do not change how it was.
      counts.push(await countDegradedInARow(db, third));
      counts.push(await countDegradedInARow(db, await ended("degraded")));
      expect(counts).toEqual([1, 2, 0, 1, 2, 2, 1]);
    });

    test("tells a run as it stands, and as it ended", async () => {
      const lease = await claimed({ params: { atlases: null } });
      await commit(lease, result("k"));
      await savePublished(db, lease, {
        published: { put: 3, deleted: 1, unchanged: 2, putPaths: ["a"] },
      });
      const [running] = await listRuns(db, { limit: 1, pipeline: "p" });
      const asked = { requestedAt: AT.toISOString(), requestedBy: null, priority: 0 };
      const told = {
        ...{ id: lease.runId, pipeline: "p", params: { atlases: null }, status: "running" },
        ...{ build: "b", startedAt: AT.toISOString(), finishedAt: null, error: null },
        ...{ hits: 0, ran: 1, failed: 0, added: 0, removed: 0, failedScopes: {} },
        published: { put: 3, deleted: 1, unchanged: 2 },
      };
      expect(running).toEqual({ ...told, ...asked });
      const finish = {
        ...{ status: "degraded" as const, error: null, finishedAt: AT },
        deltas: {
          A: {
            added: { error: 2, warning: 1, info: 0 },
            removed: { error: 0, warning: 0, info: 4 },
          },
          B: null,
        },
        failedScopes: { C: "why\0" },
      };
      const ended = await finishRun(db, lease, finish);
      expect(ended).toEqual({
        ...told,
        ...{ status: "degraded", finishedAt: AT.toISOString(), added: 3, removed: 4 },
        failedScopes: { C: "why\uFFFD" },
      });
      // The answer was lost, and it is asked for again.
      expect(await finishRun(db, lease, finish)).toEqual(ended);
    });
  });

  describe("takeSite(db, lease, site, isDead)", () => {
    const site = "s3://bucket/site";

    test("lets one run at a time publish a site, and others publish others", async () => {
      const leases = [];
      for (const params of [1, 2, 3]) leases.push(await claimed({ params }));
      const [a, b, c] = leases;
      if (a === undefined || b === undefined || c === undefined) throw new Error("three");
      const taken = await Promise.all([a, b, c].map((lease) => takeSite(db, lease, site, never)));
      expect(taken.map(({ kind: said }) => said).sort()).toEqual(["busy", "busy", "taken"]);
      const winner = [a, b, c][taken.findIndex(({ kind: said }) => said === "taken")] ?? a;
      const loser = winner === a ? b : a;
      expect(await takeSite(db, winner, site, never)).toEqual({ kind: "taken" });
      expect(await takeSite(db, loser, "s3://other", never)).toEqual({ kind: "taken" });
      expect(await renewLease(db, winner, 60)).toEqual({ publishingSite: site });
      await releaseSite(db, winner);
      expect(await takeSite(db, loser, site, never)).toEqual({ kind: "taken" });
      expect(await takeSite(db, winner, site, never)).toEqual({
        kind: "busy",
        worker: expect.stringContaining(`pid ${process.pid}`) as string,
        since: expect.stringMatching(/^\d{4}-/) as string,
      });
    });

    test("takes it from a run whose lease is over or whose worker is dead", async () => {
      const a = await claimed({ params: 1 });
      const b = await claimed({ params: 2 });
      await takeSite(db, a, site, never);
      await expire(a.runId);
      expect(await takeSite(db, b, site, never)).toEqual({ kind: "taken" });
      expect(await renewLease(db, a, 60)).toEqual({ publishingSite: null });
      expect(await takeSite(db, a, site, () => true)).toEqual({ kind: "taken" });
    });

    test("leaves it to a run that was cancelled, until its worker has let go of it or its lease is over", async () => {
      const a = await claimed({ params: 1 });
      const b = await claimed({ params: 2 });
      for (const end of [() => releaseSite(db, a), () => expire(a.runId)]) {
        await sql`update run set status = 'running', attempt = 1, lease_until = now() + interval '1 minute'
          where id = ${a.runId}`.execute(db);
        await releaseSite(db, b);
        expect(await takeSite(db, a, site, never)).toEqual({ kind: "taken" });
        expect(await cancelRun(db, a.runId, "not now", AT)).toBe("cancelled");
        expect(await takeSite(db, a, site, never)).toEqual({ kind: "lost" });
        expect(await takeSite(db, b, site, never)).toMatchObject({ kind: "busy" });
        await end();
        expect(await takeSite(db, b, site, never)).toEqual({ kind: "taken" });
      }
    });
  });

  describe("openPublications(db)", () => {
    test("remembers what is live on each site, and which run put it there", async () => {
      const publications = openPublications(db);
      const html = { digest: DIGEST, contentType: "text/html", bytes: 10 };
      const page = { ...html, path: "index.html", owner: "p", etag: '"1"', scope: null };
      const atlas = { ...html, path: "HTA1.html", owner: "q", etag: '"2"', scope: "HTA1" };
      const lease = await claimed();
      await publications.save("a", page);
      await takeSite(db, lease, "a", never);
      await publications.save("a", atlas);
      await publications.save("b", page);
      expect(await publications.list("a")).toEqual([atlas, page]);
      await publications.save("a", { ...page, etag: '"3"', bytes: 11 });
      await publications.remove("a", "HTA1.html");
      await publications.remove("a", "none");
      expect(await publications.list("a")).toEqual([{ ...page, etag: '"3"', bytes: 11 }]);
      const { rows } = await sql`select site, bytes, run_id from publication order by site`.execute(
        db,
      );
      expect(rows).toEqual([
        { site: "a", bytes: "11", run_id: lease.runId },
        { site: "b", bytes: "10", run_id: null },
      ]);
    });
  });

  describe("listOwners(db, site)", () => {
    test("names who has something of a scope on a site, and it is certain that it is there", async () => {
      const publications = openPublications(db);
      const row = (path: string, owner: string, scope: string | null, etag: string) =>
        publications.save("a", {
          ...{ path, owner, digest: DIGEST, etag, scope },
          ...{ contentType: "text/html", bytes: 10 },
        });
      await row("b/1.html", "buoys", "1", '"1"');
      await row("b/2.html", "buoys", "2", '"2"');
      await row("index.html", "emptied", null, '"3"');
      await row("c/1.html", "begun", "1", "");
      await row("a/1.html", "anemones", "1", '"4"');
      expect(await listOwners(db, "a")).toEqual(["anemones", "buoys"]);
      expect(await listOwners(db, "b")).toEqual([]);
    });
  });

  describe("listUnder(db, site, folder)", () => {
    test("names who has something below a folder of a site, and it is certain that it is there", async () => {
      const publications = openPublications(db);
      const row = (path: string, owner: string, etag: string) =>
        publications.save("a", {
          ...{ path, owner, digest: DIGEST, etag, scope: null },
          ...{ contentType: "text/html", bytes: 10 },
        });
      await row("p_/1.html", "one", '"1"');
      await row("p_/2.html", "one", '"2"');
      await row("p_/a/3.html", "another", '"3"');
      await row("px/4.html", "elsewhere", '"4"');
      await row("p_/5.html", "begun", "");
      expect(await listUnder(db, "a", "p_/")).toEqual(["another", "one"]);
      expect(await listUnder(db, "b", "p_/")).toEqual([]);
    });
  });

  describe("resetLedger(db)", () => {
    test("deletes everything, says how much, and leaves a worker that goes on without a run", async () => {
      const lease = await claimed();
      await startScope(db, lease, "A", AT);
      await commit(
        lease,
        result("k", { found: [finding("x")], measured: [{ subject: "A", name: "n", value: 1 }] }),
      );
      expect(await resetLedger(db)).toEqual({
        ...{ atlas: 0, run: 1, run_scope: 1, step_result: 1, step_run: 1, finding: 1, measure: 1 },
        ...{ step_attempt: 1, step_log: 0, step_claim: 0 },
        ...{ blob_part: 0, code_listing: 0, step_verdict: 0, step_trust: 0 },
        ...{ publication: 0, blob: 0, blob_chunk: 0 },
      });
      expect(await renewLease(db, lease, 60)).toBeNull();
      // A new run has another number: else the old worker would hold its lease as well.
      const next = await claimed();
      expect(next).toEqual({ runId: String(Number(lease.runId) + 1), attempt: 1 });
      expect(await renewLease(db, lease, 60)).toBeNull();
    });
  });
});
