// What stops a run, or the build of a type, before anything is done: what is asked for and not there, and what is lost.

import { HdashError } from "../../../error.ts";
import { oneLine } from "../../../format.ts";
import { type Catalog, type Choice, exportKey, type FoundExport } from "./catalog.ts";
import type { CohortState } from "./known.ts";
import type { LaidOut } from "./recordShape.ts";
import type { WholeInput } from "./typeInput.ts";

/** Throws where datasets are there, and nobody knows of what: to build them of nothing would empty them. */
export function checkCatalog(state: CohortState): void {
  if (!isCatalogLost(state)) return;
  throw new HdashError(
    "permanent",
    "the catalog of exports is lost, and there are datasets of them",
    {
      hint: "hdash cohort ingest --all reads every export that the source has, and makes it anew.",
    },
  );
}

/**
 * Throws where the catalog was lost and not every export that is listed has been read anew: to build of some would take the others' records
 * out of the datasets. What has been read is kept.
 */
export function checkReadAnew(
  before: CohortState,
  now: Catalog,
  listed: readonly FoundExport[],
): void {
  if (!isCatalogLost(before)) return;
  const known = new Map(now.exports.map((entry) => [exportKey(entry.report), entry.etag]));
  const left = listed.filter(({ key, etag }) => known.get(key) !== etag).length;
  if (left === 0) return;
  throw new HdashError(
    "permanent",
    `the catalog of exports was lost, and ${left} of ${listed.length} exports are not read anew yet: datasets stay as they are`,
    { hint: "hdash cohort ingest --all reads the others; the next build is of all." },
  );
}

/** Tells whether there are datasets, and nobody knows of what. */
function isCatalogLost({ catalog, current }: CohortState): boolean {
  return catalog.exports.length === 0 && Object.keys(current?.types ?? {}).length > 0;
}

/** Throws usage where somebody names an export that is not there. */
export function checkNamed({ exports }: Choice, found: readonly FoundExport[]): void {
  const keys = new Set(found.map(({ key }) => key));
  const missing = (exports ?? []).filter((key) => !keys.has(key));
  if (missing.length === 0) return;
  throw new HdashError("usage", `there is no export ${missing.map(oneLine).join(", ")}`, {
    hint: "hdash cohort status lists those that there are.",
  });
}

/** Throws where staged rows are of another form than the type has now: their export is to be read once more first. */
export function checkLayout({ input }: WholeInput, { shapes }: LaidOut): void {
  const layout = shapes.get(input.type)?.layout;
  const other = input.parts.find((part) => part.layout !== layout);
  if (other === undefined) return;
  throw new HdashError(
    "permanent",
    `${input.type} has records of ${oneLine(other.export)}, which was read when the schema said something else of them`,
    {
      hint: "hdash cohort ingest --all reads it once more; one that is gone from the source has to be put there again.",
    },
  );
}

/** The types that are meant, what deletes before what it deletes of: a type's deletions are meant with it. */
export function typesOf({ shapes }: LaidOut, asked: readonly string[] | null): readonly string[] {
  const unknown = (asked ?? []).filter((type) => !shapes.has(type));
  if (unknown.length > 0) {
    throw new HdashError("usage", `there is no data type ${unknown.join(", ")}`, {
      hint: `There are ${[...shapes.keys()].sort().join(", ")}.`,
    });
  }
  const meant = (type: string): boolean => asked?.includes(type) ?? true;
  const all = [...shapes.values()].map(({ type }) => type);
  const deleting = all.filter(
    ({ name, deletes }) => deletes !== null && (meant(name) || meant(deletes)),
  );
  const others = all.filter(({ name, deletes }) => deletes === null && meant(name));
  return [...deleting, ...others].map(({ name }) => name);
}
