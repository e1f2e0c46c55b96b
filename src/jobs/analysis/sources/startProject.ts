// A folder to begin a pipeline in: copied from starters/, with the types of hdash where an editor finds them.

import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { codeOf, HdashError } from "../../../error.ts";

/** What a pipeline begins with, and what it is made of. */
export const STARTERS = {
  function: ["common", "function"],
  command: ["common", "command"],
  container: ["common", "command", "container"],
} as const;
export type Starter = keyof typeof STARTERS;

/** What was made. */
export interface Started {
  /** Paths from the folder, sorted. */
  readonly files: readonly string[];
  /** How hdash is called in it. */
  readonly command: string;
}

/** The folder of package.json: sources run from src/, a package from dist/src/. */
const isBuilt = import.meta.url.endsWith(".js");
const ROOT = fileURLToPath(new URL(isBuilt ? "../../../../../" : "../../../../", import.meta.url));
/** Packages that a folder needs for its editor where hdash is not installed in it. */
const FOR_TYPES = ["@types/node", "typescript"] as const;

/** Fills a folder that is not there, or empty. Throws usage where it is neither. `program` is how this hdash was called. */
export async function startProject(
  dir: string,
  starter: Starter,
  program: string,
): Promise<Started> {
  const folder = resolve(dir);
  await checkEmpty(folder, dir);
  await mkdir(folder, { recursive: true });
  for (const part of STARTERS[starter]) {
    await cp(join(ROOT, "starters", part), folder, { recursive: true });
  }
  const name = basename(folder).toLowerCase();
  const isName = /^[a-z][a-z0-9-]*$/.test(name);
  if (isName) await change(join(folder, "package.json"), (json) => ({ name, ...json }));
  const isInstalled = hasHdash(folder);
  if (!isInstalled) await bringTypes(folder);
  return { files: await filesOf(folder), command: isInstalled ? "npx hdash" : program };
}

async function checkEmpty(folder: string, dir: string): Promise<void> {
  let there: readonly string[];
  try {
    there = await readdir(folder);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    if (codeOf(error) === "ENOTDIR") throw new HdashError("usage", `${dir} is no folder`);
    throw new HdashError("usage", `${dir} cannot be read`, { cause: error });
  }
  // A repository that has just been made is empty to who made it.
  const [first] = there.filter((name) => name !== ".git");
  if (first === undefined) return;
  throw new HdashError("usage", `${dir} is not empty: it has ${first}`, {
    hint: "Name a folder that is not there yet: a pipeline begins in one of its own.",
  });
}

/** Tells whether a module of the folder would find an installed hdash. */
function hasHdash(folder: string): boolean {
  try {
    createRequire(pathToFileURL(join(folder, "pipeline.ts"))).resolve("hdash/package.json");
    return true;
  } catch {
    return false; // which is the answer
  }
}

/** Has an editor find the types: those of a checkout where they are, those of a package as a copy, which is there on other machines, too. */
async function bringTypes(folder: string): Promise<void> {
  const config = join(folder, "tsconfig.json");
  const types = join(ROOT, "dist", "types");
  const isCopied = isBuilt && existsSync(types);
  if (isCopied) await cp(types, join(folder, "types", "hdash"), { recursive: true });
  const path = isCopied ? "./types/hdash/index.d.ts" : join(ROOT, "src", "index.ts");
  await change(config, ({ compilerOptions, ...rest }) => ({
    compilerOptions: { ...(compilerOptions as object), paths: { hdash: [path] } },
    ...rest,
  }));
  if (!isCopied) return;
  const own = (await readJson(join(ROOT, "package.json")))["dependencies"] as Readonly<
    Record<string, string>
  >;
  const devDependencies = Object.fromEntries(FOR_TYPES.map((name) => [name, own[name]]));
  await change(join(folder, "package.json"), (json) => ({ ...json, devDependencies }));
}

type Json = Readonly<Record<string, unknown>>;

async function readJson(path: string): Promise<Json> {
  return JSON.parse(await readFile(path, "utf8")) as Json;
}

async function change(path: string, to: (json: Json) => Json): Promise<void> {
  await writeFile(path, `${JSON.stringify(to(await readJson(path)), null, 2)}\n`);
}

async function filesOf(folder: string): Promise<readonly string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name).slice(folder.length + 1))
    .filter((path) => !path.startsWith(".git/") && !path.startsWith("types/"))
    .sort();
}
