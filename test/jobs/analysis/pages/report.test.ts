// Pages of runs of a real pipeline: one that is good, one that has reused a part, one that has failed in part; in a folder, and on a site.

import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type Ended, hdash } from "../../../support/command.ts";
import { schemaProblems } from "../../../support/jsonSchema.ts";

const LONG_MS = 240_000;
const SECRET = "correct-horse-battery";
/** What the samples hold, and programs say: on no page that everybody reads. */
const READS = "GGGGACGTGGGGACGT";

let dir: string;

function own(...args: readonly string[]): Promise<Ended> {
  const site = { HDASH_SITE_DIR: join(dir, "site") };
  return hdash(args, { HDASH_HOME: join(dir, "home"), TOKEN: SECRET, ...site });
}

function run(names: string, ...flags: readonly string[]): Promise<Ended> {
  const reads = join(dir, "reads.fa");
  return own("run", join(dir, "variants.ts"), "--names", names, "--reads", reads, ...flags);
}

async function filesBelow(folder: string): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for (const name of (await readdir(folder, { recursive: true })).sort()) {
    if ((await stat(join(folder, name))).isDirectory()) continue;
    files.set(name, await readFile(join(folder, name), "utf8"));
  }
  return files;
}

/** A page's text, a line for each of its elements that has any. */
function textOf(html: string): string {
  const main = /<main[\s\S]*<\/main>/.exec(html)?.[0] ?? "";
  return main
    .replaceAll(/<script[\s\S]*?<\/script>|<svg[\s\S]*?<\/svg>/g, "")
    .replaceAll(/<\/?(?:b|small|kbd|span|a)\b[^>]*>/g, "")
    .replaceAll(/<[^>]+>/g, "\n")
    .replaceAll(/\n\s*\n+/g, "\n");
}

async function report(runId: string, ...flags: readonly string[]): Promise<Ended> {
  return own("report", runId, "--out", join(dir, `report-${runId}`), ...flags);
}

async function pageOf(runId: string): Promise<string> {
  return readFile(join(dir, `report-${runId}`, "index.html"), "utf8");
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-reports-"));
  await writeFile(join(dir, "package.json"), '{ "type": "module" }');
  await writeFile(join(dir, "reads.fa"), READS);
  const source = await readFile(join(import.meta.dirname, "../pipelines/variants.ts"), "utf8");
  await writeFile(join(dir, "variants.ts"), source.replaceAll("../../../../src/index.ts", "hdash"));
  for (const [names, code] of [
    ["ash", 0],
    ["ash,elm", 0],
    ["ash,broken,lost", 3],
  ] as const) {
    const ended = await run(names);
    expect(ended.code, ended.stderr).toBe(code);
  }
}, LONG_MS);
afterAll(() => rm(dir, { recursive: true, force: true }));

describe("hdash run ./p.ts", () => {
  test(
    "says in its message which steps failed and why, each in a line of its own, and what it gave",
    async () => {
      const { stderr } = await run("ash,broken,lost");
      const said = stderr.slice(stderr.indexOf("⚠️")).split("\n");
      const lines = said.map((line) => line.trim()).filter((line) => !/ended: degraded/.test(line));
      expect(lines.slice(0, 13)).toEqual([
        "⚠️ variants: 2 steps failed, 2 did not run",
        "Failed",
        "• align reads lost (failed · error): no index for lost",
        expect.stringMatching(/^hdash logs [0-9a-f]{8} --attempt 2$/),
        "• call broken (failed · exit, after 2 attempts): it ended with 7",
        expect.stringMatching(/^hdash logs [0-9a-f]{8} --attempt 4$/),
        "Did not run",
        "• count lost: it needs align reads lost, which failed",
        "• call lost: it needs align reads lost, which failed",
        "Results",
        "• sites[0]: file, 20 B",
        "• samples[0]: a value",
        "• samples[1]: a value",
      ]);
      expect(lines).toContainEqual(
        expect.stringMatching(/^0 ran, 5 reused \(.* of work saved\), 2 failed · /),
      );
    },
    LONG_MS,
  );
});

describe("hdash report RUN --out DIR", () => {
  test(
    "tells of a good run what ran and what it gave, with a page for each result",
    async () => {
      const ended = await report("1", "--json");
      expect(ended.code, ended.stderr).toBe(0);
      const told = JSON.parse(ended.stdout) as { readonly files: readonly string[] };
      expect(schemaProblems("report", told)).toEqual([]);
      const pages = told.files.filter((path) => path.endsWith(".html"));
      expect(pages).toEqual(["index.html", "provenance.html", "result-sites-0.html"]);
      const files = await filesBelow(join(dir, "report-1"));
      expect([...files.keys()].filter((name) => name !== ".hdash-report")).toEqual(told.files);
      const text = textOf(files.get("index.html") ?? "");
      expect(text).toMatch(/variants, run 1\nsucceeded · .* UTC · took .* · variants\.ts · hdash /);
      expect(text).toMatch(/Steps ran\n3\nReused\n0\nFailed\n0\n/);
      expect(text).not.toMatch(/To look further|Did not run/);
      expect(text).toContain('names\n["ash"]'.replaceAll('"', "&quot;"));
      expect(files.get("index.html")).toContain('<a href="result-sites-0.html">sites[0]</a>');
      expect(textOf(files.get("result-sites-0.html") ?? "")).toContain("variants.sites[0]");
      // All that pages refer to is there.
      for (const [, path = ""] of (files.get("index.html") ?? "").matchAll(
        /(?:src|href)="([^"#:]+)"/g,
      )) {
        expect([...files.keys()]).toContain(path);
      }
    },
    LONG_MS,
  );

  test(
    "tells of one that reused a part, from which run that is and how long it would have taken",
    async () => {
      const { code, stderr, stdout } = await report("2");
      expect(code, stderr).toBe(0);
      expect(stdout).toMatch(/report-2\/index\.html tells of run 2 of variants \(\d+ files\)/);
      const html = await pageOf("2");
      expect(textOf(html)).toMatch(
        /Steps ran\n3\nReused\n3\nFailed\n0\n[\s\S]*Saved by reuse\n[1-9]/,
      );
      expect(textOf(html)).toMatch(/align reads\nash\nash\nReused\n[^\n]+UTC\nrun 1\n/);
      expect(html).toContain("1 ran, 1 reused");
    },
    LONG_MS,
  );

  test(
    "tells of what failed first: which attempt, how it ended, its last lines, what did not run because of it",
    async () => {
      expect((await report("3")).code).toBe(0);
      const html = await pageOf("3");
      const text = textOf(html);
      expect(text).toContain("align reads lost, call broken failed, 2 did not run");
      expect(text).toMatch(
        /call broken in broken\nfailed · exit, after 2 attempts: it ended with 7\nthe token is \*\*\*\nbroken GGGGACGTGGGGACGT\nTo look further: hdash logs [0-9a-f]{8} --attempt 2\n/,
      );
      expect(text).toContain("count lost: it needs align reads lost, which failed\n");
      expect(html).toMatch(/1 failed, 1 ran, 1 reused/);
      expect(text).toMatch(/align reads\nlost\nlost\nFailed\n/);
    },
    LONG_MS,
  );

  test(
    "writes over an earlier report and over nothing else",
    async () => {
      await mkdir(join(dir, "mine"));
      await writeFile(join(dir, "mine/thesis.txt"), "years");
      const refused = await own("report", "1", "--out", join(dir, "mine"));
      expect(refused.code).toBe(2);
      expect(refused.stderr).toContain("mine, which holds something else than a report");
      const file = await own("report", "1", "--out", join(dir, "mine/thesis.txt"));
      expect([file.code, file.stderr]).toEqual([2, expect.stringContaining("which is no folder")]);
      expect(await readFile(join(dir, "mine/thesis.txt"), "utf8")).toBe("years");
      await writeFile(join(dir, "report-1/left.html"), "of an earlier one");
      expect((await report("1")).code).toBe(0);
      expect(await readdir(join(dir, "report-1"))).not.toContain("left.html");
      const strange = await own("report", "77", "--out", join(dir, "no"));
      expect([strange.code, strange.stderr]).toEqual([2, expect.stringContaining("77")]);
      const below = await own("report", "1", "--out", join(dir, "reads.fa/in"));
      expect([below.code, below.stderr]).toEqual([2, expect.stringContaining("reads.fa/in")]);
    },
    LONG_MS,
  );
});

describe("hdash run ./p.ts --publish", () => {
  test(
    "puts pages on the site with no word of a log or an error, and no value but parameters",
    async () => {
      const ended = await run("ash,broken,lost", "--publish");
      expect(ended.code, ended.stderr).toBe(3);
      expect(ended.stderr).toContain("pipelines/variants/index.html");
      const site = await filesBelow(join(dir, "site"));
      const names = [...site.keys()];
      expect(names.every((name) => name.startsWith("pipelines/"))).toBe(true);
      expect(names.filter((name) => name.endsWith(".html"))).toEqual([
        "pipelines/index.html",
        "pipelines/variants/index.html",
        "pipelines/variants/provenance.html",
        "pipelines/variants/result-sites-0.html",
      ]);
      const html = site.get("pipelines/variants/index.html") ?? "";
      expect(html).toContain('href="../index.html"');
      const list = site.get("pipelines/index.html") ?? "";
      expect(list).toContain('href="variants/index.html"');
      expect(textOf(list)).toMatch(/variants\s+degraded\s+\d+\s/);
      expect(textOf(html)).toContain(
        "call broken in broken\nfailed · exit, after 2 attempts\nDid not run",
      );
      for (const text of site.values()) {
        for (const word of [
          SECRET,
          READS,
          "the token is",
          "no index for",
          "ended with 7",
          "hdash logs",
          dir,
        ]) {
          // The hint of a column is no log.
          expect(text.replaceAll("hdash logs KEY", "")).not.toContain(word);
        }
      }
    },
    LONG_MS,
  );

  test(
    "is refused with stubs, and says when pages could not be put there",
    async () => {
      const both = await run("ash", "--publish", "--stub");
      expect([both.code, both.stderr]).toEqual([
        2,
        expect.stringContaining("--publish is set, but so is --stub"),
      ]);
      await rm(join(dir, "site"), { recursive: true });
      await mkdir(join(dir, "site/pipelines"), { recursive: true });
      await writeFile(join(dir, "site/pipelines/variants"), "in the way");
      const ended = await run("ash", "--publish");
      expect(ended.code, ended.stderr).toBe(3);
      expect(ended.stderr).toMatch(/pages of run \d+ could not be published: /);
      expect(ended.stderr).toContain("variants ended: succeeded");
    },
    LONG_MS,
  );
});
