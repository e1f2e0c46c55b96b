// The page that lists the pipelines of users that have pages on the site.

import { count, duration, instant } from "../format.ts";
import { PIPELINES, PIPELINES_FOLDER } from "../job.ts";
import type { Design } from "../render/design.ts";
import { HTML, makeFrame, type Menu, type PageAssets, TABLE_PAGE } from "../render/page.ts";
import { type SiteFile, textFile } from "../render/siteFiles.ts";
import { type CellValue, makeTable, type Tone } from "../render/table.ts";
import type { RunStatus } from "../run.ts";
import type { LedgerRun } from "../store/lineage.ts";
import { assetsOf } from "./runFiles.ts";

const LOADS: PageAssets = {
  styles: [...TABLE_PAGE.styles, "provenance.css"],
  scripts: TABLE_PAGE.scripts,
};

const TONES: Readonly<Partial<Record<RunStatus, Tone>>> = {
  succeeded: "good",
  degraded: "warning",
  failed: "error",
};

/** Makes the page, and what it loads. @param runs the one that the pages of each pipeline are of; of one that was forgotten there is none. */
export function makePipelinesFiles({
  names,
  runs,
  menu,
  design: { render, assets },
}: {
  readonly names: readonly string[];
  readonly runs: readonly LedgerRun[];
  readonly menu: Menu;
  readonly design: Design;
}): readonly SiteFile[] {
  const [{ path }] = PIPELINES.places;
  const text = render("lineage/pipelines", {
    frame: makeFrame({
      ...{ title: PIPELINES.brand, path, menu, assets: assets.paths, loads: LOADS },
      description: "Pipelines whose last runs can be looked at here.",
    }),
    summary: `${count(names.length, "pipeline")} with pages of the last run each`,
    pipelines: makeTable({
      ...{ id: "pipelines", name: "pipelines", caption: "Pipelines" },
      columns: [
        { key: "name", label: "Pipeline", kind: "text", hint: "Leads to its last run" },
        { key: "state", label: "Ended", kind: "text" },
        { key: "run", label: "Run", kind: "number" },
        { key: "finishedAt", label: "At", kind: "date" },
        { key: "ms", label: "Took", kind: "number", hint: "Compared in milliseconds" },
      ],
      rows: names.map((name) => [
        { text: name, href: `${name}/index.html` },
        ...runCells(runs.find(({ pipeline }) => pipeline === name)),
      ]),
      empty: "No pipeline has pages here.",
    }),
  });
  const loaded = assetsOf([text], assets.files).map((file) => ({
    ...file,
    path: `${PIPELINES_FOLDER}${file.path}`,
  }));
  return [...loaded, textFile({ path, text, contentType: HTML })];
}

function runCells(run: LedgerRun | undefined): readonly CellValue[] {
  if (run === undefined) return ["", "", "", ""];
  const { status, id, startedAt, finishedAt } = run;
  const tone = TONES[status];
  const at = finishedAt?.toISOString() ?? null;
  const ms =
    startedAt === null || finishedAt === null ? null : finishedAt.getTime() - startedAt.getTime();
  return [
    { text: status, ...(tone === undefined ? {} : { tone }) },
    Number(id),
    at === null ? "" : { text: instant(at), value: at },
    ms === null ? "" : { text: duration(ms), value: ms },
  ];
}
