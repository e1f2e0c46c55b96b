// The assays of a synthetic atlas: records in manifests, and the data files that they describe.

import { type Dice, makeDice } from "../../../lookalikes/dice.ts";
import { type Level, SERIES } from "./worldAssays.ts";
import { drawFault, type FaultKind, faultOn, plant, touchedOn } from "./worldFaults.ts";
import type { ManifestDraft } from "./worldManifest.ts";
import { type AtlasPlan, isBare, laterDay, momentOf } from "./worldPlan.ts";
import type { Person, Specimen, Workshop } from "./worldShop.ts";

/** Where the files of one level are, and the manifest that describes them. */
interface Shelf {
  readonly level: Level;
  /** Nothing is derived from its files. */
  readonly isLeaf: boolean;
  readonly folder: number;
  readonly draft: ManifestDraft;
  readonly path: string;
}

/** What a record is made from. */
interface Sample {
  readonly person: Person;
  readonly specimen: Specimen;
  /** Ids of the record's parents. */
  readonly parents: readonly string[];
  readonly born: number;
}

/** Adds the assays: each participant's samples go through all levels of each of the atlas's series, with files at each. */
export function addSeries(shop: Workshop, people: readonly Person[]): void {
  const { plan, view } = shop;
  const all: readonly (readonly Level[])[] = plan.series.map((name) => SERIES[name]);
  const filesPerSample = all.flat().reduce((sum, level) => sum + level.suffixes.length, 0);
  const samplesPerPerson = plan.filesPerParticipant / filesPerSample;
  for (const series of plan.series) {
    const levels: readonly Level[] = SERIES[series];
    const start = plan.starts?.[series] ?? 1;
    const isThere = start <= shop.day;
    const root = plan.flatFolders ? view.project : view.folder(view.project, series, isThere);
    const shelves = levels.map((level, i): Shelf => {
      const name = plan.flatFolders ? `${series}_${level.folder}` : level.folder;
      const folder = view.folder(root, name, isThere);
      const lead = ["Filename", "File Format", "HTAN Data File ID", level.parentColumn];
      if (level.component === "BulkWESLevel2") lead.push("HTAN Parent Biospecimen ID");
      const draft = shop.manifest(level.component, folder, lead, level.attributes);
      const next = levels[i + 1];
      const isLeaf = next === undefined || next.parent === "specimen";
      return { level, isLeaf, folder, draft, path: plan.flatFolders ? name : `${series}/${name}` };
    });
    // Files of a large assay lie in one folder for every 200 participants, with one manifest above them.
    const batches = new Map<string, number>();
    const batchOf = (folder: number, person: Person): number => {
      if (plan.participants <= 200 || plan.flatFolders) return folder;
      const name = `batch_${String(1 + Math.floor(person.number / 200)).padStart(2, "0")}`;
      const key = `${folder}/${name}`;
      const known = batches.get(key) ?? view.folder(folder, name, isThere);
      batches.set(key, known);
      return known;
    };

    for (const person of people) {
      const keys = [shop.seed, plan.atlasId, series, person.number] as const;
      const dice = makeDice(...keys);
      const whole = Math.floor(samplesPerPerson);
      const samples = whole + (dice.chance(samplesPerPerson - whole) ? 1 : 0);
      for (let sample = 0; sample < samples; sample += 1) {
        const specimen = dice.pick(person.specimens);
        const late = dice.chance(plan.story.lateShare);
        const arrival = late ? laterDay(plan.story, person.born, dice) : person.born;
        const born = Math.max(arrival, start, specimen.born);
        let parents = [dice.chance(0.004) ? `${plan.atlasId}_EXT1_${1 + sample}` : specimen.id];
        for (const shelf of shelves) {
          const folder = batchOf(shelf.folder, person);
          const from = { person, specimen, parents, born };
          const own = shelf.level.suffixes.map((suffix) =>
            addRecord(shop, shelf, suffix, folder, from),
          );
          if (!shelf.isLeaf) parents = own;
        }
      }
    }
  }
}

/** Adds a record to an assay's manifest, and its file to the view; returns the id that its descendants name. */
function addRecord(
  shop: Workshop,
  shelf: Shelf,
  suffix: string,
  folder: number,
  from: Sample,
): string {
  const { plan, seed, day, view, planted } = shop;
  const { level, draft } = shelf;
  const { person, born } = from;
  const { story } = plan;
  const id = `${person.id}_${person.nextFile++}`;
  const entity = view.id();
  if (born > day) return id;
  const dice = makeDice(seed, "file", id);

  const nameFault = drawFault(story, "file", born, [seed, id, "name"]);
  const mark = dice.pick([" (1)", "#2", " copy", "&b", "~"]);
  const isBadName = faultOn(nameFault, day) !== null;
  if (isBadName) plant(planted, "badFileName");
  const name = `${id.toLowerCase()}${isBadName ? mark : ""}${suffix}`;

  const fault = drawFault(story, shelf.isLeaf ? "leaf" : "branch", born, [seed, id]);
  const { firstOwnId } = draft;
  const kind = possible(faultOn(fault, day), plan, level, day, firstOwnId);
  if (kind !== null) plant(planted, kind);
  let ownId = id;
  if (kind === "badOwnId") ownId = `${plan.atlasId}_xxxx_${id.slice(-4)}`;
  if (kind === "repeatedOwnId") ownId = firstOwnId ?? id;
  draft.firstOwnId ??= ownId;
  let parent = from.parents.join(", ");
  if (kind === "strayParent") {
    parent = `${person.id}_${level.parent === "specimen" ? "404" : "99999"}`;
  }
  if (kind === "badParentId") parent = id.replaceAll("_", "-");

  const cells = [
    level.component,
    `${shelf.path}/${name}`,
    suffix.slice(suffix.indexOf(".") + 1),
    ownId,
  ];
  if (level.component === "BulkWESLevel2") {
    // Some reads are kept elsewhere: such a record names its specimen instead.
    const isDirect = dice.chance(0.1) && kind === null;
    cells.push(isDirect ? "Not Applicable" : parent, from.specimen.id);
  } else {
    cells.push(parent);
  }
  const entityId = kind === "badEntityId" ? `entity-${entity % 1000}` : `syn${entity}`;
  const touched = Math.max(touchedOn(fault, born, day), touchedOn(nameFault, born, day));

  const [annotatedFirst, annotatedLast] = story.annotated;
  const luck = dice.fraction();
  const annotatedOn = luck < annotatedFirst ? born : laterDay(story, born, dice);
  const isAnnotated = luck < annotatedLast && annotatedOn <= day;
  view.file({
    id: entity,
    parent: folder,
    name,
    component: isAnnotated ? level.component : "",
    sizeBytes: dice.chance(0.003)
      ? null
      : Math.round(level.sizeBytes * (0.4 + 1.2 * dice.fraction())),
    md5: md5Of(dice),
    modifiedOn: momentOf(
      Math.max(touchedOn(nameFault, born, day), isAnnotated ? annotatedOn : born),
      entity,
    ),
  });
  draft.add(cells, dice, touched, entityId);
  return id;
}

/** Leaves out the faults that cannot show: a first record has nothing to repeat, and a column that is not there is not wrong. */
function possible(
  kind: FaultKind | null,
  plan: AtlasPlan,
  level: Level,
  day: number,
  firstOwnId: string | null,
): FaultKind | null {
  if (kind === "badOwnId" || kind === "repeatedOwnId") return firstOwnId === null ? null : kind;
  if (kind === "badEntityId" && isBare(plan, level.component, day)) return null;
  return kind;
}

function md5Of(dice: Dice): string {
  let hex = "";
  for (let i = 0; i < 4; i += 1)
    hex += dice
      .below(2 ** 32)
      .toString(16)
      .padStart(8, "0");
  return hex;
}
