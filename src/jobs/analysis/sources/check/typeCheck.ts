// What the compiler says of a pipeline's modules: with the settings of its own tsconfig.json where it has one, and always with those without
// which Node does not run TypeScript. `hdash` is this very hdash, wherever the pipeline lies.

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import type ts from "typescript";

import { HDASH } from "../code/packages.ts";
import { type Found, type FoundIn, START } from "./found.ts";

type Compiler = typeof ts;

/** The types of the import: the sources in a checkout, declarations in a package. */
const TYPES = ["../../../../index.ts", "../../../../../types/index.d.ts"].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);
/** What is hdash's own is none of the pipeline's. */
const OWN = fileURLToPath(new URL("../../../../", import.meta.url));

/** What the compiler found, by file; null where there is no compiler. */
export type TypesFound = readonly (FoundIn & { readonly file: string })[] | null;

/** Has the compiler look at a module and all that it imports. */
export async function checkTypes(file: string): Promise<TypesFound> {
  const compiler = await loadCompiler(file);
  const types = TYPES.find((path) => existsSync(path));
  if (compiler === null || types === undefined) return null;
  const { options, problems } = readOptions(compiler, file);
  const host = compiler.createCompilerHost(options);
  const cache = compiler.createModuleResolutionCache(dirname(file), (path) => path, options);
  host.resolveModuleNameLiterals = (literals, from, redirected, own, source) =>
    literals.map((literal) => {
      if (literal.text === HDASH) return { resolvedModule: ownModule(compiler, types) };
      const mode = compiler.getModeForUsageLocation(source, literal, own);
      return compiler.resolveModuleName(literal.text, from, own, host, cache, redirected, mode);
    });
  // With hdash's types come Node's, also for a module that does not import them.
  const program = compiler.createProgram([file, types], options, host);
  const sources = program
    .getSourceFiles()
    .filter((source) => !source.isDeclarationFile && !isForeign(source.fileName, program, source));
  // Of what is no program the compiler guesses the rest: the first place of each file is the one to be mended.
  const broken = sources.flatMap((source) => program.getSyntacticDiagnostics(source).slice(0, 1));
  const said =
    broken.length > 0
      ? broken
      : sources.flatMap((source) => program.getSemanticDiagnostics(source));
  const found = [...problems, ...said].map((one) => foundOf(compiler, one, file));
  return onceEach(found);
}

/** That a folder is not of modules is told of every import and export; once in a file is enough. */
function onceEach<F extends FoundIn & { readonly file: string }>(
  found: readonly F[],
): readonly F[] {
  const told = new Set<string>();
  return found.filter(({ file, says }) => {
    if (says !== NOT_OF_MODULES) return true;
    const isFirst = !told.has(file);
    told.add(file);
    return isFirst;
  });
}

/** hdash's own compiler, or that of the pipeline's folder: the image has none. */
async function loadCompiler(file: string): Promise<Compiler | null> {
  try {
    return (await import("typescript")).default;
  } catch {
    // Told as a note where the pipeline's folder has none either.
  }
  try {
    const found: unknown = createRequire(pathToFileURL(file))("typescript");
    return isCompiler(found) ? found : null;
  } catch {
    return null; // told as a note
  }
}

/** Of later versions not all have a compiler that can be called. */
function isCompiler(found: unknown): found is Compiler {
  return typeof found === "object" && found !== null && "createProgram" in found;
}

function isForeign(path: string, program: ts.Program, source: ts.SourceFile): boolean {
  return program.isSourceFileFromExternalLibrary(source) || path.startsWith(OWN);
}

function ownModule(compiler: Compiler, path: string): ts.ResolvedModuleFull {
  const { Dts, Ts } = compiler.Extension;
  return {
    resolvedFileName: path,
    extension: path.endsWith(".d.ts") ? Dts : Ts,
    isExternalLibraryImport: false,
  };
}

interface Options {
  readonly options: ts.CompilerOptions;
  readonly problems: readonly ts.Diagnostic[];
}

/** The settings of the nearest tsconfig.json, or strict ones. */
function readOptions(compiler: Compiler, file: string): Options {
  const path = compiler.findConfigFile(dirname(file), compiler.sys.fileExists);
  const found = path === undefined ? null : compiler.readConfigFile(path, compiler.sys.readFile);
  const parsed =
    path === undefined || found?.config === undefined
      ? null
      : compiler.parseJsonConfigFileContent(found.config, compiler.sys, dirname(path), {}, path);
  // That it finds no file to compile is no problem here: the pipeline is one.
  const problems = (parsed?.errors ?? []).filter(({ code }) => code !== 18002 && code !== 18003);
  const options: ts.CompilerOptions = { ...(parsed?.options ?? STRICT), ...byNode(compiler) };
  for (const name of OF_OUTPUT) options[name] = undefined;
  return { options, problems: [...(found?.error === undefined ? [] : [found.error]), ...problems] };
}

const STRICT = { noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true } as const;
/** Settings about what is written, of which nothing is. */
const OF_OUTPUT = [
  ...["incremental", "composite", "tsBuildInfoFile", "declaration", "declarationMap"],
  ...["emitDeclarationOnly", "isolatedDeclarations", "outDir", "outFile", "rootDir"],
];

/** Settings without which the compiler lets pass what hdash or Node does not. */
function byNode({ ModuleKind, ModuleResolutionKind, ScriptTarget }: Compiler): ts.CompilerOptions {
  return {
    ...{ strict: true, noEmit: true, skipLibCheck: true, target: ScriptTarget.ES2024 },
    ...{ module: ModuleKind.NodeNext, moduleResolution: ModuleResolutionKind.NodeNext },
    ...{ verbatimModuleSyntax: true, erasableSyntaxOnly: true, allowImportingTsExtensions: true },
    ...{ resolveJsonModule: true, allowJs: true },
  };
}

function foundOf(
  compiler: Compiler,
  { code, messageText, file: source, start }: ts.Diagnostic,
  entry: string,
): FoundIn & { readonly file: string } {
  const at = source?.getLineAndCharacterOfPosition(start ?? 0);
  const spot = at === undefined ? START : { line: at.line + 1, column: at.character + 1 };
  const says = compiler
    .flattenDiagnosticMessageText(messageText, "\n")
    .replaceAll(/\s*\n\s*/g, " ");
  const found = { file: source?.fileName ?? entry, ...spot, rule: "types" } as const;
  if (OF_SCRIPTS.includes(code)) {
    const advice = 'Put "type": "module" into the package.json of the folder.';
    return { ...found, says: NOT_OF_MODULES, advice };
  }
  return {
    ...found,
    says: `${says.replace(/\.$/, "")} (TS${code})`,
    advice: ADVICE[code] ?? "Change the value, or what is declared, so that both say the same.",
  };
}

/** What is said where no package.json says that files are modules. */
const OF_SCRIPTS: readonly number[] = [1286, 1287, 1295];
const NOT_OF_MODULES =
  "the file is a script and no module: its folder has no package.json that says so";

/** What to do about what is said most often of pipelines. */
const ADVICE: Readonly<Record<number, string>> = {
  1484: "Write import type: Node takes types away, and does not know which names are types.",
  1294: "Write it without: Node runs TypeScript only where its types can be taken out.",
  2304: "Declare it, or import it.",
  2307: "Write the path with its ending, as in ./steps.ts, or install the package.",
  2322: "Give a value of the kind that is declared in `takes` or `gives`.",
  2339: "Name one of the ports that the step gives, or declare it in `gives`.",
  2345: "Give every value that the step takes, each of its kind.",
  2353: "Take it away, or declare it in `takes`.",
  2551: "Name one of the ports that the step gives, or declare it in `gives`.",
  2561: "Name one of the ports that the step takes.",
  2882: "Write the path with its ending, as in ./steps.ts, or install the package.",
  2739: "Give every value that is declared.",
  2741: "Give every value that is declared.",
};

/** Tells how a file is called from a folder; as it is where it lies elsewhere. */
export function shownFrom(folder: string, file: string): string {
  const path = relative(folder, file);
  return path.startsWith("..") ? file : path;
}

/** That types were not looked at, as a finding. */
export function typesMissing(path: string): Found {
  return {
    ...{ path, ...START, severity: "note", rule: "types" },
    says: "types were not looked at: there is no TypeScript here",
    advice: "Install it in the folder of the pipeline: npm install --save-dev typescript@6",
  };
}
