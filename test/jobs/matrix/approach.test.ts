// Approaches by key: no more than a portal can show, however many labels a table has.

import { describe, expect, test } from "vitest";

import { buildCellTable } from "../../../src/jobs/matrix/approach.ts";
import { noteApproaches } from "../../../src/jobs/matrix/reading/tableNotes.ts";

describe("buildCellTable(fallback)", () => {
  test.each([
    [63, 63, null],
    [64, 64, null],
    [65, 64, "2 rarer approaches"],
    [256, 64, "193 rarer approaches"],
    [3_000, 64, "2,937 rarer approaches"],
  ])("tells %i labels apart as %i approaches", (labels, approaches, folded) => {
    const builder = buildCellTable([]);
    // The last of the first 200 is the most frequent.
    const frequent = Math.min(labels, 200) - 1;
    for (let label = 0; label < labels; label++) builder.add(`method ${label}`);
    builder.add(`method ${frequent}`);
    const table = builder.build();
    expect([table.count, table.approachOf?.length]).toEqual([labels + 1, labels + 1]);
    expect(table.approaches.length).toBe(approaches);
    expect(table.approaches.at(-1)?.label).toBe(folded ?? `method ${labels - 1}`);
    const keyOf = (cell: number) => table.approaches[table.approachOf?.[cell] ?? -1]?.key;
    const kept = folded === null ? labels : 62;
    for (let cell = 0; cell < labels; cell++) {
      const isKept = cell < kept || cell === frequent;
      expect(keyOf(cell)).toBe(isKept ? `method-${cell}` : "unknown");
    }
    expect(keyOf(labels)).toBe(`method-${frequent}`);
    const told = noteApproaches(table).filter(({ message }) => message.includes("not told apart"));
    const cells = labels - 63;
    expect(told.map(({ message }) => message)).toEqual(
      folded === null || told.length === 0
        ? []
        : [
            `the library construction approach of ${cells.toLocaleString("en")} cells is not told apart: ${folded}; no more than 64 approaches have figures of their own`,
          ],
    );
    expect(told.length).toBe(folded === null ? 0 : 1);
  });

  test("says nothing of a count that it did not finish, and takes little time for names of cells", () => {
    const builder = buildCellTable([]);
    for (let label = 0; label < 300_000; label++) builder.add(`cell ${label}`);
    const { approaches } = builder.build();
    expect(approaches.length).toBe(64);
    expect(approaches.at(-1)).toEqual({ key: "unknown", label: "10,191 or more rarer approaches" });
  });
});
