// Which of several matrices have the same cells: those are joined cell by cell, all others one after the other.

import { list } from "../../../format.ts";
import type { CellTable, MatrixNote } from "../matrix.ts";
import { UnreadableMatrix } from "../problem.ts";
import { type CellNames, readBarcodes } from "./barcodes.ts";
import { showName } from "./boundedRegion.ts";
import { joinCellTables, pickCells } from "./cellRows.ts";
import type { Joint } from "./sameCells.ts";

/** A matrix whose tables were read. */
export interface ReadMatrix extends CellNames {
  readonly name: string;
  readonly cells: CellTable;
  readonly joint: Joint | null;
}

/** Where a matrix's cells lie among all. */
export interface CellPlace {
  readonly firstCell: number;
  readonly cellMap: Uint32Array | null;
}

/** What several matrices come to. */
export interface JoinedCells {
  readonly cells: CellTable;
  /** Parallel to the matrices. */
  readonly places: readonly CellPlace[];
  /** Whether some are layers, whose counts are added up. */
  readonly isSummed: boolean;
  readonly notes: readonly MatrixNote[];
}

/** Matrices of the same cells. */
interface CellSet {
  readonly members: ReadMatrix[];
  cells: CellTable;
  /** Index of each barcode; made when it is first needed. */
  indexOf: Map<string, number> | null;
}

/** The first set by what its members may be known by: being parts of one, or their table. */
type SetIndex = Map<string, CellSet>;

/** Joins the cells of matrices; `areApart` tells whether two of them, by number, have no gene in common. */
export async function joinCells(
  matrices: readonly ReadMatrix[],
  areApart: (one: number, other: number) => boolean,
  signal: AbortSignal,
): Promise<JoinedCells> {
  const sets: CellSet[] = [];
  const index: SetIndex = new Map();
  const placed: { readonly set: CellSet; readonly cellMap: Uint32Array | null }[] = [];
  const numberOf = new Map(matrices.map((matrix, at) => [matrix, at]));
  const areGenesApart = ({ members }: CellSet, matrix: ReadMatrix): boolean =>
    // The same one first in turn: it is what is remembered between comparisons.
    members.every((member) => areApart(numberOf.get(matrix) ?? 0, numberOf.get(member) ?? 0));
  for (const matrix of matrices) {
    const found = findSet(index, matrix, areGenesApart);
    const set: CellSet = found ?? { members: [], cells: matrix.cells, indexOf: null };
    if (found === null) sets.push(set);
    const cellMap = found === null ? null : await addCells(set, matrix, signal);
    set.members.push(matrix);
    placed.push({ set, cellMap });
    for (const key of keysOf(matrix)) if (!index.has(key)) index.set(key, set);
  }
  const firstOf = new Map<CellSet, number>();
  let count = 0;
  for (const set of sets) {
    firstOf.set(set, count);
    count += set.cells.count;
  }
  return {
    cells: joinCellTables(sets.map(({ cells }) => cells)),
    places: placed.map(({ set, cellMap }) => ({ firstCell: firstOf.get(set) ?? 0, cellMap })),
    isSummed: sets.some(isOfLayers),
    notes: noteSets(sets),
  };
}

function keyOfJoint({ joint }: ReadMatrix): string {
  return JSON.stringify(joint);
}

function keyOfTable({ cellRegion }: ReadMatrix): string {
  return JSON.stringify([cellRegion.path, cellRegion.offset]);
}

function keysOf(matrix: ReadMatrix): readonly string[] {
  const key = keyOfTable(matrix);
  return matrix.joint === null ? [key] : [keyOfJoint(matrix), key];
}

/** The set whose cells a matrix has. Equal barcodes in tables of their own are none: plates and lists of all droplets have the same. */
function findSet(
  index: SetIndex,
  matrix: ReadMatrix,
  areGenesApart: (set: CellSet, matrix: ReadMatrix) => boolean,
): CellSet | null {
  const { joint } = matrix;
  const parts = joint === null ? undefined : index.get(keyOfJoint(matrix));
  if (parts !== undefined && (joint?.by === "layer" || areGenesApart(parts, matrix))) return parts;
  const sharing = index.get(keyOfTable(matrix));
  if (sharing === undefined) return null;
  if (areGenesApart(sharing, matrix)) return sharing;
  throw sharedTable(sharing.members[0] as ReadMatrix, matrix);
}

/** The barcodes of a set, each with its place. */
async function indexSet(set: CellSet, signal: AbortSignal): Promise<Map<string, number>> {
  if (set.indexOf === null) {
    const barcodes = await readBarcodes(set.members[0] as ReadMatrix, signal);
    set.indexOf = new Map(barcodes.map((barcode, cell) => [barcode, cell]));
  }
  return set.indexOf;
}

/** Puts a matrix's cells to those of a set; returns where each lies, null where they lie as they are. */
async function addCells(
  set: CellSet,
  matrix: ReadMatrix,
  signal: AbortSignal,
): Promise<Uint32Array | null> {
  const first = set.members[0] as ReadMatrix;
  if (keyOfTable(first) === keyOfTable(matrix)) return null;
  const known = await indexSet(set, signal);
  if (known.size < set.cells.count) throw repeated(first);
  const barcodes = await readBarcodes(matrix, signal);
  if (new Set(barcodes).size < barcodes.length) throw repeated(matrix);
  const added: number[] = [];
  const map = Uint32Array.from(barcodes, (barcode, cell) => {
    const place = known.get(barcode);
    if (place !== undefined) return place;
    added.push(cell);
    known.set(barcode, known.size);
    return known.size - 1;
  });
  if (added.length > 0) {
    set.cells = joinCellTables([set.cells, pickCells(matrix.cells, Uint32Array.from(added))]);
  }
  const isPlain = map.every((place, cell) => place === cell);
  return isPlain ? null : map;
}

function isOfLayers({ members }: CellSet): boolean {
  return members.length > 1 && members.every(({ joint }) => joint?.by === "layer");
}

function noteSets(sets: readonly CellSet[]): readonly MatrixNote[] {
  const notes = sets.flatMap((set): MatrixNote[] => {
    if (set.members.length === 1) return [];
    const names = set.members.map(({ name }) => showName(name));
    const what = isOfLayers(set)
      ? "are layers of the same cells: their counts were added up"
      : "have the same cells and no gene in common: they were joined cell by cell";
    return [{ rule: "M_TABLE", severity: "info", message: `${list(names)} ${what}` }];
  });
  if (sets.length < 2) return notes;
  const message = `${sets.length} matrices were read one after the other as one: their cells follow each other`;
  return [...notes, { rule: "M_TABLE", severity: "info", message }];
}

function sharedTable(one: ReadMatrix, other: ReadMatrix): UnreadableMatrix {
  const names = list([one, other].map(({ name }) => showName(name)));
  return new UnreadableMatrix(
    "M_FORMAT",
    `${names} share ${showName(one.cellRegion.name)}, so they are of the same cells, and nothing tells which of them to count`,
    { hint: "Name one of them." },
  );
}

function repeated({ name, cellRegion }: ReadMatrix): UnreadableMatrix {
  return new UnreadableMatrix(
    "M_TABLE",
    `${showName(name)} has the cells of others, but ${showName(cellRegion.name)} names some twice, so that they cannot be told apart`,
  );
}
