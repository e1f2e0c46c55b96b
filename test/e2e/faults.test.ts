// What goes wrong around a run: throttling, broken connections, a database that goes away, a bucket that refuses, a stop in the middle.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { openDatabase } from "../../src/store/database.ts";
import { cancelRun } from "../../src/store/queue.ts";
import { hdash, hdashUtil, start } from "../support/command.ts";
import { createEmptyDatabase } from "../support/postgres.ts";
import { type Services, startServices } from "../support/services.ts";

let services: Services;

beforeEach(async () => {
  services = await startServices();
});

afterEach(() => services.close());

function page(key: string): string {
  const found = services.s3.objects("site").get(key);
  if (found === undefined) throw new Error(`${key} was not published`);
  return found.read().toString("utf8");
}

/** Runs of the ledger, oldest first. */
async function runs() {
  return services.database.database.db
    .selectFrom("run")
    .select(["id", "status", "attempt", "error"])
    .orderBy("started_at")
    .execute();
}

describe("hdash with a Synapse in trouble", () => {
  test("gets through throttling, outages, resets and cut-off downloads, and finds the same", async () => {
    services.synapse.setFaults({
      throttle: { every: 9, retryAfter: "0" },
      unavailable: { every: 11 },
      reset: { every: 17 },
      truncate: { every: 6, routes: ["fileDownload", "csvDownload"] },
      expiredUrls: { every: 8 },
    });
    const ended = await hdash([], services.env);
    expect(ended.code, ended.stderr).toBe(0);
    const expected = JSON.parse(
      await readFile(join(services.world, "expected.json"), "utf8"),
    ) as Record<string, { sif: unknown }>;
    for (const atlas of ["HTA1", "HTA2", "HTA3"]) {
      const data = JSON.parse(page(`data/${atlas}.json`)) as { sif: unknown };
      expect(data.sif).toEqual(expected[atlas]?.sif);
    }
  });
});

describe("hdash with a database that goes away", () => {
  test("ends with 1 and says so; the next start goes on with the same run", async () => {
    services.synapse.setFaults({ slow: { every: 1, delayMs: 120 } });
    const { database, settings } = services.database;
    const other = await createEmptyDatabase();
    const admin = await openDatabase(other.settings);
    const running = start("src/main.ts", [], services.env);
    await running.line(/started/);
    const name = sql.id(settings.name);
    await sql`alter database ${name} with allow_connections false`.execute(admin.db);
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${settings.name}`.execute(
      admin.db,
    );
    const ended = await running.ended;
    await sql`alter database ${name} with allow_connections true`.execute(admin.db);
    await admin.close();
    await other.drop();
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(/database/i);
    expect(services.s3.objects("site").has("index.html")).toBe(false);
    services.synapse.setFaults({});
    const again = await hdash([], services.env);
    expect(again.code, again.stderr).toBe(0);
    const all = await database.db.selectFrom("run").select(["status", "attempt"]).execute();
    expect(all).toEqual([{ status: "succeeded", attempt: 2 }]);
  });
});

describe("hdash with a database that is not there", () => {
  test("tells Slack although nothing can be recorded, says what to do and ends with 1 or 2", async () => {
    const ended = await hdash([], { ...services.env, HDASH_DB_PORT: "9" });
    expect([1, 2]).toContain(ended.code);
    expect(ended.stderr).toMatch(/database/i);
    expect(services.slack.messages).toHaveLength(1);
    const message = JSON.stringify(services.slack.messages[0]);
    expect(message).toMatch(/htan: failed/);
    expect(message).toMatch(/What to do/);
  });
});

describe("hdash with a bucket that refuses", () => {
  test("keeps the old site when the 7th put is refused, ends with 1, tells Slack, and finishes next time", async () => {
    services.s3.setFaults({ nthPut: 7, status: 403, code: "AccessDenied" });
    const ended = await hdash([], services.env);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(/AccessDenied/);
    expect(services.s3.objects("site").has("index.html")).toBe(false);
    expect(JSON.stringify(services.slack.messages.at(-1))).toMatch(/failed/);
    const again = await hdash([], services.env);
    expect(again.code, again.stderr).toBe(0);
    expect(page("index.html")).toContain("HTA3");
    expect((await runs()).map(({ status }) => status)).toEqual(["failed", "succeeded"]);
  });
});

describe("hdash told to stop", () => {
  test("hands the run back on SIGTERM without waiting for an answer, and the next start finishes that run", async () => {
    // An hour: a run that waited for it would outlast this test.
    services.synapse.setFaults({ slow: { every: 1, delayMs: 3_600_000 } });
    const running = start("src/main.ts", [], services.env);
    await running.line(/started/);
    running.process.kill("SIGTERM");
    const ended = await running.ended;
    expect(ended.code, ended.stderr).toBe(143);
    expect(await runs()).toMatchObject([{ status: "queued", attempt: 1 }]);
    services.synapse.setFaults({});
    const again = await hdash([], services.env);
    expect(again.code, again.stderr).toBe(0);
    expect(await runs()).toMatchObject([{ status: "succeeded", attempt: 2 }]);
  });

  test("ends with 143 and without an alarm where its run is cancelled", async () => {
    services.synapse.setFaults({ slow: { every: 1, delayMs: 200 } });
    const running = start("src/main.ts", ["run", "htan"], services.env);
    await running.line(/started/);
    await cancelRun(services.database.database.db, "1", "not needed", new Date());
    services.synapse.setFaults({});
    const { code, stderr } = await running.ended;
    expect(code, stderr).toBe(143);
    expect(stderr).toContain("htan was cancelled; what it had done by then is not done again");
    expect(stderr).not.toContain("ended: failed");
    expect(services.slack.messages).toEqual([]);
    expect(await runs()).toMatchObject([{ status: "cancelled", error: "not needed" }]);
  });

  test("says who is running when it is started twice, and waits with --wait", async () => {
    services.synapse.setFaults({ slow: { every: 1, delayMs: 200 } });
    const running = start("src/main.ts", ["run", "htan"], services.env);
    await running.line(/started/);
    const second = await hdash(["run", "htan"], services.env);
    expect(second.code, second.stderr).toBe(0);
    expect(second.stderr).toMatch(/htan is already running: .+ holds it since/);
    const waiting = hdash(["run", "htan", "--wait"], services.env);
    services.synapse.setFaults({});
    expect((await running.ended).code).toBe(0);
    expect((await waiting).code).toBe(0);
    expect((await runs()).map(({ status }) => status)).toEqual(["succeeded", "succeeded"]);
  });
});

describe("hdash after the atlas list changed", () => {
  test("removes the pages of an atlas that is no longer listed, and touches nothing that is not its own", async () => {
    services.s3.setObject("site", "HTA2-notes.html", "somebody else's");
    expect((await hdash([], services.env)).code).toBe(0);
    const path = join(services.world, "atlases.csv");
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace(/^syn31100645.*\r?\n/m, ""));
    const init = await hdashUtil(["init", "--file", path], services.env);
    expect(init.stdout).toMatch(/removed +HTA2/);
    const ended = await hdash([], services.env);
    expect(ended.code, ended.stderr).toBe(0);
    const keys = [...services.s3.objects("site").keys()];
    expect(keys.filter((key) => key.includes("HTA2"))).toEqual(["HTA2-notes.html"]);
    expect(page("index.html")).not.toContain("HTA2");
  });
});
