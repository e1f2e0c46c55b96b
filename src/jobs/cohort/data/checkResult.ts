// What came of a check: passed, failed or not run, with counts of rows and never a value; and what is said of it in the ledger.

import type { Finding } from "../../../finding.ts";
import { count, number } from "../../../format.ts";
import type { Check, CheckedDataset, CheckKind } from "./check.ts";
import { checkText } from "./checkText.ts";
import { byText } from "./text.ts";

export interface CheckResult {
  readonly id: string;
  readonly dataset: string;
  readonly type: string;
  /** Null where it is about several columns, or none. */
  readonly column: string | null;
  readonly kind: CheckKind;
  /** What should hold, in a plain sentence without a full stop. */
  readonly text: string;
  /** A dataset without rows is not run: neither success nor failure. */
  readonly outcome: "passed" | "failed" | "not_run";
  /** Rows of the dataset; null where that is not known. */
  readonly rows: number | null;
  /** Rows without a value; null where the check does not ask, or was not run. */
  readonly missing: number | null;
  /** Rows that are not as they should be, of a number of rows the difference; the same. */
  readonly unexpected: number | null;
  readonly severity: "error" | "warning";
  readonly blocks: boolean;
  /** Why it was not run, or what else there is to say of a failure, in a clause without a count; null where numbers say it all. */
  readonly why: string | null;
}

/** Counts checks by what came of them. */
export function countOutcomes(checks: readonly Pick<CheckResult, "outcome">[]) {
  const of = (outcome: CheckResult["outcome"]): number =>
    checks.filter((check) => check.outcome === outcome).length;
  return { passed: of("passed"), failed: of("failed"), notRun: of("not_run") };
}

/** What was found out for a check. */
export type CheckFacts =
  | {
      readonly isMet: boolean;
      readonly missing: number | null;
      readonly unexpected: number | null;
      readonly why: string | null;
    }
  | { readonly isMet: null; readonly why: string };

/** Puts a check's result together. */
export function checkResult(
  check: Check,
  { type, parent }: Pick<CheckedDataset, "type" | "parent">,
  rows: number | null,
  facts: CheckFacts,
): CheckResult {
  const { id, dataset, column, kind, severity, blocks } = check;
  const text = checkText(check, parent?.dataset ?? null);
  const common = { id, dataset, type, column, kind, text, severity, blocks, rows, why: facts.why };
  if (facts.isMet === null) {
    return { ...common, outcome: "not_run", missing: null, unexpected: null };
  }
  const { missing, unexpected } = facts;
  return { ...common, outcome: facts.isMet ? "passed" : "failed", missing, unexpected };
}

/** Why nothing is said of what nobody has looked at. */
export const NOT_DONE = "it has not been done since the dataset was built";
/** Why nothing is said of a dataset without rows. */
export const NO_ROWS = "the dataset has no rows";
const NO_BUILD_BEFORE = "there is no build before";
const NO_ROWS_BEFORE = "the build before has no rows";
const MORE_ROWS = "there are more than in the build before";
const FEWER_ROWS = "there are fewer than in the build before";
/** Reasons that are as it should be, and no news. */
const QUIET: readonly (string | null)[] = [NO_ROWS, NO_BUILD_BEFORE, NO_ROWS_BEFORE];

/** Tells whether rows of the last days are there. */
export function freshFacts(isFresh: boolean, check: Check & { kind: "fresh" }): CheckFacts {
  const column = check.column ?? "";
  const why = isFresh
    ? null
    : `there is no row of the last ${count(check.days, "day")} by ${column}`;
  return { isMet: isFresh, missing: null, unexpected: null, why };
}

/** Compares the number of rows with that of the build before; null is not known. */
export function rowCountFacts(rows: number, before: number | null, percent: number): CheckFacts {
  if (before === null) return { isMet: null, why: NO_BUILD_BEFORE };
  if (before === 0) {
    return { isMet: null, why: rows === 0 ? NO_ROWS : NO_ROWS_BEFORE };
  }
  const isMet = Math.abs(rows - before) <= (before * percent) / 100;
  const why = isMet ? null : rows > before ? MORE_ROWS : FEWER_ROWS;
  return { isMet, missing: null, unexpected: isMet ? 0 : Math.abs(rows - before), why };
}

/** Tells whether a result was not to be had, though there is something to look at. */
export function isUndone({ outcome, why }: Pick<CheckResult, "outcome" | "why">): boolean {
  return outcome === "not_run" && !QUIET.includes(why);
}

/** Findings of the checks that failed, and of those that could not be done. */
export function checkFindings(results: readonly CheckResult[]): readonly Finding[] {
  return results.flatMap((result): Finding[] => {
    const { id, dataset, column, outcome, severity, text, why } = result;
    if (outcome !== "failed" && !isUndone(result)) return [];
    const fields = { check: id, ...(column === null ? {} : { column }) };
    const said = outcome === "failed" ? failureText(result) : `not run: ${why ?? ""}`;
    return [
      {
        rule: outcome === "failed" ? "check_failed" : "check_not_run",
        severity: outcome === "failed" ? severity : "warning",
        ...{ subject: dataset, row: null, fields },
        message: `${text}: ${said}.`,
      },
    ];
  });
}

/** What is wrong, in numbers. */
export function failureText({ kind, rows, unexpected, why }: CheckResult): string {
  if (kind === "row_count" && unexpected !== null) {
    return `${count(unexpected, "row")} ${why === MORE_ROWS ? "more" : "fewer"}`;
  }
  if (unexpected !== null && unexpected > 0) {
    return `${number(unexpected)} of ${count(rows ?? 0, "row")} ${unexpected === 1 ? "is" : "are"} not so`;
  }
  return why ?? "it is not so";
}

/** Numbers of checks, of which the ledger has the trend: subject, name, value. */
export function checkMeasures(
  results: readonly CheckResult[],
): readonly (readonly [subject: string, name: string, value: number])[] {
  return results.flatMap((result) => {
    const numbers = Object.entries({
      rows: result.rows,
      missing: result.missing,
      unexpected: result.unexpected,
      failed: result.outcome === "not_run" ? null : Number(result.outcome === "failed"),
    });
    return numbers.flatMap(([name, value]) =>
      value === null || result.outcome === "not_run" ? [] : [[result.id, name, value] as const],
    );
  });
}

/** The number of a type by which a check's past is told. */
export function trendName(id: string): string {
  return `unexpected.${id}`;
}

/** Results as people look through them: failed first, then what was not run, then all else; each in its own order. */
export function worstFirst(results: readonly CheckResult[]): readonly CheckResult[] {
  const ranks = { failed: 0, not_run: 1, passed: 2 } as const;
  const severities = { error: 0, warning: 1 } as const;
  const rank = ({ outcome, severity, rows }: CheckResult): number =>
    // What nobody sent is looked at last.
    outcome === "not_run" && rows === 0
      ? 9
      : ranks[outcome] * 2 + (outcome === "failed" ? severities[severity] : 0);
  return results.toSorted((a, b) => rank(a) - rank(b) || byText(a.dataset, b.dataset));
}
