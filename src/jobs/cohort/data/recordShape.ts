// A data type laid out flat: the tables that its records fill (one for the records, one for each array in them), and the tree by which
// a record's values find their columns.

import { digestOfJson } from "../../../digest.ts";
import { HdashError } from "../../../error.ts";
import type { DataType, Field, Fields, Scalar } from "./schema.ts";

/** A column of a table as it is filled from records. A surrogate stands for an array, whose elements are the rows of another table. */
export interface ShapeColumn {
  readonly name: string;
  readonly type: Scalar | "surrogate";
}

/** A table that records fill. */
export interface ShapeTable {
  /** "dataset_<type>", with the array's path for a child. */
  readonly dataset: string;
  /** Path of the array in a record, ".val." between an array and what its elements have; "" for the records themselves. */
  readonly path: string;
  /** Index of the table whose column stands for the array; null for the records themselves. */
  readonly parent: number | null;
  /** The column of that table which stands for the array; null for the records themselves. */
  readonly column: number | null;
  /** Columns that are filled from records, in order; a column's place is its name in staged rows. */
  readonly columns: readonly ShapeColumn[];
  /** Names that fields of elements may not have, since the table has them anyway. */
  readonly taken: ReadonlySet<string>;
}

export interface LeafNode {
  readonly kind: "leaf";
  readonly type: Scalar;
  readonly path: string;
  readonly column: number;
  readonly isKey: boolean;
  readonly isTie: boolean;
}
export interface StructNode {
  readonly kind: "struct";
  readonly path: string;
  readonly isText: boolean;
  readonly table: number;
  /** Path of the struct below its table's row, for the names of undeclared fields. */
  readonly below: readonly string[];
  readonly names: readonly string[];
  readonly nodes: readonly ShapeNode[];
  /** Field by exact name. */
  readonly exact: ReadonlyMap<string, number>;
  /** Field by name without regard to case and white space, and by the names that it has had. */
  readonly loose: ReadonlyMap<string, number>;
}
export interface ArrayNode {
  readonly kind: "array";
  readonly path: string;
  readonly from: "text" | "offsets" | null;
  readonly column: number;
  /** The table that its elements fill. */
  readonly table: number;
  readonly element: LeafNode | StructNode;
}
export type ShapeNode = LeafNode | StructNode | ArrayNode;

export interface RecordShape {
  readonly type: DataType;
  readonly tables: readonly ShapeTable[];
  readonly root: StructNode;
  /** The form of its rows: a digest of the tables' columns. */
  readonly layout: string;
}

/** A version of the schema, laid out. */
export interface LaidOut {
  readonly version: number;
  /** The version with a part of its digest: what an export's report says. */
  readonly name: string;
  readonly shapes: ReadonlyMap<string, RecordShape>;
}

/** What every record gets from its export. */
export const EXPORT_COLUMNS = ["export_start_date", "export_end_date"] as const;
/** The column that files are parted by. */
export const COHORT = "cohort";
/** A participant's other identifier, which children carry where their parents have it. */
const PARTICIPANT_ID = "ParticipantID";

interface Build {
  readonly dataset: string;
  readonly path: string;
  readonly parent: number | null;
  readonly column: number | null;
  readonly columns: ShapeColumn[];
  readonly taken: ReadonlySet<string>;
}

/**
 * Lays a type out; throws a config error where arrays lie three deep. `tie` names the column whose instant tells the later of two records.
 * `older` is the type as an older version of the schema has it: the records of its exports fill the same tables, by its names and forms.
 */
export function shapeOf(type: DataType, tie: string, older: DataType | null = null): RecordShape {
  const name = `dataset_${type.name.toLowerCase()}`;
  const tables: Build[] = [
    { dataset: name, path: "", parent: null, column: null, columns: [], taken: new Set([COHORT]) },
  ];
  const carried = carriedColumns(type);

  function column(table: number, below: readonly string[], kind: ShapeColumn["type"]): number {
    const { columns, taken, path } = tables[table] as Build;
    const plain = below.join("_");
    const full = `${pathName(path)}_${plain}`;
    return columns.push({ name: path !== "" && taken.has(plain) ? full : plain, type: kind }) - 1;
  }

  function leaf(type_: Scalar, table: number, path: string, below: readonly string[]): LeafNode {
    const at = column(table, below, type_);
    const isTop = table === 0 && below.length === 1;
    const isKey = isTop && type.key.includes(below[0] ?? "");
    const isTie = isTop && below[0] === tie && type_ === "string";
    return { kind: "leaf", type: type_, path, column: at, isKey, isTie };
  }

  function array(
    field: Extract<Field, { readonly array: unknown }>,
    table: number,
    path: string,
    below: readonly string[],
    was: Field | null,
  ): ArrayNode {
    if ((tables[table]?.parent ?? 0) !== 0) {
      throw new HdashError("config", `${type.name}: ${path} is an array in an array in an array`);
    }
    const at = column(table, below, "surrogate");
    const dataset = `${name}_${path.toLowerCase().replaceAll(".", "_")}`;
    const taken = new Set(["id", "index", ...carried, COHORT]);
    const own = tables.push({ dataset, path, parent: table, column: at, columns: [], taken }) - 1;
    const old = was !== null && typeof was !== "string" && "array" in was ? was : null;
    const olds = old === null || typeof old.array === "string" ? null : old.array.struct;
    const element =
      typeof field.array === "string"
        ? leaf(field.array, own, path, [`${below.at(-1) ?? ""}_val`])
        : struct(field.array.struct, own, `${path}.val`, [], false, olds);
    const from = (old ?? field).from ?? null;
    if (from === "offsets" && !isPair(element)) {
      throw new HdashError(
        "config",
        `${type.name}: ${path} was made from offsets, and has not two plain fields any more`,
      );
    }
    return { kind: "array", path, from, column: at, table: own, element };
  }

  function struct(
    fields: Fields,
    table: number,
    path: string,
    below: readonly string[],
    isText: boolean,
    olds: Fields | null,
  ): StructNode {
    const names = Object.keys(fields);
    const pathOf = (one: string): string => (path === "" ? one : `${path}.${one}`);
    const sent = olderNames(names, Object.keys(olds ?? {}), (one) => type.aliases[pathOf(one)]);
    const oldOf = new Map([...sent].map(([one, index]) => [index, olds?.[one] ?? null]));
    const nodes = names.map((one, index): ShapeNode => {
      const field = fields[one] as Field;
      const was = oldOf.get(index) ?? null;
      const [own, deeper] = [pathOf(one), [...below, one]];
      if (typeof field === "string") return leaf(field, table, own, deeper);
      if ("array" in field) return array(field, table, own, deeper, was);
      const old = was !== null && typeof was !== "string" && "struct" in was ? was : null;
      const isWritten = (old ?? field).from === "text";
      return struct(field.struct, table, own, deeper, isWritten, old?.struct ?? null);
    });
    const exact = new Map([...names.map((one, index) => [one, index] as const), ...sent]);
    const loose = new Map<string, number>();
    const learn = (one: string, index: number): void => {
      if (!loose.has(looseName(one))) loose.set(looseName(one), index);
    };
    sent.forEach((index, one) => learn(one, index));
    names.forEach(learn);
    sent.forEach((index, one) => {
      for (const other of older?.aliases[pathOf(one)] ?? []) learn(other, index);
    });
    names.forEach((one, index) => {
      for (const other of type.aliases[pathOf(one)] ?? []) learn(other, index);
    });
    return { kind: "struct", path, isText, table, below, names, nodes, exact, loose };
  }

  const root = struct(type.fields, 0, "", [], false, older?.fields ?? null);
  const forms = tables.map(({ dataset: of, columns }) => [
    of,
    columns.map(({ name: as, type: kind }) => [as, kind]),
  ]);
  return { type, tables, root, layout: digestOfJson(forms).slice(0, LAYOUT_LETTERS) };
}

/** So much of a digest tells all forms of a type apart. */
const LAYOUT_LETTERS = 16;

/**
 * Tells which field each name of an older version is now: the one that says that it was called so, where the older version had none of its
 * name, or else the one that is called so still.
 */
function olderNames(
  names: readonly string[],
  olds: readonly string[],
  aliasesOf: (name: string) => readonly string[] | undefined,
): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const old of olds) {
    const renamed = names.findIndex(
      (one) => !olds.includes(one) && aliasesOf(one)?.includes(old) === true,
    );
    const index = renamed === -1 ? names.indexOf(old) : renamed;
    if (index !== -1) found.set(old, index);
  }
  return found;
}

function isPair(element: LeafNode | StructNode): boolean {
  if (element.kind === "leaf") return false;
  return element.nodes.length === 2 && element.nodes.every(({ kind }) => kind === "leaf");
}

/** Columns of a record that the tables of its arrays carry as well: its key, and the participant's other identifier. */
export function carriedColumns(type: DataType): readonly string[] {
  const more = type.fields[PARTICIPANT_ID] === "string" && !type.key.includes(PARTICIPANT_ID);
  return more ? [...type.key, PARTICIPANT_ID] : type.key;
}

/** A path as part of a column's name. */
export function pathName(path: string): string {
  return path.replaceAll(".", "_");
}

/** A name without regard to case and white space. */
export function looseName(name: string): string {
  return name.toLowerCase().replace(/\s+/g, "");
}
