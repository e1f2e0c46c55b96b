// The published site, whole: served as S3 serves websites and opened from its folder, by a real browser.

import { readdir, readFile, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { openPage, startBrowser } from "../support/browser.ts";
import { demoSite } from "../support/demoSite.ts";
import { type S3Server, startS3 } from "../support/s3Server.ts";

const TABS = ["metadata", "validation", "completeness", "longitudinal", "paths", "network"];
const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  json: "application/json; charset=utf-8",
  svg: "image/svg+xml; charset=utf-8",
};

let site = "";
let browser: Browser;
let s3: S3Server;
let paths: readonly string[] = [];

beforeAll(async () => {
  const made = await demoSite("dashboard");
  if (made.ended.code !== 0) throw new Error(made.ended.stderr);
  ({ site } = made);
  const entries = await readdir(site, { recursive: true, withFileTypes: true });
  paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(site.length + 1))
    .sort();
  s3 = await startS3({ buckets: ["site"] });
  for (const path of paths) {
    const type = TYPES[path.slice(path.lastIndexOf(".") + 1)] ?? "application/octet-stream";
    s3.setObject("site", path, await readFile(join(site, path)), {
      "content-type": type,
    });
  }
  browser = await startBrowser();
});

afterAll(async () => {
  await browser.close();
  await s3.close();
});

describe("the published site", () => {
  test("has every file that a page refers to, and refers to no other host but Synapse's pages", async () => {
    for (const path of paths.filter((name) => name.endsWith(".html"))) {
      const html = await readFile(join(site, path), "utf8");
      const targets = [...html.matchAll(/\s(?:href|src|data-src)="([^"]*)"/g)].map(
        (match) => match[1] ?? "",
      );
      expect(targets.length, path).toBeGreaterThan(0);
      for (const target of targets) {
        if (/^https:\/\/www\.synapse\.org\/Synapse:syn\d+$/.test(target)) continue;
        const file = target.replace(/[?#].*$/, "");
        if (file === "" || file === "./" || target.startsWith("data:image/svg+xml,")) continue;
        expect(paths, `${path} → ${target}`).toContain(decodeURIComponent(file));
      }
    }
  });

  test("keeps the index below 150 KB with all that it loads", async () => {
    const html = await readFile(join(site, "index.html"), "utf8");
    const loaded = [...html.matchAll(/\s(?:href|src)="(assets\/[^"]*)"/g)].map(
      (match) => match[1] ?? "",
    );
    const sizes = await Promise.all(
      ["index.html", ...loaded].map(async (path) => (await stat(join(site, path))).size),
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(150_000);
  });

  test.each(["a website", "a folder"])(
    "works as %s: every page and tab, without a complaint",
    async (how) => {
      const root = how === "a folder" ? `${pathToFileURL(site).href}/` : `${s3.websiteUrl}/`;
      const context = await browser.newContext({ viewport: { width: 1440, height: 1000 } });
      for (const path of paths.filter((name) => name.endsWith(".html"))) {
        const { page, problems } = await openPage(context, root + path);
        if (/^HTA/.test(path)) {
          for (const tab of TABS) {
            await page.locator(`#tab-${tab}`).click();
            await page.locator(`#panel-${tab}`).waitFor({ state: "visible" });
            const figure = page.locator(`#panel-${tab} .fig-interactive`);
            if ((await figure.count()) > 0) {
              await page.locator(`#panel-${tab} .fig-interactive[data-state=ready]`).waitFor();
            }
          }
        }
        expect(problems, path).toEqual([]);
        await page.close();
      }
      await context.close();
    },
  );

  test("answers an address at any depth that is none with its own page", async () => {
    const answer = await fetch(`${s3.websiteUrl}/no/such/page`);
    expect(answer.status).toBe(404);
    expect(await answer.text()).toContain("<!doctype html>");
  });

  test("hands out just the rows that are shown, and a link that shows them again", async () => {
    const context = await browser.newContext({
      viewport: { width: 390, height: 844 },
      colorScheme: "dark",
    });
    const { page, problems } = await openPage(context, `${s3.websiteUrl}/HTA1.html#validation`);
    await page
      .locator("#panel-validation")
      .getByRole("searchbox")
      .or(page.locator("#panel-validation input[type=search]"))
      .first()
      .fill("HTA1_1000");
    await page.waitForURL(/HTA1_1000/);
    const shared = page.url();
    const rows = await page.locator("#panel-validation tbody tr:visible").count();
    expect(rows).toBeGreaterThan(0);
    const downloading = page.waitForEvent("download");
    await page.locator("#panel-validation").getByRole("button", { name: "JSON" }).first().click();
    const download = await downloading;
    const saved = JSON.parse(await readFile(await download.path(), "utf8")) as unknown[];
    expect(saved).toHaveLength(rows);
    const again = await openPage(context, shared);
    await again.page.locator("#panel-validation tbody tr:visible").first().waitFor();
    expect(await again.page.locator("#panel-validation tbody tr:visible").count()).toBe(rows);
    expect(problems).toEqual([]);
    await context.close();
  });

  test("passes axe on every real page, drawings and interactive figures included", async () => {
    const axe = await readFile(
      createRequire(import.meta.url).resolve("axe-core/axe.min.js"),
      "utf8",
    );
    const context = await browser.newContext({
      viewport: { width: 1440, height: 1000 },
      colorScheme: "dark",
    });
    for (const path of ["index.html", "HTA1.html", "runs.html"]) {
      const { page } = await openPage(context, `${s3.websiteUrl}/${path}`);
      await page.evaluate(axe);
      for (const tab of path === "HTA1.html" ? ["longitudinal", "network"] : [""]) {
        if (tab !== "") {
          await page.locator(`#tab-${tab}`).click();
          await page.locator(`#panel-${tab} .fig-interactive[data-state=ready]`).waitFor();
        }
        const found = await page.evaluate(
          `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes[0].html.slice(0, 200)))`,
        );
        expect(found, `${path} ${tab}`).toEqual([]);
      }
      await page.close();
    }
    await context.close();
  });
});
