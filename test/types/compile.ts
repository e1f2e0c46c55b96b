// Compiles snippets as the house compiles itself, without writing a file: what must not compile is tested by what the compiler says.

import { join, resolve } from "node:path";

import ts from "typescript";

const ROOT = join(import.meta.dirname, "../..");
/** Where the snippets pretend to lie: their imports are resolved from here. */
const FILE = resolve(import.meta.dirname, "snippets.ts");

/** What the compiler says of each snippet, e.g. "TS2322: Type 'string' is not assignable to type 'number'."; nothing of one that is right. */
export function compileSnippets(
  prelude: string,
  snippets: readonly string[],
): readonly (readonly string[])[] {
  const { config, error } = ts.readConfigFile(join(ROOT, "tsconfig.json"), ts.sys.readFile) as {
    config: { compilerOptions: object };
    error?: ts.Diagnostic;
  };
  if (error !== undefined) throw new Error(sayOf(error));
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, ROOT);
  let source = prelude;
  const starts: number[] = [];
  for (const snippet of snippets) {
    starts.push(source.length);
    source += `\nasync () => {\n${snippet}\n};`;
  }
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists, getSourceFile } = host;
  host.readFile = (path) => (resolve(path) === FILE ? source : readFile(path));
  host.fileExists = (path) => resolve(path) === FILE || fileExists(path);
  host.getSourceFile = (path, target) =>
    resolve(path) === FILE
      ? ts.createSourceFile(path, source, target)
      : getSourceFile.call(host, path, target);
  const program = ts.createProgram([FILE], options, host);
  const said: string[][] = snippets.map(() => []);
  const file = program.getSourceFile(FILE);
  for (const diagnostic of [
    ...program.getSyntacticDiagnostics(file),
    ...program.getSemanticDiagnostics(file),
  ]) {
    const at = diagnostic.start ?? 0;
    const index = starts.findLastIndex((start) => start <= at);
    const own = said[index];
    if (own === undefined) throw new Error(`before the snippets: ${sayOf(diagnostic)}`);
    own.push(sayOf(diagnostic));
  }
  return said;
}

function sayOf({ code, messageText }: ts.Diagnostic): string {
  return `TS${code}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
}
