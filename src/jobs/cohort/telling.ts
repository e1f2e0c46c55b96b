// What a run publishes about its cohorts: the study as it stands, its figures, its pages. Written anew by every run: what nobody looked at
// since yesterday looks like what is so today.

import { asJson } from "../../digest.ts";
import type { Plan, Ref, SiteContents, SitePart, TreeFile } from "../../engine/step.ts";
import { count } from "../../format.ts";
import type { RunNews } from "../../run.ts";
import { trendName } from "./data/checkResult.ts";
import type { Comparison } from "./data/comparison.ts";
import type { Study } from "./data/study.ts";
import { studyProblems } from "./data/studyProblems.ts";
import { freshOf, verdictOf } from "./pages/overviewPage.ts";
import { FOLDER, type Trends } from "./pages/pageFrame.ts";
import type { SiteSteps } from "./siteSteps.ts";

/** So many problems are told in a chat; the page has all. */
const MOST_LINES = 12;

/** What a run's message begins with: what is wrong, then what is new. */
export function newsOf(study: Study): RunNews {
  const problems = studyProblems(study);
  const { tone, text, lead } = verdictOf(study, problems);
  const told = problems.slice(0, MOST_LINES).map((one) => one.text);
  const more = problems.length - told.length;
  return {
    tone: tone === "good" || tone === "error" ? tone : "warning",
    headline: text,
    lines: [
      ...told,
      ...(more > 0 ? [`${count(more, "more thing")} to be mended: the page has all.`] : []),
      ...(lead === "" ? [] : [lead]),
      ...freshOf(study),
    ],
  };
}

/** Changes of a type that a trend shows. */
const VERSIONS_SHOWN = 60;

/** What checks have counted over time, up to now. */
export async function trendsOf(plan: Plan, { types }: Study): Promise<Trends> {
  const trends: Record<string, { at: string; value: number }[]> = {};
  for (const { type, checks, withheld } of types) {
    if (checks.length === 0 || withheld !== null) continue;
    const { versions } = await plan.history(type, VERSIONS_SHOWN);
    for (const { id, unexpected } of checks) {
      const points = versions.flatMap(({ startedAt, measures }) => {
        const value = measures[trendName(id)];
        return value === undefined ? [] : [{ at: startedAt, value }];
      });
      if (unexpected !== null) points.push({ at: plan.run.startedAt, value: unexpected });
      trends[id] = points;
    }
  }
  return trends;
}

/** Plans the site: called with its lease held. */
export async function planStudy(
  plan: Plan,
  steps: SiteSteps,
  told: {
    readonly study: Study;
    readonly trends: Trends;
    readonly comparison: Comparison | null;
  },
): Promise<SiteContents> {
  const { study, trends, comparison } = told;
  const { menu } = await plan.do(steps.readMenu, { params: null, inputs: {} });
  const { cohorts, flow, today } = study;
  const drawn = [
    await plan.do(steps.drawStudy, {
      params: null,
      inputs: {
        study: await plan.value({ cohorts: cohorts.map(asJson), flow: asJson(flow), today }),
      },
    }),
  ];
  for (const { type, days } of study.types) {
    if (Object.keys(days).length === 0) continue;
    const one = { type: { type, days }, cohorts: cohorts.map(({ cohort }) => cohort) };
    const inputs = { drawn: await plan.value(asJson(one)) };
    drawn.push(await plan.do(steps.drawType, { params: null, inputs }));
  }
  if (comparison !== null) {
    const inputs = { comparison: await plan.value(asJson(comparison)) };
    drawn.push(await plan.do(steps.drawComparison, { params: null, inputs }));
  }
  const { startedAt, build } = plan.run;
  const { pages } = await plan.do(steps.renderStudy, {
    params: { startedAt, build, menu: await plan.read(menu) },
    inputs: {
      study: await plan.value(asJson(study)),
      trends: await plan.value(asJson(trends)),
      comparison: await plan.value(comparison === null ? null : asJson(comparison)),
      figures: drawn.map(({ figures }) => figures),
    },
  });
  const { hashed, named } = await plan.do(steps.collectAssets, { params: null, inputs: {} });
  const part = (tree: Ref<readonly TreeFile[], "public">, cache: SitePart["cache"]): SitePart => ({
    ...{ scope: null, prefix: FOLDER, tree, cache },
  });
  return {
    parts: [
      part(hashed, "immutable"),
      part(named, "page"),
      part(pages, "page"),
      ...drawn.map(({ drawings }) => part(drawings, "page")),
    ],
    keepScopes: [],
  };
}
