// Judges JSON text strictly (RFC 8259) as it lies in a buffer, and notes where its values are. Nothing is decoded or copied here: most
// values of an export go from the buffer into a dataset as they were written.

import { checkBound, MOST_VALUES } from "./lineBounds.ts";

/** What a node of a tape is. A string is ESCAPED where it holds a backslash. */
export const OBJECT = 1;
export const ARRAY = 2;
export const STRING = 3;
export const ESCAPED = 4;
export const NUMBER = 5;
export const TRUE = 6;
export const FALSE = 7;
export const NULL = 8;

/** Fields of a node, and their places in it: its kind, where its text begins and ends, and the node after its own. */
export const KIND = 0;
export const FROM = 1;
export const TO = 2;
export const NEXT = 3;
/** Numbers that a node takes. */
export const NODE = 4;

/**
 * Where values lie. A node is NODE numbers at `nodes[i]…`; `i` is its name. An object is followed by its pairs (a string, a value), an
 * array by its elements. A string's FROM and TO leave its quotes out.
 */
export interface Tape {
  nodes: Int32Array;
  length: number;
}

export interface JsonScanner {
  readonly tape: Tape;
  /** Empties the tape: nodes of before are void. */
  reset(): void;
  /**
   * Reads one JSON text in buffer[from, to); returns its node, or -1 where it is none. UTF-8 is not looked at. Throws LineTooLarge where the
   * tape has more values than a line may have.
   */
  scan(buffer: Uint8Array, from: number, to: number): number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

/** Makes a scanner, which keeps one tape. It does not recurse: depth is bounded by the number of values alone. */
export function makeJsonScanner(): JsonScanner {
  const tape: Tape = { nodes: new Int32Array(1 << 12), length: 0 };
  /** Open objects and arrays, by their nodes. */
  let open = new Int32Array(64);

  function push(kind: number, from: number, to: number): number {
    const at = tape.length;
    if (at + NODE > tape.nodes.length) {
      checkBound(at / NODE + 1, MOST_VALUES);
      const grown = new Int32Array(tape.nodes.length * 2);
      grown.set(tape.nodes);
      tape.nodes = grown;
    }
    const { nodes } = tape;
    nodes[at] = kind;
    nodes[at + FROM] = from;
    nodes[at + TO] = to;
    nodes[at + NEXT] = at + NODE;
    tape.length = at + NODE;
    return at;
  }

  /** Reads a string that begins behind its quote; returns where it ends, behind the other one, or -1. */
  function string(buffer: Uint8Array, from: number, to: number): number {
    let at = from;
    let kind = STRING;
    for (; at < to; at++) {
      const byte = buffer[at] as number;
      if (byte === QUOTE) {
        push(kind, from, at);
        return at + 1;
      }
      if (byte < SPACE) return -1;
      if (byte !== BACKSLASH) continue;
      kind = ESCAPED;
      at = escape(buffer, at + 1, to);
      if (at === -1) return -1;
    }
    return -1;
  }

  function scan(buffer: Uint8Array, from: number, to: number): number {
    const root = tape.length;
    let depth = 0;
    let at = skip(buffer, from, to);
    // Each turn reads one value, and what may come behind it.
    for (;;) {
      const byte = at < to ? (buffer[at] as number) : 0;
      let isOpened = false;
      if (byte === QUOTE) at = string(buffer, at + 1, to);
      else if (byte === 0x7b || byte === 0x5b) {
        const node = push(byte === 0x7b ? OBJECT : ARRAY, at, at);
        if (depth === open.length) {
          const grown = new Int32Array(depth * 2);
          grown.set(open);
          open = grown;
        }
        open[depth++] = node;
        at = skip(buffer, at + 1, to);
        isOpened = true;
      } else if (byte === MINUS || (byte >= ZERO && byte <= NINE)) {
        const end = number(buffer, at, to);
        if (end !== -1) push(NUMBER, at, end);
        at = end;
      } else at = literal(buffer, at, to, byte, push);
      if (at === -1) return -1;
      // Closes what ends here, and goes to the next value.
      for (;;) {
        if (depth === 0) return skip(buffer, at, to) === to ? root : -1;
        at = skip(buffer, at, to);
        const next = at < to ? (buffer[at] as number) : 0;
        const node = open[depth - 1] as number;
        const isObject = tape.nodes[node] === OBJECT;
        if (next === (isObject ? 0x7d : 0x5d)) {
          tape.nodes[node + TO] = ++at;
          tape.nodes[node + NEXT] = tape.length;
          depth--;
          isOpened = false;
          continue;
        }
        if (!isOpened) {
          if (next !== 0x2c) return -1;
          at = skip(buffer, at + 1, to);
        }
        if (isObject) {
          if (at >= to || buffer[at] !== QUOTE) return -1;
          at = string(buffer, at + 1, to);
          if (at === -1) return -1;
          at = skip(buffer, at, to);
          if (at >= to || buffer[at] !== 0x3a) return -1;
          at = skip(buffer, at + 1, to);
        }
        break;
      }
    }
  }

  return {
    tape,
    reset() {
      tape.length = 0;
    },
    scan,
  };
}

/** Passes white space over. */
function skip(buffer: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to) {
    const byte = buffer[at] as number;
    if (byte !== SPACE && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
    at++;
  }
  return at;
}

/** Reads what follows a backslash; returns its last byte, or -1. */
function escape(buffer: Uint8Array, at: number, to: number): number {
  if (at >= to) return -1;
  switch (buffer[at] as number) {
    case QUOTE:
    case BACKSLASH:
    case 0x2f: // slash
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return at;
    case 0x75: // u
      for (let i = at + 1; i <= at + 4; i++) if (i >= to || !isHex(buffer[i] as number)) return -1;
      return at + 4;
    default:
      return -1;
  }
}

function isHex(byte: number): boolean {
  return (
    (byte >= ZERO && byte <= NINE) ||
    (byte >= 0x41 && byte <= 0x46) ||
    (byte >= 0x61 && byte <= 0x66)
  );
}

/** Reads a number: no leading zero, no bare point, no plus. Returns where it ends, or -1. */
function number(buffer: Uint8Array, from: number, to: number): number {
  let at = buffer[from] === MINUS ? from + 1 : from;
  const first = at;
  at = digits(buffer, at, to);
  if (at === first || (buffer[first] === ZERO && at > first + 1)) return -1;
  if (at < to && buffer[at] === 0x2e) {
    const fraction = digits(buffer, at + 1, to);
    if (fraction === at + 1) return -1;
    at = fraction;
  }
  if (at < to && (buffer[at] === 0x65 || buffer[at] === 0x45)) {
    const sign = buffer[at + 1];
    const begin = sign === 0x2b || sign === MINUS ? at + 2 : at + 1;
    const end = digits(buffer, begin, to);
    if (end === begin) return -1;
    at = end;
  }
  return at;
}

function digits(buffer: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && (buffer[at] as number) >= ZERO && (buffer[at] as number) <= NINE) at++;
  return at;
}

const TRUE_TEXT = [0x74, 0x72, 0x75, 0x65];
const FALSE_TEXT = [0x66, 0x61, 0x6c, 0x73, 0x65];
const NULL_TEXT = [0x6e, 0x75, 0x6c, 0x6c];

/** Reads true, false or null; a bracket that closes what has just been opened is no value, and left to the caller. */
function literal(
  buffer: Uint8Array,
  at: number,
  to: number,
  byte: number,
  push: (kind: number, from: number, to: number) => number,
): number {
  const [text, kind] =
    byte === 0x74
      ? [TRUE_TEXT, TRUE]
      : byte === 0x66
        ? [FALSE_TEXT, FALSE]
        : byte === 0x6e
          ? [NULL_TEXT, NULL]
          : [null, 0];
  if (text === null || at + text.length > to) return -1;
  for (let i = 0; i < text.length; i++) if (buffer[at + i] !== text[i]) return -1;
  push(kind, at, at + text.length);
  return at + text.length;
}
