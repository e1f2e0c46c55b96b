// The real worker with a clock that stands still, and a way to die at a chosen moment: for tests that compare whole sites.
// HDASH_TEST_NOW: the clock's instant. HDASH_TEST_EVENTS: file that gets one JSON line per event. HDASH_TEST_KILL_AT: dies by
// SIGKILL just before the event of this number (from 1) would be written.

import { appendFileSync } from "node:fs";

import { makeEffects } from "../../src/effects.ts";
import { JOBS } from "../../src/jobList.ts";
import { makeLog } from "../../src/log.ts";
import { readConfig } from "../../src/settings/config.ts";
import { bindJob, execute } from "../../src/work/work.ts";

const { env } = process;
const now = new Date(env["HDASH_TEST_NOW"] ?? "2025-03-03T02:00:00.000Z");
const killAt = Number(env["HDASH_TEST_KILL_AT"] ?? "0");
const events = env["HDASH_TEST_EVENTS"] ?? "";
let seen = 0;

const config = readConfig(env, ["database", "site"], JOBS);
const log = makeLog({
  format: "plain",
  level: "warn",
  write: (line) => void process.stderr.write(`${line}\n`),
  clock: () => now,
  secrets: config.secrets,
});
const effects = makeEffects(config, log, { clock: () => now });
try {
  for (const entry of JOBS.filter(({ name }) => config.given.includes(name))) {
    const request = { scopes: null, force: false, wait: false };
    const outcome = await execute(
      effects,
      await bindJob(effects, { job: entry, jobs: JOBS }, request),
      request,
      new AbortController().signal,
      (event) => {
        seen++;
        if (seen === killAt) process.kill(process.pid, "SIGKILL");
        if (events !== "") appendFileSync(events, `${JSON.stringify(event)}\n`);
      },
    );
    process.stdout.write(`${JSON.stringify(outcome)}\n`);
  }
} finally {
  await effects.close();
}
