// All files that tell a study: pages, and their data with its schemas.

import type { PageFigure, PageFile } from "../../../render/page.ts";
import { makeChecksPage } from "./checksPage.ts";
import { makeComparePage } from "./comparePage.ts";
import { makeCountsPage } from "./countsPage.ts";
import { makeExportsPage } from "./exportsPage.ts";
import { makeOverviewPage } from "./overviewPage.ts";
import type { PageContext } from "./pageFrame.ts";
import { studyJson, typeJson } from "./studyJson.ts";
import { studyTables } from "./studyTables.ts";
import { makeTypePage } from "./typePage.ts";

/** Makes them; a figure that is missing is left out of its page. */
export function makeStudyPages(
  context: PageContext,
  figures: readonly PageFigure[],
): readonly PageFile[] {
  const figure = (id: string): PageFigure | null => figures.find((one) => one.id === id) ?? null;
  const { study } = context;
  return [
    makeOverviewPage(context, figure("days")),
    makeExportsPage(context, figure("flow")),
    makeChecksPage(context),
    makeCountsPage(context),
    makeComparePage(
      context,
      figures.filter(({ id }) => id.startsWith("compare-")),
    ),
    ...study.types.flatMap((type) => [
      makeTypePage(context, type, figure(`days-${type.type}`)),
      typeJson(context, type),
    ]),
    ...studyJson(context),
    ...studyTables(study),
  ];
}
