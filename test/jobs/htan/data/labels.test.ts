import { describe, expect, test } from "vitest";

import { makeLabels, OTHER_LABEL, readLabels } from "../../../../src/jobs/htan/data/labels.ts";
import { compareLabels, readModel } from "../../../../src/jobs/htan/data/model.ts";
import { labels } from "../fixtureWorld.ts";

describe("labels.read(column, text)", () => {
  test.each([
    ["Surgery", "Surgery"],
    [" chemotherapy ", "Chemotherapy"],
    ["Radiation, Proton Beam", "Radiation Proton Beam"],
    ["Surgery; Chemotherapy,Surgery", "Surgery, Chemotherapy"],
    ["Surgery, by Example", `Surgery, ${OTHER_LABEL}`],
    ["__proto__", OTHER_LABEL],
    ["Not Reported", "Not Reported"],
    ["", ""],
    [",", ""],
  ])("reads the treatment %j as %j", (text, label) => {
    expect(labels.read("Treatment Type", text)).toBe(label);
  });

  test("permits nothing where nothing is listed", () => {
    expect(makeLabels({}).read("Treatment Type", "Surgery")).toBe(OTHER_LABEL);
  });
});

describe("readLabels(json)", () => {
  test.each([
    [null, "Treatment Type"],
    [[], "Treatment Type"],
    [{ "Treatment Type": ["a"] }, "Acquisition Method Type"],
    [{ "Treatment Type": ["a", 1] }, "Treatment Type"],
  ])("refuses %j", (json, column) => {
    expect(() => readLabels(json)).toThrow(
      expect.objectContaining({
        kind: "config",
        message: `the list of labels has no list of texts for ${column}`,
      }),
    );
  });
});

describe("compareLabels(model, labels)", () => {
  test("lists what a model permits and the labels lack, and columns that it has no values of", () => {
    const model = readModel(
      'Attribute,Valid Values,DependsOn\nTreatment Type,"Surgery, Telepathy",\nSite of Resection or Biopsy,Breast NOS,\n',
    );
    expect(compareLabels(model, labels)).toEqual([
      { column: "Treatment Type", lacking: ["Telepathy"] },
      { column: "Acquisition Method Type", lacking: null },
    ]);
  });
});
