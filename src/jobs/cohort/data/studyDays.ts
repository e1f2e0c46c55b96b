// Days as "YYYY-MM-DD", and how far they are apart.

const DAY_MS = 86_400_000;

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
