import { createHash } from "node:crypto";

import { describe, expect, test } from "vitest";

import type { PageTools } from "../../../../src/jobs/htan/pages/atlasPage.ts";
import { type IndexRow, makeIndexPage } from "../../../../src/jobs/htan/pages/indexPage.ts";
import { NOT_FOUND_PAGE, RUNS_PAGE } from "../../../../src/jobs/htan/pages/pageFrame.ts";
import { makeNotFoundPage, makeRunsPage } from "../../../../src/render/runsPage.ts";
import {
  CURRENT_RUN,
  DASHBOARD_MENU,
  plainSparkline,
  readDesign,
  sampleRows,
  sampleRuns,
} from "../../../support/siteSample.ts";

const { templates, assets } = readDesign();
const TOOLS: PageTools = {
  render: (name, model) => templates.render(name, model),
  sparkline: plainSparkline,
};
const LOOK = { assets: assets.paths, menu: DASHBOARD_MENU };
const RUN = { startedAt: "2026-11-21T02:00:00.000Z", build: "0.1.0", viewId: "syn20446927" };

function index(rows: readonly IndexRow[] = sampleRows()) {
  const [page, data] = makeIndexPage({ rows, run: RUN, ...LOOK }, TOOLS);
  return {
    paths: [page?.path, data?.path],
    html: page?.text ?? "",
    json: JSON.parse(data?.text ?? "null") as {
      totals: Record<string, unknown>;
      atlases: Record<string, unknown>[];
    },
  };
}

describe("makeIndexPage(input, tools)", () => {
  test("makes the page and its data", () => {
    expect(index().paths).toEqual(["index.html", "data/index.json"]);
    expect(index().html).toContain("built 21 Nov 2026, 02:00 UTC");
    expect(index().json.totals).toMatchObject({ atlases: 5, files: 534, errors: 3408 });
  });

  test("keeps a failed atlas's last good numbers and says since when", () => {
    const { html, json } = index();
    expect(html).toContain("2 atlases could not be updated");
    expect(html).toContain(
      "Not updated since 18 Nov 2026, 02:00 UTC: Synapse did not answer in time",
    );
    expect(json.atlases[1]).toMatchObject({
      atlasId: "HTA2",
      updatedAt: "2026-11-18T02:00:00.000Z",
      errors: 23,
      change: null,
    });
  });

  test("has neither numbers nor a page for an atlas that never was updated", () => {
    const { html, json } = index();
    expect(html).toContain("Never updated: user demo has no right to read syn31101212");
    expect(html).not.toContain('href="HTA12.html"');
    expect(json.atlases[4]).toMatchObject({
      page: null,
      data: null,
      errors: null,
      fileCounts: null,
      hasMetadata: null,
    });
  });

  test("says of an atlas that this run was not asked for how old it is", () => {
    const [row] = sampleRows();
    if (row === undefined) throw new Error("no sample row");
    const { html } = index([{ ...row, updatedAt: "2026-11-20T02:00:00.000Z" }]);
    expect(html).toContain("As of 20 Nov 2026, 02:00 UTC");
    expect(html).not.toContain("could not be updated");
  });

  test("counts what came and went, of each atlas in columns of their own", () => {
    const { html } = index();
    expect(html).toContain("▲ 3 new · ▼ 1 fixed");
    const cells = html.match(
      /<td class="num" data-v="3"><span>3<\/span><\/td><td [^>]*>.*?<\/td>/,
    )?.[0];
    expect(cells).toContain('<td class="num" data-v="2"><span>2</span></td>');
    const [row] = sampleRows();
    if (row === undefined) throw new Error("no sample row");
    expect(index([{ ...row, delta: null }]).html).toContain("nothing to compare with yet");
  });

  test("stays small with a hundred atlases", () => {
    const [row] = sampleRows();
    if (row === undefined) throw new Error("no sample row");
    const rows = Array.from({ length: 99 }, (_, at) => ({
      ...row,
      atlas: { ...row.atlas, atlasId: `HTA${at + 1}` },
    }));
    expect(index(rows).html.length).toBeLessThan(150_000);
  });

  test("shows a registry without atlases", () => {
    expect(index([]).html).toContain("No atlas is registered yet.");
  });
});

describe("the index and what it loads", () => {
  test("transfer less than 150 kB with fifteen atlases", () => {
    const [row] = sampleRows();
    if (row === undefined) throw new Error("no sample row");
    const { html } = index(Array.from({ length: 15 }, () => row));
    const loaded = [...html.matchAll(/(?:src|href)="(assets\/[^"]+)"/g)].map(([, path]) => path);
    expect(loaded.length).toBeGreaterThan(5);
    const size = (wanted: (path: string) => boolean) =>
      assets.files
        .filter(({ path }) => wanted(path))
        .reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
    const all =
      html.length + size((path) => loaded.includes(path)) + size((path) => path.endsWith(".woff2"));
    expect(all).toBeLessThan(150_000);
  });
});

describe("makeRunsPage(input, render)", () => {
  test("tells of each run, and of the one that makes the page", () => {
    const page = makeRunsPage(
      { runs: sampleRuns(), current: CURRENT_RUN, ...LOOK, ...RUNS_PAGE },
      TOOLS.render,
    );
    expect(page.path).toBe("runs.html");
    expect(page.text).toContain(
      "The last 30 runs: 28 succeeded, 1 degraded and 1 failed; half of them took 1 min 41 s or less.",
    );
    expect(page.text).toContain("Not updated: HTA2");
    // Errors' own words may name users, addresses and paths: they are not for a public page.
    expect(page.text).not.toContain("the database went away");
    expect(page.text).not.toContain("did not answer in time");
    expect(page.text).toContain("6 put, 2 deleted");
  });

  test("has the runs of every job, and first the one that makes the page", () => {
    const page = makeRunsPage(
      { runs: sampleRuns(), current: CURRENT_RUN, ...LOOK, ...RUNS_PAGE },
      TOOLS.render,
    );
    const rows = [...page.text.matchAll(/<tr><th scope="row".*?<\/tr>/g)].map(([row]) =>
      [...row.matchAll(/<span>([^<]*)<\/span>/g)].map(([, text]) => text),
    );
    expect(rows).toHaveLength(31);
    expect(rows[0]).toEqual([
      ...["21 Nov 2026, 02:00 UTC", "htan", "Made this page", "", "", "", ""],
      ...["4", "2", "", "Not updated: HTA2", "0.1.0"],
    ]);
    expect(rows.map(([, job]) => job).filter((job) => job === "matrix")).toHaveLength(3);
    expect(page.text).toContain("made by the run of htan that started 21 Nov 2026, 02:00 UTC");
  });

  test("has words for the very first run and for one that is still at work", () => {
    const make = (runs: ReturnType<typeof sampleRuns>) =>
      makeRunsPage({ runs, current: CURRENT_RUN, ...LOOK, ...RUNS_PAGE }, TOOLS.render).text;
    expect(make([])).toContain("No run has finished before this one.");
    const [run] = sampleRuns();
    if (run === undefined) throw new Error("no sample run");
    expect(make([{ ...run, status: "running", finishedAt: null, published: null }])).toContain(
      "The last 1 run.",
    );
  });
});

describe("makeNotFoundPage(input, render)", () => {
  test("refers to nothing that depends on the address it is served for", () => {
    const make = (siteUrl: string | null) =>
      makeNotFoundPage({ siteUrl, ...NOT_FOUND_PAGE }, TOOLS.render);
    const { path, text } = make("https://example.org/site");
    expect(path).toBe("404.html");
    expect(text.match(/(?:src|href)="[^"]*"/g)).toEqual(['href="https://example.org/site/"']);
    expect(make(null).text).toContain('href="./"');
  });

  test("has a style whose hash its policy names", () => {
    const { text } = makeNotFoundPage({ siteUrl: null, ...NOT_FOUND_PAGE }, TOOLS.render);
    const [, style = ""] = /<style>([^]*)<\/style>/.exec(text) ?? [];
    const hash = createHash("sha256").update(style).digest("base64");
    expect(text).toContain(`; style-src 'sha256-${hash}'; `);
    expect(text).not.toContain("{{");
  });
});
