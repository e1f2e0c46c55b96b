import { describe, expect, test } from "vitest";

import { makeExecLog } from "../../src/runners/execLog.ts";

function write(mostBytes: number | null, pieces: readonly (string | Uint8Array)[]) {
  const lines: string[] = [];
  const log = makeExecLog(mostBytes, [], (line) => lines.push(line));
  for (const piece of pieces) log.write(Buffer.from(piece as string));
  return { ...log.end(), lines };
}

describe("makeExecLog(mostBytes, secrets, onLine)", () => {
  test("joins lines that come in pieces, and letters that do", () => {
    const [a = 0, b = 0] = Buffer.from("é");
    expect(write(null, ["on", "e\n\ntw", Uint8Array.of(a), Uint8Array.of(b), "\n", "x"])).toEqual({
      ...{ head: "one\n\ntwé\nx", tail: "", truncatedBytes: 0 },
      lines: ["one", "", "twé", "x"],
    });
  });

  test("hands on a line without an end in pieces, and cuts no letter", () => {
    const { lines } = write(null, [`a${"é".repeat(100_000)}`]);
    expect(lines.join("")).toBe(`a${"é".repeat(100_000)}`);
    expect(lines.map((line) => Buffer.byteLength(line))).toEqual([65_535, 65_536, 65_536, 3394]);
  });

  test("keeps both ends of what is longer, whatever the pieces", () => {
    const text = Array.from({ length: 5000 }, (_, n) => `${n}\n`).join("");
    for (const length of [1, 7, 5000, 100_000]) {
      const pieces = text.match(new RegExp(`[^]{1,${length}}`, "g")) ?? [];
      const { head, tail, truncatedBytes } = write(1000, pieces);
      expect({ head, tail }).toEqual({ head: text.slice(0, 500), tail: text.slice(-500) });
      expect(truncatedBytes).toBe(text.length - 1000);
    }
  });

  test("cuts no letter where head and tail are the whole", () => {
    const { head, tail } = write(8, ["abcé", "fg"]);
    expect([head, tail]).toEqual(["abc", "éfg"]);
  });
});
