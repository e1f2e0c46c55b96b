import { describe, expect, test } from "vitest";

import {
  ARRAY,
  ESCAPED,
  FALSE,
  FROM,
  KIND,
  makeJsonScanner,
  NEXT,
  NODE,
  NULL,
  NUMBER,
  OBJECT,
  STRING,
  type Tape,
  TO,
  TRUE,
} from "../../../../src/jobs/cohort/data/jsonScanner.ts";
import {
  compactJson,
  decodeString,
  mayHoldSurrogate,
} from "../../../../src/jobs/cohort/data/jsonText.ts";
import { makeRandom, type Random } from "../../matrix/support/random.ts";

/** A text between others, so that whatever reads past its end is seen. */
function embed(text: string): readonly [buffer: Buffer, from: number, to: number] {
  const bytes = Buffer.from(text, "utf8");
  return [Buffer.concat([Buffer.from('1,"'), bytes, Buffer.from('0"]}')]), 3, 3 + bytes.length];
}

function isJson(text: string): boolean {
  const scanner = makeJsonScanner();
  return scanner.scan(...embed(text)) !== -1;
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Builds the value that a tape describes; throws where its places do not fit together. */
function valueOf(buffer: Buffer, tape: Tape, node: number): unknown {
  const { nodes } = tape;
  const [from, to, next] = [nodes[node + FROM], nodes[node + TO], nodes[node + NEXT]] as number[];
  const text = buffer.toString("utf8", from, to);
  switch (nodes[node + KIND] as number) {
    case OBJECT: {
      const object = Object.create(null) as Record<string, unknown>;
      let at = node + NODE;
      for (; at < (next as number); at = nodes[at + NODE + NEXT] as number) {
        object[decode(buffer, tape, at)] = valueOf(buffer, tape, at + NODE);
      }
      expect([at, text[0], text.at(-1)]).toEqual([next, "{", "}"]);
      return object;
    }
    case ARRAY: {
      const array: unknown[] = [];
      let at = node + NODE;
      for (; at < (next as number); at = nodes[at + NEXT] as number) {
        array.push(valueOf(buffer, tape, at));
      }
      expect([at, text[0], text.at(-1)]).toEqual([next, "[", "]"]);
      return array;
    }
    case STRING:
      expect(text).not.toContain("\\");
      return text;
    case ESCAPED:
      expect(text).toContain("\\");
      return decode(buffer, tape, node);
    case NUMBER:
      return Number(text);
    case TRUE:
    case FALSE:
    case NULL:
      return JSON.parse(text) as unknown;
    default:
      throw new Error(`node ${node} is of no kind`);
  }
}

/** Decodes without repair, as JSON.parse does. */
function decode(buffer: Buffer, { nodes }: Tape, node: number): string {
  const text = buffer.toString("utf8", nodes[node + FROM], nodes[node + TO]);
  return JSON.parse(`"${text}"`) as string;
}

/** What JSON.parse gives, with objects that have no prototype. */
function parsed(text: string): unknown {
  return JSON.parse(text, (_name, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.assign(Object.create(null) as object, value)
      : value,
  ) as unknown;
}

const VALID = [
  "{}",
  "[]",
  " \t\r\n[ \n] ",
  '""',
  '"a"',
  "0",
  "-0",
  "-0.0e-0",
  "1E+5",
  "123456789012345678901234567890.5",
  "true",
  " false ",
  "null",
  '{"a":1,"a":2}',
  '{ "a" : [ 1 , {"b":null} , "c\\"d" ] , "e" : { } }',
  '"\\u00e9\\ud800\\/\\b\\f\\n\\r\\t\\\\"',
  '{"":"","ä😀":"\u2028\u007f"}',
  '[[[]],[{}],{"a":[]}]',
  '{"toString":1,"constructor":{"x":2}}',
];
const INVALID = [
  "",
  " ",
  "{",
  "}",
  "[",
  "]",
  "[}",
  "{]",
  "[1,]",
  "[,1]",
  "[1 2]",
  "[1,,2]",
  '{"a":1,}',
  '{,"a":1}',
  '{"a"}',
  '{"a":}',
  '{"a" 1}',
  "{a:1}",
  "{'a':1}",
  '{1:"a"}',
  '{"a":1 "b":2}',
  '{"a":1}{"a":1}',
  "1 2",
  "[]]",
  '"a',
  '"a\\"',
  '"a\\',
  '"\\x"',
  '"\\u12"',
  '"\\u123g"',
  '"\\u"',
  '"\t"',
  '"\n"',
  '"\u0000"',
  "01",
  "-",
  "-01",
  "+1",
  ".5",
  "5.",
  "1.e5",
  "1e",
  "1e+",
  "0x10",
  "1_000",
  "--1",
  "1-",
  "NaN",
  "Infinity",
  "-Infinity",
  "True",
  "tru",
  "nul",
  "truee",
  "nulll",
  "undefined",
  "// a\n1",
  "/**/1",
  "\ufeff1",
  "\u00a01",
  "1\u000b",
];

describe("scan(buffer, from, to)", () => {
  test.each(VALID)("takes %j", (text) => {
    expect([isJson(text), parses(text)]).toEqual([true, true]);
  });

  test.each(INVALID)("refuses %j", (text) => {
    expect([isJson(text), parses(text)]).toEqual([false, false]);
  });

  test("judges every beginning and every end of a text as JSON.parse does", () => {
    const text = ' {"a\\u0041":[-1.5e+10,true,false,null,"\\\\"],"b":{"c":[[]]}} ';
    for (let at = 0; at <= text.length; at++) {
      for (const part of [text.slice(0, at), text.slice(at)]) {
        expect([part, isJson(part)]).toEqual([part, parses(part)]);
      }
    }
  });

  test("judges mutated texts as JSON.parse does, and gives the same values", () => {
    const random = makeRandom(20_260_111);
    let valid = 0;
    for (let round = 0; round < 6000; round++) {
      const text = mutated(random, randomText(random, 4));
      const scanner = makeJsonScanner();
      const [buffer, from, to] = embed(text);
      const root = scanner.scan(buffer, from, to);
      if (root === -1 || !parses(text)) {
        expect([text, root !== -1]).toEqual([text, parses(text)]);
        continue;
      }
      valid++;
      expect([text, valueOf(buffer, scanner.tape, root)]).toEqual([text, parsed(text)]);
    }
    // Both are met often enough to say something.
    expect(valid).toBeGreaterThan(1500);
    expect(valid).toBeLessThan(4500);
  });

  test("says where values lie", () => {
    const scanner = makeJsonScanner();
    const buffer = Buffer.from('xx {"a":[12,"b\\n"]} ');
    expect(scanner.scan(buffer, 2, buffer.length)).toBe(0);
    const { nodes, length } = scanner.tape;
    expect([...nodes.subarray(0, length)]).toEqual([
      ...[OBJECT, 3, 19, 20],
      ...[STRING, 5, 6, 8],
      ...[ARRAY, 8, 18, 20],
      ...[NUMBER, 9, 11, 16],
      ...[ESCAPED, 13, 16, 20],
    ]);
  });

  test("puts further texts behind earlier ones, until it is reset", () => {
    const scanner = makeJsonScanner();
    const [first, second] = [Buffer.from('{"a":1}'), Buffer.from("[true]")];
    expect(scanner.scan(first, 0, first.length)).toBe(0);
    expect(scanner.scan(second, 0, second.length)).toBe(3 * NODE);
    expect(valueOf(first, scanner.tape, 0)).toEqual(parsed('{"a":1}'));
    expect(valueOf(second, scanner.tape, 3 * NODE)).toEqual([true]);
    scanner.reset();
    expect(scanner.scan(second, 0, second.length)).toBe(0);
  });

  test("is not confused by a text before that it has refused", () => {
    const scanner = makeJsonScanner();
    const [bad, good] = [Buffer.from('[[{"a":[1,'), Buffer.from('{"a":[1,[2]]}')];
    expect(scanner.scan(bad, 0, bad.length)).toBe(-1);
    const root = scanner.scan(good, 0, good.length);
    expect(valueOf(good, scanner.tape, root)).toEqual(parsed('{"a":[1,[2]]}'));
  });

  test.each([
    ["arrays", "[", "]"],
    ["objects", '{"a":', "}"],
  ])("takes %s that lie a million deep, and writes them out again", (_what, open, close) => {
    const depth = 1_000_000;
    const inner = open === "[" ? "" : "1";
    const text = open.repeat(depth) + inner + close.repeat(depth);
    const buffer = Buffer.from(text);
    const scanner = makeJsonScanner();
    expect(scanner.scan(buffer, 0, buffer.length)).toBe(0);
    expect(scanner.tape.nodes[NEXT]).toBe(scanner.tape.length);
    expect(compactJson(buffer, scanner.tape, 0) === text).toBe(true);
    expect(scanner.scan(buffer, 0, buffer.length - 1)).toBe(-1);
  });
});

describe("compactJson(buffer, tape, node)", () => {
  test.each([
    [' { "a" : [ 1.50 , -0 , 1E3 ] } ', '{"a":[1.50,-0,1E3]}'],
    ['{"b":1,"a":2,"b":3}', '{"b":3,"a":2}'],
    ['{"\\u0061":"\\/\\u00e9\\u0000"}', '{"a":"/é\\u0000"}'],
    ['"\\ud800"', '"\\ud800"'],
    ["12345678901234567890.10", "12345678901234567890.10"],
    ["[ true , false , null , {} , [ ] ]", "[true,false,null,{},[]]"],
  ])("writes %j", (text, compact) => {
    const scanner = makeJsonScanner();
    const buffer = Buffer.from(text);
    const root = scanner.scan(buffer, 0, buffer.length);
    expect(compactJson(buffer, scanner.tape, root)).toBe(compact);
  });
});

describe("decodeString(buffer, tape, node)", () => {
  test.each([
    ['"plain é"', "plain é", false],
    ['"\\ud83d\\ude00"', "😀", false],
    ['"a\\ud83d"', "a\ufffd", true],
    ['"\\ude00\\ud83d"', "\ufffd\ufffd", true],
    ['"\\uD800x\\uDFFF"', "\ufffdx\ufffd", true],
    ['"\\u0000\\\\ud800"', "\u0000\\ud800", false],
  ])("decodes %s", (text, decoded, isRepaired) => {
    const scanner = makeJsonScanner();
    const buffer = Buffer.from(text);
    const root = scanner.scan(buffer, 0, buffer.length);
    expect(decodeString(buffer, scanner.tape, root)).toEqual({ text: decoded, isRepaired });
  });
});

describe("mayHoldSurrogate(buffer, from, to)", () => {
  test("tells it of exactly the units that are surrogates, in either case of hex digits", () => {
    for (let unit = 0; unit < 0x10000; unit += 0x40) {
      const hex = unit.toString(16).padStart(4, "0");
      for (const digits of [hex, hex.toUpperCase()]) {
        const buffer = Buffer.from(`a\\n\\\\\\u${digits}`);
        const isSurrogate = unit >= 0xd800 && unit <= 0xdfff;
        expect([digits, mayHoldSurrogate(buffer, 0, buffer.length)]).toEqual([digits, isSurrogate]);
      }
    }
    const escaped = Buffer.from("\\\\ud800");
    expect(mayHoldSurrogate(escaped, 0, escaped.length)).toBe(false);
  });
});

const PIECES = [
  '"a"',
  '"\\u00e9"',
  '"\\ud83d\\ude00 ä"',
  '""',
  "0",
  "-1",
  "2.50",
  "1e3",
  "-0.0E-2",
];
const WORDS = ["true", "false", "null"];
const SPACES = ["", "", "", " ", "\t", "\r\n", "  "];

function randomText(random: Random, depth: number): string {
  const pick = (from: readonly string[]): string => from[random.below(from.length)] ?? "";
  const spaced = (text: string): string => pick(SPACES) + text + pick(SPACES);
  const kind = random.below(depth === 0 ? 2 : 4);
  if (kind === 0) return spaced(pick(PIECES));
  if (kind === 1) return spaced(pick(WORDS));
  const size = random.below(4);
  const items = Array.from({ length: size }, (_item, at) => {
    const value = randomText(random, depth - 1);
    return kind === 2 ? value : `${spaced(`"${"ab".charAt(at % 2)}${random.below(9)}"`)}:${value}`;
  });
  return spaced(kind === 2 ? `[${items.join(",")}]` : `{${items.join(",")}}`);
}

const BITS = [
  ...'{}[],:"\\0123456789.eE+-tfn ua/\n',
  ...["\u0001", "\u007f", "é", "\u2028", "\ufeff", "00", '""', "\\u", "\\ud800", "null", "1e9"],
];

/** Leaves a third as it is; cuts, drops, doubles, adds and swaps in the others. */
function mutated(random: Random, text: string): string {
  let changed = text;
  for (let times = random.below(3); times > 0; times--) {
    const at = random.below(changed.length + 1);
    const rest = at + random.below(3);
    const bit = BITS[random.below(BITS.length)] ?? "";
    changed =
      [
        changed.slice(0, at) + changed.slice(rest),
        changed.slice(0, at) + bit + changed.slice(at),
        changed.slice(0, at) + bit + changed.slice(at + 1),
        changed.slice(0, rest) + changed.slice(at),
      ][random.below(4)] ?? changed;
  }
  return changed.toWellFormed();
}
