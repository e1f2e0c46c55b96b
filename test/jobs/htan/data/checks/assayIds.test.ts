import { describe, expect, test } from "vitest";

import {
  analysisOf,
  ASSAY,
  DERIVED_ASSAY,
  fieldsOf,
  manifestOf,
  outcomeOf,
  rowsOf,
  sound,
} from "../../given.ts";

describe("checkIds(subject)", () => {
  test("finds own ids that are malformed, and says in which row", async () => {
    const analysis = await analysisOf([
      ...sound(),
      rowsOf(
        "syn5",
        "ScRNA-seqLevel1",
        ASSAY,
        ["HTA3_1_10", "HTA3_1_1", "syn9"],
        ["HTA3_xxxx_11", "HTA3_1_1", "syn9"],
        ["", "HTA3_1_1", "syn9"],
      ),
    ]);
    const fields = { manifest: "syn5", component: "ScRNA-seqLevel1", column: "HTAN Data File ID" };
    expect(analysis.findings).toEqual([
      {
        rule: "H_ID_SPEC",
        severity: "error",
        subject: "syn5",
        row: 3,
        message:
          "HTAN Data File ID HTA3_xxxx_11 of ScRNA-seqLevel1 is not formed as an HTAN id, like HTA3_8001_12.",
        fields: { ...fields, value: "HTA3_xxxx_11" },
      },
      {
        rule: "H_ID_SPEC",
        severity: "error",
        subject: "syn5",
        row: 4,
        message: "A record of ScRNA-seqLevel1 has no HTAN Data File ID.",
        fields: { ...fields, value: "" },
      },
    ]);
  });

  test("finds own ids that were used before, in the order of levels, and says where; malformed ones are not counted as used", async () => {
    const analysis = await analysisOf([
      ...sound(),
      rowsOf("syn5", "ScRNA-seqLevel2", DERIVED_ASSAY, ["HTA3_1_10", "HTA3_1_20", "syn9"]),
      rowsOf(
        "syn8",
        "ScRNA-seqLevel1",
        ASSAY,
        ["HTA3_1_20", "HTA3_1_1", "syn9"],
        ["HTA3_1_11", "HTA3_1_1", "syn9"],
      ),
      rowsOf(
        "syn7",
        "ScRNA-seqLevel1",
        ASSAY,
        ["HTA3_1_11", "HTA3_1_1", "syn9"],
        ["HTA3_1_10", "HTA3_1_1", "syn9"],
        ["HTA3_1_10", "HTA3_1_1", "syn9"],
      ),
    ]);
    const first = {
      column: "HTAN Data File ID",
      value: "HTA3_1_10",
      firstManifest: "syn7",
      firstComponent: "ScRNA-seqLevel1",
    };
    const eleventh = { ...first, value: "HTA3_1_11" };
    expect(analysis.findings.map(({ row, message, fields }) => [row, message, fields])).toEqual([
      [
        4,
        "HTAN Data File ID HTA3_1_10 of ScRNA-seqLevel1 is already used in row 3 of ScRNA-seqLevel1 (syn7).",
        { manifest: "syn7", component: "ScRNA-seqLevel1", ...first },
      ],
      [
        3,
        "HTAN Data File ID HTA3_1_11 of ScRNA-seqLevel1 is already used in row 2 of ScRNA-seqLevel1 (syn7).",
        { manifest: "syn8", component: "ScRNA-seqLevel1", ...eleventh },
      ],
      [
        2,
        "HTAN Data File ID HTA3_1_10 of ScRNA-seqLevel2 is already used in row 3 of ScRNA-seqLevel1 (syn7).",
        { manifest: "syn5", component: "ScRNA-seqLevel2", ...first },
      ],
    ]);
  });

  test("finds malformed parents, each of a list by itself", async () => {
    const analysis = await analysisOf([
      ...sound(),
      rowsOf(
        "syn5",
        "ScRNA-seqLevel1",
        ASSAY,
        ["HTA3_1_10", "HTA3_1_1; HTA3_2_1, HTA3_EXT1_1", "syn9"],
        ["HTA3_1_11", "HTA3_1_1, HTA3-bad;HTA3_1", "syn9"],
      ),
    ]);
    const fields = {
      manifest: "syn5",
      component: "ScRNA-seqLevel1",
      column: "HTAN Parent Biospecimen ID",
    };
    expect(fieldsOf(analysis, "H_ID_SPEC")).toEqual([
      { ...fields, value: "HTA3-bad" },
      { ...fields, value: "HTA3_1" },
    ]);
  });

  test.each(["BulkWESLevel2", "BulkRNA-seqLevel2"])(
    "lets records of %s say that a parent is not applicable",
    async (component) => {
      const rows = ["Not Applicable", "not applicable (DNA)", "Not Reported"].map(
        (parent, index) => [`HTA3_1_${10 + index}`, parent, "syn9"],
      );
      const analysis = await analysisOf([
        ...sound(),
        rowsOf("syn5", component, DERIVED_ASSAY, ...rows),
      ]);
      expect(fieldsOf(analysis, "H_ID_SPEC")).toEqual([
        { manifest: "syn5", component, column: "HTAN Parent Data File ID", value: "Not Reported" },
      ]);
    },
  );

  test("does not let other components say so", async () => {
    const row = ["HTA3_1_10", "Not Applicable", "syn9"];
    const analysis = await analysisOf([
      ...sound(),
      rowsOf("syn5", "BulkWESLevel3", DERIVED_ASSAY, row),
      rowsOf("syn6", "ScRNA-seqLevel2", DERIVED_ASSAY, ["HTA3_1_11", ...row.slice(1)]),
    ]);
    expect(fieldsOf(analysis, "H_ID_SPEC")).toHaveLength(2);
  });

  test("passes over the manifest that is exempt, and the own ids of accessory manifests", async () => {
    const accessory = ["Accessory Synapse ID", "HTAN Parent Biospecimen ID"];
    const analysis = await analysisOf([
      ...sound(),
      rowsOf("syn42292434", "ExSeqMinimal", ASSAY, ["HTA3-bad", "HTA3-wors", "syn9"]),
      rowsOf("syn6", "AccessoryManifest", accessory, ["syn77", "HTA3_1_1"], ["syn77", "HTA3-bad"]),
    ]);
    expect(fieldsOf(analysis, "H_ID_SPEC")).toEqual([
      {
        manifest: "syn6",
        component: "AccessoryManifest",
        column: "HTAN Parent Biospecimen ID",
        value: "HTA3-bad",
      },
    ]);
    expect(outcomeOf(analysis, "H_ENTITY_ID")).toMatchObject({ status: "passed" });
  });

  test("finds ids of specimens that are used twice, however their atlas numbers them", async () => {
    const header = ["HTAN Biospecimen ID", "HTAN Parent ID"];
    const analysis = await analysisOf([
      ...sound(),
      rowsOf("syn5", "Biospecimen", header, ["HTA3_1_A", "HTA3_1"], ["HTA3_1_A", "HTA3_1"]),
      rowsOf("syn6", "Biospecimen", header, ["Not Reported", "HTA3_1"], ["Not Reported", "HTA3_1"]),
    ]);
    expect(analysis.findings.map(({ rule, row, message }) => [rule, row, message])).toEqual([
      [
        "H_ID_SPEC",
        3,
        "HTAN Biospecimen ID HTA3_1_A of Biospecimen is already used in row 2 of Biospecimen (syn5).",
      ],
    ]);
  });

  test("leaves how participants and specimens are numbered to their atlas", async () => {
    const analysis = await analysisOf([
      rowsOf("syn4", "Demographics", ["HTAN Participant ID"], ["HTA3_A"]),
      rowsOf(
        "syn5",
        "Biospecimen",
        ["HTAN Biospecimen ID", "HTAN Parent ID"],
        ["HTA3_A-1", "HTA3_A"],
      ),
    ]);
    expect(outcomeOf(analysis, "H_ID_SPEC")).toMatchObject({ status: "passed" });
  });

  test("finds what is no id in manifests of every kind, by row and column, without the value", async () => {
    const text = "MRN 0000-000 Example Person 1900-01-01";
    const analysis = await analysisOf([
      rowsOf("syn4", "Demographics", ["HTAN Participant ID"], ["HTA3_1"], [text]),
      rowsOf(
        "syn5",
        "Biospecimen",
        ["HTAN Biospecimen ID", "HTAN Parent ID", "Adjacent Biospecimen IDs"],
        ["HTA3_1_1", "HTA3_1", "Not Reported"],
        ["HTA3_2_1", text, `HTA3_1_1; ${text}`],
        [text, "HTA3_1", ""],
      ),
      rowsOf("syn6", "Therapy", ["HTAN Participant ID", "Treatment Type"], [text, text]),
      rowsOf("syn42292434", "ExSeqMinimal", ASSAY, [text, text, text]),
    ]);
    expect(
      analysis.findings.map(({ rule, subject, row, fields }) => [
        rule,
        subject,
        row,
        fields["column"],
        fields["value"],
      ]),
    ).toEqual([
      ["H_ID_SPEC", "syn4", 3, "HTAN Participant ID", undefined],
      ["H_ID_SPEC", "syn6", 2, "HTAN Participant ID", undefined],
      ["H_ID_SPEC", "syn5", 3, "HTAN Parent ID", undefined],
      ["H_ID_SPEC", "syn5", 3, "Adjacent Biospecimen IDs", undefined],
      ["H_ID_SPEC", "syn5", 4, "HTAN Biospecimen ID", undefined],
      ["H_ID_SPEC", "syn42292434", 2, "HTAN Data File ID", undefined],
      ["H_ID_SPEC", "syn42292434", 2, "HTAN Parent Biospecimen ID", undefined],
      ["H_ENTITY_ID", "syn42292434", 2, "entityId", undefined],
    ]);
    expect(analysis.findings.find(({ row }) => row === 3)?.message).toBe(
      "HTAN Participant ID of a record of Demographics holds something that is not shaped like an HTAN id, like HTA3_8001; what stands there is shown nowhere, since it may name a person.",
    );
    expect(JSON.stringify(analysis)).not.toMatch(/MRN|Example|1900/);
  });

  test("shows the ids of a list that holds something else", async () => {
    const analysis = await analysisOf([
      ...sound(),
      rowsOf("syn5", "ScRNA-seqLevel1", ASSAY, ["HTA3_1_10", "HTA3_1_1, Example Person", "syn9"]),
    ]);
    expect(analysis.sif).toContain("B_HTA3_1_1\tconnect\tSC1_HTA3_1_10");
    expect(fieldsOf(analysis, "H_ID_SPEC")).toEqual([
      {
        ...{ manifest: "syn5", component: "ScRNA-seqLevel1" },
        ...{ column: "HTAN Parent Biospecimen ID", record: "HTA3_1_10" },
      },
    ]);
  });

  test("does without columns that are lacking", async () => {
    const analysis = await analysisOf([
      ...sound(),
      rowsOf("syn5", "ScRNA-seqLevel1", ["entityId"], ["syn9"]),
    ]);
    expect(analysis.findings.map(({ rule, fields }) => [rule, fields["column"]])).toEqual([
      ["M_MISSING_COLUMN", "HTAN Data File ID"],
      ["M_MISSING_COLUMN", "HTAN Parent Biospecimen ID"],
    ]);
  });
});

describe("checkEntityIds(subject)", () => {
  test("finds assay manifests without the column, and records whose entity is not one of Synapse", async () => {
    const analysis = await analysisOf([
      ...sound(),
      rowsOf("syn5", "ScRNA-seqLevel1", ASSAY.slice(0, 2), ["HTA3_1_10", "HTA3_1_1"]),
      rowsOf(
        "syn6",
        "ScRNA-seqLevel1",
        ASSAY,
        ["HTA3_1_11", "HTA3_1_1", "nope"],
        ["HTA3_1_12", "HTA3_1_1", "syn"],
        ["HTA3_1_13", "HTA3_1_1", ""],
      ),
    ]);
    const found = analysis.findings.map(({ rule, row, message, fields }) => [
      rule,
      row,
      message,
      fields,
    ]);
    const component = "ScRNA-seqLevel1";
    expect(found).toEqual([
      [
        "H_ENTITY_ID",
        null,
        "The ScRNA-seqLevel1 manifest syn5 has no entityId column.",
        { manifest: "syn5", component, column: "entityId" },
      ],
      [
        "H_ENTITY_ID",
        2,
        "The entityId of a record of ScRNA-seqLevel1 is no Synapse id (syn and digits); what stands there is shown nowhere, since it may name a person.",
        { manifest: "syn6", component, column: "entityId" },
      ],
      [
        "H_ENTITY_ID",
        4,
        "The entityId of a record of ScRNA-seqLevel1 is empty.",
        { manifest: "syn6", component, column: "entityId", value: "" },
      ],
    ]);
  });

  test("does not hold against a manifest what could not be read of it", async () => {
    const analysis = await analysisOf([...sound(), manifestOf("syn5", "ScRNA-seqLevel1")]);
    expect(analysis.findings.map(({ rule }) => rule)).toEqual(["M_EMPTY"]);
  });
});
