// Who descends from whom: the records of an atlas as a graph of participants, specimens and data files, and the links that lead nowhere.

import type { Component, Components } from "./components.ts";
import { isExternalId, splitIds } from "./ids.ts";
import type { Manifest } from "./manifest.ts";
import { PARENT_BIOSPECIMEN_COLUMN } from "./manifestColumns.ts";
import { isMissing } from "./missing.ts";
import { compareText } from "./naturalOrder.ts";
import { isNotApplicable } from "./spelling.ts";

/** A manifest together with its entry in the component table. */
export interface KnownManifest {
  readonly manifest: Manifest;
  readonly component: Component;
}

/** A link that is wrong: which record of which manifest makes it, and the id it names. */
export interface BadLink {
  readonly of: KnownManifest;
  readonly record: number;
  readonly id: string;
  readonly value: string;
  readonly link: "parent" | "self" | "adjacent";
}

/** The graph. Records are numbered in the order in which they were met. */
export interface Lineage {
  readonly ids: readonly string[];
  /** Record → its component's place in the table. An id that several manifests use belongs to the last of them. */
  readonly componentOf: readonly number[];
  /** Links between records that exist, as pairs; a pair may be there more than once. */
  readonly parents: readonly number[];
  readonly children: readonly number[];
  /** Wrong parents first, then wrong adjacent ids. */
  readonly badLinks: readonly BadLink[];
}

/** Components besides the assays whose records are in the graph, in the order in which they are added. */
const FIRST_NODES = ["Demographics", "Biospecimen", "SRRSClinicalDataTier2", "SRRSBiospecimen"];

/** Builds the graph. `manifests` are in the order in which checks walk them. */
export function buildLineage(manifests: readonly KnownManifest[], components: Components): Lineage {
  const ids: string[] = [];
  const componentOf: number[] = [];
  const numberOf = new Map<string, number>();
  const place = new Map(components.list.map((component, index) => [component, index]));
  for (const { manifest, component } of nodeManifests(manifests)) {
    for (const id of manifest.cells.get(component.primaryIdColumn) ?? []) {
      if (!isNodeId(id)) continue;
      const known = numberOf.get(id);
      if (known === undefined) numberOf.set(id, ids.push(id) - 1);
      componentOf[known ?? ids.length - 1] = place.get(component) ?? 0;
    }
  }
  const parents: number[] = [];
  const children: number[] = [];
  const badLinks: BadLink[] = [];
  for (const of of manifests) {
    const own = of.manifest.cells.get(of.component.primaryIdColumn);
    const cells = of.manifest.cells.get(of.component.parentIdColumn ?? "");
    if (own === undefined || cells === undefined) continue;
    const instead = of.manifest.cells.get(PARENT_BIOSPECIMEN_COLUMN);
    for (let record = 0; record < cells.length; record++) {
      const id = own[record] ?? "";
      const child = numberOf.get(id);
      if (child === undefined) continue;
      for (const value of parentsIn(cells[record] ?? "", instead?.[record])) {
        const parent = numberOf.get(value);
        if (parent !== undefined) {
          parents.push(parent);
          children.push(child);
          if (parent === child) badLinks.push({ of, record, id, value, link: "self" });
        } else if (!isExternalId(value)) badLinks.push({ of, record, id, value, link: "parent" });
      }
    }
  }
  badLinks.push(...badAdjacent(manifests, numberOf));
  return { ids, componentOf, parents, children, badLinks };
}

/** Manifests whose records are in the graph, in the order in which they are added. */
function nodeManifests(manifests: readonly KnownManifest[]): readonly KnownManifest[] {
  return [
    ...FIRST_NODES.flatMap((name) =>
      manifests.filter(({ component }) => component.component === name),
    ),
    ...manifests.filter(({ component }) => component.kind === "assay"),
  ];
}

function isNodeId(id: string): boolean {
  return id !== "" && !id.includes(",");
}

/** A record whose parent cell says "Not Applicable" hangs on a specimen rather than on a file. */
function parentsIn(cell: string, instead: string | undefined): readonly string[] {
  if (!isNotApplicable(cell)) return splitIds(cell);
  return instead === undefined || isNotApplicable(instead) ? [] : splitIds(instead);
}

function badAdjacent(
  manifests: readonly KnownManifest[],
  numberOf: ReadonlyMap<string, number>,
): readonly BadLink[] {
  return manifests.flatMap((of) => {
    const own = of.manifest.cells.get(of.component.primaryIdColumn);
    const cells = of.manifest.cells.get(of.component.adjacentIdColumn ?? "");
    if (own === undefined || cells === undefined) return [];
    return cells.flatMap((cell, record) => {
      const id = own[record] ?? "";
      // "Not Reported" and the like name no specimen, and nothing is wrong with saying so.
      if (cell === "" || !numberOf.has(id) || isMissing(cell)) return [];
      return splitIds(cell)
        .filter((value) => !numberOf.has(value))
        .map((value): BadLink => ({ of, record, id, value, link: "adjacent" }));
    });
  });
}

/** Writes the graph as sorted SIF lines, each link once. */
export function sifLines(lineage: Lineage, components: Components): readonly string[] {
  const { ids, componentOf, parents, children } = lineage;
  const labels = ids.map(
    (id, index) => `${components.list[componentOf[index] ?? 0]?.abbreviation ?? ""}_${id}`,
  );
  const lines = parents.map(
    (parent, link) => `${labels[parent] ?? ""}\tconnect\t${labels[children[link] ?? 0] ?? ""}`,
  );
  lines.sort(compareText);
  return lines.filter((line, index) => line !== lines[index - 1]);
}
