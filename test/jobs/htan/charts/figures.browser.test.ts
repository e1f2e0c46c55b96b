import { copyFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import type { Browser, Download, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { dataScript, timelineScript } from "../../../../src/jobs/htan/charts/dataScript.ts";
import { drawFigure } from "../../../../src/jobs/htan/charts/figure.ts";
import type { AtlasAnalysis, TimelineEvent } from "../../../../src/jobs/htan/data/analysis.ts";
import { readGraph } from "../../../../src/jobs/htan/data/graph.ts";
import { atlasFigures, timelineData } from "../../../../src/jobs/htan/pages/figures.ts";
import { vendorFiles } from "../../../../src/render/vendor.ts";
import { newPage, startBrowser } from "../../../support/browser.ts";
import { cutWords, PAPERS, printPage } from "../../../support/paper.ts";
import { sampleAnalysis } from "../../../support/siteSample.ts";

const ASSETS = join(import.meta.dirname, "../../../../views/assets");
const SCRIPTS = ["figures.js", "timelineFigure.js", "lineage.js", "networkFigure.js"];
const STYLES = ["theme.css", "site.css", "table.css", "atlas.css", "figures.css", "print.css"];
const HOSTILE = `<img src=x onerror="document.title='owned'">`;
// As on the real pages: nothing inline, nothing evaluated, nothing from elsewhere.
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'none'; base-uri 'none'; form-action 'none'";

const components = JSON.parse(
  await readFile(join(import.meta.dirname, "../../../../config/htan_components.json"), "utf8"),
) as { component: string; abbreviation: string }[];

let dir = "";
let browser: Browser;
let page: Page;
let problems: string[] = [];

function events(): TimelineEvent[] {
  return Array.from({ length: 45 }, (_, index) => {
    const participant = `HTA1_${1001 + index}`;
    return {
      Event: index === 0 ? HOSTILE : "Radiation",
      Start: 0,
      Finish: 20 + index,
      Grouping: `${participant} Therapy`,
      Samples: "NA",
      Location: "NA",
      participant,
    };
  });
}

async function writePage(
  name: string,
  analysis: AtlasAnalysis,
  timelinePath: string,
  graphPath = "data/HTA1-graph.js",
): Promise<void> {
  const figures = atlasFigures(analysis, components);
  const still = async (id: string): Promise<string> => {
    const figure = figures.find((one) => one.id === id);
    if (figure === undefined) throw new Error(`no figure ${id}`);
    const { inlineSvg } = await drawFigure(figure);
    return `<figure class="figure"><figcaption>${figure.title}</figcaption><div class="drawing" role="group" aria-label="${figure.title}" tabindex="0">${inlineSvg}</div></figure>`;
  };
  const host = async (kind: string, src: string): Promise<string> =>
    `<h2>${kind}</h2><div class="fig-interactive" data-hdash="${kind}" data-atlas="HTA1" data-src="${src}" data-vendor="assets/vendor/">${await still(kind)}</div>`;
  const html =
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="Content-Security-Policy" content="${POLICY}"><title>Figures</title>` +
    `${STYLES.map((style) => `<link rel="stylesheet" href="assets/${style}">`).join("")}${SCRIPTS.map((script) => `<script src="assets/${script}" defer></script>`).join("")}</head>` +
    `<body><main><h1>Figures</h1>${await host("timeline", timelinePath)}${await host("network", graphPath)}</main></body></html>`;
  await writeFile(join(dir, name), html);
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-figures-"));
  await mkdir(join(dir, "assets", "vendor"), { recursive: true });
  await mkdir(join(dir, "data"));
  for (const { path, source } of vendorFiles()) await copyFile(source, join(dir, path));
  for (const name of [...SCRIPTS, ...STYLES])
    await copyFile(join(ASSETS, name), join(dir, "assets", name));
  await cp(join(ASSETS, "fonts"), join(dir, "assets", "fonts"), { recursive: true });
  const sample = sampleAnalysis("HTA1");
  const analysis: AtlasAnalysis = {
    ...sample,
    timelineEvents: events(),
    sif: [...sample.sif, `D_${HOSTILE}\tconnect\tB_HTA1_1`],
  };
  await writeFile(
    join(dir, "data", "HTA1-timeline.js"),
    timelineScript("HTA1", timelineData(analysis.timelineEvents)),
  );
  const graph = readGraph(analysis.sif, analysis.findings, components);
  await writeFile(join(dir, "data", "HTA1-graph.js"), dataScript("HTA1", "graph", graph));
  const broken = Array.from({ length: 2001 }, (_, index) => ({
    record: "HTA1_1001_1",
    component: "Biospecimen",
    value: `HTA1_${index}`,
    link: "parent",
  }));
  await writeFile(
    join(dir, "data", "HTA1-many.js"),
    dataScript("HTA1", "graph", { ...graph, broken }),
  );
  const [event] = events().slice(1);
  if (event === undefined) throw new Error("no events");
  const late = [
    { ...event, participant: "HTA1_1", Finish: 20 },
    { ...event, participant: "HTA1_2", Finish: 66 },
    { ...event, participant: "HTA1_3", Start: 70, Finish: 71 },
  ].map((one) => ({ ...one, Grouping: `${one.participant} Therapy` }));
  await writeFile(join(dir, "data", "HTA1-late.js"), timelineScript("HTA1", timelineData(late)));
  await writePage("many.html", analysis, "data/HTA1-late.js", "data/HTA1-many.js");
  await writePage("index.html", analysis, "data/HTA1-timeline.js");
  await writePage("broken.html", analysis, "data/missing.js");
  browser = await startBrowser();
});
afterAll(async () => {
  await browser.close();
  await rm(dir, { recursive: true, force: true });
});

beforeEach(async () => {
  problems = [];
  const viewport = { width: 1200, height: 900 };
  page = await newPage(await browser.newContext({ viewport, acceptDownloads: true }));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(error.message));
});
afterEach(() => page.context().close());

async function open(name = "index.html"): Promise<void> {
  await page.goto(pathToFileURL(join(dir, name)).href);
  for (const kind of ["timeline", "network"]) {
    await page
      .locator(`[data-hdash="${kind}"]:is([data-state="ready"], [data-failed])`)
      .waitFor({ state: "attached" });
  }
}

const timeline = () => page.locator('[data-hdash="timeline"]');
const network = () => page.locator('[data-hdash="network"]');
const status = (host: "timeline" | "network") => page.locator(`[data-hdash="${host}"] .fig-status`);

async function contentOf(download: Download): Promise<string> {
  return readFile(await download.path(), "latin1");
}

async function download(label: string): Promise<Download> {
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: label, exact: true }).first().click(),
  ]);
  return file;
}

describe("on paper", () => {
  test.each(PAPERS)("the still pictures stand for the interactive figures: %s", async (format) => {
    await open();
    const { sheets, ...paper } = await printPage(page, format);
    const said = paper.words.map(({ text }) => text).join(" ");
    expect(cutWords({ sheets, ...paper })).toEqual([]);
    expect(said.match(/from the first event of each row/g)).toHaveLength(1);
    expect(said).toContain("How records are linked");
    expect(said).not.toMatch(/Still picture|Follow one record|The same as a list|With a pointer/);
    // And on the screen it is folded as before.
    expect(await timeline().locator("details.still").getAttribute("open")).toBe(null);
    expect(problems).toEqual([]);
  });
});

describe("the interactive timeline", () => {
  test("pages through participants, finds them by name, and says so", async () => {
    await open();
    expect(await status("timeline").textContent()).toBe(
      "Participants 1–20 of 45: 20 events in 20 rows.",
    );
    expect(await timeline().locator(".fig-canvas text", { hasText: "HTA1_1020" }).count()).toBe(1);
    expect(await page.getByRole("button", { name: "Previous" }).isDisabled()).toBe(true);
    await page.getByRole("button", { name: "Next" }).click();
    await page.getByRole("button", { name: "Next" }).click();
    await timeline().locator(".fig-canvas text", { hasText: "HTA1_1045" }).waitFor();
    expect(await status("timeline").textContent()).toBe(
      "Participants 41–45 of 45: 5 events in 5 rows.",
    );
    expect(await page.getByRole("button", { name: "Next" }).isDisabled()).toBe(true);
    await page.getByLabel("Participant", { exact: true }).fill("hta1_1007");
    await timeline().locator(".fig-canvas text", { hasText: "HTA1_1007" }).waitFor();
    expect(await status("timeline").textContent()).toBe(
      "Participants 1–1 of 1 that match: 1 event in 1 row.",
    );
    await page.getByLabel("Participant", { exact: true }).fill("nobody");
    expect(await status("timeline").textContent()).toBe(
      "No participant with events matches “nobody”.",
    );
    expect(problems).toEqual([]);
  });

  test("shows what is under the pointer, as text", async () => {
    await open();
    const row = timeline().locator(".fig-canvas .mark-symbol.role-mark path").first();
    await row.hover();
    const tooltip = page.locator(".fig-tooltip");
    await tooltip.waitFor({ state: "visible" });
    expect(await tooltip.textContent()).toBe(
      `${HOSTILE} · HTA1_1001 · Therapy\nday 0 to 20 (20 days)`,
    );
    expect(await page.title()).toBe("Figures");
    expect(await page.locator("img").count()).toBe(0);
  });

  test("writes the kind beside an event only where it fits", async () => {
    await open("many.html");
    const labels = timeline().locator(".fig-canvas .mark-text.role-mark text");
    expect((await labels.allTextContents()).filter((text) => text !== "")).toEqual(["Radiation"]);
  });

  test("closes what is said of an event by Esc, and says it again of the next", async () => {
    await open();
    const marks = timeline().locator(".fig-canvas .mark-symbol.role-mark path");
    const tooltip = page.locator(".fig-tooltip");
    await marks.nth(1).hover();
    await tooltip.waitFor({ state: "visible" });
    await page.keyboard.press("Escape");
    expect(await tooltip.isVisible()).toBe(false);
    await marks.nth(1).hover({ position: { x: 3, y: 3 } });
    expect(await tooltip.isVisible()).toBe(false);
    await marks.nth(2).hover();
    await expect.poll(() => tooltip.textContent()).toContain("HTA1_1003");
    expect(await tooltip.isVisible()).toBe(true);
  });

  test("moves along the days and zooms by buttons, within what there is", async () => {
    await open();
    const press = async (name: string): Promise<void> => {
      const button = timeline().getByRole("button", { name, exact: true });
      await button.focus();
      await page.keyboard.press("Enter");
    };
    const days = async (): Promise<string> =>
      ((await status("timeline").textContent()) ?? "").replace(/^.*rows\. ?/, "");
    const axis = async (): Promise<number[]> =>
      (await timeline().locator(".fig-canvas .role-axis-label text").allTextContents()).flatMap(
        (text) => (/^\d+$/.test(text) ? [Number(text)] : []),
      );
    expect(await days()).toBe("");
    expect(await axis()).toContain(0);
    await press("Zoom in");
    await expect.poll(days).toBe("Days 10 to 29 are in view.");
    expect(Math.min(...(await axis()))).toBe(10);
    await press("Later");
    await expect.poll(days).toBe("Days 20 to 39 are in view.");
    await press("Later");
    expect(await days()).toBe("Days 20 to 39 are in view.");
    await press("Zoom in");
    await expect.poll(days).toBe("Days 25 to 34 are in view.");
    for (const expected of ["20 to 29", "15 to 24"]) {
      await press("Earlier");
      await expect.poll(days).toBe(`Days ${expected} are in view.`);
    }
    await press("Zoom out");
    await expect.poll(days).toBe("Days 10 to 29 are in view.");
    await press("Reset");
    await expect.poll(days).toBe("");
    expect(await axis()).toContain(0);
    expect(problems).toEqual([]);
  });

  test("singles out a kind by a list as by the legend, and keeps it over pages", async () => {
    await open();
    const list = timeline().getByLabel("Show");
    expect(await list.getByRole("option").allTextContents()).toEqual([
      "all kinds",
      "Radiation",
      HOSTILE,
    ]);
    const faded = async (): Promise<number> =>
      timeline().locator('.fig-canvas .mark-symbol.role-mark path[opacity="0.12"]').count();
    await list.selectOption(HOSTILE);
    await expect.poll(faded).toBe(19);
    const labels = timeline().locator(".fig-canvas .mark-text.role-mark text", {
      hasText: "Radiation",
    });
    expect(await labels.first().getAttribute("opacity")).toBe("0.12");
    expect(await contentOf(await download("SVG"))).toContain('opacity="0.12"');
    await timeline().getByRole("button", { name: "Next" }).click();
    await timeline().locator(".fig-canvas text", { hasText: "HTA1_1040" }).waitFor();
    expect(await faded()).toBe(20);
    await list.selectOption("all kinds");
    await expect.poll(faded).toBe(0);
    await timeline().locator(".fig-canvas .role-legend-label text").first().click();
    await expect.poll(() => list.inputValue()).toBe("Radiation");
    expect(problems).toEqual([]);
  });

  test("gives what is shown as SVG, PNG and spec", async () => {
    await open();
    await page.evaluate(`URL.revokeObjectURL = () => { document.body.dataset.revoked = ""; }`);
    const svg = await download("SVG");
    expect(svg.suggestedFilename()).toBe("HTA1-timeline.svg");
    expect(await contentOf(svg)).toMatch(/^<svg[\s\S]*HTA1_1020/);
    expect(await contentOf(svg)).not.toContain("var(--");
    const png = await download("PNG");
    expect((await contentOf(png)).slice(1, 4)).toBe("PNG");
    const spec = JSON.parse(await contentOf(await download("Vega-Lite spec"))) as {
      datasets: { events: unknown[] };
    };
    expect(spec.datasets.events).toHaveLength(20);
    // A browser may read it after the click only.
    expect(await page.locator("body").getAttribute("data-revoked")).toBe(null);
    expect(problems).toEqual([]);
  });

  test("keeps the still picture, and leaves it alone where data cannot be loaded", async () => {
    await open();
    expect(await timeline().locator("details figure svg").count()).toBe(1);
    await open("broken.html");
    expect(await status("timeline").textContent()).toBe(
      "The interactive figure is not available: data/missing.js could not be loaded.",
    );
    expect(await timeline().locator("figure svg").isVisible()).toBe(true);
    expect(await network().getAttribute("data-state")).toBe("ready");
  });
});

describe("the interactive network", () => {
  test("follows a record by name, by Enter, by list and by broken link", async () => {
    await open();
    const search = page.getByLabel("Participant, specimen or file ");
    await search.fill("HTA1_1005");
    expect(await status("network").textContent()).toMatch(/^HTA1_1005: \d+ linked records/);
    const list = network().locator(".fig-lineage");
    expect(await list.locator("[aria-current]").textContent()).toBe("HTA1_1005, Demographics");
    const other = list.getByRole("button").nth(1);
    const said = (await other.textContent()) ?? "";
    await other.focus();
    await page.keyboard.press("Enter");
    expect(await list.locator("[aria-current]").textContent()).toBe(said);
    expect(await list.locator("[aria-current]:focus").count()).toBe(1);
    await search.fill("hta1_1003_");
    await page.keyboard.press("Enter");
    expect(await status("network").textContent()).toMatch(/^HTA1_1003_/);
    await search.fill("nothing like it");
    await page.keyboard.press("Enter");
    expect(await status("network").textContent()).toBe(
      "No linked record matches “nothing like it”.",
    );
    await page
      .getByRole("combobox", { name: /^Broken links/ })
      .selectOption({ label: "HTA1_1001_1 → HTA1_4444 (parent)" });
    expect(await status("network").textContent()).toMatch(/broken links? \(dashed\)\.$/);
    expect(
      await list.locator(".is-missing", { hasText: "HTA1_4444, no such record (parent)" }).count(),
    ).toBe(1);
    expect(problems).toEqual([]);
  });

  test("says so where it lists only the first of its broken links", async () => {
    await open();
    const choices = page.getByLabel("Broken links ").getByRole("option");
    expect(await choices.first().textContent()).toBe(
      `choose one of ${(await choices.count()) - 1}`,
    );
    await open("many.html");
    expect(await choices.first().textContent()).toBe("choose one of the first 2,000 of 2,001");
    expect(await choices.count()).toBe(2001);
  });

  test("shows hostile ids as text", async () => {
    await open();
    await page.getByLabel("Participant, specimen or file ").fill(HOSTILE);
    expect(await network().locator("[aria-current]").textContent()).toBe(
      `${HOSTILE}, Demographics`,
    );
    expect(await page.title()).toBe("Figures");
    expect(await page.locator("img").count()).toBe(0);
  });

  test("zooms by buttons and gives a picture", async () => {
    await open();
    for (const name of ["Zoom in", "Zoom out", "Fit"])
      await network().getByRole("button", { name }).click();
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      network().getByRole("button", { name: "PNG" }).click(),
    ]);
    expect((await contentOf(file)).slice(1, 4)).toBe("PNG");
    expect(problems).toEqual([]);
  });
});

describe("figures.js", () => {
  test.each([
    ["light", 1200],
    ["dark", 390],
  ] as const)("breaks no rule of accessibility (%s, %i px)", async (scheme, width) => {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: 900 });
    await open();
    await page.evaluate(
      await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"),
    );
    const violations = await page.evaluate(
      `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html.slice(0, 160))]))`,
    );
    expect(violations).toEqual([]);
    const { scrollWidth, clientWidth } = await page.evaluate<{
      scrollWidth: number;
      clientWidth: number;
    }>(
      `({ scrollWidth: document.documentElement.scrollWidth, clientWidth: document.documentElement.clientWidth })`,
    );
    expect(scrollWidth).toBe(clientWidth);
  });

  test("waits until a figure is seen", async () => {
    const host = (name: string): string => `document.querySelector('[data-hdash="${name}"]')`;
    await page.addInitScript(
      `document.addEventListener("DOMContentLoaded", () => { ${host("timeline")}.hidden = true; })`,
    );
    await page.goto(pathToFileURL(join(dir, "index.html")).href);
    await page.locator('[data-hdash="network"][data-state="ready"]').waitFor();
    expect(await page.locator('script[src*="vega"]').count()).toBe(0);
    await page.evaluate(
      `${host("timeline")}.hidden = false; document.querySelector("main").dispatchEvent(new CustomEvent("hdash:tabshown", { bubbles: true }))`,
    );
    await page.locator('[data-hdash="timeline"][data-state="ready"]').waitFor();
    expect(await timeline().locator(".fig-canvas svg").count()).toBe(1);
  });
});
