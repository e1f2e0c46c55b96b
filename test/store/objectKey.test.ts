import { describe, expect, test } from "vitest";

import { HdashError } from "../../src/error.ts";
import { checkKey, normalizePrefix } from "../../src/store/objectKey.ts";

describe("checkKey(key, prefix)", () => {
  test.each(["index.html", "data/HTA3.json", "a b/ü+&<.html", "..a/b..", "k".repeat(1024)])(
    "takes %s",
    (key) => {
      expect(checkKey(key)).toBe(key);
    },
  );

  test.each([
    ["", '"" cannot name an object: it is empty'],
    ["/etc/passwd", '"/etc/passwd" cannot name an object: it starts with a slash'],
    ["a//b", '"a//b" cannot name an object: it has an empty segment'],
    ["a/", '"a/" cannot name an object: it has an empty segment'],
    ["a/../b", '"a/../b" cannot name an object: it has a dot segment'],
    ["..", '".." cannot name an object: it has a dot segment'],
    ["./a", '"./a" cannot name an object: it has a dot segment'],
    ["a\\..\\b", '"a\\\\..\\\\b" cannot name an object: it has a backslash'],
    ["a\u0000b", '"a\\u0000b" cannot name an object: it has a control character'],
    ["a\nb", '"a\\nb" cannot name an object: it has a control character'],
    ["a\ud800", '"a\\ud800" cannot name an object: it is not well-formed Unicode'],
  ])("refuses %j", (key, message) => {
    expect(() => checkKey(key)).toThrow(new HdashError("permanent", message));
  });

  test("counts bytes, and the prefix with them", () => {
    const key = "é".repeat(511);
    expect(checkKey(key, "p/")).toBe(key);
    expect(() => checkKey(key, "pp/")).toThrow("it has 1025 bytes, more than 1024");
  });
});

describe("normalizePrefix(prefix)", () => {
  test.each([
    ["", ""],
    ["/", ""],
    ["a", "a/"],
    ["/a/b/", "a/b/"],
    ["a/b", "a/b/"],
  ])("writes %j as %j", (prefix, normal) => {
    expect(normalizePrefix(prefix)).toBe(normal);
  });

  test("refuses a prefix that climbs", () => {
    expect(() => normalizePrefix("a/../..")).toThrow("it has a dot segment");
  });
});
