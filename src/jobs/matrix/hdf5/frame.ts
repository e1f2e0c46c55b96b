// Tables within HDF5 files: AnnData's obs and var in all their layouts, loom's attributes, 10x's features; read column by column as text.

import { number } from "../../../format.ts";
import { UnreadableMatrix } from "../problem.ts";
import { liesElsewhere, openDataset } from "./datasets.ts";
import type { Hdf5Session } from "./hdf5Session.ts";
import type { NodeKind } from "./protocol.ts";

/** Rows that are read at once; bounds what is held of a cell table. */
const PIECE_ROWS = 65_536;

/** A table; its columns are read by readColumn. */
export interface Frame {
  readonly path: string;
  readonly columns: ReadonlyMap<string, ColumnPlace>;
  /** The column that names its rows; null where none does. */
  readonly index: string | null;
}

/** Where texts or numbers lie; `missing` is where those without a value are marked. */
interface ValuesPlace {
  readonly values: string;
  readonly missing: string | null;
}

/** Where a column lies: a dataset of its values, codes into categories, or a field of a table. */
interface ColumnPlace extends ValuesPlace {
  readonly field: string | null;
  readonly categories: ValuesPlace | null;
}

export type Nodes = ReadonlyMap<string, NodeKind>;

/** Lists a group. */
export async function listGroup(session: Hdf5Session, path: string): Promise<Nodes> {
  const nodes = await session.ask({ op: "list", path });
  return new Map(nodes.map(({ name, kind }) => [name, kind]));
}

/** Opens a table, a group of columns or a compound dataset; null where there is none. */
export async function openFrame(
  session: Hdf5Session,
  path: string,
  kind: NodeKind | undefined,
): Promise<Frame | null> {
  if (kind === "group") return openGroup(session, path);
  if (kind === "dataset") return openTable(session, path);
  if (kind === "elsewhere") throw liesElsewhere(session, path);
  return null;
}

async function openGroup(session: Hdf5Session, path: string): Promise<Frame> {
  const nodes = await listGroup(session, path);
  const shared =
    nodes.get("__categories") === "group"
      ? await listGroup(session, `${path}/__categories`)
      : new Map<string, NodeKind>();
  const columns = new Map<string, ColumnPlace>();
  for (const [name, kind] of nodes) {
    const at = `${path}/${name}`;
    if (kind === "dataset") {
      const categories = shared.has(name)
        ? { values: `${path}/__categories/${name}`, missing: null }
        : null;
      columns.set(name, { values: at, field: null, categories, missing: null });
    } else if (kind === "group" && name !== "__categories") {
      const place = await placeOfGroup(session, at, await listGroup(session, at));
      if (place !== null) columns.set(name, place);
    }
  }
  const named = (await session.ask({ op: "attribute", path, name: "_index" }))?.[0];
  const index = [named, "_index", "index"].find(
    (name) => typeof name === "string" && columns.has(name),
  );
  return { path, columns, index: typeof index === "string" ? index : null };
}

/** A column that is a group: categorical, or with missing values. */
async function placeOfGroup(
  session: Hdf5Session,
  path: string,
  nodes: Nodes,
): Promise<ColumnPlace | null> {
  if (nodes.has("codes") && nodes.has("categories")) {
    const at = `${path}/categories`;
    // A group where the categories themselves may have missing values, as AnnData writes pandas' nullable strings.
    const categories =
      nodes.get("categories") === "group"
        ? placeOfNullable(at, await listGroup(session, at))
        : { values: at, missing: null };
    if (categories === null) return null;
    return { values: `${path}/codes`, field: null, categories, missing: null };
  }
  const place = placeOfNullable(path, nodes);
  return place === null ? null : { ...place, field: null, categories: null };
}

/** Values beside a mask that marks those that are missing. */
function placeOfNullable(path: string, nodes: Nodes): ValuesPlace | null {
  if (nodes.get("values") !== "dataset") return null;
  return { values: `${path}/values`, missing: nodes.has("mask") ? `${path}/mask` : null };
}

/** The oldest layout of AnnData: a row is one compound value, categories lie in uns. */
async function openTable(session: Hdf5Session, path: string): Promise<Frame> {
  const { columns: fields } = await openDataset(session, path);
  const root = await listGroup(session, "/");
  const uns =
    root.get("uns") === "group" ? await listGroup(session, "/uns") : new Map<string, NodeKind>();
  const columns = new Map<string, ColumnPlace>();
  for (const { name, kind } of fields) {
    const coded = `${name}_categories`;
    const categories =
      kind !== "text" && uns.get(coded) === "dataset"
        ? { values: `/uns/${coded}`, missing: null }
        : null;
    columns.set(name, { values: path, field: name, categories, missing: null });
  }
  const firstText = fields.find(({ kind }) => kind === "text")?.name;
  const index = ["_index", "index", ...(firstText === undefined ? [] : [firstText])].find((name) =>
    columns.has(name),
  );
  return { path, columns, index: index ?? null };
}

/** Finds the first of some columns, whatever the case of its letters; null where there is none of them. */
export function findColumn(frame: Frame, names: readonly string[]): string | null {
  const byLower = new Map([...frame.columns.keys()].map((name) => [name.toLowerCase(), name]));
  for (const name of names) {
    const found = byLower.get(name.toLowerCase());
    if (found !== undefined) return found;
  }
  return null;
}

/** Counts the rows of a table by one of its columns; null where it has none. */
export async function countRows(session: Hdf5Session, frame: Frame): Promise<number | null> {
  const place = [frame.index ?? "", ...frame.columns.keys()]
    .map((name) => frame.columns.get(name))
    .find((found) => found !== undefined);
  if (place === undefined) return null;
  return (await openDataset(session, place.values)).shape[0] ?? null;
}

/** Reads a column piece by piece, null where a row has no value; throws where it has not so many rows. */
export async function* readPieces(
  session: Hdf5Session,
  frame: Frame,
  name: string,
  rows: number,
): AsyncGenerator<readonly (string | null)[]> {
  const place = frame.columns.get(name);
  const where = `${session.name}: ${frame.path.slice(1)}/${name}`;
  if (place === undefined) throw new UnreadableMatrix("M_TABLE", `${where} is missing`);
  const { values, field, categories, missing } = place;
  await checkRows(session, values, rows, where);
  if (missing !== null) await checkRows(session, missing, rows, where);
  const names = categories === null ? null : await readTexts(session, categories, where);
  for (let start = 0; start < rows; start += PIECE_ROWS) {
    const count = Math.min(PIECE_ROWS, rows - start);
    const texts = await askTexts(session, values, field, start, count);
    if (names !== null) {
      // -1 where there is none.
      yield texts.map((code) => names[Number(code)] ?? null);
    } else if (missing !== null) {
      const mask = await askTexts(session, missing, null, start, count);
      yield texts.map((text, row) => (mask[row] === "0" ? text : null));
    } else {
      yield texts;
    }
  }
}

/** Reads a whole column. */
export async function readColumn(
  session: Hdf5Session,
  frame: Frame,
  name: string,
  rows: number,
): Promise<readonly (string | null)[]> {
  const all: (string | null)[] = [];
  for await (const piece of readPieces(session, frame, name, rows)) {
    for (const text of piece) all.push(text);
  }
  return all;
}

/** Reads a one-dimensional dataset as texts, null where one is missing; for short ones, such as categories. */
async function readTexts(
  session: Hdf5Session,
  { values, missing }: ValuesPlace,
  where: string,
): Promise<readonly (string | null)[]> {
  const { shape } = await openDataset(session, values);
  const [count = 0] = shape;
  const texts = await askTexts(session, values, null, 0, count);
  if (missing === null) return texts;
  const marks = (await openDataset(session, missing)).shape[0] ?? 0;
  if (marks !== count) {
    throw new UnreadableMatrix(
      "M_TABLE",
      `${where} has ${number(count)} categories, but marks ${number(marks)} as there or missing`,
    );
  }
  const mask = await askTexts(session, missing, null, 0, count);
  return texts.map((text, at) => (mask[at] === "0" ? text : null));
}

/** Reads elements of a one-dimensional dataset, or of a column of a table, as texts. */
export async function askTexts(
  session: Hdf5Session,
  path: string,
  column: string | null,
  start: number,
  count: number,
): Promise<readonly string[]> {
  const texts = (await session.ask({ op: "texts", path, column, start, count })).split("\0");
  // Behind the last one is nothing.
  texts.pop();
  return texts;
}

async function checkRows(
  session: Hdf5Session,
  path: string,
  rows: number,
  where: string,
): Promise<void> {
  const { shape, kind } = await openDataset(session, path);
  if (shape.length !== 1 || kind === "other") {
    throw new UnreadableMatrix("M_TABLE", `${where} is not a column of texts or numbers`);
  }
  if (shape[0] === rows) return;
  throw new UnreadableMatrix(
    "M_TABLE",
    `${where} has ${number(shape[0] ?? 0)} rows, but the matrix has ${number(rows)}`,
  );
}
