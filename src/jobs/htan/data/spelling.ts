// Names and ids as people type them: with white space around them, with characters that nobody sees, in other letters than the template's.
// All that is compared goes through here, so that the two ends of a link are treated alike.

import type { Components } from "./components.ts";

/** Printable ASCII without blanks at its ends: nearly every cell, and there is nothing to do about it. */
const PLAIN = /^(?:[!-~](?:[ -~]*[!-~])?)?$/;
/** Soft hyphens, zero-width blanks and joiners, marks of direction and of byte order: none shows on a page, all of them make ids differ. */
const UNSEEN =
  /\u{ad}|\u{180e}|[\u{200b}-\u{200f}]|[\u{202a}-\u{202e}]|[\u{2060}-\u{2064}]|[\u{2066}-\u{2069}]|\u{feff}/gu;
/** A byte-order mark that was taken for Windows text on its way. */
const BROKEN_MARK = /^\u{ef}\u{bb}\u{bf}/u;
/** An id in small letters that is one in capitals: HTA3_ext7_1, hta204_1_b1. */
const ID_IN_CAPITALS = /^HTA\d+(?:_[A-Z]*\d+)+$/;

const NOT_APPLICABLE = "not applicable";

/** Drops what cannot be seen: white space around a text, no-break blanks among it, and characters without width. */
export function cleanText(text: string): string {
  return PLAIN.test(text) ? text : text.replace(UNSEEN, "").trim();
}

/** Does the same for a name, in which blanks of any kind and number are one. */
export function cleanName(text: string): string {
  return cleanText(text).replace(BROKEN_MARK, "").replace(/\s+/g, " ");
}

/** Makes names equal that differ in blanks around them, in unseen characters or in case alone. */
export function foldName(text: string): string {
  return cleanName(text).toLowerCase();
}

/** Reads the ids of a cell: unseen characters dropped, and in capitals where that makes them ids. */
export function cleanIds(text: string): string {
  const clean = cleanText(text);
  if (!/[a-z]/.test(clean)) return clean;
  return clean.replace(/[^;,\s]+/g, (id) => {
    const capitals = id.toUpperCase();
    return ID_IN_CAPITALS.test(capitals) ? capitals : id;
  });
}

/** Tells whether a cell says that a record has no such parent: "Not Applicable", in any case, and whatever follows. */
export function isNotApplicable(cell: string): boolean {
  return /^n/i.test(cell) && foldName(cell).startsWith(NOT_APPLICABLE);
}

/**
 * Makes a reader of component names: as the table spells them, also with the blanks of a template's title ("scRNA-seq Level 1"), or
 * without unseen characters where the table lacks them.
 */
export function makeComponentReader({ list }: Components): (text: string) => string {
  const fold = (text: string): string => foldName(text).replaceAll(" ", "");
  const byFold = new Map(list.map(({ component }) => [fold(component), component]));
  return (text) => byFold.get(fold(text)) ?? cleanName(text);
}
