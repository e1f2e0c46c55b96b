// Inputs that lie in a bucket: named by their address where a path could stand, fetched once, and again where they have changed.

import { join } from "node:path";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { type Ended, hdash } from "../../support/command.ts";
import { type S3Server, startS3 } from "../../support/s3Server.ts";
import { LONG_MS, openPipelineRuns, type PipelineRuns, tally } from "./support/pipelineRuns.ts";

const PIPELINE = `
import { command, file, folder, integer, optional, pipeline, sh, table, text } from "hdash";
export const align = command({
  name: "align", takes: { reads: file(), reference: folder() }, gives: { out: file("out.txt") },
  run: ({ reads, reference }) => sh\`(cat \${reads}; cd \${reference}; find . -type f | sort | xargs cat) > out.txt\`,
});
export default pipeline({
  name: "far", takes: { sheet: table({ reads: file() }), reference: folder() }, gives: { out: file() },
  plan: ({ sheet, reference }, { run }) => ({ out: run(align, { reads: sheet[0].reads, reference }).out }),
});`;

let s3: S3Server;
let runs: PipelineRuns;
let env: Readonly<Record<string, string>>;
beforeAll(async () => {
  s3 = await startS3({ buckets: ["data", "empty"] });
  env = {
    S3_ENDPOINT_URL: s3.url,
    S3_ACCESS_KEY_ID: s3.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
  };
});
afterAll(() => s3.close());
beforeEach(async () => {
  runs = await openPipelineRuns();
  await runs.put("far.ts", PIPELINE);
  await runs.put("s.csv", "reads\ns3://data/reads/a b+ü.fq\n");
  s3.setObject("data", "reads/a b+ü.fq", "reads\n");
  s3.setObject("data", "ref/genome.fa", "ACGT\n");
  s3.setObject("data", "ref/index/deep.idx", "index\n");
  s3.setObject("data", "ref/index/", "");
  s3.setObject("data", "refuse/other.fa", "not below ref/\n");
});
afterEach(() => runs.remove());

const flags = (reference: string): readonly string[] => [
  ...["--sheet", join(runs.dir, "s.csv"), "--reference", reference],
];
const run = (reference = "s3://data/ref/", ...more: readonly string[]): Promise<Ended> =>
  runs.run("far.ts", [...flags(reference), ...more], env);

async function plan(): Promise<Ended> {
  const words = ["plan", join(runs.dir, "far.ts"), ...flags("s3://data/ref/")];
  return hdash(words, { HDASH_HOME: join(runs.dir, "home"), ...env });
}

/** Keys whose bytes were read. */
function fetched(): readonly string[] {
  const keys = s3.requests
    .filter(({ method, key }) => method === "GET" && key !== "")
    .map(({ key }) => key);
  s3.requests.length = 0;
  return [...new Set(keys)].sort();
}

describe("a pipeline whose inputs lie in a bucket", () => {
  test(
    "brings them once, by name or as a folder, and again only where the store says that they have changed",
    async () => {
      s3.requests.length = 0;
      const planned = await plan();
      expect(planned.stdout, planned.stderr).toContain("far   1 step: ");
      expect(fetched()).toEqual([]);
      const first = await run("s3://data/ref", ...runs.out);
      expect(first.code, first.stderr).toBe(0);
      expect(tally(first)).toBe("0 hits, 4 ran, 0 failed");
      expect(await runs.given("out.txt")).toBe("reads\nACGT\nindex\n");
      expect(fetched()).toEqual(["reads/a b+ü.fq", "ref/genome.fa", "ref/index/deep.idx"]);
      expect(tally(await run())).toBe("4 hits, 0 ran, 0 failed");
      expect((await plan()).stdout).toContain("far   1 step: 1 is a hit");
      expect(fetched()).toEqual([]);

      s3.setObject("data", "ref/genome.fa", "TTTT\n");
      expect((await plan()).stdout).toMatch(/\?\s+align .* reads given folder ref: a hit if/);
      const changed = await run("s3://data/ref/", ...runs.out);
      expect(tally(changed)).toBe("1 hit, 3 ran, 0 failed");
      expect(await runs.given("out.txt")).toBe("reads\nTTTT\nindex\n");
      // The same bytes put again: they are brought, and what reads them is a hit.
      s3.setObject("data", "reads/a b+ü.fq", "other\n");
      s3.setObject("data", "reads/a b+ü.fq", "reads\n");
      expect(tally(await run())).toBe("4 hits, 0 ran, 0 failed");
    },
    3 * LONG_MS,
  );

  test.each([
    ["s3://data/none/", "s3://data/none/ has no objects", 1],
    ["s3://empty", "s3://empty/ has no objects", 1],
    ["s3://nowhere/ref/", "nowhere", 1],
    ["s3:///ref", "--reference is s3:///ref: it names no bucket", 2],
  ])("says what is wrong with %s", async (reference, says, code) => {
    const ended = await run(reference);
    expect(ended.code).toBe(code);
    expect(ended.stderr).toContain(says);
  });

  test("says where a sheet names no object, a folder in a file's place, or a table lies in a bucket", async () => {
    await runs.put("s.csv", "reads\ns3://data/reads/none.fq\n");
    expect((await run()).stderr).toContain("s3://data/reads/none.fq is not there");
    await runs.put("s.csv", "reads\ns3://data/reads/\n");
    expect((await run()).stderr).toContain(
      "--sheet, row 2, reads is s3://data/reads/: it names a folder, and a file belongs here",
    );
    await runs.put("s.csv", "reads\ns3://data\n");
    expect((await run()).stderr).toContain("s3://data: it names a bucket, and no object");
    const sheet = await runs.run(
      "far.ts",
      ["--sheet", "s3://data/s.csv", "--reference", "s3://data/ref"],
      env,
    );
    expect(sheet.stderr).toContain(
      "--sheet is s3://data/s.csv: a table is read from a file of this machine",
    );
  });

  test("refuses keys that can be no files of a folder", async () => {
    s3.setObject("data", "odd/a", "a file");
    s3.setObject("data", "odd/a/b", "and a folder");
    expect((await run("s3://data/odd")).stderr).toContain(
      's3://data/odd/ cannot be a folder: "a/b" can be no file in it',
    );
    s3.setObject("data", "out/../x", "leads out");
    s3.setObject("data", "out//y", "has no name");
    const out = await run("s3://data/out");
    expect(out.stderr).toContain('s3://data/out/ cannot be a folder: "../x", and 1 more can be');
  });

  test("seen from a file of parameters, an address stays one", async () => {
    await runs.put("p.json", JSON.stringify({ sheet: "s.csv", reference: "s3://data/ref/" }));
    const ended = await runs.run("far.ts", ["--params", join(runs.dir, "p.json")], env);
    expect(ended.code, ended.stderr).toBe(0);
  });
});
