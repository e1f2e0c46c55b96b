import { describe, expect, test } from "vitest";

import { analyseAtlas } from "../../../../src/jobs/htan/data/analyse.ts";
import { listFiles } from "../../../../src/jobs/htan/data/files.ts";
import { components } from "../fixtureWorld.ts";
import {
  analysisOf,
  ATLAS,
  manifestOf,
  NO_FILES,
  rowsOf,
  sound,
  viewOf,
  viewRow,
} from "../given.ts";

describe("analyseAtlas(atlas, files, manifests, components)", () => {
  test("takes an atlas without anything: no fields are 0 %, not an error", async () => {
    const analysis = await analysisOf([]);
    expect(analysis).toMatchObject({
      atlasId: "HTA3",
      percentMetadataComplete: 0,
      fields: 0,
      filledFields: 0,
      manifests: {},
      sif: [],
      timelineEvents: [],
    });
    expect(Object.values(analysis.grids).map(({ rows, ones }) => [rows, ones])).toEqual(
      Array.from({ length: 6 }, () => [0, {}]),
    );
  });

  test("lists the eight rules in their order with how each came out", async () => {
    const analysis = await analysisOf(sound());
    expect(
      analysis.rules.map(({ rule, status, reason, count }) => [rule, status, reason, count]),
    ).toEqual(
      [
        "H_CATEGORIES",
        "H_DEM",
        "H_NON_DEM",
        "H_BIOSPEC",
        "H_ID_SPEC",
        "H_LINKS",
        "H_ENTITY_ID",
        "H_FILE_NAMES",
      ].map((rule) => [rule, "passed", null, 0]),
    );
    expect(analysis.findings).toEqual([]);
  });

  test("adds rules about manifests and view as files only where they found something, and findings by rule", async () => {
    const files = listFiles(
      ATLAS,
      await viewOf([viewRow(4, "a b.txt", 1), "x,y,file,syn1,syn1,,,,"]),
    );
    const manifests = [
      ...(await Promise.all(sound())),
      await manifestOf("syn300", null, "HTAN Participant ID", "HTA3_1"),
      await manifestOf("syn200", "Exposure"),
    ];
    const analysis = analyseAtlas(ATLAS, files, manifests, components);
    const found = analysis.rules.filter(({ status }) => status === "found");
    expect(found.map(({ rule, severity, count }) => [rule, severity, count])).toEqual([
      ["H_FILE_NAMES", "warning", 1],
      ["M_EMPTY", "error", 1],
      ["M_NO_COMPONENT", "error", 1],
      ["M_VIEW_ROW", "warning", 1],
    ]);
    expect(analysis.findings.map(({ rule, subject }) => [rule, subject])).toEqual([
      ["H_FILE_NAMES", "syn4"],
      ["M_EMPTY", "syn200"],
      ["M_NO_COMPONENT", "syn300"],
      ["M_VIEW_ROW", "syn1"],
    ]);
  });

  test("summarises manifests in the order of component and id, and adds up their fields", async () => {
    const analysis = await analysisOf([
      rowsOf("syn20", "Exposure", ["HTAN Participant ID", "A", "B"], ["HTA3_1", "x", "NA"]),
      rowsOf("syn3", "Exposure", ["HTAN Participant ID", "A"], ["HTA3_1", "x"], ["HTA3_2", "y"]),
      rowsOf("syn100", "Demographics", ["HTAN Participant ID"]),
    ]);
    expect(Object.entries(analysis.manifests)).toEqual([
      ["syn100", summary("Demographics", "demographics", 0, 0, 0, 0)],
      ["syn3", summary("Exposure", "exposure", 2, 2, 2, 1)],
      ["syn20", summary("Exposure", "exposure", 1, 2, 1, 0.5)],
    ]);
    expect(analysis).toMatchObject({ fields: 4, filledFields: 3, percentMetadataComplete: 0.75 });
  });

  test("takes nothing for an id that is none, and loses no record by it", async () => {
    const analysis = analyseAtlas(
      ATLAS,
      NO_FILES,
      [
        await rowsOf(
          "syn1",
          "Demographics",
          ["HTAN Participant ID"],
          ["__proto__"],
          ["constructor"],
        ),
      ],
      components,
    );
    expect(analysis.grids.clinical_tier1_2.ones).toEqual({});
    expect(analysis.manifests["syn1"]).toMatchObject({ records: 2 });
    expect(
      analysis.findings.filter(({ rule }) => rule === "H_ID_SPEC").map(({ row }) => row),
    ).toEqual([2, 3]);
  });
});

function summary(
  component: string,
  name: string,
  records: number,
  fields: number,
  filledFields: number,
  percentComplete: number,
): object {
  return {
    component,
    name: `synapse_storage_manifest_${name}.csv`,
    path: "folder",
    modifiedAt: null,
    records,
    fields,
    filledFields,
    percentComplete,
  };
}
