// A manifest of a synthetic atlas while it is being written: its rows, when it last changed, and the file that becomes of it.

import { createHash } from "node:crypto";

import { type Dice, makeDice } from "../../../lookalikes/dice.ts";
import { type Attribute, MISSING } from "./worldParts.ts";
import { type AtlasPlan, momentOf } from "./worldPlan.ts";
import { csvCell, type ProjectView } from "./worldView.ts";

/** Content of a file of the world, by its Synapse id. */
export interface Content {
  readonly id: string;
  readonly text: string;
}

/** A manifest in the making. */
export interface ManifestDraft {
  readonly component: string;
  /** Own id of the first record, which a record with a repeated id repeats; null as long as there is none. */
  firstOwnId: string | null;
  /** Adds a record: its leading cells, the attributes (filled as the dice have it), and its entity. */
  add(lead: readonly string[], dice: Dice, changedOn: number, entity: string): void;
  /** Adds the manifest to the view and returns its content; null where it has no record. */
  finish(view: ProjectView): Content | null;
}

/** Where and how a manifest is kept. */
export interface ManifestOptions {
  readonly plan: AtlasPlan;
  readonly seed: number;
  readonly day: number;
  readonly component: string;
  readonly folder: number;
  /** Columns before the attributes, the first being Component. */
  readonly lead: readonly string[];
  readonly attributes: readonly Attribute[];
  readonly hasEntityColumn?: boolean;
  readonly id: number;
}

interface Column {
  readonly choices: readonly string[] | null;
  readonly low: number;
  readonly span: number;
}

const AWKWARD_VALUE = '<b>see "notes"</b>, p. 3 & 4\nthen <i>ask</i>';

/** Starts a manifest. */
export function startManifest(options: ManifestOptions): ManifestDraft {
  const { plan, component, day, id } = options;
  const columns = options.attributes.map(([, values]) => columnOf(values));
  const names = [...options.lead, ...options.attributes.map(([name]) => name)];
  const hasEntityColumn = options.hasEntityColumn ?? true;
  if (hasEntityColumn) names.push("entityId");
  const lines = [names.map(csvCell).join(",")];
  const { share, revisedOn } = filledShare(options);
  let changed = revisedOn;

  return {
    component,
    firstOwnId: null,
    add(lead, dice, changedOn, entity) {
      let line = lead.map(csvCell).join(",");
      for (const column of columns) line += `,${csvCell(cellOf(column, dice, share, plan))}`;
      lines.push(hasEntityColumn ? `${line},${entity}` : line);
      changed = Math.max(changed, changedOn);
    },
    finish(view) {
      if (lines.length === 1) return null;
      const text = `${lines.join("\n")}\n`;
      addManifestFile(view, {
        id,
        folder: options.folder,
        name: `synapse_storage_manifest_${component.toLowerCase()}.csv`,
        component,
        text,
        modifiedOn: momentOf(Math.min(changed, day), id),
      });
      return { id: `syn${id}`, text };
    },
  };
}

/** Adds a metadata file of known content to the view. */
export function addManifestFile(
  view: ProjectView,
  file: {
    readonly id: number;
    readonly folder: number;
    readonly name: string;
    readonly component: string;
    readonly text: string;
    readonly modifiedOn: number;
  },
): void {
  view.file({
    id: file.id,
    parent: file.folder,
    name: file.name,
    component: file.component,
    sizeBytes: Buffer.byteLength(file.text),
    md5: createHash("md5").update(file.text).digest("hex"),
    modifiedOn: file.modifiedOn,
  });
}

/** How much of a manifest is filled in, which grows on about every second active day, and the last day on which it did. */
function filledShare(options: ManifestOptions): { share: number; revisedOn: number } {
  const { plan, component, day, seed } = options;
  const [start, end] = plan.story.filled;
  const revisions = plan.story.activeDays.filter((active) =>
    makeDice(seed, plan.atlasId, component, "revision", active).chance(0.5),
  );
  const done = revisions.filter((revision) => revision <= day);
  if (start === end || revisions.length === 0) return { share: start, revisedOn: 1 };
  const share = start + ((end - start) * done.length) / revisions.length;
  return { share, revisedOn: done.at(-1) ?? 1 };
}

function columnOf(values: string | readonly [number, number]): Column {
  if (typeof values === "string") return { choices: values.split("|"), low: 0, span: 0 };
  return { choices: null, low: values[0], span: values[1] - values[0] + 1 };
}

/** Every cell takes the same number of throws whether it is filled or not, so that filling one leaves its neighbours as they are. */
function cellOf(column: Column, dice: Dice, share: number, plan: AtlasPlan): string {
  const luck = dice.fraction();
  const value =
    column.choices === null
      ? String(column.low + dice.below(column.span))
      : dice.pick(column.choices);
  if (luck < share) return plan.awkward === true && luck < 0.01 ? AWKWARD_VALUE : value;
  return MISSING[Math.floor(luck * 1e6) % MISSING.length] as string;
}
