// Whose data a synthetic world holds: invented people, told apart by their number, and the moments of a world's time.

import { type Dice, makeDice } from "../../../lookalikes/dice.ts";

/** What somebody wears or carries; it decides which types have data of theirs. */
const PLATFORMS = ["HealthKit", "Fitbit", "GoogleFit", "Garmin"] as const;

export interface Person {
  readonly number: number;
  readonly identifier: string;
  readonly id: string;
  readonly globalKey: string;
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly phone: string;
  readonly birthDate: string;
  readonly postalCode: string;
  readonly platform: (typeof PLATFORMS)[number];
}

/** Makes the people of a cohort, the same for the same seed. */
export function makePeople(
  seed: number,
  cohort: string,
  cohortNumber: number,
  count: number,
): readonly Person[] {
  return Array.from({ length: count }, (_, index) => {
    const dice = makeDice(seed, "person", cohort, index);
    const number = String(index + 1).padStart(4, "0");
    const tag = `${String(cohortNumber + 11).padStart(4, "0")}-${number}`;
    return {
      number: index,
      identifier: `SYN-${tag}`,
      id: uuid(dice),
      globalKey: uuid(dice).toUpperCase(),
      email: `participant.${tag}@example.org`,
      firstName: `SynGiven${tag}`,
      lastName: `SynFamily${tag}`,
      phone: `+1-555-01${tag}`,
      birthDate: `19${10 + dice.below(80)}-0${1 + dice.below(9)}-1${dice.below(10)}`,
      postalCode: `SYN-P${tag}`,
      platform: PLATFORMS[index % PLATFORMS.length] as Person["platform"],
    };
  });
}

/** What of a person may never be found in anything published. */
export function identifiersOf(person: Person): readonly string[] {
  const { identifier, id, globalKey, email, firstName, lastName, phone, postalCode } = person;
  return [identifier, id, globalKey, email, firstName, lastName, phone, postalCode];
}

/** Throws a UUID of version 4. */
export function uuid(dice: Dice): string {
  const hex = (digits: number): string =>
    dice
      .below(16 ** digits)
      .toString(16)
      .padStart(digits, "0");
  return `${hex(8)}-${hex(4)}-4${hex(3)}-${dice.pick(["8", "9", "a", "b"])}${hex(3)}-${hex(6)}${hex(6)}`;
}

export const DAY_MS = 86_400_000;
/** The first day that a world has data of; exports begin on the day after. */
const FIRST_DAY = Date.UTC(2026, 0, 10);

/** The beginning of a world's day, in milliseconds since the epoch. */
export function dayAt(day: number): number {
  return FIRST_DAY + day * DAY_MS;
}

/** The number of the export that is sent on a day. */
export function numberOf(day: string): number {
  return Math.round((Date.parse(`${day}T00:00:00Z`) - FIRST_DAY) / DAY_MS) - 1;
}

/** 20260110 */
export function compactDay(day: number): string {
  return isoDay(dayAt(day)).replaceAll("-", "");
}

/** 2026-01-10 */
export function isoDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** 2026-01-10T05:00:08 */
export function localTime(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19);
}
