// A manifest as read from its CSV: only the columns that checks, grids and timelines look at, and how many of its fields are filled.

import type { Finding } from "../../../finding.ts";
import {
  cellText,
  type CsvFacts,
  type CsvRecord,
  INTRICATE,
  readCsv,
} from "../../../formats/csv.ts";
import type { ManifestEntry } from "./analysis.ts";
import { type Components, idColumnsOf, listColumnsOf } from "./components.ts";
import { makeEntityColumn } from "./entityColumn.ts";
import { keptList, keptValue } from "./keptValue.ts";
import { findProblems, guessFormat, ROWS_NAMED } from "./manifestProblems.ts";
import { isAbsent, isMissing, isMissingBytes } from "./missing.ts";

const COMPONENT_COLUMN = "Component";
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

/** A manifest in memory: some 40 bytes for each id or value that is kept. */
export interface Manifest {
  readonly entry: ManifestEntry;
  /** As annotated in the view, else as its own records say; null where neither does. */
  readonly component: string | null;
  /** Names of its columns, in order. */
  readonly columns: readonly string[];
  readonly records: number;
  readonly fields: number;
  readonly filledFields: number;
  /** Column → a cell for each record, fit to be published, "" where it is absent. Holds the columns that are looked at, as far as the manifest has them. */
  readonly cells: ReadonlyMap<string, readonly string[]>;
  /** The digits of each record's entityId; 0 where it is none. Empty where there is no such column. */
  readonly entityNumbers: readonly number[];
  /** Records whose entityId is not that of a Synapse entity. */
  readonly badEntityIds: readonly { readonly record: number; readonly value: string }[];
  /** Records whose entityId begins as one does, but is none. */
  readonly oddEntityIds: readonly { readonly record: number; readonly value: string }[];
  /** Where rows are not those before plus one: [record, row] pairs, the first being the first record. */
  readonly rowsFrom: readonly (readonly [record: number, row: number])[];
  /** What is wrong with it as a file. */
  readonly problems: readonly Finding[];
}

/** Tells in which row of the spreadsheet a record is. */
export function rowOf(manifest: Manifest, record: number): number {
  let low = 0;
  let high = manifest.rowsFrom.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((manifest.rowsFrom[middle]?.[0] ?? 0) <= record) low = middle;
    else high = middle - 1;
  }
  const [firstRecord, firstRow] = manifest.rowsFrom[low] ?? [0, 2];
  return firstRow + record - firstRecord;
}

/** Reads a manifest. Whatever is wrong with its content is a finding in it; only a failing stream throws. */
export async function readManifest(
  entry: ManifestEntry,
  chunks: AsyncIterable<Uint8Array>,
  components: Components,
): Promise<Manifest> {
  const reading = makeReading(entry, components);
  const facts = await readCsv(chunks, (record) => reading.add(record));
  return reading.finish(facts);
}

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

/** What is done with a column's cells. */
const COUNT = 1;
const KEEP = 2;
const CHECK_ENTITY = 4;
const FIND_COMPONENT = 8;
const LIST = 16;

/** Tells what is done with each column's cells. */
function tasksOf(
  names: readonly string[],
  component: string | null,
  components: Components,
): Uint8Array<ArrayBuffer> {
  const keep = keptColumns(component, components);
  const lists = listColumns(components);
  // From the last to the first, so that the first place of a name is what remains.
  const placeOf = new Map(names.map((name, index) => [name, index] as const).reverse());
  return Uint8Array.from(names, (name, index) => {
    const isFirst = placeOf.get(name) === index;
    const isKept = isFirst && keep.has(name);
    return (
      (NOT_FIELDS.has(name) ? 0 : COUNT) +
      (isKept ? KEEP : 0) +
      (isKept && lists.has(name) ? LIST : 0) +
      (isFirst && name === ENTITY_COLUMN ? CHECK_ENTITY : 0) +
      (isFirst && name === COMPONENT_COLUMN ? FIND_COMPONENT : 0)
    );
  });
}

function makeReading(entry: ManifestEntry, components: Components) {
  let columns: readonly string[] | null = null;
  let tasks = new Uint8Array(0);
  let ownComponent = "";
  let records = 0;
  let fieldsPerRecord = 0;
  let filledFields = 0;
  let nextRow = 0;
  let swallowingRow: number | null = null;
  let format: string | null = null;
  let isCsv = true;
  const kept: string[][] = [];
  const cells = new Map<string, string[]>();
  const entity = makeEntityColumn();
  const rowsFrom: [number, number][] = [];
  const ragged = { count: 0, rows: [] as number[] };

  return { add, finish };

  function add(record: CsvRecord): boolean {
    if (columns === null) return readHeader(record);
    if (record.row !== nextRow) rowsFrom.push([records, record.row]);
    nextRow = record.row + 1;
    if (record.length !== columns.length && isRagged(record, columns.length)) {
      ragged.count += 1;
      if (ragged.rows.length < ROWS_NAMED) ragged.rows.push(record.row);
    }
    readCells(record, columns.length);
    records += 1;
    return true;
  }

  function readHeader(record: CsvRecord): boolean {
    const names = Array.from({ length: record.length }, (_, index) => cellText(record, index));
    format = guessFormat(record.bytes.subarray(record.starts[0] ?? 0));
    isCsv = names.some(isManifestColumn);
    if (!isCsv) return false;
    columns = names;
    tasks = tasksOf(names, entry.component, components);
    for (const [index, name] of names.entries()) {
      if (((tasks[index] ?? 0) & KEEP) === 0) continue;
      const list: string[] = [];
      cells.set(name, list);
      kept[index] = list;
    }
    fieldsPerRecord = names.filter((name) => !NOT_FIELDS.has(name)).length;
    rowsFrom.push([0, record.row + 1]);
    nextRow = record.row + 1;
    return true;
  }

  function readCells(record: CsvRecord, width: number): void {
    const { bytes, starts, ends, kinds } = record;
    const there = Math.min(record.length, width);
    let filled = 0;
    for (let index = 0; index < there; index++) {
      const task = tasks[index] as number;
      if (task === COUNT) {
        const isEmpty =
          kinds[index] === INTRICATE
            ? isMissing(cellText(record, index))
            : isMissingBytes(bytes, starts[index] as number, ends[index] as number);
        if (!isEmpty) filled += 1;
      } else filled += readSpecial(record, index, task);
    }
    for (let index = there; index < width; index++)
      readSpecial(record, index, tasks[index] as number);
    filledFields += filled;
  }

  /** Reads a cell that is more than counted; returns how much it adds to the filled fields. */
  function readSpecial(record: CsvRecord, index: number, task: number): number {
    if (task === CHECK_ENTITY) {
      entity.add(record, index, () => readText(record, index));
      return 0;
    }
    if (task === FIND_COMPONENT && ownComponent !== "") return 0;
    const text = readText(record, index);
    if ((task & KEEP) !== 0) {
      const value = (task & LIST) !== 0 ? keptList(text) : keptValue(text);
      kept[index]?.push(isAbsent(text) ? "" : value);
    }
    if ((task & FIND_COMPONENT) !== 0 && !isAbsent(text)) ownComponent = keptValue(text.trim());
    return (task & COUNT) !== 0 && !isMissing(text) ? 1 : 0;
  }

  /** Reads a cell that may be published; one that has swallowed other rows reads as empty. */
  function readText(record: CsvRecord, index: number): string {
    const text = cellText(record, index);
    if (!hasSwallowed(text, record.length, columns?.length ?? 0)) return text;
    swallowingRow ??= record.row;
    return "";
  }

  function finish(facts: CsvFacts): Manifest {
    const component = entry.component ?? (ownComponent === "" ? null : ownComponent);
    const content = { columns, ownComponent, format, isCsv, records, ragged, swallowingRow };
    return {
      entry,
      component,
      columns: columns ?? [],
      records,
      fields: records * fieldsPerRecord,
      filledFields,
      cells,
      ...entity.found,
      rowsFrom,
      problems: findProblems(
        entry,
        components.byName.get(component ?? "") ?? component,
        content,
        facts,
      ),
    };
  }
}

/**
 * Tells whether a cell holds pieces of other rows, since a quote was opened in one row and another in a later one closed it. Either its
 * record has another length than the header, or the cell has as many commas as a row has.
 */
function hasSwallowed(text: string, length: number, width: number): boolean {
  if (!text.includes("\n") && !text.includes("\r")) return false;
  return /[\r\n]/.test(text.trim()) && (length !== width || text.split(",").length >= width);
}

/** A row that is too long only by empty cells is what spreadsheets write; it loses nothing. */
function isRagged(record: CsvRecord, width: number): boolean {
  if (record.length < width) return true;
  for (let index = width; index < record.length; index++) {
    if (cellText(record, index) !== "") return true;
  }
  return false;
}

function isManifestColumn(name: string): boolean {
  return (
    name === COMPONENT_COLUMN ||
    name === ENTITY_COLUMN ||
    name === "Filename" ||
    name.startsWith("HTAN ")
  );
}
