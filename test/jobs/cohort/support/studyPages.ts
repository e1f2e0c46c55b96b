// The pages of a study as a test wants them: with figures, and without the world.

import { drawFigures } from "../../../../src/jobs/cohort/charts/drawFigures.ts";
import type { CheckResult } from "../../../../src/jobs/cohort/data/checkResult.ts";
import type { CompareResult } from "../../../../src/jobs/cohort/data/compareResult.ts";
import { tellComparison } from "../../../../src/jobs/cohort/data/comparison.ts";
import { type StudyFacts, tellStudy } from "../../../../src/jobs/cohort/data/study.ts";
import type { PageContext, Trends } from "../../../../src/jobs/cohort/pages/pageFrame.ts";
import {
  calendarFigure,
  comparisonFigures,
  flowFigure,
  typeFigure,
} from "../../../../src/jobs/cohort/pages/studyFigures.ts";
import { makeStudyPages } from "../../../../src/jobs/cohort/pages/studyPages.ts";
import type { PageFile } from "../../../../src/render/page.ts";
import { readDesign } from "../../../support/siteSample.ts";

const HOME = { label: "Cohorts", path: "cohorts/index.html" };

/** Makes what pages are made with. */
function pageContext(
  facts: StudyFacts,
  trends: Trends,
  compared: CompareResult | null,
): PageContext {
  const { templates, assets } = readDesign();
  return {
    ...{ study: tellStudy(facts), trends, assets: assets.paths },
    comparison:
      compared === null ? null : tellComparison(compared, facts.laidOut, facts.leastPeople),
    menu: { brand: HOME, places: [HOME] },
    render: (template, model) => templates.render(template, model),
    run: { startedAt: `${facts.today}T06:20:00.000Z`, build: "0.1.0", sourceLabel: "s3://exports" },
  };
}

/** Makes all files of a study: pages, data and drawings. */
export async function studyFiles(
  facts: StudyFacts,
  trends: Trends = {},
  compared: CompareResult | null = null,
): Promise<ReadonlyMap<string, string>> {
  const context = pageContext(facts, trends, compared);
  const { study, comparison } = context;
  const cohorts = study.cohorts.map(({ cohort }) => cohort);
  const { figures, drawings } = await drawFigures([
    calendarFigure(study),
    flowFigure(study),
    ...study.types.map((type) => typeFigure(type, cohorts)),
    ...(comparison === null ? [] : comparisonFigures(comparison)),
  ]);
  const files = new Map(
    drawings.map(({ path, bytes }) => [path, Buffer.from(bytes).toString("latin1")]),
  );
  const pages: readonly PageFile[] = makeStudyPages(context, figures);
  for (const { path, text } of pages) files.set(path, text);
  return files;
}

/** A check, as a test chooses it. */
export function check(given: Partial<CheckResult> = {}): CheckResult {
  return {
    ...{ id: "devices-value", dataset: "dataset_fitbitdevices", type: "FitbitDevices" },
    ...{ column: "Value", kind: "between", text: "Value is between 0 and 100" },
    ...{ outcome: "passed", rows: 20, missing: 1, unexpected: 0, blocks: false, why: null },
    severity: "warning",
    ...given,
  };
}
