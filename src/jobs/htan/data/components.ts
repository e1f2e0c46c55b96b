// The component table: which components hdash knows, and in which columns their records and links are. Its content is config/htan_components.json.

import { HdashError } from "../../../error.ts";

const KINDS = ["clinical", "biospecimen", "assay"] as const;
export type ComponentKind = (typeof KINDS)[number];

/** A component: one kind of manifest. */
export interface Component {
  readonly component: string;
  readonly kind: ComponentKind;
  /** e.g. "sc_rna_seq": which grid shows it. */
  readonly group: string;
  /** Stands before a record's id in the network, e.g. "SC1". */
  readonly abbreviation: string;
  /** Columns of a record's own id, its parents' ids and its adjacent ids. */
  readonly primaryIdColumn: string;
  readonly parentIdColumn: string | null;
  readonly adjacentIdColumn: string | null;
}

/** The table in its order, which is the order in which checks walk, and by name. */
export interface Components {
  readonly list: readonly Component[];
  readonly byName: ReadonlyMap<string, Component>;
}

/** Reads the component table from its JSON; throws a config error that names every entry and value that is wrong. */
export function readComponents(json: unknown): Components {
  if (!Array.isArray(json)) {
    throw new HdashError("config", `the component table is no list but ${typeName(json)}`);
  }
  const problems: string[] = [];
  const list = json.flatMap((entry: unknown, index) => {
    const component = readComponent(entry, `entry ${index + 1}`, problems);
    return component === null ? [] : [component];
  });
  const byName = new Map(list.map((component) => [component.component, component]));
  for (const field of ["component", "abbreviation"] as const) {
    const seen = new Set<string>();
    for (const component of list) {
      if (seen.has(component[field])) {
        problems.push(`${field} ${JSON.stringify(component[field])} is there twice`);
      }
      seen.add(component[field]);
    }
  }
  if (problems.length > 0) {
    throw new HdashError("config", `the component table is wrong: ${problems.join("; ")}`);
  }
  return { list, byName };
}

function readComponent(entry: unknown, place: string, problems: string[]): Component | null {
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) {
    problems.push(`${place} is no object but ${typeName(entry)}`);
    return null;
  }
  const before = problems.length;
  const values = entry as Readonly<Record<string, unknown>>;
  const text = (field: string): string => {
    const value = values[field];
    if (typeof value === "string" && value !== "") return value;
    problems.push(`${place}: ${field} is no text but ${shown(value)}`);
    return "";
  };
  const textOrNull = (field: string): string | null =>
    values[field] === null ? null : text(field);
  const kind = KINDS.find((known) => known === values["kind"]);
  if (kind === undefined) {
    problems.push(`${place}: kind is none of ${KINDS.join(", ")} but ${shown(values["kind"])}`);
  }
  const component = {
    component: text("component"),
    kind: kind ?? "assay",
    group: text("group"),
    abbreviation: text("abbreviation"),
    primaryIdColumn: text("primaryIdColumn"),
    parentIdColumn: textOrNull("parentIdColumn"),
    adjacentIdColumn: textOrNull("adjacentIdColumn"),
  };
  return problems.length === before ? component : null;
}

function typeName(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "a list" : typeof value;
}

function shown(value: unknown): string {
  return value === undefined ? "missing" : JSON.stringify(value);
}
