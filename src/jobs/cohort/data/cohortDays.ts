// Days of a study: those on which cohorts sent exports, those on which they should have, and how many records came.

import { type Days, sumDays } from "./days.ts";
import { wasRead } from "./proof.ts";
import { daysBetween } from "./studyDays.ts";
import type { ExportLine } from "./studyExports.ts";

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

/** Tells the days of each cohort. */
export function daysOfCohorts(
  cohorts: readonly string[],
  exports: readonly ExportLine[],
): readonly CohortDays[] {
  const newest = lastOf(exports.flatMap(({ day, stand }) => (wasRead(stand) ? (day ?? []) : [])));
  return cohorts.map((cohort) => {
    const own = exports.filter((one) => one.cohort === cohort);
    const read = own.filter(({ stand }) => wasRead(stand));
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
            day !== null && !wasRead(stand) && !days.has(day) ? [day] : [],
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
