import { execFile } from "node:child_process";
import { globSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";

import { ESLint } from "eslint";
import prettier from "prettier";
import ts from "typescript";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { startProgram } from "./support/command.ts";

const ROOT = join(import.meta.dirname, "..");
const run = promisify(execFile);

/** Runs a command that is expected to fail and returns what it printed. */
async function refusal(program: string, args: readonly string[], cwd: string): Promise<string> {
  try {
    await run(program, [...args], { cwd });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    return `${stdout}${stderr}`;
  }
  throw new Error(`${program} ${args.join(" ")} was expected to fail`);
}

describe("eslint.config.js", () => {
  let eslint: ESLint;
  beforeAll(() => {
    eslint = new ESLint({ cwd: ROOT });
  });

  // A snippet is linted in the place of a file that is there, because rules that know types read it within its project.
  test.each(globSync("test/fixtures/lint/*.txt", { cwd: ROOT }).map((file) => basename(file)))(
    "refuses %s, for one reason",
    async (name) => {
      const text = await readFile(join(ROOT, "test/fixtures/lint", name), "utf8");
      const [, place = "", rule] = /^\/\/ at (\S+), refused by (\S+)\n/.exec(text) ?? [];
      const [result] = await eslint.lintText(text, { filePath: join(ROOT, place) });
      expect(result?.messages.map(({ ruleId }) => String(ruleId))).toEqual([rule]);
    },
  );

  test.each([
    ["src/shell.ts", "environment.ts.txt"],
    ["src/main.ts", "exit.ts.txt"],
    ["src/effects.ts", "clock.ts.txt"],
    ["src/retry.ts", "dice.ts.txt"],
    ["src/sources/http.ts", "fetch.ts.txt"],
  ])("lets %s do what %s may not", async (place, name) => {
    const text = await readFile(join(ROOT, "test/fixtures/lint", name), "utf8");
    const [result] = await eslint.lintText(text, { filePath: join(ROOT, place) });
    expect(result?.messages).toEqual([]);
  });
});

describe("tsconfig.json", () => {
  const SNIPPETS: Readonly<Record<string, string>> = {
    "an element that may not be there": "export const first = (list: string[]): string => list[0];",
    "undefined where a property may only be missing":
      "export const one: { a?: string } = { a: undefined };",
    "an enum, which Node cannot run": "export enum Severity { Error }",
    "a parameter property, which Node cannot run":
      "export class Point { constructor(readonly x: number) {} }",
    "a type that is imported as a value":
      'import { Log } from "../src/log.ts"; export type Mine = Log;',
  };
  let refused: ReadonlyMap<string, number>;
  beforeAll(() => {
    const { config } = ts.readConfigFile(join(ROOT, "tsconfig.json"), (path) =>
      ts.sys.readFile(path),
    ) as { config: unknown };
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
    const files = new Map(
      Object.entries(SNIPPETS).map(([, text], at) => [join(ROOT, `test/${at}.ts`), text] as const),
    );
    const host = ts.createCompilerHost(options);
    const read = host.readFile.bind(host);
    const exists = host.fileExists.bind(host);
    host.readFile = (path) => files.get(path) ?? read(path);
    host.fileExists = (path) => files.has(path) || exists(path);
    const program = ts.createProgram([...files.keys()], options, host);
    refused = new Map(
      [...files.keys()].map((path, at) => {
        const source = program.getSourceFile(path);
        const found = ts.getPreEmitDiagnostics(program, source).map(({ code }) => code);
        return [Object.keys(SNIPPETS)[at] ?? "", found[0] ?? 0];
      }),
    );
  });

  test.each([
    ["an element that may not be there", 2322],
    ["undefined where a property may only be missing", 2375],
    ["an enum, which Node cannot run", 1294],
    ["a parameter property, which Node cannot run", 1294],
    ["a type that is imported as a value", 1484],
  ])("refuses %s", (name, code) => {
    expect(refused.get(name)).toBe(code);
  });
});

describe(".prettierrc", () => {
  test("refuses a file that is not formatted, and takes one that is", async () => {
    const options = {
      ...(await prettier.resolveConfig(join(ROOT, "src/main.ts"))),
      parser: "babel",
    };
    expect(await prettier.check("export const a = 'one'", options)).toBe(false);
    expect(await prettier.check('export const a = "one";\n', options)).toBe(true);
  });
});

describe("in a project of its own", () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "hdash-gates-"));
    for (const name of ["package.json", "tsconfig.json", "knip.json", ".prettierrc"]) {
      await cp(join(ROOT, name), join(dir, name));
    }
    await symlink(join(ROOT, "node_modules"), join(dir, "node_modules"));
    await mkdir(join(dir, "src"));
    await writeFile(join(dir, "src/main.ts"), 'import { used } from "./used.ts";\n\nused();\n');
    await writeFile(
      join(dir, "src/used.ts"),
      "export function used(): void {}\nexport function unused(): void {}\n",
    );
    await writeFile(join(dir, "src/forgotten.ts"), "export const forgotten = 1;\n");
  });
  afterEach(async () => {
    await rm(dir, { recursive: true });
  });

  test("knip refuses an export and a file that nobody uses", async () => {
    const output = await refusal("knip", ["--include=exports,files", "--no-progress"], dir);
    expect(
      output
        .split("\n")
        .slice(0, 4)
        .map((line) => line.trim()),
    ).toEqual([
      "Unused files (1)",
      "src/forgotten.ts",
      "Unused exports (1)",
      "unused  function  src/used.ts:2:17",
    ]);
  });

  test("test/gates.ts fails with every gate that fails, counts them in its last line, and keeps what make told it to itself", async () => {
    const scripts = {
      types: 'test -z "$MAKEFLAGS$MAKELEVEL$AREA$FAKETIME"',
      lint: "echo bad lint; exit 1",
      "format:check": "exit 1",
    };
    await writeFile(join(dir, "package.json"), JSON.stringify({ type: "module", scripts }));
    await mkdir(join(dir, "test/support"), { recursive: true });
    await cp(join(ROOT, "test/gates.ts"), join(dir, "test/gates.ts"));
    const parts = ["tally", "area", "sharing", "compileCache", "fakedClock", "testRun"];
    for (const name of parts) {
      await cp(join(ROOT, `test/support/${name}.ts`), join(dir, `test/support/${name}.ts`));
    }
    const told = ["MAKEFLAGS=s", "MAKELEVEL=1", "AREA=engine", "FAKETIME=+0"];
    const output = await refusal(
      "env",
      [...told, process.execPath, "test/gates.ts", "--without-tests"],
      dir,
    );
    const lines = output.trimEnd().split("\n");
    expect(lines.slice(0, -1).join("\n")).toContain("bad lint");
    expect(lines.at(-1)).toBe("1 passed, 2 failed");
  });
});

describe("test/gates.ts", () => {
  test.each([
    [
      ["--area", "jobs/nothing"],
      /^test: AREA is jobs\/nothing, but there are no tests below .*\n$/,
    ],
    [["--shuffle", "yes"], /^test: SHUFFLE is yes, .*\n$/],
    [["--faketime", "tomorrow"], /^test: FAKETIME is tomorrow, .*\n$/],
    [["--frobnicate"], /^test: Unknown option '--frobnicate'/],
  ])("begins nothing when told %j: one line, and 2", async (args, line) => {
    const { code, stdout, stderr } = await startProgram(process.execPath, [
      "test/gates.ts",
      ...args,
    ]).ended;
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(line);
  });
});
