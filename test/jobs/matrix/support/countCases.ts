// Inputs as people have them, with the right value of each (test/fixtures/cases/matrix).

import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { writeStatistics } from "../../../../src/jobs/matrix/counting/statsJson.ts";
import type { MatrixNote } from "../../../../src/jobs/matrix/matrix.ts";
import { expectAnswers, type Expected } from "./matrixAnswers.ts";
import { countingIn, type Workplace } from "./matrixFiles.ts";

const CASES = join(import.meta.dirname, "../../../fixtures/cases/matrix");

/** Gives the path of a case's input. */
export function caseInput(name: string, input = "input"): string {
  return join(CASES, name, input);
}

/** Counts a case's input, compares it with what was planted, and gives what was worth knowing. */
export async function expectCase(
  name: string,
  place: Workplace,
  input = "input",
): Promise<readonly MatrixNote[]> {
  return expectCounts(caseInput(name, input), name, place);
}

/** Counts what lies at a path, and compares it with what was planted in a case. */
async function expectCounts(
  path: string,
  name: string,
  place: Workplace,
): Promise<readonly MatrixNote[]> {
  const expected = JSON.parse(
    await readFile(join(CASES, name, "expected.json"), "utf8"),
  ) as Expected;
  const statistics = await countingIn(place).count(path);
  expectAnswers(JSON.parse([...writeStatistics(statistics)].join("")), expected);
  return statistics.notes;
}
