// Which components lie downstream of each record of the graph, however deep it is and whether or not it has rings.

import type { Lineage } from "./lineage.ts";

/** A set of components as bits, 32 to a word. */
export interface Reach {
  readonly words: number;
  /** Record × word: the components of the record itself and of all that descends from it. */
  readonly bits: Int32Array;
  /** Children of record r: childList[childStart[r]] up to childList[childStart[r + 1] - 1]. */
  readonly childStart: Int32Array;
  readonly childList: Int32Array;
}

/** Tells whether the set of bits that begins at `offset` has a component. */
export function hasBit(bits: Int32Array, offset: number, component: number): boolean {
  return (((bits[offset + (component >> 5)] ?? 0) >>> (component & 31)) & 1) === 1;
}

/** Adds a component to the set of bits that begins at `offset`. */
export function setBit(bits: Int32Array, offset: number, component: number): void {
  const word = offset + (component >> 5);
  bits[word] = (bits[word] ?? 0) | (1 << (component & 31));
}

/**
 * Computes the reach of all records in time linear in records and links, without recursion: records that reach each other are found
 * as a group (Tarjan's algorithm), and groups are finished after all that lies downstream of them.
 */
export function computeReach(lineage: Lineage, components: number): Reach {
  const size = lineage.ids.length;
  const words = Math.ceil(components / 32);
  const bits = new Int32Array(size * words);
  const { childStart, childList } = sortChildren(lineage);
  /** 0: not met; else the number of the visit, counting from 1. */
  const visit = new Int32Array(size);
  const low = new Int32Array(size);
  /** How many children of a record were looked at. */
  const looked = new Int32Array(size);
  const isOpen = new Uint8Array(size);
  const open: number[] = [];
  const path: number[] = [];
  let visits = 0;
  for (let start = 0; start < size; start++) {
    if (visit[start] !== 0) continue;
    enter(start);
    for (let at = path.at(-1); at !== undefined; at = path.at(-1)) {
      const next = nextChild(at);
      if (next === -1) leave(at);
      else if (visit[next] === 0) enter(next);
      else if (isOpen[next] === 1) low[at] = Math.min(low[at] ?? 0, visit[next] ?? 0);
    }
  }
  return { words, bits, childStart, childList };

  function enter(record: number): void {
    visits += 1;
    visit[record] = visits;
    low[record] = visits;
    isOpen[record] = 1;
    open.push(record);
    path.push(record);
    setBit(bits, record * words, lineage.componentOf[record] ?? 0);
  }

  function nextChild(record: number): number {
    const at = (childStart[record] ?? 0) + (looked[record] ?? 0);
    if (at >= (childStart[record + 1] ?? 0)) return -1;
    looked[record] = (looked[record] ?? 0) + 1;
    return childList[at] ?? -1;
  }

  /** Leaves a record; with the first of a group's, all of its members get what any of them reaches. */
  function leave(record: number): void {
    path.pop();
    const above = path.at(-1);
    if (above !== undefined) low[above] = Math.min(low[above] ?? 0, low[record] ?? 0);
    if (low[record] !== visit[record]) return;
    let from = open.length - 1;
    while (open[from] !== record) from -= 1;
    for (let place = from; place < open.length; place++) {
      const member = open[place] ?? 0;
      for (let at = childStart[member] ?? 0; at < (childStart[member + 1] ?? 0); at++) {
        join(record, childList[at] ?? 0);
      }
      join(record, member);
      isOpen[member] = 0;
    }
    for (let place = from + 1; place < open.length; place++) join(open[place] ?? 0, record);
    open.length = from;
  }

  function join(target: number, source: number): void {
    for (let word = 0; word < words; word++) {
      const to = target * words + word;
      bits[to] = (bits[to] ?? 0) | (bits[source * words + word] ?? 0);
    }
  }
}

function sortChildren({ ids, parents, children }: Lineage) {
  const childStart = new Int32Array(ids.length + 1);
  for (let link = 0; link < parents.length; link++) {
    const parent = parents[link] ?? 0;
    childStart[parent + 1] = (childStart[parent + 1] ?? 0) + 1;
  }
  for (let at = 0; at < ids.length; at++) {
    childStart[at + 1] = (childStart[at + 1] ?? 0) + (childStart[at] ?? 0);
  }
  const childList = new Int32Array(parents.length);
  const next = childStart.slice();
  for (let link = 0; link < parents.length; link++) {
    const parent = parents[link] ?? 0;
    const at = next[parent] ?? 0;
    childList[at] = children[link] ?? 0;
    next[parent] = at + 1;
  }
  return { childStart, childList };
}
