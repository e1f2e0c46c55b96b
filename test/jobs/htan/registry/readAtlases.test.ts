import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { readAtlases } from "../../../../src/jobs/htan/registry/readAtlases.ts";

describe("readAtlases(text)", () => {
  test("reads the list that comes with hdash", () => {
    const text = readFileSync(
      join(import.meta.dirname, "../../../../config/htan_projects.csv"),
      "utf8",
    );
    const atlases = readAtlases(text);
    expect(atlases).toHaveLength(text.trim().split("\n").length - 1);
    expect(atlases[2]).toEqual({
      atlasId: "HTA3",
      projectId: "syn22124336",
      name: "HTAN BU",
      liaison: expect.any(String) as string,
    });
  });

  test("takes a byte-order mark, CRLF, columns in any order, further columns, and names with commas and markup", () => {
    const text =
      '\ufeffatlas_id,name,note,liaison,id\r\nHTA1,"A, ""B"" <i>&</i>",x,Ada,syn12\r\n\r\nHTA99,C,,,syn3';
    expect(readAtlases(text)).toEqual([
      { atlasId: "HTA1", projectId: "syn12", name: 'A, "B" <i>&</i>', liaison: "Ada" },
      { atlasId: "HTA99", projectId: "syn3", name: "C", liaison: "" },
    ]);
  });

  test.each([
    [
      "rows and columns of nothing",
      "id,atlas_id,name,liaison,,\nsyn1,HTA1,A,Ada,,\n,,,,,\n ,\nsyn2,HTA2,B\u00a0,,,\n,,,\n",
    ],
    [
      "blanks and case in names and values",
      "ID, Atlas_Id ,NAME\u00a0,\u200bliaison\n syn1,HTA1\u00a0,A,Ada\nsyn2\u200b,HTA2, B,\n",
    ],
    ["semicolons", "id;atlas_id;name;liaison\r\nsyn1;HTA1;A;Ada\r\nsyn2;HTA2;B;\r\n"],
    [
      "tabs, which a first line names",
      "sep=\t\nid\tatlas_id\tname\tliaison\nsyn1\tHTA1\tA\tAda\nsyn2\tHTA2\tB\t\n",
    ],
  ])("takes %s", (_what, text) => {
    expect(readAtlases(text)).toEqual([
      { atlasId: "HTA1", projectId: "syn1", name: "A", liaison: "Ada" },
      { atlasId: "HTA2", projectId: "syn2", name: "B", liaison: "" },
    ]);
  });

  const HEADER = "id,atlas_id,name,liaison\n";
  test.each([
    ["nothing", "", "it is empty"],
    ["only blank lines", "\n \n", "it is empty"],
    ["no atlas", HEADER, "it has no atlas"],
    [
      "columns that are missing",
      "id,atlas,name\n",
      "line 1: the column atlas_id is missing; there are id, atlas, name\n" +
        "line 1: the column liaison is missing; there are id, atlas, name",
    ],
    [
      "a bad Synapse id",
      `${HEADER}12,HTA1,A,\n`,
      'line 2: id is "12", which is no Synapse id (syn and digits)',
    ],
    [
      "no Synapse id",
      `${HEADER},HTA1,A,\n`,
      "line 2: id is empty, which is no Synapse id (syn and digits)",
    ],
    [
      "a bad atlas id",
      `${HEADER}syn1,HTA0,A,\n`,
      'line 2: atlas_id is "HTA0", which is none of HTA1 to HTA99 and HTA200 to HTA209',
    ],
    [
      "an atlas id too many",
      `${HEADER}syn1,HTA100,A,\n`,
      'line 2: atlas_id is "HTA100", which is none of HTA1 to HTA99 and HTA200 to HTA209',
    ],
    ["no name", `${HEADER}syn1,HTA1,,\n`, "line 2: name is empty"],
    [
      "a repeated atlas",
      `${HEADER}syn1,HTA1,A,\nsyn2,HTA1,B,\n`,
      "line 3: HTA1 is already in line 2",
    ],
    [
      "a repeated project",
      `${HEADER}syn1,HTA1,A,\nsyn1,HTA2,B,\n`,
      "line 3: syn1 is already in line 2",
    ],
    [
      "atlases without ids, which are not each other's repetition",
      `${HEADER}syn1,,A,\nsyn2,,B,\n`,
      "line 2: atlas_id is empty, which is none of HTA1 to HTA99 and HTA200 to HTA209\n" +
        "line 3: atlas_id is empty, which is none of HTA1 to HTA99 and HTA200 to HTA209",
    ],
    ["a short row", `${HEADER}syn1,HTA1,A\n`, "line 2: 3 cells instead of 4 (syn1,HTA1,A)"],
    ["a long row", `${HEADER}syn1,HTA1,A,B,C\n`, "line 2: 5 cells instead of 4 (syn1,HTA1,A,B,C)"],
    ["a quote that is not closed", `${HEADER}syn1,HTA1,A,"B\n`, "line 2: a quote is not closed"],
    ["a quote that is not closed in the header", `"${HEADER}`, "line 1: a quote is not closed"],
    [
      "everything at once",
      `${HEADER}x,HTA1,A,\nsyn2,HTA1,,\nsyn2,y,B,\n`,
      'line 2: id is "x", which is no Synapse id (syn and digits)\nline 3: name is empty\n' +
        'line 4: atlas_id is "y", which is none of HTA1 to HTA99 and HTA200 to HTA209\n' +
        "line 3: HTA1 is already in line 2\nline 4: syn2 is already in line 3",
    ],
  ])("refuses %s", (_what, text, message) => {
    expect(() => readAtlases(text)).toThrow(expect.objectContaining({ kind: "config", message }));
  });
});
