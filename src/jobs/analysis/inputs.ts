// What a step gets of files: the engine's blobs in a user's words.

import type { BlobFile, StoredFile, StoredFolder } from "../../engine/step.ts";
import { HdashError } from "../../error.ts";
import { linesOf } from "../../formats/lines.ts";
import { hasFiles, valueProblem } from "./data/shapes.ts";
import type { Shape } from "./writing/kinds.ts";
import type { InputFile, InputFolder } from "./writing/values.ts";

/** What is behind an input file: a plan makes a handle of it again. */
const BLOBS = new WeakMap<object, BlobFile>();

/** The blob of a file that was read; null for anything else. */
export function blobOf(value: unknown): BlobFile | null {
  return typeof value === "object" && value !== null ? (BLOBS.get(value) ?? null) : null;
}

/** Makes a step's file of a blob. */
function inputFile(blob: BlobFile): InputFile {
  const text = async (): Promise<string> => {
    const pieces: Uint8Array[] = [];
    for await (const piece of blob.stream()) pieces.push(piece);
    return Buffer.concat(pieces).toString("utf8");
  };
  const own = {
    sha256: blob.digest,
    bytes: blob.bytes,
    path: () => blob.path(),
    stream: () => blob.stream(),
    lines: () => linesOf(blob.stream()),
    text,
    json: async (): Promise<unknown> => {
      const own = await text();
      // A mark of the byte order is no part of JSON.
      return JSON.parse(own.startsWith("\uFEFF") ? own.slice(1) : own);
    },
  };
  BLOBS.set(own, blob);
  return own as unknown as InputFile;
}

function inputFolder(folder: StoredFolder): InputFolder {
  const files = () =>
    [...folder.files()].map(({ path, isExecutable, file }) => ({
      ...{ path, isExecutable, file: inputFile(file) },
    }));
  const at = (path: string): InputFile | null => {
    const found = folder.at(path);
    return found === null ? null : inputFile(found);
  };
  const own = {
    sha256: folder.digest,
    bytes: folder.bytes,
    path: () => folder.path(),
    ...{ files, at },
  };
  return own as unknown as InputFolder;
}

/**
 * Makes of what the engine has read what a step gets, by its kind. What was stored as a list may stand for what is optional: it has one, or
 * none. A value may be another step's, of a kind that is not as narrow as this one: it is looked at.
 * @param at names the value, for errors.
 */
export function gotOf(shape: Shape, value: unknown, at: string): unknown {
  switch (shape.kind) {
    case "file":
      if (isBlob(value)) return inputFile(value);
      if (Array.isArray(value)) {
        const [only] = value as readonly unknown[];
        if (value.length === 1) return gotOf(shape, fileOf(only), at);
      }
      throw new HdashError("permanent", `${at} is not a file`);
    case "folder":
      if (isFolder(value)) return inputFolder(value);
      if (Array.isArray(value) && value.length === 1) return gotOf(shape, value[0], at);
      throw new HdashError("permanent", `${at} is not a folder`);
    case "optional":
      if (value === null || value === undefined) return null;
      if (hasFiles(shape.of) && shape.of.kind !== "list" && shape.of.kind !== "table") {
        if (Array.isArray(value) && value.length === 0) return null;
      }
      return gotOf(shape.of, value, at);
    case "list":
      if (!Array.isArray(value)) throw new HdashError("permanent", `${at} is not a list`);
      return value.map((one: unknown, index) => gotOf(shape.of, fileOf(one), `${at}[${index}]`));
    case "table":
      if (!Array.isArray(value)) throw new HdashError("permanent", `${at} is not a table`);
      return value.map((row: unknown, index) => {
        const cells = row as Readonly<Record<string, unknown>>;
        return Object.fromEntries(
          Object.entries(shape.columns).map(([name, of]) => [
            name,
            gotOf(of, cells[name] ?? null, `${at}[${index}].${name}`),
          ]),
        );
      });
    case "text":
    case "integer":
    case "number":
    case "boolean":
    case "choice": {
      const problem = valueProblem(shape, value, at);
      if (problem !== null) throw new HdashError("permanent", problem);
      return value;
    }
    case "json":
      return value;
  }
}

/** Of a file in a stored set of files, the file. */
function fileOf(value: unknown): unknown {
  return isStored(value) ? value.file : value;
}

function isStored(value: unknown): value is StoredFile {
  return typeof value === "object" && value !== null && "contentType" in value && "file" in value;
}

function isBlob(value: unknown): value is BlobFile {
  return typeof value === "object" && value !== null && "stream" in value && "digest" in value;
}

function isFolder(value: unknown): value is StoredFolder {
  return typeof value === "object" && value !== null && "count" in value && "files" in value;
}
