import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");
let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-make-"));
  for (const name of ["Makefile", "package.json", "package-lock.json"]) {
    await copyFile(join(ROOT, name), join(dir, name));
  }
});

afterEach(async () => {
  await rm(dir, { recursive: true });
});

function make(target: string): Promise<{ readonly code: unknown; readonly stderr: string }> {
  return new Promise((resolve) => {
    execFile("make", ["-s", target], { cwd: dir }, (error, _stdout, stderr) => {
      resolve({ code: error?.code ?? 0, stderr });
    });
  });
}

describe("make setup", () => {
  test("leaves alone what a linked node_modules leads to", async () => {
    // npm ci empties the folder that node_modules is, and follows a link there.
    const other = join(dir, "other");
    await mkdir(other);
    await writeFile(join(other, "kept"), "");
    await symlink(other, join(dir, "node_modules"));
    const { code, stderr } = await make("setup");
    expect(code).toBe(2);
    expect(stderr).toContain("setup: node_modules is a link; npm would empty what it leads to");
    expect(await readdir(other)).toEqual(["kept"]);
  });
});
