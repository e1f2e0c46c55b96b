// Matrices of the same cells, told by the names that the programs give them: which of them is read, and which are parts of one.

import {
  baseOf,
  folderOf,
  foldersOf,
  LAYERS,
  withoutLayer,
  withoutMatrixWords,
  wordsOf,
  wordsOfMatrix,
} from "./fileWords.ts";

/** A matrix that is passed over, and why. */
export interface PassedOver {
  readonly name: string;
  readonly why: string;
}

/** A way in which two names differ that mean the same cells: of names that are equal but for it, those of the least rank are read. */
interface Difference {
  /** A matrix's words without what is told by this difference. */
  readonly rest: (words: NameWords) => NameWords;
  readonly rank: (words: NameWords) => number;
  readonly why: (kept: string) => string;
}

/** The words of the folders of a name, and of its base. */
interface NameWords {
  readonly folders: readonly (readonly string[])[];
  readonly base: readonly string[];
}

const DROPLETS = new Set(["raw", "unfiltered", "filtered"]);
/** Words such as "norm" are left out: they may mean normal tissue, and a sample. */
const VALUES = new Set(
  "normalized normalised lognorm lognormalized lognormalised logcounts log1p log2 scaled imputed tpm cpm fpkm rpkm".split(
    " ",
  ),
);
const TAGS = new Set(
  "adt adts hto htos antibody antibodies protein proteins hashtag hashtags crispr".split(" "),
);
const GENES = new Set(["rna", "mrna", "gex"]);
const UNITS = new Set(["umi", "umis", "read", "reads"]);
/** STARsolo's ways to count the same cells, the one that all use first; splice junctions are no genes. */
const STAR_FEATURES = [
  "gene",
  "genefull",
  "genefull_exonoverintron",
  "genefull_ex50pas",
  "velocyto",
  "transcript3p",
  "sj",
];

const allOf = ({ folders, base }: NameWords): readonly string[] => [...folders.flat(), ...base];
const hasOne = (words: NameWords, some: ReadonlySet<string>): boolean =>
  allOf(words).some((word) => some.has(word));
const without =
  (some: ReadonlySet<string>) =>
  ({ folders, base }: NameWords): NameWords => ({
    folders: folders.map((words) => words.filter((word) => !some.has(word))),
    base: base.filter((word) => !some.has(word)),
  });

const DIFFERENCES: readonly Difference[] = [
  {
    rest: without(DROPLETS),
    rank(words) {
      if (hasOne(words, new Set(["filtered"]))) return 0;
      return isOfAllDroplets(words) ? 2 : 1;
    },
    why: () => "its cells are those of all droplets, and the filtered ones lie beside it",
  },
  {
    rest: without(new Set([...TAGS, ...GENES])),
    rank: (words) => (hasOne(words, TAGS) ? 1 : 0),
    why: (kept) => `it counts antibodies or tags of the cells of ${kept}, not genes`,
  },
  {
    rest: without(UNITS),
    rank: (words) => (hasOne(words, new Set(["read", "reads"])) ? 1 : 0),
    why: (kept) => `it counts the reads of the same cells, and ${kept} their molecules`,
  },
  {
    rest: without(new Set([...VALUES, "raw"])),
    rank: (words) => (hasOne(words, VALUES) ? 1 : 0),
    why: (kept) => `by its name it holds no counts, and ${kept} lies beside it`,
  },
  {
    rest: withoutLayers,
    rank(words) {
      if (hasOne(words, LAYERS)) return 1;
      const isPart = /^(cell|nucleus)$/.test(words.base.at(-1) ?? "");
      return isPart && withoutLayer(words.base).length < words.base.length ? 2 : 0;
    },
    why: (kept) => `${kept} has the same cells with the counts of all layers, or its layers apart`,
  },
];

/** "raw counts" are counts as they are; "raw" before anything else are all droplets. */
function isOfAllDroplets({ folders, base }: NameWords): boolean {
  return [...folders, base].some((words) =>
    words.some(
      (word, at) =>
        word === "unfiltered" || (word === "raw" && !/^(counts?|umis?)$/.test(words[at + 1] ?? "")),
    ),
  );
}

function withoutLayers({ folders, base }: NameWords): NameWords {
  return { folders: without(LAYERS)({ folders, base: [] }).folders, base: withoutLayer(base) };
}

function wordsOfName(name: string): NameWords {
  return { folders: foldersOf(name).map(wordsOf), base: wordsOfMatrix(name) };
}

/** What names that differ in nothing else have in common. */
function keyOf({ folders, base }: NameWords): string {
  const parts = [...folders, withoutMatrixWords(base)].map((words) => words.join(" "));
  return parts.filter((part, at) => part !== "" || at === parts.length - 1).join("/");
}

/** Finds the matrices that have the cells of others over again. */
export function findSameCells(names: readonly string[]): readonly PassedOver[] {
  const passed: PassedOver[] = [];
  let left = names;
  const pass = (found: readonly PassedOver[]): void => {
    passed.push(...found);
    const gone = new Set(found.map(({ name }) => name));
    left = left.filter((name) => !gone.has(name));
  };
  pass(findMultiplexed(left));
  pass(findTranscripts(left));
  pass(findStarFeatures(left));
  for (const difference of DIFFERENCES) pass(findWorse(left, difference));
  return passed;
}

function findWorse(names: readonly string[], { rest, rank, why }: Difference) {
  return groupsOf(names, (name) => keyOf(rest(wordsOfName(name)))).flatMap((group) => {
    const ranks = group.map((name) => rank(wordsOfName(name)));
    const least = Math.min(...ranks);
    const kept = group[ranks.indexOf(least)] ?? "";
    return group
      .filter((_, at) => (ranks[at] ?? 0) > least)
      .map((name) => ({ name, why: why(kept) }));
  });
}

/** Cell Ranger multi: all droplets of all samples, beside the folders of the samples. */
function findMultiplexed(names: readonly string[]): readonly PassedOver[] {
  const roots = new Set(names.flatMap((name) => /^(.*?)per_sample_outs\//.exec(name)?.[1] ?? []));
  return names.flatMap((name) => {
    const root = /^(.*?)multi\/count\//.exec(name)?.[1];
    if (root === undefined || !roots.has(root)) return [];
    const why = `its cells are those of all droplets, and those of each sample lie in ${root}per_sample_outs`;
    return [{ name, why }];
  });
}

/** kallisto's classes of transcripts beside its genes. */
function findTranscripts(names: readonly string[]): readonly PassedOver[] {
  const isOfClasses = (name: string): boolean => wordsOfMatrix(name).includes("tcc");
  return groupsOf(names, folderOf).flatMap((group) => {
    if (group.every(isOfClasses)) return [];
    const why = "it counts classes of transcripts, and genes are counted beside it";
    return group.filter(isOfClasses).map((name) => ({ name, why }));
  });
}

function findStarFeatures(names: readonly string[]): readonly PassedOver[] {
  const found = names.flatMap((name) => {
    const parts = foldersOf(name);
    const at = parts.findLastIndex((part) => STAR_FEATURES.includes(part.toLowerCase()));
    if (at === -1) return [];
    const feature = STAR_FEATURES.indexOf(parts[at]?.toLowerCase() ?? "");
    const rank = feature + (isOfAllDroplets(wordsOfName(name)) ? STAR_FEATURES.length : 0);
    return [{ name, root: parts.slice(0, at).join("/"), feature, rank }];
  });
  return groupsOf(found, ({ root }) => root).flatMap((group) => {
    const best = group.reduce((a, b) => (b.rank < a.rank ? b : a));
    return group
      .filter(({ feature }) => feature !== best.feature)
      .map(({ name }) => ({
        name,
        why: `it counts the cells of ${best.name} over again, by another rule`,
      }));
  });
}

/** Names of what lies in one matrix: layers, which are added up, or genomes, whose genes differ. */
export interface Joint {
  readonly by: "layer" | "genome";
  readonly key: string;
}

/** A file of one layer: as the programs call it, with whatever stands before, as GEO puts a sample's name there. */
const LAYER_FILE =
  /^(|.*[\s._-])(?:spliced|unspliced|ambiguous|(?<=cells_x_(?:genes|tcc)\.)(?:mature|nascent))\.mtx(?:\.gz)?$/;

/** Tells which matrices are layers of the same cells, which lie in one folder, or genomes as Cell Ranger 2 lays them out. */
export function findJoints(names: readonly string[]): ReadonlyMap<string, Joint> {
  const joints = new Map<string, Joint>();
  const layers = names.flatMap((name) => {
    // All of the name but the layer has to be the same, to the letter: what differs is another sample.
    const before = LAYER_FILE.exec(baseOf(name))?.[1];
    return before === undefined ? [] : [{ name, key: folderOf(name) + before }];
  });
  for (const group of groupsOf(layers, ({ key }) => key)) {
    const key = group[0]?.name ?? "";
    if (group.length > 1) for (const { name } of group) joints.set(name, { by: "layer", key });
  }
  for (const name of names) {
    const folder = /^(.*(?:raw|filtered)_gene_bc_matrices(?:_mex)?\/)[^/]+\/$/.exec(folderOf(name));
    if (folder?.[1] === undefined || joints.has(name)) continue;
    joints.set(name, { by: "genome", key: folder[1] + baseOf(name) });
  }
  return joints;
}

function groupsOf<T>(all: readonly T[], keyOfOne: (one: T) => string): readonly (readonly T[])[] {
  return [...Map.groupBy(all, keyOfOne).values()];
}
