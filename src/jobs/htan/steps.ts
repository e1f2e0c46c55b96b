// The steps of the dashboard: what is asked of the world, what is made of an atlas, what the site has around the atlases.

import type { Digest } from "../../digest.ts";
import {
  type BlobFile,
  type Doing,
  file,
  json,
  observation,
  type Plan,
  publicTree,
  step,
  text,
  type TreeFile,
} from "../../engine/step.ts";
import type { Finding } from "../../finding.ts";
import { makeMenuStep } from "../../job.ts";
import type { SiteAssets } from "../../render/assets.ts";
import type { Gallery, Menu, PageFigure } from "../../render/page.ts";
import { type CurrentRun, makeNotFoundPage, makeRunsPage } from "../../render/runsPage.ts";
import { splitAssets, textFile } from "../../render/siteFiles.ts";
import { sqlString, type SynapseClient } from "../../sources/synapseClient.ts";
import { type AtlasParam, makeAnalysisSteps } from "./analysisSteps.ts";
import type { AtlasAnalysis, AtlasFiles } from "./data/analysis.ts";
import type { Atlas } from "./data/atlas.ts";
import type { Components } from "./data/components.ts";
import { encodeEntityIds } from "./data/entityIds.ts";
import { listFiles } from "./data/files.ts";
import { readGraph } from "./data/graph.ts";
import type { Labels } from "./data/labels.ts";
import type { AtlasPast } from "./data/past.ts";
import { readView, VIEW_COLUMNS } from "./data/view.ts";
import { makeAtlasPage, type PageTools } from "./pages/atlasPage.ts";
import { atlasFigures, timelineData } from "./pages/figures.ts";
import { type IndexRow, makeIndexPage } from "./pages/indexPage.ts";
import { NOT_FOUND_PAGE, RUNS_PAGE } from "./pages/pageFrame.ts";

/** What steps that wait for Synapse are at. */
const DOWNLOADING: Doing = { doing: "downloading", unit: "bytes" };

/** What a run of the dashboard is asked for. */
export type HtanParams = {
  /** Atlas ids; null: all that are registered. */
  readonly atlases: readonly string[] | null;
  /** The master file view, e.g. "syn20446927". */
  readonly viewId: string;
};

/** What the pipeline uses of the world, and how its pages look. */
export interface HtanEffects {
  readonly synapse: SynapseClient;
  listAtlases(): Promise<readonly Atlas[]>;
  readonly components: Components;
  /** What the component table decides is in the keys of what it decides. */
  readonly componentsDigest: Digest;
  /** The words that timelines may show. */
  readonly labels: Labels;
  readonly tools: PageTools;
  readonly assets: SiteAssets;
  /** Digest of the templates and assets: what else shapes a page. */
  readonly designDigest: Digest;
  /** Versions of the libraries and fonts that draw, which another build may have others of. */
  readonly drawnBy: Readonly<Record<string, string>>;
  /** Where people see the site; null where nobody said. */
  readonly siteUrl: string | null;
  readonly galleries: Galleries;
  /** Reads the menu of the site that is published to. */
  readMenu(): Promise<Menu>;
}

/** What other jobs have on the same site to show of atlases. */
export interface Galleries {
  /** Atlas id → its galleries. */
  read(signal: AbortSignal): Promise<Readonly<Record<string, readonly Gallery[]>>>;
}

type SiteParams = {
  readonly startedAt: string;
  readonly build: string;
  readonly viewId: string;
  readonly siteUrl: string | null;
  readonly menu: Menu;
};

export type HtanSteps = ReturnType<typeof makeSteps>;

/** Makes the steps. */
export function makeSteps(effects: HtanEffects) {
  return {
    ...makeObservations(effects),
    ...makePulls(effects),
    ...makeAnalysisSteps(effects),
    ...makeAtlasSteps(effects),
    ...makeSiteSteps(effects),
  };
}

/** What is asked of the world whenever it is needed. */
function makeObservations(effects: HtanEffects) {
  const { synapse } = effects;
  return {
    // A token that is not taken stops the run here, in one clear sentence, and not once for each atlas.
    signIn: observation({
      name: "signIn",
      outputs: { user: json<string>() },
      read: async (_params: null, { signal }) => ({
        user: (await synapse.whoAmI(signal)).userName,
      }),
    }),

    listAtlases: observation({
      name: "listAtlases",
      outputs: { atlases: json<readonly Atlas[]>() },
      read: async (_params: null) => ({ atlases: await effects.listAtlases() }),
    }),

    // Another pipeline, or a person, may change what is published at any time.
    readFigures: observation({
      name: "readFigures",
      outputs: {
        galleries: json<Readonly<Record<string, readonly Gallery[]>>>(),
      },
      read: async (_params: null, { signal }) => ({
        galleries: await effects.galleries.read(signal),
      }),
    }),

    readMenu: makeMenuStep(() => effects.readMenu()),
  };
}

/** What Synapse has of an atlas. */
function makePulls(effects: HtanEffects) {
  const { synapse } = effects;
  return {
    pullView: step({
      name: "pullView",
      version: 1,
      outputs: { view: file() },
      pin: async (
        { viewId, projectId }: { viewId: string; projectId: string; atlasId: string },
        signal,
      ) => ({ ...(await synapse.viewState(viewId, whereProject(projectId), signal)) }),
      repin: true,
      async run(_inputs: object, { viewId, projectId, atlasId }, ctx) {
        // A view has no rows of a project that is missing or may not be read: ask for the project itself to tell that from an empty one.
        await synapse.entity(projectId, ctx.signal);
        const path = `${await ctx.workDir()}/${atlasId}.csv`;
        const sql = `SELECT ${VIEW_COLUMNS.join(", ")} FROM ${viewId} WHERE ${whereProject(projectId)}`;
        await synapse.queryCsv(viewId, sql, path, ctx.signal, (bytes) =>
          ctx.progress(bytes, null, DOWNLOADING),
        );
        return { view: { path } };
      },
    }),

    listFiles: step({
      name: "listFiles",
      // 2: values are capped, and what follows an unclosed quote is not read.
      // 3: the ids of all files, so that records can be held against them.
      // 4: manifests that do not count are listed, and an annotation of blanks is none.
      version: 4,
      outputs: { files: json<AtlasFiles>(), entities: text() },
      async run({ view }: { view: BlobFile }, { atlas }: { atlas: AtlasParam }) {
        const rows = await readView(view.stream(), { escape: "\\" });
        return { files: listFiles(atlas, rows), entities: encodeEntityIds(rows.fileIds) };
      },
    }),

    pullManifest: step({
      name: "pullManifest",
      version: 1,
      outputs: { content: file() },
      // A manifest is known by its MD5; only where the view has none is the entity asked whether it moved.
      pin: async ({ entityId, md5 }: { entityId: string; md5: string | null }, signal) =>
        md5 === null ? (await synapse.entity(entityId, signal)).etag : null,
      repin: true,
      async run(_inputs: object, { entityId, md5 }, ctx) {
        const path = `${await ctx.workDir()}/${entityId}.csv`;
        await synapse.download(entityId, md5, path, ctx.signal, (bytes) =>
          ctx.progress(bytes, null, DOWNLOADING),
        );
        return { content: { path } };
      },
    }),
  };
}

/** What is drawn and written of an atlas. */
function makeAtlasSteps(effects: HtanEffects) {
  const { components, tools, assets } = effects;
  return {
    drawFigures: step({
      name: "drawFigures",
      // 3: links run around boxes, and the network has the broken ones.
      version: 3,
      uses: { components: effects.componentsDigest, drawnBy: effects.drawnBy },
      outputs: { figures: json<readonly PageFigure[]>(), drawings: publicTree() },
      async run({ analysis }: { analysis: AtlasAnalysis }, _params: null, ctx) {
        // Loaded when first drawn: a run in which nothing moved needs no chart engine.
        const { drawFigure } = await import("./charts/figure.ts");
        const { renderPng } = await import("../../render/png.ts");
        const models = atlasFigures(analysis, components.list);
        const figures: PageFigure[] = [];
        const drawings: TreeFile[] = [];
        for (const [index, figure] of models.entries()) {
          const { inlineSvg, compactSvg, fileSvg } = await drawFigure(figure);
          const name = `${analysis.atlasId}-${figure.id}`;
          drawings.push(
            textFile({
              path: `${name}.svg`,
              contentType: "image/svg+xml; charset=utf-8",
              text: fileSvg,
            }),
          );
          drawings.push({
            path: `${name}.png`,
            contentType: "image/png",
            bytes: await renderPng(fileSvg),
          });
          figures.push({
            id: figure.id,
            title: figure.title,
            alt: figure.alt,
            svg: inlineSvg,
            compactSvg,
            svgPath: `figures/${name}.svg`,
            pngPath: `figures/${name}.png`,
          });
          ctx.progress(index + 1, models.length);
        }
        return { figures, drawings };
      },
    }),

    renderAtlas: step({
      name: "renderAtlas",
      // 3: shares are handed out as fractions, and broken links are counted by component.
      version: 3,
      uses: { components: effects.componentsDigest, design: effects.designDigest },
      outputs: { pages: publicTree() },
      run: async (
        inputs: {
          analysis: AtlasAnalysis;
          figures: readonly PageFigure[];
          past: AtlasPast;
          gallery: readonly Gallery[];
        },
        { atlas, menu }: { atlas: AtlasParam; menu: Menu },
      ) => {
        const { analysis, figures, past, gallery } = inputs;
        const pages = makeAtlasPage(
          {
            atlas,
            analysis,
            ...past,
            figures,
            gallery,
            menu,
            components: components.list,
            assets: assets.paths,
          },
          tools,
        );
        const { dataScript, timelineScript } = await import("./charts/dataScript.ts");
        const { atlasId, sif, findings, timelineEvents } = analysis;
        const scripts = [
          ["graph", dataScript(atlasId, "graph", readGraph(sif, findings, components.list))],
          ["timeline", timelineScript(atlasId, timelineData(timelineEvents))],
        ] as const;
        const data = scripts.map(([kind, text]) => ({
          path: `data/${atlasId}-${kind}.js`,
          contentType: "text/javascript; charset=utf-8",
          text,
        }));
        return { pages: [...pages, ...data].map(textFile) };
      },
    }),
  };
}

/** What the site has around the atlases. */
function makeSiteSteps(effects: HtanEffects) {
  const { tools, assets } = effects;
  return {
    collectAssets: step({
      name: "collectAssets",
      version: 1,
      uses: { design: effects.designDigest },
      outputs: { hashed: publicTree(), named: publicTree() },
      run: async (_inputs: object, _params: null) => splitAssets(assets.files),
    }),

    renderSite: step({
      name: "renderSite",
      // 2: runs are every job's, this one's too, and what came and went has columns of its own.
      version: 2,
      uses: { design: effects.designDigest },
      outputs: { pages: publicTree() },
      run: async (
        {
          summary,
        }: {
          summary: {
            rows: readonly IndexRow[];
            runs: Awaited<ReturnType<Plan["runs"]>>;
            current: CurrentRun;
          };
        },
        { startedAt, build, viewId, siteUrl, menu }: SiteParams,
      ) => {
        const { rows, runs, current } = summary;
        return {
          pages: [
            ...makeIndexPage(
              { rows, run: { startedAt, build, viewId }, assets: assets.paths, menu },
              tools,
            ),
            makeRunsPage({ runs, current, assets: assets.paths, menu, ...RUNS_PAGE }, tools.render),
            makeNotFoundPage({ siteUrl, ...NOT_FOUND_PAGE }, tools.render),
          ].map(textFile),
        };
      },
    }),
  };
}

function whereProject(projectId: string): string {
  return `projectId = ${sqlString(projectId)}`;
}

/** A finding without what the ledger adds to it. */
export function plainFinding({ rule, severity, subject, row, message, fields }: Finding) {
  return { rule, severity, subject, row, message, fields: { ...fields } };
}
