// What the places should hold, and what of it they do not: copies and staged rows by export, files of datasets by type.

import { type CatalogEntry } from "./catalog.ts";
import type { CohortState } from "./known.ts";
import { supersededMembers } from "./ranking.ts";
import type { KeptObject } from "./report.ts";

/** An object as its store lists it. */
export interface HeldObject {
  readonly bytes: number;
  readonly etag: string;
}

export type Held = ReadonlyMap<string, HeldObject>;

/** What is missing, short or another one than was put. */
export interface Losses {
  /** Members whose copies are to be made again, by export. */
  readonly copies: readonly { readonly entry: CatalogEntry; readonly members: readonly string[] }[];
  /** Exports whose staged rows, or list of lines that were set aside, are to be made again. */
  readonly exports: readonly CatalogEntry[];
  /** Types that are to be built again. */
  readonly types: readonly string[];
}

/** Compares what should be there with what is. */
export function findLosses(
  { catalog, current, segments }: CohortState,
  held: { readonly raw: Held; readonly intermediate: Held; readonly processed: Held },
): Losses {
  const superseded = supersededMembers(catalog.exports.map(({ report }) => report));
  const copies: { entry: CatalogEntry; members: readonly string[] }[] = [];
  const exports: CatalogEntry[] = [];
  for (const entry of catalog.exports) {
    const { members, staged, quarantine } = entry.report;
    const lost = members.filter(
      (member) =>
        !superseded.has(member) &&
        (isLost(member.raw, held.raw) || isLost(member.copy, held.intermediate)),
    );
    if (lost.length > 0) copies.push({ entry, members: lost.map(({ name }) => name) });
    const rows = staged.flatMap(({ tables }) => tables.map(({ object }) => object));
    if (rows.some((one) => isLost(one, held.intermediate)) || isLost(quarantine, held.processed)) {
      exports.push(entry);
    }
  }
  const gone = new Set(
    (current?.datasets ?? [])
      .filter(({ files }) => files.some((file) => isLost(file, held.processed)))
      .map(({ name }) => name),
  );
  // Without them nobody knows what a build consists of: it is made whole.
  const isUnknown = current !== null && isLost(current.segments, held.processed);
  const types = Object.entries(current?.types ?? {})
    .filter(([type, { datasets }]) => {
      const own = segments[type]?.segments ?? [];
      return (
        isUnknown ||
        datasets.some((name) => gone.has(name)) ||
        own.some(({ keys, winners }) => [keys, winners].some((one) => isLost(one, held.processed)))
      );
    })
    .map(([type]) => type);
  return { copies, exports, types };
}

/** Tells whether an object is not there as it was put. One that was not put, since another export had the member then, is not there. */
function isLost(object: KeptObject | null, held: Held): boolean {
  if (object === null) return false;
  const found = held.get(object.key);
  return found?.bytes !== object.bytes || found.etag !== object.etag;
}
