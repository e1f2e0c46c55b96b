// Counts what passed and what failed, for the last line of `make test`.

/** How many checks ended in which way. A gate (types, lint, format) counts as one check. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Reads the tally from vitest's JSON report; `exitCode` is what vitest ended with. */
export function readTally(report: string | null, exitCode: number | null): Tally {
  const value: unknown = report === null ? null : JSON.parse(report);
  const count = (name: string): number => {
    if (typeof value !== "object" || value === null) return 0;
    const found: unknown = Reflect.get(value, name);
    return typeof found === "number" ? found : 0;
  };
  const failed = count("numFailedTests");
  return {
    passed: count("numPassedTests"),
    // A file that cannot be loaded, or an error outside of every test, fails no test, but it is a failure.
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: count("numPendingTests") + count("numTodoTests"),
  };
}

/** The tally of no checks at all. */
export const NOTHING: Tally = { passed: 0, failed: 0, skipped: 0 };

/** Adds two tallies. */
export function addTallies(one: Tally, other: Tally): Tally {
  return {
    passed: one.passed + other.passed,
    failed: one.failed + other.failed,
    skipped: one.skipped + other.skipped,
  };
}

/** Adds gates that passed and failed to a tally. */
export function addGates(tally: Tally, outcomes: readonly boolean[]): Tally {
  const passed = outcomes.filter((ok) => ok).length;
  return {
    ...tally,
    passed: tally.passed + passed,
    failed: tally.failed + outcomes.length - passed,
  };
}

/** Writes a tally as the line that machines look for. */
export function tallyLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`;
}
