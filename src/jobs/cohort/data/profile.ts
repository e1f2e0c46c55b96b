// What a dataset holds, in numbers alone.

/** Distinct participants of a cohort that have a record. */
export interface PeopleCount {
  readonly cohort: string;
  readonly count: number;
}

export interface ColumnProfile {
  readonly name: string;
  readonly type: string;
  /** Rows in which it is not null. */
  readonly filled: number;
  /** True where it may tell who a participant is. */
  readonly isIdentifying: boolean;
}

export interface DatasetProfile {
  /** E.g. "dataset_fitbitdailydata". */
  readonly dataset: string;
  readonly type: string;
  readonly rows: number;
  readonly columns: readonly ColumnProfile[];
  /** Of a type's own dataset, by cohort; null in those of its arrays. */
  readonly people: readonly PeopleCount[] | null;
}
