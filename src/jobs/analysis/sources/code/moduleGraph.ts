// The modules that a module reaches by its imports, each with what it means and where each of its imports leads.

import { realpath } from "node:fs/promises";
import { dirname } from "node:path";

import { digestOf } from "../../../../digest.ts";
import { HdashError } from "../../../../error.ts";
import { extensionOf, EXTENSIONS, type ModuleText, readModuleText } from "./moduleText.ts";
import type { PackageNode } from "./packages.ts";
import { findScope, readIfThere } from "./place.ts";
import { type Known, resolveImport, type Target } from "./resolveImport.ts";

export interface GraphModule {
  readonly text: ModuleText;
  /** One for each of the text's imports, in their order. */
  readonly targets: readonly Target[];
  /** Node runs it in sloppy mode, as CommonJS. */
  readonly isScript: boolean;
}

export interface ModuleGraph {
  /** The module that was asked for, without links. */
  readonly entry: string;
  readonly modules: ReadonlyMap<string, GraphModule>;
  readonly packages: ReadonlyMap<string, PackageNode>;
}

/** What modules mean, by the digest of their bytes and the end of their name: no state of a file, only its content, says that it is known. */
export type KnownTexts = Map<string, ModuleText>;

/** Reads a module and all that it reaches. Throws an HdashError for the first import, in the order of the graph, that leads nowhere. */
export async function readModuleGraph(
  path: string,
  known: Known & { readonly texts: KnownTexts; readonly signal: AbortSignal },
): Promise<ModuleGraph> {
  const entry = await findEntry(path);
  const modules = new Map<string, GraphModule>();
  const reached = new Set([entry]);
  for (const file of reached) {
    known.signal.throwIfAborted();
    const text = await readText(file, known.texts);
    const targets: Target[] = [];
    for (const { specifier, line } of text.imports) {
      const target = await resolveImport({ specifier, line, from: file }, known);
      targets.push(target);
      if (target.kind === "module") reached.add(target.path);
    }
    modules.set(file, { text, targets, isScript: await isScript(file, text, known) });
  }
  return { entry, modules, packages: known.packages.nodes };
}

async function findEntry(path: string): Promise<string> {
  const real = await realpath(path).catch((error: unknown) => {
    throw new HdashError("usage", `there is no module ${path}`, { cause: error });
  });
  if (!EXTENSIONS.includes(extensionOf(real))) {
    const reads = `hdash reads ${EXTENSIONS.join(" ")}`;
    throw new HdashError("usage", `${path} is no module whose code can be read: ${reads}`);
  }
  return real;
}

async function readText(file: string, texts: KnownTexts): Promise<ModuleText> {
  const bytes = await readIfThere(file);
  if (bytes === null) throw new HdashError("usage", `${file} was there, and is gone`);
  const key = `${digestOf(bytes)}${extensionOf(file)}`;
  const text = texts.get(key) ?? readModuleText(file, bytes);
  texts.set(key, text);
  return text;
}

const OF_EITHER_KIND: readonly string[] = [".js", ".ts"];

async function isScript(file: string, text: ModuleText, known: Known): Promise<boolean> {
  if (text.isSurelyModule || !OF_EITHER_KIND.includes(extensionOf(file))) return false;
  return (await findScope(dirname(file), known.scopes))?.isOfModules !== true;
}
