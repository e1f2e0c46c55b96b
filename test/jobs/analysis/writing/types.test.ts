// What the compiler says of users' pipelines: nothing of those that are right, and one error for each mistake, where it is.

import { globSync } from "node:fs";
import { join, resolve } from "node:path";

import ts from "typescript";
import { beforeAll, describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../../../..");
const WRONG = join(import.meta.dirname, "wrongUses.ts");
const PIPELINES = globSync(join(ROOT, "test/jobs/analysis/pipelines/*.ts")).sort();

/** A line that says that the next one is wrong. */
const EXPECTATION = /^\s*\/\/ @ts-expect-error /;
const lines = (ts.sys.readFile(WRONG) ?? "").split("\n");
/** Numbers of the lines that are wrong. */
const wrong = lines.flatMap((line, at) => (EXPECTATION.test(line) ? [at + 2] : []));

/** Compiles files as the house does, `change` applied to each text; gives what is said, by file and line. */
function compile(
  files: readonly string[],
  change: (path: string, text: string) => string = (_path, text) => text,
): readonly { readonly file: string; readonly line: number; readonly says: string }[] {
  const { config } = ts.readConfigFile(join(ROOT, "tsconfig.json"), ts.sys.readFile) as {
    readonly config: { readonly compilerOptions: object };
  };
  const { options, errors } = ts.convertCompilerOptionsFromJson(config.compilerOptions, ROOT);
  expect(errors).toEqual([]);
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (path, target) =>
    files.includes(resolve(path))
      ? ts.createSourceFile(path, change(resolve(path), ts.sys.readFile(path) ?? ""), target)
      : getSourceFile.call(host, path, target);
  const program = ts.createProgram(files, options, host);
  return files.flatMap((path) => {
    const source = program.getSourceFile(path);
    const said = [
      ...program.getSyntacticDiagnostics(source),
      ...program.getSemanticDiagnostics(source),
    ];
    return said.map(({ code, messageText, start, file }) => ({
      file: path,
      line: (file?.getLineAndCharacterOfPosition(start ?? 0).line ?? -1) + 1,
      says: `TS${code}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`,
    }));
  });
}

describe("the compiler", () => {
  let expected: ReturnType<typeof compile>;
  let unexpected: ReturnType<typeof compile>;
  beforeAll(() => {
    expected = compile([WRONG, ...PIPELINES]);
    unexpected = compile([WRONG], (_path, text) =>
      text
        .split("\n")
        .map((line) => (EXPECTATION.test(line) ? "//" : line))
        .join("\n"),
    );
  });

  test("finds nothing wrong with the pipelines that are shown to users", () => {
    expect(PIPELINES.length).toBeGreaterThanOrEqual(4);
    expect(expected.filter(({ file }) => file !== WRONG)).toEqual([]);
  });

  test("finds each mistake that is expected, and nothing else", () => {
    expect(wrong.length).toBeGreaterThan(40);
    expect(expected.filter(({ file }) => file === WRONG)).toEqual([]);
  });

  test("says one thing of each mistake, in its line", () => {
    expect(unexpected.map(({ line }) => line)).toEqual(wrong);
  });

  test("names port and kind of what is wrong in words of the pipeline", () => {
    const saidOf = (what: string): string => {
      const at = lines.findIndex((line) => line.includes(`@ts-expect-error ${what}`)) + 2;
      return unexpected.find(({ line }) => line === at)?.says ?? "";
    };
    expect(saidOf("A port that the step does not give")).toContain("'word' does not exist");
    expect(saidOf("A value is missing")).toContain("'k' is missing");
    expect(saidOf("A value that the step does not take.")).toContain("'min' does not exist");
    expect(saidOf("It gives no title")).toContain("'title'");
    expect(saidOf("A word that is none of the choice")).toMatch(/"slow".*"fast" \| "exact"/);
    expect(saidOf("A folder for a file")).toMatch(/InputFolder.*InputFile/);
  });
});
