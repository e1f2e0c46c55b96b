import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { type Log, SILENT } from "../../src/log.ts";
import { type SlackServer, startSlack } from "../../src/lookalikes/slackServer.ts";
import { makeTestMessage } from "../../src/publish/message.ts";
import { postMessage, type PostOptions, type PostResult } from "../../src/publish/slack.ts";
import type { RetryPolicy } from "../../src/retry.ts";

const QUICK: RetryPolicy = { attempts: 3, minDelayMs: 1, maxDelayMs: 2 };
const MESSAGE = makeTestMessage({ label: "test", siteUrl: "https://x.org/?a=1&b=2" });

let slack: SlackServer;
let warnings: string[];
let log: Log;

beforeEach(async () => {
  slack = await startSlack();
  warnings = [];
  log = { ...SILENT, warn: (message) => warnings.push(message) };
});

afterEach(() => slack.close());

function post(more: Partial<PostOptions> = {}): Promise<PostResult> {
  return postMessage({ webhookUrl: slack.url, message: MESSAGE, log, policy: QUICK, ...more });
}

/** Runs work against a server of its own; counts its requests. */
async function serving(
  listener: RequestListener,
  work: (url: string) => Promise<void>,
): Promise<void> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    await work(`http://127.0.0.1:${port}/services/T1/B1/S3CRET`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

describe("postMessage(options)", () => {
  test("posts the message as it is, and gives Slack's answer back", async () => {
    expect(await post()).toEqual({ ok: true, answer: "ok" });
    expect(slack.messages).toEqual([{ text: MESSAGE.text, blocks: MESSAGE.blocks }]);
    expect(warnings).toEqual([]);
  });

  test.each([
    [
      403,
      "action_prohibited",
      "Slack answered 403 action_prohibited: the workspace does not let this webhook post: ask its administrators",
    ],
    [
      404,
      "no_service",
      "Slack answered 404 no_service: the webhook was removed or switched off: make a new one and set SLACK_WEBHOOK_URL",
    ],
    [
      410,
      "channel_is_archived",
      "Slack answered 410 channel_is_archived: the webhook's channel is archived: make a webhook for another channel",
    ],
    [400, "something_new", "Slack answered 400 something_new"],
    [404, "", "Slack answered 404"],
  ])("does not try again after %i %s", async (status, body, reason) => {
    slack.setAnswer({ status, body });
    expect(await post()).toEqual({ ok: false, reason });
    expect(warnings).toEqual([]);
  });

  test("reports a payload that Slack refuses", async () => {
    const message = {
      text: "x",
      blocks: [{ type: "header" as const, text: { type: "plain_text" as const, text: "" } }],
    };
    expect(await post({ message })).toEqual({
      ok: false,
      reason: "Slack answered 400 invalid_blocks: this is a mistake in hdash: please report it",
    });
  });

  test.each([500, 503, 429])("tries again after %i", async (status) => {
    let requests = 0;
    await serving(
      (request, response) => {
        request.resume();
        requests += 1;
        if (requests === 3) response.end("ok");
        else response.writeHead(status, { "retry-after": "0" }).end("busy");
      },
      async (webhookUrl) => {
        expect(await post({ webhookUrl })).toEqual({ ok: true, answer: "ok" });
      },
    );
    expect(requests).toBe(3);
    expect(warnings.map((line) => line.replace(/\d+ ms$/, "n ms"))).toEqual(
      Array(2).fill(`Slack answered ${status} busy → trying again in n ms`),
    );
  });

  test("waits as long as Retry-After asks", async () => {
    let requests = 0;
    await serving(
      (request, response) => {
        request.resume();
        requests += 1;
        if (requests === 2) response.end("ok");
        else response.writeHead(429, { "retry-after": "0.3" }).end("rate_limited");
      },
      async (webhookUrl) => {
        expect(await post({ webhookUrl })).toEqual({ ok: true, answer: "ok" });
      },
    );
    expect(warnings).toEqual(["Slack answered 429 rate_limited → trying again in 300 ms"]);
  });

  test("does not wait for longer than a minute", async () => {
    slack.setAnswer({ status: 429, body: "rate_limited", retryAfter: "3600" });
    expect(await post()).toEqual({
      ok: false,
      reason: "Slack answered 429 rate_limited (it asks to wait 3600 seconds)",
    });
  });

  test("gives up when Slack stays down, without throwing", async () => {
    slack.setAnswer({ status: 503, body: "down" });
    expect(await post()).toEqual({ ok: false, reason: "Slack answered 503 down" });
    expect(warnings.length).toBe(2);
    await slack.close();
    const { host } = new URL(slack.url);
    const unreachable = await post();
    expect(unreachable.ok).toBe(false);
    expect(!unreachable.ok && unreachable.reason).toMatch(
      new RegExp(`^${host} cannot be reached: .*ECONNREFUSED`),
    );
    slack = await startSlack();
  });

  test("never prints the address, whatever goes wrong", async () => {
    const said: string[] = [];
    const keep = (result: PostResult): void => void said.push(JSON.stringify(result));
    await serving(
      (request, response) => {
        request.resume();
        response.writeHead(500).end(`cannot serve http://${request.headers.host}${request.url}`);
      },
      async (url) => {
        keep(await post({ webhookUrl: url }));
        keep(await post({ webhookUrl: url.replace("http://", "http://user:S3CRET@") }));
        keep(await post({ webhookUrl: url.replace("http:", "ftp:") }));
      },
    );
    await serving(
      (request, response) => {
        request.resume();
        response.writeHead(302, { location: "http://127.0.0.1:1/S3CRET" }).end();
      },
      async (url) => keep(await post({ webhookUrl: url })),
    );
    keep(await post({ webhookUrl: "not an address S3CRET" }));
    expect(said.length).toBe(5);
    expect([...said, ...warnings].join("\n")).not.toMatch(/S3CRET|\/services\//);
    expect(said[4]).toBe('{"ok":false,"reason":"SLACK_WEBHOOK_URL is not an address"}');
  });

  test("repeats no more than a line of what a proxy says", async () => {
    slack.setAnswer({ status: 403, body: `<html>\n\u001b[31m${"x".repeat(5000)}` });
    const result = await post();
    expect(!result.ok && result.reason).toBe(`Slack answered 403 <html> [31m${"x".repeat(189)}`);
  });

  test("stops when it is told to", async () => {
    const stop = new AbortController();
    await serving(
      (request) => {
        request.resume();
        stop.abort("stop");
      },
      async (webhookUrl) => {
        const result = await post({ webhookUrl, signal: stop.signal });
        expect(!result.ok && result.reason).toMatch(/^stopped while: post to 127.0.0.1:\d+\/…/);
      },
    );
  });
});
