// JSON values back to text: strings decoded, with what has no place in UTF-8 replaced, and compact JSON that keeps numbers as written.

import {
  ARRAY,
  ESCAPED,
  FALSE,
  FROM,
  KIND,
  NEXT,
  NODE,
  NULL,
  NUMBER,
  OBJECT,
  STRING,
  type Tape,
  TO,
  TRUE,
} from "./jsonScanner.ts";
import { checkBound, MOST_NAMES } from "./lineBounds.ts";

/** Text decoded from a string, and whether halves of a surrogate pair were replaced in it. */
export interface Decoded {
  readonly text: string;
  readonly isRepaired: boolean;
}

/** Decodes a string node. A half of a surrogate pair becomes U+FFFD: UTF-8 cannot hold it. */
export function decodeString(buffer: Buffer, { nodes }: Tape, node: number): Decoded {
  const text = rawString(buffer, nodes, node);
  return text.isWellFormed()
    ? { text, isRepaired: false }
    : { text: text.toWellFormed(), isRepaired: true };
}

/** Decodes a string node as it is, halves of surrogate pairs included. */
export function rawString(buffer: Buffer, nodes: Int32Array, node: number): string {
  const from = nodes[node + FROM] as number;
  const to = nodes[node + TO] as number;
  if (nodes[node + KIND] !== ESCAPED) return buffer.toString("utf8", from, to);
  // The scanner has judged it: with its quotes it is JSON.
  return JSON.parse(`"${buffer.toString("utf8", from, to)}"`) as string;
}

/** Tells whether a string with escapes may hold a surrogate: only \uD800 to \uDFFF can. */
export function mayHoldSurrogate(buffer: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    if (buffer[at] !== 0x5c) continue;
    const escape = buffer[++at];
    if (escape !== 0x75) continue;
    const first = buffer[at + 1] as number;
    const second = buffer[at + 2] as number;
    if (
      (first === 0x64 || first === 0x44) &&
      (second === 0x38 || second === 0x39 || second > 0x40)
    ) {
      return true;
    }
  }
  return false;
}

/** Writes a value as compact JSON: no white space, numbers as they were written, of a name that occurs twice the last value. */
export function compactJson(buffer: Buffer, tape: Tape, node: number): string {
  const { nodes } = tape;
  switch (nodes[node + KIND] as number) {
    case STRING:
    case ESCAPED:
      return JSON.stringify(rawString(buffer, nodes, node));
    case NUMBER:
      return buffer.toString("latin1", nodes[node + FROM], nodes[node + TO]);
    case TRUE:
      return "true";
    case FALSE:
      return "false";
    case NULL:
      return "null";
    default:
      return compactWhole(buffer, tape, node);
  }
}

/** An object or an array that is being written: its next part, and where its parts end. */
interface Open {
  /** Values by their names, in the order in which these came first; null for an array. */
  readonly pairs: IterableIterator<readonly [string, number]> | null;
  readonly names: number;
  at: number;
  readonly end: number;
  isFirst: boolean;
}

/** So many pieces of text are put together at a time: each takes more memory than it says. */
const MOST_PIECES = 1 << 16;

/** Objects and arrays, without recursion: how deep they are is the sender's choice. */
function compactWhole(buffer: Buffer, tape: Tape, root: number): string {
  const { nodes } = tape;
  let pieces: string[] = [];
  let text = "";
  let names = 0;
  const enter = (node: number): Open => {
    const isObject = nodes[node + KIND] === OBJECT;
    pieces.push(isObject ? "{" : "[");
    const of = { at: node + NODE, end: nodes[node + NEXT] as number, isFirst: true };
    if (!isObject) return { ...of, pairs: null, names: 0 };
    const pairs = pairsOf(buffer, nodes, node);
    checkBound((names += pairs.size), MOST_NAMES);
    return { ...of, pairs: pairs.entries(), names: pairs.size };
  };
  const open = [enter(root)];
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    if (pieces.length > MOST_PIECES) {
      text += pieces.join("");
      pieces = [];
    }
    let node: number;
    if (top.pairs === null) {
      node = top.at < top.end ? top.at : -1;
      if (node !== -1) top.at = nodes[node + NEXT] as number;
      if (node !== -1 && !top.isFirst) pieces.push(",");
    } else {
      const [name, value] = (top.pairs.next().value ?? ["", -1]) as readonly [string, number];
      node = value;
      if (node !== -1) pieces.push(top.isFirst ? "" : ",", JSON.stringify(name), ":");
    }
    if (node === -1) {
      pieces.push(top.pairs === null ? "]" : "}");
      names -= top.names;
      open.pop();
      continue;
    }
    top.isFirst = false;
    const kind = nodes[node + KIND];
    if (kind === OBJECT || kind === ARRAY) checkBound(open.push(enter(node)), MOST_NAMES);
    else pieces.push(compactJson(buffer, tape, node));
  }
  return text + pieces.join("");
}

function pairsOf(buffer: Buffer, nodes: Int32Array, node: number): ReadonlyMap<string, number> {
  const pairs = new Map<string, number>();
  const end = nodes[node + NEXT] as number;
  for (let at = node + NODE; at < end; at = nodes[at + NODE + NEXT] as number) {
    pairs.set(rawString(buffer, nodes, at), at + NODE);
    checkBound(pairs.size, MOST_NAMES);
  }
  return pairs;
}
