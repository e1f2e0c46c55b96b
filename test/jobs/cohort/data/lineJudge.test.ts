import { describe, expect, test } from "vitest";

import { makeLineJudge } from "../../../../src/jobs/cohort/data/lineJudge.ts";
import type { MemberFacts } from "../../../../src/jobs/cohort/data/lineState.ts";
import { shapeOf } from "../../../../src/jobs/cohort/data/recordShape.ts";
import type { DataType } from "../../../../src/jobs/cohort/data/schema.ts";
import { makeRandom, type Random } from "../../matrix/support/random.ts";
import { judgeSlowly, parseWithSource, plain, type SlowRow } from "../support/slowJudge.ts";

const TIE = "InsertedDate";
const FACTS: MemberFacts = {
  ...{ index: 3, subtype: null, start: "2026-01-01T00:00:00", end: "2026-01-02T00:00:00" },
  cohort: "adults_v1",
};
const SUFFIX =
  '"export_start_date":"2026-01-01T00:00:00","export_end_date":"2026-01-02T00:00:00","cohort":"adults_v1"}\n';

/** A type with everything that types may have. */
const TYPE: DataType = {
  ...{ name: "Thing", key: ["P", "K"], deletes: null, isSubtyped: false },
  fields: {
    ...{ P: "string", K: "int", ParticipantID: "string", Type: "string", InsertedDate: "string" },
    ...{ I: "int", D: "double", B: "boolean", S: "string" },
    O: {
      struct: {
        ...{ a: "string", n: "int" },
        In: { struct: { x: "string" } },
        L: { array: { struct: { id: "string", K: "int", t: "string" } } },
      },
    },
    V: {
      struct: { notes: "string", list: { array: { struct: { id: "string", v: "int" } } } },
      from: "text",
    },
    A: { array: "int" },
    E: {
      array: {
        struct: {
          ...{ P: "string", t: "string" },
          m: { struct: { z: "string" } },
          F: { array: { struct: { Off: "int", Val: "double" } }, from: "offsets" },
        },
      },
    },
    X: { array: { struct: { id: "string", b: "boolean" } }, from: "text" },
    G: { array: { struct: { Off: "int", H: "int" } }, from: "offsets" },
  },
  ...{ participant: null, identifying: new Set<string>() },
  aliases: { "O.a": ["Old A"], S: ["Former"], "E.val.t": ["time"] },
};

interface Judged {
  readonly reason: string | null;
  readonly rows: Record<string, SlowRow[]>;
  readonly tie: string | null;
  readonly casts: Record<string, number>;
  readonly extras: readonly (readonly string[])[];
  readonly copy: string;
}

function makeJudge(type: DataType | null = TYPE, facts: MemberFacts = FACTS) {
  const shape = type === null ? null : shapeOf(type, TIE);
  const judge = makeLineJudge(shape, facts);
  return {
    judge,
    shape,
    read: (line: string | Uint8Array, number = 1): Judged => {
      // Something before and behind it that is not of it.
      const bytes = Buffer.from(line as Uint8Array);
      const buffer: Buffer = Buffer.concat([Buffer.from('}"'), bytes, Buffer.from('"{1')]);
      const reason = judge.judge(buffer, 2, 2 + bytes.length, number, false);
      const rows: Record<string, SlowRow[]> = {};
      let tie: string | null = null;
      judge.rows.forEach((sink, table) => {
        const { path = "", columns = [] } = shape?.tables[table] ?? {};
        const text = sink.view().toString();
        sink.clear();
        const lines = text.split("\n").slice(0, -1);
        expect(lines.length).toBe(judge.rowCounts[table]);
        if (lines.length > 0) rows[path] = [];
        for (const one of lines) {
          const staged = parseWithSource(one) as Record<string, unknown>;
          const { m, l, i, p, t, x, ...own } = plainRow(staged);
          expect([m, l]).toEqual([String(facts.index), String(number)]);
          if (table === 0) tie = (t as string | undefined) ?? null;
          rows[path]?.push({
            index: i === undefined ? null : Number(i),
            outer: p === undefined ? null : Number(p),
            columns: Object.fromEntries(
              Object.entries(own).map(([at, value]) => [
                columns[Number(at)]?.name ?? at,
                String(value),
              ]),
            ),
            extras: (x ?? {}) as Record<string, string>,
          });
        }
      });
      judge.rowCounts.fill(0);
      const copy = judge.copy.view().toString();
      judge.copy.clear();
      return {
        ...{ reason, rows, tie, casts: Object.fromEntries(judge.casts) },
        extras: judge.extras.map(({ kept }) => [...kept]),
        copy,
      };
    },
  };
}

/** A row's own numbers as text. */
function plainRow(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      typeof value === "object" && value !== null && "source" in value ? value.source : value,
    ]),
  );
}

const judgeOne = (line: string | Uint8Array): Judged => makeJudge().read(line);

/** A record with its key, and other fields as JSON. */
const thing = (fields: string): string => `{"P":"p","K":1${fields === "" ? "" : `,${fields}`}}`;
const columnsOf = (line: string): Record<string, string> => {
  const { P: _p, K: _k, ...rest } = judgeOne(line).rows[""]?.[0]?.columns ?? {};
  return rest;
};

describe("judge(line): why a line is not used", () => {
  test.each([
    ["bad_utf8", Buffer.from('{"P":"p\u00ff","K":1}', "latin1")],
    ["bad_utf8", Buffer.from([0xed, 0xa0, 0x80])],
    ["bad_json", '{"P":"p","K":1'],
    ["bad_json", '{"P":"p","K":1,}'],
    ["bad_json", '{"P":"p","K":NaN}'],
    ["bad_json", '{"P":"p","K":1} {}'],
    ["bad_json", "P=p"],
    ["not_object", "[]"],
    ["not_object", "null"],
    ["not_object", '"{}"'],
    ["not_object", "12"],
    ["bad_value", thing('"V":"no JSON"')],
    ["bad_value", thing('"V":" "')],
    ["bad_value", thing('"V":"[]"')],
    ["bad_value", thing('"V":"1"')],
    ["bad_value", thing('"V":"{} {}"')],
    ["bad_value", thing('"V":1')],
    ["bad_value", thing('"V":[]')],
    ["bad_value", thing('"V":false')],
    ["bad_value", thing('"v":"x"')],
    ["missing_key", '{"P":"p"}'],
    ["missing_key", '{"K":1}'],
    ["missing_key", '{"P":null,"K":1}'],
    ["missing_key", '{"P":"","K":1}'],
    ["missing_key", '{"P":"p","K":""}'],
    ["missing_key", '{"P":"p","K":"one"}'],
    ["missing_key", '{"P":"p","K":1e19}'],
    ["missing_key", '{"P":"p","K":true}'],
    ["missing_key", "{}"],
  ])("says %s of %s", (reason, line) => {
    expect(judgeOne(line).reason).toBe(reason);
  });

  test("says the first that applies", () => {
    const bad = (json: string) => Buffer.from(`${json}\u00ff`, "latin1");
    expect(judgeOne(bad("{")).reason).toBe("bad_utf8");
    expect(judgeOne(bad("[]")).reason).toBe("bad_utf8");
    expect(judgeOne('[{"V":"x"},]').reason).toBe("bad_json");
    expect(judgeOne('{"V":"x",}').reason).toBe("bad_json");
    expect(judgeOne('[{"V":"x"}]').reason).toBe("not_object");
    expect(judgeOne('{"V":"x"}').reason).toBe("bad_value");
    expect(judgeOne('{"P":"p","K":1,"V":"x"}').reason).toBe("bad_value");
  });

  test("leaves no row, no cast, no extra and no copy of it behind", () => {
    const { read } = makeJudge();
    const full = '"V":{"list":[{"id":"1"}]},"I":"x","A":[1,2],"E":[{"u":1,"F":{"1":2}}],"new":1';
    expect(read(`{"P":"p",${full}}`)).toEqual({
      ...{ reason: "missing_key", rows: {}, tie: null, casts: {}, copy: "" },
      extras: [[], [], [], [], [], [], [], []],
    });
    const { rows, casts, extras } = read(`{"P":"p","K":1,${full}}`);
    expect(Object.keys(rows)).toEqual(["", "V.list", "A", "E", "E.val.F"]);
    expect([casts, extras[0], extras[4]]).toEqual([{ "I:failed": 1 }, ["new"], ["u"]]);
  });

  test("goes on behind it as if it had not been there", () => {
    const lines = [thing('"I":1'), '{"P":', thing('"V":"x","A":[1]'), "[]", thing('"A":[7]')];
    const { read } = makeJudge();
    const both = lines.map((line, at) => read(line, at + 1).rows);
    expect(both[4]).toEqual(makeJudge().read(lines[4] ?? "", 5).rows);
    expect(both[3]).toEqual({});
  });

  test("takes a key that is no text, and one that is whole after a cast", () => {
    expect(judgeOne('{"P":12.50,"K":"7.9"}').rows[""]?.[0]?.columns).toEqual({
      P: "12.50",
      K: "7",
    });
    expect(judgeOne('{"P":{"a": 1},"K":" 8 "}').rows[""]?.[0]?.columns).toEqual({
      P: '{"a":1}',
      K: "8",
    });
  });

  test("has no reason but those of its text where nobody declared the type", () => {
    const { read } = makeJudge(null);
    expect(read("{}")).toMatchObject({ reason: null, rows: {}, copy: `{${SUFFIX}` });
    expect(read('{"V":"x"}')).toMatchObject({ reason: null, copy: `{"V":"x",${SUFFIX}` });
    expect(read("[]").reason).toBe("not_object");
    expect(read("{").reason).toBe("bad_json");
  });
});

describe("judge(line): names", () => {
  test.each([
    ["the exact name", '"S":"a"', { S: "a" }, {}],
    ["another case and white space", '" s\\t":"a"', { S: "a" }, {}],
    ["the exact name first", '"s":"a","S":"b"', { S: "b" }, { "S:conflict": 1 }],
    ["another where the exact is null", '"S":null,"s":"a"', { S: "a" }, {}],
    ["the first other one", '"s":null,"S ":"b"," S":"c"', { S: "b" }, { "S:conflict": 1 }],
    ["each further one as a conflict", '"S":"a","s":"b","S ":"c"', { S: "a" }, { "S:conflict": 2 }],
    ["no conflict with nothing", '"S":"a","s":null', { S: "a" }, {}],
    ["the last of a name twice", '"S":"a","S":"b"', { S: "b" }, {}],
    ["nothing where the last of a name twice is null", '"S":"a","S":null', {}, {}],
    ["the last of another name twice", '"s":"a","s":"b"', { S: "b" }, {}],
    ["a name in escapes", '"\\u0053":"a"', { S: "a" }, {}],
    ["a former name", '"Former":"a"', { S: "a" }, {}],
    ["a former name in another case", '"FOR MER":"a"', { S: "a" }, {}],
    ["a former name of a nested field", '"O":{"old a":"x"}', { O_a: "x" }, {}],
    ["other cases of objects", '"o":{"A":"x"}', { O_a: "x" }, {}],
    ["conflicts of objects", '"O":{"a":"x"},"o":{"a":"y"}', { O_a: "x" }, { "O:conflict": 1 }],
  ])("takes %s", (_what, fields, columns, casts) => {
    const judged = judgeOne(thing(fields));
    const { P: _p, K: _k, ...rest } = judged.rows[""]?.[0]?.columns ?? {};
    expect([rest, judged.casts, judged.extras[0]]).toEqual([columns, casts, []]);
  });

  test("keeps what nobody declared as text, by path", () => {
    const fields =
      '"new":1.50,"New":"b","gone":null,"list":[1, {"a":2.0}],"O":{"q":{"w":true}},"E":[{"m":{"y":false},"F":{"1":1},"w":"x"},{"w":2}]';
    const { rows, extras } = judgeOne(thing(fields));
    expect(rows[""]?.[0]?.extras).toEqual({
      ...{ new: "1.50", New: "b", list: '[1,{"a":2.0}]', "O\u001fq": '{"w":true}' },
    });
    expect(rows["E"]?.map((row) => row.extras)).toEqual([
      { "m\u001fy": "false", w: "x" },
      { w: "2" },
    ]);
    expect([extras[0], extras[4]]).toEqual([
      ["O\u001fq", "new", "New", "list"],
      ["m\u001fy", "w"],
    ]);
  });

  test("keeps apart what nobody declared where names hold what none should", () => {
    const fields =
      '"\\ud800":1,"\\udc00":2,"O\\u001fq":3,"O":{"q":4},"c\\u0000b":5,"c":6,"__proto__":7,"":8';
    const { rows, extras } = judgeOne(thing(fields));
    const values = Object.values(rows[""]?.[0]?.extras ?? {});
    expect(values.sort()).toEqual(["1", "2", "3", "4", "5", "6", "7", "8"]);
    expect(new Set(extras[0]).size).toBe(8);
    for (const path of extras[0] ?? []) {
      expect([path, path.isWellFormed(), path.includes("\0")]).toEqual([path, true, false]);
    }
  });

  test("does not take what the export says from a record", () => {
    const fields = '"cohort":"x","export_end_date":"y","Cohort":"z","EXPORT_START_DATE":null';
    const { rows, casts, extras } = judgeOne(thing(fields));
    expect([rows[""]?.[0]?.columns, rows[""]?.[0]?.extras]).toEqual([{ P: "p", K: "1" }, {}]);
    expect([casts, extras[0]]).toEqual([{ "cohort:conflict": 1 }, []]);
    // Within an object and an element such a name is like others.
    expect(judgeOne(thing('"O":{"cohort":"x"}')).rows[""]?.[0]?.extras).toEqual({
      "O\u001fcohort": "x",
    });
  });
});

describe("judge(line): values", () => {
  test.each([
    ["numbers as they were written", '"S":-0.10e+5', { S: "-0.10e+5" }, {}],
    ["words", '"S":true', { S: "true" }, {}],
    ["objects as compact JSON", '"S":{ "a" : [ 1.0 ] }', { S: '{"a":[1.0]}' }, {}],
    ["escapes", '"S":"\\/\\u00e9\\n\\u0000"', { S: "/é\n\u0000" }, {}],
    ["empty text", '"S":""', { S: "" }, {}],
    ["halves of pairs", '"S":"\\ud83dx\\ude00"', { S: "\ufffdx\ufffd" }, { "S:repaired": 1 }],
    ["whole pairs", '"S":"\\ud83d\\ude00"', { S: "😀" }, {}],
    ["integers", '"I":"+007"', { I: "7" }, {}],
    ["integers at the limit", '"I":-9223372036854775808', { I: "-9223372036854775808" }, {}],
    ["fractions", '"I":61.9', { I: "61" }, { "I:truncated": 1 }],
    ["what is no integer", '"I":"x"', {}, { "I:failed": 1 }],
    ["words for integers", '"I":true', {}, { "I:failed": 1 }],
    ["objects for integers", '"I":{}', {}, { "I:failed": 1 }],
    ["nothing for integers", '"I":" ","D":""', {}, {}],
    ["minus zero", '"I":-0,"D":-0.0', { I: "0", D: "0" }, {}],
    ["doubles", '"D":"1e21"', { D: "1e+21" }, {}],
    ["doubles that are none", '"D":1e400', {}, { "D:failed": 1 }],
    ["booleans", '"B":"TRUE"', { B: "true" }, {}],
    ["booleans as numbers", '"B":0', { B: "false" }, {}],
    ["booleans that are none", '"B":"no"', {}, { "B:failed": 1 }],
    ["no object", '"O":1', {}, { "O:failed": 1 }],
    ["an array for an object", '"O":[]', {}, { "O:failed": 1 }],
    ["empty text for an object", '"O":""', {}, {}],
    ["an object in an object that is none", '"O":{"In":false}', {}, { "O.In:failed": 1 }],
  ])("takes %s", (_what, fields, columns, casts) => {
    const judged = judgeOne(thing(fields));
    const { P: _p, K: _k, ...rest } = judged.rows[""]?.[0]?.columns ?? {};
    expect([rest, judged.casts]).toEqual([columns, casts]);
  });

  test("gives the instant of a record", () => {
    const tie = (value: string) => judgeOne(thing(`"InsertedDate":${value}`)).tie;
    expect(tie('"1970-01-01T00:00:00.5Z"')).toBe("62162035200500000");
    expect(tie('"1970-01-01T01:00:00.500001\\u002b01:00"')).toBe("62162035200500001");
    expect([tie('"soon"'), tie("1"), tie("null"), tie('""')]).toEqual([null, null, null, null]);
    expect(judgeOne(thing('"inserteddate":"1970-01-01T00:00:00Z"')).tie).toBe("62162035200000000");
  });

  test("gives each line its own instant", () => {
    const { read } = makeJudge();
    const tie = (fields: string) => read(thing(fields)).tie;
    const one = '"InsertedDate":"1970-01-01T00:00:00Z"';
    const all = [tie(one), tie('"I":1'), tie(one), tie('"InsertedDate":"x"'), tie(one)];
    expect(all).toEqual([
      "62162035200000000",
      null,
      "62162035200000000",
      null,
      "62162035200000000",
    ]);
  });
});

const rowsOf = (line: string, path: string) =>
  judgeOne(line).rows[path]?.map(({ index, columns }) => [index, columns]);

describe("judge(line): arrays", () => {
  test.each(["", '"A":null', '"E":null', '"X":null', '"G":null', '"O":{"L":null}'])(
    "gives none for {%s}",
    (fields) => {
      const { rows, casts } = judgeOne(thing(fields));
      expect([Object.keys(rows), rows[""]?.[0]?.columns, casts]).toEqual([
        [""],
        { P: "p", K: "1" },
        {},
      ]);
    },
  );

  test.each([
    ["A", '"A":[]', {}],
    ["E", '"E":[]', {}],
    ["X", '"X":[]', {}],
    ["X", '"X":""', {}],
    ["X", '"X":"[]"', {}],
    ["X", '"X":"no list"', { "X:failed": 1 }],
    ["X", '"X":"{}"', { "X:failed": 1 }],
    ["X", '"X":"null"', { "X:failed": 1 }],
    ["X", '"X":{}', { "X:failed": 1 }],
    ["X", '"X":5', { "X:failed": 1 }],
    ["G", '"G":{}', {}],
    ["G", '"G":[]', {}],
    ["O_L", '"O":{"L":[]}', {}],
  ])("gives an empty one in %s for {%s}", (column, fields, casts) => {
    const judged = judgeOne(thing(fields));
    expect([Object.keys(judged.rows), columnsOf(thing(fields)), judged.casts]).toEqual([
      [""],
      { [column]: "true" },
      casts,
    ]);
  });

  test.each(["A", "E", "G"])("gives none for something else in %s", (name) => {
    for (const value of ["1", '"x"', "true", ...(name === "G" ? [] : ["{}"])]) {
      const judged = judgeOne(thing(`"${name}":${value}`));
      expect([columnsOf(thing(`"${name}":${value}`)), judged.casts]).toEqual([
        {},
        { [`${name}:failed`]: 1 },
      ]);
    }
    expect(judgeOne(thing(`"${name}":""`)).casts).toEqual({});
  });

  test("keeps the place of elements that are null or something else", () => {
    const line = thing('"A":[1,null,"2","x",[3],4.5],"E":[null,{"t":"a"},5,[],{"T":"b"},""]');
    expect(rowsOf(line, "A")).toEqual([
      ...[
        [0, { A_val: "1" }],
        [1, {}],
        [2, { A_val: "2" }],
        [3, {}],
        [4, {}],
      ],
      [5, { A_val: "4" }],
    ]);
    expect(rowsOf(line, "E")).toEqual([
      ...[
        [0, {}],
        [1, { t: "a" }],
        [2, {}],
        [3, {}],
        [4, { t: "b" }],
        [5, {}],
      ],
    ]);
    expect(judgeOne(line).casts).toEqual({ "A:failed": 2, "A:truncated": 1, "E:failed": 3 });
  });

  test("puts the path before names that children have anyway", () => {
    const line = thing('"O":{"L":[{"id":"a","K":5,"t":"b"}]},"E":[{"P":"other"}]');
    expect(rowsOf(line, "O.L")).toEqual([[0, { O_L_id: "a", O_L_K: "5", t: "b" }]]);
    expect(rowsOf(line, "E")).toEqual([[0, { E_P: "other" }]]);
  });

  test("orders maps of offsets by number, then by text, what is no number last", () => {
    const map =
      '{"60":5,"-120":"1","x":2,"060":6,"0":null,"60.0":"7","":9,"9223372036854775808":3,"600":61.7,"-60":"y"}';
    expect(rowsOf(thing(`"G":${map}`), "G")).toEqual([
      [0, { Off: "-120", H: "1" }],
      [1, { Off: "-60" }],
      [2, { Off: "0" }],
      [3, { Off: "60", H: "6" }],
      [4, { Off: "60", H: "5" }],
      [5, { Off: "60", H: "7" }],
      [6, { Off: "600", H: "61" }],
      [7, { H: "9" }],
      [8, { H: "3" }],
      [9, { H: "2" }],
    ]);
    expect(judgeOne(thing(`"G":${map}`)).casts).toEqual({
      ...{ "G.val.Off:failed": 3, "G.val.H:failed": 1, "G.val.H:truncated": 1 },
    });
  });

  test("takes an array in place of a map of offsets, and the last of an offset twice", () => {
    expect(rowsOf(thing('"G":[{"Off":"2","H":1},{"off":1}]'), "G")).toEqual([
      [0, { Off: "2", H: "1" }],
      [1, { Off: "1" }],
    ]);
    expect(rowsOf(thing('"G":{"1":1,"2":2,"1":3}'), "G")).toEqual([
      [0, { Off: "1", H: "3" }],
      [1, { Off: "2", H: "2" }],
    ]);
  });

  test("says of arrays in elements which element they are in", () => {
    const line = thing('"E":[{"F":{"1":1}},{},{"F":{"3":3,"2":2}},{"F":[]}]');
    const { rows } = judgeOne(line);
    expect(rows["E.val.F"]?.map(({ index, outer, columns }) => [outer, index, columns])).toEqual([
      [0, 0, { Off: "1", Val: "1" }],
      [2, 0, { Off: "2", Val: "2" }],
      [2, 1, { Off: "3", Val: "3" }],
    ]);
    expect(rows["E"]?.map(({ columns }) => columns["F"])).toEqual([
      "true",
      undefined,
      "true",
      "true",
    ]);
  });

  test("reads objects and lists that are sent as text", () => {
    const value = JSON.stringify('{"notes":"a\\/b","list":[{"id":1},null],"more":{"x":1.0}}');
    const list = JSON.stringify('[{"id":"\\ud800","b":"1","c":2}]');
    const { rows, casts, extras } = judgeOne(thing(`"V":${value},"X":${list}`));
    expect(rows[""]?.[0]).toMatchObject({
      columns: { V_notes: "a/b", V_list: "true", X: "true" },
      extras: { "V\u001fmore": '{"x":1.0}' },
    });
    expect(rows["V.list"]?.map((row) => row.columns)).toEqual([{ V_list_id: "1" }, {}]);
    expect(rows["X"]).toMatchObject([
      { columns: { X_id: "\ufffd", b: "true" }, extras: { c: "2" } },
    ]);
    expect([casts, extras.at(-2)]).toEqual([{ "X.val.id:repaired": 1 }, ["c"]]);
  });

  test.each(["null", '""', '"null"', '" null "'])("takes %s as no object in text", (value) => {
    const judged = judgeOne(thing(`"V":${value}`));
    expect([judged.reason, columnsOf(thing(`"V":${value}`)), judged.casts]).toEqual([null, {}, {}]);
  });
});

describe("judge(line): the transformed copy", () => {
  test.each([
    ["a record as it was sent", ' { "P" : "p\\/q" , "K":1.0 } ', ' { "P" : "p\\/q" , "K":1.0 '],
    ["what nobody declared", thing('"new":{"a": 1}'), thing('"new":{"a": 1}')],
    ["another spelling", '{"p":"p","k":1}', '{"p":"p","k":1'],
    ["text that holds an object", thing('"V":"{\\"notes\\": 1.50}"'), thing('"V":{"notes": 1.50}')],
    ["text that holds null", thing('"V":"null"'), thing('"V":null')],
    ["empty text", thing('"V":"","X":""'), thing('"V":null,"X":[]')],
    ["an object that is one", thing('"V":{"notes": 1}'), thing('"V":{"notes": 1}')],
    ["text that holds a list", thing('"X":"[ {\\"id\\":1} ]"'), thing('"X":[ {"id":1} ]')],
    ["text that holds none", thing('"X":"nope","I":"x"'), thing('"X":[],"I":"x"')],
    ["something else for a list", thing('"X":{"a":1}'), thing('"X":[]')],
    [
      "maps of offsets",
      thing('"G":{"60":"5","0":6.5,"x":null}'),
      thing('"G":[{"Off":0,"H":6},{"Off":60,"H":5},{"Off":null,"H":null}]'),
    ],
    [
      "maps of offsets in elements",
      thing('"E":[{"t":"a","F":{"1":"2.50"}}, {"F":{}} ,{"F":null}]'),
      thing('"E":[{"t":"a","F":[{"Off":1,"Val":2.5}]}, {"F":[]} ,{"F":null}]'),
    ],
    [
      "several at once, in their order",
      thing('"X":"","G":{},"V":"","S":"s"'),
      thing('"X":[],"G":[],"V":null,"S":"s"'),
    ],
    [
      "line feeds within text, which would end its line",
      thing('"V":"{\\n\\"notes\\":\\r\\n\\"a\\\\nb\\"\\t}","X":"[\\n]"'),
      thing('"V":{ "notes":  "a\\nb"\t},"X":[ ]'),
    ],
    [
      "halves of pairs in text",
      thing('"V":"{\\"notes\\":\\"\\ud800\\"}"'),
      thing('"V":{"notes":"\\ud800"}'),
    ],
  ])("has %s", (_what, line, copy) => {
    const whole = copy.endsWith("}") ? copy.slice(0, -1) : copy;
    expect(judgeOne(line).copy).toBe(`${whole.trimStart()},${SUFFIX}`);
  });

  test("says the subtype in place of the record's own type", () => {
    const { read } = makeJudge(TYPE, { ...FACTS, subtype: 'We"ight' });
    const own = '"Type":"We\\"ight"';
    expect(read(thing('"Type":"x","S":"s"')).copy).toBe(
      thing(`${own},"S":"s"`).slice(0, -1) + `,${SUFFIX}`,
    );
    expect(read(thing('"Type":null')).copy).toBe(`${thing(own).slice(0, -1)},${SUFFIX}`);
    expect(read(thing('"type":"x"')).copy).toBe(
      `${thing(`"type":"x",${own}`).slice(0, -1)},${SUFFIX}`,
    );
    expect(read(thing('"type":"x"')).casts).toEqual({ "Type:conflict": 2 });
    expect(read(thing("")).rows[""]?.[0]?.columns["Type"]).toBe('We"ight');
  });

  test("is right for an empty object, too", () => {
    expect(makeJudge(null).read("{ }").copy).toBe(`{ ${SUFFIX}`);
    const { read } = makeJudge(null, { ...FACTS, subtype: "Weight", start: null });
    expect(read("{}").copy).toBe(
      `{"Type":"Weight",${SUFFIX.replace('"2026-01-01T00:00:00"', "null")}`,
    );
  });
});

/** Values by what they are likely to be wrong as. */
const VALUES = [
  ...['"a"', '""', '" "', "null", "true", "false", "0", "-0", "1", "1.0", "12.75", "-3e2", "1e400"],
  ...['"7"', '"+08"', '"1.5"', '".5"', '"5."', '"x"', '"NaN"', '"TRUE"', '"\\u0031"', '"\\ud83d"'],
  ...["9223372036854775807", "9223372036854775808", '"1e18"', '"é\\n\\/"', '"\\ud83d\\ude00"'],
  ...["{}", "[]", '{"q":1.50}', '[null,{"q":[]}]', '"{}"', '"[]"', '"null"', '"{\\"notes\\":2}"'],
];
const NAMES = ["P", "K", "I", "D", "B", "S", "O", "V", "A", "E", "X", "G", "InsertedDate", "Type"];
const INNER = [
  "a",
  "n",
  "In",
  "x",
  "L",
  "id",
  "t",
  "m",
  "z",
  "F",
  "Off",
  "Val",
  "H",
  "notes",
  "list",
];
const INSTANTS = [
  ...['"2026-01-02T03:04:05Z"', '"2026-01-02T03:04:05.000001"', '"2026-01-02T03:04:05+01:00"'],
  ...['"2026-02-30T00:00:00"', '"soon"'],
];

function randomRecord(random: Random): string {
  const pick = (from: readonly string[]): string => from[random.below(from.length)] ?? "";
  const spaced = (text: string): string => (random.below(12) === 0 ? ` ${text}\t` : text);
  const spelled = (name: string): string =>
    [name, name, name, name, name.toLowerCase(), `${name} `, name.toUpperCase()][random.below(7)] ??
    "";
  const object = (names: readonly string[], most: number, depth: number): string => {
    const size = random.below(most + 1);
    const pairs = Array.from({ length: size }, () => {
      const name =
        random.below(10) === 0 ? pick(["new", "Old A", "former", "u v"]) : spelled(pick(names));
      return `${spaced(JSON.stringify(name))}:${spaced(value(name.trim(), depth))}`;
    });
    return `{${pairs.join(",")}}`;
  };
  const offsets = (): string => {
    const pairs = Array.from({ length: random.below(5) }, () => {
      const name = pick([
        "00",
        "+60",
        "060",
        "60.0",
        "-60",
        "x",
        "",
        " 5",
        "1e2",
        "9223372036854775808",
      ]);
      return `${JSON.stringify(name)}:${pick(VALUES)}`;
    });
    return `{${pairs.join(",")}}`;
  };
  const list = (depth: number): string =>
    `[${Array.from({ length: random.below(4) }, () =>
      random.below(3) === 0 ? pick(VALUES) : object(INNER, 4, depth - 1),
    ).join(",")}]`;
  const value = (name: string, depth: number): string => {
    if (depth === 0 || random.below(4) === 0) return pick(VALUES);
    switch (name.toUpperCase()) {
      case "INSERTEDDATE":
        return pick(INSTANTS);
      case "G":
      case "F":
        return offsets();
      case "O":
      case "IN":
      case "M":
        return object(INNER, 5, depth - 1);
      case "V": {
        const inner = object(["notes", "list"], 3, depth - 1);
        return random.below(2) === 0 ? inner : JSON.stringify(inner);
      }
      case "X": {
        const inner = list(depth);
        return random.below(2) === 0 ? inner : JSON.stringify(inner);
      }
      case "A":
      case "E":
      case "L":
      case "LIST":
        return list(depth);
      default:
        return pick(VALUES);
    }
  };
  const inner = object(NAMES, 9, 3).slice(1, -1);
  const key = random.below(12) === 0 ? "" : '"P":"p","K":5';
  return spaced(`{${[key, inner].filter((part) => part !== "").join(",")}}`);
}

describe("judge(line): random records", () => {
  test.each([null, "Weight"])("judges them as the slow way does, of subtype %s", (subtype) => {
    const facts = { ...FACTS, subtype };
    const random = makeRandom(subtype === null ? 1 : 2);
    // One judge for all: what it remembers of a line must not reach the next.
    const { read } = makeJudge(TYPE, facts);
    const sums: Record<string, number> = {};
    const reasons: Record<string, number> = {};
    for (let round = 0; round < 4000; round++) {
      const line = randomRecord(random);
      const { extras: _extras, copy, casts, ...judged } = read(line);
      const { copy: slowCopy, casts: slowCasts, ...slow } = judgeSlowly(TYPE, TIE, facts, line);
      expect([line, judged]).toEqual([line, slow]);
      for (const [name, count] of Object.entries(slowCasts)) sums[name] = (sums[name] ?? 0) + count;
      expect([line, casts]).toEqual([line, sums]);
      reasons[slow.reason ?? "used"] = (reasons[slow.reason ?? "used"] ?? 0) + 1;
      if (slow.reason !== null) expect(copy).toBe("");
      else expect([line, plain(parseWithSource(copy))]).toEqual([line, slowCopy]);
    }
    expect(Object.keys(reasons).sort()).toEqual(["bad_value", "missing_key", "used"]);
    expect(reasons["used"]).toBeGreaterThan(1500);
  });
});
