// The tables of an atlas's page: manifests, findings, grids, root folders, timeline events and network links.

import type { Finding } from "../../../finding.ts";
import { date, number, percent } from "../../../format.ts";
import {
  type CellValue,
  makeTable,
  MOST_ROWS,
  type TableCell,
  type TableColumn,
  type TableModel,
} from "../../../render/table.ts";
import type { AtlasAnalysis, Grid, GridName, ManifestSummary } from "../data/analysis.ts";
import type { FindingChanges } from "../data/changes.ts";
import { type ComponentName, makeOverview, readGraph } from "../data/graph.ts";
import { compareNatural, compareText } from "../data/naturalOrder.ts";
import { eventLabel } from "./figures.ts";
import { SYNAPSE_LINK, synapsePage } from "./pageFrame.ts";

const SEVERITY = { error: "Error", warning: "Warning", info: "Info" } as const;

const FINDING_COLUMNS: readonly TableColumn[] = [
  { key: "rule", label: "Rule", kind: "text" },
  { key: "severity", label: "Severity", kind: "text" },
  { key: "message", label: "Finding", kind: "text", prose: true },
  { key: "component", label: "Component", kind: "text" },
  {
    key: "subject",
    label: "Synapse",
    kind: "text",
    hint: "The entity to open and mend",
    linkPrefix: SYNAPSE_LINK,
  },
  {
    key: "row",
    label: "Row",
    kind: "number",
    hint: "As a spreadsheet numbers it: the header is row 1",
  },
  { key: "column", label: "Column", kind: "text" },
  { key: "value", label: "Value", kind: "text" },
];

const NEW_COLUMN: TableColumn = {
  key: "new",
  label: "New",
  kind: "text",
  hint: "Marked where the finding was not there before",
};

/**
 * Makes the table of findings; the mark column is there only where there is something to compare with.
 * Where they do not all fit, each rule keeps its share, and of a rule what is new comes first.
 */
export function findingsTable(
  atlasId: string,
  findings: readonly Finding[],
  changes: FindingChanges,
  hasBefore: boolean,
): TableModel {
  const [rule, severity, ...rest] = FINDING_COLUMNS as [TableColumn, TableColumn, ...TableColumn[]];
  return makeTable({
    id: "findings",
    name: `${atlasId}-findings-shown`,
    caption: "Findings",
    columns: hasBefore ? [rule, severity, NEW_COLUMN, ...rest] : FINDING_COLUMNS,
    rows: chooseFindings(findings, changes.isNew, MOST_ROWS).map((index) => {
      const finding = findings[index] as Finding;
      const [ruleCell = "", severityCell = "", ...cells] = findingCells(finding);
      const mark: CellValue = changes.isNew[index] === true ? { text: "New", tone: "new" } : "";
      return hasBefore
        ? [ruleCell, severityCell, mark, ...cells]
        : [ruleCell, severityCell, ...cells];
    }),
    total: findings.length,
    empty: "Nothing was found: all checks that ran have passed.",
    allHref: `data/${atlasId}-findings.csv`,
  });
}

/** Chooses at most so many findings, by index and in their order: as many of each rule as of any other, as far as it has them. */
function chooseFindings(
  findings: readonly Finding[],
  isNew: readonly boolean[],
  most: number,
): readonly number[] {
  const indexes = findings.map((_, index) => index);
  if (indexes.length <= most) return indexes;
  // The rules with the fewest come first, so that what they leave over is shared by the others.
  const rules = [...Map.groupBy(indexes, (index) => findings[index]?.rule).values()].sort(
    (a, b) => a.length - b.length,
  );
  const chosen: number[] = [];
  for (const [place, own] of rules.entries()) {
    const share = Math.floor((most - chosen.length) / (rules.length - place));
    const added = own.filter((index) => isNew[index] === true);
    const known = own.filter((index) => isNew[index] !== true);
    chosen.push(...[...added, ...known].slice(0, share));
  }
  return chosen.sort((a, b) => a - b);
}

/** Makes the table of findings that are gone. */
export function fixedTable(atlasId: string, fixed: readonly Finding[]): TableModel {
  return makeTable({
    id: "fixed",
    name: `${atlasId}-fixed`,
    caption: "Fixed findings",
    columns: FINDING_COLUMNS,
    rows: fixed.map(findingCells),
    empty: "Nothing was fixed.",
  });
}

function findingCells({ rule, severity, message, fields, subject, row }: Finding): CellValue[] {
  return [
    rule,
    { text: SEVERITY[severity], tone: severity },
    message,
    fields["component"] ?? "",
    subject,
    row ?? "",
    fields["column"] ?? "",
    fields["value"] ?? "",
  ];
}

/** Makes a share's cell, for a column of shares: it reads as percent, with a bar behind it, and is handed out as the fraction. */
export function shareCell(fraction: number): TableCell {
  return { text: percent(fraction), value: fraction, bar: fraction };
}

/** Makes the table of manifests that count. */
export function manifestsTable(analysis: AtlasAnalysis): TableModel {
  return makeTable({
    id: "manifests",
    name: `${analysis.atlasId}-manifests`,
    caption: "Metadata files",
    columns: [
      { key: "component", label: "Component", kind: "text" },
      { key: "file", label: "File", kind: "text", hint: "Opens the file in Synapse" },
      { key: "entityId", label: "Synapse", kind: "text", linkPrefix: SYNAPSE_LINK },
      { key: "path", label: "Folder", kind: "text" },
      { key: "records", label: "Records", kind: "number" },
      {
        key: "fields",
        label: "Fields",
        kind: "number",
        hint: "Cells that count towards completeness",
      },
      { key: "filledFields", label: "Filled in", kind: "number" },
      {
        key: "percentComplete",
        label: "Complete",
        kind: "share",
        hint: "Share of fields filled in; filter as in >80 %",
      },
      { key: "modifiedAt", label: "Modified", kind: "date" },
    ],
    rows: byComponent(analysis.manifests).map(([entityId, manifest]) => [
      manifest.component ?? { text: "(none)", tone: "muted" },
      { text: manifest.name, href: synapsePage(entityId) },
      entityId,
      manifest.path,
      manifest.records,
      manifest.fields,
      manifest.filledFields,
      shareCell(manifest.percentComplete),
      manifest.modifiedAt === null
        ? ""
        : { text: date(manifest.modifiedAt), value: manifest.modifiedAt },
    ]),
    empty: "No metadata manifest has been submitted yet.",
  });
}

/** Sorts manifests: an analysis that was stored has lost the order of its keys. */
function byComponent(
  manifests: AtlasAnalysis["manifests"],
): readonly (readonly [string, ManifestSummary])[] {
  return Object.entries(manifests).sort(
    ([idA, a], [idB, b]) =>
      compareText(a.component ?? "", b.component ?? "") ||
      compareNatural(a.name, b.name) ||
      compareNatural(idA, idB),
  );
}

/** Makes the table of how many rows of a grid have each component. */
export function gridCountsTable(atlasId: string, name: GridName, grid: Grid): TableModel {
  return makeTable({
    id: `${name}-counts`,
    name: `${atlasId}-${name}-counts`,
    caption: "Rows with data, by component",
    columns: [
      { key: "component", label: "Component", kind: "text" },
      { key: "count", label: "With data", kind: "number" },
      { key: "rows", label: "Of", kind: "number" },
      { key: "share", label: "Share", kind: "share", hint: "Filter as in >80 %" },
    ],
    rows: grid.columns.map((column) => {
      const having = grid.counts[column] ?? 0;
      return [column, having, grid.rows, shareCell(grid.rows === 0 ? 0 : having / grid.rows)];
    }),
    empty: "There are no components.",
  });
}

/** Makes the table of a grid's rows against the components that any of them has. */
export function gridRowsTable(
  atlasId: string,
  name: GridName,
  grid: Grid,
  unit: string,
): TableModel {
  const columns = grid.columns.filter((column) => (grid.counts[column] ?? 0) > 0);
  return makeTable({
    id: name,
    name: `${atlasId}-${name}`,
    caption: `${unit} by component`,
    columns: [
      { key: "id", label: unit, kind: "text" },
      { key: "components", label: "Components", kind: "number", hint: "How many have data" },
      ...columns.map((column): TableColumn => ({
        key: column,
        label: column,
        kind: "number",
        hint: "1: has data, 0: has none",
      })),
    ],
    rows: grid.rowIds.map((id) => {
      const ones = new Set(grid.ones[id] ?? []);
      return [id, ones.size, ...columns.map((column) => (ones.has(column) ? 1 : 0))];
    }),
    empty: `There is no ${unit.toLowerCase()} yet.`,
  });
}

/** Makes the table of root folders and how far their files are annotated. */
export function foldersTable(analysis: AtlasAnalysis): TableModel {
  return makeTable({
    id: "folders",
    name: `${analysis.atlasId}-folders`,
    caption: "Root folders",
    columns: [
      { key: "folder", label: "Folder", kind: "text" },
      { key: "synapseId", label: "Synapse", kind: "text", linkPrefix: SYNAPSE_LINK },
      { key: "files", label: "Data files", kind: "number" },
      {
        key: "annotated",
        label: "Annotated",
        kind: "number",
        hint: "Files that name their component",
      },
      { key: "unannotated", label: "Unannotated", kind: "number" },
      { key: "share", label: "Annotated share", kind: "share", hint: "Filter as in >80 %" },
    ],
    rows: Object.entries(analysis.rootFolders)
      .sort(([a], [b]) => compareNatural(a, b))
      .map(([name, folder]): CellValue[] => {
        const files = folder.annotated + folder.unannotated;
        return [
          name === "" ? { text: "(project root)", tone: "muted" } : name,
          folder.synapseId ?? "",
          files,
          folder.annotated,
          folder.unannotated > 0
            ? { text: number(folder.unannotated), value: folder.unannotated, tone: "warning" }
            : 0,
          files === 0 ? "" : shareCell(folder.annotated / files),
        ];
      }),
    empty: "The project holds no files.",
  });
}

/** Makes the table of timeline events. */
export function eventsTable(analysis: AtlasAnalysis): TableModel {
  return makeTable({
    id: "events",
    name: `${analysis.atlasId}-events`,
    caption: "Events",
    columns: [
      { key: "participant", label: "Participant", kind: "text" },
      { key: "row", label: "Timeline", kind: "text", hint: "Therapy, or the site of the specimen" },
      { key: "event", label: "Event", kind: "text" },
      {
        key: "start",
        label: "From day",
        kind: "number",
        hint: "Counted from the row's first event",
      },
      { key: "finish", label: "To day", kind: "number" },
      { key: "samples", label: "Specimens", kind: "text" },
    ],
    rows: analysis.timelineEvents.map((event) => [
      event.participant,
      rowName(event.Grouping, event.participant),
      eventLabel(event),
      event.Start,
      event.Finish,
      event.Samples === "NA" ? "" : event.Samples.join(", "),
    ]),
    empty: "No therapy and no specimen has usable days.",
  });
}

/** Takes the participant off a row's name, which it starts with. */
function rowName(grouping: string, participant: string): string {
  const rest = grouping.startsWith(participant) ? grouping.slice(participant.length) : grouping;
  return rest.trim();
}

/** Makes the table of links between components: the network in numbers. */
export function linksTable(
  analysis: AtlasAnalysis,
  components: readonly ComponentName[],
): TableModel {
  const { nodes, edges, broken } = makeOverview(
    readGraph(analysis.sif, analysis.findings, components),
  );
  const nameOf = (node: number): string => nodes[node]?.name ?? "";
  return makeTable({
    id: "links",
    name: `${analysis.atlasId}-links`,
    caption: "Links by component",
    columns: [
      { key: "parent", label: "Parent", kind: "text" },
      { key: "child", label: "Child", kind: "text" },
      { key: "links", label: "Links", kind: "number" },
    ],
    rows: [
      ...edges.map(({ from, to, links }) => [nameOf(from), nameOf(to), links]),
      ...nodes.filter(({ inner }) => inner > 0).map(({ name, inner }) => [name, name, inner]),
      ...broken.map(({ to, links }): CellValue[] => [
        { text: "(broken)", tone: "error" },
        nameOf(to),
        links,
      ]),
    ],
    empty: "No record names a parent.",
  });
}
