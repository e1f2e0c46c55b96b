// Sites that the demo makes, each once in a run of the tests, for every file that looks at them.

import { existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { inject } from "vitest";

import { readOwner } from "../../src/engine/scratch.ts";
import { identifyProcess, livenessOf } from "../../src/store/processIdentity.ts";
import { type Ended, hdash } from "./command.ts";
import { FIXTURE } from "./services.ts";

/** Matrices with known answers. */
export const MATRICES = join(import.meta.dirname, "..", "fixtures", "matrix");

/** What the demo is given. */
const FLAGS = {
  dashboard: ["--world", FIXTURE],
  both: ["--world", FIXTURE, "--matrices", MATRICES],
} as const;

/** A site that nobody may change, and how the demo ended that made it. */
export interface DemoSite {
  readonly site: string;
  readonly ended: Ended;
}

/** Has the demo make a site of the world with known answers, or waits until another file's process has. */
export async function demoSite(kind: keyof typeof FLAGS): Promise<DemoSite> {
  const dir = join(inject("made"), kind);
  const site = join(dir, "site");
  const told = join(dir, "ended.json");
  const maker = join(dir, "maker");
  if (await takes(dir)) {
    await writeFile(maker, JSON.stringify(identifyProcess()));
    const env = { HDASH_HOME: join(dir, "home") };
    const ended = await hdash(["demo", ...FLAGS[kind], "--site", site], env);
    await writeFile(`${told}.draft`, JSON.stringify(ended));
    await rename(`${told}.draft`, told);
  }
  while (!existsSync(told)) {
    const owner = await readOwner(maker);
    if (owner !== null && livenessOf(owner) === "dead" && !existsSync(told)) {
      throw new Error("the test file that made the demo's site was ended before it was there");
    }
    await sleep(50);
  }
  return { site, ended: JSON.parse(await readFile(told, "utf8")) as Ended };
}

/** Makes a folder; false where it is there: somebody else is at it, or was. */
async function takes(dir: string): Promise<boolean> {
  try {
    await mkdir(dir);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}
