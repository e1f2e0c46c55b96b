// What the name of an export says: the day that it begins with, by which exports are chosen, ordered and given a schema.

import type { ReportFinding } from "./report.ts";

/** Tells whether a text, YYYY-MM-DD, is a day that there is. */
export function isDay(text: string): boolean {
  const day = new Date(`${text}T00:00:00Z`);
  return (
    /^\d{4}-\d\d-\d\d$/.test(text) &&
    !Number.isNaN(day.getTime()) &&
    day.toISOString().startsWith(text)
  );
}

/** What a name begins with where that is like a day; null where it is not. */
function likeDay(name: string): string | null {
  return /^\d{4}-\d\d-\d\d/.exec(name)?.[0] ?? null;
}

/** The day that an export's name begins with; null where it begins with none that there is. */
export function exportDay(name: string): string | null {
  const day = likeDay(name);
  return day !== null && isDay(day) ? day : null;
}

/** Finds a name that begins like a day and with none that there is, as 2026-02-30 does. A name may also begin with no day at all. */
export function nameFindings(name: string): readonly ReportFinding[] {
  if (likeDay(name) === null || exportDay(name) !== null) return [];
  const why = "its name begins with a day that there is not";
  return [{ code: "bad_export_name", member: null, why }];
}
