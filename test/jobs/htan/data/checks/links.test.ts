import { describe, expect, test } from "vitest";

import {
  analysisOf,
  ASSAY,
  DERIVED_ASSAY,
  fieldsOf,
  outcomeOf,
  rowsOf,
  sound,
} from "../../given.ts";

const SPECIMEN = ["HTAN Biospecimen ID", "HTAN Parent ID", "Adjacent Biospecimen IDs"];

describe("checkLinks(subject)", () => {
  test("finds the specimen that is named with other signs than its own, which no other rule reports", async () => {
    const analysis = await analysisOf([
      ...sound(),
      rowsOf("syn5", "Biospecimen", SPECIMEN, ["HTA3-1-12", "HTA3_1", ""]),
      rowsOf("syn6", "ScRNA-seqLevel1", ASSAY, ["HTA3_1_20", "HTA3_1_12", "syn9"]),
    ]);
    expect(analysis.findings.map(({ rule, message }) => [rule, message])).toEqual([
      [
        "H_LINKS",
        "Parent HTA3_1_12 of HTA3_1_20 is in no Biospecimen manifest of this atlas; did you mean HTA3-1-12?",
      ],
    ]);
  });

  test("names each of many rings at the first record of it, and lists no more than a hundred of a long one", async () => {
    const rows = Array.from({ length: 150 }, (_, at) => [
      [`HTA3_1_${2 * at + 10}`, `HTA3_1_${2 * at + 11}`, ""],
      [`HTA3_1_${2 * at + 11}`, `HTA3_1_${2 * at + 10}`, ""],
    ]).flat();
    const long = Array.from({ length: 150 }, (_, at) => [
      `HTA3_2_${at + 10}`,
      `HTA3_2_${((at + 1) % 150) + 10}`,
      "",
    ]);
    const analysis = await analysisOf([
      ...sound(),
      rowsOf("syn5", "Biospecimen", SPECIMEN, ...rows, ...long),
    ]);
    expect(analysis.findings.map(({ row }) => row)).toEqual([
      ...Array.from({ length: 151 }, (_, at) => 2 * at + 2),
    ]);
    const ring = analysis.findings.at(-1)?.fields["ring"] ?? "";
    expect(ring.split(" ")).toHaveLength(101);
    expect(ring).toMatch(/^HTA3_2_10 HTA3_2_11 .* …$/);
  });

  test("finds parents and adjacent ids that no record has, and records that are their own parent", async () => {
    const analysis = await analysisOf([
      ...sound(),
      rowsOf(
        "syn5",
        "Biospecimen",
        SPECIMEN,
        ["HTA3_1_2", "HTA3_4444", "HTA3_1_404"],
        ["HTA3_1_3", "HTA3_1_3", "HTA3_1_3; HTA3_2_1"],
        ["HTA3_1_4", "HTA3_1_404", ""],
      ),
      rowsOf("syn6", "ScRNA-seqLevel1", ASSAY, ["HTA3_1_20", "HTA3_1_1, HTA3_1_5", "syn9"]),
      rowsOf("syn7", "ScRNA-seqLevel2", DERIVED_ASSAY, ["HTA3_1_21", "HTA3_1_99", "syn9"]),
    ]);
    const specimens = { manifest: "syn5", component: "Biospecimen" };
    expect(analysis.findings.map(({ row, message, fields }) => [row, message, fields])).toEqual([
      [
        2,
        "Parent HTA3_4444 of HTA3_1_2 is in no Demographics manifest of this atlas.",
        {
          ...specimens,
          column: "HTAN Parent ID",
          record: "HTA3_1_2",
          value: "HTA3_4444",
          link: "parent",
        },
      ],
      [
        3,
        "HTA3_1_3 of Biospecimen is named as its own parent.",
        { ...specimens, column: "HTAN Parent ID", value: "HTA3_1_3", link: "self" },
      ],
      [
        4,
        "Parent HTA3_1_404 of HTA3_1_4 is in no Biospecimen manifest of this atlas.",
        {
          ...specimens,
          column: "HTAN Parent ID",
          record: "HTA3_1_4",
          value: "HTA3_1_404",
          link: "parent",
        },
      ],
      [
        2,
        "Parent HTA3_1_5 of HTA3_1_20 is in no Biospecimen manifest of this atlas.",
        {
          manifest: "syn6",
          component: "ScRNA-seqLevel1",
          column: "HTAN Parent Biospecimen ID",
          record: "HTA3_1_20",
          value: "HTA3_1_5",
          link: "parent",
        },
      ],
      [
        2,
        "Parent HTA3_1_99 of HTA3_1_21 is in no assay manifest of this atlas; did you mean HTA3_1_20?",
        {
          manifest: "syn7",
          component: "ScRNA-seqLevel2",
          column: "HTAN Parent Data File ID",
          record: "HTA3_1_21",
          value: "HTA3_1_99",
          link: "parent",
        },
      ],
      [
        2,
        "Adjacent specimen HTA3_1_404 of HTA3_1_2 is in no manifest of this atlas; did you mean HTA3_1_4?",
        {
          ...specimens,
          column: "Adjacent Biospecimen IDs",
          record: "HTA3_1_2",
          value: "HTA3_1_404",
          link: "adjacent",
        },
      ],
    ]);
  });

  test("lets parents be outside HTAN, but not adjacent specimens", async () => {
    const analysis = await analysisOf([
      ...sound(),
      rowsOf("syn5", "Biospecimen", SPECIMEN, ["HTA3_1_2", "HTA3_EXT7", "HTA3_EXT7_1"]),
    ]);
    expect(fieldsOf(analysis, "H_LINKS")).toEqual([
      {
        manifest: "syn5",
        component: "Biospecimen",
        column: "Adjacent Biospecimen IDs",
        record: "HTA3_1_2",
        value: "HTA3_EXT7_1",
        link: "adjacent",
      },
    ]);
  });

  test("does not report links of records that are no nodes: without an id, or with several", async () => {
    const analysis = await analysisOf([
      ...sound(),
      rowsOf(
        "syn5",
        "Biospecimen",
        SPECIMEN,
        ["", "HTA3_4444", "HTA3_1_404"],
        ["NA", "HTA3_4444", "HTA3_1_404"],
        ["HTA3_1_2,HTA3_1_3", "HTA3_4444", "HTA3_1_404"],
      ),
    ]);
    expect(outcomeOf(analysis, "H_LINKS")).toMatchObject({ status: "passed" });
  });

  test("takes the specimen where the parent file is not applicable, and no link where there is none", async () => {
    const header = [...DERIVED_ASSAY, "HTAN Parent Biospecimen ID"];
    const analysis = await analysisOf([
      ...sound(),
      rowsOf(
        "syn5",
        "BulkWESLevel2",
        header,
        ["HTA3_1_10", "Not Applicable", "syn9", "HTA3_1_1"],
        ["HTA3_1_11", "Not Applicable", "syn9", "HTA3_1_404"],
        ["HTA3_1_12", "Not Applicable", "syn9", ""],
        ["HTA3_1_13", "Not Applicable", "syn9", "Not Applicable"],
      ),
      rowsOf("syn6", "BulkRNA-seqLevel2", DERIVED_ASSAY, ["HTA3_1_14", "Not Applicable", "syn9"]),
    ]);
    expect(fieldsOf(analysis, "H_LINKS")).toEqual([
      {
        manifest: "syn5",
        component: "BulkWESLevel2",
        column: "HTAN Parent Biospecimen ID",
        record: "HTA3_1_11",
        value: "HTA3_1_404",
        link: "parent",
      },
    ]);
    expect(analysis.sif).toContain("B_HTA3_1_1\tconnect\tWES2_HTA3_1_10");
  });

  test("takes no answer about adjacent specimens for no id", async () => {
    const rows = ["Not Reported", "unknown", "Not Applicable", "NA"].map((adjacent, index) => [
      `HTA3_1_${2 + index}`,
      "HTA3_1",
      adjacent,
    ]);
    const analysis = await analysisOf([
      ...sound(),
      rowsOf("syn5", "Biospecimen", SPECIMEN, ...rows),
    ]);
    expect(analysis.findings).toEqual([]);
  });

  test("does without the columns of parents and adjacent ids", async () => {
    const analysis = await analysisOf([
      ...sound(),
      rowsOf("syn5", "Biospecimen", ["HTAN Biospecimen ID"], ["HTA3_1_2"]),
    ]);
    expect(analysis.findings.map(({ rule }) => rule)).toEqual(["M_MISSING_COLUMN"]);
  });
});
