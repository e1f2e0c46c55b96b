import { describe, expect, test } from "vitest";

import type { Doing, ProgressEvent } from "../../src/engine/progress.ts";
import { describeEvent, drawProgress } from "../../src/progress/drawing.ts";
import { emptyProgress, type ProgressState, reduceProgress } from "../../src/progress/state.ts";

function fold(...events: readonly ProgressEvent[]): ProgressState {
  return events.reduce(reduceProgress, emptyProgress("HTAN dashboard", 0));
}
function scope(name: string, ...inside: readonly ProgressEvent[]): readonly ProgressEvent[] {
  return [{ kind: "scopeStarted", scope: name }, ...inside];
}
function ended(name: string, error: string | null = null): ProgressEvent {
  return { kind: "scopeEnded", scope: name, ok: error === null, error, durationMs: 4_100 };
}
function step(name: string | null, state: "hit" | "ran"): ProgressEvent {
  return { kind: "stepEnded", scope: name, step: "s", key: "k", state, durationMs: 1, error: null };
}

const MANIFEST = { scope: "HTA12", step: "pullManifest", key: "k1" } as const;
const RUNNING = fold(
  ...scope("HTA1", step("HTA1", "hit"), step("HTA1", "ran"), ended("HTA1")),
  ...scope("HTA2", ended("HTA2", "there is no entity syn2")),
  ...scope("HTA12", step("HTA12", "hit")),
  { kind: "stepStarted", ...MANIFEST, key: "k0" },
  { kind: "stepStarted", ...MANIFEST },
  { kind: "stepProgress", ...MANIFEST, done: 3, total: 8 },
  { kind: "stepStarted", scope: null, step: "index", key: "k2" },
  { kind: "publishProgress", site: "file:///site", done: 1, total: 4 },
  { kind: "retry", subject: "query", attempt: 1, delayMs: 500, reason: "429" },
);
const END: ProgressEvent = {
  kind: "runEnded",
  runId: "r1",
  status: "succeeded",
  hits: 1_112,
  ran: 6,
  failed: 0,
  durationMs: 41_000,
  error: null,
};

describe("drawProgress(state, columns, now)", () => {
  test("draws every scope as a bar with what it is doing", () => {
    expect(drawProgress(RUNNING, 80, 65_000)).toEqual([
      "HTAN dashboard  █████████████░░░░░░░ 68%  1:05, about 0:30 left",
      "✓ HTA1     ████████████████████  1 hit, 1 ran in 4.1 s",
      "✗ HTA2     failed: there is no entity syn2",
      "  HTA12    ████░░░░░░░░░░░░░░░░  pullManifest 3/8, and 1 more",
      "  index",
      "  publish  █████░░░░░░░░░░░░░░░  1 of 4 files",
      "  2 hits · 1 ran · 0 failed · 1 retry (query: 429)",
    ]);
  });

  test("leaves out the bars on a narrow terminal and never exceeds it", () => {
    expect(drawProgress(RUNNING, 30, 65_000)).toEqual([
      "HTAN dashboard  68%  1:05, ab…",
      "✓ HTA1     100%  1 hit, 1 ran…",
      "✗ HTA2     failed: there is n…",
      "  HTA12     20%  pullManifest…",
      "  index",
      "  publish   25%  1 of 4 files",
      "  2 hits · 1 ran · 0 failed ·…",
    ]);
    for (const columns of [10, 20, 44, 45, 200]) {
      const widths = drawProgress(RUNNING, columns, 1e7).map((line) => [...line].length);
      expect(Math.max(...widths)).toBeLessThanOrEqual(columns);
    }
  });

  test("sums up scopes that are done where the terminal is too low", () => {
    const names = Array.from({ length: 30 }, (_, at) => `HTA${at + 1}`);
    const state = fold(
      ...names.flatMap((name) => scope(name)),
      ...names.slice(0, 25).map((name) => ended(name)),
    );
    const lines = drawProgress(state, 60, 0, { rows: 14 });
    expect(lines.slice(1, -1).map((line) => line.slice(0, 7))).toEqual([
      ...["✓ HTA23", "✓ HTA24", "✓ HTA25", "  HTA26", "  HTA27", "  HTA28", "  HTA29", "  HTA30"],
      "  and 2",
    ]);
    expect(lines.at(-2)).toBe("  and 22 more done");
  });

  test("tells a scope that waits from one that is between two steps", () => {
    const state = fold(...scope("HTA1"), ...scope("HTA2", step("HTA2", "hit")));
    expect(drawProgress(state, 60, 0).slice(1, 3)).toEqual([
      "  HTA1     ░░░░░░░░░░░░░░░  waits for its turn",
      "  HTA2     ███░░░░░░░░░░░░  1 hit, 0 ran",
    ]);
  });

  test("says who is waited for", () => {
    const waiting = { kind: "waiting", worker: "host:12", since: "" } as const;
    expect(drawProgress(fold({ ...waiting, for: "run" }), 60, 500)).toEqual([
      "HTAN dashboard  ░░░░░░░░░░░░░░░ 0%  0:01",
      "  waiting for the same run on host:12",
      "  0 hits · 0 ran · 0 failed",
    ]);
    expect(drawProgress(fold({ ...waiting, for: "site" }), 60, 3_723_000)).toEqual([
      "HTAN dashboard  ░░░░░░░░░░░░░░░ 0%  1:02:03",
      "  waiting for another run's publishing on host:12",
      "  0 hits · 0 ran · 0 failed",
    ]);
  });

  test("ends with the outcome", () => {
    const handedBack = { ...END, status: "handedBack" } as const;
    expect(drawProgress(fold(END), 60, 99_000)).toEqual([
      "HTAN dashboard succeeded in 41 s",
      "  0 hits · 0 ran · 0 failed",
    ]);
    expect(drawProgress(fold(handedBack), 60, 99_000)[0]).toBe(
      "HTAN dashboard handed back in 41 s",
    );
  });

  test("paints whole lines, so that colour has no width", () => {
    const paint = {
      good: (text: string) => `<good>${text}`,
      bad: (text: string) => `<bad>${text}`,
      dim: (text: string) => `<dim>${text}`,
    };
    const drawn = drawProgress(RUNNING, 80, 65_000, { paint });
    expect(drawn.map((line) => /^<\w+>/.exec(line)?.[0] ?? "")).toEqual([
      ...["", "<dim>", "<bad>", "", "<dim>", "", "<dim>"],
    ]);
    expect(drawn.map((line) => line.replace(/^<\w+>/, ""))).toEqual(
      drawProgress(RUNNING, 80, 65_000),
    );
    expect(drawProgress(fold(END), 80, 0, { paint })[0]).toBe(
      "<good>HTAN dashboard succeeded in 41 s",
    );
  });

  test("calls what machines have named by its title, and by more where two have the same", () => {
    const started = (name: string, title: string): ProgressEvent => ({
      kind: "scopeStarted",
      scope: name,
      title,
    });
    const uuid = (digit: number): string => `00000000-0000-4000-8000-00000000000${digit}`;
    const state = fold(
      started(uuid(1), "Human pancreas"),
      started("HTA1", "Boston"),
      started(`${uuid(2)}.homo_sapiens`, "Eye"),
      started(`${uuid(2)}.mus_musculus`, "Eye"),
      started(uuid(3), uuid(3)),
      started("K-ln-two", "Köln two"),
      started("unnamed-77710a", "日本語"),
    );
    expect(drawProgress(state, 80, 0).map((line) => line.slice(2, 26).trimEnd())).toEqual([
      "AN dashboard  ░░░░░░░░░░",
      "Human pancreas",
      "HTA1",
      "homo_sapiens: Eye",
      "mus_musculus: Eye",
      "00000000-0000-4000-8000-",
      "Köln two",
      "日本語",
      "0 hits · 0 ran · 0 faile",
    ]);
  });

  test("counts in one unit what a step says the unit of", () => {
    const matrix = { scope: "HTA1", step: "analyseMatrix", key: "k" } as const;
    const doing = (done: number, total: number | null, how: Doing): string => {
      const begun = scope("HTA1", { kind: "stepStarted", ...matrix });
      const state = fold(...begun, { kind: "stepProgress", ...matrix, done, total, how });
      return drawProgress(state, 100, 0)[1]?.replace(/^.*[█░] +/, "") ?? "";
    };
    const downloading = { doing: "downloading", unit: "bytes" } as const;
    expect([
      doing(350_000, 7_000_000, downloading),
      doing(7_000_000, 7_000_000, { doing: "counting", unit: "bytes" }),
      doing(999_600, 999_600, downloading),
      doing(12, 900, downloading),
      doing(2_510_000, null, downloading),
      doing(0, null, downloading),
      doing(0.25, 1, { doing: "UMAP", unit: "share" }),
      doing(3, 8, {}),
    ]).toEqual([
      "downloading 0.3 of 7.0 MB",
      "counting 7.0 of 7.0 MB",
      "downloading 1.0 of 1.0 MB",
      "downloading 12 of 900 B",
      "downloading 2.51 MB",
      "downloading",
      "UMAP 25.0%",
      "analyseMatrix 3/8",
    ]);
  });

  test("lets no name move the cursor", () => {
    const lines = drawProgress(fold(...scope("a\u001b[2Jb\n")), 60, 0);
    expect(lines[1]).toMatch(/^ {2}a \[2Jb {2}/);
  });
});

describe("describeEvent(state, event)", () => {
  const say = (event: ProgressEvent, ...before: readonly ProgressEvent[]) =>
    describeEvent(fold(...before, event), event);
  const START: ProgressEvent = {
    kind: "runStarted",
    runId: "r1",
    pipeline: "htan",
    startedAt: "",
    attempt: 1,
    isReplay: false,
  };

  test("keeps what it says of a scope on one line, whatever its name is", () => {
    const name = "adults_v1/a\n12:00:00 forged\u202e";
    const said = [ended(name), ended(name, "x"), step(name, "ran")].map((event) => say(event));
    for (const line of said)
      expect(line?.message).toMatch(/^adults_v1\/a\\n12:00:00 forged\\u\{202e\}/);
  });

  test("says how a run starts and ends", () => {
    expect(
      [
        say(START),
        say({ ...START, attempt: 3, isReplay: true }),
        say(END),
        say({ ...END, status: "degraded", failed: 1 }),
        say({ ...END, status: "failed", error: "no database" }),
        say({ ...END, status: "handedBack" }),
      ].map((line) => `${line?.level}: ${line?.message}`),
    ).toEqual([
      "info: HTAN dashboard started (run r1)",
      "info: HTAN dashboard goes on where attempt 2 stopped (run r1)",
      "info: HTAN dashboard succeeded after 41 s (1,112 hits, 6 ran, 0 failed)",
      "warn: HTAN dashboard degraded after 41 s (1,112 hits, 6 ran, 1 failed)",
      "error: HTAN dashboard failed after 41 s (1,112 hits, 6 ran, 0 failed): no database",
      "warn: HTAN dashboard handed its run back after 41 s (1,112 hits, 6 ran, 0 failed)",
    ]);
  });

  test("says one line per scope, with its counts as fields", () => {
    const before = scope("HTA1", step("HTA1", "hit"), step("HTA1", "ran"));
    expect(say(ended("HTA1"), ...before)).toEqual({
      level: "info",
      message: "HTA1 done in 4.1 s: 1 hit, 1 ran",
      fields: { scope: "HTA1", ok: true, hits: 1, ran: 1, failed: 0, durationMs: 4_100 },
    });
    expect(say(ended("HTA1", "no answer"), ...before)).toEqual({
      level: "warn",
      message: "HTA1 failed after 4.1 s: no answer",
      fields: {
        ...{ scope: "HTA1", ok: false, hits: 1, ran: 1, failed: 0, durationMs: 4_100 },
        error: "no answer",
      },
    });
  });

  test("calls a scope in the log by its title and its name, where that tells less", () => {
    const started = { kind: "scopeStarted", scope: "K-ln-two", title: "Köln two" } as const;
    expect([
      say(ended("K-ln-two"), started)?.message,
      say(ended("K-ln-two", "no answer"), started)?.message,
      say({
        ...{ kind: "published", site: "s3://b/", put: 3, deleted: 2, unchanged: 9 },
        gone: [
          { scope: "K-ln-two", title: "Köln two" },
          { scope: "HTA3", title: "HTAN Boston" },
        ],
        durationMs: 1_200,
      })?.message,
    ]).toEqual([
      "Köln two (K-ln-two) done in 4.1 s: 0 hits, 0 ran",
      "Köln two (K-ln-two) failed after 4.1 s: no answer",
      "HTAN dashboard published to s3://b/ in 1.2 s: 3 put, 2 deleted, 9 unchanged; taken off the site: Köln two, HTA3",
    ]);
  });

  test("says at info what was published and who is waited for", () => {
    const since = "2026-03-04T12:00:00.000Z";
    expect([
      say({
        ...{ kind: "published", site: "s3://b/", put: 3, deleted: 1, unchanged: 9 },
        durationMs: 1_200,
      })?.message,
      say({
        ...{ kind: "published", site: "s3://b/", put: 3, deleted: 84, unchanged: 9 },
        gone: "K,b,c,d,e,f".split(",").map((title) => ({ scope: title, title })),
        durationMs: 1_200,
      }),
      say({ kind: "waiting", for: "run", worker: "host:1", since })?.message,
      say({ kind: "waiting", for: "site", worker: "host:1", since })?.message,
    ]).toEqual([
      "HTAN dashboard published to s3://b/ in 1.2 s: 3 put, 1 deleted, 9 unchanged",
      {
        level: "warn",
        message:
          "HTAN dashboard published to s3://b/ in 1.2 s: 3 put, 84 deleted, 9 unchanged; taken off the site: K, b, c, d, e and 1 more",
        fields: {
          ...{ site: "s3://b/", put: 3, deleted: 84, unchanged: 9, durationMs: 1_200 },
          gone: 6,
        },
      },
      `HTAN dashboard waits for the same run on host:1, which holds it since ${since}`,
      `HTAN dashboard waits for another run's publishing on host:1, which holds it since ${since}`,
    ]);
  });

  test("says nothing above debug about steps and retries", () => {
    const lines = [
      say(step("HTA1", "hit"), ...scope("HTA1")),
      say({
        ...{ kind: "stepEnded", scope: null, step: "index", key: "k", state: "failed" },
        ...{ durationMs: 10, error: "no room" },
      }),
      say({ kind: "retry", subject: "query", attempt: 1, delayMs: 500, reason: "429" }),
      say({ kind: "stepStarted", ...MANIFEST }, ...scope("HTA12")),
      say({ kind: "stepProgress", ...MANIFEST, done: 1, total: 2 }, ...scope("HTA12")),
      say({ kind: "publishProgress", site: "s", done: 1, total: 2 }),
      say({ kind: "scopeStarted", scope: "HTA1" }),
    ];
    expect(lines.map((line) => line && `${line.level}: ${line.message}`)).toEqual([
      "debug: HTA1 s → hit in 1 ms",
      "debug: index → failed in 10 ms: no room",
      "debug: query failed at attempt 1 → again in 500 ms: 429",
      ...[null, null, null, null],
    ]);
  });
});
