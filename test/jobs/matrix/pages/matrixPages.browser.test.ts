// The pages about matrices in a real browser, opened from a folder: the list, its filters and pictures, the figures, themes, paper and accessibility.

import type { BrowserContextOptions, Page } from "playwright-core";
import sharp from "sharp";
import { describe, expect, test } from "vitest";

import {
  makeProjectPage,
  type ProjectFigure,
} from "../../../../src/jobs/matrix/pages/projectPage.ts";
import {
  makeProjectsPage,
  type ProjectRow,
} from "../../../../src/jobs/matrix/pages/projectsPage.ts";
import type { MatrixSummary } from "../../../../src/jobs/matrix/summary.ts";
import type { PageFile, RenderPage } from "../../../../src/render/page.ts";
import {
  loadAxe,
  medianAnswerMs,
  type SiteFiles,
  useSite,
  widthsThatScroll,
} from "../../../support/browser.ts";
import { BOTH_MENU, readDesign } from "../../../support/siteSample.ts";
import {
  AWKWARD,
  LIVER,
  RETINA,
  SAMPLE_SKIPS,
  sampleFigures,
  sampleProjectRows,
} from "../summarySample.ts";

const INDEX = "index.html";
const MANY = "many/index.html";
const PICTURES = "pictures.html";
const PAGES = [LIVER, RETINA, AWKWARD].map(({ id }) => `${id}.html`) as [string, string, string];
const [LIVER_PAGE, RETINA_PAGE, AWKWARD_PAGE] = PAGES;

async function makeFiles(): Promise<SiteFiles> {
  const { templates, assets } = readDesign();
  const render: RenderPage = (template, model) => templates.render(template, model);
  const look = { assets: assets.paths, menu: BOTH_MENU };
  const run = { startedAt: "2026-11-21T02:00:00.000Z", build: "0.1.0", sourceLabel: "Azul dcp50" };
  const list = (rows: readonly ProjectRow[]) =>
    makeProjectsPage({ rows, skips: SAMPLE_SKIPS, run, ...look }, render);
  const [liver, , retina] = sampleProjectRows() as [ProjectRow, ProjectRow, ProjectRow];
  const many = Array.from({ length: 1000 }, (_, at): ProjectRow => {
    const row = at % 3 === 0 ? retina : liver;
    return { ...row, failure: null, title: `Project number ${at}` };
  });
  const project = (summary: MatrixSummary, figures: readonly ProjectFigure[]) =>
    makeProjectPage(
      {
        summary,
        figures,
        updatedAt: "2026-11-20T02:00:00.000Z",
        method: { seed: 1, sampleCells: 50_000, madeWith: { "scran.js": "4.1.0" } },
        siteUrl: null,
        atlasPath: null,
        ...look,
      },
      render,
    );
  const pages: readonly PageFile[] = [
    ...list(sampleProjectRows()),
    ...list(many).map((page) => ({ ...page, path: `many/${page.path}` })),
    ...[LIVER, RETINA, AWKWARD].flatMap((summary) => project(summary, sampleFigures(summary))),
    // Too heavy for a page that draws both approaches.
    ...project(
      LIVER,
      sampleFigures(LIVER).map((figure) => ({
        ...figure,
        compactSvg: figure.compactSvg.replace("</svg>", `<!--${"x".repeat(600_000)}--></svg>`),
      })),
    )
      .slice(0, 1)
      .map((page) => ({ ...page, path: PICTURES })),
  ];
  const picture = await sharp({
    create: { width: 320, height: 240, channels: 3, background: "#ffffff" },
  })
    .png()
    .toBuffer();
  const files = new Map<string, string | Uint8Array>();
  for (const { path, text } of pages) {
    files.set(`matrices/${path}`, text);
    for (const [, key = ""] of text.matchAll(/src="\.\.\/(project-assets\/[^"]+)"/g)) {
      // Pages of a thousand rows lie a folder deeper.
      files.set(path.startsWith("many/") ? `matrices/${key}` : key, picture);
    }
    for (const [, key = ""] of text.matchAll(/, \.\.\/(project-assets\/\S+) 1200w/g)) {
      files.set(decodeURIComponent(key), picture);
    }
    // What else a row may show has a file as well.
    for (const [, key = ""] of text.matchAll(/href="\.\.\/(project-assets\/[^"]+\.png)"/g)) {
      files.set(key.replace(/\.png$/, "-thumb.png"), picture);
    }
  }
  for (const { path, bytes } of assets.files) {
    files.set(`matrices/${path}`, bytes);
    files.set(`matrices/many/${path}`, bytes);
  }
  return files;
}

const site = useSite(makeFiles);

/** Opens a page of the folder of matrices; `path` may have an address part after #. */
function open(path: string, options?: BrowserContextOptions) {
  return site.open(`matrices/${path}`, options);
}

/** Titles of the rows shown. */
function titles(page: Page): Promise<string[]> {
  return page.locator(".matrices tbody .entry-text > :first-child").allTextContents();
}

const status = (page: Page) => page.locator(".gallery .status-line[role=status]").textContent();

const choice = (page: Page, name: string) => page.getByRole("combobox", { name, exact: true });

describe("gallery.js", () => {
  test("searches titles, ids, species and approaches by all their names", async () => {
    const { page, problems } = await open(INDEX);
    const search = page.getByRole("searchbox", { name: "Search in matrices" });
    const found = async (typed: string) => {
      await search.fill(typed);
      return titles(page);
    };
    expect(await found("LIVER cell")).toEqual([LIVER.title]);
    expect(await found("8185730f")).toEqual([RETINA.title]);
    expect(await found("danio")).toEqual([AWKWARD.title]);
    expect(await found("smart-seq2")).toEqual([LIVER.title, RETINA.title]);
    expect(await found("no such thing")).toEqual([]);
    expect(await page.locator(".matrices tbody").textContent()).toBe("No matrix matches.");
    expect(await status(page)).toBe("0 of 4 shown");
    expect(problems).toEqual([]);
  });

  test("filters by species and approach, and keeps that in the address", async () => {
    const { page } = await open(INDEX);
    const options = await choice(page, "Approach").locator("option").allTextContents();
    expect(options).toEqual(["all", "SS2 (2)", "10X (1)", "sci-RNA-seq (1)"]);
    await choice(page, "Approach").selectOption("SS2");
    expect(await titles(page)).toEqual([LIVER.title, RETINA.title]);
    await choice(page, "Species").selectOption("Mus musculus");
    expect(await titles(page)).toEqual([RETINA.title]);
    await page.waitForURL(/#\?list\.species=Mus\+musculus&list\.approach=SS2$/);
    const { page: other } = await open(INDEX + new URL(page.url()).hash);
    expect(await titles(other)).toEqual([RETINA.title]);
    expect(await status(other)).toBe("1 of 4 shown");
    await other.getByRole("button", { name: "Clear" }).click();
    expect(await status(other)).toBe("4 matrices");
    expect(await other.getByRole("searchbox").evaluate("document.activeElement.type")).toBe(
      "search",
    );
  });

  test("says that nothing matches an address that asks for what is gone", async () => {
    const { page, problems } = await open(
      `${INDEX}#?list.species=Rattus&list.sort=colour&list.page=9`,
    );
    expect(await status(page)).toBe("0 of 4 shown");
    expect(await choice(page, "Species").inputValue()).toBe("Rattus");
    expect(problems).toEqual([]);
  });

  test("follows the address when it is changed by hand", async () => {
    const { page } = await open(INDEX);
    await page.evaluate(`location.hash = "#?list.q=retina"`);
    await expect.poll(() => titles(page)).toEqual([RETINA.title]);
    expect(await page.getByRole("searchbox").inputValue()).toBe("retina");
  });

  test("sorts by a click, numbers from the top, and leaves what is not known at the end", async () => {
    const { page } = await open(INDEX);
    const lost = "Lost & <b>found</b>";
    const cells = page.getByRole("columnheader", { name: "Cells" });
    await cells.getByRole("button").click();
    expect(await titles(page)).toEqual([LIVER.title, RETINA.title, AWKWARD.title, lost]);
    expect(await cells.getAttribute("aria-sort")).toBe("descending");
    await cells.getByRole("button").click();
    expect(await titles(page)).toEqual([AWKWARD.title, RETINA.title, LIVER.title, lost]);
    expect(await cells.getAttribute("aria-sort")).toBe("ascending");
    await cells.getByRole("button").click();
    expect(await cells.getAttribute("aria-sort")).toBe(null);
    await page.getByRole("columnheader", { name: "Matrix" }).getByRole("button").click();
    expect(await titles(page)).toEqual([AWKWARD.title, LIVER.title, lost, RETINA.title]);
  });

  test("shows another figure of each matrix, where it has that", async () => {
    const { page, problems } = await open(INDEX);
    const names = () =>
      page.evaluate<string[]>(
        `[...document.querySelectorAll(".matrices tbody img")].map((one) => one.getBoundingClientRect().width === 0 ? "" : one.src.split("/").at(-1))`,
      );
    expect(await names()).toEqual(["umap-thumb.png", "umap-thumb.png", "violin-thumb.png"]);
    await choice(page, "Picture").selectOption("rank_gene_groups");
    // The retina has no clusters.
    expect(await names()).toEqual(["rank_gene_groups-thumb.png", "rank_gene_groups-thumb.png", ""]);
    await page.waitForURL(/list\.picture=rank_gene_groups$/);
    await choice(page, "Picture").selectOption("");
    expect(await names()).toEqual(["umap-thumb.png", "umap-thumb.png", "violin-thumb.png"]);
    expect(problems).toEqual([]);
  });

  test("goes through a thousand rows in pages, and answers a key within 100 ms", async () => {
    const { page } = await open(MANY);
    expect(await page.locator(".matrices tbody tr").count()).toBe(50);
    expect(await status(page)).toBe("1,000 matrices");
    await page.locator(".gallery").getByRole("button", { name: "Next" }).click();
    expect(await page.locator(".gallery .pager .status-line").textContent()).toBe("Page 2 of 20");
    expect((await titles(page))[0]).toBe("Project number 50");
    await page.waitForURL(/list\.page=2$/);
    const typed = ["p", "pr", "project", "project 9", "project 99", "project 999"];
    expect(await medianAnswerMs(page, ".gallery input[type=search]", typed)).toBeLessThan(100);
    expect(await titles(page)).toEqual(["Project number 999"]);
  });

  test("copies a snippet, or selects it where there is no clipboard", async () => {
    const { page } = await open(`${LIVER_PAGE}#reuse`, {
      permissions: ["clipboard-read", "clipboard-write"],
    });
    const box = page.locator("#panel-reuse .snippet");
    const snippet = await box.locator("pre").textContent();
    expect(snippet).toMatch(/^<img src="\/project-assets\/.*\/10X\/umap\.png"\n/);
    await box.getByRole("button", { name: "Copy" }).click();
    await expect.poll(() => box.getByRole("status").textContent()).toBe("Copied");
    expect(await page.evaluate("navigator.clipboard.readText()")).toBe(snippet);
    await page.evaluate(`Object.defineProperty(navigator, "clipboard", { value: undefined })`);
    await box.getByRole("button", { name: "Copy" }).click();
    await expect
      .poll(() => box.getByRole("status").textContent())
      .toBe("Selected: copy it with the keyboard");
    expect(await page.evaluate("String(getSelection())")).toBe(snippet);
  });
});

describe("the page of a matrix", () => {
  test("leads from the contact sheet to a figure, and shares the address of each", async () => {
    const { page, problems } = await open(LIVER_PAGE);
    const isInView = (id: string) =>
      page.evaluate<boolean>(
        `(({ top }) => top >= 0 && top < innerHeight)(document.getElementById("${id}").getBoundingClientRect())`,
      );
    expect(await isInView("fig-10X-pca")).toBe(false);
    await page.locator("#panel-lca-10X .contact-sheet").getByText("PCA").click();
    await expect.poll(() => isInView("fig-10X-pca")).toBe(true);
    expect(page.url()).toMatch(/#fig-10X-pca$/);
    const { page: other } = await open(`${LIVER_PAGE}#fig-SS2-umap`);
    expect(await other.getByRole("tab", { selected: true }).getAttribute("data-tab")).toBe(
      "lca-SS2",
    );
    expect(await other.locator("#fig-SS2-umap").isVisible()).toBe(true);
    expect(problems).toEqual([]);
  });

  test("draws figures for the width there is", async () => {
    const { page } = await open(LIVER_PAGE);
    const shown = () =>
      page.evaluate<string[]>(
        `[...document.querySelectorAll("#fig-10X-umap .drawing svg")].filter((one) => one.getBoundingClientRect().width > 0).map((one) => one.getAttribute("width"))`,
      );
    expect(await shown()).toEqual(["600"]);
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await shown()).toEqual(["350"]);
  });

  test.each([390, 1440])(
    "shows of a published picture just what is drawn in it, at %i px",
    async (width) => {
      const { page, problems } = await open(`${PICTURES}#lca-SS2`, {
        viewport: { width, height: 900 },
      });
      const seen = await page.evaluate<readonly (readonly number[])[]>(`(() =>
        [...document.querySelectorAll("#panel-lca-SS2 .picture")].map((box) => {
          const picture = box.querySelector("img").getBoundingClientRect();
          const { width, height, top } = box.getBoundingClientRect();
          const [, , w, h] = box.querySelector("svg").getAttribute("viewBox").split(" ");
          return [height / width - h / w, (top - picture.top) / width - 38 / 600, picture.width - width];
        }))()`);
      expect(seen).toHaveLength(8);
      // Lengths are whole parts of a pixel.
      for (const off of seen.flat()) expect(Math.abs(off)).toBeLessThan(0.02);
      expect(problems).toEqual([]);
    },
  );

  test("turns pictures drawn on white for the dark, and never on paper", async () => {
    const filter = async (options: BrowserContextOptions, media?: "print") => {
      const { page } = await open(LIVER_PAGE, options);
      if (media !== undefined) await page.emulateMedia({ media, colorScheme: "dark" });
      return page.evaluate<string>(
        `getComputedStyle(document.querySelector(".contact-sheet img")).filter`,
      );
    };
    expect(await filter({ colorScheme: "light" })).toBe("none");
    expect(await filter({ colorScheme: "dark" })).toContain("invert(");
    expect(await filter({ colorScheme: "dark" }, "print")).toBe("none");
  });

  test("prints all approaches and how they were made, without controls", async () => {
    const { page } = await open(LIVER_PAGE);
    await page.emulateMedia({ media: "print" });
    for (const part of ["lca-10X", "lca-SS2", "method", "reuse"]) {
      expect(await page.locator(`#panel-${part}`).isVisible(), part).toBe(true);
    }
    expect(
      await page.locator(".contact-sheet:visible, .tabs:visible, .files:visible").count(),
    ).toBe(0);
  });
});

describe("the pages about matrices", () => {
  test.each([INDEX, ...PAGES])("open from a folder without a complaint: %s", async (path) => {
    const { page, problems } = await open(path);
    await page.waitForLoadState("load");
    expect(problems).toEqual([]);
    expect(await page.title()).not.toBe("owned");
    expect(await page.evaluate(`document.fonts.check("16px Inter")`)).toBe(true);
  });

  test("can be read without JavaScript", async () => {
    const { page } = await open(INDEX, { javaScriptEnabled: false });
    expect(await titles(page)).toHaveLength(4);
    const { page: many } = await open(MANY, { javaScriptEnabled: false });
    expect(await many.locator(".matrices tbody tr").count()).toBe(1000);
    const { page: one } = await open(LIVER_PAGE, { javaScriptEnabled: false });
    for (const part of ["lca-10X", "lca-SS2", "method", "reuse"]) {
      expect(await one.locator(`#panel-${part}`).isVisible(), part).toBe(true);
    }
  });

  test.each([INDEX, LIVER_PAGE, RETINA_PAGE, AWKWARD_PAGE])(
    "never scroll sideways from 390 to 1920 px: %s",
    async (path) => {
      const { page } = await open(path);
      expect(await widthsThatScroll(page, [390, 768, 1100, 1300, 1440, 1920])).toEqual([]);
    },
  );
});

describe("axe-core", () => {
  // Every page in both themes and widths; the tabs that differ in content only, in one of each.
  const PARTS = [RETINA_PAGE, `${LIVER_PAGE}#method`, `${LIVER_PAGE}#reuse`];
  test.each([
    { colorScheme: "light", width: 390, parts: PARTS },
    { colorScheme: "dark", width: 1440, parts: PARTS },
    { colorScheme: "light", width: 1440, parts: [] },
    { colorScheme: "dark", width: 390, parts: [] },
  ] as const)(
    "finds nothing in $colorScheme at $width px",
    async ({ colorScheme, width, parts }) => {
      for (const path of [INDEX, LIVER_PAGE, ...parts]) {
        const { page } = await open(path, { colorScheme, viewport: { width, height: 844 } });
        const check = await loadAxe(page);
        expect(await check(), path).toEqual([]);
      }
    },
  );
});
