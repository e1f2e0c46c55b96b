// AnnData's files (.h5ad), from version 0.6 on: which of its matrices has the counts, and its tables.

import { UnreadableMatrix } from "../problem.ts";
import { openCompressed, sourceOf } from "./compressedSource.ts";
import type { Place } from "./countEvidence.ts";
import { type Candidate, chooseCounts, findLayers, nameOf, placeOf } from "./countPlaces.ts";
import { checkSize, type NumberDataset, openNumbers } from "./datasets.ts";
import { denseSourceOf } from "./denseSource.ts";
import { countRows, type Frame, listGroup, type Nodes, openFrame } from "./frame.ts";
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
  const obs = await openFrame(session, "/obs", root.get("obs"));
  const cellCount = obs === null ? null : await countRows(session, obs);
  const { chosen, opened, others, refusal, notes } = await chooseCounts(
    session,
    await listCandidates(session, root),
    (candidate) => openCandidate(session, candidate, cellCount),
    "raw/X, X and layers of counts",
  );
  if (refusal !== null) throw new UnreadableMatrix("M_NOT_COUNTS", refusal + others);
  const tables = (await listGeneTables(session, root)).filter(({ path }) => path !== chosen.var);
  const named = await borrowSymbols(
    session,
    {
      place: chosen.var.slice(1),
      ...(await readGeneNames(session, opened.vars, opened.genes)),
    },
    tables,
  );
  const genes = makeGenes(session.name, named.ids, named.symbols, named.types);
  const sources = opened.matrices.map((one) =>
    one.kind === "dense"
      ? denseSourceOf(session, { dataset: one.dataset, cellAxis: 0 }, genes.features)
      : sourceOf(session, one.matrix, genes.features),
  );
  return {
    format: "h5ad",
    genes: genes.genes,
    cells: await readCells(session, obs, opened.matrices[0]?.cells ?? 0, approaches),
    source: sumOf(sources),
    notes: [...notes, ...named.notes, ...genes.notes],
    place: nameOf(chosen),
    others,
  };
}

/** Lists what may hold counts, what is believed first before all else. */
async function listCandidates(session: Hdf5Session, root: Nodes): Promise<readonly H5adMatrix[]> {
  const found: H5adMatrix[] = [];
  const add = (candidates: readonly Candidate[], table: string, varKind?: NodeKind): void => {
    for (const { places } of candidates) found.push({ places, var: table, varKind });
  };
  const alone = (path: string, kind: NodeKind | undefined): readonly Candidate[] =>
    placeOf(path, kind, 0).map((place) => ({ places: [place] }));
  // A group that is a link to another file is named, since counts may be there.
  const group = async (name: string): Promise<Nodes> => {
    const kind = root.get(name);
    if (kind === "elsewhere") add(alone(`/${name}`, kind), "/var");
    return kind === "group" ? listGroup(session, `/${name}`) : new Map<string, NodeKind>();
  };
  const own = root.get("var");
  const raw = await group("raw");
  const x = alone("/raw/X", raw.get("X"));
  if (raw.has("var")) add(x, "/raw/var", raw.get("var"));
  else add(x, "/var", own);
  // AnnData 0.6.
  add(alone("/raw.X", root.get("raw.X")), "/raw.var", root.get("raw.var"));
  const layers = findLayers(await group("layers"), 0);
  add(layers.alone, "/var", own);
  add(alone("/X", root.get("X")), "/var", own);
  add(layers.together, "/var", own);
  return found;
}

/** A candidate whose shape fits its tables. */
interface OpenedCandidate {
  readonly vars: Frame & { readonly index: string };
  readonly genes: number;
  readonly matrices: readonly Opened[];
}

async function openCandidate(
  session: Hdf5Session,
  candidate: H5adMatrix,
  cells: number | null,
): Promise<OpenedCandidate> {
  const frame = await openFrame(session, candidate.var, candidate.varKind);
  const index = frame === null ? null : (frame.index ?? geneColumnOf(frame));
  if (frame === null || index === null) {
    throw new UnreadableMatrix(
      "M_TABLE",
      `${session.name}: there is no gene table for ${nameOf(candidate)}: ${candidate.var.slice(1)} is missing or empty`,
    );
  }
  const vars = { ...frame, index };
  const genes = (await countRows(session, vars)) ?? 0;
  const matrices: Opened[] = [];
  for (const place of candidate.places) {
    matrices.push(await openMatrix(session, place, { cells, features: genes }));
  }
  return { vars, genes, matrices };
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
