// One worker process of the cohort job: makes the run that its environment asks for, and prints how it ended.

import { makeEffects } from "../../../../src/effects.ts";
import { bindCohort } from "../../../../src/jobs/cohort/bind.ts";
import { makeCohortJob } from "../../../../src/jobs/cohort/job.ts";
import { makeLog } from "../../../../src/log.ts";
import { readConfig } from "../../../../src/settings/config.ts";
import { execute } from "../../../../src/work/work.ts";

/** Services that fail are those of a test: a second of patience is enough. */
const POLICY = { attempts: 4, minDelayMs: 20, maxDelayMs: 200 };

const job = makeCohortJob();
const config = readConfig(process.env, ["database"], [job], [job.name]);
const log = makeLog({
  format: "plain",
  level: "warn",
  write: (line) => void process.stderr.write(`${line}\n`),
  clock: () => new Date(),
  secrets: config.secrets,
});
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());
const effects = makeEffects(config, log, { policy: POLICY });
try {
  const settings = config.of(job);
  if (settings === null) throw new Error("the job is not configured");
  const bound = await bindCohort(effects, settings);
  const request = { force: false, wait: true };
  const outcome = await execute(effects, bound, request, stop.signal, () => {});
  process.stdout.write(outcome.kind === "finished" ? outcome.record.status : outcome.kind);
} finally {
  await effects.close();
}
