// The example in the demo: it runs on two days, and what changed in between is all that runs on the second.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type Ended, hdash, startProgram } from "../../../support/command.ts";
import { COMPILE_CACHE } from "../../../support/compileCache.ts";

const ROOT = join(import.meta.dirname, "../../../..");
const urlOf = (path: string): string => pathToFileURL(join(ROOT, path)).href;

/** The demo of the example alone: the other jobs take a minute. */
const SCRIPT = `
  const { openExampleJob } = await import("${urlOf("src/jobs/analysis/job.ts")}");
  const { addDemo } = await import("${urlOf("src/commands/demo.ts")}");
  const { runCommand } = await import("${urlOf("src/shell.ts")}");
  const jobs = [await openExampleJob([])];
  process.exitCode = await runCommand(["node", "hdash", ...process.argv.slice(1)], jobs, async (program, shell) => addDemo(program, shell, jobs));
`;

let dir = "";
let ended: Ended;
const demo = (): Promise<Ended> => {
  const node = ["--disable-warning=ExperimentalWarning", "--input-type=module", "--eval", SCRIPT];
  const args = [...node, "--", "demo", "--site", join(dir, "site")];
  const env = { TZ: "UTC", NO_COLOR: "1", NODE_COMPILE_CACHE: COMPILE_CACHE };
  return startProgram(process.execPath, args, { ...env, HDASH_HOME: join(dir, "home") }).ended;
};
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-example-demo-"));
  ended = await demo();
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** What each run did, as its last words say. */
function tallies({ stderr }: Ended): readonly string[] {
  return [...stderr.matchAll(/(?:kmer|demo) succeeded after .* \((.*)\)$/gm)].map(
    ([, tally = ""]) => tally,
  );
}

describe("hdash demo, pipelines", () => {
  test("runs an example on two days, and on the second what a change concerns", () => {
    expect(ended.code, ended.stderr).toBe(0);
    // A lane is taken in and counted, its sample merged, all compared, and what came out written down.
    expect(tallies(ended)).toEqual(["0 hits, 12 ran, 0 failed", "7 hits, 5 ran, 0 failed"]);
    expect(ended.stdout).toMatch(/^ {2}kmer succeeded · 3 ran, 4 reused/m);
  });

  test("tells what the second day would do before it is done, and why it was", () => {
    const [, plan = "", why = ""] =
      /^hdash plan kmer, before its last run\n([^]*)^hdash why kmer\.comparison\n([^]*)^The site/m.exec(
        ended.stdout,
      ) ?? [];
    expect(plan).toMatch(/^ {2}kmer {3}7 steps: 1 would run, 4 are hits, 2 depend on what runs/);
    expect(plan).toMatch(
      /^ {4}run {3}count B_1\.fa {3}its input lane changed: .*row 4 of samples/m,
    );
    expect(why).toMatch(/count B_1\.fa ran, because:\n +lane .*bytes differ from offset 7 on/);
  });

  test("shows the pages of its last run on the site, and says where", async () => {
    const index = join(dir, "site/pipelines/index.html");
    expect(ended.stdout).toContain(`Open file://${index}`);
    expect(await readFile(index, "utf8")).toContain('href="kmer/index.html"');
    const page = await readFile(join(dir, "site/pipelines/kmer/index.html"), "utf8");
    expect(page).toContain("result-comparison.html");
    expect(page).toContain("kmer, run 2");
  });

  test("says what ran, and with which command it finds everything", async () => {
    const [, says = ""] = /^(A pipeline in one file, .*):$/m.exec(ended.stdout) ?? [];
    expect(says).toContain(join(ROOT, "examples/02-kmer/kmer.ts"));
    const [, command = ""] = /^ {2}hdash (--env-file .* run .*)$/m.exec(ended.stdout) ?? [];
    const again = await hdash(command.split(" "));
    expect(again.code, again.stderr).toBe(0);
    expect(tallies(again)).toEqual(["12 hits, 0 ran, 0 failed"]);
    const [, changed = ""] = /a base in (\S+) had changed/.exec(says) ?? [];
    const before = await readFile(join(ROOT, "examples/02-kmer/data/B_1.fa"), "utf8");
    const after = await readFile(changed, "utf8");
    expect([after.length, after]).toEqual([before.length, expect.not.stringMatching(before)]);
  });

  test("adds a day on which nothing moved, where it was here before", async () => {
    const again = await demo();
    expect(again.code, again.stderr).toBe(0);
    expect(tallies(again)).toEqual(["12 hits, 0 ran, 0 failed"]);
  });
});
