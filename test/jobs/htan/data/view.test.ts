import { describe, expect, test } from "vitest";

import { entityNumberOf, readView, VIEW_COLUMNS } from "../../../../src/jobs/htan/data/view.ts";
import { chunked, viewOf, viewRow } from "../given.ts";

describe("readView(chunks, options)", () => {
  test("keeps folders, manifests and unsafe names, and folds all other files by folder", async () => {
    const view = await viewOf([
      viewRow(2, "data", 1, { type: "folder", size: "" }),
      viewRow(3, "a.bam", 2, { component: "ScRNA-seqLevel2", size: "10" }),
      viewRow(4, "b c.bam", 2, { size: "" }),
      viewRow(5, "x.JSON", 2, { component: "NA", size: "2" }),
      viewRow(6, ".DS_Store", 2, { size: "7" }),
      viewRow(7, "synapse_storage_manifest_a.csv", 2, { component: "Biospecimen", size: "3" }),
      viewRow(8, "table", 1, { type: "entityview" }),
    ]);
    const unsafe = {
      id: "syn4",
      name: "b c.bam",
      type: "file",
      parentId: "syn2",
      component: null,
      modifiedOn: 1_600_000_000_000,
      sizeBytes: 0,
      md5: null,
    };
    const manifest = {
      id: "syn7",
      name: "synapse_storage_manifest_a.csv",
      component: "Biospecimen",
      sizeBytes: 3,
    };
    expect(view).toEqual({
      rows: 7,
      fileIds: [3, 4, 5, 6, 7],
      folders: new Map([[2, { name: "data", parent: 1 }]]),
      tallies: new Map([
        [
          2,
          {
            sizeBytes: 12,
            annotated: 1,
            unannotated: 2,
            counts: { BAM: 2, FASTQ: 0, IMAGE: 0, MATRIX: 0, OTHER_ASSAY: 1, METADATA: 0 },
          },
        ],
      ]),
      manifests: [{ ...unsafe, ...manifest }],
      unsafe: [unsafe],
      problems: [],
    });
  });

  test.each(['" "', "\u00a0", "\u200b", '" NA"'])(
    "takes an annotation of %j for none",
    async (component) => {
      const view = await viewOf([
        viewRow(2, "a.bam", 1, { component }),
        viewRow(3, "synapse_storage_manifest_a.csv", 1, { component }),
      ]);
      expect(view.tallies.get(1)).toMatchObject({ annotated: 0, unannotated: 1 });
      expect(view.manifests[0]?.component).toBeNull();
    },
  );

  test("keeps an annotation as it is written, so that a finding can quote it", async () => {
    const component = "Biospecimen\u00a0";
    const view = await viewOf([
      viewRow(2, "a.bam", 1, { component }),
      viewRow(3, "synapse_storage_manifest_a.csv", 1, { component }),
    ]);
    expect(view.tallies.get(1)).toMatchObject({ annotated: 1, unannotated: 0 });
    expect(view.manifests[0]?.component).toBe(component);
  });

  test("takes backslashes for escapes where Synapse writes them, and rows of one project where there are several", async () => {
    const rows = [
      String.raw`syn2,"a\"b\\.bam",file,syn1,syn1,,1,5,`,
      "syn3,other.bam,file,syn9,syn9,,1,5,",
    ];
    const view = await viewOf(rows, { escape: "\\", projectId: "syn1" });
    expect([view.rows, view.unsafe.map(({ name }) => name)]).toEqual([1, [String.raw`a"b\.bam`]]);
  });

  test.each([
    ["1700000000000", 1_700_000_000_000],
    ["1700000000000.0", 1_700_000_000_000],
    ["2023-11-14T22:13:20Z", 1_700_000_000_000],
    ["2023-11-14T22:13:20.000", 1_700_000_000_000],
    ["2023-11-15T00:13:20+02:00", 1_700_000_000_000],
    ["", 0],
  ])("reads the moment %s", async (modifiedOn, expected) => {
    const view = await viewOf([viewRow(2, "synapse_storage_manifest_a.csv", 1, { modifiedOn })]);
    expect([view.manifests[0]?.modifiedOn, view.problems]).toEqual([expected, []]);
  });

  test.each([
    ["2,a.bam,file,syn1,syn1,,1,5,", "id", "2"],
    ["synx,a.bam,file,syn1,syn1,,1,5,", "id", "synx"],
    ["syn1234567890123456,a.bam,file,syn1,syn1,,1,5,", "id", "syn1234567890123456"],
    ["syn2,,file,syn1,syn1,,1,5,", "name", ""],
    ["syn2", "type", ""],
    ["syn2,a.bam,file,root,syn1,,1,5,", "parentId", "root"],
    ["syn2,a.bam,file,syn1,syn1,,1,big,", "dataFileSizeBytes", "big"],
    ["syn2,a.bam,file,syn1,syn1,,1,-5,", "dataFileSizeBytes", "-5"],
    ["syn2,synapse_storage_manifest_a.csv,file,syn1,syn1,,soon,5,", "modifiedOn", "soon"],
  ])("counts rows like %s as a problem of %s", async (row, column, firstValue) => {
    const good = viewRow(9, "good.bam", 1);
    const view = await viewOf([good, row, good, row]);
    expect(view.problems).toEqual([{ column, count: 2, firstRow: 3, firstValue }]);
  });

  test("keeps values as they may be published", async () => {
    const view = await viewOf([
      viewRow(2, "a\0b", 1, { type: "folder" }),
      viewRow(3, "c\0d.bam", 1, { component: "x".repeat(300), size: `"${"9\n".repeat(300)}"` }),
    ]);
    expect(view.folders.get(2)?.name).toBe("a\uFFFDb");
    expect(view.unsafe[0]).toMatchObject({
      name: "c\uFFFDd.bam",
      component: `${"x".repeat(200)}…`,
    });
    expect(view.problems[0]?.firstValue).toBe(`${"9 ".repeat(100)}…`);
  });

  test("reads sizes that are not plain digits", async () => {
    const view = await viewOf([
      viewRow(2, "a.bam", 1, { size: "466.0" }),
      viewRow(3, "a.bam", 1, { size: "1e3" }),
      viewRow(4, "a.bam", 1, { size: "NA" }),
    ]);
    expect(view.tallies.get(1)?.sizeBytes).toBe(1466);
  });

  test("takes columns in any order, and does without those that only describe", async () => {
    const view = await readView(chunked("type,parentId,name,id\nfile,syn1,a.bam,syn2\n"));
    expect(view.tallies.get(1)).toMatchObject({ sizeBytes: 0, unannotated: 1 });
  });

  test.each([
    ["", "the file view's answer is empty: not even column names"],
    ["id,name\n", "the file view's answer has no column type, parentId; it has id, name"],
    ['id,"name\n', "the file view's answer is damaged: a quote in row 1 is not closed"],
    [
      `${VIEW_COLUMNS.join(",")}\nsyn2,"a`,
      "the file view's answer is damaged: a quote in row 2 is not closed",
    ],
  ])("throws for %j", async (content, message) => {
    await expect(readView(chunked(content))).rejects.toThrow(
      expect.objectContaining({ kind: "permanent", message }),
    );
  });

  test("holds nothing for each of very many files", async () => {
    const line = `${viewRow(7, "data_file.fastq.gz", 2, { component: "ScRNA-seqLevel1" })}\n`;
    const chunk = Buffer.from(line.repeat(1000));
    const view = await readView(
      (async function* () {
        yield Buffer.from(`${VIEW_COLUMNS.join(",")}\n`);
        for (let turn = 0; turn < 300; turn++) yield chunk;
      })(),
    );
    expect([view.rows, view.tallies.size, view.tallies.get(2)?.counts.FASTQ]).toEqual([
      300_000, 1, 300_000,
    ]);
    expect([view.manifests, view.unsafe]).toEqual([[], []]);
  });
});

describe("entityNumberOf(id)", () => {
  test.each([
    ["syn12", 12],
    ["syn", 0],
    ["12", 0],
    ["syn1x", 0],
  ])("reads %s", (id, number) => {
    expect(entityNumberOf(id)).toBe(number);
  });
});
