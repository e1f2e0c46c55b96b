// What a step is known by: what nobody declares changes no key, whatever is done to it; what is declared changes the key of the step that
// it is said of, and of no other. What is declared lies in a file of data here, so that it can change without the code.

import { createHash } from "node:crypto";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type Dice, makeDice } from "../../../src/lookalikes/dice.ts";
import { lockFile, packageFiles } from "./support/lanes.ts";
import {
  type Files,
  openPipelineRunner,
  type PipelineRunner,
  type Standing,
  type TracedRun,
  writeFolder,
} from "./support/pipelineRunner.ts";

type Row = Readonly<Record<string, unknown>>;

/** All that decides a key, apart from how and where it is written down. */
interface Declared {
  /** Options of the steps. */
  readonly said: Readonly<Record<"first" | "second" | "third", Row>>;
  readonly values: Row;
  /** Bytes of the given files. */
  readonly given: Readonly<Record<"a" | "b" | "c", string>>;
  readonly files: Files;
  readonly isStub: boolean;
}

const BASE: Declared = {
  said: {
    first: { name: "first", uses: ["bin/tool.sh"], env: { MODE: "plain" } },
    second: { name: "second" },
    third: { name: "third" },
  },
  values: {
    ...{ word: "a", n: 1, x: 0.5, yes: true, one: "left", words: ["p", "q"] },
    deep: { a: [1, "two", null], b: { c: 1, d: 2 } },
  },
  given: { a: "bytes of a\n", b: "bytes of b\n", c: "bytes of c\n" },
  files: {
    "package.json": '{ "type": "module" }',
    "package-lock.json": lockFile("1.0.0"),
    ...packageFiles("1.0.0"),
    "bin/tool.sh": "#!/bin/bash\n",
    "said.ts": `
import { readFileSync } from "node:fs";
export const said = JSON.parse(readFileSync(new URL("./said.json", import.meta.url), "utf8"));
`,
    "first.ts": `
import { boolean, choice, command, file, integer, list, number, sh, text } from "hdash";
import { said } from "./said.ts";
export const first = command({
  ...said.first,
  takes: {
    a: file(), more: list(file()), word: text(), n: integer(), x: number(), yes: boolean(),
    one: choice("left", "right"), words: list(text()),
  },
  gives: { out: file("out.txt") },
  run: ({ a, more }) => sh\`cat \${a} \${more} > out.txt\`,
  stub: ({ a, more }) => sh\`cat \${a} \${more} > out.txt\`,
});
`,
    "second.ts": `
import { file, json, step } from "hdash";
import { rank } from "rank";
import { said } from "./said.ts";
import { tell } from "./tell.ts";
export const second = step({
  ...said.second,
  takes: { out: file(), deep: json() },
  gives: { told: file() },
  run: async ({ out, deep }, { write }) => {
    const words = [[await out.text(), 1], [JSON.stringify(deep), 2]].sort(rank);
    return { told: await write("told.txt", tell(words)) };
  },
});
`,
    "tell.ts": `export const tell = (words: unknown): string => String(words);\n`,
    "third.ts": `
import { integer, step } from "hdash";
import { said } from "./said.ts";
export const third = step({
  ...said.third, takes: { n: integer() }, gives: { n: integer() }, run: ({ n }) => ({ n }),
});
`,
  },
  isStub: false,
};

/** Puts a list into another order. */
function shuffled<T>(list: readonly T[], dice: Dice): readonly T[] {
  const drawn = list.map((one) => ({ one, at: dice.fraction() }));
  return drawn.sort((p, q) => p.at - q.at).map(({ one }) => one);
}

/** The same JSON with its fields in another order, on all levels. */
function reordered(value: unknown, dice: Dice): unknown {
  if (Array.isArray(value)) return value.map((one) => reordered(one, dice));
  if (typeof value !== "object" || value === null) return value;
  const fields = shuffled(Object.entries(value), dice);
  return Object.fromEntries(fields.map(([name, one]) => [name, reordered(one, dice)]));
}

const text = (dice: Dice): string => `said ${dice.below(1e9).toString(36)}`;

/** The module of the pipeline: all in it that is for people, and the order of all that has none. */
function pipelineText(dice: Dice): string {
  const takes = [
    `a: file("${text(dice)}")`,
    `more: list(file())`,
    ...[`word: text()`, `n: integer(${dice.below(9)})`, `x: number()`, `yes: boolean()`],
    ...[`one: choice("left", "right")`, `words: list(text())`, `deep: json()`],
  ];
  const given = shuffled(["a", "more", "word", "n", "x", "yes", "one", "words"], dice).join(", ");
  const calls = [
    `const { out } = run(first, { ${given} }, { label: "${text(dice)}" });
    const { told } = run(second, { ${shuffled(["out", "deep"], dice).join(", ")} });`,
    `const { n: same } = run(third, { n: 7 }, { label: "${text(dice)}" });`,
  ];
  return `
// ${text(dice)}
import { boolean, choice, file, integer, json, list, number, pipeline, text } from "hdash";
${shuffled(["first", "second", "third"], dice)
  .map((name) => `import { ${name} } from "./${name}.ts";`)
  .join("\n")}
export default pipeline({
  name: "identity",
  title: "${text(dice)}",
  takes: { ${shuffled(takes, dice).join(", ")} },
  gives: { ${shuffled(["told: file()", "same: integer()"], dice).join(", ")} },
  plan({ a, more, word, n, x, yes, one, words, deep }, { run }) {
    ${shuffled(calls, dice).join("\n    ")}
    return { told, same };
  },
});
`;
}

/** A module with other comments and another layout. */
function relaid(code: string, dice: Dice): string {
  const lines = code
    .split("\n")
    .map((line) => (dice.chance(0.3) ? `\n // ${text(dice)}\n${line}  ` : line));
  return `/* ${text(dice)} */\n${lines.join("\n").replaceAll(", ", dice.chance(0.5) ? ",\n   " : ",  ")}`;
}

const STANDINGS: readonly Standing[] = [
  {},
  { cwd: "/", env: { USER: "somebody", LOGNAME: "somebody", HOSTNAME: "elsewhere", LANG: "C" } },
  {
    env: {
      TZ: "Asia/Kathmandu",
      HOME: "/nowhere",
      LC_ALL: "de_DE.UTF-8",
      MODE: "other",
      HDASH_CONCURRENCY: "1",
    },
  },
];

let runner: PipelineRunner;
let base: TracedRun;
let folders = 0;
beforeAll(async () => {
  runner = await openPipelineRunner();
  base = await play(BASE, makeDice("identity"));
  expect(stepsOf(base).map(({ name }) => name.split(" ")[0])).toEqual(["first", "second", "third"]);
});
afterAll(() => runner.close());

/** Writes the pipeline down as the dice will have it, and runs it. */
async function play(
  { said, values, given, files, isStub }: Declared,
  dice: Dice,
  standing: Standing = {},
): Promise<TracedRun> {
  const folder = join(runner.dir, ...shuffled([`p ${++folders}`, "deeper", text(dice)], dice));
  const told = Object.entries(said).map(([name, options]) => {
    const people = {
      description: text(dice),
      attempts: 1 + dice.below(3),
      resources: { cpus: 1, memoryMiB: 256 + dice.below(256), minutes: 1 + dice.below(9) },
    };
    return [name, { ...people, ...options }] as const;
  });
  const places = Object.entries(given).map(([name, bytes]) => {
    const place = join(runner.dir, `given ${folders}`, `${text(dice)}.${name}`);
    return [name, place, bytes] as const;
  });
  const code = Object.entries(files).map(
    ([name, one]) => [name, name.endsWith(".ts") ? relaid(one, dice) : one] as const,
  );
  await writeFolder(folder, {
    ...Object.fromEntries(code),
    "said.json": JSON.stringify(reordered(Object.fromEntries(told), dice), null, dice.below(4)),
    "pipeline.ts": pipelineText(dice),
  });
  await writeFolder("/", Object.fromEntries(places.map(([, place, bytes]) => [place, bytes])));
  const [a, ...more] = places.map(([, place]) => place);
  const run = await runner.run(
    {
      file: join(folder, "pipeline.ts"),
      values: reordered({ ...values, a, more }, dice) as Row,
      isStub,
      now: new Date(1.7e12 + dice.below(2e9) * 100).toISOString(),
    },
    standing,
  );
  expect(run).toMatchObject({ status: "succeeded", error: null });
  return run;
}

/** The user's own steps. */
function stepsOf({ steps }: TracedRun): TracedRun["steps"] {
  return steps.filter(({ name }) => !/^(import file|results)/.test(name));
}

/** Names of the steps of the first run whose keys another run does not have. */
function changedBy(run: TracedRun): readonly string[] {
  const keys = stepsOf(run).map(({ key }) => key);
  const gone = stepsOf(base).filter(({ key }) => !keys.includes(key));
  return gone.map(({ name }) => name.split(" ")[0] ?? "");
}

describe("the keys of a pipeline's steps", () => {
  test.each(Array.from({ length: 12 }, (_none, seed) => seed))(
    "stay, whatever changes that is not declared (seed %i)",
    async (seed) => {
      const run = await play(BASE, makeDice("identity", seed), STANDINGS[seed % STANDINGS.length]);
      expect(changedBy(run)).toEqual([]);
      expect(stepsOf(run).map(({ state }) => state)).toEqual(["hit", "hit", "hit"]);
    },
  );

  const says = (step: keyof Declared["said"], more: Row): Partial<Declared> => ({
    said: { ...BASE.said, [step]: { ...BASE.said[step], ...more } },
  });
  const takes = (more: Row): Partial<Declared> => ({ values: { ...BASE.values, ...more } });
  const has = (more: Files): Partial<Declared> => ({ files: { ...BASE.files, ...more } });
  const edits = (name: string, from: string, to: string): Partial<Declared> => {
    expect(BASE.files[name]).toContain(from);
    return has({ [name]: (BASE.files[name] ?? "").replace(from, to) });
  };
  const { a, b, c } = BASE.given;

  test.each<[string, () => Partial<Declared>, readonly string[]]>([
    ["a step's name", () => says("first", { name: "another" }), ["first"]],
    ["a version", () => says("first", { version: 2 }), ["first"]],
    ["the version of a function", () => says("third", { version: 2 }), ["third"]],
    ["an environment variable's value", () => says("first", { env: { MODE: "fancy" } }), ["first"]],
    ["an environment variable's name", () => says("first", { env: { MODUS: "plain" } }), ["first"]],
    ["no environment variable", () => says("first", { env: {} }), ["first"]],
    ["the network", () => says("first", { network: true }), ["first"]],
    ["what is used no more", () => says("first", { uses: [] }), ["first"]],
    ["what is used, too", () => says("second", { uses: ["bin/tool.sh"] }), ["second"]],
    ["a byte of what is used", () => has({ "bin/tool.sh": "#!/bin/bash\n#\n" }), ["first"]],
    ["that it is done in every run", () => says("first", { cache: "run" }), ["first"]],
    // A run with stubs is one of another name, so that nobody takes its results for others.
    ["stubs", () => ({ isStub: true }), ["first", "second", "third"]],
    ["a text", () => takes({ word: "a " }), ["first"]],
    ["an integer", () => takes({ n: 2 }), ["first"]],
    ["a number", () => takes({ x: 0.5000001 }), ["first"]],
    ["a truth", () => takes({ yes: false }), ["first"]],
    ["a choice", () => takes({ one: "right" }), ["first"]],
    ["the order of a list", () => takes({ words: ["q", "p"] }), ["first"]],
    ["an item more", () => takes({ words: ["p", "q", ""] }), ["first"]],
    [
      "a field deep in JSON",
      () => takes({ deep: { a: [1, "two", 0], b: { c: 1, d: 2 } } }),
      ["second"],
    ],
    [
      "the order of a list in JSON",
      () => takes({ deep: { a: ["two", 1, null], b: { c: 1, d: 2 } } }),
      ["second"],
    ],
    [
      "a byte of a file, and so of what is made of it",
      () => ({ given: { a: "bytes of A\n", b, c } }),
      ["first", "second"],
    ],
    [
      "the order of files, and so of what is made of them",
      () => ({ given: { a, b: c, c: b } }),
      ["first", "second"],
    ],
    [
      "where one file ends and the next begins, which changes nothing that is made",
      () => ({ given: { a: a + b, b: "", c } }),
      ["first"],
    ],
    ["code of a step", () => edits("third.ts", "=> ({ n })", "=> ({ n: n + 0 })"), ["third"]],
    ["code of a helper", () => edits("tell.ts", "String(words)", "`${words}`"), ["second"]],
    [
      "code that all share",
      () => edits("said.ts", '"utf8"', '"utf-8"'),
      ["first", "second", "third"],
    ],
    [
      "a package's version",
      () => has({ "package-lock.json": lockFile("1.0.1"), ...packageFiles("1.0.1") }),
      ["second"],
    ],
  ])("change with %s, where it is declared and nowhere else", async (_what, change, expected) => {
    const run = await play({ ...BASE, ...change() }, makeDice("declared", _what));
    expect(changedBy(run)).toEqual(expected);
  });
});

describe("the predecessor's identities", () => {
  /** JSON with sorted fields and nothing between them, by sha1: what it knew jobs by. */
  const identityOf = (document: unknown): string => {
    const sorted = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(sorted);
      if (typeof value !== "object" || value === null) return value;
      const fields = Object.entries(value).sort(([p], [q]) => (p < q ? -1 : 1));
      return Object.fromEntries(fields.map(([name, one]) => [name, sorted(one)]));
    };
    return `sha1_${createHash("sha1")
      .update(JSON.stringify(sorted(document)))
      .digest("hex")}`;
  };
  const blob = { type: "blob", md5: "cfdbedf549fd23685321d7b27fccfb10" };

  test("can be made again from a document, whatever the order of its fields", () => {
    expect(identityOf(blob)).toBe("sha1_2ce48ef9094d5ef179f83f722bccbfd0dd8e2323");
    const made = { type: "transform", name: "n", version: "1", image: "i:1", params: { k: 1 } };
    const golden = "sha1_5b198517790747980a5d22a9d037a611f8eb7579";
    expect(identityOf({ ...made, inputs: { a: blob } })).toBe(golden);
    expect(identityOf(reordered({ inputs: { a: blob }, ...made }, makeDice("golden")))).toBe(
      golden,
    );
  });
});
