import { describe, expect, test } from "vitest";

import type { FindingDelta } from "../../src/finding.ts";
import { payloadProblem } from "../../src/lookalikes/slackRules.ts";
import {
  makeMessage,
  makeTestMessage,
  type RunFacts,
  type ScopeFacts,
} from "../../src/publish/message.ts";
import { type Message, messageAsText } from "../../src/publish/slackBlocks.ts";

/** What appeared and disappeared; what is not named is 0. */
const change = (
  added: Partial<FindingDelta["added"]>,
  removed: Partial<FindingDelta["removed"]> = {},
): FindingDelta => ({
  added: { error: 0, warning: 0, info: 0, ...added },
  removed: { error: 0, warning: 0, info: 0, ...removed },
});
const NO_CHANGE = change({});

function scope(name: string, more: Partial<ScopeFacts> = {}): ScopeFacts {
  return {
    name,
    title: `HTAN ${name}`,
    ok: true,
    error: null,
    lastGoodAt: "2026-11-20T02:00:00Z",
    delta: NO_CHANGE,
    errors: 0,
    warnings: 0,
    ...more,
  };
}

function facts(more: Partial<RunFacts> = {}): RunFacts {
  return {
    pipeline: "htan",
    status: "succeeded",
    build: "0.1.0",
    startedAt: "2026-11-21T02:00:00Z",
    durationMs: 41_000,
    hits: 112,
    ran: 6,
    failedSteps: 0,
    scopes: [scope("HTA1"), scope("HTA3")],
    isMoved: true,
    published: { put: 3, deleted: 0, unchanged: 40 },
    siteUrl: "https://htan.example.org/",
    label: null,
    error: null,
    scopeNoun: ["atlas", "atlases"],
    ...more,
  };
}

function lines(message: Message): readonly string[] {
  return messageAsText(message).split("\n");
}

describe("makeMessage(facts)", () => {
  test("begins with what the pipeline has to tell, in its words and with its tone", () => {
    const news = {
      tone: "error",
      headline: "The data of 13 Jan is not whole.",
      lines: ["pediatric_v1 has sent nothing", "<!channel> & *more*"],
    } as const;
    const [first, ...rest] = lines(makeMessage(facts({ news })));
    expect(first).toBe("❌ htan: The data of 13 Jan is not whole.");
    expect(rest.slice(0, 3)).toEqual([
      "In short",
      "• pediatric_v1 has sent nothing",
      "• <!channel> & more",
    ]);
    const section = makeMessage(facts({ news })).blocks[1];
    expect(JSON.stringify(section)).toContain("&lt;!channel&gt; &amp; *more*");
    const whole = { tone: "good", headline: "All is whole.", lines: [] } as const;
    expect(lines(makeMessage(facts({ news: whole })))[0]).toBe("✅ htan: All is whole.");
  });

  test("says of a run that failed, or in part, first that it did", () => {
    const news = { tone: "good", headline: "All is whole.", lines: ["a line"] } as const;
    const failed = lines(makeMessage(facts({ news, status: "failed", error: "S3 is away" })));
    expect(failed[0]).toBe("❌ htan: failed, the site was not updated");
    expect(failed.join()).not.toContain("a line");
    const scopes = [scope("HTA1", { ok: false, error: "x" }), scope("HTA3")];
    const degraded = lines(makeMessage(facts({ news, status: "degraded", scopes })));
    expect(degraded[0]).toBe("⚠️ htan: 1 of 2 atlases could not be updated; All is whole.");
    expect(degraded).toContain("• a line");
  });

  test("keeps within Slack's limits, however much the pipeline tells", () => {
    const news = {
      tone: "warning" as const,
      headline: "h".repeat(500),
      lines: Array.from({ length: 200 }, () => "&".repeat(900)),
    };
    expect(payloadProblem(makeMessage(facts({ news })))).toBe(null);
  });

  test("speaks of no site where there is none", () => {
    const none = { hasSite: false, siteUrl: null, published: null };
    const failed = { status: "failed", error: "S3 is away" } as const;
    const degraded = {
      status: "degraded",
      scopes: [scope("a/b", { ok: false, error: "x" })],
    } as const;
    const said = [facts(none), facts({ ...none, ...failed }), facts({ ...none, ...degraded })];
    const texts = said.map((one) => messageAsText(makeMessage(one)));
    for (const text of texts) expect(text).not.toMatch(/site|publish|page/);
    expect(texts[1]).toContain("htan: failed, what was there before stays");
    expect(texts[2]).toMatch(/^Not done\n• a\/b/m);
  });

  test("tells new and fixed findings first, then where, then the rest", () => {
    const message = makeMessage(
      facts({
        scopes: [
          scope("HTA1", {
            delta: change({}, { error: 4, warning: 1 }),
            errors: 2,
          }),
          scope("HTA2"),
          scope("HTA3", {
            delta: change({ error: 1, warning: 2 }),
            errors: 14,
            warnings: 3,
          }),
        ],
      }),
    );
    expect(message).toEqual({
      text: "htan succeeded · 112 hits, 6 ran · +1 error, +2 warnings, 4 errors fixed, 1 warning fixed (HTA1, HTA3) · 41 s",
      blocks: [
        { type: "header", text: { type: "plain_text", text: "✅ htan: 1 new error, 4 fixed" } },
        {
          type: "section",
          text: {
            type: "mrkdwn",
            verbatim: true,
            text:
              "*New and fixed findings*\n" +
              "• *HTA3* HTAN HTA3: +1 error, +2 warnings (now 14 errors, 3 warnings)\n" +
              "• *HTA1* HTAN HTA1: 4 errors fixed, 1 warning fixed (now 2 errors, 0 warnings)",
          },
        },
        {
          type: "section",
          text: {
            type: "mrkdwn",
            verbatim: true,
            text: "*In all:* 16 errors, 3 warnings in 3 atlases",
          },
        },
        {
          type: "section",
          text: {
            type: "mrkdwn",
            verbatim: true,
            text: "<https://htan.example.org/|Open the pages>",
          },
        },
        {
          type: "context",
          elements: [
            {
              type: "mrkdwn",
              verbatim: true,
              text: "112 hits, 6 ran, 0 failed · 3 files put, 0 deleted, 40 unchanged · 41 s · started 21 Nov 2026, 02:00 UTC · hdash 0.1.0",
            },
          ],
        },
      ],
    });
  });

  test.each([
    [{}, "✅ htan: updated, no new or fixed findings"],
    [{ isMoved: false }, "✅ htan: nothing changed"],
    [{ label: "staging" }, "✅ htan: updated, no new or fixed findings [staging]"],
    [
      { scopes: [scope("A", { delta: null, errors: 3 })] },
      "✅ htan: first update, 3 errors, 0 warnings",
    ],
    [{ scopes: [scope("A", { delta: change({ error: 2 }) })] }, "✅ htan: 2 new errors"],
    [
      { scopes: [scope("A", { delta: change({}, { error: 1 }) })] },
      "✅ htan: 1 error fixed, none new",
    ],
    [
      { scopes: [scope("A", { delta: change({ warning: 1 }, { warning: 2 }) })] },
      "✅ htan: 1 new warning, 2 fixed",
    ],
    [{ status: "degraded", failedSteps: 1 }, "⚠️ htan: 1 step failed"],
    [{ status: "failed", error: "why" }, "❌ htan: failed, the site was not updated"],
  ] satisfies [Partial<RunFacts>, string][])("says of %j: %s", (more, heading) => {
    expect(lines(makeMessage(facts(more)))[0]).toBe(heading);
  });

  test("names the atlases that failed, why, and since when they are as they are", () => {
    const message = makeMessage(
      facts({
        status: "degraded",
        failedSteps: 2,
        scopes: [
          scope("HTA1"),
          scope("HTA3", { ok: false, error: "syn1 cannot be read: 403", delta: null }),
          scope("HTA4", { ok: false, error: null, lastGoodAt: null, title: "" }),
        ],
      }),
    );
    expect(message.text).toBe("htan degraded · 112 hits, 6 ran · not updated: HTA3, HTA4 · 41 s");
    expect(lines(message)).toEqual([
      "⚠️ htan: 2 of 3 atlases could not be updated",
      "Not updated; their pages are as they were",
      "• HTA3 HTAN HTA3: syn1 cannot be read: 403 (last updated 20 Nov 2026)",
      "• HTA4: no reason was given (never updated before)",
      "In all: 0 errors, 0 warnings in 3 atlases",
      "Open the pages: https://htan.example.org/",
      "112 hits, 6 ran, 2 failed · 3 files put, 0 deleted, 40 unchanged · 41 s · started 21 Nov 2026, 02:00 UTC · hdash 0.1.0",
    ]);
  });

  test("adds the news about the others to what failed", () => {
    const scopes = [
      scope("HTA1", { delta: change({ error: 5 }) }),
      scope("HTA3", { ok: false, error: "x" }),
    ];
    expect(lines(makeMessage(facts({ status: "degraded", scopes })))[0]).toBe(
      "⚠️ htan: 1 of 2 atlases could not be updated; 5 new errors",
    );
  });

  test("says why a run failed and what to do", () => {
    const failed = facts({
      status: "failed",
      error: "put index.html to s3://site: AccessDenied (403)",
      published: null,
      siteUrl: null,
      scopes: [],
    });
    expect(lines(makeMessage(failed))).toEqual([
      "❌ htan: failed, the site was not updated",
      "Why: put index.html to s3://site: AccessDenied (403)",
      "What to do: The next scheduled run tries again. hdash doctor checks each service and says what to mend.",
      "Readers still see what was published before.",
      "112 hits, 6 ran, 0 failed · nothing published · 41 s · started 21 Nov 2026, 02:00 UTC · hdash 0.1.0",
    ]);
    expect(lines(makeMessage({ ...failed, hint: "Allow s3:PutObject.", error: null }))).toEqual(
      expect.arrayContaining(["Why: no reason was given", "What to do: Allow s3:PutObject."]),
    );
    expect(makeMessage(failed).text).toBe(
      "htan failed · put index.html to s3://site: AccessDenied (403) · 112 hits, 6 ran · 41 s",
    );
  });

  test("calls scopes what the pipeline calls them", () => {
    const message = makeMessage(
      facts({ scopeNoun: ["project", "projects"], scopes: [scope("p1")] }),
    );
    expect(messageAsText(message)).toContain("0 errors, 0 warnings in 1 project\n");
  });

  test("names what was taken off the site, the first few, in headline, text and summary", () => {
    const gone = [
      { name: "pbmc3k", title: "pbmc3k" },
      { name: "eye", title: "Human eye <i>" },
      ...[3, 4, 5, 6, 7].map((at) => ({ name: `m${at}`, title: "" })),
    ];
    const scopeNoun = ["matrix", "matrices"] as const;
    const message = makeMessage(facts({ gone, scopeNoun }));
    expect(lines(message).slice(0, 2)).toEqual([
      "✅ htan: 7 matrices taken off the site",
      "Taken off the site: pbmc3k, eye, m3, m4, m5 and 2 more",
    ]);
    expect(message.text).toContain("taken off the site: pbmc3k, eye, m3, m4, m5 and 2 more");
    expect(payloadProblem(message)).toBeNull();
    const failed = scope("HTA2", { ok: false, error: "no", delta: null });
    const degraded = makeMessage(
      facts({ status: "degraded", scopes: [failed], gone: gone.slice(0, 1), scopeNoun }),
    );
    expect(lines(degraded)[0]).toBe(
      "⚠️ htan: 1 of 1 matrix could not be updated; 1 matrix taken off the site",
    );
  });

  test("calls a scope by its title where its name was made of that, or by a machine", () => {
    const uuid = "00000000-0000-4000-8000-000000000001";
    const failed = { ok: false, error: "no", delta: null, lastGoodAt: null };
    const message = makeMessage(
      facts({
        status: "degraded",
        scopes: [
          scope("K-ln-two", { ...failed, title: "Köln two" }),
          scope(uuid, { ...failed, title: "Human pancreas" }),
        ],
        gone: [{ name: "unnamed-77710a", title: "日本語" }],
      }),
    );
    expect(message.text).toContain("not updated: Köln two, Human pancreas · ");
    expect(lines(message)).toEqual(
      expect.arrayContaining([
        "• Köln two (K-ln-two): no (never updated before)",
        `• Human pancreas (${uuid}): no (never updated before)`,
        "Taken off the site: 日本語",
      ]),
    );
  });

  test("counts what it does not list", () => {
    const scopes = Array.from({ length: 27 }, (_, index) =>
      scope(`HTA${index}`, { delta: change({ error: 100 - index }) }),
    );
    const message = makeMessage(facts({ scopes }));
    const text = lines(message);
    expect(text.filter((line) => line.startsWith("• ")).length).toBe(20);
    expect(text).toContain("and 7 more");
    expect(message.text).toContain("(HTA0, HTA1, HTA2, HTA3, HTA4 and 22 more)");
  });

  test("keeps data from becoming marks, mentions, links or lines", () => {
    const evil = '<!channel> & <https://evil|x>\n*b*\u001b[31m \u202egnp.\u0000"';
    const message = makeMessage(
      facts({
        pipeline: evil,
        label: evil,
        status: "degraded",
        error: evil,
        siteUrl: "https://x.org/?a=1&b=<|>",
        scopes: [scope(evil, { title: `T ${evil}`, ok: false, error: evil })],
      }),
    );
    const [header, failed, , link] = message.blocks;
    expect(header).toEqual({
      type: "header",
      text: {
        type: "plain_text",
        text: '⚠️ <!channel> & <https://evil|x> *b* [31m gnp. ": 1 of 1 atlas could not be updated [<!channel> & <https://evil|x> *b* [31m gnp. "]',
      },
    });
    const safe = '&lt;!channel&gt; &amp; &lt;https://evil|x&gt; *b* [31m gnp. "';
    expect(failed?.type === "section" && failed.text.text.split("\n")[1]).toBe(
      `• *${safe.slice(0, 59)}…* T ${safe}: ${safe} (last updated 20 Nov 2026)`,
    );
    expect(link?.type === "section" && link.text.text).toBe(
      "<https://x.org/?a=1&amp;b=%3C%7C%3E|Open the pages>",
    );
    expect(message.text).not.toMatch(/[<>\n\u001b]/);
  });

  test.each(["&", "<", "*", "_", "\n", "\u0000", "💥", "\ud800", "é", "a "])(
    "stays within Slack's limits with 200 atlases full of %j",
    (char) => {
      const long = char.repeat(5000);
      for (const status of ["succeeded", "degraded", "failed"] as const) {
        for (const ok of [true, false]) {
          const scopes = Array.from({ length: 200 }, () =>
            scope(long, {
              title: long,
              ok,
              error: long,
              delta: change({ error: 1e6, warning: 1e6 }, { error: 1e6, warning: 1e6 }),
            }),
          );
          const texts = { pipeline: long, label: long, build: long, error: long, hint: long };
          const message = makeMessage(
            facts({ ...texts, status, scopes, siteUrl: `https://x.org/${long}` }),
          );
          expect(payloadProblem(message)).toBeNull();
          expect(JSON.stringify(message)).not.toMatch(/\\ud[89ab]/i);
        }
      }
    },
  );

  test("prints the place of a site that is not on the web", () => {
    const message = makeMessage(facts({ siteUrl: "file:///tmp/a%20site/index.html" }));
    expect(lines(message)).toContain("Site: file:///tmp/a%20site/index.html");
  });
});

describe("makeTestMessage(options)", () => {
  test("is marked as a test and names the deployment", () => {
    const message = makeTestMessage({ label: "staging", siteUrl: "https://htan.example.org" });
    expect([message.text, payloadProblem(message), lines(message)]).toEqual([
      "hdash: test message. This is a test of hdash's webhook. Nothing ran, and nothing was published.",
      null,
      [
        "🔧 hdash: test message [staging]",
        "This is a test of hdash's webhook. Nothing ran, and nothing was published.",
        "Open the pages: https://htan.example.org",
      ],
    ]);
    expect(makeTestMessage({ label: null, siteUrl: null }).blocks.length).toBe(2);
  });
});

describe("messageAsText(message)", () => {
  test("gives data back as it was, and keeps terminals safe", () => {
    const scopes = [scope("A & <B>", { ok: false, error: "2 * 3 * 4 &amp; \u001b[2J" })];
    const text = messageAsText(makeMessage(facts({ status: "degraded", scopes })));
    expect(text).toContain("• A & <B> HTAN A & <B>: 2 * 3 * 4 &amp; [2J (last updated");

    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });
});
