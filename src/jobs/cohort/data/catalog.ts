// What hdash knows of a namespace's exports, in one file beside the datasets: every export with its report. From it and a listing follows
// what is to be read; from it alone what is to be built.

import type { ExportReport, ObjectOutcome } from "./report.ts";
import { byText } from "./text.ts";

/** An object below the namespace, as its store lists it. */
export interface ListedObject {
  /** "<cohort>/<export>". */
  readonly key: string;
  readonly bytes: number;
  readonly etag: string;
  /** Why it can be no export, whatever it is called; missing: it can. */
  readonly refused?: Refusal;
}

/** What is wrong with something that a source lists, and the same in a clause. */
export interface Refusal {
  readonly outcome: "no_file" | "bad_name";
  readonly why: string;
}

/** An export as it was read. */
export interface CatalogEntry {
  readonly bytes: number;
  /** The version of it that was read. */
  readonly etag: string;
  readonly report: ExportReport;
}

export interface Catalog {
  readonly version: 1;
  /** By cohort and name of the export, sorted. */
  readonly exports: readonly CatalogEntry[];
}

export const EMPTY_CATALOG: Catalog = { version: 1, exports: [] };

/** Which exports are meant; a run of everything means all. */
export interface Choice {
  /** Names of cohorts; null: all. */
  readonly cohorts: readonly string[] | null;
  /** First day that an export's name may begin with, "YYYY-MM-DD"; null: any. */
  readonly since: string | null;
  /** Keys below the namespace; null: any. */
  readonly exports: readonly string[] | null;
  /** Of these only so many whose names are the latest, whatever their cohorts; null: all. */
  readonly newest: number | null;
  /** True where exports are read again that have been read in this version. */
  readonly isAgain: boolean;
}

/** An object that is an export by its key. */
export interface FoundExport extends ListedObject {
  readonly cohort: string;
  readonly export: string;
}

export interface SortedListing {
  readonly exports: readonly FoundExport[];
  /** What became of every object that is none. */
  readonly others: readonly OtherObject[];
}

export interface OtherObject {
  readonly key: string;
  readonly outcome: ObjectOutcome;
  /** In a clause, where the outcome does not say all. */
  readonly why?: string;
}

/** Parts a listing: an export is "<cohort>/<name>" of a cohort that is configured. Names are taken as they are. */
export function sortListing(
  objects: readonly ListedObject[],
  cohorts: readonly string[],
): SortedListing {
  const exports: FoundExport[] = [];
  const others: OtherObject[] = [];
  for (const object of objects) {
    const { key, refused } = object;
    const parts = key.split("/");
    const [cohort = "", name = ""] = parts;
    const isExport = parts.length === 2 && cohort !== "" && name !== "";
    // A link in the place of a cohort's folder hides all of its exports; deeper there is nothing to miss.
    if (refused !== undefined && parts.length <= 2 && !key.includes("owner.txt")) {
      others.push({ key, ...refused });
    } else if (!isExport || key.includes("owner.txt")) {
      others.push({ key, outcome: "ignored" });
    } else if (!cohorts.includes(cohort)) others.push({ key, outcome: "unknown_cohort" });
    else exports.push({ ...object, cohort, export: name });
  }
  exports.sort((a, b) => byText(a.key, b.key));
  return { exports, others };
}

/** Names an export within its namespace. */
export function exportKey({
  cohort,
  export: name,
}: Pick<ExportReport, "cohort" | "export">): string {
  return `${cohort}/${name}`;
}

/**
 * Tells which exports are to be read: those that the catalog does not have in this version, read with its schema, as far as they are
 * meant.
 */
export function exportsToRead(
  found: readonly FoundExport[],
  catalog: Catalog,
  choice: Choice,
  schemaOf: (found: FoundExport) => string,
): readonly FoundExport[] {
  const known = new Map(catalog.exports.map((entry) => [exportKey(entry.report), entry]));
  return newestOf(found, choice).filter((one) => {
    const entry = known.get(one.key);
    if (entry === undefined || choice.isAgain) return true;
    return (
      entry.etag !== one.etag || entry.bytes !== one.bytes || entry.report.schema !== schemaOf(one)
    );
  });
}

/** Picks what is meant; of that the newest, where only so many are. What has been read counts among them: asked again, they are the same. */
function newestOf(found: readonly FoundExport[], choice: Choice): readonly FoundExport[] {
  const meant = found.filter(({ key }) => isMeant(key, choice));
  if (choice.newest === null) return meant;
  const byAge = [...meant].sort((a, b) => byText(b.export, a.export) || byText(a.key, b.key));
  const kept = new Set(byAge.slice(0, choice.newest));
  return meant.filter((one) => kept.has(one));
}

/** Tells whether an export is one of those that are meant. */
export function isMeant(key: string, { cohorts, since, exports }: Choice): boolean {
  const cut = key.indexOf("/");
  // What lies in the place of a cohort's folder has no name of its own.
  const [cohort, name] = cut < 0 ? [key, null] : [key.slice(0, cut), key.slice(cut + 1)];
  if (cohorts !== null && !cohorts.includes(cohort)) return false;
  if (exports !== null && !exports.includes(key)) return false;
  return since === null || name === null || byText(name, since) >= 0;
}

/** Takes what was read into the catalog, in the place of what was there of it before. */
export function withEntries(catalog: Catalog, read: readonly CatalogEntry[]): Catalog {
  const entries = new Map(catalog.exports.map((entry) => [exportKey(entry.report), entry]));
  for (const entry of read) entries.set(exportKey(entry.report), entry);
  const exports = [...entries].sort(([a], [b]) => byText(a, b)).map(([, entry]) => entry);
  return { version: 1, exports };
}
