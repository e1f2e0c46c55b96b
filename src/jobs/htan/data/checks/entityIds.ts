// H_ENTITY_ID: whether records name the files that they describe, each a file of the project, and each once.

import type { Finding } from "../../../../finding.ts";
import type { KnownManifest } from "../lineage.ts";
import { rowOf } from "../manifest.ts";
import { ENTITY_COLUMN } from "../manifestColumns.ts";
import { NOT_SHOWN } from "../manifestProblems.ts";
import { ACCESSORY } from "./assayIds.ts";
import { type CheckSubject, recordError } from "./check.ts";

/** Finds records whose file has no Synapse id, is no file of the project, or is another record's already. */
export function checkEntityIds({ known, entities }: CheckSubject): Finding[] {
  const firstUse = new Map<number, { readonly of: KnownManifest; readonly record: number }>();
  return known.flatMap((of) => {
    const { component, kind } = of.component;
    if ((kind !== "assay" && kind !== "table") || component === ACCESSORY) return [];
    const { columns, badEntityIds, oddEntityIds, entityNumbers } = of.manifest;
    // What could not be read at all has no columns, and says so itself; a table may be no file.
    if (columns.length > 0 && !columns.includes(ENTITY_COLUMN) && kind === "assay") {
      const message = `The ${component} manifest ${of.manifest.entry.entityId} has no ${ENTITY_COLUMN} column.`;
      return [recordError("H_ENTITY_ID", of, null, message, { column: ENTITY_COLUMN })];
    }
    const findings: (readonly [record: number, finding: Finding])[] = [];
    const find = (record: number, what: string, fields: Readonly<Record<string, string>>): void => {
      const message = `The ${ENTITY_COLUMN} of a record of ${component} ${what}.`;
      const all = { column: ENTITY_COLUMN, ...fields };
      findings.push([record, recordError("H_ENTITY_ID", of, record, message, all)]);
    };
    for (const { record, value } of badEntityIds) {
      if (value === null) {
        find(record, `is no Synapse id (syn and digits); ${NOT_SHOWN}`, {});
        continue;
      }
      const what =
        value === "" ? "is empty" : `is ${value}, which is no Synapse id (syn and digits)`;
      find(record, what, { value });
    }
    if (entities === null) return findings.map(([, finding]) => finding);
    for (const { record, value } of oddEntityIds) {
      if (value === null) find(record, `is no file of this project; ${NOT_SHOWN}`, {});
      else find(record, `is ${value}, which is no file of this project`, { value });
    }
    for (const [record, number] of entityNumbers.entries()) {
      if (number === 0) continue;
      const value = `syn${number}`;
      if (!entities.has(number)) {
        find(record, `is ${value}, which is no file of this project`, { value });
        continue;
      }
      const first = firstUse.get(number);
      if (first === undefined) firstUse.set(number, { of, record });
      // All rows of a table are in one file.
      else if (kind !== "table" || first.of !== of) {
        const firstManifest = first.of.manifest.entry.entityId;
        const firstComponent = first.of.component.component;
        const where = `row ${rowOf(first.of.manifest, first.record)} of ${firstComponent} (${firstManifest})`;
        const fields = { value, firstManifest, firstComponent };
        find(record, `is ${value}, which is already the file of ${where}`, fields);
      }
    }
    return findings.sort(([a], [b]) => a - b).map(([, finding]) => finding);
  });
}
