// The compiled kernel is what its source says.

import { readFileSync, writeFileSync } from "node:fs";

import { describe, expect, test } from "vitest";

import { compileKernel, KERNEL_FILE } from "./compile.ts";

describe("src/jobs/matrix/kernel/wasm.ts", () => {
  test("holds what the sources compile to", async () => {
    const compiled = await compileKernel();
    if (process.env["BLESS"] === "1") writeFileSync(KERNEL_FILE, compiled);
    expect(readFileSync(KERNEL_FILE, "utf8") === compiled).toBe(true);
  });
});
