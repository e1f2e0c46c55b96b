// Who descends from whom: the records of an atlas as a graph of participants, specimens and data files, and the links that lead nowhere.

import type { Component, Components } from "./components.ts";
import { isExternalId, splitIds } from "./ids.ts";
import type { Manifest } from "./manifest.ts";
import { PARENT_BIOSPECIMEN_COLUMN } from "./manifestColumns.ts";
import { isMissing } from "./missing.ts";
import { compareText } from "./naturalOrder.ts";
import { findRings } from "./rings.ts";
import { isNotApplicable } from "./spelling.ts";

/** A manifest together with its entry in the component table, in the form of the template that it was made from. */
export interface KnownManifest {
  readonly manifest: Manifest;
  readonly component: Component;
}

/** A link that is wrong: which record of which manifest makes it, and the id it names. */
export interface BadLink {
  readonly of: KnownManifest;
  readonly record: number;
  /** The record's own id; "" where it has none. */
  readonly id: string;
  readonly value: string;
  readonly column: string;
  readonly link: "parent" | "self" | "ring" | "adjacent";
  /** The ids of a ring, each a child of the next, and the last of the first; empty for every other link. */
  readonly ring: readonly string[];
}

/** The graph. Records are numbered in the order in which they were met. */
export interface Lineage {
  readonly ids: readonly string[];
  /** Record → its component's place in the table. Of several manifests of one kind that use an id it is the last one's. */
  readonly componentOf: readonly number[];
  /** Links between records that exist, as pairs; a pair may be there more than once. */
  readonly parents: readonly number[];
  readonly children: readonly number[];
  /** Wrong parents first, then rings, then wrong adjacent ids. */
  readonly badLinks: readonly BadLink[];
}

/** Components besides the assays whose records are in the graph, in the order in which they are added. */
const FIRST_NODES = ["Demographics", "Biospecimen", "SRRSClinicalDataTier2", "SRRSBiospecimen"];

/** Returns the ids of a manifest's records; undefined where it has no column for them, or its records have none. */
export function ownIds({ manifest, component }: KnownManifest): readonly string[] | undefined {
  return manifest.cells.get(component.primaryIdColumn ?? "");
}

/** Builds the graph. `manifests` are in the order in which checks walk them. */
export function buildLineage(manifests: readonly KnownManifest[], components: Components): Lineage {
  const nodes = numberRecords(manifests, components);
  const { ids, componentOf, numberOf } = nodes;
  const parents: number[] = [];
  const children: number[] = [];
  const badLinks: BadLink[] = [];
  for (const of of manifests) {
    const own = ownIds(of);
    if (own === undefined && of.component.primaryIdColumn !== null) continue;
    for (const { record, column, value } of parentLinks(of)) {
      const id = own?.[record] ?? "";
      const child = nodes.numberOfRecord(of, id);
      if (child === undefined && of.component.primaryIdColumn !== null) continue;
      const parent = numberOf.get(value);
      const bad = { of, record, id, value, column, ring: [] };
      if (parent === undefined) {
        if (!isExternalId(value)) badLinks.push({ ...bad, link: "parent" });
      } else if (child !== undefined) {
        parents.push(parent);
        children.push(child);
        if (parent === child) badLinks.push({ ...bad, link: "self" });
      }
    }
  }
  const rings = findRings({ size: ids.length, parents, children });
  badLinks.push(
    ...placeRings(
      rings.map((ring) => ring.map((record) => ids[record] ?? "")),
      manifests,
    ),
  );
  badLinks.push(...badAdjacent(manifests, nodes));
  return { ids, componentOf, parents, children, badLinks };
}

interface Nodes {
  readonly ids: readonly string[];
  readonly componentOf: readonly number[];
  readonly numberOf: ReadonlyMap<string, number>;
  /** The number of a manifest's record by its id; undefined where it is none, also where the id is that of another kind of record. */
  numberOfRecord(of: KnownManifest, id: string): number | undefined;
}

function numberRecords(manifests: readonly KnownManifest[], components: Components): Nodes {
  const ids: string[] = [];
  const componentOf: number[] = [];
  const numberOf = new Map<string, number>();
  const kindOf: Component["kind"][] = [];
  const place = new Map(components.list.map(({ component }, index) => [component, index]));
  for (const of of nodeManifests(manifests)) {
    const { component, kind } = of.component;
    for (const id of ownIds(of) ?? []) {
      if (!isNodeId(id)) continue;
      const known = numberOf.get(id);
      // A file that takes the id of a specimen does not make a file of the specimen.
      if (known !== undefined && kindOf[known] !== kind) continue;
      const number = known ?? ids.push(id) - 1;
      if (known === undefined) numberOf.set(id, number);
      kindOf[number] = kind;
      componentOf[number] = place.get(component) ?? 0;
    }
  }
  return {
    ...{ ids, componentOf, numberOf },
    numberOfRecord({ component }, id) {
      const number = numberOf.get(id);
      return number !== undefined && kindOf[number] === component.kind ? number : undefined;
    },
  };
}

/** Manifests whose records are in the graph, in the order in which they are added. */
function nodeManifests(manifests: readonly KnownManifest[]): readonly KnownManifest[] {
  return [
    ...FIRST_NODES.flatMap((name) =>
      manifests.filter(({ component }) => component.component === name),
    ),
    ...manifests.filter(({ component }) => component.kind === "assay"),
    ...manifests.filter(({ component }) => component.kind === "table"),
  ];
}

function isNodeId(id: string): boolean {
  return id !== "" && !/[,;]/.test(id);
}

/** A parent as a record names it, with the column that it stands in. */
interface ParentLink {
  readonly record: number;
  readonly column: string;
  readonly value: string;
}

/** Reads the parents of all records of a manifest, row by row and in the order of the columns. */
function* parentLinks({ manifest, component }: KnownManifest): Generator<ParentLink> {
  const columns = component.parentIdColumns.filter((column) => manifest.cells.has(column));
  const instead = columns.includes(PARENT_BIOSPECIMEN_COLUMN)
    ? undefined
    : manifest.cells.get(PARENT_BIOSPECIMEN_COLUMN);
  for (let record = 0; columns.length > 0 && record < manifest.records; record++) {
    const links = columns.flatMap((column) => {
      const cell = manifest.cells.get(column)?.[record] ?? "";
      const from = isNotApplicable(cell) ? PARENT_BIOSPECIMEN_COLUMN : column;
      const values = parentsIn(cell, instead?.[record]);
      return values.map((value) => ({ record, column: from, value }));
    });
    // Where one column names the parents, the other may say that there is nothing to say.
    const named = links.filter(({ value }) => !isMissing(value));
    yield* columns.length > 1 && named.length > 0 ? named : links;
  }
}

/** A record whose parent cell says "Not Applicable" hangs on a specimen rather than on a file. */
function parentsIn(cell: string, instead: string | undefined): readonly string[] {
  if (!isNotApplicable(cell)) return splitIds(cell);
  return instead === undefined || isNotApplicable(instead) ? [] : splitIds(instead);
}

/** Finds for each ring the first record that is in it, and where it names its parent: one pass for all of them. */
function placeRings(
  rings: readonly (readonly string[])[],
  manifests: readonly KnownManifest[],
): readonly BadLink[] {
  if (rings.length === 0) return [];
  const ringOf = new Map(
    rings.flatMap((ring) => ring.map((id, at) => [id, { ring, at }] as const)),
  );
  const placed = new Map<readonly string[], BadLink>();
  for (const of of manifests) {
    const own = ownIds(of);
    if (own?.some((id) => ringOf.has(id)) !== true) continue;
    for (const { record, column, value } of parentLinks(of)) {
      const id = own[record] ?? "";
      const { ring, at } = ringOf.get(id) ?? { ring: [], at: 0 };
      if (ring.length === 0 || placed.has(ring) || ring[(at + 1) % ring.length] !== value) continue;
      placed.set(ring, { of, record, id, value, column, link: "ring", ring });
    }
  }
  return rings.flatMap((ring) => placed.get(ring) ?? []);
}

function badAdjacent(
  manifests: readonly KnownManifest[],
  { numberOf }: Pick<Nodes, "numberOf">,
): readonly BadLink[] {
  return manifests.flatMap((of) => {
    const own = ownIds(of);
    const column = of.component.adjacentIdColumn ?? "";
    const cells = of.manifest.cells.get(column);
    if (own === undefined || cells === undefined) return [];
    return cells.flatMap((cell, record) => {
      const id = own[record] ?? "";
      // "Not Reported" and the like name no specimen, and nothing is wrong with saying so.
      if (cell === "" || !numberOf.has(id) || isMissing(cell)) return [];
      return splitIds(cell)
        .filter((value) => !numberOf.has(value))
        .map((value): BadLink => ({ of, record, id, value, column, link: "adjacent", ring: [] }));
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
