// The data files beside an atlas's page. Their form is described in docs/data-schema.md; a change that breaks a reader raises the schema's number.

import { type Finding, type FlatFinding, flattenFinding } from "../../../finding.ts";
import { csvText } from "../../../render/csvText.ts";
import { CSV_TYPE, JSON_TYPE, jsonText, type PageFile, PLAIN_TEXT } from "../../../render/page.ts";
import type { AtlasAnalysis, GridName } from "../data/analysis.ts";
import type { Atlas } from "../data/atlas.ts";
import type { FindingChanges } from "../data/changes.ts";
import type { AtlasVersion } from "../data/past.ts";
import { CHECKS } from "../data/ruleText.ts";

/** Columns of the findings download, in order; fields that only some rule has follow by name. */
const FINDING_COLUMNS = [
  "rule",
  "severity",
  "isNew",
  "subject",
  "manifest",
  "component",
  "column",
  "row",
  "value",
  "record",
  "link",
  "ring",
  "path",
  "firstManifest",
  "firstComponent",
];

/** What an atlas's data files are made from. */
export interface AtlasData {
  readonly atlas: Atlas;
  readonly analysis: AtlasAnalysis;
  readonly changes: FindingChanges;
  /** Oldest first, ending with the present one. */
  readonly versions: readonly AtlasVersion[];
}

/** Makes the data files of an atlas: the SIF, everything as JSON, and the findings as JSON and CSV. */
export function makeAtlasData(data: AtlasData): readonly PageFile[] {
  const { analysis, changes } = data;
  const id = analysis.atlasId;
  const flat = analysis.findings.map((finding, index) => ({
    ...flattenFinding(finding),
    isNew: changes.isNew[index] ?? false,
  }));
  return [
    { path: `${id}_network.sif`, contentType: PLAIN_TEXT, text: lines(analysis.sif) },
    { path: `data/${id}.json`, contentType: JSON_TYPE, text: jsonText(atlasJson(data)) },
    { path: `data/${id}-findings.json`, contentType: JSON_TYPE, text: jsonText(flat) },
    { path: `data/${id}-findings.csv`, contentType: CSV_TYPE, text: findingsCsv(flat) },
  ];
}

function lines(of: readonly string[]): string {
  return of.length === 0 ? "" : `${of.join("\n")}\n`;
}

function atlasJson({ atlas, analysis, changes, versions }: AtlasData): object {
  const manifests = Object.entries(analysis.manifests);
  const grids = Object.entries(analysis.grids) as [GridName, AtlasAnalysis["grids"][GridName]][];
  const isCheck = new Set<string>(CHECKS);
  const severityOf = (severity: Finding["severity"]) =>
    analysis.findings.filter((finding) => finding.severity === severity).length;
  return {
    schema: "hdash/atlas/1",
    atlasId: atlas.atlasId,
    name: atlas.name,
    projectId: atlas.projectId,
    liaison: atlas.liaison,
    asOf: versions.at(-1)?.startedAt ?? null,
    comparedWith: versions.at(-2)?.startedAt ?? null,
    totalFileSize: analysis.totalFileSize,
    files: Object.values(analysis.fileCounts).reduce((sum, files) => sum + files, 0),
    fileCounts: analysis.fileCounts,
    rootFolders: analysis.rootFolders,
    percentMetadataComplete: analysis.percentMetadataComplete,
    fields: analysis.fields,
    filledFields: analysis.filledFields,
    records: manifests.reduce((sum, [, manifest]) => sum + manifest.records, 0),
    manifests: pick(manifests, ({ component, records, percentComplete }) => ({
      component,
      records,
      percentComplete,
    })),
    manifestFiles: pick(manifests, ({ name, path, modifiedAt, fields, filledFields }) => ({
      name,
      path,
      modifiedAt,
      fields,
      filledFields,
    })),
    unreadManifests: analysis.unread,
    errors: severityOf("error"),
    warnings: severityOf("warning"),
    newFindings: changes.isNew.filter((isNew) => isNew).length,
    fixedFindings: changes.fixed.length,
    rules: analysis.rules.map((rule) => ({
      ...rule,
      new: analysis.findings.filter((one, index) => one.rule === rule.rule && changes.isNew[index])
        .length,
      fixed: changes.fixed.filter((one) => one.rule === rule.rule).length,
    })),
    findings: Object.fromEntries(CHECKS.map((rule) => [rule, fieldsOf(analysis, rule)])),
    otherFindings: Object.fromEntries(
      [...new Set(analysis.findings.map(({ rule }) => rule))]
        .filter((rule) => !isCheck.has(rule))
        .sort()
        .map((rule) => [rule, fieldsOf(analysis, rule)]),
    ),
    fixed: changes.fixed.map(flattenFinding),
    matrices: pick(grids, ({ counts, rows, ones }) => ({ counts, rows, ones })),
    matrixRows: pick(grids, ({ columns, rowIds }) => ({ columns, rowIds })),
    sif: analysis.sif,
    timelineEvents: analysis.timelineEvents.map(
      ({ Event, Start, Finish, Grouping, Samples, Location }) => ({
        Event,
        Start,
        Finish,
        Grouping,
        Samples,
        Location,
      }),
    ),
    timelineRows: Object.fromEntries(
      analysis.timelineEvents.map(({ Grouping, participant }) => [Grouping, { participant }]),
    ),
    history: versions.map(({ startedAt, measures }) => ({ at: startedAt, ...measures })),
  };
}

function pick<T>(entries: readonly (readonly [string, T])[], take: (value: T) => object): object {
  return Object.fromEntries(entries.map(([key, value]) => [key, take(value)]));
}

function fieldsOf(analysis: AtlasAnalysis, rule: string): readonly Finding["fields"][] {
  return analysis.findings.filter((finding) => finding.rule === rule).map(({ fields }) => fields);
}

type CsvRow = FlatFinding | Readonly<Record<string, string | number | boolean | null>>;

/** Writes findings as CSV. */
function findingsCsv(rows: readonly CsvRow[]): string {
  const known = new Set([...FINDING_COLUMNS, "message"]);
  const further = [...new Set(rows.flatMap((row) => Object.keys(row)))]
    .filter((key) => !known.has(key))
    .sort();
  const columns = [...FINDING_COLUMNS, ...further, "message"];
  return csvText(
    columns,
    rows.map((row) => columns.map((column) => row[column] ?? "")),
  );
}
