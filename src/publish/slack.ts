// Posts messages to a Slack incoming webhook. A post that fails is an answer, never an exception: the run it tells of is over.

import { IncomingWebhook, IncomingWebhookHTTPError } from "@slack/webhook";

import { HdashError, messageOf } from "../error.ts";
import type { Log } from "../log.ts";
import { retry, type RetryPolicy } from "../retry.ts";
import type { Message } from "./slackBlocks.ts";

export interface PostOptions {
  /** A secret: whoever has it can post. It is never printed. */
  readonly webhookUrl: string;
  readonly message: Message;
  readonly log: Log;
  readonly signal?: AbortSignal | undefined;
  /** Default: four tries within about half a minute. */
  readonly policy?: RetryPolicy;
}

export type PostResult =
  { readonly ok: true; readonly answer: string } | { readonly ok: false; readonly reason: string };

/** Less patient than for the work itself: a message is not worth a container that lingers. */
const POLICY: RetryPolicy = { attempts: 4, minDelayMs: 1000, maxDelayMs: 15_000 };
/** Milliseconds for one attempt; Slack answers in well under a second. */
const TIMEOUT_MS = 20_000;
/** Milliseconds that Slack may ask us to wait; a longer wait is a refusal. */
const MAX_WAIT_MS = 60_000;
/** Characters of an answer that are repeated to people: Slack's are one word, a proxy's may be a page. */
const ANSWER_CHARS = 200;

/** What Slack's one-word refusals ask for. */
const ADVICE: Readonly<Record<string, string>> = {
  no_service: "the webhook was removed or switched off: make a new one and set SLACK_WEBHOOK_URL",
  no_service_id: "SLACK_WEBHOOK_URL is cut short: copy the whole address",
  no_team: "SLACK_WEBHOOK_URL names a workspace that does not exist",
  no_active_hooks: "the webhook was switched off: make a new one and set SLACK_WEBHOOK_URL",
  invalid_token: "SLACK_WEBHOOK_URL is wrong or no longer valid: copy it again",
  action_prohibited: "the workspace does not let this webhook post: ask its administrators",
  posting_to_general_channel_denied: "the webhook may not post to this channel: choose another",
  channel_not_found: "the webhook's channel was deleted: make a new webhook",
  channel_is_archived: "the webhook's channel is archived: make a webhook for another channel",
  invalid_payload: "this is a mistake in hdash: please report it",
  invalid_blocks: "this is a mistake in hdash: please report it",
};

/** Posts a message, trying again while Slack is busy or out of reach; never throws. */
export async function postMessage(options: PostOptions): Promise<PostResult> {
  const { webhookUrl, message, log, signal, policy = POLICY } = options;
  if (!URL.canParse(webhookUrl) || !/^https?:$/.test(new URL(webhookUrl).protocol)) {
    return { ok: false, reason: "SLACK_WEBHOOK_URL is not an address" };
  }
  const place = `${new URL(webhookUrl).host}/…`;
  try {
    const answer = await retry(`post to ${place}`, policy, () => post(options), {
      signal,
      onRetry: ({ reason, delayMs }) =>
        log.warn(`${redact(reason, webhookUrl)} → trying again in ${delayMs} ms`),
    });
    log.debug(`post to ${place} → ${answer}`, { blocks: message.blocks.length });
    return { ok: true, answer };
  } catch (error) {
    return { ok: false, reason: redact(messageOf(error), webhookUrl) };
  }
}

async function post({ webhookUrl, message, signal }: PostOptions): Promise<string> {
  let retryAfter: string | null = null;
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const hook = new IncomingWebhook(webhookUrl, {
    // The library must not try again by itself: retry.ts does.
    retryConfig: { retries: 0 },
    // Its errors do not tell Retry-After, and its calls take no signal; a fetch of our own sees to both.
    fetch: async (url, init) => {
      const stop = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
      const response = await globalThis.fetch(url, { ...init, signal: stop });
      retryAfter = response.headers.get("retry-after");
      return response;
    },
  });
  try {
    const { text } = await hook.send({ text: message.text, blocks: [...message.blocks] });
    return clip(text);
  } catch (error) {
    throw postError(error, new URL(webhookUrl).host, retryAfter);
  }
}

function postError(error: unknown, host: string, retryAfter: string | null): HdashError {
  if (!(error instanceof IncomingWebhookHTTPError)) {
    return new HdashError("transient", `${host} cannot be reached: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const { statusCode, body } = error;
  const word = clip(body);
  const advice = ADVICE[word];
  const says = word === "" ? "" : ` ${word}`;
  const message = `Slack answered ${statusCode}${says}${advice === undefined ? "" : `: ${advice}`}`;
  const isPassing = statusCode === 429 || statusCode >= 500;
  const waitMs = retryAfter === null ? 0 : Number(retryAfter) * 1000;
  if (isPassing && waitMs > MAX_WAIT_MS) {
    return new HdashError("permanent", `${message} (it asks to wait ${retryAfter} seconds)`);
  }
  // It gets no cause: the library's error says nothing but the status, and people would read that twice.
  return new HdashError(
    isPassing ? "transient" : "permanent",
    message,
    waitMs > 0 ? { retryAfterMs: waitMs } : {},
  );
}

/** Shortens an answer to one line. */
function clip(text: string): string {
  return text
    .replace(/[\p{Cc}\s]+/gu, " ")
    .trim()
    .slice(0, ANSWER_CHARS);
}

/** Takes the address out of what others say: fetch repeats it in its errors, and it is a secret. */
function redact(text: string, webhookUrl: string): string {
  const { href, pathname, host } = new URL(webhookUrl);
  return [webhookUrl, href]
    .reduce((clean, secret) => clean.replaceAll(secret, `${host}/…`), text)
    .replaceAll(pathname.length > 1 ? pathname : href, "/…");
}
