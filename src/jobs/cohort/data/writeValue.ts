// Values into rows: as they were written where that will do, cast where it will not.

import type { ByteSink } from "./byteSink.ts";
import { type Cast, castBoolean, castDouble, castInt } from "./casts.ts";
import { instantDigits, plainInstant } from "./instant.ts";
import {
  ARRAY,
  ESCAPED,
  FALSE,
  FROM,
  KIND,
  NULL,
  NUMBER,
  OBJECT,
  STRING,
  TO,
  TRUE,
} from "./jsonScanner.ts";
import { compactJson, decodeString, mayHoldSurrogate, rawString } from "./jsonText.ts";
import { type LineState, note, writeName } from "./lineState.ts";
import type { LeafNode } from "./recordShape.ts";

/** Writes column values of a member's records. It remembers the last instant: lines that follow each other were mostly inserted together. */
export interface ValueWriter {
  /** Writes a column's value; nothing where it is null. */
  writeLeaf(leaf: LeafNode, table: number, buffer: Buffer, node: number): void;
}

const QUOTE = 0x22;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;

/** Makes the writer of a state. */
export function makeValueWriter(state: LineState): ValueWriter {
  const { tape } = state.scanner;
  let lastTie: Buffer = Buffer.alloc(0);
  let lastDigits: string | null = null;

  function readTie(buffer: Buffer, node: number): void {
    const from = tape.nodes[node + FROM] as number;
    const to = tape.nodes[node + TO] as number;
    const isSame = lastTie.length === to - from && lastTie.compare(buffer, from, to) === 0;
    if (!isSame) {
      lastTie = Buffer.from(buffer.subarray(from, to));
      lastDigits =
        plainInstant(buffer, from, to) ?? instantDigits(rawString(buffer, tape.nodes, node));
    }
    state.tieDigits = lastDigits;
  }

  return {
    writeLeaf(leaf, table, buffer, node) {
      const { nodes } = tape;
      const kind = nodes[node + KIND] as number;
      if (kind === NULL) return;
      const from = nodes[node + FROM] as number;
      const to = nodes[node + TO] as number;
      if (leaf.type === "string") {
        const out = writeName(state, table, leaf.column);
        writeText(state, out, buffer, node, leaf.path);
        const isText = kind === STRING || kind === ESCAPED;
        if (leaf.isKey && !(isText && from === to)) state.keysSeen++;
        if (leaf.isTie && isText) readTie(buffer, node);
        return;
      }
      const isPlain =
        (leaf.type === "int" && isPlainInt(buffer, kind, from, to)) ||
        (leaf.type === "double" && isPlainDecimal(buffer, kind, from, to));
      if (isPlain) {
        writeName(state, table, leaf.column).bytes(buffer, from, to);
      } else {
        const { text, note: what } = castNode(state, leaf, buffer, node);
        if (what !== null) note(state, leaf.path, what);
        if (text === null) return;
        writeName(state, table, leaf.column).text(text);
      }
      if (leaf.isKey) state.keysSeen++;
    },
  };
}

/** Writes a value as text, as a JSON string; its node is not NULL. */
export function writeText(
  state: LineState,
  out: ByteSink,
  buffer: Buffer,
  node: number,
  path: string,
): void {
  const { tape } = state.scanner;
  const kind = tape.nodes[node + KIND];
  const from = tape.nodes[node + FROM] as number;
  const to = tape.nodes[node + TO] as number;
  if (kind === STRING || (kind === ESCAPED && !mayHoldSurrogate(buffer, from, to))) {
    // Its own quotes stand around it.
    out.bytes(buffer, from - 1, to + 1);
  } else if (kind === NUMBER || kind === TRUE || kind === FALSE) {
    out.byte(QUOTE);
    out.bytes(buffer, from, to);
    out.byte(QUOTE);
  } else {
    const { text, isRepaired } =
      kind === ESCAPED
        ? decodeString(buffer, tape, node)
        : wellFormed(compactJson(buffer, tape, node));
    if (isRepaired) note(state, path, "repaired");
    out.text(JSON.stringify(text));
  }
}

function wellFormed(text: string): { readonly text: string; readonly isRepaired: boolean } {
  return { text: text.toWellFormed(), isRepaired: !text.isWellFormed() };
}

/** Casts a value to a type that is not text; its node is not NULL. */
function castNode(state: LineState, leaf: LeafNode, buffer: Buffer, node: number): Cast {
  const { nodes } = state.scanner.tape;
  const kind = nodes[node + KIND] as number;
  const isWord = kind === TRUE || kind === FALSE;
  if (kind === OBJECT || kind === ARRAY || (isWord && leaf.type !== "boolean")) {
    return { text: null, note: "failed" };
  }
  const text =
    kind === STRING || kind === ESCAPED
      ? rawString(buffer, nodes, node)
      : buffer.toString("latin1", nodes[node + FROM], nodes[node + TO]);
  if (leaf.type === "int") return castInt(text);
  return leaf.type === "double" ? castDouble(text) : castBoolean(text);
}

/** A decimal as a double is written anyway: so few digits that it gives them back, no zero at an end that says nothing, not tiny. */
function isPlainDecimal(buffer: Uint8Array, kind: number, from: number, to: number): boolean {
  if (kind !== NUMBER && kind !== STRING) return false;
  const first = buffer[from] === MINUS ? from + 1 : from;
  const size = to - first;
  if (size < 1 || size > 15) return false;
  if (buffer[first] === ZERO) {
    // Minus zero is zero, and what is less than a tenth may be written with an exponent.
    if (size === 1) return first === from;
    if (buffer[first + 1] !== POINT || buffer[first + 2] === ZERO) return false;
  }
  let points = 0;
  for (let at = first; at < to; at++) {
    const byte = buffer[at] as number;
    if (byte >= ZERO && byte <= NINE) continue;
    if (byte !== POINT || at === first || at === to - 1 || ++points > 1) return false;
  }
  return points === 0 || buffer[to - 1] !== ZERO;
}

/** Digits alone, few enough to be exact, without a leading zero: what most integers are. */
function isPlainInt(buffer: Uint8Array, kind: number, from: number, to: number): boolean {
  if (kind !== NUMBER && kind !== STRING) return false;
  const first = buffer[from] === MINUS ? from + 1 : from;
  const size = to - first;
  if (size < 1 || size > 18 || (buffer[first] === ZERO && (size > 1 || first > from))) return false;
  for (let at = first; at < to; at++) {
    const byte = buffer[at] as number;
    if (byte < ZERO || byte > NINE) return false;
  }
  return true;
}
