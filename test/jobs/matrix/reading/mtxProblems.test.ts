// MatrixMarket files that must not pass, and what is said of each.

import { deflateRawSync, gzipSync } from "node:zlib";

import { describe, expect, test } from "vitest";

import type { MatrixReader } from "../../../../src/jobs/matrix/matrix.ts";
import { openText, readCells } from "../support/mtxFiles.ts";

const HEAD = "%%MatrixMarket matrix coordinate integer general\n";

/** The rule and the message with which reading ends. */
async function problemOf(reader: MatrixReader): Promise<unknown> {
  try {
    await readCells(reader);
  } catch (error) {
    return error instanceof Error && "rule" in error ? [error.rule, error.message] : error;
  }
  return null;
}

describe("openMtx({ parts, genes, cells, notes, scratchDir })", () => {
  test.for([
    ["", "M_HEADER", "matrix.mtx ends before the line with its sizes"],
    ["1 1 1\n", "M_HEADER", 'matrix.mtx does not begin with %%MatrixMarket, but with "1 1 1"'],
    ["%%MatrixMarket vector\n", "M_HEADER", 'matrix.mtx holds "vector", not a matrix'],
    [
      "%%MatrixMarket matrix array real general\n",
      "M_HEADER",
      'matrix.mtx is laid out as "array"; only "coordinate" can be read',
    ],
    [
      "%%MatrixMarket matrix coordinate pattern general\n",
      "M_HEADER",
      "matrix.mtx is a pattern: it has no counts",
    ],
    [
      "%%MatrixMarket matrix coordinate complex general\n",
      "M_HEADER",
      'matrix.mtx holds "complex" values; only integer, unsigned-integer and real can be read',
    ],
    [
      "%%MatrixMarket matrix coordinate real symmetric\n",
      "M_HEADER",
      'matrix.mtx is "symmetric"; only "general" can be read',
    ],
    [`${HEAD}2 2\n`, "M_HEADER", 'matrix.mtx has "2 2" where rows, columns and entries should be'],
    [
      `${HEAD}2 -2 4\n`,
      "M_HEADER",
      'matrix.mtx has "2 -2 4" where rows, columns and entries should be',
    ],
    [
      `${HEAD}4 3 1\n1 1 1\n`,
      "M_HEADER",
      "matrix.mtx is 4 × 3, but its tables list 2 genes and 3 cells",
    ],
    [`${HEAD}%\n`, "M_HEADER", "matrix.mtx ends before the line with its sizes"],
    [
      `${HEAD}2 3 2\n1 1 1\n`,
      "M_CORRUPT",
      "matrix.mtx is truncated: it holds 1 entry of the 2 that its header says",
    ],
    [
      `${HEAD}2 3 2147483648\n1 1 1\n`,
      "M_CORRUPT",
      "matrix.mtx is truncated: it holds 1 entry of the 2,147,483,648 that its header says",
    ],
    [
      `${HEAD}2 3 2\n1 1 1\n1 2`,
      "M_CORRUPT",
      "matrix.mtx is truncated: it ends within entry 2 of 2",
    ],
    [
      `${HEAD}2 3 1\n1 1 1\n2 1 1\n`,
      "M_CORRUPT",
      "matrix.mtx holds more entries than the 1 that its header says",
    ],
    [
      `${HEAD}2 3 1\n1 2\n`,
      "M_ENTRY",
      'matrix.mtx, entry 1: "1 2" is not a row, a column and a value',
    ],
    [
      `${HEAD}2 3 1\n1 2 3 4\n`,
      "M_ENTRY",
      'matrix.mtx, entry 1: "1 2 3 4" is not a row, a column and a value',
    ],
    [
      `${HEAD}2 3 2\n1 1 1\n0 2 3\n`,
      "M_ENTRY",
      'matrix.mtx, entry 2: row "0" is not a whole number from 1 to 2',
    ],
    [
      `${HEAD}2 3 1\n-1 2 3\n`,
      "M_ENTRY",
      'matrix.mtx, entry 1: row "-1" is not a whole number from 1 to 2',
    ],
    [
      `${HEAD}2 3 1\n3 2 3\n`,
      "M_ENTRY",
      'matrix.mtx, entry 1: row "3" is not a whole number from 1 to 2',
    ],
    [
      `${HEAD}2 3 1\n1 4 3\n`,
      "M_ENTRY",
      'matrix.mtx, entry 1: column "4" is not a whole number from 1 to 3',
    ],
    [
      `${HEAD}2 3 1\n1 4294967297 3\n`,
      "M_ENTRY",
      'matrix.mtx, entry 1: column "4294967297" is not a whole number from 1 to 3',
    ],
    [
      `${HEAD}2 3 1\n1 1.0 3\n`,
      "M_ENTRY",
      'matrix.mtx, entry 1: column "1.0" is not a whole number from 1 to 3',
    ],
    [`${HEAD}2 3 1\n1 2 -3\n`, "M_ENTRY", 'matrix.mtx, entry 1: the value "-3" is negative'],
    [`${HEAD}2 3 1\n1 2 nan\n`, "M_ENTRY", 'matrix.mtx, entry 1: the value "nan" is not finite'],
    [`${HEAD}2 3 1\n1 2 -Inf\n`, "M_ENTRY", 'matrix.mtx, entry 1: the value "-Inf" is not finite'],
    [
      `${HEAD}2 3 1\n1 2 0x10\n`,
      "M_ENTRY",
      'matrix.mtx, entry 1: the value "0x10" is not a number',
    ],
    [`${HEAD}2 3 1\n1 2 1e\n`, "M_ENTRY", 'matrix.mtx, entry 1: the value "1e" is not a number'],
    [
      `${HEAD}2 3 1\n1 2 1e999999\n`,
      "M_ENTRY",
      'matrix.mtx, entry 1: the value "1e999999" is above 4,294,967,295',
    ],
    [
      `${HEAD}2 3 1\n1 2 4294967296\n`,
      "M_ENTRY",
      'matrix.mtx, entry 1: the value "4294967296" is above 4,294,967,295',
    ],
    [
      `${HEAD}2 3 1\n${"1".repeat(5000)}\n`,
      "M_ENTRY",
      `matrix.mtx, entry 1: the line that begins with "${"1".repeat(40)}" does not end`,
    ],
    [
      `${HEAD}2 3 2\n1 1 4294967295\n1 1 1\n`,
      "M_ENTRY",
      "matrix.mtx: entries that name the same gene and cell add up to more than 4,294,967,295",
    ],
    [
      `${HEAD}2 3 1\n1 2 -.3\n`,
      "M_NOT_COUNTS",
      'matrix.mtx, entry 1: the value "-.3" is negative and not whole: these are scaled or centred values, not counts',
    ],
    [
      `${HEAD}2 3 3\n1 1 .7\n2 1 1.3\n1 2 3\n`,
      "M_NOT_COUNTS",
      "matrix.mtx holds logarithms or other transformed values, not counts: 2 of 3 values are not whole, none reaches 20",
    ],
  ] as const)("refuses %j", async ([text, rule, message]) => {
    const reader = await openText(text, { genes: 2, cells: 3 });
    expect(await problemOf(reader)).toEqual([rule, message]);
  });

  test("refuses what is cut off or damaged", async () => {
    const text = `${HEAD}1 2 2\n1 1 2\n1 2 3\n`;
    const gz = gzipSync(text);
    const flipped = Buffer.from(gz);
    flipped[gz.length - 6] = (flipped[gz.length - 6] ?? 0) ^ 1;
    const wrongSum = { bytes: text.length, crc32: 1 };
    const longer = { bytes: text.length + 1, crc32: 1 };
    const shorter = { bytes: text.length - 1, crc32: 1 };
    const size = { genes: 1, cells: 2 };
    const layers = ["gzip"] as const;
    const raw = deflateRawSync(text);
    const problems = [
      await openText(gz.subarray(0, 40), { ...size, layers }),
      await openText(gz.subarray(0, 0), { ...size, layers }),
      await openText(flipped, { ...size, layers }),
      await openText(text, { ...size, claimed: wrongSum }),
      await openText(raw, { ...size, layers: ["deflate"], claimed: longer }),
      await openText(raw, { ...size, layers: ["deflate"], claimed: shorter }),
    ].map(problemOf);
    expect(await Promise.all(problems)).toEqual([
      ["M_CORRUPT", "matrix.mtx is truncated: its end is missing"],
      ["M_CORRUPT", "matrix.mtx is truncated: it is empty"],
      ["M_CORRUPT", "matrix.mtx is damaged: its checksum does not fit"],
      ["M_CORRUPT", "matrix.mtx is damaged: its checksum does not fit"],
      ["M_CORRUPT", `matrix.mtx is truncated: ${text.length} of ${text.length + 1} bytes`],
      [
        "M_CORRUPT",
        `matrix.mtx unpacks to more than the ${text.length - 1} bytes that its archive says`,
      ],
    ]);
  });
});
