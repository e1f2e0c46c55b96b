// The steps of the matrix job: what is asked of the source, what is made of each matrix, what is published.

import pLimit from "p-limit";

import { type Digest, digestOfJson, type Json } from "../digest.ts";
import { json, publicTree, step, type TreeFile } from "../engine/step.ts";
import { HdashError } from "../error.ts";
import { type GroupFigures, type MatrixAnalysis, type OnStage } from "../matrix/analysis.ts";
import { chooseEntries } from "../matrix/choice.ts";
import { analysisFindings, analysisMeasures } from "../matrix/findings.ts";
import { matrixFinding } from "../matrix/problem.ts";
import { makeProjectPage, type ProjectFigure } from "../matrix/projectPage.ts";
import { makeProjectsPage, type ProjectRow } from "../matrix/projectsPage.ts";
import type { MatrixMethod } from "../matrix/projectWords.ts";
import { type PublishedMatrix, readPublishedMatrix } from "../matrix/publishedMatrix.ts";
import {
  figureBase,
  type MatrixSummary,
  type UndrawnFigure,
  withoutUndrawn,
} from "../matrix/summary.ts";
import type { FetchedMatrix, MatrixEntry, MatrixListing, MatrixSource } from "../matrixSource.ts";
import { JSON_TYPE, type PageFile, type RenderPage } from "../page.ts";
import type { SiteAssets } from "../render/assets.ts";
import type { DrawnMatrixFigure } from "../render/matrix/drawMatrixFigure.ts";

/** What a run is asked for. */
export type MatrixParams = {
  /** The source's settings: a run of another source is another run. */
  readonly source: Readonly<Record<string, Json>>;
  readonly useBlacklist: boolean;
  /** Project ids or "<uuid>.<species>"; null: all. */
  readonly targets: readonly string[] | null;
};

/** What the pipeline uses of the world, and how its pages look. */
export interface MatrixEffects {
  readonly source: MatrixSource;
  /** Analyses a local matrix in a process of its own. */
  analyse(
    request: { path: string; approaches: readonly string[]; scratchDir: string },
    options: { signal: AbortSignal; onStage: OnStage },
  ): Promise<MatrixAnalysis>;
  /** Matrices analysed at a time: each uses two cores. */
  readonly analysesAtOnce: number;
  /** Versions of the libraries that shape an analysis. */
  readonly analysedBy: Readonly<Record<string, string>>;
  /** Project id → atlas id. */
  readonly atlases: Readonly<Record<string, string>>;
  readonly render: RenderPage;
  readonly assets: SiteAssets;
  readonly designDigest: Digest;
  readonly drawnBy: Readonly<Record<string, string>>;
  /** Where people see the site; null where nobody said. */
  readonly siteUrl: string | null;
  /** True where the dashboard is on the same site. */
  readonly hasDashboard: boolean;
  /** What was published of matrices before: path → digest, and the data files of some. */
  readonly published: {
    state(): Promise<Readonly<Record<string, string>>>;
    read(signal: AbortSignal, ids: readonly string[]): Promise<readonly unknown[]>;
  };
}

/** Everything but figures lies below it, with assets of its own: the dashboard's files are the dashboard's. */
export const PAGES = "matrices/";
/** What a matrix that can be read says of itself. */
type Facts = Extract<MatrixAnalysis, { isReadable: true }>["facts"];
type MethodParam = { readonly [K in keyof MatrixMethod]: MatrixMethod[K] };
type EntryParam = { readonly [K in keyof MatrixEntry]: MatrixEntry[K] };

/** Makes the steps of one run; the source is listed once for all of them. */
export function makeSteps(effects: MatrixEffects) {
  const { source } = effects;
  const turn = pLimit(effects.analysesAtOnce);
  let listed: Promise<MatrixListing> | undefined;
  /** Asks the source once a run: its answer is both the pin and what the step reads. */
  const list = (params: MatrixParams, signal: AbortSignal): Promise<MatrixListing> =>
    (listed ??= choose(source, params, signal));
  return {
    listMatrices: step({
      name: "listMatrices",
      version: 1,
      outputs: { listing: json<MatrixListing>() },
      pin: async (params: MatrixParams, signal) =>
        digestOfJson(plainListing(await list(params, signal))),
      run: async (_inputs: object, params, ctx) => ({
        listing: plainListing(await list(params, ctx.signal)),
      }),
    }),

    // Downloading and analysing are one step: the matrix itself is never stored, only what was made of it.
    analyseMatrix: step({
      name: "analyseMatrix",
      version: 1,
      outputs: {
        verdict: json<string | null>(),
        facts: json<Facts | null>(),
        figures: json<readonly GroupFigures[]>(),
      },
      async run(
        _inputs: object,
        {
          entry,
        }: {
          entry: EntryParam;
          source: string;
          seed: number;
          sampleCells: number;
          analysedBy: Readonly<Record<string, string>>;
        },
        ctx,
      ) {
        const { signal } = ctx;
        const dir = await ctx.workDir();
        const got: FetchedMatrix = await source.pull(entry, dir, {
          signal,
          onProgress: (done, total) => ctx.progress(done, total),
        });
        const analysis = await turn(() =>
          effects.analyse(
            { path: got.path, approaches: entry.approaches, scratchDir: dir },
            {
              signal,
              onStage: (_stage, fraction) => ctx.progress(Math.round(fraction * 1000), 1000),
            },
          ),
        );
        ctx.find(analysisFindings(entry.id, analysis));
        for (const [name, value] of Object.entries(analysisMeasures(analysis))) {
          ctx.measure(entry.id, name, value);
        }
        return analysis.isReadable
          ? { verdict: null, facts: analysis.facts, figures: analysis.figures }
          : { verdict: analysis.message, facts: null, figures: [] };
      },
    }),

    drawFigures: step({
      name: "drawMatrixFigures",
      version: 1,
      outputs: {
        drawings: publicTree(),
        inline: json<readonly ProjectFigure[]>(),
        undrawn: json<readonly UndrawnFigure[]>(),
      },
      async run(
        { figures }: { figures: readonly GroupFigures[] },
        { id }: { id: string; drawnBy: Readonly<Record<string, string>> },
        ctx,
      ) {
        // Loaded when first drawn: a run in which nothing moved needs no chart engine.
        const { drawMatrixFigure } = await import("../render/matrix/drawMatrixFigure.ts");
        const drawings: TreeFile[] = [];
        const inline: ProjectFigure[] = [];
        const undrawn: UndrawnFigure[] = [];
        const all = figures.flatMap((group) =>
          group.figures.map((figure) => ({ approachKey: group.approachKey, figure })),
        );
        for (const [index, { approachKey, figure }] of all.entries()) {
          ctx.progress(index, all.length);
          const { name } = figure;
          if (figure.reason !== null) continue;
          try {
            const drawn = await drawMatrixFigure(figure);
            drawings.push(
              ...figureFiles(figureBase(id, { key: approachKey, label: "" }, name), drawn),
            );
            const { inlineSvg, compactSvg } = drawn;
            inline.push({ approachKey, name, inlineSvg, compactSvg });
          } catch (error) {
            // A figure that cannot be drawn is left out; the others are still made.
            if (!(error instanceof HdashError) || error.kind !== "permanent") throw error;
            const message = `${figure.title} (${approachKey}) could not be drawn: ${error.message}`;
            ctx.find([matrixFinding("M_FIGURE", "warning", id, message, { figure: name })]);
            undrawn.push({ approachKey, name });
          }
        }
        return { drawings, inline, undrawn };
      },
    }),

    renderMatrix: step({
      name: "renderMatrix",
      version: 1,
      outputs: { pages: publicTree(), summary: json<MatrixSummary>() },
      run: async (
        inputs: {
          facts: Facts | null;
          inline: readonly ProjectFigure[];
          undrawn: readonly UndrawnFigure[];
        },
        params: {
          entry: EntryParam;
          source: { kind: MatrixSource["kind"]; label: string };
          atlasId: string | null;
          updatedAt: string;
          method: MethodParam;
          siteUrl: string | null;
          design: Digest;
          hasDashboard: boolean;
        },
      ) => {
        const { entry, atlasId, ...page } = params;
        const { id, projectId, species, title, fileName, bytes, version, pageUrl } = entry;
        // A matrix that cannot be read does not get here.
        if (inputs.facts === null) throw new HdashError("permanent", `${id} was not read`);
        const summary: MatrixSummary = {
          id,
          projectId,
          species,
          title,
          atlasId,
          source: { ...params.source, fileName, bytes, version, pageUrl },
          ...inputs.facts,
          groups: withoutUndrawn(inputs.facts.groups, inputs.undrawn),
        };
        const pages = makeProjectPage(
          { ...page, summary, figures: inputs.inline, assets: effects.assets.paths },
          effects.render,
        );
        return { pages: pages.map(textFile), summary };
      },
    }),

    // Rows of the index for what this run did not do, as they were last published.
    readPublished: step({
      name: "readPublishedMatrices",
      version: 1,
      outputs: { rows: json<readonly PublishedMatrix[]>() },
      pin: async ({ ids }: { ids: readonly string[] }) => {
        const state = await effects.published.state();
        return ids.flatMap((id) => {
          const digest = state[`${PAGES}data/${id}.json`];
          return digest === undefined ? [] : [[id, digest]];
        });
      },
      run: async (_inputs: object, _params, ctx, pin) => {
        const ids = (pin as readonly (readonly [string, string])[]).map(([id]) => id);
        const rows = await effects.published.read(ctx.signal, ids);
        return { rows: rows.flatMap((row) => readPublishedMatrix(row) ?? []) };
      },
    }),

    collectAssets: step({
      name: "collectMatrixAssets",
      version: 1,
      outputs: { hashed: publicTree(), named: publicTree() },
      run: async (_inputs: object, _params: { design: Digest }) => {
        // Its pages have no interactive figures: the libraries for those stay with the dashboard.
        const files = effects.assets.files.filter(({ path }) => !path.includes("/vendor/"));
        const isHashed = ({ path }: TreeFile) => /\.[0-9a-f]{8}\.\w+$/.test(path);
        return {
          hashed: files.filter(isHashed),
          named: files.filter((one) => !isHashed(one)),
        };
      },
    }),

    renderIndex: step({
      name: "renderMatrices",
      version: 1,
      outputs: { pages: publicTree() },
      run: async (
        {
          listed: given,
        }: { listed: { rows: readonly ProjectRow[]; skips: MatrixListing["skips"] } },
        params: {
          startedAt: string;
          build: string;
          sourceLabel: string;
          design: Digest;
          hasDashboard: boolean;
        },
      ) => {
        const { startedAt, build, sourceLabel, hasDashboard } = params;
        const { rows, skips } = given;
        const run = { startedAt, build, sourceLabel };
        const pages = makeProjectsPage(
          { rows, skips, run, assets: effects.assets.paths, hasDashboard },
          effects.render,
        );
        return { pages: pages.map(textFile) };
      },
    }),
  };
}

/** What a source has, less what is not wanted: nothing of that is downloaded. */
async function choose(
  source: MatrixSource,
  { useBlacklist, targets }: MatrixParams,
  signal: AbortSignal,
): Promise<MatrixListing> {
  const blacklist = useBlacklist ? await source.blacklist(signal) : null;
  const ids = blacklist === null ? null : new Set(blacklist);
  return chooseEntries(await source.list(signal), { blacklist: ids, targets });
}

/** The files of one figure, from its place without extension. */
function figureFiles(base: string, drawn: DrawnMatrixFigure): readonly TreeFile[] {
  const png = (suffix: string, bytes: Uint8Array): TreeFile => ({
    path: `${base}${suffix}.png`,
    contentType: "image/png",
    bytes,
  });
  return [
    png("", drawn.png),
    png("@2x", drawn.png2x),
    png("-thumb", drawn.thumbnail),
    textFile({
      path: `${base}.svg`,
      contentType: "image/svg+xml; charset=utf-8",
      text: drawn.fileSvg,
    }),
    textFile({ path: `${base}.vl.json`, contentType: JSON_TYPE, text: drawn.spec }),
  ];
}

/** Gives an interface's plain data the type that JSON has: a mapped type, which TypeScript takes for an index of keys. */
export function asJson<T extends object>(value: T): { readonly [K in keyof T]: T[K] } {
  return value;
}

export function plainEntry(entry: MatrixEntry): EntryParam {
  return { ...entry };
}

function plainListing({ entries, skips }: MatrixListing) {
  return { entries: entries.map(asJson), skips: skips.map(asJson) } satisfies Json;
}

function textFile({ path, contentType, text }: PageFile): TreeFile {
  return { path, contentType, bytes: new TextEncoder().encode(text) };
}
