// Which matrices have the same cells, where names alone do not prove it: their tables are asked, before anything is counted.

import { number } from "../../../format.ts";
import { UnreadableMatrix } from "../problem.ts";
import { type CellNames, eachBarcode, readBarcodes } from "./barcodes.ts";
import { showName } from "./boundedRegion.ts";
import type { MtxTables } from "./chooseTables.ts";
import { NoGenes } from "./featureTypes.ts";
import type { MtxFiles } from "./findMatrices.ts";
import type { GeneRows } from "./geneRows.ts";
import {
  areLayers,
  areSurelyLayers,
  type Evidence,
  findLikelyLayers,
  findSuspects,
  SUSPICIONS,
} from "./likelySameCells.ts";
import { findJoints, type Joint, type PassedOver } from "./sameCells.ts";

/** What is to be read, once it is known which matrices have the same cells. */
export interface SettledCells {
  readonly files: readonly MtxFiles[];
  /** Those that lie in one matrix, by name. */
  readonly joints: ReadonlyMap<string, Joint>;
  readonly passed: readonly PassedOver[];
}

/** Asks tables: what they are is remembered, so that asking again costs little. */
interface Witness {
  /** "no genes" where a matrix has none; null where its tables cannot be read, which whoever reads the matrix will explain. */
  tablesOf(files: MtxFiles): Promise<MtxTables | "no genes" | null>;
  readonly signal: AbortSignal;
}

/** Finds the matrices that have the cells of others over again, and those that lie in one, by names and tables. */
export async function settleCells(
  files: readonly MtxFiles[],
  readTables: (files: MtxFiles) => Promise<MtxTables>,
  signal: AbortSignal,
): Promise<SettledCells> {
  const witness: Witness = { tablesOf: (one) => tryTables(readTables(one)), signal };
  const byName = new Map(files.map((one) => [one.matrix.name, one]));
  const filesOf = (names: readonly string[]): readonly MtxFiles[] =>
    names.flatMap((name) => byName.get(name) ?? []);
  const passed = new Map<string, string>();
  for (const one of files) {
    const { matrix, beside } = one;
    if (beside === null || !(await hasNoOtherCells(one, beside, witness))) continue;
    const main = showName(beside.matrix.name);
    passed.set(matrix.name, `it has no tables of its own, and ${main} lies beside it`);
  }
  const left = (): readonly string[] => [...byName.keys()].filter((name) => !passed.has(name));
  for (const suspicion of SUSPICIONS) {
    for (const { read, doubted } of findSuspects(left(), suspicion)) {
      for (const one of filesOf(doubted)) {
        const kept = await findProof(filesOf(read), one, suspicion.evidence, witness);
        if (kept !== null) passed.set(one.matrix.name, suspicion.why(showName(kept.matrix.name)));
      }
    }
  }
  const joints = new Map(findJoints(left()));
  for (const names of findLikelyLayers(left().filter((name) => !joints.has(name)))) {
    const layers = await findLayers(filesOf(names), witness);
    const key = layers[0] ?? "";
    for (const name of layers) joints.set(name, { by: "layer", key });
  }
  return {
    files: filesOf(left()),
    joints,
    passed: files.flatMap(({ matrix: { name } }) => {
      const why = passed.get(name);
      return why === undefined ? [] : [{ name, why }];
    }),
  };
}

async function tryTables(reading: Promise<MtxTables>): Promise<MtxTables | "no genes" | null> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof NoGenes) return "no genes";
    if (error instanceof UnreadableMatrix) return null;
    throw error;
  }
}

/** Tells whether a matrix that is called like no table has the cells of the one beside it, or no tables at all. */
async function hasNoOtherCells(
  one: MtxFiles,
  beside: MtxFiles,
  { tablesOf }: Witness,
): Promise<boolean> {
  const own = await tablesOf(one);
  if (own === null || own === "no genes") return true;
  const theirs = await tablesOf(beside);
  return theirs === null || theirs === "no genes" || areOneTable(own, theirs);
}

/** Finds the first of some matrices whose cells a doubted one has over again. */
async function findProof(
  read: readonly MtxFiles[],
  doubted: MtxFiles,
  evidence: Evidence,
  { tablesOf, signal }: Witness,
): Promise<MtxFiles | null> {
  const theirs = await tablesOf(doubted);
  if (theirs === null) return null;
  // Guides and antibodies with their types: it is the name's word that says whose they are.
  if (theirs === "no genes") return evidence === "features" ? (read[0] ?? null) : null;
  for (const kept of read) {
    const own = await tablesOf(kept);
    if (own === null || own === "no genes") continue;
    if (await isProven(own, theirs, evidence, signal)) return kept;
  }
  return null;
}

async function isProven(
  kept: MtxTables,
  doubted: MtxTables,
  evidence: Evidence,
  signal: AbortSignal,
): Promise<boolean> {
  if (evidence === "features" && !areGenesApart(kept.genes, doubted.genes)) return false;
  if (areOneTable(kept, doubted)) return true;
  const smaller = Math.min(kept.cells.count, doubted.cells.count);
  if (smaller === 0 || (evidence === "within" && kept.cells.count > smaller)) return false;
  // Some programs leave out the number behind a barcode.
  const bare = (barcode: string): string => barcode.replace(/-1$/, "");
  const shared = await countShared(kept, doubted, signal, bare);
  return evidence === "features" ? shared * 2 > smaller : shared === smaller;
}

/** Finds those of some matrices that are layers of the same cells: those whose cells are among those of the largest. */
async function findLayers(
  files: readonly MtxFiles[],
  { tablesOf, signal }: Witness,
): Promise<readonly string[]> {
  const read: { readonly name: string; readonly tables: MtxTables }[] = [];
  for (const one of files) {
    const tables = await tablesOf(one);
    if (tables !== null && tables !== "no genes") read.push({ name: one.matrix.name, tables });
  }
  const most = Math.max(...read.map(({ tables }) => tables.cells.count));
  const largest = read.find(({ tables }) => tables.cells.count === most);
  if (largest === undefined) return [];
  const found: string[] = [];
  for (const { name, tables } of read) {
    const { count } = tables.cells;
    const isSame = name === largest.name || areOneTable(tables, largest.tables);
    const shared = isSame ? count : await countShared(tables, largest.tables, signal);
    if (isSame || (count > 0 && shared === count)) found.push(name);
    else if (shared > 0 && areSurelyLayers(name, largest.name)) {
      throw halfShared([name, largest.name], shared, count);
    }
  }
  return areLayers(found) ? found : [];
}

/** Two samples may share some barcodes, and layers may have some cells of their own: either way numbers would be wrong. */
function halfShared(
  names: readonly [string, string],
  shared: number,
  cells: number,
): UnreadableMatrix {
  const [one, other] = [showName(names[0]), showName(names[1])];
  return new UnreadableMatrix(
    "M_FORMAT",
    `${one} and ${other} are called like layers of the same cells, but ${other} has ${number(shared)} of the ${number(cells)} cells of ${one}: nothing tells whether to add them up`,
    {
      hint: "Name one of them, or put layers of the same cells into one folder as spliced.mtx and unspliced.mtx.",
    },
  );
}

function areOneTable({ cellRegion: one }: CellNames, { cellRegion: other }: CellNames): boolean {
  return one.path === other.path && one.offset === other.offset;
}

/** Tells whether tables have neither an id nor a symbol of a gene in common. */
function areGenesApart(one: GeneRows, other: GeneRows): boolean {
  const names = new Set<string>();
  const isGene = (genes: GeneRows, row: number): boolean => genes.isOther?.[row] !== 1;
  one.ids.forEach((id, row) => {
    if (isGene(one, row)) names.add(id).add(one.symbols[row] ?? id);
  });
  return !other.ids.some(
    (id, row) => isGene(other, row) && (names.has(id) || names.has(other.symbols[row] ?? id)),
  );
}

/** Counts the names of cells that two tables have in common; only those of the smaller one are held. */
async function countShared(
  one: MtxTables,
  other: MtxTables,
  signal: AbortSignal,
  spell = (barcode: string): string => barcode,
): Promise<number> {
  const [small, large] = one.cells.count <= other.cells.count ? [one, other] : [other, one];
  const missing = new Set((await readBarcodes(small, signal)).map(spell));
  const all = missing.size;
  await eachBarcode(large, signal, (barcode) => void missing.delete(spell(barcode)));
  return all - missing.size;
}
