// The walk over a record: each value to its column, each element to a row of its array's table.

import { ByteSink } from "./byteSink.ts";
import { type Gathered, makeGather, pick } from "./gatherFields.ts";
import { ARRAY, ESCAPED, KIND, NEXT, NODE, NULL, OBJECT, STRING } from "./jsonScanner.ts";
import { rawString } from "./jsonText.ts";
import {
  beginElement,
  endRow,
  isEmptyText,
  type LineState,
  note,
  PATH_MARK,
  spliceValue,
  utf8,
  writeName,
} from "./lineState.ts";
import {
  type ArrayNode,
  COHORT,
  EXPORT_COLUMNS,
  type LeafNode,
  looseName,
  type StructNode,
} from "./recordShape.ts";
import { walkOffsets } from "./walkOffsets.ts";
import { makeValueWriter, writeText } from "./writeValue.ts";

/** Writes a record's rows, but for the beginning and the end of its own. */
export type WalkRecord = (root: StructNode, buffer: Buffer, object: number) => void;

/** Names that a record may have, and that say what its export says. */
const OWNED = new Set<string>([...EXPORT_COLUMNS, COHORT]);
const OWNED_LOOSELY = new Set([...OWNED].map(looseName));
const PRESENT = utf8("true");

/** Makes the walk of a state. */
export function makeWalk(state: LineState): WalkRecord {
  const { scanner, typed } = state;
  const { tape } = scanner;
  const gather = makeGather(tape);
  const { writeLeaf } = makeValueWriter(state);

  function walkStruct(struct: StructNode, buffer: Buffer, object: number): void {
    const gathered = gather(struct, buffer, object);
    const { slots, others, unknown } = gathered;
    for (let field = 0; field < struct.nodes.length; field++) {
      const node = struct.nodes[field];
      if (node === undefined) continue;
      if (typed !== null && struct.path === "" && struct.names[field] === "Type") {
        writeType(node.kind === "leaf" ? node : null, buffer, gathered, field);
        continue;
      }
      const value =
        others.length === 0
          ? (slots[field] as number)
          : pick(tape, gathered, field, () => note(state, node.path, "conflict"));
      if (value === -1) continue;
      if (node.kind === "leaf") writeLeaf(node, struct.table, buffer, value);
      else if (node.kind === "struct") walkField(node, buffer, value);
      else walkArray(node, struct.table, buffer, value);
    }
    if (unknown.size > 0) gatherExtras(state, struct, buffer, unknown);
  }

  /** A record's type is its member's subtype, whatever it says itself. */
  function writeType(
    leaf: LeafNode | null,
    buffer: Buffer,
    { slots, others }: Gathered,
    field: number,
  ): void {
    if (leaf === null || typed === null) return;
    for (const { field: other, node } of others) {
      if (other === field && tape.nodes[node + KIND] !== NULL) note(state, leaf.path, "conflict");
    }
    writeName(state, 0, leaf.column).text(typed);
    if (leaf.isKey) state.keysSeen++;
    const value = slots[field] as number;
    if (value !== -1) spliceValue(state, buffer, value, typed);
  }

  function walkField(struct: StructNode, buffer: Buffer, node: number): void {
    const kind = tape.nodes[node + KIND];
    if (kind === NULL) return;
    if (kind === OBJECT) {
      walkStruct(struct, buffer, node);
      return;
    }
    const isEmpty = isEmptyText(tape.nodes, node);
    if (!struct.isText) {
      // Something else than an object: its fields are null.
      if (!isEmpty) note(state, struct.path, "failed");
      return;
    }
    if (isEmpty) {
      spliceValue(state, buffer, node, "null");
      return;
    }
    const inner = kind === STRING || kind === ESCAPED ? scanText(state, buffer, node) : null;
    const found = inner === null ? 0 : tape.nodes[inner.root + KIND];
    if (inner === null || (found !== OBJECT && found !== NULL)) {
      state.isBadValue = true;
      return;
    }
    spliceValue(state, buffer, node, onOneLine(inner.buffer));
    if (found === OBJECT) walkStruct(struct, inner.buffer, inner.root);
  }

  function walkArray(array: ArrayNode, owner: number, buffer: Buffer, node: number): void {
    const kind = tape.nodes[node + KIND];
    if (kind === NULL) return;
    if (kind === ARRAY) {
      markArray(array, owner);
      walkElements(array, buffer, node);
    } else if (array.from === "text") {
      markArray(array, owner);
      walkTextArray(array, buffer, node);
    } else if (array.from === "offsets" && kind === OBJECT && array.element.kind === "struct") {
      markArray(array, owner);
      walkOffsets(state, array, array.element, { buffer, node, writeLeaf });
    } else if (!isEmptyText(tape.nodes, node)) note(state, array.path, "failed");
  }

  /** Says in the row at work that there is an array; its surrogate is made from the key when datasets are built. */
  function markArray(array: ArrayNode, owner: number): void {
    writeName(state, owner, array.column).bytes(PRESENT, 0, PRESENT.length);
  }

  function walkElements(array: ArrayNode, buffer: Buffer, node: number): void {
    const { element, table } = array;
    const end = tape.nodes[node + NEXT] as number;
    let index = 0;
    for (let at = node + NODE; at < end; at = tape.nodes[at + NEXT] as number) {
      const pendingBefore = beginElement(state, table, index++);
      const kind = tape.nodes[at + KIND];
      if (element.kind === "leaf") writeLeaf(element, table, buffer, at);
      else if (kind === OBJECT) walkStruct(element, buffer, at);
      else if (kind !== NULL) note(state, array.path, "failed");
      endRow(state, table, pendingBefore);
    }
  }

  /** A list that is sent as text; what is none is an empty list. */
  function walkTextArray(array: ArrayNode, buffer: Buffer, node: number): void {
    const kind = tape.nodes[node + KIND];
    const isEmpty = isEmptyText(tape.nodes, node);
    const isText = kind === STRING || kind === ESCAPED;
    const inner = isText && !isEmpty ? scanText(state, buffer, node) : null;
    const isList = inner !== null && tape.nodes[inner.root + KIND] === ARRAY;
    if (!isList && !isEmpty) note(state, array.path, "failed");
    spliceValue(state, buffer, node, isList ? onOneLine(inner.buffer) : "[]");
    if (isList) walkElements(array, inner.buffer, inner.root);
  }

  return walkStruct;
}

/** Keeps undeclared fields that are not null until their row ends. */
function gatherExtras(
  state: LineState,
  struct: StructNode,
  buffer: Buffer,
  unknown: ReadonlyMap<string, number>,
): void {
  const { tape } = state.scanner;
  const isTop = struct.path === "";
  for (const [name, node] of unknown) {
    if (tape.nodes[node + KIND] === NULL || (isTop && OWNED.has(name))) continue;
    if (isTop && OWNED_LOOSELY.has(looseName(name))) {
      note(state, looseName(name), "conflict");
      continue;
    }
    const sink = new ByteSink(64);
    writeText(state, sink, buffer, node, `${isTop ? "" : `${struct.path}.`}${PATH_MARK}${name}`);
    const path = [...struct.below, pathPart(name)].join(PATH_MARK);
    state.pending.push([struct.table, path, sink.view().toString()]);
  }
}

/**
 * A name as a part of a path, where each has a place of its own: the mark between parts, NUL, at which statements end, and halves of
 * surrogate pairs, which UTF-8 cannot hold, stand as characters of the area for private use.
 */
function pathPart(name: string): string {
  return name.replace(/[\0\u001f]|\p{Surrogate}/gu, (one) => {
    const unit = one.charCodeAt(0);
    return String.fromCharCode(unit < 0x20 ? 0xf000 + unit : 0xe000 + (unit - 0xd800));
  });
}

/** JSON as it was written, but for what would end the line that it becomes a part of: within JSON that is white space. */
function onOneLine(json: Buffer): string {
  return json.toString("utf8").replace(/[\r\n]/g, " ");
}

/** Scans the JSON that a string holds; null where it holds none. Its nodes are of the buffer that comes with them. */
function scanText(
  { scanner }: LineState,
  buffer: Buffer,
  node: number,
): { buffer: Buffer; root: number } | null {
  const text = rawString(buffer, scanner.tape.nodes, node);
  // Half of a surrogate pair goes on as the escape that it was: what value it is in is seen when that is decoded.
  const whole = text.isWellFormed()
    ? text
    : text.replace(/\p{Surrogate}/gu, (half) => `\\u${half.charCodeAt(0).toString(16)}`);
  const inner = utf8(whole);
  const root = scanner.scan(inner, 0, inner.length);
  return root === -1 ? null : { buffer: inner, root };
}
