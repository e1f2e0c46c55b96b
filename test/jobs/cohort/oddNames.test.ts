import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { EMPTY_CATALOG, withEntries } from "../../../src/jobs/cohort/data/catalog.ts";
import { typeInputs } from "../../../src/jobs/cohort/data/typeInput.ts";
import { handZip } from "../../formats/support/handZip.ts";
import { sourceOf } from "../../formats/support/ranges.ts";
import { build, ingest, makeRig, type Rig, rowsOfFile } from "./support/cohortRig.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await makeRig();
});
afterAll(() => rig.close());

/** Builds the dataset of one record of FitbitDevices with these fields besides its key; gives its undeclared columns. */
async function columnsOf(fields: Readonly<Record<string, unknown>> | string) {
  const record = { ParticipantIdentifier: "p", Date: "d", Device: "v" };
  const line =
    typeof fields === "string"
      ? `${JSON.stringify(record).slice(0, -1)},${fields}}`
      : JSON.stringify({ ...record, ...fields });
  const content = Buffer.from(`${line}\r\n`);
  const zip = handZip([{ name: "FitbitDevices_20260101.json", content }]);
  const [home, out] = [await rig.folder(), await rig.folder()];
  const entry = await ingest(rig, home, "adults_v1/a", sourceOf(zip));
  const inputs = typeInputs(withEntries(EMPTY_CATALOG, [entry]), rig.shapes);
  const { datasets } = await build(rig, home, inputs, "FitbitDevices", out);
  const [row = {}] = await rowsOfFile(join(out, datasets[0]?.files[0]?.path ?? ""));
  const declared = columnNames("FitbitDevices");
  const columns = datasets[0]?.columns.map(({ name }) => name) ?? [];
  const own = columns.filter((name) => !declared.includes(name));
  return own.map((name) => [name, row[name]]);
}

function columnNames(type: string): readonly string[] {
  const names = rig.shapes.get(type)?.tables[0]?.columns.map(({ name }) => name) ?? [];
  return [...names, "export_start_date", "export_end_date"];
}

describe("a dataset of records whose fields have odd names", () => {
  test.each<[string, Readonly<Record<string, unknown>> | string, readonly unknown[]]>([
    [
      "NUL",
      { "a\0b": 1, a: 2 },
      [
        ["a", "2"],
        ["a_b", "1"],
      ],
    ],
    ["quotes, brackets and backslashes", { 'it\'s "q" {x}\\': 1 }, [["it_s__q___x__", "1"]]],
    [
      "nothing",
      { "": 1, " ": 2 },
      [
        ["_", "1"],
        ["__1", "2"],
      ],
    ],
    [
      "halves of pairs",
      '"\\ud800":1,"\\udc00":2',
      [
        ["_", "1"],
        ["__1", "2"],
      ],
    ],
    [
      "what staged rows call their own",
      { m: 1, l: 2, x: 3, t: 4, "^m": 5, "0": 6, file_index: 7, i: 8 },
      [
        ["0", "6"],
        ["_m", "5"],
        ["file_index", "7"],
        ["i", "8"],
        ["l", "2"],
        ["m", "1"],
        ["t", "4"],
        ["x", "3"],
      ],
    ],
    ["SQL", { 'a"; drop table winner; --': 1 }, [["a___drop_table_winner____", "1"]]],
    [
      "what is inherited",
      { constructor: 1, toString: "x" },
      [
        ["constructor", "1"],
        ["toString", "x"],
      ],
    ],
  ])("has a column for each: %s", async (_what, fields, columns) => {
    expect(await columnsOf(fields)).toEqual(columns);
  });

  test("holds values with NUL, deep ones and very long ones", async () => {
    const deep = `${"[".repeat(20_000)}${"]".repeat(20_000)}`;
    const long = "ä".repeat(200_000);
    expect(await columnsOf(`"a":"q\\u0000r","b":${deep},"c":${JSON.stringify(long)}`)).toEqual([
      ["a", "q\0r"],
      ["b", deep],
      ["c", long],
    ]);
  });
});
