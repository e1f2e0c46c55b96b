// Which components hdash knows, and in which columns their records and links are. Its content is config/htan_components.json.

import { HdashError } from "../../../error.ts";

/** A table describes an assay's reagents or regions: its rows share an id or have none. A publication names the files it rests on. */
const KINDS = ["clinical", "biospecimen", "assay", "table", "publication"] as const;
export type ComponentKind = (typeof KINDS)[number];

/** What a component's template has at one time. */
export interface Template {
  readonly kind: ComponentKind;
  /** Column of a record's own id; null where records have none. */
  readonly primaryIdColumn: string | null;
  /** Columns of its parents' ids; a record may name parents in any of them. */
  readonly parentIdColumns: readonly string[];
}

/** A component: one kind of manifest. */
export interface Component extends Template {
  readonly component: string;
  /** e.g. "sc_rna_seq": which grid shows it. */
  readonly group: string;
  /** Stands before a record's id in the network, e.g. "SC1". */
  readonly abbreviation: string;
  readonly adjacentIdColumn: string | null;
  /** Whether its grid has a column for it only where an atlas has such data. */
  readonly isRare: boolean;
  /** What its template was before, where manifests of that time are around; else null. */
  readonly older: Template | null;
}

/** The table in its order, which is the order in which checks walk, and by name. */
export interface Components {
  readonly list: readonly Component[];
  readonly byName: ReadonlyMap<string, Component>;
}

/** Tells which template a manifest with these columns was made from: the older one where it has that one's own id and not today's. */
export function asTemplated(component: Component, columns: readonly string[]): Component {
  const { older, primaryIdColumn } = component;
  if (older === null || older.primaryIdColumn === null || primaryIdColumn === null)
    return component;
  const isOlder = !columns.includes(primaryIdColumn) && columns.includes(older.primaryIdColumn);
  return isOlder ? { ...component, ...older } : component;
}

/** Lists the columns with ids that any template of a component has: own, parents', adjacent. */
export function idColumnsOf({ older, ...component }: Component): readonly string[] {
  const templates = older === null ? [component] : [component, older];
  const columns = templates.flatMap((one) => [one.primaryIdColumn, ...one.parentIdColumns]);
  return [...columns, component.adjacentIdColumn].filter((column) => column !== null);
}

/** Lists the columns whose cells may hold several ids. */
export function listColumnsOf({ older, ...component }: Component): readonly string[] {
  const further = [...(older?.parentIdColumns ?? []), component.adjacentIdColumn];
  return [...component.parentIdColumns, ...further].filter((column) => column !== null);
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

type Values = Readonly<Record<string, unknown>>;

function readComponent(entry: unknown, place: string, problems: string[]): Component | null {
  if (!isObject(entry)) {
    problems.push(`${place} is no object but ${typeName(entry)}`);
    return null;
  }
  const before = problems.length;
  const { text, textOrNull, ...reading } = makeFields(entry, place, problems);
  // Order of reading is order of complaints.
  const kind = reading.kind();
  const component = {
    component: text("component"),
    kind,
    group: text("group"),
    abbreviation: text("abbreviation"),
    ...reading.idColumns(kind),
    adjacentIdColumn: textOrNull("adjacentIdColumn"),
    isRare: reading.flag("rare"),
    older: readOlder(entry["older"], `${place}: older`, problems),
  };
  return problems.length === before ? component : null;
}

function readOlder(entry: unknown, place: string, problems: string[]): Template | null {
  if (entry === undefined) return null;
  if (!isObject(entry)) {
    problems.push(`${place} is no object but ${typeName(entry)}`);
    return null;
  }
  const { kind: readKind, idColumns } = makeFields(entry, place, problems);
  const kind = readKind();
  return { kind, ...idColumns(kind) };
}

function makeFields(values: Values, place: string, problems: string[]) {
  const text = (field: string): string => {
    const value = values[field];
    if (typeof value === "string" && value !== "") return value;
    problems.push(`${place}: ${field} is no text but ${shown(value)}`);
    return "";
  };
  const textOrNull = (field: string): string | null =>
    values[field] === null ? null : text(field);
  return {
    text,
    textOrNull,
    kind(): ComponentKind {
      const kind = KINDS.find((known) => known === values["kind"]);
      if (kind === undefined) {
        problems.push(`${place}: kind is none of ${KINDS.join(", ")} but ${shown(values["kind"])}`);
      }
      return kind ?? "assay";
    },
    flag(field: string): boolean {
      const value = values[field] ?? false;
      if (typeof value !== "boolean") {
        problems.push(`${place}: ${field} is neither true nor false but ${shown(value)}`);
      }
      return value === true;
    },
    idColumns(kind: ComponentKind): Pick<Template, "primaryIdColumn" | "parentIdColumns"> {
      const mayLackId = kind === "table" || kind === "publication";
      const own = mayLackId ? textOrNull("primaryIdColumn") : text("primaryIdColumn");
      const parents = values["parentIdColumn"];
      if (Array.isArray(parents) && parents.length > 0 && parents.every(isText)) {
        return { primaryIdColumn: own, parentIdColumns: parents };
      }
      const one = textOrNull("parentIdColumn");
      return { primaryIdColumn: own, parentIdColumns: one === null ? [] : [one] };
    },
  };
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function isObject(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function typeName(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "a list" : typeof value;
}

function shown(value: unknown): string {
  return value === undefined ? "missing" : JSON.stringify(value);
}
