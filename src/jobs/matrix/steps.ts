// The steps of the matrix job: what is asked of the source, what is made of each matrix, what is published.

import type { Digest, Json } from "../../digest.ts";
import {
  type Doing,
  json,
  observation,
  publicTree,
  type Resources,
  step,
  type StepContext,
  type TreeFile,
} from "../../engine/step.ts";
import { HdashError } from "../../error.ts";
import { makeMenuStep } from "../../job.ts";
import type { SiteAssets } from "../../render/assets.ts";
import { JSON_TYPE, type Menu, type RenderPage } from "../../render/page.ts";
import { splitAssets, textFile } from "../../render/siteFiles.ts";
import type { AnalysisRequest, GroupFigures, MatrixAnalysis, OnStage } from "./analysis.ts";
import type { DrawnMatrixFigure } from "./charts/drawMatrixFigure.ts";
import { chooseEntries, makeWanted } from "./choice.ts";
import { analysisFindings, analysisMeasures } from "./findings.ts";
import { makeProjectPage, type ProjectFigure } from "./pages/projectPage.ts";
import { makeProjectsPage, type ProjectRow } from "./pages/projectsPage.ts";
import type { MatrixMethod } from "./pages/projectWords.ts";
import { publishedRows } from "./pages/publishedMatrix.ts";
import { matrixFinding } from "./problem.ts";
import type {
  FetchedMatrix,
  MatrixEntry,
  MatrixHints,
  MatrixIdentity,
  MatrixListing,
  MatrixSource,
} from "./source.ts";
import { figureBase, type MatrixSummary, type UndrawnFigure, withoutUndrawn } from "./summary.ts";

/** What a run is asked for. */
export type MatrixParams = {
  /** The source's settings: a run of another source is another run. */
  readonly source: Readonly<Record<string, Json>>;
  readonly useBlacklist: boolean;
  /** Project ids or "<uuid>.<species>", in a folder names as well; null: all. */
  readonly targets: readonly string[] | null;
};

/** What the pipeline uses of the world, and how its pages look. */
export interface MatrixEffects {
  readonly source: MatrixSource;
  /** Analyses a local matrix in a process of its own. */
  analyse(
    request: AnalysisRequest,
    options: { signal: AbortSignal; onStage: OnStage },
  ): Promise<MatrixAnalysis>;
  /** Versions of the libraries that shape an analysis. */
  readonly analysedBy: Readonly<Record<string, string>>;
  /** Project id, in a folder a name as well → atlas id. */
  readonly atlases: Readonly<Record<string, string>>;
  readonly render: RenderPage;
  readonly assets: SiteAssets;
  readonly designDigest: Digest;
  readonly drawnBy: Readonly<Record<string, string>>;
  /** Where people see the site; null where nobody said. */
  readonly siteUrl: string | null;
  /** Reads the menu of the site that is published to. */
  readMenu(): Promise<Menu>;
  /** Where another job on a site with this menu shows an atlas, from its root; null where none does. */
  atlasPath(atlasId: string, menu: Menu): string | null;
  /** What was published of matrices before: their ids, and the data files of some. */
  readonly published: {
    ids(): Promise<readonly string[]>;
    /** The data files of these, in their order, null where there is none; "index" is that of all. */
    read(signal: AbortSignal, ids: readonly string[]): Promise<readonly unknown[]>;
  };
  /** True where most of what is published may be taken away, since the source no longer has it. */
  readonly mayRemove: boolean;
  /** Warns of what is worth knowing but no reason to stop. */
  warn(message: string): void;
}

/** What a matrix that can be read says of itself. */
type Facts = Extract<MatrixAnalysis, { isReadable: true }>["facts"];
/** What shapes an analysis. */
type AnalysisParams = {
  readonly kind: MatrixSource["kind"];
  readonly matrix: { readonly [K in keyof MatrixIdentity]: MatrixIdentity[K] };
  readonly seed: number;
  readonly sampleCells: number;
};
/** A record in the order in which pages show it: a key has none for fields. */
type Pairs = readonly (readonly [name: string, value: string])[];
type MethodParam = {
  readonly seed: number;
  readonly sampleCells: number;
  readonly madeWith: Pairs;
};
type EntryParam = {
  readonly [K in keyof MatrixEntry]: K extends "version" ? Pairs : MatrixEntry[K];
};

/** An analysis keeps two cores busy: one unpacks, one counts. */
const ANALYSIS: Resources = { cpus: 2 };

export type MatrixSteps = ReturnType<typeof makeSteps>;

/** Makes the steps. */
export function makeSteps(effects: MatrixEffects) {
  return {
    ...makeObservations(effects),
    ...makeAnalysis(effects),
    ...makeDrawings(effects),
    ...makePages(effects),
  };
}

/** What is asked of the world whenever it is needed. */
function makeObservations(effects: MatrixEffects) {
  return {
    listMatrices: observation({
      name: "listMatrices",
      outputs: { listing: json<MatrixListing>() },
      read: async (params: MatrixParams, { signal }) => ({
        listing: await choose(effects, params, signal),
      }),
    }),

    listPublished: observation({
      name: "listPublishedMatrices",
      outputs: { ids: json<readonly string[]>() },
      read: async (_params: null) => ({ ids: [...(await effects.published.ids())].sort() }),
    }),

    readMenu: makeMenuStep(() => effects.readMenu()),

    // Rows of the index for what this run did not do, as they were last published. A file that somebody removed by hand and that is
    // there again must not stay missing.
    readPublished: observation({
      name: "readPublishedMatrices",
      outputs: { rows: json<readonly ProjectRow[]>() },
      async read({ ids }: { ids: readonly string[] }, { signal }) {
        const [index, ...values] = await effects.published.read(signal, ["index", ...ids]);
        return { rows: publishedRows(index, values, ids) };
      },
    }),
  };
}

/** What is made of a matrix itself. */
function makeAnalysis(effects: MatrixEffects) {
  const { source } = effects;
  return {
    // Downloading and analysing are one step: the matrix itself is never stored, only what was made of it. Its key has what shapes
    // the numbers and nothing else: a new title or another catalogue must not have terabytes read again.
    analyseMatrix: step({
      name: "analyseMatrix",
      // 2: counts are told by evidence, genes by all their names. 3: no word and no equal barcodes alone leave out or join samples.
      version: 3,
      uses: { analysedBy: effects.analysedBy },
      outputs: {
        verdict: json<string | null>(),
        facts: json<Facts | null>(),
        figures: json<readonly GroupFigures[]>(),
      },
      async run(
        _inputs: object,
        { matrix, seed, sampleCells }: AnalysisParams,
        ctx: StepContext<MatrixHints>,
      ) {
        const { signal, hints } = ctx;
        // What is in the key counts, whatever else a hint may say.
        const entry = { ...hints, ...matrix };
        const { bytes } = entry;
        const fetching: Doing = {
          doing: source.kind === "local" ? "checking" : "downloading",
          unit: "bytes",
        };
        const dir = await ctx.workDir();
        const pull = (): Promise<FetchedMatrix> =>
          source.pull(entry, dir, {
            signal,
            wait: ctx.wait,
            onProgress: (done, total) => ctx.progress(done, total, fetching),
          });
        // A download may go on while others are analysed; local files are looked at only when it is their turn, since they may change.
        const early = source.kind === "local" ? null : await pull();
        const analysis = await ctx.take(ANALYSIS, async () => {
          const { path } = early ?? (await pull());
          return effects.analyse(
            { path, approaches: matrix.approaches, scratchDir: dir, seed, sampleCells },
            {
              signal,
              onStage(stage, fraction) {
                // In the unit of the download: a number that changes what it counts tells nothing.
                if (bytes === null) ctx.progress(fraction, 1, { doing: stage, unit: "share" });
                else ctx.progress(fraction * bytes, bytes, { doing: stage, unit: "bytes" });
              },
            },
          );
        });
        // What was read must be what the key says.
        await source.confirm?.(entry, signal);
        ctx.find(analysisFindings(matrix.id, analysis));
        for (const [name, value] of Object.entries(analysisMeasures(analysis))) {
          ctx.measure(matrix.id, name, value);
        }
        return analysis.isReadable
          ? { verdict: null, facts: analysis.facts, figures: analysis.figures }
          : { verdict: analysis.message, facts: null, figures: [] };
      },
    }),

    // A step that fails is counted as such; its reason comes from the ledger, so that trying again costs nothing.
    checkReadable: step({
      name: "checkReadable",
      version: 1,
      outputs: { ok: json<boolean>() },
      run: async ({ verdict }: { verdict: string | null }, _params: null) => {
        if (verdict === null) return { ok: true };
        throw new HdashError("permanent", verdict, { publicly: verdict });
      },
    }),
  };
}

/** What is drawn of an analysis. */
function makeDrawings(effects: MatrixEffects) {
  return {
    drawFigures: step({
      name: "drawMatrixFigures",
      // 3: low expression lies near the ground in both themes, and what has a colour of its own is marked.
      // 4: no number of a cluster leaves its panel, and medians are written as on the index.
      version: 4,
      uses: { drawnBy: effects.drawnBy },
      outputs: {
        drawings: publicTree(),
        inline: json<readonly ProjectFigure[]>(),
        undrawn: json<readonly UndrawnFigure[]>(),
      },
      async run({ figures }: { figures: readonly GroupFigures[] }, { id }: { id: string }, ctx) {
        // Loaded when first drawn: a run in which nothing moved needs no chart engine.
        const { drawMatrixFigure } = await import("./charts/drawMatrixFigure.ts");
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
            const { inlineSvg, compactSvg, height } = drawn;
            inline.push({ approachKey, name, height, inlineSvg, compactSvg });
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
  };
}

/** What is written of each matrix, and around them all. */
function makePages(effects: MatrixEffects) {
  return {
    renderMatrix: step({
      name: "renderMatrix",
      // 3: has the drawings of every approach, and says how mitochondrial genes are told. 4: a picture's shape is a viewBox.
      version: 4,
      uses: { design: effects.designDigest },
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
          atlasPath: string | null;
          siteUrl: string | null;
          menu: Menu;
        },
      ) => {
        const { entry, atlasId, ...page } = params;
        const { id, projectId, species, title, fileName, bytes, pageUrl } = entry;
        const version = Object.fromEntries(entry.version);
        const { seed, sampleCells, madeWith } = params.method;
        const method: MatrixMethod = { seed, sampleCells, madeWith: Object.fromEntries(madeWith) };
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
          { ...page, method, summary, figures: inputs.inline, assets: effects.assets.paths },
          effects.render,
        );
        return { pages: pages.map(textFile), summary };
      },
    }),

    collectAssets: step({
      name: "collectMatrixAssets",
      version: 1,
      uses: { design: effects.designDigest },
      outputs: { hashed: publicTree(), named: publicTree() },
      run: async (_inputs: object, _params: null) =>
        // Its pages have no interactive figures: the libraries for those are not published with them.
        splitAssets(effects.assets.files.filter(({ path }) => !path.includes("/vendor/"))),
    }),

    renderIndex: step({
      name: "renderMatrices",
      version: 1,
      uses: { design: effects.designDigest },
      outputs: { pages: publicTree() },
      run: async (
        {
          listed: given,
        }: { listed: { rows: readonly ProjectRow[]; skips: MatrixListing["skips"] } },
        params: {
          startedAt: string;
          build: string;
          sourceLabel: string;
          menu: Menu;
        },
      ) => {
        const { startedAt, build, sourceLabel, menu } = params;
        const { rows, skips } = given;
        const run = { startedAt, build, sourceLabel };
        const pages = makeProjectsPage(
          { rows, skips, run, assets: effects.assets.paths, menu },
          effects.render,
        );
        return { pages: pages.map(textFile) };
      },
    }),
  };
}

/** What a source has, less what is not wanted: nothing of that is downloaded. */
async function choose(
  { source, warn }: MatrixEffects,
  { useBlacklist, targets }: MatrixParams,
  signal: AbortSignal,
): Promise<MatrixListing> {
  const blacklist = useBlacklist ? await source.blacklist(signal) : null;
  if (useBlacklist && blacklist === null) {
    warn(`${source.label} has no blacklist, though one was asked for: nothing is left out by it`);
  }
  const isByTitle = source.kind === "local";
  const choice = { blacklist: blacklist && new Set(blacklist), targets, isByTitle };
  return chooseEntries(await source.list(signal, { isWanted: makeWanted(choice) }), choice);
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

export function plainEntry(entry: MatrixEntry): EntryParam {
  return { ...entry, version: Object.entries(entry.version) };
}
