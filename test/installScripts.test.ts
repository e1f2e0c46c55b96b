// Whose code runs while packages are installed: the package `node`'s alone, and npm is told so in words that it obeys.

import { spawnSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const CASE = join(import.meta.dirname, "fixtures/cases/security/install-script");

interface Package {
  readonly hasInstallScript?: boolean;
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(join(ROOT, file), "utf8"));
}

describe("npm, with this repository's .npmrc", () => {
  let dir = "";
  let app = "";
  const npm = (cwd: string, ...args: readonly string[]) =>
    spawnSync("npm", [...args, "--offline", "--no-audit", "--no-fund"], {
      cwd,
      encoding: "utf8",
      env: { PATH: process.env["PATH"] ?? "", HOME: dir, npm_config_cache: join(dir, "cache") },
    });

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "hdash-install-"));
    cpSync(CASE, dir, { recursive: true });
    app = join(dir, "app");
    expect(npm(join(dir, "dep"), "pack", "--pack-destination", "..").status).toBe(0);
  });

  afterEach(() => {
    rmSync(dir, { recursive: true });
  });

  test("runs no script that nobody allowed", () => {
    copyFileSync(join(ROOT, ".npmrc"), join(app, ".npmrc"));
    const refused = npm(app, "install");
    expect(refused.stderr).toContain("dep@1.0.0 (postinstall:");
    expect(refused.status).not.toBe(0);
    expect(existsSync(join(app, "node_modules/dep/RAN"))).toBe(false);

    // A lockfile that somebody made without these settings lets nothing through either.
    rmSync(join(app, ".npmrc"));
    expect(npm(app, "install", "--ignore-scripts").status).toBe(0);
    rmSync(join(app, "node_modules"), { recursive: true });
    copyFileSync(join(ROOT, ".npmrc"), join(app, ".npmrc"));
    expect(npm(app, "ci").status).not.toBe(0);
    expect(existsSync(join(app, "node_modules/dep/RAN"))).toBe(false);
  });
});

describe("the lockfiles", () => {
  test.for(["", "infra/"])(
    "have no package with a script but those that %spackage.json allows",
    (at) => {
      const { allowScripts = {} } = readJson(`${at}package.json`) as {
        readonly allowScripts?: Readonly<Record<string, boolean>>;
      };
      const { packages } = readJson(`${at}package-lock.json`) as {
        readonly packages: Readonly<Record<string, Package>>;
      };
      const withScripts = Object.entries(packages)
        .filter(([, { hasInstallScript = false }]) => hasInstallScript)
        .map(([path]) => path.replace(/^.*node_modules\//, ""));
      expect(withScripts).toEqual(Object.keys(allowScripts));
    },
  );

  test("come with the same settings", () => {
    const settings = readFileSync(join(ROOT, ".npmrc"), "utf8");
    expect(readFileSync(join(ROOT, "infra/.npmrc"), "utf8")).toBe(settings);
    expect(settings).toMatch(/^strict-allow-scripts=true$/m);
    // A bad version is usually found out within a week; dependabot.yml waits as long.
    expect(settings).toMatch(/^min-release-age=7$/m);
  });
});
