import { parse } from "csv-parse/sync";
import { describe, expect, test } from "vitest";

import { type CsvFacts, makeCsvScanner, readCsv } from "../../src/formats/csv.ts";
import { cellText, type CsvEscape, type CsvRecord } from "../../src/formats/csvRecord.ts";
import { chunked } from "../jobs/htan/given.ts";

/** Reads all records as text; `size` is that of the pieces that the bytes come in. */
async function read(
  content: string | Uint8Array,
  size?: number,
  escape?: CsvEscape,
): Promise<{ rows: number[]; records: string[][]; facts: CsvFacts }> {
  const rows: number[] = [];
  const records: string[][] = [];
  const keep = (record: CsvRecord): boolean => {
    rows.push(record.row);
    records.push(Array.from({ length: record.length }, (_, index) => cellText(record, index)));
    return true;
  };
  const facts = await readCsv(chunked(content, size), keep, escape);
  return { rows, records, facts };
}

describe("readCsv(chunks, onRecord, escape)", () => {
  test.each([
    [
      "ends with and without a line break",
      "a,b\nc,d",
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    ["takes CRLF, LF and CR for line breaks", "a\r\nb\nc\rd", [["a"], ["b"], ["c"], ["d"]]],
    ["drops a byte-order mark", "\ufeffa,b\n", [["a", "b"]]],
    ["drops a byte-order mark before a quote", '\ufeff"a",b\n', [["a", "b"]]],
    ["keeps line breaks and commas in quotes", '"a\r\n,b",c\n', [["a\r\n,b", "c"]]],
    ["reads doubled quotes", '"say ""hi""",""""\n', [['say "hi"', '"']]],
    [
      "reads empty cells",
      ',,\n"",\n',
      [
        ["", "", ""],
        ["", ""],
      ],
    ],
    ["reads ragged records as they are", "a\nb,c,d\n", [["a"], ["b", "c", "d"]]],
    ["keeps a quote inside a bare cell", 'a"b",c\n', [['a"b"', "c"]]],
    ["keeps what follows a closing quote", '"a"b,"c"" "d"\n', [["ab", 'c" d"']]],
    ["passes over empty lines", "a\n\n \t\n\nb\n", [["a"], ["b"]]],
    ["keeps a quoted empty line, which is a cell", 'a\n""\n', [["a"], [""]]],
    ["keeps an empty last cell", "a,", [["a", ""]]],
    ["keeps letters beyond ASCII", "naïve β,😀\n", [["naïve β", "😀"]]],
    ["finds nothing in nothing", "", []],
    ["finds nothing in a byte-order mark alone", "\ufeff", []],
  ])("%s, wherever the bytes are cut", async (_what, content, records) => {
    for (const size of [1, 2, 3, 5, 1000]) {
      expect((await read(content, size)).records, `pieces of ${size}`).toEqual(records);
    }
  });

  test("numbers rows as a spreadsheet does: line breaks in quotes do not count, empty lines do", async () => {
    const { rows } = await read('h\n"1\n2"\r\n\r\nx\ry\n');
    expect(rows).toEqual([1, 2, 4, 5]);
  });

  test.each(["\\", '"'] as const)("agrees with doubled quotes under escape %s", async (escape) => {
    expect((await read('"a ""b""",c\n', 1, escape)).records).toEqual([['a "b"', "c"]]);
  });

  test.each([";", "\t", "|"])(
    "reads cells between %j, and commas as letters",
    async (separator) => {
      const content = ["a,b", '"c\nd"', `"e${separator}"`, "f"].join(separator);
      const records: string[][] = [];
      await readCsv(
        chunked(content, 1),
        (record) =>
          records.push(Array.from({ length: record.length }, (_, at) => cellText(record, at))) > 0,
        '"',
        separator,
      );
      expect(records).toEqual([["a,b", "c\nd", `e${separator}`, "f"]]);
    },
  );

  test("takes a backslash for an escape only where it is told to, and only before a quote or another", async () => {
    const content = String.raw`"a \"b\", \\ \n","\\",\"` + "\n";
    for (const size of [1, 2, 3, 1000]) {
      expect((await read(content, size, "\\")).records).toEqual([
        [String.raw`a "b", \ \n`, "\\", String.raw`\"`],
      ]);
    }
    expect((await read(String.raw`"a\",b` + "\n")).records).toEqual([["a\\", "b"]]);
  });

  test("tells the row of a quote that is never closed, and does not give that row away", async () => {
    const { records, facts } = await read('a,b\nc,"d\ne,f\n', 4);
    expect(records).toEqual([["a", "b"]]);
    expect(facts).toEqual({ bytes: 13, undecodableRow: null, unclosedRow: 2, overlongRow: null });
  });

  test("tells of bytes that are no text also in a row that is not closed", async () => {
    const { facts } = await read(Buffer.from('a,b\nc,"\0\n'));
    expect([facts.unclosedRow, facts.undecodableRow]).toEqual([2, 2]);
  });

  test.each([
    ["bytes that are not UTF-8", Buffer.from([0x61, 0xe9, 0x62])],
    ["a NUL", Buffer.from([0x61, 0x00])],
    ["half a letter", Buffer.from([0xc3])],
  ])("tells the first row with %s", async (_what, bad) => {
    const content = Buffer.concat([
      Buffer.from('h\r\n"a\nb"\r\n\r\nç\r\n'),
      bad,
      Buffer.from("\r\nx\r\n"),
    ]);
    for (const size of [1, 3, 1000]) {
      const { facts } = await read(content, size);
      expect(facts.undecodableRow, `pieces of ${size}`).toBe(5);
    }
    expect((await read(Buffer.concat([Buffer.from("h\n"), bad]))).facts.undecodableRow).toBe(2);
  });

  test("finds nothing undecodable in letters that are cut by pieces", async () => {
    expect((await read("ä😀,€\n".repeat(50), 1)).facts.undecodableRow).toBeNull();
  });

  test("stops at a record that is longer than any spreadsheet's", async () => {
    const long = Buffer.alloc(17 << 20, "x");
    const { records, facts } = await read(Buffer.concat([Buffer.from("h\n"), long]), 1 << 16);
    expect(records).toEqual([["h"]]);
    expect(facts.overlongRow).toBe(2);
  });

  test("stops at a record with more cells than any spreadsheet's", async () => {
    const { records, facts } = await read(`h\n${",".repeat(300_000)}`);
    expect(records).toEqual([["h"]]);
    expect(facts.overlongRow).toBe(2);
  });

  test("reads records of thousands of cells", async () => {
    const cells = Array.from({ length: 5000 }, (_, index) => `c${index}`);
    expect((await read(`${cells.join(",")}\n`, 7)).records).toEqual([cells]);
  });

  test("stops when it is told to, and reads no further", async () => {
    let pulled = 0;
    const chunks = (async function* () {
      for (; pulled < 10; pulled++) yield Buffer.from("a\nb\n");
    })();
    const seen: string[] = [];
    await readCsv(chunks, (record) => {
      seen.push(cellText(record, 0));
      return seen.length < 3;
    });
    expect([seen, pulled]).toEqual([["a", "b", "a"], 1]);
  });

  test("reads what csv-parse reads, of 3,000 files of hostile cells cut at random", async () => {
    const dice = makeDice(20_260_719);
    for (let round = 0; round < 3000; round++) {
      const content = hostileFile(dice);
      const expected = parse(content, {
        relax_column_count: true,
        bom: true,
        record_delimiter: ["\r\n", "\n", "\r"],
        skip_empty_lines: true,
      });
      const { records } = await read(content, 1 + dice(40));
      expect(records, JSON.stringify(content)).toEqual(expected);
    }
  });
});

describe("makeCsvScanner(onRecord, escape)", () => {
  test("takes one piece of any size", () => {
    let count = 0;
    const scanner = makeCsvScanner(() => (count += 1) > 0);
    scanner.push(Buffer.from('12345,"6"\n'.repeat(100_000)));
    expect([scanner.end().bytes, count]).toEqual([1_000_000, 100_000]);
  });
});

describe("cellText(record, index)", () => {
  test("reads a cell beyond the last as empty", async () => {
    const texts: string[] = [];
    await readCsv(
      chunked("a\n"),
      (record) => texts.push(cellText(record, 0), cellText(record, 9)) > 0,
    );
    expect(texts).toEqual(["a", ""]);
  });
});

/** A small generator of numbers below n; the same seed gives the same files on every machine. */
function makeDice(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

const PARTS = [
  "a",
  "bc",
  "ß",
  "😀",
  ",",
  '"',
  '""',
  "\n",
  "\r\n",
  "\r",
  " ",
  "\t",
  "NA",
  "0",
  "\\",
  "=",
];
const BREAKS = ["\n", "\r\n", "\r"];

/** Writes a well-formed file of awkward cells: quoted where they need it, and sometimes where they do not; ragged; with and without a mark. */
function hostileFile(dice: (n: number) => number): string {
  const lineBreak = BREAKS[dice(3)] ?? "\n";
  const records = Array.from({ length: dice(6) }, () =>
    Array.from({ length: 1 + dice(5) }, () => {
      const cell = Array.from({ length: dice(5) }, () => PARTS[dice(PARTS.length)] ?? "").join("");
      const needsQuotes = /[",\r\n]/.test(cell) || cell.trim() === "";
      return needsQuotes || dice(4) === 0 ? `"${cell.replaceAll('"', '""')}"` : cell;
    }).join(","),
  );
  const end = dice(2) === 0 ? lineBreak : "";
  return `${dice(4) === 0 ? "\ufeff" : ""}${records.join(lineBreak)}${end}`;
}
