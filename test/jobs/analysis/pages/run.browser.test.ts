// The page of a run in a real browser: of a few calls and of 10,000, wide and narrow, light, dark and on paper, with and without scripts.

import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { makeRunPage, type RunPageInput } from "../../../../src/lineage/runPage.ts";
import { loadDesign } from "../../../../src/render/design.ts";
import { selfContained } from "../../../../src/render/selfContained.ts";
import { loadAxe, useSite, widthsThatScroll } from "../../../support/browser.ts";
import { callOf, reportOf, RUN, runOf } from "./sampleRun.ts";

const CALLS = 10_000;
const LONG_MS = 120_000;

const site = useSite(async () => {
  const { render, assets } = await loadDesign(join(import.meta.dirname, "../../../.."));
  const page = (input: Omit<RunPageInput, "assets">): string =>
    selfContained(makeRunPage({ ...input, assets: assets.paths }, render), assets);
  const few = runOf(4);
  const none = { calls: [], failed: [], notRun: [], moreNotRun: 0, given: [], savedMs: 0 };
  const early = {
    ...few,
    run: { ...RUN, error: "the plan threw\nat line 7" },
    report: { ...none, results: [] },
    provenance: { ...few.provenance, run: null, steps: [], given: [], results: [] },
  };
  const running = callOf(1, { state: "running", result: null, endedAt: null });
  const going = {
    ...few,
    run: { ...RUN, status: "running", startedAt: null, finishedAt: null, error: null },
    report: { ...reportOf(0), calls: [running], failed: [], notRun: [], moreNotRun: 0 },
  } as const;
  return new Map([
    ["few.html", page(few)],
    ["many.html", page(runOf(CALLS))],
    ["public.html", page({ ...few, lastLines: null })],
    ["early.html", page(early)],
    ["early-public.html", page({ ...early, lastLines: null })],
    ["going.html", page(going)],
  ]);
});

describe("makeRunPage(input, render)", () => {
  test.each(["light", "dark"] as const)(
    "reads well in %s, is no wider than the window, and breaks no policy",
    async (colorScheme) => {
      const { page, problems } = await site.open("few.html", { colorScheme });
      const axe = await loadAxe(page);
      expect(await widthsThatScroll(page, [390, 768, 1440])).toEqual([]);
      expect(await axe()).toEqual([]);
      expect(await page.textContent("h1")).toBe("kmer, run 2");
      // What programs say is text, whatever is in it.
      expect(await page.textContent(".failure .said")).toContain("<script>no header</script>");
      expect(await page.textContent(".failure kbd")).toBe("hdash logs aaaaaaaa --attempt 4");
      expect(problems).toEqual([]);
    },
    LONG_MS,
  );

  test(
    "draws steps with what became of their calls, one drawing for each width",
    async () => {
      const { page } = await site.open("few.html");
      const words = (of: string) => page.locator(`figure .${of} svg text`).allTextContents();
      const said = ["count", "1 failed, 2 ran, 2 reused", "merge", "1 not run"];
      expect(await words("wide-only")).toEqual(
        [...said, "given", "4 files and folders"].sort(bySaid),
      );
      expect(await page.locator(".narrow-only svg").isVisible()).toBe(false);
      await page.setViewportSize({ width: 390, height: 900 });
      expect(await page.locator(".narrow-only svg").isVisible()).toBe(true);
      expect(await page.locator(".wide-only svg").isVisible()).toBe(false);
    },
    LONG_MS,
  );

  test(
    "finds one of ten thousand calls, and draws no more for them",
    async () => {
      const { page, problems } = await site.open("many.html");
      expect(await page.locator("figure .wide-only svg text").count()).toBe(6);
      expect(await page.locator("figure .wide-only svg").innerHTML()).toContain("5,000 reused");
      await page.fill("#calls-table input[type=search]", "lane 7777");
      await expect.poll(() => page.locator("#calls-table tbody tr").count()).toBe(1);
      const row = (await page.textContent("#calls-table tbody tr")) ?? "";
      expect(row).toContain("Reused");
      expect(row).toContain("run 1");
      expect(problems).toEqual([]);
    },
    LONG_MS,
  );

  test(
    "tells the same without scripts and on paper, where all that was said is seen",
    async () => {
      const { page } = await site.open("many.html", { javaScriptEnabled: false });
      expect(await page.textContent("#calls-table noscript")).toContain(
        "The first 50 of 10,001 rows.",
      );
      expect(await page.locator("#calls-table tbody tr").first().textContent()).toContain("Failed");
      const { page: paper } = await site.open("few.html");
      await paper.emulateMedia({ media: "print" });
      expect(await paper.locator(".said").isVisible()).toBe(true);
      expect(await paper.locator(".filters").first().isVisible()).toBe(false);
    },
    LONG_MS,
  );

  test(
    "has no word of a log or an error where everybody reads",
    async () => {
      const { page } = await site.open("public.html");
      const text = (await page.textContent("main")) ?? "";
      expect(text).toContain("failed · exit, after 2 attempts");
      for (const word of ["ended with 7", "no header", "--attempt"])
        expect(text).not.toContain(word);
      const { page: early } = await site.open("early-public.html");
      expect(await early.textContent(".trouble")).toContain("The run failed.");
      expect(await early.textContent(".trouble")).not.toContain("threw");
    },
    LONG_MS,
  );

  test(
    "tells of a run that failed before any step, and of one that goes on",
    async () => {
      const { page: early } = await site.open("early.html");
      expect(await early.textContent(".trouble pre")).toBe("the plan threw\nat line 7");
      expect(await early.textContent("main")).toContain("The run failed before it gave anything.");
      expect(await early.locator("figure").count()).toBe(0);
      const { page: going } = await site.open("going.html");
      expect(await going.textContent(".meta")).toContain("running · not started");
      expect(await going.textContent("#calls-table tbody tr")).toContain("Running");
      expect(await going.locator(".trouble").count()).toBe(0);
    },
    LONG_MS,
  );
});

/** Boxes are drawn in the order of groups, what is known of no result behind them. */
function bySaid(a: string, b: string): number {
  const order = ["count", "1 failed", "given", "4 files", "merge", "1 not run"];
  const at = (text: string): number => order.findIndex((one) => text.startsWith(one));
  return at(a) - at(b);
}
