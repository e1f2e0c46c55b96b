// Runs scripts of .github in a folder of their own, with commands that stand in for real ones.

import { execFileSync, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

/** How a script ended, and what it printed. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A folder for one test, and what is done in it. */
export interface Scripts {
  readonly dir: string;
  /** Runs a script of .github with these variables only, and commands of the folder before all others. */
  readonly run: (
    script: string,
    variables: Readonly<Record<string, string>>,
    ...args: readonly string[]
  ) => Ended;
  /** Puts a command into the folder that stands in for a real one. */
  readonly standIn: (name: string, body: string) => void;
  /** Runs git in the folder; gives what it prints. */
  readonly git: (...args: readonly string[]) => string;
}

/** Gives each test of a file an empty folder, under the same name. */
export function useScripts(): Scripts {
  const dir = join(tmpdir(), `hdash-scripts-${randomUUID()}`);
  beforeEach(() => {
    mkdirSync(dir, { mode: 0o700 });
  });
  afterEach(() => {
    rmSync(dir, { recursive: true });
  });
  return {
    dir,
    run(script, variables, ...args) {
      const { status, stdout, stderr } = spawnSync(join(ROOT, ".github", script), args, {
        encoding: "utf8",
        env: { PATH: `${dir}:${process.env["PATH"] ?? ""}`, HOME: dir, ...variables },
      });
      return { code: status, out: stdout, err: stderr };
    },
    standIn(name, body) {
      const path = join(dir, name);
      writeFileSync(path, `#!/bin/sh\n${body}\n`);
      chmodSync(path, 0o755);
    },
    git(...args) {
      const author = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
      return execFileSync("git", ["-C", dir, ...author, ...args], {
        encoding: "utf8",
        stdio: "pipe",
      });
    },
  };
}
