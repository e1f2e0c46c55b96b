import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const PLACES = [
  "package.json",
  "package-lock.json",
  "infra/package.json",
  "infra/package-lock.json",
];
const CHANGES = "### Added\n\n- Something for those who read.\n";

let dir: string;

function git(...args: readonly string[]): string {
  return execFileSync("git", args, { cwd: dir, encoding: "utf8", stdio: "pipe" }).trimEnd();
}

const read = (path: string): string => readFileSync(join(dir, path), "utf8");
const write = (path: string, text: string): void => writeFileSync(join(dir, path), text);
function commit(message: string): void {
  git("add", "--all");
  git("commit", "--quiet", "--message", message);
}

/** Runs the script of the copy, as `make release` does. */
function release(version: string) {
  const script = ["--disable-warning=ExperimentalWarning", join(dir, ".ci/release.ts")];
  const env = { PATH: process.env["PATH"], HOME: dir, VERSION: version };
  const { status, stdout, stderr } = spawnSync(process.execPath, script, { encoding: "utf8", env });
  return { code: status, out: stdout, err: stderr };
}

/** All that a release could change. */
const state = (): string =>
  [
    git("for-each-ref"),
    git("status", "--porcelain"),
    ...["CHANGELOG.md", ...PLACES].map(read),
  ].join("\n");

/** Expects that the release is refused with this sentence, and that nothing has changed. */
function expectRefusal(version: string, why: string): void {
  const before = state();
  expect(release(version)).toEqual({
    code: 1,
    out: "",
    err: `release: ${why}\nrelease: nothing was changed\n`,
  });
  expect(state()).toBe(before);
}

beforeEach(() => {
  // A copy of what a release reads and writes, in a repository of its own: this one may be dirty, or no repository.
  dir = mkdtempSync(join(tmpdir(), "hdash-release-"));
  for (const folder of [".ci", "infra"]) mkdirSync(join(dir, folder));
  for (const path of [".ci/release.ts", ".prettierrc", "CHANGELOG.md", ...PLACES]) {
    cpSync(join(ROOT, path), join(dir, path));
  }
  for (const path of PLACES) {
    write(path, read(path).replaceAll(`"version": "${VERSION}"`, '"version": "1.2.3"'));
  }
  write(
    "CHANGELOG.md",
    `# Changelog\n\n## Pending\n\n${CHANGES}\n## 1.2.3 (2026-11-29)\n\n- First.\n`,
  );
  git("init", "--quiet", "--initial-branch", "main");
  git("config", "user.name", "t");
  git("config", "user.email", "t@example.org");
  commit("first");
});
afterEach(() => rmSync(dir, { recursive: true }));

const { version: VERSION } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
  readonly version: string;
};

describe("make release", () => {
  test("moves Pending, sets the version everywhere, commits and tags", () => {
    const before = PLACES.map(read);
    const { code, out, err } = release("1.3.0");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toBe(
      "release: 1.3.0 is committed and tagged. Look at it (git show v1.3.0), then: git push --atomic origin main v1.3.0\n",
    );
    expect(git("status", "--porcelain")).toBe("");
    const day = git("log", "-1", "--date=format:%F", "--format=%cd %s");
    expect(day).toMatch(/ Release 1\.3\.0$/);
    expect(read("CHANGELOG.md")).toBe(
      `# Changelog\n\n## Pending\n\n## 1.3.0 (${day.slice(0, 10)})\n\n${CHANGES}\n## 1.2.3 (2026-11-29)\n\n- First.\n`,
    );
    const changed = PLACES.map(read).map((text, at) => diffLines(before[at] ?? "", text));
    const line = '"version": "1.3.0",';
    expect(changed).toEqual([[line], [line, line], [line], [line, line]]);
    expect(git("cat-file", "-t", "v1.3.0")).toBe("tag");
    expect(git("rev-parse", "v1.3.0^{commit}")).toBe(git("rev-parse", "main"));
    expect(git("log", "--format=%s")).toBe("Release 1.3.0\nfirst");
    expect(git("fsck", "--strict")).toBe("");
  });

  test("makes what production.yml lets through, release after release", () => {
    release("1.2.4");
    write("CHANGELOG.md", read("CHANGELOG.md").replace("## Pending\n", "## Pending\n\n- More.\n"));
    commit("more");
    expect(release("2.0.0").code).toBe(0);
    git("update-ref", "refs/remotes/origin/main", "main");
    const look = spawnSync("sh", [join(ROOT, ".github/release.sh"), dir], {
      encoding: "utf8",
      env: { PATH: process.env["PATH"], TAG: "v2.0.0" },
    });
    expect(look.stderr).toBe("");
    expect(look.stdout).toBe("release.sh: v2.0.0 may be released\n");
    expect(read("CHANGELOG.md").match(/^## \S+/gm)).toEqual(
      ["Pending", "2.0.0", "1.2.4", "1.2.3"].map((name) => `## ${name}`),
    );
  });

  test("refuses what is no version", () => {
    expectRefusal("", "VERSION is not set; it has to be three numbers: make release VERSION=1.2.3");
    for (const version of ["1.3", "v1.3.0", "1.3.0-rc1", "01.3.0", "1.3.0\n", "1.3.0; id"]) {
      const what = `VERSION is ${JSON.stringify(version)}`;
      expectRefusal(version, `${what}; it has to be three numbers: make release VERSION=1.2.3`);
    }
  });

  test("refuses another branch than main, and none", () => {
    git("switch", "--quiet", "--create", "aside");
    expectRefusal("1.3.0", "this is the branch aside; a release is made on main: git switch main");
    git("switch", "--quiet", "--detach");
    expectRefusal("1.3.0", "no branch is checked out; a release is made on main: git switch main");
  });

  test.each([
    ["a changed file", () => write("CHANGELOG.md", "x"), " M CHANGELOG.md"],
    ["a new file", () => write("new", "x"), "?? new"],
    ["a staged file", () => (write("new", "x"), git("add", "new")), "A  new"],
  ])("refuses a tree with %s", (_, change, line) => {
    change();
    const what = "there are changes that are not committed; commit them or put them away";
    expectRefusal("1.3.0", `${what} (git stash -u):\n${line}`);
  });

  test("refuses a version that is there as a tag or in the changelog", () => {
    expectRefusal("1.2.3", "CHANGELOG.md has 1.2.3 already; name a higher one");
    git("tag", "v1.3.0");
    expectRefusal("1.3.0", "the tag v1.3.0 is there already; name a higher one");
  });

  test("refuses a version that is not higher than every other, by number", () => {
    for (const version of ["1.2.2", "1.1.9", "0.9.9"]) {
      expectRefusal(version, `${version} is not higher than 1.2.3; name a higher one`);
    }
    git("tag", "v1.10.0");
    expectRefusal("1.9.0", "1.9.0 is not higher than 1.10.0; name a higher one");
    expect(release("1.11.0").code).toBe(0);
  });

  test("refuses where nothing is pending, or Pending is not there", () => {
    for (const empty of ["## Pending\n\n", "## Pending\n\n### Added\n\n", "## Pending\n"]) {
      write("CHANGELOG.md", `# Changelog\n\n${empty}## 1.2.3 (2026-11-29)\n\n- First.\n`);
      commit("empty");
      expectRefusal(
        "1.3.0",
        "nothing is pending in CHANGELOG.md; say there what the release changes",
      );
    }
    write("CHANGELOG.md", "# Changelog\n\n## 1.2.3 (2026-11-29)\n\n- First.\n");
    commit("none");
    expectRefusal(
      "1.3.0",
      'CHANGELOG.md does not begin with the heading "## Pending"; add it on top',
    );
  });

  test("refuses where the version stands in one place as another, or not at all", () => {
    write("infra/package.json", read("infra/package.json").replace("1.2.3", "1.2.2"));
    commit("other");
    expectRefusal("1.3.0", "package.json has 1.2.3, infra/package.json 1.2.2; make them agree");
    git("rm", "--quiet", "infra/package.json");
    commit("gone");
    const before = git("for-each-ref");
    expect(release("1.3.0").err).toContain("infra/package.json is not there; bring it back\n");
    expect(git("for-each-ref")).toBe(before);
  });

  test("leaves nothing half done where git fails in the middle", () => {
    const before = git("count-objects");
    // Whoever guards the repository refuses the tag, after the commit has been written.
    const hook = join(dir, ".git/hooks/reference-transaction");
    mkdirSync(join(dir, ".git/hooks"), { recursive: true });
    writeFileSync(hook, '#!/bin/sh\n! { [ "$1" = prepared ] && grep -q refs/tags/; }\n', {
      mode: 0o755,
    });
    const was = state();
    const { code, err } = release("1.3.0");
    expect(code).toBe(1);
    expect(err).toMatch(/^release: .*hook[^]*\nrelease: nothing was changed\n$/);
    expect(state()).toBe(was);
    expect(git("count-objects")).not.toBe(before);
    rmSync(hook);
    expect(release("1.3.0").code).toBe(0);
  });

  test("refuses while another git has the index", () => {
    const lock = join(dir, ".git/index.lock");
    writeFileSync(lock, "");
    const was = state();
    const { code, err } = release("1.3.0");
    expect([code, err]).toEqual([
      1,
      `release: another git is at work, or was ended at it; if there is none, remove ${lock}\nrelease: nothing was changed\n`,
    ]);
    expect(state()).toBe(was);
  });

  test("says what is left to do where it is committed and the files cannot be brought up to it", () => {
    const hook = join(dir, ".git/hooks/reference-transaction");
    mkdirSync(join(dir, ".git/hooks"), { recursive: true });
    writeFileSync(hook, '#!/bin/sh\n[ "$1" != committed ] || touch .git/index.lock\n', {
      mode: 0o755,
    });
    const { code, err } = release("1.3.0");
    expect(code).toBe(1);
    expect(err).toMatch(/index\.lock/);
    expect(err).not.toContain("nothing was changed");
    const [, rest = ""] = /bring them up to it by: git (.*)\n$/.exec(err) ?? [];
    rmSync(hook);
    rmSync(join(dir, ".git/index.lock"));
    expect(git("tag")).toContain("v1.3.0");
    git(...rest.split(" "));
    expect(git("status", "--porcelain")).toBe("");
    expect(git("show", "--name-only", "--format=%s", "HEAD")).toContain("Release 1.3.0");
  });
});

/** The lines of the second text that differ from those of the first, which has as many. */
function diffLines(one: string, other: string): readonly string[] {
  const lines = one.split("\n");
  return other
    .split("\n")
    .filter((line, at) => line !== lines[at])
    .map((line) => line.trim());
}

describe("the version", () => {
  test("stands in these places only", () => {
    const files = execFileSync(
      "git",
      ["ls-files", "-z", "docs", "README.md", "Makefile", ".github"],
      {
        cwd: ROOT,
        encoding: "utf8",
      },
    );
    const named = files
      .split("\0")
      .filter((file) => file !== "" && readFileSync(join(ROOT, file), "latin1").includes(VERSION));
    expect(named).toEqual([]);
  });
});
