// Which of many files are matrices, and which tables belong to each: by what lies in the same folder, and by prefix as GEO names them.

import { list } from "../../../format.ts";
import type { MatrixNote } from "../matrix.ts";
import { UnreadableMatrix } from "../problem.ts";
import { showName, stopIfAborted } from "./boundedRegion.ts";
import { knowFile, type KnownFile, READABLE, wordsOfName } from "./fileKinds.ts";
import type { ByteRegion } from "./region.ts";

/** A matrix file and its two tables, as they are packed. */
export interface MtxFiles {
  readonly matrix: ByteRegion;
  readonly genes: ByteRegion;
  readonly cells: ByteRegion;
}

/** What was found among files: MatrixMarket matrices, or one file that holds a matrix by itself. */
export interface FoundMatrices {
  readonly mtx: readonly MtxFiles[];
  readonly single: { readonly kind: "hdf5" | "zip" | "tar"; readonly region: ByteRegion } | null;
  readonly notes: readonly MatrixNote[];
}

type Role = "genes" | "cells";
interface TableFile {
  readonly role: Role;
  readonly folder: string;
  /** In lower case and without separators at its end, e.g. "gsm1" of "GSM1_features.tsv.gz". */
  readonly prefix: string;
  readonly region: ByteRegion;
}

const TABLE_NAME = /^(.*?)(genes|features|barcodes|cells)\.(tsv|csv|txt)(\.gz)?$/i;
const MATRIX_NAME = /\.mtx(\.gz)?$/i;
/** Names of files that hold a matrix by themselves. */
const SINGLE_NAME = /\.(h5ad|h5|hdf5|loom|h5mu)$/i;
/** What is read by name needs no look inside; without such names every file is looked into, up to this many. */
const MOST_LOOKED_INTO = 2000;

/** Tells whether a file belongs to what people (not machines, not readers) put there: no macOS leftovers, no hidden files, no readmes. */
export function isWanted(name: string): boolean {
  const parts = name.split("/");
  const base = parts.at(-1) ?? "";
  if (parts.includes("__MACOSX") || parts.some((part) => part.startsWith("."))) return false;
  return !/^(readme([._-].*)?|thumbs\.db|desktop\.ini)$/i.test(base);
}

/** Tells whether a name is that of a gene or cell table. */
export function isTableName(name: string): boolean {
  return TABLE_NAME.test(name);
}

/** Finds the matrices among files. `place` names what holds them, e.g. "x.zip" or "the folder". */
export async function findMatrices(
  files: readonly ByteRegion[],
  place: string,
  signal: AbortSignal,
): Promise<FoundMatrices> {
  const tables = files.flatMap(readTableName);
  const others = files.filter(({ name }) => !TABLE_NAME.test(baseOf(name)));
  const named = others.filter(({ name }) => MATRIX_NAME.test(name));
  const candidates = named.length > 0 ? named : others.slice(0, MOST_LOOKED_INTO);
  const known = [];
  for (const file of candidates) {
    stopIfAborted(signal);
    const one = await knowFile(file);
    if (one.kind === "damaged" && named.length > 0) throw damaged(one);
    known.push(one);
  }
  const mtx = known.filter(({ kind }) => kind === "mtx").map(({ region }) => region);
  if (mtx.length > 0) {
    const notes: MatrixNote[] = others
      .filter(({ name }) => SINGLE_NAME.test(name))
      .map(({ name }) =>
        skipped(name, "it holds a matrix by itself, and MatrixMarket files lie beside it"),
      );
    const chosen = dropDoubles(mtx, tables, notes);
    return { mtx: chosen.map((matrix) => joinTables(matrix, chosen, tables)), single: null, notes };
  }
  for (const kind of ["hdf5", "zip", "tar"] as const) {
    const found = known.filter((file) => file.kind === kind);
    const [only] = found;
    if (only !== undefined && found.length === 1) {
      return { mtx: [], single: { kind, region: only.region }, notes: [] };
    }
    if (found.length > 1) {
      const names = found.map(({ region }) => showName(region.name));
      throw new UnreadableMatrix(
        "M_FORMAT",
        `${place} holds ${found.length} matrices in files of their own (${shorten(names)}); one at a time can be read`,
        { hint: "Name one of them." },
      );
    }
  }
  throw nothingFound(known, tables, files.length, place);
}

function nothingFound(
  known: readonly { readonly region: ByteRegion; readonly words: string }[],
  tables: readonly TableFile[],
  files: number,
  place: string,
): UnreadableMatrix {
  if (files === 0) {
    return new UnreadableMatrix(
      "M_FORMAT",
      `${place} holds no file that could be a matrix. ${READABLE}`,
    );
  }
  if (known.length === 0 && tables.length > 0) {
    const names = tables.map(({ region }) => showName(region.name));
    return new UnreadableMatrix(
      "M_INCOMPLETE",
      `${place} holds ${shorten(names)}, but no matrix.mtx or matrix.mtx.gz`,
    );
  }
  const seen = known.map(({ region, words }) => `${showName(region.name)}: ${words}`);
  return new UnreadableMatrix(
    "M_FORMAT",
    `${place} holds no matrix that can be read (${shorten(seen)}). ${READABLE}`,
  );
}

/** Says that a file's packing is damaged from its start. */
export function damaged({ region, words }: KnownFile): UnreadableMatrix {
  return new UnreadableMatrix("M_CORRUPT", `${showName(region.name)} is ${words}`);
}

/** Says what a single file is, where it is none that can be read. */
export function notReadable(name: string, words: string): UnreadableMatrix {
  const what = words === "" ? wordsOfName(name) : words;
  return new UnreadableMatrix("M_FORMAT", `${showName(name)} is ${what}. ${READABLE}`);
}

function shorten(names: readonly string[]): string {
  return names.length <= 4
    ? list(names)
    : `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`;
}

function skipped(name: string, why: string): MatrixNote {
  const message = `${showName(name)} was not read: ${why}`;
  return { rule: "M_SKIPPED", severity: "info", message };
}

/** Leaves out what would count the same cells twice: packed twins, unfiltered droplets beside the filtered ones, other layers of the same cells. */
function dropDoubles(
  matrices: readonly ByteRegion[],
  tables: readonly TableFile[],
  notes: MatrixNote[],
): readonly ByteRegion[] {
  const names = new Set(matrices.map(({ name }) => name));
  return matrices.filter(({ name }) => {
    const skip = (why: string): boolean => {
      notes.push(skipped(name, why));
      return false;
    };
    if (name.endsWith(".gz") && names.has(name.slice(0, -3))) {
      return skip("the same matrix lies there unpacked");
    }
    const filtered = name.replace(/(^|[/_.-])raw(_(feature|gene)_bc_matri(x|ces))/, "$1filtered$2");
    if (filtered !== name && names.has(filtered)) {
      return skip("its cells are those of all droplets, and the filtered ones lie beside it");
    }
    const main = ["matrix.mtx", "matrix.mtx.gz"].find((base) => names.has(folderOf(name) + base));
    if (
      main !== undefined &&
      !/^matrix\.mtx(\.gz)?$/.test(baseOf(name)) &&
      !tables.some((table) => table.prefix !== "" && fits(table, name))
    ) {
      return skip(`it has no tables of its own, and ${main} lies beside it`);
    }
    return true;
  });
}

function joinTables(
  matrix: ByteRegion,
  matrices: readonly ByteRegion[],
  tables: readonly TableFile[],
): MtxFiles {
  const folder = folderOf(matrix.name);
  const isAlone = matrices.filter(({ name }) => folderOf(name) === folder).length === 1;
  const choose = (role: Role): ByteRegion | undefined => {
    const near = tables.filter((table) => table.role === role && table.folder === folder);
    const exact = near.filter((table) => fits(table, matrix.name));
    const shared = near.filter(({ prefix }) => prefix === "");
    const chosen = [exact, shared, isAlone && near.length === 1 ? near : []].find(
      (some) => some.length > 0,
    );
    return chosen?.[0]?.region;
  };
  const [genes, cells] = [choose("genes"), choose("cells")];
  if (genes === undefined || cells === undefined) {
    const missing = [
      ...(genes === undefined ? ["gene table (genes.tsv, features.tsv or genes.csv)"] : []),
      ...(cells === undefined ? ["cell table (barcodes.tsv, cells.tsv or cells.csv)"] : []),
    ];
    throw new UnreadableMatrix(
      "M_INCOMPLETE",
      `${showName(matrix.name)} has no ${missing.join(" and no ")} beside it, .gz or not`,
    );
  }
  return { matrix, genes, cells };
}

/** A table is its matrix's where both begin alike: GSM1_features.tsv and GSM1_matrix.mtx, or x.genes.csv and x.mtx. */
function fits({ folder, prefix }: TableFile, matrix: string): boolean {
  if (folder !== folderOf(matrix)) return false;
  const stem = baseOf(matrix).replace(/(\.[a-z]{2,4})?(\.gz)?$/i, "");
  return [stem, stem.replace(/(matrix|counts?|expression)$/i, "")].some(
    (one) => tidyPrefix(one) === prefix,
  );
}

function readTableName(region: ByteRegion): readonly TableFile[] {
  const match = TABLE_NAME.exec(baseOf(region.name));
  if (match === null) return [];
  const [, prefix = "", word = ""] = match;
  const role = /^(genes|features)$/i.test(word) ? "genes" : "cells";
  return [{ role, folder: folderOf(region.name), prefix: tidyPrefix(prefix), region }];
}

function tidyPrefix(prefix: string): string {
  return prefix.replace(/[._-]+$/, "").toLowerCase();
}

function baseOf(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

function folderOf(name: string): string {
  return name.slice(0, name.lastIndexOf("/") + 1);
}
