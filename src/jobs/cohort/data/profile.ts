// What a dataset holds: rows, columns with how many of their values are there, people by cohort. Counts alone.

import type { ColumnType, Dataset } from "./current.ts";
import type { PeopleCount } from "./people.ts";
import { COHORT } from "./recordShape.ts";
import type { Segment } from "./segments.ts";

export interface ColumnProfile {
  readonly name: string;
  readonly type: ColumnType;
  /** Rows in which it is not null; empty text is a value. Null where nobody counted them. */
  readonly filled: number | null;
  /** True where it may tell who a participant is. */
  readonly isIdentifying: boolean;
}

export interface DatasetProfile {
  /** E.g. "dataset_fitbitdailydata". */
  readonly dataset: string;
  readonly type: string;
  readonly rows: number;
  readonly columns: readonly ColumnProfile[];
  /** Of a type's own dataset, by cohort; null in those of its arrays, and where the schema does not say who people are. */
  readonly people: readonly PeopleCount[] | null;
}

/** Describes a dataset by its segments, which have counted as they were written. */
export function profileOf(
  { name, rows, columns }: Pick<Dataset, "name" | "rows" | "columns">,
  type: { readonly name: string; readonly identifying: ReadonlySet<string> },
  segments: readonly Pick<Segment, "files" | "filled">[],
  people: readonly PeopleCount[] | null,
): DatasetProfile {
  const own = segments.filter(({ files }) => (files[name] ?? []).length > 0);
  const filledOf = (at: number): number | null => {
    let sum = 0;
    for (const { filled } of own) {
      const found = filled[name]?.[at];
      if (found === undefined) return null;
      sum += found;
    }
    return sum;
  };
  return {
    ...{ dataset: name, type: type.name, rows, people },
    columns: columns.map((column, at) => ({
      ...{ name: column.name, type: column.type },
      filled: column.name === COHORT ? rows : filledOf(at),
      isIdentifying: type.identifying.has(column.name),
    })),
  };
}
