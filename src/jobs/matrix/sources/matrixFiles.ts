// Names of matrices and of their files: ids that can name a folder and nothing else, species as keys, formats by the end of a name.

import { HdashError } from "../../../error.ts";
import { type MatrixSkip, safeId } from "../source.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** "<uuid>[.<species>]": nothing in it can climb out of a folder. */
const ENTRY_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:\.[A-Za-z0-9_-]{1,64})?$/;

/** Ends of names that can be read, in the order in which one is chosen among several: counts as the pipelines wrote them first. */
const READABLE = [".mtx.zip", ".h5ad", ".loom", ".h5"] as const;

/** Takes a text as a uuid, in lower case; null where it is none. */
export function uuidOf(text: string): string | null {
  const uuid = text.trim().toLowerCase();
  return UUID.test(uuid) ? uuid : null;
}

/** Makes the id of a matrix; `species` is a key as speciesKey makes it, or null. */
export function entryId(projectId: string, species: string | null): string {
  return checkEntryId(species === null ? projectId : `${projectId}.${species}`);
}

/** Returns the id if it is "<uuid>[.<species>]", so that it can name files. Throws permanent else. */
export function checkEntryId(id: string): string {
  if (ENTRY_ID.test(id)) return id;
  const message = `${JSON.stringify(id)} is not <uuid>[.<species>]`;
  throw new HdashError("permanent", message);
}

/** Makes a species' name a key: "Homo sapiens" → "homo_sapiens"; null where it says nothing. */
export function speciesKey(name: string | null): string | null {
  const key = (name ?? "")
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "_")
    .replace(/^[_-]+|[_-]+$/g, "")
    .slice(0, 64);
  return key === "" || /^(unspecified|unknown|none|null|na)$/.test(key) ? null : key;
}

/** Finds the species in a name like "<uuid>.homo_sapiens.mtx.zip"; null where the name is another one. */
export function speciesInName(fileName: string): string | null {
  const [uuid = "", species = "", ...end] = fileName.split(".");
  if (uuidOf(uuid) === null || end.length === 0) return null;
  const isSpecies =
    /^[a-z][a-z_-]{2,63}$/i.test(species) && `.${end.join(".")}` === extensionOf(fileName);
  return isSpecies ? speciesKey(species) : null;
}

/** The end of a name that says its format, with its dot: ".mtx.zip", ".h5ad", ".csv.zip"; "" where there is none. */
export function extensionOf(fileName: string): string {
  const name = fileName.toLowerCase();
  const double = /\.(mtx|csv|tsv|txt|loom|h5ad|h5|rds|tar|fastq|bam)\.(zip|gz|bz2|xz)$/.exec(name);
  return double?.[0] ?? /\.[a-z0-9]{1,12}$/.exec(name)?.[0] ?? "";
}

/** Says how soon a file of that name is chosen (0: first); null where its format cannot be read. */
export function formatRank(fileName: string): number | null {
  const at = READABLE.findIndex((end) => end === extensionOf(fileName));
  return at < 0 ? null : at;
}

/** Makes a skip, with an id that can stand in a page whatever the source said. */
export function makeSkip(
  skip: Pick<MatrixSkip, "id" | "why" | "message"> & Partial<MatrixSkip>,
): MatrixSkip {
  const id = safeId(skip.id);
  return {
    id,
    projectId: safeId(skip.projectId ?? skip.id),
    title: skip.title ?? id,
    why: skip.why,
    message: skip.message,
  };
}

/** Names a few files and counts the rest, so that a sentence stays one. */
export function nameSome(names: readonly string[]): string {
  const shown = names.slice(0, 3).map((name) => name.slice(0, 120));
  const rest = names.length - shown.length;
  if (rest > 0) return `${shown.join(", ")} and ${rest} more`;
  return shown.length < 2
    ? (shown[0] ?? "none")
    : `${shown.slice(0, -1).join(", ")} and ${shown.at(-1) ?? ""}`;
}
