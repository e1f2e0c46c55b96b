// Names of matrices: "<uuid>[.<species>]" and an end that says the format in a bucket, any name with such an end in a folder of the user's.

import { digestOf } from "../../../digest.ts";
import { showName } from "../reading/boundedRegion.ts";
import { wordsOfName } from "../reading/fileKinds.ts";
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

/** Files of a user's folder that can be read, in the order in which one is chosen where a name has several; a folder comes last. */
const LOCAL_EXTENSIONS = [
  ...EXTENSIONS.filter((end) => end !== ""),
  ".hdf5",
  ".h5ad.gz",
  ".loom.gz",
  ".h5.gz",
  ".tar.gz",
  ".tgz",
] as const;
/** What such a folder may hold, for people. */
export const LOCAL_FITS =
  "files .mtx.zip, .zip, .h5ad, .h5, .loom and .tar.gz, and folders with a .mtx and its gene and cell tables";
/** A last part of a name is a species only where it is one of those that are sequenced: "pbmc.cell_ranger" has none. */
const SPECIES =
  /\.(homo_sapiens|mus_musculus|macaca_mulatta|macaca_fascicularis|pan_troglodytes|callithrix_jacchus|rattus_norvegicus|sus_scrofa|gallus_gallus|danio_rerio|drosophila_melanogaster|caenorhabditis_elegans)$/i;
/** Ids that pages of the site have. */
const TAKEN = ["index", "unnamed"];
/** Characters of a digest that tell apart names whose ids would be alike. */
const MARK_CHARACTERS = 6;

/** A name in a user's folder, read. */
export interface LocalName extends MatrixName {
  /** The name without its end, as the user wrote it. */
  readonly title: string;
}

/** Reads the name of a file or folder of a user's, which may be any; null for a file whose end says another format. */
export function readLocalName(name: string, kind: "file" | "folder"): LocalName | null {
  const lower = name.toLowerCase();
  const ends = kind === "folder" ? [".mtx"] : longestFirst(LOCAL_EXTENSIONS);
  const end = ends.find((one) => lower.endsWith(one) && lower.length > one.length);
  if (end === undefined && kind === "file") return null;
  const extension = kind === "folder" ? "" : (end ?? "");
  const title = name.slice(0, name.length - (end ?? "").length);
  const [, uuid, ofUuid = null] = ID.exec(title) ?? [];
  if (uuid !== undefined) {
    const projectId = uuid.toLowerCase();
    const id = ofUuid === null ? projectId : `${projectId}.${ofUuid}`;
    return { id, projectId, species: ofUuid, extension, title: id };
  }
  const species = SPECIES.exec(title)?.[1] ?? null;
  const projectId = safeId(species === null ? title : title.slice(0, -species.length - 1));
  const id = species === null ? projectId : `${projectId}.${species}`;
  return { id, projectId, species, extension, title };
}

function longestFirst<T extends string>(ends: readonly T[]): readonly T[] {
  return [...ends].sort((a, b) => b.length - a.length);
}

/**
 * Gives every matrix of a folder an id of its own: names that differ only in what an id cannot hold (or in case) are told apart by a piece of
 * their digest, but for the one that is its own id. The same title with several ends is one matrix in several formats.
 */
export function tellApart<T extends LocalName>(names: readonly T[]): readonly T[] {
  const titles = new Map<string, Set<string>>();
  for (const { id, title } of names) {
    const key = id.toLowerCase();
    titles.set(key, (titles.get(key) ?? new Set()).add(title));
  }
  return names.map((name) => {
    const { id, projectId, species, title } = name;
    const alike = [...(titles.get(id.toLowerCase()) ?? [])].sort();
    const isOwner = alike.length === 1 || (alike.find((one) => one === id) ?? alike[0]) === title;
    if (isOwner && !TAKEN.includes(id.toLowerCase())) return name;
    const marked = `${projectId}-${digestOf(title).slice(0, MARK_CHARACTERS)}`;
    return {
      ...name,
      projectId: marked,
      id: species === null ? marked : `${marked}.${species}`,
    };
  });
}

/** Makes the skip for what of a user's folder is no matrix by its name. */
export function skipNoMatrix(name: string): MatrixSkip {
  return skipFormat(name) ?? skipNamed(name, "name", notRead(name));
}

/** Makes a skip for what is named like a matrix, or nearly, but cannot be read for another reason. */
export function skipNamed(name: string, why: string, message: string): MatrixSkip {
  const matrix = readMatrixName(name, "file") ?? readMatrixName(withoutFormat(name), "folder");
  const id = matrix?.id ?? safeId(name);
  return { id, projectId: matrix?.projectId ?? id, title: id, why, message };
}

/** Makes the skip for a name that names no matrix, or one of a format that cannot be read. */
export function skipUnnamed(name: string): MatrixSkip {
  const unread = skipFormat(name);
  if (unread !== null) return unread;
  const shown = JSON.stringify(name.slice(0, 120));
  const message = `${shown} is not <uuid>[.<species>] with .mtx.zip, .zip, .h5ad, .h5 or .loom.`;
  return skipNamed(name, "name", message);
}

/** Makes the skip for what is called by a uuid and has the end of another format; null for all else. */
function skipFormat(name: string): MatrixSkip | null {
  const bare = withoutFormat(name);
  if (bare === name || readMatrixName(bare, "folder") === null) return null;
  return skipNamed(name, "format", notRead(name));
}

/** Says what a file is by its name, in the words that are said of it where it is opened: what is read instead is said once for all. */
function notRead(name: string): string {
  return `${showName(name)} is ${wordsOfName(name)}, which is not read.`;
}

/** Takes the end off that says a format (".rds", ".csv.gz"); a species is longer than that. */
function withoutFormat(name: string): string {
  return name.replace(/(\.[a-z][a-z0-9]{0,4}){1,2}$/i, "");
}

/** A matrix that is there and may not be read. */
export interface UnreadMatrix extends MatrixSkip {
  readonly fileName: string;
}

/**
 * Makes a listing of what was found: one entry for each id, by the order of formats; largest first. What may not be read keeps its id: else
 * another matrix would take its page.
 */
export function listingOf(
  found: readonly MatrixEntry[],
  skips: readonly MatrixSkip[],
  unread: readonly UnreadMatrix[] = [],
): MatrixListing {
  const all = new Map<string, MatrixEntry | UnreadMatrix>();
  const others: MatrixSkip[] = [];
  for (const one of [...found, ...unread].sort(byFormat)) {
    const chosen = all.get(one.id);
    if (chosen === undefined) all.set(one.id, one);
    else {
      const message = `${one.fileName} is not read, since ${chosen.fileName} has the same id.`;
      others.push(skipNamed(one.id, "another file", message));
    }
  }
  const entries: MatrixEntry[] = [];
  const failures: MatrixSkip[] = [];
  for (const one of all.values()) {
    if ("locator" in one) entries.push(one);
    else {
      const { id, projectId, title, why, message } = one;
      failures.push({ id, projectId, title, why, message });
    }
  }
  return { entries: entries.sort(byLargest), skips: [...skips, ...failures, ...others] };
}

function byFormat(a: { readonly fileName: string }, b: { readonly fileName: string }): number {
  return rankOf(a) - rankOf(b) || (a.fileName < b.fileName ? -1 : 1);
}

/** A folder has no end that counts: it is the last that is chosen. */
function rankOf({ fileName }: { readonly fileName: string }): number {
  const end = readLocalName(fileName, "file")?.extension;
  const at = LOCAL_EXTENSIONS.findIndex((one) => one === end);
  return at < 0 ? LOCAL_EXTENSIONS.length : at;
}

/** Reads the text of a blacklist: an id a line; blank lines and comments (#) are ignored. */
export function readBlacklistText(text: string): readonly string[] {
  const ids = text
    .replace(/^\uFEFF/, "")
    .split(/\r\n|\r|\n/)
    .map((line) => line.replace(/#.*$/, "").trim().toLowerCase());
  return [...new Set(ids.filter((id) => id !== ""))];
}
