// hdash init-pipeline: what it makes runs at once, is found right, and tests itself; and it writes over nothing.

import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { type Ended, hdash } from "../../support/command.ts";
import { schemaProblems } from "../../support/jsonSchema.ts";

const run = promisify(execFile);

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-start-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const own = (...words: readonly string[]): Promise<Ended> =>
  hdash(words, { HDASH_HOME: join(dir, "home") });

/** Runs what was made, and tells what is known and done, as the run's last word says. */
async function tally(folder: string): Promise<string> {
  const sheet = join(folder, "data/samples.csv");
  const flags = ["--sheet", sheet, "--out", join(dir, "results")];
  const ended = await own("run", join(folder, "pipeline.ts"), ...flags);
  expect(ended.code, ended.stderr).toBe(0);
  return /\((\d+ hits?, \d+ ran, \d+ failed)\)/.exec(ended.stderr + ended.stdout)?.[1] ?? "";
}

describe("hdash init-pipeline DIR", () => {
  test.each([
    [[], "report", "heat\ts3\t3\t51.067\t1.201\t1", "0 hits, 10 ran, 0 failed"],
    [["--with", "command"], "composition.tsv", "root\tr2\t12\t0.333", "0 hits, 6 ran, 0 failed"],
  ])(
    "makes a project that runs, tests itself and is right %j",
    async (flags, result, row, told) => {
      const folder = join(dir, "my-lab");
      const asked = await own("init-pipeline", join(dir, "asked"), ...flags, "--json");
      const document = JSON.parse(asked.stdout) as { readonly next: readonly string[] };
      expect(schemaProblems("init-pipeline", document)).toEqual([]);
      expect(document.next).toContain("npm test");
      const begun = await own("init-pipeline", folder, ...flags);
      expect([begun.code, begun.stderr]).toEqual([0, ""]);
      // It was made by a checkout: that is where its types are.
      expect(begun.stdout).toMatch(/^ {2}node \S+\/src\/main\.ts check \.\/pipeline\.ts$/m);
      const config = await readFile(join(folder, "tsconfig.json"), "utf8");
      expect(config).toMatch(/"hdash": \[\s*"[^"]+\/src\/index\.ts"\s*\]/);
      expect(JSON.parse(await readFile(join(folder, "package.json"), "utf8"))).toMatchObject({
        ...{ name: "my-lab", type: "module" },
      });

      const checked = await own("check", join(folder, "pipeline.ts"));
      expect(checked.stdout).toBe(`${join(folder, "pipeline.ts")}: nothing found\n`);
      expect(await tally(folder)).toBe(told);
      expect((await readFile(join(dir, "results", result), "utf8")).split("\n")).toContain(row);
      const ran = Number(/(\d+) ran/.exec(told)?.[1]);
      expect(await tally(folder)).toBe(`${ran} hits, 0 ran, 0 failed`);
      const { stdout } = await run(process.execPath, ["--test"], { cwd: folder });
      expect(stdout).toContain("fail 0\n");
      expect(stdout).not.toContain("pass 0\n");
    },
  );

  test("makes one of images, which can be checked and not yet run", async () => {
    const folder = join(dir, "Images of mine");
    const begun = await own("init-pipeline", folder, "--with", "container");
    expect(begun.code, begun.stderr).toBe(0);
    expect(begun.stdout).not.toContain(" run ");
    // What is no name of a package is none of this one's.
    expect(await readFile(join(folder, "package.json"), "utf8")).not.toContain('"name"');
    const { code, stdout } = await own("check", join(folder, "pipeline.ts"));
    expect([code, stdout.split("\n").at(-2)]).toEqual([
      ...[0, `${join(folder, "pipeline.ts")}: 2 notes`],
    ]);
  });

  test("says in its README how it is run, as it is", async () => {
    for (const kind of ["function", "command", "container"]) {
      const folder = join(dir, kind);
      await own("init-pipeline", folder, "--with", kind);
      const readme = await readFile(join(folder, "README.md"), "utf8");
      expect(readme).toContain("hdash run ./pipeline.ts --sheet data/samples.csv --out results");
      const named = [...readme.matchAll(/`((?:data|bin)\/[\w.-]+|\w+\.ts)`/g)];
      const files = await readdir(folder, { recursive: true });
      expect(named.map(([, path]) => path).filter((path) => !files.includes(path ?? ""))).toEqual(
        [],
      );
    }
  });

  test("begins in a repository that has just been made", async () => {
    await mkdir(join(dir, "new/.git"), { recursive: true });
    const begun = await own("init-pipeline", join(dir, "new"));
    expect(begun.code, begun.stderr).toBe(0);
    expect(await readdir(join(dir, "new"))).toContain("pipeline.ts");
  });

  test("writes over nothing", async () => {
    await writeFile(join(dir, "notes.txt"), "mine");
    const refused = await own("init-pipeline", dir);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toBe(
      `hdash: ${dir} is not empty: it has notes.txt\nName a folder that is not there yet: a pipeline begins in one of its own.\n`,
    );
    expect(await readdir(dir)).toEqual(["notes.txt"]);
    const file = await own("init-pipeline", join(dir, "notes.txt"));
    expect([file.code, file.stderr]).toEqual([
      2,
      `hdash: ${join(dir, "notes.txt")} is no folder\n`,
    ]);
    await symlink("loop", join(dir, "loop"));
    const loop = await own("init-pipeline", join(dir, "loop"));
    expect(loop.code).toBe(2);
    expect(loop.stderr).toContain(`${join(dir, "loop")} cannot be read: ELOOP`);
  });

  test("knows what steps can be, and no other", async () => {
    const { code, stderr } = await own("init-pipeline", join(dir, "a"), "--with", "magic");
    expect(code).toBe(2);
    expect(stderr).toContain("function, command, container");
    expect(await readdir(dir)).toEqual([]);
  });
});
