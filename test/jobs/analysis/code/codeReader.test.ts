import { cp, mkdir, realpath, rename, symlink, utimes } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { describe, expect, test } from "vitest";

import { makeCodeReader } from "../../../../src/jobs/analysis/sources/code/codeReader.ts";
import {
  digestIn,
  digestOfFiles,
  type Files,
  makeFolder,
  newReader,
  refusalIn,
  write,
} from "./support/pipelineFolder.ts";

const MODULES = '{ "type": "module" }';
/** Two steps, of which one reaches a helper of a helper. */
const PIPELINE: Files = {
  "package.json": MODULES,
  "pipeline.ts": `import { pipeline } from "hdash";
import { readFile } from "node:fs/promises";
import { count } from "./steps/count.ts";
import { merge } from "./steps/merge.ts";
export default pipeline({ plan: () => [count, merge, readFile] });
`,
  "steps/count.ts": `import { twice } from "../lib/twice.ts";
export const count = (n: number): number => twice(n);
`,
  "steps/merge.ts": "export const merge = () => 1;\n",
  "lib/twice.ts": `import { FACTOR } from "./factor.ts";
export const twice = (n: number) => n * FACTOR;
`,
  "lib/factor.ts": "export const FACTOR = 2;\n",
};

describe("codeOf(path)", () => {
  test("lists modules by their paths, and what it cannot see", async () => {
    const folder = await makeFolder(PIPELINE);
    const { modules, packages, notes } = await newReader().codeOf(join(folder, "pipeline.ts"));
    expect(modules.map(({ path }) => path)).toEqual([
      ...["lib/factor.ts", "lib/twice.ts", "pipeline.ts", "steps/count.ts", "steps/merge.ts"],
    ]);
    expect([packages, notes]).toEqual([[], []]);
  });

  test("tells paths from another folder, if that is the pipeline's", async () => {
    const folder = await makeFolder(PIPELINE);
    const { modules } = await newReader().codeOf(join(folder, "steps/count.ts"), folder);
    expect(modules.map(({ path }) => path)).toEqual([
      ...["lib/factor.ts", "lib/twice.ts", "steps/count.ts"],
    ]);
  });

  test.each<[string, Files]>([
    ["comments", { "lib/factor.ts": "/** Why. */\nexport const FACTOR = 2; // twice\n" }],
    ["layout", { "lib/factor.ts": "export const FACTOR\r\n  = (2)" }],
    ["types", { "lib/factor.ts": "export type F = number;\nexport const FACTOR: F = 2;\n" }],
    [
      "an import of types",
      { "steps/merge.ts": 'import type { A } from "../none.ts";\nexport const merge = () => 1;\n' },
    ],
    ["a file that nobody imports", { "lib/other.ts": "export const OTHER = ;" }],
    [
      "the name of a file",
      {
        "lib/factor.ts": null,
        "data/factors.mts": "export const FACTOR = 2;\n",
        "lib/twice.ts":
          'import { FACTOR } from "../data/factors.mts";\nexport const twice = (n) => n * FACTOR;',
      },
    ],
    [
      "another version of package.json",
      { "package.json": '{ "type": "module", "version": "2.0.0" }' },
    ],
  ])("keeps the digest whatever %s", async (_, change) => {
    const folder = await makeFolder(PIPELINE);
    const before = await digestIn(folder);
    await write(folder, change);
    expect(await digestIn(folder)).toBe(before);
  });

  test.each<[string, Files]>([
    ["a constant three levels down", { "lib/factor.ts": "export const FACTOR = 3;\n" }],
    ["the module itself", { "pipeline.ts": `${PIPELINE["pipeline.ts"]}export const a = 1;` }],
    [
      "another import",
      { "steps/merge.ts": 'import "../lib/factor.ts";\nexport const merge = () => 1;\n' },
    ],
    [
      "which of two files is imported",
      {
        "pipeline.ts": `${PIPELINE["pipeline.ts"]}`
          .replace("./steps/count.ts", "./steps/MERGE.ts")
          .replace("./steps/merge.ts", "./steps/count.ts")
          .replace("./steps/MERGE.ts", "./steps/merge.ts"),
      },
    ],
  ])("changes the digest with %s", async (_, change) => {
    const folder = await makeFolder(PIPELINE);
    const before = await digestIn(folder);
    await write(folder, change);
    expect(await digestIn(folder)).not.toBe(before);
  });

  test("changes the digest where a file imports another of those that are imported anyway", async () => {
    const files = (name: string): Files => ({
      "package.json": MODULES,
      "pipeline.ts": 'import "./a.ts"; import "./b.ts"; import "./c.ts";',
      "a.ts": `export { n } from "./${name}.ts";`,
      "b.ts": "export const n = 1;",
      "c.ts": "export const n = 2;",
    });
    expect(await digestOfFiles(files("b"))).not.toBe(await digestOfFiles(files("c")));
  });

  test("gives a folder the digest that it had elsewhere, by a link too", async () => {
    const folder = await makeFolder(PIPELINE);
    const before = await digestIn(folder);
    const other = await makeFolder({});
    await cp(folder, join(other, "deep/down"), { recursive: true });
    await symlink(join(other, "deep"), join(other, "link"));
    expect(await digestIn(join(other, "deep/down"))).toBe(before);
    const linked = await newReader().codeOf(join(other, "link/down/pipeline.ts"));
    expect(linked.digest).toBe(before);
    expect(linked.modules.map(({ path }) => path)).toContain("steps/count.ts");
  });

  test("counts a file once, whatever ways lead to it", async () => {
    const folder = await makeFolder({ "a.ts": "export const a = 1;" });
    await symlink("a.ts", join(folder, "b.ts"));
    const whole = pathToFileURL(await realpath(join(folder, "a.ts"))).href;
    await write(folder, {
      "pipeline.ts": `import "./a.ts"; import "./b.ts"; import "././x/../a.ts"; import "./%61.ts"; import "./a.ts?again";
        import ${JSON.stringify(await realpath(join(folder, "a.ts")))}; import ${JSON.stringify(whole)};`,
    });
    const { modules } = await newReader().codeOf(join(folder, "pipeline.ts"));
    expect(modules.map(({ path }) => path)).toEqual(["a.ts", "pipeline.ts"]);
  });

  test("counts what hdash means to pipelines, and Node's modules not at all", async () => {
    const folder = await makeFolder({ ...PIPELINE, "a.ts": "export const a = 1;" });
    const digests = async (path: string) => {
      const codes = ["1", "2"].map((api) => newReader(api).codeOf(join(folder, path)));
      return (await Promise.all(codes)).map(({ digest }) => digest);
    };
    const [one, two] = await digests("pipeline.ts");
    expect(one).not.toBe(two);
    const [three, four] = await digests("steps/count.ts");
    expect(three).toBe(four);
  });

  test("reads JSON, whose values count and whose layout does not", async () => {
    const files = {
      "package.json": MODULES,
      "pipeline.ts": 'import data from "./data.json" with { type: "json" };\nexport default data;',
      "data.json": '{"a": 1}',
    };
    const before = await digestOfFiles(files);
    expect(await digestOfFiles({ ...files, "data.json": '{\n  "a": 1\n}\n' })).toBe(before);
    expect(await digestOfFiles({ ...files, "data.json": '{"a": 2}' })).not.toBe(before);
  });

  test("follows what is imported when it is needed, and what is passed on", async () => {
    const files = {
      "pipeline.mjs": 'export * from "./a.js"; export const later = () => import("./b.mts");',
      "a.js": "export const a = 1;",
      "b.mts": "export const b: number = 1;",
    };
    const before = await digestOfFiles(files, "pipeline.mjs");
    const a = await digestOfFiles({ ...files, "a.js": "export const a = 2;" }, "pipeline.mjs");
    const b = await digestOfFiles({ ...files, "b.mts": "export const b = 2;" }, "pipeline.mjs");
    expect(new Set([before, a, b]).size).toBe(3);
  });

  test("goes through modules that import each other", async () => {
    const files = {
      "pipeline.ts": 'import { b } from "./b.ts"; export const a = 1; export const c = () => b;',
      "b.ts": 'import { a } from "./pipeline.ts"; import "./b.ts"; export const b = () => a;',
    };
    const before = await digestOfFiles(files);
    expect(
      await digestOfFiles({ ...files, "b.ts": files["b.ts"].replace("() => a", "a") }),
    ).not.toBe(before);
    expect(await digestOfFiles(files)).toBe(before);
  });

  test("notes what it cannot see, by file and line, a file before another", async () => {
    const folder = await makeFolder({
      "package.json": MODULES,
      "pipeline.ts":
        'import "./lib/a.ts";\n\nexport const load = (name: string) => import(name);\n',
      "lib/a.ts": 'import "data:text/javascript,1";\neval("1");\n',
    });
    expect((await newReader().codeOf(join(folder, "pipeline.ts"))).notes).toEqual([
      {
        ...{ path: "lib/a.ts", line: 1 },
        says: "imports a data: address: what that imports does not count",
      },
      {
        ...{ path: "lib/a.ts", line: 2 },
        says: "calls eval: code that comes from elsewhere does not count",
      },
      {
        ...{ path: "pipeline.ts", line: 3 },
        says: "imports a module whose name is computed: the code of that module does not count",
      },
    ]);
  });

  test("tells a script from a module, as package.json does", async () => {
    const script = { "pipeline.ts": "globalThis.a = function () { return this };" };
    const asModule = await digestOfFiles({ ...script, "package.json": MODULES });
    expect(await digestOfFiles({ ...script, "package.json": "{}" })).not.toBe(asModule);
    const surely = ["export {};", "import.meta.url;", "await 1;", "for await (const a of []);"];
    for (const one of surely) {
      const files = { "pipeline.ts": `${script["pipeline.ts"]} ${one}` };
      expect(await digestOfFiles({ ...files, "package.json": "{}" }), one).toBe(
        await digestOfFiles({ ...files, "package.json": MODULES }),
      );
    }
    const perhaps = { "pipeline.ts": "globalThis.a = async () => { await 1; };" };
    expect(await digestOfFiles({ ...perhaps, "package.json": "{}" })).not.toBe(
      await digestOfFiles({ ...perhaps, "package.json": MODULES }),
    );
  });

  test("looks again each time, though size and time of a file are what they were", async () => {
    const folder = await makeFolder(PIPELINE);
    const reader = newReader();
    const path = join(folder, "pipeline.ts");
    const before = (await reader.codeOf(path)).digest;
    await write(folder, { "lib/factor.ts": "export const FACTOR = 9;\n" });
    await utimes(join(folder, "lib/factor.ts"), 0, 0);
    const after = (await reader.codeOf(path)).digest;
    await write(folder, { "lib/factor.ts": "export const FACTOR = 2;\n" });
    await utimes(join(folder, "lib/factor.ts"), 0, 0);
    expect(after).not.toBe(before);
    expect((await reader.codeOf(path)).digest).toBe(before);
  });

  test("reads a thousand modules, a chain of any length among them", async () => {
    const files: Record<string, string> = {
      "package.json": MODULES,
      "m1000.ts": "export const n = 0;",
    };
    for (let at = 0; at < 1_000; at++) {
      files[`m${at}.ts`] =
        `import { n as last } from "./m${at + 1}.ts";\nexport const n: number = last + 1;\n`;
    }
    const folder = await makeFolder(files);
    const reader = newReader();
    const path = join(folder, "m0.ts");
    const before = await reader.codeOf(path);
    expect(before.modules).toHaveLength(1_001);
    await write(folder, { "m1000.ts": "export const n = 1;" });
    expect((await reader.codeOf(path)).digest).not.toBe(before.digest);
  });
});

describe("codeOf(path), of what leads nowhere", () => {
  test.each<[string, Files, string, string | null]>([
    [
      "a missing module",
      {
        "pipeline.ts": 'import "./a.ts";',
        "a.ts": '\n\nexport { b } from "./lib/bee.ts";',
        "lib/be.ts": "",
      },
      'a.ts:3 imports "./lib/bee.ts", which is not there',
      "Did you mean lib/be.ts?",
    ],
    [
      "a module by another end of its name",
      { "pipeline.ts": 'await import("./a.mjs");', "a.ts": "", "b.mjs": "" },
      'pipeline.ts:1 imports "./a.mjs", which is not there',
      "Did you mean a.ts?",
    ],
    [
      "a module without the end of its name",
      { "pipeline.ts": 'import "./a";', "a.ts": "" },
      'pipeline.ts:1 imports "./a", which is not there',
      "Did you mean a.ts?",
    ],
    [
      "a folder",
      { "pipeline.ts": 'import "./a";', "a/index.ts": "" },
      'pipeline.ts:1 imports "./a", which is a folder',
      null,
    ],
    [
      "a file of another kind",
      { "pipeline.ts": '\nimport "./a.wasm";', "a.wasm": "" },
      'pipeline.ts:2 imports "./a.wasm", whose code hdash cannot read: it reads .ts .mts .js .mjs .json',
      null,
    ],
    [
      "a script that only require could load",
      { "pipeline.ts": 'import "./a.cjs";', "a.cjs": "" },
      'pipeline.ts:1 imports "./a.cjs", whose code hdash cannot read: it reads .ts .mts .js .mjs .json',
      null,
    ],
    [
      "an address",
      { "pipeline.ts": 'import "https://example.org/a.js";' },
      'pipeline.ts:1 imports "https://example.org/a.js", which Node does not import',
      null,
    ],
    [
      "an error of syntax in a helper",
      { "pipeline.ts": 'import "./a.ts";', "a.ts": "\n\nlet a = ;" },
      "a.ts:3: Expression expected",
      null,
    ],
    [
      "a broken package.json",
      { "pipeline.ts": 'import "#a";', "package.json": "[]" },
      "package.json holds no object",
      null,
    ],
  ])("refuses %s, naming file and line", async (_, files, says, hint) => {
    const folder = await realpath(await makeFolder(files));
    const refusal = await refusalIn(folder, newReader().codeOf(join(folder, "pipeline.ts")));
    expect(refusal).toEqual({ says, hint });
  });

  test("refuses a pipeline that is not there, and what is none", async () => {
    const folder = await makeFolder({ "a.txt": "", "a/b.txt": "" });
    const say = async (path: string) =>
      (await refusalIn(folder, newReader().codeOf(join(folder, path)))).says;
    expect(await say("pipeline.ts")).toBe("there is no module pipeline.ts");
    expect(await say("a.txt")).toBe(
      "a.txt is no module whose code can be read: hdash reads .ts .mts .js .mjs .json",
    );
  });
});

describe("a reader that is told to stop", () => {
  test("stops, whatever it is at", async () => {
    const folder = await makeFolder(PIPELINE);
    const reader = makeCodeReader({ api: "1", signal: AbortSignal.abort(new Error("enough")) });
    const path = join(folder, "pipeline.ts");
    for (const work of [
      reader.codeOf(path),
      reader.closuresOf(path),
      reader.usedBy(path, ["lib"]),
    ]) {
      await expect(work).rejects.toThrow("enough");
    }
  });
});

describe("closuresOf(path)", () => {
  test("gives each module the digest that it has by itself", async () => {
    const folder = await realpath(await makeFolder(PIPELINE));
    const reader = newReader();
    const counted = await reader.closuresOf(join(folder, "pipeline.ts"));
    expect(counted.map(({ path }) => path)).toEqual([
      ...["pipeline.ts", "steps/count.ts", "steps/merge.ts", "lib/twice.ts", "lib/factor.ts"],
    ]);
    for (const { file, path, digest } of counted) {
      expect(file).toBe(join(folder, path));
      expect(digest).toBe((await reader.codeOf(file)).digest);
    }
  });

  test("changes only what reaches the change", async () => {
    const folder = await makeFolder(PIPELINE);
    const digests = async () =>
      new Map(
        (await newReader().closuresOf(join(folder, "pipeline.ts"))).map((one) => [
          one.path,
          one.digest,
        ]),
      );
    const before = await digests();
    await write(folder, { "lib/factor.ts": "export const FACTOR = 3;\n" });
    const after = await digests();
    const kept = [...before].flatMap(([path, digest]) =>
      after.get(path) === digest ? [path] : [],
    );
    expect(kept).toEqual(["steps/merge.ts"]);
  });

  test("gives modules that import each other digests that differ", async () => {
    const folder = await makeFolder({
      "package.json": MODULES,
      "pipeline.ts": 'import "./b.ts"; export const a = 1;',
      "b.ts": 'import "./pipeline.ts"; export const b = 1;',
    });
    const counted = await newReader().closuresOf(join(folder, "pipeline.ts"));
    expect(new Set(counted.map(({ digest }) => digest)).size).toBe(2);
  });
});

describe("codeOf(path), of names that begin with #", () => {
  const IMPORTS = {
    "#one": "./lib/one.ts",
    "#lib/*": "./lib/*",
    "#lib/inner/*": { require: "./none/*", node: { import: "./inner/*.ts" } },
    "#fs": "node:fs",
    "#either": { browser: "./lib/none.ts", default: "./lib/one.ts" },
    "#nothing": null,
  };
  const files = (name: string): Files => ({
    "package.json": JSON.stringify({ type: "module", imports: IMPORTS }),
    "deep/pipeline.ts": `import ${JSON.stringify(name)};`,
    "lib/one.ts": "",
    "inner/two.ts": "",
  });

  test.each([
    ["#one", ["../lib/one.ts"]],
    ["#lib/one.ts", ["../lib/one.ts"]],
    ["#lib/inner/two", ["../inner/two.ts"]],
    ["#either", ["../lib/one.ts"]],
    ["#fs", []],
  ])("finds %s where package.json says", async (name, paths) => {
    const folder = await makeFolder(files(name));
    const { modules } = await newReader().codeOf(join(folder, "deep/pipeline.ts"));
    expect(modules.map(({ path }) => path)).toEqual([...paths, "pipeline.ts"]);
  });

  test.each([
    [
      "#nothing",
      'deep/pipeline.ts:1 imports "#nothing", which package.json does not name in "imports"',
    ],
    ["#none", 'deep/pipeline.ts:1 imports "#none", which package.json does not name in "imports"'],
    ["#lib/three.ts", 'deep/pipeline.ts:1 imports "#lib/three.ts", which is not there'],
  ])("refuses %s", async (name, says) => {
    const folder = await realpath(await makeFolder(files(name)));
    const work = newReader().codeOf(join(folder, "deep/pipeline.ts"));
    expect((await refusalIn(folder, work)).says).toBe(says);
  });

  test("changes the digest where they come to mean another file", async () => {
    const folder = await makeFolder({ ...files("#one"), "lib/one.ts": "export {};" });
    const before = await digestIn(folder, "deep/pipeline.ts");
    await mkdir(join(folder, "new"));
    await rename(join(folder, "lib/one.ts"), join(folder, "new/one.ts"));
    const imports = { ...IMPORTS, "#one": "./new/one.ts" };
    await write(folder, { "package.json": JSON.stringify({ type: "module", imports }) });
    expect(await digestIn(folder, "deep/pipeline.ts")).toBe(before);
    await write(folder, { "new/one.ts": "export const one = 1;" });
    expect(await digestIn(folder, "deep/pipeline.ts")).not.toBe(before);
  });
});
