// H_ID_SPEC and H_ENTITY_ID: the ids in assay manifests.

import type { Finding } from "../../finding.ts";
import { isDerivedId, splitIds } from "../ids.ts";
import type { KnownManifest } from "../lineage.ts";
import { ENTITY_COLUMN } from "../manifest.ts";
import { type CheckSubject, recordError } from "./check.ts";

/** Describes files that are not of the atlas's data model, so its own ids are Synapse ids, and it has no entityId. */
const ACCESSORY = "AccessoryManifest";
/** Manifests that the data coordinating centre has agreed to take as they are: an expansion sequencing set with ids of its own. */
const EXEMPT: ReadonlySet<string> = new Set(["syn42292434"]);
/** Components whose records may hang on a specimen instead of a file of level 1. */
const MAY_LACK_PARENT: ReadonlySet<string> = new Set(["BulkWESLevel2", "BulkRNA-seqLevel2"]);

/** Finds ids that are not formed as HTAN ids are, and own ids that are used twice. */
export function checkIds({ known }: CheckSubject): Finding[] {
  const firstUse = new Map<string, { readonly of: KnownManifest; readonly record: number }>();
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

function checkOwnIds(
  of: KnownManifest,
  firstUse: Map<string, { readonly of: KnownManifest; readonly record: number }>,
): Finding[] {
  const { component, primaryIdColumn: column } = of.component;
  if (component === ACCESSORY) return [];
  const findings: Finding[] = [];
  for (const [record, value] of (of.manifest.cells.get(column) ?? []).entries()) {
    const first = isDerivedId(value) ? firstUse.get(value) : undefined;
    if (!isDerivedId(value)) {
      const what =
        value === ""
          ? `A record of ${component} has no ${column}`
          : `${column} ${value} of ${component} is not formed as an HTAN id (HTA3_8001_12)`;
      findings.push(recordError("H_ID_SPEC", of, record, `${what}.`, { column, value }));
    } else if (first === undefined) firstUse.set(value, { of, record });
    else {
      const firstManifest = first.of.manifest.entry.entityId;
      const firstComponent = first.of.component.component;
      const message = `${column} ${value} of ${component} is already the id of a record of ${firstComponent} (${firstManifest}).`;
      findings.push(
        recordError("H_ID_SPEC", of, record, message, { value, firstManifest, firstComponent }),
      );
    }
  }
  return findings;
}

function checkLinkedIds(of: KnownManifest, column: string | null): Finding[] {
  const { component } = of.component;
  const cells = of.manifest.cells.get(column ?? "");
  if (column === null || cells === undefined) return [];
  const findings: Finding[] = [];
  for (const [record, cell] of cells.entries()) {
    if (isDerivedId(cell)) continue;
    if (MAY_LACK_PARENT.has(component) && cell.toLowerCase().startsWith("not applicable")) continue;
    for (const value of splitIds(cell)) {
      if (isDerivedId(value)) continue;
      const message = `${column} ${value} in a record of ${component} is not formed as an HTAN id (HTA3_8001_12).`;
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
