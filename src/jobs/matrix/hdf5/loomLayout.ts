// Loom files: genes × cells in one dense dataset, their tables in row_attrs and col_attrs.

import { number } from "../../../format.ts";
import { APPROACH_COLUMNS } from "../approach.ts";
import { UnreadableMatrix } from "../problem.ts";
import {
  type Candidate,
  chooseCounts,
  findLayers,
  lookedWords,
  nameOf,
  placeOf,
} from "./countPlaces.ts";
import { checkSize, openNumbers } from "./datasets.ts";
import { type Dense, denseSourceOf, sizeOf } from "./denseSource.ts";
import { askTexts, listGroup, type Nodes, openFrame } from "./frame.ts";
import { geneColumnOf, readGeneNames } from "./geneNames.ts";
import type { Hdf5Session } from "./hdf5Session.ts";
import { sumOf } from "./joinedSource.ts";
import { type Layout, makeGenes, readCells } from "./layout.ts";
import type { NodeKind } from "./protocol.ts";

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
  const main: Candidate = { places: placeOf("/matrix", root.get("matrix"), 1) };
  const layers = findLayers(await listLayers(session, root), 1);
  const { chosen, looked, refusal, notes } = await chooseCounts(session, main, [
    ...layers.alone,
    ...layers.together,
  ]);
  const matrices = await openPlaces(session, chosen);
  const { cells, features } = sizeOf(matrices[0]);
  checkSize(session, cells, features);
  const rows = await openFrame(session, "/row_attrs", root.get("row_attrs"));
  if (rows === null || geneColumnOf(rows) === null) {
    throw new UnreadableMatrix(
      "M_TABLE",
      `${session.name}: there is no gene table: row_attrs has neither Gene nor Accession nor another of their names`,
    );
  }
  const { ids, symbols, types } = await readGeneNames(session, rows, features);
  const made = makeGenes(session.name, ids, symbols, types);
  if (refusal !== null) throw new UnreadableMatrix("M_NOT_COUNTS", refusal + lookedWords(looked));
  const columns = await openFrame(session, "/col_attrs", root.get("col_attrs"));
  const said = await approachOfFile(session, root);
  return {
    format: "loom",
    genes: made.genes,
    cells: await readCells(session, columns, cells, approaches, said),
    source: sumOf(matrices.map((matrix) => denseSourceOf(session, matrix, made.features))),
    notes: [...notes, ...made.notes],
    place: nameOf(chosen),
    looked,
  };
}

/** Lists the layers that are matrices. */
async function listLayers(session: Hdf5Session, root: Nodes): Promise<Nodes> {
  const layers = new Map<string, NodeKind>();
  if (root.get("layers") !== "group") return layers;
  for (const [name, kind] of await listGroup(session, "/layers")) {
    if (kind !== "dataset") continue;
    const { shape } = await session.ask({ op: "describe", path: `/layers/${name}` });
    if (shape.length === 2) layers.set(name, kind);
  }
  return layers;
}

/** Opens what was chosen; a layer has to be as large as the matrix beside it. */
async function openPlaces(
  session: Hdf5Session,
  chosen: Candidate,
): Promise<readonly [Dense, ...Dense[]]> {
  const main: Dense = { dataset: await openNumbers(session, "/matrix", 2), cellAxis: 1 };
  const opened: Dense[] = [];
  for (const { path } of chosen.places) {
    const dataset = path === "/matrix" ? main.dataset : await openNumbers(session, path, 2);
    if (dataset.shape.join() !== main.dataset.shape.join()) {
      throw new UnreadableMatrix(
        "M_HEADER",
        `${session.name}: ${path.slice(1)} is ${dataset.shape.map(number).join(" × ")}, but matrix ${main.dataset.shape.map(number).join(" × ")}`,
      );
    }
    opened.push({ dataset, cellAxis: 1 });
  }
  const [first = main, ...others] = opened;
  return [first, ...others];
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
