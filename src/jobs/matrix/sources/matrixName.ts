// Names of matrices in buckets and folders: "<uuid>[.<species>]" and an end that says the format. What is not named so is not read.

import {
  byLargest,
  type MatrixEntry,
  type MatrixListing,
  type MatrixSkip,
  safeId,
} from "../source.ts";

export interface MatrixName {
  /** "<uuid>[.<species>]", the uuid in lower case. */
  readonly id: string;
  readonly projectId: string;
  readonly species: string | null;
  /** With its dot; "" for a folder. */
  readonly extension: string;
}

/** Ends that can be read, in the order in which one is chosen where an id has several. */
const EXTENSIONS = [".mtx.zip", ".zip", ".h5ad", ".loom", ".h5", ""] as const;
const ID = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:\.([a-z0-9_-]{1,64}))?$/i;

/** Reads the name of a file or folder; null where it does not name a matrix. Nothing in an id can climb out of a folder. */
export function readMatrixName(name: string, kind: "file" | "folder"): MatrixName | null {
  const lower = name.toLowerCase();
  const extension =
    kind === "folder"
      ? lower.endsWith(".mtx")
        ? ".mtx"
        : ""
      : EXTENSIONS.find((end) => end !== "" && lower.endsWith(end));
  if (extension === undefined) return null;
  const parts = ID.exec(name.slice(0, name.length - extension.length));
  if (parts?.[1] === undefined) return null;
  const projectId = parts[1].toLowerCase();
  const species = parts[2] ?? null;
  const id = species === null ? projectId : `${projectId}.${species}`;
  return { id, projectId, species, extension: kind === "folder" ? "" : extension };
}

/** Makes a skip for what is named like a matrix, or nearly, but cannot be read for another reason. */
export function skipNamed(name: string, why: string, message: string): MatrixSkip {
  const matrix = readMatrixName(name, "file") ?? readMatrixName(withoutFormat(name), "folder");
  const id = matrix?.id ?? safeId(name);
  return { id, projectId: matrix?.projectId ?? id, title: id, why, message };
}

/** Makes the skip for a name that names no matrix, or one of a format that cannot be read. */
export function skipUnnamed(name: string): MatrixSkip {
  const isMatrix = readMatrixName(withoutFormat(name), "folder") !== null;
  if (isMatrix && withoutFormat(name) !== name) {
    const format = name.slice(withoutFormat(name).length);
    return skipNamed(name, "format", `Files of format ${format} cannot be read: ${name}.`);
  }
  const shown = JSON.stringify(name.slice(0, 120));
  const message = `${shown} is not <uuid>[.<species>] with .mtx.zip, .zip, .h5ad, .h5 or .loom.`;
  return skipNamed(name, "name", message);
}

/** Takes the end off that says a format (".rds", ".csv.gz"); a species is longer than that. */
function withoutFormat(name: string): string {
  return name.replace(/(\.[a-z][a-z0-9]{0,4}){1,2}$/i, "");
}

/** Makes a listing of what was found: one entry for each id, by the order of formats; largest first. */
export function listingOf(
  found: readonly MatrixEntry[],
  skips: readonly MatrixSkip[],
): MatrixListing {
  const entries = new Map<string, MatrixEntry>();
  const others: MatrixSkip[] = [];
  for (const entry of [...found].sort(byFormat)) {
    const chosen = entries.get(entry.id);
    if (chosen === undefined) entries.set(entry.id, entry);
    else {
      const message = `${entry.fileName} is not read, since ${chosen.fileName} has the same id.`;
      others.push(skipNamed(entry.id, "another file", message));
    }
  }
  return { entries: [...entries.values()].sort(byLargest), skips: [...skips, ...others] };
}

function byFormat(a: MatrixEntry, b: MatrixEntry): number {
  return rankOf(a) - rankOf(b) || (a.fileName < b.fileName ? -1 : 1);
}

function rankOf({ fileName }: MatrixEntry): number {
  const extension = readMatrixName(fileName, "file")?.extension ?? "";
  return EXTENSIONS.findIndex((end) => end === extension);
}

/** Reads the text of a blacklist: an id a line; blank lines and comments (#) are ignored. */
export function readBlacklistText(text: string): readonly string[] {
  const ids = text
    .replace(/^\uFEFF/, "")
    .split(/\r\n|\r|\n/)
    .map((line) => line.replace(/#.*$/, "").trim().toLowerCase());
  return [...new Set(ids.filter((id) => id !== ""))];
}
