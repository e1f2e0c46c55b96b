// The worlds of cases/security through the whole pipeline: what their README says must not be in any published file.

import { join } from "node:path";

import { parse } from "csv-parse/sync";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import type { FlatFinding } from "../../../src/finding.ts";
import { openWorld, type World } from "../../engine/world.ts";
import { startAfresh } from "../../support/ledger.ts";
import { type CaseRun, runCase } from "./caseRun.ts";

const CASES = join(import.meta.dirname, "../../fixtures/cases/security");

let world: World;
beforeAll(async () => {
  world = await openWorld("embedded");
});
afterAll(() => world.close());
beforeEach(() => startAfresh(world.database.db));

async function publish(name: string): Promise<CaseRun & { readonly texts: readonly string[] }> {
  const run = await runCase(world, join(CASES, name));
  expect(run.outcome).toMatchObject({ kind: "finished", record: { status: "succeeded" } });
  return { ...run, texts: [...run.site.files.values()].map(({ text }) => text) };
}

/** Reads the file as spreadsheets do that part cells at commas, and as those that part them at semicolons. */
function expectNoFormula(csv: string): void {
  const rows: string[][] = parse(csv, { bom: true });
  expect(rows.flat().filter((cell) => /^[=+\-@\t\r]/.test(cell))).toEqual([]);
  expect(csv).not.toMatch(/[;\t]["\s]*[=+\-@]/);
}

describe("a hostile world", () => {
  test("publishes no record number, name or date that stands in an id's place, and says where it stands", async () => {
    const { texts, json } = await publish("participant-id-free-text");
    expect(texts.filter((text) => /MRN|Example Person|1900-01-01/.test(text))).toEqual([]);
    expect(
      json<FlatFinding[]>("data/HTA3-findings.json").map((finding) => [
        finding["rule"],
        finding["subject"],
        finding["column"],
        finding["row"],
        finding["value"],
      ]),
    ).toEqual([
      ["H_ID_SPEC", "syn70000102", "HTAN Participant ID", 3, undefined],
      ["H_ID_SPEC", "syn70000104", "HTAN Parent ID", 3, undefined],
    ]);
  });

  test("publishes no day from the index date, which may be an age", async () => {
    const { texts, json } = await publish("age-over-89");
    expect(texts.filter((text) => /33,?580|20,?000/.test(text))).toEqual([]);
    const { timelineEvents } = json<{ timelineEvents: readonly object[] }>("data/HTA3.json");
    expect(timelineEvents).toMatchObject([
      { Start: 0, Finish: 1 },
      { Start: 0, Finish: 1 },
    ]);
  });

  test("publishes no formula in a CSV, wherever a spreadsheet parts its cells", async () => {
    const { site } = await publish("csv-formula-behind-semicolon");
    const csv = site.files.get("data/HTA3-findings.csv")?.text ?? "";
    expect(csv).toContain("HYPERLINK");
    expectNoFormula(csv);
  });

  test("publishes a network of three cells in each line, and SVG without script", async () => {
    const { site } = await publish("hostile-strings");
    const sif = site.files.get("HTA3_network.sif")?.text ?? "";
    expect(
      sif
        .trim()
        .split("\n")
        .map((line) => line.split("\t").length),
    ).toEqual([3, 3]);
    const csv = site.files.get("data/HTA3-findings.csv")?.text ?? "";
    expectNoFormula(csv);
    for (const [path, { text }] of site.files) {
      if (path.endsWith(".svg")) expect(text).not.toMatch(/<script|\son\w+=/i);
    }
  });
});
