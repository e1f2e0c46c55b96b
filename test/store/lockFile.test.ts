import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { lockFolder } from "../../src/store/lockFile.ts";
import { identifyProcess } from "../../src/store/processIdentity.ts";

const SOURCE = join(import.meta.dirname, "../../src/store/lockFile.ts");

describe("lockFolder(dir)", () => {
  let dir: string;
  const children: ChildProcess[] = [];
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "hdash-lock-"));
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
    await rm(dir, { recursive: true, force: true });
  });

  const names = async () => (await readdir(dir)).sort();
  const leave = (identity: object) =>
    writeFile(join(dir, "lock-000007.json"), JSON.stringify({ identity, isReleased: false }));

  test("makes the folder for its user alone", async () => {
    lockFolder(join(dir, "made")).release();
    expect((await stat(join(dir, "made"))).mode & 0o777).toBe(0o700);
  });

  test("says who holds it, and can be taken again once it is released", async () => {
    const lock = lockFolder(dir);
    expect(() => lockFolder(dir)).toThrow(
      expect.objectContaining({
        kind: "busy",
        message: expect.stringMatching(
          `the folder ${dir} is in use: pid ${process.pid} on ${hostname()} holds it since \\d{4}-`,
        ) as string,
        hint: expect.stringContaining(join(dir, "lock-000001.json")) as string,
      }) as Error,
    );
    lock.release();
    lockFolder(dir).release();
    expect(await names()).toEqual(["lock-000002.json"]);
  });

  test("is taken over from a process whose pid is another's now", async () => {
    await leave({ ...identifyProcess(), startTicks: "1" });
    lockFolder(dir).release();
    expect(await names()).toEqual(["lock-000008.json"]);
  });

  test("is taken over from an earlier boot of this machine", async () => {
    await leave({ ...identifyProcess(), bootId: "another" });
    lockFolder(dir).release();
    expect(await names()).toEqual(["lock-000008.json"]);
  });

  test("is not taken over from a process that cannot be asked", async () => {
    await leave({ ...identifyProcess(), host: "elsewhere", bootId: "another", pid: 12 });
    expect(() => lockFolder(dir)).toThrow(/pid 12 on elsewhere holds it/);
    await leave({ ...identifyProcess(), pidNamespace: "another" });
    expect(() => lockFolder(dir)).toThrow(/holds it/);
  });

  test.each(["", "[]", "null", '{"identity": 3}', '{"identity": {"host": "a"}}'])(
    "is not taken over, and not waited for, where the lock says %j",
    async (text) => {
      await writeFile(join(dir, "lock-000001.json"), text);
      const path = join(dir, "lock-000001.json");
      expect(() => lockFolder(dir)).toThrow(
        expect.objectContaining({
          kind: "permanent",
          message: `the lock ${path} is damaged: it does not say who holds the folder`,
          hint: "If no hdash is at work in that folder, delete the lock and start again.",
        }) as Error,
      );
      expect(await names()).toEqual(["lock-000001.json"]);
    },
  );

  test("is taken over from a killed process by exactly one of many", async () => {
    const dead = holder(dir);
    await said(dead, "held");
    dead.kill("SIGKILL");
    await new Promise((resolve) => dead.once("exit", resolve));

    const rivals = Array.from({ length: 6 }, () => holder(dir));
    const answers = await Promise.all(rivals.map((rival) => firstLine(rival)));
    expect(answers.sort()).toEqual(["held", ...Array<string>(5).fill("refused")]);
    expect(await names()).toEqual(["lock-000002.json"]);
    const text = await readFile(join(dir, "lock-000002.json"), "utf8");
    expect(rivals.map(({ pid }) => pid)).toContain(
      (JSON.parse(text) as { identity: { pid: number } }).identity.pid,
    );
  });

  /** A process that tries to take the lock, says how that went, and stays. */
  function holder(folder: string): ChildProcess {
    const child = spawn(
      process.execPath,
      [
        "--input-type=module-typescript",
        "--eval",
        `import { lockFolder } from ${JSON.stringify(SOURCE)};
         try { lockFolder(${JSON.stringify(folder)}); process.stdout.write("held\\n"); }
         catch { process.stdout.write("refused\\n"); }
         setInterval(() => {}, 1000);`,
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    children.push(child);
    return child;
  }
});

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.stdout?.once("data", (data: Buffer) => resolve(data.toString().trim()));
    child.once("exit", (code) => reject(new Error(`ended with ${code} without a word`)));
  });
}

async function said(child: ChildProcess, line: string): Promise<void> {
  expect(await firstLine(child)).toBe(line);
}
