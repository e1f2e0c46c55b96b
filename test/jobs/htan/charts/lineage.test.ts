import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createContext, runInContext } from "node:vm";

import { describe, expect, test } from "vitest";

interface Graph {
  readonly components: readonly string[];
  readonly ids: readonly string[];
  readonly componentOf: readonly number[];
  readonly links: readonly number[];
  readonly broken: readonly { record: string; component: string; value: string; link: string }[];
}
interface Lineage {
  readonly nodes: readonly {
    id: string;
    component: string;
    isMissing: boolean;
    isCenter: boolean;
  }[];
  readonly links: readonly (readonly [number, number])[];
  readonly total: number;
  readonly column: readonly number[];
  readonly row: readonly number[];
  readonly lane: readonly (number | null)[];
}

/** Runs the page's script as a page does, without a page. */
function lineageOf(graph: Graph, id: string): Lineage {
  const window: Record<string, unknown> = { hdash: {} };
  const context = createContext({ window, graph, id });
  const script = join(import.meta.dirname, "../../../../views/assets/lineage.js");
  runInContext(readFileSync(script, "utf8"), context);
  const found: unknown = runInContext(
    "JSON.stringify(window.hdashLineage.findLineage(window.hdashLineage.readNetwork(graph), id))",
    context,
  );
  return JSON.parse(String(found)) as Lineage;
}

function graphOf(
  size: number,
  links: readonly (readonly [number, number])[],
  broken: Graph["broken"] = [],
): Graph {
  return {
    components: ["Biospecimen"],
    ids: Array.from({ length: size }, (_, index) => `r${index}`),
    componentOf: Array<number>(size).fill(0),
    links: links.flat(),
    broken,
  };
}

function places({ column, row }: Lineage): readonly string[] {
  return column.map((at, index) => `${at}:${row[index]?.toFixed(2)}`);
}

describe("findLineage(network, id)", () => {
  test("finds what a record comes from and what comes from it, and nothing beside", () => {
    // r0 → r1 → r2, r1 → r3; r0 → r4 is a sister of r1.
    const lineage = lineageOf(
      graphOf(5, [
        [0, 1],
        [1, 2],
        [1, 3],
        [0, 4],
      ]),
      "r1",
    );
    expect(lineage.nodes.map(({ id, isCenter }) => [id, isCenter])).toEqual([
      ["r1", true],
      ["r0", false],
      ["r2", false],
      ["r3", false],
    ]);
    expect(lineage.total).toBe(4);
    expect(places(lineage)).toEqual(["1:0.50", "0:0.50", "2:0.00", "2:1.00"]);
  });

  test("puts a broken link's target beside the record that names it, off every other box", () => {
    const broken = [
      { record: "r1", component: "Biospecimen", value: "gone", link: "parent" },
      { record: "r1", component: "Biospecimen", value: "r1", link: "self" },
    ];
    const lineage = lineageOf(graphOf(2, [[0, 1]], broken), "r1");
    expect(lineage.nodes.filter(({ isMissing }) => isMissing)).toMatchObject([
      { id: "gone", component: "no such record (parent)" },
      { id: "r1", component: "names itself as parent" },
    ]);
    expect(new Set(places(lineage)).size).toBe(4);
  });

  test("finds a way past the columns between the ends of a link, where no box stands", () => {
    // r0 → r1 → r2 → r3, and r0 → r3, r1 → r3 past what lies between; r0 → r4 takes a row of its own.
    const lineage = lineageOf(
      graphOf(5, [
        [0, 1],
        [1, 2],
        [2, 3],
        [0, 3],
        [1, 3],
        [0, 4],
      ]),
      "r0",
    );
    const { links, lane, column, row } = lineage;
    const spans = links.map(([from, to]) => (column[to] ?? 0) - (column[from] ?? 0));
    expect(spans.filter((span) => span > 1)).toHaveLength(2);
    for (const [at, [from, to]] of links.entries()) {
      const own = lane[at];
      expect(own === null, `link ${at}`).toBe((spans[at] ?? 0) < 2);
      for (const [node, place] of column.entries()) {
        if (own === null || place <= (column[from] ?? 0) || place >= (column[to] ?? 0)) continue;
        expect(Math.abs((row[node] ?? 0) - (own ?? 0)), `link ${at}`).toBeGreaterThanOrEqual(0.49);
      }
    }
  });

  test("shows a record without links by its broken link alone", () => {
    const lineage = lineageOf(
      graphOf(0, [], [{ record: "lone", component: "", value: "gone", link: "parent" }]),
      "lone",
    );
    expect(lineage.nodes.map(({ id }) => id)).toEqual(["lone", "gone"]);
    expect(new Set(places(lineage)).size).toBe(2);
  });

  test.each([
    [
      "a cycle",
      graphOf(3, [
        [0, 1],
        [1, 2],
        [2, 0],
      ]),
    ],
    [
      "a record that is its own parent",
      graphOf(2, [
        [0, 0],
        [0, 1],
      ]),
    ],
    [
      "a chain of 50,000",
      graphOf(
        50_000,
        Array.from({ length: 49_999 }, (_, index) => [index, index + 1] as const),
      ),
    ],
    [
      "a parent of 20,000",
      graphOf(
        20_001,
        Array.from({ length: 20_000 }, (_, index) => [0, index + 1] as const),
      ),
    ],
  ])("ends on %s, with every box in a place of its own", (_, graph) => {
    const lineage = lineageOf(graph, "r0");
    expect(lineage.total).toBe(graph.ids.length);
    expect(lineage.nodes.length).toBeLessThanOrEqual(361);
    expect(new Set(places(lineage)).size).toBe(lineage.nodes.length);
  });
});
