// People as they are counted.

/** Distinct participants of a cohort that have a record. */
export interface PeopleCount {
  readonly cohort: string;
  readonly count: number;
}
