// The last line of a run's log: what alarms read. It is there however a run ends and however quiet the log is, and not where none ended.

import { mkdtemp } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { makeEffects } from "../../src/effects.ts";
import { JOBS } from "../../src/jobList.ts";
import { makeLog } from "../../src/log.ts";
import { readConfig } from "../../src/settings/config.ts";
import type { Shell } from "../../src/shell.ts";
import { work } from "../../src/work/work.ts";
import { type Ended, hdash, start } from "../support/command.ts";
import { keepServices, type KeptServices, type Services } from "../support/services.ts";

let kept: KeptServices;
let services: Services;
let env: Readonly<Record<string, string>>;

beforeAll(async () => {
  kept = await keepServices(async (fresh) => {
    const ended = await hdash(["run", "htan"], fresh.env);
    expect(ended.code, ended.stderr).toBe(0);
  });
});

afterAll(() => kept.close());

/** Each test has a ledger of its own, in which one run succeeded. */
beforeEach(async () => {
  services = await kept.start();
  env = { ...services.env, HDASH_LOG_FORMAT: "json" };
});

type Line = Readonly<Record<string, unknown>>;

/** The lines of a JSON log; what else was written (an error's last words) is left out. */
function linesOf({ stderr }: Ended): readonly Line[] {
  return stderr
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Line);
}

function endsIn(ended: Ended): readonly Line[] {
  return linesOf(ended).filter(({ event }) => event === "runEnded");
}

/** The last line, which has to be the only end, without what differs from run to run. */
function endOf(ended: Ended): Line {
  const last = linesOf(ended).at(-1) ?? {};
  expect(endsIn(ended), ended.stderr).toEqual([last]);
  const { time, durationMs, msg, ...facts } = last;
  expect(Number.isInteger(durationMs)).toBe(true);
  expect(typeof time).toBe("string");
  expect(msg).toMatch(/^htan ended: (succeeded|degraded|failed)( \(\d+ times in a row\))? in \d/);
  return facts;
}

const NONE = { event: "runEnded", pipeline: "htan", degradedInARow: 0 };

describe("the last line of a run's log", () => {
  test("says that the run succeeded, however quiet the log is to be", async () => {
    const ended = await hdash(["run", "htan"], { ...env, HDASH_LOG_LEVEL: "error" });
    expect(ended.code, ended.stderr).toBe(0);
    expect(endOf(ended)).toEqual({ ...NONE, level: "info", status: "succeeded" });
    expect(linesOf(ended)).toHaveLength(1);
  });

  test("counts how often it was degraded in a row, and begins anew after a success", async () => {
    const degraded = { ...NONE, level: "warn", status: "degraded" };
    services.synapse.setFaults({ denied: ["syn31100645"] });
    for (const degradedInARow of [1, 2]) {
      const ended = await hdash(["run", "htan"], env);
      expect(ended.code, ended.stderr).toBe(3);
      expect(endOf(ended)).toEqual({ ...degraded, degradedInARow });
    }
    services.synapse.setFaults({});
    expect((await hdash(["run", "htan", "--atlas", "HTA2"], env)).code).toBe(0);
    services.synapse.setFaults({ denied: ["syn31100645"] });
    const anew = await hdash(["run", "htan", "--force"], env);
    services.synapse.setFaults({});
    expect(endOf(anew)).toEqual({ ...degraded, degradedInARow: 1 });
  });

  test("is written with this run alone where the ledger is lost before it was asked", async () => {
    const { db } = services.database.database;
    // Slack is told just before: who answers for it takes the ledger away.
    const slack = createServer((_request, response) => {
      void sql`alter table run rename to run_taken`.execute(db).then(() => response.end("ok"));
    });
    await new Promise<void>((resolve) => slack.listen(0, "127.0.0.1", resolve));
    const address = slack.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    services.synapse.setFaults({ denied: ["syn31100645"] });
    const ended = await hdash(["run", "htan", "--force"], {
      ...env,
      SLACK_WEBHOOK_URL: `http://127.0.0.1:${port}/services/T/B/X`,
    });
    services.synapse.setFaults({});
    await new Promise((resolve) => slack.close(resolve));
    await sql`alter table run_taken rename to run`.execute(db);
    expect(ended.code, ended.stderr).toBe(3);
    expect(endOf(ended)).toEqual({ ...NONE, level: "warn", status: "degraded", degradedInARow: 1 });
    expect(ended.stderr).toContain("how often runs were degraded could not be read");
  });

  test("says why a run failed that the ledger knows", async () => {
    const ended = await hdash(["run", "htan"], { ...env, SYNAPSE_PASSWORD: "wrong-token" });
    expect(ended.code).toBe(1);
    expect(endOf(ended)).toEqual({
      ...{ ...NONE, level: "error", status: "failed" },
      error: expect.stringMatching(/token/) as string,
    });
    expect(ended.stderr).not.toContain("wrong-token");
  });

  test("is written for a run that could not be recorded", async () => {
    const ended = await hdash(["run", "htan"], { ...env, HDASH_DB_NAME: "nowhere" });
    expect(ended.code).toBe(2);
    expect(endOf(ended)).toEqual({
      ...{ ...NONE, level: "error", status: "failed" },
      error: expect.stringContaining('"nowhere" does not exist') as string,
    });
  });

  test("is written where the configuration is wrong, for every pipeline that was to run", async () => {
    const named = await hdash(["run", "htan"], { ...env, HDASH_DB_PORT: "x" });
    expect(named.code).toBe(2);
    expect(endOf(named)).toEqual({
      ...{ ...NONE, level: "error", status: "failed" },
      error: expect.stringContaining('HDASH_DB_PORT is "x"') as string,
    });
    const all = await hdash([], { ...env, HDASH_LOG_LEVEL: "loud", MATRIX_SOURCE: "fresh" });
    expect(all.code).toBe(2);
    expect(endsIn(all).map(({ pipeline, status }) => [pipeline, status])).toEqual([
      ["matrix", "failed"],
      ["htan", "failed"],
    ]);
  });

  test("is written by each pipeline, also after one that could not begin", async () => {
    const path = await mkdtemp(join(tmpdir(), "hdash-no-matrices-"));
    const both = { ...env, MATRIX_SOURCE: "local", MATRIX_PATH: path };
    const ended = await hdash([], { ...both, MATRIX_TARGET_BUCKET: "nowhere" });
    expect(ended.code, ended.stderr).toBe(1);
    expect(endsIn(ended).map(({ pipeline, status }) => [pipeline, status])).toEqual([
      ["matrix", "failed"],
      ["htan", "succeeded"],
    ]);
    expect(ended.stderr).toMatch(/^hdash: .*nowhere/m);
  });

  test("says how the run ended also where something that it had open cannot be closed", async () => {
    const [lines, config] = [[] as string[], readConfig(env, ["database", "site"], JOBS, ["htan"])];
    const shell: Shell = {
      jobs: JOBS,
      learn() {},
      ...{ signal: new AbortController().signal, isTerminal: false, columns: () => 80 },
      ...{ print: () => {}, ask: async () => "", environment: () => env, config: () => config },
      ...{ logFormat: () => "json", report: () => 1, exit: () => {} },
      log: () =>
        makeLog({
          ...{ format: "json", level: "info", clock: () => new Date(), secrets: [] },
          write: (line) => void lines.push(line),
        }),
      withEffects: async (given, log, job) => {
        const effects = makeEffects(given, log);
        effects.onClose(() => Promise.reject(new Error("the door is stuck")));
        try {
          return await job(effects);
        } finally {
          await effects.close();
        }
      },
    };
    const entry = JOBS.find(({ name }) => name === "htan");
    if (entry === undefined) throw new Error("there is no htan");
    const of = { job: entry, jobs: JOBS };
    const code = await work(shell, config, of, { scopes: null, force: false, wait: false });
    const ended = { code, stdout: "", stderr: lines.join("\n") };
    expect(code).toBe(0);
    expect(endOf(ended)).toEqual({ ...NONE, level: "info", status: "succeeded" });
    expect(linesOf(ended).at(-2)).toMatchObject({
      level: "warn",
      msg: "what htan had open could not be closed: the door is stuck",
    });
  });

  test("is a sentence for people where the log is plain", async () => {
    const ended = await hdash(["run", "htan"], { ...services.env, HDASH_DB_PORT: "x" });
    expect(ended.stderr.split("\n")[0]).toMatch(/^[\d:]{8} error: htan ended: failed in \d+ ms$/);
  });

  test("is not written for a wrong command line", async () => {
    const ended = await hdash(["run", "htan", "--atlas", "HTA99"], env);
    expect(ended.code).toBe(2);
    expect(endsIn(ended)).toEqual([]);
  });

  test("is not written by one that finds the run going on, nor where it is handed back, but by one that is not done at all", async () => {
    services.synapse.setFaults({ slow: { every: 1, delayMs: 300 } });
    const running = start("src/main.ts", ["run", "htan", "--force"], env);
    await running.line(/started/);
    const second = await hdash(["run", "htan"], env);
    expect([second.code, endsIn(second)]).toEqual([0, []]);
    expect(second.stderr).toContain("htan is already running");
    running.process.kill("SIGTERM");
    const first = await running.ended;
    services.synapse.setFaults({});
    expect([first.code, endsIn(first)]).toEqual([143, []]);
    const home = join(env["HDASH_HOME"] ?? "", "held");
    const { openDatabase } = await import("../../src/store/database.ts");
    const held = await openDatabase({ kind: "embedded", dir: join(home, "database") });
    const busy = await hdash(["run", "htan"], {
      ...{ HDASH_HOME: home, HDASH_LOG_FORMAT: "json", SYNAPSE_PASSWORD: "token-1" },
      SYNAPSE_ENDPOINT_URL: services.synapse.url,
    });
    await held.close();
    // Whoever has the database is at something else.
    expect(busy.code).toBe(1);
    expect(endOf(busy)).toMatchObject({ status: "failed" });
    expect(busy.stderr).toContain("htan was not done");
  });
});
