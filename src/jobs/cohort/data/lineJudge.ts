// Judges one line of a member and turns it into rows: of its type's tables for the build, and of the transformed copy.

import { isUtf8 } from "node:buffer";

import type { ByteSink } from "./byteSink.ts";
import { FROM, KIND, OBJECT, TO } from "./jsonScanner.ts";
import { LineTooLarge } from "./lineBounds.ts";
import {
  beginLine,
  beginRow,
  endRow,
  isEmptyNode,
  type LineMemory,
  type LineState,
  makeLineState,
  type MemberFacts,
  PATH_MARK,
  utf8,
} from "./lineState.ts";
import type { RecordShape } from "./recordShape.ts";
import { type FieldSet, makeFieldSet, MOST_FIELDS, shownName } from "./undeclared.ts";
import { makeWalk } from "./walkRecord.ts";

/** Why a line is not used; the first that applies. */
export type LineReason =
  | "bad_utf8"
  | "bad_json"
  | "not_object"
  | "bad_value"
  | "missing_key"
  | "line_too_long"
  | "bad_member_name";

export interface LineJudge {
  /**
   * Judges the line buffer[from, to), which is not blank. Returns why it is not used, or null where its rows have been written.
   * @param isValid true where its UTF-8 is known to be right.
   */
  judge(
    buffer: Buffer,
    from: number,
    to: number,
    line: number,
    isValid: boolean,
  ): LineReason | null;
  /** Staged rows, a sink for each table of the shape. */
  readonly rows: readonly ByteSink[];
  /** Rows in each sink; whoever takes them sets it back. */
  readonly rowCounts: Int32Array;
  /** Length of the longest row so far. */
  readonly mostRowBytes: () => number;
  /** The transformed copy. */
  readonly copy: ByteSink;
  /** Values that casts changed, by "path:note". */
  readonly casts: ReadonlyMap<string, number>;
  /** Undeclared fields that are not null in a written line, by their paths, a set for each table. */
  readonly extras: readonly FieldSet[];
}

const INSTANT = utf8(',"t":');

/**
 * Makes the judge of a member's lines; a shape of null is that of a type that nobody declared: its lines are judged and copied.
 * @param memory Voids the judge that was made with it before.
 */
export function makeLineJudge(
  shape: RecordShape | null,
  facts: MemberFacts,
  memory?: LineMemory,
): LineJudge {
  const state = makeLineState(shape, facts, memory);
  const { scanner, rows, rowCounts, copy } = state;
  const walk = makeWalk(state);
  const casts = new Map<string, number>();
  const extras = rows.map(makeFieldSet);
  const undeclared = new Set<string>();
  const lengths = new Int32Array(rows.length);
  let mostBefore = 0;
  const counts = new Int32Array(rows.length);
  const suffix = suffixOf(facts);
  const keys = shape?.type.key.length ?? 0;

  function writeRow(root: RecordShape["root"], buffer: Buffer, object: number): LineReason | null {
    const out = beginRow(state, 0);
    walk(root, buffer, object);
    if (state.isBadValue) return "bad_value";
    if (state.keysSeen < keys) return "missing_key";
    if (state.tieDigits !== null) {
      out.bytes(INSTANT, 0, INSTANT.length);
      out.text(state.tieDigits);
    }
    endRow(state, 0, 0);
    return null;
  }

  function takeBack(): void {
    rows.forEach((sink, table) => void (sink.length = lengths[table] as number));
    rowCounts.set(counts);
    state.mostRowBytes = mostBefore;
  }

  /** Judges what is UTF-8; returns its node where its rows have been written. */
  function read(buffer: Buffer, from: number, to: number, line: number): LineReason | number {
    scanner.reset();
    const object = scanner.scan(buffer, from, to);
    if (object === -1) return "bad_json";
    if (scanner.tape.nodes[object + KIND] !== OBJECT) return "not_object";
    beginLine(state, buffer, line);
    return (shape === null ? null : writeRow(shape.root, buffer, object)) ?? object;
  }

  function judge(
    buffer: Buffer,
    from: number,
    to: number,
    line: number,
    isValid: boolean,
  ): LineReason | null {
    if (!isValid && !isUtf8(buffer.subarray(from, to))) return "bad_utf8";
    rows.forEach((sink, table) => void (lengths[table] = sink.length));
    counts.set(rowCounts);
    mostBefore = state.mostRowBytes;
    let object: LineReason | number;
    try {
      object = read(buffer, from, to, line);
    } catch (error) {
      if (!(error instanceof LineTooLarge)) throw error;
      object = "line_too_long";
    }
    if (typeof object === "string") {
      takeBack();
      return object;
    }
    writeCopy(state, copy, object, suffix);
    for (const one of state.notes) {
      const name = one.includes(PATH_MARK) ? noteOfUndeclared(one, undeclared) : one;
      casts.set(name, (casts.get(name) ?? 0) + 1);
    }
    for (const [table, paths] of state.seen) for (const path of paths) extras[table]?.add(path);
    return null;
  }

  return { judge, rows, rowCounts, mostRowBytes: () => state.mostRowBytes, copy, casts, extras };
}

/** Names a note on an undeclared field, as others may read it; no more of them are told apart than are columns. */
function noteOfUndeclared(note: string, known: Set<string>): string {
  const [at, end] = [note.indexOf(PATH_MARK), note.lastIndexOf(":")];
  const name = `${note.slice(0, at)}${shownName(note.slice(at + 1, end))}${note.slice(end)}`;
  if (known.size >= MOST_FIELDS && !known.has(name)) return `*${note.slice(end)}`;
  known.add(name);
  return name;
}

/** What the copy of every record ends with. */
function suffixOf({ start, end, cohort }: MemberFacts): Buffer {
  const of = { export_start_date: start, export_end_date: end, cohort };
  return utf8(`,${JSON.stringify(of).slice(1)}\n`);
}

/** Writes the record's copy: as it was sent, with what the export says, and with what is not sent in its own form in that form. */
function writeCopy(state: LineState, copy: ByteSink, object: number, suffix: Buffer): void {
  const { lineBuffer, typed, splices } = state;
  const { nodes } = state.scanner.tape;
  let at = nodes[object + FROM] as number;
  let hasType = false;
  for (const { from, to, text } of splices.sort((a, b) => a.from - b.from)) {
    copy.bytes(lineBuffer, at, from);
    copy.text(text);
    at = to;
    hasType ||= text === typed;
  }
  copy.bytes(lineBuffer, at, (nodes[object + TO] as number) - 1);
  const isEmpty = isEmptyNode(nodes, object);
  if (typed !== null && !hasType) copy.text(`${isEmpty ? "" : ","}"Type":${typed}`);
  copy.bytes(suffix, isEmpty && typed === null ? 1 : 0, suffix.length);
}
