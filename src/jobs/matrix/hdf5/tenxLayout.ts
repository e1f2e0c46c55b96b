// 10x Genomics' files (.h5): the group "matrix" of version 3, or a group named like the genome of version 2.

import { count, list, number } from "../../../format.ts";
import { UnreadableMatrix } from "../problem.ts";
import { type Compressed, openCompressed, sourceOf } from "./compressedSource.ts";
import { checkSize, openDataset, openNumbers } from "./datasets.ts";
import { type Features, NO_GENE } from "./entrySource.ts";
import { askTexts, listGroup, type Nodes, openFrame, readColumn } from "./frame.ts";
import type { Hdf5Session } from "./hdf5Session.ts";
import { type JoinedPart, joinSources } from "./joinedSource.ts";
import { type Layout, makeGenes, misfit, readCells } from "./layout.ts";
import { writeOffsets } from "./wholeCounts.ts";

/** Barcodes that are read at once. */
const PIECE_ROWS = 65_536;
const PARTS = ["data", "indices", "indptr"];

/** Finds the groups of a 10x file that hold matrices: one, or one for each genome; null where it is no such file. */
export async function findTenx(
  session: Hdf5Session,
  root: Nodes,
): Promise<readonly [string, ...string[]] | null> {
  const found: string[] = [];
  for (const [name, kind] of root) {
    if (kind !== "group" || name === "X") continue;
    const nodes = await listGroup(session, `/${name}`);
    const hasGenes = nodes.has("features") || nodes.has("genes");
    if (hasGenes && PARTS.every((part) => nodes.get(part) === "dataset")) found.push(`/${name}`);
  }
  if (found.includes("/matrix")) return ["/matrix"];
  const [first, ...others] = found;
  return first === undefined ? null : [first, ...others];
}

/** Reads what a 10x file says about itself. */
export async function readTenx(
  session: Hdf5Session,
  paths: readonly [string, ...string[]],
  approaches: readonly string[],
): Promise<Layout> {
  const parts: TenxPart[] = [];
  for (const path of paths) parts.push(await readPart(session, path));
  const isTyped = parts.some(({ types }) => types !== null);
  const made = makeGenes(
    session.name,
    parts.flatMap(({ ids }) => ids),
    parts.flatMap(({ symbols }) => symbols),
    isTyped ? parts.flatMap(({ ids, types }) => types ?? ids.map(() => null)) : null,
  );
  const { genes, features: kept, notes } = made;
  const [first, second] = parts;
  if (first !== undefined && second === undefined) {
    return {
      format: "10x-h5",
      genes,
      cells: await readCells(session, null, first.matrix.cells, approaches),
      source: sourceOf(session, first.matrix, kept),
      notes,
      place: paths[0].slice(1),
      others: "",
    };
  }
  checkGenomes(session, parts);
  const union = await uniteCells(session, parts);
  let row = 0;
  let firstGene = 0;
  const joined = parts.map(({ matrix }, index): JoinedPart => {
    const features = featuresOf(kept, row, matrix.features, firstGene);
    const part = {
      source: sourceOf(session, matrix, features),
      firstGene,
      cellOf: union.cellsOf[index] ?? null,
    };
    row += matrix.features;
    const { geneOf } = features;
    firstGene +=
      geneOf === null ? matrix.features : geneOf.filter((gene) => gene !== NO_GENE).length;
    return part;
  });
  const names = paths.map((path) => path.slice(1));
  const message = `${session.name}: ${parts.length} matrices, one for each genome (${list(names.slice(0, 5))}), were joined by their cells' barcodes: ${count(union.count, "cell")}, ${number(union.shared)} of them in all`;
  return {
    format: "10x-h5",
    genes,
    cells: await readCells(session, null, union.count, approaches),
    source: joinSources(joined, false),
    notes: [{ rule: "M_TABLE", severity: "info", message }, ...notes],
    place: names.join(" + "),
    others: "",
  };
}

/** A matrix with its tables, as one group of the file has them. */
interface TenxPart {
  readonly path: string;
  readonly matrix: Compressed;
  readonly ids: readonly (string | null)[];
  readonly symbols: readonly (string | null)[];
  readonly types: readonly (string | null)[] | null;
  readonly hasBarcodes: boolean;
}

async function readPart(session: Hdf5Session, path: string): Promise<TenxPart> {
  const nodes = await listGroup(session, path);
  const place = path.slice(1);
  if (nodes.get("shape") !== "dataset") {
    throw new UnreadableMatrix("M_INCOMPLETE", `${session.name}: ${place}/shape is missing`);
  }
  const [features = 0, cells = 0] = await readShape(session, `${path}/shape`);
  const isNew = nodes.get("features") === "group";
  const frame = await openFrame(session, isNew ? `${path}/features` : path, "group");
  const [idColumn, nameColumn] = isNew ? ["id", "name"] : ["genes", "gene_names"];
  if (frame?.columns.has(idColumn) !== true) {
    throw new UnreadableMatrix(
      "M_TABLE",
      `${session.name}: there is no gene table: ${place}/${isNew ? "features/" : ""}${idColumn} is missing`,
    );
  }
  const [rows = 0] = (await openDataset(session, isNew ? `${path}/features/id` : `${path}/genes`))
    .shape;
  const hasBarcodes = nodes.get("barcodes") === "dataset";
  const barcodes = hasBarcodes
    ? ((await openDataset(session, `${path}/barcodes`)).shape[0] ?? cells)
    : cells;
  if (rows !== features || barcodes !== cells) {
    throw misfit(session.name, place, { cells, features }, { cells: barcodes, features: rows });
  }
  const matrix = await openCompressed(session, path, { cells, features }, true);
  const read = (column: string) => readColumn(session, frame, column, features);
  const ids = await read(idColumn);
  const symbols = frame.columns.has(nameColumn) ? await read(nameColumn) : ids;
  const types = isNew && frame.columns.has("feature_type") ? await read("feature_type") : null;
  return { path, matrix, ids, symbols, types, hasBarcodes };
}

/** Matrices are joined only where they are of different genes, and their cells have names to be known by. */
function checkGenomes(session: Hdf5Session, parts: readonly TenxPart[]): void {
  const seen = new Set<string | null>();
  for (const { ids, hasBarcodes } of parts) {
    if (!hasBarcodes)
      throw notJoined(session, parts, "whose cells have no barcodes to be joined by");
    if (ids.some((id) => seen.has(id))) {
      throw notJoined(session, parts, "which have genes in common");
    }
    for (const id of ids) seen.add(id);
  }
}

function notJoined(
  session: Hdf5Session,
  parts: readonly TenxPart[],
  why: string,
): UnreadableMatrix {
  const names = parts.map(({ path }) => path.slice(1)).slice(0, 5);
  return new UnreadableMatrix(
    "M_FORMAT",
    `${session.name}: it holds ${parts.length} matrices (${names.join(", ")}), ${why}; one can be read`,
  );
}

/** Gives cells that have the same barcode the same place: those of the first matrix, then what the others have besides. */
async function uniteCells(
  session: Hdf5Session,
  parts: readonly TenxPart[],
): Promise<{
  readonly cellsOf: readonly Uint32Array[];
  readonly count: number;
  readonly shared: number;
}> {
  const places = new Map<string, number>();
  const cellsOf: Uint32Array[] = [];
  for (const { path, matrix } of parts) {
    const cellOf = new Uint32Array(matrix.cells);
    for (let from = 0; from < matrix.cells; from += PIECE_ROWS) {
      const length = Math.min(PIECE_ROWS, matrix.cells - from);
      const barcodes = await askTexts(session, `${path}/barcodes`, null, from, length);
      for (const [at, barcode] of barcodes.entries()) {
        const place = places.get(barcode) ?? places.size;
        places.set(barcode, place);
        cellOf[from + at] = place;
      }
    }
    if (new Set(cellOf).size < cellOf.length) {
      throw notJoined(session, parts, "one of which names a barcode twice");
    }
    cellsOf.push(cellOf);
  }
  const times = new Uint32Array(places.size);
  for (const cellOf of cellsOf) for (const cell of cellOf) times[cell] = (times[cell] ?? 0) + 1;
  const shared = times.reduce((sum, time) => sum + (time === parts.length ? 1 : 0), 0);
  checkSize(session, places.size, 0);
  return { cellsOf, count: places.size, shared };
}

/** The features of one matrix, of those of all. */
function featuresOf(all: Features, row: number, rows: number, firstGene: number): Features {
  const geneOf = all.geneOf?.slice(row, row + rows) ?? null;
  geneOf?.forEach((gene, at) => {
    if (gene !== NO_GENE) geneOf[at] = gene - firstGene;
  });
  return { count: rows, geneOf };
}

async function readShape(session: Hdf5Session, path: string): Promise<readonly number[]> {
  const shape = await openNumbers(session, path, 1);
  if (shape.shape[0] !== 2 || shape.kind.startsWith("float")) {
    throw new UnreadableMatrix(
      "M_HEADER",
      `${session.name}: ${path.slice(1)} is not the two numbers of a shape`,
    );
  }
  const into = new SharedArrayBuffer(2 * shape.itemBytes);
  await session.ask({ op: "read", path, box: { start: [0], count: [2] }, into });
  const sizes = new Float64Array(2);
  writeOffsets(shape.kind, into, 0, 2, sizes, 0);
  if (sizes.some((size) => size < 0)) {
    throw new UnreadableMatrix(
      "M_HEADER",
      `${session.name}: ${path.slice(1)} is ${sizes.join(" × ")}`,
    );
  }
  return [...sizes];
}
