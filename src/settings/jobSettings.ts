// What a job says of its own variables, so that they are checked, told and documented together with everybody else's.

import type { ValidatorSpec } from "envalid";

import type { Variable } from "./variables.ts";

/** How a job's settings are read: values that have passed their rules, and where to put what does not fit together. */
export interface ValueReader {
  /** True where the job is going to run, so that what it needs may be asked for. */
  readonly isAsked: boolean;
  /** The value of a text variable; null where it is not set. */
  text(name: string): string | null;
  /** The value of a variable as its rule makes it; null where it is not set and has no default. The caller knows its rule. */
  value<T>(name: string): T | null;
  /** The value of a variable; where it is not set that is reported, with the reason why it has to be. */
  need(name: string, why: string): string;
  /** Reports what is wrong with a variable, by the flag that stands for it where people type that. */
  report(name: string, what: string, flag?: string): void;
}

export interface JobSettings<S = unknown> {
  readonly variables: readonly Variable[];
  /** Variable → its rule. */
  readonly rules: Readonly<Record<string, ValidatorSpec<unknown>>>;
  /** Tells by the names that an environment sets whether it is for this job, right or wrong: half a configuration is to be completed. */
  isGiven(names: readonly string[]): boolean;
  /** Names variables shared with other jobs that these values make its own: set for it, they are no sign that another job is meant. */
  claims?(given: Readonly<Record<string, string | undefined>>): readonly string[];
  /** Puts the values together; null where the job is not asked for. */
  read(values: ValueReader): S | null;
  /** Variables whose value is the address of a service that gets credentials: nothing may be sent to it in clear unasked. */
  readonly confidential?: readonly string[];
  /** True where these settings use buckets other than the site's, which have credentials and an endpoint, too. */
  usesBuckets?(settings: S): boolean;
}
