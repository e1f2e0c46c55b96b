// Finds what can be found of a pipeline without running any of it: no step, no program, not its plan. Its modules are loaded, since that
// is how they declare what they have.

import { access, constants, readFile, realpath, stat } from "node:fs/promises";
import { delimiter, dirname, extname, isAbsolute, join, resolve } from "node:path";

import { codeOf, HdashError, messageOf } from "../../../../error.ts";
import { PROGRAM_PATH } from "../../doing.ts";
import type { Declared } from "../../opened.ts";
import { declaredSteps } from "../../writing/declare.ts";
import type { DeclaredPipeline } from "../../writing/pipeline.ts";
import { type CodeReader, makeCodeReader } from "../code/codeReader.ts";
import { loadModule, pipelineOf } from "../loadPipeline.ts";
import { isStep } from "../openSteps.ts";
import { type Declaration, type Declarations, findDeclarations } from "./declarations.ts";
import { type Found, type FoundIn, type Spot, START } from "./found.ts";
import { pipelineProblems, stepProblems, type Wrong } from "./graphRules.ts";
import { namedPrograms } from "./programNames.ts";
import { hasDefault, type ParsedModule, parseFile, spotOf } from "./syntax.ts";
import { checkTypes, shownFrom, typesMissing } from "./typeCheck.ts";
import { findRaw, findWorld } from "./worldRules.ts";

/** What a check came to. */
export interface Checked {
  /** The module, from the folder that the command was typed in. */
  readonly path: string;
  /** Null where no pipeline could be loaded. */
  readonly pipeline: string | null;
  /** False where there was no compiler. */
  readonly isTyped: boolean;
  /** Errors first; by place. */
  readonly found: readonly Found[];
}

interface ReadModule extends ParsedModule {
  readonly path: string;
  readonly declarations: Declarations;
}

/** Checks a pipeline. `names` are those of hdash's own jobs. Throws usage where there is no such file. */
export async function checkPipeline(
  path: string,
  { names, cwd }: { readonly names: readonly string[]; readonly cwd: string },
): Promise<Checked> {
  const file = await findFile(resolve(cwd, path), path);
  const shown = (of: string): string => shownFrom(cwd, of);
  const reader = makeCodeReader({ api: "check", signal: new AbortController().signal });
  const typed = await checkTypes(file);
  const code = await readCode(reader, file, shown);
  const modules = await parseAll(code.files);
  const read = modules.map((one) => ({ ...one, path: shown(one.file) }));
  const hasProgram = code.found.every(({ severity }) => severity !== "error");
  const graph = hasProgram
    ? await checkGraph(reader, read, { file, path: shown(file), names })
    : { pipeline: null, found: [] };
  const types = (typed ?? []).map(({ file: of, ...one }): Found => ({
    ...one,
    path: shown(of),
    severity: "error",
  }));
  const all: readonly Found[] = [
    ...code.found.filter((one) => !isIn(one, types, SYNTAX)),
    ...types.filter((one) => !(MISSING.test(one.says) && isIn(one, code.found, /./))),
    ...(typed === null ? [typesMissing(shown(file))] : []),
    ...read.flatMap(checkSyntax),
    ...(await checkPrograms(read)),
    ...graph.found,
  ];
  return {
    ...{ path: shown(file), pipeline: graph.pipeline, isTyped: typed !== null },
    found: [...all].sort(byWeight),
  };
}

async function findFile(file: string, path: string): Promise<string> {
  const found = await stat(file).catch((error: unknown) => {
    const why = codeOf(error) === "ENOENT" ? "" : `: it cannot be read (${codeOf(error) ?? "?"})`;
    throw new HdashError("usage", `there is no pipeline ${path}${why}`);
  });
  if (!found.isFile()) throw new HdashError("usage", `${path} is no file, and so no pipeline`);
  return realpath(file);
}

/** Errors first, then by place. */
function byWeight(a: Found, b: Found): number {
  if (a.severity !== b.severity) return a.severity === "error" ? -1 : 1;
  if (a.path !== b.path) return a.path < b.path ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}

/** What is no program: the compiler knows the column. */
const SYNTAX = /\(TS1\d\d\d\)$/;
/** What is not there: hdash knows what may have been meant. */
const MISSING = /\(TS(2307|2792|2882)\)$/;

/** Tells whether an error that others tell of in the same line is such. */
function isIn({ severity, path, line }: Found, others: readonly Found[], pattern: RegExp): boolean {
  if (severity !== "error") return false;
  return others.some(
    (one) =>
      one.severity === "error" && one.path === path && one.line === line && pattern.test(one.says),
  );
}

/** The modules of a pipeline, and what their identity cannot see; an error where they are no program. */
async function readCode(
  reader: CodeReader,
  file: string,
  shown: (file: string) => string,
): Promise<{ readonly files: readonly string[]; readonly found: readonly Found[] }> {
  try {
    const { notes } = await reader.codeOf(file);
    const files = (await reader.closuresOf(file)).map((module) => module.file);
    const found = notes.map(({ path, line, says }): Found => ({
      ...{ path: shown(join(dirname(file), path)), line, column: 1 },
      ...{ severity: "note", rule: "code", says },
      advice: adviceOf(says),
    }));
    return { files: files.filter((one) => extname(one) !== ".json"), found };
  } catch (error) {
    if (!(error instanceof HdashError) || error.kind !== "usage") throw error;
    const said = messageOf(error);
    const [, of = file, line = "1", says = said] = /^(\/.+?):(\d+):? (.*)$/s.exec(said) ?? [];
    const found: Found = {
      ...{
        path: shown(of),
        line: Number(line),
        column: 1,
        severity: "error",
        rule: "syntax",
        says,
      },
      advice: error.hint ?? "Mend the line: Node could not load the module either.",
    };
    return { files: [], found: [found] };
  }
}

function adviceOf(says: string): string {
  if (/no lockfile|does not name it|no checksum/.test(says)) {
    return "Write a lockfile: npm install. What a package is, is part of the code.";
  }
  if (/is linked|any change of/.test(says)) return "Nothing: it is told so that it is known.";
  return "Name what the step depends on in `uses`, or raise its `version` when that changes.";
}

async function parseAll(files: readonly string[]): Promise<readonly Omit<ReadModule, "path">[]> {
  return Promise.all(
    files.map(async (file) => {
      const parsed = parseFile(file, await readFile(file));
      return { ...parsed, declarations: findDeclarations(parsed) };
    }),
  );
}

function checkSyntax(module: ReadModule): readonly Found[] {
  const { path, declarations } = module;
  return [
    ...findWorld(module, declarations).map((one) => ({ ...one, path })),
    ...findRaw(module, declarations).map((one) => ({ ...one, path, severity: "error" as const })),
  ];
}

/** Finds programs that command lines name and that are not there. */
async function checkPrograms(modules: readonly ReadModule[]): Promise<readonly Found[]> {
  const found: Found[] = [];
  for (const { path, file, declarations } of modules) {
    for (const declaration of declarations.all) {
      for (const { name, place } of namedPrograms(declaration, declarations)) {
        const missing = await missingProgram(name, declaration, dirname(file));
        if (missing !== null) found.push({ ...missing, ...place, path, severity: "note" });
      }
    }
  }
  return found;
}

async function missingProgram(
  name: string,
  { name: step }: Declaration,
  folder: string,
): Promise<Omit<FoundIn, "line" | "column"> | null> {
  const subject = step === null ? "a command" : `step ${JSON.stringify(step)}`;
  if (name.includes("/")) {
    // What `uses` names lies in its folder; of other paths only a run can say.
    if (isAbsolute(name) ? await canRun(name) : !(await isFile(join(folder, name)))) return null;
    if (!isAbsolute(name)) {
      if (await canRun(join(folder, name))) return null;
      return {
        rule: "program",
        says: `${subject} starts ${name}, which may not be run: it has no executable bit`,
        advice: `chmod +x ${name}, or start it by its shell: sh ${name}`,
      };
    }
  } else {
    for (const place of PROGRAM_PATH.split(delimiter)) {
      if (await canRun(join(place, name))) return null;
    }
  }
  return {
    rule: "program",
    says: `${subject} starts ${name}, which is not on this machine`,
    advice: `Install it where programs of steps are looked for: ${PROGRAM_PATH}.`,
  };
}

async function canRun(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false; // which is the answer
  }
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() === true;
}

interface Asked {
  readonly file: string;
  readonly path: string;
  readonly names: readonly string[];
}

/** Loads the modules, and looks at what they declare. */
async function checkGraph(
  reader: CodeReader,
  modules: readonly ReadModule[],
  { file, path, names }: Asked,
): Promise<{ readonly pipeline: string | null; readonly found: readonly Found[] }> {
  const entry = modules.find((module) => module.file === file);
  const declared = entry?.declarations.all.find(({ kind }) => kind === "pipeline");
  if (entry !== undefined && !hasDefault(entry)) {
    // A script, perhaps, that would begin to work when it is loaded.
    const says = "it has no pipeline: its default export is what pipeline({ … }) gives";
    const missing = error(null, says, "Name the module that has one, or export it by default.");
    return { pipeline: null, found: [foundOf(missing, path, declared)] };
  }
  let pipeline: DeclaredPipeline;
  const before = declaredSteps().length;
  try {
    pipeline = pipelineOf(await loadModule(file), path, names);
  } catch (error) {
    if (!(error instanceof HdashError)) throw error;
    const line = /cannot be loaded: line (\d+):/.exec(error.message)?.[1];
    const spot = line === undefined ? spotIn(declared, "name") : { ...START, line: Number(line) };
    const found: Found = {
      ...{ path, ...spot, severity: "error", rule: "load" },
      says: error.message.startsWith(`${path}: `)
        ? error.message.slice(path.length + 2)
        : error.message,
      advice: error.hint ?? "Mend what the message names: hdash run could not load it either.",
    };
    return { pipeline: null, found: [found] };
  }
  const own = pipelineProblems(pipeline).map((one) => foundOf(one, path, declared));
  const steps = await checkSteps(reader, modules, { path, before });
  return { pipeline: pipeline.name, found: [...own, ...steps] };
}

/** Looks at every step that the modules declare, exported or not; `before` of this process were declared by others. */
async function checkSteps(
  reader: CodeReader,
  modules: readonly ReadModule[],
  { path, before: others }: { readonly path: string; readonly before: number },
): Promise<readonly Found[]> {
  const found: Found[] = [];
  const known = new Map<string, readonly string[]>();
  const exported = new Set<unknown>();
  for (const module of modules) {
    for (const value of Object.values(await loadModule(module.file))) {
      if (!isStep(value) || exported.has(value)) continue;
      exported.add(value);
      const before = known.get(value.name) ?? [];
      known.set(value.name, [...before, module.path]);
      const inModule = before.filter((path) => path === module.path).length;
      const at =
        declarationOf(value, [module], inModule) ?? declarationOf(value, modules, before.length);
      const wrong = [...stepProblems(value), ...(await usesProblems(reader, module.file, value))];
      if (before[0] !== undefined) {
        const says = `two steps are called ${JSON.stringify(value.name)}, in ${before[0]} and in ${module.path}`;
        wrong.push(error("name", says, "Name each otherwise: a step is known by its name."));
      }
      const where = at?.module.path ?? module.path;
      for (const one of wrong) found.push(foundOf(one, where, at?.declaration));
    }
  }
  for (const one of declaredSteps().slice(others) as readonly unknown[]) {
    if (!isStep(one) || exported.has(one)) continue;
    const at = declarationOf(one, modules);
    const says = `step ${JSON.stringify(one.name)} is exported by no module of the pipeline`;
    const missing = error(null, says, "Export it, so that it is known what code it is.");
    found.push(foundOf(missing, at?.module.path ?? path, at?.declaration));
  }
  return found;
}

const error = (field: string | null, says: string, advice: string): Wrong => ({
  ...{ severity: "error", rule: "graph", field, says, advice },
});

async function usesProblems(
  reader: CodeReader,
  file: string,
  { name, uses = [] }: Declared,
): Promise<readonly Wrong[]> {
  const found: Wrong[] = [];
  for (const one of uses) {
    try {
      await reader.usedBy(file, [one]);
    } catch (cause) {
      if (!(cause instanceof HdashError) || cause.kind !== "usage") throw cause;
      const says = cause.message.replace(`${file} uses`, `step ${JSON.stringify(name)} uses`);
      found.push(error("uses", says, cause.hint ?? "Name files and folders beside the module."));
    }
  }
  return found;
}

/** Where a step is written; of several by one name the one that stands in that place, from 0. */
function declarationOf(
  { kind, name }: Declared,
  modules: readonly ReadModule[],
  place = 0,
): { readonly module: ReadModule; readonly declaration: Declaration } | null {
  const found = modules.flatMap((module) =>
    module.declarations.all
      .filter((one) => one.kind === kind && one.name === name)
      .map((declaration) => ({ module, declaration })),
  );
  return found[place] ?? found.at(-1) ?? null;
}

function foundOf(
  { severity, rule, field, says, advice }: Wrong,
  path: string,
  declaration: Declaration | undefined,
): Found {
  return { path, ...spotIn(declaration, field), severity, rule, says, advice };
}

function spotIn(declaration: Declaration | undefined, field: string | null): Spot {
  if (declaration === undefined) return START;
  return spotOf(declaration.fields.get(field ?? "") ?? declaration.call);
}
