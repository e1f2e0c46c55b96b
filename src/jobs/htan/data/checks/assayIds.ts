// H_ID_SPEC and H_ENTITY_ID: the ids in assay manifests.

import type { Finding } from "../../../../finding.ts";
import { isDerivedId, splitIds } from "../ids.ts";
import type { KnownManifest } from "../lineage.ts";
import { rowOf } from "../manifest.ts";
import { ENTITY_COLUMN } from "../manifestColumns.ts";
import { isNotApplicable } from "../spelling.ts";
import { type CheckSubject, recordError } from "./check.ts";

/** Describes files that are not of the atlas's data model, so its own ids are Synapse ids, and it has no entityId. */
const ACCESSORY = "AccessoryManifest";
/** Manifests that the data coordinating centre has agreed to take as they are: an expansion sequencing set with ids of its own. */
const EXEMPT: ReadonlySet<string> = new Set(["syn42292434"]);
/** Components whose records may hang on a specimen instead of a file of level 1. */
const MAY_LACK_PARENT: ReadonlySet<string> = new Set(["BulkWESLevel2", "BulkRNA-seqLevel2"]);

/** Finds ids that are not formed as HTAN ids are, and own ids that are used twice. */
export function checkIds({ known }: CheckSubject): Finding[] {
  const firstUse: FirstUse = { manifests: [], numberOf: new Map() };
  return known
    .filter(
      ({ component, manifest }) =>
        component.kind === "assay" && !EXEMPT.has(manifest.entry.entityId),
    )
    .flatMap((of) => [
      ...checkOwnIds(of, firstUse),
      ...checkLinkedIds(of, of.component.parentIdColumn),
      ...checkLinkedIds(of, of.component.adjacentIdColumn),
    ]);
}

/** Where each own id was first used. Records are numbered throughout, since there may be hundreds of thousands. */
interface FirstUse {
  /** Manifests with the number of their first record. */
  readonly manifests: { readonly of: KnownManifest; readonly from: number }[];
  readonly numberOf: Map<string, number>;
}

function checkOwnIds(of: KnownManifest, firstUse: FirstUse): Finding[] {
  const { component, primaryIdColumn: column } = of.component;
  if (component === ACCESSORY) return [];
  const { manifests, numberOf } = firstUse;
  const last = manifests.at(-1);
  const from = last === undefined ? 0 : last.from + last.of.manifest.records;
  manifests.push({ of, from });
  const findings: Finding[] = [];
  for (const [record, value] of (of.manifest.cells.get(column) ?? []).entries()) {
    if (!isDerivedId(value)) {
      const what =
        value === ""
          ? `A record of ${component} has no ${column}`
          : `${column} ${value} of ${component} is not formed as an HTAN id, like HTA3_8001_12`;
      findings.push(recordError("H_ID_SPEC", of, record, `${what}.`, { column, value }));
      continue;
    }
    const first = numberOf.get(value);
    if (first === undefined) numberOf.set(value, from + record);
    else findings.push(repeatedId(of, record, value, manifests, first));
  }
  return findings;
}

function repeatedId(
  of: KnownManifest,
  record: number,
  value: string,
  manifests: FirstUse["manifests"],
  firstNumber: number,
): Finding {
  const first = manifests.findLast(({ from }) => from <= firstNumber) ?? { of, from: 0 };
  const firstManifest = first.of.manifest.entry.entityId;
  const firstComponent = first.of.component.component;
  const firstRow = rowOf(first.of.manifest, firstNumber - first.from);
  const { component, primaryIdColumn } = of.component;
  const message = `${primaryIdColumn} ${value} of ${component} is already used in row ${firstRow} of ${firstComponent} (${firstManifest}).`;
  return recordError("H_ID_SPEC", of, record, message, { value, firstManifest, firstComponent });
}

function checkLinkedIds(of: KnownManifest, column: string | null): Finding[] {
  const { component } = of.component;
  const cells = of.manifest.cells.get(column ?? "");
  if (column === null || cells === undefined) return [];
  const findings: Finding[] = [];
  for (const [record, cell] of cells.entries()) {
    if (isDerivedId(cell)) continue;
    if (MAY_LACK_PARENT.has(component) && isNotApplicable(cell)) continue;
    for (const value of splitIds(cell)) {
      if (isDerivedId(value)) continue;
      const message = `${column} ${value} in a record of ${component} is not formed as an HTAN id, like HTA3_8001_12.`;
      findings.push(recordError("H_ID_SPEC", of, record, message, { column, value }));
    }
  }
  return findings;
}

/** Finds records whose file has no Synapse id. */
export function checkEntityIds({ known }: CheckSubject): Finding[] {
  return known
    .filter(({ component }) => component.kind === "assay" && component.component !== ACCESSORY)
    .flatMap((of) => {
      const { component } = of.component;
      const { columns, badEntityIds } = of.manifest;
      // What could not be read at all has no columns, and says so itself.
      if (columns.length > 0 && !columns.includes(ENTITY_COLUMN)) {
        const message = `The ${component} manifest ${of.manifest.entry.entityId} has no ${ENTITY_COLUMN} column.`;
        return [recordError("H_ENTITY_ID", of, null, message, { column: ENTITY_COLUMN })];
      }
      return badEntityIds.map(({ record, value }) => {
        const what =
          value === "" ? "is empty" : `is ${value}, which is no Synapse id (syn and digits)`;
        const message = `The ${ENTITY_COLUMN} of a record of ${component} ${what}.`;
        return recordError("H_ENTITY_ID", of, record, message, { value });
      });
    });
}
