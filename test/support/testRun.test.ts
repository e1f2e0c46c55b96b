import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { UNFAKED } from "./fakedClock.ts";
import { findTests } from "./sharing.ts";
import { readTestRun, type TestRun } from "./testRun.ts";

const ROOT = join(import.meta.dirname, "..", "..");

function read(...args: readonly string[]): TestRun {
  const run = readTestRun(args, ROOT);
  if (typeof run === "string") throw new Error(run);
  return run;
}

describe("readTestRun(args, root)", () => {
  test("calls for everything at once unless told otherwise", () => {
    expect(read()).toEqual({ area: null, env: {}, calls: [{ name: "tests", args: [] }] });
  });

  test("calls for no test where gates alone are asked for", () => {
    expect(read("--without-tests").calls).toEqual([]);
  });

  test("calls for an area's tests, and lints it", () => {
    const { area, calls } = read("--area", "render");
    expect(area?.places).toContain("src/render");
    expect(calls).toEqual([{ name: "tests", args: area?.tests }]);
    expect(area?.tests).toContain("test/render/page.test.ts");
    expect(area?.tests).not.toContain("test/retry.test.ts");
  });

  test("calls for every file by itself, each once", () => {
    const { calls } = read("--alone");
    expect(calls.map(({ args }) => args)).toEqual(
      findTests(ROOT).map((file) => [join(ROOT, file)]),
    );
    expect(read("--alone", "--area", "render").calls.map(({ name }) => name)).toEqual(
      read("--area", "render").area?.tests,
    );
  });

  test("shuffles by a seed, or by one that vitest chooses", () => {
    expect(read("--shuffle", "1").calls[0]?.args).toEqual(["--sequence.shuffle"]);
    expect(read("--shuffle", "42").calls[0]?.args).toEqual([
      "--sequence.shuffle",
      "--sequence.seed=42",
    ]);
  });

  test("calls for no file by itself that cannot run under another clock", () => {
    const run = readTestRun(["--alone", "--faketime", "2028-02-28T23:59:50Z"], ROOT);
    if (typeof run === "string") {
      expect(run).toBe("FAKETIME needs Debian's package libfaketime");
      return;
    }
    const files = findTests(ROOT).filter((file) => !UNFAKED.includes(file));
    expect(run.calls.map(({ name }) => name)).toEqual(files);
    expect(run.env).toHaveProperty("LD_PRELOAD");
  });

  test("hands on what it does not know to vitest", () => {
    expect(read("test/retry.test.ts").calls[0]?.args).toEqual(["test/retry.test.ts"]);
  });

  test.each([
    [
      ["--area", "nothing"],
      /^AREA is nothing, but there are no tests below test\/nothing; there are /,
    ],
    [["--shuffle", "yes"], /^SHUFFLE is yes, but has to be 1 or a seed/],
    [["--shuffle", "0"], /^SHUFFLE is 0,/],
    [["--faketime", "tomorrow"], /^FAKETIME /],
    [["--seed"], /^Unknown option '--seed'/],
  ])("says of %j what is wrong with it", (args, line) => {
    const said = readTestRun(args, ROOT);
    expect(said).toMatch(line);
    expect(said).not.toMatch(/\n/);
  });
});
