// Folders whose names DuckDB could take for patterns, columns or the ends of texts, and files that are none of its business.

import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, describe, expect, test } from "vitest";

import { EMPTY_CATALOG, withEntries } from "../../../../src/jobs/cohort/data/catalog.ts";
import { typeInputs } from "../../../../src/jobs/cohort/data/typeInput.ts";
import { handZip } from "../../../formats/support/handZip.ts";
import { sourceOf } from "../../../formats/support/ranges.ts";
import { refusal } from "../../../support/refusal.ts";
import { build, ingest, makeRig, type Rig, rowsOfFile } from "../support/cohortRig.ts";

let rig: Rig | null = null;
afterEach(async () => {
  await rig?.close();
  rig = null;
});

/** Sends a record on each of two days, builds after each, and gives the rows of the dataset and of its child. */
async function rowsBelow(folder: string) {
  rig = await makeRig(undefined, folder);
  const home = await rig.folder();
  const out = await rig.folder();
  let catalog = EMPTY_CATALOG;
  let before: Awaited<ReturnType<typeof build>> | undefined;
  for (const day of [1, 2]) {
    const record = {
      ...{ ParticipantIdentifier: "p", DataPointKey: `k${day}`, InsertedDate: "2026-01-01" },
      Value: JSON.stringify({ symptoms: [{ id: `s${day}`, severity: day }] }),
    };
    const content = Buffer.from(`${JSON.stringify(record)}\r\n`);
    const zip = handZip([{ name: `SymptomLog_2026010${day}.json`, content }]);
    catalog = withEntries(catalog, [await ingest(rig, home, `adults_v1/${day}`, sourceOf(zip))]);
    const inputs = typeInputs(catalog, rig.shapes);
    before = await build(rig, home, inputs, "SymptomLog", out, { before });
  }
  const rows: Record<string, unknown> = {};
  for (const { name, files } of before?.datasets ?? []) {
    const read = await Promise.all(files.map(({ path }) => rowsOfFile(join(out, path))));
    rows[name] = read.flat();
  }
  return rows;
}

describe("a work folder of an odd name", () => {
  test.each([
    ["marks of patterns", "a[b]*?{c}/**/[!d]"],
    ["quotes and backslashes", `it's "q"\\x`],
    ["what looks like columns", "m=7/cohort=9/ParticipantIdentifier=x/k=1"],
    ["what looks like an address", "s3:/h#1?x=1%20"],
  ])("holds the same datasets: %s", async (_what, folder) => {
    const found = await rowsBelow(folder);
    await rig?.close();
    const plain = await rowsBelow("");
    expect(plain["dataset_symptomlog"]).toHaveLength(2);
    expect(plain["dataset_symptomlog_value_symptoms"]).toHaveLength(2);
    expect(found).toEqual(plain);
  });
});

describe("DuckDB", () => {
  test("opens nothing outside of the work folder, and no more may be allowed to it", async () => {
    rig = await makeRig();
    const { duck, dir } = rig;
    const statements = [
      `select * from read_csv('${import.meta.filename}')`,
      `copy (select 1) to '${join(tmpdir(), "hdash-nowhere.csv")}'`,
      "set enable_external_access = true",
      `set allowed_directories = ['/']`,
    ];
    for (const statement of statements) {
      const { message } = await refusal(duck.run("asking", statement));
      expect(message).toMatch(/^asking: DuckDB gave up \((Permission|Invalid Input)\)$/);
    }
    await writeFile(join(dir, "own.csv"), "a\n1\n");
    expect(await duck.rows("asking", `select * from read_csv('${join(dir, "own.csv")}')`)).toEqual([
      ["1"],
    ]);
  });
});
