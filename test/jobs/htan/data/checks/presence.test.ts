import { describe, expect, test } from "vitest";

import {
  analysisOf,
  ASSAY,
  ATLAS,
  fieldsOf,
  manifestOf,
  outcomeOf,
  rowsOf,
  sound,
} from "../../given.ts";

const PARTICIPANT = ["HTAN Participant ID"];

describe("checkCategories(subject, isKnown)", () => {
  test("finds each component that is not in the list once, wherever its name comes from", async () => {
    const analysis = await analysisOf([
      ...sound(),
      manifestOf("syn30", "Quantum", "Component,HTAN Data File ID", "Quantum,HTA3_1_9"),
      manifestOf("syn4", "Quantum", "Component,HTAN Data File ID", "Quantum,HTA3_1_9"),
      manifestOf("syn5", null, "Component,Filename", "Other,x"),
    ]);
    expect(analysis.findings).toEqual([
      {
        rule: "H_CATEGORIES",
        severity: "error",
        subject: "syn5",
        row: null,
        message:
          "Component Other (1 manifest) is not in the list of components that the dashboard knows, so nothing in it was checked.",
        fields: { value: "Other" },
      },
      {
        rule: "H_CATEGORIES",
        severity: "error",
        subject: "syn4",
        row: null,
        message:
          "Component Quantum (2 manifests) is not in the list of components that the dashboard knows, so nothing in it was checked.",
        fields: { value: "Quantum" },
      },
    ]);
  });
});

describe("checkDemographics(subject)", () => {
  test("finds that there are none, and then participants are not checked", async () => {
    const analysis = await analysisOf([rowsOf("syn5", "Exposure", PARTICIPANT, ["HTA3_1"])]);
    expect(analysis.findings.filter(({ rule }) => rule === "H_DEM")).toEqual([
      {
        rule: "H_DEM",
        severity: "error",
        subject: "syn1",
        row: null,
        message: "HTA3 has no Demographics manifest.",
        fields: {},
      },
    ]);
    expect(outcomeOf(analysis, "H_NON_DEM")).toMatchObject({
      status: "not run",
      reason: "There is no Demographics manifest to compare participants with.",
      count: 0,
    });
  });

  test("lets HTA15 do without, whose participants then cannot be assessed", async () => {
    const hta15 = { ...ATLAS, atlasId: "HTA15" };
    const analysis = await analysisOf([rowsOf("syn5", "Exposure", PARTICIPANT, ["HTA3_1"])], hta15);
    expect(outcomeOf(analysis, "H_DEM")).toMatchObject({ status: "passed" });
    expect(analysis.findings.filter(({ rule }) => rule === "H_NON_DEM")).toEqual([
      {
        rule: "H_NON_DEM",
        severity: "error",
        subject: "syn1",
        row: null,
        message:
          "The participants of HTA15 cannot be assessed, for want of a Demographics manifest to compare them with.",
        fields: {},
      },
    ]);
  });
});

describe("checkParticipants(subject)", () => {
  test("finds each clinical record whose participant no Demographics manifest has", async () => {
    const analysis = await analysisOf([
      ...sound(),
      rowsOf("syn102", "Demographics", PARTICIPANT, ["HTA3_3"], [""]),
      rowsOf("syn5", "Therapy", PARTICIPANT, ["HTA3_9"], ["HTA3_3"], ["HTA3_9"]),
      rowsOf("syn6", "BreastCancerTier3", PARTICIPANT, ["HTA3_1"], [""]),
      rowsOf("syn7", "SRRSClinicalDataTier2", PARTICIPANT, ["HTA3-1"]),
    ]);
    const found = analysis.findings.map(({ rule, row, message, fields }) => [
      rule,
      row,
      message,
      fields,
    ]);
    const therapy = {
      manifest: "syn5",
      component: "Therapy",
      column: "HTAN Participant ID",
      value: "HTA3_9",
    };
    const sentence = "Participant HTA3_9 of Therapy is in no Demographics manifest of this atlas.";
    expect(found).toEqual([
      ["H_NON_DEM", 2, sentence, therapy],
      ["H_NON_DEM", 4, sentence, therapy],
      [
        "H_NON_DEM",
        2,
        "Participant HTA3-1 of SRRSClinicalDataTier2 is in no Demographics manifest of this atlas; did you mean HTA3_1?",
        {
          manifest: "syn7",
          component: "SRRSClinicalDataTier2",
          column: "HTAN Participant ID",
          value: "HTA3-1",
        },
      ],
      [
        "H_NON_DEM",
        3,
        "A record of BreastCancerTier3 names no participant.",
        {
          manifest: "syn6",
          component: "BreastCancerTier3",
          column: "HTAN Participant ID",
          value: "",
        },
      ],
    ]);
  });

  test.each([["has no column of participants", "Component,Gender\nDemographics,female\n"]])(
    "says that it cannot assess where the only Demographics manifest %s",
    async (_what, content) => {
      const analysis = await analysisOf([
        manifestOf("syn5", "Demographics", ...content.split("\n").filter((line) => line !== "")),
        rowsOf("syn6", "Exposure", PARTICIPANT, ["HTA3_1"], ["HTA3_2"]),
      ]);
      expect(outcomeOf(analysis, "H_DEM")).toMatchObject({ status: "passed" });
      expect(fieldsOf(analysis, "H_NON_DEM")).toEqual([{}]);
    },
  );
});

describe("manifests of which nothing could be read", () => {
  test.each([
    ["empty", ""],
    ["HTML", "<html><body>Sign in</body></html>"],
    ["below a title", "Our cohort\nComponent,HTAN Participant ID\nDemographics,HTA3_1"],
  ])(
    "that are %s are one finding each, and nothing that they may hold is missed",
    async (_what, content) => {
      const lines = content.split("\n").filter((line) => line !== "");
      const analysis = await analysisOf([
        manifestOf("syn4", "Demographics", ...lines),
        manifestOf("syn5", "Biospecimen", ...lines),
        rowsOf("syn6", "Exposure", PARTICIPANT, ["HTA3_1"]),
        rowsOf("syn7", "ScRNA-seqLevel1", ASSAY, ["HTA3_1_10", "HTA3_1_1", "syn9"]),
      ]);
      expect(analysis.findings.map(({ rule, subject }) => [rule.slice(0, 2), subject])).toEqual([
        ["M_", "syn5"],
        ["M_", "syn4"],
      ]);
      expect(outcomeOf(analysis, "H_NON_DEM")).toMatchObject({
        status: "not run",
        reason:
          "The Demographics manifest syn4, with which participants are compared, could not be read.",
      });
      expect(outcomeOf(analysis, "H_LINKS")).toMatchObject({
        status: "passed",
        reason: expect.stringContaining("1 link may lead to records") as string,
      });
    },
  );
});

describe("checkBiospecimens(subject)", () => {
  const specimen = ["HTAN Biospecimen ID", "HTAN Parent ID"];
  test.each(["Biospecimen", "SRRSBiospecimen"])("is content with %s", async (component) => {
    const analysis = await analysisOf([rowsOf("syn5", component, specimen)]);
    expect(outcomeOf(analysis, "H_BIOSPEC")).toMatchObject({ status: "passed" });
  });

  test("finds that there is neither", async () => {
    const analysis = await analysisOf([]);
    expect(analysis.findings.filter(({ rule }) => rule === "H_BIOSPEC")).toEqual([
      {
        rule: "H_BIOSPEC",
        severity: "error",
        subject: "syn1",
        row: null,
        message: "HTA3 has neither a Biospecimen nor an SRRSBiospecimen manifest.",
        fields: {},
      },
    ]);
  });
});
