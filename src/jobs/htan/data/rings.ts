// Rings among records: a record that descends from itself through any number of others.

/** A graph of records by number; links are pairs of parent and child. */
export interface Links {
  readonly size: number;
  readonly parents: readonly number[];
  readonly children: readonly number[];
}

/**
 * Finds rings of two and more records, none of which shares a record with another: each member is a child of the next, and the last of
 * the first. What can be in no ring (no parent or no child is left of it) is peeled off first, so that a sound graph costs one pass.
 */
export function findRings({ size, parents, children }: Links): readonly (readonly number[])[] {
  const links = parents.flatMap((parent, link) => (parent === children[link] ? [] : [link]));
  const parentsLeft = new Int32Array(size);
  const childrenLeft = new Int32Array(size);
  const linksUp = startsBy(size, links, children);
  const linksDown = startsBy(size, links, parents);
  for (const link of links) {
    parentsLeft[children[link] ?? 0] = (parentsLeft[children[link] ?? 0] ?? 0) + 1;
    childrenLeft[parents[link] ?? 0] = (childrenLeft[parents[link] ?? 0] ?? 0) + 1;
  }
  const isGone = new Uint8Array(size);
  const peel = Array.from({ length: size }, (_, record) => record);
  peelOff();
  const rings: number[][] = [];
  /** Record → its place on the path, counting from 1; 0: it is not on it. */
  const placeOf = new Int32Array(size);
  /** How many of a record's links to parents were passed over, since those are gone for good. */
  const passed = new Int32Array(size);
  for (let start = 0; start < size; start++) {
    if (isGone[start] === 0) walkFrom(start);
  }
  return rings;

  function peelOff(): void {
    for (let record = peel.pop(); record !== undefined; record = peel.pop()) {
      if (isGone[record] === 1) continue;
      if (parentsLeft[record] === 0 || childrenLeft[record] === 0) remove(record);
    }
  }

  function remove(record: number): void {
    isGone[record] = 1;
    for (const link of linksUp.of(record)) lessen(childrenLeft, parents[link] ?? 0);
    for (const link of linksDown.of(record)) lessen(parentsLeft, children[link] ?? 0);
  }

  function lessen(counts: Int32Array, record: number): void {
    counts[record] = (counts[record] ?? 0) - 1;
    if (counts[record] === 0 && isGone[record] === 0) peel.push(record);
  }

  /**
   * Goes from child to parent, each of which has one, and takes out each ring that it comes to. What is left of the path is walked on
   * from its end, so that every link is looked at once.
   */
  function walkFrom(start: number): void {
    const path = [start];
    placeOf[start] = 1;
    for (let at = path.at(-1); at !== undefined; at = path.at(-1)) {
      if (isGone[at] === 1) {
        placeOf[at] = 0;
        path.pop();
        continue;
      }
      const parent = parentOf(at);
      const place = placeOf[parent] ?? 0;
      if (place === 0) {
        placeOf[parent] = path.push(parent);
        continue;
      }
      const ring = path.splice(place - 1);
      rings.push(ring);
      for (const record of ring) {
        placeOf[record] = 0;
        remove(record);
      }
      peelOff();
    }
  }

  /** The first parent that is left. */
  function parentOf(record: number): number {
    const up = linksUp.of(record);
    let link = passed[record] ?? 0;
    while (isGone[parents[up[link] ?? 0] ?? 0] === 1) link += 1;
    passed[record] = link;
    return parents[up[link] ?? 0] ?? record;
  }
}

/** Sorts links by the record at one of their ends. */
function startsBy(size: number, links: readonly number[], end: readonly number[]) {
  const starts = new Int32Array(size + 1);
  for (const link of links) starts[(end[link] ?? 0) + 1] = (starts[(end[link] ?? 0) + 1] ?? 0) + 1;
  for (let at = 0; at < size; at++) starts[at + 1] = (starts[at + 1] ?? 0) + (starts[at] ?? 0);
  const sorted = new Int32Array(links.length);
  const next = starts.slice();
  for (const link of links) {
    const record = end[link] ?? 0;
    const at = next[record] ?? 0;
    sorted[at] = link;
    next[record] = at + 1;
  }
  return { of: (record: number) => sorted.subarray(starts[record], starts[record + 1]) };
}
