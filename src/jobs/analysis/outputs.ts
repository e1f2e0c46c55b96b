// What a step has given: looked at before it is stored, since what a user's code says of it is not believed.

import { lstat, readdir, realpath } from "node:fs/promises";
import { basename, join, relative, resolve, sep } from "node:path";

import type { WrittenFile, WrittenPath } from "../../engine/step.ts";
import { codeOf, HdashError } from "../../error.ts";
import { inFull, valueProblem } from "./data/shapes.ts";
import type { Secrets } from "./secrets.ts";
import type { Kinds, Shape } from "./writing/kinds.ts";

const BYTES = "application/octet-stream";

/** What a step gives, for the engine's ports. */
export type Given = Readonly<Record<string, unknown>>;

/**
 * Makes of what a function has returned what the engine stores. Throws a permanent error that names the port where a value is not of its
 * kind, or a file is not where it is said to be.
 * @param dir the step's work folder: what it gives lies in it.
 */
export async function givenByFunction(
  gives: Kinds,
  values: unknown,
  dir: () => Promise<string>,
): Promise<Given> {
  if (typeof values !== "object" || values === null) {
    throw new HdashError(
      "permanent",
      `it gave ${JSON.stringify(values) ?? "nothing"}, not an object of what it gives`,
    );
  }
  const given: Readonly<Record<string, unknown>> = { ...values };
  const strange = Object.keys(given).find((name) => !Object.hasOwn(gives, name));
  if (strange !== undefined) {
    throw new HdashError(
      "permanent",
      `it gave ${strange}, which is none of what it gives: ${Object.keys(gives).join(", ")}`,
    );
  }
  const found: Record<string, unknown> = {};
  for (const [name, { shape }] of Object.entries(gives)) {
    found[name] = await ofFunction(shape, given[name], name, dir);
  }
  return found;
}

async function ofFunction(
  shape: Shape,
  value: unknown,
  at: string,
  dir: () => Promise<string>,
): Promise<unknown> {
  const isMissing = value === undefined || value === null;
  const listed = listedKind(shape);
  if (listed !== null) {
    if (shape.kind === "list" && !Array.isArray(value)) throw missing(at, `a list of ${listed}s`);
    const all = shape.kind === "list" ? (value as readonly unknown[]) : isMissing ? [] : [value];
    const found: unknown[] = [];
    for (const [index, one] of all.entries()) {
      const own = shape.kind === "list" ? `${at}[${index}]` : at;
      found.push(await written(await dir(), pathOf(one, own), own, { listed, index }));
    }
    return found;
  }
  if (shape.kind === "file" || shape.kind === "folder") {
    return { path: await lying(await dir(), pathOf(value, at), at, shape.kind) };
  }
  const problem = valueProblem(shape, value, at);
  if (problem !== null) throw new HdashError("permanent", problem);
  return inFull(shape, value ?? null);
}

/** Whether it is files or folders, of which there may be any number, or none; null where it is neither. */
function listedKind(shape: Shape): "file" | "folder" | null {
  if (shape.kind !== "optional" && shape.kind !== "list") return null;
  return shape.of.kind === "file" || shape.of.kind === "folder" ? shape.of.kind : null;
}

/**
 * Refuses what a step gives where it holds a secret: it would be kept, and may be published. Throws a permanent error that names the port.
 * @param isTold whether the step was given one: files of others are not read for that.
 */
export async function refuseSecrets(
  gives: Kinds,
  given: Given,
  secrets: Secrets,
  isTold: boolean,
): Promise<void> {
  if (secrets.isEmpty) return;
  for (const [at, { shape }] of Object.entries(gives)) {
    const value = given[at];
    const kind = kindOnDisk(shape);
    let held: string | null = null;
    if (kind === null) held = secrets.nameIn(JSON.stringify(value) ?? "");
    else if (isTold) {
      for (const path of pathsOf(value)) held ??= await secrets.nameInFiles(path, kind);
    }
    if (held !== null) {
      throw new HdashError(
        "permanent",
        `${at} holds the secret ${held}: what a step gives is kept, and may be published`,
      );
    }
  }
}

/** Whether it lies on the disk when it is given; null where it is a value. */
function kindOnDisk(shape: Shape): "file" | "folder" | null {
  return shape.kind === "file" || shape.kind === "folder" ? shape.kind : listedKind(shape);
}

/** Where all that lies that the engine is to store for a port. */
function pathsOf(value: unknown): readonly string[] {
  const all = Array.isArray(value) ? (value as readonly unknown[]) : [value];
  return all.map((one) => {
    // Made by this file: a file of a set says where it lies, all else is named by its path.
    const { file, path } = one as { readonly file?: string; readonly path: string };
    return file ?? path;
  });
}

function pathOf(value: unknown, at: string): string {
  if (typeof value === "string") return value;
  if (
    typeof value === "object" &&
    value !== null &&
    "path" in value &&
    typeof value.path === "string"
  ) {
    return value.path;
  }
  throw missing(at, "{ path } of what it has written");
}

function missing(at: string, what: string): HdashError {
  return new HdashError("permanent", `${at} is not ${what}`);
}

/** Makes of what a program has left in its folder what the engine stores; all that was not declared is passed over. */
export async function givenByProgram(gives: Kinds, dir: string): Promise<Given> {
  const found: Record<string, unknown> = {};
  for (const [name, { shape }] of Object.entries(gives))
    found[name] = await ofProgram(shape, name, dir);
  return found;
}

async function ofProgram(shape: Shape, at: string, dir: string): Promise<unknown> {
  if (shape.kind === "file" || shape.kind === "folder") {
    return { path: await lying(dir, shape.path ?? at, at, shape.kind) };
  }
  if (
    (shape.kind === "optional" || shape.kind === "list") &&
    (shape.of.kind === "file" || shape.of.kind === "folder")
  ) {
    const { path = null, kind: listed } = shape.of;
    const own = path ?? at;
    const paths =
      shape.kind === "list"
        ? await matching(dir, own, listed)
        : (await isThere(join(dir, own)))
          ? [own]
          : [];
    return Promise.all(paths.map((one, index) => written(dir, one, at, { listed, index })));
  }
  throw new HdashError("permanent", `${at} cannot be given by a program`);
}

/** Files, or folders, of a folder whose path fits a pattern, sorted by code unit; `*` stands for any part of a name. */
async function matching(
  dir: string,
  pattern: string,
  kind: "file" | "folder",
): Promise<readonly string[]> {
  const source = pattern
    .split("*")
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
    .join("[^/]*");
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries
    .filter((one) => one.isDirectory() === (kind === "folder"))
    .map((one) => relative(dir, join(one.parentPath, one.name)).split(sep).join("/"))
    .filter((path) => new RegExp(`^${source}$`, "u").test(path))
    .sort();
}

async function written(
  dir: string,
  path: string,
  at: string,
  { listed, index }: { readonly listed: "file" | "folder"; readonly index: number },
): Promise<WrittenFile | WrittenPath> {
  const found = await lying(dir, path, at, listed);
  if (listed === "folder") return { path: found };
  // Names are not part of what was made; their order is.
  return { path: String(index).padStart(6, "0"), contentType: BYTES, file: found };
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return false;
    throw error;
  }
}

/** The path of what has to lie in a folder: a regular file, or a folder, and no link on the way out of it. */
async function lying(
  dir: string,
  path: string,
  at: string,
  kind: "file" | "folder",
): Promise<string> {
  const own = resolve(dir, path);
  const name = relative(resolve(dir), own);
  const refuse = (why: string): never => {
    throw new HdashError("permanent", `${at} (${basename(path) === path ? path : name}) ${why}`);
  };
  if (name === ".." || name.startsWith(`..${sep}`)) refuse("lies outside of the step's folder");
  if (!(await isThere(own))) refuse(`is not there, though the step has ended well`);
  const stats = await lstat(own);
  if (stats.isSymbolicLink()) refuse("is a link: only files and folders themselves are kept");
  if (kind === "file" ? !stats.isFile() : !stats.isDirectory()) refuse(`is no ${kind}`);
  const real = relative(await realpath(dir), await realpath(own));
  if (real === ".." || real.startsWith(`..${sep}`))
    refuse("is reached by a link that leads out of the step's folder");
  return own;
}
