// What a check of a dataset found: counts, never a value.

export interface CheckResult {
  readonly id: string;
  /** E.g. "dataset_fitbitdailydata". */
  readonly dataset: string;
  readonly type: string;
  readonly column: string | null;
  readonly kind: string;
  /** What it demands, e.g. "Steps is between 1 and 200,000". */
  readonly text: string;
  readonly outcome: "passed" | "failed" | "not_run";
  readonly rows: number | null;
  readonly missing: number | null;
  readonly unexpected: number | null;
  /** True where its failure keeps a type's datasets as they were. */
  readonly blocks: boolean;
  /** Why it did not run, or could not; null where it did. */
  readonly why: string | null;
}
