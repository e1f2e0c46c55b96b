import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import type { ProgressEvent } from "../../src/engine/progress.ts";
import { type Log, makeLog, SILENT } from "../../src/log.ts";
import { openProgressView, type ProgressStream } from "../../src/progress/view.ts";

const EVENTS: readonly ProgressEvent[] = [
  {
    kind: "runStarted",
    runId: "r1",
    pipeline: "htan",
    startedAt: "2026-03-04T12:00:00.000Z",
    attempt: 1,
    isReplay: false,
  },
  { kind: "scopeStarted", scope: "HTA1" },
  { kind: "stepStarted", scope: "HTA1", step: "pullView", key: "k" },
  {
    ...{ kind: "stepEnded", scope: "HTA1", step: "pullView", key: "k", state: "ran" },
    ...{ durationMs: 10, error: null },
  },
  { kind: "scopeEnded", scope: "HTA1", ok: false, error: "token tok-1 refused", durationMs: 20 },
  {
    ...{ kind: "runEnded", runId: "r1", status: "degraded", hits: 0, ran: 1, failed: 0 },
    ...{ durationMs: 30, error: null },
  },
];

/** A terminal as far as the view uses one: keeps a screen of lines. */
function makeScreen(hasColors = false): ProgressStream & {
  readonly writes: string[];
  screen(): readonly string[];
} {
  const writes: string[] = [];
  return {
    columns: 61,
    rows: 24,
    hasColors: () => hasColors,
    writes,
    write: (text) => writes.push(text),
    screen() {
      const lines: string[] = [];
      for (const text of writes) {
        const [, up, rest = ""] = /^(?:\u001b\[(\d+)F)?(?:\u001b\[J)?([^]*)$/.exec(text) ?? [];
        lines.splice(lines.length - Number(up ?? 0));
        lines.push(...rest.split("\n").slice(0, -1));
      }
      return lines;
    },
  };
}

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("openProgressView({isLive: true})", () => {
  test("begins again with a title and a clock of its own", () => {
    const stream = makeScreen();
    const view = openProgressView({ isLive: true, log: SILENT, stream, title: "demo" });
    vi.advanceTimersByTime(63_000);
    expect(stream.screen()[0]).toMatch(/^demo .* 1:03$/);
    for (const event of EVENTS.slice(0, 3)) view.take(event);
    view.restart("demo, day 2 of 3");
    vi.advanceTimersByTime(7_000);
    view.close();
    expect(stream.screen()).toEqual([
      "demo, day 2 of 3  ░░░░░░░░░░░░░░░ 0%  0:07",
      "  0 hits · 0 ran · 0 failed",
    ]);
  });

  test("draws over itself and leaves the last picture where it is", () => {
    const stream = makeScreen();
    const view = openProgressView({ isLive: true, log: SILENT, stream, title: "HTAN dashboard" });
    for (const event of EVENTS.slice(0, 3)) view.take(event);
    vi.advanceTimersByTime(100);
    expect(stream.screen()).toEqual([
      "HTAN dashboard  ░░░░░░░░░░░░░░░ 0%  0:00",
      "  HTA1     ░░░░░░░░░░░░░░░  pullView",
      "  0 hits · 0 ran · 0 failed",
    ]);
    for (const event of EVENTS.slice(3)) view.take(event);
    view.close();
    view.close();
    expect(stream.screen()).toEqual([
      "HTAN dashboard degraded in 30 ms",
      "✗ HTA1     failed: token tok-1 refused",
      "  0 hits · 1 ran · 0 failed",
    ]);
  });

  test("draws at most ten times a second, and not at all where nothing changed", () => {
    const stream = makeScreen();
    const view = openProgressView({ isLive: true, log: SILENT, stream, title: "HTAN dashboard" });
    for (let done = 0; done < 1_000; done++) {
      view.take({ kind: "publishProgress", site: "s", done, total: 1_000 });
      vi.advanceTimersByTime(1);
    }
    expect(stream.writes.length).toBeLessThanOrEqual(10);
    vi.advanceTimersByTime(200);
    const count = stream.writes.length;
    vi.advanceTimersByTime(100);
    expect(stream.writes).toHaveLength(count);
    view.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("puts lines of the log above the picture", () => {
    const stream = makeScreen();
    const view = openProgressView({ isLive: true, log: SILENT, stream, title: "HTAN dashboard" });
    vi.advanceTimersByTime(100);
    view.writeLine("12:00:00 warning: one");
    view.writeLine("12:00:01 warning: two");
    view.close();
    view.writeLine("12:00:02 three");
    expect(stream.screen()).toEqual([
      "12:00:00 warning: one",
      "12:00:01 warning: two",
      "HTAN dashboard  ░░░░░░░░░░░░░░░ 0%  0:00",
      "  0 hits · 0 ran · 0 failed",
      "12:00:02 three",
    ]);
  });

  test("never hides the cursor, and colours only where the terminal wants it", () => {
    for (const hasColors of [true, false]) {
      const stream = makeScreen(hasColors);
      const view = openProgressView({ isLive: true, log: SILENT, stream, title: "t" });
      for (const event of EVENTS) view.take(event);
      view.close();
      view.take(EVENTS[1] ?? { kind: "scopeStarted", scope: "late" });
      const text = stream.writes.join("");
      expect(text.includes("\u001b[31m")).toBe(hasColors);
      expect(text).not.toContain("\u001b[?25");
    }
  });

  test("redacts secrets in what errors say", () => {
    const stream = makeScreen();
    const secrets = ["tok-1"];
    const view = openProgressView({ isLive: true, log: SILENT, stream, title: "t", secrets });
    for (const event of EVENTS) view.take(event);
    view.take({ kind: "retry", subject: "tok-1", attempt: 1, delayMs: 1, reason: "tok-1" });
    view.close();
    const text = stream.writes.join("");
    expect(text).toContain("token [secret] refused");
    expect(text).not.toContain("tok-1");
  });
});

describe("openProgressView({isLive: false})", () => {
  function lines(format: "plain" | "json", level: "debug" | "info"): readonly string[] {
    const written: string[] = [];
    const stream: ProgressStream = { write: (text) => written.push(text) };
    const log: Log = makeLog({
      ...{ format, level, clock: () => new Date(0), secrets: [] },
      write: (line) => {
        view.writeLine(line);
      },
    });
    const view = openProgressView({ isLive: false, log, stream, title: "HTAN dashboard" });
    for (const event of EVENTS) view.take(event);
    view.close();
    return written;
  }

  test("writes one plain line per scope and one for the run", () => {
    expect(lines("plain", "info")).toEqual([
      "00:00:00 HTAN dashboard started (run r1)\n",
      "00:00:00 warning: HTA1 failed after 20 ms: token tok-1 refused\n",
      "00:00:00 warning: HTAN dashboard degraded after 30 ms (0 hits, 1 ran, 0 failed)\n",
    ]);
  });

  test("writes the same as JSON lines for machines", () => {
    const parsed = lines("json", "debug").map((line): unknown => JSON.parse(line));
    expect(parsed).toHaveLength(4);
    expect(parsed[1]).toEqual({
      ...{ level: "debug", time: "1970-01-01T00:00:00.000Z", scope: "HTA1", step: "pullView" },
      ...{ state: "ran", durationMs: 10, error: null, msg: "HTA1 pullView → ran in 10 ms" },
    });
  });
});
