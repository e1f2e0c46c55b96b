// One run of one pipeline, as a command sees it: progress shown, the run executed, Slack told, an exit code.

import type { BoundPipeline, RunRequest } from "./boundPipeline.ts";
import { EXIT, type Shell } from "./command.ts";
import type { Config } from "./config.ts";
import type { Effects } from "./effects.ts";
import type { ProgressEvent } from "./engine/progress.ts";
import type { RunOutcome } from "./engine/run.ts";
import { HdashError, isAborted, isBusy, messageOf } from "./error.ts";
import type { Log } from "./log.ts";
import type { PipelineEntry } from "./pipelineList.ts";
import type { ProgressView } from "./progressView.ts";
import type { RunFacts } from "./publish/message.ts";
import { pause } from "./retry.ts";

export interface WorkOptions extends RunRequest {
  readonly force: boolean;
  readonly wait: boolean;
}

/** How often a folder that another process holds is looked at again. */
const BUSY_MS = 1000;

/**
 * Opens effects, runs a pipeline once with progress shown, tells Slack, and returns the exit code. Where the run could not even be
 * recorded, Slack is told all the same: nobody may be looking at the log.
 */
export async function work(
  shell: Shell,
  config: Config,
  entry: PipelineEntry,
  options: WorkOptions,
): Promise<number> {
  return withProgress(shell, config, entry.title, async (log, onProgress) => {
    for (;;) {
      try {
        return await shell.withEffects(config, log, (effects) =>
          runAndTell(effects, entry, options, shell.signal, onProgress),
        );
      } catch (error) {
        if (!isBusy(error)) throw error;
        if (!options.wait) {
          log.info(
            `${entry.name} was not started: ${messageOf(error)} (use --wait to wait for it)`,
          );
          return EXIT.ok;
        }
      }
      await pause(BUSY_MS, shell.signal);
    }
  });
}

async function runAndTell(
  effects: Effects,
  entry: PipelineEntry,
  options: WorkOptions,
  signal: AbortSignal,
  onProgress: (event: ProgressEvent) => void,
): Promise<number> {
  const since = performance.now();
  let bound: BoundPipeline;
  let outcome: RunOutcome;
  try {
    bound = await entry.bind(effects, options);
    outcome = await execute(effects, bound, options, signal, onProgress);
  } catch (error) {
    const isOurs = error instanceof HdashError && error.kind === "usage";
    if (!isOurs && !isAborted(error) && !isBusy(error)) {
      await tell(
        effects,
        unrecorded(effects, entry.name, error, performance.now() - since),
        signal,
      );
    }
    throw error;
  }
  return conclude(effects, bound, outcome, signal);
}

/** What there is to tell of a run that the ledger knows nothing of. */
function unrecorded(
  effects: Effects,
  pipeline: string,
  error: unknown,
  durationMs: number,
): RunFacts {
  return {
    pipeline,
    status: "failed",
    build: effects.build,
    startedAt: effects.clock().toISOString(),
    durationMs,
    hits: 0,
    ran: 0,
    failedSteps: 0,
    scopes: [],
    isMoved: false,
    published: null,
    siteUrl: effects.config.siteUrl,
    label: effects.config.slack.label,
    error: messageOf(error),
    hint: error instanceof HdashError ? error.hint : null,
  };
}

/** Shows progress while `job` runs: a live view on a terminal, lines of the log elsewhere. */
export async function withProgress(
  shell: Shell,
  config: Config,
  title: string,
  job: (log: Log, onProgress: (event: ProgressEvent) => void) => Promise<number>,
): Promise<number> {
  const { openProgressView } = await import("./progressView.ts");
  const isLive = shell.isTerminal && shell.logFormat(config) === "auto";
  let view: ProgressView | null = null;
  const log = shell.log(config, (line) => {
    if (view === null) process.stderr.write(`${line}\n`);
    else view.writeLine(line);
  });
  view = openProgressView({ isLive, log, stream: process.stderr, title, secrets: config.secrets });
  try {
    return await job(log, (event) => view.take(event));
  } finally {
    view.close();
  }
}

/** Executes a run of a pipeline with these effects. */
export async function execute(
  effects: Effects,
  { pipeline, params, publisher }: BoundPipeline,
  options: { readonly force: boolean; readonly wait: boolean },
  signal: AbortSignal,
  onProgress: (event: ProgressEvent) => void,
): Promise<RunOutcome> {
  const { executeRun } = await import("./engine/run.ts");
  const database = await effects.database();
  return executeRun({
    pipeline,
    params,
    db: database.db,
    blobs: await effects.blobs(),
    publisher,
    scratch: await effects.scratch(),
    clock: effects.clock,
    build: effects.build,
    log: effects.log,
    signal,
    onProgress,
    force: options.force,
    wait: options.wait,
    concurrency: effects.config.concurrency,
  });
}

/** Says how a run ended, in the log and on Slack; returns the exit code. */
export async function conclude(
  effects: Effects,
  bound: BoundPipeline,
  outcome: RunOutcome,
  signal: AbortSignal,
): Promise<number> {
  const { log } = effects;
  const { name } = bound.pipeline;
  if (outcome.kind === "busy") {
    log.info(
      `${name} is already running: ${outcome.worker} holds it since ${outcome.since}; nothing was started (use --wait to wait for it)`,
    );
    return EXIT.ok;
  }
  if (outcome.kind === "handedBack") {
    log.warn(`${name} was told to stop and handed its run back; the next start goes on with it`);
    return EXIT.handedBack;
  }
  const { record, hint } = outcome;
  if (hint !== null) log.warn(hint);
  let facts: RunFacts;
  try {
    facts = await bound.facts(outcome);
  } catch (error) {
    // The run is over and recorded; that its message is poorer does not change how it ended.
    log.warn(`what changed could not be read from the ledger: ${messageOf(error)}`);
    facts = {
      ...unrecorded(effects, name, record.error ?? "", outcome.durationMs),
      status:
        record.status === "succeeded" || record.status === "degraded" ? record.status : "failed",
      error: record.error,
      published: record.published,
    };
  }
  await tell(effects, facts, signal);
  return { succeeded: EXIT.ok, degraded: EXIT.degraded, failed: EXIT.failed }[facts.status];
}

/** Posts a message, or logs it where no webhook is set. A failed post is a warning and nothing else. */
async function tell(effects: Effects, facts: RunFacts, signal: AbortSignal): Promise<void> {
  const { makeMessage, messageAsText } = await import("./publish/message.ts");
  const message = makeMessage(facts);
  const { webhookUrl } = effects.config.slack;
  if (webhookUrl === null) {
    effects.log.info(messageAsText(message));
    return;
  }
  const { postMessage } = await import("./publish/slack.ts");
  const sent = await postMessage({ webhookUrl, message, log: effects.log, signal });
  if (sent.ok) effects.log.info("Slack took the message");
  else effects.log.warn(`Slack did not take the message: ${sent.reason}`);
}
