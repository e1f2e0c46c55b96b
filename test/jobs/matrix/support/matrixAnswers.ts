// The known answers of the matrix fixtures, and the comparison with what was counted.

import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { expect } from "vitest";

import { FIXTURES } from "./matrixFiles.ts";

type Group = Readonly<Record<string, unknown>>;
export interface Expected {
  readonly whole: Group;
  readonly by_library_construction_approach: Readonly<Record<string, Group>>;
}

export async function readExpected(): Promise<Expected> {
  return JSON.parse(await readFile(join(FIXTURES, "expected.json"), "utf8")) as Expected;
}

/** Compares all that the answers name: integers and texts exactly, reals to 1e-6 of their size. */
export function expectAnswers(given: unknown, expected: Expected): void {
  const found = given as Expected;
  const approaches = Object.keys(found.by_library_construction_approach);
  expectGroup(found.whole, expected.whole);
  if (approaches.length === 1) {
    // Files that do not say the approach of their cells.
    const [only = ""] = approaches;
    expectGroup(found.by_library_construction_approach[only] ?? {}, expected.whole);
    return;
  }
  expect(approaches).toEqual(Object.keys(expected.by_library_construction_approach));
  for (const [key, group] of Object.entries(expected.by_library_construction_approach)) {
    expectGroup(found.by_library_construction_approach[key] ?? {}, group);
  }
}

function expectGroup(found: Group, expected: Group): void {
  const { planted_cluster: _, ...answers } = expected;
  expect(Object.keys(found)).toEqual(Object.keys(answers));
  for (const [name, answer] of Object.entries(answers)) {
    const value = found[name];
    if (!Array.isArray(answer) || !Array.isArray(value)) {
      expect(value, name).toEqual(answer);
      continue;
    }
    expect(value.length, name).toBe(answer.length);
    const off = answer.flatMap((one: unknown, index) =>
      isNear(one, value[index]) ? [] : [`${name}[${index}]: ${value[index]}, not ${String(one)}`],
    );
    expect(off).toEqual([]);
  }
}

function isNear(expected: unknown, found: unknown): boolean {
  if (typeof expected !== "number" || typeof found !== "number") return expected === found;
  if (Number.isInteger(expected)) return expected === found;
  return Math.abs(expected - found) <= 1e-6 * Math.abs(expected);
}
