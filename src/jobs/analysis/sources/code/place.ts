// What stands on the disk around a module: files, folders, and the package.json that rules them.

import { readFile, stat } from "node:fs/promises";
import { dirname, join, sep } from "node:path";

import { codeOf, HdashError, messageOf } from "../../../../error.ts";

/** Lists a folder and all that it lies in, innermost first. */
export function foldersUp(folder: string): readonly string[] {
  const up = dirname(folder);
  return up === folder ? [folder] : [folder, ...foldersUp(up)];
}

/** Writes a path as it is written everywhere, also where the system has another sign. */
export function slashed(path: string): string {
  return sep === "/" ? path : path.replaceAll(sep, "/");
}

const ABSENT: readonly (string | null)[] = ["ENOENT", "ENOTDIR"];

/** Tells what stands at a path, following links; null where nothing does. */
export async function kindOf(path: string): Promise<"file" | "folder" | "other" | null> {
  try {
    const found = await stat(path);
    return found.isFile() ? "file" : found.isDirectory() ? "folder" : "other";
  } catch (error) {
    if (ABSENT.includes(codeOf(error))) return null;
    throw new HdashError("usage", `${path} cannot be read`, { cause: error });
  }
}

/** Reads a file; null where there is none. */
export async function readIfThere(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if (ABSENT.includes(codeOf(error))) return null;
    throw new HdashError("usage", `${path} cannot be read`, { cause: error });
  }
}

/** Reads an object of JSON, e.g. a package.json; null where there is no such file. */
export async function readObject(path: string): Promise<Readonly<Record<string, unknown>> | null> {
  const bytes = await readIfThere(path);
  if (bytes === null) return null;
  return parseObject(path, new TextDecoder().decode(bytes));
}

/** Parses an object of JSON that stood at a path. */
export function parseObject(path: string, text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new HdashError("usage", `${path}: ${messageOf(error)}`, { cause: error });
  }
  if (!isObject(value)) throw new HdashError("usage", `${path} holds no object`);
  return value;
}

/** Tells whether a value is an object of JSON. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What the nearest package.json says of the modules below it. */
export interface Scope {
  readonly folder: string;
  readonly name: string | null;
  /** Files ending in .js and .ts are modules, whatever they hold. */
  readonly isOfModules: boolean;
  /** `imports`: what names beginning with # lead to. */
  readonly imports: Readonly<Record<string, unknown>>;
  /** Has `exports`, and may therefore import itself by its name. */
  readonly hasExports: boolean;
}

/** Finds the package.json that rules a folder; remembers in `known`. */
export async function findScope(
  folder: string,
  known: Map<string, Scope | null>,
): Promise<Scope | null> {
  const found = known.get(folder);
  if (found !== undefined) return found;
  const json = await readObject(join(folder, "package.json"));
  const up = dirname(folder);
  const scope =
    json !== null ? scopeOf(folder, json) : up === folder ? null : await findScope(up, known);
  known.set(folder, scope);
  return scope;
}

function scopeOf(folder: string, json: Readonly<Record<string, unknown>>): Scope {
  const { name, type, imports, exports } = json;
  return {
    folder,
    name: typeof name === "string" ? name : null,
    isOfModules: type === "module",
    imports: isObject(imports) ? imports : {},
    hasExports: exports !== undefined && exports !== null,
  };
}
