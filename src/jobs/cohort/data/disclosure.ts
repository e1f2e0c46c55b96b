// What may be said in public of how many: people are counted only by namespace, cohort and type, and a small number of them is not told.
//
// A number that is left out must not follow from others. So a type that few people of any cohort have data of shows no number at all, on no
// page and in no sum; nor does, but for its people, one whose records are people: a day's or an export's records of it would count them by
// two attributes.

import type { PeopleCount } from "./people.ts";
import type { DataType } from "./schema.ts";

/** Why a type shows no numbers: few people have data of it, its records are people, or nobody could count its people. */
export type Withheld = "few" | "people" | "unknown";

/** A number of people as it may be told; `count` is null where it may not. */
export interface ToldPeople {
  readonly cohort: string;
  readonly count: number | null;
}

/** Tells why the numbers of a type are withheld; null: they are not. */
export function withheldBecause(
  people: readonly PeopleCount[] | null,
  type: Pick<DataType, "key" | "participant">,
  least: number,
): Withheld | null {
  if (people === null) return "unknown";
  if (people.some(({ count }) => isSmall(count, least))) return "few";
  return isPersonal(type) ? "people" : null;
}

/** Tells whether each record of a type is a person. */
function isPersonal({ key, participant }: Pick<DataType, "key" | "participant">): boolean {
  return key.every((column) => column === participant);
}

/** What may be told of the people of each cohort; those of whom nothing is known are left out. */
export function tellPeople(
  people: readonly PeopleCount[] | null,
  least: number,
): readonly ToldPeople[] {
  return (people ?? []).map(({ cohort, count }) => ({
    cohort,
    count: isSmall(count, least) ? null : count,
  }));
}

/** That there is nobody is no secret. */
function isSmall(count: number, least: number): boolean {
  return count > 0 && count < least;
}
