// hdash run --detach: the command ends once the run has begun, and the run goes on to its end without it.

import { execFile, execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { hdash } from "../../support/command.ts";
import { schemaProblems } from "../../support/jsonSchema.ts";
import { LEDGER_KINDS } from "../../support/ledger.ts";
import { createTestDatabase, databaseEnv } from "../../support/postgres.ts";
import { LONG_MS, openPipelineRuns, type PipelineRuns } from "./support/pipelineRuns.ts";

/** It waits at a gate, which the test opens. */
const GATED = `
import { command, file, pipeline, sh, text } from "hdash";
export const pass = command({
  name: "pass", takes: { gate: text() }, gives: { out: file("out.txt") },
  run: ({ gate }) => sh\`cat \${gate} > out.txt\`,
});
export default pipeline({
  name: "gated", takes: { gate: text() }, gives: { out: file() }, plan: ({ gate }, { run }) => run(pass, { gate }),
});`;

interface Begun {
  readonly run: number;
  readonly pid: number;
  readonly log: string;
}

let runs: PipelineRuns;
let gate: string;
beforeEach(async () => {
  runs = await openPipelineRuns();
  await runs.put("gated.ts", GATED);
  gate = join(runs.dir, "gate");
  execFileSync("mkfifo", [gate]);
});
afterEach(() => runs.remove());

/** The program at the gate goes on; ends when it has read this. */
const openGate = (): Promise<void> => writeFile(gate, "through\n");

describe.each(LEDGER_KINDS)("hdash run PIPELINE --detach, on %s", (kind) => {
  test(
    "ends once the run has begun, which goes on by itself and can be followed",
    async () => {
      const made = kind === "postgres" ? await createTestDatabase() : null;
      const env = made === null ? {} : databaseEnv(made.settings);
      const own = { HDASH_HOME: join(runs.dir, "home"), ...env };
      const start = (...more: readonly string[]) =>
        runs.run("gated.ts", ["--gate", gate, "--detach", ...more], env);
      const ended = await start("--json");
      expect(ended.code, ended.stderr).toBe(0);
      const begun = JSON.parse(ended.stdout) as Begun;
      expect(schemaProblems("run", begun)).toEqual([]);
      expect(begun).toMatchObject({ run: 1, pipeline: "gated", state: "running" });
      // Of its own session, so that what ends the terminal does not end it.
      const session = execFileSync("ps", ["-o", "sid=", "-p", String(begun.pid)], {
        encoding: "utf8",
      });
      expect(Number(session)).toBe(begun.pid);
      const status = await hdash(["status", "--json"], own);
      const second = await start();
      if (made === null) {
        expect(JSON.parse(status.stdout)).toMatchObject({ heldBy: { pid: begun.pid } });
        expect([second.code, second.stderr]).toEqual([
          0,
          expect.stringMatching(new RegExp(`gated was not started: .*${begun.pid}`)),
        ]);
      } else {
        expect(JSON.parse(status.stdout)).toMatchObject({ run: 1, standing: "running" });
        expect([second.code, second.stderr]).toEqual([
          0,
          expect.stringContaining("gated is already running"),
        ]);
      }
      await openGate();
      if (made !== null) await hdash(["logs", "1", "--follow"], own);
      // The same run waits for it, and finds what it has done.
      const after = await runs.run("gated.ts", ["--gate", gate, "--wait", "--json"], env);
      expect(JSON.parse(after.stdout)).toMatchObject({
        state: "succeeded",
        steps: { ran: 0, reused: 1 },
      });
      expect(await readFile(begun.log, "utf8")).toContain("gated ended: succeeded");
      await made?.drop();
    },
    LONG_MS,
  );

  test(
    "tells people how to follow it and how to stop it",
    async () => {
      const made = kind === "postgres" ? await createTestDatabase() : null;
      const env = made === null ? {} : databaseEnv(made.settings);
      const ended = await runs.run("gated.ts", ["--gate", gate, "--detach"], env);
      expect(ended.code, ended.stderr).toBe(0);
      const pid = Number(/pid (\d+)/.exec(ended.stdout)?.[1]);
      expect(ended.stdout).toMatch(
        made === null
          ? /^run 1 of gated goes on as pid \d+, which has the embedded .*\nTo follow it: tail -f .*\nTo stop it: kill -TERM \d+; hdash resume 1 /
          : /^run 1 of gated goes on as pid \d+\nTo follow it: hdash logs 1 --follow · hdash status 1 · hdash cancel 1\nWhat it says: .*\n$/,
      );
      process.kill(pid, "SIGTERM");
      // Until it is gone, its program could still go through the gate.
      await promisify(execFile)("tail", ["--pid", String(pid), "-f", "/dev/null"]);
      const own = { HDASH_HOME: join(runs.dir, "home"), ...env };
      const opening = openGate();
      const resumed = await runs.run("gated.ts", ["--gate", gate, "--wait", "--json"], env);
      expect(JSON.parse(resumed.stdout)).toMatchObject({ run: 1, state: "succeeded" });
      await opening;
      expect((await hdash(["status"], own)).stdout).toContain("nothing goes on");
      await made?.drop();
    },
    LONG_MS,
  );
});

describe("hdash run PIPELINE --detach", () => {
  test("ends as the run would where none can be begun, and says why", async () => {
    const wrong = await runs.run("gated.ts", ["--detach", "--gate", gate], {
      HDASH_CONCURRENCY: "many",
    });
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("HDASH_CONCURRENCY")]);
    await runs.put("broken.ts", "export default 5;");
    const broken = await runs.run("broken.ts", ["--detach"]);
    expect([broken.code, broken.stderr]).toEqual([2, expect.stringContaining("broken.ts")]);
    await runs.put("home/database", "in the way");
    const damaged = await runs.run("gated.ts", ["--detach", "--gate", gate]);
    expect(damaged.code).toBe(2);
    expect(damaged.stderr).toContain("gated ended: failed");
  });

  test("refuses to read values from standard input", async () => {
    const ended = await runs.run("gated.ts", ["--detach", "--params", "-"]);
    expect([ended.code, ended.stderr]).toEqual([
      2,
      expect.stringContaining("--params is - and --detach is set"),
    ]);
  });
});
