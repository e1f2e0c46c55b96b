// 10x Genomics' files (.h5): the group "matrix" of version 3, or a group named like the genome of version 2.

import { number } from "../../../format.ts";
import { UnreadableMatrix } from "../problem.ts";
import { openCompressed, sourceOf } from "./compressedSource.ts";
import { openDataset, openNumbers } from "./datasets.ts";
import { listGroup, type Nodes, openFrame, readColumn } from "./frame.ts";
import type { Hdf5Session } from "./hdf5Session.ts";
import { GENE_EXPRESSION, type Layout, makeGenes, misfit, readCells } from "./layout.ts";
import { writeOffsets } from "./wholeCounts.ts";

const PARTS = ["data", "indices", "indptr"];

/** Finds the group of a 10x file; null where it is none. */
export async function findTenx(session: Hdf5Session, root: Nodes): Promise<string | null> {
  const found: string[] = [];
  for (const [name, kind] of root) {
    if (kind !== "group" || name === "X") continue;
    const nodes = await listGroup(session, `/${name}`);
    const hasGenes = nodes.has("features") || nodes.has("genes");
    if (hasGenes && PARTS.every((part) => nodes.get(part) === "dataset")) found.push(name);
  }
  if (found.includes("matrix")) return "/matrix";
  if (found.length > 1) {
    throw new UnreadableMatrix(
      "M_FORMAT",
      `${session.name}: it holds ${found.length} matrices, one for each genome (${found.slice(0, 5).join(", ")}); one can be read`,
    );
  }
  return found[0] === undefined ? null : `/${found[0]}`;
}

/** Reads what a 10x file says about itself. */
export async function readTenx(
  session: Hdf5Session,
  path: string,
  approaches: readonly string[],
): Promise<Layout> {
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
  const barcodes =
    nodes.get("barcodes") === "dataset"
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
  if (types !== null && features > 0 && !types.some((type) => GENE_EXPRESSION.test(type ?? ""))) {
    throw new UnreadableMatrix(
      "M_TABLE",
      `${session.name}: none of its ${number(features)} features is of the type Gene Expression`,
    );
  }
  const { genes, features: kept, notes } = makeGenes(session.name, ids, symbols, types);
  return {
    format: "10x-h5",
    genes,
    cells: await readCells(session, null, cells, approaches),
    source: sourceOf(session, matrix, kept),
    notes,
    place,
    alternatives: [],
  };
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
