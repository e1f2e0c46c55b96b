// What stops a run, or the build of a type, before anything is done: what is asked for and not there, and what is lost.

import { HdashError } from "../../../error.ts";
import { oneLine } from "../../../format.ts";
import type { Choice, FoundExport } from "./catalog.ts";
import type { CohortState } from "./known.ts";
import type { LaidOut } from "./recordShape.ts";
import type { WholeInput } from "./typeInput.ts";

/** Throws where datasets are there, and nobody knows of what: to build them of nothing would empty them. */
export function checkCatalog({ catalog, current }: CohortState): void {
  const isLost = catalog.exports.length === 0 && Object.keys(current?.types ?? {}).length > 0;
  if (!isLost) return;
  throw new HdashError(
    "permanent",
    "the catalog of exports is lost, and there are datasets of them",
    {
      hint: "hdash cohort ingest --all reads every export that the source has, and makes it anew.",
    },
  );
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
