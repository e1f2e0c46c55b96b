import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { beforeEach, describe, expect, test } from "vitest";

import { type Ended, useScripts } from "./support/scripts.ts";

const { dir, run, standIn, git } = useScripts();

describe(".github/namespace.sh", () => {
  const namespaceOf = (branch: string): Ended => run("namespace.sh", { BRANCH: branch });

  test("takes a branch's name as data, whatever is in it", () => {
    for (const branch of ["fix-timeline", 'a$(touch x)`id`"; exit 1 #', "x'\n--help"]) {
      expect(namespaceOf(branch)).toEqual({
        code: 0,
        out: expect.stringMatching(/^[a-z][a-z0-9-]{0,23}\n$/) as unknown,
        err: "",
      });
    }
    expect(namespaceOf("fix-timeline").out).toBe("fix-timeline\n");
    expect(namespaceOf("staging").out).toMatch(/^staging-[0-9a-f]{6}\n$/);
  });

  test("gives no branch another's namespace by its name", () => {
    const theirs = namespaceOf("feature/a").out.trim();
    expect(namespaceOf(theirs).out).toMatch(/^feature-a-[0-9a-f]+-[0-9a-f]{6}\n$/);
  });

  test("refuses main and nothing", () => {
    expect(namespaceOf("main")).toEqual({
      code: 2,
      out: "",
      err: "namespace.sh: the namespace main is not made from a branch; staging.yml and production.yml deploy it\n",
    });
    expect(namespaceOf("").err).toContain("namespace.sh: set BRANCH to the name of a branch");
  });
});

describe(".github/release.sh", () => {
  const commit = (version: string, heading: string): void => {
    const fields = { name: "hdash", version, license: "MIT" };
    writeFileSync(join(dir, "package.json"), `${JSON.stringify(fields, null, 2)}\n`);
    writeFileSync(join(dir, "CHANGELOG.md"), `# Changelog\n\n## Pending\n\n## ${heading}\n`);
    git("add", ".");
    git("commit", "--quiet", "--message", version);
  };
  const release = (tag: string): Ended => run("release.sh", { TAG: tag }, dir);
  const refused = (tag: string, why: string): Ended => ({
    code: 1,
    out: "",
    err: `release.sh: ${tag} is not released: ${why}\n`,
  });

  beforeEach(() => {
    git("init", "--quiet", "--initial-branch", "main");
    commit("1.2.3", "1.2.3 (2026-11-21)");
    git("tag", "--annotate", "--message", "first", "v1.2.3");
    commit("1.2.4", "1.2.4 (2026-11-22)");
    git("update-ref", "refs/remotes/origin/main", "HEAD");
  });

  test("lets a tag on main pass that agrees with package.json and the changelog", () => {
    git("tag", "v1.2.4");
    expect(release("v1.2.4")).toEqual({
      code: 0,
      out: "release.sh: v1.2.4 may be released\n",
      err: "",
    });
    git("checkout", "--quiet", "v1.2.3");
    expect(release("v1.2.3").code).toBe(0);
  });

  test("refuses another version than package.json's", () => {
    expect(release("v1.2.3")).toEqual(refused("v1.2.3", "package.json has version 1.2.4"));
  });

  test("refuses a version that the changelog does not have", () => {
    commit("1.2.5", "1.2.50");
    git("tag", "v1.2.5");
    expect(release("v1.2.5")).toEqual(refused("v1.2.5", 'CHANGELOG.md has no heading "## 1.2.5"'));
  });

  test("refuses a tag that is not on main", () => {
    git("checkout", "--quiet", "-b", "aside");
    commit("1.3.0", "1.3.0");
    git("tag", "v1.3.0");
    expect(release("v1.3.0")).toEqual(refused("v1.3.0", "its commit is not on main"));
  });

  test("refuses a tag that is not there, and what is no release", () => {
    expect(release("v1.2.4")).toEqual(refused("v1.2.4", "there is no such tag here"));
    for (const tag of ["1.2.4", "v1.2", "v1.2.4-rc1", "v1.2.4; id", "--help"]) {
      expect(release(tag)).toEqual(refused(tag, "a release is called vX.Y.Z"));
    }
  });
});

describe(".github/branch.sh", () => {
  const look = (branch: string, state: string): Ended =>
    run("branch.sh", { BRANCH: branch, PATH: process.env["PATH"] ?? "" }, state, dir);
  const refused = (branch: string, now: string): Ended => ({
    code: 1,
    out: "",
    err: `branch.sh: nothing is done: the branch ${branch} is ${now}\n`,
  });
  const OK: Ended = { code: 0, out: "", err: "" };

  test("tells whether a branch of the origin is there or gone, by its whole name", () => {
    git("init", "--quiet", "--initial-branch", "main");
    git("commit", "--quiet", "--allow-empty", "--message", "first");
    git("branch", "feature/a");
    git("branch", "refs/heads/b");
    git("tag", "c");
    git("remote", "add", "origin", dir);
    expect(look("feature/a", "there")).toEqual(OK);
    expect(look("feature/a", "gone")).toEqual(refused("feature/a", "there"));
    for (const branch of ["a", "b", "c", "feature", "feature/.", "feature/*", "--help"]) {
      expect(look(branch, "gone")).toEqual(OK);
      expect(look(branch, "there")).toEqual(refused(branch, "gone"));
    }
  });

  test("holds no branch for gone where nobody answers", () => {
    git("init", "--quiet");
    expect(look("main", "gone")).toMatchObject({
      code: 128,
      out: "",
      err: expect.stringContaining("'origin' does not appear to be a git repository") as unknown,
    });
    expect(look("", "gone").err).toContain("branch.sh: set BRANCH to the name of a branch");
  });

  test("logs in to GitHub alone, and not on a command line", () => {
    standIn("git", `echo "$@" > "${dir}/asked"; env | grep ^GIT_ | sort > "${dir}/variables"`);
    expect(run("branch.sh", { BRANCH: "a", GITHUB_TOKEN: "t0ken" }, "gone").code).toBe(0);
    expect(readFileSync(join(dir, "asked"), "utf8")).toBe("ls-remote --heads origin\n");
    const login = Buffer.from("x-access-token:t0ken").toString("base64");
    expect(readFileSync(join(dir, "variables"), "utf8")).toBe(
      `GIT_CONFIG_COUNT=1
GIT_CONFIG_KEY_0=http.https://github.com/.extraHeader
GIT_CONFIG_VALUE_0=Authorization: Basic ${login}
GIT_TERMINAL_PROMPT=0
`,
    );
  });
});

describe(".github/pin.sh", () => {
  const hash = "0123456789abcdef0123456789abcdef01234567";
  const workflow = (use: string): string =>
    `steps:\n  - uses: ${use}\n  - uses: ./.github/workflows/test.yml\n`;

  beforeEach(() => {
    mkdirSync(join(dir, "workflows"));
    writeFileSync(join(dir, "workflows/a.yml"), workflow("actions/checkout@v6.0.3"));
    writeFileSync(join(dir, "workflows/b.yml"), workflow("actions/checkout@v6.0.3"));
  });

  test("writes the commit of an annotated tag, with the version beside it, and does no more the second time", () => {
    standIn(
      "git",
      `[ "$*" = "ls-remote https://github.com/actions/checkout refs/tags/v6.0.3 refs/tags/v6.0.3^{}" ] || exit 9
printf 'ffffffffffffffffffffffffffffffffffffffff\\trefs/tags/v6.0.3\\n${hash}\\trefs/tags/v6.0.3^{}\\n'`,
    );
    const expected = `pin.sh: actions/checkout v6.0.3 is ${hash}\n`;
    expect(run("pin.sh", {}, join(dir, "workflows"))).toEqual({ code: 0, out: expected, err: "" });
    for (const file of ["a.yml", "b.yml"]) {
      expect(readFileSync(join(dir, "workflows", file), "utf8")).toBe(
        workflow(`actions/checkout@${hash} # v6.0.3`),
      );
    }
    expect(run("pin.sh", {}, join(dir, "workflows")).out).toBe("");
  });

  test("changes nothing where there is no such tag", () => {
    standIn("git", "exit 0");
    expect(run("pin.sh", {}, join(dir, "workflows"))).toEqual({
      code: 1,
      out: "",
      err: "pin.sh: actions/checkout has no tag v6.0.3\n",
    });
    expect(readFileSync(join(dir, "workflows/a.yml"), "utf8")).toBe(
      workflow("actions/checkout@v6.0.3"),
    );
  });
});
