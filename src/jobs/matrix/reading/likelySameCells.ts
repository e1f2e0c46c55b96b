// Matrices that may have the same cells by the words that people call them: what they are suspected of is believed only with evidence
// (settleCells.ts), since the same words call samples, too: WT_CRISPR, mature_DC, protein_restriction.

import { LAYERS, MATRIX_WORDS, withoutEnd, withoutMatrixTail } from "./fileWords.ts";

/**
 * What the tables have to show. "within": all cells that are read are among those of the one passed over. "nested": all cells of the
 * smaller one are among those of the other. "features": no gene in common, and most cells of the smaller one among those of the other.
 * One cell table for both shows that the cells are the same.
 */
export type Evidence = "within" | "nested" | "features";

/** Names that are equal but for some words, which say that some of them need not be read. */
interface Suspicion {
  readonly words: ReadonlySet<string>;
  /** Of names that are equal otherwise, those of the least rank are read. */
  readonly rank: (parts: Parts) => number;
  /** Tells whether names that are equal otherwise are suspicious together; all are where this is left out. */
  readonly areSuspicious?: (group: readonly Parts[]) => boolean;
  readonly evidence: Evidence;
  readonly why: (kept: string) => string;
}

/** The words of each folder of a name, and of its base. */
type Parts = readonly (readonly string[])[];

/** Names that may be of the same cells: any of `read`, and those that are passed over if one of them has their cells. */
export interface SuspectGroup {
  readonly read: readonly string[];
  readonly doubted: readonly string[];
}

const setOf = (words: string): ReadonlySet<string> => new Set(words.split(" "));

const DROPLETS = setOf("raw unfiltered filtered");
/** Words such as "norm" are left out: they may mean normal tissue. */
const VALUES = setOf(
  "normalized normalised lognorm lognormalized lognormalised logcounts log1p log2 scaled imputed tpm cpm fpkm rpkm",
);
const TAGS = setOf(
  "adt adts hto htos antibody antibodies protein proteins hashtag hashtags crispr",
);
const GENES = setOf("rna mrna gex");
const READS = setOf("read reads");
const UNITS = setOf("umi umis read reads");
/** Layers come in pairs; what is ambiguous is left over from one. */
const PAIRS = [
  ["spliced", "unspliced"],
  ["mature", "nascent"],
] as const;

const hasOne = (parts: Parts, some: ReadonlySet<string>): boolean =>
  parts.flat().some((word) => some.has(word));

export const SUSPICIONS: readonly Suspicion[] = [
  // Before all droplets: those of antibodies are beside those of genes, and may not be readable by themselves.
  {
    words: new Set([...TAGS, ...GENES]),
    rank: (parts) => (hasOne(parts, TAGS) ? 1 : 0),
    evidence: "features",
    why: (kept) => `it counts antibodies or tags of the cells of ${kept}, not genes`,
  },
  {
    words: DROPLETS,
    rank(parts) {
      if (hasOne(parts, setOf("filtered"))) return 0;
      return isOfAllDroplets(parts) ? 2 : 1;
    },
    evidence: "within",
    why: () => "its cells are those of all droplets, and the filtered ones lie beside it",
  },
  {
    words: UNITS,
    rank: (parts) => (hasOne(parts, READS) ? 1 : 0),
    evidence: "nested",
    why: (kept) => `it counts the reads of the same cells, and ${kept} their molecules`,
  },
  {
    words: new Set([...VALUES, "raw"]),
    rank: (parts) => (hasOne(parts, VALUES) ? 1 : 0),
    evidence: "nested",
    why: (kept) => `by its name it holds no counts, and ${kept} lies beside it`,
  },
  {
    words: LAYERS,
    rank: (parts) => (hasOne(parts, LAYERS) ? 1 : 0),
    areSuspicious: arePairs,
    evidence: "nested",
    why: (kept) => `${kept} has the same cells with the counts of all layers, or its layers apart`,
  },
];

/** "raw counts" are counts as they are; "raw" before anything else are all droplets. */
function isOfAllDroplets(parts: Parts): boolean {
  return parts.some((words) =>
    words.some(
      (word, at) =>
        word === "unfiltered" || (word === "raw" && !/^(counts?|umis?)$/.test(words[at + 1] ?? "")),
    ),
  );
}

function arePairs(group: readonly Parts[]): boolean {
  return PAIRS.some((pair) =>
    pair.every((layer) => group.some((parts) => hasOne(parts, new Set([layer])))),
  );
}

/** Finds the names that are equal but for a suspicion's words. */
export function findSuspects(
  names: readonly string[],
  { words, rank, areSuspicious }: Suspicion,
): readonly SuspectGroup[] {
  return groupsBut(names, words).flatMap((group) => {
    if (group.length < 2) return [];
    const parts = group.map(partsOf);
    const ranks = parts.map(rank);
    const least = Math.min(...ranks);
    const doubted = group.filter((_, at) => (ranks[at] ?? 0) > least);
    if (doubted.length === 0 || areSuspicious?.(parts) === false) return [];
    return [{ read: group.filter((_, at) => ranks[at] === least), doubted }];
  });
}

/** Finds the names that are equal but for the layer that each of them names. */
export function findLikelyLayers(names: readonly string[]): readonly (readonly string[])[] {
  const layers = names.filter((name) => hasOne(partsOf(name), LAYERS));
  return groupsBut(layers, LAYERS).filter(areLayers);
}

/** Tells whether names are those of layers that come together. */
export function areLayers(names: readonly string[]): boolean {
  return arePairs(names.map(partsOf));
}

/** Tells whether nothing but layers can be meant by names that are equal otherwise. */
export function areSurelyLayers(one: string, other: string): boolean {
  return (
    arePairs([partsOf(one), partsOf(other)]) && hasOne(partsOf(one), setOf("spliced unspliced"))
  );
}

function groupsBut(
  names: readonly string[],
  words: ReadonlySet<string>,
): readonly (readonly string[])[] {
  return [...Map.groupBy(names, (name) => cutWords(name, words)).values()];
}

/** One sign between words; what lies before and behind it stays as it is. */
const BETWEEN = /([\s._-])/;

/** The parts of a name without its end: its folders and its base. */
function partsOfName(name: string): readonly string[] {
  return withoutEnd(name).split("/");
}

function partsOf(name: string): Parts {
  return partsOfName(name).map((part) =>
    part
      .toLowerCase()
      .split(BETWEEN)
      .filter((word) => word !== "" && !BETWEEN.test(word)),
  );
}

/** What is left of a name without some words, and without those that say that it is a matrix: to the letter, for it names a sample. */
function cutWords(name: string, words: ReadonlySet<string>): string {
  const parts = partsOfName(name).map((part, at, all) => {
    const isBase = at === all.length - 1;
    const kept = cutFrom(part, (word) => words.has(word) || (isBase && MATRIX_WORDS.has(word)));
    return isBase ? withoutMatrixTail(kept) : kept;
  });
  return parts.filter((part, at) => part !== "" || at === parts.length - 1).join("/");
}

/** Cuts words out, each with the sign before it. */
function cutFrom(part: string, isCut: (word: string) => boolean): string {
  const pieces = part.split(BETWEEN);
  const kept: string[] = [];
  for (let at = 0; at < pieces.length; at += 2) {
    const word = pieces[at] ?? "";
    if (isCut(word.toLowerCase())) continue;
    kept.push(kept.length === 0 ? word : (pieces[at - 1] ?? "") + word);
  }
  return kept.join("");
}
