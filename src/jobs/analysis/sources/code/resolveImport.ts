// Where an import leads: to a file of the pipeline, to packages, to hdash, or to Node itself. As Node decides it, without running anything.

import { readdir, realpath } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { HdashError } from "../../../../error.ts";
import { nearest } from "../../../../settings/nearest.ts";
import { extensionOf, EXTENSIONS } from "./moduleText.ts";
import { HDASH, type Packages } from "./packages.ts";
import { findScope, kindOf, type Scope } from "./place.ts";
import { findSubpath } from "./subpathImports.ts";
import { isPath } from "./syntaxText.ts";

/** What an import leads to. Node's own modules are nothing: the version of Node is no part of code. */
export type Target =
  | { readonly kind: "module"; readonly path: string }
  | { readonly kind: "packages"; readonly ids: readonly string[]; readonly note: string | null }
  | { readonly kind: "hdash" }
  | { readonly kind: "nothing"; readonly note: string | null };

/** An import, and where it stands. */
export interface Asked {
  readonly specifier: string;
  /** The importing file, without links. */
  readonly from: string;
  readonly line: number;
}

/** What is known of the disk while one graph is read. */
export interface Known {
  readonly scopes: Map<string, Scope | null>;
  readonly packages: Packages;
}

/** Finds what an import leads to. Throws an HdashError that names file, line and specifier where there is no such thing. */
export async function resolveImport(asked: Asked, known: Known): Promise<Target> {
  const { specifier, from } = asked;
  if (isPath(specifier)) return findModule(asked, urlOf(asked));
  if (specifier.startsWith("#")) return resolveSubpath(asked, known);
  if (isBuiltin(specifier)) return { kind: "nothing", note: null };
  if (specifier.startsWith("data:")) {
    // Its text is in the importing module's; what that may import are Node's own modules and whole addresses.
    return { kind: "nothing", note: "imports a data: address: what that imports does not count" };
  }
  if (/^[a-z][a-z+.-]*:/i.test(specifier)) throw refuse(asked, "which Node does not import");
  return findPackage(asked, specifier, dirname(from), known);
}

function urlOf({ specifier, from }: Asked): URL {
  return new URL(specifier, pathToFileURL(from));
}

async function findModule(asked: Asked, url: URL): Promise<Target> {
  let path: string;
  try {
    path = fileURLToPath(url);
  } catch (error) {
    throw refuse(asked, "which is no path", { cause: error });
  }
  const kind = await kindOf(path);
  if (kind === null) throw await refuseMissing(asked, path);
  if (kind !== "file")
    throw refuse(asked, `which is ${kind === "folder" ? "a folder" : "no file"}`);
  if (!EXTENSIONS.includes(extensionOf(path))) {
    throw refuse(asked, `whose code hdash cannot read: it reads ${EXTENSIONS.join(" ")}`);
  }
  return { kind: "module", path: await realpath(path) };
}

async function resolveSubpath(asked: Asked, known: Known): Promise<Target> {
  const scope = await findScope(dirname(asked.from), known.scopes);
  if (scope === null) throw refuse(asked, "but there is no package.json that could say what it is");
  const target = findSubpath(scope.imports, asked.specifier);
  if (target === null) {
    throw refuse(asked, `which ${join(scope.folder, "package.json")} does not name in "imports"`);
  }
  if (target.startsWith("./")) {
    return findModule(asked, new URL(target, pathToFileURL(join(scope.folder, "package.json"))));
  }
  if (isBuiltin(target)) return { kind: "nothing", note: null };
  return findPackage(asked, target, scope.folder, known);
}

const PACKAGE = /^((?:@[^/\\%]+\/)?[^./@\\%][^/\\%]*)(?:\/|$)/;

async function findPackage(
  asked: Asked,
  specifier: string,
  folder: string,
  known: Known,
): Promise<Target> {
  const name = PACKAGE.exec(specifier)?.[1];
  if (name === undefined) throw refuse(asked, "which is no name of a package");
  if (name === HDASH) return { kind: "hdash" };
  const scope = await findScope(folder, known.scopes);
  if (scope?.name === name && scope.hasExports) {
    throw refuse(asked, "which is the package that it is in itself", {
      hint: "Import the file by its path, or by a name that begins with #.",
    });
  }
  const found = await known.packages.find(name, folder);
  if (found !== null) return { kind: "packages", ...found };
  throw refuse(asked, "which is neither installed nor in a lockfile", {
    hint: EXTENSIONS.includes(extensionOf(specifier))
      ? `Did you mean a file of your own, "./${specifier}"?`
      : `Install it: npm install ${name}`,
  });
}

/** Says what is missing, and what may have been meant: a file of another ending, or of nearly that name. */
async function refuseMissing(asked: Asked, path: string): Promise<HdashError> {
  const there = await readdir(dirname(path)).catch((): string[] => []);
  const files = there.filter((name) => EXTENSIONS.includes(extensionOf(name)));
  const [name, stem] = [basename(path), stemOf(basename(path))];
  const meant = files.find((file) => [name, stem].includes(stemOf(file))) ?? nearest(name, files);
  const hint = meant === null ? {} : { hint: `Did you mean ${join(dirname(path), meant)}?` };
  return refuse(asked, "which is not there", hint);
}

function stemOf(name: string): string {
  const extension = extensionOf(name);
  return EXTENSIONS.includes(extension) ? name.slice(0, -extension.length) : name;
}

function refuse(
  { from, line, specifier }: Asked,
  says: string,
  options: { readonly cause?: unknown; readonly hint?: string } = {},
): HdashError {
  const asked = `${from}:${line} imports ${JSON.stringify(specifier)}`;
  return new HdashError("usage", `${asked}, ${says}`, options);
}
