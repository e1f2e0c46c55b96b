// The bench at which one synthetic atlas is made: who is in it, and what all of its makers share.

import { makeDice } from "../../../lookalikes/dice.ts";
import type { Planted } from "./worldFaults.ts";
import type { ManifestDraft } from "./worldManifest.ts";
import type { Attribute, Organ } from "./worldParts.ts";
import { arrivalOf, type AtlasPlan } from "./worldPlan.ts";
import type { ProjectView } from "./worldView.ts";

/** A participant; before the day `born` there is no record of them. */
export interface Person {
  readonly number: number;
  readonly id: string;
  readonly born: number;
  /** Days from birth to diagnosis, from which everything else is counted. */
  readonly indexDay: number;
  readonly specimens: Specimen[];
  nextFile: number;
}

/** A specimen, which its assays name. */
export interface Specimen {
  readonly id: string;
  readonly born: number;
}

/** One atlas on one day while it is being made. */
export interface Workshop {
  readonly plan: AtlasPlan;
  readonly organ: Organ;
  readonly seed: number;
  readonly day: number;
  readonly view: ProjectView;
  readonly planted: Planted;
  /** Makes the manifest of a component in its folder. */
  manifest(
    component: string,
    folder: number,
    lead: readonly string[],
    attributes: readonly Attribute[],
  ): ManifestDraft;
}

/** Returns a participant of the atlas by number, from 0. */
export function personOf(shop: Workshop, number: number): Person {
  const { plan, seed } = shop;
  const dice = makeDice(seed, plan.atlasId, "participant", number);
  return {
    number,
    id: `${plan.atlasId}_${1001 + number}`,
    born: arrivalOf(plan, number),
    indexDay: 9000 + dice.below(19_000),
    specimens: [],
    nextFile: 5001,
  };
}
