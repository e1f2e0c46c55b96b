// Checks in plain sentences, as pages and messages have them.

import { count, number } from "../../../format.ts";
import type { Check, CheckedValue } from "./check.ts";

/** So many values of a set are named. */
const MOST_NAMED = 8;

/** Says what a check holds of its dataset, without a full stop. */
export function checkText(check: Check, parent: string | null): string {
  const column = check.column ?? "";
  switch (check.kind) {
    case "between":
      if (check.max === null) return `${column} is at least ${number(check.min ?? 0)}`;
      if (check.min === null) return `${column} is at most ${number(check.max)}`;
      return `${column} is between ${number(check.min)} and ${number(check.max)}`;
    case "set":
      return `${column} is one of ${listed(check.values)}`;
    case "pattern":
      return `${column} matches ${check.pattern}`;
    case "unique": {
      const [first = "", ...more] = check.columns;
      if (more.length === 0) return `${first} is unique`;
      return `${[first, ...more.slice(0, -1)].join(", ")} and ${more.at(-1) ?? ""} are unique together`;
    }
    case "not_null":
      return `${column} is never missing`;
    case "exists":
      return `There is a column ${column}`;
    case "fresh":
      return `The newest ${column} is at most ${count(check.days, "day")} old`;
    case "row_count":
      return `The number of rows is within ${number(check.percent)}% of the build before`;
    case "has_parent":
      return `Every row belongs to one of ${parent ?? "its parent"}`;
  }
}

function listed(values: readonly CheckedValue[]): string {
  const named = values.slice(0, MOST_NAMED).map(String).join(", ");
  const more = values.length - MOST_NAMED;
  return more > 0 ? `${named} or ${number(more)} more` : named;
}
