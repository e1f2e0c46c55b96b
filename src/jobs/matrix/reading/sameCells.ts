// Matrices of the same cells, told by names alone: as programs write them, to the letter and in their place. What surrounds a program's
// own word has to be the same, else the names are those of other samples.

import { baseOf, folderOf } from "./fileWords.ts";

/** A matrix that is passed over, and why. */
export interface PassedOver {
  readonly name: string;
  readonly why: string;
}

/** A name's place among those that a program gives the same cells. */
interface NamePlace {
  /** What stands around the program's word. */
  readonly key: string;
  /** Of the same key those of the least rank are read. */
  readonly rank: number;
}

/** How a program calls several matrices of the same cells. */
interface Naming {
  /** Null where a name is none of the program's. */
  readonly placeOf: (name: string) => NamePlace | null;
  readonly why: (kept: string) => string;
}

/** STARsolo's ways to count the same cells, the one that all use first; splice junctions are no genes. */
const STAR_FEATURES = [
  "Gene",
  "GeneFull",
  "GeneFull_ExonOverIntron",
  "GeneFull_Ex50pAS",
  "Velocyto",
  "Transcript3p",
  "SJ",
];
/** Words that nothing but STARsolo writes; a folder "Gene" or "SJ" may be anything. */
const STAR_ONLY = /^(GeneFull|Velocyto$|Transcript3p$)/;
const STAR_FOLDER = new RegExp(`^(|.*?/)(${STAR_FEATURES.join("|")})/(?:(raw|filtered)/)?[^/]+$`);

/** Names of all droplets and of those with cells: by Cell Ranger, wherever in a name; by STARsolo and kb, as folders. */
const DROPLETS: readonly RegExp[] = [
  /^(|.*[^\p{L}\p{N}])(raw|filtered)(_(?:(?:feature|gene|peak)_bc_matr(?:ix|ices)|matrices_mex)(?![\p{L}\p{N}]).*)$/u,
  new RegExp(`^((?:|.*/)(?:${STAR_FEATURES.join("|")})/)(raw|filtered)(/[^/]+)$`),
  /^((?:|.*\/)counts_)(unfiltered|filtered)(\/[^/]+)$/,
];
/** CITE-seq-Count's folders. */
const UNITS = /^(|.*\/)(read|umi)(_count\/[^/]+)$/;
/** kallisto's classes of transcripts, and genes, with whatever GEO puts before them. */
const CLASSES = /^(|.*[/\s._-])(?:(?:cells_x_)?tcc|((?:cells_x_)?genes))(?:\.\w+)?\.mtx(?:\.gz)?$/;
/** kallisto's layers of genes, and their sums. */
const SUMS =
  /^(|.*[/\s._-])cells_x_genes(?:\.(total|mature|nascent|ambiguous|cell|nucleus))?\.mtx(?:\.gz)?$/;
const SUM_RANKS: ReadonlyMap<string, number> = new Map([
  ["total", 0],
  // Those of whole cells and those of nuclei: each lacks a layer.
  ["cell", 2],
  ["nucleus", 2],
]);

const NAMINGS: readonly Naming[] = [
  {
    placeOf(name) {
      const found = CLASSES.exec(name);
      return found === null ? null : { key: found[1] ?? "", rank: found[2] === undefined ? 1 : 0 };
    },
    why: () => "it counts classes of transcripts, and genes are counted beside it",
  },
  {
    placeOf: (name) => placeByWord(name, DROPLETS, "filtered"),
    why: () => "its cells are those of all droplets, and the filtered ones lie beside it",
  },
  {
    placeOf: (name) => placeByWord(name, [UNITS], "umi"),
    why: (kept) => `it counts the reads of the same cells, and ${kept} their molecules`,
  },
  {
    placeOf(name) {
      const found = SUMS.exec(name);
      if (found === null) return null;
      const [, key = "", part = "total"] = found;
      return { key, rank: SUM_RANKS.get(part) ?? 1 };
    },
    why: (kept) => `${kept} has the same cells with the counts of all layers, or its layers apart`,
  },
];

/** The place of a name by the word in the midst of it; names with `best` are read. */
function placeByWord(name: string, patterns: readonly RegExp[], best: string): NamePlace | null {
  for (const pattern of patterns) {
    const [found, before, word, after] = pattern.exec(withoutGz(name)) ?? [];
    if (found === undefined) continue;
    return { key: JSON.stringify([before, after]), rank: word === best ? 0 : 1 };
  }
  return null;
}

function withoutGz(name: string): string {
  return name.replace(/\.gz$/i, "");
}

/** Finds the matrices that have the cells of others over again, by the names that programs give them. */
export function findSameCells(names: readonly string[]): readonly PassedOver[] {
  const passed: PassedOver[] = [];
  let left = names;
  const pass = (found: readonly PassedOver[]): void => {
    passed.push(...found);
    const gone = new Set(found.map(({ name }) => name));
    left = left.filter((name) => !gone.has(name));
  };
  pass(findMultiplexed(left));
  pass(findStarFeatures(left));
  for (const naming of NAMINGS) pass(findWorse(left, naming));
  return passed;
}

function findWorse(names: readonly string[], { placeOf, why }: Naming): readonly PassedOver[] {
  const placed = names.flatMap((name) => {
    const place = placeOf(name);
    return place === null ? [] : [{ name, ...place }];
  });
  return groupsOf(placed, ({ key }) => key).flatMap((group) => {
    const best = group.reduce((a, b) => (b.rank < a.rank ? b : a));
    return group
      .filter(({ rank }) => rank > best.rank)
      .map(({ name }) => ({ name, why: why(best.name) }));
  });
}

/** Cell Ranger multi: all droplets of all samples, beside the folders of the samples. */
function findMultiplexed(names: readonly string[]): readonly PassedOver[] {
  const roots = new Set(
    names.flatMap((name) => /^(|.*?\/)per_sample_outs\//.exec(name)?.[1] ?? []),
  );
  return names.flatMap((name) => {
    const root = /^(|.*?\/)multi\/count\//.exec(name)?.[1];
    if (root === undefined || !roots.has(root)) return [];
    const why = `its cells are those of all droplets, and those of each sample lie in ${root}per_sample_outs`;
    return [{ name, why }];
  });
}

function findStarFeatures(names: readonly string[]): readonly PassedOver[] {
  const found = names.flatMap((name) => {
    const [, root, feature = "", droplets] = STAR_FOLDER.exec(name) ?? [];
    if (root === undefined) return [];
    const order = STAR_FEATURES.indexOf(feature);
    const rank = order + (droplets === "raw" ? STAR_FEATURES.length : 0);
    return [{ name, root, feature, rank, isInPlace: droplets !== undefined }];
  });
  return groupsOf(found, ({ root }) => root).flatMap((group) => {
    // Where people left out raw and filtered, the words have to be STARsolo's own.
    const isStar =
      group.every(({ isInPlace }) => isInPlace) ||
      group.some(({ feature }) => STAR_ONLY.test(feature));
    if (!isStar) return [];
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

/** Cell Ranger's folder with one for each genome in it. */
const GENOME_FOLDER =
  /^(.*(?:raw|filtered)_(?:gene_bc_matrices(?:_mex)?|matrices_mex)\/)[^/]+(\/[^/]+)$/;
/** The same with its folders made part of a file's name, as GEO wants it; a genome's name parts those of one sample. */
const GENOME_WORD =
  /^(|.*[/\s._-])(?:hg18|hg19|hg38|grch37|grch38|mm9|mm10|mm39|grcm38|grcm39)([/\s._-].*)$/i;
/** GEO's number of a sample, which is one run; whatever else people call alike may be several. */
const GEO_SAMPLE = /(?:^|[^\p{L}\p{N}])GSM\d+(?!\p{L})/u;

/** Tells which matrices are layers of the same cells, which lie in one folder, or genomes as Cell Ranger lays them out. */
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
    const key = joints.has(name) ? null : runOfGenome(withoutGz(name));
    if (key !== null) joints.set(name, { by: "genome", key });
  }
  return joints;
}

/** What the names of one run's genomes have in common. */
function runOfGenome(name: string): string | null {
  const byFolder = GENOME_FOLDER.exec(name);
  const byWord = byFolder === null ? GENOME_WORD.exec(name) : null;
  const [found, before = "", after = ""] = byFolder ?? byWord ?? [];
  if (found === undefined) return null;
  const isRun = byFolder !== null || GEO_SAMPLE.test(before) || GEO_SAMPLE.test(after);
  return isRun ? JSON.stringify([before, after]) : null;
}

function groupsOf<T>(all: readonly T[], keyOfOne: (one: T) => string): readonly (readonly T[])[] {
  return [...Map.groupBy(all, keyOfOne).values()];
}
