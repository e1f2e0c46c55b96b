import { describe, expect, test } from "vitest";

import { findDialect, findEncoding, openTable } from "../../src/formats/csvDialect.ts";
import { cellText } from "../../src/formats/csvRecord.ts";
import { chunked } from "../jobs/htan/given.ts";

const isName = (text: string): boolean => ["id", "name", "big one"].includes(text);

describe("openTable(chunks, isName)", () => {
  async function read(content: string | Uint8Array, size?: number) {
    const table = await openTable(chunked(content, size), isName);
    const records: string[][] = [];
    const facts = await table.read((record) => {
      records.push(Array.from({ length: record.length }, (_, index) => cellText(record, index)));
      return true;
    });
    return { dialect: table.dialect, records, facts };
  }

  test("reads all of a file that is longer than what it looks at first, wherever it is cut", async () => {
    const lines = Array.from({ length: 10_000 }, (_, line) => `${line};"ä; ""😀"""`);
    const text = ["id;name", ...lines].join("\n");
    for (const content of [Buffer.from(text), Buffer.from(text, "utf16le")]) {
      for (const size of [999, 1 << 16, 1 << 24]) {
        const { records } = await read(content, size);
        expect(records).toHaveLength(10_001);
        expect(records.at(-1)).toEqual(["9999", 'ä; "😀"']);
      }
    }
  });

  test("tells what was odd of the text itself", async () => {
    const { facts } = await read('id,name\n1,"2\n');
    expect(facts.unclosedRow).toBe(2);
  });

  test.each([0, 1, 2, 3])("reads a file of %d bytes", async (length) => {
    const { records, dialect } = await read("a,b".slice(0, length));
    expect(dialect.place).toBeNull();
    expect(records).toHaveLength(length === 0 ? 0 : 1);
  });

  test("passes on that its source fails, at once and later", async () => {
    for (const good of [0, 2]) {
      const failing = (async function* () {
        for (let turn = 0; turn < good; turn++) yield Buffer.alloc(1 << 16, "a\n");
        throw new Error("connection lost");
      })();
      const reading = openTable(failing, isName).then((table) => table.read(() => true));
      await expect(reading).rejects.toThrow("connection lost");
    }
  });

  test("closes its source where it is not read to its end", async () => {
    let isClosed = false;
    const source = (async function* () {
      try {
        for (;;) yield Buffer.alloc(1 << 16, "id,name\n");
      } finally {
        isClosed = true;
      }
    })();
    const table = await openTable(source, isName);
    await table.read(() => false);
    expect(isClosed).toBe(true);
  });
});

describe("findDialect(text, isName)", () => {
  test.each([
    ["id,name\n", ","],
    ["id;name\n", ";"],
    ["id\tname\n", "\t"],
    ["id|name\n", "|"],
    ["x;y;z,id\n1;2;3;4\n", ","],
    ['"id";"a,b";"c,d"\n', ";"],
    ["\n\n id;id\n", ";"],
    ["id", ","],
    ["", ","],
  ])("takes for %j the separator %j", (text, separator) => {
    expect(findDialect(Buffer.from(text), isName).separator).toBe(separator);
  });

  test.each([
    ["sep=;\nid;name", ";", 6],
    ["SEP=;\r\nid;name", ";", 7],
    ['"sep=;"\rid;name', ";", 8],
    ["\ufeffsep=;;;;\nid;name", ";", 12],
    ["sep=^\nid^name", "^", 6],
    ["sep=;\nid,name", ",", 6],
    ["sep=\nid,name", ",", 0],
    ["sep=;x\nid;name", ",", 0],
    ["separator=;\nid;name", ",", 0],
  ])("steps in %j over the line that names the separator", (text, separator, skipped) => {
    expect(findDialect(Buffer.from(text), isName)).toMatchObject({ separator, skipped });
  });

  test.each([
    ["id,name", { kind: "first row" }],
    ["title;;\n\nid;name", { kind: "later row", row: 3 }],
    ['"id,name"\n"1,2"', { kind: "one cell" }],
    ["id:name", { kind: "unknown separator" }],
    ["id  big one", { kind: "unknown separator" }],
    ["id:other", null],
    ["1,2\nid,x", null],
    [`${"x\n".repeat(30)}id,name`, null],
  ])("finds where the names of %j are", (text, place) => {
    expect(findDialect(Buffer.from(text), isName).place).toEqual(place);
  });
});

describe("findEncoding(head)", () => {
  const swapped = (text: string): Buffer => Buffer.from(text, "utf16le").swap16();
  test.each([
    ["UTF-8", Buffer.from("id,name"), "utf-8"],
    ["UTF-8 with a mark", Buffer.from("\ufeffid"), "utf-8"],
    ["UTF-16 with a mark", Buffer.from("\ufeff名前", "utf16le"), "utf-16le"],
    ["UTF-16 of the other order with a mark", swapped("\ufeff名前"), "utf-16be"],
    ["UTF-16", Buffer.from("id,name", "utf16le"), "utf-16le"],
    ["UTF-16 of the other order", swapped("id,name"), "utf-16be"],
    [
      "UTF-16 with a few letters beyond ASCII",
      Buffer.from(`${"id,".repeat(9)}ł`, "utf16le"),
      "utf-16le",
    ],
    [
      "UTF-16 with letters whose NUL is elsewhere",
      Buffer.from("id;name\n1;😀\n", "utf16le"),
      "utf-16le",
    ],
    ["text with NULs in it", Buffer.from("i\0d\0,name of a column"), "utf-8"],
    ["nothing but NULs", Buffer.alloc(100), "utf-8"],
    ["one letter", Buffer.from("a"), "utf-8"],
  ])("tells %s", (_what, bytes, encoding) => {
    expect(findEncoding(bytes)).toBe(encoding);
  });
});
