// One worker process of the cohort job: makes the run that its environment asks for, and prints how it ended.

import { runCohort } from "./cohortRun.ts";

const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());
const write = (line: string): void => void process.stderr.write(`${line}\n`);
process.stdout.write(await runCohort(process.env, write, stop.signal));
