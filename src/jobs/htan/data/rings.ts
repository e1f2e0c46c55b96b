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
  for (let start = 0; start < size; start++) {
    while (isGone[start] === 0) {
      const ring = walkToRing(start);
      rings.push(ring);
      for (const record of ring) remove(record);
      peelOff();
    }
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

  /** Goes from child to parent, each of which has one, until it comes to where it was before. */
  function walkToRing(start: number): number[] {
    const path: number[] = [];
    const placeOf = new Map<number, number>();
    for (let at = start; ;) {
      const place = placeOf.get(at);
      if (place !== undefined) return path.slice(place);
      placeOf.set(at, path.push(at) - 1);
      const up = linksUp.of(at).find((link) => isGone[parents[link] ?? 0] === 0);
      at = parents[up ?? 0] ?? start;
    }
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
