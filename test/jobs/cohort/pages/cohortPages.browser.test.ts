// The pages about cohorts in a real browser, opened from a folder: what is read in the morning, links, themes, narrow screens, paper, accessibility.

import type { BrowserContextOptions } from "playwright-core";
import { describe, expect, test } from "vitest";

import { loadAxe, type SiteFiles, useSite, widthsThatScroll } from "../../../support/browser.ts";
import { cutWords, overprints, PAPERS, placesOf, printPage } from "../../../support/paper.ts";
import { readDesign } from "../../../support/siteSample.ts";
import { comparedDataset, compareResult } from "../support/compareSample.ts";
import { check, studyFiles } from "../support/studyPages.ts";
import { type SampleExport, studyFacts } from "../support/studySample.ts";

const HOSTILE = `<img src=x onerror="document.title='owned'">`;
const DAYS = Array.from({ length: 30 }, (_, at) =>
  new Date(Date.UTC(2025, 11, 15 + at)).toISOString().slice(0, 10),
);
const PAGES = [
  ...["index.html", "exports.html", "checks.html", "counts.html", "compare.html"],
  "FitbitSleepLogs.html",
];

/** Thirty days of two cohorts: a gap, lines set aside, a manifest that counts otherwise, a name that would be markup. */
function exportsOf(): readonly SampleExport[] {
  return DAYS.flatMap((day, at) => [
    {
      ...{ cohort: "adults_v1", day, suffix: at === 29 ? HOSTILE : "" },
      members: [
        {
          type: "FitbitSleepLogs",
          lines: 40 + ((at * 7) % 23),
          ...(at === 29 ? { aside: 3 } : {}),
        },
        { type: "EnrolledParticipants", lines: 2 },
        { type: "FitbitDevices", lines: 3 },
      ],
    },
    ...(at === 11 || at === 12
      ? []
      : [
          {
            ...{ cohort: "pediatric_v1", day },
            members: [{ type: "FitbitSleepLogs", lines: 10 + ((at * 5) % 17), manifest: 9 }],
            findings: [
              {
                ...{ code: "manifest_mismatch" as const, member: "FitbitSleepLogs" },
                ...{ manifest: 9, read: 10 },
              },
            ],
          },
        ]),
  ]);
}

async function makeFiles(): Promise<SiteFiles> {
  const many = { adults_v1: 31, pediatric_v1: 12 };
  const facts = studyFacts({
    today: DAYS.at(-1) ?? "",
    exports: exportsOf(),
    datasets: [
      { type: "FitbitSleepLogs", rows: 1803, people: many },
      { type: "EnrolledParticipants", rows: 43, people: many },
      { type: "FitbitDevices", rows: 60, people: { adults_v1: 30, pediatric_v1: 2 } },
    ],
    checks: [
      check({
        ...{ id: "sleep", type: "FitbitSleepLogs", dataset: "dataset_fitbitsleeplogs" },
        ...{ outcome: "failed", rows: 1803, missing: 12, unexpected: 4, blocks: true },
        text: `Minutes are between 0 and 1,440 ${HOSTILE}`,
      }),
      check({ outcome: "passed" }),
      check({
        id: "none",
        type: "HealthKitV2Samples",
        dataset: "dataset_healthkitv2samples",
        outcome: "not_run",
        rows: 0,
        why: "the dataset has no rows",
      }),
    ],
  });
  const trends = {
    sleep: DAYS.slice(-5).map((day, at) => ({ at: `${day}T06:00:00Z`, value: at })),
  };
  const compared = compareResult(
    [
      comparedDataset("FitbitSleepLogs", {
        ...{ inCommon: 1790, onlyStaging: 4, onlyMain: 13, unequal: 6 },
        columns: [`FloorsClimbed${HOSTILE}`],
      }),
      comparedDataset("FitbitDevices", { onlyMain: 3 }),
      comparedDataset("HealthKitV2Samples"),
    ],
    ["FitbitDevices"],
  );
  const files = new Map<string, string | Uint8Array>();
  for (const [path, text] of await studyFiles(facts, trends, compared)) {
    files.set(`cohorts/${path}`, path.startsWith("figures/") ? Buffer.from(text, "latin1") : text);
  }
  for (const { path, bytes } of readDesign().assets.files) files.set(`cohorts/${path}`, bytes);
  return files;
}

const site = useSite(() => makeFilesOnce());
const open = (path: string, options?: BrowserContextOptions) =>
  site.open(`cohorts/${path}`, options);

describe("the overview", () => {
  test("says first whether the newest data is whole, and what is wrong with it", async () => {
    const { page, problems } = await open("index.html");
    expect(await page.locator(".verdict h2").textContent()).toBe(
      "The data of 13 Jan 2026 is not whole.",
    );
    const said = await page.locator(".problems li").allTextContents();
    expect(said[0]).toMatch(
      /^1 check of 3 fails: Minutes are between 0 and 1,440 .* \(4 rows not so\)\.$/,
    );
    expect(said.join("\n")).toContain("3 lines of the newest 7 days were set aside: 3 not JSON.");
    expect(said.join("\n")).toContain(
      "pediatric_v1 has no export of 26 Dec 2025 to 27 Dec 2025 (2 days).",
    );
    expect(problems).toEqual([]);
  });

  test("leads to every page, and each leads back", async () => {
    const { page, problems } = await open("index.html");
    for (const [link, heading] of [
      ["Exports", "Exports"],
      ["Checks", "Checks"],
      ["Record counts", "Record counts"],
      ["Comparison", "Comparison"],
    ] as const) {
      await page.locator(".parts").getByRole("link", { name: link, exact: true }).click();
      expect(await page.locator("h1").textContent()).toBe(heading);
      expect(await page.locator(".parts [aria-current=page]").textContent()).toBe(link);
    }
    await page.locator(".parts").getByRole("link", { name: "Overview" }).click();
    await page.getByRole("link", { name: "FitbitSleepLogs", exact: true }).click();
    expect(await page.locator("h1").textContent()).toBe("FitbitSleepLogs");
    expect(problems).toEqual([]);
  });

  test("filters its types by what they are called and by their numbers", async () => {
    const { page } = await open("index.html");
    await page.getByRole("searchbox", { name: /Data types/ }).fill("sleep");
    expect(await page.locator("#types-table tbody tr:visible").count()).toBe(1);
  });
});

describe.each(PAGES)("%s", (path) => {
  test("takes no name from outside for markup, and loads nothing that is not there", async () => {
    const { page, problems } = await open(path);
    expect(await page.title()).not.toBe("owned");
    expect(await page.locator("img[src=x]").count()).toBe(0);
    expect(problems).toEqual([]);
  });

  test("fits a narrow screen", async () => {
    const { page } = await open(path);
    expect(await widthsThatScroll(page, [390, 320, 768, 1440])).toEqual([]);
  });

  test.each(["light", "dark"] as const)("is accessible in %s", async (colorScheme) => {
    const { page } = await open(path, { colorScheme });
    expect(await (await loadAxe(page))()).toEqual([]);
  });

  test.each(PAPERS)("prints on %s, whole", async (format) => {
    const { page } = await open(path);
    const paper = await printPage(page, format);
    expect(cutWords(paper)).toEqual([]);
    expect(overprints(paper)).toEqual([]);
    placesOf(paper, [(await page.locator("h1").textContent()) ?? ""]);
  });

  test("links to files that are there", async () => {
    const { page } = await open(path);
    const hrefs = await page.evaluate<string[]>(
      `[...document.querySelectorAll("a[href]")].map((one) => one.href).filter((href) => href.startsWith("file:") && !href.includes("#"))`,
    );
    const known = new Set([...(await makeFilesOnce()).keys()]);
    const gone = hrefs
      .map((href) => decodeURIComponent(new URL(href).pathname).split("/cohorts/")[1] ?? "")
      .filter((name) => name !== "" && !known.has(`cohorts/${name}`));
    expect(gone).toEqual([]);
  });
});

let made: Promise<SiteFiles> | null = null;
function makeFilesOnce(): Promise<SiteFiles> {
  return (made ??= makeFiles());
}
