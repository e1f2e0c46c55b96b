// The pages about matrices on paper: printed to PDF in both widths, and read back.

import sharp from "sharp";
import { describe, expect, test } from "vitest";

import { makeProjectPage } from "../../../../src/jobs/matrix/pages/projectPage.ts";
import { makeProjectsPage } from "../../../../src/jobs/matrix/pages/projectsPage.ts";
import type { RenderPage } from "../../../../src/render/page.ts";
import { type SiteFiles, useSite } from "../../../support/browser.ts";
import { cutWords, overprints, PAPERS, placesOf, printPage } from "../../../support/paper.ts";
import { BOTH_MENU, readDesign } from "../../../support/siteSample.ts";
import { LIVER, SAMPLE_SKIPS, sampleFigures, sampleProjectRows } from "../summarySample.ts";

/** A page whose second approach is drawn, and one that has no room for that and shows published pictures. */
async function makeFiles(): Promise<SiteFiles> {
  const { templates, assets } = readDesign();
  const render: RenderPage = (template, model) => templates.render(template, model);
  const look = { assets: assets.paths, menu: BOTH_MENU };
  const run = { startedAt: "2026-11-21T02:00:00.000Z", build: "0.1.0", sourceLabel: "Azul dcp50" };
  const figures = sampleFigures(LIVER);
  const page = (given: typeof figures) =>
    makeProjectPage(
      {
        summary: LIVER,
        figures: given,
        updatedAt: "2026-11-20T02:00:00.000Z",
        method: { seed: 1, sampleCells: 10_000, madeWith: {} },
        siteUrl: null,
        atlasPath: null,
        ...look,
      },
      render,
    )[0]?.text ?? "";
  const heavy = figures.map((figure) => ({
    ...figure,
    compactSvg: figure.compactSvg.replace("</svg>", `<!--${"x".repeat(600_000)}--></svg>`),
  }));
  const files = new Map<string, string | Uint8Array>([
    ["matrices/drawn.html", page(figures)],
    ["matrices/pictures.html", page(heavy)],
    [
      "matrices/index.html",
      makeProjectsPage({ rows: sampleProjectRows(), skips: SAMPLE_SKIPS, run, ...look }, render)[0]
        ?.text ?? "",
    ],
    ...assets.files.map(({ path, bytes }): [string, Uint8Array] => [`matrices/${path}`, bytes]),
  ]);
  // With a caption of their own below what is shown of them, as published pictures have.
  const caption = `<svg xmlns="http://www.w3.org/2000/svg" width="600" height="500"><rect width="600" height="500" fill="#fff"/><rect y="470" width="600" height="20"/></svg>`;
  const picture = await sharp(Buffer.from(caption)).png().toBuffer();
  for (const [, key = ""] of [...files.values()]
    .join("")
    .matchAll(/\.\.\/(project-assets\/[^" ]+\.png)/g)) {
    files.set(key, picture);
  }
  return files;
}

const { open } = useSite(makeFiles);

describe.each(PAPERS)("on %s", (format) => {
  test.each(["drawn", "pictures"])(
    "a matrix has all approaches with their figures: %s",
    async (name) => {
      const { page } = await open(`matrices/${name}.html`);
      const paper = await printPage(page, format);
      expect(cutWords(paper)).toEqual([]);
      expect(overprints(paper)).toEqual([]);
      const titles = (panel: string) => page.locator(`#panel-${panel} .plate h4`).allTextContents();
      const [tenx, smart] = [await titles("lca-10X"), await titles("lca-SS2")];
      expect([tenx.length, smart.length]).toEqual([8, 8]);
      placesOf(paper, [
        LIVER.title.split(" ")[0] ?? "",
        ...tenx,
        ...smart,
        "How it was made",
        "Use the figures",
        "Keys",
      ]);
      // A published picture has a caption of its own, which the page's own words stand for.
      await page.emulateMedia({ media: "print" });
      const shown = await page.evaluate<boolean[]>(`[...document.querySelectorAll(".picture")].map(
        (box) =>
          getComputedStyle(box).overflow === "hidden" &&
          box.querySelector("img").getBoundingClientRect().height > box.getBoundingClientRect().height,
      )`);
      expect(shown).toEqual(name === "pictures" ? shown.map(() => true) : []);
    },
  );

  test("the list of matrices has every number of each", async () => {
    const { page } = await open("matrices/index.html");
    const paper = await printPage(page, format);
    expect(cutWords(paper)).toEqual([]);
    expect(overprints(paper)).toEqual([]);
    const said = new Set(paper.words.map(({ text }) => text));
    const shown = await page.locator(".matrices tbody td > span").allTextContents();
    const words = shown.flatMap((text) => text.split(/\s+/).filter(Boolean));
    expect(words.length).toBeGreaterThan(20);
    expect(words.filter((word) => !said.has(word))).toEqual([]);
  });
});
