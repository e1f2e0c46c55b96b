import { describe, expect, test } from "vitest";

import { type Manifest, readManifest, rowOf } from "../../../../src/jobs/htan/data/manifest.ts";
import { components } from "../fixtureWorld.ts";
import {
  analysisOf,
  ASSAY,
  chunked,
  entryOf,
  manifestOf,
  outcomeOf,
  rowsOf,
  sound,
} from "../given.ts";

const HEADER = "Component,HTAN Participant ID,Field A,entityId";
const ROWS = ["Exposure,HTA3_1,x,syn1", "Exposure,HTA3_2,,syn2"];
/** Characters that nobody sees, or that look like blanks and are none. */
const UNSEEN = [
  " ",
  "\t",
  "\u00a0",
  "\u2003",
  "\u202f",
  "\u200b",
  "\u200d",
  "\u2060",
  "\u00ad",
  "\u200e",
  "\ufeff",
  "\u00a0\u200b ",
];

function read(content: string | Uint8Array, component: string | null = "Exposure", size?: number) {
  return readManifest(entryOf("syn5", component), chunked(content, size), components);
}

function problemsOf({ problems }: Manifest): readonly (readonly [string, number | null])[] {
  return problems.map(({ rule, row }) => [rule, row]);
}

/** What reading HEADER and ROWS gives, however they are written. */
const READ = { records: 2, fields: 2, filledFields: 1, badEntityIds: [] };

describe("readManifest(entry, chunks, components), of blanks and case", () => {
  test.each(UNSEEN)("passes over %j around whatever is compared", async (blank) => {
    const around = (text: string): string => `"${blank}${text}${blank}"`;
    const line = (text: string): string => text.split(",").map(around).join(",");
    const manifest = await read(
      [HEADER, ...ROWS.slice(0, 1)].map(line).join("\n"),
      `${blank}Exposure${blank}`,
    );
    expect(manifest).toMatchObject({ component: "Exposure", records: 1, badEntityIds: [] });
    expect(manifest.cells.get("HTAN Participant ID")).toEqual(["HTA3_1"]);
    expect(manifest.columns).toEqual(HEADER.split(","));
    expect(problemsOf(manifest)).toEqual([["M_SPELLING", 2]]);
  });

  test("passes over what nobody sees in the midst of an id and of a column's name", async () => {
    const manifest = await read(
      "Component,HTAN\u00a0 Participant\u200b ID,entityId\nExposure,HTA3\u200b_1,syn1\n",
    );
    expect(manifest.cells).toEqual(new Map([["HTAN Participant ID", ["HTA3_1"]]]));
  });

  test.each([
    ["in capitals", "COMPONENT,HTAN PARTICIPANT ID,Field A,ENTITYID"],
    ["in small letters", "component,htan participant id,Field A,entityid"],
    ["behind a byte-order mark that was taken for Windows text", `\u00ef\u00bb\u00bf${HEADER}`],
    ["behind two byte-order marks", `\ufeff\ufeff${HEADER}`],
  ])("knows the column names %s", async (_what, header) => {
    const manifest = await read([header, ...ROWS].join("\n"));
    expect(manifest).toMatchObject(READ);
    expect(manifest.cells.get("HTAN Participant ID")).toEqual(["HTA3_1", "HTA3_2"]);
    expect(manifest.problems.filter(({ rule }) => rule !== "M_SPELLING")).toEqual([]);
  });

  test("says in one warning what it read otherwise than it is written", async () => {
    const manifest = await read(
      'component, HTAN Participant ID,Field A ,"entityId\u200b",B ,C \nExposure,HTA3_1\u00a0,x,syn1,,\nexposure,hta3_2,x, syn2,,\n',
      "exposure",
    );
    expect(manifest.problems).toEqual([
      {
        rule: "M_SPELLING",
        severity: "warning",
        subject: "syn5",
        row: 2,
        message:
          "The Exposure manifest (folder/synapse_storage_manifest_exposure.csv) has blanks, unseen characters or letter case that differ from the template's, which were passed over: " +
          "the columns “component” (read as Component), “ HTAN Participant ID” (read as HTAN Participant ID), “entityId\u200b” (read as entityId, without what cannot be seen) and 3 more; " +
          "the annotation “exposure” (read as Exposure); " +
          "4 cells, the first in row 2 of HTAN Participant ID: “HTA3_1\u00a0” (read as HTA3_1, without the blank that is no plain one).",
        fields: {
          manifest: "syn5",
          component: "Exposure",
          column: "HTAN Participant ID",
          value: "HTA3_1\u00a0",
        },
      },
    ]);
  });

  test("reads ids in small letters as those in capitals, and leaves what is no id either way", async () => {
    const manifest = await manifestOf(
      "syn5",
      "ScRNA-seqLevel2",
      "Component,HTAN Data File ID,HTAN Parent Data File ID,entityId",
      'ScRNA-seqLevel2,hta3_1_2,"hta3_ext7_1;HTA3_1_1, hta204_1_b1",syn9',
      "ScRNA-seqLevel2,HTA3_xxxx_1,unknown,syn9",
    );
    expect(manifest.cells).toEqual(
      new Map([
        ["HTAN Data File ID", ["HTA3_1_2", "HTA3_xxxx_1"]],
        ["HTAN Parent Data File ID", ["HTA3_EXT7_1;HTA3_1_1, HTA204_1_B1", "unknown"]],
      ]),
    );
  });

  test.each([
    [
      "a row whose cells have moved",
      `${HEADER}\nExposure,1, SECRET,x,syn1\nExposure, SECRET,x,syn1\n`,
    ],
    [
      "a component in a row whose cells have moved",
      `HTAN Participant ID,Component\nHTA3_1,Exposure\nHTA3_2,x,SECRET\nHTA3_1,SECRET,Exposure\n`,
    ],
    ["a record in the place of column names", "HTA3_1,HTAN BU, SECRET\nHTA3_2,HTAN BU,SECRET \n"],
    ["unknown columns' names", "Component,HTAN Participant ID,SECRET \nExposure,HTA3_1,x\n"],
  ])("quotes in no warning %s", async (_what, content) => {
    const { problems } = await read(content);
    expect(problems).not.toEqual([]);
    expect(JSON.stringify(problems)).not.toContain("SECRET");
  });

  test("takes an annotation of nothing but blanks for none", async () => {
    const manifest = await read([HEADER, ...ROWS].join("\n"), " \u00a0");
    expect(manifest).toMatchObject({ component: "Exposure", problems: [] });
  });

  test("leaves what is only counted as it is written", async () => {
    const manifest = await read(`${HEADER}\nExposure,HTA3_1, ,syn1\nExposure,HTA3_2,NA ,syn2\n`);
    expect(manifest).toMatchObject({ fields: 2, filledFields: 2, problems: [] });
  });

  test("links parents and neighbours to records whatever blanks are at either end", async () => {
    const [demographics] = sound();
    const analysis = await analysisOf([
      demographics as Promise<Manifest>,
      rowsOf(
        "syn101",
        "Biospecimen",
        ["HTAN Biospecimen ID ", "HTAN Parent ID", "adjacent biospecimen ids"],
        ["HTA3_1_1\u00a0", "HTA3_1", "HTA3_2_1\u200b"],
        ["\u200bHTA3_2_1", " HTA3_2 ", "HTA3_1_1"],
      ),
      rowsOf("syn102", "ScRNA-seqLevel1", ASSAY, ["HTA3_1_9", "HTA3_1_1 ,\u00a0HTA3_2_1", "syn1"]),
    ]);
    expect(outcomeOf(analysis, "H_LINKS")).toMatchObject({ status: "passed" });
    expect(analysis.sif).toHaveLength(4);
  });

  test.each([
    "NOT APPLICABLE",
    "Not\u00a0Applicable",
    "not applicable",
    "Not Applicable - see notes",
    " Not applicable",
  ])("takes the specimen beside %j", async (cell) => {
    const header = ["HTAN Data File ID", "HTAN Parent Data File ID", "HTAN Parent Biospecimen ID"];
    const row = ["HTA3_1_9", cell, "HTA3_1_1", "syn1"];
    const analysis = await analysisOf([
      ...sound(),
      rowsOf("syn102", "BulkWESLevel2", [...header, "entityId"], row),
    ]);
    expect(outcomeOf(analysis, "H_LINKS")).toMatchObject({ status: "passed" });
    expect(analysis.sif.filter((line) => line.includes("HTA3_1_9"))).toHaveLength(1);
  });
});

describe("readManifest(entry, chunks, components), of padding", () => {
  test.each([
    ["commas", ",,,"],
    ["too few commas", ","],
    ["too many commas", ",,,,,,,,"],
    ["quotes of nothing", '"","","",""'],
    ["blanks of all kinds", " ,\t,\u00a0,\u200b"],
  ])("takes a row of %s for none, and counts rows on", async (_what, blank) => {
    const manifest = await read([HEADER, blank, ROWS[0], blank, blank, ROWS[1], blank].join("\n"));
    expect(manifest).toMatchObject({ ...READ, problems: [] });
    expect([rowOf(manifest, 0), rowOf(manifest, 1)]).toEqual([3, 6]);
  });

  test.each([
    ["a value", ",,x,"],
    ["a component alone", "Exposure,,,"],
    ["a mark for an absent value", ",,NA,"],
  ])("takes a row of %s for a record", async (_what, row) => {
    expect(await read([HEADER, row].join("\n"))).toMatchObject({ records: 1 });
  });

  test.each([
    ["without a name", ",", ""],
    ["with blanks for a name", ", ,", ""],
    ["that pandas named", ",Unnamed: 4,Unnamed: 5", ""],
    ["whose cells not all rows have", ",,,", ","],
    ["of blanks and marks of absence", ",", ", "],
  ])("counts no columns %s and a value", async (_what, names, cells) => {
    const manifest = await read([HEADER + names, ROWS[0] + cells, ROWS[1] ?? ""].join("\n"));
    expect(manifest).toMatchObject(READ);
    expect(
      problemsOf(manifest).filter(([rule]) => rule !== "M_SPELLING" && rule !== "M_RAGGED_ROWS"),
    ).toEqual([]);
  });

  test("finds no ragged rows where only columns without a name are lacking", async () => {
    expect(problemsOf(await read([`${HEADER},,,`, ...ROWS].join("\n")))).toEqual([]);
  });

  test("counts a column without a name that holds a value", async () => {
    const manifest = await read(`${HEADER},,\n${ROWS[0]},,note\n${ROWS[1]},,unknown\n`);
    expect(manifest).toMatchObject({ fields: 4, filledFields: 2 });
  });

  test.each([
    ["as they are", HEADER],
    ["with a byte-order mark, as joined files have", `\ufeff${HEADER}`],
    ["in other case and with blanks", "component , htan participant id,field a,ENTITYID"],
    ["in quotes", '"Component","HTAN Participant ID","Field A","entityId"'],
  ])("passes over column names in the midst of records, %s", async (_what, again) => {
    const manifest = await read([HEADER, ROWS[0], again, again, ROWS[1]].join("\n"));
    expect(manifest).toMatchObject(READ);
    expect([rowOf(manifest, 0), rowOf(manifest, 1)]).toEqual([2, 5]);
    expect(manifest.problems.map(({ rule, row, message }) => [rule, row, message])).toEqual([
      [
        "M_REPEATED_HEADER",
        3,
        "The Exposure manifest (folder/synapse_storage_manifest_exposure.csv) has its column names once more in rows 3, 4, which count as no record.",
      ],
    ]);
  });

  test("knows repeated column names where there is no Component among them", async () => {
    const manifest = await read(
      "HTAN Participant ID,A\nHTA3_1,x\nHTAN Participant ID,A\nHTA3_2,y\n",
    );
    expect(problemsOf(manifest)).toEqual([["M_REPEATED_HEADER", 3]]);
    expect(manifest.cells.get("HTAN Participant ID")).toEqual(["HTA3_1", "HTA3_2"]);
  });

  test("stops where another sheet's column names come, and says so", async () => {
    const manifest = await read(
      [HEADER, ROWS[0], "HTAN Participant ID,Component,SECRET", "SECRET,Exposure,SECRET"].join(
        "\n",
      ),
    );
    expect(manifest).toMatchObject({ records: 1 });
    expect(problemsOf(manifest)).toEqual([["M_SECOND_TABLE", 3]]);
    expect(JSON.stringify(manifest)).not.toContain("SECRET");
  });
});

describe("readManifest(entry, chunks, components), of components", () => {
  test("names up to five components that differ from the annotation, with the row where each begins", async () => {
    const rows = [1, 2, 3, 4, 5, 6, 7, 7].map((level) => `Level${level},HTA3_1,x,syn1`);
    const { problems } = await read([HEADER, "Exposure,HTA3_1,x,syn1", ...rows].join("\n"));
    expect(
      problems.map(({ rule, row, fields, message }) => [rule, row, fields["value"], message]),
    ).toEqual([
      [
        "M_COMPONENT_DIFFERS",
        3,
        "Level1",
        "The Exposure manifest (folder/synapse_storage_manifest_exposure.csv) is annotated as Exposure in Synapse, but some of its own records say otherwise: Level1 (row 3), Level2 (row 4), Level3 (row 5), Level4 (row 6), Level5 (row 7) and others; the annotation was believed.",
      ],
    ]);
  });

  test("takes another spelling of a component for the same", async () => {
    const manifest = await read(
      `${HEADER}\nEXPOSURE,HTA3_1,x,syn1\n Exposure,HTA3_2,x,syn1\n`,
      null,
    );
    expect(manifest.component).toBe("Exposure");
    expect(problemsOf(manifest)).toEqual([["M_SPELLING", 2]]);
  });

  test("counts each record of a manifest without an annotation under its own component", async () => {
    const mixed = manifestOf(
      "syn102",
      null,
      "Component,HTAN Data File ID,HTAN Parent Biospecimen ID,HTAN Parent Data File ID,entityId",
      "ScRNA-seqLevel1,HTA3_1_9,HTA3_1_1,,syn1",
      "ScRNA-seqLevel2,HTA3_1_10,,HTA3_1_9,syn2",
      "",
      "ScRNA-seqLevel1,HTA3_2_9,HTA3_2_1,,3",
      ",HTA3-bad,HTA3_2_1,,syn4",
      "ScRNA-seqLevel2,HTA3_2_10,,HTA3_2_8,5",
      "Quantum,q,,,syn6",
    );
    const analysis = await analysisOf([...sound(), mixed]);
    expect(analysis.manifests["syn102"]).toMatchObject({
      component: "ScRNA-seqLevel1",
      records: 6,
    });
    expect(analysis.grids.single_cell.counts).toMatchObject({
      "ScRNA-seqLevel1": 2,
      "ScRNA-seqLevel2": 1,
    });
    expect(analysis.sif.filter((line) => line.includes("SC"))).toEqual([
      "B_HTA3_1_1\tconnect\tSC1_HTA3_1_9",
      "B_HTA3_2_1\tconnect\tSC1_HTA3-bad",
      "B_HTA3_2_1\tconnect\tSC1_HTA3_2_9",
      "SC1_HTA3_1_9\tconnect\tSC2_HTA3_1_10",
    ]);
    expect(
      analysis.findings.map(({ rule, row, fields }) => [
        rule,
        row,
        fields["component"] ?? fields["value"],
      ]),
    ).toEqual([
      ["H_CATEGORIES", null, "Quantum"],
      ["H_ID_SPEC", 6, "ScRNA-seqLevel1"],
      ["H_LINKS", 7, "ScRNA-seqLevel2"],
      ["H_ENTITY_ID", 5, "ScRNA-seqLevel1"],
      ["H_ENTITY_ID", 7, "ScRNA-seqLevel2"],
      ["M_MIXED_COMPONENTS", 3, "ScRNA-seqLevel1"],
    ]);
    expect(analysis.findings.at(-1)?.message).toContain(
      "ScRNA-seqLevel1 (2 records, the first in row 2), ScRNA-seqLevel2 (2 records, the first in row 3), Quantum (row 8); each record counts under its own",
    );
  });

  test("asks of each component of a manifest for its own columns", async () => {
    const { problems } = await manifestOf(
      "syn5",
      null,
      "Component,HTAN Participant ID",
      "Exposure,HTA3_1",
      "Biospecimen,HTA3_1",
    );
    expect(problems.map(({ rule, fields }) => [rule, fields["column"]])).toEqual([
      ["M_MISSING_COLUMN", "HTAN Biospecimen ID"],
      ["M_MISSING_COLUMN", "HTAN Parent ID"],
      ["M_MIXED_COMPONENTS", undefined],
    ]);
  });

  test("believes no more than some components of a series that was dragged down", async () => {
    const rows = Array.from({ length: 100_000 }, (_, level) => `Level${level},HTA3_1,x,syn1`);
    const manifest = await read([HEADER, ...rows].join("\n"), null);
    expect(manifest.ownComponents).toHaveLength(20);
    expect(manifest.records).toBe(100_000);
    expect(problemsOf(manifest)).toEqual([
      ["M_MIXED_COMPONENTS", 3],
      ["M_MIXED_COMPONENTS", 22],
    ]);
  });

  test.each([
    ["with a blank", "then died at home,HTA3_1,x,syn1"],
    ["with a year", "Person1950,HTA3_1,x,syn1"],
    ["of one word, in a row that an unquoted comma has moved", "Person,HTA3_1,x,syn1,"],
    ["with a line break", '"Example\nPerson",HTA3_1,x,syn1'],
  ])("shows no text for a component: %s", async (_what, row) => {
    const manifest = await read(`${HEADER}\nExposure,HTA3_1,x,syn1\n${row}\n`, null);
    expect(manifest.ownComponents.map(({ name }) => name)).toEqual(["Exposure"]);
    expect(JSON.stringify([manifest.problems, manifest.component])).not.toMatch(/died|Person/);
    expect(problemsOf(manifest)).toContainEqual(["M_MIXED_COMPONENTS", 3]);
  });

  test("believes what the annotation says as well, whatever it looks like", async () => {
    const odd = "My component, level <1>";
    const manifest = await read(`${HEADER}\n"${odd}",HTA3_1,x,syn1\n`, odd);
    expect(manifest.component).toBe(odd);
    expect(problemsOf(manifest)).toEqual([]);
  });

  test("says where a component is none, without what stands there", async () => {
    const manifest = await read(
      `${HEADER}\nExposure,HTA3_1,x,syn1\nExample Person,HTA3_1,x,syn1\nBulk,HTA3_1,x,syn1\n`,
    );
    expect(manifest.problems.map(({ rule, row, message }) => [rule, row, message])).toEqual([
      ["M_COMPONENT_DIFFERS", 4, expect.stringContaining("Bulk (row 4)")],
      [
        "M_MIXED_COMPONENTS",
        3,
        expect.stringContaining(
          "has something in the Component column of row 3 that is no component's name; what stands there is shown nowhere",
        ),
      ],
    ]);
  });
});

describe("readManifest(entry, chunks, components), of other forms", () => {
  const text = (separator: string): string =>
    [HEADER, ...ROWS].map((line) => line.replaceAll(",", separator)).join("\r\n");

  test.each([
    ["semicolons", ";", text(";")],
    ["tabs", "\t", text("\t")],
    ["bars", "|", text("|")],
    ["semicolons that its first line names", ";", `sep=;\r\n${text(";")}`],
    ["tabs that its first line names", "\t", `\ufeffsep=\t\n${text("\t")}`],
    ["stars that its first line names", "*", `"sep=*"\r\n${text("*")}`],
    ["semicolons, though its first line names commas", ";", `sep=,\r\n${text(";")}`],
  ])("reads cells between %s", async (_what, separator, content) => {
    for (const size of [1, 7, 1 << 20]) {
      const manifest = await read(content, "Exposure", size);
      expect(manifest).toMatchObject(READ);
      expect(manifest.cells.get("HTAN Participant ID")).toEqual(["HTA3_1", "HTA3_2"]);
      expect([rowOf(manifest, 0), rowOf(manifest, 1)]).toEqual([2, 3]);
      expect(manifest.problems.map(({ rule, fields }) => [rule, fields["value"]])).toEqual([
        ["M_SEPARATOR", separator],
      ]);
    }
  });

  test("says nothing of a first line that names commas", async () => {
    expect(await read(`sep=,\n${text(",")}`)).toMatchObject({ ...READ, problems: [] });
  });

  test("tells separators from the whole header, whichever name comes first", async () => {
    for (const header of [
      "HTAN Participant ID;Component;Gender",
      "Gender;Component",
      "Component;a,b;c,d",
    ]) {
      const manifest = await read(`${header}\n1;2;3\n`);
      expect(manifest.columns).toEqual(header.split(";"));
    }
    expect((await read("Component,a;b,c;d,HTAN Participant ID\n1,2,3,4\n")).columns).toHaveLength(
      4,
    );
  });

  test.each([
    ["least byte first", (content: string) => Buffer.from(content, "utf16le")],
    ["greatest byte first", (content: string) => Buffer.from(content, "utf16le").swap16()],
  ])("reads UTF-16, %s, with a mark and without", async (_what, encode) => {
    for (const mark of ["", "\ufeff"]) {
      for (const size of [1, 1 << 20]) {
        const manifest = await read(encode(mark + text("\t")), "Exposure", size);
        expect(manifest).toMatchObject(READ);
        expect(problemsOf(manifest)).toEqual([
          ["M_SEPARATOR", null],
          ["M_ENCODING", null],
        ]);
        expect(manifest.problems[1]?.message).toContain("is text in UTF-16");
      }
    }
  });

  test.each([
    [
      "a title above the column names",
      `Demographics of our atlas\n\n${text(",")}`,
      ": its column names stand in row 3, but they have to be the first row",
    ],
    [
      "rows in quotes as one cell",
      [HEADER, ...ROWS].map((line) => `"${line}"`).join("\n"),
      ": each row stands in quotes as one cell, with all its values in it",
    ],
    [
      "column names between colons",
      text(":"),
      ": the names of its columns are there, but neither commas nor semicolons, tabs or bars between them",
    ],
    ["no column names, but records", ROWS.join("\n"), ""],
  ])("says of %s what it is, and shows nothing of it", async (_what, content, guess) => {
    const manifest = await read(content);
    expect(manifest.problems.map(({ rule, message }) => [rule, message])).toEqual([
      [
        "M_NOT_CSV",
        `The Exposure manifest (folder/synapse_storage_manifest_exposure.csv) is no CSV with the columns of a manifest${guess}, so nothing of it was read.`,
      ],
    ]);
  });

  test("says what a column is called that should be called otherwise", async () => {
    const { problems } = await read("Component,HTAN_Participant_ID\nExposure,HTA3_1\n");
    expect(problems.map(({ rule, message }) => [rule, message])).toEqual([
      [
        "M_MISSING_COLUMN",
        "The Exposure manifest (folder/synapse_storage_manifest_exposure.csv) has no column HTAN Participant ID (what it calls “HTAN_Participant_ID” is no such name), so its records cannot be linked.",
      ],
    ]);
  });
});

describe("readManifest(entry, chunks, components), of lists on several lines", () => {
  const header = "Component,Filename,HTAN Data File ID,HTAN Parent Data File ID,entityId";
  const file = (parents: string, rest = ",syn9"): Promise<Manifest> =>
    manifestOf("syn5", "ScRNA-seqLevel2", header, `ScRNA-seqLevel2,f,HTA3_1_9,"${parents}"${rest}`);

  test.each([
    ["with commas", "HTA3_1_1,\nHTA3_1_2,\nHTA3_1_3,\nHTA3_1_4,\nHTA3_1_5"],
    ["with semicolons", "HTA3_1_1;\r\nHTA3_1_2;\r\nHTA3_1_3;\r\nHTA3_1_4;HTA3_1_5;"],
    ["with line breaks alone", "HTA3_1_1\nHTA3_1_2\rHTA3_1_3\n\nHTA3_1_4\nHTA3_1_5\n"],
    ["with blanks", " HTA3_1_1 ,\n\u00a0HTA3_1_2\u200b,\nHTA3_1_3,HTA3_1_4,HTA3_1_5"],
  ])("reads a list %s", async (_what, parents) => {
    const manifest = await file(parents);
    const ids = [1, 2, 3, 4, 5].map((number) => `HTA3_1_${number}`).join(",");
    expect(manifest.cells.get("HTAN Parent Data File ID")).toEqual([ids]);
    expect(manifest.problems).toEqual([]);
  });

  test("reads lists of hundreds of ids", async () => {
    const ids = Array.from({ length: 400 }, (_, index) => `HTA3_1_${index}`);
    const manifest = await file(ids.join(",\n"));
    expect(manifest.cells.get("HTAN Parent Data File ID")).toEqual([ids.join(",")]);
  });

  test.each([
    ["a row with a label", "HTA3_1_1,syn1\nScRNA-seqLevel2,SECRET,HTA3_1_8,HTA3_1_2"],
    ["a row with a word for what is not known", "HTA3_1_1\nHTA3_1_8,unknown,HTA3_1_2,NA,SECRET"],
    ["a row whose entity is a Synapse id", "HTA3_1_1,syn1\nHTA3_1_8,HTA3_1_9,HTA3_1_2,SECRET"],
  ])("keeps to the guard where a cell holds %s", async (_what, cell) => {
    const manifest = await file(cell);
    expect(manifest.cells.get("HTAN Parent Data File ID")).toEqual([""]);
    expect(problemsOf(manifest)).toEqual([["M_UNCLOSED_QUOTE", 2]]);
    expect(JSON.stringify(await analysisOf([Promise.resolve(manifest)]))).not.toContain("SECRET");
  });

  test("keeps to the guard where a row has not the header's length", async () => {
    const manifest = await file("HTA3_1_1,\nHTA3_1_2", ",syn9,HTA3_1_3,x");
    expect(manifest.cells.get("HTAN Parent Data File ID")).toEqual([""]);
    expect(problemsOf(manifest)).toContainEqual(["M_UNCLOSED_QUOTE", 2]);
  });

  test.each([0, 1, 2, 3])(
    "keeps to the guard where rows need not have the last %d columns, which have no name",
    async (spare) => {
      const header = `Component,Age,HTAN Participant ID,Treatment Type,Other${",".repeat(spare)}`;
      const rows = (open: number, close: number): string => {
        const cells = (at: number, quoted: (cell: string) => string): string =>
          ["Therapy", "SECRET", "HTA3_1", "Chemo", "SECRET"]
            .map((cell, index) => (index === at ? quoted(cell) : cell))
            .join(",");
        return `${cells(open, (cell) => `"${cell}`)}\n${cells(close, (cell) => `${cell}"`)}\n`;
      };
      for (const open of [0, 1, 2, 3, 4]) {
        for (const close of [0, 1, 2, 3, 4]) {
          const manifest = await read(`${header}\n${rows(open, close)}`, "Therapy");
          expect(JSON.stringify([...manifest.cells]), `${open} ${close}`).not.toContain("SECRET");
          expect(JSON.stringify(manifest.problems), `${open} ${close}`).not.toContain("SECRET");
        }
      }
    },
  );

  test("keeps to the guard with other separators", async () => {
    const content = [
      "Component;Age;HTAN Participant ID;Treatment Type",
      'Therapy;1;HTA3_1;"Chemo',
      'Therapy;SECRET;HTA3_2;Chemo"',
    ].join("\n");
    const manifest = await read(content, "Therapy");
    expect(manifest.cells.get("Treatment Type")).toEqual([""]);
    expect(problemsOf(manifest)).toContainEqual(["M_UNCLOSED_QUOTE", 2]);
    expect(JSON.stringify(manifest)).not.toContain("SECRET");
  });
});
