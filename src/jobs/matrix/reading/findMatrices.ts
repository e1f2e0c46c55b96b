// Which of many files are matrices, and which tables belong to each: by what lies in the same folder, and by what they are called.

import { list } from "../../../format.ts";
import type { MatrixNote } from "../matrix.ts";
import { UnreadableMatrix } from "../problem.ts";
import { showName, stopIfAborted } from "./boundedRegion.ts";
import { knowFile, type KnownFile, READABLE, wordsOfName } from "./fileKinds.ts";
import { baseOf, folderOf } from "./fileWords.ts";
import type { ByteRegion } from "./region.ts";
import { findSameCells, type PassedOver } from "./sameCells.ts";
import {
  isTableName,
  makeTableFinder,
  readTableName,
  type TableChoice,
  type TableFile,
} from "./tableNames.ts";

/** A matrix file and what may be its two tables, as they are packed. */
export interface MtxFiles {
  readonly matrix: ByteRegion;
  readonly genes: TableChoice;
  readonly cells: TableChoice;
  /** The matrix.mtx of its folder, where no table is called like this one; else null. */
  readonly beside: MtxFiles | null;
}

/** What was found among files: MatrixMarket matrices, or one file that holds a matrix by itself. */
export interface FoundMatrices {
  readonly mtx: readonly MtxFiles[];
  readonly single: { readonly kind: "hdf5" | "zip" | "tar"; readonly region: ByteRegion } | null;
  readonly notes: readonly MatrixNote[];
}

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

/** Finds the matrices among files. `place` names what holds them, e.g. "x.zip" or "the folder". */
export async function findMatrices(
  files: readonly ByteRegion[],
  place: string,
  signal: AbortSignal,
): Promise<FoundMatrices> {
  const tables = files.flatMap(readTableName);
  const others = files.filter(({ name }) => !isTableName(name));
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
        skipped({
          name,
          why: "it holds a matrix by itself, and MatrixMarket files lie beside it",
        }),
      );
    return { mtx: chooseMtx(mtx, tables, notes), single: null, notes };
  }
  for (const kind of ["hdf5", "zip", "tar"] as const) {
    const notes: MatrixNote[] = [];
    const all = known.filter((file) => file.kind === kind).map(({ region }) => region);
    const found = dropSameCells(dropMolecules(all, notes), notes);
    const [only] = found;
    if (only !== undefined && found.length === 1) {
      return { mtx: [], single: { kind, region: only }, notes };
    }
    if (found.length > 1) {
      const names = found.map(({ name }) => showName(name));
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

/** Says that a matrix is passed over. */
export function skipped({ name, why }: PassedOver): MatrixNote {
  const message = `${showName(name)} was not read: ${why}`;
  return { rule: "M_SKIPPED", severity: "info", message };
}

/** Leaves out packed twins and what names prove to be of the same cells, and finds the tables of all others. */
function chooseMtx(
  matrices: readonly ByteRegion[],
  tables: readonly TableFile[],
  notes: MatrixNote[],
): readonly MtxFiles[] {
  const byName = new Map(matrices.map((matrix) => [matrix.name, matrix]));
  const single = matrices.filter(({ name }) => {
    const isTwin = name.endsWith(".gz") && byName.has(name.slice(0, -3));
    if (isTwin) notes.push(skipped({ name, why: "the same matrix lies there unpacked" }));
    return !isTwin;
  });
  const all = makeTableFinder([...byName.keys()], tables);
  const mainOf = ({ name }: ByteRegion): ByteRegion | null => {
    if (/^matrix\.mtx(\.gz)?$/.test(baseOf(name)) || all.hasOwn(name)) return null;
    const mains = ["matrix.mtx", "matrix.mtx.gz"].map((base) => byName.get(folderOf(name) + base));
    return mains.find((main) => main !== undefined) ?? null;
  };
  const left = dropSameCells(single, notes);
  const named = left.filter((matrix) => mainOf(matrix) === null);
  const finder = makeTableFinder(
    named.map(({ name }) => name),
    tables,
  );
  const filesOf = (matrix: ByteRegion): MtxFiles => {
    const main = mainOf(matrix);
    return {
      matrix,
      genes: finder.find(matrix.name, "genes"),
      cells: finder.find(matrix.name, "cells"),
      beside: main === null ? null : filesOf(main),
    };
  };
  return left.map(filesOf);
}

/** Leaves out what has the cells of other files over again, by their names. */
function dropSameCells(files: readonly ByteRegion[], notes: MatrixNote[]): readonly ByteRegion[] {
  const passed = new Map(
    findSameCells(files.map(({ name }) => name)).map(({ name, why }) => [name, why]),
  );
  return files.filter(({ name }) => {
    const why = passed.get(name);
    if (why !== undefined) notes.push(skipped({ name, why }));
    return why === undefined;
  });
}

/** Cell Ranger puts a file of its molecules beside its matrices. */
function dropMolecules(files: readonly ByteRegion[], notes: MatrixNote[]): readonly ByteRegion[] {
  const left = files.filter(({ name }) => !/molecule_info\.h5$/i.test(name));
  if (left.length === 0) return files;
  for (const file of files) {
    if (left.includes(file)) continue;
    notes.push(skipped({ name: file.name, why: "it holds molecules, no matrix" }));
  }
  return left;
}
