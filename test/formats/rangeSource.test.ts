import { describe, expect, test } from "vitest";

import { HdashError } from "../../src/error.ts";
import { type RangeSource, readRange, steadySource } from "../../src/formats/rangeSource.ts";
import { all, NEVER, sourceOf } from "./support/ranges.ts";

const BYTES = Buffer.from("0123456789".repeat(100));
const POLICY = { attempts: 3, minDelayMs: 0, maxDelayMs: 0 };

function steady(source: RangeSource): RangeSource {
  return steadySource(source, { subject: "a thing", policy: POLICY });
}

/** Gives what it is told to, whatever range is asked for. */
function giving(...pieces: readonly string[]): RangeSource {
  return {
    bytes: 100,
    async *read() {
      for (const piece of pieces) yield Buffer.from(piece);
    },
  };
}

describe("readRange(source, from, to, signal)", () => {
  test("reads a range whole", async () => {
    const source = sourceOf(BYTES, { pieceBytes: 7 });
    expect((await readRange(source, 15, 45, NEVER)).toString()).toBe(
      BYTES.toString("utf8", 15, 45),
    );
  });

  test("refuses a range that is too short, which may pass, or too long, which will not", async () => {
    await expect(readRange(giving("ab"), 0, 3, NEVER)).rejects.toMatchObject({
      kind: "transient",
      message: "the range 0-3 ended after 2 of 3 bytes",
    });
    await expect(readRange(giving("ab", "cd"), 0, 3, NEVER)).rejects.toMatchObject({
      kind: "permanent",
    });
  });
});

describe("steadySource(source, options)", () => {
  test("goes on where it broke, with what is missing", async () => {
    const source = sourceOf(BYTES, { pieceBytes: 50, breaks: [120, 130, 130, 400] });
    expect((await all(steady(source).read(100, 900, NEVER))).equals(BYTES.subarray(100, 900))).toBe(
      true,
    );
    expect(source.asked).toEqual([
      [100, 900],
      [120, 900],
      [130, 900],
      [130, 900],
      [400, 900],
    ]);
    expect(source.given).toBe(800);
  });

  test("gives up where it breaks at one place as often as the policy has attempts", async () => {
    const source = sourceOf(BYTES, { breaks: [120, 120, 120] });
    await expect(all(steady(source).read(100, 900, NEVER))).rejects.toMatchObject({
      kind: "transient",
    });
    expect(source.asked.length).toBe(3);
  });

  test("asks for the rest where a range ends too early", async () => {
    let asked = 0;
    const source: RangeSource = {
      bytes: 1000,
      async *read(from, to) {
        asked++;
        yield BYTES.subarray(from, Math.min(to, from + 400));
      },
    };
    expect((await all(steady(source).read(0, 1000, NEVER))).equals(BYTES)).toBe(true);
    expect(asked).toBe(3);
  });

  test("does not try again what will not pass, and refuses more than was asked for", async () => {
    let asked = 0;
    const source: RangeSource = {
      bytes: 10,

      async *read() {
        asked++;
        throw new HdashError("permanent", "gone");
      },
    };
    await expect(all(steady(source).read(0, 10, NEVER))).rejects.toThrow("gone");
    expect(asked).toBe(1);
    await expect(all(steady(giving("abcd")).read(0, 3, NEVER))).rejects.toMatchObject({
      kind: "permanent",
    });
  });

  test("lets the connection go when its reader leaves", async () => {
    let isOpen = true;
    const source: RangeSource = {
      bytes: 10,
      async *read() {
        try {
          for (;;) yield Buffer.of(1);
        } finally {
          isOpen = false;
        }
      },
    };
    for await (const _ of steady(source).read(0, 10, NEVER)) break;
    expect(isOpen).toBe(false);
  });
});
