// What is known of a build by its checks: their results, and what each dataset holds. One private object beside the build.

import type { Digest } from "../../../digest.ts";
import type { Check } from "./check.ts";
import type { CheckResult } from "./checkResult.ts";
import type { DatasetProfile } from "./profile.ts";
import { byText } from "./text.ts";

/** What was found out of a type. */
export interface TypeValidation {
  /** Digest of all that its results follow from: its files, its checks, the day where one of them asks for it. */
  readonly about: Digest;
  /** The build that its files were made by, checked or shown; null where there is none. */
  readonly build: string | null;
  /** Rows that its datasets had before that; null where there was none before, or nobody knows. */
  readonly before: Readonly<Record<string, number>> | null;
  /** What is held back, as its build says it, where results are about that; null or missing: they are about what readers have. */
  readonly tried?: string | null;
  /** What checks had found when they were last done that could not be done since, or that nobody has done: failures alone. */
  readonly last?: readonly CheckResult[];
}

export interface Validation {
  readonly version: 1;
  /** The build that readers have; of a type that is held back results are about what is held back. */
  readonly build: string;
  /** When the run began that has looked last, ISO 8601. */
  readonly at: string;
  /** Of every check, in the order of their file. */
  readonly results: readonly CheckResult[];
  /** Of every dataset, by name. */
  readonly profiles: readonly DatasetProfile[];
  readonly types: Readonly<Record<string, TypeValidation>>;
}

/** Folder of what is known of builds by their checks. */
export const VALIDATIONS = "validation/";

/** Where what is known of a build lies. */
export function validationKey(build: string): string {
  return `${VALIDATIONS}${build}.json`;
}

/** What one type gave. */
export interface CheckedType extends TypeValidation {
  readonly results: readonly CheckResult[];
  readonly profiles: readonly DatasetProfile[];
}

/** Puts together what types gave. */
export function validationOf(
  build: string,
  at: string,
  checks: readonly Check[],
  types: ReadonlyMap<string, CheckedType>,
): Validation {
  const all = [...types.values()];
  const results = new Map(all.flatMap((type) => type.results).map((one) => [one.id, one]));
  const sorted = [...types].sort(([a], [b]) => byText(a, b));
  return {
    ...{ version: 1, build, at },
    results: checks.flatMap(({ id }) => results.get(id) ?? []),
    profiles: all.flatMap(({ profiles }) => profiles).sort((a, b) => byText(a.dataset, b.dataset)),
    types: Object.fromEntries(
      sorted.map(([type, { about, build: of, before, tried = null, last = [] }]) => [
        type,
        {
          about,
          build: of,
          before,
          ...(tried === null ? {} : { tried }),
          ...(last.length === 0 ? {} : { last }),
        },
      ]),
    ),
  };
}

/** What is known of a type from before. */
export function knownOf(validation: Validation | null, type: string): CheckedType | null {
  const own = validation?.types[type];
  if (validation === null || own === undefined) return null;
  return {
    ...own,
    results: validation.results.filter((one) => one.type === type),
    profiles: validation.profiles.filter((one) => one.type === type),
  };
}

/** What checks of a type had found when they were last done, where they failed: nobody has mended that by not looking. */
export function lastFailures(known: CheckedType | null): readonly CheckResult[] {
  if (known === null) return [];
  const { results, last = [] } = known;
  const isDone = (id: string): boolean =>
    results.some((one) => one.id === id && one.outcome !== "not_run");
  return [
    ...results.filter(({ outcome }) => outcome === "failed"),
    ...last.filter(({ id }) => !isDone(id)),
  ];
}

/** Tells whether two say the same, whenever they were made. */
export function saysTheSame(one: Validation, other: Validation | null): boolean {
  const plain = ({ at: _at, ...rest }: Validation): string => JSON.stringify(rest);
  return other !== null && plain(one) === plain(other);
}
