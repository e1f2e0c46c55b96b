// An object's values by the fields that are declared of it: by exact name, by other spellings, and what nobody declared.

import { FROM, KIND, NEXT, NODE, NULL, STRING, type Tape, TO } from "./jsonScanner.ts";
import { rawString } from "./jsonText.ts";
import { checkBound, MOST_NAMES, MOST_SPELLINGS } from "./lineBounds.ts";
import { looseName, type StructNode } from "./recordShape.ts";

/** What an object holds. It is void when the same struct is gathered again. */
export interface Gathered {
  /** Node by field; -1 where there is none of the exact name. */
  readonly slots: Int32Array;
  /** Other spellings, in the order in which their names came first. */
  readonly others: { readonly name: string; readonly field: number; node: number }[];
  /** Node by name that nobody declared. */
  readonly unknown: Map<string, number>;
}

export type Gather = (struct: StructNode, buffer: Buffer, object: number) => Gathered;

/** What is remembered of a struct from one object to the next. */
interface Remembered extends Gathered {
  readonly names: readonly Buffer[];
  /** Field by the place of its name among the last object's. */
  readonly order: number[];
}

/** Makes what gathers the objects on a tape. Records of a member have their names mostly in one order, which saves looking them up. */
export function makeGather(tape: Tape): Gather {
  const remembered = new Map<StructNode, Remembered>();
  return (struct, buffer, object) => {
    const state = remembered.get(struct) ?? remember(remembered, struct);
    const { slots, others, unknown, names, order } = state;
    const { nodes } = tape;
    slots.fill(-1);
    if (others.length > 0) others.length = 0;
    if (unknown.size > 0) unknown.clear();
    const end = nodes[object + NEXT] as number;
    let position = 0;
    for (let at = object + NODE; at < end; position++) {
      const value = at + NODE;
      const expected = order[position] ?? -1;
      if (expected !== -1 && isName(buffer, nodes, at, names[expected] as Buffer)) {
        // Of a name that occurs twice, the last value counts.
        slots[expected] = value;
      } else {
        const name = rawString(buffer, nodes, at);
        const field = struct.exact.get(name);
        if (field === undefined) setAside(struct, state, name, value);
        else {
          slots[field] = value;
          order[position] = field;
        }
      }
      at = nodes[value + NEXT] as number;
    }
    return state;
  };
}

function remember(remembered: Map<StructNode, Remembered>, struct: StructNode): Remembered {
  const state = {
    slots: new Int32Array(struct.names.length),
    others: [],
    unknown: new Map<string, number>(),
    names: struct.names.map((name) => Buffer.from(name, "utf8")),
    order: [],
  };
  remembered.set(struct, state);
  return state;
}

function setAside(
  { loose }: StructNode,
  { others, unknown }: Gathered,
  name: string,
  value: number,
): void {
  const field = loose.get(looseName(name));
  if (field === undefined) {
    unknown.set(name, value);
    checkBound(unknown.size, MOST_NAMES);
    return;
  }
  const before = others.find((other) => other.name === name);
  if (before === undefined) checkBound(others.push({ name, field, node: value }), MOST_SPELLINGS);
  else before.node = value;
}

/**
 * Picks a field's value: that of its exact name, or else that of the first other spelling that has one. Whatever further one has a value is
 * a conflict.
 */
export function pick(
  { nodes }: Tape,
  { slots, others }: Gathered,
  field: number,
  onConflict: () => void,
): number {
  let picked = slots[field] as number;
  for (const { field: other, node } of others) {
    if (other !== field || nodes[node + KIND] === NULL) continue;
    if (picked === -1 || nodes[picked + KIND] === NULL) picked = node;
    else onConflict();
  }
  return picked;
}

function isName(buffer: Uint8Array, nodes: Int32Array, node: number, name: Uint8Array): boolean {
  const from = nodes[node + FROM] as number;
  const size = name.length;
  if ((nodes[node + TO] as number) - from !== size || nodes[node + KIND] !== STRING) return false;
  for (let i = 0; i < size; i++) if (buffer[from + i] !== name[i]) return false;
  return true;
}
