// The page of a provenance in a real browser: small and of 10,000 calls, wide and narrow, light, dark and on paper, with and without scripts.

import { join } from "node:path";

import { describe, expect, test } from "vitest";

import type { Provenance } from "../../src/lineage/provenance.ts";
import { makeProvenancePage } from "../../src/lineage/provenancePage.ts";
import { loadDesign } from "../../src/render/design.ts";
import { selfContained } from "../../src/render/selfContained.ts";
import { loadAxe, useSite, widthsThatScroll } from "../support/browser.ts";
import { provenanceOf } from "./sampleProvenance.ts";

const CALLS = 10_000;
const LONG_MS = 120_000;

const site = useSite(async () => {
  const design = await loadDesign(join(import.meta.dirname, "../.."));
  const page = (provenance: Provenance): string =>
    selfContained(
      makeProvenancePage(provenance, { render: design.render, assets: design.assets.paths }),
      design.assets,
    );
  const cut = { ...provenanceOf(1), asked: "<b>cut</b>", isCut: true, run: null };
  return new Map([
    ["small.html", page(provenanceOf(3))],
    ["large.html", page(provenanceOf(CALLS))],
    ["cut.html", page(cut)],
  ]);
});

describe("makeProvenancePage(provenance, design)", () => {
  test.each(["light", "dark"] as const)(
    "reads well in %s, is no wider than the window, and breaks no policy",
    async (colorScheme) => {
      const { page, problems } = await site.open("small.html", { colorScheme });
      const axe = await loadAxe(page);
      expect(await widthsThatScroll(page, [390, 1440])).toEqual([]);
      expect(await axe()).toEqual([]);
      expect(await page.textContent("h1")).toBe("kmer");
      expect(await page.locator("figure .wide-only svg rect").count()).toBe(3);
      expect(problems).toEqual([]);
    },
    LONG_MS,
  );

  test(
    "finds one of ten thousand calls, and draws steps, not calls",
    async () => {
      const { page, problems } = await site.open("large.html");
      expect(await page.locator("figure .wide-only svg rect").count()).toBe(3);
      await page.fill("#calls-table input[type=search]", "7776.fa");
      await expect.poll(() => page.locator("#calls-table tbody tr").count()).toBe(1);
      expect(await page.textContent("#calls-table tbody tr")).toContain("count lane 7777");
      expect(problems).toEqual([]);
    },
    LONG_MS,
  );

  test(
    "tells the same without scripts, and on paper with all steps unfolded",
    async () => {
      const { page } = await site.open("large.html", { javaScriptEnabled: false });
      expect(await page.textContent("noscript, #calls-table")).toContain(
        "The first 50 of 10,001 rows.",
      );
      await page.click("details.step summary");
      expect(await page.locator("details.step[open] .facts").isVisible()).toBe(true);
      const { page: paper } = await site.open("small.html");
      await paper.emulateMedia({ media: "print" });
      expect(await paper.locator("details.step .facts").last().isVisible()).toBe(true);
    },
    LONG_MS,
  );

  test(
    "says that there is more, and that a run is forgotten; names are text, whatever is in them",
    async () => {
      const { page } = await site.open("cut.html");
      const text = (await page.textContent("main")) ?? "";
      expect(text).toContain("<b>cut</b>");
      expect(text).toContain("There is more than this");
      expect(text).toContain("The run that made it is forgotten.");
    },
    LONG_MS,
  );
});
