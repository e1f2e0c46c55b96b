import { spawn } from "node:child_process";
import { join } from "node:path";

import { describe, expect, onTestFinished, test } from "vitest";

import {
  makeFolder,
  makeRunner,
  NO_LIMITS,
  pidsOf,
  run,
  shell,
  uniqueSleep,
  until,
} from "./commands.ts";

/** Shell text that leaves a sleeper behind which ignores being asked to end. */
const stubborn = (time: string, how = "") => `${how} sh -c "trap '' TERM; exec sleep ${time}" &`;
/** Shell text that says "ready" when sleepers are there, and then waits for them. */
const ready = (...times: readonly string[]) =>
  `${times.map((time) => `until grep -qs sleep.${time} /proc/[0-9]*/cmdline; do sleep 0.05; done`).join("\n")}\necho ready; sleep 10000`;

describe("ProcessRunner.run(key, spec, io): ends", () => {
  test("ends at its time with all descendants, also those that ignore it or left the session", async () => {
    const times = [uniqueSleep(), uniqueSleep(), uniqueSleep()] as const;
    const script = [
      stubborn(times[0]),
      stubborn(times[1], "setsid"),
      // No marker, no session, no parent: remembered from when it had one.
      `(env -i setsid sh -c 'exec /bin/sleep ${times[2]}' & sleep 1)`,
      ready(...times),
    ].join("\n");
    const limits = { ...NO_LIMITS, timeMs: 4000 };
    const end = await run(makeRunner(), shell(script, { limits }));
    expect(times.map(pidsOf)).toEqual([[], [], []]);
    expect(end).toMatchObject({ state: "timeout", reason: "time", lines: ["ready"] });
    expect(end).toMatchObject({ message: "it took more than 4 s", signal: "SIGTERM" });
  });

  test("lets a program end by itself when it is asked", async () => {
    const program =
      'process.on("SIGTERM", () => { console.log("tidied"); process.exit(0); }); setInterval(() => 0, 1000); console.log("ready");';
    const script = [{ argv: [process.execPath, "-e", program], env: {} }];
    const end = await run(makeRunner("test", 60_000), shell("", { script }), (line, cancel) => {
      if (line === "ready") cancel();
    });
    expect(end).toMatchObject({ state: "cancelled", reason: "user", exitCode: 0, signal: null });
    expect(end.lines).toEqual(["ready", "tidied"]);
  });

  test("is cancelled by its signal with all descendants", async () => {
    const times = [uniqueSleep(), uniqueSleep()] as const;
    const script = [stubborn(times[0]), stubborn(times[1], "setsid"), ready(...times)].join("\n");
    const end = await run(makeRunner(), shell(script), (line, cancel) => {
      if (line === "ready") cancel();
    });
    expect(times.map(pidsOf)).toEqual([[], []]);
    expect(end).toMatchObject({ state: "cancelled", reason: "user", lines: ["ready"] });
  });

  test("starts nothing when it is cancelled before", async () => {
    const runner = makeRunner();
    const end = await runner.run("key", shell("echo x"), {
      signal: AbortSignal.abort(),
      onLine: () => undefined,
    });
    expect(end).toMatchObject({ state: "cancelled", reason: "user", exitCodes: [] });
    expect(runner.launcherPid()).toBeNull();
  });

  test("kills what a program that succeeded left behind, and says how many", async () => {
    const times = [uniqueSleep(), uniqueSleep()] as const;
    const script = [stubborn(times[0]), stubborn(times[1], "setsid"), "echo done"].join("\n");
    const end = await run(makeRunner(), shell(script));
    expect(times.map(pidsOf)).toEqual([[], []]);
    expect(end).toMatchObject({ state: "succeeded", leftBehind: 2, lines: ["done"] });
  });

  test("waits for what ends by itself soon after its program", async () => {
    const end = await run(makeRunner(), shell("(sleep 0.05; echo late) & echo done"));
    expect(end).toMatchObject({ state: "succeeded", leftBehind: 0, lines: ["done", "late"] });
  });

  test("ends a program that takes more memory than it may", async () => {
    const time = uniqueSleep();
    const eat = "const kept = Buffer.alloc(400 << 20, 1); setInterval(() => kept[0], 1000);";
    const script = `sleep ${time} & '${process.execPath}' -e '${eat}'`;
    const limits = { ...NO_LIMITS, memoryMiB: 250 };
    const end = await run(makeRunner(), shell(script, { limits }));
    expect(pidsOf(time)).toEqual([]);
    expect(end).toMatchObject({ state: "oom", reason: "memory" });
    expect(end.message).toBe("it took more than 250 MiB of memory");
    expect(end.usage.peakMemoryBytes).toBeGreaterThan(250 * 1024 * 1024);
  });

  test("ends a program that has more processes than it may, however fast it makes them", async () => {
    const time = uniqueSleep();
    const limits = { ...NO_LIMITS, processes: 20 };
    const end = await run(makeRunner(), shell(`while :; do sleep ${time} & done`, { limits }));
    expect(pidsOf(time)).toEqual([]);
    expect(end).toMatchObject({ state: "failed", reason: "processes" });
  });

  test("loses what runs when the launcher is killed, ends it, and starts a new launcher", async () => {
    const runner = makeRunner();
    const time = uniqueSleep();
    const script = `${stubborn(time, "setsid")}\n${ready(time)}`;
    const end = await run(runner, shell(script), (line) => {
      if (line === "ready") process.kill(runner.launcherPid() ?? 0, "SIGKILL");
    });
    expect(pidsOf(time)).toEqual([]);
    expect(end).toMatchObject({ state: "lost", reason: "lease", lines: ["ready"] });
    expect(end.message).toBe("the launcher of programs died: SIGKILL ended it");
    expect(await run(runner, shell("echo again"))).toMatchObject({ state: "succeeded" });
  });
});

/** Starts a worker of its own that runs a script of the shell, and waits until that says "ready". */
async function startWorker(prefix: string, script: string) {
  const words = [join(import.meta.dirname, "runningWorker.ts"), prefix, makeFolder(), script];
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...words], {
    stdio: ["ignore", "pipe", "inherit"],
    env: {},
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
  await until(() => said.includes("ready\n"));
  const [, launcher = ""] = /launcher (\d+)/.exec(said) ?? [];
  return { child, launcher: Number(launcher) };
}

describe("a worker that has nothing more to do", () => {
  test("ends by itself, and its launcher with it", async () => {
    const { child, launcher } = await startWorker("test", "echo ready");
    await until(() => child.exitCode !== null);
    expect(child.exitCode).toBe(0);
    await until(() => !isThere(launcher));
  });
});

describe("a worker that is killed", () => {
  test("leaves nothing running: the launcher sees to it", async () => {
    const times = [uniqueSleep(), uniqueSleep()] as const;
    const script = [stubborn(times[0]), stubborn(times[1], "setsid"), ready(...times)].join("\n");
    const { child, launcher } = await startWorker("test", script);
    expect(times.map((time) => pidsOf(time).length)).toEqual([1, 1]);
    child.kill("SIGKILL");
    await until(() => times.every((time) => pidsOf(time).length === 0));
    await until(() => !isThere(launcher));
  });

  test("leaves to cleanup() what its launcher could not end, and others' to others", async () => {
    const [dead, living, foreign] = [uniqueSleep(), uniqueSleep(), uniqueSleep()];
    const script = (time: string) => [stubborn(time, "setsid"), ready(time)].join("\n");
    // Of this run of tests alone: another may be at it.
    const [home, other] = [`home-${process.pid}`, `other-${process.pid}`];
    const first = await startWorker(home, script(dead));
    const others = await startWorker(other, script(foreign));
    await startWorker(home, script(living));
    for (const { launcher, child } of [first, others]) {
      // Stopped first: it must not see the worker end.
      process.kill(launcher, "SIGSTOP");
      child.kill("SIGKILL");
      await until(() => child.signalCode !== null);
      process.kill(launcher, "SIGKILL");
    }
    expect(pidsOf(dead)).toHaveLength(1);
    await makeRunner(home).cleanup();
    expect([dead, living, foreign].map((time) => pidsOf(time).length)).toEqual([0, 1, 1]);
    await makeRunner(other).cleanup();
    expect([dead, living, foreign].map((time) => pidsOf(time).length)).toEqual([0, 1, 0]);
  });
});

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
