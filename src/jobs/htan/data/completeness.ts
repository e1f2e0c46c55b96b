// The completeness grids: which participant has which clinical data, and which specimen which assays.

import type { Grid, GridName } from "./analysis.ts";
import type { Component, Components } from "./components.ts";
import { makeKeyed } from "./keyed.ts";
import { type KnownManifest, type Lineage, ownIds } from "./lineage.ts";
import { compareNatural } from "./naturalOrder.ts";
import { computeReach, hasBit, setBit } from "./reach.ts";

/** Groups of components by grid, in the order of their columns. */
const CLINICAL_GRIDS = {
  clinical_tier1_2: ["clinical_tier_1_2"],
  clinical_tier3: ["clinical_tier_3"],
} as const;
const ASSAY_GRIDS = {
  single_cell: ["sc_rna_seq", "sc_atac_seq", "cite_seq", "sc_dna_seq", "scmc_seq"],
  bulk: ["bulk_rna_seq", "bulk_wes", "bulk_methylation_seq", "hi_c_seq", "microarray"],
  image_other: ["imaging"],
  other: [
    ...["visium", "slide_seq", "electron_microscopy", "mass_spectrometry", "rppa", "other_assay"],
    ...["xenium", "cosmx", "geomx"],
  ],
} as const;

const DEMOGRAPHICS = "Demographics";
/** Names of tier 3 components are long and differ at their beginning. */
const SHORT_NAME_LENGTH = 8;

/** Makes the six grids of an atlas. Grids of assays have rows only for specimens that have data in them. */
export function makeGrids(
  manifests: readonly KnownManifest[],
  lineage: Lineage,
  components: Components,
): Readonly<Record<GridName, Grid>> {
  return { ...clinicalGrids(manifests, components), ...assayGrids(lineage, components) };
}

/** Which components each of a list of ids has, as bits: those of row r begin at r × words. */
interface Marks {
  readonly ids: readonly string[];
  readonly words: number;
  readonly bits: Int32Array;
}

function clinicalGrids(manifests: readonly KnownManifest[], components: Components) {
  const clinical = manifests.filter(({ component }) => component.kind === "clinical");
  const idsOf = (of: KnownManifest): readonly string[] => ownIds(of) ?? [];
  const demographics = clinical.filter(({ component }) => component.component === DEMOGRAPHICS);
  const participants = [...new Set(demographics.flatMap(idsOf))]
    .filter((id) => id !== "" && !/[,;]/.test(id))
    .sort(compareNatural);
  const rowOfId = new Map(participants.map((id, row) => [id, row]));
  const words = Math.ceil(components.list.length / 32);
  const bits = new Int32Array(participants.length * words);
  for (const of of clinical) {
    const place = components.list.findIndex(
      ({ component }) => component === of.component.component,
    );
    for (const id of idsOf(of)) {
      const row = rowOfId.get(id);
      if (row !== undefined) setBit(bits, row * words, place);
    }
  }
  const marks = { ids: participants, words, bits };
  return {
    clinical_tier1_2: makeGrid(CLINICAL_GRIDS.clinical_tier1_2, marks, components, true),
    clinical_tier3: makeGrid(CLINICAL_GRIDS.clinical_tier3, marks, components, true),
  };
}

/** Most specimens were made for one kind of assay: rows for all of them in every grid would hide those that have data. */
function assayGrids(lineage: Lineage, components: Components) {
  const marks = markSpecimens(lineage, components);
  return {
    single_cell: makeGrid(ASSAY_GRIDS.single_cell, marks, components, false),
    bulk: makeGrid(ASSAY_GRIDS.bulk, marks, components, false),
    image_other: makeGrid(ASSAY_GRIDS.image_other, marks, components, false),
    other: makeGrid(ASSAY_GRIDS.other, marks, components, false),
  };
}

/** A specimen has the assays among its children and what lies downstream of those; specimens derived from it do not count for it. */
function markSpecimens(lineage: Lineage, components: Components): Marks {
  const { ids, componentOf } = lineage;
  const reach = computeReach(lineage, components.list.length);
  const { words, childStart, childList } = reach;
  const kinds = components.list.map(({ kind }) => kind);
  const specimens = ids
    .map((id, record) => ({ id, record }))
    .filter(({ record }) => kinds[componentOf[record] ?? 0] === "biospecimen")
    .sort((a, b) => compareNatural(a.id, b.id));
  const bits = new Int32Array(specimens.length * words);
  for (const [row, { record }] of specimens.entries()) {
    for (let at = childStart[record] ?? 0; at < (childStart[record + 1] ?? 0); at++) {
      const child = childList[at] ?? 0;
      if (kinds[componentOf[child] ?? 0] !== "assay") continue;
      for (let word = 0; word < words; word++) {
        const to = row * words + word;
        bits[to] = (bits[to] ?? 0) | (reach.bits[child * words + word] ?? 0);
      }
    }
  }
  return { ids: specimens.map(({ id }) => id), words, bits };
}

function makeGrid(
  groups: readonly string[],
  { ids, words, bits }: Marks,
  components: Components,
  keepsEmptyRows: boolean,
): Grid {
  const list = groups.flatMap((group) =>
    components.list.filter((component) => component.group === group),
  );
  const all = list.map(columnName);
  const places = list.map((component) => components.list.indexOf(component));
  // Most rows have nothing in a grid: one look at the mask tells.
  const mask = new Int32Array(words);
  for (const place of places) setBit(mask, 0, place);
  const counts = all.map(() => 0);
  const ones: [string, readonly string[]][] = [];
  for (let row = 0; row < ids.length; row++) {
    const from = row * words;
    let some = 0;
    for (let word = 0; word < words; word++) some |= (bits[from + word] ?? 0) & (mask[word] ?? 0);
    if (some === 0) continue;
    const filled: string[] = [];
    for (let column = 0; column < all.length; column++) {
      if (!hasBit(bits, from, places[column] ?? 0)) continue;
      filled.push(all[column] ?? "");
      counts[column] = (counts[column] ?? 0) + 1;
    }
    ones.push([ids[row] ?? "", filled]);
  }
  // An assay that few atlases do is no gap in the others.
  const columns = all.filter((_, column) => list[column]?.isRare !== true || counts[column] !== 0);
  const rowIds = keepsEmptyRows ? ids : ones.map(([id]) => id);
  return {
    columns,
    counts: Object.fromEntries(columns.map((name) => [name, counts[all.indexOf(name)] ?? 0])),
    rows: rowIds.length,
    rowIds,
    ones: makeKeyed(ones),
  };
}

function columnName({ component }: Component): string {
  return component.includes("Tier3") ? `${component.slice(0, SHORT_NAME_LENGTH)}..` : component;
}
