// Which matrices of a listing are read: the blacklist and the list of targets are applied before anything is downloaded.

import {
  byLargest,
  type MatrixEntry,
  type MatrixListing,
  type MatrixSkip,
  type NamedEntry,
  safeId,
  UNREADABLE,
} from "./source.ts";

/** Whose ids are compared without regard to case: uuids are written both ways. So are titles, where those are what users called it. */
export interface EntryChoice {
  /** Ids (of projects, or whole ones with a species) that are not to be read; null: no blacklist. */
  readonly blacklist: ReadonlySet<string> | null;
  /** Ids of projects, or whole ones; only these are read. Null: everything. */
  readonly targets: readonly string[] | null;
  /** True where a title names an entry as well as its id does. */
  readonly isByTitle?: boolean;
}

/**
 * Sorts a listing into what is to be read (largest first, then by id) and what is not, with the reason for each.
 * The blacklist wins over a target; a target that the source does not have is a skip of its own.
 */
export function chooseEntries(listing: MatrixListing, choice: EntryChoice): MatrixListing {
  const whyNot = makeRule(choice);
  const entries: MatrixEntry[] = [];
  const skips: MatrixSkip[] = [];
  for (const skip of listing.skips) {
    // What is not wanted fails no run, whatever is wrong with it.
    const why = skip.why === UNREADABLE ? whyNot(skip) : null;
    skips.push(why === null ? skip : skipOf(skip, why));
  }
  for (const entry of listing.entries) {
    const why = whyNot(entry);
    if (why === null) entries.push(entry);
    else skips.push(skipOf(entry, why));
  }
  for (const target of missingTargets(listing, choice)) skips.push(missingTarget(target));
  return { entries: entries.sort(byLargest), skips };
}

/** Lists the targets that a source does not have, as they are compared. */
export function missingTargets(listing: MatrixListing, choice: EntryChoice): readonly string[] {
  const present = new Set(
    [...listing.entries, ...listing.skips].flatMap((entry) => namesOf(entry, choice)),
  );
  return [...foldedSet(choice.targets ?? [])].filter((target) => !present.has(target));
}

/** Makes the question whether a matrix will be chosen, for sources that would have to read much to list what is not. */
export function makeWanted(choice: EntryChoice): (entry: NamedEntry) => boolean {
  const whyNot = makeRule(choice);
  return (entry) => whyNot(entry) === null;
}

const WORDS = {
  blacklisted: "on the blacklist",
  "not asked for": "not among the matrices asked for",
} as const;

/** Makes the rule that says why an entry is not chosen; null where it is. */
function makeRule(choice: EntryChoice): (entry: NamedEntry) => keyof typeof WORDS | null {
  const { blacklist, targets } = choice;
  const unwanted = foldedSet(blacklist ?? []);
  const wanted = targets === null ? null : foldedSet(targets);
  return (entry) => {
    const names = namesOf(entry, choice);
    if (names.some((name) => unwanted.has(name))) return "blacklisted";
    return wanted === null || names.some((name) => wanted.has(name)) ? null : "not asked for";
  };
}

function foldedSet(ids: Iterable<string>): ReadonlySet<string> {
  return new Set([...ids].map(fold).filter((id) => id !== ""));
}

/** An "ö" may be one character or two: folders have either, whatever was typed. */
function fold(name: string): string {
  return name.trim().normalize("NFC").toLowerCase();
}

/** What an entry is called, folded. */
function namesOf(
  { id, projectId, title }: NamedEntry,
  { isByTitle = false }: EntryChoice,
): readonly string[] {
  return [id, projectId, ...(isByTitle && title !== undefined ? [title] : [])].map(fold);
}

function skipOf(
  { id, projectId, title }: Pick<MatrixEntry, "id" | "projectId" | "title">,
  why: keyof typeof WORDS,
): MatrixSkip {
  return { id, projectId, title, why, message: `${id} is ${WORDS[why]}.` };
}

/** What a person typed becomes an id only as far as it can name a folder. */
function missingTarget(target: string): MatrixSkip {
  const id = safeId(target);
  const message = `${id} was asked for, but the source has no matrix of it.`;
  return { id, projectId: id, title: id, why: "not found", message };
}
