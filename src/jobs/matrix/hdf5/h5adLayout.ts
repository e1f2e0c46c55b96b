// AnnData's files (.h5ad), from version 0.6 on: which of its matrices has the counts, and its tables.

import type { MatrixNote } from "../matrix.ts";
import { UnreadableMatrix } from "../problem.ts";
import { openCompressed, sourceOf } from "./compressedSource.ts";
import {
  checkSize,
  type NumberDataset,
  openDataset,
  openNumbers,
  pieceElements,
} from "./datasets.ts";
import { denseSourceOf } from "./denseSource.ts";
import { countRows, listGroup, type Nodes, openFrame } from "./frame.ts";
import { borrowSymbols, geneColumnOf, readGeneNames, type TablePlace } from "./geneNames.ts";
import type { Hdf5Session } from "./hdf5Session.ts";
import { type Layout, makeGenes, misfit, readCells } from "./layout.ts";
import type { Box, NodeKind } from "./protocol.ts";
import { areLogs, makeTally, writeCounts } from "./wholeCounts.ts";

/** Layers that people keep raw counts in. */
const COUNT_LAYERS = ["counts", "raw_counts"];

/** A matrix of the file, with the gene table that belongs to it. */
interface Candidate {
  readonly path: string;
  readonly kind: NodeKind;
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
  const candidates = await listCandidates(session, root);
  const { chosen, notes } = await choose(session, candidates);
  const place = chosen.path.slice(1);
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
  const opened = await openMatrix(session, chosen, tables);
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
  const source =
    opened.kind === "dense"
      ? denseSourceOf(session, { dataset: opened.dataset, cellAxis: 0 }, genes.features)
      : sourceOf(session, opened.matrix, genes.features);
  return {
    format: "h5ad",
    genes: genes.genes,
    cells: await readCells(session, obs, opened.cells, approaches),
    source,
    notes: [...notes, ...named.notes, ...genes.notes],
    place,
    alternatives: ["raw/X", "layers/counts", "X"].filter((other) => other !== place),
  };
}

async function listCandidates(session: Hdf5Session, root: Nodes): Promise<readonly Candidate[]> {
  const found: Candidate[] = [];
  const add = (path: string, kind: NodeKind | undefined, table: string, varKind?: NodeKind) => {
    if (kind === "group" || kind === "dataset") {
      found.push({ path, kind, var: table, varKind });
    }
  };
  if (root.get("raw") === "group") {
    const raw = await listGroup(session, "/raw");
    if (raw.has("var")) add("/raw/X", raw.get("X"), "/raw/var", raw.get("var"));
    else add("/raw/X", raw.get("X"), "/var", root.get("var"));
  }
  // AnnData 0.6.
  add("/raw.X", root.get("raw.X"), "/raw.var", root.get("raw.var"));
  if (root.get("layers") === "group") {
    const layers = await listGroup(session, "/layers");
    for (const name of COUNT_LAYERS) {
      add(`/layers/${name}`, layers.get(name), "/var", root.get("var"));
    }
  }
  add("/X", root.get("X"), "/var", root.get("var"));
  const real: Candidate[] = [];
  for (const candidate of found) {
    // An AnnData without X has an empty X.
    if (await isMatrix(session, candidate)) real.push(candidate);
  }
  return real;
}

async function isMatrix(session: Hdf5Session, { path, kind }: Candidate): Promise<boolean> {
  if (kind === "group") return (await listGroup(session, path)).has("data");
  return (await openDataset(session, path)).shape.length > 0;
}

/** Takes the first matrix whose values look like counts; the first of all where none does, so that reading it says what is wrong. */
async function choose(
  session: Hdf5Session,
  candidates: readonly Candidate[],
): Promise<{ readonly chosen: Candidate; readonly notes: readonly MatrixNote[] }> {
  const [first] = candidates;
  if (first === undefined) {
    throw new UnreadableMatrix(
      "M_INCOMPLETE",
      `${session.name}: there is no matrix; raw/X, layers/counts and X were looked for`,
    );
  }
  if (candidates.length === 1) return { chosen: first, notes: [] };
  for (const chosen of candidates) {
    if (!(await looksLikeCounts(session, chosen))) continue;
    if (chosen === first) return { chosen, notes: [] };
    const message = `${session.name}: ${first.path.slice(1)} does not hold counts; they were taken from ${chosen.path.slice(1)}`;
    return { chosen, notes: [{ rule: "M_NOT_COUNTS", severity: "info", message }] };
  }
  return { chosen: first, notes: [] };
}

/** Looks at a piece from the middle of a matrix. */
async function looksLikeCounts(session: Hdf5Session, { path, kind }: Candidate): Promise<boolean> {
  const isDense = kind === "dataset";
  const dataset = await openNumbers(session, isDense ? path : `${path}/data`, isDense ? 2 : 1);
  const box = middleOf(dataset);
  const length = box.count.reduce((product, size) => product * size, 1);
  const into = new SharedArrayBuffer(length * dataset.itemBytes);
  await session.ask({ op: "read", path: dataset.path, box, into });
  const tally = makeTally();
  const nameOf = (): string => path.slice(1);
  try {
    writeCounts(dataset.kind, into, 0, length, new Uint32Array(length), 0, tally, nameOf);
  } catch (error) {
    // Negative: values that were scaled.
    if (error instanceof UnreadableMatrix && error.rule === "M_ENTRY") return false;
    throw error;
  }
  return !areLogs(tally);
}

function middleOf(dataset: NumberDataset): Box {
  const { shape, chunks } = dataset;
  const [, columns = 1] = shape;
  // Without chunks, some rows.
  const rows = Math.max(1, Math.min(64, Math.floor(1_000_000 / Math.max(1, columns))));
  const sizes = shape.length === 1 ? [pieceElements(dataset)] : (chunks ?? [rows, columns]);
  const start: number[] = [];
  const count: number[] = [];
  for (const [axis, extent] of shape.entries()) {
    const size = Math.max(1, sizes[axis] ?? 1);
    const from = Math.floor(extent / 2 / size) * size;
    start.push(from);
    count.push(Math.min(size, extent - from));
  }
  return { start, count };
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
  { path, kind }: Candidate,
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
