// One run of the cohort job, as its environment asks for it.

import { type Effects, makeEffects } from "../../../../src/effects.ts";
import type { ReadMenu } from "../../../../src/job.ts";
import { bindCohort } from "../../../../src/jobs/cohort/bind.ts";
import { makeCohortJob } from "../../../../src/jobs/cohort/job.ts";
import { type Log, makeLog } from "../../../../src/log.ts";
import { readConfig } from "../../../../src/settings/config.ts";
import { execute } from "../../../../src/work/work.ts";

const HOME = { label: "Cohorts", path: "cohorts/index.html" };
/** The menu of a site that has nothing else. */
export const readMenu: ReadMenu = () => Promise.resolve({ brand: HOME, places: [HOME] });

/** Services that fail are those of a test: a second of patience is enough. */
const HASTY = { attempts: 4, minDelayMs: 20, maxDelayMs: 200 };

/**
 * Makes the run, with the files of config/ in a folder of the test's own where it has one, and tells how it ended: its status, with the error that ended it, or
 * what it came to instead.
 */
export async function runCohort(
  env: Readonly<Record<string, string | undefined>>,
  write: (line: string) => void,
  signal: AbortSignal,
  ownConfig: string | null = null,
): Promise<string> {
  const job = makeCohortJob();
  const config = readConfig(env, ["database", "site"], [job], [job.name]);
  const clock = (): Date => new Date();
  const log: Log = makeLog({
    ...{ format: "plain", level: "warn", write, clock, secrets: config.secrets },
  });
  const made = makeEffects(config, log, { policy: HASTY });
  const artifacts: Effects["artifacts"] = async () => {
    const found = await made.artifacts();
    return ownConfig === null ? found : { ...found, dir: ownConfig };
  };
  const effects = { ...made, artifacts };
  try {
    const settings = config.of(job);
    if (settings === null) throw new Error("the job is not configured");
    const bound = await bindCohort(effects, settings, readMenu);
    const outcome = await execute(effects, bound, { force: false, wait: false }, signal, () => {});
    if (outcome.kind !== "finished") return outcome.kind;
    const { status, error } = outcome.record;
    return error === null ? status : `${status}: ${error}`;
  } finally {
    await effects.close();
  }
}
