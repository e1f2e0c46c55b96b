// One run of one pipeline, as a command sees it: progress shown, the run executed, Slack told, an exit code.

import { EXIT, type Shell } from "./command.ts";
import type { Config } from "./config.ts";
import type { Effects } from "./effects.ts";
import type { ProgressEvent } from "./engine/progress.ts";
import type { RunOutcome } from "./engine/run.ts";
import type { Log } from "./log.ts";
import type { PipelineEntry, RunRequest } from "./pipelineList.ts";
import type { ProgressView } from "./progressView.ts";
import type { Message } from "./publish/message.ts";

export interface WorkOptions extends RunRequest {
  readonly force: boolean;
  readonly wait: boolean;
}

/** Opens effects, runs a pipeline once with progress shown, tells Slack, and returns the exit code. */
export async function work(
  shell: Shell,
  config: Config,
  entry: PipelineEntry,
  options: WorkOptions,
): Promise<number> {
  return withProgress(shell, config, entry.title, (log, onProgress) =>
    shell.withEffects(config, log, async (effects) => {
      const outcome = await execute(effects, entry, options, shell.signal, onProgress);
      return conclude(effects, entry, outcome, shell.signal);
    }),
  );
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
  entry: PipelineEntry,
  options: WorkOptions,
  signal: AbortSignal,
  onProgress: (event: ProgressEvent) => void,
): Promise<RunOutcome> {
  const { executeRun } = await import("./engine/run.ts");
  const { pipeline, params } = await entry.make(effects, options);
  const database = await effects.database();
  return executeRun({
    pipeline,
    params,
    db: database.db,
    blobs: await effects.blobs(),
    publisher: await effects.publisher(),
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
  entry: PipelineEntry,
  outcome: RunOutcome,
  signal: AbortSignal,
): Promise<number> {
  const { log } = effects;
  if (outcome.kind === "busy") {
    log.info(
      `${entry.name} is already running: ${outcome.worker} holds it since ${outcome.since}; nothing was started (use --wait to wait for it)`,
    );
    return EXIT.ok;
  }
  if (outcome.kind === "handedBack") {
    log.warn(
      `${entry.name} was told to stop and handed its run back; the next start goes on with it`,
    );
    return EXIT.handedBack;
  }
  const { makeMessage, messageAsText } = await import("./publish/message.ts");
  const facts = await entry.facts(effects, outcome);
  await tell(effects, makeMessage(facts), messageAsText, signal);
  return { succeeded: EXIT.ok, degraded: EXIT.degraded, failed: EXIT.failed }[facts.status];
}

/** Posts a message, or logs it where no webhook is set. A failed post is a warning and nothing else. */
async function tell(
  effects: Effects,
  message: Message,
  asText: (message: Message) => string,
  signal: AbortSignal,
): Promise<void> {
  const { webhookUrl } = effects.config.slack;
  if (webhookUrl === null) {
    effects.log.info(asText(message));
    return;
  }
  const { postMessage } = await import("./publish/slack.ts");
  const sent = await postMessage({ webhookUrl, message, log: effects.log, signal });
  if (sent.ok) effects.log.info("Slack took the message");
  else effects.log.warn(`Slack did not take the message: ${sent.reason}`);
}
