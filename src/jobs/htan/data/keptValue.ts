// How values of manifests and views are kept, since all of them may be published: on one line, and no longer than any id or label is.
// A stray quote makes one cell of many rows; none of that may get onto a page.

/** No id and no label is longer, in characters. */
const LONGEST = 200;

/** Makes a value fit to be shown: one line, cut with an ellipsis where it is too long, and without what the ledger cannot hold. */
export function keptValue(text: string): string {
  const line = plainText(text).replace(/[\r\n\t]+/g, " ");
  if (line.length <= LONGEST) return line;
  // A letter of two halves is not cut between them.
  const code = line.charCodeAt(LONGEST - 1);
  const isHalf = code >= 0xd800 && code < 0xdc00;
  return `${line.slice(0, isHalf ? LONGEST - 1 : LONGEST)}…`;
}

/** Does the same for a cell with several ids between semicolons or commas: each may be as long as a value. */
export function keptList(text: string): string {
  // Line breaks in something long are those of other rows, not of a list.
  if (text.length <= LONGEST || /[\r\n]/.test(text)) return keptValue(text);
  return text.replace(/[^;,]+/g, keptValue);
}

/** Replaces U+0000 as the ledger does, so that a finding is the same before and after it was there. */
export function plainText(text: string): string {
  return text.replaceAll("\0", "\uFFFD");
}
