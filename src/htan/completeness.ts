// The completeness grids: which participant has which clinical data, and which specimen which assays.

import type { Grid, GridName } from "./analysis.ts";
import type { Component, Components } from "./components.ts";
import type { KnownManifest, Lineage } from "./lineage.ts";
import { compareNatural } from "./naturalOrder.ts";
import { computeReach, hasBit } from "./reach.ts";

/** Groups of components by grid, in the order of their columns. */
const CLINICAL_GRIDS = {
  clinical_tier1_2: ["clinical_tier_1_2"],
  clinical_tier3: ["clinical_tier_3"],
} as const;
const ASSAY_GRIDS = {
  single_cell: ["sc_rna_seq", "sc_atac_seq"],
  bulk: ["bulk_rna_seq", "bulk_wes", "bulk_methylation_seq", "hi_c_seq"],
  image_other: ["imaging"],
  other: ["visium", "slide_seq", "electron_microscopy", "mass_spectrometry", "rppa", "other_assay"],
} as const;

const DEMOGRAPHICS = "Demographics";
/** Names of tier 3 components are long and differ at their beginning. */
const SHORT_NAME_LENGTH = 8;

/** Makes the six grids of an atlas. */
export function makeGrids(
  manifests: readonly KnownManifest[],
  lineage: Lineage,
  components: Components,
): Readonly<Record<GridName, Grid>> {
  const clinical = clinicalGrids(manifests, components);
  const assays = assayGrids(lineage, components);
  return { ...clinical, ...assays };
}

function clinicalGrids(manifests: readonly KnownManifest[], components: Components) {
  const idsOf = new Map<string, Set<string>>();
  for (const { manifest, component } of manifests) {
    if (component.kind !== "clinical") continue;
    const ids = idsOf.get(component.component) ?? new Set<string>();
    idsOf.set(component.component, ids);
    for (const id of manifest.cells.get(component.primaryIdColumn) ?? []) ids.add(id);
  }
  const participants = [...(idsOf.get(DEMOGRAPHICS) ?? [])]
    .filter((id) => id !== "" && !id.includes(","))
    .sort(compareNatural);
  const make = (groups: readonly string[]): Grid => {
    const list = componentsOf(groups, components);
    const sets = list.map(({ component }) => idsOf.get(component));
    const rows = participants.map((id) => ({ id, has: sets.map((ids) => ids?.has(id) === true) }));
    return makeGrid(list.map(columnName), rows);
  };
  return {
    clinical_tier1_2: make(CLINICAL_GRIDS.clinical_tier1_2),
    clinical_tier3: make(CLINICAL_GRIDS.clinical_tier3),
  };
}

/** A specimen has the assays among its children and what lies downstream of those; specimens derived from it do not count for it. */
function assayGrids(lineage: Lineage, components: Components) {
  const { ids, componentOf } = lineage;
  const { words, bits, childStart, childList } = computeReach(lineage, components.list.length);
  const kindOf = (record: number) => components.list[componentOf[record] ?? 0]?.kind;
  const specimens = ids
    .map((id, record) => ({ id, record, bits: new Int32Array(words) }))
    .filter(({ record }) => kindOf(record) === "biospecimen");
  for (const specimen of specimens) {
    const { record } = specimen;
    for (let at = childStart[record] ?? 0; at < (childStart[record + 1] ?? 0); at++) {
      const child = childList[at] ?? 0;
      if (kindOf(child) !== "assay") continue;
      for (let word = 0; word < words; word++) {
        specimen.bits[word] = (specimen.bits[word] ?? 0) | (bits[child * words + word] ?? 0);
      }
    }
  }
  const withData = specimens
    .filter((specimen) => specimen.bits.some((word) => word !== 0))
    .sort((a, b) => compareNatural(a.id, b.id));
  const make = (groups: readonly string[]): Grid => {
    const list = componentsOf(groups, components);
    const places = list.map((component) => components.list.indexOf(component));
    const rows = withData
      .map((specimen) => ({
        id: specimen.id,
        has: places.map((place) => hasBit(specimen.bits, 0, place)),
      }))
      // Most specimens were made for one kind of assay: a row for each in every grid would only hide those that have data.
      .filter(({ has }) => has.includes(true));
    return makeGrid(list.map(columnName), rows);
  };
  return {
    single_cell: make(ASSAY_GRIDS.single_cell),
    bulk: make(ASSAY_GRIDS.bulk),
    image_other: make(ASSAY_GRIDS.image_other),
    other: make(ASSAY_GRIDS.other),
  };
}

function componentsOf(groups: readonly string[], components: Components): readonly Component[] {
  return groups.flatMap((group) =>
    components.list.filter((component) => component.group === group),
  );
}

function columnName({ component }: Component): string {
  return component.includes("Tier3") ? `${component.slice(0, SHORT_NAME_LENGTH)}..` : component;
}

function makeGrid(
  columns: readonly string[],
  rows: readonly { readonly id: string; readonly has: readonly boolean[] }[],
): Grid {
  const counts = columns.map((column, index): [string, number] => [
    column,
    rows.reduce((sum, { has }) => sum + (has[index] === true ? 1 : 0), 0),
  ]);
  const ones = rows
    .map(({ id, has }): [string, readonly string[]] => [
      id,
      columns.filter((_, index) => has[index]),
    ])
    .filter(([, filled]) => filled.length > 0);
  return {
    columns,
    counts: Object.fromEntries(counts),
    rows: rows.length,
    rowIds: rows.map(({ id }) => id),
    ones: Object.fromEntries(ones),
  };
}
