// What checks find holds for manifests that are read as they are meant: with blanks, in other letters, of several components, or not at all.

import { describe, expect, test } from "vitest";

import { analyseAtlas, inTableOrder } from "../../../../src/jobs/htan/data/analyse.ts";
import type { AtlasAnalysis, PassedOver } from "../../../../src/jobs/htan/data/analysis.ts";
import { decodeEntityIds, encodeEntityIds } from "../../../../src/jobs/htan/data/entityIds.ts";
import type { Manifest } from "../../../../src/jobs/htan/data/manifest.ts";
import { findRecords, settleStrangers } from "../../../../src/jobs/htan/data/strangers.ts";
import { lackingManifests } from "../../../../src/jobs/htan/data/unread.ts";
import { components } from "../fixtureWorld.ts";
import { ATLAS, entryOf, manifestOf, NO_FILES, outcomeOf, rowsOf, sound } from "../given.ts";

async function analysisWith(
  manifests: readonly Promise<Manifest>[],
  { files = [], passedOver = [] }: { files?: number[]; passedOver?: PassedOver[] },
): Promise<AtlasAnalysis> {
  const entities = files.length === 0 ? null : decodeEntityIds(encodeEntityIds(files));
  const read = await Promise.all(manifests);
  return analyseAtlas(ATLAS, { ...NO_FILES, passedOver }, read, components, { entities });
}

const briefly = ({ findings }: AtlasAnalysis) =>
  findings.map(({ rule, subject, row, fields }) => [rule, subject, row, fields["value"]]);
const messages = ({ findings }: AtlasAnalysis) => findings.map(({ message }) => message);

describe("the files of records", () => {
  test("are held against the project's where one manifest has several components", async () => {
    const mixed = manifestOf(
      "syn102",
      null,
      "Component,HTAN Data File ID,HTAN Parent Biospecimen ID,HTAN Parent Data File ID,entityId",
      "ScRNA-seqLevel1,HTA3_1_9,HTA3_1_1,,syn20",
      "ScRNA-seqLevel2,HTA3_1_10,,HTA3_1_9,syn99",
      "",
      "ScRNA-seqLevel1,HTA3_2_9,HTA3_2_1,,syn21x",
      "ScRNA-seqLevel2,HTA3_2_10,,HTA3_2_9,syn20",
      "ScRNA-seqLevel2,HTA3_2_11,,HTA3_2_9,nope",
    );
    const analysis = await analysisWith([...sound(), mixed], { files: [20, 21] });
    expect(briefly(analysis)).toEqual([
      ["H_ENTITY_ID", "syn102", 5, "syn21x"],
      ["H_ENTITY_ID", "syn102", 3, "syn99"],
      ["H_ENTITY_ID", "syn102", 6, "syn20"],
      ["H_ENTITY_ID", "syn102", 7, undefined],
      ["M_MIXED_COMPONENTS", "syn102", 3, "ScRNA-seqLevel1"],
    ]);
    expect(messages(analysis)[2]).toContain(
      "is already the file of row 2 of ScRNA-seqLevel1 (syn102)",
    );
  });

  test("are the same with blanks around their ids", async () => {
    const header = ["HTAN Data File ID", "HTAN Parent Biospecimen ID", "ENTITYID\u00a0"];
    const analysis = await analysisWith(
      [
        ...sound(),
        rowsOf(
          "syn5",
          "ScRNA-seqLevel1",
          header,
          ["HTA3_1_10", "HTA3_1_1", "syn20 "],
          ["HTA3_1_11", "HTA3_1_1", "\u200bsyn20"],
          ["HTA3_1_12", "HTA3_1_1", "\u00a0syn21x "],
        ),
      ],
      { files: [20, 21] },
    );
    expect(briefly(analysis)).toEqual([
      ["H_ENTITY_ID", "syn5", 3, "syn20"],
      ["H_ENTITY_ID", "syn5", 4, "syn21x"],
      ["M_SPELLING", "syn5", 2, "syn20 "],
    ]);
  });
});

describe("columns of ids", () => {
  const OWN = "htan data file id";

  test("are known in any spelling where a component has several for parents", async () => {
    const header = [
      OWN,
      "\u00a0HTAN Parent Data File ID",
      "HTAN PARENT  BIOSPECIMEN ID ",
      "entityId",
    ];
    const analysis = await analysisWith(
      [
        ...sound(),
        rowsOf(
          "syn5",
          "MicroarrayLevel1",
          [OWN, "HTAN Parent Biospecimen ID\u200b", "entityId"],
          ["HTA3_1_10", "HTA3_1_1", "syn20"],
        ),
        rowsOf("syn6", "MicroarrayLevel2", header, [
          "HTA3_1_20",
          "hta3_1_10 ",
          "HTA3_2_1",
          "syn21",
        ]),
      ],
      {},
    );
    expect(briefly(analysis).map(([rule, subject]) => [rule, subject])).toEqual([
      ["M_SPELLING", "syn5"],
      ["M_SPELLING", "syn6"],
    ]);
    expect(analysis.sif.filter((line) => line.includes("MA2"))).toEqual([
      "B_HTA3_2_1\tconnect\tMA2_HTA3_1_20",
      "MA1_HTA3_1_10\tconnect\tMA2_HTA3_1_20",
    ]);
  });

  test("tell today's template from an older one in any spelling", async () => {
    const file = ["HTAN Data File ID", "HTAN Parent Biospecimen ID", "entityId"];
    const analysis = await analysisWith(
      [
        ...sound(),
        rowsOf("syn5", "ImagingLevel1", file, ["HTA3_1_10", "HTA3_1_1", "syn20"]),
        rowsOf(
          "syn6",
          "ImagingLevel3Channels",
          [` ${OWN}`, "HTAN parent data file ID", "entityId"],
          ["HTA3_1_20", "HTA3_1_10", "syn21"],
        ),
        rowsOf("syn7", "ImagingLevel3Channels", ["HTAN Channel Metadata Id"], ["HTA3_0000_9"]),
      ],
      {},
    );
    expect(briefly(analysis).map(([rule, subject]) => [rule, subject])).toEqual([
      ["M_SPELLING", "syn6"],
      ["M_SPELLING", "syn7"],
    ]);
    expect(analysis.sif).toContain("I1_HTA3_1_10\tconnect\tI3-C_HTA3_1_20");
  });

  test("are named by what they are called instead, also where one of several would do", async () => {
    const { problems } = await rowsOf(
      "syn6",
      "MicroarrayLevel2",
      ["HTAN Data File ID", "HTAN_Parent_Data_File_ID"],
      ["HTA3_1_20", "HTA3_1_10"],
    );
    expect(problems.map(({ message }) => message)).toEqual([
      "The MicroarrayLevel2 manifest (folder/synapse_storage_manifest_microarraylevel2.csv) has none of the columns " +
        "HTAN Parent Data File ID and HTAN Parent Biospecimen ID (what it calls “HTAN_Parent_Data_File_ID” is no such name), " +
        "so its records cannot be linked.",
    ]);
  });
});

describe("manifests that do not count or cannot be read", () => {
  const older: PassedOver = {
    entityId: "syn50",
    name: "synapse_storage_manifest_demographics.csv",
    path: "clinical",
    component: "demographics\u00a0",
    newer: "syn51",
  };
  const note =
    " Passed over for a newer manifest in the same folder: syn50 (clinical/synapse_storage_manifest_demographics.csv) for syn51.";

  test("are named behind what may have been meant", async () => {
    const exposure = rowsOf("syn5", "Exposure", ["HTAN Participant ID"], ["HTA3_10"]);
    const specimen = rowsOf(
      "syn6",
      "SRRSBiospecimen",
      ["HTAN Biospecimen ID", "HTAN Parent ID"],
      ["HTA3_9_1", "HTA3_10"],
      ["HTA3_9_2", "HTA5_10"],
    );
    const analysis = await analysisWith([...sound(), exposure, specimen], { passedOver: [older] });
    expect(messages(analysis)).toEqual([
      `Participant HTA3_10 of Exposure is in no Demographics manifest of this atlas; did you mean HTA3_1?${note}`,
      `Parent HTA3_10 of HTA3_9_1 is in no Demographics manifest of this atlas; did you mean HTA3_1?${note}`,
      `Parent HTA5_10 of HTA3_9_2 is in no Demographics manifest of this atlas; did you mean HTA3_1?${note}`,
    ]);
    const settled = settleStrangers(analysis, { found: { HTA5: {} }, unseen: [] });
    expect(messages(settled)[2]).toBe(
      `Parent HTA5_10 of HTA3_9_2 is in no Demographics manifest of this atlas, and HTA5 has no such record either.${note}`,
    );
  });

  test("are not missed as absent, however their annotation is spelt", async () => {
    const entry = entryOf("syn60", "DEMOGRAPHICS\u200b ");
    const unread = [{ entityId: "syn60", reason: "it is gone" }];
    const lacking = lackingManifests([entry, entryOf("syn61", null)], unread, components);
    expect(lacking.map(({ component }) => component?.component)).toEqual(["Demographics"]);
    const [, specimens] = sound();
    const read = [await specimens] as Manifest[];
    const analysis = analyseAtlas(ATLAS, NO_FILES, read, components, { lacking });
    expect(briefly(analysis)).toEqual([["M_UNREADABLE", "syn60", null, undefined]]);
    expect(analysis.unread).toMatchObject([
      { component: "Demographics", parts: ["completeness", "network"] },
    ]);
    expect(outcomeOf(analysis, "H_NON_DEM")).toMatchObject({ status: "not run" });
    expect(outcomeOf(analysis, "H_LINKS")).toMatchObject({
      status: "passed",
      reason: expect.stringContaining("2 links may lead to records of a manifest") as string,
    });
  });
});

describe("links beside a manifest that could not be read", () => {
  test("are checked where that manifest cannot hold what they name", async () => {
    const lacking = lackingManifests(
      [
        entryOf("syn60", "Therapy"),
        entryOf("syn61", "NanoStringGeoMxDSPROIDCCSegmentAnnotationMetadata"),
      ],
      ["syn60", "syn61"].map((entityId) => ({ entityId, reason: "it is gone" })),
      components,
    );
    const specimen = rowsOf(
      "syn62",
      "Biospecimen",
      ["HTAN Biospecimen ID", "HTAN Parent ID"],
      ["HTA3_7_1", "HTA3_777"],
    );
    const read = await Promise.all([...sound(), specimen]);
    const analysis = analyseAtlas(ATLAS, NO_FILES, read, components, { lacking });
    expect(briefly(analysis)).toContainEqual(["H_LINKS", "syn62", 2, "HTA3_777"]);
    expect(outcomeOf(analysis, "H_LINKS")).toMatchObject({ status: "found", reason: null });
  });
});

describe("findRecords(manifests, ids)", () => {
  test("finds records of every component of one manifest", async () => {
    const mixed = await manifestOf(
      "syn102",
      null,
      "Component,HTAN Biospecimen ID,HTAN Data File ID",
      "Biospecimen,hta3_1_1,",
      "ScRNA-seqLevel1,,HTA3_1_9",
    );
    expect(
      findRecords(inTableOrder([mixed], components), ["HTA3_1_1", "HTA3_1_9", "HTA3_1_8"]),
    ).toEqual({ HTA3_1_1: "Biospecimen", HTA3_1_9: "ScRNA-seqLevel1" });
  });
});
