// `make release VERSION=x.y.z`: moves Pending in CHANGELOG.md under the version, sets the version wherever it stands, commits and tags.
// Everything is checked first; commit and tag are made beside the working tree and come into being together, or not at all.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const CHANGELOG = "CHANGELOG.md";
/** Where the version stands, and how: with the indentation, for dependencies have versions too. */
const PLACES: Readonly<Record<string, readonly RegExp[]>> = {
  "package.json": [/^( {2}"version": ")([^"]*)(",)$/m],
  "package-lock.json": [
    /^( {2}"version": ")([^"]*)(",)$/m,
    /^( {4}"": \{\n(?: {6}"name": .*\n)?(?: {6}"version": "))([^"]*)(",)$/m,
  ],
  "infra/package.json": [/^( {2}"version": ")([^"]*)(",)$/m],
  "infra/package-lock.json": [
    /^( {2}"version": ")([^"]*)(",)$/m,
    /^( {4}"": \{\n(?: {6}"name": .*\n)?(?: {6}"version": "))([^"]*)(",)$/m,
  ],
};

/** What is left to do after a release that is committed and tagged. */
class Unfinished extends Error {}

function git(args: readonly string[], input = "", env: Readonly<Record<string, string>> = {}) {
  const options = { cwd: ROOT, input, encoding: "utf8", env: { ...process.env, ...env } } as const;
  return execFileSync("git", args, { ...options, stdio: ["pipe", "pipe", "pipe"] }).trimEnd();
}

function read(path: string): string {
  if (!existsSync(join(ROOT, path))) throw new Error(`${path} is not there; bring it back`);
  return readFileSync(join(ROOT, path), "utf8");
}

/** Reads x.y.z; null for anything else, also for v1.2.3, 1.2.3-rc1 and 01.2.3. */
function parseVersion(text: string): readonly bigint[] | null {
  const part = "(0|[1-9]\\d*)";
  const found = new RegExp(`^${part}\\.${part}\\.${part}$`).exec(text);
  return found === null ? null : found.slice(1).map(BigInt);
}

function isHigher(one: readonly bigint[], other: readonly bigint[]): boolean {
  const at = one.findIndex((part, index) => part !== other[index]);
  return at !== -1 && (one[at] ?? 0n) > (other[at] ?? 0n);
}

/** Refuses where this is not the place to release from. */
function checkTree(): void {
  const branch = git(["branch", "--show-current"]);
  if (branch !== "main") {
    const where = branch === "" ? "no branch is checked out" : `this is the branch ${branch}`;
    throw new Error(`${where}; a release is made on main: git switch main`);
  }
  const lock = join(git(["rev-parse", "--absolute-git-dir"]), "index.lock");
  if (existsSync(lock)) {
    throw new Error(`another git is at work, or was ended at it; if there is none, remove ${lock}`);
  }
  const changes = git(["status", "--porcelain"]);
  if (changes !== "") {
    throw new Error(
      `there are changes that are not committed; commit them or put them away (git stash -u):\n${changes}`,
    );
  }
}

/** Refuses a version that is none, that is there, or that is not the highest. */
function checkVersion(version: string, changelog: string): void {
  const parsed = parseVersion(version);
  if (parsed === null) {
    const what = version === "" ? "VERSION is not set" : `VERSION is ${JSON.stringify(version)}`;
    throw new Error(`${what}; it has to be three numbers: make release VERSION=1.2.3`);
  }
  const tags = git(["tag", "--list", "v*"]).split("\n");
  const headings = [...changelog.matchAll(/^## (\S+)/gm)].map(([, name = ""]) => name);
  const instead = "name a higher one";
  if (tags.includes(`v${version}`)) {
    throw new Error(`the tag v${version} is there already; ${instead}`);
  }
  if (headings.includes(version)) {
    throw new Error(`${CHANGELOG} has ${version} already; ${instead}`);
  }
  const known = [...tags.map((tag) => tag.slice(1)), ...headings, currentVersion()];
  for (const other of known) {
    const theirs = parseVersion(other);
    if (theirs !== null && !isHigher(parsed, theirs)) {
      throw new Error(`${version} is not higher than ${other}; ${instead}`);
    }
  }
}

/** The version that all places have; refuses where they do not agree. */
function currentVersion(): string {
  const found = Object.entries(PLACES).flatMap(([path, patterns]) =>
    patterns.map((pattern) => ({ path, version: pattern.exec(read(path))?.[2] })),
  );
  const version = found[0]?.version ?? "";
  const other = found.find((place) => place.version !== version);
  if (other !== undefined) {
    const theirs = other.version ?? "no version";
    throw new Error(`package.json has ${version}, ${other.path} ${theirs}; make them agree`);
  }
  return version;
}

/** The changelog with what was pending under its version; refuses where nothing was. */
function releaseChangelog(changelog: string, version: string, day: string): string {
  const [head = "", ...sections] = changelog.split(/^(?=## )/m);
  const [first = "", ...older] = sections;
  if (!first.startsWith("## Pending\n")) {
    throw new Error(`${CHANGELOG} does not begin with the heading "## Pending"; add it on top`);
  }
  const pending = first.slice("## Pending\n".length).trim();
  if (!/^(?!#)\S/m.test(pending)) {
    throw new Error(`nothing is pending in ${CHANGELOG}; say there what the release changes`);
  }
  const released = `## ${version} (${day})\n\n${pending}\n`;
  return [`${head}## Pending\n`, released, ...(older.length === 0 ? [] : [older.join("")])].join(
    "\n",
  );
}

/** Writes a commit of the given files and an annotated tag, of which nobody knows yet; gives their names. */
function writeObjects(files: ReadonlyMap<string, string>, version: string, at: string) {
  const head = git(["rev-parse", "HEAD"]);
  // An index of its own: the real one and the working tree stay as they are until all is done.
  const env = {
    GIT_INDEX_FILE: join(git(["rev-parse", "--absolute-git-dir"]), `release-${process.pid}`),
    GIT_AUTHOR_DATE: at,
    GIT_COMMITTER_DATE: at,
  };
  try {
    git(["read-tree", head], "", env);
    for (const [path, text] of files) {
      const blob = git(["hash-object", "-w", "--path", path, "--stdin"], text);
      git(["update-index", "--cacheinfo", `100644,${blob},${path}`], "", env);
    }
    const tree = git(["write-tree"], "", env);
    const commit = git(["commit-tree", tree, "-p", head], `Release ${version}\n`, env);
    const tagger = git(["var", "GIT_COMMITTER_IDENT"], "", env);
    const lines = [`object ${commit}`, "type commit", `tag v${version}`, `tagger ${tagger}`, ""];
    const tag = git(["mktag"], `${lines.join("\n")}\nhdash ${version}\n`);
    return { head, commit, tag };
  } finally {
    rmSync(env.GIT_INDEX_FILE, { force: true });
  }
}

/** What is wrong, and what to do, in our words or git's. */
function whyOf(error: unknown): string {
  const failed = error as Error & { readonly stderr?: string };
  return failed.stderr?.trim() || failed.message;
}

/** Brings the files of a release that is committed into the index and the working tree, and no others. */
function checkOut(version: string, paths: readonly string[]): void {
  try {
    git(["checkout", "--quiet", "HEAD", "--", ...paths]);
  } catch (error) {
    throw new Unfinished(
      `${whyOf(error)}\nrelease: ${version} is committed and tagged, but the working tree still has the files before it; ` +
        `bring them up to it by: git checkout HEAD -- ${paths.join(" ")}`,
    );
  }
}

function release(version: string): void {
  checkTree();
  const changelog = read(CHANGELOG);
  checkVersion(version, changelog);
  const at = new Date().toISOString();
  const files = new Map([
    [CHANGELOG, releaseChangelog(changelog, version, at.slice(0, 10))],
    ...Object.entries(PLACES).map(([path, patterns]): [string, string] => [
      path,
      patterns.reduce((text, pattern) => text.replace(pattern, `$1${version}$3`), read(path)),
    ]),
  ]);
  const { head, commit, tag } = writeObjects(files, version, at);
  const refs = [
    ...["start", `update refs/heads/main ${commit} ${head}`, `create refs/tags/v${version} ${tag}`],
    ...["prepare", "commit", ""],
  ];
  git(["update-ref", "-m", `release ${version}`, "--stdin"], refs.join("\n"));
  checkOut(version, [...files.keys()]);
  process.stdout.write(
    `release: ${version} is committed and tagged. Look at it (git show v${version}), then: git push --atomic origin main v${version}\n`,
  );
}

try {
  release(process.env["VERSION"] ?? "");
} catch (error) {
  const end = error instanceof Unfinished ? "" : "release: nothing was changed\n";
  process.stderr.write(`release: ${whyOf(error)}\n${end}`);
  process.exitCode = 1;
}
