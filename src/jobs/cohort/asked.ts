// What settings name that the schema has or has not: cohorts, data types, columns. A misspelt one must not look like nothing to be done.

import { HdashError } from "../../error.ts";
import { quoted } from "../../format.ts";
import { meant } from "../../settings/nearest.ts";
import { columnsOf } from "./data/columns.ts";
import type { Schemas } from "./schemas.ts";
import type { CohortSettings } from "./settings.ts";

/** Throws usage where cohorts, data types or exports are asked for that cannot be there. */
export function checkAsked(
  asked: Pick<CohortSettings, "types" | "choice">,
  schemas: Pick<Schemas, "cohorts" | "of">,
): void {
  const [first] = askedProblems(asked, schemas);
  if (first !== undefined) throw first;
}

/** Says of everything that is asked for and cannot be there what it may have been meant for: usage errors. */
function askedProblems(
  { types, choice }: Pick<CohortSettings, "types" | "choice">,
  schemas: Pick<Schemas, "cohorts" | "of">,
): readonly HdashError[] {
  const { cohorts } = schemas;
  const known = [...schemas.of(null).shapes.keys()].sort();
  return [
    ...unknown(types ?? [], known, "--type (COHORT_TYPES): there is no data type"),
    ...unknown(choice.cohorts ?? [], cohorts, "--cohort (COHORT_ONLY): there is no cohort"),
    ...(choice.exports ?? []).flatMap((key) => {
      const [cohort = "", name = "", ...more] = key.split("/");
      if (name !== "" && more.length === 0)
        return unknown([cohort], cohorts, "--export (COHORT_EXPORTS): there is no cohort");
      const what = `--export (COHORT_EXPORTS): ${quoted(key)} names no export`;
      const hint = "An export is named COHORT/EXPORT, as `hdash cohort status` lists them.";
      return [new HdashError("usage", what, { hint })];
    }),
  ];
}

function unknown(
  asked: readonly string[],
  known: readonly string[],
  what: string,
): readonly HdashError[] {
  return asked
    .filter((one) => !known.includes(one))
    .map((one) => new HdashError("usage", `${what} ${quoted(one)}`, { hint: meant(one, known) }));
}

/** Says what of the settings no run can begin with: what is asked for, and columns of keys that are to be left out. */
export function settingProblems(
  settings: Pick<CohortSettings, "types" | "choice" | "dropped">,
  schemas: Pick<Schemas, "cohorts" | "of">,
): readonly HdashError[] {
  const all = [...schemas.of(null).shapes.values()];
  const keyed = settings.dropped.flatMap((column) => {
    const shape = all.find(({ type }) => type.key.includes(column));
    if (shape === undefined) return [];
    const what = `COHORT_DROP has ${column}, which is of the key of ${shape.type.name}`;
    const hint = `Leave ${column} out of COHORT_DROP: records are told apart by it.`;
    return [new HdashError("config", what, { hint })];
  });
  return [...askedProblems(settings, schemas), ...keyed];
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
