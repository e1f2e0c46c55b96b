import { describe, expect, test } from "vitest";

import { makeMasks } from "../../src/runners/mask.ts";

/** Masks a text that comes in pieces of a length. */
function masked(secrets: readonly string[], text: string, length: number): string {
  const mask = makeMasks(secrets).stream();
  const bytes = Buffer.from(text);
  const out: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += length) {
    out.push(mask.push(bytes.subarray(at, at + length)));
  }
  return Buffer.concat([...out, mask.flush()]).toString();
}

describe("makeMasks(secrets).stream()", () => {
  const cases: readonly (readonly [secrets: readonly string[], text: string, shown: string])[] = [
    [["hunter22"], "a hunter22 b hunter22", "a *** b ***"],
    [["hunter22"], "hunter2 hunterhunter22", "hunter2 hunter***"],
    [["secret"], "secretsecret", "******"],
    [["", "x1"], "an x1", "an ***"],
    [["pässwört"], "ein pässwört, ä", "ein ***, ä"],
    // One that holds another, and two that overlap: no half of either is left.
    [["abc", "abcdef"], "abc abcdef abcde", "*** *** ***de"],
    [["abcd", "cdef"], "-abcdef-", "-***-"],
    [["aa"], "aaaaa", "***"],
    [["first\nsecond"], "a first\nsecond b", "a *** b"],
    [["first\r\nsecond"], "a second, first", "a ***, ***"],
    // A bracket alone on its line is none of a key's secrets.
    [["{\n  k1: 5\n}"], "{ } { k1: 5", "{ } { k1: 5"],
    [[], "anything", "anything"],
  ];
  test.each(cases)("hides %j in %j however it comes", (secrets, text, shown) => {
    for (let length = 1; length <= text.length; length++) {
      expect(masked(secrets, text, length)).toBe(shown);
    }
  });

  test("holds nothing back that no secret begins with", () => {
    const mask = makeMasks(["a long secret"]).stream();
    expect(mask.push(Buffer.from("progress: 5 %")).toString()).toBe("progress: 5 %");
    expect(mask.push(Buffer.from("and a lo")).toString()).toBe("and ");
    expect(mask.push(Buffer.from("ng way")).toString()).toBe("a long way");
  });

  test("does not grow with a stream of a secret's beginnings", () => {
    const mask = makeMasks(["aa"]).stream();
    let bytes = 0;
    for (let n = 0; n < 1000; n++) bytes += mask.push(Buffer.from("a".repeat(1000))).length;
    expect(bytes + mask.flush().length).toBe(3);
  });
});

describe("makeMasks(secrets).text(text)", () => {
  test("hides secrets in a whole text", () => {
    expect(makeMasks(["s3cret"]).text("no s3cret here")).toBe("no *** here");
  });
});
