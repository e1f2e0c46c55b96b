import { describe, expect, test } from "vitest";

import { type Manifest, readManifest, rowOf } from "../../../../src/jobs/htan/data/manifest.ts";
import { components } from "../fixtureWorld.ts";
import { analysisOf, chunked, entryOf, manifestOf } from "../given.ts";

const HEADER = "Component,HTAN Participant ID,Field A,entityId";

function problemsOf({ problems }: Manifest): readonly (readonly [string, number | null])[] {
  return problems.map(({ rule, row }) => [rule, row]);
}

function read(
  content: string | Uint8Array,
  component: string | null = "Exposure",
): Promise<Manifest> {
  return readManifest(entryOf("syn5", component), chunked(content), components);
}

describe("readManifest(entry, chunks, components)", () => {
  test("counts records and filled fields; ids, component and entity are no fields", async () => {
    const manifest = await manifestOf(
      "syn5",
      "Biospecimen",
      "Component,HTAN Biospecimen ID,HTAN Parent ID,HTAN Participant ID,Timepoint Label,Site Data Source,entityId",
      "Biospecimen,HTA3_1_1,HTA3_1,x,12,Not Reported,syn9",
      "Biospecimen,HTA3_1_2,HTA3_1,x,,n/a,syn9",
      'Biospecimen,HTA3_1_3,HTA3_1,x,"two\nlines","a ""b""",syn9',
    );
    expect(manifest).toMatchObject({ records: 3, fields: 6, filledFields: 3, problems: [] });
  });

  test("counts the ids of files and their parents as fields", async () => {
    const manifest = await manifestOf(
      "syn5",
      "ScRNA-seqLevel2",
      "Component,HTAN Data File ID,HTAN Parent Data File ID,entityId",
      "ScRNA-seqLevel2,HTA3_1_2,Not Applicable,syn9",
    );
    expect(manifest).toMatchObject({ fields: 2, filledFields: 1 });
  });

  test("keeps the columns that are looked at, and absent cells as empty", async () => {
    const manifest = await manifestOf(
      "syn5",
      "Therapy",
      "Component,HTAN Participant ID,Treatment Type,Days to Treatment Start,Therapeutic Agents",
      'Therapy,HTA3_1,"Chemo, ""first""",NA,x',
      "Therapy,NaN,Not Reported,5,x",
    );
    expect(manifest.cells).toEqual(
      new Map([
        ["HTAN Participant ID", ["HTA3_1", ""]],
        ["Treatment Type", ['Chemo, "first"', "Not Reported"]],
        ["Days to Treatment Start", ["", "5"]],
      ]),
    );
  });

  test("keeps nothing of a component that is not known, but counts it", async () => {
    const manifest = await manifestOf(
      "syn5",
      "Quantum",
      "Component,HTAN Data File ID",
      "Quantum,x",
    );
    expect(manifest).toMatchObject({ component: "Quantum", records: 1, fields: 1, problems: [] });
    expect(manifest.cells.size).toBe(0);
  });

  test("notes records whose entity is not one of Synapse", async () => {
    const manifest = await read(
      `${HEADER}\nExposure,a,b,syn1\nExposure,a,b,\nExposure,a,b,"x"\nExposure,a,b,"sy"\nExposure,a,b,"syn""1"\nExposure,a\n`,
    );
    expect(manifest.badEntityIds).toEqual([
      { record: 1, value: "" },
      { record: 2, value: null },
      { record: 3, value: null },
      { record: 5, value: "" },
    ]);
  });

  test.each([
    ["alone", ""],
    ["with rows of nothing behind it", ",,,\n , ,\t,\n"],
  ])("finds a header %s, which has no record", async (_what, rows) => {
    const manifest = await read(`${HEADER}\n${rows}`);
    expect(manifest).toMatchObject({ records: 0, fields: 0, filledFields: 0 });
    expect(
      manifest.problems.map(({ rule, severity, message }) => [rule, severity, message]),
    ).toEqual([
      [
        "M_EMPTY",
        "error",
        "The Exposure manifest (folder/synapse_storage_manifest_exposure.csv) has a row of column names, but no record.",
      ],
    ]);
  });

  test.each([
    ["\ufeff" + HEADER, "\n"],
    [HEADER, "\r\n"],
    [HEADER, "\r"],
  ])("reads %j with line breaks %j", async (header, lineBreak) => {
    const manifest = await read(
      [header, "Exposure,HTA3_1,x,syn1", "Exposure,HTA3_2,,syn2"].join(lineBreak),
    );
    expect(manifest).toMatchObject({ records: 2, fields: 2, filledFields: 1, problems: [] });
    expect(manifest.cells.get("HTAN Participant ID")).toEqual(["HTA3_1", "HTA3_2"]);
  });

  test.each([
    ["nothing", "", "M_EMPTY"],
    ["a mark and blank lines", "\ufeff\n\n \n", "M_EMPTY"],
    [
      "a zip file",
      Buffer.concat([Buffer.from("PK\u0003\u0004"), Buffer.alloc(5000, 7)]),
      "M_NOT_CSV",
    ],
    ["HTML", "<!DOCTYPE html>\n<html><body>Not found, sorry</body></html>\n", "M_NOT_CSV"],
    ["JSON", '{"error":"no"}', "M_NOT_CSV"],
    ["another table", "a,b,c\n1,2,3\n", "M_NOT_CSV"],
    ["column names between stars", HEADER.replaceAll(",", "*"), "M_NOT_CSV"],
    ["bytes without end", Buffer.alloc(17 << 20, 0x41), "M_NOT_CSV"],
  ])("finds %s", async (_what, content, rule) => {
    const manifest = await read(content);
    expect(problemsOf(manifest)).toEqual([[rule, null]]);
    expect(manifest).toMatchObject({ component: "Exposure", columns: [], records: 0, fields: 0 });
  });

  test("says what a file is that is no CSV, and what was expected", async () => {
    const { problems } = await read("PK\u0003\u0004...");
    expect(problems).toEqual([
      {
        rule: "M_NOT_CSV",
        severity: "error",
        subject: "syn5",
        row: null,
        message:
          "The Exposure manifest (folder/synapse_storage_manifest_exposure.csv) is no CSV with the columns of a manifest; it looks like a zip file, as Excel workbooks are, so nothing of it was read.",
        fields: { manifest: "syn5", component: "Exposure" },
      },
    ]);
  });

  test("finds rows of other lengths, and fills what they lack", async () => {
    const rows = Array.from({ length: 6 }, () => "Exposure,HTA3_1");
    const manifest = await read(
      [HEADER, ...rows, "Exposure,HTA3_1,x,syn1,extra", "Exposure,HTA3_1,x,syn1,,", ""].join("\n"),
    );
    expect(manifest).toMatchObject({ records: 8, fields: 8, filledFields: 2 });
    expect(manifest.problems).toEqual([
      {
        rule: "M_RAGGED_ROWS",
        severity: "warning",
        subject: "syn5",
        row: 2,
        message:
          "The Exposure manifest (folder/synapse_storage_manifest_exposure.csv) has 7 rows with more or fewer cells than its 4 columns (rows 2, 3, 4, 5, 6 and others); cells that are lacking count as empty.",
        fields: { manifest: "syn5", component: "Exposure", value: "7" },
      },
    ]);
    expect(manifest.cells.get("HTAN Participant ID")).toHaveLength(8);
  });

  test("keeps columns of one length when rows break off before them", async () => {
    const manifest = await read(
      "Component,entityId,HTAN Participant ID\nExposure\nExposure,syn1,HTA3_1\n",
    );
    expect(manifest.cells.get("HTAN Participant ID")).toEqual(["", "HTA3_1"]);
  });

  test("reads the first of columns that are there twice", async () => {
    const manifest = await read(
      "Component,HTAN Participant ID,HTAN Participant ID,A,A\nExposure,HTA3_1,HTA3_2,,x\n",
    );
    expect(manifest.cells.get("HTAN Participant ID")).toEqual(["HTA3_1"]);
    expect(manifest).toMatchObject({ fields: 2, filledFields: 1 });
    expect(manifest.problems.map(({ rule, fields }) => [rule, fields["column"]])).toEqual([
      ["M_DUPLICATE_COLUMN", "HTAN Participant ID"],
      ["M_DUPLICATE_COLUMN", "A"],
    ]);
  });

  test("finds columns of ids that are lacking, but not of adjacent ids", async () => {
    const manifest = await manifestOf(
      "syn5",
      "Biospecimen",
      "Component,Timepoint Label",
      "Biospecimen,x",
    );
    expect(manifest.problems.map(({ rule, fields }) => [rule, fields["column"]])).toEqual([
      ["M_MISSING_COLUMN", "HTAN Biospecimen ID"],
      ["M_MISSING_COLUMN", "HTAN Parent ID"],
    ]);
    expect(manifest).toMatchObject({ records: 1, fields: 1, filledFields: 1 });
  });

  test("finds bytes that are no text, and reads the rest", async () => {
    const latin1 = Buffer.from(
      `${HEADER}\nExposure,HTA3_1,naïve,syn1\nExposure,HTA3_2,,syn2\n`,
      "latin1",
    );
    const manifest = await read(latin1);
    expect(problemsOf(manifest)).toEqual([["M_ENCODING", 2]]);
    expect(manifest).toMatchObject({ records: 2, filledFields: 1 });
  });

  test("finds a quote that is never closed", async () => {
    const manifest = await read(`${HEADER}\nExposure,HTA3_1,"x,syn1\nExposure,HTA3_2,x,syn2\n`);
    expect(problemsOf(manifest)).toEqual([["M_UNCLOSED_QUOTE", 2]]);
    expect(manifest.problems[0]?.message).toBe(
      "The Exposure manifest (folder/synapse_storage_manifest_exposure.csv) has a quote in row 2 that is never closed, so that this row and all that follow were not read.",
    );
    expect(manifest).toMatchObject({ records: 0 });
  });

  test("finds a quote among the column names that is never closed", async () => {
    const manifest = await read(`"${HEADER}\nExposure,HTA3_1,x,syn1\n`);
    expect(problemsOf(manifest)).toEqual([["M_UNCLOSED_QUOTE", 1]]);
    expect(manifest).toMatchObject({ columns: [], records: 0 });
  });

  test.each([
    ["one stray quote", ['HTA3_8_1,HTA3_8,"A', "HTA3_8_2,HTA3_8,A"]],
    ["one at an id", ['"HTA3_8_1,HTA3_8,A', "HTA3_8_2,HTA3_8,A"]],
    ["two in different columns", ['HTA3_8_1,"HTA3_8,A', 'HTA3_8_2,HTA3_8,"A']],
    ["two in one column", ['HTA3_8_1,"HTA3_8,A', 'HTA3_8_2,"HTA3_8,A']],
    ["two of which the second closes a cell", ['"HTA3_8_1,HTA3_8,A', 'HTA3_8_2",HTA3_8,A']],
    ["two less than a row apart", ['HTA3_8_1,HTA3_8,"A', 'HTA3_8_2",HTA3_8,A']],
    ["two that leave a list behind", ['HTA3_8_1,"HTA3_8,A', "a,b,c", 'HTA3_8_2",HTA3_8,A']],
  ])("lets no other cell of a row get out of the files by %s", async (_what, rows) => {
    const manifest = manifestOf(
      "syn5",
      "Biospecimen",
      "Component,Age,HTAN Biospecimen ID,HTAN Parent ID,Acquisition Method Type,Days",
      "Biospecimen,SECRET,HTA3_7_1,HTA3_7,A,SECRET",
      ...rows.map((row) => `Biospecimen,SECRET,${row},SECRET`),
    );
    const analysis = await analysisOf([manifest]);
    expect(JSON.stringify(analysis)).not.toContain("SECRET");
    expect(problemsOf(await manifest)).toContainEqual(["M_UNCLOSED_QUOTE", 3]);
  });

  test("keeps line breaks out of ids and labels, which are on one line", async () => {
    const manifest = await manifestOf(
      "syn5",
      "Therapy",
      "Component,HTAN Participant ID,Treatment Type,Other",
      'Therapy,"HTA3_1\n","Chemo\r\n\ttherapy",x',
      'Therapy,"HTA3_2\n",b,x,too many',
    );
    expect(manifest.cells.get("HTAN Participant ID")).toEqual(["HTA3_1", "HTA3_2"]);
    expect(manifest.cells.get("Treatment Type")).toEqual(["Chemo therapy", "b"]);
    expect(problemsOf(manifest)).toEqual([
      ["M_SPELLING", 2],
      ["M_RAGGED_ROWS", 3],
    ]);
  });

  test("keeps no value that is longer than ids and labels are, but long lists of ids", async () => {
    const list = Array.from({ length: 40 }, (_, index) => `HTA3_1_${index}`).join(",");
    const long = "x".repeat(100_000);
    const cut = `${"x".repeat(200)}…`;
    const manifest = await manifestOf(
      "syn5",
      "ScRNA-seqLevel2",
      `Component,HTAN Data File ID,HTAN Parent Data File ID,entityId,${long},${long}`,
      `${long},${long},"${list}",${long},,`,
    );
    expect(manifest.cells).toEqual(
      new Map([
        ["HTAN Data File ID", [""]],
        ["HTAN Parent Data File ID", [list]],
      ]),
    );
    expect(manifest.badEntityIds).toEqual([{ record: 0, value: null }]);
    expect(manifest.problems.map(({ rule, fields }) => [rule, fields["column"]])).toEqual([
      ["M_MIXED_COMPONENTS", "Component"],
      ["M_DUPLICATE_COLUMN", cut],
    ]);
  });

  test("takes nothing with a NUL for an id or a component", async () => {
    const manifest = await read(`${HEADER}\nThera\0py,HTA3\0_1,x,\0\n`);
    expect(manifest.cells.get("HTAN Participant ID")).toEqual([""]);
    expect(manifest.notIds).toEqual([{ record: 0, column: "HTAN Participant ID" }]);
    expect(manifest.badEntityIds).toEqual([{ record: 0, value: null }]);
    expect(problemsOf(manifest)).toEqual([
      ["M_MIXED_COMPONENTS", 2],
      ["M_ENCODING", 2],
    ]);
  });

  test("stops at a quote that swallows too much", async () => {
    const content = `${HEADER}\nExposure,HTA3_1,x,syn1\nExposure,HTA3_2,"x,syn2\n${"Exposure,HTA3_3,x,syn3\n".repeat(800_000)}`;
    const manifest = await read(content);
    expect(problemsOf(manifest)).toEqual([["M_UNCLOSED_QUOTE", 3]]);
    expect(manifest).toMatchObject({ records: 1 });
  });

  test("believes the view about the component, and says so where the records differ", async () => {
    const manifest = await read(`${HEADER}\n,HTA3_1,x,syn1\nTherapy,HTA3_1,x,syn1\n`);
    expect(manifest.component).toBe("Exposure");
    expect(manifest.problems.map(({ rule, fields }) => [rule, fields["value"]])).toEqual([
      ["M_COMPONENT_DIFFERS", "Therapy"],
    ]);
  });

  test("takes the component from the first record that names one where the view does not, and all its columns", async () => {
    const manifest = await read(
      `${HEADER}\nNA,HTA3_1,x,syn1\n,HTA3_2,x,syn1\nExposure,HTA3_3,x,syn1\n`,
      null,
    );
    expect(manifest).toMatchObject({ component: "Exposure", problems: [] });
    expect(manifest.cells.get("HTAN Participant ID")).toEqual(["HTA3_1", "HTA3_2", "HTA3_3"]);
  });

  test("finds a manifest whose component nobody names", async () => {
    const manifest = await read("HTAN Participant ID,A\nHTA3_1,x\n", null);
    expect(manifest.component).toBeNull();
    expect(problemsOf(manifest)).toEqual([["M_NO_COMPONENT", null]]);
  });

  test("passes on that its content could not be had", async () => {
    const failing = (async function* () {
      yield Buffer.from(`${HEADER}\n`);
      throw new Error("connection lost");
    })();
    await expect(readManifest(entryOf("syn5", "Exposure"), failing, components)).rejects.toThrow(
      "connection lost",
    );
  });
});

describe("rowOf(manifest, record)", () => {
  test("counts rows as a spreadsheet does, whatever lines and empty lines there are", async () => {
    const manifest = await read(
      `\n${HEADER}\nExposure,a,"1\n2",s\n\n\nExposure,b,3,s\nExposure,c,4,s\n\nExposure,d,5,s\n`,
    );
    expect([0, 1, 2, 3].map((record) => rowOf(manifest, record))).toEqual([3, 6, 7, 9]);
  });
});
