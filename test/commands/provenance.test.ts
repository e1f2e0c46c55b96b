// hdash provenance, as users run it, on a pipeline that has run twice with a change in between, and on one that has failed in part.

import { cp, mkdir, mkdtemp, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { digestOf } from "../../src/digest.ts";
import type { Provenance } from "../../src/lineage/provenance.ts";
import type { ReadCrate } from "../lineage/crateGraph.ts";
import { brokenRules } from "../lineage/crateRules.ts";
import { statementProblems } from "../lineage/statementRules.ts";
import { type Ended, hdash } from "../support/command.ts";
import { schemaProblems } from "../support/jsonSchema.ts";

const PIPELINES = join(import.meta.dirname, "../jobs/analysis/pipelines");
const SECRET = "correct-horse-battery";
/** What a lane holds: no output of ours may have it. */
const BASES = "GGGGACGTGGGGACGT";
const LONG_MS = 180_000;

/** Makes files; fails for one name, and has a secret. */
const PARTS = `import { command, file, list, pipeline, sh, step, text } from "hdash";
export const write = step({ name: "write", takes: { name: text() }, gives: { text: file() },
  async run({ name }, { write }) { return { text: await write("text", "for " + name) }; } });
export const check = command({ name: "check", takes: { from: file(), name: text() }, gives: { out: file("out") },
  secrets: ["TOKEN"], env: { MODE: "strict" },
  run: ({ from, name }) => sh\`test \${name} != bad && cp \${from} out\` });
export default pipeline({ name: "parts", takes: { names: list(text()) }, gives: { outs: list(file()) },
  async plan({ names }, { run, scope }) {
    const done = await Promise.all(names.map((name) => scope(name, () => run(check, { from: run(write, { name }).text, name }).out)));
    return { outs: done.flatMap((one) => (one.ok ? [one.value] : [])) };
  } });
`;

let dir: string;

function own(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return hdash(args, { HDASH_HOME: join(dir, "home"), ...env });
}

async function told(...args: readonly string[]): Promise<string> {
  const ended = await own(["provenance", ...args]);
  expect(ended.code, ended.stderr).toBe(0);
  return ended.stdout;
}

async function asJson(word: string, ...args: readonly string[]): Promise<Provenance> {
  return JSON.parse(await told(word, "--json", ...args)) as Provenance;
}

const WHO = {
  HDASH_AGENT: "Ada Lovelace <https://orcid.org/0000-0002-1825-0097>",
  HDASH_LICENCE: "CC-BY-4.0",
};

async function crate(word: string, ...args: readonly string[]) {
  const out = await mkdtemp(join(dir, "crate-"));
  const ended = await own(["provenance", word, "--format", "ro-crate", "--out", out, ...args], WHO);
  expect(ended.code, ended.stderr).toBe(0);
  const text = await readFile(join(out, "ro-crate-metadata.json"), "utf8");
  const read = JSON.parse(text) as ReadCrate & {
    readonly "@graph": readonly Readonly<Record<string, unknown>>[];
  };
  return { out, text, read, stderr: ended.stderr, graph: read["@graph"] };
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-provenance-"));
  const source = await readFile(join(PIPELINES, "kmer.ts"), "utf8");
  await writeFile(join(dir, "kmer.ts"), source.replaceAll("../../../../src/index.ts", "hdash"));
  await writeFile(join(dir, "parts.ts"), PARTS);
  await writeFile(join(dir, "package.json"), '{ "type": "module" }');
  await cp(join(PIPELINES, "bin"), join(dir, "bin"), { recursive: true });
  for (const [name, bases] of Object.entries({ A_1: "ACGTACGTAA", A_2: "ACGTTT", B_1: BASES })) {
    await writeFile(join(dir, `${name}.fa`), `>r\n${bases}\n`);
  }
  await writeFile(join(dir, "s.csv"), "sample,lane\nA,A_1.fa\nA,A_2.fa\nB,B_1.fa\n");
  const run = async (min: string): Promise<void> => {
    const ended = await own([
      ...["run", join(dir, "kmer.ts"), "--sheet", join(dir, "s.csv"), "--k", "3", "--min", min],
      ...["--out", join(dir, "out")],
    ]);
    expect(ended.code, ended.stderr).toBe(0);
  };
  await run("1");
  await writeFile(join(dir, "A_2.fa"), ">r\nACGTTTAA\n");
  await run("1");
  const failed = await own(["run", join(dir, "parts.ts"), "--names", "good,bad"], {
    PARTS_NAMES: "good,bad",
    TOKEN: SECRET,
  });
  expect([failed.code, failed.stderr.includes(SECRET)]).toEqual([3, false]);
}, LONG_MS);
afterAll(() => rm(dir, { recursive: true, force: true }));

describe("hdash provenance RESULT", () => {
  test(
    "tells by name, by path, by digest and by key what a result was made of",
    async () => {
      const text = await told("kmer.merged[0]");
      expect(text).toMatch(
        /^merged\[0\] {2}sha256:[0-9a-f]{12} {2}\d+ B {2}given by merge A_1\.fa \+1$/m,
      );
      expect(text).toMatch(/^ {2}count A_1\.fa {2}\(run 1, /m);
      expect(text).toMatch(/^ {2}count A_2\.fa {2}\(run 2, /m);
      expect(text).toMatch(/^ {4}lane {2}sha256:[0-9a-f]{12} {2}given: A_2\.fa$/m);
      expect(text).toMatch(/^run 1 of kmer, .*, which made a part of it$/m);
      const named = await asJson("kmer.merged[0]");
      const [result] = named.results;
      const digest = result !== undefined && "digest" in result ? result.digest : "";
      expect(digest).toBe(digestOf(await readFile(join(dir, "out", "merged-0.tsv"))));
      const { key } = named.steps.find(({ step }) => step === "merge") ?? { key: "" };
      for (const word of [join(dir, "out", "merged-0.tsv"), `sha256:${digest}`, key]) {
        const { steps, given } = await asJson(word);
        expect(steps.map((one) => one.key)).toEqual(named.steps.map((one) => one.key));
        expect(given).toEqual(named.given);
      }
    },
    LONG_MS,
  );

  test(
    "tells as JSON what its schema says, of a result and of whole runs, and ends where --depth says",
    async () => {
      const whole = await asJson("kmer");
      expect(schemaProblems("provenance", whole)).toEqual([]);
      expect(whole.steps.map(({ step, label, run, state }) => [step, label, run, state])).toEqual(
        expect.arrayContaining([
          ["count", "A_1.fa", "1", "hit"],
          ["count", "A_2.fa", "2", "ran"],
          ["merge", "B_1.fa", "1", "hit"],
        ]),
      );
      expect(whole.run?.parameters).toEqual({ sheet: "s.csv", k: 3, min: 1 });
      const cut = await asJson("kmer", "--depth", "0");
      expect(schemaProblems("provenance", cut)).toEqual([]);
      expect([cut.steps.map(({ step }) => step), cut.isCut]).toEqual([["merge", "merge"], true]);
      const more = await asJson("kmer.merged[1]", "--depth", "1");
      expect([more.steps.map(({ step }) => step), more.isCut]).toEqual([["count", "merge"], true]);
      const failed = await asJson("parts");
      expect(schemaProblems("provenance", failed)).toEqual([]);
      expect(failed.failed).toMatchObject([{ step: "check", scope: "bad" }]);
    },
    LONG_MS,
  );

  test(
    "draws a graph, and makes a page of one file, without contents, folders of the machine or secrets",
    async () => {
      const dot = await told("kmer", "--format", "dot");
      expect(dot).toContain("digraph provenance {");
      expect(dot).toMatch(/^ {2}s\d+ -> s\d+ \[label="tables\[0\]"\];$/m);
      const page = join(dir, "page.html");
      await told("kmer", "--format", "html", "--out", page);
      const html = await readFile(page, "utf8");
      expect(/<link rel="stylesheet"|<script src|-src 'self'/.exec(html)?.[0]).toBeUndefined();
      expect(html).toContain("count A_2.fa");
      const slsa = await told("kmer", "--format", "slsa");
      const all = [dot, html, slsa, await told("kmer"), JSON.stringify(await asJson("kmer"))];
      for (const text of [...all, (await crate("kmer")).text]) {
        expect([text.includes(BASES), text.includes(dir), text.includes(SECRET)]).toEqual([
          false,
          false,
          false,
        ]);
      }
    },
    LONG_MS,
  );
});

describe("hdash provenance --format ro-crate", () => {
  test(
    "keeps every rule for a run that used what others had made, whose calls have their own times",
    async () => {
      const { read, graph, out } = await crate("kmer");
      expect(brokenRules(read)).toEqual([]);
      const whole = await asJson("kmer");
      const reused = whole.steps.find(({ state }) => state === "hit");
      const action = graph.find((one) => one["@id"] === `#action-${reused?.result}`);
      expect([action?.["startTime"], action?.["endTime"]]).toEqual([
        reused?.startedAt,
        reused?.endedAt,
      ]);
      expect(Date.parse(reused?.endedAt ?? "")).toBeLessThan(
        Date.parse(whole.run?.startedAt ?? ""),
      );
      // The pipeline's own file is the workflow, since nobody has touched it.
      const bytes = await readFile(join(out, "kmer.ts"));
      expect(graph.find((one) => one["@id"] === "kmer.ts")).toMatchObject({
        contentSize: String(bytes.length),
        sha256: digestOf(bytes),
      });
    },
    LONG_MS,
  );

  test(
    "brings its data where it is asked to, at the paths and of the digests that it says",
    async () => {
      const { read, graph, out } = await crate("kmer.merged[1]", "--with-data");
      expect(brokenRules(read)).toEqual([]);
      const files = graph.filter((one) => [one["@type"]].flat().includes("File"));
      expect(files.length).toBeGreaterThan(2);
      for (const file of files) {
        const path = join(out, decodeURIComponent(String(file["@id"])));
        expect(digestOf(await readFile(path)), path).toBe(file["sha256"]);
        expect(String((await stat(path)).size)).toBe(file["contentSize"]);
      }
    },
    LONG_MS,
  );

  test(
    "keeps every rule for a run that failed in part, with the error of what failed, and no secret",
    async () => {
      const { read, graph, text } = await crate("parts", "--with-data");
      expect(brokenRules(read)).toEqual([]);
      expect(graph.find((one) => one["@id"] === "#run-3")).toMatchObject({
        actionStatus: "http://schema.org/CompletedActionStatus",
      });
      const failed = graph.filter(
        (one) => one["actionStatus"] === "http://schema.org/FailedActionStatus",
      );
      expect(failed.map((one) => one["@type"]).sort()).toEqual(["ControlAction", "CreateAction"]);
      expect(
        failed.every((one) => /exit code 1|ended with 1|code 1/.test(String(one["error"]))),
      ).toBe(true);
      expect(text).toContain('"MODE"'.replaceAll('"', ""));
      expect(text.includes(SECRET)).toBe(false);
    },
    LONG_MS,
  );

  test(
    "says what the ledger knows where the pipeline's file was changed, and warns of what nobody has said",
    async () => {
      const later = new Date(Date.now() + 60_000);
      await utimes(join(dir, "kmer.ts"), later, later);
      const out = join(dir, "bare");
      const ended = await own(["provenance", "kmer", "--format", "ro-crate", "--out", out]);
      expect(ended.code, ended.stderr).toBe(0);
      expect(ended.stderr).toContain("HDASH_AGENT");
      expect(ended.stderr).toContain("HDASH_LICENCE");
      expect(ended.stderr).toContain("workflow.json");
      const read = JSON.parse(
        await readFile(join(out, "ro-crate-metadata.json"), "utf8"),
      ) as ReadCrate;
      // What the profile asks for, and does not demand.
      expect(new Set(brokenRules(read).map((one) => one.split(":")[0]))).toEqual(
        new Set(["licence", "agents"]),
      );
      const again = await own(["provenance", "kmer", "--format", "ro-crate", "--out", out]);
      expect([again.code, again.stderr]).toEqual([
        2,
        expect.stringContaining("a folder with something in it"),
      ]);
    },
    LONG_MS,
  );
});

describe("hdash provenance --format slsa", () => {
  test(
    "makes a statement that keeps the rules of in-toto and SLSA, with all that was given by digest",
    async () => {
      const statement = JSON.parse(await told("kmer", "--format", "slsa")) as {
        readonly predicate: {
          readonly buildDefinition: {
            readonly resolvedDependencies: readonly { readonly name: string }[];
          };
        };
      };
      expect(statementProblems(statement)).toEqual([]);
      const { resolvedDependencies } = statement.predicate.buildDefinition;
      expect(resolvedDependencies.map(({ name }) => name).sort()).toEqual([
        ...["A_1.fa", "A_2.fa", "B_1.fa", "code of count", "code of merge"],
        ...["files that count uses", "files that merge uses"],
      ]);
      expect(statementProblems(JSON.parse(await told("parts", "--format", "slsa")))).toEqual([]);
    },
    LONG_MS,
  );
});

describe("hdash provenance, used wrongly", () => {
  test.each([
    [["kmer", "--format", "ro-crate"], "a crate is a folder: --out says where"],
    [
      ["kmer", "--format", "dot", "--with-data"],
      "--with-data is for --format ro-crate, and not for dot",
    ],
    [["kmer", "--depth", "deep"], "It must be a whole number from 0 on."],
    [["kmer", "--format", "xml"], "xml"],
    [["nothing-here"], "is no result"],
    [["parts.none"], "has given no none"],
    [["kmer", "--out", "."], "--out is ., which is a folder"],
    [["kmer", "--out", "/no/such/folder/x"], "--out is /no/such/folder/x, which cannot be written"],
    [
      ["kmer", "--format", "ro-crate", "--out", "package.json"],
      "--out is package.json, which is no folder",
    ],
  ])(
    "refuses %j",
    async (args, said) => {
      const ended = await own(["provenance", ...args]);
      expect(ended.stderr).toContain(said);
      expect(ended.code).toBe(2);
    },
    LONG_MS,
  );

  test(
    "names by digest what is gone from the store",
    async () => {
      await rm(join(dir, "home", "blobs"), { recursive: true, force: true });
      await mkdir(join(dir, "home", "blobs"), { recursive: true });
      const { read, stderr } = await crate("kmer", "--with-data");
      expect(stderr).toMatch(/\d+ contents of the crate are gone/);
      expect(brokenRules(read)).toEqual([]);
    },
    LONG_MS,
  );
});
