// Unpacking, against zlib: what zlib reads is read alike, what zlib refuses is refused.

import { constants, deflateRawSync, gunzipSync, gzipSync, inflateRawSync } from "node:zlib";

import { beforeEach, describe, expect, test } from "vitest";

import {
  type ByteSource,
  inflateSource,
} from "../../../../src/jobs/matrix/kernel/inflateKernel.ts";
import { makeRandom } from "../support/random.ts";

/** Gives bytes in pieces of at most so many. */
function sourceOf(bytes: Uint8Array, most = Infinity): ByteSource {
  let at = 0;
  return {
    read(into) {
      const piece = bytes.subarray(at, at + Math.min(into.length, most));
      into.set(piece);
      at += piece.length;
      return piece.length;
    },
  };
}

function unpack(
  bytes: Uint8Array,
  layer: "deflate" | "gzip",
  most?: number,
  room = 1 << 16,
): Buffer {
  const source = inflateSource(
    sourceOf(bytes, most),
    layer,
    (problem, why) => new Error(`${problem}: ${why}`),
  );
  const pieces: Buffer[] = [];
  for (;;) {
    const into = new Uint8Array(room);
    const got = source.read(into);
    if (got === 0) return Buffer.concat(pieces);
    pieces.push(Buffer.from(into.subarray(0, got)));
  }
}

function outcome(read: () => Buffer): string {
  try {
    return read().toString("latin1");
  } catch {
    return "refused";
  }
}

/** Flips a bit of the byte that lies so far from the end. */
function flipped(bytes: Buffer, fromEnd: number): Buffer {
  const at = bytes.length - fromEnd;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes;
}

// Each test throws the same numbers, whichever ran before it.
let random = makeRandom(3);
beforeEach(() => {
  random = makeRandom(3);
});
const TEXTS: Readonly<Record<string, () => Buffer>> = {
  "lines of a matrix": () =>
    Buffer.from(
      Array.from(
        { length: 1 + random.below(4000) },
        (_, at) => `${random.below(30_000)} ${at >> 6} ${1 + random.below(9)}\n`,
      ).join(""),
    ),
  noise: () => Buffer.from(Array.from({ length: random.below(70_000) }, () => random.below(256))),
  "one byte": () => Buffer.alloc(random.below(400_000), 65),
  "short repeats": () => Buffer.from("abcdefghijk".slice(0, 1 + random.below(11)).repeat(20_000)),
  "far repeats": () => {
    const noise = Buffer.from(Array.from({ length: 32_768 }, () => random.below(256)));
    return Buffer.concat([noise, noise, noise]);
  },
  "skewed bytes": () =>
    Buffer.from(
      Array.from({ length: 50_000 }, () => Math.floor(255 * (random.below(1000) / 1000) ** 9)),
    ),
  nothing: () => Buffer.alloc(0),
};

describe("inflateSource(packed, layer, fail)", () => {
  test.for(Object.keys(TEXTS))("unpacks %s as zlib does", (name) => {
    const strategies = [
      constants.Z_DEFAULT_STRATEGY,
      constants.Z_FIXED,
      constants.Z_HUFFMAN_ONLY,
      constants.Z_RLE,
    ];
    for (const level of [0, 1, 6, 9]) {
      for (const strategy of strategies) {
        const text = TEXTS[name]?.() ?? Buffer.alloc(0);
        const packed = deflateRawSync(text, { level, strategy, memLevel: 1 + random.below(9) });
        expect(unpack(packed, "deflate").equals(text)).toBe(true);
        const gz = gzipSync(text, { level, strategy });
        expect(
          unpack(gz, "gzip", 1 + random.below(3000), 1 + random.below(5000)).equals(text),
        ).toBe(true);
      }
    }
  });

  test("refuses what zlib refuses, and reads the rest alike, where bits are flipped", () => {
    let refused = 0;
    for (let round = 0; round < 1000; round++) {
      const text =
        TEXTS["lines of a matrix"]?.().subarray(0, 300 + random.below(2000)) ?? Buffer.alloc(0);
      const strategy = round % 3 === 0 ? constants.Z_FIXED : constants.Z_DEFAULT_STRATEGY;
      const packed = deflateRawSync(text, { strategy, level: 1 + (round % 9) });
      const at = random.below(Math.min(packed.length, round % 2 === 0 ? 80 : Infinity));
      packed[at] = (packed[at] ?? 0) ^ (1 << random.below(8));
      const theirs = outcome(() => inflateRawSync(packed));
      const mine = outcome(() => unpack(packed, "deflate", 200));
      expect(mine === theirs).toBe(true);
      if (theirs === "refused") refused++;
    }
    expect(refused).toBeGreaterThan(200);
  });

  test("refuses what is cut off anywhere", () => {
    const text = TEXTS["lines of a matrix"]?.().subarray(0, 400) ?? Buffer.alloc(0);
    for (const strategy of [constants.Z_FIXED, constants.Z_DEFAULT_STRATEGY]) {
      const packed = deflateRawSync(text, { strategy });
      const gz = gzipSync(text, { strategy });
      for (let length = 0; length < packed.length; length++) {
        expect(outcome(() => unpack(packed.subarray(0, length), "deflate"))).toBe("refused");
      }
      for (let length = 0; length < gz.length; length++) {
        expect(() => unpack(gz.subarray(0, length), "gzip")).toThrow(/^cut off/);
      }
    }
  });

  test("reads every part of a gzip header, several members, and what follows them", () => {
    const text = Buffer.from("a text that is packed");
    const plain = gzipSync(text);
    const extra = Buffer.from([3, 0, 1, 2, 3]);
    const header = Buffer.concat([
      Buffer.from([0x1f, 0x8b, 8, 4 | 8 | 16 | 2, 0, 0, 0, 0, 0, 3]),
      extra,
      Buffer.from("name\0comment\0"),
    ]);
    // Two bytes of a checksum of the header, which zlib checks and gzip does not write.
    const full = Buffer.concat([header, Buffer.from([0, 0]), plain.subarray(10)]);
    expect(unpack(full, "gzip", 1).toString()).toBe(text.toString());
    const many = Buffer.concat([plain, gzipSync(Buffer.alloc(0)), plain, Buffer.alloc(20)]);
    expect(unpack(many, "gzip", 7).equals(gunzipSync(many))).toBe(true);
  });

  test.for([
    ["no gzip", Buffer.from("plain text"), "damaged: it is not gzip"],
    [
      "another method",
      Buffer.from([0x1f, 0x8b, 7, 0, 0, 0, 0, 0, 0, 3]),
      "damaged: its gzip method is unknown",
    ],
    [
      "unknown flags",
      Buffer.from([0x1f, 0x8b, 8, 32, 0, 0, 0, 0, 0, 3]),
      "damaged: its gzip header has unknown flags",
    ],
    ["a wrong checksum", flipped(gzipSync("text"), 8), "damaged: its checksum does not fit"],
    ["a wrong length", flipped(gzipSync("text"), 4), "damaged: its length does not fit"],
    [
      "an unknown block",
      Buffer.concat([gzipSync("").subarray(0, 10), Buffer.alloc(20, 7)]),
      "damaged: what is packed is not valid",
    ],
  ] as const)("refuses %s", ([, bytes, message]) => {
    expect(() => unpack(bytes, "gzip")).toThrow(message);
  });
});
