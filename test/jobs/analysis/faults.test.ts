// Steps that fail in every way, as real processes of one real run: each ends in its own state, in the ledger, in what is told and in its
// log, and nothing of them is left.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { Digest } from "../../../src/digest.ts";
import type { Ended } from "../../support/command.ts";
import { LEDGER_KINDS } from "../../support/ledger.ts";
import { openUserRuns, processesWith, type UserRuns } from "./support/userRuns.ts";

const LONG_MS = 240_000;

interface Row {
  readonly step: string;
  readonly step_key: string;
  readonly n: number;
  readonly runner: string;
  readonly state: string;
  readonly reason: string | null;
  readonly code: number | null;
  readonly message: string | null;
  readonly usage: Readonly<Record<string, number>> | null;
  readonly machine: Readonly<Record<string, unknown>> | null;
  readonly log_digest: Digest | null;
}

describe.each(LEDGER_KINDS)("a run of steps that fail, on %s", (kind) => {
  let runs: UserRuns;
  let ended: Ended;
  let rows: readonly Row[];
  let scopes: ReadonlyMap<string, string | null>;
  let logs: ReadonlyMap<string, string>;

  beforeAll(async () => {
    runs = await openUserRuns(kind);
    ended = await runs.run("faults.ts", { out: join(runs.dir, "out") });
    await runs.inLedger(async (db, blobs) => {
      rows = (await sql<Row>`select * from step_attempt order by step, step_key, n`.execute(db))
        .rows;
      const told = await sql<{ scope: string; error: string | null }>`
        select scope, error from run_scope`.execute(db);
      scopes = new Map(told.rows.map(({ scope, error }) => [scope, error]));
      const read = new Map<string, string>();
      for (const { step, n, log_digest: digest } of rows) {
        if (digest === null) continue;
        read.set(`${step} ${n}`, new TextDecoder().decode(await blobs.read(digest)));
      }
      logs = read;
    });
  }, LONG_MS);
  afterAll(() => runs.close());

  const ends = (step: string): readonly string[] =>
    rows
      .filter((row) => row.step === step)
      .map(({ state, reason, code }) =>
        [state, reason, code].filter((one) => one !== null).join(" "),
      );

  test("ends degraded, with what did not fail", async () => {
    expect(ended.code, ended.stderr).toBe(3);
    expect(await readFile(join(runs.dir, "out/flaky.txt"), "utf8")).toBe("done\n");
  });

  test.each<[string, readonly string[]]>([
    ["flaky", ["failed exit 1", "failed exit 1", "succeeded 0"]],
    ["broken", ["failed exit 7", "failed exit 7"]],
    ["late", ["timeout time"]],
    ["slow", ["timeout time"]],
    ["careless", ["succeeded 0"]],
    ["absent", ["failed output 0"]],
    ["linked", ["failed output 0"]],
    ["linked folder", ["failed output 0"]],
    ["filling", ["failed disk 0"]],
    ["hungry", ["oom memory", "succeeded 0"]],
    ["glutton", ["oom memory"]],
    ["flood", ["failed exit 1"]],
    ["killed", ["failed signal"]],
    ["nobody", ["failed not-started"]],
    ["wordy", ["failed not-started"]],
    ["torn", ["failed error"]],
    ["gatherer", ["succeeded 0"]],
    ["thrower", ["failed error", "failed error"]],
    ["liar", ["failed output"]],
  ])("keeps how each attempt of %s ended", (step, expected) => {
    expect(ends(step)).toEqual(expected);
  });

  test.each([
    ["late", /late #1: .* longer than the 0\.02 minutes .*\(timeout · time, attempt 1 of 3\)/],
    ["slow", /\(timeout · time, attempt 1 of 1\)/],
    ["absent", /out \(out\.txt\) is not there, though .* \(failed · output, attempt 1 of 1\)/],
    ["linked", /out \(out\.txt\) is a link.* \(failed · output/],
    ["linked folder", /etc.* \(failed · output/],
    ["filling", /its folder holds \d+ MiB, more than 1 MiB \(failed · disk/],
    ["glutton", /it took more than 64 MiB of memory \(oom · memory/],
    ["flood", /\(failed · exit, attempt 1 of 1\); it said last:\n(  line\n)+  the end\n/],
    ["killed", /SIGKILL ended it \(failed · signal/],
    ["nobody", /\/there\/is\/no\/program is not there \(failed · not-started/],
    ["wordy", /echo cannot be started: a word of its command line.* \(failed · not-started/],
    ["torn", /word 2 of its argv has a NUL, which no program can be given \(failed · error/],
    ["thrower", /it will not do \(failed · error, attempt 2 of 2\); it said last:\n  at it 2\n/],
    ["liar", /word .* \(failed · output/],
  ])("tells of %s in the same words, and how to look further", (step, says) => {
    const { step_key: key, n } = rows.findLast((row) => row.step === step) as Row;
    const told = scopes.get(step) ?? "";
    expect(told).toMatch(says);
    expect(told).toContain(`To look further: hdash logs ${key.slice(0, 8)} --attempt ${n}`);
    const { state, reason, message } = rows.findLast((row) => row.step === step) as Row;
    if (step !== "linked folder") {
      expect(logs.get(`${step} ${n}`)).toMatch(new RegExp(`^${state} · ${reason ?? ""}: `, "m"));
    }
    expect(told).toContain(message);
  });

  test("runs a script that is longer than a command line, and names no folder in what its shell says", async () => {
    const gathered = await readFile(join(runs.dir, "out/gathered.txt"), "utf8");
    expect(gathered.trimEnd().split("\n")).toEqual(
      Array.from({ length: 20_000 }, (_, index) => `part ${index}`),
    );
    expect(logs.get("gatherer 1")).toBe(
      "../script.sh: line 3: no-such-program: command not found\n",
    );
  });

  test("does a sibling of what failed, and says of all that needs it why it did not run", () => {
    const { step_key: key } = rows.find(({ step }) => step === "broken") as Row;
    const look = `hdash logs ${key.slice(0, 8)} --attempt 2`;
    expect(scopes.get("broken")).toBe(
      [
        "broken #1: it ended with 7 (failed · exit, attempt 2 of 2); it said last:",
        "  first",
        "  the reason",
        `To look further: ${look}`,
        `use at once did not run: it needs broken #1, which failed (${look})`,
        `use at last did not run: it needs broken #1, which failed (${look})`,
      ].join("\n"),
    );
    expect(ended.stderr + ended.stdout).toContain("use at last did not run");
    expect(ends("fine")).toEqual(["succeeded 0"]);
  });

  test("keeps of a flood how it began and how it ended", () => {
    const log = logs.get("flood 1") ?? "";
    expect(log.length).toBeLessThan(17 << 20);
    expect(log).toMatch(/^the beginning\nx{1000}/);
    expect(log).toMatch(/\n\(\d+ lines are left out\)\n/);
    expect(log).toMatch(/\nline\nthe end\nfailed · exit: it ended with 1\n$/);
  });

  test("keeps the log of every attempt, also of those that failed", () => {
    expect([1, 2, 3].map((n) => logs.get(`flaky ${n}`))).toEqual([
      "try 1\nfailed · exit: it ended with 1\n",
      "try 2\nfailed · exit: it ended with 1\n",
      "try 3\n",
    ]);
  });

  test("keeps who did the work, on which machine, and what that took", () => {
    const whole = expect.any(Number) as number;
    const machine = { cpus: whole, memoryMiB: whole, arch: expect.any(String) as string };
    const program = { programMs: whole, cpuMs: whole, peakMemoryBytes: whole, leftBehind: whole };
    const of = (step: string): Row | undefined => rows.findLast((row) => row.step === step);
    expect(of("hungry")).toMatchObject({ runner: "process", machine });
    expect(of("hungry")?.usage).toEqual({ wallMs: whole, ...program });
    expect(of("hungry")?.usage?.["peakMemoryBytes"]).toBeGreaterThan(100 << 20);
    expect(of("careless")?.usage?.["leftBehind"]).toBe(1);
    expect(of("thrower")).toMatchObject({ runner: "in-process", machine });
    expect(of("thrower")?.usage).toEqual({ wallMs: whole });
  });

  test("keeps what the store has from a step that writes into its input", async () => {
    expect(ends("trespass")).toEqual(["succeeded 0"]);
    expect(await readFile(join(runs.dir, "out/good.txt"), "utf8")).toBe("good\n");
  });

  test("leaves nothing running and nothing lying", async () => {
    expect(processesWith("7654321")).toEqual([]);
    const left = await readdir(join(runs.home, "scratch"), { recursive: true });
    expect(left.filter((name) => !name.startsWith("fonts"))).toEqual([]);
  });
});

test(
  "an attempt whose worker is killed is lost, does not count, and leaves nothing running",
  async () => {
    const runs = await openUserRuns("embedded");
    const mark = join(runs.dir, "mark");
    expect((await runs.run("lost.ts", { mark })).code).toBeNull();
    const ended = await runs.run("lost.ts", { mark });
    expect(ended.code, ended.stderr).toBe(0);
    const rows = await runs.inLedger(async (db) => {
      const found =
        await sql<Row>`select * from step_attempt where step = 'victim' order by n`.execute(db);
      return found.rows;
    });
    expect(rows.map(({ state, reason, code }) => [state, reason, code])).toEqual([
      ["failed", "exit", 1],
      ["lost", "lease", null],
      ["succeeded", null, 0],
    ]);
    expect(processesWith("7654323")).toEqual([]);
    expect(await readdir(join(runs.home, "scratch"))).toEqual([]);
    await runs.close();
  },
  LONG_MS,
);
