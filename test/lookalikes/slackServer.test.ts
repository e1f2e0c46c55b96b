import { describe, expect, onTestFinished, test } from "vitest";

import {
  type SlackAnswer,
  type SlackServer,
  startSlack,
} from "../../src/lookalikes/slackServer.ts";

async function makeSlack(answer?: SlackAnswer): Promise<SlackServer> {
  const server = await startSlack(answer === undefined ? {} : { answer });
  onTestFinished(() => server.close());
  return server;
}

async function post(
  url: string,
  payload: unknown,
  type = "application/json",
): Promise<readonly [status: number, body: string]> {
  const body = typeof payload === "string" ? payload : JSON.stringify(payload);
  const answer = await fetch(url, { method: "POST", body, headers: { "content-type": type } });
  return [answer.status, await answer.text()];
}

const plain = (text: string): unknown => ({ type: "plain_text", text });
const mrkdwn = (text: string): unknown => ({ type: "mrkdwn", text });
const section = { type: "section", text: mrkdwn("hello") };
const image = { type: "image", image_url: "https://example.org/a.png", alt_text: "a" };
const button = { type: "button", text: plain("open"), url: "https://example.org" };
const times = <T>(count: number, item: T): T[] => Array.from({ length: count }, () => item);

/** Payloads with the word that Slack has for them, and the rule that they break. */
const REFUSED: readonly (readonly [payload: unknown, code: string, why: string])[] = [
  ["not JSON", "invalid_payload", "the body is not JSON"],
  ["[]", "invalid_payload", "the payload is not an object"],
  [{ text: 3 }, "invalid_payload", "text is not text"],
  [{ text: "" }, "no_text", "there is no text"],
  [{}, "no_text", "there is no text"],
  [{ text: "x".repeat(40_001) }, "msg_too_long", "text is longer than 40000"],
  [{ text: "a", blocks: {} }, "invalid_payload", "blocks is not a list"],
  [{ text: "a", blocks: times(51, section) }, "invalid_blocks", "there are more than 50 blocks"],
  ...(
    [
      [3, "not an object"],
      [{ type: "marquee" }, "the type marquee is unknown"],
      [{ type: "header", text: plain("x".repeat(151)) }, "a text is longer than 150"],
      [{ type: "header", text: mrkdwn("x") }, "a text must be plain_text"],
      [{ type: "header" }, "a text object is missing"],
      [{ type: "section", text: mrkdwn("x".repeat(3001)) }, "a text is longer than 3000"],
      [{ type: "section", text: mrkdwn("") }, "a text is empty"],
      [{ type: "section" }, "a section needs text or fields"],
      [{ type: "section", fields: times(11, mrkdwn("x")) }, "a list has more than 10 items"],
      [{ type: "section", fields: [mrkdwn("x".repeat(2001))] }, "a text is longer than 2000"],
      [{ ...section, accessory: 3 }, "the accessory is not an object"],
      [{ ...section, accessory: section }, "an element is not a button"],
      [{ ...section, block_id: 3 }, "block_id is not a short text"],
      [{ type: "context", elements: [] }, "a list is missing or empty"],
      [
        { type: "actions", elements: [{ ...button, url: "x" }] },
        "a button's url is not an address",
      ],
      [{ ...image, image_url: "x" }, "image_url is not an address"],
      [{ ...image, alt_text: "" }, "alt_text is missing or too long"],
    ] as const
  ).map(
    ([block, why]) =>
      [{ text: "a", blocks: [block] }, "invalid_blocks", `block 0: ${why}`] as const,
  ),
  [
    { text: "a", blocks: times(2, { ...section, block_id: "a" }) },
    "invalid_blocks",
    "block 1: block_id a is used twice",
  ],
];

describe("startSlack(options)", () => {
  test("takes messages and keeps them", async () => {
    const slack = await makeSlack();
    const full = {
      text: "fallback",
      blocks: [
        { type: "header", text: plain("x".repeat(150)) },
        { ...section, block_id: "a" },
        { type: "section", text: mrkdwn("x".repeat(3000)), accessory: button },
        { type: "section", fields: times(10, mrkdwn("x".repeat(2000))), accessory: image },
        { type: "divider" },
        { type: "context", elements: [mrkdwn("small"), image] },
        { type: "actions", elements: [button] },
        image,
        ...times(42, section),
      ],
    };
    expect(slack.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/services\/T000\/B000\/XXXX$/);
    expect(await post(slack.url, { text: "only text" })).toEqual([200, "ok"]);
    expect(await post(slack.url, full)).toEqual([200, "ok"]);
    expect(slack.messages).toEqual([{ text: "only text" }, full]);
    expect(slack.refused).toEqual([]);
  });

  test.each(REFUSED)("refuses %j", async (payload, code, why) => {
    const slack = await makeSlack();
    expect(await post(slack.url, payload)).toEqual([400, code]);
    expect(slack.refused).toEqual([why]);
    expect(slack.messages).toEqual([]);
  });

  test("refuses what does not come as JSON, by POST, at the right address", async () => {
    const { url, messages } = await makeSlack();
    expect(await post(url, "payload={}", "text/plain")).toEqual([400, "invalid_payload"]);
    expect((await fetch(url)).status).toBe(400);
    expect(await post(`${url}Y`, { text: "a" })).toEqual([404, "no_service"]);
    expect(messages).toEqual([]);
  });

  test("answers what it is told to, until it is told otherwise", async () => {
    const slack = await makeSlack({ status: 410, body: "channel_is_archived" });
    expect(await post(slack.url, { text: "a" })).toEqual([410, "channel_is_archived"]);
    slack.setAnswer({ status: 429, body: "rate_limited", retryAfter: "3" });
    const answer = await fetch(slack.url, { method: "POST", body: "{}" });
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([429, "3"]);
    slack.setAnswer(null);
    expect(await post(slack.url, { text: "a" })).toEqual([200, "ok"]);
    expect(slack.messages).toEqual([{ text: "a" }]);
  });

  test("says that a port is taken", async () => {
    const { url } = await makeSlack();
    const port = Number(new URL(url).port);
    await expect(startSlack({ port })).rejects.toMatchObject({
      kind: "usage",
      message: `cannot listen on 127.0.0.1:${port}`,
    });
  });
});
