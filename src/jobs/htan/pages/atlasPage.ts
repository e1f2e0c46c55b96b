// An atlas's page as a model, and the files that go with it. It holds no clock but the day of the facts, so that it changes only with them.

import type { Finding } from "../../../finding.ts";
import { count, date, instant, list, number, percent } from "../../../format.ts";
import {
  type AssetPaths,
  type Gallery,
  HTML,
  makeFrame,
  type Menu,
  type PageAssets,
  type PageFigure,
  type PageFile,
  type RenderPage,
} from "../../../render/page.ts";
import type { TableModel } from "../../../render/table.ts";
import {
  type AtlasAnalysis,
  FILE_KINDS,
  type GridName,
  type RuleOutcome,
  type UnreadSummary,
} from "../data/analysis.ts";
import type { Atlas } from "../data/atlas.ts";
import { compareFindings, type FindingChanges } from "../data/changes.ts";
import { brokenLinks, type ComponentName } from "../data/graph.ts";
import type { AtlasVersion } from "../data/past.ts";
import { ruleText } from "../data/ruleText.ts";
import { GRID_LABELS, type GridLabel } from "./gridLabels.ts";
import { changeMarks, makeHeadlines } from "./headlines.ts";
import { KIND_LABELS } from "./kindLabels.ts";
import { ATLAS_PAGE, type DrawSparkline, synapsePage } from "./pageFrame.ts";
import {
  eventsTable,
  findingsTable,
  fixedTable,
  foldersTable,
  gridCountsTable,
  gridRowsTable,
  linksTable,
  manifestsTable,
} from "./pageTables.ts";
import { makeAtlasData } from "./publicData.ts";

/** What an atlas's page is made from. */
export interface AtlasPageInput {
  readonly atlas: Atlas;
  readonly analysis: AtlasAnalysis;
  /** Oldest first, ending with the present facts; neighbours differ. */
  readonly versions: readonly AtlasVersion[];
  /** The findings of the version before the present one; null where there is none. */
  readonly before: readonly Finding[] | null;
  /** Give the components in links their names. */
  readonly components: readonly ComponentName[];
  readonly figures: readonly PageFigure[];
  /** What another job has to show of the atlas; the Figures tab is left out where there is nothing. */
  readonly gallery: readonly Gallery[];
  readonly assets: AssetPaths;
  readonly menu: Menu;
}

/** What the room borrows to make pages. */
export interface PageTools {
  readonly render: RenderPage;
  readonly sparkline: DrawSparkline;
}

interface RuleModel {
  readonly code: string;
  readonly title: string;
  readonly meaning: string;
  readonly remedy: string;
  readonly state: "passed" | "error" | "warning" | "info" | "skipped";
  readonly status: string;
  readonly marks: string;
  readonly reason: string;
  readonly isFound: boolean;
  readonly isSkipped: boolean;
  /** Shared address of the findings of this rule alone. */
  readonly filterHref: string;
}

interface GridModel {
  readonly id: GridName;
  readonly title: string;
  readonly summary: string;
  readonly figures: readonly PageFigure[];
  readonly hasRows: boolean;
  readonly counts: TableModel;
  readonly rows: TableModel;
  readonly rowsTitle: string;
}

/** Makes an atlas's page and its data files. */
export function makeAtlasPage(input: AtlasPageInput, tools: PageTools): readonly PageFile[] {
  const { atlas, analysis, versions, before } = input;
  const changes = compareFindings(analysis.findings, before);
  const model = atlasModel(input, changes, tools.sparkline);
  return [
    { path: pathOf(atlas), contentType: HTML, text: tools.render("htan/atlas", model) },
    ...makeAtlasData({ atlas, analysis, changes, versions }),
  ];
}

function pathOf({ atlasId }: Atlas): string {
  return `${atlasId}.html`;
}

function withGallery({ styles, scripts }: PageAssets): PageAssets {
  return { styles: [...styles, "gallery.css"], scripts };
}

function atlasModel(
  input: AtlasPageInput,
  changes: FindingChanges,
  sparkline: DrawSparkline,
): object {
  const { atlas, analysis, versions, figures, gallery } = input;
  const id = atlas.atlasId;
  const asOf = versions.at(-1)?.startedAt;
  const since = input.before === null ? undefined : versions.at(-2)?.startedAt;
  const figuresOf = (name: string) => figures.filter((figure) => figure.id === name);
  const participants = new Set(analysis.timelineEvents.map(({ participant }) => participant)).size;
  const manifests = Object.values(analysis.manifests);
  const broken = brokenLinks(analysis.findings).length;
  const records = manifests.reduce((sum, manifest) => sum + manifest.records, 0);
  return {
    frame: makeFrame({
      title: `${atlas.name} (${id})`,
      description: `What ${atlas.name} has submitted to HTAN, how complete it is, and what is to be mended.`,
      path: pathOf(atlas),
      menu: input.menu,
      loads: gallery.length === 0 ? ATLAS_PAGE : withGallery(ATLAS_PAGE),
      assets: input.assets,
    }),
    id,
    name: atlas.name,
    projectId: atlas.projectId,
    projectHref: synapsePage(atlas.projectId),
    liaison: atlas.liaison,
    asOf: asOf === undefined ? "" : instant(asOf),
    hasUnread: analysis.unread.length > 0,
    unreadTitle: `${count(analysis.unread.length, "manifest")} could not be read; the numbers lack what ${analysis.unread.length === 1 ? "it holds" : "they hold"}`,
    unread: analysis.unread.map(unreadModel),
    headlines: makeHeadlines(analysis, changes, versions, sparkline),
    kinds: FILE_KINDS.map((kind) => ({
      label: KIND_LABELS[kind],
      files: number(analysis.fileCounts[kind]),
      isNone: analysis.fileCounts[kind] === 0,
    })),
    tabs: tabs(analysis, gallery.length),
    manifestsSummary: `${count(manifests.length, "manifest")} with ${count(records, "record")}; ${number(analysis.filledFields)} of ${count(analysis.fields, "field")} filled in (${percent(analysis.percentMetadataComplete)}).`,
    manifests: manifestsTable(analysis),
    rules: analysis.rules.map((rule) => ruleModel(rule, analysis, changes)),
    since: since === undefined ? "" : date(since),
    changeLine: since === undefined ? "" : changeLine(changes),
    findings: findingsTable(id, analysis.findings, changes, input.before !== null),
    hasFixed: changes.fixed.length > 0,
    fixed: fixedTable(id, changes.fixed),
    fixedTitle: count(changes.fixed.length, "fixed finding"),
    findingsCsv: `data/${id}-findings.csv`,
    findingsJson: `data/${id}-findings.json`,
    grids: GRID_LABELS.map((grid) => gridModel(grid, analysis, figuresOf(grid.name))),
    timeline: {
      figures: figuresOf("timeline"),
      dataPath: `data/${id}-timeline.js`,
      summary: `${count(analysis.timelineEvents.length, "event")} of ${count(participants, "participant")}.`,
      hasEvents: analysis.timelineEvents.length > 0,
      table: eventsTable(analysis),
    },
    folders: foldersTable(analysis),
    network: {
      figures: figuresOf("network"),
      dataPath: `data/${id}-graph.js`,
      sifPath: `${id}_network.sif`,
      summary: `${count(analysis.sif.length, "link")} from parent to child${broken === 0 ? "" : `, ${count(broken, "broken link")}`}.`,
      hasLinks: analysis.sif.length + broken > 0,
      table: linksTable(analysis, input.components),
    },
    gallery: gallery.map(galleryModel),
    hasGallery: gallery.length > 0,
    jsonPath: `data/${id}.json`,
  };
}

const PART_LABELS = {
  completeness: "Completeness",
  longitudinal: "Longitudinal",
  network: "Network",
} as const;

/** Says of a manifest that could not be read what the page lacks by it. */
function unreadModel({ entityId, component, name, path, reason, parts }: UnreadSummary): object {
  const file = path === "" ? name : `${path}/${name}`;
  const places = ["Metadata files", "Validation", ...parts.map((part) => PART_LABELS[part])];
  return {
    name: component === null ? file : `${component}, ${file}`,
    entityId,
    href: synapsePage(entityId),
    reason,
    consequence: `Records, shares and findings under ${list(places)} are without it.`,
  };
}

/** Puts a matrix's figures under the approach that they are of, in their order. */
function galleryModel({ figures, ...matrix }: Gallery): object {
  const approaches = [...new Set(figures.map(({ approach }) => approach))];
  return {
    ...matrix,
    groups: approaches.map((approach) => ({
      approach,
      figures: figures
        .filter((figure) => figure.approach === approach)
        .map((figure) => ({ ...figure, width2x: 2 * figure.width })),
    })),
  };
}

function tabs(analysis: AtlasAnalysis, gallery: number): readonly object[] {
  const found = analysis.findings.length;
  return [
    {
      id: "metadata",
      label: "Metadata files",
      badge: number(Object.keys(analysis.manifests).length),
    },
    { id: "validation", label: "Validation", badge: number(found) },
    { id: "completeness", label: "Completeness", badge: "" },
    { id: "longitudinal", label: "Longitudinal", badge: "" },
    { id: "paths", label: "Paths", badge: number(Object.keys(analysis.rootFolders).length) },
    { id: "network", label: "Network", badge: "" },
    ...(gallery > 0 ? [{ id: "figures", label: "Figures", badge: number(gallery) }] : []),
  ];
}

function ruleModel(rule: RuleOutcome, analysis: AtlasAnalysis, changes: FindingChanges): RuleModel {
  const text = ruleText(rule.rule, rule.title, analysis.atlasId);
  const added = analysis.findings.filter(
    (finding, index) => finding.rule === rule.rule && changes.isNew[index] === true,
  ).length;
  const fixed = changes.fixed.filter((finding) => finding.rule === rule.rule).length;
  const noun = rule.severity === "info" ? "note" : rule.severity;
  const status =
    rule.status === "passed"
      ? "Passed"
      : rule.status === "not run"
        ? "Not run"
        : count(rule.count, noun);
  return {
    code: rule.rule,
    title: text.title,
    meaning: text.meaning,
    remedy: text.remedy,
    state:
      rule.status === "found" ? rule.severity : rule.status === "passed" ? "passed" : "skipped",
    status,
    marks: changeMarks(added, fixed),
    reason: rule.reason ?? "",
    isFound: rule.status === "found",
    isSkipped: rule.status === "not run",
    filterHref: `#validation?findings.f.rule=${encodeURIComponent(`=${rule.rule}`)}`,
  };
}

function changeLine(changes: FindingChanges): string {
  const added = changes.isNew.filter((isNew) => isNew).length;
  if (added === 0 && changes.fixed.length === 0) return "no finding came or went";
  return `${number(added)} new, ${number(changes.fixed.length)} fixed`;
}

function gridModel(
  { name, title, unit }: GridLabel,
  analysis: AtlasAnalysis,
  figures: readonly PageFigure[],
): GridModel {
  const grid = analysis.grids[name];
  const used = grid.columns.filter((column) => (grid.counts[column] ?? 0) > 0).length;
  const noun = unit.toLowerCase();
  return {
    id: name,
    title,
    summary: `${count(grid.rows, noun)}; ${number(used)} of ${count(grid.columns.length, "component")} ${used === 1 ? "has" : "have"} data.`,
    figures,
    hasRows: grid.rowIds.length > 0,
    counts: gridCountsTable(analysis.atlasId, name, grid),
    rows: gridRowsTable(analysis.atlasId, name, grid, unit),
    rowsTitle: `${count(grid.rowIds.length, noun)} by component`,
  };
}
