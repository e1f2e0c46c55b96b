// The dashboard's pages on paper: printed to PDF in both widths, and read back.

import { describe, expect, test } from "vitest";

import { useSite } from "../../../support/browser.ts";
import { cutWords, overprints, PAPERS, placesOf, printPage } from "../../../support/paper.ts";
import { sampleSite } from "../../../support/siteSample.ts";

const STUBS = ["vega", "vega-lite", "vega-embed", "cytoscape"].map(
  (name) => `assets/vendor/${name}.min.js`,
);

const { open } = useSite(() => {
  const { pages, assets } = sampleSite();
  return new Map<string, string | Uint8Array>([
    ...pages.map(({ path, text }): [string, string] => [path, text]),
    ...assets.files.map(({ path, bytes }): [string, Uint8Array] => [path, bytes]),
    ...STUBS.map((path): [string, string] => [path, ""]),
  ]);
});

describe.each(PAPERS)("on %s", (format) => {
  test("the index has all of its columns, for every atlas", async () => {
    const { page } = await open("index.html", { colorScheme: "dark" });
    const paper = await printPage(page, format);
    expect(cutWords(paper)).toEqual([]);
    expect(overprints(paper)).toEqual([]);
    const heads = await page.locator("#atlases-table thead tr:first-child th").allTextContents();
    expect(heads.slice(-5)).toEqual(["Errors", "Warnings", "New", "Fixed", "Trend"]);
    const said = paper.words.map(({ text }) => text);
    expect(heads.filter((head) => !said.includes(head))).toEqual([]);
    // A row is one line, whole from its first cell to its last number.
    const cells = (await page.locator("#atlases-table tbody tr").first().innerText())
      .split("\n")
      .join(" ")
      .split(/\s+/)
      .filter(Boolean);
    const [first] = placesOf(paper, ["HTA1"]);
    const row = paper.words.slice(first, (first ?? 0) + cells.length + 2).map(({ text }) => text);
    expect(cells.filter((cell) => !row.includes(cell))).toEqual([]);
    placesOf(paper, [
      "Human Tumor Atlas Network",
      "Atlases",
      "HTA1",
      "HTA2",
      "HTA9",
      "HTA12",
      "How to read this",
    ]);
  });

  test("an atlas has all of its parts, one after the other", async () => {
    // Hundreds of findings scroll in a box of their own on a screen.
    const { page } = await open("HTA9.html#network");
    const paper = await printPage(page, format);
    expect(cutWords(paper)).toEqual([]);
    expect(overprints(paper)).toEqual([]);
    const subjects = await page
      .locator("#findings-table tbody tr td:nth-child(6)")
      .allTextContents();
    expect(subjects).toHaveLength(100);
    placesOf(paper, [
      "Synthetic Large Atlas",
      "Metadata files",
      "Validation",
      "Findings",
      "5,000 rows",
      ...subjects,
      "Page 1 of 50",
      "Completeness",
      "Clinical data",
      "Longitudinal clinical data",
      "Paths",
      "Network",
      "Figures",
      "Every number on this page:",
    ]);
    // Whoever has only one sheet of a long table in hand knows what its columns are.
    const sheets = paper.words
      .filter(({ text }) => subjects.includes(text))
      .map(({ sheet }) => sheet);
    const headed = paper.words.filter(({ text }) => text === "Severity").map(({ sheet }) => sheet);
    expect(new Set(sheets).size).toBeGreaterThan(1);
    expect([...new Set(headed)]).toEqual([...new Set(sheets)]);
    const said = new Set(paper.words.map(({ text }) => text));
    // Controls and what is folded have no use on paper.
    expect(["Search", "Filter", "Next", "SVG", "Theme"].filter((word) => said.has(word))).toEqual(
      [],
    );
  });

  test("what is unfolded is there as well, with all of its columns", async () => {
    const { page } = await open("HTA9.html#completeness");
    await page.evaluate(
      `for (const fold of document.querySelectorAll("#panel-completeness details")) fold.open = true;`,
    );
    const paper = await printPage(page, format);
    expect(cutWords(paper)).toEqual([]);
    expect(overprints(paper)).toEqual([]);
    const rows = await page.locator("#clinical_tier1_2-table tbody th").allTextContents();
    placesOf(paper, ["Completeness", ...rows.slice(0, 40), "Longitudinal clinical data"]);
  });

  test("the history of runs is whole", async () => {
    const { page } = await open("runs.html");
    const paper = await printPage(page, format);
    expect(cutWords(paper)).toEqual([]);
    expect(overprints(paper)).toEqual([]);
    const builds = paper.words.filter(({ text }) => text === "0.1.0");
    expect(builds).toHaveLength(31);
    placesOf(paper, ["Runs", "Made this page", "Succeeded", "Degraded", "Failed"]);
  });
});
