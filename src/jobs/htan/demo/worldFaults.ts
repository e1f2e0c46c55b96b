// Faults that are planted in a synthetic atlas: which, when they come, when they go, and how many findings each must make.

import { type Dice, makeDice } from "../../../lookalikes/dice.ts";
import { laterDay, NEVER, type Story } from "./worldPlan.ts";

/** Rule → how many findings. */
export type Planted = Record<string, number>;

/** What can be wrong with one record or file. */
export type FaultKind =
  | "unknownParticipant"
  | "strayParent"
  | "selfParent"
  | "strayAdjacent"
  | "badOwnId"
  | "repeatedOwnId"
  | "badParentId"
  | "badEntityId"
  | "badFileName";

/** A fault, from the day it comes until (exclusive) the day it is mended. */
export interface Fault {
  readonly kind: FaultKind;
  readonly from: number;
  readonly until: number;
}

/** Findings of each kind of fault. Every fault is planted so that it causes these and no others. */
const FINDINGS: Readonly<Record<FaultKind, readonly string[]>> = {
  unknownParticipant: ["H_NON_DEM"],
  strayParent: ["H_LINKS"],
  selfParent: ["H_LINKS"],
  strayAdjacent: ["H_LINKS"],
  badOwnId: ["H_ID_SPEC"],
  repeatedOwnId: ["H_ID_SPEC"],
  // No record has an id that is malformed.
  badParentId: ["H_ID_SPEC"],
  badEntityId: ["H_ENTITY_ID"],
  badFileName: ["H_FILE_NAMES"],
};

/** Faults by where they can be planted. Ids of records that have descendants stay right, so that no fault causes a second one. */
export const FAULTS_OF = {
  clinical: ["unknownParticipant"],
  specimen: ["strayParent", "strayParent", "selfParent", "strayAdjacent", "strayAdjacent"],
  branch: ["strayParent", "strayParent", "badParentId", "badEntityId"],
  leaf: ["strayParent", "badParentId", "badEntityId", "badOwnId", "repeatedOwnId"],
  file: ["badFileName"],
} as const satisfies Record<string, readonly FaultKind[]>;

/** Draws the fault of one thing that is born on a day, or null. `keys` name the thing. */
export function drawFault(
  story: Story,
  place: keyof typeof FAULTS_OF,
  born: number,
  keys: readonly (string | number)[],
): Fault | null {
  const rate = story.surge?.day === born ? story.surge.faultRate : story.faultRate;
  if (rate === 0) return null;
  const dice: Dice = makeDice("fault", ...keys);
  if (!dice.chance(rate)) return null;
  const kind: FaultKind = dice.pick<FaultKind>(FAULTS_OF[place]);
  const from = dice.chance(story.brokenLaterShare) ? laterDay(story, born, dice) : born;
  const until = dice.chance(story.mendedShare) ? laterDay(story, from, dice) : NEVER;
  return { kind, from, until };
}

/** Tells what is wrong on a day: the fault's kind while it lasts, else null. */
export function faultOn(fault: Fault | null, day: number): FaultKind | null {
  return fault !== null && fault.from <= day && day < fault.until ? fault.kind : null;
}

/** Returns the last day, up to `day`, on which something with this fault changed because of it; `born` where it did not. */
export function touchedOn(fault: Fault | null, born: number, day: number): number {
  if (fault === null || fault.from > day) return born;
  return fault.until <= day ? fault.until : fault.from;
}

/** Counts the findings that a fault must make. */
export function plant(planted: Planted, kind: FaultKind): void {
  for (const rule of FINDINGS[kind]) planted[rule] = (planted[rule] ?? 0) + 1;
}
