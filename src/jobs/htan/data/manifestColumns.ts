// The columns of manifests: which are known by name, and what is done with the cells of each.

import { type Components, idColumnsOf, listColumnsOf } from "./components.ts";
import { cleanName, cleanText, foldName } from "./spelling.ts";

export const COMPONENT_COLUMN = "Component";
export const ENTITY_COLUMN = "entityId";
/** Where a record names its specimen whose parent file is "Not Applicable". */
export const PARENT_BIOSPECIMEN_COLUMN = "HTAN Parent Biospecimen ID";
const PARTICIPANT_COLUMN = "HTAN Participant ID";

/** Columns that every record has filled by design: they would only flatter the completeness. */
const NOT_FIELDS: ReadonlySet<string> = new Set([
  PARTICIPANT_COLUMN,
  "HTAN Parent ID",
  "HTAN Biospecimen ID",
  COMPONENT_COLUMN,
  ENTITY_COLUMN,
]);

/** Columns of treatments, as they are called now and in older manifests. */
export const THERAPY_COLUMNS = {
  label: ["Treatment Type", "Treatment Type 1"],
  start: ["Days to Treatment Start", "Days to Treatment Start 1"],
  end: ["Days to Treatment End", "Days to Treatment End 1"],
} as const;
/** Columns of how a specimen was taken. */
export const SPECIMEN_COLUMNS = {
  method: "Acquisition Method Type",
  day: "Collection Days from Index",
  site: "Site of Resection or Biopsy",
  source: "Site Data Source",
} as const;
const FURTHER_COLUMNS: readonly string[] = [
  PARENT_BIOSPECIMEN_COLUMN,
  ...Object.values(THERAPY_COLUMNS).flat(),
  ...Object.values(SPECIMEN_COLUMNS),
];

/** Which columns are kept: those of the component, or of any where the component is not known before the first record. */
function keptColumns(component: string | null, components: Components): ReadonlySet<string> {
  const known = component === null ? undefined : components.byName.get(component);
  const list = component === null ? components.list : known === undefined ? [] : [known];
  const ids = list.flatMap(idColumnsOf);
  return new Set(list.length === 0 ? [] : [...ids, ...FURTHER_COLUMNS]);
}

/** Columns with several ids in a cell. */
function listColumns(components: Components): ReadonlySet<string> {
  return new Set([...components.list.flatMap(listColumnsOf), PARENT_BIOSPECIMEN_COLUMN]);
}

/** Makes a reader of column names: those that are looked at are known whatever blanks and letters they are written with. */
export function makeColumnReader(
  components: Components,
): (text: string) => { readonly name: string; readonly isKnown: boolean } {
  const known = [...NOT_FIELDS, ...components.list.flatMap(idColumnsOf), ...FURTHER_COLUMNS];
  const byFold = new Map([...new Set(known)].map((name) => [foldName(name), name]));
  return (text) => {
    const known = byFold.get(foldName(text));
    return { name: known ?? cleanName(text), isKnown: known !== undefined };
  };
}

// What is done with a column's cells: bits, of which a column has one or several. A column of which nothing is done has none.
/** Is a field. */
export const COUNT = 1;
/** Is looked at by checks, grids or timelines. */
export const KEEP = 2;
/** Holds the Synapse ids of files. */
export const CHECK_ENTITY = 4;
/** May hold several ids. */
export const LIST = 8;
/** Holds ids: one, or several where it is a list. */
export const IDS = 16;
/** Has no name: padding of a spreadsheet, unless a value stands in it. */
export const NAMELESS = 32;

/** Tells what is done with each column's cells. */
export function tasksOf(
  names: readonly string[],
  component: string | null,
  components: Components,
): Uint8Array<ArrayBuffer> {
  const keep = keptColumns(component, components);
  const lists = listColumns(components);
  const ids = new Set([...components.list.flatMap(idColumnsOf), PARENT_BIOSPECIMEN_COLUMN]);
  // From the last to the first, so that the first place of a name is what remains.
  const placeOf = new Map(names.map((name, index) => [name, index] as const).reverse());
  return Uint8Array.from(names, (name, index) => {
    const isFirst = placeOf.get(name) === index;
    const isKept = isFirst && keep.has(name);
    return (
      (NOT_FIELDS.has(name) ? 0 : isNameless(name) ? NAMELESS : COUNT) +
      (isKept ? KEEP : 0) +
      (isKept && ids.has(name) ? IDS : 0) +
      (isKept && lists.has(name) ? LIST : 0) +
      (isFirst && name === ENTITY_COLUMN ? CHECK_ENTITY : 0)
    );
  });
}

/** A column without a name, or with the one that pandas gives to such. */
function isNameless(name: string): boolean {
  return name === "" || /^Unnamed: \d+$/.test(name);
}

/** Tells whether a text is the name of a column that manifests have; what may stand between names is in none of them. */
export function isManifestColumn(text: string): boolean {
  return !/[,;|\t]/.test(cleanText(text)) && MANIFEST_COLUMN.test(foldName(text));
}
// "HTAN BU" is no name of a column but an atlas's, which stands in records.
const MANIFEST_COLUMN = /^(?:component|entityid|filename|(?:[\w-]+ )?htan .*\bids?)$/;
