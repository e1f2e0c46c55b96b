// Lines that are within 64 MiB, and would be gigabytes once their values are told apart: each judged by a process of its own.

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { describe, expect, test } from "vitest";

const PROGRAM = join(import.meta.dirname, "support/largeLine.ts");
/** What COHORT_MEMORY_MB (2,048) and 256 MB leave beside what DuckDB takes meanwhile. */
const MOST_MIB = 1600;

describe("a line", () => {
  test.each([
    ["undeclared numbers", 64, "line_too_long"],
    ["declared numbers", 31, "line_too_long"],
    ["wrong numbers", 31, "line_too_long"],
    ["no object", 64, "line_too_long"],
    ["arrays", 32, "line_too_long"],
    ["undeclared names", 64, "line_too_long"],
    ["names in a field", 10, "line_too_long"],
    ["spellings", 4, "line_too_long"],
    ["names in elements", 40, null],
    ["offsets", 8, null],
    ["pairs", 64, null],
  ])(
    "of %s, %i MiB, takes no more memory than there is, and the next is judged as ever: %s",
    async (kind, mib, reason) => {
      const args = ["--disable-warning=ExperimentalWarning", PROGRAM, kind, String(mib)];
      const { stdout } = await promisify(execFile)(process.execPath, args);
      const { peakMiB, ...found } = JSON.parse(stdout) as { readonly peakMiB: number };
      expect(found).toMatchObject({ reason, after: null });
      expect(peakMiB).toBeLessThan(MOST_MIB);
    },
    120_000,
  );
});
