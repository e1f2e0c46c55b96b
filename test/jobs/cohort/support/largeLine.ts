// A process that judges one line of the kind and the size (MiB) that it is told, and prints what came of it and how much memory that took.

import { makeLineJudge } from "../../../../src/jobs/cohort/data/lineJudge.ts";
import { shapeOf } from "../../../../src/jobs/cohort/data/recordShape.ts";
import type { DataType } from "../../../../src/jobs/cohort/data/schema.ts";

const BYTES = Number(process.argv[3] ?? 64) * 2 ** 20;

/** Fills what lies between two texts with what a number gives, up to the size of a line. */
function filled(before: string, piece: (at: number) => string, after: string): Buffer {
  const line = Buffer.alloc(BYTES);
  let length = line.write(before);
  for (let at = 0; ; at++) {
    const text = piece(at);
    if (length + text.length + after.length > BYTES) break;
    length += line.write(text, length, "latin1");
  }
  length += line.write(after, length);
  return line.subarray(0, length);
}

function deep(): Buffer {
  const before = '{"P":"p","x":';
  const depth = Math.floor((BYTES - before.length - 2) / 2);
  const line = Buffer.alloc(before.length + 2 * depth + 1);
  line.write(before);
  line.fill("[", before.length, before.length + depth);
  line.fill("]", before.length + depth, before.length + 2 * depth);
  line.write("}", before.length + 2 * depth);
  return line;
}

const KINDS: Readonly<Record<string, () => Buffer>> = {
  "undeclared numbers": () => filled('{"P":"p","x":[1', () => ",1", "]}"),
  "declared numbers": () => filled('{"P":"p","N":[1', () => ",1", "]}"),
  "wrong numbers": () => filled('{"P":"p","N":[""', () => ',"-"', "]}"),
  "no object": () => filled("[1", () => ",1", "]"),
  arrays: deep,
  "undeclared names": () => filled('{"P":"p"', (at) => `,"${at.toString(36)}":1`, "}"),
  "names in a field": () => filled('{"P":"p","x":{"a":1', (at) => `,"${at.toString(36)}":1`, "}}"),
  "names in elements": () => filled('{"P":"p","S":[{}', () => `,{"u":1}`, "]}"),
  offsets: () => filled('{"P":"p","O":{"x":1', (at) => `,"${at}":1`, "}}"),
  spellings: () => filled('{"P":"p"', (at) => `,"p${" ".repeat(1 + (at % 2000))}":null`, "}"),
  pairs: () => filled('{"P":"p","S":[{}', (at) => `,{"Offset":${at},"Value":1.5}`, "]}"),
};

const type: DataType = {
  ...{ name: "T", key: ["P"], deletes: null, isSubtyped: false, aliases: {} },
  ...{ participant: null, identifying: new Set<string>() },
  fields: {
    P: "string",
    N: { array: "int" },
    S: { array: { struct: { Offset: "int", Value: "double" } } },
    O: { array: { struct: { At: "int", Value: "int" } }, from: "offsets" },
  },
};
const facts = { index: 0, subtype: null, start: null, end: "2026-01-01", cohort: "adults_v1" };
const line = KINDS[process.argv[2] ?? ""]?.() ?? Buffer.alloc(0);
const judge = makeLineJudge(shapeOf(type, "InsertedDate"), facts);
const reason = judge.judge(line, 0, line.length, 1, false);
const next = Buffer.from('{"P":"p","N":[1,2]}');
const after = judge.judge(next, 0, next.length, 2, false);
const rows = [...judge.rowCounts];
const peakMiB = Math.round(process.resourceUsage().maxRSS / 1024);
process.stdout.write(JSON.stringify({ reason, after, rows, peakMiB }));
