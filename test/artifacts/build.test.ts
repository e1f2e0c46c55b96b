// Which commit a checkout or an image is of, and when two builds are not the same.

import { execFileSync } from "node:child_process";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import {
  checkoutRevision,
  imageRevision,
  isOtherBuild,
  nameBuild,
} from "../../src/artifacts/build.ts";
import { makeFolder } from "./rig.ts";

function git(dir: string, ...args: readonly string[]): string {
  const who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.org"];
  return execFileSync("git", ["-C", dir, ...who, ...args], { encoding: "utf8" }).trim();
}

describe("checkoutRevision(root)", () => {
  test("is git's, and none without a commit, without git, or of a folder within another's", async () => {
    const root = await makeFolder({ "inside/file": "" });
    expect(await checkoutRevision(root)).toBeNull();
    git(root, "init", "--quiet");
    expect(await checkoutRevision(root)).toBeNull();
    git(root, "commit", "--quiet", "--allow-empty", "--message", "first");
    const revision = await checkoutRevision(root);
    expect(revision).toMatch(/^[0-9a-f]{40}$/);
    expect(revision).toBe(git(root, "rev-parse", "HEAD"));
    expect(await checkoutRevision(join(root, "inside"))).toBeNull();
  });
});

describe("imageRevision(root)", () => {
  test.each([
    ["0123456789abcdef\n", "0123456789abcdef"],
    ["unknown\n", null],
    ["", null],
  ])("reads %j as %j", async (text, expected) => {
    expect(imageRevision(await makeFolder({ REVISION: text }))).toBe(expected);
  });

  test("is none where the file is not there", async () => {
    expect(imageRevision(await makeFolder({}))).toBeNull();
  });
});

test("isOtherBuild(a, b) goes by the version, and by the commit where both have one", () => {
  const of = (version: string, revision: string | null) => ({ version, revision });
  expect(isOtherBuild(of("1", "a"), of("1", "a"))).toBe(false);
  expect(isOtherBuild(of("1", "a"), of("1", "b"))).toBe(true);
  expect(isOtherBuild(of("1", null), of("1", "b"))).toBe(false);
  expect(isOtherBuild(of("1", "a"), of("1", null))).toBe(false);
  expect(isOtherBuild(of("1", null), of("2", null))).toBe(true);
});

test("nameBuild(build) shortens the commit", () => {
  expect(nameBuild({ version: "1.0.0", revision: "0123456789abcdef" })).toBe(
    "1.0.0 (0123456789ab)",
  );
  expect(nameBuild({ version: "1.0.0", revision: null })).toBe("1.0.0");
});
