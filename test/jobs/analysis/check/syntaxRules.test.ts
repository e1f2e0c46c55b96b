// What a check tells from a module's text alone: what its plan and its steps reach for, and which programs its command lines start.

import { describe, expect, test } from "vitest";

import { findDeclarations } from "../../../../src/jobs/analysis/sources/check/declarations.ts";
import { commandsOf } from "../../../../src/jobs/analysis/sources/check/programNames.ts";
import { parseFile } from "../../../../src/jobs/analysis/sources/check/syntax.ts";
import { findRaw, findWorld } from "../../../../src/jobs/analysis/sources/check/worldRules.ts";

const PLAN = `export default pipeline({ name: "p", takes: {}, gives: {}, plan: () => ({}) });`;

function parse(text: string) {
  const module = parseFile("/lab/p.ts", new TextEncoder().encode(text));
  return [module, findDeclarations(module)] as const;
}

/** What is found in a module, as "line:column severity what". */
function world(...lines: readonly string[]): readonly string[] {
  const found = findWorld(...parse(lines.join("\n")));
  return found.map(
    ({ line, column, severity, says }) => `${line}:${column} ${severity} ${says.split(" ")[0]}`,
  );
}

describe("findWorld(module, declarations)", () => {
  const HDASH = `import { pipeline, source, step } from "hdash";`;

  test.each([
    ["Date.now()", "Date.now"],
    ["performance.now()", "performance.now"],
    ["globalThis.Date.now()", "Date.now"],
    ["Math.random()", "Math.random"],
    ["crypto.randomUUID()", "crypto.randomUUID"],
    ['process.env["HOME"]', "process.env"],
    ["process.cwd()", "process.cwd"],
    ['fetch("https://example.org")', "fetch()"],
    ['import("node:fs")', 'import("node:fs")'],
  ])("finds %s in a module that has a plan", (code, what) => {
    expect(world(HDASH, `export const x = ${code};`, PLAN)).toEqual([`2:18 error ${what}`]);
  });

  test.each(["new Date()", "new Date", "Date()"])("finds %s, which is now", (code) => {
    const found = findWorld(...parse(`${HDASH}\nexport const x = ${code};\n${PLAN}`));
    expect(found.map(({ line, column, rule }) => [line, column, rule])).toEqual([[2, 18, "plan"]]);
  });

  test.each([
    [`import { readFileSync } from "node:fs";`, `readFileSync("a")`, "readFileSync"],
    [`import * as fs from "fs/promises";`, `fs.readFile("a")`, "fs"],
    [`import fs from "node:fs";`, `fs`, "fs"],
    [`import { randomUUID as id } from "node:crypto";`, `id()`, "id"],
    [`import { env } from "node:process";`, `env["HOME"]`, "env"],
    [`import { get } from "node:https";`, `get("a")`, "get"],
    [`import { cpus } from "node:os";`, `cpus()`, "cpus"],
    [`import { execFileSync } from "node:child_process";`, `execFileSync("ls")`, "execFileSync"],
  ])("finds what stands behind %s", (line, code, what) => {
    expect(world(HDASH, line, `export const x = ${code};`, PLAN)).toEqual([`3:18 error ${what}`]);
  });

  test.each([
    ["a date of something", "export const x = new Date(0);"],
    ["a name of the module's own", "const fetch = (x: string) => x; export const x = fetch('a');"],
    ["a parameter", "export const x = (Date: { now(): number }) => Date.now();"],
    ["a key of that name", "export const x = { fetch: 1, now: 2 };"],
    ["another member", "export const x = Math.max(1, 2);"],
    ["a digest", `import { createHash } from "node:crypto"; export const x = createHash("md5");`],
    ["a path", `import { join } from "node:path"; export const x = join("a");`],
    ["an import that is not used", `import { readFileSync } from "node:fs"; export const x = 1;`],
    ["a type", `import type { Stats } from "node:fs"; export const x = (s: Stats) => s;`],
  ])("passes %s", (_what, code) => {
    expect(world(HDASH, code, PLAN)).toEqual([]);
  });

  test("says nothing of a module that has no plan and no step", () => {
    expect(world(HDASH, "export const x = Date.now();")).toEqual([]);
  });

  test("tells of a step what its result depends on, and lets it have its disk", () => {
    const run = `run: () => { writeFileSync("a", "b"); return { n: Date.now() }; }`;
    const fs = `import { writeFileSync } from "node:fs";`;
    expect(world(HDASH, fs, `export const a = step({ name: "a", ${run} });`, PLAN)).toEqual([
      expect.stringMatching(/^3:\d+ note Date\.now$/),
    ]);
  });

  test("lets a source read the world", () => {
    expect(world(HDASH, `export const a = source({ run: () => Date.now() });`, PLAN)).toEqual([]);
  });

  test("knows hdash by whatever name a module has for it", () => {
    const plan = `export default h.pipeline({ plan: () => ({}) });`;
    const x = "export const x = Date.now();";
    expect(world(`import * as h from "hdash";`, x, plan)).toEqual(["2:18 error Date.now"]);
    const renamed = `import { pipeline as p } from "hdash";`;
    expect(world(renamed, x, `export default p({});`)).toEqual(["2:18 error Date.now"]);
    expect(world(`import { pipeline } from "./own.ts";`, x, PLAN)).toEqual([]);
  });
});

describe("findRaw(module, declarations)", () => {
  const raw = (...lines: readonly string[]): readonly string[] =>
    findRaw(...parse([`import { sh } from "hdash";`, ...lines].join("\n"))).map(
      ({ line, column }) => `${line}:${column}`,
    );

  test("finds text that is not quoted", () => {
    expect(raw("export const x = (a: string) => sh`ls ${sh.raw(a)}`;")).toEqual(["2:41"]);
  });

  test("passes it where a comment beside it says why", () => {
    const code = "export const x = (a: string) => sh`ls ${sh.raw(a)}`;";
    expect(raw("// raw: flags of our own, never a name", code)).toEqual([]);
    expect(raw(`${code} // raw: flags of our own`)).toEqual([]);
    expect(raw("// raw:", code)).toEqual(["3:41"]);
    expect(raw("// raw: of another line", "", code)).toEqual(["4:41"]);
  });

  test("passes what is called so elsewhere", () => {
    expect(raw("const own = { raw: 1 }; export const x = own.raw;")).toEqual([]);
  });
});

describe("commandsOf(pieces)", () => {
  test.each<readonly [string, readonly string[], readonly string[]]>([
    ["one", ["bwa mem"], ["bwa"]],
    [
      "those of a pipe",
      ["bwa mem a | samtools sort -o b && gzip b; rm a"],
      ["bwa", "samtools", "gzip", "rm"],
    ],
    ["those of lines", ["bwa index a\nsamtools view b &"], ["bwa", "samtools"]],
    [
      "those of a condition",
      ["if grep -q a b; then cut -f 1 b; else wc b; fi"],
      ["grep", "cut", "wc"],
    ],
    ["those of a loop", ["for one in a b; do bgzip x; done"], ["bgzip"]],
    ["those of a group", ["{ sort a; uniq b; }; (tail c)"], ["sort", "uniq", "tail"]],
    ["one behind variables", ["A=1 B=2 bwa mem"], ["bwa"]],
    ["one before a comment", ["bwa mem # then samtools; rm"], ["bwa"]],
    ["one by its path", ["bin/count.sh a"], ["bin/count.sh"]],
    ["each once", ["sort a | sort b"], ["sort"]],
    ["none among values", ["", " | samtools ", ""], ["samtools"]],
    ["none in quotes", ["echo 'a; bwa' \"; bwa\""], []],
    ["none behind arrows", ["cat < in > out 2>&1 2> err"], ["cat"]],
    ["none of bash's own", ["set -x; cd a; [ -f b ] && printf c; trap d EXIT"], []],
    ["none of a variable", ["$TOOL a; ${TOOL} b"], []],
    ["none that is quoted", ["'bwa' mem"], []],
  ])("finds %s", (_what, pieces, found) => {
    expect(commandsOf(pieces)).toEqual(found);
  });

  test.each([
    "f() { bwa; }; f",
    "case a in b) bwa;; esac",
    "PATH=/opt; bwa",
    "cat << END\nbwa\nEND",
    "a=(bwa b)",
    "(( bwa + 1 ))",
    "x=$(bwa a); samtools",
    "alias s=samtools; s",
  ])("finds nothing where it cannot be sure: %s", (text) => {
    expect(commandsOf([text])).toEqual([]);
  });
});
