import { describe, expect, test } from "vitest";

import type { Lineage } from "../../../../src/jobs/htan/data/lineage.ts";
import { computeReach, hasBit } from "../../../../src/jobs/htan/data/reach.ts";

/** Makes a graph of records 0, 1, 2, …, record r being of component `componentOf(r)`. */
function graphOf(
  size: number,
  links: readonly (readonly [number, number])[],
  componentOf: (record: number) => number = (record) => record,
): Lineage {
  const records = Array.from({ length: size }, (_, record) => record);
  return {
    ids: records.map(String),
    componentOf: records.map(componentOf),
    parents: links.map(([parent]) => parent),
    children: links.map(([, child]) => child),
    badLinks: [],
  };
}

function reachOf(lineage: Lineage, components: number): number[][] {
  const { bits, words } = computeReach(lineage, components);
  return lineage.ids.map((_, record) =>
    Array.from({ length: components }, (__, component) => component).filter((component) =>
      hasBit(bits, record * words, component),
    ),
  );
}

describe("computeReach(lineage, components)", () => {
  test("gives each record its own component and all that lie downstream", () => {
    const lineage = graphOf(6, [
      [0, 1],
      [1, 2],
      [0, 3],
      [3, 2],
      [3, 4],
    ]);
    expect(reachOf(lineage, 6)).toEqual([[0, 1, 2, 3, 4], [1, 2], [2], [2, 3, 4], [4], [5]]);
  });

  test("gives all records of a ring the same, and does not walk it for ever", () => {
    const lineage = graphOf(7, [
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 1],
      [3, 4],
      [4, 4],
      [5, 6],
      [6, 5],
      [5, 0],
    ]);
    const ring = [1, 2, 3, 4];
    const all = [0, ...ring, 5, 6];
    expect(reachOf(lineage, 7)).toEqual([[0, ...ring], ring, ring, ring, [4], all, all]);
  });

  test("tells components apart beyond the first 32", () => {
    const lineage = graphOf(3, [[0, 1]], (record) => [5, 37, 95][record] ?? 0);
    expect(reachOf(lineage, 96)).toEqual([[5, 37], [37], [95]]);
  });

  test("agrees with walking from every record, on 300 random graphs", () => {
    let state = 7;
    const dice = (n: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * n);
    };
    for (let round = 0; round < 300; round++) {
      const size = 1 + dice(12);
      const links = Array.from({ length: dice(20) }, () => [dice(size), dice(size)] as const);
      expect(reachOf(graphOf(size, links), size), JSON.stringify(links)).toEqual(
        Array.from({ length: size }, (_, record) => walk(record, links)),
      );
    }
  });

  test("reaches 100,000 deep, and a ring of 100,000", () => {
    const size = 100_000;
    const chain = Array.from({ length: size - 1 }, (_, record) => [record, record + 1] as const);
    const componentOf = (record: number): number => (record === size - 1 ? 1 : 0);
    for (const links of [chain, [...chain, [size - 1, 0] as const]]) {
      const { bits, words } = computeReach(graphOf(size, links, componentOf), 2);
      expect([hasBit(bits, 0, 1), hasBit(bits, 50_000 * words, 1)]).toEqual([true, true]);
    }
  });
});

/** The plain way: what can be walked to, with the record itself. */
function walk(from: number, links: readonly (readonly [number, number])[]): number[] {
  const met = new Set([from]);
  for (const record of met) {
    for (const [parent, child] of links) if (parent === record) met.add(child);
  }
  return [...met].sort((a, b) => a - b);
}
