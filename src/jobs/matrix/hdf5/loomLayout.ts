// Loom files: genes × cells in one dense dataset, their tables in row_attrs and col_attrs.

import { APPROACH_COLUMNS } from "../approach.ts";
import { UnreadableMatrix } from "../problem.ts";
import { checkSize, openNumbers } from "./datasets.ts";
import { denseSourceOf, sizeOf } from "./denseSource.ts";
import { askTexts, listGroup, type Nodes, openFrame } from "./frame.ts";
import { geneColumnOf, readGeneNames } from "./geneNames.ts";
import type { Hdf5Session } from "./hdf5Session.ts";
import { type Layout, makeGenes, readCells } from "./layout.ts";

/** Tells whether a file's top level is loom's. */
export function isLoom(root: Nodes): boolean {
  return root.get("matrix") === "dataset";
}

/** Reads what a loom file says about itself. */
export async function readLoom(
  session: Hdf5Session,
  root: Nodes,
  approaches: readonly string[],
): Promise<Layout> {
  const dataset = await openNumbers(session, "/matrix", 2);
  const matrix = { dataset, cellAxis: 1 } as const;
  const { cells, features } = sizeOf(matrix);
  checkSize(session, cells, features);
  const rows = await openFrame(session, "/row_attrs", root.get("row_attrs"));
  if (rows === null || geneColumnOf(rows) === null) {
    throw new UnreadableMatrix(
      "M_TABLE",
      `${session.name}: there is no gene table: row_attrs has neither Gene nor Accession nor another of their names`,
    );
  }
  const { ids, symbols } = await readGeneNames(session, rows, features);
  const { genes, features: kept, notes } = makeGenes(session.name, ids, symbols, null);
  const columns = await openFrame(session, "/col_attrs", root.get("col_attrs"));
  const said = await approachOfFile(session, root);
  return {
    format: "loom",
    genes,
    cells: await readCells(session, columns, cells, approaches, said),
    source: denseSourceOf(session, matrix, kept),
    notes,
    place: "matrix",
    alternatives: [],
  };
}

/** The approach that a loom names for all of its cells: an attribute of the file (version 2), or a dataset in attrs (version 3). */
async function approachOfFile(session: Hdf5Session, root: Nodes): Promise<string | null> {
  for (const name of APPROACH_COLUMNS) {
    const value = (await session.ask({ op: "attribute", path: "/", name }))?.[0];
    if (typeof value === "string" && value !== "") return value;
  }
  if (root.get("attrs") !== "group") return null;
  const attrs = await listGroup(session, "/attrs");
  for (const name of APPROACH_COLUMNS) {
    if (attrs.get(name) !== "dataset") continue;
    const path = `/attrs/${name}`;
    const { shape, kind } = await session.ask({ op: "describe", path });
    // A single value has no dimensions, so nothing to start from.
    if (kind !== "text" || shape.length > 1) continue;
    const [value] = await askTexts(session, path, null, 0, 1);
    if (value !== undefined && value !== "") return value;
  }
  return null;
}
