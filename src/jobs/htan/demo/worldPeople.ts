// The participants of a synthetic atlas as manifests: their clinical data and the specimens that were taken from them.

import { type Dice, makeDice } from "../../../lookalikes/dice.ts";
import { drawFault, faultOn, plant, touchedOn } from "./worldFaults.ts";
import type { ManifestDraft } from "./worldManifest.ts";
import {
  ACQUISITION,
  type Attribute,
  CLINICAL,
  type Organ,
  SPECIMEN,
  TREATMENTS,
} from "./worldParts.ts";
import type { Person, Workshop } from "./worldShop.ts";

/** Adds the clinical manifests; that of an atlas which came in two batches is in two folders. */
export function addClinical(shop: Workshop, people: readonly Person[]): void {
  const { plan, organ, view } = shop;
  const folder = view.folder(
    view.project,
    plan.awkward === true ? "clinical <all>, R&D" : "clinical",
  );
  const tiers = plan.srrs
    ? CLINICAL.filter(({ component }) => component === "ClinicalDataTier2").map((tier) => ({
        ...tier,
        component: "SRRSClinicalDataTier2",
        share: 1,
      }))
    : [...CLINICAL, { component: organ.tier3, share: 0.7, most: 1, attributes: organ.attributes }];
  for (const tier of tiers) {
    const { component, share, most } = tier;
    const isTherapy = component === "Therapy";
    const suffix = plan.awkward === true ? " 1" : "";
    const days = [`Days to Treatment Start${suffix}`, `Days to Treatment End${suffix}`];
    const lead = ["HTAN Participant ID"];
    if (isTherapy) lead.push(`Treatment Type${suffix}`, ...days);
    const start = plan.starts?.[component] ?? 1;
    const isThere = start <= shop.day;
    const attributes = tier.attributes.map((attribute) => inOrgan(attribute, organ));
    const make = (name: string): ManifestDraft =>
      shop.manifest(component, view.folder(folder, name, isThere), lead, attributes);
    const main = make(component.toLowerCase());
    const split = component === "Demographics" && plan.flatFolders ? make("demographics_2") : main;

    for (const person of people) {
      const keys = [shop.seed, plan.atlasId, component, person.number] as const;
      const dice = makeDice(...keys);
      const records = dice.chance(share) ? 1 + dice.below(most) : 0;
      const draft = person.number * 5 >= people.length * 3 ? split : main;
      for (let i = 0; i < records; i += 1) {
        const entity = `syn${view.id()}`;
        const born = Math.max(person.born, start);
        if (born > shop.day) continue;
        const isFaulty = component !== "Demographics" && plan.srrs !== true;
        const fault = isFaulty ? drawFault(plan.story, "clinical", born, [...keys, i]) : null;
        const kind = faultOn(fault, shop.day);
        if (kind !== null) plant(shop.planted, kind);
        const recordDice = makeDice(...keys, i);
        const id = kind === null ? person.id : `${plan.atlasId}_9${1000 + person.number}`;
        const cells = [component, id];
        if (isTherapy) cells.push(...courseOf(person, i, recordDice));
        draft.add(cells, recordDice, touchedOn(fault, born, shop.day), entity);
      }
    }
  }
}

/** A course of treatment: label, first and last day. One in twelve was never dated. */
function courseOf(person: Person, course: number, dice: Dice): string[] {
  const start = person.indexDay + 20 + course * 200 + dice.below(120);
  const end = start + 20 + dice.below(150);
  const treatment = dice.pick(TREATMENTS);
  if (dice.chance(1 / 12)) return [treatment, "Not Reported", ""];
  return [treatment, String(start), String(end)];
}

function inOrgan([name, values]: Attribute, organ: Organ): Attribute {
  if (values === "@site") return [name, organ.sites];
  return [name, values === "@diagnosis" ? organ.diagnoses : values];
}

/** Adds the Biospecimen manifest: up to three visits, each with up to two specimens, some with a specimen derived from the first. */
export function addSpecimens(shop: Workshop, people: readonly Person[]): void {
  const { plan, view } = shop;
  const component = plan.srrs ? "SRRSBiospecimen" : "Biospecimen";
  const start = plan.starts?.["Biospecimen"] ?? 1;
  const folder = view.folder(view.project, "biospecimen", start <= shop.day);
  const lead = ["HTAN Biospecimen ID", "HTAN Parent ID", "Adjacent Biospecimen IDs"];
  lead.push("Timepoint Label", "Collection Days from Index", "Acquisition Method Type");
  lead.push("Site of Resection or Biopsy", "Site Data Source");
  const draft = shop.manifest(component, folder, lead, SPECIMEN);
  const sites = shop.organ.sites.split("|");

  for (const person of people) {
    const born = Math.max(person.born, start);
    const history = makeDice(shop.seed, plan.atlasId, "specimens", person.number);
    const visits = 1 + history.below(3);
    for (let visit = 0; visit < visits; visit += 1) {
      const collected = person.indexDay + visit * 210 + history.below(60);
      const shared = [
        ["Baseline", "On treatment", "Follow up"][visit] ?? "",
        history.chance(0.04) ? "Not Reported" : String(collected),
        history.chance(0.04) ? "Not Reported" : history.pick(ACQUISITION),
        history.pick(sites),
        history.pick(["Site North", "Site South", "Site East"]),
      ];
      const siblings = 1 + history.below(2);
      const isDerived = history.chance(0.45);
      const outside = history.chance(0.01);
      const first = person.specimens.length + 1;
      const total = siblings + (isDerived ? 1 : 0);
      for (let i = 0; i < total; i += 1) {
        const id = `${person.id}_${first + i}`;
        const entity = `syn${view.id()}`;
        person.specimens.push({ id, born });
        if (born > shop.day) continue;
        const fault = drawFault(plan.story, "specimen", born, [shop.seed, id]);
        let adjacent = "";
        if (siblings === 2 && i < 2) adjacent = `${person.id}_${first};${person.id}_${first + 1}`;
        let parent = outside ? `${plan.atlasId}_EXT${1 + visit}` : person.id;
        if (i === siblings) parent = `${person.id}_${first}`;
        const planned = faultOn(fault, shop.day);
        // The short form's records name no adjacent ones.
        const kind = plan.srrs && planned === "strayAdjacent" ? null : planned;
        if (kind !== null) plant(shop.planted, kind);
        if (kind === "strayParent") parent = `${plan.atlasId}_4${1000 + person.number}`;
        if (kind === "selfParent") parent = id;
        if (kind === "strayAdjacent") adjacent = `${person.id}_404`;
        const cells = [component, id, parent, adjacent, ...shared];
        const dice = makeDice(shop.seed, "specimen", id);
        draft.add(cells, dice, touchedOn(fault, born, shop.day), entity);
      }
    }
  }
}
