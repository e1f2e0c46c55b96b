// A crate as it was read, and words for rules about it: entities by id and type, what refers to what.

export type Value = unknown;
export type Row = Readonly<Record<string, Value>>;
/** A crate as it was read: nothing of it is believed. */
export interface ReadCrate {
  readonly "@context"?: Value;
  readonly "@graph"?: Value;
}

/** What a rule wants: MUST and SHOULD as the specifications say it; OURS is stricter than they are. */
export interface Rule {
  readonly id: string;
  readonly level: "MUST" | "SHOULD" | "OURS";
  readonly says: string;
  readonly check: (crate: Graph) => readonly string[];
}

export interface Graph {
  readonly context: readonly Value[];
  readonly all: readonly Row[];
  readonly get: (id: string) => Row | undefined;
  readonly of: (type: string) => readonly Row[];
  readonly root: Row;
  readonly descriptor: Row;
  readonly workflow: Row;
}

export const listOf = (value: Value): readonly Value[] =>
  value === undefined ? [] : Array.isArray(value) ? (value as readonly Value[]) : [value];
export const refs = (value: Value): readonly string[] =>
  listOf(value).flatMap((one) =>
    typeof one === "object" && one !== null && "@id" in one ? [String(one["@id"])] : [],
  );
export const idOf = (row: Row): string => String(row["@id"]);
export const hasType = (row: Row, type: string): boolean => listOf(row["@type"]).includes(type);
export const isText = (value: Value): value is string => typeof value === "string" && value !== "";
export const without = (
  rows: readonly Row[],
  name: string,
  isRight: (value: Value, row: Row) => boolean = (value) => value !== undefined,
) =>
  rows
    .filter((row) => !isRight(row[name], row))
    .map((row) => `${idOf(row)}: ${name} is ${JSON.stringify(row[name])}`);
export const isTime = (value: Value): boolean =>
  isText(value) &&
  /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/.test(value) &&
  !Number.isNaN(Date.parse(value));
export const timeOf = (value: Value): number => (isText(value) ? Date.parse(value) : NaN);
export const isAbsolute = (id: string): boolean => /^[a-z][a-z0-9+.-]*:/i.test(id);
export const unless = (isRight: boolean, what: string): readonly string[] =>
  isRight ? [] : [what];
export const actions = (crate: Graph): readonly Row[] =>
  ["CreateAction", "ControlAction", "OrganizeAction"].flatMap(crate.of);
export const STATUS = "http://schema.org/";
export const tools = (crate: Graph): readonly Row[] =>
  [...new Set(crate.of("CreateAction").flatMap((row) => refs(row["instrument"])))]
    .map((id) => crate.get(id))
    .filter((row): row is Row => row !== undefined);
export const isTyped = (id: string, types: readonly string[], crate: Graph): boolean =>
  types.some((type) => hasType(crate.get(id) ?? {}, type));

export function isUriReference(id: string): boolean {
  try {
    new URL(id, "https://crate.example/");
    return !/%(?![0-9A-Fa-f]{2})/.test(id);
  } catch {
    return false;
  }
}

/** Reads a crate; what is missing is empty. */
export function readGraph(crate: ReadCrate): Graph {
  const all = listOf(crate["@graph"]) as readonly Row[];
  const byId = new Map(all.map((row) => [idOf(row), row]));
  const root = byId.get("./") ?? {};
  return {
    context: listOf(crate["@context"]),
    all,
    get: (id) => byId.get(id),
    of: (type) => all.filter((row) => hasType(row, type)),
    root,
    descriptor: byId.get("ro-crate-metadata.json") ?? {},
    workflow: byId.get(refs(root["mainEntity"])[0] ?? "") ?? {},
  };
}
