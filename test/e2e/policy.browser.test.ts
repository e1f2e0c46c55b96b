// Every kind of page of the published site, served with CloudFront's headers: nothing breaks the content security policy, and nothing is missed of what it forbids.

import { readdir } from "node:fs/promises";
import { join } from "node:path";

import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { openPage, startBrowser, type WatchedPage } from "../support/browser.ts";
import { demoSite } from "../support/demoSite.ts";
import { serveSite, type SiteEdge } from "../support/siteEdge.ts";

let edge: SiteEdge;
let browser: Browser;
let context: BrowserContext;
let paths: readonly string[] = [];

beforeAll(async () => {
  const { site, ended } = await demoSite("both");
  if (ended.code !== 0) throw new Error(ended.stderr);
  const entries = await readdir(site, { recursive: true, withFileTypes: true });
  paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(site.length + 1))
    .sort();
  edge = await serveSite(site);
  browser = await startBrowser();
});
afterAll(async () => {
  await browser.close();
  await edge.close();
});
beforeEach(async () => {
  context = await browser.newContext({ viewport: { width: 1440, height: 1000 } });
});
afterEach(() => context.close());

function open(path: string): Promise<WatchedPage> {
  return openPage(context, `${edge.url}/${path.split("/").map(encodeURIComponent).join("/")}`);
}

/** Shows a tab, and waits for what is made when it is seen. */
async function showTab(page: Page, tab: string): Promise<void> {
  await page.locator(`#tab-${tab}`).click();
  const panel = page.locator(`#panel-${tab}`);
  await panel.waitFor({ state: "visible" });
  if ((await panel.locator(".fig-interactive").count()) > 0) {
    await panel.locator(".fig-interactive[data-state=ready]").waitFor();
  }
}

/** How many bars can be seen, and how many pixels they are from the percent beside them at the most. */
function measureBars(page: Page): Promise<{ readonly count: number; readonly most: number }> {
  return page.evaluate(`(() => {
    const tracks = [...document.querySelectorAll(".bar-track")].filter((one) => one.checkVisibility());
    const off = tracks.map((track) => {
      const { width, height } = track.getBoundingClientRect();
      const fill = track.firstElementChild.getBoundingClientRect();
      const share = parseFloat(track.closest("td, th").textContent) / 100;
      return width < 30 ? width : Math.max(Math.abs(fill.width - width * share), Math.abs(fill.height - height));
    });
    return { count: off.length, most: Math.max(0, ...off) };
  })()`);
}

describe("the site behind CloudFront's headers", () => {
  test("keeps its policy on every page and in every tab, and its bars are as long as their shares", async () => {
    const pages = paths.filter((path) => path.endsWith(".html"));
    const kinds = ["404.html", "HTA1.html", "index.html", "matrices/index.html", "runs.html"];
    expect(pages).toEqual(expect.arrayContaining(kinds));
    expect(pages.some((path) => /^matrices\/[^/]+\.homo_sapiens\.html$/.test(path))).toBe(true);
    const bars: Record<string, number> = {};
    for (const path of pages) {
      const { page, problems } = await open(path);
      const tabs = await page.evaluate<string[]>(
        `[...document.querySelectorAll("[data-tab]")].map((tab) => tab.dataset.tab)`,
      );
      if (/^HTA/.test(path)) {
        const shown = ["metadata", "validation", "longitudinal", "network"];
        expect(tabs, path).toEqual(expect.arrayContaining(shown));
      }
      for (const tab of tabs.length === 0 ? [""] : tabs) {
        if (tab !== "") await showTab(page, tab);
        const { count, most } = await measureBars(page);
        expect(most, `${path} ${tab}`).toBeLessThan(1);
        bars[path] = (bars[path] ?? 0) + count;
      }
      expect(problems, path).toEqual([]);
      await page.close();
    }
    expect(bars["index.html"]).toBe(pages.filter((path) => path.startsWith("HTA")).length);
    expect(bars["HTA1.html"]).toBeGreaterThan(3);
  });

  test("keeps its policy while its interactive figures are used, and what they draw is handed out", async () => {
    const { page, problems } = await open("HTA1.html");
    const press = (tab: string, name: string) =>
      page
        .locator(`#panel-${tab} .fig-interactive`)
        .getByRole("button", { name, exact: true })
        .click();
    const download = (tab: string, name: string) =>
      Promise.all([page.waitForEvent("download"), press(tab, name)]);

    await showTab(page, "longitudinal");
    await page.locator(".fig-canvas .mark-symbol.role-mark path").first().hover();
    await page.locator(".fig-tooltip").waitFor({ state: "visible" });
    for (const name of ["SVG", "PNG", "Vega-Lite spec"]) await download("longitudinal", name);
    for (const name of ["Zoom in", "Later", "Reset"]) await press("longitudinal", name);

    await showTab(page, "network");
    for (const name of ["Zoom in", "Fit"]) await press("network", name);
    await download("network", "PNG");
    await page.getByRole("button", { name: /^Theme/ }).click();
    // Cytoscape's canvases lie on each other, within their box.
    const look = await page.evaluate(`(() => {
      const host = document.querySelector(".fig-network");
      return [getComputedStyle(host).position, host.querySelectorAll("canvas").length];
    })()`);
    expect(look).toEqual(["relative", 3]);
    expect(problems).toEqual([]);
  });

  test.each(["no-such-page", "no/such/folder/page.html", "matrices/"])(
    "has a page in its colours for an address that is none: %s",
    async (path) => {
      const { page, problems } = await open(path);
      expect(await page.locator("h1").textContent()).toBe("There is no page here");
      const look = await page.evaluate(`[
        getComputedStyle(document.body).display,
        getComputedStyle(document.querySelector("h1")).fontSize,
      ]`);
      expect(look).toEqual(["grid", "28px"]);
      expect(problems).toEqual([expect.stringContaining("status of 404")]);
    },
  );

  test("keeps its policy with drawings that are opened by themselves", async () => {
    const drawings = paths.filter((path) => path.endsWith(".svg"));
    const kinds = new Map(drawings.map((path) => [path.replace(/.*[/-]/, ""), path]));
    expect(kinds.size).toBeGreaterThan(8);
    for (const path of kinds.values()) {
      const { page, problems } = await open(path);
      expect(await page.locator("svg > title").count(), path).toBe(1);
      // A drawing has no icon of its own, and the browser asks for the site's.
      expect(problems.filter((text) => !text.includes("status of 404"))).toEqual([]);
      await page.close();
    }
  });

  test("refuses a style that gets into a page all the same", async () => {
    const { page, problems } = await open("index.html");
    await page.evaluate(
      `document.body.insertAdjacentHTML("beforeend", '<p id="late" style="width: 7px">late</p>')`,
    );
    await expect.poll(() => problems.join()).toContain("policy: style-src-attr inline");
    expect(await page.evaluate("document.getElementById('late').offsetWidth")).toBeGreaterThan(100);
  });
});
