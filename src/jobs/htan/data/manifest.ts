// A manifest as read from its CSV: only the columns that checks, grids and timelines look at, and how many of its fields are filled.

import type { Finding } from "../../../finding.ts";
import type { CsvFacts } from "../../../formats/csv.ts";
import { type Dialect, openTable } from "../../../formats/csvDialect.ts";
import { cellText, type CsvRecord, INTRICATE } from "../../../formats/csvRecord.ts";
import type { ManifestEntry } from "./analysis.ts";
import { cellIs } from "./cellBytes.ts";
import type { Components } from "./components.ts";
import type { BadEntityId } from "./entityColumn.ts";
import { type CellReader, makeCellReader, type NotId } from "./manifestCells.ts";
import {
  COMPONENT_COLUMN,
  isManifestColumn,
  makeColumnReader,
  tasksOf,
} from "./manifestColumns.ts";
import { findProblems, guessFormat, ROWS_NAMED } from "./manifestProblems.ts";
import { isAbsent } from "./missing.ts";
import { type ComponentRun, makeOwnComponents, type OwnComponent } from "./ownComponents.ts";
import { isBlankRow, isRagged, makeHeaderSense, type Widths, widthsOf } from "./rowSense.ts";
import { cleanText, foldName, makeComponentReader } from "./spelling.ts";
import { makeSpellingNotes } from "./spellingNotes.ts";

/** A manifest in memory: some 40 bytes for each id or value that is kept. */
export interface Manifest {
  readonly entry: ManifestEntry;
  /** As annotated in the view, else as the first of its records says; null where neither does. As the component table spells it. */
  readonly component: string | null;
  readonly isAnnotated: boolean;
  /** What its records say, each in its own row, in the order of rows. */
  readonly ownComponents: readonly OwnComponent[];
  readonly componentRuns: readonly ComponentRun[];
  /** Names of its columns, in order; those that hdash knows are spelt as it knows them. */
  readonly columns: readonly string[];
  readonly records: number;
  readonly fields: number;
  readonly filledFields: number;
  /** Column → a cell for each record, fit to be published, "" where it is absent. Holds the columns that are looked at, as far as the manifest has them. */
  readonly cells: ReadonlyMap<string, readonly string[]>;
  /** Cells of ids that held something else: that is not in `cells`, since it may name a person. */
  readonly notIds: readonly NotId[];
  /** The digits of each record's entityId; 0 where it is none. Empty where there is no such column. */
  readonly entityNumbers: readonly number[];
  /** Records whose entityId is not that of a Synapse entity; the value is null where it may be anything, and is not to be shown. */
  readonly badEntityIds: readonly BadEntityId[];
  /** Records whose entityId begins as one does, but is none. */
  readonly oddEntityIds: readonly BadEntityId[];
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
  const table = await openTable(chunks, isManifestColumn);
  const reading = makeReading(entry, table.dialect, components);
  const facts = await table.read((record) => reading.add(record));
  return reading.finish(facts);
}

const NO_ENTITIES = { entityNumbers: [], badEntityIds: [], oddEntityIds: [] };

/** Rows that are no records, and records of another length than the header. */
interface OddRows {
  /** Rows that repeat the column names. */
  readonly headerRows: number[];
  secondTableRow: number | null;
  readonly ragged: CountedRows;
  readonly componentRows: CountedRows;
}

interface CountedRows {
  count: number;
  readonly rows: number[];
}

function noOddRows(): OddRows {
  const none = (): CountedRows => ({ count: 0, rows: [] });
  return { headerRows: [], secondTableRow: null, ragged: none(), componentRows: none() };
}

function countRow(counted: CountedRows, row: number): void {
  counted.count += 1;
  if (counted.rows.length < ROWS_NAMED) counted.rows.push(row);
}

function makeReading(entry: ManifestEntry, dialect: Dialect, components: Components) {
  const readComponent = makeComponentReader(components);
  const annotation = entry.component === null ? "" : cleanText(entry.component);
  const annotated = isAbsent(annotation) ? null : readComponent(annotation);
  const own = makeOwnComponents((name) => components.byName.has(name) || name === annotated);
  const spelling = makeSpellingNotes();
  const odd = noOddRows();
  const rowsFrom: [number, number][] = [];
  let columns: readonly string[] = [];
  let cells: CellReader | null = null;
  let widths: Widths = { least: 0, most: 0 };
  let headerRow: ReturnType<typeof makeHeaderSense> = () => null;
  let componentColumn = -1;
  /** The component cell of the record before, as it is written there. */
  let lastComponent = Buffer.alloc(0);
  let records = 0;
  let nextRow = 0;
  let format: string | null = null;
  let isCsv = true;

  return { add, finish };

  function add(record: CsvRecord): boolean {
    if (cells === null) return readHeader(record);
    // Nearly every record begins as the one before; what does not may be no record at all.
    const isSame = lastComponent.length > 0 && cellIs(record, componentColumn, lastComponent);
    if (!isSame) {
      if (isBlankRow(record)) return true;
      const names = headerRow(record);
      if (names === "other") odd.secondTableRow = record.row;
      if (names === "same") odd.headerRows.push(record.row);
      if (names !== null) return names === "same";
    }
    if (record.row !== nextRow) rowsFrom.push([records, record.row]);
    nextRow = record.row + 1;
    const hasLength = record.length >= widths.least && record.length <= widths.most;
    const isOdd = !hasLength && isRagged(record, widths);
    if (isOdd) countRow(odd.ragged, record.row);
    if (isSame) own.repeat();
    else addComponent(record, cells, isOdd);
    cells.read(record);
    records += 1;
    return true;
  }

  function readHeader(record: CsvRecord): boolean {
    const texts = Array.from({ length: record.length }, (_, index) => cellText(record, index));
    format = guessFormat(record.bytes.subarray(record.starts[0] ?? 0));
    isCsv = dialect.place?.kind === "first row";
    if (!isCsv) return false;
    const read = texts.map(makeColumnReader(components));
    columns = read.map(({ name }) => name);
    widths = widthsOf(columns);
    headerRow = makeHeaderSense(columns.map(foldName), isManifestColumn);
    componentColumn = columns.indexOf(COMPONENT_COLUMN);
    const tasks = tasksOf(columns, annotated, components);
    cells = makeCellReader(columns, tasks, dialect.separator, spelling);
    for (const [index, { name, isKnown }] of read.entries()) {
      if (name !== texts[index]) spelling.addColumn(texts[index] ?? "", name, isKnown);
    }
    rowsFrom.push([0, record.row + 1]);
    nextRow = record.row + 1;
    return true;
  }

  function addComponent(record: CsvRecord, { textOf }: CellReader, isOdd: boolean): void {
    const text = textOf(record, componentColumn);
    const read = isAbsent(cleanText(text)) ? "" : readComponent(text);
    // In a row of another length the cell may be another column's, which no message may show; empty cells at its end tell of a shift.
    const isMoved = isOdd || record.length !== columns.length;
    const name = isMoved && !components.byName.has(read) ? "" : read;
    const isName = own.add(records, record.row, name);
    // Of a row of another length another finding says that it is.
    if (!isName || (name !== read && !isOdd)) countRow(odd.componentRows, record.row);
    const isPlain = isName && text === name && record.kinds[componentColumn] !== INTRICATE;
    lastComponent = isPlain ? Buffer.from(name) : Buffer.alloc(0);
    if (isName && name !== "" && name !== text) {
      spelling.addCell(record.row, COMPONENT_COLUMN, text, name);
    }
  }

  function finish(facts: CsvFacts): Manifest {
    const component = annotated ?? own.list[0]?.name ?? null;
    const isMixed = annotated === null && own.list.length > 1;
    const counted = isMixed ? own.list.map(({ name }) => name) : [component];
    if (annotated !== null && annotated !== entry.component) {
      spelling.addAnnotation(entry.component ?? "", annotated);
    }
    const counts = cells?.counts(records) ?? { fields: 0, filledFields: 0, swallowingRow: null };
    const content = {
      columns: cells === null ? null : columns,
      annotated,
      ownComponents: own.list,
      dialect,
      format,
      isCsv,
      records,
      ...odd,
      swallowingRow: counts.swallowingRow,
      spelling: spelling.notes(),
    };
    const table = counted.map((name) => components.byName.get(name ?? "") ?? name);
    return {
      entry,
      component,
      isAnnotated: annotated !== null,
      ownComponents: own.list,
      componentRuns: own.runs,
      columns,
      records,
      fields: counts.fields,
      filledFields: counts.filledFields,
      cells: cells?.cells ?? new Map(),
      notIds: cells?.notIds ?? [],
      ...(cells?.entities ?? NO_ENTITIES),
      rowsFrom,
      problems: findProblems(entry, table, content, facts),
    };
  }
}
