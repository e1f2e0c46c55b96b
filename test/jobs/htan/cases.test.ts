// Manifests as they come in the field: each world has one trouble, and the right value of each is written down here.

import { describe, expect, test } from "vitest";

import type { AtlasAnalysis } from "../../../src/jobs/htan/data/analysis.ts";
import { analyseCase, analyseOnly } from "./caseWorld.ts";

const told = ({ findings }: AtlasAnalysis) =>
  findings.map(({ rule, severity, subject, row, fields }) => [
    ...[rule, severity, subject, row],
    fields["value"],
  ]);

describe("analyseAtlas of a case", () => {
  test("knows the components that HTAN has added since (components-since-added)", async () => {
    const analysis = await analyseOnly("components-since-added");
    expect(told(analysis)).toEqual([
      ["H_NON_DEM", "error", "syn70000153", 3, "HTA3_99"],
      ["H_NON_DEM", "error", "syn70000155", 3, "HTA3_99"],
    ]);
    const { single_cell: cells, bulk, other, clinical_tier1_2: clinical } = analysis.grids;
    expect([cells, bulk, other, clinical].map(({ counts }) => counts)).toMatchObject([
      { "ScDNA-seqLevel1": 1, "ScDNA-seqLevel2": 1, "ScmC-seqLevel1": 1, "ScmC-seqLevel2": 1 },
      { MicroarrayLevel1: 1, MicroarrayLevel2: 1 },
      {
        "10XGenomicsXeniumISSExperiment": 1,
        NanostringCosMxSMIExperiment: 1,
        CDSSequencingTemplate: 1,
      },
      { ParticipantVitalStatusUpdate: 1, PrecancerDiagnosis: 1 },
    ]);
    // A component may have several columns of parents.
    expect(analysis.sif).toEqual(
      expect.arrayContaining([
        "B_HTA3_1_1\tconnect\tMA2_HTA3_1_505",
        "MA1_HTA3_1_504\tconnect\tMA2_HTA3_1_505",
      ]),
    );
  });

  test("takes the channels' template of today, whose rows have one id (channels-template)", async () => {
    expect((await analyseOnly("channels-template")).findings).toEqual([]);
  });

  test("has CITE-seq in a grid (cite-seq)", async () => {
    const { findings, grids } = await analyseOnly("cite-seq");
    expect(findings).toEqual([]);
    expect(grids.single_cell.counts["MultiplexedCITE-seqLevel1"]).toBe(1);
    expect(grids.single_cell.ones).toEqual({ HTA3_1_1: ["MultiplexedCITE-seqLevel1"] });
    // Assays that few atlases do take no room where they are not.
    expect(
      Object.keys((await analyseOnly("channels-template")).grids.single_cell.counts),
    ).not.toContain("MultiplexedCITE-seqLevel1");
  });

  test("accepts an atlas of phase 2 and its ids (phase-2-atlas)", async () => {
    const { findings, sif } = await analyseOnly("phase-2-atlas");
    expect(findings).toEqual([]);
    expect(sif).toEqual(
      expect.arrayContaining([
        "D_HTA204_1\tconnect\tB_HTA204_1_B1",
        "B_HTA204_1_B1\tconnect\tSC1_HTA204_1_D36667",
        "B_HTA204_1_B1\tconnect\tSC1_HTA204_0000_D2",
        "B_HTA204_EXT1_B7\tconnect\tSC1_HTA204_0000_D2",
      ]),
    );
  });

  test("finds a ring of specimens and names its members (parent-ring)", async () => {
    const { findings } = await analyseOnly("parent-ring");
    expect(findings).toMatchObject([
      {
        rule: "H_LINKS",
        subject: "syn70000104",
        row: 2,
        message:
          "HTA3_1_1, HTA3_1_3 and HTA3_1_2 of Biospecimen descend from each other in a ring: " +
          "HTA3_1_1 from HTA3_1_3, HTA3_1_3 from HTA3_1_2, HTA3_1_2 from HTA3_1_1.",
        fields: { column: "HTAN Parent ID", link: "ring", ring: "HTA3_1_1 HTA3_1_3 HTA3_1_2" },
      },
    ]);
  });

  test("has a file that takes a specimen's id for a repetition, and leaves the specimen (specimen-and-file-same-id)", async () => {
    const { findings, sif } = await analyseOnly("specimen-and-file-same-id");
    expect(findings).toMatchObject([
      {
        rule: "H_ID_SPEC",
        subject: "syn70000107",
        row: 2,
        message:
          "HTAN Data File ID HTA3_1_1 of ScRNA-seqLevel1 is already used in row 2 of Biospecimen (syn70000104).",
        fields: {
          column: "HTAN Data File ID",
          value: "HTA3_1_1",
          firstManifest: "syn70000104",
          firstComponent: "Biospecimen",
        },
      },
    ]);
    expect(sif).toEqual([
      "D_HTA3_1\tconnect\tB_HTA3_1_1",
      "D_HTA3_2\tconnect\tB_HTA3_2_1",
      "D_HTA3_3\tconnect\tB_HTA3_3_1",
    ]);
  });

  test("has no timeline of nobody (parent-not-reported)", async () => {
    const analysis = await analyseOnly("parent-not-reported");
    expect(told(analysis)).toEqual([
      ["H_LINKS", "error", "syn70000104", 3, "Not Reported"],
      ["H_LINKS", "error", "syn70000104", 4, "unknown"],
    ]);
    expect(analysis.timelineEvents.map(({ Grouping }) => Grouping)).toEqual(["HTA3_1 Lung NOS"]);
  });

  test("says of parents in another atlas whose records they are (other-atlas-parents)", async () => {
    const { HTA3: own, HTA13: joint } = await analyseCase("other-atlas-parents");
    expect(own?.findings).toEqual([]);
    const links = joint?.findings.filter(({ rule }) => rule === "H_LINKS") ?? [];
    expect(links.map(({ severity, message }) => [severity, message])).toEqual([
      [
        "warning",
        "Parent HTA3_1_1 of HTA13_1_1 is a record of HTA3 (Biospecimen), another atlas, and not of this one.",
      ],
      [
        "warning",
        "Parent HTA3_3_1 of HTA13_1_9 is a record of HTA3 (Biospecimen), another atlas, and not of this one.",
      ],
    ]);
    expect(joint?.rules.find(({ rule }) => rule === "H_LINKS")).toMatchObject({
      severity: "warning",
    });
  });
});
