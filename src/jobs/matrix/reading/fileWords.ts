// The words of a file's name within a matrix: what tables and matrices are told by, and matched by.

/** Words that say only that a file is a matrix. */
export const MATRIX_WORDS: ReadonlySet<string> = new Set([
  "matrix",
  "matrices",
  "mtx",
  "count",
  "counts",
  "expression",
  "dge",
]);
/** Parts of the counts of the same cells, as velocyto, STARsolo and kallisto name them; added up they are all. */
export const LAYERS: ReadonlySet<string> = new Set([
  "spliced",
  "unspliced",
  "ambiguous",
  "mature",
  "nascent",
]);

/** kallisto's sums of layers: all of them, those of whole cells and those of nuclei. */
const SUMS: ReadonlySet<string> = new Set(["total", "cell", "nucleus"]);

/** Leaves out which layer, or sum of layers, a matrix's words name. */
export function withoutLayer(words: readonly string[]): readonly string[] {
  const left = words.filter((word) => !LAYERS.has(word));
  // "cells_x_genes.total.mtx"; elsewhere such words may mean a sample.
  const isSum = SUMS.has(left.at(-1) ?? "") && left.slice(0, 2).join(" ") === "cells x";
  return isSum ? left.slice(0, -1) : left;
}

/** The last part of a name. */
export function baseOf(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

/** What comes before the last part of a name, with its slash. */
export function folderOf(name: string): string {
  return name.slice(0, name.lastIndexOf("/") + 1);
}

/** The folders of a name, the outermost first. */
export function foldersOf(name: string): readonly string[] {
  return name.split("/").slice(0, -1);
}

/** Where one word ends and the next begins: a dash only before a letter or a number, for elsewhere it is a sign. */
const BETWEEN_WORDS = /[\s._,;:()[\]{}'"/\\]+|\p{Pd}+(?=[\p{L}\p{N}])/u;

/** Splits a text into words in small letters. Signs are kept, and the letters of every script: "CD45+" is another sample than "CD45-". */
export function wordsOf(text: string): readonly string[] {
  // The same letter may be written as one sign or as two; which one, a file system decides.
  const words = text.normalize("NFC").toLowerCase().split(BETWEEN_WORDS);
  return words.filter((word) => !/^\p{Pd}*$/u.test(word));
}

/** The words of a matrix's own name, without what says what kind of file it is. */
export function wordsOfMatrix(name: string): readonly string[] {
  return wordsOf(withoutEnd(baseOf(name)));
}

/** A name without the end that says what kind of file it is. */
export function withoutEnd(name: string): string {
  return name.replace(/(\.[a-z]\w{1,5})?(\.gz)?$/i, "");
}

/** A word without one of a matrix that hangs on it: "gsm1matrix". */
export function withoutMatrixTail(word: string): string {
  return word.replace(/(.)(matrix|counts?|expression)$/i, "$1");
}

/** Leaves out words that say only that something is a matrix, also where they hang on another: "gsm1matrix". */
export function withoutMatrixWords(words: readonly string[]): readonly string[] {
  return words
    .filter((word) => !MATRIX_WORDS.has(word))
    .map((word, at, all) => (at === all.length - 1 ? withoutMatrixTail(word) : word));
}
