// What the places should hold: what of it they do not (copies and staged rows by export, files of datasets by type), and what they hold
// that nothing names any more.

import { exportKey } from "./catalog.ts";
import { countsPrefix, RECORD_COUNTS } from "./current.ts";
import type { CohortState } from "./known.ts";
import { supersededMembers } from "./ranking.ts";
import type { KeptObject } from "./report.ts";
import { keptOf } from "./segments.ts";

/** An object as its store lists it. */
export interface HeldObject {
  readonly bytes: number;
  readonly etag: string;
}

export type Held = ReadonlyMap<string, HeldObject>;

/** What is missing, short or another one than was put. */
export interface Losses {
  /** Members whose copies are to be made again, by export. */
  readonly copies: readonly { readonly export: string; readonly members: readonly string[] }[];
  /** Exports, by their keys, whose staged rows, or list of lines that were set aside, are to be made again. */
  readonly exports: readonly string[];
  /** Types that are to be built again. */
  readonly types: readonly string[];
}

/** Compares what should be there with what is. */
export function findLosses(
  { catalog, current, segments }: CohortState,
  held: { readonly raw: Held; readonly intermediate: Held; readonly processed: Held },
): Losses {
  const superseded = supersededMembers(catalog.exports.map(({ report }) => report));
  const copies: { export: string; members: readonly string[] }[] = [];
  const exports: string[] = [];
  for (const { report } of catalog.exports) {
    const { members, staged, quarantine } = report;
    const key = exportKey(report);
    const lost = members.filter(
      (member) =>
        !superseded.has(member) &&
        (isLost(member.raw, held.raw) || isLost(member.copy, held.intermediate)),
    );
    if (lost.length > 0) copies.push({ export: key, members: lost.map(({ name }) => name) });
    const rows = staged.flatMap(({ tables }) => tables.map(({ object }) => object));
    if (rows.some((one) => isLost(one, held.intermediate)) || isLost(quarantine, held.processed)) {
      exports.push(key);
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
        own.some((segment) => keptOf(segment).some((one) => isLost(one, held.processed)))
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

/** Folders of the intermediate place, and of the processed one, whose objects go when nothing names them: each belongs to one version of an export, or to a build. */
export const STAGED = "staged/";
export const QUARANTINE = "quarantine/";
export const REPORTS = "reports/";

/** So much of a digest tells all contents of a name apart. */
const CONTENT_LETTERS = 16;

/** The part of a key that is made from what lies under it, so that another content never takes its place. */
export function contentName(sha256: string): string {
  return sha256.slice(0, CONTENT_LETTERS);
}

/** Keys of objects that may be unnamed, by their place. */
export interface Sweepable {
  readonly intermediate: readonly string[];
  readonly processed: readonly string[];
}

/** Picks, of what the places hold, what is kept only as long as something names it. */
export function sweepable(held: {
  readonly intermediate: Held;
  readonly processed: Held;
}): Sweepable {
  const below = (of: Held, ...folders: readonly string[]): readonly string[] =>
    [...of.keys()].filter((key) => folders.some((folder) => key.startsWith(folder)));
  return {
    intermediate: below(held.intermediate, STAGED),
    processed: below(held.processed, QUARANTINE, REPORTS, RECORD_COUNTS),
  };
}

/**
 * Tells which of these nothing names: staged rows and lists of lines of a version that the catalog does not have, record counts of builds that
 * are not kept, and reports, which the catalog has taken in. The reports come first: a report that is there says that what it names is, too.
 */
export function findUnnamed(
  { intermediate, processed }: Sweepable,
  { catalog, current }: Pick<CohortState, "catalog" | "current">,
): { readonly reports: readonly string[]; readonly others: Sweepable } {
  const reports = processed.filter((key) => key.startsWith(REPORTS));
  const named = new Set(
    catalog.exports.flatMap(({ report: { staged, quarantine } }) => [
      ...staged.flatMap(({ tables }) => tables.map(({ object }) => object.key)),
      ...(quarantine === null ? [] : [quarantine.key]),
    ]),
  );
  const builds = current === null ? [] : [current, ...current.kept];
  const counts = builds.map(({ build }) => countsPrefix(build));
  const isUnnamed = (key: string): boolean => {
    if (key.startsWith(REPORTS)) return false;
    // Without a build there is nothing to tell which counts are old.
    if (key.startsWith(RECORD_COUNTS)) {
      return current !== null && !counts.some((folder) => key.startsWith(folder));
    }
    return !named.has(key);
  };
  return {
    reports,
    others: {
      intermediate: intermediate.filter(isUnnamed),
      processed: processed.filter(isUnnamed),
    },
  };
}
