import { isUtf8 } from "node:buffer";

import { describe, expect, test } from "vitest";

import { partLines } from "../../../../src/jobs/cohort/data/lines.ts";
import { makeRandom, type Random } from "../../matrix/support/random.ts";

type Line = readonly [number: number, text: string];

/** Parts a content that comes in pieces, each in a buffer of its own. */
function lines(pieces: readonly (string | Uint8Array)[], mostBytes?: number): readonly Line[] {
  const found: Line[] = [];
  const long: Buffer[] = [];
  const parts = partLines(
    {
      line(buffer, from, to, number, isValid) {
        const bytes = buffer.subarray(from, to);
        // What is said to be right has to be right.
        if (isValid) expect(isUtf8(bytes)).toBe(true);
        found.push([number, bytes.toString("latin1")]);
      },
      longPiece: (piece) => void long.push(piece),
      longEnd(number) {
        found.push([number, `too long: ${Buffer.concat(long.splice(0)).toString("latin1")}`]);
      },
    },
    ...(mostBytes === undefined ? [] : [mostBytes]),
  );
  for (const piece of pieces) parts.push(Buffer.from(piece as Uint8Array));
  parts.end();
  return found;
}

function cuts(random: Random, bytes: Buffer): readonly Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = 1 + random.below(random.below(3) === 0 ? 3 : 40);
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

const BOM = "\u00ef\u00bb\u00bf";

describe("partLines(taker)", () => {
  test.each<[string, string, readonly Line[]]>([
    [
      "lines that end with LF",
      "a\nb\n",
      [
        [1, "a"],
        [2, "b"],
      ],
    ],
    [
      "lines that end with CRLF",
      "a\r\nb\r\n",
      [
        [1, "a"],
        [2, "b"],
      ],
    ],
    [
      "a last line without an end",
      "a\nb",
      [
        [1, "a"],
        [2, "b"],
      ],
    ],
    [
      "a last line that ends with CR",
      "a\nb\r",
      [
        [1, "a"],
        [2, "b"],
      ],
    ],
    [
      "CR, space and tab at the end",
      "a \t\r\r \nb",
      [
        [1, "a"],
        [2, "b"],
      ],
    ],
    ["CR within, and space before", " \ta\rb\n", [[1, " \ta\rb"]]],
    [
      "blank lines, which count",
      "\n\r\n \t\na\n\n\nb\n\n",
      [
        [4, "a"],
        [7, "b"],
      ],
    ],
    ["nothing", "", []],
    ["blanks alone", " \r\n\t", []],
    [
      "a BOM",
      `${BOM}a\nb`,
      [
        [1, "a"],
        [2, "b"],
      ],
    ],
    ["a BOM in a line of its own", `${BOM}\r\na`, [[2, "a"]]],
    ["a BOM before blanks", `${BOM} \t\na`, [[2, "a"]]],
    [
      "a BOM of a later line",
      `a\n${BOM}b`,
      [
        [1, "a"],
        [2, "b"],
      ],
    ],
    ["half a BOM", "\u00ef\u00bba\n", [[1, "\u00ef\u00bba"]]],
  ])("takes %s", (_what, text, expected) => {
    const bytes = Buffer.from(text, "latin1");
    expect(lines([bytes])).toEqual(expected);
    // And the same byte by byte.
    expect(lines([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(expected);
  });

  test("gives the same lines wherever a content is cut", () => {
    const random = makeRandom(10);
    const bits = [
      "\n",
      "\r\n",
      "\n\n",
      " ",
      "\t",
      "\r",
      BOM,
      '{"a":1}',
      "é",
      "\u00ff",
      "longer text",
    ];
    for (let round = 0; round < 1000; round++) {
      const text = Array.from({ length: random.below(30) }, () => bits[random.below(bits.length)]);
      const bytes = Buffer.from(text.join(""), "latin1");
      const whole = lines([bytes], 20);
      for (let time = 0; time < 5; time++) {
        expect([text, lines(cuts(random, bytes), 20)]).toEqual([text, whole]);
      }
    }
  });

  test("tells of a line that is too long, and goes on behind it", () => {
    const long = "x".repeat(11);
    expect(lines([`0123456789\n${long}\nb\n${long}`], 10)).toEqual([
      [1, "0123456789"],
      [2, `too long: ${long}`],
      [3, "b"],
      [4, `too long: ${long}`],
    ]);
    expect(lines(["01234", "56789", "\nxxxxx", "xxxxx", "x", "\nb"], 10)).toEqual([
      [1, "0123456789"],
      [2, `too long: ${long}`],
      [3, "b"],
    ]);
  });

  test("keeps nothing of a line once it is too long", () => {
    let bytes = 0;
    const ends: number[] = [];
    const parts = partLines(
      {
        line: () => {},
        longPiece: (piece) => (bytes += piece.length),
        longEnd: (number) => ends.push(number),
      },
      10,
    );
    for (let at = 1; at <= 100; at++) {
      parts.push(Buffer.alloc(7, "x"));
      expect(bytes).toBe(at === 1 ? 0 : at * 7);
    }
    expect(ends).toEqual([]);
    parts.push(Buffer.from("x\n"));
    parts.end();
    expect([bytes, ends]).toEqual([701, [1]]);
  });

  test("says that UTF-8 is right of lines that it has looked at alone", () => {
    const said: (readonly [string, boolean])[] = [];
    const parts = partLines({
      line: (buffer, from, to, _number, isValid) =>
        said.push([buffer.toString("latin1", from, to), isValid]),
      longPiece: () => {},
      longEnd: () => {},
    });
    parts.push(Buffer.from("a\né\nb", "utf8"));
    parts.push(Buffer.from("c\nd\n\u00ff\ne\n", "latin1"));
    parts.push(Buffer.from("f\ng", "utf8"));
    parts.end();
    expect(said).toEqual([
      ["a", true],
      ["\u00c3\u00a9", true],
      ["bc", false],
      ["d", false],
      ["\u00ff", false],
      ["e", false],
      ["f", true],
      ["g", false],
    ]);
  });
});
