// What the three formats have in common once they are found in a file: genes, cells, and where the entries come from.

import { count, list, number } from "../../../format.ts";
import { APPROACH_COLUMNS, buildCellTable } from "../approach.ts";
import type { CellTable, GeneTable, MatrixFormat, MatrixNote } from "../matrix.ts";
import { UnreadableMatrix } from "../problem.ts";
import { typesOfOthers } from "../reading/featureTypes.ts";
import { makeGeneTable } from "../reading/geneTable.ts";
import { noteSymbols } from "../reading/tableNotes.ts";
import { type EntrySource, type Features, NO_GENE } from "./entrySource.ts";
import { findColumn, type Frame, readPieces } from "./frame.ts";
import type { Hdf5Session } from "./hdf5Session.ts";

/** A matrix that was found in a file, ready to be read. */
export interface Layout {
  readonly format: MatrixFormat;
  readonly genes: GeneTable;
  readonly cells: CellTable;
  readonly source: EntrySource;
  readonly notes: readonly MatrixNote[];
  /** Where the entries lie within the file, and what a refusal of them says of all other places where counts were looked for. */
  readonly place: string;
  readonly others: string;
}

/** The genes of a matrix, without features that are none. */
export interface Genes {
  readonly genes: GeneTable;
  readonly features: Features;
  readonly notes: readonly MatrixNote[];
}

/** Makes the genes of a matrix; where features have 10x's types, those that are no genes are left out. */
export function makeGenes(
  name: string,
  ids: readonly (string | null)[],
  symbols: readonly (string | null)[],
  types: readonly (string | null)[] | null,
): Genes {
  const total = ids.length;
  const given = new Set(types?.map((type) => type ?? ""));
  const noGenes = typesOfOthers(name, [...given], total);
  const geneOf = new Uint32Array(total).fill(NO_GENE);
  const keptIds: string[] = [];
  const keptSymbols: string[] = [];
  const others = new Set<string>();
  for (let row = 0; row < total; row++) {
    const type = types?.[row] ?? "";
    if (noGenes.has(type)) {
      others.add(type);
      continue;
    }
    const symbol = symbols[row]?.trim() ?? "";
    const id = ids[row]?.trim() || symbol;
    geneOf[row] = keptIds.push(id) - 1;
    keptSymbols.push(symbol === "" || symbol === "nan" ? id : symbol);
  }
  const genes = makeGeneTable(keptIds, keptSymbols);
  const notes = noteSymbols(genes, keptSymbols).map((note) => ({
    ...note,
    message: `${name}: ${note.message}`,
  }));
  if (others.size === 0) return { genes, features: { count: total, geneOf: null }, notes };
  const left = count(total - keptIds.length, "feature");
  const message = `${name}: ${left} of ${number(total)} that are not gene expression (${list([...others].slice(0, 5))}) are left out`;
  notes.push({ rule: "M_TABLE", severity: "info", message });
  return { genes, features: { count: total, geneOf }, notes };
}

/** Makes a cell table from the column that gives approaches; `fallback` stands for cells whose table does not say. */
export async function readCells(
  session: Hdf5Session,
  frame: Frame | null,
  cells: number,
  approaches: readonly string[],
  fallback: string | null = null,
): Promise<CellTable> {
  const builder = buildCellTable(approaches);
  const column = frame === null ? null : findColumn(frame, APPROACH_COLUMNS);
  if (frame === null || column === null) {
    for (let cell = 0; cell < cells; cell++) builder.add(fallback);
    return builder.build();
  }
  for await (const piece of readPieces(session, frame, column, cells)) {
    for (const label of piece) builder.add(label ?? fallback);
  }
  return builder.build();
}

/** Makes the error for a matrix whose shape does not fit its tables. */
export function misfit(
  name: string,
  place: string,
  shape: { readonly cells: number; readonly features: number },
  tables: { readonly cells: number; readonly features: number },
): UnreadableMatrix {
  const isTurned = shape.cells === tables.features && shape.features === tables.cells;
  return new UnreadableMatrix(
    "M_HEADER",
    `${name}: ${place} is ${number(shape.cells)} cells × ${number(shape.features)} genes, but its tables have ${number(tables.cells)} cells and ${number(tables.features)} genes` +
      (isTurned ? "; it lies the other way round" : ""),
  );
}
