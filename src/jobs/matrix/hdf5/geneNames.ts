// The ids, symbols and types of genes in an HDF5 file's tables: chosen by the columns' names and by what stands in them.

import { count as counted, number } from "../../../format.ts";
import type { MatrixNote } from "../matrix.ts";
import { UnreadableMatrix } from "../problem.ts";
import {
  areSymbols,
  type ColumnKind,
  columnsFor,
  kindOf,
  sampleOf,
} from "../reading/geneColumns.ts";
import { countRows, type Frame, openFrame, readColumn } from "./frame.ts";
import { attempt, type Hdf5Session } from "./hdf5Session.ts";
import type { NodeKind } from "./protocol.ts";

type Texts = readonly (string | null)[];

/** What a table says of its genes. */
export interface GeneNames {
  readonly ids: Texts;
  readonly symbols: Texts;
  readonly types: Texts | null;
}

/** A table of a file. */
export interface TablePlace {
  readonly path: string;
  readonly kind: NodeKind | undefined;
}

/** Gives a column that may name the genes of a table without an index; null where there is none. */
export function geneColumnOf(frame: Frame): string | null {
  const names = [...frame.columns.keys()];
  const [first] = (["id", "symbol", "either"] as const).flatMap((role) => columnsFor(role, names));
  return first ?? null;
}

/** Reads the names of a table's genes; its index is taken for what its values are. */
export async function readGeneNames(
  session: Hdf5Session,
  frame: Frame,
  rows: number,
): Promise<GeneNames> {
  const known = new Map<string, { readonly texts: Texts; readonly kind: ColumnKind }>();
  const read = async (column: string) => {
    const before = known.get(column);
    if (before !== undefined) return before;
    const texts = await readColumn(session, frame, column, rows);
    const sample = sampleOf(texts).map((text) => text?.trim() ?? "");
    const made = { texts, kind: kindOf(sample) };
    known.set(column, made);
    return made;
  };
  /** The first column whose values are of the first kind that any has. */
  const find = async (
    columns: readonly string[],
    kinds: readonly ColumnKind[],
  ): Promise<Texts | null> => {
    for (const kind of kinds) {
      for (const column of columns) {
        const made = await read(column);
        if (made.kind === kind) return made.texts;
      }
    }
    return null;
  };
  const of = (role: Parameters<typeof columnsFor>[0]): readonly string[] =>
    columnsFor(role, frame.columns.keys());
  const index = frame.index === null ? [] : [frame.index];
  const [typeColumn] = of("type");
  const symbolOrder = [...of("symbol"), ...index, ...of("either"), ...of("id")];
  const idOrder = [...of("id"), ...index, ...of("either")];
  const last = [...index, ...symbolOrder][0] ?? "";
  const symbols =
    (await find(symbolOrder, ["names", "accessions", "amounts"])) ?? (await read(last)).texts;
  // What was called symbols, but was found to be ids.
  const misnamed = of("symbol").filter((column) => known.has(column));
  const ids =
    (await find([...idOrder, ...misnamed], ["accessions"])) ??
    (await find(of("id"), ["names", "amounts"])) ??
    (await find(index, ["names", "amounts"])) ??
    symbols;
  return { ids, symbols, types: typeColumn === undefined ? null : (await read(typeColumn)).texts };
}

/**
 * Gives genes that have ids only the symbols that another table of the file has for those ids: raw/var is often a copy that was made
 * before symbols were added to var.
 */
export async function borrowSymbols(
  session: Hdf5Session,
  genes: GeneNames & { readonly place: string },
  others: readonly TablePlace[],
): Promise<GeneNames & { readonly notes: readonly MatrixNote[] }> {
  const plain = { ...genes, notes: [] };
  if (areSymbols(textsOf(genes.symbols))) return plain;
  for (const { path, kind } of others) {
    const symbolOf = await attempt(session, () => readSymbolsById(session, path, kind));
    // A table that cannot be read is not the one that the matrix needs.
    if (symbolOf === null || symbolOf instanceof UnreadableMatrix) continue;
    let taken = 0;
    const symbols = genes.ids.map((id, gene) => {
      const symbol = symbolOf.get(bare(id ?? ""));
      if (symbol === undefined) return genes.symbols[gene] ?? null;
      taken++;
      return symbol;
    });
    if (taken === 0) continue;
    const message = `${session.name}: ${genes.place} has no gene symbols; those of ${path.slice(1)} were taken by id, for ${number(taken)} of ${counted(symbols.length, "gene")}`;
    return { ...genes, symbols, notes: [{ rule: "M_TABLE", severity: "info", message }] };
  }
  return plain;
}

/** The symbols of a table by id; null where it has none. */
async function readSymbolsById(
  session: Hdf5Session,
  path: string,
  kind: NodeKind | undefined,
): Promise<ReadonlyMap<string, string> | null> {
  const frame = await openFrame(session, path, kind);
  const index = frame === null ? null : (frame.index ?? geneColumnOf(frame));
  if (frame === null || index === null) return null;
  const named = { ...frame, index };
  const rows = (await countRows(session, named)) ?? 0;
  const { ids, symbols } = await readGeneNames(session, named, rows);
  if (!areSymbols(textsOf(symbols))) return null;
  const found = new Map<string, string>();
  for (const [row, id] of ids.entries()) {
    const symbol = symbols[row]?.trim() ?? "";
    const key = bare(id ?? "");
    if (symbol !== "" && symbol !== "nan" && !found.has(key)) found.set(key, symbol);
  }
  return found;
}

function textsOf(texts: Texts): readonly string[] {
  return texts.map((text) => text?.trim() ?? "");
}

/** An id without the version that Ensembl puts behind it. */
function bare(id: string): string {
  return id.trim().replace(/^(ENS[A-Z]*\d+)\.\d+$/, "$1");
}
