// Loom files: genes × cells in one dense dataset, their tables in row_attrs and col_attrs.

import { number } from "../../../format.ts";
import { APPROACH_COLUMNS } from "../approach.ts";
import { UnreadableMatrix } from "../problem.ts";
import { type Candidate, chooseCounts, findLayers, nameOf, placeOf } from "./countPlaces.ts";
import { checkSize, openNumbers } from "./datasets.ts";
import { type Dense, denseSourceOf } from "./denseSource.ts";
import { askTexts, listGroup, type Nodes, openFrame } from "./frame.ts";
import { geneColumnOf, readGeneNames } from "./geneNames.ts";
import type { Hdf5Session } from "./hdf5Session.ts";
import { sumOf } from "./joinedSource.ts";
import { type Layout, makeGenes, readCells } from "./layout.ts";

/** Tells whether a file's top level is loom's. */
export function isLoom(root: Nodes): boolean {
  const kind = root.get("matrix");
  return kind === "dataset" || kind === "elsewhere";
}

/** Reads what a loom file says about itself. */
export async function readLoom(
  session: Hdf5Session,
  root: Nodes,
  approaches: readonly string[],
): Promise<Layout> {
  const { chosen, opened, others, refusal, notes } = await chooseCounts(
    session,
    await listCandidates(session, root),
    (candidate) => openPlaces(session, candidate, root),
    "matrix and layers of counts",
  );
  const { matrices, cells, features } = opened;
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
  if (refusal !== null) throw new UnreadableMatrix("M_NOT_COUNTS", refusal + others);
  const columns = await openFrame(session, "/col_attrs", root.get("col_attrs"));
  const said = await approachOfFile(session, root);
  return {
    format: "loom",
    genes: made.genes,
    cells: await readCells(session, columns, cells, approaches, said),
    source: sumOf(matrices.map((matrix) => denseSourceOf(session, matrix, made.features))),
    notes: [...notes, ...made.notes],
    place: nameOf(chosen),
    others,
  };
}

/** Lists what may hold counts: the matrix before its layers, which are dense as well. */
async function listCandidates(session: Hdf5Session, root: Nodes): Promise<readonly Candidate[]> {
  const kind = root.get("layers");
  const nodes = kind === "group" ? [...(await listGroup(session, "/layers"))] : [];
  const layers = findLayers(new Map(nodes.filter(([, node]) => node !== "group")), 1);
  // A group that is a link to another file is named, since counts may be there.
  const linked = kind === "elsewhere" ? placeOf("/layers", kind, 1) : [];
  return [
    { places: placeOf("/matrix", root.get("matrix"), 1) },
    ...linked.map((place) => ({ places: [place] })),
    ...layers.alone,
    ...layers.together,
  ];
}

/** Opens a candidate; a layer has to be as large as the matrix beside it. */
async function openPlaces(
  session: Hdf5Session,
  { places }: Candidate,
  root: Nodes,
): Promise<{
  readonly matrices: readonly Dense[];
  readonly cells: number;
  readonly features: number;
}> {
  const matrices: Dense[] = [];
  for (const { path } of places) {
    matrices.push({ dataset: await openNumbers(session, path, 2), cellAxis: 1 });
  }
  const shapes = matrices.map(({ dataset: { path, shape } }) => ({ path, shape }));
  if (root.get("matrix") === "dataset") {
    shapes.unshift(await session.ask({ op: "describe", path: "/matrix" }));
  }
  const [main = { path: "", shape: [] }, ...others] = shapes;
  for (const { path, shape } of others) {
    if (shape.join() === main.shape.join()) continue;
    throw new UnreadableMatrix(
      "M_HEADER",
      `${session.name}: ${path.slice(1)} is ${shape.map(number).join(" × ")}, but ${main.path.slice(1)} ${main.shape.map(number).join(" × ")}`,
    );
  }
  const [features = 0, cells = 0] = main.shape;
  return { matrices, cells, features };
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
