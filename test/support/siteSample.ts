// Pages to look at and to test: analyses made from the fixture's expected answers, with a past, and one made up at any size.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import type { Finding } from "../../src/finding.ts";
import type {
  AtlasAnalysis,
  Grid,
  GridName,
  TimelineEvent,
} from "../../src/jobs/htan/data/analysis.ts";
import type { Atlas } from "../../src/jobs/htan/data/atlas.ts";
import { readComponents } from "../../src/jobs/htan/data/components.ts";
import { measuresOf } from "../../src/jobs/htan/data/measures.ts";
import type { AtlasVersion } from "../../src/jobs/htan/data/past.ts";
import { CHECKS } from "../../src/jobs/htan/data/ruleText.ts";
import { makeAtlasPage, type PageTools } from "../../src/jobs/htan/pages/atlasPage.ts";
import { type IndexRow, makeIndexPage } from "../../src/jobs/htan/pages/indexPage.ts";
import {
  NOT_FOUND_PAGE,
  PAGES as DASHBOARD,
  RUNS_PAGE,
} from "../../src/jobs/htan/pages/pageFrame.ts";
import { PAGES as MATRICES } from "../../src/jobs/matrix/pages/pageFrame.ts";
import { type SiteAssets, siteAssets } from "../../src/render/assets.ts";
import type { Gallery, Menu, PageFigure, PageFile } from "../../src/render/page.ts";
import { type CurrentRun, makeNotFoundPage, makeRunsPage } from "../../src/render/runsPage.ts";
import { makeTemplates, type Templates } from "../../src/render/templates.ts";
import type { RunRecord } from "../../src/run.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const HOSTILE = `<img src=x onerror="document.title='owned'">`;

type Fields = Readonly<Record<string, string>>;
interface Expected {
  readonly totalFileSize: number;
  readonly fileCounts: AtlasAnalysis["fileCounts"];
  readonly rootFolders: AtlasAnalysis["rootFolders"];
  readonly percentMetadataComplete: number;
  readonly manifests: Readonly<
    Record<string, { component: string | null; records: number; percentComplete: number }>
  >;
  readonly findings: Readonly<Record<string, readonly Fields[]>>;
  readonly matrices: Readonly<Record<GridName, Pick<Grid, "counts" | "rows" | "ones">>>;
  readonly sif: readonly string[];
  readonly timelineEvents: readonly Omit<TimelineEvent, "participant">[];
}

const fixture = join(ROOT, "test", "fixtures", "htan", "expected.json");

/** Reads the fixture's expected answers as analyses, filling in what they leave out. */
export function sampleAnalysis(atlasId: "HTA1" | "HTA2" | "HTA3"): AtlasAnalysis {
  const all = JSON.parse(readFileSync(fixture, "utf8")) as Readonly<Record<string, Expected>>;
  const expected = all[atlasId];
  if (expected === undefined) throw new Error(`expected.json has no ${atlasId}`);
  const findings = Object.entries(expected.findings).flatMap(([rule, list]) =>
    list.map((fields, index) => sampleFinding(rule, fields, index)),
  );
  const manifests = Object.fromEntries(
    Object.entries(expected.manifests).map(([id, manifest]) => {
      const fields = manifest.records * 17;
      return [
        id,
        {
          ...manifest,
          name: `synapse_storage_manifest_${(manifest.component ?? "none").toLowerCase()}.csv`,
          path: `${(manifest.component ?? "misc").toLowerCase()}/manifests`,
          modifiedAt: "2026-10-04T08:15:00.000Z",
          fields,
          filledFields: Math.round(fields * manifest.percentComplete),
        },
      ];
    }),
  );
  const sum = (key: "fields" | "filledFields") =>
    Object.values(manifests).reduce((total, manifest) => total + manifest[key], 0);
  return {
    atlasId,
    totalFileSize: expected.totalFileSize,
    fileCounts: expected.fileCounts,
    rootFolders: expected.rootFolders,
    percentMetadataComplete: expected.percentMetadataComplete,
    fields: sum("fields"),
    filledFields: sum("filledFields"),
    manifests,
    unread: [],
    rules: CHECKS.map((rule) => {
      const count = expected.findings[rule]?.length ?? 0;
      return {
        rule,
        title: rule,
        severity: rule === "H_FILE_NAMES" ? "warning" : "error",
        status: count > 0 ? "found" : "passed",
        reason: null,
        count,
      };
    }),
    findings,
    grids: Object.fromEntries(
      Object.entries(expected.matrices).map(([name, grid]) => [name, fullGrid(grid)]),
    ) as Record<GridName, Grid>,
    sif: expected.sif,
    timelineEvents: expected.timelineEvents.map((event) => ({
      ...event,
      participant: event.Grouping.split(" ")[0] ?? "",
    })),
  };
}

function fullGrid(grid: Pick<Grid, "counts" | "rows" | "ones">): Grid {
  const known = Object.keys(grid.ones);
  const more = Array.from({ length: grid.rows - known.length }, (_, index) => `HTA0_${index}_1`);
  return { ...grid, columns: Object.keys(grid.counts), rowIds: [...known, ...more] };
}

function sampleFinding(rule: string, fields: Fields, index: number): Finding {
  const value = fields["value"] ?? fields["column"] ?? "";
  const where = fields["component"] === undefined ? "" : ` of ${fields["component"]}`;
  return {
    rule,
    severity: rule === "H_FILE_NAMES" ? "warning" : "error",
    subject: fields["manifest"] ?? `syn3110${1000 + index}`,
    row: rule === "H_CATEGORIES" ? null : index + 2,
    message: `${value}${where} breaks the rule ${rule}, as this sentence says in so many words.`,
    fields,
  };
}

/** Makes an analysis with as many findings and participants as wanted, some of them hostile. */
export function bigAnalysis(findings: number, participants: number): AtlasAnalysis {
  const base = sampleAnalysis("HTA2");
  const made = Array.from({ length: findings }, (_, index): Finding => {
    const rule = index % 3 === 0 ? "H_LINKS" : index % 3 === 1 ? "H_ID_SPEC" : "H_FILE_NAMES";
    const value = index === 7 ? HOSTILE : `HTA9_${index % 600}_${index}`;
    return sampleFinding(
      rule,
      {
        manifest: `syn4${String(index % 40).padStart(4, "0")}`,
        component: "ScRNA-seqLevel1",
        column: "HTAN Parent ID",
        value,
      },
      index,
    );
  });
  const rowIds = Array.from({ length: participants }, (_, index) => `HTA9_${index + 1}`);
  const columns = base.grids.clinical_tier1_2.columns;
  const ones = Object.fromEntries(
    rowIds.map((id, row) => [
      id,
      columns.filter((_, column) => column === 0 || (row * 7 + column * 5) % 11 < 6),
    ]),
  );
  const counts = Object.fromEntries(
    columns.map((column) => [
      column,
      Object.values(ones).filter((has) => has.includes(column)).length,
    ]),
  );
  return {
    ...base,
    atlasId: "HTA9",
    findings: made,
    rules: base.rules.map((rule) => {
      const count = made.filter((finding) => finding.rule === rule.rule).length;
      return { ...rule, count, status: count > 0 ? "found" : "passed" };
    }),
    grids: {
      ...base.grids,
      clinical_tier1_2: { columns, counts, rows: participants, rowIds, ones },
    },
  };
}

export const SAMPLE_ATLASES = {
  HTA1: {
    atlasId: "HTA1",
    projectId: "syn31100004",
    name: "Synthetic Breast Pre-Cancer Atlas",
    liaison: "Robin Example",
  },
  HTA2: {
    atlasId: "HTA2",
    projectId: "syn31100645",
    name: `Synthetic <Colorectal> Polyp & Adenoma Atlas, ${HOSTILE}`,
    liaison: "",
  },
  HTA3: {
    atlasId: "HTA3",
    projectId: "syn31101199",
    name: "Synthetic Lung Atlas",
    liaison: "Sam Sample & Co",
  },
  HTA9: {
    atlasId: "HTA9",
    projectId: "syn31109999",
    name: "Synthetic Large Atlas",
    liaison: "Kim Instance",
  },
} satisfies Record<string, Atlas>;

/** Reads the component table that hdash comes with. */
export function readComponentList(): ReturnType<typeof readComponents>["list"] {
  const text = readFileSync(join(ROOT, "config", "htan_components.json"), "utf8");
  return readComponents(JSON.parse(text)).list;
}

/** Makes a week of versions that ends with the analysis. */
export function sampleVersions(analysis: AtlasAnalysis): readonly AtlasVersion[] {
  const now = measuresOf(analysis);
  const share = [0.55, 0.62, 0.7, 0.71, 0.84, 0.93];
  const errors = [1.6, 1.4, 1.55, 1.2, 1.3, 0.9];
  const past = share.map((part, day) => ({
    startedAt: `2026-11-${12 + day}T02:00:00.000Z`,
    measures: {
      ...Object.fromEntries(
        Object.entries(now).map(([name, value]) => [name, Math.round(value * part)]),
      ),
      percentMetadataComplete: (now["percentMetadataComplete"] ?? 0) * (0.9 + part / 10),
      errors: Math.round((now["errors"] ?? 0) * (errors[day] ?? 1)),
      hasMetadata: 1,
    },
  }));
  return [...past, { startedAt: "2026-11-19T02:00:00.000Z", measures: now }];
}

/** Stands in for the findings of the version before: three fewer, two others. */
export function sampleBefore(analysis: AtlasAnalysis): readonly Finding[] {
  const gone = ["HTA1_0404", HOSTILE].map((value, index) =>
    sampleFinding(
      "H_LINKS",
      {
        manifest: "syn31100192",
        component: "Biospecimen",
        record: "HTA1_1_1",
        value,
        link: "parent",
      },
      index,
    ),
  );
  return [...analysis.findings.slice(3), ...gone];
}

/** Reads the templates and assets of the repository. */
export function readDesign(): { readonly templates: Templates; readonly assets: SiteAssets } {
  const views = join(ROOT, "views");
  const sources = Object.fromEntries(
    readdirSync(views, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".hbs"))
      .map((name) => [
        name.replaceAll("\\", "/").replace(/\.hbs$/, ""),
        readFileSync(join(views, name), "utf8"),
      ]),
  );
  const folder = join(views, "assets");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(css|js|woff2|txt)$/.test(name))
    .map((name) => ({ path: name.replaceAll("\\", "/"), bytes: readFileSync(join(folder, name)) }));
  return { templates: makeTemplates(sources), assets: siteAssets(files) };
}

/** Draws a plain trend line, so that pages can be tested without the room that draws. */
export const plainSparkline: PageTools["sparkline"] = (points, label) => {
  if (points.length < 2) return "";
  const most = Math.max(...points.map(({ value }) => value), 1);
  const path = points
    .map(
      ({ value }, index) =>
        `${((index * 96) / (points.length - 1)).toFixed(1)},${(18 - (value / most) * 16).toFixed(1)}`,
    )
    .join(" ");
  return `<svg viewBox="0 0 96 20" width="96" height="20" role="img" aria-label="${label}"><polyline points="${path}" fill="none" stroke="var(--fig-accent)" stroke-width="1.5"/></svg>`;
};

/** Makes a stand-in for a drawn figure. */
function sampleFigure(id: string, title: string): PageFigure {
  const svg = `<svg viewBox="0 0 760 120" width="760" height="120" role="img" aria-label="${title}"><rect width="760" height="120" fill="var(--fig-track)"/><text x="16" y="64" fill="var(--fig-ink)">${title}</text></svg>`;
  return { id, title, alt: title, svg, svgPath: `figures/${id}.svg`, pngPath: `figures/${id}.png` };
}

/** Makes the gallery of one matrix; its pictures are in their addresses, so that no file is needed. */
function sampleGallery(): readonly Gallery[] {
  const figure = (title: string, color: string, approach: string) => {
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 360" width="600" height="360"><rect width="600" height="360" fill="#fff"/><path d="M40 320L560 60" stroke="${color}" stroke-width="3"/></svg>`;
    const src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
    const alt = `${title}: ${HOSTILE}`;
    return { src, src2x: src, alt, title, approach, width: 600, height: 360 };
  };
  return [
    {
      title: "Synthetic colon, 10x",
      href: "matrices/colon.html",
      facts: "10X: 2,700 cells",
      figures: [
        figure("Violins", "#0072b1", "10X"),
        figure("Genes over counts", "#c4510c", "10X"),
        figure("UMAP", "#00805d", "SS2"),
      ],
    },
  ];
}

/** The menu of a site that has the dashboard alone, and of one that has pages about matrices as well. */
export const DASHBOARD_MENU: Menu = {
  brand: { label: DASHBOARD.brand, path: DASHBOARD.places[0].path },
  places: DASHBOARD.places,
};
export const BOTH_MENU: Menu = {
  brand: DASHBOARD_MENU.brand,
  places: [...DASHBOARD.places, ...MATRICES.places],
};

const RUN = { startedAt: "2026-11-21T02:00:00.000Z", build: "0.1.0", viewId: "syn20446927" };
/** The run that makes the sample pages, as it knows itself. */
export const CURRENT_RUN: CurrentRun = {
  pipeline: "htan",
  startedAt: RUN.startedAt,
  build: RUN.build,
  added: 4,
  removed: 2,
  notUpdated: ["HTA2"],
};

/** Makes a whole site of sample pages, without figures' files. */
export function sampleSite(
  sparkline: PageTools["sparkline"] = plainSparkline,
  figures: readonly PageFigure[] = [
    sampleFigure("clinical_tier1_2", "Clinical data"),
    sampleFigure("timeline", "Timeline"),
    sampleFigure("network", "Network"),
  ],
): { readonly pages: readonly PageFile[]; readonly assets: SiteAssets } {
  const { templates, assets } = readDesign();
  const look = { assets: assets.paths, menu: DASHBOARD_MENU };
  const components = readComponentList();
  const tools: PageTools = {
    render: (template, model) => templates.render(template, model),
    sparkline,
  };
  const atlasPages = (["HTA1", "HTA2", "HTA3", "HTA9"] as const).flatMap((id) => {
    const analysis = id === "HTA9" ? bigAnalysis(5000, 600) : sampleAnalysis(id);
    return makeAtlasPage(
      {
        atlas: SAMPLE_ATLASES[id],
        analysis,
        versions: id === "HTA3" ? sampleVersions(analysis).slice(-1) : sampleVersions(analysis),
        before: id === "HTA3" ? null : sampleBefore(analysis),
        components,
        figures,
        gallery: id === "HTA9" ? sampleGallery() : [],
        ...look,
      },
      tools,
    );
  });
  const pages = [
    ...atlasPages,
    ...makeIndexPage({ rows: sampleRows(), run: RUN, ...look }, tools),
    makeRunsPage({ runs: sampleRuns(), current: CURRENT_RUN, ...look, ...RUNS_PAGE }, tools.render),
    makeNotFoundPage({ siteUrl: null, ...NOT_FOUND_PAGE }, tools.render),
  ];
  return { pages, assets };
}

/** Makes the rows of an index: one updated, one hostile and failed, one new, one large, one that never was updated. */
export function sampleRows(): readonly IndexRow[] {
  const none = { error: 0, warning: 0, info: 0 };
  const rows = (["HTA1", "HTA2", "HTA3", "HTA9"] as const).map((id): IndexRow => {
    const analysis = id === "HTA9" ? bigAnalysis(5000, 600) : sampleAnalysis(id);
    const versions = sampleVersions(analysis);
    const isFailed = id === "HTA2";
    return {
      atlas: SAMPLE_ATLASES[id],
      failure: isFailed ? `Synapse did not answer in time: ${HOSTILE}` : null,
      updatedAt: isFailed ? "2026-11-18T02:00:00.000Z" : RUN.startedAt,
      versions: id === "HTA3" ? versions.slice(-1) : versions,
      delta:
        isFailed || id === "HTA3"
          ? null
          : id === "HTA1"
            ? {
                added: { error: 3, warning: 0, info: 0 },
                removed: { error: 1, warning: 1, info: 0 },
              }
            : { added: none, removed: none },
    };
  });
  const lost: IndexRow = {
    atlas: {
      atlasId: "HTA12",
      projectId: "syn31101212",
      name: "Synthetic Pancreas Atlas",
      liaison: "",
    },
    failure: "user demo has no right to read syn31101212",
    updatedAt: null,
    versions: [],
    delta: null,
  };
  return [...rows, lost];
}

/** Makes a month of runs. */
export function sampleRuns(): readonly RunRecord[] {
  return Array.from({ length: 30 }, (_, index): RunRecord => {
    const day = String(20 - (index % 20)).padStart(2, "0");
    const month = index < 20 ? "11" : "10";
    const status = index === 4 ? "degraded" : index === 11 ? "failed" : "succeeded";
    return {
      id: `run-${index}`,
      pipeline: index % 10 === 2 ? "matrix" : "htan",
      params: {},
      status,
      build: "0.1.0",
      startedAt: `2026-${month}-${day}T02:00:00.000Z`,
      finishedAt: `2026-${month}-${day}T02:0${index % 3}:41.000Z`,
      hits: 280 - index,
      ran: 12 + index,
      failed: status === "succeeded" ? 0 : 1,
      error: status === "failed" ? "the database went away" : null,
      added: index % 5,
      removed: index % 3,
      failedScopes:
        status === "degraded" ? { HTA2: `Synapse did not answer in time ${HOSTILE}` } : {},
      published:
        status === "failed"
          ? null
          : { put: 6 + index, deleted: index % 7 === 0 ? 2 : 0, unchanged: 90 },
    };
  });
}
