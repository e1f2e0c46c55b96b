// "Did you mean": which of some known words a mistyped one was meant for.

import { listFew } from "../format.ts";

/** Letters of which one may be wrong: "run" is told from "rnu", and "doctor" from "docket" it is not. */
const LETTERS_PER_MISTAKE = 4;
const MOST_MISTAKES = 3;

/** Finds the known word that is nearest to another, without regard to case; null where none is near enough. */
export function nearest(word: string, known: readonly string[]): string | null {
  const typed = word.toLowerCase();
  if (typed === "") return null;
  const most = Math.min(MOST_MISTAKES, Math.ceil(typed.length / LETTERS_PER_MISTAKE));
  const begun = known.find((one) => one.toLowerCase().startsWith(typed));
  return within(most, word, known) ?? begun ?? null;
}

/** Finds the known word with the fewest mistakes, of equals the first, without regard to case; null where all have more than `most`. */
export function within(most: number, word: string, known: readonly string[]): string | null {
  const typed = word.toLowerCase();
  let best: string | null = null;
  let fewest = most + 1;
  for (const one of known) {
    const mistakes = countMistakes(typed, one.toLowerCase());
    if (mistakes < fewest) [best, fewest] = [one, mistakes];
  }
  return best;
}

/** More words than this help nobody to choose. */
const MOST_LISTED = 20;

/** Says it in a sentence for a hint: the word that was meant, or all that there are. */
export function meant(word: string, known: readonly string[]): string {
  const one = nearest(word, known);
  if (one !== null) return `Did you mean ${one}?`;
  if (known.length === 0) return "There is none.";
  return `There are: ${listFew(known, MOST_LISTED)}.`;
}

/** Counts letters that are wrong, missing, too many, or swapped with their neighbour (optimal string alignment). */
export function countMistakes(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, at) => at)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const at = (back: number, column: number): number => rows[i - back]?.[column] ?? 0;
      const isSame = a[i - 1] === b[j - 1];
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        at(1, j) + 1,
        (row[j - 1] ?? 0) + 1,
        at(1, j - 1) + (isSame ? 0 : 1),
        isSwapped ? at(2, j - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    rows.push(row);
  }
  return rows[a.length]?.[b.length] ?? 0;
}
