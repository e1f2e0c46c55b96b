// The master file view of one project, as Synapse gives it in CSV, folded while it is read into what counting files needs.

import { HdashError } from "../../../error.ts";
import { readCsv } from "../../../formats/csv.ts";
import { cellText, type CsvEscape, type CsvRecord } from "../../../formats/csvRecord.ts";
import { FILE_KINDS, type FileKind, type ViewRow } from "./analysis.ts";
import { cellIs, cellNumber, entityNumber, isAbsentCell } from "./cellBytes.ts";
import { isSafeName, kindOf } from "./fileKind.ts";
import { keptValue, plainText } from "./keptValue.ts";
import { isAbsent } from "./missing.ts";
import { cleanText } from "./spelling.ts";

/** The columns to ask the view for. */
export const VIEW_COLUMNS = [
  "id",
  "name",
  "type",
  "parentId",
  "projectId",
  "Component",
  "modifiedOn",
  "dataFileSizeBytes",
  "dataFileMD5Hex",
] as const;
type ViewColumn = (typeof VIEW_COLUMNS)[number];

const FILE = Buffer.from("file");
const FOLDER = Buffer.from("folder");

/** Without these a row says nothing. */
const NEEDED: readonly ViewColumn[] = ["id", "name", "type", "parentId"];

/** A folder. Ids of entities are the digits of "syn123", as a number. */
export interface Folder {
  readonly name: string;
  /** 0: none that can be read. */
  readonly parent: number;
}

/** The data files that lie directly in one folder (or project); manifests are not among them. */
export interface FolderTally {
  sizeBytes: number;
  annotated: number;
  unannotated: number;
  readonly counts: Record<FileKind, number>;
}

/** Rows of one kind of trouble: how many, and the first as an example. */
export interface ViewProblem {
  readonly column: string;
  readonly count: number;
  readonly firstRow: number;
  readonly firstValue: string;
}

/**
 * A view as far as it is needed: about 150 bytes for each folder, 300 for each manifest and badly named file,
 * and 8 for any other file, so that a million rows take little more memory than their folders.
 */
export interface ViewRows {
  readonly rows: number;
  readonly folders: ReadonlyMap<number, Folder>;
  readonly tallies: ReadonlyMap<number, FolderTally>;
  /** The digits of every file's id, in the order of the rows. */
  readonly fileIds: readonly number[];
  /** Manifests, also those that a newer one replaces. */
  readonly manifests: readonly ViewRow[];
  /** Data files with names that repositories downstream refuse. */
  readonly unsafe: readonly ViewRow[];
  readonly problems: readonly ViewProblem[];
}

export interface ViewOptions {
  /** How quotes within quotes are written, besides doubled. */
  readonly escape?: CsvEscape;
  /** Rows of other projects are passed over; null: take all rows. */
  readonly projectId?: string | null;
}

/** Reads the view's CSV, whose first row names the columns. Throws a permanent error where columns that are needed are missing, or quotes are not closed. */
export async function readView(
  chunks: AsyncIterable<Uint8Array>,
  options: ViewOptions = {},
): Promise<ViewRows> {
  const { escape = '"', projectId = null } = options;
  const fold = makeFold();
  let columns: Readonly<Record<ViewColumn, number>> | null = null;
  const { unclosedRow, overlongRow } = await readCsv(
    chunks,
    (record) => {
      if (columns === null) columns = readHeader(record);
      else if (projectId === null || cellText(record, columns.projectId) === projectId) {
        fold.add(record, columns);
      }
      return true;
    },
    escape,
  );
  const damagedRow = unclosedRow ?? overlongRow;
  if (damagedRow !== null) {
    throw new HdashError(
      "permanent",
      `the file view's answer is damaged: a quote in row ${damagedRow} is not closed`,
    );
  }
  if (columns === null) {
    throw new HdashError("permanent", "the file view's answer is empty: not even column names");
  }
  return fold.result();
}

/** Finds the columns; one that is not there gets an index beyond all cells, which reads as empty. */
function readHeader(record: CsvRecord): Readonly<Record<ViewColumn, number>> {
  const names = Array.from({ length: record.length }, (_, index) => cellText(record, index));
  const missing = NEEDED.filter((name) => !names.includes(name));
  if (missing.length > 0) {
    throw new HdashError(
      "permanent",
      `the file view's answer has no column ${missing.join(", ")}; it has ${names.join(", ")}`,
    );
  }
  const at = (name: ViewColumn): number =>
    names.includes(name) ? names.indexOf(name) : Number.MAX_SAFE_INTEGER;
  return Object.fromEntries(VIEW_COLUMNS.map((name) => [name, at(name)])) as Record<
    ViewColumn,
    number
  >;
}

type Columns = Readonly<Record<ViewColumn, number>>;

function makeFold() {
  let rows = 0;
  const folders = new Map<number, Folder>();
  const tallies = new Map<number, FolderTally>();
  const manifests: ViewRow[] = [];
  const unsafe: ViewRow[] = [];
  const fileIds: number[] = [];
  const problems = new Map<string, { count: number; firstRow: number; firstValue: string }>();

  return {
    add,
    result: (): ViewRows => ({
      ...{ rows, folders, tallies, fileIds, manifests, unsafe },
      problems: list(),
    }),
  };

  function add(record: CsvRecord, columns: Columns): void {
    rows += 1;
    const isFolder = cellIs(record, columns.type, FOLDER);
    // A view can also hold tables and links, which are no files.
    if (!isFolder && !cellIs(record, columns.type, FILE)) {
      if (cellText(record, columns.type) === "") trouble(record, "type", "");
      return;
    }
    const id = entityNumber(record, columns.id);
    const name = cellText(record, columns.name);
    if (id === 0) return trouble(record, "id", cellText(record, columns.id));
    if (name === "") return trouble(record, "name", "");
    const parent = entityNumber(record, columns.parentId);
    if (parent === 0) trouble(record, "parentId", cellText(record, columns.parentId));
    if (isFolder) folders.set(id, { name: plainText(name), parent });
    else {
      fileIds.push(id);
      addFile(record, columns, name, parent);
    }
  }

  function addFile(record: CsvRecord, columns: Columns, name: string, parent: number): void {
    const kind = kindOf(name);
    if (kind === null) return;
    const sizeBytes = readSize(record, columns.dataFileSizeBytes);
    if (kind === "METADATA") {
      manifests.push(readFile(record, columns, sizeBytes));
      return;
    }
    const tally = tallies.get(parent) ?? addTally(parent);
    tally.sizeBytes += sizeBytes;
    tally.counts[kind] += 1;
    if (isUnannotated(record, columns.Component)) tally.unannotated += 1;
    else tally.annotated += 1;
    if (!isSafeName(name)) unsafe.push(readFile(record, columns, sizeBytes));
  }

  function addTally(parent: number): FolderTally {
    const counts = Object.fromEntries(FILE_KINDS.map((kind) => [kind, 0])) as Record<
      FileKind,
      number
    >;
    const tally = { sizeBytes: 0, annotated: 0, unannotated: 0, counts };
    tallies.set(parent, tally);
    return tally;
  }

  function readFile(record: CsvRecord, columns: Columns, sizeBytes: number): ViewRow {
    const component = cellText(record, columns.Component);
    const md5 = cellText(record, columns.dataFileMD5Hex);
    return {
      id: cellText(record, columns.id),
      name: plainText(cellText(record, columns.name)),
      type: "file",
      parentId: cellText(record, columns.parentId),
      // As it is written: the manifest's findings say where it differs from the template.
      component: isAbsent(cleanText(component)) ? null : keptValue(component),
      modifiedOn: readMoment(record, columns.modifiedOn),
      sizeBytes,
      md5: isAbsent(md5) ? null : md5,
    };
  }

  /** Reads a size; one that is missing is 0. */
  function readSize(record: CsvRecord, column: number): number {
    const digits = cellNumber(record, column);
    if (!Number.isNaN(digits)) return digits;
    const text = cellText(record, column);
    if (isAbsent(text)) return 0;
    const size = Number(text);
    if (Number.isFinite(size) && size >= 0) return size;
    trouble(record, "dataFileSizeBytes", text);
    return 0;
  }

  /** Reads a moment in milliseconds, or in ISO 8601; one that is missing is 0. */
  function readMoment(record: CsvRecord, column: number): number {
    const text = cellText(record, column);
    if (isAbsent(text)) return 0;
    // Without a zone it is UTC, wherever this runs.
    const zoned = /(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`;
    const moment = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Date.parse(zoned);
    if (Number.isFinite(moment)) return moment;
    trouble(record, "modifiedOn", text);
    return 0;
  }

  function trouble(record: CsvRecord, column: string, value: string): void {
    const known = problems.get(column);
    if (known === undefined)
      problems.set(column, { count: 1, firstRow: record.row, firstValue: keptValue(value) });
    else known.count += 1;
  }

  function list(): ViewProblem[] {
    return [...problems].map(([column, problem]) => ({ column, ...problem }));
  }
}

/** Returns the digits of a Synapse id as a number; 0 where it is none. */
export function entityNumberOf(id: string): number {
  return /^syn\d{1,15}$/.test(id) ? Number(id.slice(3)) : 0;
}

/** An annotation of nothing but blanks is none. */
function isUnannotated(record: CsvRecord, column: number): boolean {
  if (isAbsentCell(record, column)) return true;
  const first = record.bytes[record.starts[column] ?? 0] ?? 0;
  return (first <= 0x20 || first >= 0x7f) && isAbsent(cleanText(cellText(record, column)));
}
