// hdash check, run as users run it: what it finds, where, and that it runs nothing.

import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { type Ended, hdash } from "../../../support/command.ts";
import { schemaProblems } from "../../../support/jsonSchema.ts";

const PIPELINES = join(import.meta.dirname, "../pipelines");

interface Told {
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly severity: string;
  readonly rule: string;
  readonly says: string;
  readonly advice: string;
}
interface Report {
  readonly file: string;
  readonly pipeline: string | null;
  readonly isRight: boolean;
  readonly isTyped: boolean;
  readonly found: readonly Told[];
}

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-check-"));
  await put("package.json", '{ "type": "module" }');
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function put(name: string, content: string): Promise<void> {
  const path = join(dir, name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, content);
}

const check = (name: string, ...flags: readonly string[]): Promise<Ended> =>
  hdash(["check", join(dir, name), ...flags], { HDASH_HOME: join(dir, "home") });

/** What is found, by places; what was said is as its schema has it, and agrees with how the command ends. */
async function find(name: string): Promise<Report> {
  const { code, stdout, stderr } = await check(name, "--json");
  expect(stderr).toBe("");
  const told = JSON.parse(stdout) as Report;
  expect(schemaProblems("check", told)).toEqual([]);
  const hasErrors = told.found.some(({ severity }) => severity === "error");
  expect([code, told.isRight]).toEqual(hasErrors ? [1, false] : [0, true]);
  return told;
}

/** Findings as "line:column severity rule: says", the folder taken out. */
const brief = ({ found }: Report): readonly string[] =>
  found.map(({ line, column, severity, rule, says }) =>
    `${line}:${column} ${severity} ${rule}: ${says}`.replaceAll(`${dir}/`, ""),
  );

const WORDS = `import { file, integer, pipeline, step } from "hdash";

export const count = step({
  name: "count words",
  takes: { book: file() },
  gives: { words: integer() },
  run: async ({ book }) => ({ words: (await book.text()).split(" ").length }),
});

export default pipeline({
  name: "words",
  takes: { book: file() },
  gives: { words: integer() },
  plan: ({ book }, { run }) => run(count, { book }),
});
`;

describe("hdash check FILE", () => {
  test("finds nothing in the pipelines that are shown to users, and keeps nothing", async () => {
    for (const name of await readdir(PIPELINES)) {
      if (!name.endsWith(".ts")) continue;
      const source = await readFile(join(PIPELINES, name), "utf8");
      await put(name, source.replaceAll("../../../../src/index.ts", "hdash"));
    }
    await cp(join(PIPELINES, "bin"), join(dir, "bin"), { recursive: true });
    const before = await readdir(dir);
    for (const name of ["words.ts", "kmer.ts"]) {
      const { code, stdout, stderr } = await check(name);
      expect([code, stderr]).toEqual([0, ""]);
      expect(stdout).toBe(`${join(dir, name)}: nothing found\n`);
    }
    const aligned = await find("align.ts");
    expect([...new Set(aligned.found.map(({ severity, rule }) => `${severity} ${rule}`))]).toEqual([
      "note image",
    ]);
    expect(await readdir(dir)).toEqual(before);
  });

  test("says of each what to do, in two lines, and counts them", async () => {
    await put("words.ts", WORDS.replace("run(count, { book })", "run(count, {})"));
    const { code, stdout } = await check("words.ts");
    expect(code).toBe(1);
    expect(stdout.trimEnd().split("\n")).toEqual([
      expect.stringMatching(/words\.ts:14:43: error: .*'book' is missing.* \(TS2345\)$/) as string,
      "    Give every value that the step takes, each of its kind.",
      `${join(dir, "words.ts")}: 1 error`,
    ]);
  });

  test("finds wrong ports, missing values, files for folders and the like by the compiler, at their places", async () => {
    await put(
      "words.ts",
      WORDS.replace("{ file", "{ type Kind, Handle, folder, file").replace(
        /plan: .*/,
        `plan({ book }, { run }) {
    const dir = run(count, { book }).word;
    run(count, {});
    run(count, { book: "moby-dick.txt" });
    run(count, { book: dir as Handle<never> });
    return { words: book };
  },
`,
      ),
    );
    const found = await find("words.ts");
    expect(found.isTyped).toBe(true);
    expect(found.pipeline).toBeNull();
    const places = found.found.filter(({ rule }) => rule === "types");
    expect(places.map(({ line, column }) => [line, column])).toEqual([
      ...[
        [1, 21],
        [14, 3],
        [15, 38],
        [16, 16],
        [17, 18],
      ],
    ]);
  });

  test("takes the settings of the pipeline's folder, but for those that Node needs", async () => {
    await put(
      "tsconfig.json",
      '{ "compilerOptions": { "noUnusedLocals": true, "strict": false } }',
    );
    await put(
      "words.ts",
      `${WORDS}\nconst unused = 1;\nconst none: string = null;\nenum E { A }\n`,
    );
    const says = brief(await find("words.ts"));
    expect(says.filter((one) => / \(TS(6133|2322|1294)\)/.test(one)).length).toBeGreaterThan(2);
    await put("tsconfig.json", '{ "compilerOptions": { "strict": tru } }');
    await put("words.ts", WORDS);
    expect((await find("words.ts")).found[0]).toMatchObject({
      ...{ path: join(dir, "tsconfig.json"), line: 1, severity: "error" },
    });
  });

  test("finds what is wrong with steps and ports as they are declared", async () => {
    await put("bin/count.sh", "true\n");
    await put(
      "lab.ts",
      `import { command, container, file, integer, json, list, pipeline, sh, source, step, table, text } from "hdash";
export const a = step({ name: "a", takes: {}, gives: { t: table({ f: file() }) }, run: () => ({ t: [] }) });
export const b = step({ name: "a", takes: {}, gives: { n: integer() }, run: () => ({ n: 1 }) });
export const c = step({ name: " c", takes: {}, gives: { n: integer() }, run: () => ({ n: 1 }) });
const d = step({ name: "d", takes: {}, gives: { n: integer() }, run: () => ({ n: 1 }) });
export const e = command({ name: "e", takes: { x: file("../x"), y: file("z"), z: file() }, gives: { out: file("/etc/x") }, uses: ["bin/cuont.sh"], run: () => sh\`true\` });
export const f = command({ name: "f", takes: {}, gives: { out: file() } });
export const g = command({ name: "g", takes: {}, gives: { out: file() }, run: () => sh\`nothing-of-that-name | bin/count.sh > out\`, argv: () => ["no-program"], uses: ["bin"] });
export const h = container({ name: "h", image: "debian:12", takes: {}, gives: { out: file() }, run: () => sh\`nothing-of-that-name\` });
export const i = container({ name: "i", image: "", takes: {}, gives: { out: file() }, run: () => sh\`true\` });
// @ts-expect-error What a compiler refuses is found without one, too.
export const j = command({ name: "j", takes: {}, gives: { n: json<number>() }, run: () => sh\`true\` });
// @ts-expect-error The same.
export const k = source({ name: "k", takes: {}, gives: { n: integer() }, run: () => ({ n: 1 }) });
// @ts-expect-error The same.
export const l = step({ name: "l", takes: {}, gives: { n: integer() } });
export default pipeline({
  name: "lab",
  takes: { out: file(), minCount: integer(), min_count: list(text()), stub: text() },
  gives: { n: integer() },
  plan: (_values, { run }) => run(d, {}),
});
`,
    );
    const found = await find("lab.ts");
    expect(found.pipeline).toBe("lab");
    expect(brief(found)).toEqual([
      '2:54 error graph: step "a": t cannot be given by a step: files and folders are given by themselves, or in list() or optional()',
      '3:31 error graph: two steps are called "a", in lab.ts and in lab.ts',
      '4:31 error graph: a step is called " c": a name is a text of one line that neither begins nor ends with a space',
      '5:11 error graph: step "d" is exported by no module of the pipeline',
      '6:46 error graph: step "e" takes x as "../x", which lies outside of its folder',
      '6:46 error graph: step "e" takes y and z by one name, "z"',
      '6:99 error graph: step "e" gives out as "/etc/x", which lies outside of its folder',
      '6:130 error graph: step "e" uses bin/cuont.sh, which is not there',
      '7:18 error graph: step "f" has neither run nor argv',
      '8:138 error graph: step "g" has both run and argv: argv is what counts',
      '10:48 error graph: step "i" has no image',
      '12:57 error graph: step "j" gives n, JSON: a program gives files and folders',
      '14:18 error graph: step "k" has no pin',
      '16:18 error graph: step "l" has no run',
      "19:10 error graph: the pipeline takes out, whose flag would be --out, which every run has",
      "19:10 error graph: the pipeline takes min_count, whose flag would be --min-count, which minCount has, too",
      "19:10 error graph: the pipeline takes stub, whose flag would be --stub, which every run has",
      '8:85 note program: step "g" starts nothing-of-that-name, which is not on this machine',
      '8:85 note program: step "g" starts bin/count.sh, which may not be run: it has no executable bit',
      '8:145 note program: step "g" starts no-program, which is not on this machine',
      '9:48 note image: step "h" names its image by debian:12: what stands under that name may change',
      '9:48 note image: step "h" runs in an image, which this hdash cannot do yet',
      '10:48 note image: step "i" runs in an image, which this hdash cannot do yet',
    ]);
  });

  test("finds what a plan and its steps reach for, in every module", async () => {
    await put(
      "steps.ts",
      WORDS.slice(0, WORDS.indexOf("export default"))
        .replace("async ({", "async ({ ")
        .replace("book.text()", "Promise.resolve(String(Math.random()))")
        .replace("integer, pipeline, step", "integer, step")
        .replace("({  book })", "()"),
    );
    await put(
      "words.ts",
      `import { file, integer, pipeline } from "hdash";\nimport { count } from "./steps.ts";\nexport const today = new Date();\n${WORDS.slice(WORDS.indexOf("export default"))}`,
    );
    const { found } = await find("words.ts");
    expect(found.map(({ path, line, rule, severity }) => [path, line, rule, severity])).toEqual([
      [join(dir, "words.ts"), 3, "plan", "error"],
      [join(dir, "steps.ts"), 7, "step", "note"],
    ]);
  });

  test("tells what the identity of the code cannot see, and packages without a lockfile", async () => {
    await put(
      "node_modules/dep/package.json",
      '{ "version": "1.0.0", "type": "module", "exports": "./a.js" }',
    );
    await put("node_modules/dep/a.js", "export const a = 1;");
    await put("node_modules/dep/a.d.ts", "export declare const a: number;");
    await put(
      "words.ts",
      `import { a } from "dep";\nexport const b = [a, eval("1")] as const;\n${WORDS}`,
    );
    expect(brief(await find("words.ts"))).toEqual([
      "1:1 note code: dep counts by name and version alone: there is no lockfile",
      "2:1 note code: calls eval: code that comes from elsewhere does not count",
    ]);
  });

  test.each<readonly [string, string, readonly string[]]>([
    ["what is no program", WORDS.replace("gives: { words", "gives: { { words"), ["6:12"]],
    ["a module that is not there", `import "./gone.ts";\n${WORDS}`, ["1:1"]],
    ["a module that throws", `${WORDS}\nthrow new Error("no luck");\n`, ["17:1"]],
    [
      "a module without a pipeline",
      WORDS.replace("export default", "export const own ="),
      ["10:20"],
    ],
    ["a pipeline of another's name", WORDS.replace('name: "words"', 'name: "htan"'), ["11:9"]],
    ["a name that is none", WORDS.replace('name: "words"', 'name: "My words"'), ["11:9"]],
  ])("finds %s, once", async (_what, text, places) => {
    await put("words.ts", text);
    const { found, pipeline } = await find("words.ts");
    expect(pipeline).toBeNull();
    expect([...new Set(found.map(({ line, column }) => `${line}:${column}`))]).toEqual(places);
  });

  test("loads no script: what has no pipeline is not begun", async () => {
    await put(
      "script.ts",
      `import { writeFileSync } from "node:fs";\nwriteFileSync(import.meta.dirname + "/RAN", "");\n`,
    );
    expect(brief(await find("script.ts"))).toEqual([
      "1:1 error graph: it has no pipeline: its default export is what pipeline({ … }) gives",
    ]);
    expect(await readdir(dir)).not.toContain("RAN");
    await put("words.ts", WORDS);
    await put("other.ts", `export { default } from "./words.ts";\n`);
    expect((await find("other.ts")).pipeline).toBe("words");
  });

  test("finds a folder that is not of modules, once", async () => {
    await rm(join(dir, "package.json"));
    await put("words.ts", WORDS);
    expect(brief(await find("words.ts"))).toEqual([
      "1:10 error types: the file is a script and no module: its folder has no package.json that says so",
    ]);
  });

  test.each([
    ["gone.ts", "there is no pipeline"],
    [".", "is no file, and so no pipeline"],
    ["file.ts/a.ts", "it cannot be read (ENOTDIR)"],
  ])("refuses %s", async (name, says) => {
    await put("file.ts", "");
    const { code, stderr, stdout } = await check(name, "--json");
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(says);
  });
});
