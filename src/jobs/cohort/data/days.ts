// Rows counted by the day that their export ends, for each event of a record's way into a dataset.

import { byText } from "./text.ts";

/** Rows by day. */
export type Days = Readonly<Record<string, number>>;

export type CountEvent = "READ" | "DROP_DUPLICATES" | "DROP_DELETED_SAMPLES" | "WRITE";
export type RecordCounts = Readonly<Partial<Record<CountEvent, Days>>>;

/** Adds up rows by day; days without any are left out. */
export function sumDays(all: readonly Days[]): Days {
  const sums = new Map<string, number>();
  for (const days of all) {
    for (const [day, rows] of Object.entries(days)) {
      if (rows > 0) sums.set(day, (sums.get(day) ?? 0) + rows);
    }
  }
  return Object.fromEntries([...sums].sort(([a], [b]) => byText(a, b)));
}
