// Which matrices of a listing are read: the blacklist and the list of targets are applied before anything is downloaded.

import type { MatrixEntry, MatrixListing, MatrixSkip } from "../matrixSource.ts";

/** Whose ids are compared without regard to case: uuids are written both ways. */
export interface EntryChoice {
  /** Ids (of projects, or whole ones with a species) that are not to be read; null: no blacklist. */
  readonly blacklist: ReadonlySet<string> | null;
  /** Ids of projects, or whole ones; only these are read. Null: everything. */
  readonly targets: readonly string[] | null;
}

/**
 * Sorts a listing into what is to be read (largest first, then by id) and what is not, with the reason for each.
 * The blacklist wins over a target; a target that the source does not have is a skip of its own.
 */
export function chooseEntries(listing: MatrixListing, choice: EntryChoice): MatrixListing {
  const blacklist = choice.blacklist === null ? null : foldedSet(choice.blacklist);
  const targets = choice.targets === null ? null : foldedSet(choice.targets);
  const entries: MatrixEntry[] = [];
  const skips: MatrixSkip[] = [...listing.skips];
  for (const entry of listing.entries) {
    if (blacklist !== null && isNamed(entry, blacklist)) {
      skips.push(skipOf(entry, "blacklisted", `${entry.id} is on the blacklist.`));
    } else if (targets !== null && !isNamed(entry, targets)) {
      skips.push(
        skipOf(entry, "not asked for", `${entry.id} is not among the matrices asked for.`),
      );
    } else {
      entries.push(entry);
    }
  }
  const present = new Set(
    [...listing.entries, ...listing.skips].flatMap(({ id, projectId }) => [
      fold(id),
      fold(projectId),
    ]),
  );
  for (const target of targets ?? []) {
    if (!present.has(target)) skips.push(missingTarget(target));
  }
  return { entries: entries.sort(byLargest), skips };
}

/** Makes the question whether a matrix will be chosen, for sources that would have to read much to list what is not. */
export function makeWanted(
  choice: EntryChoice,
): (entry: Pick<MatrixEntry, "id" | "projectId">) => boolean {
  const blacklist = choice.blacklist === null ? null : foldedSet(choice.blacklist);
  const targets = choice.targets === null ? null : foldedSet(choice.targets);
  return (entry) =>
    !(blacklist !== null && isNamed(entry, blacklist)) &&
    (targets === null || isNamed(entry, targets));
}

function foldedSet(ids: Iterable<string>): ReadonlySet<string> {
  return new Set([...ids].map(fold).filter((id) => id !== ""));
}

function fold(id: string): string {
  return id.trim().toLowerCase();
}

function isNamed(entry: Pick<MatrixEntry, "id" | "projectId">, ids: ReadonlySet<string>): boolean {
  return ids.has(fold(entry.projectId)) || ids.has(fold(entry.id));
}

function skipOf({ id, projectId, title }: MatrixEntry, why: string, message: string): MatrixSkip {
  return { id, projectId, title, why, message };
}

/** What a person typed becomes an id only as far as it can name a folder. */
function missingTarget(target: string): MatrixSkip {
  const safe = target
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[.-]+/, "")
    .slice(0, 128);
  const id = safe === "" ? "unnamed" : safe;
  const message = `${id} was asked for, but the source has no matrix of it.`;
  return { id, projectId: id, title: id, why: "not found", message };
}

/** Sizes that are not known come last: the largest known ones decide how long everything takes. */
function byLargest(a: MatrixEntry, b: MatrixEntry): number {
  const difference = (b.bytes ?? b.cells ?? -1) - (a.bytes ?? a.cells ?? -1);
  return difference !== 0 ? difference : a.id < b.id ? -1 : 1;
}
