import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { digestOf } from "../../../../src/digest.ts";
import { giveValue, type LocalFile } from "../../../../src/jobs/analysis/sources/given.ts";
import {
  boolean,
  choice,
  file,
  folder,
  integer,
  json,
  type Kinds,
  list,
  number,
  optional,
  type Shape,
  table,
  text,
} from "../../../../src/jobs/analysis/writing/kinds.ts";
import { makeContentDigests } from "../../../../src/store/contentDigests.ts";
import { refusal } from "../../../support/refusal.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-given-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** Puts a file below the folder that the command is given in. */
async function put(name: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(dir, name)), { recursive: true });
  await writeFile(join(dir, name), content);
}

/** What stands for a file in a plan here. */
const handleOf = ({ path, sha256, bytes }: Omit<LocalFile, "place">): object => ({
  handle: path,
  sha256,
  bytes,
});
/** A file below the folder, as a plan gets it. */
const handle = (name: string, content: string): object =>
  handleOf({ path: join(dir, name), sha256: digestOf(content), bytes: Buffer.byteLength(content) });

let notes: string[] = [];
beforeEach(() => {
  notes = [];
});

const give = (shape: Shape, value: unknown): Promise<unknown> =>
  giveValue(shape, value, {
    ...{ at: "--it", base: dir, digests: makeContentDigests() },
    ...{ fileOf: handleOf, folderOf: (folder) => ({ ...handleOf(folder), isFolder: true }) },
    farOf: (far) => ({ far }),
    note: (text) => void notes.push(text),
    signal: new AbortController().signal,
  });

/** The rows of a sheet with this content. */
async function rowsOf(columns: Kinds, content: string | Uint8Array): Promise<unknown> {
  await put("s.csv", content);
  return give(table(columns).shape, "s.csv");
}

/** What is said of a sheet with this content, without where it lies. */
async function said(columns: Kinds, content: string | Uint8Array): Promise<string> {
  return told(rowsOf(columns, content));
}
async function told(giving: Promise<unknown>): Promise<string> {
  const { kind, message } = await refusal(giving);
  return `${kind}: ${message.replaceAll(`${dir}/`, "").replaceAll(dir, ".")}`;
}

const two = { sample: text(), k: integer() };
const rows = [
  { sample: "a", k: 1 },
  { sample: "b", k: 2 },
];

describe("giveValue(table, path), rows", () => {
  test.each<[string, string, unknown]>([
    ["with lines as they are", "sample,k\na,1\nb,2\n", rows],
    ["without a last line break", "sample,k\na,1\nb,2", rows],
    ["with CRLF", "sample,k\r\na,1\r\nb,2\r\n", rows],
    ["with a byte-order mark", "\ufeffsample,k\na,1\nb,2\n", rows],
    ["with a byte-order mark before quotes", '\ufeff"sample","k"\r\n"a","1"\r\n"b","2"\r\n', rows],
    ["with empty lines", "\nsample,k\n\na,1\n  \nb,2\n\n", rows],
    ["with columns in another order, and more of them", "note,k,sample\nx,1,a\ny,2,b\n", rows],
    ["with blanks around names and numbers", " sample , k \na, 1 \nb,2\n", rows],
    ["with no rows", "sample,k\n", []],
    [
      "with quotes, commas and line breaks in cells",
      'sample,k\n"a ""b"", c\nd",1\n',
      [{ sample: 'a "b", c\nd', k: 1 }],
    ],
    ["with texts as they stand", "sample,k\n ä 😀 ,1\n", [{ sample: " ä 😀 ", k: 1 }]],
    ["with an empty text", "sample,k\n,1\n", [{ sample: "", k: 1 }]],
  ])("reads a sheet %s", async (_what, content, found) => {
    expect(await rowsOf(two, content)).toEqual(found);
  });

  test("reads a cell of each kind, and what is optional as null", async () => {
    const columns = {
      ...{ n: number(), b: boolean(), c: choice("x", "y"), j: json(), l: list(integer()) },
      ...{ o: optional(integer()), lane: optional(file()), none: optional(text()) },
    };
    await put("a.fa", "ACGT");
    expect(
      await rowsOf(
        columns,
        'n,b,c,j,l,o,lane\n0.5,true,x,"{""a"":1}","1,2",,\n1,false,y,[],,6,a.fa\n',
      ),
    ).toEqual([
      { n: 0.5, b: true, c: "x", j: { a: 1 }, l: [1, 2], o: null, lane: null, none: null },
      { n: 1, b: false, c: "y", j: [], l: [], o: 6, lane: handle("a.fa", "ACGT"), none: null },
    ]);
  });

  test("finds files from the sheet's own folder, and reads lists of them at commas", async () => {
    await put("in/data/a.fa", "A");
    await put("in/b c.fa", "C");
    await put("elsewhere.fa", "G");
    await put(
      "in/s.csv",
      `lane,reads\ndata/a.fa,"data/a.fa, b c.fa"\n../elsewhere.fa,\n"${join(dir, "in/b c.fa")}",b c.fa\n`,
    );
    const [a, c, g] = [
      handle("in/data/a.fa", "A"),
      handle("in/b c.fa", "C"),
      handle("elsewhere.fa", "G"),
    ];
    expect(await give(table({ lane: file(), reads: list(file()) }).shape, "in/s.csv")).toEqual([
      { lane: a, reads: [a, c] },
      { lane: g, reads: [] },
      { lane: c, reads: [c] },
    ]);
  });

  test("reads a sheet of many rows whole", async () => {
    const many = Array.from({ length: 20_000 }, (_none, k) => ({ sample: `s ${k}`, k }));
    const lines = many.map(({ sample, k }) => `${sample},${k}\n`);
    expect(await rowsOf(two, `sample,k\n${lines.join("")}`)).toEqual(many);
  });

  test("takes rows that were declared as they are", async () => {
    expect(await give(table(two).shape, rows)).toEqual(rows);
  });
});

describe("giveValue(table, path), a column that nothing reads", () => {
  test("tells of one that is spelt almost as one that may be missing, and of no other", async () => {
    const columns = { sample: text(), condition: optional(text()) };
    const rows = await rowsOf(columns, "sample,conditon,remark\nA,wet,by hand\n");
    expect(rows).toEqual([{ sample: "A", condition: null }]);
    expect(notes).toEqual([
      `--it (${join(dir, "s.csv")}) has a column conditon that nothing reads, and none that is called condition`,
    ]);
    notes = [];
    await rowsOf(columns, "sample,remark\nA,by hand\n");
    await rowsOf(columns, "sample,condition,conditions\nA,wet,many\n");
    expect(notes).toEqual([]);
  });
});

describe("giveValue(table, path), what it refuses", () => {
  test.each<[string, Kinds, string, string]>([
    ["no header", two, "", "usage: --it (s.csv) is empty: it needs a header"],
    [
      "no header but a byte-order mark",
      two,
      "\ufeff",
      "usage: --it (s.csv) is empty: it needs a header",
    ],
    ["blank lines alone", two, "\n \n", "usage: --it (s.csv) is empty: it needs a header"],
    [
      "a missing column",
      two,
      "sample,K\na,1\n",
      "usage: --it (s.csv) has no column k; it has sample, K",
    ],
    [
      "another separator",
      two,
      "sample;k\na;1\n",
      "usage: --it (s.csv) has no column sample; it has sample;k",
    ],
    [
      "a wrong cell",
      two,
      "sample,k\na,1\nb,x\n",
      'usage: --it (s.csv) has "x" in row 3 as k, which should be a whole number',
    ],
    [
      "a wrong cell after empty lines",
      two,
      "sample,k\n\n\na,1.5\n",
      'usage: --it (s.csv) has "1.5" in row 4 as k, which should be a whole number',
    ],
    [
      "an empty cell",
      two,
      "sample,k\na,\n",
      'usage: --it (s.csv) has "" in row 2 as k, which should be a whole number',
    ],
    [
      "a row that is too short",
      two,
      "sample,k\na\n",
      "usage: --it (s.csv) has 1 cell in row 2, and 2 columns",
    ],
    [
      "a word that is none of a choice",
      { c: choice("x", "y") },
      "c\nx\nz\n",
      'usage: --it (s.csv) has "z" in row 3 as c, which should be one of x, y',
    ],
    [
      "a hole in a list",
      { l: list(integer()) },
      'l\n"1,,2"\n',
      'usage: --it (s.csv) has "1,,2" in row 2 as l, which should be a list, each a whole number',
    ],
    [
      "no file's name",
      { lane: file() },
      'lane\n""\n',
      'usage: --it (s.csv) has "" in row 2 as lane, which should be a file',
    ],
    [
      "quotes that are not closed",
      two,
      'sample,k\n"a,1\nb,2\n',
      "usage: --it (s.csv) has quotes in row 2 that are not closed",
    ],
    ["a NUL", two, "sample,k\na,1\na\0b,2\n", "usage: --it (s.csv) is no UTF-8 in row 3"],
    [
      "a file that is not there",
      { lane: file() },
      "lane\ns.csv\n\ngone.fa\n",
      "usage: --it, row 4, lane is gone.fa: there is no such file",
    ],
    [
      "one of several files that is not there",
      { lanes: list(file()) },
      'lanes\n"s.csv,gone.fa"\n',
      "usage: --it, row 2, lanes[1] is gone.fa: there is no such file",
    ],
    [
      "a file below a file",
      { lane: file() },
      "lane\ns.csv/a\n",
      "usage: --it, row 2, lane is s.csv/a: it cannot be read (ENOTDIR)",
    ],
    [
      "a folder as a file",
      { lane: file() },
      "lane\n.\n",
      "usage: --it, row 2, lane is ., which is no file",
    ],
  ])("refuses %s, and says where", async (_what, columns, content, says) => {
    expect(await said(columns, content)).toBe(says);
  });

  test("names the row that is not UTF-8", async () => {
    const bytes = Buffer.from("sample,k\na,1\nM\xfcller,2\n", "latin1");
    expect(await said(two, bytes)).toBe("usage: --it (s.csv) is no UTF-8 in row 3");
  });

  test("refuses a sheet that is not there", async () => {
    expect(await told(give(table(two).shape, "gone.csv"))).toBe(
      "usage: --it (gone.csv) is not there",
    );
  });

  test("refuses a missing column also where an optional one before it is missing", async () => {
    const columns = { note: optional(text()), sample: text() };
    expect(await said(columns, "name\na\n")).toBe(
      "usage: --it (s.csv) has no column sample; it has name",
    );
  });

  test.each<[string, string]>([
    ["a row that is longer than any spreadsheet's", `a,2\n${"x".repeat(17 << 20)},3\nb,4\n`],
    ["a row of too many cells", `a,2\n${"x,".repeat(200_000)}3\nb,4\n`],
  ])("refuses %s, and does not end there", async (_what, more) => {
    expect(await said(two, `sample,k\n${more}`)).toMatch(/^usage: --it \(s\.csv\) .*row 3/);
  });

  test.each(["a", "a,1,2"])("refuses a row of another length than the header: %s", async (row) => {
    const columns = { sample: text(), note: text() };
    expect(await said(columns, `sample,note\na,b\n${row}\n`)).toMatch(/^usage: .*row 3/);
  });

  test("refuses a header that has a column twice", async () => {
    expect(await said(two, "sample,k,k\na,1,2\n")).toMatch(/^usage: .*k.* twice/);
  });

  test("says of a sheet in UTF-16 that it is no UTF-8", async () => {
    const bytes = Buffer.from("\ufeffsample,k\na,1\n", "utf16le");
    expect(await said(two, bytes)).toMatch(/^usage: --it \(s\.csv\) is no UTF-8/);
  });

  test.each([".", "s.csv/t.csv"])("refuses a sheet that is no file: %s", async (path) => {
    await put("s.csv", "sample,k\n");
    expect(await told(give(table(two).shape, path))).toMatch(/^usage: --it/);
  });
});

describe("giveValue(shape, value)", () => {
  test("makes a handle of a file, by its content", async () => {
    await put("a.fa", "ACGT");
    expect(await give(file().shape, "a.fa")).toEqual(handle("a.fa", "ACGT"));
    expect(await give(file().shape, join(dir, "a.fa"))).toEqual(handle("a.fa", "ACGT"));
    expect(await give(list(file()).shape, ["a.fa", "a.fa"])).toEqual([
      handle("a.fa", "ACGT"),
      handle("a.fa", "ACGT"),
    ]);
    expect(await give(optional(file()).shape, "a.fa")).toEqual(handle("a.fa", "ACGT"));
    expect(await give(optional(file()).shape, null)).toBeNull();
  });

  test("makes a handle of an empty file", async () => {
    await put("empty", "");
    expect(await give(file().shape, "empty")).toEqual(handle("empty", ""));
  });

  test.each<[string, Shape, unknown, string]>([
    [
      "a file that is not there",
      file().shape,
      "gone.fa",
      "usage: --it is gone.fa: there is no such file",
    ],
    ["a folder where a file belongs", file().shape, ".", "usage: --it is ., which is no file"],
    [
      "one of several that is not there",
      list(file()).shape,
      ["gone.fa"],
      "usage: --it[0] is gone.fa: there is no such file",
    ],
    [
      "a folder that is not there",
      folder().shape,
      "gone",
      "usage: --it is gone: there is no such folder",
    ],
    ["rows that are none", table(two).shape, { a: 1 }, "usage: --it is no table"],
  ])("refuses %s", async (_what, shape, value, says) => {
    expect(await told(give(shape, value))).toBe(says);
  });

  test("makes a handle of a folder, by what is in it", async () => {
    await put("d/a/one", "1");
    await put("e/a/one", "1");
    const [d, e] = (await Promise.all([
      give(folder().shape, "d"),
      give(folder().shape, "e/"),
    ])) as readonly LocalFile[];
    expect(d).toMatchObject({ handle: join(dir, "d"), isFolder: true, sha256: e?.sha256 });
    await put("e/a/two", "");
    expect(await give(folder().shape, "e")).not.toMatchObject({ sha256: d?.sha256 });
  });

  test("refuses a file where a folder belongs, and a link that leads nowhere", async () => {
    await put("a.fa", "ACGT");
    expect(await told(give(folder().shape, "a.fa"))).toBe(
      "usage: --it is a.fa, which is no folder",
    );
    await put("d/a", "1");
    await symlink("b", join(dir, "d/c"));
    expect(await told(give(folder().shape, "d"))).toBe(
      "usage: --it is d: c is a link that leads nowhere",
    );
  });

  test("takes rows whose files are paths, with defaults where nothing is said", async () => {
    await put("a.fa", "ACGT");
    const of = table({ lane: file(), k: integer(6), note: optional(text()) }).shape;
    expect(
      await give(of, [
        { lane: "a.fa", k: null },
        { lane: "a.fa", k: 1, note: "x" },
      ]),
    ).toEqual([
      { lane: handle("a.fa", "ACGT"), k: 6, note: null },
      { lane: handle("a.fa", "ACGT"), k: 1, note: "x" },
    ]);
    expect(await told(give(of, [{ lane: "gone.fa" }]))).toBe(
      "usage: --it, row 1, lane is gone.fa: there is no such file",
    );
  });

  test.each<[string, unknown]>([
    ["lane,k\na.fa,\n", 6],
    ["lane\na.fa\n", 6],
    ["lane,k\na.fa,7\n", 7],
  ])("has a column's default where a cell is empty or missing: %j", async (content, k) => {
    await put("a.fa", "ACGT");
    expect(await rowsOf({ lane: file(), k: integer(6) }, content)).toEqual([
      { lane: handle("a.fa", "ACGT"), k },
    ]);
  });

  test.each<[Shape, unknown]>([
    [text().shape, "a"],
    [integer().shape, 6],
    [boolean().shape, false],
    [json().shape, { a: [null] }],
    [list(integer()).shape, [1, 2]],
    [optional(integer()).shape, null],
  ])("leaves %j as it was read: %j", async (shape, value) => {
    expect(await give(shape, value)).toEqual(value);
  });
});
