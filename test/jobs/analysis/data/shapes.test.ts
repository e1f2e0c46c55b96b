import { describe, expect, test } from "vitest";

import {
  hasFiles,
  parseValue,
  shapeText,
  valueProblem,
} from "../../../../src/jobs/analysis/data/shapes.ts";
import {
  boolean,
  choice,
  file,
  folder,
  integer,
  json,
  list,
  number,
  optional,
  type Shape,
  table,
  text,
} from "../../../../src/jobs/analysis/writing/kinds.ts";

const mode = choice("fast", "exact");

describe("parseValue(shape, text)", () => {
  test.each<[{ readonly shape: Shape }, string, unknown]>([
    [text(), "", ""],
    [text(), " a, b ", " a, b "],
    [integer(), "6", 6],
    [integer(), " 6 ", 6],
    [integer(), "+6", 6],
    [integer(), "-6", -6],
    [integer(), "007", 7],
    [integer(), "9007199254740991", 9007199254740991],
    [number(), "0.5", 0.5],
    [number(), " .5 ", 0.5],
    [number(), "1E-3", 0.001],
    [number(), "-2", -2],
    [boolean(), "true", true],
    [boolean(), "true ", true],
    [boolean(), "false", false],
    [mode, "fast", "fast"],
    [mode, " exact ", "exact"],
    [json(), '{"a":[1,null]}', { a: [1, null] }],
    [json(), " null ", null],
    [json(), '"x"', "x"],
    [file(), " a b.fa ", "a b.fa"],
    [folder(), "data/", "data/"],
    [table({ k: integer() }), "s.csv", "s.csv"],
    [optional(integer()), "", null],
    [optional(integer()), "  ", null],
    [optional(integer()), "6", 6],
    [optional(text()), "x", "x"],
    [list(integer()), "", []],
    [list(integer()), "  ", []],
    [list(integer()), "1, 2,3", [1, 2, 3]],
    [list(text()), "a,,b", ["a", "", "b"]],
    [list(file()), "a.fa, b.fa", ["a.fa", "b.fa"]],
    [list(optional(integer())), "1,,2", [1, null, 2]],
    [list(mode), "fast,exact,fast", ["fast", "exact", "fast"]],
    [optional(list(integer())), "", null],
  ])("reads %j from %j as %j", ({ shape }, written, value) => {
    expect(parseValue(shape, written)).toEqual({ ok: true, value });
  });

  test.each<[{ readonly shape: Shape }, string, string]>([
    [integer(), "", "a whole number"],
    [integer(), "six", "a whole number"],
    [integer(), "6.0", "a whole number"],
    [integer(), "1e3", "a whole number"],
    [integer(), "0x10", "a whole number"],
    [integer(), "1_000", "a whole number"],
    [integer(), "1,000", "a whole number"],
    [integer(), "٣", "a whole number"],
    [integer(), "9007199254740993", "a whole number"],
    [number(), "", "a number"],
    [number(), "1e400", "a number"],
    [number(), "NaN", "a number"],
    [number(), "Infinity", "a number"],
    [number(), "1.2.3", "a number"],
    [number(), ".", "a number"],
    [number(), "1 2", "a number"],
    [boolean(), "True", "true or false"],
    [boolean(), "1", "true or false"],
    [boolean(), "", "true or false"],
    [mode, "Fast", "one of fast, exact"],
    [mode, "", "one of fast, exact"],
    [json(), "{a: 1}", "JSON"],
    [json(), "", "JSON"],
    [file(), " ", "a file"],
    [folder(), "", "a folder"],
    [table({ k: integer() }), "", "a table of 1 column"],
    [optional(integer()), "x", "a whole number"],
    [list(integer()), "1,,2", "a whole number"],
    [list(integer()), "1,x", "a whole number"],
    [list(file()), "a,,b", "a file"],
    [list(file()), "a,", "a file"],
  ])("refuses for %j what is %j: it must be %s", ({ shape }, written, must) => {
    const parsed = parseValue(shape, written);
    expect(parsed.ok).toBe(false);
    expect(parsed.ok ? "" : parsed.problem).toContain(must);
  });

  test("names the one of a list that is wrong", () => {
    const parsed = parseValue(list(integer()).shape, "1,x,3");
    expect(parsed.ok ? "" : parsed.problem).toMatch(/"x"|\[1\]|a list/);
  });

  test("refuses a number in JSON that no JSON can hold again", () => {
    expect(parseValue(json().shape, "1e400").ok).toBe(false);
    expect(parseValue(json().shape, '{"a":[-1e400]}').ok).toBe(false);
  });

  test("has no other zero", () => {
    expect(parseValue(integer().shape, "-0")).toEqual({ ok: true, value: 0 });
  });

  test("gives what valueProblem takes", () => {
    for (const [{ shape }, written] of [
      ...([
        [integer(), "6"],
        [number(), "1e3"],
        [boolean(), "true"],
        [mode, "fast"],
      ] as const),
      ...([
        [list(integer()), "1,2"],
        [optional(text()), ""],
        [json(), "[]"],
      ] as const),
    ]) {
      const parsed = parseValue(shape, written);
      expect(valueProblem(shape, parsed.ok ? parsed.value : undefined, "it")).toBeNull();
    }
  });
});

describe("valueProblem(shape, value, at)", () => {
  const sheet = table({ sample: text(), k: integer(), note: optional(text()) });

  test.each<[{ readonly shape: Shape }, unknown]>([
    [text(), ""],
    [integer(), -6],
    [integer(), 2 ** 53 - 1],
    [number(), 0.5],
    [boolean(), false],
    [mode, "exact"],
    [json(), null],
    [json(), { a: [1, { b: null }] }],
    [optional(integer()), null],
    [optional(integer()), undefined],
    [list(integer()), []],
    [list(list(text())), [[], ["a"]]],
    [sheet, []],
    [
      sheet,
      [
        { sample: "a", k: 1, note: "n" },
        { k: 2, sample: "", note: null },
        { sample: "b", k: 3 },
      ],
    ],
  ])("finds nothing wrong for %j with %j", ({ shape }, value) => {
    expect(valueProblem(shape, value, "it")).toBeNull();
  });

  test.each<[{ readonly shape: Shape }, unknown, string]>([
    [text(), 1, "it is 1, and should be text"],
    [text(), null, "it is missing, and should be text"],
    [text(), undefined, "it is missing, and should be text"],
    [integer(), "6", 'it is "6", and should be a whole number'],
    [integer(), 0.5, "it is 0.5, and should be a whole number"],
    [integer(), 2 ** 53, "it is 9007199254740992, and should be a whole number"],
    [number(), "1", 'it is "1", and should be a number'],
    [boolean(), 0, "it is 0, and should be true or false"],
    [mode, "slow", 'it is "slow", and should be one of fast, exact'],
    [mode, 1, "it is 1, and should be one of fast, exact"],
    [json(), undefined, "it is missing, and should be JSON"],
    [optional(integer()), "x", 'it is "x", and should be a whole number'],
    [list(integer()), "1,2", 'it is "1,2", and should be a list, each a whole number'],
    [list(integer()), null, "it is missing, and should be a list, each a whole number"],
    [list(integer()), [1, "x"], 'it[1] is "x", and should be a whole number'],
    [list(list(integer())), [[1], [2, null]], "it[1][1] is missing, and should be a whole number"],
    [list(optional(integer())), [null, ""], 'it[1] is "", and should be a whole number'],
    [sheet, {}, "it is {}, and should be a table of 3 columns"],
    [sheet, [1], "it[0] is 1, and should be a row"],
    [sheet, [null], "it[0] is missing, and should be a row"],
    [sheet, [{ sample: "a" }], "it[0].k is missing, and should be a whole number"],
    [sheet, [{ sample: "a", k: 1, K: 2 }], "it[0] has a column K, which the table has not"],
  ])("says what is wrong for %j with %j: %s", ({ shape }, value, problem) => {
    expect(valueProblem(shape, value, "it")).toBe(problem);
  });

  test("names the place within what is nested", () => {
    const rows = [
      { sample: "a", k: 1 },
      { sample: "b", k: 2 },
      { sample: "c", k: "x" },
    ];
    expect(valueProblem(sheet.shape, rows, "sheet")).toBe(
      'sheet[2].k is "x", and should be a whole number',
    );
    const deep = table({ reads: list(table({ lane: integer() })) });
    expect(valueProblem(deep.shape, [{ reads: [[{ lane: 1 }], [{ lane: 1.5 }]] }], "sheet")).toBe(
      "sheet[0].reads[1][0].lane is 1.5, and should be a whole number",
    );
  });

  test("repeats no more of a value than a line takes", () => {
    const problem = valueProblem(integer().shape, "x".repeat(1000), "it") ?? "";
    expect(problem).toMatch(/^it is "x+…, and should be a whole number$/);
    expect(problem.length).toBeLessThan(120);
  });

  test.each([Number.NaN, Infinity, -Infinity])("calls %d by its name", (value) => {
    expect(valueProblem(number().shape, value, "k")).toBe(`k is ${value}, and should be a number`);
  });

  test("says in words what is no JSON at all", () => {
    expect(valueProblem(integer().shape, () => 1, "k")).toBe(
      "k is function, and should be a whole number",
    );
  });

  test("says in words that a whole number is a bigint", () => {
    expect(valueProblem(integer().shape, 1n, "k")).toMatch(
      /^k is .*, and should be a whole number$/,
    );
  });

  test.each<[string, unknown]>([
    ["a number that is none", { a: [Number.NaN] }],
    ["a date", { at: new Date(0) }],
    ["a function", [() => 1]],
    ["a map", new Map()],
  ])("finds %s in what should be JSON", (_what, value) => {
    expect(valueProblem(json().shape, value, "it")).toMatch(/^it.*should be JSON$/);
  });

  test("takes no column from what all objects have", () => {
    const odd = table({ constructor: text() });
    expect(valueProblem(odd.shape, [{}], "it")).toBe(
      "it[0].constructor is missing, and should be text",
    );
  });
});

describe("shapeText(shape) and hasFiles(shape)", () => {
  test.each<[{ readonly shape: Shape }, string, boolean]>([
    [text(), "text", false],
    [json(), "JSON", false],
    [mode, "one of fast, exact", false],
    [file("a book"), "a file", true],
    [folder(), "a folder", true],
    [list(file()), "a list, each a file", true],
    [optional(list(integer())), "a list, each a whole number, or nothing", false],
    [table({ k: integer() }), "a table of 1 column", false],
    [table({ k: integer(), lanes: list(file()) }), "a table of 2 columns", true],
  ])("call %j %s, and tell whether files are in it", ({ shape }, words, holds) => {
    expect([shapeText(shape), hasFiles(shape)]).toEqual([words, holds]);
  });
});
