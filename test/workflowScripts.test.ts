import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

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
  const digest = `sha256:${"0123456789abcdef".repeat(4)}`;
  const older = `sha256:${"f".repeat(64)}`;
  const FOLDER = ".github/workflows";
  const workflow = (use: string, image = "debian:bookworm-slim"): string =>
    `container:\n  image: ${image}\nsteps:\n  - uses: ${use}\n  - uses: ./.github/workflows/test.yml\n`;
  const read = (file: string): string => readFileSync(join(dir, file), "utf8");
  const pin = (...args: readonly string[]): Ended => run("pin.sh", {}, ...args, dir);
  const answer = (): void => {
    standIn(
      "git",
      `[ "$*" = "ls-remote https://github.com/actions/checkout refs/tags/v6.0.3 refs/tags/v6.0.3^{}" ] || exit 9
printf 'ffffffffffffffffffffffffffffffffffffffff\trefs/tags/v6.0.3\n${hash}\trefs/tags/v6.0.3^{}\n'`,
    );
    standIn(
      "docker",
      `case "$*" in
  "buildx imagetools inspect --format {{.Manifest.Digest}} node:24-bookworm-slim" | \
  "buildx imagetools inspect --format {{.Manifest.Digest}} debian:bookworm-slim") echo ${digest} ;;
  *) exit 9 ;;
esac`,
    );
  };

  beforeEach(() => {
    mkdirSync(join(dir, FOLDER), { recursive: true });
    writeFileSync(join(dir, FOLDER, "a.yml"), workflow("actions/checkout@v6.0.3"));
    writeFileSync(join(dir, FOLDER, "b.yml"), workflow("actions/checkout@v6.0.3"));
    writeFileSync(
      join(dir, "Dockerfile"),
      "ARG BASE=node:24-bookworm-slim\nFROM ${BASE} AS packages\n",
    );
  });

  test("writes the commits of annotated tags and the digests of images, with what they are beside them, and does no more the second time", () => {
    answer();
    expect(pin()).toEqual({
      code: 0,
      out: `pin.sh: actions/checkout v6.0.3 is ${hash}
pin.sh: debian:bookworm-slim is ${digest}
pin.sh: node:24-bookworm-slim is ${digest}
`,
      err: "",
    });
    for (const file of ["a.yml", "b.yml"]) {
      expect(read(join(FOLDER, file))).toBe(
        workflow(`actions/checkout@${hash} # v6.0.3`, `debian:bookworm-slim@${digest}`),
      );
    }
    expect(read("Dockerfile")).toBe(
      `ARG BASE=node:24-bookworm-slim@${digest}\nFROM \${BASE} AS packages\n`,
    );
    expect(pin()).toEqual({ code: 0, out: "", err: "" });
    expect(pin("--check")).toEqual({ code: 0, out: "", err: "" });
  });

  test("gives an image that has a digest today's", () => {
    answer();
    writeFileSync(join(dir, "Dockerfile"), `ARG BASE=node:24-bookworm-slim@${older}\n`);
    expect(pin().code).toBe(0);
    expect(read("Dockerfile")).toBe(`ARG BASE=node:24-bookworm-slim@${digest}\n`);
  });

  test("changes nothing where there is no such tag", () => {
    standIn("git", "exit 0");
    expect(pin()).toEqual({
      code: 1,
      out: "",
      err: "pin.sh: actions/checkout has no tag v6.0.3\n",
    });
    expect(read(join(FOLDER, "a.yml"))).toBe(workflow("actions/checkout@v6.0.3"));
  });

  test("changes no image whose digest nobody tells", () => {
    answer();
    standIn("docker", "echo latest");
    expect(pin()).toMatchObject({
      code: 1,
      err: "pin.sh: debian:bookworm-slim has no digest\n",
    });
    expect(read("Dockerfile")).toContain("ARG BASE=node:24-bookworm-slim\n");
  });

  test("says with --check what is not pinned and what to do, and changes nothing", () => {
    expect(pin("--check")).toEqual({
      code: 1,
      out: "",
      err: "pin.sh: not pinned: actions/checkout@v6.0.3 debian:bookworm-slim node:24-bookworm-slim. Run .github/pin.sh, look at the diff and commit it\n",
    });
    expect(read(join(FOLDER, "a.yml"))).toBe(workflow("actions/checkout@v6.0.3"));
    answer();
    pin();
    writeFileSync(join(dir, "Dockerfile"), "ARG BASE=node:24-bookworm-slim@sha256:0\n");
    expect(pin("--check").err).toContain("not pinned: node:24-bookworm-slim@sha256:0. Run");
  });

  test("takes no branch, no short hash, no quotes and no other form for a pin", () => {
    rmSync(join(dir, FOLDER, "b.yml"));
    for (const uses of [
      "actions/checkout@main",
      "actions/checkout@0123456 # v6.0.3",
      `"actions/checkout@${"0".repeat(40)}"`,
      `actions/checkout@${"0".repeat(40)}`,
      "docker://alpine:latest",
    ]) {
      writeFileSync(join(dir, FOLDER, "a.yml"), workflow(uses));
      expect(pin("--check").err).toContain(`not pinned: ${uses}`);
    }
    writeFileSync(
      join(dir, FOLDER, "a.yml"),
      workflow(`actions/checkout@${"0".repeat(40)} # v6.0.3`),
    );
    expect(pin("--check").err).not.toContain("actions/checkout");
  });

  test("knows every base of this repository", () => {
    // The images here are not pinned: nobody can look their digests up where this was written.
    const told = run("pin.sh", {}, "--check").err;
    for (const image of ["node:24-bookworm-slim", "debian:bookworm-slim"]) {
      expect(told).toContain(` ${image}`);
    }
  });
});

describe(".github/handOver.sh", () => {
  const FILES = [
    "node_modules/p/index.js",
    "infra/node_modules/q/index.js",
    "infra/cdk.out/s.json",
  ];
  let sha256 = "";
  const pack = (variables: Readonly<Record<string, string>> = {}): Ended =>
    run("handOver.sh", { GITHUB_OUTPUT: join(dir, "outputs"), ...variables }, "pack", dir);
  const unpack = (digest: string): Ended =>
    run("handOver.sh", { GITHUB_ENV: join(dir, "env"), SHA256: digest }, "unpack", dir);
  const refused = (why: string): Ended => ({
    code: 1,
    out: "",
    err: `handOver.sh: nothing is taken: ${why}\n`,
  });
  const isThere = (file: string): boolean => existsSync(join(dir, file));

  beforeEach(() => {
    git("init", "--quiet");
    git("commit", "--quiet", "--allow-empty", "--message", "first");
    for (const file of FILES) {
      mkdirSync(dirname(join(dir, file)), { recursive: true });
      writeFileSync(join(dir, file), file);
    }
    standIn(
      "docker",
      `[ "$*" = "save --output handover/image.tar hdash:v1" ] && echo image > "$3"`,
    );
    expect(pack({ TAG: "v1" })).toEqual({ code: 0, out: "", err: "" });
    sha256 =
      /^sha256=([0-9a-f]{64})\n$/.exec(readFileSync(join(dir, "outputs"), "utf8"))?.[1] ?? "";
    // The other job begins with a checkout alone.
    for (const folder of ["node_modules", "infra", "handover"])
      rmSync(join(dir, folder), { recursive: true });
  });

  test("brings packages, stacks and image to the other job, and keeps npm from fetching", () => {
    expect(unpack(sha256)).toEqual({ code: 0, out: "", err: "" });
    for (const file of FILES) expect(readFileSync(join(dir, file), "utf8")).toBe(file);
    expect(readFileSync(join(dir, "handover/image.tar"), "utf8")).toBe("image\n");
    for (const folder of ["node_modules", "infra/node_modules"]) {
      expect(isThere(join(folder, ".installed"))).toBe(true);
    }
    expect(readFileSync(join(dir, "env"), "utf8")).toBe(
      `npm_config_offline=true\nCDK_APP=${join(dir, "infra/cdk.out")}\n`,
    );
  });

  test("takes nothing of another digest, and unpacks none of it", () => {
    const other = "0".repeat(64);
    expect(unpack(other)).toEqual(
      refused(`handover.tar has the digest ${sha256} and not ${other}`),
    );
    expect(isThere("node_modules")).toBe(false);
    expect(unpack("").err).toContain("handOver.sh: set SHA256");
  });

  test("takes nothing of another commit", () => {
    const packed = git("rev-parse", "HEAD").trim();
    git("commit", "--quiet", "--allow-empty", "--message", "second");
    const commit = git("rev-parse", "HEAD").trim();
    expect(unpack(sha256)).toEqual(
      refused(`it was packed for the commit ${packed} and not for ${commit}`),
    );
    expect(isThere("node_modules")).toBe(false);
  });

  test("says what is missing", () => {
    rmSync(join(dir, "handover.tar"));
    expect(unpack(sha256)).toEqual(refused("there is no handover.tar"));
    expect(pack({ GITHUB_OUTPUT: "" }).err).toContain("handOver.sh: set GITHUB_OUTPUT");
    expect(run("handOver.sh", {}, "both", dir)).toEqual({
      code: 2,
      out: "",
      err: "handOver.sh: pack or unpack?\n",
    });
  });

  test("brings no image along where there is none", () => {
    for (const file of FILES) {
      mkdirSync(dirname(join(dir, file)), { recursive: true });
      writeFileSync(join(dir, file), file);
    }
    rmSync(join(dir, "outputs"));
    expect(pack().code).toBe(0);
    const digest = readFileSync(join(dir, "outputs"), "utf8").slice("sha256=".length).trim();
    rmSync(join(dir, "handover"), { recursive: true });
    expect(unpack(digest).code).toBe(0);
    expect(isThere("handover/image.tar")).toBe(false);
  });
});

describe(".github/sbom.sh", () => {
  const LIST = "sbom.cdx.json";
  const DIGEST = `${LIST}.sha256`;
  const sha256 = createHash("sha256").update("{}\n").digest("hex");
  const attach = (digest = sha256): Ended =>
    run("sbom.sh", { TAG: "v1.2.3", SHA256: digest }, "attach", dir);
  const read = (file: string): string => readFileSync(join(dir, file), "utf8");
  const refused = (why: string): Ended => ({
    code: 1,
    out: "",
    err: `sbom.sh: nothing is attached: ${why}\n`,
  });
  const done: Ended = { code: 0, out: `sbom.sh: v1.2.3 has ${LIST} and ${DIGEST}\n`, err: "" };
  /** A release in the folder `release`; without that there is none. */
  const answer = (): void => {
    standIn(
      "gh",
      `echo "$*" >> "${dir}/asked"
case "$2" in
  view) ls "${dir}/release" 2>/dev/null || { echo "release not found" >&2; exit 1; } ;;
  download) cp "${dir}/release/$5" "$7" ;;
  upload) cp "$4" "${dir}/release" ;;
  create) cat "$8" > "${dir}/notes" ;;
esac`,
    );
  };
  const release = (...files: readonly (readonly [string, string])[]): void => {
    mkdirSync(join(dir, "release"));
    for (const [file, text] of files) writeFileSync(join(dir, "release", file), text);
  };

  beforeEach(() => {
    writeFileSync(join(dir, LIST), "{}\n");
    writeFileSync(
      join(dir, "CHANGELOG.md"),
      "# Changelog\n\n## Pending\n\n## 1.2.3 (2026-11-21)\n\n- This.\n\n## 1.2.2\n\n- That.\n",
    );
    answer();
  });

  test("tells the digest of the list", () => {
    const outputs = join(dir, "outputs");
    expect(run("sbom.sh", { GITHUB_OUTPUT: outputs }, "pack", dir).code).toBe(0);
    expect(read("outputs")).toBe(`sha256=${sha256}\n`);
    writeFileSync(join(dir, LIST), "");
    const ended = run("sbom.sh", { GITHUB_OUTPUT: outputs }, "pack", dir);
    expect(ended).toEqual(refused(`there is no ${LIST}`));
  });

  test("makes the release with what the changelog says, the list and its digest", () => {
    expect(attach()).toEqual(done);
    const lines = read("asked").split("\n");
    expect(lines[1]).toMatch(
      /^release create v1\.2\.3 --verify-tag --title hdash 1\.2\.3 --notes-file \S+ sbom\.cdx\.json sbom\.cdx\.json\.sha256$/,
    );
    expect(read("notes")).toBe("\n- This.\n\n");
    expect(read(DIGEST)).toBe(`${sha256}  ${LIST}\n`);
  });

  test("attaches to a release that is there, and does no more the second time", () => {
    release(["notes.pdf", ""]);
    expect(attach()).toEqual(done);
    expect(read(`release/${LIST}`)).toBe("{}\n");
    expect(read(`release/${DIGEST}`)).toBe(`${sha256}  ${LIST}\n`);
    expect(attach()).toEqual(done);
    expect(read("asked").match(/upload/g)).toHaveLength(2);
    expect(read("asked")).not.toContain("create");
  });

  test("goes on where a try before it was cut off", () => {
    release([LIST, "{}\n"]);
    expect(attach()).toEqual(done);
    expect(read("asked").match(/upload .*/g)).toEqual([`upload v1.2.3 ${DIGEST}`]);
  });

  test("leaves another list as it is", () => {
    release([LIST, "[]\n"]);
    expect(attach()).toEqual(refused(`v1.2.3 has another ${LIST}`));
    expect(read(`release/${LIST}`)).toBe("[]\n");
  });

  test("takes nothing of another digest, and asks nobody", () => {
    const other = "0".repeat(64);
    expect(attach(other)).toEqual(refused(`${LIST} has the digest ${sha256} and not ${other}`));
    expect(attach("").err).toContain("sbom.sh: set SHA256");
    rmSync(join(dir, LIST));
    expect(attach()).toEqual(refused(`there is no ${LIST}`));
    expect(existsSync(join(dir, "asked"))).toBe(false);
    expect(run("sbom.sh", {}, "both", dir).err).toBe("sbom.sh: pack or attach?\n");
  });

  test("makes no release where GitHub does not tell whether there is one", () => {
    standIn("gh", 'echo "HTTP 401: Bad credentials" >&2; exit 1');
    expect(attach()).toEqual({ code: 1, out: "", err: "HTTP 401: Bad credentials\n" });
  });
});

describe(".github/audit.sh", () => {
  const audit = (): Ended => run("audit.sh", { PATH: `${dir}:${process.env["PATH"] ?? ""}` }, dir);
  /** What npm prints; it ends with 1 where it found something, and where nobody answered. */
  const answer = (report: unknown): void => {
    writeFileSync(
      join(dir, "answer"),
      typeof report === "string" ? report : JSON.stringify(report),
    );
    standIn("npm", `echo "$*" >> "${dir}/asked"; cat "${dir}/answer"; exit 1`);
  };
  const found = (severity: string) => ({
    vulnerabilities: { bad: { name: "bad", severity } },
    metadata: {
      vulnerabilities: { critical: 0, high: 0, moderate: 0, low: 0, total: 1, [severity]: 1 },
    },
  });

  test.for(["high", "critical"])("stops where something is %s, and names it", (severity) => {
    answer(found(severity));
    expect(audit()).toMatchObject({
      code: 1,
      out: expect.stringMatching(/ 1 in all\naudit\.sh: bad is (high|critical)\n$/) as unknown,
      err: "audit.sh: see them with: npm audit --omit=dev --prefix .\n",
    });
  });

  test("asks of both lockfiles, and lets pass what is less", () => {
    answer(found("moderate"));
    expect(audit()).toEqual({
      code: 0,
      out: "audit.sh: .: 0 critical, 0 high, 1 in all\naudit.sh: infra: 0 critical, 0 high, 1 in all\n",
      err: "",
    });
    expect(readFileSync(join(dir, "asked"), "utf8")).toBe(
      "audit --omit=dev --json --prefix .\naudit --include=dev --json --prefix infra\n",
    );
  });

  test("says that the registry gave no answer, and why", () => {
    answer({ message: "request to the audit endpoint failed", error: { summary: "" } });
    expect(audit()).toMatchObject({
      code: 0,
      out: expect.stringContaining(
        "audit.sh: .: the registry gave no answer (request to the audit endpoint failed)\n",
      ) as unknown,
    });
    answer("<html>");
    expect(audit().out).toContain("gave no answer (nothing that can be read)");
  });
});
