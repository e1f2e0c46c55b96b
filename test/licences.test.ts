// What hdash is built of: every licence is one that somebody has allowed, the page of them is of today's lockfiles, and the list of parts is whole.

import { execFile, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const run = promisify(execFile);

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-licences-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** Checks a copy of the lockfiles in which packages may be added. */
async function check(added: Readonly<Record<string, object>>): Promise<readonly [number, string]> {
  for (const path of [".ci/licences.ts", "docs/licences.md", "infra/package-lock.json"]) {
    await mkdir(join(dir, path, ".."), { recursive: true });
    await cp(join(ROOT, path), join(dir, path));
  }
  const lock = JSON.parse(await readFile(join(ROOT, "package-lock.json"), "utf8")) as {
    packages: Record<string, object>;
  };
  lock.packages = { ...lock.packages, ...added };
  await writeFile(join(dir, "package-lock.json"), JSON.stringify(lock));
  const args = ["--disable-warning=ExperimentalWarning", ".ci/licences.ts", "--check"];
  const ended = spawnSync(process.execPath, args, { cwd: dir, encoding: "utf8" });
  return [ended.status ?? -1, ended.stderr];
}

describe(".ci/licences.ts", () => {
  test("finds nothing to say of the lockfiles as they are", async () => {
    expect(await check({})).toEqual([0, ""]);
  });

  test("names a package whose licence nobody has allowed, and a page that is not of these lockfiles", async () => {
    const version = "1.0.0";
    const [code, said] = await check({
      "node_modules/left": { version, license: "AGPL-3.0-only" },
      "node_modules/right": { version, license: "(MIT OR AGPL-3.0-only)" },
      "node_modules/both": { version, license: "MIT AND AGPL-3.0-only" },
      "node_modules/silent": { version },
    });
    expect(code).toBe(1);
    expect(said.trimEnd().split("\n")).toEqual([
      "licences: both 1.0.0 is under MIT AND AGPL-3.0-only, which is not allowed",
      "licences: left 1.0.0 is under AGPL-3.0-only, which is not allowed",
      "licences: silent 1.0.0 is under none said, which is not allowed",
      "licences: docs/licences.md is not of these lockfiles; run make licences",
    ]);
  });
});

describe(".ci/sbom.js", () => {
  test("lists what runs, the same each time and wherever it lies", async () => {
    for (const name of ["package.json", "package-lock.json"]) {
      await cp(join(ROOT, name), join(dir, name));
    }
    const make = async (cwd: string): Promise<string> => {
      const line = `npm sbom --package-lock-only --sbom-format cyclonedx | node ${join(ROOT, ".ci/sbom.js")}`;
      return (await run("sh", ["-c", line], { cwd, maxBuffer: 1 << 26 })).stdout;
    };
    const text = await make(ROOT);
    expect(await make(dir)).toBe(text);
    const sbom = JSON.parse(text) as {
      bomFormat: string;
      metadata: { component: { name: string; version: string } };
      components: { name: string; version: string; purl: string }[];
    };
    const { version, dependencies } = JSON.parse(
      readFileSync(join(ROOT, "package.json"), "utf8"),
    ) as { version: string; dependencies: Record<string, string> };
    expect(sbom.bomFormat).toBe("CycloneDX");
    expect(sbom.metadata.component).toMatchObject({ name: "hdash", version });
    const names = new Set(sbom.components.map(({ purl }) => purl.replace(/@[^@]*$/, "")));
    for (const name of Object.keys(dependencies)) {
      expect(names).toContain(`pkg:npm/${name.replace("@", "%40")}`);
    }
    expect(names).not.toContain("pkg:npm/vitest");
  });
});
