// AnnData's files (.h5ad), from version 0.6 on: which of its matrices has the counts, and its tables.

import { UnreadableMatrix } from "../problem.ts";
import { openCompressed, sourceOf } from "./compressedSource.ts";
import type { Place } from "./countEvidence.ts";
import {
  type Candidate,
  chooseCounts,
  type Chosen,
  findLayers,
  lookedWords,
  nameOf,
  placeOf,
} from "./countPlaces.ts";
import { checkSize, type NumberDataset, openDataset, openNumbers } from "./datasets.ts";
import { denseSourceOf } from "./denseSource.ts";
import { countRows, listGroup, type Nodes, openFrame } from "./frame.ts";
import { borrowSymbols, geneColumnOf, readGeneNames, type TablePlace } from "./geneNames.ts";
import type { Hdf5Session } from "./hdf5Session.ts";
import { sumOf } from "./joinedSource.ts";
import { type Layout, makeGenes, misfit, readCells } from "./layout.ts";
import type { NodeKind } from "./protocol.ts";

/** A matrix of the file, with the gene table that belongs to it. */
interface H5adMatrix extends Candidate {
  readonly var: string;
  readonly varKind: NodeKind | undefined;
}

/** Tells whether a file's top level is AnnData's. */
export function isH5ad(root: Nodes): boolean {
  return root.has("X") || root.has("raw.X") || (root.has("obs") && root.has("var"));
}

/** Reads what an AnnData file says about itself. */
export async function readH5ad(
  session: Hdf5Session,
  root: Nodes,
  approaches: readonly string[],
): Promise<Layout> {
  const { chosen, looked, refusal, notes } = await choose(session, root);
  const place = nameOf(chosen);
  const obs = await openFrame(session, "/obs", root.get("obs"));
  const vars = await openFrame(session, chosen.var, chosen.varKind);
  const index = vars === null ? null : (vars.index ?? geneColumnOf(vars));
  if (vars === null || index === null) {
    throw new UnreadableMatrix(
      "M_TABLE",
      `${session.name}: there is no gene table for ${place}: ${chosen.var.slice(1)} is missing or empty`,
    );
  }
  const geneCount = (await countRows(session, { ...vars, index })) ?? 0;
  const cellCount = obs === null ? null : await countRows(session, obs);
  const tables = { cells: cellCount, features: geneCount };
  const opened: Opened[] = [];
  for (const one of chosen.places) opened.push(await openMatrix(session, one, tables));
  if (refusal !== null) throw new UnreadableMatrix("M_NOT_COUNTS", refusal + lookedWords(looked));
  const others = (await listGeneTables(session, root)).filter(({ path }) => path !== chosen.var);
  const named = await borrowSymbols(
    session,
    {
      place: chosen.var.slice(1),
      ...(await readGeneNames(session, { ...vars, index }, geneCount)),
    },
    others,
  );
  const genes = makeGenes(session.name, named.ids, named.symbols, named.types);
  const sources = opened.map((one) =>
    one.kind === "dense"
      ? denseSourceOf(session, { dataset: one.dataset, cellAxis: 0 }, genes.features)
      : sourceOf(session, one.matrix, genes.features),
  );
  return {
    format: "h5ad",
    genes: genes.genes,
    cells: await readCells(session, obs, opened[0]?.cells ?? 0, approaches),
    source: sumOf(sources),
    notes: [...notes, ...named.notes, ...genes.notes],
    place,
    looked,
  };
}

/** Lists what may hold counts, and chooses among it. */
async function choose(session: Hdf5Session, root: Nodes): Promise<Chosen<H5adMatrix>> {
  const found: H5adMatrix[] = [];
  const add = (candidates: readonly Candidate[], table: string, varKind?: NodeKind): void => {
    for (const { places } of candidates) found.push({ places, var: table, varKind });
  };
  const alone = (path: string, kind: NodeKind | undefined): readonly Candidate[] =>
    placeOf(path, kind, 0).map((place) => ({ places: [place] }));
  const own = root.get("var");
  if (root.get("raw") === "group") {
    const raw = await listGroup(session, "/raw");
    const x = alone("/raw/X", raw.get("X"));
    if (raw.has("var")) add(x, "/raw/var", raw.get("var"));
    else add(x, "/var", own);
  }
  // AnnData 0.6.
  add(alone("/raw.X", root.get("raw.X")), "/raw.var", root.get("raw.var"));
  const layers =
    root.get("layers") === "group"
      ? findLayers(await listGroup(session, "/layers"), 0)
      : { alone: [], together: [] };
  add(layers.alone, "/var", own);
  add(alone("/X", root.get("X")), "/var", own);
  add(layers.together, "/var", own);
  const real: H5adMatrix[] = [];
  for (const candidate of found) {
    // An AnnData without X has an empty X.
    const areMatrices = await Promise.all(
      candidate.places.map((place) => isMatrix(session, place)),
    );
    if (areMatrices.every((is) => is)) real.push(candidate);
  }
  const [first, ...others] = real;
  if (first === undefined) {
    throw new UnreadableMatrix(
      "M_INCOMPLETE",
      `${session.name}: there is no matrix; raw/X, X and layers of counts were looked for`,
    );
  }
  return chooseCounts(session, first, others);
}

async function isMatrix(session: Hdf5Session, { path, kind }: Place): Promise<boolean> {
  if (kind === "group") return (await listGroup(session, path)).get("data") === "dataset";
  const { shape } = await openDataset(session, path);
  return path.startsWith("/layers/") ? shape.length === 2 : shape.length > 0;
}

type Opened =
  | { readonly kind: "dense"; readonly cells: number; readonly dataset: NumberDataset }
  | {
      readonly kind: "compressed";
      readonly cells: number;
      readonly matrix: Awaited<ReturnType<typeof openCompressed>>;
    };

/** Opens the chosen matrix and compares its shape with the tables; a table of cells that is missing claims nothing. */
async function openMatrix(
  session: Hdf5Session,
  { path, kind }: Place,
  tables: { readonly cells: number | null; readonly features: number },
): Promise<Opened> {
  const place = path.slice(1);
  if (kind === "dataset") {
    const dataset = await openNumbers(session, path, 2);
    const [cells = 0, features = 0] = dataset.shape;
    checkShape(session, place, { cells, features }, tables);
    return { kind: "dense", cells, dataset };
  }
  const shape = await firstAttribute(session, path, ["shape", "h5sparse_shape"]);
  const encoding = await firstAttribute(session, path, ["encoding-type", "h5sparse_format"]);
  const format = String(encoding?.[0] ?? "").replace(/_.*$/, "");
  if (format !== "csr" && format !== "csc") {
    throw new UnreadableMatrix(
      "M_FORMAT",
      format === ""
        ? `${session.name}: ${place} does not say how it is encoded`
        : `${session.name}: ${place} is encoded as ${String(encoding?.[0]).slice(0, 60)}; csr_matrix, csc_matrix and dense arrays can be read`,
    );
  }
  const [cells, features] = (shape ?? []).map(Number);
  if (cells === undefined || features === undefined || !(cells >= 0) || !(features >= 0)) {
    throw new UnreadableMatrix("M_HEADER", `${session.name}: ${place} does not say its shape`);
  }
  checkShape(session, place, { cells, features }, tables);
  const matrix = await openCompressed(session, path, { cells, features }, format === "csr");
  return { kind: "compressed", cells, matrix };
}

function checkShape(
  session: Hdf5Session,
  place: string,
  shape: { readonly cells: number; readonly features: number },
  tables: { readonly cells: number | null; readonly features: number },
): void {
  checkSize(session, shape.cells, shape.features);
  const cells = tables.cells ?? shape.cells;
  if (shape.cells === cells && shape.features === tables.features) return;
  throw misfit(session.name, place, shape, { cells, features: tables.features });
}

async function firstAttribute(
  session: Hdf5Session,
  path: string,
  names: readonly string[],
): Promise<readonly (string | number)[] | null> {
  for (const name of names) {
    const found = await session.ask({ op: "attribute", path, name });
    if (found !== null) return found;
  }
  return null;
}

/** The gene tables that a file may have: of X and its layers, of raw, and of raw as AnnData 0.6 has it. */
async function listGeneTables(session: Hdf5Session, root: Nodes): Promise<readonly TablePlace[]> {
  const raw = root.get("raw") === "group" ? await listGroup(session, "/raw") : null;
  return [
    { path: "/var", kind: root.get("var") },
    { path: "/raw/var", kind: raw?.get("var") },
    { path: "/raw.var", kind: root.get("raw.var") },
  ].filter(({ kind }) => kind !== undefined);
}
