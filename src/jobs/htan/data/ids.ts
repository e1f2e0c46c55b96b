// The shapes of HTAN ids of both phases, lists of them in one cell, and what of such a cell may be shown.

import { isMissing } from "./missing.ts";
import { isNotApplicable } from "./spelling.ts";

/** HTA1 to HTA99, as phase 1 counts its atlases, and HTA200 to HTA209 of phase 2. */
const ATLAS_ID = /^HTA([1-9]\d?|20\d)$/;
const PARTICIPANT_ID = /^HTA([1-9]\d?|20\d)_(EXT)?\d+$/;
/** Phase 1 does not tell specimens from files by their ids. */
const DERIVED_ID = /^HTA[1-9]\d?_(EXT)?\d+_\d+$/;
/** Phase 2 does: _B and digits, _D and digits, behind the participant, several participants (0000), or an external control (EXT). */
const DERIVED_ID_2 = /^HTA20\d(?=_[0E\d])(?:_0000)?(?:_\d+)?(?:_EXT\d+)?_([BD])\d{1,50}$/;

/** What an id is to name: the two kinds of record that derive from a participant, or either. */
export type DerivedKind = "specimen" | "file" | "any";

/** Tells whether a text is the id of an atlas, e.g. "HTA3" or "HTA204". */
export function isAtlasId(id: string): boolean {
  return ATLAS_ID.test(id);
}

/** Tells whether an id has the form of a participant's, e.g. "HTA3_8001" or "HTA204_EXT1". */
export function isParticipantId(id: string): boolean {
  return PARTICIPANT_ID.test(id);
}

/** Tells whether an id has the form of a biospecimen's or data file's, e.g. "HTA3_8001_12", "HTA3_EXT7_1" or "HTA204_1_B1". */
export function isDerivedId(id: string, kind: DerivedKind = "any"): boolean {
  if (DERIVED_ID.test(id)) return true;
  const letter = DERIVED_ID_2.exec(id)?.[1];
  if (letter === undefined) return false;
  return kind === "any" || (kind === "specimen") === (letter === "B");
}

/** Gives ids as an atlas has them, as an example for those who have to correct one. */
export function exampleIds(atlasId: string): {
  readonly participant: string;
  readonly specimen: string;
  readonly file: string;
} {
  const participant = `${atlasId}_8001`;
  if (!/^HTA20\d$/.test(atlasId)) {
    return { participant, specimen: `${participant}_12`, file: `${participant}_12` };
  }
  return { participant, specimen: `${participant}_B12`, file: `${participant}_D12` };
}

/** Names the atlas whose record an id would be; null where it has not that form. */
export function atlasOfId(id: string): string | null {
  const atlasId = id.slice(0, Math.max(0, id.indexOf("_")));
  return isAtlasId(atlasId) && (isDerivedId(id) || isParticipantId(id)) ? atlasId : null;
}

/** Tells whether an id names a record outside HTAN, which no manifest holds. */
export function isExternalId(id: string): boolean {
  return id.includes("EXT");
}

/** Tells whether a parent id has the form of a specimen's rather than a participant's: whatever hangs on it is derived. */
export function isSpecimenLike(parentId: string): boolean {
  return parentId.indexOf("_", parentId.indexOf("_") + 1) > 0;
}

/** No id is longer, in characters; what is longer is another thing. */
export const LONGEST_ID = 60;
/** What stands between the parts of an id, slips included. */
const BETWEEN_PARTS = /[\s_./|:+&–-]+/;
const DAY = /(?:^|\D)(?:\d{4}[./–-]\d{1,2}[./–-]\d{1,2}|\d{1,2}[./–-]\d{1,2}[./–-]\d{4})(?:\D|$)/;

/**
 * Tells whether a text may be shown as an id: an HTAN id or a slip of one ("HTA3-8001_12", "HTA3_80O1"), or a Synapse id. A name, a record
 * number or a date that somebody wrote in an id's place is none of these.
 */
export function isIdLike(text: string): boolean {
  if (PARTICIPANT_ID.test(text) || DERIVED_ID.test(text) || /^syn\d{1,15}$/.test(text)) return true;
  if (text.length > LONGEST_ID || DAY.test(text)) return false;
  // A dot behind an id is a slip of a sentence.
  const [first = "", ...parts] = text.replace(/[._-]+$/, "").split(BETWEEN_PARTS);
  // More letters in a row than "EXT" and a slip's are a word.
  return (
    /^HTAN?\d{0,4}$/i.test(first) &&
    parts.every((part) => /^[A-Z\d]{1,14}$/i.test(part) && !/[A-Z]{5}/i.test(part))
  );
}

/** Ways in which a cell of ids says that there is none, in full: what follows a word like these may be anything. */
const SAYS_NONE =
  /^(?:not (?:applicable|reported|available|collected|provided|known|allowed to collect)|unknown|none|n\.?a\.?)$/i;

/**
 * Leaves of a cell of ids what may be shown: ids, slips of ids, and words for none. Whatever else stands there is dropped, and
 * `isWhole` is false; what follows "Not Applicable" is dropped as well, but belongs there.
 */
export function onlyIds(cell: string): { readonly ids: string; readonly isWhole: boolean } {
  if (isIdLike(cell) || isMissing(cell) || SAYS_NONE.test(cell)) {
    return { ids: cell, isWhole: true };
  }
  if (isNotApplicable(cell)) return { ids: "Not Applicable", isWhole: true };
  const pieces = splitIds(cell);
  const shown = pieces.filter((piece) => isIdLike(piece) || isMissing(piece));
  const isWhole = shown.length === pieces.length;
  return { ids: isWhole ? cell : shown.join(";"), isWhole };
}

/** Splits a cell into its ids, which stand between semicolons or commas. */
export function splitIds(cell: string): readonly string[] {
  if (!cell.includes(",") && !cell.includes(";")) {
    const id = cell.trim();
    return id === "" ? [] : [id];
  }
  return cell
    .split(/[;,]/)
    .map((id) => id.trim())
    .filter((id) => id !== "");
}
