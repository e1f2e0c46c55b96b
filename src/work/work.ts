// One run of one pipeline, as a command sees it: progress shown, the run executed, Slack told, an exit code.

import { digestOf } from "../digest.ts";
import type { Effects } from "../effects.ts";
import type { RunOutcome } from "../engine/ending.ts";
import type { ProgressEvent } from "../engine/progress.ts";
import { HdashError, isAborted, isBusy, messageOf } from "../error.ts";
import { duration } from "../format.ts";
import type { BoundPipeline, Job, JobRequest } from "../job.ts";
import { type Log, makeRedaction } from "../log.ts";
import type { RunFacts } from "../publish/message.ts";
import { pause } from "../retry.ts";
import { type Config, type Environment, readLogConfig } from "../settings/config.ts";
import { EXIT, type Shell, worse } from "../shell.ts";
import { withEnds, withProgress } from "./shown.ts";
import { showRun, tell, unrecorded } from "./telling.ts";

export interface WorkOptions extends JobRequest {
  readonly force: boolean;
  readonly wait: boolean;
  /** False where the command has no --wait that could be advised; missing: true. */
  readonly hasWait?: boolean;
  /** Is told what the run does, before it is shown. */
  readonly onEvent?: (event: ProgressEvent, log: Log) => void;
  /** Is told what came of the start, once that is recorded. */
  readonly onOutcome?: (
    effects: Effects,
    outcome: RunOutcome,
    siteUrl: string | null,
  ) => Promise<void>;
  /** Looks at what is about to be run; what it throws ends the command before any run is begun. */
  readonly check?: (effects: Effects, bound: BoundPipeline) => Promise<void>;
}

/** What to do where somebody else is at it. */
function waitAdvice({ hasWait = true }: Pick<WorkOptions, "hasWait">): string {
  return hasWait ? "use --wait to wait for it" : "try again when that has ended";
}

/** A job, and the list that it is of: its pages lead to those of the others. */
export interface JobOfList {
  readonly job: Job;
  readonly jobs: readonly Job[];
}

/** How often a folder that another process holds is looked at again. */
const BUSY_MS = 1000;

/** How a run ended, for the alarms of a deployment. */
interface RunEnded {
  readonly status: RunFacts["status"];
  /** Ended runs of this pipeline that were degraded one after the other, up to this one. */
  readonly degradedInARow: number;
  readonly durationMs: number;
  /** Why it failed; null where it did not. */
  readonly error: string | null;
}

/** An exit code, and how the run ended: null where none was begun or ended here. */
interface Worked {
  readonly code: number;
  readonly ended: RunEnded | null;
}

/**
 * Reads the configuration for runs of these pipelines. Where it is wrong, each of them says as its last word that its run failed: an
 * alarm that waits for that sees a wrong variable too.
 */
export function configure(
  shell: Shell,
  jobs: readonly Job[],
  said: { readonly overrides: Environment; readonly flags: Readonly<Record<string, string>> },
): Config {
  try {
    const asked = jobs.map(({ name }) => name);
    const needs = [...new Set(jobs.flatMap((job) => job.needs))];
    return shell.config(needs, said.overrides, asked, said.flags);
  } catch (error) {
    const log = shell.log(withEnds(readLogConfig(shell.environment(), shell.jobs)));
    for (const { name } of jobs) logUnrecorded(log, name, error, 0);
    throw error;
  }
}

/**
 * Opens effects, runs a pipeline once with progress shown, tells Slack, and returns the exit code. Where the run could not even be
 * recorded, Slack is told all the same: nobody may be looking at the log. The last line of the log says how the run ended.
 */
export async function work(
  shell: Shell,
  config: Config,
  of: JobOfList,
  options: WorkOptions,
  asked: readonly Job[] = [of.job],
): Promise<number> {
  const { job } = of;
  const others = asked.filter((one) => one !== job);
  const purposes = [job, ...others].map((one) => purposeOf(config, one, options.scopes));
  return withProgress(shell, config, job.title, async (log, onProgress, endLog) => {
    for (;;) {
      const since = performance.now();
      const seen: { worked: Worked | null } = { worked: null };
      try {
        const code = await shell.withEffects(
          config,
          log,
          async (effects) => {
            seen.worked = await runAndTell(effects, of, options, shell.signal, (event) => {
              options.onEvent?.(event, log);
              onProgress(event);
            });
            return seen.worked.code;
          },
          { purposes },
        );
        logWorked(endLog, job.name, seen.worked);
        return code;
      } catch (error) {
        if (seen.worked !== null) {
          // The run's outcome is recorded: a client that could not be closed does not change it.
          log.warn(`what ${job.name} had open could not be closed: ${messageOf(error)}`);
          logWorked(endLog, job.name, seen.worked);
          return seen.worked.code;
        }
        if (await isOtherWork(error, options)) {
          // Nobody does what was asked for: with a database of its own it would have been done.
          log.error(`${job.name} was not done: ${messageOf(error)} (${waitAdvice(options)})`);
          logUnrecorded(endLog, job.name, error, performance.now() - since);
          return EXIT.failed;
        }
        if (isBusy(error) && !options.wait) {
          log.info(`${job.name} was not started: ${messageOf(error)} (${waitAdvice(options)})`);
          return EXIT.ok;
        }
        if (!isBusy(error)) {
          // A wrong command line begins no run, and a run that is handed back has not ended.
          const isRun = !isUsage(error) && !isAborted(error);
          if (isRun) logUnrecorded(endLog, job.name, error, performance.now() - since);
          throw error;
        }
      }
      await pause(BUSY_MS, shell.signal);
    }
  });
}

/** Tells what a run is for, for others on the same embedded database: the job, what it reads and which scopes, without secrets. */
export function purposeOf(
  config: Config,
  { name, settings }: Job,
  scopes: WorkOptions["scopes"],
): string {
  const said = JSON.stringify([name, config.of({ name, settings }), scopes]);
  return digestOf(makeRedaction(config.secrets)(said));
}

/** Tells whether the folder is in use for something else than this run, and nobody waits for it. */
async function isOtherWork(error: unknown, { wait }: WorkOptions): Promise<boolean> {
  if (wait || !isBusy(error)) return false;
  const { FolderInUse } = await import("../store/lockFile.ts");
  return error instanceof FolderInUse && !error.isSameWork;
}

const LEVEL_OF = { succeeded: "info", degraded: "warn", failed: "error" } as const;

function logEnd(log: Log, pipeline: string, ended: RunEnded): void {
  const { status, degradedInARow, error } = ended;
  const durationMs = Math.round(ended.durationMs);
  const often = degradedInARow > 1 ? ` (${degradedInARow} times in a row)` : "";
  log[LEVEL_OF[status]](`${pipeline} ended: ${status}${often} in ${duration(durationMs)}`, {
    ...{ event: "runEnded", pipeline, status, degradedInARow, durationMs },
    ...(error === null ? {} : { error }),
  });
}

function logWorked(log: Log, pipeline: string, worked: Worked | null): void {
  const ended = worked?.ended ?? null;
  if (ended !== null) logEnd(log, pipeline, ended);
}

function logUnrecorded(log: Log, pipeline: string, thrown: unknown, durationMs: number): void {
  const error = messageOf(thrown);
  logEnd(log, pipeline, { status: "failed", degradedInARow: 0, durationMs, error });
}

function isUsage(error: unknown): boolean {
  return error instanceof HdashError && error.kind === "usage";
}

async function runAndTell(
  effects: Effects,
  of: JobOfList,
  options: WorkOptions,
  signal: AbortSignal,
  onProgress: (event: ProgressEvent) => void,
): Promise<Worked> {
  const { job } = of;
  const since = performance.now();
  let bound: BoundPipeline;
  let outcome: RunOutcome;
  try {
    bound = await bindJob(effects, of, options);
    await options.check?.(effects, bound);
    outcome = await execute(effects, bound, options, signal, onProgress);
  } catch (error) {
    if (!isUsage(error) && !isAborted(error) && !isBusy(error)) {
      await tell(effects, unrecorded(effects, job, error, performance.now() - since), signal);
    }
    throw error;
  }
  const code = await conclude(effects, job, bound, outcome, signal, options);
  if (bound.hasTemporary === true) {
    const { dropTemporaries } = await import("./temporaries.ts");
    await dropTemporaries(effects, outcome, signal);
  }
  return { code, ended: await endOf(effects, outcome) };
}

/** Binds a job with its settings; throws config where nothing is configured for it. */
export async function bindJob(
  effects: Effects,
  { job, jobs }: JobOfList,
  request: JobRequest,
): Promise<BoundPipeline> {
  const settings = effects.config.of(job);
  if (settings === null) throw new HdashError("config", `${job.title} is not configured`);
  const { openMenu } = await import("./menu.ts");
  return job.bind(effects, settings, request, openMenu(effects, job, jobs));
}

/** How a run of the ledger ended; null where it did not end here. */
async function endOf(effects: Effects, outcome: RunOutcome): Promise<RunEnded | null> {
  if (outcome.kind !== "finished") return null;
  const { record, durationMs } = outcome;
  const { status, error } = record;
  if (status === "succeeded") return { status, degradedInARow: 0, durationMs, error: null };
  if (status !== "degraded") return { status: "failed", degradedInARow: 0, durationMs, error };
  let degradedInARow = 1;
  try {
    const { countDegradedInARow } = await import("../store/runs.ts");
    degradedInARow = await countDegradedInARow((await effects.database()).db, record);
  } catch (thrown) {
    effects.log.warn(`how often runs were degraded could not be read: ${messageOf(thrown)}`);
  }
  return { status, degradedInARow, durationMs, error };
}

/** Executes a run of a pipeline with these effects. */
export async function execute(
  effects: Effects,
  bound: BoundPipeline,
  options: { readonly force: boolean; readonly wait: boolean },
  signal: AbortSignal,
  onProgress: (event: ProgressEvent) => void,
): Promise<RunOutcome> {
  const { pipeline, params, publisher, budget } = bound;
  const { origin = null, isForced = false, forcedSteps = [] } = bound;
  const { executeRun } = await import("../engine/run.ts");
  const database = await effects.database();
  return executeRun({
    pipeline,
    params,
    db: database.db,
    blobs: await effects.blobs(),
    publisher,
    origin,
    ...(budget === undefined ? {} : { budget }),
    scratch: await effects.scratch(),
    clock: effects.clock,
    build: effects.build,
    log: effects.log,
    signal,
    onProgress,
    force: options.force || isForced || forcedSteps,
    wait: options.wait,
    concurrency: effects.config.concurrency,
  });
}

/** Says how a run ended, in the log, on Slack, and to whom it may concern; returns the exit code. */
export async function conclude(
  effects: Effects,
  job: Job,
  bound: BoundPipeline,
  outcome: RunOutcome,
  signal: AbortSignal,
  options: Pick<WorkOptions, "hasWait" | "onOutcome"> = {},
): Promise<number> {
  const { log } = effects;
  const { name } = bound.pipeline;
  if (outcome.kind !== "finished") await options.onOutcome?.(effects, outcome, null);
  if (outcome.kind === "busy") {
    log.info(
      `${name} is already running: ${outcome.worker} holds it since ${outcome.since}; nothing was started (${waitAdvice(options)})`,
    );
    return EXIT.ok;
  }
  if (outcome.kind === "cancelled") {
    log.warn(`${name} was cancelled; what it had done by then is not done again`);
    return EXIT.handedBack;
  }
  if (outcome.kind === "handedBack") {
    log.warn(`${name} was told to stop and handed its run back; the next start goes on with it`);
    return EXIT.handedBack;
  }
  const { record, hint } = outcome;
  // Where the message itself goes to the log, it says so too.
  const { slack, log: said } = effects.config;
  const isTold = slack.webhookUrl === null && ["debug", "info"].includes(said.level);
  if (hint !== null && !isTold) log.warn(hint);
  let facts: RunFacts;
  const shown = await showRun(effects, bound, record.id, signal);
  try {
    const { runFacts } = await import("./facts.ts");
    const naming = {
      ...{ noun: job.scopeNoun, hasSite: job.pages !== null, siteUrl: shown.siteUrl },
      isUsers: job.isUsers === true,
    };
    facts = await runFacts(effects, outcome, naming);
  } catch (error) {
    // The run is over and recorded: without these facts its message says less, and its outcome is the same.
    log.warn(`what changed could not be read from the ledger: ${messageOf(error)}`);
    facts = {
      ...unrecorded(effects, job, record.error ?? "", outcome.durationMs),
      status:
        record.status === "succeeded" || record.status === "degraded" ? record.status : "failed",
      error: record.error,
      published: record.published,
    };
  }
  await tell(effects, facts, signal);
  await options.onOutcome?.(effects, outcome, shown.siteUrl);
  if (facts.status === "failed" && outcome.isWronglySet) return EXIT.configuration;
  const code = { succeeded: EXIT.ok, degraded: EXIT.degraded, failed: EXIT.failed }[facts.status];
  return shown.isShown ? code : worse(code, EXIT.degraded);
}
