// Days of a study: those on which cohorts sent exports, those on which they should have, and how many records came.

import type { Days } from "./days.ts";
import { sumDays } from "./days.ts";
import type { ExportLine } from "./studyExports.ts";

const DAY_MS = 86_400_000;

export interface CohortDays {
  readonly cohort: string;
  /** Exports that were read. */
  readonly exports: number;
  /** Days of the first and the newest export, "YYYY-MM-DD"; null where none has one. */
  readonly first: string | null;
  readonly newest: string | null;
  /** Days between its first export and the newest of any cohort on which it sent none. */
  readonly gaps: readonly string[];
  /** Records written of its exports, by the day that these were sent. */
  readonly records: Days;
  /** Days on which something was sent and nothing of it could be read. */
  readonly unread: readonly string[];
}

/** The day that an export's name begins with; null where it begins with none that there is. */
export function exportDay(name: string): string | null {
  const day = /^\d{4}-\d\d-\d\d/.exec(name)?.[0];
  return day !== undefined && nextDay(day, 0) === day ? day : null;
}

/** The day of a member's instant; "" where it has none. */
export function dayOf(at: string | null): string {
  return at?.slice(0, 10) ?? "";
}

/** A day so many days after another; "" where that is no day. */
export function nextDay(day: string, days = 1): string {
  const time = Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(time) ? "" : new Date(time + days * DAY_MS).toISOString().slice(0, 10);
}

/** Days from one to another, both included; none where the first comes after the last. */
export function daysBetween(first: string, last: string): readonly string[] {
  const days: string[] = [];
  for (let day = first; day !== "" && day <= last; day = nextDay(day)) days.push(day);
  return days;
}

/** How many days one comes before another. */
export function daysBefore(day: string, later: string): number {
  return Math.round((Date.parse(`${later}T00:00:00Z`) - Date.parse(`${day}T00:00:00Z`)) / DAY_MS);
}

/** Tells the days of each cohort. */
export function daysOfCohorts(
  cohorts: readonly string[],
  exports: readonly ExportLine[],
): readonly CohortDays[] {
  const newest = lastOf(exports.flatMap(({ day, stand }) => (stand === "read" ? (day ?? []) : [])));
  return cohorts.map((cohort) => {
    const own = exports.filter((one) => one.cohort === cohort);
    const read = own.filter(({ stand }) => stand === "read" || stand === "gone");
    const days = new Set(read.flatMap(({ day }) => day ?? []));
    const sorted = [...days].sort();
    const first = sorted[0] ?? null;
    const gaps =
      first === null || newest === null
        ? []
        : daysBetween(first, newest).filter((day) => !days.has(day));
    return {
      ...{ cohort, first, gaps, exports: read.length, newest: sorted.at(-1) ?? null },
      records: sumDays(
        read.flatMap(({ day, written }) => (day === null ? [] : [{ [day]: written }])),
      ),
      unread: [
        ...new Set(
          own.flatMap(({ day, stand }) =>
            day !== null && stand !== "read" && stand !== "gone" && !days.has(day) ? [day] : [],
          ),
        ),
      ].sort(),
    };
  });
}

function lastOf(days: readonly string[]): string | null {
  return days.reduce<string | null>(
    (last, day) => (last === null || day > last ? day : last),
    null,
  );
}
