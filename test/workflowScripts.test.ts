import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");
let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "hdash-scripts-"));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a script of .github with these variables only, and commands of `dir` before all others. */
function run(
  script: string,
  variables: Readonly<Record<string, string>>,
  ...args: readonly string[]
): Ended {
  const { status, stdout, stderr } = spawnSync(join(ROOT, ".github", script), args, {
    encoding: "utf8",
    env: { PATH: `${dir}:${process.env["PATH"] ?? ""}`, HOME: dir, ...variables },
  });
  return { code: status, out: stdout, err: stderr };
}

/** Puts a command into `dir` that stands in for a real one. */
function standIn(name: string, body: string): void {
  const path = join(dir, name);
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
}

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
  const git = (...args: readonly string[]): void => {
    execFileSync(
      "git",
      ["-C", dir, "-c", "user.name=t", "-c", "user.email=t@example.org", ...args],
      {
        stdio: "pipe",
      },
    );
  };
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

describe(".github/scan.sh", () => {
  /** An aws that answers as the documentation of the service says; each look at the status takes the next of `statuses`. */
  const answer = (statuses: readonly string[], counts: Readonly<Record<string, number>>): void => {
    writeFileSync(join(dir, "statuses"), statuses.join("\n"));
    const cases = Object.entries(counts).map(
      ([name, count]) => `*Counts.${name}*) echo ${count} ;;`,
    );
    standIn(
      "aws",
      `echo "$@" >> "${dir}/asked"
case "$*" in
  *start-image-scan*) [ ! -f "${dir}/refusal" ] || { cat "${dir}/refusal" >&2; exit 254; } ;;
  *imageScanStatus*)
    status=$(head -n 1 "${dir}/statuses"); sed -i 1d "${dir}/statuses"
    case "$status" in *Exception*) echo "An error occurred ($status)" >&2; exit 254 ;; esac
    echo "$status" ;;
  ${cases.join("\n  ")}
  *Counts*) echo None ;;
esac`,
    );
  };
  const scan = (...args: readonly string[]): Ended =>
    run(
      "scan.sh",
      { REPOSITORY: "hdash", TAG: "v1", SCAN_PAUSE_SECONDS: "0", SCAN_LOOKS: "3" },
      ...args,
    );

  test("waits until the scan is known and done, and says what it found", () => {
    answer(["ScanNotFoundException", "IN_PROGRESS", "COMPLETE"], { HIGH: 2 });
    expect(scan()).toEqual({
      code: 0,
      out: "scan.sh: hdash:v1 has 0 critical and 2 high findings\n",
      err: "",
    });
    expect(readFileSync(join(dir, "asked"), "utf8").split("\n")[0]).toBe(
      "ecr describe-image-scan-findings --query imageScanStatus.status --output text --repository-name hdash --image-id imageTag=v1",
    );
  });

  test("fails where something is critical, and says how to see it", () => {
    answer(["COMPLETE"], { CRITICAL: 1, HIGH: 4 });
    expect(scan()).toEqual({
      code: 1,
      out: "scan.sh: hdash:v1 has 1 critical and 4 high findings\n",
      err: "scan.sh: see them with: aws ecr describe-image-scan-findings --repository-name hdash --image-id imageTag=v1\n",
    });
  });

  test("fails where the scan does not end, or cannot be made", () => {
    answer(["PENDING", "IN_PROGRESS", "IN_PROGRESS", "IN_PROGRESS"], {});
    expect(scan().err).toBe("scan.sh: the scan of hdash:v1 did not end; it is: IN_PROGRESS\n");
    answer(["FAILED"], {});
    expect(scan().err).toBe("scan.sh: hdash:v1 was not scanned: FAILED\n");
    answer(["AccessDeniedException"], {});
    expect(scan()).toEqual({
      code: 1,
      out: "",
      err: "An error occurred (AccessDeniedException)\n",
    });
  });

  test("scans again, and takes the last scan where another is too soon", () => {
    answer(["COMPLETE"], {});
    expect(scan("--again").code).toBe(0);
    expect(readFileSync(join(dir, "asked"), "utf8").split("\n")[0]).toBe(
      "ecr start-image-scan --repository-name hdash --image-id imageTag=v1",
    );
    answer(["COMPLETE"], {});
    writeFileSync(join(dir, "refusal"), "An error occurred (LimitExceededException)\n");
    expect(scan("--again").code).toBe(0);
    writeFileSync(join(dir, "refusal"), "An error occurred (ImageNotFoundException)\n");
    expect(scan("--again")).toEqual({
      code: 1,
      out: "",
      err: "An error occurred (ImageNotFoundException)\n",
    });
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
