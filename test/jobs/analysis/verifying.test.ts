// Steps done again and compared, by hdash as users run it: each step that looks at what is not in its key is found, and the kind of it named.

import { readFile, rename } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { type Ended, hdash } from "../../support/command.ts";
import { schemaProblems } from "../../support/jsonSchema.ts";
import { LONG_MS, openPipelineRuns, type PipelineRuns, tally } from "./support/pipelineRuns.ts";

const PIPELINES = join(import.meta.dirname, "pipelines");

let runs: PipelineRuns;
beforeEach(async () => {
  runs = await openPipelineRuns();
});
afterEach(() => runs.remove());

/** Runs another command on the same ledger. */
function ask(words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return hdash(words, { HDASH_HOME: join(runs.dir, "home"), ...env });
}

interface Step {
  readonly key: string;
  readonly step: string;
  readonly state: string;
  readonly why: string | null;
  readonly isTrusted: boolean;
  readonly withdrawn: string | null;
  readonly madeMeanwhile: readonly string[];
  readonly differences: readonly {
    readonly port: string;
    readonly path: string | null;
    readonly kind: string;
    readonly offset: number | null;
  }[];
}
interface Said {
  readonly steps: readonly Step[];
  readonly left: readonly { readonly step: string; readonly why: string }[];
  readonly total: number;
  readonly seed: string;
  readonly tally: Readonly<Record<string, number>>;
}

async function verify(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Said & { readonly code: number | null }> {
  const { code, stdout, stderr } = await ask(["verify", ...words, "--json"], env);
  expect(stdout, stderr).toMatch(/^\{/);
  const said = JSON.parse(stdout) as Said;
  expect(schemaProblems("verify", said)).toEqual([]);
  return { ...said, code };
}

/** What was found of each step: its verdict, and the places and kinds of differences. */
function found({ steps }: Said): Readonly<Record<string, string>> {
  return Object.fromEntries(
    steps.map(({ step, state, why, differences }) => {
      const where = differences.map(
        ({ port, path, kind }) => `${port}${path === null ? "" : `/${path}`} ${kind}`,
      );
      return [step, [state, ...(why === null ? [] : [why]), ...where].join(": ")];
    }),
  );
}

describe("hdash verify of a run with moods", () => {
  test(
    "finds what depends on clock, order, /proc, chance, folder and processors, and names the kind; leaves the ledger's results alone",
    async () => {
      const source = await readFile(join(PIPELINES, "moody.ts"), "utf8");
      await runs.put("moody.ts", source.replace("../../../../src/index.ts", "hdash"));
      await runs.put("bin/once.sh", `mkdir '${join(runs.dir, "once")}'\n`);
      await runs.put("lane.txt", "b\na\n");
      const lane = ["--lane", join(runs.dir, "lane.txt")];
      const first = await runs.run("moody.ts", lane);
      expect(first.code, first.stderr).toBe(0);
      const said = await verify(["moody"]);
      const isOne = availableParallelism() === 1;
      const kinds = found(said);
      const { named, late, ...others } = kinds;
      expect(others).toEqual({
        ...{ sorted: "same", parts: "same", weigh: "same" },
        ...{ clock: "different: out time", seconds: "different: at time" },
        zipped: "different: out time",
        ...{ shuffled: "different: out order", raced: "different: names order" },
        swapped: "different: files order",
        ...{ uptime: "different: out number", identified: "different: out random" },
        ...{ drawn: "different: value number", noisy: "different: all/x.bin bytes" },
        ...{ placed: "different: out path", grown: "different: out size" },
        threads: isOne ? "same" : "different: out cpus",
        asked: isOne ? "same" : "different: out cpus",
        cores: isOne ? "same" : "different: n cpus",
      });
      expect(named).toMatch(/^different: all\/made-\d+ missing: all\/made-\d+ added$/);
      expect(late).toMatch(/^failed: .*(exit|File exists|1)/);
      expect(said.code).toBe(1);
      const [clock] = said.steps.filter(({ step }) => step === "clock");
      // "made at 2026-…": what has passed since is seconds at the most.
      expect(clock?.differences[0]?.offset).toBeGreaterThan("made at 2026-".length);
      expect(said.left.map(({ step }) => step).sort()).toEqual(["always", "worldly"]);
      expect(said.left.map(({ why }) => why).join()).toMatch(
        /every run.*reads the world|reads the world.*every run/,
      );

      // Nothing was replaced: all but what is done in every run is a hit.
      expect(tally(await runs.run("moody.ts", lane))).toMatch(/^\d+ hits, 1 ran, 0 failed$/);
      // The verdict is kept, without what stands in the contents.
      await ask(["export", "moody", join(runs.dir, "out"), "--no-data"]);
      const records = await readFile(join(runs.dir, "out/records.ndjson"), "utf8");
      const verdicts = records.split("\n").filter((line) => line.includes('"differences"'));
      expect(verdicts).toHaveLength(said.steps.length);
      expect(verdicts.filter((line) => line.includes('"kind":"time"'))).toHaveLength(3);
      expect(verdicts.join("\n")).not.toContain("made at");
    },
    2 * LONG_MS,
  );
});

const SUMS = `
import { command, file, integer, list, pipeline, sh, step, text } from "hdash";
import { word } from "./words.ts";
export const count = step({
  name: "count", takes: { lane: file() }, gives: { n: integer() },
  run: ({ lane }, { log }) => { log(word); return { n: lane.bytes }; },
});
export const twice = command({
  name: "twice", takes: { lane: file(), n: integer() }, gives: { out: file("o.txt") }, uses: ["bin/twice.sh"],
  run: ({ lane }) => sh\`sh bin/twice.sh \${lane} > o.txt\`,
});
export const told = step({
  name: "told", takes: {}, gives: { length: integer() }, secrets: ["SUMS_TOKEN"],
  run: (_none, { secret }) => ({ length: secret("SUMS_TOKEN").length }),
});
export default pipeline({
  name: "sums", takes: { lane: file(), k: integer(2) }, gives: { n: integer(), out: file(), length: integer(), k: integer() },
  plan({ lane, k }, { run }) {
    const { n } = run(count, { lane });
    return { n, out: run(twice, { lane, n }).out, length: run(told, {}).length, k };
  },
});
`;
const TOKEN = { SUMS_TOKEN: "correct-horse-battery" };

describe("hdash verify and hdash trust of one's own pipeline", () => {
  beforeEach(async () => {
    await runs.put("sums.ts", SUMS);
    await runs.put("words.ts", 'export const word = "counting";\n');
    await runs.put("bin/twice.sh", 'cat "$1" "$1"\n');
    await runs.put("lane.txt", "b\na\n");
    expect(await run()).toBe("0 hits, 5 ran, 0 failed");
  }, LONG_MS);

  async function run(): Promise<string> {
    const ended = await runs.run("sums.ts", ["--lane", join(runs.dir, "lane.txt")], TOKEN);
    expect(ended.code, ended.stderr).toBe(0);
    return tally(ended);
  }
  const module = (): string => join(runs.dir, "sums.ts");
  const trust = (step: string, because: string): Promise<Ended> =>
    ask(["trust", module(), step, "--because", because]);

  test(
    "does one step, or with --deep what it was made of, or a part that a seed chooses",
    async () => {
      expect(found(await verify(["sums.out"]))).toEqual({ twice: "same" });
      const deep = await verify(["sums.out", "--deep"]);
      expect(found(deep)).toEqual({ count: "same", twice: "same" });
      expect(deep.code).toBe(0);
      const some = await verify(["sums", "--sample", "34%", "--seed", "x"], TOKEN);
      expect(some.steps).toHaveLength(2);
      expect(some.total).toBe(3);
      expect(found(await verify(["1", "--sample", "34%", "--seed", "x"], TOKEN))).toEqual(
        found(some),
      );
      // What is given is no work; asked for by itself it is said so.
      const given = await verify([join(runs.dir, "lane.txt")]);
      expect([given.steps, given.left.map(({ why }) => why), given.code]).toEqual([
        [],
        ["it was given"],
        1,
      ]);
      const { code, stdout } = await ask(["verify", "sums.out"]);
      expect(stdout).toMatch(
        /^same {7}twice lane\.txt.* \([0-9a-f]{8}\) {2}\S+ m?s\n1 step, with /,
      );
      expect(code).toBe(0);
    },
    2 * LONG_MS,
  );

  test(
    "says by name why a step cannot be done again",
    async () => {
      // Its secret is not set.
      expect(found(await verify(["1"]))).toMatchObject({
        told: expect.stringMatching(/^blocked: .*SUMS_TOKEN is not set/) as string,
      });
      await runs.put("words.ts", 'export const word = "counting on";\n');
      await runs.put("bin/twice.sh", 'cat "$1"; cat "$1"\n');
      const changed = await verify(["1"], TOKEN);
      expect(found(changed)).toEqual({
        count: "blocked: the code of count has changed since: words.ts",
        twice: "blocked: the code of twice has changed since: words.ts",
        told: "blocked: the code of told has changed since: words.ts",
      });
      expect(changed.code).toBe(1);
      await runs.put("words.ts", 'export const word = "counting";\n');
      expect(found(await verify(["1"], TOKEN))["twice"]).toBe(
        "blocked: what twice uses has changed since: bin/twice.sh",
      );
      await runs.put("sums.ts", SUMS.replaceAll('"count"', '"tally"'));
      expect(found(await verify(["1"], TOKEN))["count"]).toBe(
        `blocked: ${module()} has no step count any more`,
      );
      await runs.put("sums.ts", SUMS.replace('name: "count",', 'name: "count", version: 2,'));
      expect(found(await verify(["1"], TOKEN))["count"]).toBe(
        "blocked: the version of count was 1, and is 2",
      );
      await runs.put("sums.ts", SUMS.replace('uses: ["bin', 'env: { A: "1" }, uses: ["bin'));
      await runs.put("bin/twice.sh", 'cat "$1" "$1"\n');
      expect(found(await verify(["1"], TOKEN))["twice"]).toMatch(/^blocked: the code of twice/);
      await rename(module(), join(runs.dir, "moved.ts"));
      expect(found(await verify(["1"], TOKEN))["count"]).toBe(
        `blocked: there is no pipeline ${module()}`,
      );
      await runs.put("moved.ts", SUMS);
      const elsewhere = await verify(["1", "--with", join(runs.dir, "moved.ts")], TOKEN);
      expect(elsewhere.tally).toMatchObject({ same: 3 });
      await runs.put("other.ts", SUMS.replace('"sums"', '"other"'));
      expect(found(await verify(["sums.out", "--with", join(runs.dir, "other.ts")]))).toEqual({
        twice: `blocked: ${join(runs.dir, "other.ts")} is the pipeline other, not sums`,
      });
    },
    3 * LONG_MS,
  );

  test(
    "does what was made elsewhere, once it is told where the module is",
    async () => {
      const archive = join(runs.dir, "sums.tar.zst");
      expect((await ask(["export", "sums.out", archive])).code).toBe(0);
      const elsewhere = { HDASH_HOME: join(runs.dir, "elsewhere") };
      expect((await ask(["import", archive], elsewhere)).code).toBe(0);
      const key = (await verify(["sums.out"])).steps[0]?.key ?? "";
      expect(found(await verify([key], elsewhere))).toEqual({
        twice: "blocked: nobody knows where the module of sums is: name it by --with",
      });
      expect(found(await verify([key, "--deep", "--with", module()], elsewhere))).toEqual({
        count: "same",
        twice: "same",
      });
    },
    LONG_MS,
  );

  test(
    "refuses what is no result, and a part that is none",
    async () => {
      const refused: readonly (readonly [words: readonly string[], says: RegExp])[] = [
        [["sums.k"], /sums\.k is a value that the plan gave: no step made it/],
        [["sums", "--sample", "5"], /share above 0% and up to 100%/],
        [["none"], /"none" is no result/],
      ];
      for (const [words, says] of refused) {
        const { code, stderr } = await ask(["verify", ...words]);
        expect(stderr).toMatch(says);
        expect(code).toBe(2);
      }
    },
    LONG_MS,
  );

  test(
    "keeps what is known where code is trusted, until it is taken back or found to be wrong",
    async () => {
      await runs.put("words.ts", 'export const word = "counting on";\n');
      await runs.put("bin/twice.sh", 'cat "$1"; cat "$1"\n');
      expect((await trust("count", "only the log text")).stdout).toMatch(
        /^sums count: [0-9a-f]{8} stands for [0-9a-f]{8} since \S+ \S+, because only the log text\n$/,
      );
      expect((await trust("twice", "two commands do what one did")).code).toBe(0);
      expect((await trust("told", "only the log text")).code).toBe(0);
      const trusted = await runs.run("sums.ts", ["--lane", join(runs.dir, "lane.txt")], TOKEN);
      expect(tally(trusted)).toBe("5 hits, 0 ran, 0 failed");
      expect(trusted.stderr).toContain(
        "count: its code is trusted to give what it gave before: only the log text",
      );
      const same = await verify(["1"], TOKEN);
      expect(same.tally).toMatchObject({ same: 3 });
      expect(same.steps.map(({ isTrusted }) => isTrusted)).toEqual([true, true, true]);

      const list = await ask(["trust", "--list", "--json"]);
      const words = list.stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as object);
      // The code of each, and what twice uses.
      expect(words).toHaveLength(4);
      expect(words.flatMap((word) => schemaProblems("trust", word))).toEqual([]);

      // The same word for code that gives something else is found out.
      await runs.put("sums.ts", SUMS.replace("n: lane.bytes", "n: lane.bytes + 1"));
      for (const step of ["count", "twice", "told"]) await trust(step, "nothing has changed");
      expect(await run()).toBe("5 hits, 0 ran, 0 failed");
      await runs.put("lane.txt", "b\na\nc\n");
      expect(await run()).toBe("1 hit, 4 ran, 0 failed");
      const wrong = await verify(["1"], TOKEN);
      expect(found(wrong)).toMatchObject({ count: "different: n number", twice: "same" });
      const [count] = wrong.steps.filter(({ step }) => step === "count");
      expect(count?.withdrawn).toMatch(
        /^done again, it gave something else: n from byte 0 on: a number$/,
      );
      // The one of the other lane, which the old code had not seen.
      expect(count?.madeMeanwhile).toHaveLength(1);
      // count runs; the other lane's number was this code's already.
      expect(await run()).toBe("4 hits, 1 ran, 0 failed");

      const back = await ask(["trust", module(), "told", "--withdraw", "--because", "not sure"]);
      expect(back.stdout).toMatch(/sums told: .* no more \(not sure\)/);
      expect(await run()).toBe("4 hits, 1 ran, 0 failed");
      const again = await ask(["trust", module(), "told", "--withdraw"]);
      expect([again.code, again.stderr]).toEqual([
        2,
        expect.stringContaining("no word holds of told of sums"),
      ]);

      // The old code does not find what the other made under its name: it had never seen this lane.
      await runs.put("sums.ts", SUMS);
      await runs.put("words.ts", 'export const word = "counting";\n');
      const planned = await ask(["plan", module(), "--lane", join(runs.dir, "lane.txt")], TOKEN);
      expect(planned.stdout).toMatch(
        /run {3}count lane\.txt .*its code was trusted, and is no more: done again, it gave something else/,
      );
      const old = await runs.run(
        "sums.ts",
        ["--lane", join(runs.dir, "lane.txt"), "--json"],
        TOKEN,
      );
      expect(JSON.parse(old.stdout)).toMatchObject({
        results: [{ name: "n", value: 6 }, { name: "out" }, { name: "length" }, { name: "k" }],
      });
      expect((await ask(["why", "sums.n"])).stdout).toContain(
        "its code was trusted, and is no more",
      );
    },
    3 * LONG_MS,
  );

  test(
    "refuses words of trust without a reason, or with nothing to say",
    async () => {
      const refused = async (words: readonly string[], says: RegExp): Promise<void> => {
        const { code, stderr } = await ask(["trust", ...words]);
        expect(stderr).toMatch(says);
        expect(code).toBe(2);
      };
      await refused([], /whose code is to be trusted/);
      await refused([module(), "count"], /--because is missing: why does count/);
      await refused([module(), "count", "--because", " "], /--because is missing/);
      const because = ["--because", "it is so"];
      await refused([module(), "count", ...because], /the code of count is that of run 1/);
      await refused([module(), "coutn", ...because], /no step "coutn"\nDid you mean count\?/);
      await refused(
        [join(runs.dir, "no.ts"), "count", ...because],
        /there is no pipeline \S+no\.ts/,
      );
      await runs.put("words.ts", 'export const word = "counting on";\n');
      const edit = (from: string, to: string): Promise<void> =>
        runs.put("sums.ts", SUMS.replace(from, to));
      await edit('name: "count",', 'name: "count", version: 2,');
      await refused(
        [module(), "count", ...because],
        /only code can be trusted, and the version of count was 1, and is 2 \(run 1\)/,
      );
      await edit('uses: ["bin', 'env: { A: "1" }, uses: ["bin');
      await refused(
        [module(), "twice", ...because],
        /only code .* what twice declares has changed/,
      );
      await edit(', uses: ["bin/twice.sh"]', "");
      await refused([module(), "twice", ...because], /only code .* what twice uses has changed/);
      await edit('name: "sums"', 'name: "fresh"');
      await refused([module(), "count", ...because], /no good run of fresh has a result of count/);
      expect((await ask(["trust", "--list"])).stdout).toBe("no code is trusted\n");
    },
    2 * LONG_MS,
  );
});
