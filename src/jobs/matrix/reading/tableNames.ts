// Which files are gene and cell tables by their names, and which of them may belong to a matrix, the likeliest first.

import {
  baseOf,
  folderOf,
  foldersOf,
  withoutLayer,
  withoutMatrixWords,
  wordsOf,
  wordsOfMatrix,
} from "./fileWords.ts";
import type { ByteRegion } from "./region.ts";

export type Role = "genes" | "cells";

/** What a name says of a table. */
interface NamedTable {
  readonly role: Role;
  /** Whether it is called as programs call such tables, or as people do: "gene_names", "cell_metadata". */
  readonly isUsual: boolean;
  readonly folder: string;
  /** Its name without the words that say what it is, e.g. "gsm1 s1" of "GSM1_S1_features.tsv.gz"; one that is "" belongs to all. */
  readonly keys: readonly string[];
}

/** A file that is a table by its name. */
export interface TableFile extends NamedTable {
  readonly region: ByteRegion;
}

/** The tables of one role that may be a matrix's, in classes from the likeliest to the least likely. */
export interface TableChoice {
  /** Called like the matrix, or lying beside it with no name of their own. */
  readonly likely: readonly (readonly ByteRegion[])[];
  /** Only if they fit: called otherwise, or lying in a folder around it. */
  readonly possible: readonly (readonly ByteRegion[])[];
}

const TABLE_NAME = /\.(tsv|csv|txt)(\.gz)?$/i;
const USUAL = /^(.*?)(genes|features|barcodes|cells)$/;
/** Two words at a time, then one: "gene names", "cell metadata", "obs". */
const OTHER: readonly (readonly [Role, RegExp])[] = [
  [
    "genes",
    /^((gene|genes|feature|features|row) (names?|symbols?|ids?|meta|metadata|info|annot|annotations?|annotate)|gene|feature|var|rowdata)$/,
  ],
  [
    "cells",
    /^((cell|cells|barcode|barcodes|col) (names?|ids?|meta|metadata|info|annot|annotations?|annotate)|cell|barcode|obs|coldata|metadata)$/,
  ],
];
/** What is called so beside "genes" is a matrix, or a text of one. */
const NO_TABLE = /^(matrix|matrices|counts?|expression|umis?|reads|tpm|fpkm|rpkm|cpm)$/;

/** Gives a file as a table; none where its name is not that of one. */
export function readTableName(region: ByteRegion): readonly TableFile[] {
  const named = readName(region.name);
  return named === null ? [] : [{ ...named, region }];
}

function readName(name: string): NamedTable | null {
  const base = baseOf(name);
  if (!TABLE_NAME.test(base)) return null;
  const words = wordsOf(base.replace(TABLE_NAME, ""));
  const folder = folderOf(name);
  const last = words.length - 1;
  for (let at = last; at >= 0; at--) {
    for (const length of [2, 1]) {
      const from = at - length + 1;
      const text = words.slice(Math.max(from, 0), at + 1).join(" ");
      const role = from < 0 ? undefined : OTHER.find(([, pattern]) => pattern.test(text))?.[0];
      if (role === undefined) continue;
      const rest = [...words.slice(0, from), ...words.slice(at + 1)];
      // In the midst of a name such a word says little: "GSM1_obs_2_x.csv" may be anything.
      if (at < last && length === 1) continue;
      return { role, isUsual: false, folder, keys: keysOf(rest) };
    }
    const [, before = "", word = ""] = USUAL.exec(words[at] ?? "") ?? [];
    if (word === "" || (before !== "" && at < last)) continue;
    const after = words.slice(at + 1);
    if (after.some((one) => NO_TABLE.test(one))) return null;
    const role = word === "genes" || word === "features" ? "genes" : "cells";
    const rest = [...words.slice(0, at), ...(before === "" ? [] : [before]), ...after];
    return { role, isUsual: true, folder, keys: keysOf(rest) };
  }
  return null;
}

/** Tells whether a name is that of a gene or cell table. */
export function isTableName(name: string): boolean {
  return readName(name) !== null;
}

/** As it stands, and without the words of matrices: "filtered feature bc matrix" and "filtered feature bc". */
function keysOf(words: readonly string[]): readonly string[] {
  return [...new Set([words, withoutMatrixWords(words)].map((some) => some.join(" ")))];
}

/** What tables of a matrix may be called; a layer's are also those of all layers. */
function keysOfMatrix(name: string): readonly string[] {
  const words = wordsOfMatrix(name);
  return [...keysOf(words), ...keysOf(withoutLayer(words))];
}

/** Finds tables by the matrix that they may belong to. */
export interface TableFinder {
  find(matrix: string, role: Role): TableChoice;
  /** Tells whether a table that lies beside a matrix is called like it. */
  hasOwn(matrix: string): boolean;
}

/** The tables of a folder, of one role. */
interface Shelf {
  /** Those with a name of their own, by each of their keys. */
  readonly byKey: Map<string, TableFile[]>;
  /** Those that may be any matrix's. */
  readonly shared: TableFile[];
  /** Those that are called like no matrix of the folder. */
  readonly strange: TableFile[];
}

/** What matrices of a folder have in common: tables beside them that are called like none, and those of the folders around. */
interface SharedChoice {
  readonly strange: TableChoice["likely"];
  readonly around: TableChoice["possible"];
}

/** Makes a finder among tables; `matrices` are the names of all. */
export function makeTableFinder(
  matrices: readonly string[],
  tables: readonly TableFile[],
): TableFinder {
  const matricesIn = Map.groupBy(matrices, folderOf);
  const shelves = new Map<string, Shelf>();
  for (const [folder, some] of Map.groupBy(tables, (table) => table.folder)) {
    const claimed = new Set((matricesIn.get(folder) ?? []).flatMap(keysOfMatrix));
    for (const role of ["genes", "cells"] as const) {
      const own = some.filter((table) => table.role === role);
      shelves.set(shelfName(folder, role), makeShelf(own, claimed));
    }
  }
  const shelfOf = (folder: string, role: Role): Shelf =>
    shelves.get(shelfName(folder, role)) ?? { byKey: new Map(), shared: [], strange: [] };
  const rivals = findRivals(matricesIn);
  const alike = (matrix: string, role: Role): readonly TableFile[] => {
    const { byKey } = shelfOf(folderOf(matrix), role);
    const own = [...new Set(keysOfMatrix(matrix).flatMap((key) => byKey.get(key) ?? []))];
    const others = rivals(matrix);
    return own.filter(({ region: { name } }) => {
      const common = commonStart(name, matrix);
      return others.every((other) => commonStart(name, other) <= common);
    });
  };
  // Matrices of one folder share these lists, which may be as long as there are matrices.
  const shared = new Map<string, SharedChoice>();
  const sharedOf = (folder: string, role: Role): SharedChoice => {
    const name = shelfName(folder, role);
    const known = shared.get(name);
    if (known !== undefined) return known;
    const { strange } = shelfOf(folder, role);
    const around = foldersAround(folder).map((outer) => {
      const shelf = shelfOf(outer, role);
      const some = role === "genes" ? [...shelf.shared, ...shelf.strange] : shelf.shared;
      return some.filter(({ isUsual }) => isUsual);
    });
    const made = { strange: regionsOf([strange]), around: regionsOf(around) };
    shared.set(name, made);
    return made;
  };
  return {
    hasOwn: (matrix) => alike(matrix, "genes").length + alike(matrix, "cells").length > 0,
    find(matrix, role) {
      const folder = folderOf(matrix);
      const { shared: common, strange } = shelfOf(folder, role);
      const own = alike(matrix, role);
      const likely = [
        own.filter(({ isUsual }) => isUsual),
        common.filter(({ isUsual }) => isUsual),
        [...own, ...common].filter(({ isUsual }) => !isUsual),
      ];
      const others = sharedOf(folder, role);
      // Where there is one matrix and one table of the kind, nobody else can be meant.
      const isAlone = (matricesIn.get(folder) ?? []).length <= 1;
      const isOnly = isAlone && own.length + common.length === 0 && strange.length === 1;
      return isOnly
        ? { likely: others.strange, possible: others.around }
        : { likely: regionsOf(likely), possible: [...others.strange, ...others.around] };
    },
  };
}

/** Finds the other matrices of a folder that are called alike but for letter case and signs between words, such as S_1 and S-1. */
function findRivals(
  matricesIn: ReadonlyMap<string, readonly string[]>,
): (matrix: string) => readonly string[] {
  const byKey = new Map<string, string[]>();
  const claimsOf = (matrix: string): readonly string[] =>
    keysOfMatrix(matrix)
      .filter((key) => key !== "")
      .map((key) => JSON.stringify([folderOf(matrix), key]));
  for (const matrix of [...matricesIn.values()].flat()) {
    for (const key of claimsOf(matrix)) {
      const same = byKey.get(key);
      if (same === undefined) byKey.set(key, [matrix]);
      else if (same.at(-1) !== matrix) same.push(matrix);
    }
  }
  return (matrix) => claimsOf(matrix).flatMap((key) => byKey.get(key) ?? []);
}

/** How far two names are the same to the letter, in whole words. */
function commonStart(one: string, other: string): number {
  let end = 0;
  while (end < one.length && one[end] === other[end]) end++;
  return /^.*[\s._-]/u.exec(baseOf(one.slice(0, end)))?.[0].length ?? 0;
}

function shelfName(folder: string, role: Role): string {
  return `${role} ${folder}`;
}

function makeShelf(tables: readonly TableFile[], claimed: ReadonlySet<string>): Shelf {
  const shelf: Shelf = { byKey: new Map(), shared: [], strange: [] };
  for (const table of tables) {
    const { keys } = table;
    if (keys.includes("")) shelf.shared.push(table);
    for (const key of keys) {
      if (key === "") continue;
      const same = shelf.byKey.get(key);
      if (same === undefined) shelf.byKey.set(key, [table]);
      else same.push(table);
    }
    if (!keys.some((key) => key === "" || claimed.has(key))) shelf.strange.push(table);
  }
  return shelf;
}

function regionsOf(classes: readonly (readonly TableFile[])[]): TableChoice["likely"] {
  return classes.filter((some) => some.length > 0).map((some) => some.map(({ region }) => region));
}

/** The folders around a folder, the nearest first. */
function foldersAround(folder: string): readonly string[] {
  const parts = foldersOf(folder);
  return parts.map((_, at) =>
    parts
      .slice(0, parts.length - 1 - at)
      .map((part) => `${part}/`)
      .join(""),
  );
}
