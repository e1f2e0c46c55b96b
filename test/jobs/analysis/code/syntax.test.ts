import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { createContext, runInContext } from "node:vm";

import { parse, type Token, tokenizer } from "acorn";
import { format, type Options } from "prettier";
import { describe, expect, test } from "vitest";

import { HdashError } from "../../../../src/error.ts";
import {
  type ModuleText,
  readModuleText,
} from "../../../../src/jobs/analysis/sources/code/moduleText.ts";

const ROOT = join(import.meta.dirname, "../../../..");

function read(text: string, path = "/p/a.ts"): ModuleText {
  return readModuleText(path, Buffer.from(text));
}

function digest(text: string, path = "/p/a.ts"): string {
  return read(text, path).digest;
}

function refusal(text: string, path: string): string {
  try {
    read(text, path);
  } catch (error) {
    if (error instanceof HdashError && error.kind === "usage") return error.message;
    throw error;
  }
  throw new Error("it was read");
}

describe("readModuleText(path, bytes), of one program written in two ways", () => {
  test.each([
    ["comments", "let a = 1;", "/* x */ let /** @type {x} */ a = 1; // y"],
    ["layout", "if (a) { b(); }", "if (a)\n\t{\r\n b()\u2028\n\n}"],
    ["semicolons", "let a = 1;\nb();", "let a = 1\n;;b()"],
    [
      "an empty statement in a case",
      "switch (a) { case 1: b(); }",
      "switch (a) { case 1:; b();; }",
    ],
    ["quotes", `f("a'b\\n")`, `f('a\\'b\\x0a')`],
    ["parentheses", "a = (b * c) + (d);", "a = b * c + d;"],
    ["quotes around keys", "f({ a: 1, 'b': 2 })", `f({ "a": 1, b: 2 })`],
    ["commas at the end", "f([a, b], { c }, d)", "f([a, b,], { c, }, d,)"],
    ["parentheses of an arrow", "f((a) => a)", "f(a => (a))"],
    ["the spelling of numbers", "f(16, 1000, 0.5, 16n)", "f(0x10, 1_000, .5, 0x1_0n)"],
    ["a byte order mark", "let a = 1", "\ufefflet a = 1"],
    ["ends of lines in a template", "f(`a\nb`)", "f(`a\r\nb`)"],
    ["the first line of a program", "f()", "#!/usr/bin/env node\nf()"],
    [
      "names of files",
      "import a from './b.ts'; import('./b.ts')",
      "import a from '../c/d.mjs'; import(`/e.js`)",
    ],
    ["types", "let a = 1; f(a)", "type A = { b: string };\nlet a: number = 1 as const;\nf(a!)"],
    ["an interface", "export let a;", "export interface B { c: 1 }\nexport let a: B | undefined;"],
    [
      "imports of types",
      "import { a } from 'b'; a",
      "import type { C } from 'c'; import { a, type D } from 'b'; a",
    ],
    [
      "types of a function",
      "function f(a, b) {}",
      "function f<T>(this: T, a?: T, b: T[] = []): void {}".replace(" = []", ""),
    ],
    [
      "types of a class",
      "class A { a; b() {} }",
      "abstract class A implements B { readonly a!: 1; declare c: 2; abstract d(): 1; private b(): void {} }",
    ],
  ])("gives one digest whatever %s", (_, one, other) => {
    expect(digest(other)).toBe(digest(one));
  });

  test("gives one digest to JSON whatever its layout", () => {
    const [one, other] = ['{"a": [1, "b  \\" c"]}', '\ufeff{\r\n\t"a":[\n1,"b  \\" c" ] }\n'];
    expect(digest(other, "a.json")).toBe(digest(one, "a.json"));
  });

  const MINE = globSync("src/{engine,jobs/*/steps,formats}/*.ts", { cwd: ROOT }).sort();
  /** As little alike as prettier can make them. */
  const STYLES: readonly Options[] = [
    {
      ...{ semi: false, singleQuote: true, printWidth: 30, trailingComma: "none" as const },
      ...{ arrowParens: "avoid" as const, quoteProps: "consistent" as const },
      ...{ endOfLine: "crlf" as const, useTabs: true },
    },
    { printWidth: 400, bracketSpacing: false, objectWrap: "collapse", experimentalTernaries: true },
  ];
  test("gives one digest to a file of hdash's own however prettier formats it", async () => {
    const changed: string[] = [];
    let formatted = 0;
    for (const file of MINE.filter((_, at) => at % 4 === 0)) {
      const text = readFileSync(join(ROOT, file), "utf8");
      for (const style of STYLES) {
        const other = await format(text, { ...style, parser: "typescript" });
        if (other !== text) formatted++;
        if (digest(other) !== digest(text)) changed.push(file);
      }
    }
    expect(changed).toEqual([]);
    expect(formatted).toBeGreaterThan(10);
  });
});

describe("readModuleText(path, bytes), of what a declaration says for people and machines", () => {
  const declared = (options: string, from = '"hdash"'): string =>
    `import { step as make, pipeline } from ${from};
     export const count = make({ name: "count", takes: {}, gives: {}, run: () => ({}), ${options} });
     export default pipeline({ name: "p", title: "P", takes: {}, gives: {}, plan: () => ({}) });`;

  test("gives one digest whatever describes a step, and whatever it is given of a machine", () => {
    const bare = digest(declared(""));
    for (const options of [
      'description: "counts"',
      "attempts: 3, resources: { cpus: 2 }",
      "'resources': ({ attempt }) => ({ memoryMiB: 512 * attempt })",
    ]) {
      expect(digest(declared(options)), options).toBe(bare);
    }
    expect(digest(declared("").replace('title: "P", ', ""))).toBe(bare);
  });

  test.each([
    ["another option", declared("version: 2"), declared("")],
    ["a computed name", declared('["attempts"]: 3'), declared("")],
    [
      "what is imported from elsewhere",
      declared("attempts: 3", '"./own.ts"'),
      declared("", '"./own.ts"'),
    ],
    [
      "a function of that name within another",
      'import { step } from "hdash"; f((step) => step({ attempts: 3 }))',
      'import { step } from "hdash"; f((step) => step({}))',
    ],
    [
      "an option of something in it",
      declared("env: { attempts: 3 }"),
      declared("env: { attempts: 4 }"),
    ],
  ])("tells %s", (_name, one, other) => {
    expect(digest(one)).not.toBe(digest(other));
  });
});

describe("readModuleText(path, bytes), of two programs", () => {
  test.each([
    ["a constant", "let a = 1", "let a = 2"],
    ["a name", "f(a)", "f(b)"],
    ["an operator", "f(a + b)", "f(a - b)"],
    ["a string", "f('a')", "f('b')"],
    ["a string and a number", "f('1')", "f(1)"],
    ["a number and a great one", "f(1)", "f(1n)"],
    ["a string and a name", "f('a')", "f(a)"],
    ["true and its text", "f(true)", "f('true')"],
    ["a hole and null", "f([, 1])", "f([null, 1])"],
    ["a hole at the end", "f([a])", "f([a, ,])"],
    ["text in a template", "f(`a  b`)", "f(`a b`)"],
    ["how a template is spelled, which its tag sees", "f`\\x41`", "f`A`"],
    ["a pattern", "f(/a/g)", "f(/b/g)"],
    ["a pattern's flags", "f(/a/g)", "f(/a/)"],
    ["a pattern and its text", "f(/a/g)", "f('/a/g')"],
    ["let and const", "let a = 1", "const a = 1"],
    ["an await", "await f()", "f()"],
    ["a getter", "f({ get a() { return 1 } })", "f({ a() { return 1 } })"],
    ["static", "class A { static a = 1 }", "class A { a = 1 }"],
    ["private", "class A { #a = 1 }", "class A { a = 1 }"],
    ["an optional chain that ends", "(a?.b).c", "a?.b.c"],
    ["order", "a(); b()", "b(); a()"],
    ["order of keys", "f({ a, b })", "f({ b, a })"],
    ["what is computed", "f({ a: 1 })", "f({ [a]: 1 })"],
    ["what is imported", "import { a } from 'b'", "import { c as a } from 'b'"],
    ["a package", "import { a } from 'b'", "import { a } from 'c'"],
    ["a path and a package", "import './b'", "import 'b'"],
    ["a path's query", "import './b.ts?1'", "import './b.ts?2'"],
    ["what is done for its effect before an import", "import('./a.ts')", "import((f(), './a.ts'))"],
    ["import now and later", "import './a.ts'", "import('./a.ts')"],
    ["attributes", "import a from './a.json'", "import a from './a.json' with { type: 'json' }"],
    ["a directive and a string", "function f() { 'use x' }", "function f() { ('use x') }"],
    ["JSON and a program", "[1]", "[ 2 ]"],
  ])("tells %s", (_, one, other) => {
    expect(digest(other)).not.toBe(digest(one));
  });

  test("tells JSON by its values, their order, and the spaces in them", () => {
    const texts = ['{"a":1,"b":2}', '{"b":2,"a":1}', '{"a":1,"b ":2}', "[1e999]", "[null]", "[-0]"];
    expect(new Set(texts.map((text) => digest(text, "a.json"))).size).toBe(texts.length);
    expect(digest("[1]", "a.json")).not.toBe(digest("[1]", "a.js"));
  });

  test("tells each word and sign of a program", () => {
    const text = readFileSync(join(ROOT, "views/assets/tabs.js"), "utf8");
    const own = digest(text, "a.js");
    const unseen: string[] = [];
    let tried = 0;
    for (const token of tokensOf(text)) {
      const { start, end } = token;
      for (const other of changesOf(text.slice(start, end))) {
        const changed = text.slice(0, start) + other + text.slice(end);
        if (!isProgram(changed)) continue;
        tried++;
        if (digest(changed, "a.js") === own) unseen.push(text.slice(start - 20, end + 20));
      }
    }
    expect(unseen).toEqual([]);
    expect(tried).toBeGreaterThan(800);
  });
});

/** Other words in place of one: another name or number, another operator. */
function changesOf(word: string): readonly string[] {
  if (/^\d/.test(word)) return [`${word}1`];
  if (/^[a-z_$]/i.test(word)) return [`${word}x`];
  if (/^["']/.test(word)) return [`${word.slice(0, -1)}x${word.slice(-1)}`];
  return ["+", "-", "===", "!==", "&&", "||", "<", "="].filter((sign) => sign !== word);
}

function tokensOf(text: string): readonly Token[] {
  return [...tokenizer(text, { ecmaVersion: "latest", sourceType: "module" })];
}

function isProgram(text: string): boolean {
  try {
    parse(text, { ecmaVersion: "latest", sourceType: "module" });
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

describe("readModuleText(path, bytes), of programs that differ in ends of lines", () => {
  /** Run as the body of a function, with a few values. */
  function behaviour(body: string): unknown {
    const values = "let a = 1, b = 2, x = [5]; const f = (...g) => ['f', ...g];";
    const code = `"use strict"; (() => { ${values} const r = (() => { ${body} })(); return [r, a, b]; })()`;
    try {
      return JSON.stringify(runInContext(code, createContext({})));
    } catch (error) {
      return String(error);
    }
  }
  /** In a function, where `return` may stand. */
  const inFunction = (body: string): string => digest(`function g() { ${body} }`, "/p/a.js");

  test.each([
    ["return a", "return\na"],
    ["return a", "return /*\n*/ a"],
    ["return a", "return /* */ a"],
    ["return (a)", "return (\na\n)"],
    ["a\n++\nb\nreturn", "a++\nb\nreturn"],
    ["a\n++\nb\nreturn", "a\n++b\nreturn"],
    ["for (;;) { for (;;) { break } return b }", "for (;;) { for (;;) { break\n } return b }"],
    ["a = b\n(1)", "a = b;(1)"],
    ["a = f\n(b)", "a = f(b)"],
    ["a = x\n[0]", "a = x;[0]"],
    ["a = x\n[0]", "a = x[0]"],
    ["a = b\n-1", "a = b;-1"],
    ["a = f\n`q`", "a = f`q`"],
    ["a = f\n`q`", "a = f;`q`"],
    ["let c = 1\n/2/a", "let c = 1/2/a"],
    ["if (0)\nb = 3", "if (0);b = 3"],
    [
      "class C { static get\n q() { return 1 } } return C.q",
      "class C { static get; q() { return 1 } } return C.q",
    ],
    [
      "class C { static q\n static r = 1 } return C.r",
      "class C { static q; static r = 1 } return C.r",
    ],
    ["throw a", "throw (\na)"],
    ["let q; (q) = () => 1; return q.name", "let q; q = () => 1; return q.name"],
    ["let q; [(q) = () => 1] = []; return q.name", "let q; [q = () => 1] = []; return q.name"],
    ["let q; q = (() => 1); return q.name", "let q; q = () => 1; return q.name"],
    ["do a++; while (a < 5) return a", "do a++\nwhile (a < 5)\nreturn a"],
  ])("gives %j and %j one digest if they do one thing, and two if they do two", (one, other) => {
    const isSame = isDeepStrictEqual(behaviour(one), behaviour(other));
    expect(inFunction(one) === inFunction(other)).toBe(isSame);
  });

  test("sees the line break that a type leaves behind", () => {
    expect(digest("f(a as\nB)")).toBe(digest("f(a)"));
    expect(digest("let a = b\ntype C = 1;\n[1].d")).toBe(digest("let a = b;\n[1].d"));
    expect(digest("function f() { return <T\n>(a: T) => a }")).toBe(
      digest("function f() { return (a) => a }"),
    );
  });

  test("gives one digest to a program with any comments, spaces and ends of lines where they may stand", () => {
    const text = readFileSync(join(ROOT, "views/assets/rows.js"), "utf8");
    const own = digest(text, "a.js");
    for (let seed = 1; seed <= 20; seed++) {
      const other = scatter(text, seed);
      expect(digest(other, "a.js"), `seed ${seed}`).toBe(own);
    }
  });
});

/** Words after which, and signs before which, a line break would mean something. */
const RESTRICTED_AFTER =
  /^(?:return|throw|break|continue|yield|async|await|import|export|let|using)$/;
const RESTRICTED_BEFORE = /^(?:\+\+|--|=>)$/;
const GAPS = [" ", "\t", "/* x */", "/** return */ ", "  /*;*/"];
const BROKEN = ["\n", "\r\n", " // y = 1\n", "/*\n*/", "\n\n"];

/** Puts something between all words of a program but within templates; the same for a seed. */
function scatter(text: string, seed: number): string {
  let state = seed;
  const pick = (choices: readonly string[]): string => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return choices[(state >>> 16) % choices.length] ?? "";
  };
  let out = "";
  let last = 0;
  let word = "";
  for (const { start, end, type } of tokensOf(text)) {
    const next = text.slice(start, end);
    const isText = type.label === "template" || word === "`" || ["`", "${", "}"].includes(next);
    const mayBreak = !RESTRICTED_AFTER.test(word) && !RESTRICTED_BEFORE.test(next);
    const gap = text.slice(last, start);
    // In a template there is no gap but in its expressions, whose ends look like those of blocks.
    out += isText ? gap : gap + pick(mayBreak ? [...GAPS, ...BROKEN] : GAPS);
    out += next;
    [last, word] = [end, next];
  }
  return out + text.slice(last);
}

describe("readModuleText(path, bytes), of what cannot be read", () => {
  test.each([
    ["a.js", "let a\n\nlet b = ;", "a.js:3: Unexpected token"],
    ["a.ts", "let a\n\nlet b: = 1;", /^a\.ts:3: Unexpected token `=`/],
    ["a.ts", "// x\nenum A { b }", "a.ts:2: TypeScript enum is not supported in strip-only mode"],
    ["a.ts", "\n@d class A {}", "a.ts:2: decorators are not supported: Node does not run them"],
    [
      "a.mjs",
      "class A {\n  @d b = 1 }",
      "a.mjs:2: decorators are not supported: Node does not run them",
    ],
    ["a.json", '{\n"a": 1,\n}', /^a\.json:3: Expected double-quoted property name/],
    ["a.json", "", /^a\.json: Unexpected end of JSON input/],
  ])("names the line of %s: %j", (path, text, says) => {
    if (typeof says === "string") expect(refusal(text, path)).toBe(says);
    else expect(refusal(text, path)).toMatch(says);
  });

  test("refuses what is too deep to read, and reads the next", () => {
    const [brackets, sum] = [
      `f(${"[".repeat(5_000)}${"]".repeat(5_000)})`,
      `f(a${" + a".repeat(20_000)})`,
    ];
    const deep = ": expressions stand in each other too deeply";
    expect(refusal(brackets, "a.ts")).toBe(`a.ts${deep}`);
    expect(refusal(sum, "a.ts")).toBe(`a.ts${deep}`);
    // The parser of JavaScript says so in its own words.
    expect(refusal(sum, "a.js")).toMatch(/^a\.js:1: Not enough stack|too deeply$/);
    expect(digest("let a: 1 = 1")).toBe(digest("let a = 1"));
  });
});

describe("readModuleText(path, bytes), of code that comes from elsewhere", () => {
  test("notes each place that it cannot see, with its line", () => {
    const { notes } = read(`import { createRequire } from "node:module";
      const require = createRequire(import.meta.url);
      require("a"); import(a); (0, eval)("1"); new Function("a");
      globalThis.eval("1"); import.meta.resolve("b"); new Worker("./c.js");
      import(\`./\${d}.ts\`);`);
    expect(
      notes.map(({ line, says }) => `${line} ${/^[^:(]{1,18}/.exec(says)?.[0].trim() ?? ""}`),
    ).toEqual([
      "2 makes a require",
      "3 calls require",
      "3 imports a module w",
      "3 calls eval",
      "3 makes a function o",
      "4 calls eval",
      "4 asks where a modul",
      "4 starts a worker",
      "5 imports a module w",
    ]);
  });

  test("says nothing of what only has such a name", () => {
    expect(
      read(
        "a.eval(1); b.require(2); ({ eval: 1 }); a instanceof Function; import('./c.ts'); import.meta.url",
      ).notes,
    ).toEqual([]);
  });

  test("lists what is imported, with lines, in any way that it can be", () => {
    const { imports } = read(`import "./a.ts";
      import b, { type B } from "b";
      import type { C } from "./c.ts";
      export * from './d.mjs'; export { e } from "#e";
      await import(("@f/g/h")); import(\`./i.js\`);`);
    const shown = imports.map(({ specifier, line }) => `${line} ${specifier}`);
    expect(shown).toEqual(["1 ./a.ts", "2 b", "4 ./d.mjs", "4 #e", "5 @f/g/h", "5 ./i.js"]);
  });
});

describe("readModuleText(path, bytes), in the next version", () => {
  test("gives all syntax the digest that it always gave", () => {
    // Another digest here means that everything all users ever ran is done again: not for a new parser, and never by accident.
    const text = readFileSync(join(import.meta.dirname, "allSyntax.txt"), "utf8");
    expect(digest(text)).toBe("2cdc2b071286b2182dbe3e082c78ed023d8b54b62d3ee7385b562457ac14ead4");
  });
});
