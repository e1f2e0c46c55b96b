import { existsSync, globSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { startProgram } from "./command.ts";
import { fakedClock, UNFAKED } from "./fakedClock.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const isInstalled = globSync("/usr/lib/*/faketime/libfaketime.so.1").length > 0;
// As root, install.sh puts it in: then it has to be there.
const isSkipped = !isInstalled && process.getuid?.() !== 0;

/** What a program writes in an environment. */
async function written(code: string, env: Readonly<Record<string, string>>): Promise<string> {
  const ended = await startProgram(process.execPath, ["--eval", code], env).ended;
  expect(ended.code, ended.stderr).toBe(0);
  return ended.stdout.trim();
}

describe.skipIf(isSkipped)("fakedClock(start)", () => {
  const START = "2028-02-28T23:59:50Z";

  test("puts every process's clock at that instant, in which it goes on", async () => {
    const env = fakedClock(START);
    if (typeof env === "string") throw new Error(env);
    const [first, later] = (
      await written(
        "const a = Date.now(); while (Date.now() < a + 20); console.log(a, Date.now())",
        env,
      )
    ).split(" ");
    const sinceStart = Number(first) - Date.parse(START);
    // However slow the machine is, that is not days; rounded to a second, it may be half of one early.
    expect(sinceStart).toBeGreaterThan(-1000);
    expect(sinceStart).toBeLessThan(24 * 3_600_000);
    expect(Number(later)).toBeGreaterThanOrEqual(Number(first) + 20);
  });

  test("leaves timers as they are", async () => {
    const env = fakedClock(START);
    if (typeof env === "string") throw new Error(env);
    expect(await written("setTimeout(() => console.log('rang'), 5)", env)).toBe("rang");
  });

  test.each([
    ["2028-02-28T23:59:50Z", "2028-02-28T23:59:40Z", "+10s"],
    ["2028-02-28T23:59:50Z", "2028-03-01T00:00:00Z", "-86410s"],
  ])("is %s where it is %s by %s", (start, now, offset) => {
    expect(fakedClock(start, Date.parse(now))).toMatchObject({ FAKETIME: offset });
  });

  test.each(["tomorrow", "2028-02-28", "2028-02-30T00:00:00Z", "2028-02-28T23:59:50+01:00", "+1d"])(
    "does not take %s for an instant",
    (start) => {
      expect(fakedClock(start)).toBe(
        `FAKETIME is ${start}, but has to be an instant such as ${START}`,
      );
    },
  );
});

describe("ownClock() and realClock()", () => {
  test("hand on what fakes this process's clock, and take it out", async () => {
    const code = `import("./test/support/fakedClock.ts").then(({ ownClock, realClock }) =>
      console.log(JSON.stringify([ownClock(), realClock().FAKETIME ?? null, realClock().KEPT])))`;
    // Without a library to load, the process's clock is real.
    const env = { FAKETIME: "+10s", KEPT: "1" };
    expect(JSON.parse(await written(code, env))).toEqual([{ FAKETIME: "+10s" }, null, "1"]);
  });
});

describe("UNFAKED", () => {
  test.each(UNFAKED)("%s is there", (file) => {
    expect(existsSync(join(ROOT, file))).toBe(true);
  });
});
