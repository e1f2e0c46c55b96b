// Counts an atlas's findings in a world on disk, in the plainest way there is: what the generator says it planted is compared with it.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { parse } from "csv-parse/sync";

import components from "../../../../config/htan_components.json" with { type: "json" };

/** A row of the view or of a manifest: column → cell. */
export type Row = Readonly<Record<string, string>>;

const KNOWN = new Map(
  components.map((component) => {
    const { parentIdColumn: parent } = component;
    // Of several columns the story fills the first.
    const first = Array.isArray(parent) ? (parent[0] ?? null) : parent;
    return [component.component, { ...component, parentIdColumn: first }];
  }),
);
const DERIVED_ID = /^HTA[1-9]\d?_(EXT)?\d+_\d+$/;

/** Reads a CSV file of a world. */
export function readRows(path: string): readonly Row[] {
  return parse(readFileSync(path), { columns: true });
}

/** Splits a world's view by project. */
export function rowsByProject(dir: string): ReadonlyMap<string, readonly Row[]> {
  return Map.groupBy(readRows(join(dir, "master.csv")), (row) => cell(row, "projectId"));
}

/** Returns a cell, "" where the column is not there. */
export function cell(row: Row | undefined, column: string | null): string {
  return row?.[column ?? ""] ?? "";
}

/** Returns rule → number of findings; rules without findings are left out. */
export function recount(
  dir: string,
  atlasId: string,
  rows: readonly Row[],
): Record<string, number> {
  const counts: Record<string, number> = {};
  const find = (rule: string, n = 1): void => {
    if (n > 0) counts[rule] = (counts[rule] ?? 0) + n;
  };
  const byId = new Map(rows.map((row) => [cell(row, "id"), row]));
  const isKept = (row: Row): boolean => {
    let root = "";
    let at = byId.get(cell(row, "parentId"));
    for (; at !== undefined; at = byId.get(cell(at, "parentId"))) root = cell(at, "name");
    return !root.startsWith("archive");
  };
  const files = rows.filter((row) => row["type"] === "file" && isKept(row));
  const isManifest = (row: Row): boolean =>
    cell(row, "name").startsWith("synapse_storage_manifest_");

  find(
    "H_FILE_NAMES",
    files.filter((row) => !isManifest(row) && /[^\w.-]/.test(cell(row, "name"))).length,
  );

  const newest = new Map<string, Row>();
  for (const row of files.filter(isManifest)) {
    const rival = newest.get(cell(row, "parentId"));
    if (Number(cell(rival, "modifiedOn")) < Number(cell(row, "modifiedOn"))) {
      newest.set(cell(row, "parentId"), row);
    }
  }
  const manifests = [...newest.values()].map((row) => ({
    component: cell(row, "Component"),
    known: KNOWN.get(cell(row, "Component")),
    records: readRows(join(dir, "files", `${cell(row, "id")}.csv`)),
  }));
  const of = (...names: readonly string[]): readonly Row[] =>
    manifests
      .filter(({ component }) => names.includes(component))
      .flatMap(({ records }) => records);
  const has = (...names: readonly string[]): boolean =>
    manifests.some(({ component }) => names.includes(component));

  const participants = new Set(of("Demographics").map((row) => cell(row, "HTAN Participant ID")));
  const isExempt = atlasId === "HTA15";
  if (!has("Demographics") && !isExempt) find("H_DEM");
  if (!has("Demographics") && isExempt) find("H_NON_DEM");
  if (!has("Biospecimen", "SRRSBiospecimen")) find("H_BIOSPEC");
  const nodes = new Set(
    manifests
      .filter(({ component, known }) => known?.kind === "assay" || isNode(component))
      .flatMap(({ known, records }) =>
        records.map((row) => cell(row, known?.primaryIdColumn ?? null)),
      ),
  );

  const used = new Set<string>();
  for (const { component, known, records } of manifests) {
    if (known === undefined) find("H_CATEGORIES");
    const isAssay = known?.kind === "assay";
    if (isAssay && !Object.hasOwn(records[0] ?? {}, "entityId")) find("H_ENTITY_ID");
    for (const row of records) {
      const own = cell(row, known?.primaryIdColumn ?? null);
      const parent = cell(row, known?.parentIdColumn ?? null);
      const isElsewhere = parent.startsWith("Not Applicable");
      if (known?.kind === "clinical" && participants.size > 0 && !participants.has(own))
        find("H_NON_DEM");
      if (known?.kind === "biospecimen") {
        if (used.has(own)) find("H_ID_SPEC");
        used.add(own);
      }
      if (isAssay) {
        if (!DERIVED_ID.test(own)) find("H_ID_SPEC");
        else if (used.has(own)) find("H_ID_SPEC");
        used.add(own);
        if (!isElsewhere)
          find("H_ID_SPEC", split(parent).filter((id) => !DERIVED_ID.test(id)).length);
        if (Object.hasOwn(row, "entityId") && !cell(row, "entityId").startsWith("syn"))
          find("H_ENTITY_ID");
      }
      const real = isElsewhere ? cell(row, "HTAN Parent Biospecimen ID") : parent;
      for (const id of split(real)) {
        // What is malformed is found once.
        if (isAssay && !isElsewhere && !DERIVED_ID.test(id)) continue;
        if (id === own || (!nodes.has(id) && !id.includes("EXT"))) find("H_LINKS");
      }
      const adjacent = split(cell(row, known?.adjacentIdColumn ?? null));
      find("H_LINKS", adjacent.filter((id) => !nodes.has(id)).length);
    }
    if (component === "") throw new Error("a manifest without a component");
  }
  return counts;
}

function isNode(component: string): boolean {
  return /^(Demographics|(SRRS)?Biospecimen|SRRSClinicalDataTier2)$/.test(component);
}

function split(ids: string): readonly string[] {
  return ids
    .split(/[;,]/)
    .map((id) => id.trim())
    .filter((id) => id !== "");
}
