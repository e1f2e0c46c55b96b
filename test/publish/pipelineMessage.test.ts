import { describe, expect, test } from "vitest";

import { payloadProblem } from "../../src/lookalikes/slackRules.ts";
import type { PipelineFacts, RunFacts } from "../../src/publish/message.ts";
import { makePipelineMessage, NO_CALLS } from "../../src/publish/pipelineMessage.ts";
import { messageAsText } from "../../src/publish/slackBlocks.ts";

function facts(more: Partial<RunFacts> = {}): RunFacts {
  return {
    ...{ pipeline: "means", status: "succeeded", build: "0.1.0", durationMs: 41_000 },
    ...{ startedAt: "2026-11-21T02:00:00Z", hits: 9, ran: 9, failedSteps: 9, scopes: [] },
    ...{ isMoved: true, published: null, siteUrl: null, hasSite: false, label: null, error: null },
    scopeNoun: ["scope", "scopes"],
    ...more,
  };
}

const elm = {
  ...{ name: "mean elm", end: "failed · exit", attempts: 2, says: "it ended with 1" },
  look: "hdash logs 1a2b3c4d --attempt 4",
};

function said(more: Partial<RunFacts>, calls: Partial<PipelineFacts>): readonly string[] {
  return messageAsText(makePipelineMessage(facts(more), { ...NO_CALLS, ...calls })).split("\n");
}

describe("makePipelineMessage(facts, calls)", () => {
  test("says what ran, what was reused and what it gave", () => {
    const results = [
      { name: "merged", size: "file, 20 B" },
      { name: "words", size: "a value" },
    ];
    expect(said({}, { ran: 2, reused: 4, savedMs: 65_000, results })).toEqual([
      "✅ means: 2 steps ran, 4 reused",
      "Results",
      "• merged: file, 20 B",
      "• words: a value",
      "2 ran, 4 reused (1 min 5 s of work saved), 0 failed · 41 s · started 21 Nov 2026, 02:00 UTC · hdash 0.1.0",
    ]);
    expect(said({}, { ran: 1 })[0]).toBe("✅ means: 1 step ran");
    expect(said({}, { reused: 8 })[0]).toBe("✅ means: nothing new, 8 steps reused");
    expect(said({}, {})[0]).toBe("✅ means: done");
  });

  test("names what failed, why in a line, and what to type, each in a line of its own", () => {
    const why = "it needs mean elm, which failed (hdash logs 1a2b3c4d --attempt 4)";
    const error =
      "mean elm: it ended with 1; it said last:\n  patient 7 is odd\nTo look further: x";
    const told = said(
      { status: "failed", error },
      { ran: 4, failed: [elm], notRun: [{ call: "merge #1", why }], moreNotRun: 3 },
    );
    expect(told.slice(0, -1)).toEqual([
      "❌ means: mean elm failed, 4 did not run",
      "Failed",
      "• mean elm (failed · exit, after 2 attempts): it ended with 1",
      "hdash logs 1a2b3c4d --attempt 4",
      "Did not run",
      "• merge #1: it needs mean elm, which failed",
      "• 3 more",
    ]);
    // What a program has said may be anything.
    expect(told.join()).not.toContain("patient 7");
    const many = said({ status: "degraded" }, { failed: [elm, { ...elm, name: "mean ash" }] });
    expect(many[0]).toBe("⚠️ means: 2 steps failed");
    const early = { ...elm, end: "", attempts: 0, look: null };
    expect(said({ status: "degraded" }, { failed: [early] })).toContain(
      "• mean elm: it ended with 1",
    );
  });

  test("says why where no step failed, and what to do where somebody knows", () => {
    const told = said({ status: "failed", error: "the plan threw\nat x", hint: "Mend it." }, {});
    expect(told.slice(0, 3)).toEqual([
      "❌ means: failed",
      "Why: the plan threw",
      "What to do: Mend it.",
    ]);
    expect(said({ status: "failed" }, {})).toContain("Why: no reason was given");
    expect(said({ status: "degraded" }, {})[0]).toBe("⚠️ means: a part failed");
  });

  test("has the whole run in one line for notifications, and a link where there are pages", () => {
    const message = makePipelineMessage(
      facts({ status: "failed", siteUrl: "https://x.example/" }),
      {
        ...NO_CALLS,
        ...{ ran: 4, reused: 2, failed: [elm] },
      },
    );
    expect(message.text).toBe("means failed · mean elm · 4 ran, 2 reused · 41 s");
    expect(messageAsText(message)).toContain("Open the pages: https://x.example/");
    const early = makePipelineMessage(facts({ status: "failed", error: "no\nway" }), NO_CALLS);
    expect(early.text).toBe("means failed · no · 0 ran, 0 reused · 41 s");
  });

  test("keeps within Slack's limits, and makes nothing of what data says", () => {
    const long = "<!channel> & ".repeat(100);
    const failed = Array.from({ length: 200 }, () => ({ ...elm, name: long, says: long }));
    const notRun = failed.map(() => ({ call: long, why: long }));
    const results = failed.map(() => ({ name: long, size: long }));
    const message = makePipelineMessage(
      facts({ status: "failed", label: long, error: long, hint: long }),
      { ...NO_CALLS, failed, notRun, results },
    );
    expect(payloadProblem(message)).toBe(null);
    expect(JSON.stringify(message.blocks.slice(1))).not.toContain("<!channel>");
  });
});
