import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, describe, expect, test } from "vitest";

import { makeProcessRunner } from "../../src/runners/process.ts";
import { makeFolder, makeRunner, NO_LIMITS, PATH, run, shell } from "./commands.ts";

describe("ProcessRunner.run(key, spec, io)", () => {
  const runner = makeProcessRunner({ prefix: "test", folder: tmpdir(), graceMs: 200 });
  afterAll(() => runner.close());

  test("hands on the lines of both outputs in their order, and tells what was used", async () => {
    const end = await run(
      runner,
      shell("echo one; echo two >&2; echo three; echo four >&2; printf five; sleep 0.3"),
    );
    const { usage, ...rest } = end;
    expect(rest).toEqual({
      ...{ state: "succeeded", reason: null, message: null },
      ...{ exitCode: 0, signal: null, exitCodes: [0], leftBehind: 0 },
      log: { head: "one\ntwo\nthree\nfour\nfive", tail: "", truncatedBytes: 0 },
      lines: ["one", "two", "three", "four", "five"],
    });
    expect(usage.peakMemoryBytes).toBeGreaterThan(0);
  });

  test("counts the processor's time of a program and of what it waited for", async () => {
    const busy = "const from = process.cpuUsage().user; while (process.cpuUsage().user < 4e5);";
    const node = `'${process.execPath}' -e '${busy}'`;
    const end = await run(runner, shell(`${node}; true`));
    expect(end.state).toBe("succeeded");
    expect(end.usage.cpuMs).toBeGreaterThanOrEqual(390);
  });

  test("counts the processor's time of programs that nobody looked at while they ran", async () => {
    const busy = "i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done";
    let cpuMs = 0;
    for (let n = 0; n < 10; n++) cpuMs += (await run(runner, shell(busy))).usage.cpuMs;
    expect(cpuMs).toBeGreaterThanOrEqual(10);
  });

  test("gives a program the environment that was said, and one variable to find it by", async () => {
    const env = { GREETING: "hello, 世界", EMPTY: "" };
    const end = await run(runner, shell("", { script: [{ argv: ["/usr/bin/env"], env }] }));
    expect(end.lines.filter((line) => !line.startsWith("HDASH_EXEC=test.")).sort()).toEqual([
      "EMPTY=",
      "GREETING=hello, 世界",
    ]);
    expect(end.lines).toHaveLength(3);
  });

  test("gives a program an empty input, its folder, and outputs that it can open by name", async () => {
    const spec = shell("cat; pwd; echo out > /dev/stdout; echo err > /dev/stderr; echo last");
    const end = await run(runner, spec);
    expect(end.lines).toEqual([spec.folder, "out", "err", "last"]);
  });

  test("starts in a folder within the work folder, and makes files that are their owner's", async () => {
    const folder = makeFolder();
    const env = { PATH };
    const made = { argv: ["/bin/mkdir", "-p", "in/side"], env };
    const wrote = { argv: ["/bin/sh", "-c", "echo x > made"], cwd: "in/side", env };
    const end = await run(runner, shell("", { folder, script: [made, wrote] }));
    expect(end.exitCodes).toEqual([0, 0]);
    expect(statSync(join(folder, "in/side/made")).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(folder, "in/side/made"), "utf8")).toBe("x\n");
  });

  test("finds a program on the PATH that it is given", async () => {
    const script = [{ argv: ["true"], env: { PATH } }];
    expect(await run(runner, shell("", { script }))).toMatchObject({ state: "succeeded" });
  });

  test("tells the code that a program ended with, and runs none after it", async () => {
    const [env, argv] = [{ PATH }, (script: string) => ["/bin/sh", "-c", script]];
    const script = ["echo a", "echo b; exit 7", "echo c"].map((text) => ({
      argv: argv(text),
      env,
    }));
    expect(await run(runner, shell("", { script }))).toMatchObject({
      ...{ state: "failed", reason: "exit", message: "it ended with 7" },
      ...{ exitCode: 7, signal: null, exitCodes: [0, 7], lines: ["a", "b"] },
    });
  });

  test("tells which signal ended a program", async () => {
    expect(await run(runner, shell("kill -SEGV $$"))).toMatchObject({
      ...{ state: "failed", reason: "signal", message: "SIGSEGV ended it" },
      ...{ exitCode: null, signal: "SIGSEGV", exitCodes: [null] },
    });
  });

  test("names a program that is not there, may not be executed or has no folder", async () => {
    const folder = makeFolder();
    writeFileSync(join(folder, "data.txt"), "no program");
    chmodSync(join(folder, "data.txt"), 0o600);
    const end = async (argv: readonly string[], cwd = ".") => {
      const script = [{ argv, cwd, env: { PATH } }];
      const { state, reason, exitCode, message } = await run(runner, shell("", { folder, script }));
      return [state, reason, exitCode, message];
    };
    const why = ["failed", "not-started", null];
    expect(await end(["no-such-program"])).toEqual([...why, "no-such-program is not there"]);
    expect(await end(["./data.txt"])).toEqual([...why, "./data.txt may not be executed"]);
    expect(await end(["true"], "gone")).toEqual([
      ...why,
      `the folder ${join(folder, "gone")} is not there`,
    ]);
    const long = await end(["echo", "x".repeat(131_072)]);
    expect(long.slice(0, 3)).toEqual(why);
    expect(long[3]).toMatch(/^echo cannot be started: a word of its command line/);
    // What a shell says is a code like any other.
    expect(await run(runner, shell("no-such-program"))).toMatchObject({
      ...{ state: "failed", reason: "exit", exitCode: 127 },
    });
  });

  test("refuses a spec that makes no sense", async () => {
    const spec = (given: object) => run(runner, { ...shell("true"), ...given });
    const command = { argv: ["true"], env: {} };
    await expect(spec({ folder: "work" })).rejects.toThrow('"work" is no absolute path');
    await expect(spec({ script: [{ ...command, argv: [] }] })).rejects.toThrow("names no program");
    for (const cwd of ["..", "a/../../b", "/tmp"]) {
      await expect(spec({ script: [{ ...command, cwd }] })).rejects.toThrow(
        `true is to start outside of its folder: ${cwd}`,
      );
    }
  });

  test("tells when the work folder holds more than it may", async () => {
    const limits = { ...NO_LIMITS, diskMiB: 2 };
    const fill = (kibibytes: number) => `mkdir a; head -c ${kibibytes * 1024} /dev/zero > a/big`;
    expect(await run(runner, shell(fill(2047), { limits }))).toMatchObject({ state: "succeeded" });
    // A second name takes no second place.
    const linked = shell(`${fill(1500)}; ln a/big b`, { limits });
    expect(await run(runner, linked)).toMatchObject({ state: "succeeded" });
    expect(await run(runner, shell(`${fill(2049)}; exit 3`, { limits }))).toMatchObject({
      ...{ state: "failed", reason: "disk", exitCode: 3 },
      message: "its folder holds 3 MiB, more than 2 MiB",
    });
  });

  test("keeps beginning and end of a flood, and does not keep it from ending", async () => {
    const from = process.memoryUsage().rss;
    let [lines, bytes, last] = [0, 0, ""];
    const spec = shell(
      "echo begin; yes 0123456789abcdef0123456789abcdef | head -c 52428800; echo; echo end",
    );
    const { signal } = new AbortController();
    const end = await runner.run("key", spec, {
      signal,
      onLine(line) {
        lines += 1;
        bytes += line.length + 1;
        last = line;
      },
    });
    expect(end.state).toBe("succeeded");
    const { head, tail, truncatedBytes } = end.log;
    expect([head.length, tail.length]).toEqual([65_536, 65_536]);
    expect(head.startsWith("begin\n0123456789abcdef")).toBe(true);
    expect(tail.endsWith("\nend\n")).toBe(true);
    expect(head.length + tail.length + truncatedBytes).toBe(bytes);
    expect([lines, last]).toEqual([1 + Math.ceil(52_428_800 / 33) + 1, "end"]);
    expect(process.memoryUsage().rss - from).toBeLessThan(200 * 1024 * 1024);
  });

  test("makes a program wait for a worker that has no time for what it says", async () => {
    const own = makeRunner();
    let peak = "";
    const end = await run(own, shell("exec yes"), (_, cancel) => {
      if (peak !== "") return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
      peak = readFileSync(`/proc/${own.launcherPid() ?? 0}/status`, "utf8");
      cancel();
    });
    expect(end.state).toBe("cancelled");
    expect(Number(/VmHWM:\s+(\d+) kB/.exec(peak)?.[1])).toBeLessThan(250 * 1024);
  });

  test("keeps as much of a log as it is told", async () => {
    const limits = { ...NO_LIMITS, logBytes: 10 };
    const end = await run(runner, shell("printf 0123456789abcdef", { limits }));
    expect(end.log).toEqual({ head: "01234", tail: "bcdef", truncatedBytes: 6 });
    expect(end.lines).toEqual(["0123456789abcdef"]);
  });

  test("masks secrets in lines, log and messages", async () => {
    const secrets = ["hunter22", "", "first line\nsecond line"];
    const parts = shell("printf 'a hunt'; sleep 0.3; echo 'er22 b'; echo 'its second line'", {
      secrets,
    });
    const end = await run(runner, parts);
    expect(end.lines).toEqual(["a *** b", "its ***"]);
    expect(end.log.head).toBe("a *** b\nits ***\n");
    const script = [{ argv: ["/hunter22/program"], env: {} }];
    expect((await run(runner, shell("", { script, secrets }))).message).toBe(
      "/***/program is not there",
    );
  });

  test("runs many at once, each with its own output and end", async () => {
    const runs = Array.from({ length: 20 }, (_, n) => run(runner, shell(`echo ${n}; exit ${n}`)));
    const ends = (await Promise.all(runs)).map(({ lines, exitCode }) => [lines, exitCode]);
    expect(ends).toEqual(ends.map((_, n) => [[String(n)], n]));
  });

  test("throws what onLine throws, when the program has been ended", async () => {
    const oops = new Error("oops");
    const running = run(runner, shell("echo x; sleep 10000"), () => {
      throw oops;
    });
    await expect(running).rejects.toBe(oops);
  });
});

describe("ProcessRunner.probe()", () => {
  test("finds nothing wrong with this machine", async () => {
    expect(await makeRunner().probe()).toBeNull();
  });

  test("says why the launcher cannot work", async () => {
    const runner = makeProcessRunner({ prefix: "test", folder: "/no/such/folder" });
    expect(await runner.probe()).toMatch(/launcher died: .*\/no\/such\/folder/s);
  });
});
