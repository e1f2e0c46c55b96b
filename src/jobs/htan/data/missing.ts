// Which cells say nothing. Two kinds: absent (no value was entered) and missing (absent, or a word that says that it is not known).

/** What the CSV world writes for an empty cell, besides leaving it empty. Spelt exactly so. */
const ABSENT_MARKERS: ReadonlySet<string> = new Set(
  "#N/A,#NA,N/A,n/a,NA,<NA>,NULL,null,NaN,-NaN,-nan,nan,1.#IND,-1.#IND,1.#QNAN,-1.#QNAN,#N/A N/A".split(
    ",",
  ),
);
/** Words of the HTAN data model for what is not known, in any case. */
const UNKNOWN_WORDS: ReadonlySet<string> = new Set([
  "na",
  "nan",
  "unknown",
  "not applicable",
  "not reported",
]);
/** Length of the longest text that isAbsent can take for absent. */
export const LONGEST_MARKER = Math.max(...[...ABSENT_MARKERS].map((marker) => marker.length));
const LONGEST = Math.max(LONGEST_MARKER, ...[...UNKNOWN_WORDS].map((word) => word.length));

/** Length → 1 for each byte with which a marker or word of that length begins: nearly every cell is ruled out by this. */
const CANDIDATES = new Uint8Array((LONGEST + 1) * 256);
for (const word of UNKNOWN_WORDS) {
  for (const first of [word.charAt(0), word.charAt(0).toUpperCase()]) {
    CANDIDATES[word.length * 256 + first.charCodeAt(0)] = 1;
  }
}
for (const marker of ABSENT_MARKERS) CANDIDATES[marker.length * 256 + marker.charCodeAt(0)] = 1;

/** Tells whether a cell has no value at all. */
export function isAbsent(text: string): boolean {
  return text.length === 0 || (text.length <= LONGEST_MARKER && ABSENT_MARKERS.has(text));
}

/** Tells whether a cell counts as not filled in. */
export function isMissing(text: string): boolean {
  return (
    text.length === 0 ||
    (text.length <= LONGEST && (UNKNOWN_WORDS.has(text.toLowerCase()) || ABSENT_MARKERS.has(text)))
  );
}

/** The same as isMissing for a cell's bytes, without making a string of most. */
export function isMissingBytes(bytes: Buffer, start: number, end: number): boolean {
  const length = end - start;
  if (length === 0) return true;
  if (length > LONGEST || CANDIDATES[length * 256 + (bytes[start] as number)] === 0) return false;
  return isMissing(bytes.toString("latin1", start, end));
}
