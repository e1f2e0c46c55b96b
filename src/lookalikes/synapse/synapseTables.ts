// What the look-alike answers to queries: pages of rows with their tokens, and whole results as CSV files.

import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import type { StoredObject } from "./synapseObjects.ts";
import { columnsOf, columnType, parseSql, selectRows, SqlError } from "./synapseSql.ts";
import type { World } from "./worldFiles.ts";

const MODEL = "org.sagebionetworks.repo.model.table";

/** A query as a request states it: SQL, and what stands beside it. */
export interface PageRequest {
  readonly sql: string;
  readonly limit: number | null;
  readonly offset: number;
}

/** A view at one moment, as one user may see it. */
export interface ViewState {
  readonly world: World;
  readonly viewId: string;
  readonly etag: string;
  readonly hidden: ReadonlySet<string>;
}

/** How a CSV is to be written. */
export interface CsvFormat {
  readonly separator: string;
  readonly quote: string;
  readonly escape: string;
  readonly lineEnd: string;
  readonly hasHeader: boolean;
  readonly hasRowIds: boolean;
}

interface Selection {
  readonly columns: readonly string[];
  /** Where each column stands in a row of the world. */
  readonly places: readonly number[];
  /** Null for COUNT(*), which has one row that is no row of the view. */
  readonly rows: readonly number[] | null;
  readonly count: number;
}

/** Runs SQL on a view. Throws SqlError for what the look-alike does not understand. */
function select(view: ViewState, sql: string): Selection {
  const query = parseSql(sql);
  if (query.table !== view.viewId) {
    throw new SqlError(`The query is about ${query.table}, not about ${view.viewId}`);
  }
  const columns = columnsOf(view.world, query);
  const rows = selectRows(view.world, query, view.hidden);
  const places = columns.map((column) => view.world.columns.indexOf(column));
  if (query.select !== "count") return { columns, places, rows, count: rows.length };
  return { columns, places, rows: null, count: rows.length };
}

/** Checks SQL before a job is made of it. Throws SqlError. */
export function checkSql(view: ViewState, sql: string): void {
  const query = parseSql(sql);
  if (query.table !== view.viewId) {
    throw new SqlError(`The query is about ${query.table}, not about ${view.viewId}`);
  }
  columnsOf(view.world, query);
}

/** Makes a QueryResultBundle with the parts that the mask asks for. */
export function makeBundle(
  view: ViewState,
  request: PageRequest,
  pageRows: number,
  partMask: number,
): unknown {
  const selection = select(view, request.sql);
  const headers = headersOf(selection);
  return {
    concreteType: `${MODEL}.QueryResultBundle`,
    ...(partMask & 0x1 ? { queryResult: makePage(view, request, pageRows) } : {}),
    ...(partMask & 0x2 ? { queryCount: selection.rows === null ? 1 : selection.count } : {}),
    ...(partMask & 0x4 ? { selectColumns: headers } : {}),
    ...(partMask & 0x8 ? { maxRowsPerPage: pageRows } : {}),
    ...(partMask & 0x10 ? { columnModels: headers } : {}),
    ...(partMask & 0x80 ? { lastUpdatedOn: view.world.lastUpdatedOn } : {}),
  };
}

/** Makes a QueryResult: one page of rows, and the token of the next one where there is more. */
export function makePage(view: ViewState, request: PageRequest, pageRows: number): unknown {
  const selection = select(view, request.sql);
  const size = Math.min(pageRows, request.limit ?? pageRows);
  const end = request.offset + size;
  const rows = (selection.rows ?? []).slice(request.offset, end).map((index) => {
    const cells = view.world.row(index);
    return {
      rowId: Number((cells[view.world.columns.indexOf("id")] ?? "").slice(3)),
      versionNumber: 1,
      values: selection.places.map((place) => cells[place] || null),
    };
  });
  const counted = [{ rowId: null, versionNumber: null, values: [String(selection.count)] }];
  const left = request.limit === null ? null : request.limit - size;
  const hasMore = selection.rows !== null && end < selection.count && left !== 0;
  return {
    concreteType: `${MODEL}.QueryResult`,
    queryResults: {
      concreteType: `${MODEL}.RowSet`,
      tableId: view.viewId,
      etag: view.etag,
      headers: headersOf(selection),
      rows: selection.rows === null ? counted : rows,
    },
    nextPageToken: hasMore ? makeToken(view, { sql: request.sql, limit: left, offset: end }) : null,
  };
}

function headersOf({ columns }: Selection): unknown {
  return columns.map((name, index) => {
    return {
      name,
      columnType: name === "COUNT(*)" ? "INTEGER" : columnType(name),
      id: String(index + 1),
    };
  });
}

function makeToken(view: ViewState, request: PageRequest): unknown {
  const token = Buffer.from(JSON.stringify(request)).toString("base64url");
  return { concreteType: `${MODEL}.QueryNextPageToken`, entityId: view.viewId, token };
}

/** Reads what makeToken wrote; null for anything else. */
export function readToken(token: string): PageRequest | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
    if (typeof value !== "object" || value === null) return null;
    const { sql, limit, offset } = value as Partial<Record<keyof PageRequest, unknown>>;
    if (typeof sql !== "string" || typeof offset !== "number") return null;
    return { sql, offset, limit: typeof limit === "number" ? limit : null };
  } catch {
    return null;
  }
}

/** Pieces of CSV are joined to this many rows, so that the server goes on answering while it writes a million. */
const ROWS_PER_PIECE = 500;

/** Writes a query's whole result as CSV. */
export async function writeCsv(
  view: ViewState,
  sql: string,
  format: CsvFormat,
  path: string,
): Promise<StoredObject> {
  const hash = createHash("md5");
  let bytes = 0;
  await pipeline(
    Readable.from(csvPieces(view, select(view, sql), format)),
    async function* (pieces: AsyncIterable<string>) {
      for await (const piece of pieces) {
        const data = Buffer.from(piece);
        hash.update(data);
        bytes += data.length;
        yield data;
      }
    },
    createWriteStream(path),
  );
  return { path, bytes, md5: hash.digest("hex") };
}

function* csvPieces(view: ViewState, selection: Selection, format: CsvFormat): Generator<string> {
  const write = csvWriter(format);
  const idAt = view.world.columns.indexOf("id");
  if (format.hasHeader) {
    yield write([...(format.hasRowIds ? ["ROW_ID", "ROW_VERSION"] : []), ...selection.columns]);
  }
  if (selection.rows === null) yield write([String(selection.count)]);
  let piece: string[] = [];
  for (const index of selection.rows ?? []) {
    const cells = view.world.row(index);
    const values = selection.places.map((place) => cells[place] ?? "");
    const rowIds = format.hasRowIds ? [(cells[idAt] ?? "").slice(3), "1"] : [];
    piece.push(write([...rowIds, ...values]));
    if (piece.length < ROWS_PER_PIECE) continue;
    yield piece.join("");
    piece = [];
  }
  yield piece.join("");
}

function csvWriter(format: CsvFormat): (values: readonly string[]) => string {
  const { separator, quote, escape, lineEnd } = format;
  const special = new Set([separator, quote, escape, "\n", "\r"]);
  const quoted = (value: string): string => {
    let isPlain = true;
    for (const sign of special) isPlain &&= !value.includes(sign);
    if (isPlain) return value;
    const escaped = escape === quote ? value : value.replaceAll(escape, escape + escape);
    return quote + escaped.replaceAll(quote, escape + quote) + quote;
  };
  return (values) => values.map(quoted).join(separator) + lineEnd;
}
