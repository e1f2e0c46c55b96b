// Tables of text as they occur: separators, quotes, line ends, limits.

import { gzipSync } from "node:zlib";

import { parse } from "csv-parse/sync";
import { describe, expect, test } from "vitest";

import { readBounded } from "../../../../src/jobs/matrix/reading/boundedRegion.ts";
import { readTable } from "../../../../src/jobs/matrix/reading/delimitedTable.ts";
import type { ByteRegion } from "../../../../src/jobs/matrix/reading/region.ts";
import { type Content, failure, useWorkplace } from "../support/matrixFiles.ts";

const place = useWorkplace();
const { region } = place;
const { signal } = new AbortController();

/** All fields of all rows. */
async function fields(name: string, content: Content): Promise<readonly (readonly string[])[]> {
  const found: string[][] = [];
  await readTable(await region(name, content), signal, (row) => {
    found.push(Array.from({ length: row.count() }, (_, index) => row.field(index)));
  });
  return found;
}

describe("readTable(region, signal, onRow)", () => {
  test.each<[string, string, Content, readonly (readonly string[])[]]>([
    [
      "tabs",
      "x.tsv",
      "a\tb\nc\td\n",
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    [
      "commas in a .csv",
      "x.csv",
      "a,b\nc,d\n",
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    ["commas elsewhere as text", "x.tsv", "a,b\n", [["a,b"]]],
    ["tabs in a .csv", "x.csv", "a,x\tb\n", [["a,x", "b"]]],
    [
      "CRLF and a mark of UTF-8",
      "x.tsv",
      "\ufeffa\tb\r\nc\td\r\n",
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    ["line ends of old Macs", "x.tsv", "a\rb\r", [["a"], ["b"]]],
    ["no last line end", "x.tsv", "a\nb", [["a"], ["b"]]],
    ["blank lines", "x.tsv", "\na\n\n \r\nb\n\n", [["a"], ["b"]]],
    ["empty fields", "x.tsv", "\ta\t\n", [["", "a", ""]]],
    [
      "rows of different lengths",
      "x.tsv",
      "a\tb\nc\nd\te\tf\n",
      [["a", "b"], ["c"], ["d", "e", "f"]],
    ],
    ["quotes", "x.csv", '"a","b,c","d""e"\n', [["a", "b,c", 'd"e']]],
    [
      "line ends in quotes",
      "x.csv",
      '"a\nb","c\r\n"\nd,e\n',
      [
        ["a\nb", "c"],
        ["d", "e"],
      ],
    ],
    [
      "quotes within a field",
      "x.tsv",
      '5" end\tb\nc\td\n',
      [
        ['5" end', "b"],
        ["c", "d"],
      ],
    ],
    ["quotes in one column", "x.tsv", '"A"\n"B"\n', [["A"], ["B"]]],
    ["letters beyond ASCII", "x.tsv", "Ä\tβ\n", [["Ä", "β"]]],
    ["nothing", "x.tsv", "", []],
  ])("reads %s", async (_what, name, content, expected) => {
    expect(await fields(name, content)).toEqual(expected);
  });

  test("reads as csv-parse does, across the borders of pieces", async () => {
    // Rows of all lengths with quotes, commas and line ends in them: 1.3 MB, several pieces.
    const table = Array.from({ length: 20_000 }, (_, row) =>
      [
        `id${row}`,
        row % 3 === 0 ? `"say ""${"x".repeat(row % 50)}"", or\nnot"` : "plain",
        `"${row}"`,
      ].join(","),
    ).join("\r\n");
    const expected: unknown = parse(table, { record_delimiter: "\r\n" });
    expect(await fields("x.csv", table)).toEqual(expected);
    expect(await fields("x.csv", gzipSync(table)).catch(failureOf)).toBe("x.csv holds no text");
  });

  function failureOf(error: unknown): string {
    return error instanceof Error ? error.message : "";
  }
});

describe("readBounded(region, mostBytes, signal)", () => {
  const take = async (content: Content, most: number, by: AbortSignal): Promise<number> => {
    let length = 0;
    for await (const piece of readBounded(await region("x.tsv", content), most, by)) {
      length += piece.length;
    }
    return length;
  };

  test("gives so much and no more", async () => {
    expect(await take("x".repeat(1000), 1000, signal)).toBe(1000);
    expect(await failure(take("x".repeat(1001), 1000, signal))).toBe(
      "M_UNSAFE: x.tsv unpacks to more than 1.00 kB",
    );
  });

  test("stops when told to", async () => {
    expect(await failure(take("x", 10, AbortSignal.abort()))).toBe(
      "aborted: reading of the matrix was stopped",
    );
  });

  test("says what is gone", async () => {
    const gone: ByteRegion = { ...(await region("x.tsv", "x")), path: `${place.dir}/gone` };
    expect(await failure(readTable(gone, signal, () => undefined))).toBe(
      "permanent: x.tsv cannot be read from disk",
    );
  });
});
