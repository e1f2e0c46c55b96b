import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { describe, expect, onTestFinished, test } from "vitest";

import { findSharing } from "./sharing.ts";

/** Tells whether a test with this text may share a process, in a house with these other files. */
async function mayShare(text: string, others: Readonly<Record<string, string>> = {}) {
  const root = await mkdtemp(join(tmpdir(), "hdash-sharing-"));
  onTestFinished(() => rm(root, { recursive: true }));
  for (const [path, content] of Object.entries({ ...others, "test/one.test.ts": text })) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  return findSharing(root).includes("test/one.test.ts");
}

describe("findSharing(root)", () => {
  test.each([
    ["does nothing", ""],
    [
      "reads what is the same for all",
      "const { pid } = process; kill(process.pid, process.execPath);",
    ],
    ["says in a comment what it does not do", "  // vi.mock() would not do here"],
    ["imports a type alone", 'import type { Page } from "playwright-core";'],
    ["imports what is pure", 'import { a } from "../src/a.ts";'],
  ])("shares the process of a test that %s", async (_what, text) => {
    expect(await mayShare(text, { "src/a.ts": "export const a = process.env.A;" })).toBe(true);
  });

  test.each([
    ["changes the environment", 'process.env["A"] = "1";'],
    ["listens for signals", 'process.on("SIGTERM", stop);'],
    ["changes the clock", "vi.useFakeTimers();"],
    ["changes what is global", "globalThis.fetch = null;"],
    ["asks for the run's Postgres", 'inject("postgres");'],
    ["begins threads", 'import { Worker } from "node:worker_threads";'],
    ["loads a library in C", 'import sharp from "sharp";'],
    ["loads one when it is needed", 'await import("h5wasm/node");'],
    ["imports from a test's file what does so", 'import { b } from "./support/b.ts";'],
    ["imports what imports a program", 'import { c } from "../src/c.ts";'],
  ])("gives a process of its own to a test that %s", async (_what, text) => {
    const others = {
      "test/support/b.ts": "process.chdir(dir);",
      "src/c.ts": 'export { d } from "./d.ts";',
      "src/d.ts": 'import { PGlite } from "@electric-sql/pglite";',
    };
    expect(await mayShare(text, others)).toBe(false);
  });

  test("ends where files import each other", async () => {
    const others = {
      "src/a.ts": 'import { b } from "./b.ts";',
      "src/b.ts": 'import { a } from "./a.ts";',
    };
    expect(await mayShare('import { a } from "../src/a.ts";', others)).toBe(true);
  });
});
