// What is known of the line at work while it is turned into rows: shared by the walk over its values, the casts and the copy.

import { ByteSink } from "./byteSink.ts";
import type { CastNote } from "./casts.ts";
import {
  ESCAPED,
  FROM,
  type JsonScanner,
  KIND,
  makeJsonScanner,
  NEXT,
  NODE,
  STRING,
  TO,
} from "./jsonScanner.ts";
import { checkBound, MOST_NOTES, MOST_ROW_BYTES } from "./lineBounds.ts";
import type { RecordShape, ShapeTable } from "./recordShape.ts";

/** What every record of a member gets. */
export interface MemberFacts {
  /** Its number within the staged files. */
  readonly index: number;
  readonly subtype: string | null;
  readonly start: string | null;
  readonly end: string;
  readonly cohort: string;
}

/** A value of the transformed copy that has another form there. */
export interface Splice {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** An undeclared field of a row: its table, its path below the row, its value as a JSON string. */
export type Extra = readonly [table: number, path: string, text: string];

/** Parts the names of an undeclared field's path; no name in it has it. */
export const PATH_MARK = "\u001f";

/** The state of a member's judge. The fields below `line` are the line's own, and begin anew with it. */
export interface LineState {
  readonly scanner: JsonScanner;
  readonly tables: readonly ShapeTable[];
  readonly rows: readonly ByteSink[];
  /** The transformed copy. */
  readonly copy: ByteSink;
  /** Rows in each sink. */
  readonly rowCounts: Int32Array;
  /** Where the row at work begins in each sink. */
  readonly rowBegins: Int32Array;
  /** Index of the element at work in each table. */
  readonly elementAt: Int32Array;
  /** Names of columns as rows have them, with what stands before and behind a name. */
  readonly columnNames: readonly (readonly Buffer[])[];
  readonly rowStart: Buffer;
  /** The member's subtype as JSON; null where its type has none. */
  readonly typed: string | null;
  mostRowBytes: number;
  line: number;
  /** Bytes of the rows that it has given. */
  rowBytes: number;
  /** The line's own buffer; values that lie in text are in others. */
  lineBuffer: Buffer;
  keysSeen: number;
  tieDigits: string | null;
  isBadValue: boolean;
  notes: string[];
  splices: Splice[];
  /** Undeclared fields of rows that are not written yet, those of a row behind those of the row that it lies in. */
  pending: Extra[];
  /** Paths of undeclared fields of the line, by table. */
  seen: Map<number, Set<string>>;
}

export const utf8 = (text: string): Buffer => Buffer.from(text, "utf8");

const SINK_BYTES = 1 << 16;
/** What a sink keeps for the next member: rows are taken from it at a quarter of that. */
const KEPT_BYTES = 1 << 20;

/** Memory that one member's judge after the other works in: to ask for more for each of many small ones costs more than to judge them. */
export interface LineMemory {
  readonly scanner: JsonScanner;
  /** So many empty sinks; those that were given before are void. */
  sinks(count: number): readonly ByteSink[];
}

/** Makes the memory. */
export function makeLineMemory(): LineMemory {
  const sinks: ByteSink[] = [];
  return {
    scanner: makeJsonScanner(),
    sinks(count) {
      for (const sink of sinks) sink.shrink(KEPT_BYTES);
      while (sinks.length < count) sinks.push(new ByteSink(SINK_BYTES));
      return sinks.slice(0, count);
    },
  };
}

const NO_LINE = Buffer.alloc(0);

/** Makes the state; a shape of null is that of a type that nobody declared. */
export function makeLineState(
  shape: RecordShape | null,
  facts: MemberFacts,
  memory: LineMemory = makeLineMemory(),
): LineState {
  const tables = shape?.tables ?? [];
  const [copy, ...rows] = memory.sinks(tables.length + 1) as readonly [ByteSink, ...ByteSink[]];
  return {
    scanner: memory.scanner,
    tables,
    rows,
    copy,
    rowCounts: new Int32Array(tables.length),
    rowBegins: new Int32Array(tables.length),
    elementAt: new Int32Array(tables.length),
    columnNames: tables.map(({ columns }) => columns.map((_column, at) => utf8(`,"${at}":`))),
    rowStart: utf8(`{"m":${facts.index},"l":`),
    typed: facts.subtype === null ? null : JSON.stringify(facts.subtype),
    mostRowBytes: 0,
    line: 0,
    rowBytes: 0,
    lineBuffer: NO_LINE,
    keysSeen: 0,
    tieDigits: null,
    isBadValue: false,
    notes: [],
    splices: [],
    pending: [],
    seen: new Map(),
  };
}

/** Begins a line. */
export function beginLine(state: LineState, buffer: Buffer, line: number): void {
  state.line = line;
  state.rowBytes = 0;
  state.lineBuffer = buffer;
  state.keysSeen = 0;
  state.tieDigits = null;
  state.isBadValue = false;
  if (state.notes.length > 0) state.notes = [];
  if (state.splices.length > 0) state.splices = [];
  if (state.pending.length > 0) state.pending = [];
  if (state.seen.size > 0) state.seen = new Map();
}

/** Notes what a cast did; it counts when the line does. */
export function note(state: LineState, path: string, what: CastNote): void {
  checkBound(state.notes.push(`${path}:${what}`), MOST_NOTES);
}

/** Has a value of the transformed copy replaced. What lies in text is replaced with the text. */
export function spliceValue(state: LineState, buffer: Buffer, node: number, text: string): void {
  if (buffer !== state.lineBuffer) return;
  const { nodes } = state.scanner.tape;
  const kind = nodes[node + KIND];
  const quote = kind === STRING || kind === ESCAPED ? 1 : 0;
  const from = (nodes[node + FROM] as number) - quote;
  state.splices.push({ from, to: (nodes[node + TO] as number) + quote, text });
}

const INDEX = utf8(',"i":');
const OUTER = utf8(',"p":');
const EXTRAS = utf8(',"x":{');
const CLOSE = 0x7d;

/** Begins a row of the records' table. */
export function beginRow(state: LineState, table: number): ByteSink {
  const out = state.rows[table] as ByteSink;
  state.rowBegins[table] = out.length;
  out.bytes(state.rowStart, 0, state.rowStart.length);
  out.decimal(state.line);
  return out;
}

/** Begins the row of an element; returns how many undeclared fields are pending that are not its own. */
export function beginElement(state: LineState, table: number, index: number): number {
  const out = beginRow(state, table);
  const parent = state.tables[table]?.parent ?? 0;
  out.bytes(INDEX, 0, INDEX.length);
  out.decimal(index);
  state.elementAt[table] = index;
  if (parent !== 0) {
    out.bytes(OUTER, 0, OUTER.length);
    out.decimal(state.elementAt[parent] as number);
  }
  return state.pending.length;
}

/** Ends a row with what nobody declared of it. */
export function endRow(state: LineState, table: number, pendingBefore: number): void {
  const out = state.rows[table] as ByteSink;
  if (state.pending.length > pendingBefore) {
    out.bytes(EXTRAS, 0, EXTRAS.length);
    state.pending.splice(pendingBefore).forEach(([at, path, text], index) => {
      out.text(`${index > 0 ? "," : ""}${JSON.stringify(path)}:${text}`);
      const seen = state.seen.get(at) ?? new Set<string>();
      if (seen.size === 0) state.seen.set(at, seen);
      seen.add(path);
    });
    out.byte(CLOSE);
  }
  out.byte(CLOSE);
  out.byte(0x0a);
  const bytes = out.length - (state.rowBegins[table] as number);
  state.mostRowBytes = Math.max(state.mostRowBytes, bytes);
  checkBound((state.rowBytes += bytes), MOST_ROW_BYTES);
  state.rowCounts[table] = (state.rowCounts[table] as number) + 1;
}

/** Writes a column's name into a row. */
export function writeName(state: LineState, table: number, column: number): ByteSink {
  const out = state.rows[table] as ByteSink;
  const name = (state.columnNames[table] as readonly Buffer[])[column] as Buffer;
  out.bytes(name, 0, name.length);
  return out;
}

/** Tells whether an object or an array is empty. */
export function isEmptyNode(nodes: Int32Array, node: number): boolean {
  return nodes[node + NEXT] === node + NODE;
}

/** Tells whether a value is the empty text. */
export function isEmptyText(nodes: Int32Array, node: number): boolean {
  return nodes[node + KIND] === STRING && nodes[node + FROM] === nodes[node + TO];
}
