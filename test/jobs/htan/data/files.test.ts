import { describe, expect, test } from "vitest";

import { listFiles } from "../../../../src/jobs/htan/data/files.ts";
import { ATLAS, viewOf, viewRow } from "../given.ts";

const folder = (id: number, name: string, parent: number): string =>
  viewRow(id, name, parent, { type: "folder", size: "" });

async function filesOf(...rows: readonly string[]) {
  return listFiles(ATLAS, await viewOf(rows));
}

describe("listFiles(atlas, view)", () => {
  test("counts files by kind and root folder, with metadata but not by root folder", async () => {
    const files = await filesOf(
      folder(2, "b", 1),
      folder(3, "deep", 2),
      viewRow(4, "x.bam", 3, { component: "ScRNA-seqLevel2", size: "5" }),
      viewRow(5, "y.fastq.gz", 2, { size: "7" }),
      viewRow(6, "at_root.pdf", 1, { size: "11" }),
      viewRow(7, "synapse_storage_manifest_x.csv", 2, { component: "Biospecimen", size: "13" }),
      folder(8, "only_manifests", 1),
      viewRow(9, "synapse_storage_manifest_y.csv", 8, { size: "17" }),
      viewRow(10, "synapse_storage_manifest.csv", 2, { size: "19" }),
    );
    expect(files).toEqual({
      totalFileSize: 53,
      fileCounts: { BAM: 1, FASTQ: 1, IMAGE: 0, MATRIX: 0, OTHER_ASSAY: 1, METADATA: 2 },
      rootFolders: {
        "": { synapseId: null, annotated: 0, unannotated: 1 },
        b: { synapseId: "syn2", annotated: 1, unannotated: 1 },
      },
      manifests: [
        {
          entityId: "syn9",
          name: "synapse_storage_manifest_y.csv",
          path: "only_manifests",
          component: null,
          md5: null,
          sizeBytes: 17,
          modifiedAt: "2020-09-13T12:26:40.000Z",
        },
        {
          entityId: "syn7",
          name: "synapse_storage_manifest_x.csv",
          path: "b",
          component: "Biospecimen",
          md5: null,
          sizeBytes: 13,
          modifiedAt: "2020-09-13T12:26:40.000Z",
        },
      ],
      passedOver: [],
      findings: [],
    });
  });

  test("drops whatever lies in folders at the top whose names begin with archive", async () => {
    const files = await filesOf(
      folder(2, "archive", 1),
      folder(3, "archived_2020", 1),
      folder(4, "in", 3),
      folder(5, "Archive", 1),
      folder(6, "data", 1),
      folder(7, "archive", 6),
      viewRow(10, "a.bam", 2),
      viewRow(11, "b c.bam", 4),
      viewRow(12, "c.bam", 5),
      viewRow(13, "d.bam", 7),
      viewRow(14, "synapse_storage_manifest_x.csv", 2),
      viewRow(15, "archive.bam", 1),
    );
    expect(files.fileCounts).toMatchObject({ BAM: 3, METADATA: 0 });
    expect(Object.keys(files.rootFolders)).toEqual(["", "Archive", "data"]);
    expect([files.totalFileSize, files.findings]).toEqual([3, []]);
  });

  test("keeps the newest manifest of each folder, and of two of one moment the one made last", async () => {
    const manifest = "synapse_storage_manifest_x.csv";
    const files = await filesOf(
      folder(2, "a", 1),
      folder(3, "b", 1),
      viewRow(20, manifest, 2, { modifiedOn: "2000", size: "1" }),
      viewRow(21, "synapse_storage_manifest_y.csv", 2, { modifiedOn: "1000", size: "10" }),
      viewRow(9, manifest, 3, { modifiedOn: "", size: "100" }),
      viewRow(10, manifest, 3, { modifiedOn: "", size: "1000" }),
    );
    expect(files.manifests.map(({ entityId, modifiedAt }) => [entityId, modifiedAt])).toEqual([
      ["syn10", null],
      ["syn20", "1970-01-01T00:00:02.000Z"],
    ]);
    expect([files.totalFileSize, files.fileCounts.METADATA]).toEqual([1001, 2]);
    expect(files.passedOver).toEqual([
      { entityId: "syn9", name: manifest, path: "b", component: null, newer: "syn10" },
      {
        entityId: "syn21",
        name: "synapse_storage_manifest_y.csv",
        path: "a",
        component: null,
        newer: "syn20",
      },
    ]);
  });

  test("lists manifests by component and then by id as a number", async () => {
    const rows = [
      [30, "Therapy"],
      [9, "Biospecimen"],
      [100, "Biospecimen"],
      [5, "Demographics"],
    ] as const;
    const files = await filesOf(
      ...rows.flatMap(([id, component], index) => [
        folder(200 + index, `f${index}`, 1),
        viewRow(id, "synapse_storage_manifest_x.csv", 200 + index, { component }),
      ]),
    );
    expect(files.manifests.map(({ entityId }) => entityId)).toEqual([
      "syn9",
      "syn100",
      "syn5",
      "syn30",
    ]);
  });

  test("begins a path where the view knows no folder above", async () => {
    const files = await filesOf(
      folder(3, "known", 99),
      viewRow(4, "a.bam", 3),
      viewRow(5, "b.bam", 98),
      viewRow(6, "c d.bam", 3),
    );
    expect(files.rootFolders).toEqual({
      "": { synapseId: null, annotated: 0, unannotated: 1 },
      known: { synapseId: "syn3", annotated: 0, unannotated: 2 },
    });
    expect(files.findings[0]?.fields).toEqual({ path: "known", value: "c d.bam" });
  });

  test("does not hang on folders in a ring, and says the same in whatever order they come", async () => {
    const rows = [
      folder(2, "two", 4),
      folder(3, "three", 2),
      folder(4, "four", 3),
      folder(5, "five", 4),
      folder(6, "self", 6),
      viewRow(10, "a b.bam", 5),
      viewRow(11, "c d.bam", 6),
      viewRow(12, "synapse_storage_manifest_x.csv", 3),
    ];
    const files = await filesOf(...rows);
    expect(files.findings.map(({ fields }) => fields["path"])).toEqual([
      "two/three/four/five",
      "self",
    ]);
    expect(files.manifests[0]?.path).toBe("two/three");
    expect(Object.keys(files.rootFolders)).toEqual(["self", "two"]);
    expect(await filesOf(...rows.reverse())).toEqual(files);
  });

  test("finds the way down 5,000 folders", async () => {
    const rows = Array.from({ length: 5000 }, (_, index) =>
      folder(index + 2, `f${index}`, index + 1),
    );
    const files = await filesOf(
      viewRow(9000, "a b.bam", 5001),
      ...rows,
      viewRow(9001, "c.bam", 2500),
    );
    expect(files.rootFolders).toEqual({ f0: { synapseId: "syn2", annotated: 0, unannotated: 2 } });
    expect(files.findings[0]?.fields["path"]?.split("/")).toHaveLength(5000);
  });

  test("keeps a folder's name whatever it is", async () => {
    const files = await filesOf(folder(2, "__proto__", 1), viewRow(3, "a.bam", 2));
    expect(JSON.stringify(files.rootFolders)).toBe(
      '{"__proto__":{"synapseId":"syn2","annotated":0,"unannotated":1}}',
    );
  });

  test("finds file names with characters that are refused downstream", async () => {
    const files = await filesOf(
      folder(2, "misc", 1),
      viewRow(30, "slide#7.svs", 2),
      viewRow(4, 'a "b".txt', 1),
      viewRow(5, "synapse_storage_manifest_a b.csv", 2),
    );
    expect(files.findings).toEqual([
      {
        rule: "H_FILE_NAMES",
        severity: "warning",
        subject: "syn4",
        row: null,
        message:
          'File name "a \\"b\\".txt" at the top of the project holds a space, "\\""; only letters, digits, dots, hyphens and underscores are accepted.',
        fields: { path: "", value: 'a "b".txt' },
      },
      {
        rule: "H_FILE_NAMES",
        severity: "warning",
        subject: "syn30",
        row: null,
        message:
          'File name "slide#7.svs" in misc holds "#"; only letters, digits, dots, hyphens and underscores are accepted.',
        fields: { path: "misc", value: "slide#7.svs" },
      },
    ]);
  });

  test("says what became of rows that could not be read", async () => {
    const files = await filesOf("x,a.bam,file,syn1,syn1,,1,5,", "syn2,a.bam,file,,syn1,,1,5,");
    expect(files.fileCounts.BAM).toBe(1);
    expect(files.findings).toEqual([
      {
        rule: "M_VIEW_ROW",
        severity: "warning",
        subject: "syn1",
        row: null,
        message:
          'The file view has 1 row of HTA3 with an unreadable id, the first being row 2 with "x"; such rows are left out.',
        fields: { column: "id", value: "x" },
      },
      {
        rule: "M_VIEW_ROW",
        severity: "warning",
        subject: "syn1",
        row: null,
        message:
          "The file view has 1 row of HTA3 with an unreadable parentId, the first being row 3 with an empty cell; such files count as lying at the top of the project.",
        fields: { column: "parentId", value: "" },
      },
    ]);
  });
});
