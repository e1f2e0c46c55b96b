// Numbers of any type as whole counts and as indexes, and the tally from which it is told whether they are counts at all.

import { number } from "../../../format.ts";
import { UnreadableMatrix } from "../problem.ts";
import { addSign, signOfLog2, signOfRoot, whyNoCounts } from "../reading/valueSigns.ts";
import type { NumberKind } from "./protocol.ts";

/** The largest count that a block can hold. */
const MOST = 0xffffffff;
/** Natural logarithms of counts stay below this: e^20 is 485 million. */
const LEAST_COUNT_PEAK = 20;

/** What the values of a matrix were like. */
export interface Tally {
  /** Not 0. */
  values: number;
  rounded: number;
  largest: number;
  /** As in ValueSigns. */
  log2s: number;
  roots: number;
}

/** Starts a tally. */
export function makeTally(): Tally {
  return { values: 0, rounded: 0, largest: 0, log2s: 0, roots: 0 };
}

/** Tells why values are no counts; null where they may be. */
export function whyNot(where: string, tally: Tally): string | null {
  const { values, rounded, largest, log2s, roots } = tally;
  const reachesTwenty = largest >= LEAST_COUNT_PEAK;
  const words = `the largest is ${shortNumber(largest)}`;
  return whyNoCounts(where, { values, rounded, reachesTwenty, log2s, roots }, words);
}

type Numbers =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float16Array
  | Float32Array
  | Float64Array;

/** Gives a view of numbers as JavaScript has them; null for those of 64 bits, which are read by halves. */
export function viewOf(
  kind: NumberKind,
  bytes: SharedArrayBuffer,
  from: number,
  length: number,
): Numbers | null {
  switch (kind) {
    case "int8":
      return new Int8Array(bytes, from, length);
    case "uint8":
      return new Uint8Array(bytes, from, length);
    case "int16":
      return new Int16Array(bytes, from * 2, length);
    case "uint16":
      return new Uint16Array(bytes, from * 2, length);
    case "int32":
      return new Int32Array(bytes, from * 4, length);
    case "uint32":
      return new Uint32Array(bytes, from * 4, length);
    case "float16":
      return new Float16Array(bytes, from * 2, length);
    case "float32":
      return new Float32Array(bytes, from * 4, length);
    case "float64":
      return new Float64Array(bytes, from * 8, length);
    case "int64":
    case "uint64":
      return null;
  }
}

/** Gives element i of 64-bit integers as a number; exact up to 2^53, which is far above what is accepted. */
function wide(halves: Uint32Array, i: number, isSigned: boolean): number {
  const high = halves[2 * i + 1] ?? 0;
  return (isSigned ? high | 0 : high) * 2 ** 32 + (halves[2 * i] ?? 0);
}

/** Writes elements as whole counts to `out`; `nameOf` names an element (counted from `from`) in messages. */
export function writeCounts(
  kind: NumberKind,
  bytes: SharedArrayBuffer,
  from: number,
  length: number,
  out: Uint32Array,
  at: number,
  tally: Tally,
  nameOf: (index: number) => string,
): void {
  const view = viewOf(kind, bytes, from, length);
  let { largest, log2s, roots } = tally;
  let values = 0;
  if (view === null) {
    const halves = new Uint32Array(bytes, from * 8, length * 2);
    for (let i = 0; i < length; i++) {
      const low = halves[2 * i] ?? 0;
      if (halves[2 * i + 1] !== 0) throw notACount(wide(halves, i, kind === "int64"), nameOf(i));
      out[at + i] = low;
      if (low !== 0) values++;
      if (low > largest) largest = low;
    }
  } else {
    for (let i = 0; i < length; i++) {
      const value = view[i] ?? 0;
      let count = value >>> 0;
      if (count !== value) {
        // Also true for NaN.
        if (!(value >= 0 && value <= MOST)) throw notACount(value, nameOf(i));
        count = Math.round(value);
        if (count - value === 0.5 && count % 2 === 1) count--;
        if (count > MOST) throw notACount(value, nameOf(i));
        tally.rounded++;
        if (log2s >= 0) log2s = addSign(log2s, signOfLog2(value));
        if (roots >= 0) roots = addSign(roots, signOfRoot(value));
        // Before rounding: 0.4 is a value as well.
        if (count === 0) values++;
        if (value > largest) largest = value;
      }
      out[at + i] = count;
      if (count !== 0) values++;
      if (count > largest && count === value) largest = count;
    }
  }
  tally.values += values;
  tally.largest = largest;
  tally.log2s = log2s;
  tally.roots = roots;
}

/** Shows a number with no more digits than anybody reads; whole ones have all of theirs, and large ones one behind the point. */
function shortNumber(value: number): string {
  if (Number.isInteger(value) || !Number.isFinite(value)) return number(value);
  return number(Math.abs(value) < 1e6 ? Number(value.toPrecision(6)) : Number(value.toFixed(1)));
}

function notACount(value: number, name: string): UnreadableMatrix {
  if (value < 0 && !Number.isInteger(value)) {
    return new UnreadableMatrix(
      "M_NOT_COUNTS",
      `${name} is ${shortNumber(value)}: these are scaled or centred values, not counts`,
    );
  }
  return new UnreadableMatrix(
    "M_ENTRY",
    `${name} is ${shortNumber(value)}; counts lie between 0 and 4,294,967,295`,
  );
}

/** Writes integers as indexes to `out`; what is no index becomes the largest one, which is out of any range. */
export function writeIndexes(
  kind: NumberKind,
  bytes: SharedArrayBuffer,
  from: number,
  length: number,
  out: Uint32Array,
  at: number,
): void {
  const view = viewOf(kind, bytes, from, length);
  if (view instanceof Int32Array || view instanceof Uint32Array) {
    // Negative ones come out as more than 2^31.
    out.set(new Uint32Array(bytes, from * 4, length), at);
  } else if (view === null) {
    const halves = new Uint32Array(bytes, from * 8, length * 2);
    for (let i = 0; i < length; i++) {
      out[at + i] = halves[2 * i + 1] === 0 ? (halves[2 * i] ?? 0) : MOST;
    }
  } else {
    for (let i = 0; i < length; i++) {
      const value = view[i] ?? 0;
      out[at + i] = value >>> 0 === value ? value : MOST;
    }
  }
}

/** Writes integers as offsets to `out`; exact up to 2^53. */
export function writeOffsets(
  kind: NumberKind,
  bytes: SharedArrayBuffer,
  from: number,
  length: number,
  out: Float64Array,
  at: number,
): void {
  const view = viewOf(kind, bytes, from, length);
  if (view !== null) {
    out.set(view, at);
    return;
  }
  const halves = new Uint32Array(bytes, from * 8, length * 2);
  for (let i = 0; i < length; i++) out[at + i] = wide(halves, i, kind === "int64");
}
