// What can be wrong with a manifest as a file, before any check looks at what it says. The codes begin with M_.

import type { Finding, Severity } from "../finding.ts";
import type { ManifestEntry } from "./analysis.ts";

/** The rules by code, in the order in which pages list them. "Error" means that something of the manifest was not read. */
export const MANIFEST_RULES = {
  M_EMPTY: { severity: "error", title: "Manifests have content" },
  M_NOT_CSV: { severity: "error", title: "Manifests are CSV files" },
  M_UNCLOSED_QUOTE: { severity: "error", title: "Quotes are closed" },
  M_NO_COMPONENT: { severity: "error", title: "Manifests name their component" },
  M_MISSING_COLUMN: { severity: "error", title: "Manifests have the columns of their ids" },
  M_COMPONENT_DIFFERS: { severity: "warning", title: "Manifests and annotations agree" },
  M_DUPLICATE_COLUMN: { severity: "warning", title: "Columns are there once" },
  M_RAGGED_ROWS: { severity: "warning", title: "Rows are as long as the header" },
  M_ENCODING: { severity: "warning", title: "Manifests are UTF-8 text" },
  M_VIEW_ROW: { severity: "warning", title: "The file view can be read" },
} as const satisfies Readonly<
  Record<string, { readonly severity: Severity; readonly title: string }>
>;

export type ManifestRule = keyof typeof MANIFEST_RULES;

/** Makes a finding on a manifest as a file; `fields` are those besides manifest and component. */
export function manifestProblem(
  rule: ManifestRule,
  entry: ManifestEntry,
  component: string | null,
  problem: { readonly row?: number | null; readonly message: string } & {
    readonly fields?: Readonly<Record<string, string>>;
  },
): Finding {
  return {
    rule,
    severity: MANIFEST_RULES[rule].severity,
    subject: entry.entityId,
    row: problem.row ?? null,
    message: problem.message,
    fields: { manifest: entry.entityId, component: component ?? "", ...problem.fields },
  };
}

/** Names a manifest in a sentence, e.g. "the Biospecimen manifest (biospecimen/synapse_storage_manifest_biospecimen.csv)". */
export function describeManifest(entry: ManifestEntry, component: string | null): string {
  const path = entry.path === "" ? entry.name : `${entry.path}/${entry.name}`;
  return component === null ? `The manifest ${path}` : `The ${component} manifest (${path})`;
}

const SIGNATURES: readonly (readonly [string, string])[] = [
  ["PK\u0003\u0004", "a zip file, as Excel workbooks are"],
  ["\u00d0\u00cf\u0011\u00e0", "an old Excel workbook"],
  ["\u001f\u008b", "compressed with gzip"],
  ["\u00ff\u00fe", "text in UTF-16, as Excel saves “Unicode text”"],
  ["\u00fe\u00ff", "text in UTF-16"],
  ["%PDF", "a PDF"],
  ["<", "HTML or XML"],
  ["{", "JSON"],
  ["[", "JSON"],
];

/** Guesses by its first bytes what a file is that is not CSV; null where they tell nothing. */
export function guessFormat(head: Buffer): string | null {
  const start = head.toString("latin1", 0, 8);
  return SIGNATURES.find(([signature]) => start.startsWith(signature))?.[1] ?? null;
}
