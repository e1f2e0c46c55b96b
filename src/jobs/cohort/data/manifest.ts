// The manifest of an export: how many records its sender counted in each member.

import { makeCsvScanner } from "../../../formats/csv.ts";
import { cellText } from "../../../formats/csvRecord.ts";

/** Name of the member that holds it. */
export const MANIFEST = "Manifest.csv";
/** Columns that say something of the export as a whole. */
const OF_EXPORT = new Set([
  "ExportStartDate",
  "ExportEndDate",
  "ExportConfiguration",
  "ExcludedParticipantIdentifiers",
]);
/** A manifest is a line of names and a line of numbers: some 5 kB for the hundred members of an export. */
export const MOST_MANIFEST_BYTES = 4 << 20;

/** Counts by the name of a member without its dates. */
export type Manifest = ReadonlyMap<string, number>;

/** Reads a manifest; a clause for people where it is none. */
export function readManifest(bytes: Uint8Array): Manifest | string {
  const rows: string[][] = [];
  const scanner = makeCsvScanner((record) => {
    rows.push(Array.from({ length: record.length }, (_cell, at) => cellText(record, at)));
    return rows.length < 2;
  });
  scanner.push(bytes);
  const { undecodableRow, unclosedRow, overlongRow } = scanner.end();
  if (undecodableRow !== null) return "it is not UTF-8";
  if (unclosedRow !== null || overlongRow !== null) return "it is no CSV";
  const [names, values] = rows;
  if (names === undefined || values === undefined) return "it has no row of counts";
  const counts = new Map<string, number>();
  for (const [at, name] of names.entries()) {
    if (name === "" || OF_EXPORT.has(name)) continue;
    const value = (values[at] ?? "").trim();
    if (!/^\d{1,15}$/.test(value)) return `column ${at + 1} has no count`;
    counts.set(name, Number(value));
  }
  return counts;
}
