import { describe, expect, test } from "vitest";

import { analysisOf, ASSAY, rowsOf } from "../given.ts";

const SPECIMEN = ["HTAN Biospecimen ID", "HTAN Parent ID"];

describe("sifLines(lineage, components)", () => {
  test("writes each link between records that exist once, sorted, with a self-link where there is one", async () => {
    const analysis = await analysisOf([
      rowsOf("syn1", "Demographics", ["HTAN Participant ID"], ["HTA3_1"]),
      rowsOf(
        "syn2",
        "Biospecimen",
        SPECIMEN,
        ["HTA3_1_2", "HTA3_1"],
        ["HTA3_1_2", "HTA3_1"],
        ["HTA3_1_1", "HTA3_1_1"],
        ["HTA3_1_3", "HTA3_9"],
      ),
      rowsOf("syn3", "ScRNA-seqLevel1", ASSAY, ["HTA3_1_9", "HTA3_1_2;HTA3_1_2", "syn9"]),
    ]);
    expect(analysis.sif).toEqual([
      "B_HTA3_1_1\tconnect\tB_HTA3_1_1",
      "B_HTA3_1_2\tconnect\tSC1_HTA3_1_9",
      "D_HTA3_1\tconnect\tB_HTA3_1_2",
    ]);
  });

  test("names a record after the last kind of manifest that has it", async () => {
    const analysis = await analysisOf([
      rowsOf("syn1", "Demographics", ["HTAN Participant ID"], ["HTA3_1"]),
      rowsOf("syn2", "SRRSClinicalDataTier2", ["HTAN Participant ID"], ["HTA3_1"]),
      rowsOf("syn3", "SRRSBiospecimen", SPECIMEN, ["HTA3_1_1", "HTA3_1"]),
      rowsOf("syn4", "Biospecimen", SPECIMEN, ["HTA3_1_1", "HTA3_1"]),
    ]);
    expect(analysis.sif).toEqual(["SRRS_TIER2_HTA3_1\tconnect\tB_SRRS_HTA3_1_1"]);
  });

  test("has no records of other clinical manifests", async () => {
    const analysis = await analysisOf([
      rowsOf("syn1", "Exposure", ["HTAN Participant ID"], ["HTA3_1"]),
      rowsOf("syn2", "Biospecimen", SPECIMEN, ["HTA3_1_1", "HTA3_1"]),
    ]);
    expect(analysis.sif).toEqual([]);
  });
});
