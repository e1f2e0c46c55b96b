// Arrays that are sent as an object whose names are offsets: pairs of an offset and a value.

import type { ByteSink } from "./byteSink.ts";
import { type Cast, castInt } from "./casts.ts";
import { NEXT, NODE, type Tape } from "./jsonScanner.ts";
import { rawString } from "./jsonText.ts";
import { checkBound, MOST_NAMES } from "./lineBounds.ts";
import { beginElement, endRow, type LineState, note, spliceValue, writeName } from "./lineState.ts";
import type { ArrayNode, LeafNode, StructNode } from "./recordShape.ts";
import { byText } from "./text.ts";
import type { ValueWriter } from "./writeValue.ts";

/** Where the object is, and what writes its values. */
interface OffsetsAt {
  readonly buffer: Buffer;
  readonly node: number;
  readonly writeLeaf: ValueWriter["writeLeaf"];
}

interface Pair {
  readonly text: string;
  readonly at: number;
  readonly cast: Cast;
}

/** An object of offsets: its pairs in the order of the offsets, by number and then by text; those without a number come last. */
export function walkOffsets(
  state: LineState,
  array: ArrayNode,
  element: StructNode,
  { buffer, node, writeLeaf }: OffsetsAt,
): void {
  const [offset, value] = element.nodes as [LeafNode, LeafNode];
  const [offsetName, valueName] = element.names.map((name) => JSON.stringify(name));
  const { table } = array;
  const out = state.rows[table] as ByteSink;
  const nameBytes = state.columnNames[table]?.[value.column]?.length ?? 0;
  const copies = pairsOf(state.scanner.tape, buffer, node).map(({ at, cast }, index) => {
    const pendingBefore = beginElement(state, table, index);
    // An empty name is no number, as an empty value is none.
    if (cast.note !== null || cast.text === null) note(state, offset.path, cast.note ?? "failed");
    if (cast.text !== null) writeName(state, table, offset.column).text(cast.text);
    const begin = out.length;
    writeLeaf(value, table, buffer, at);
    const isNull = out.length === begin;
    const written = isNull ? "null" : out.buffer.toString("utf8", begin + nameBytes, out.length);
    endRow(state, table, pendingBefore);
    return `{${offsetName ?? ""}:${cast.text ?? "null"},${valueName ?? ""}:${written}}`;
  });
  spliceValue(state, buffer, node, `[${copies.join(",")}]`);
}

function pairsOf({ nodes }: Tape, buffer: Buffer, node: number): readonly Pair[] {
  const found = new Map<string, number>();
  const end = nodes[node + NEXT] as number;
  for (let at = node + NODE; at < end; at = nodes[at + NODE + NEXT] as number) {
    found.set(rawString(buffer, nodes, at), at + NODE);
    checkBound(found.size, MOST_NAMES);
  }
  const pairs = [...found].map(([text, at]) => ({ text, at, cast: castInt(text) }));
  return pairs.sort((a, b) => byOffset(a.cast.text, b.cast.text) || byText(a.text, b.text));
}

function byOffset(a: string | null, b: string | null): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  const difference = BigInt(a) - BigInt(b);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}
