// The pages in a real browser, opened from a folder: tables, tabs, themes, paper, hostile data and accessibility.

import { readFile } from "node:fs/promises";

import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";

import {
  loadAxe,
  medianAnswerMs,
  type SiteFiles,
  useSite,
  widthsThatScroll,
} from "../../../support/browser.ts";
import { sampleSite } from "../../../support/siteSample.ts";

const STUBS = ["vega", "vega-lite", "vega-embed", "cytoscape"].map(
  (name) => `assets/vendor/${name}.min.js`,
);

function makeFiles(): SiteFiles {
  const { pages, assets } = sampleSite();
  const scripts = pages
    .filter(({ path }) => /^HTA\d+\.html$/.test(path))
    .flatMap(({ path }) =>
      ["timeline", "graph"].map((kind) => `data/${path.replace(".html", "")}-${kind}.js`),
    );
  return new Map<string, string | Uint8Array>([
    ...pages.map(({ path, text }): [string, string] => [path, text]),
    ...assets.files.map(({ path, bytes }): [string, Uint8Array] => [path, bytes]),
    // What draws the interactive figures is tested with them.
    ...[...STUBS, ...scripts].map((path): [string, string] => [path, ""]),
  ]);
}

const { open } = useSite(makeFiles);
const INDEX_DATA = sampleSite().pages.find(({ path }) => path === "data/index.json")?.text ?? "";

/** Tells whether an element is in the window, below the strip of tabs. */
async function isSeen(page: Page, selector: string): Promise<boolean> {
  return page.evaluate<boolean>(`(() => {
    const { top, bottom } = document.querySelector(${JSON.stringify(selector)}).getBoundingClientRect();
    const tabs = document.querySelector(".tabs")?.getBoundingClientRect().bottom ?? 0;
    return top >= Math.max(tabs, 0) && bottom <= innerHeight;
  })()`);
}

/** Texts of a column of a table's visible rows. */
async function column(page: Page, table: string, at: number): Promise<string[]> {
  const cells = page.locator(`#${table}-table tbody tr > :nth-child(${at + 1})`);
  return (await cells.allTextContents()).map((text) => text.trim());
}

async function downloadText(page: Page, table: string, button: string) {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.locator(`#${table}-table`).getByRole("button", { name: button, exact: true }).click(),
  ]);
  return {
    name: download.suggestedFilename(),
    text: await readFile(await download.path(), "utf8"),
  };
}

function status(page: Page, table: string) {
  return page.locator(`#${table}-table [role="status"]`);
}

describe("table.js", () => {
  test("sorts by a click, and says so to those who do not see it", async () => {
    const { page, problems } = await open("index.html");
    const errors = page.getByRole("columnheader", { name: "Errors" });
    const button = errors.getByRole("button");
    await button.click();
    expect(await column(page, "atlases", 0)).toEqual(["HTA9", "HTA3", "HTA1", "HTA2", "HTA12"]);
    expect(await errors.getAttribute("aria-sort")).toBe("descending");
    await button.click();
    expect(await column(page, "atlases", 0)).toEqual(["HTA1", "HTA2", "HTA3", "HTA9", "HTA12"]);
    expect(await errors.getAttribute("aria-sort")).toBe("ascending");
    await button.click();
    expect(await errors.getAttribute("aria-sort")).toBe(null);
    expect(problems).toEqual([]);
  });

  test("searches all columns and filters each: contains, is, more, less, with units", async () => {
    const { page } = await open("index.html");
    await page.getByRole("searchbox", { name: "Search in Atlases" }).fill("synthetic lung");
    expect(await column(page, "atlases", 0)).toEqual(["HTA3"]);
    await page.getByRole("button", { name: "Clear" }).click();
    await page.getByRole("button", { name: "Filter columns" }).click();
    const ask = async (label: string, typed: string) => {
      await page.getByRole("textbox", { name: `Filter ${label}`, exact: true }).fill(typed);
      const rows = await column(page, "atlases", 0);
      await page.getByRole("textbox", { name: `Filter ${label}`, exact: true }).fill("");
      return rows;
    };
    expect(await ask("Atlas", "hta1")).toEqual(["HTA1", "HTA12"]);
    expect(await ask("Atlas", "=HTA1")).toEqual(["HTA1"]);
    expect(await ask("Size", ">2.5 TB")).toEqual(["HTA1", "HTA3"]);
    expect(await ask("Size", "< 2,200 GB")).toEqual(["HTA2", "HTA9"]);
    expect(await ask("Complete", ">82.5")).toEqual(["HTA2", "HTA9"]);
    expect(await ask("Errors", "=28")).toEqual(["HTA3"]);
    expect(await ask("Name", "no such")).toEqual(["No row matches."]);
  });

  test("keeps the view in the address, so that it can be shared", async () => {
    const { page } = await open("HTA9.html#validation");
    const table = page.locator("#findings-table");
    await table.getByRole("searchbox").fill("HTA9_59");
    await table.getByRole("button", { name: "Filter columns" }).click();
    await table.getByRole("textbox", { name: "Filter Rule" }).fill("=H_LINKS");
    await table.getByRole("columnheader", { name: "Row" }).getByRole("button").click();
    await page.waitForURL(/findings\.sort=-row/);
    const shown = {
      rows: await column(page, "findings", 5),
      says: await status(page, "findings").textContent(),
    };
    expect(shown.says).toMatch(/^\d+ of 5,000 shown$/);
    const { page: other } = await open(`HTA9.html${new URL(page.url()).hash}`);
    expect({
      rows: await column(other, "findings", 5),
      says: await status(other, "findings").textContent(),
    }).toEqual(shown);
    expect(await other.locator("#panel-validation").isVisible()).toBe(true);
    expect(await other.locator("#panel-metadata").isVisible()).toBe(false);
  });

  test("goes through thousands of rows in pages, and answers a key within 100 ms", async () => {
    const { page } = await open("HTA9.html#validation");
    const table = page.locator("#findings-table");
    expect(await table.locator("tbody tr").count()).toBe(100);
    await table.getByRole("button", { name: "Next" }).click();
    expect(await table.locator(".pager .status-line").textContent()).toBe("Page 2 of 50");
    await table.getByRole("combobox").selectOption("all");
    expect(await table.locator("tbody tr").count()).toBe(5000);
    await table.getByRole("combobox").selectOption("250");
    expect(await table.locator("tbody tr").count()).toBe(250);
    const typed = ["h", "ht", "hta", "hta9", "hta9_5", "hta9_59"];
    const field = "#findings-table input[type=search]";
    expect(await medianAnswerMs(page, field, typed)).toBeLessThan(100);
  });

  test("hands out just what is shown, as CSV, JSON and text for a spreadsheet", async () => {
    const { page } = await open("HTA9.html#validation?findings.f.row=%3C10&findings.sort=-row");
    const csv = await downloadText(page, "findings", "CSV");
    expect(csv.name).toBe("HTA9-findings-shown.csv");
    const lines = csv.text.replace("\ufeff", "").trimEnd().split("\r\n");
    expect(lines[0]).toBe("Rule,Severity,New,Finding,Component,Synapse,Row,Column,Value");
    expect(lines).toHaveLength(9);
    expect(lines[1]).toMatch(/^H_ID_SPEC,Error,,"?<img src=x onerror=/);
    const json = await downloadText(page, "findings", "JSON");
    const rows = JSON.parse(json.text) as { row: number; value: string }[];
    expect(rows.map(({ row }) => row)).toEqual([9, 8, 7, 6, 5, 4, 3, 2]);
    expect(rows[0]?.value).toContain("<img src=x");
    // As on a site served without TLS, where the newer way does not exist.
    await page.evaluate(`Object.defineProperty(navigator, "clipboard", { value: undefined });
      document.addEventListener("copy", () => {
        document.body.dataset.copied = String(getSelection());
      });`);
    await page.locator("#findings-table").getByRole("button", { name: "Copy" }).click();
    await expect.poll(() => status(page, "findings").textContent()).toBe("8 rows copied");
    const copied = await page.locator("body").getAttribute("data-copied");
    expect(copied?.split("\t").slice(0, 3)).toEqual(["Rule", "Severity", "New"]);
  });

  test("hands out the scale and the numbers of the index's own data", async () => {
    const { page } = await open("index.html");
    const { text } = await downloadText(page, "atlases", "JSON");
    const rows = JSON.parse(text) as Record<string, unknown>[];
    const { atlases } = JSON.parse(INDEX_DATA) as { atlases: Record<string, unknown>[] };
    const same = ["projectId", "totalFileSize", "files", "manifests", "percentMetadataComplete"];
    const numbers = [...same, "errors", "warnings"];
    const pick = (from: Record<string, unknown>) => numbers.map((key) => from[key]);
    expect(rows.map(pick)).toEqual(atlases.map(pick));
    expect(rows.map(({ added, removed }) => [added, removed])).toEqual([
      [3, 2],
      [null, null],
      [null, null],
      [0, 0],
      [null, null],
    ]);
    const csv = await downloadText(page, "atlases", "CSV");
    const [head = "", first = ""] = csv.text.replace("\ufeff", "").split("\r\n");
    const at = head.split(",").indexOf("Complete");
    expect(Number(first.split(",")[at])).toBe(atlases[0]?.["percentMetadataComplete"]);
  });

  test("copies by the browser's clipboard where there is one", async () => {
    const { page } = await open("index.html#?atlases.f.atlas=%3DHTA1", {
      permissions: ["clipboard-read", "clipboard-write"],
    });
    await page.getByRole("button", { name: "Copy" }).click();
    await expect.poll(() => status(page, "atlases").textContent()).toBe("1 row copied");
    const text = await page.evaluate<string>("navigator.clipboard.readText()");
    expect(text.split("\n")[1]?.split("\t").slice(0, 5)).toEqual([
      "HTA1",
      "Synthetic Breast Pre-Cancer Atlas",
      "syn31100004",
      "2510371460602",
      "142",
    ]);
  });

  test("opens a folded table that a shared address speaks of", async () => {
    const { page } = await open("HTA9.html#completeness?clinical_tier1_2.f.Exposure=1");
    expect(await page.locator("#clinical_tier1_2-table").isVisible()).toBe(true);
    expect(await status(page, "clinical_tier1_2").textContent()).toMatch(/^\d+ of 600 shown$/);
  });

  test("takes a link from a rule to its findings", async () => {
    const { page } = await open("HTA1.html#validation");
    await page.getByText("Links lead to records").click();
    await page.getByRole("link", { name: "Show only these findings" }).first().click();
    await expect.poll(() => status(page, "findings").textContent()).toBe("12 of 25 shown");
    // Where the reader looks, and where a keyboard goes on.
    await expect.poll(() => isSeen(page, "#findings-table [role=status]")).toBe(true);
    expect(await isSeen(page, "#findings")).toBe(true);
    expect(await page.evaluate("document.activeElement.closest('[data-table]')?.id")).toBe(
      "findings-table",
    );
    // The same link once more: nothing changes, but the reader is away.
    const link = page.getByRole("link", { name: "Show only these findings" }).first();
    await link.click();
    expect(await isSeen(page, "#findings-table [role=status]")).toBe(true);
    // In a tab of its own as well; a reader who comes back to it is where they were.
    const { page: other } = await open(`HTA1.html${new URL(page.url()).hash}`);
    await expect.poll(() => isSeen(other, "#findings-table [role=status]")).toBe(true);
    await other.evaluate("scrollTo(0, 0)");
    await other.reload();
    expect(await status(other, "findings").textContent()).toBe("12 of 25 shown");
    expect(await other.evaluate("scrollY")).toBe(0);
  });
});

describe("tabs.js", () => {
  test("moves by the keyboard, and the back button leads back", async () => {
    const { page, problems } = await open("HTA9.html");
    const selected = () => page.getByRole("tab", { selected: true }).getAttribute("data-tab");
    await page.getByRole("tab", { name: "Metadata files" }).focus();
    await page.keyboard.press("ArrowRight");
    expect(await selected()).toBe("validation");
    await page.keyboard.press("End");
    expect(await selected()).toBe("figures");
    await page.keyboard.press("ArrowRight");
    expect(await selected()).toBe("metadata");
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("Home");
    expect(await selected()).toBe("metadata");
    expect(await page.getByRole("tabpanel").count()).toBe(1);
    await page.goBack();
    expect(await selected()).toBe("figures");
    expect(page.url()).toMatch(/#figures$/);
    expect(problems).toEqual([]);
  });

  test("shows the tab that is linked, from the top of the page, and tells figures of it", async () => {
    const { page, problems } = await open("HTA1.html#network");
    expect(await page.getByRole("tab", { selected: true }).textContent()).toBe("Network");
    expect(await page.evaluate("scrollY")).toBe(0);
    await expect
      .poll(() => page.locator("#panel-network .fig-status").textContent())
      .toContain("not available");
    expect(problems).toEqual([]);
  });

  test("keeps the view when the skip link is used", async () => {
    const { page } = await open("HTA1.html#validation?findings.q=HTA1_9999");
    const before = await status(page, "findings").textContent();
    // Where an address leads to a table, browsers may begin there with the next key.
    await page.locator(".skip").focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(/#main$/);
    expect(await status(page, "findings").textContent()).toBe(before);
    expect(await page.getByRole("tab", { selected: true }).getAttribute("data-tab")).toBe(
      "validation",
    );
  });
});

describe("the pages", () => {
  test.each(["index.html", "HTA1.html", "HTA2.html", "HTA9.html", "runs.html", "404.html"])(
    "open from a folder without a complaint: %s",
    async (path) => {
      const { page, problems } = await open(path);
      await page.waitForLoadState("load");
      expect(problems).toEqual([]);
      expect(await page.title()).not.toBe("owned");
      // Set in Inter, which is a file of the site.
      if (path !== "404.html") {
        expect(await page.evaluate(`document.fonts.check("16px Inter")`)).toBe(true);
      }
    },
  );

  test("show hostile data as text, from markup and from data", async () => {
    for (const path of ["index.html", "HTA2.html", "HTA9.html#validation?findings.q=onerror"]) {
      const { page, problems } = await open(path);
      await expect.poll(() => page.getByText("<img src=x onerror=").first().isVisible()).toBe(true);
      expect(
        await page.locator("main img:not(.contact img), main script:not([type])").count(),
      ).toBe(0);
      expect(await page.title()).not.toBe("owned");
      expect(problems).toEqual([]);
    }
  });

  test("refuse script that gets into them all the same", async () => {
    const { page, problems } = await open("index.html");
    await page.evaluate(
      `document.body.insertAdjacentHTML("beforeend", '<img src="data:," onerror="document.title=1">')`,
    );
    await expect.poll(() => problems.join()).toContain("policy: script-src");
    expect(await page.title()).not.toBe("owned");
  });

  test("can be read without JavaScript", async () => {
    const { page } = await open("HTA9.html", { javaScriptEnabled: false });
    for (const name of [
      "metadata",
      "validation",
      "completeness",
      "longitudinal",
      "paths",
      "network",
      "figures",
    ]) {
      expect(await page.locator(`#panel-${name}`).isVisible(), name).toBe(true);
    }
    expect(await page.locator("#findings-table noscript").textContent()).toContain(
      "The first 50 of 5,000 rows.",
    );
    expect(await page.locator("#findings-table tbody tr").count()).toBe(50);
  });

  test("print all parts in ink on white, without controls", async () => {
    const { page } = await open("HTA1.html", { colorScheme: "dark" });
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    expect(await page.locator("#panel-validation").isVisible()).toBe(true);
    expect(await page.locator(".tabs").isVisible()).toBe(false);
    // Of the tools of a table only what it says of its rows.
    expect(await page.locator(":is(:not(th) > button, input, select):visible").count()).toBe(0);
    expect(await status(page, "findings").isVisible()).toBe(true);
    expect(await page.evaluate("getComputedStyle(document.body).color")).toBe("rgb(28, 34, 40)");
  });

  test("follow the system's theme until the reader chooses, and remember the choice", async () => {
    const { page } = await open("index.html", { colorScheme: "dark" });
    const paper = () => page.evaluate("getComputedStyle(document.body).backgroundColor");
    const dark = await paper();
    const button = page.getByRole("button", { name: /^Theme/ });
    expect(await button.textContent()).toBe("Theme: auto");
    await button.click();
    expect(await button.textContent()).toBe("Theme: light");
    const light = await paper();
    expect(light).not.toBe(dark);
    await page.reload();
    expect(await paper()).toBe(light);
    await button.click();
    expect(await paper()).toBe(dark);
  });

  test.each([
    "index.html",
    "HTA1.html#validation",
    "HTA2.html",
    "HTA9.html#completeness",
    "runs.html",
  ])("never scroll sideways from 390 to 1920 px: %s", async (path) => {
    const { page } = await open(path);
    expect(await widthsThatScroll(page, [390, 768, 1440, 1920])).toEqual([]);
  });
});

describe("axe-core", () => {
  const TABS = ["metadata", "validation", "completeness", "longitudinal", "paths", "network"];
  // Every page in both themes and widths; the tabs that differ in content only, in one of each.
  const cases = [
    { colorScheme: "light", width: 390, tabs: TABS },
    { colorScheme: "dark", width: 1440, tabs: TABS },
    { colorScheme: "light", width: 1440, tabs: ["validation"] },
    { colorScheme: "dark", width: 390, tabs: ["validation"] },
  ] as const;

  test.each(cases)(
    "finds nothing in $colorScheme at $width px",
    async ({ colorScheme, width, tabs }) => {
      for (const path of ["index.html", "HTA1.html", "runs.html", "404.html"]) {
        const { page } = await open(path, { colorScheme, viewport: { width, height: 844 } });
        const check = await loadAxe(page);
        for (const tab of path === "HTA1.html" ? tabs : [""]) {
          if (tab !== "") await page.locator(`#tab-${tab}`).click();
          expect(await check(), `${path} ${tab}`).toEqual([]);
        }
      }
    },
  );
});
