// What settings name that the schema has or has not: cohorts, data types, columns. A misspelt one must not look like nothing to be done.

import { HdashError } from "../../error.ts";
import { quoted } from "../../format.ts";
import { meant } from "../../settings/nearest.ts";
import { columnsOf } from "./data/columns.ts";
import type { Schemas } from "./schemas.ts";
import type { CohortSettings } from "./settings.ts";

/** Throws usage where cohorts, data types or exports are asked for that cannot be there. */
export function checkAsked(
  { types, choice }: Pick<CohortSettings, "types" | "choice">,
  schemas: Pick<Schemas, "cohorts" | "of">,
): void {
  const { cohorts } = schemas;
  const known = [...schemas.of(null).shapes.keys()].sort();
  refuse(types ?? [], known, "--type (COHORT_TYPES): there is no data type");
  refuse(choice.cohorts ?? [], cohorts, "--cohort (COHORT_ONLY): there is no cohort");
  for (const key of choice.exports ?? []) {
    const [cohort = "", name = "", ...more] = key.split("/");
    if (name === "" || more.length > 0) {
      throw new HdashError("usage", `--export (COHORT_EXPORTS): ${quoted(key)} names no export`, {
        hint: "An export is named COHORT/EXPORT, as `hdash cohort status` lists them.",
      });
    }
    refuse([cohort], cohorts, "--export (COHORT_EXPORTS): there is no cohort");
  }
}

function refuse(asked: readonly string[], known: readonly string[], what: string): void {
  const unknown = asked.find((one) => !known.includes(one));
  if (unknown === undefined) return;
  throw new HdashError("usage", `${what} ${quoted(unknown)}`, { hint: meant(unknown, known) });
}

/**
 * Says of each column that is to be left out, and that no dataset is declared to have, what it may have been meant for: what is misspelt
 * leaves out nothing. It may be a field that nobody declared all the same.
 */
export function strangeDropped(
  dropped: readonly string[],
  { of }: Pick<Schemas, "of">,
): readonly string[] {
  const columns = [...of(null).shapes.values()].flatMap((shape) =>
    shape.tables.flatMap((_table, at) => columnsOf(shape, at, new Set()).map(({ name }) => name)),
  );
  const known = new Set(columns);
  return dropped
    .filter((name) => !known.has(name))
    .map((name) => {
      // A guess is worth it where there is one; a thousand columns are not worth a list.
      const guess = meant(name, [...known]);
      const hint = guess.startsWith("Did") ? ` ${guess}` : "";
      return `COHORT_DROP has ${name}, and no dataset is declared to have such a column.${hint}`;
    });
}
