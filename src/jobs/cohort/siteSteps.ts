// The steps of the pages about cohorts: figures, which are drawn again only where their numbers move, and the pages around them.

import type { Digest } from "../../digest.ts";
import { json, publicTree, step } from "../../engine/step.ts";
import { makeMenuStep } from "../../job.ts";
import type { SiteAssets } from "../../render/assets.ts";
import type { Menu, PageFigure, RenderPage } from "../../render/page.ts";
import { splitAssets, textFile } from "../../render/siteFiles.ts";
import type { Comparison } from "./data/comparison.ts";
import type { Study, TypeLine } from "./data/study.ts";
import type { Trends } from "./pages/pageFrame.ts";
import type { StudyFigure } from "./pages/studyFigures.ts";
import { makeStudyPages } from "./pages/studyPages.ts";

/** What pages use of the world. */
export interface SiteEffects {
  readonly render: RenderPage;
  readonly assets: SiteAssets;
  /** Digest of the templates and assets: what else shapes a page. */
  readonly designDigest: Digest;
  /** Versions of the libraries and fonts that draw. */
  readonly drawnBy: Readonly<Record<string, string>>;
  /** Where exports come from, for pages; without credentials. */
  readonly sourceLabel: string;
  /** Reads the menu of the site that is published to. */
  readMenu(): Promise<Menu>;
}

/** What the figures of a study as a whole are drawn from. */
export type DrawnStudy = Pick<Study, "cohorts" | "flow" | "today">;
/** What the figure of a type is drawn from. */
export interface DrawnType {
  readonly type: Pick<TypeLine, "type" | "days">;
  readonly cohorts: readonly string[];
}

export type SiteSteps = ReturnType<typeof makeSiteSteps>;

/** Makes the steps. */
export function makeSiteSteps(effects: SiteEffects) {
  const { designDigest, drawnBy, assets, render, sourceLabel } = effects;
  const draws = <I>(
    name: string,
    figuresOf: (inputs: I) => Promise<readonly (StudyFigure | null)[]>,
  ) =>
    step({
      ...{ name, version: 1, uses: { drawnBy } },
      outputs: { figures: json<readonly PageFigure[]>(), drawings: publicTree() },
      async run(inputs: I, _params: null) {
        const { drawFigures } = await import("./charts/drawFigures.ts");
        return drawFigures(await figuresOf(inputs));
      },
    });
  return {
    readMenu: makeMenuStep(() => effects.readMenu()),

    drawStudy: draws("drawStudy", async ({ study }: { readonly study: DrawnStudy }) => {
      const { calendarFigure, flowFigure } = await import("./pages/studyFigures.ts");
      return [calendarFigure(study), flowFigure(study)];
    }),

    drawType: draws("drawType", async ({ drawn }: { readonly drawn: DrawnType }) => {
      const { typeFigure } = await import("./pages/studyFigures.ts");
      return [typeFigure(drawn.type, drawn.cohorts)];
    }),

    drawComparison: draws(
      "drawComparison",
      async ({ comparison }: { readonly comparison: Comparison }) => {
        const { comparisonFigures } = await import("./pages/studyFigures.ts");
        return comparisonFigures(comparison);
      },
    ),

    renderStudy: step({
      name: "renderStudy",
      version: 1,
      uses: { design: designDigest },
      outputs: { pages: publicTree() },
      run: async (
        inputs: {
          readonly study: Study;
          readonly trends: Trends;
          readonly comparison: Comparison | null;
          readonly figures: readonly (readonly PageFigure[])[];
        },
        {
          startedAt,
          build,
          menu,
        }: { readonly startedAt: string; readonly build: string; readonly menu: Menu },
      ) => {
        const pages = makeStudyPages(
          {
            ...{
              study: inputs.study,
              trends: inputs.trends,
              comparison: inputs.comparison,
              menu,
              render,
              assets: assets.paths,
            },
            run: { startedAt, build, sourceLabel },
          },
          inputs.figures.flat(),
        );
        return { pages: pages.map(textFile) };
      },
    }),

    collectAssets: step({
      name: "collectCohortAssets",
      version: 1,
      uses: { design: designDigest },
      outputs: { hashed: publicTree(), named: publicTree() },
      run: async (_inputs: object, _params: null) =>
        // Its pages have no interactive figures: the libraries for those are not published with them.
        splitAssets(assets.files.filter(({ path }) => !path.includes("/vendor/"))),
    }),
  };
}
