import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { readComponents } from "../../../../src/jobs/htan/data/components.ts";
import { compareModel, draftEntry, readModel } from "../../../../src/jobs/htan/data/model.ts";
import { components } from "../fixtureWorld.ts";

const MODEL = readFileSync(
  join(import.meta.dirname, "../../../fixtures/htan-model/model.csv"),
  "utf8",
);
const { templates } = readModel(MODEL);
const byName = new Map(templates.map((template) => [template.component, template]));

describe("readModel(text)", () => {
  test("reads the templates, and takes nothing else for one", () => {
    expect([...byName.keys()]).toEqual([
      "Demographics",
      "NeuroblastomaandGliomaTier3",
      "Biospecimen",
      "ScRNA-seqLevel1",
      "10xVisiumSpatialTranscriptomics-RNA-seqLevel2",
      "MicroarrayLevel2",
      "ImagingLevel3Channels",
      "ImagingLevel4",
      "HTANRPPAAntibodyTable",
      "NanoStringGeoMxDSPROIDCCSegmentAnnotationMetadata",
      "PublicationManifest",
    ]);
  });

  test("tells a record's own id from those of its parents, and from whose it is", () => {
    expect(byName.get("MicroarrayLevel2")).toEqual({
      component: "MicroarrayLevel2",
      primaryIdColumn: "HTAN Data File ID",
      parentIdColumns: ["HTAN Parent Biospecimen ID", "HTAN Parent Data File ID"],
      adjacentIdColumn: null,
    });
    expect(byName.get("Biospecimen")).toEqual({
      component: "Biospecimen",
      primaryIdColumn: "HTAN Biospecimen ID",
      parentIdColumns: ["HTAN Parent ID"],
      adjacentIdColumn: "Adjacent Biospecimen IDs",
    });
  });

  test.each([
    ["a,b\n1,2\n", "this is no data model: it has no columns Attribute and DependsOn"],
    ['Attribute,DependsOn\n"x,y\n', "this is no data model: a quote in line 2 is not closed"],
  ])("refuses %j", (text, message) => {
    expect(() => readModel(text)).toThrow(expect.objectContaining({ kind: "config", message }));
  });
});

describe("compareModel(templates, components)", () => {
  test("finds that the table that comes with hdash lacks nothing", () => {
    const { lacking, differing, gone } = compareModel(templates, components);
    expect([lacking, differing]).toEqual([[], []]);
    expect(gone).toContain("RPPALevel1");
    expect(gone).not.toContain("Demographics");
  });

  test("says what a table lacks, and drafts its entries", () => {
    const older = readComponents(
      ["Demographics", "Biospecimen"].map((component) => ({
        ...{ component, kind: "clinical", group: "g", abbreviation: component },
        ...{ primaryIdColumn: "HTAN Participant ID", parentIdColumn: null, adjacentIdColumn: null },
      })),
    );
    const { lacking, differing } = compareModel(templates, older);
    expect(lacking.map(({ component }) => component)).toHaveLength(9);
    expect(differing).toEqual([
      {
        component: "Biospecimen",
        what:
          "own id is HTAN Biospecimen ID, not HTAN Participant ID; parents are in HTAN Parent ID, not none; " +
          "adjacent ids are in Adjacent Biospecimen IDs, not none",
      },
    ]);
    const draft = lacking.find(({ component }) => component === "ImagingLevel4");
    expect(draft === undefined ? null : JSON.parse(draftEntry(draft))).toEqual({
      ...{ component: "ImagingLevel4", kind: "assay", group: "?", abbreviation: "?" },
      primaryIdColumn: "HTAN Data File ID",
      parentIdColumn: ["HTAN Parent Data File ID", "HTAN Parent Channel Metadata ID"],
      ...{ adjacentIdColumn: null, rare: true },
    });
  });
});
