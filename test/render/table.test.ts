import { describe, expect, test } from "vitest";

import { makeTable, type TableSpec } from "../../src/render/table.ts";

const SPEC: TableSpec = {
  id: "t",
  name: "t-shown",
  caption: "Things",
  columns: [
    { key: "id", label: "Id", kind: "text", linkPrefix: "https://example.org/" },
    { key: "size", label: "Size", kind: "number", hint: "Bytes" },
    { key: "says", label: "Says", kind: "text", prose: true },
  ],
  rows: [["syn12", 12345, { text: "bad", tone: "error", note: "why", bar: 0.5, value: "z" }]],
  empty: "Nothing.",
};

describe("makeTable(spec)", () => {
  test("writes numbers, links ids and marks the first cell as the row's heading", () => {
    const blank = { href: "", classes: "", note: "", hasBar: false, barPct: "0.0", svg: "" };
    expect(makeTable(SPEC).rows).toEqual([
      [
        { ...blank, text: "syn12", value: "", href: "https://example.org/syn12", isHeading: true },
        { ...blank, text: "12,345", value: "12345", classes: "num", isHeading: false },
        {
          ...blank,
          text: "bad",
          value: "z",
          classes: "prose tone-error",
          note: "why",
          hasBar: true,
          barPct: "50.0",
          isHeading: false,
        },
      ],
    ]);
  });

  test("links nothing but an id", () => {
    const hrefs = ["", "syn1 2", "javascript:alert(1)", "../syn1", "syn1"].map(
      (text) => makeTable({ ...SPEC, rows: [[text, 1, ""]] }).rows[0]?.[0]?.href,
    );
    expect(hrefs).toEqual(["", "", "", "", "https://example.org/syn1"]);
  });

  test("keeps up to 200 rows as markup alone", () => {
    const table = makeTable({ ...SPEC, rows: Array.from({ length: 200 }, () => ["a", 1, ""]) });
    expect([table.rows.length, table.data, table.partial, table.cut]).toEqual([200, null, "", ""]);
  });

  test("sends a longer table as data in short form, with a preview", () => {
    const rows = Array.from({ length: 201 }, () => SPEC.rows[0] ?? []);
    const table = makeTable({ ...SPEC, rows });
    expect(table.rows).toHaveLength(50);
    expect(table.partial).toBe("The first 50 of 201 rows.");
    expect(table.data).toHaveLength(201);
    expect(table.data?.[0]).toEqual([
      "syn12",
      12345,
      { t: "bad", v: "z", c: "error", n: "why", b: 50 },
    ]);
  });

  test("cuts a table that would not fit a page, and says so", () => {
    const table = makeTable({ ...SPEC, rows: Array.from({ length: 20_001 }, () => ["a", 1, ""]) });
    expect(table.data).toHaveLength(20_000);
    expect(table.cut).toBe("20,000 of 20,001 rows in the table.");
  });

  test("says how many rows there are where it is given a choice of them", () => {
    const table = makeTable({ ...SPEC, total: 1234 });
    expect([table.total, table.cut]).toEqual(["1,234", "1 of 1,234 rows in the table."]);
  });
});
