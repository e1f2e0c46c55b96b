import { describe, expect, test } from "vitest";

import {
  bytes,
  count,
  date,
  duration,
  instant,
  list,
  number,
  oneLine,
  percent,
  printable,
  quoted,
  signed,
  signedBytes,
  signedPoints,
  wholePercent,
} from "../src/format.ts";

describe("oneLine(name)", () => {
  test.each([
    ["2026-01-11T05--00--08Z_54200aac", "2026-01-11T05--00--08Z_54200aac"],
    ["ünï <1> “x” %3A\\", "ünï <1> “x” %3A\\"],
    ["a\nb\r\tc", "a\\nb\\r\\tc"],
    ["\u001b[31m\u0000\u0085", "\\u{1b}[31m\\u{0}\\u{85}"],
    ["\u202ecod\u2028\ufeff", "\\u{202e}cod\\u{2028}\\u{feff}"],
    ["\ud800", "\\u{d800}"],
    ["👩‍🔬", "👩\\u{200d}🔬"],
  ])("writes %j as %s", (name, expected) => {
    expect(oneLine(name)).toBe(expected);
  });
});

describe("number(value)", () => {
  test.each([
    [0, "0"],
    [999, "999"],
    [1000, "1,000"],
    [1234567.5, "1,234,567.5"],
    [-12345, "−12,345"],
    [1e21, "1e+21"],
  ])("writes %s as %s", (value, text) => {
    expect(number(value)).toBe(text);
  });
});

describe("signed(value), signedBytes(value), signedPoints(fraction)", () => {
  test("write a change with its sign", () => {
    expect([signed(3), signed(-1200), signed(0)]).toEqual(["+3", "−1,200", "±0"]);
    expect([signedBytes(2e9), signedBytes(-5), signedBytes(0)]).toEqual(["+2.00 GB", "−5 B", "±0"]);
    expect([signedPoints(0.0126), signedPoints(-0.01), signedPoints(0)]).toEqual([
      "+1.3 points",
      "−1 point",
      "±0 points",
    ]);
  });

  test("do not call a small change none", () => {
    expect([signedPoints(0.0001), signedPoints(-0.0001)]).toEqual(["+<0.1 points", "−<0.1 points"]);
  });
});

describe("count(value, singular, plural)", () => {
  test("agrees with its noun", () => {
    expect([
      count(0, "row"),
      count(1, "row"),
      count(2000, "row"),
      count(2, "atlas", "atlases"),
    ]).toEqual(["0 rows", "1 row", "2,000 rows", "2 atlases"]);
  });
});

describe("bytes(value)", () => {
  test.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.00 kB"],
    [999_499, "999 kB"],
    [999_500, "1.00 MB"],
    [99_960, "100 kB"],
    [2_510_371_460_602, "2.51 TB"],
    [-1500, "−1.50 kB"],
  ])("writes %s as %s", (value, text) => {
    expect(bytes(value)).toBe(text);
  });
});

describe("percent(fraction)", () => {
  test.each([
    [0, "0%"],
    [0.00001, "<0.1%"],
    [0.82, "82.0%"],
    [0.8054, "80.5%"],
    [0.99999, ">99.9%"],
    [1, "100%"],
  ])("writes %s as %s", (fraction, text) => {
    expect(percent(fraction)).toBe(text);
  });
});

describe("wholePercent(part, of)", () => {
  test.each([
    [0, 0, "–"],
    [0, 7, "0%"],
    [7, 7, "100%"],
    [1, 3, "33%"],
    [1, 1000, "1%"],
    [999, 1000, "99%"],
  ])("writes %d of %d as %s", (part, of, text) => {
    expect(wholePercent(part, of)).toBe(text);
  });
});

describe("date(at), instant(at)", () => {
  test("write UTC, whatever the offset of the instant", () => {
    expect(date("2026-11-19T23:30:00-02:00")).toBe("20 Nov 2026");
    expect(instant("2026-01-02T03:04:59.999Z")).toBe("2 Jan 2026, 03:04 UTC");
  });
});

describe("duration(ms)", () => {
  test.each([
    [0.4, "0 ms"],
    [850, "850 ms"],
    [999.6, "1.0 s"],
    [4_200, "4.2 s"],
    [41_000, "41 s"],
    [59_700, "1 min"],
    [200_000, "3 min 20 s"],
    [7_500_000, "2 h 5 min"],
    [90_000_000, "1 d 1 h"],
  ])("writes %s as %s", (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});

describe("list(words)", () => {
  test("joins as a sentence does", () => {
    expect([list([]), list(["a"]), list(["a", "b"]), list(["a", "b", "c"])]).toEqual([
      "",
      "a",
      "a and b",
      "a, b and c",
    ]);
  });
});

describe("printable(text)", () => {
  test.each([
    ["one\ntwo", "one\ntwo"],
    [
      "\u001b]0;title\u0007\u001b[31mred\r\t\u009b1m",
      "\uFFFD]0;title\uFFFD\uFFFD[31mred\uFFFD\uFFFD\uFFFD1m",
    ],
    ["\u202egnp\u2066\u200f\u061c\u2028", "\uFFFDgnp\uFFFD\uFFFD\uFFFD\uFFFD"],
    ["Köln 日本語 👩‍🔬", "Köln 日本語 👩‍🔬"],
  ])("writes %j as %j", (text, shown) => {
    expect(printable(text)).toBe(shown);
  });
});

describe("quoted(value)", () => {
  test.each([
    ["a b", '"a b"'],
    ["info\nSECRET=x", '"info…"'],
    ["x".repeat(201), `"${"x".repeat(200)}…"`],
  ])("shows of %j %s", (value, shown) => {
    expect(quoted(value)).toBe(shown);
  });
});
