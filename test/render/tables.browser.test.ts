// What tables find and hand out, cell by cell, from markup and from data alike.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { type CellValue, makeTable } from "../../src/render/table.ts";
import { makeTemplates } from "../../src/render/templates.ts";
import { openPage, startBrowser } from "../support/browser.ts";

const VIEWS = join(import.meta.dirname, "..", "..", "views");
const SCRIPTS = ["address.js", "controls.js", "rows.js", "table.js"];
const ROWS: readonly (readonly CellValue[])[] = [
  [
    " HTA1_1 ",
    1234,
    when("2026-11-19T13:40:00.000Z", "19 Nov 2026, 13:40 UTC"),
    size(2.5e12),
    share(0.825),
  ],
  [
    "HTA1_2  b",
    -56,
    when("2026-11-20T00:00:00.000Z", "20 Nov 2026, 00:00 UTC"),
    size(7e12),
    share(0.07),
  ],
  [
    "HTA1_3\tc\n\nd",
    7,
    when("2026-11-21T02:00:00.000Z", "21 Nov 2026, 02:00 UTC"),
    size(8e12),
    share(2 / 3),
  ],
];

let folder = "";
let browser: Browser;
let page: Page;

function when(value: string, text: string): CellValue {
  return { text, value };
}

function size(bytes: number): CellValue {
  return { text: `${bytes / 1e12} TB`, value: bytes };
}

function share(fraction: number): CellValue {
  return { text: `${(fraction * 100).toFixed(1)}%`, value: fraction, bar: fraction };
}

/** Makes a table; one of more than 200 rows travels as data, and its further rows match nothing that is asked. */
function table(id: string, rows: readonly (readonly CellValue[])[]) {
  return makeTable({
    id,
    name: id,
    caption: id,
    columns: [
      { key: "id", label: "Id", kind: "text" },
      { key: "count", label: "Count", kind: "number" },
      { key: "at", label: "At", kind: "date" },
      { key: "size", label: "Size", kind: "number" },
      { key: "share", label: "Share", kind: "share" },
    ],
    rows,
    empty: "",
  });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hdash-tables-"));
  const templates = makeTemplates({
    page: `<!doctype html><html lang="en"><meta charset="utf-8"><title>Tables</title>{{#each scripts}}<script src="{{this}}" defer></script>{{/each}}<main>{{> table written}}{{> table data}}</main></html>`,
    "partials/table": await readFile(join(VIEWS, "partials", "table.hbs"), "utf8"),
  });
  const rest = Array.from({ length: 200 }, (): CellValue[] => ["", "", "", "", ""]);
  const html = templates.render("page", {
    scripts: SCRIPTS.map((name) => pathToFileURL(join(VIEWS, "assets", name)).href),
    written: table("written", ROWS),
    data: table("data", [...ROWS, ...rest]),
  });
  await writeFile(join(folder, "index.html"), html);
  browser = await startBrowser();
});
afterAll(async () => {
  await browser.close();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  const context = await browser.newContext();
  ({ page } = await openPage(context, pathToFileURL(join(folder, "index.html")).href));
});
afterEach(() => page.context().close());

const box = (id: string) => page.locator(`#${id}-table`);

/** Types into a field, and reads the count column's numbers of the rows that stay. */
async function ask(id: string, field: string, typed: string): Promise<string[]> {
  await box(id).getByLabel(field, { exact: true }).fill(typed);
  const left = await box(id).locator("tbody tr > :nth-child(2)").allTextContents();
  await box(id).getByLabel(field, { exact: true }).fill("");
  return left;
}

async function downloadText(id: string, button: string): Promise<string> {
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    box(id).getByRole("button", { name: button, exact: true }).click(),
  ]);
  return readFile(await file.path(), "utf8");
}

describe("a bar", () => {
  test("is drawn by the script as it is written by the template, without a style", async () => {
    const bars = (id: string) =>
      page.evaluate<string[]>(
        `[...document.querySelectorAll("#${id}-table .bar-track")].slice(0, 3).map((bar) => bar.outerHTML)`,
      );
    const drawn = await bars("data");
    expect(drawn).toEqual(await bars("written"));
    expect(drawn).toHaveLength(3);
    expect(await page.locator("[style]").count()).toBe(0);
  });
});

describe.each(["written", "data"])("a table whose rows are %s", (id) => {
  test("finds a number without its thousands' commas, and an instant by its ISO form", async () => {
    await box(id).getByRole("button", { name: "Filter columns" }).click();
    for (const field of ["Filter Count", `Search in ${id}`]) {
      expect(await ask(id, field, "1234")).toEqual(["1,234"]);
      expect(await ask(id, field, "1,234")).toEqual(["1,234"]);
      expect(await ask(id, field, "-56")).toEqual(["−56"]);
    }
    expect(await ask(id, `Search in ${id}`, "2026-11-20")).toEqual(["−56"]);
    // 7 TB are 7000000000000 bytes, which nobody sees.
    expect(await ask(id, "Filter Size", "00")).toEqual([]);
  });

  test("compares a day with the days of instants", async () => {
    await box(id).getByRole("button", { name: "Filter columns" }).click();
    expect(await ask(id, "Filter At", "=2026-11-19")).toEqual(["1,234"]);
    expect(await ask(id, "Filter At", "=2026-11-18")).toEqual([]);
    expect(await ask(id, "Filter At", ">2026-11-19")).toEqual(["−56", "7"]);
    expect(await ask(id, "Filter At", "<=2026-11-20")).toEqual(["1,234", "−56"]);
    expect(await ask(id, "Filter At", ">2026-11-19T13:39")).toEqual(["1,234", "−56", "7"]);
  });

  test("compares a share with percent as typed, and hands out the fraction", async () => {
    await box(id).getByRole("button", { name: "Filter columns" }).click();
    expect(await ask(id, "Filter Share", ">66.6")).toEqual(["1,234", "7"]);
    expect(await ask(id, "Filter Share", "> 70 %")).toEqual(["1,234"]);
    expect(await ask(id, "Filter Share", "=82.5")).toEqual(["1,234"]);
    expect(await ask(id, "Filter Share", "<7.01%")).toEqual(["−56"]);
    expect(await ask(id, "Filter Share", "82.5%")).toEqual(["1,234"]);
    const json = JSON.parse(await downloadText(id, "JSON")) as { share: number | null }[];
    expect(json.slice(0, 3).map((row) => row.share)).toEqual([0.825, 0.07, 2 / 3]);
  });

  test("hands out text with its white space, which a spreadsheet gets on one line", async () => {
    const ids = [" HTA1_1 ", "HTA1_2  b", "HTA1_3\tc\n\nd"];
    const json = JSON.parse(await downloadText(id, "JSON")) as { id: string }[];
    expect(json.slice(0, 3).map((row) => row.id)).toEqual(ids);
    expect(await downloadText(id, "CSV")).toContain(
      "\r\n HTA1_1 ,1234,2026-11-19T13:40:00.000Z,2500000000000,0.825\r\nHTA1_2  b,-56,",
    );
    await page.evaluate(`Object.defineProperty(navigator, "clipboard", {
      value: { writeText: async (text) => { document.body.dataset.copied = text; } },
    })`);
    await box(id).getByRole("button", { name: "Copy" }).click();
    const copied = (await page.locator("body").getAttribute("data-copied")) ?? "";
    expect(
      copied
        .split("\n")
        .slice(1, 4)
        .map((line) => line.split("\t")[0]),
    ).toEqual([" HTA1_1 ", "HTA1_2  b", "HTA1_3 c d"]);
  });
});
