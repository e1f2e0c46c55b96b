// One cause is one finding, it names its column, and gives an example that the atlas could have.

import { describe, expect, test } from "vitest";

import type { AtlasAnalysis } from "../../../../../src/jobs/htan/data/analysis.ts";
import { analysisOf, ASSAY, ATLAS, DERIVED_ASSAY, rowsOf, sound } from "../../given.ts";

const told = ({ findings }: AtlasAnalysis) =>
  findings.map(({ rule, row, fields, message }) => [rule, row, fields["column"], message]);

const SPECIMEN = ["HTAN Biospecimen ID", "HTAN Parent ID", "Adjacent Biospecimen IDs"];
const FILE_COLUMN = "HTAN Data File ID";

describe("findings of one cause", () => {
  test("do not report a malformed parent as a broken link again", async () => {
    const analysis = await analysisOf([
      ...sound(),
      rowsOf("syn5", "ScRNA-seqLevel1", ASSAY, ["HTA3_1_10", "HTA3-1-1", "syn9"]),
    ]);
    expect(told(analysis)).toEqual([
      [
        "H_ID_SPEC",
        2,
        "HTAN Parent Biospecimen ID",
        "HTAN Parent Biospecimen ID HTA3-1-1 in a record of ScRNA-seqLevel1 is not formed as an HTAN id, like HTA3_8001_12; did you mean HTA3_1_1?",
      ],
    ]);
  });

  test("report a malformed id once, not at the records that name it as it should be", async () => {
    const analysis = await analysisOf([
      ...sound(),
      rowsOf("syn5", "ScRNA-seqLevel1", ASSAY, ["HTA3-1-10", "HTA3_1_1", "syn9"]),
      rowsOf(
        "syn6",
        "ScRNA-seqLevel2",
        DERIVED_ASSAY,
        ["HTA3_1_20", "HTA3_1_10", "syn9"],
        ["HTA3_1_21", "HTA3_1_90", "syn9"],
      ),
    ]);
    expect(told(analysis)).toEqual([
      [
        "H_ID_SPEC",
        2,
        FILE_COLUMN,
        "HTAN Data File ID HTA3-1-10 of ScRNA-seqLevel1 is not formed as an HTAN id, like HTA3_8001_12; did you mean HTA3_1_10?",
      ],
      [
        "H_LINKS",
        3,
        "HTAN Parent Data File ID",
        "Parent HTA3_1_90 of HTA3_1_21 is in no assay manifest of this atlas; did you mean HTA3_1_20?",
      ],
    ]);
  });

  test("give an example with the atlas's own prefix and form", async () => {
    const analysis = await analysisOf(
      [rowsOf("syn5", "ScRNA-seqLevel1", ASSAY, ["HTA204_1_1", "HTA204_777_D99", "syn9"])],
      { ...ATLAS, atlasId: "HTA204" },
    );
    const messages = analysis.findings
      .filter(({ rule }) => rule === "H_ID_SPEC")
      .map(({ message }) => message.replace(/.*like /, ""));
    expect(messages).toEqual(["HTA204_8001_D12.", "HTA204_8001_B12."]);
  });

  test("take several ids in place of one for a malformed id, of whatever record", async () => {
    const analysis = await analysisOf([
      ...sound(),
      rowsOf("syn4", "Therapy", ["HTAN Participant ID"], ["HTA3_1;HTA3_2"]),
      rowsOf("syn5", "Biospecimen", SPECIMEN, ["HTA3_1_2;HTA3_1_3", "HTA3_404", ""]),
      rowsOf("syn6", "ScRNA-seqLevel1", ASSAY, ["HTA3_1_10;HTA3_1_11", "HTA3_1_1", "syn9"]),
    ]);
    expect(analysis.findings.map(({ rule, fields }) => [rule, fields["value"]])).toEqual([
      ["H_ID_SPEC", "HTA3_1;HTA3_2"],
      ["H_ID_SPEC", "HTA3_1_2;HTA3_1_3"],
      ["H_ID_SPEC", "HTA3_1_10;HTA3_1_11"],
    ]);
    expect(analysis.sif.join()).not.toContain(";");
  });

  test("find an id that two specimens have, or a specimen of another manifest", async () => {
    const analysis = await analysisOf([
      ...sound(),
      rowsOf(
        "syn5",
        "SRRSBiospecimen",
        SPECIMEN.slice(0, 2),
        ["HTA3_1_1", "HTA3_1"],
        ["HTA3_1_9", "HTA3_1"],
        ["HTA3_1_9", "HTA3_2"],
      ),
    ]);
    expect(analysis.findings.map(({ rule, row, fields }) => [rule, row, fields["value"]])).toEqual([
      ["H_ID_SPEC", 2, "HTA3_1_1"],
      ["H_ID_SPEC", 4, "HTA3_1_9"],
    ]);
  });

  test("ask about a component that is nearly a known one", async () => {
    const analysis = await analysisOf([
      ...sound(),
      rowsOf("syn5", "scRNA-seqLevl1", ASSAY, ["HTA3_1_10", "HTA3_1_1", "syn9"]),
    ]);
    expect(analysis.findings[0]?.message).toMatch(/checked; did you mean ScRNA-seqLevel1\?$/);
  });
});

describe("components with several columns of parents", () => {
  const VISIUM = "10xVisiumSpatialTranscriptomics-RNA-seqLevel2";
  const HEADER = [
    FILE_COLUMN,
    "HTAN Parent Biospecimen ID",
    "HTAN Parent Data File ID",
    "entityId",
  ];

  test("link a record by each, and may say in one that there is none", async () => {
    const analysis = await analysisOf([
      ...sound(),
      rowsOf(
        "syn5",
        VISIUM,
        HEADER,
        ["HTA3_1_10", "HTA3_1_1", "Not Applicable", "syn9"],
        ["HTA3_1_11", "HTA3_1_1", "HTA3_1_10", "syn9"],
        ["HTA3_1_12", "not reported", "HTA3_1_10", "syn9"],
        ["HTA3_1_13", "", "HTA3_1_99", "syn9"],
        ["HTA3_1_14", "HTA3_9_9", "bad", "syn9"],
      ),
    ]);
    expect(told(analysis).map((one) => one.slice(0, 3))).toEqual([
      ["H_ID_SPEC", 6, "HTAN Parent Data File ID"],
      ["H_LINKS", 5, "HTAN Parent Data File ID"],
      ["H_LINKS", 6, "HTAN Parent Biospecimen ID"],
    ]);
    expect(analysis.sif.filter((line) => line.includes("VS2"))).toEqual([
      "B_HTA3_1_1\tconnect\tVS2_HTA3_1_10",
      "B_HTA3_1_1\tconnect\tVS2_HTA3_1_11",
      "VS2_HTA3_1_10\tconnect\tVS2_HTA3_1_11",
      "VS2_HTA3_1_10\tconnect\tVS2_HTA3_1_12",
    ]);
  });

  test("do with one of them, but not with none", async () => {
    const one = await analysisOf([
      ...sound(),
      rowsOf("syn5", VISIUM, ASSAY, ["HTA3_1_10", "HTA3_1_1", "syn9"]),
    ]);
    expect(one.findings).toEqual([]);
    const none = await analysisOf([
      ...sound(),
      rowsOf("syn5", VISIUM, [FILE_COLUMN, "entityId"], ["HTA3_1_10", "syn9"]),
    ]);
    expect(none.findings.map(({ rule, message }) => [rule, message])).toEqual([
      [
        "M_MISSING_COLUMN",
        expect.stringContaining(
          "has none of the columns HTAN Parent Biospecimen ID and HTAN Parent Data File ID, so its records cannot be linked",
        ),
      ],
    ]);
  });
});

describe("tables and publications", () => {
  test("have their parents checked, though their records have no id", async () => {
    const region = "NanoStringGeoMxDSPROIDCCSegmentAnnotationMetadata";
    const publication = "Publication-associated HTAN Parent Data File ID";
    const analysis = await analysisOf([
      ...sound(),
      rowsOf("syn5", region, ["HTAN Parent Biospecimen ID"], ["HTA3_1_1"], ["HTA3_77_777"]),
      rowsOf("syn6", "PublicationManifest", [publication], ["HTA3_1_404, HTA3-bad"]),
    ]);
    expect(told(analysis)).toEqual([
      [
        "H_ID_SPEC",
        2,
        publication,
        expect.stringContaining("HTA3-bad in a record of PublicationManifest"),
      ],
      [
        "H_LINKS",
        3,
        "HTAN Parent Biospecimen ID",
        `Parent HTA3_77_777 in a record of ${region} is in no Biospecimen manifest of this atlas.`,
      ],
      ["H_LINKS", 2, publication, expect.stringContaining("HTA3_1_404 in a record of Publication")],
    ]);
  });

  test("share an id among the rows of one table, but with nothing else", async () => {
    const header = ["HTAN Channel Metadata ID", "Channel ID"];
    const analysis = await analysisOf([
      ...sound(),
      rowsOf("syn5", "ImagingLevel3Channels", header, ["HTA3_0000_9", "a"], ["HTA3_0000_9", "b"]),
      rowsOf("syn6", "ImagingLevel3Channels", header, ["HTA3_0000_9", "a"]),
      rowsOf("syn7", "ImagingLevel1", ASSAY, ["HTA3_0000_9", "HTA3_1_1", "syn9"]),
    ]);
    expect(analysis.findings.map(({ rule, subject, row }) => [rule, subject, row])).toEqual([
      ["H_ID_SPEC", "syn5", 2],
      ["H_ID_SPEC", "syn5", 3],
      ["H_ID_SPEC", "syn6", 2],
    ]);
  });

  test("take the channels' template of before for what it was", async () => {
    const analysis = await analysisOf([
      ...sound(),
      rowsOf("syn4", "ImagingLevel2", ASSAY, ["HTA3_1_10", "HTA3_1_1", "syn9"]),
      rowsOf("syn5", "ImagingLevel3Channels", DERIVED_ASSAY, ["HTA3_1_11", "HTA3_1_10", "syn9"]),
    ]);
    expect(analysis.findings).toEqual([]);
    expect(analysis.sif).toContain("I2_HTA3_1_10\tconnect\tI3-C_HTA3_1_11");
  });
});
