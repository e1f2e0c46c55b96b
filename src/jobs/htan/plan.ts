// The HTAN dashboard as a pipeline: which files each atlas has in Synapse, how complete their metadata is, and what is wrong with it.
// It declares steps and wires them; what the data means is decided in htan/, how it looks in render/.

import pLimit from "p-limit";

import type { Digest } from "../../digest.ts";
import { asJson } from "../../digest.ts";
import { checkAnyDone } from "../../engine/outcomes.ts";
import {
  type BlobFile,
  file,
  json,
  observation,
  type Pipeline,
  type Plan,
  publicTree,
  type Ref,
  type ScopeOutcome,
  type SiteContents,
  type SitePart,
  step,
  type TreeFile,
} from "../../engine/step.ts";
import type { Finding } from "../../finding.ts";
import type { SiteAssets } from "../../render/assets.ts";
import type { Gallery, Menu, PageFigure } from "../../render/page.ts";
import { makeNotFoundPage, makeRunsPage } from "../../render/runsPage.ts";
import { splitAssets, textFile } from "../../render/siteFiles.ts";
import { sqlString, type SynapseClient } from "../../sources/synapseClient.ts";
import { analyseAtlas } from "./data/analyse.ts";
import type { AtlasAnalysis, AtlasFiles } from "./data/analysis.ts";
import type { Atlas } from "./data/atlas.ts";
import type { Components } from "./data/components.ts";
import { listFiles } from "./data/files.ts";
import { readGraph } from "./data/graph.ts";
import { readManifest } from "./data/manifest.ts";
import { measuresOf } from "./data/measures.ts";
import { type AtlasPast, joinPresent } from "./data/past.ts";
import { readView, VIEW_COLUMNS } from "./data/view.ts";
import { makeAtlasPage, type PageTools } from "./pages/atlasPage.ts";
import { atlasFigures, timelineData } from "./pages/figures.ts";
import { type IndexRow, makeIndexPage } from "./pages/indexPage.ts";
import { NOT_FOUND_PAGE, RUNS_PAGE } from "./pages/pageFrame.ts";

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

/** Atlases that compute at a time: one computes while others are written, few enough to bound memory. */
const ATLASES_AT_ONCE = 4;
/** A trend shows this many changes; older ones stay in the ledger. */
const VERSIONS_SHOWN = 60;
/** A year of daily runs. */
const RUNS_SHOWN = 366;

/** Makes the pipeline. */
export function makeHtan(effects: HtanEffects): Pipeline<HtanParams> {
  const steps = makeSteps(effects);
  return {
    name: "htan",
    async plan(plan, { atlases: asked, viewId }) {
      await plan.do(steps.signIn, { params: null, inputs: {} });
      const registry = await plan.do(steps.listAtlases, { params: null, inputs: {} });
      const atlases = await plan.read(registry.atlases);
      const published = await plan.do(steps.readFigures, { params: null, inputs: {} });
      const galleries = await plan.read(published.galleries);
      const site = await plan.do(steps.readMenu, { params: null, inputs: {} });
      const menu = await plan.read(site.menu);
      const chosen = atlases.filter(({ atlasId }) => asked === null || asked.includes(atlasId));
      const limit = pLimit(ATLASES_AT_ONCE);
      const outcomes = new Map<string, ScopeOutcome<AtlasSite>>();
      await Promise.all(
        chosen.map(async (atlas) => {
          // Every scope is opened at once and asks Synapse; only what computes in memory waits for its turn.
          const outcome = await plan.scope(
            atlas.atlasId,
            async (scope) => {
              const pulled = await pullAtlas(scope, atlas, viewId);
              return limit(() =>
                makeAtlas(scope, atlas, pulled, {
                  menu,
                  gallery: galleries[atlas.atlasId] ?? [],
                }),
              );
            },
            { title: atlas.name },
          );
          outcomes.set(atlas.atlasId, outcome);
        }),
      );
      checkAnyDone(outcomes, "no atlas could be updated");
      await plan.site(() => planSite(plan, { atlases, outcomes, viewId, menu }));
    },
  };

  /** What Synapse has of one atlas: its files, and the content of the manifests that count. */
  async function pullAtlas(plan: Plan, atlas: Atlas, viewId: string) {
    const { atlasId, projectId } = atlas;
    const { view } = await plan.do(steps.pullView, {
      params: { viewId, projectId, atlasId },
      inputs: {},
    });
    const { files } = await plan.do(steps.listFiles, {
      params: { atlas: { ...atlas } },
      inputs: { view },
    });
    const { manifests } = await plan.read(files);
    const contents = await Promise.all(
      manifests.map(async ({ entityId, md5 }) => {
        const { content } = await plan.do(steps.pullManifest, {
          params: { entityId, md5 },
          inputs: {},
        });
        return content;
      }),
    );
    return { files, contents };
  }

  /** One atlas, checked, drawn and written. */
  async function makeAtlas(
    plan: Plan,
    atlas: Atlas,
    { files, contents }: Awaited<ReturnType<typeof pullAtlas>>,
    { menu, gallery }: { menu: Menu; gallery: readonly Gallery[] },
  ): Promise<AtlasSite> {
    const { analysis, numbers } = await plan.do(steps.checkAtlas, {
      params: { atlas: { ...atlas } },
      inputs: { files, contents },
    });
    const { ...measures } = await plan.read(numbers);
    const { figures, drawings } = await plan.do(steps.drawFigures, {
      params: null,
      inputs: { analysis },
    });
    const { pages } = await plan.do(steps.renderAtlas, {
      params: {
        atlas: { ...atlas },
        menu,
      },
      inputs: {
        analysis,
        figures,
        past: await plan.value(await pastOf(plan, measures)),
        gallery: await plan.value(gallery),
      },
    });
    return { pages, drawings, measures };
  }

  async function pastOf(plan: Plan, measures: Measures) {
    const { versions, factsDigest } = await plan.history(undefined, VERSIONS_SHOWN);
    const { startedAt } = plan.run;
    const joined = joinPresent(versions, { startedAt, factsDigest, measures }, VERSIONS_SHOWN);
    const before = joined.beforeRunId === null ? null : await plan.findings(joined.beforeRunId);
    return {
      versions: joined.versions.map((version) => ({ ...version })),
      before: before === null ? null : before.map(plainFinding),
    };
  }

  /** The index, the history and the assets, around the atlases that this run could do; the others keep what they last published. */
  async function planSite(
    plan: Plan,
    known: {
      readonly atlases: readonly Atlas[];
      readonly outcomes: ReadonlyMap<string, ScopeOutcome<AtlasSite>>;
      readonly viewId: string;
      readonly menu: Menu;
    },
  ): Promise<SiteContents> {
    const { atlases, outcomes, viewId, menu } = known;
    const deltas = await plan.deltas();
    const states = await Promise.all(
      atlases.map(async (atlas): Promise<{ row: IndexRow; site: AtlasSite | null }> => {
        const outcome = outcomes.get(atlas.atlasId);
        const { versions, last, factsDigest } = await plan.history(atlas.atlasId, VERSIONS_SHOWN);
        const { startedAt } = plan.run;
        // A run of this atlas alone may have started later and be finished: its page is newer than ours.
        const isOvertaken = last !== null && last.startedAt > startedAt;
        if (outcome?.ok !== true || isOvertaken) {
          const failure = outcome?.ok === false ? outcome.publicly : null;
          const updatedAt = last?.startedAt ?? null;
          return { row: { atlas, failure, updatedAt, versions, delta: null }, site: null };
        }
        const site = outcome.value;
        const facts = { startedAt, factsDigest, measures: site.measures };
        const present = joinPresent(versions, facts, VERSIONS_SHOWN).versions;
        const delta = deltas[atlas.atlasId] ?? null;
        const row = { atlas, failure: null, updatedAt: startedAt, versions: present, delta };
        return { row, site };
      }),
    );
    const runs = await plan.runs(RUNS_SHOWN);
    const { startedAt, build } = plan.run;
    const summary = await plan.value({
      rows: states.map(({ row }) => asJson(row)),
      runs: runs.map(asJson),
    });
    const { pages } = await plan.do(steps.renderSite, {
      params: {
        startedAt,
        build,
        viewId,
        siteUrl: effects.siteUrl,
        menu,
      },
      inputs: { summary },
    });
    const { hashed, named } = await plan.do(steps.collectAssets, {
      params: null,
      inputs: {},
    });
    const parts: SitePart[] = [
      { scope: null, prefix: "", tree: hashed, cache: "immutable" },
      { scope: null, prefix: "", tree: named, cache: "page" },
      { scope: null, prefix: "", tree: pages, cache: "page" },
    ];
    const keepScopes: string[] = [];
    for (const { row, site } of states) {
      const scope = row.atlas.atlasId;
      if (site === null) keepScopes.push(scope);
      else {
        parts.push({ scope, prefix: "", tree: site.pages, cache: "page" });
        parts.push({ scope, prefix: "figures/", tree: site.drawings, cache: "page" });
      }
    }
    return { parts, keepScopes };
  }
}

type SiteParams = {
  readonly startedAt: string;
  readonly build: string;
  readonly viewId: string;
  readonly siteUrl: string | null;
  readonly menu: Menu;
};

/** What an atlas publishes. */
interface AtlasSite {
  readonly pages: Ref<readonly TreeFile[], "public">;
  readonly drawings: Ref<readonly TreeFile[], "public">;
  readonly measures: Measures;
}

/** An atlas as a step's parameter: plain JSON. */
type AtlasParam = { readonly [K in keyof Atlas]: Atlas[K] };

type Measures = Readonly<Record<string, number>>;

/** Makes the steps. */
export function makeSteps(effects: HtanEffects) {
  const { synapse, components, tools, assets } = effects;
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

    readMenu: observation({
      name: "readMenu",
      outputs: { menu: json<Menu>() },
      read: async (_params: null) => ({ menu: await effects.readMenu() }),
    }),

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
        await synapse.queryCsv(viewId, sql, path, ctx.signal, (bytes) => ctx.progress(bytes, null));
        return { view: { path } };
      },
    }),

    listFiles: step({
      name: "listFiles",
      // 2: values are capped, and what follows an unclosed quote is not read.
      version: 2,
      outputs: { files: json<AtlasFiles>() },
      run: async ({ view }: { view: BlobFile }, { atlas }: { atlas: AtlasParam }) => ({
        files: listFiles(atlas, await readView(view.stream(), { escape: "\\" })),
      }),
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
          ctx.progress(bytes, null),
        );
        return { content: { path } };
      },
    }),

    checkAtlas: step({
      name: "checkAtlas",
      // 2: the measures have a port of their own, so that a run in which nothing moved need not read the analysis.
      // 3: values are capped, and what follows an unclosed quote is not read.
      // 4: the analysis calls its grids so.
      version: 4,
      uses: { components: effects.componentsDigest },
      outputs: { analysis: json<AtlasAnalysis>(), numbers: json<Measures>() },
      async run(
        { files, contents }: { files: AtlasFiles; contents: readonly BlobFile[] },
        { atlas }: { atlas: AtlasParam },
        ctx,
      ) {
        const manifests = [];
        for (const [index, entry] of files.manifests.entries()) {
          const content = contents[index];
          if (content === undefined) continue;
          manifests.push(await readManifest(entry, content.stream(), components));
          ctx.progress(index + 1, files.manifests.length);
        }
        const analysis = analyseAtlas(atlas, files, manifests, components);
        ctx.find(analysis.findings);
        const numbers = measuresOf(analysis);
        for (const [name, value] of Object.entries(numbers))
          ctx.measure(atlas.atlasId, name, value);
        return { analysis, numbers };
      },
    }),

    drawFigures: step({
      name: "drawFigures",
      // 2: events are drawn wherever their days are, and say how many specimens share them.
      version: 2,
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
      // 2: tables keep a share of each rule, and links are named by component.
      version: 2,
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

    collectAssets: step({
      name: "collectAssets",
      version: 1,
      uses: { design: effects.designDigest },
      outputs: { hashed: publicTree(), named: publicTree() },
      run: async (_inputs: object, _params: null) => splitAssets(assets.files),
    }),

    renderSite: step({
      name: "renderSite",
      version: 1,
      uses: { design: effects.designDigest },
      outputs: { pages: publicTree() },
      run: async (
        {
          summary,
        }: { summary: { rows: readonly IndexRow[]; runs: Awaited<ReturnType<Plan["runs"]>> } },
        { startedAt, build, viewId, siteUrl, menu }: SiteParams,
      ) => {
        const { rows, runs } = summary;
        const current = { startedAt, build };
        return {
          pages: [
            ...makeIndexPage(
              { rows, run: { ...current, viewId }, assets: assets.paths, menu },
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
function plainFinding({ rule, severity, subject, row, message, fields }: Finding) {
  return { rule, severity, subject, row, message, fields: { ...fields } };
}
