import { describe, expect, test } from "vitest";

import { analysisOf, ASSAY, DERIVED_ASSAY, rowsOf } from "../given.ts";

const SPECIMEN = ["HTAN Biospecimen ID", "HTAN Parent ID"];
const PARTICIPANT = ["HTAN Participant ID"];

describe("makeGrids(manifests, lineage, components)", () => {
  test("has a row for each participant of Demographics in natural order, with and without data", async () => {
    const { grids } = await analysisOf([
      rowsOf("syn1", "Demographics", PARTICIPANT, ["HTA3_10"], ["HTA3_2"], ["HTA3_10"], [""]),
      rowsOf("syn2", "Demographics", PARTICIPANT, ["HTA3-bad"], ["HTA3_3,HTA3_4"]),
      rowsOf("syn3", "Therapy", PARTICIPANT, ["HTA3_2"], ["HTA3_2"], ["HTA3_77"]),
      rowsOf("syn4", "OvarianCancerTier3", PARTICIPANT, ["HTA3_10"]),
    ]);
    expect(grids.clinical_tier1_2).toMatchObject({
      columns: [
        "Demographics",
        "Exposure",
        "FamilyHistory",
        "FollowUp",
        "Diagnosis",
        "Therapy",
        "MolecularTest",
        "ClinicalDataTier2",
        "SRRSClinicalDataTier2",
      ],
      rows: 3,
      rowIds: ["HTA3-bad", "HTA3_2", "HTA3_10"],
      ones: {
        "HTA3-bad": ["Demographics"],
        HTA3_2: ["Demographics", "Therapy"],
        HTA3_10: ["Demographics"],
      },
    });
    expect(grids.clinical_tier1_2.counts).toMatchObject({
      Demographics: 3,
      Therapy: 1,
      Exposure: 0,
    });
    expect(grids.clinical_tier3).toMatchObject({
      rows: 3,
      ones: { HTA3_10: ["OvarianC.."] },
      counts: { "AcuteLym..": 0, "OvarianC..": 1 },
    });
  });

  test("counts for a specimen its assays and what lies downstream of them, but not those of specimens derived from it", async () => {
    const { grids } = await analysisOf([
      rowsOf("syn1", "Demographics", PARTICIPANT, ["HTA3_1"]),
      rowsOf(
        "syn2",
        "Biospecimen",
        SPECIMEN,
        ["HTA3_1_10", "HTA3_1"],
        ["HTA3_1_2", "HTA3_1"],
        ["HTA3_1_3", "HTA3_1_2"],
      ),
      rowsOf("syn3", "ScRNA-seqLevel1", ASSAY, ["HTA3_1_101", "HTA3_1_2, HTA3_1_10", "syn9"]),
      rowsOf("syn4", "ScRNA-seqLevel2", DERIVED_ASSAY, ["HTA3_1_102", "HTA3_1_101", "syn9"]),
      rowsOf("syn5", "ScRNA-seqLevel4", DERIVED_ASSAY, ["HTA3_1_104", "HTA3_1_102", "syn9"]),
      rowsOf("syn6", "ImagingLevel2", ASSAY, ["HTA3_1_105", "HTA3_1_3", "syn9"]),
    ]);
    const levels = ["ScRNA-seqLevel1", "ScRNA-seqLevel2", "ScRNA-seqLevel4"];
    expect(grids.single_cell).toMatchObject({
      rows: 2,
      rowIds: ["HTA3_1_2", "HTA3_1_10"],
      ones: { HTA3_1_2: levels, HTA3_1_10: levels },
    });
    expect(grids.single_cell.counts).toMatchObject({
      "ScRNA-seqLevel1": 2,
      "ScRNA-seqLevel3": 0,
    });
    expect(grids.image_other).toMatchObject({ rows: 1, ones: { HTA3_1_3: ["ImagingLevel2"] } });
    expect([grids.bulk.rows, grids.other.rows]).toEqual([0, 0]);
  });

  test("lists columns in the order of the grid's groups", async () => {
    const { grids } = await analysisOf([]);
    const starts = (columns: readonly string[]): readonly string[] => [
      ...new Set(columns.map((column) => column.replace(/Level.*|-Aux.*|AuxiliaryFile$/, ""))),
    ];
    expect(starts(grids.bulk.columns)).toEqual([
      "BulkRNA-seq",
      "BulkWES",
      "BulkMethylation-seq",
      "HI-C-seq",
    ]);
    expect(starts(grids.other.columns)).toEqual([
      "10xVisiumSpatialTranscriptomics-RNA-seq",
      "10xVisiumSpatialTranscriptomics",
      "Slide-seq",
      "ElectronMicroscopy",
      "MassSpectrometry",
      "RPPA",
      "OtherAssay",
      "ExSeqMinimal",
      "AccessoryManifest",
    ]);
  });

  test("finds the end of lineages that are 5,000 deep, and of rings", async () => {
    const chain = Array.from({ length: 5000 }, (_, index) => [
      `HTA3_1_${index + 10}`,
      index === 0 ? "HTA3_1_1" : `HTA3_1_${index + 9}`,
      "syn9",
    ]);
    const { grids } = await analysisOf([
      rowsOf("syn2", "Biospecimen", SPECIMEN, ["HTA3_1_1", "HTA3_1_2"], ["HTA3_1_2", "HTA3_1_1"]),
      rowsOf("syn3", "ScRNA-seqLevel2", DERIVED_ASSAY, ...chain),
      rowsOf(
        "syn4",
        "ScRNA-seqLevel3",
        DERIVED_ASSAY,
        ["HTA3_1_9001", "HTA3_1_5009, HTA3_1_9002", "syn9"],
        ["HTA3_1_9002", "HTA3_1_9001", "syn9"],
      ),
    ]);
    expect(grids.single_cell.ones).toEqual({ HTA3_1_1: ["ScRNA-seqLevel2", "ScRNA-seqLevel3"] });
  });
});
