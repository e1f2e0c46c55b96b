// What is told of a run that has ended: its pages, where somebody wants them, and its message.

import type { Effects } from "../effects.ts";
import { isAborted, messageOf, remedyOf } from "../error.ts";
import type { BoundPipeline, Job } from "../job.ts";
import type { RunFacts } from "../publish/message.ts";
import { NO_CALLS } from "../publish/pipelineMessage.ts";

/** What there is to tell of a run that the ledger knows nothing of. */
export function unrecorded(
  effects: Effects,
  { name, scopeNoun, pages, isUsers }: Job,
  error: unknown,
  durationMs: number,
): RunFacts {
  return {
    pipeline: name,
    status: "failed",
    build: effects.build,
    startedAt: effects.clock().toISOString(),
    durationMs,
    hits: 0,
    ran: 0,
    failedSteps: 0,
    scopes: [],
    scopeNoun,
    isMoved: false,
    published: null,
    siteUrl: pages === null ? null : effects.config.siteUrl,
    hasSite: pages !== null,
    label: effects.config.slack.label,
    error: messageOf(error),
    hint: remedyOf(error),
    ...(isUsers === true ? { calls: NO_CALLS } : {}),
  };
}

/** Shows the pages of a run that has ended, where somebody wants them. That they cannot be shown does not change how it ended. */
export async function showRun(
  { log }: Effects,
  { publishRun, siteUrl }: BoundPipeline,
  runId: string,
  signal: AbortSignal,
): Promise<{ readonly isShown: boolean; readonly siteUrl: string | null }> {
  if (publishRun === undefined) return { isShown: true, siteUrl };
  try {
    const url = await publishRun(runId, signal);
    log.info(`pages of run ${runId} are on the site${url === null ? "" : `: ${url}`}`);
    return { isShown: true, siteUrl: url };
  } catch (error) {
    if (isAborted(error)) throw error;
    log.warn(`pages of run ${runId} could not be published: ${messageOf(error)}`);
    return { isShown: false, siteUrl: null };
  }
}

/** Posts a message, or logs it where no webhook is set. A failed post is a warning and nothing else. */
export async function tell(effects: Effects, facts: RunFacts, signal: AbortSignal): Promise<void> {
  const { makeMessage } = await import("../publish/message.ts");
  const { makePipelineMessage } = await import("../publish/pipelineMessage.ts");
  const { messageAsText } = await import("../publish/slackBlocks.ts");
  const { calls } = facts;
  const message = calls === undefined ? makeMessage(facts) : makePipelineMessage(facts, calls);
  const { webhookUrl } = effects.config.slack;
  if (webhookUrl === null) {
    effects.log.info(messageAsText(message));
    return;
  }
  const { postMessage } = await import("../publish/slack.ts");
  const sent = await postMessage({ webhookUrl, message, log: effects.log, signal });
  if (sent.ok) effects.log.info("Slack took the message");
  else effects.log.warn(`Slack did not take the message: ${sent.reason}`);
}
