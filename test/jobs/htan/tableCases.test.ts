import { describe, expect, test } from "vitest";

import type { AtlasAnalysis } from "../../../src/jobs/htan/data/analysis.ts";
import { analyseOnly } from "./caseWorld.ts";

/** Findings as rule, severity, subject and row. */
function briefly({ findings }: AtlasAnalysis): readonly string[] {
  return findings.map(
    ({ rule, severity, subject, row }) => `${rule} ${severity} ${subject} ${row}`,
  );
}

/** What the worlds have without their trouble. */
function expectUntroubled(analysis: AtlasAnalysis): void {
  const records = Object.values(analysis.manifests).map((manifest) => manifest.records);
  expect({
    records: records.reduce((sum, one) => sum + one, 0),
    fields: analysis.fields,
    filledFields: analysis.filledFields,
    singleCell: analysis.grids.single_cell.counts["ScRNA-seqLevel1"],
    demographics: analysis.grids.clinical_tier1_2.counts["Demographics"],
    sif: analysis.sif,
  }).toEqual({
    records: 9,
    fields: 39,
    filledFields: 36,
    singleCell: 3,
    demographics: 3,
    sif: [
      "B_HTA3_1_1\tconnect\tSC1_HTA3_1_101",
      "B_HTA3_2_1\tconnect\tSC1_HTA3_2_102",
      "B_HTA3_3_1\tconnect\tSC1_HTA3_3_103",
      "D_HTA3_1\tconnect\tB_HTA3_1_1",
      "D_HTA3_2\tconnect\tB_HTA3_2_1",
      "D_HTA3_3\tconnect\tB_HTA3_3_1",
    ],
  });
}

describe("analyseAtlas(atlas, files, manifests, components), of tables as people make them", () => {
  test("counts no rows of nothing but commas", async () => {
    const analysis = await analyseOnly("excel-blank-rows");
    expectUntroubled(analysis);
    expect(analysis.manifests["syn70000102"]?.records).toBe(3);
    expect(analysis.manifests["syn70000109"]?.records).toBe(3);
    expect(analysis.findings).toEqual([]);
  });

  test("counts no columns without a name and a value", async () => {
    const analysis = await analyseOnly("excel-blank-columns");
    expectUntroubled(analysis);
    expect(analysis.findings).toEqual([]);
  });

  test("reads semicolons between cells, and says so", async () => {
    const analysis = await analyseOnly("semicolons");
    expectUntroubled(analysis);
    expect(briefly(analysis)).toEqual(["M_SEPARATOR warning syn70000102 null"]);
    expect(analysis.findings[0]?.message).toContain("semicolons");
  });

  test("knows column names with blanks around them, and says so once", async () => {
    const analysis = await analyseOnly("header-spaces");
    expectUntroubled(analysis);
    expect(briefly(analysis)).toEqual(["M_SPELLING warning syn70000102 null"]);
    expect(analysis.findings[0]?.message).toContain(
      "the columns “HTAN Participant ID ” (read as HTAN Participant ID) and 1 more",
    );
  });

  test("takes column names in the midst of records for no record, and names their row", async () => {
    const analysis = await analyseOnly("header-repeated");
    expect(analysis.manifests["syn70000102"]?.records).toBe(5);
    expect([analysis.fields, analysis.filledFields]).toEqual([55, 50]);
    expect(analysis.grids.clinical_tier1_2.counts["Demographics"]).toBe(5);
    expect(analysis.grids.clinical_tier1_2.rowIds).toEqual(
      [1, 2, 3, 4, 5].map((participant) => `HTA3_${participant}`),
    );
    expect(briefly(analysis)).toEqual(["M_REPEATED_HEADER warning syn70000102 5"]);
    expect(analysis.findings[0]?.message).toContain("in row 5");
  });

  test("finds a manifest that has column names and no record", async () => {
    const analysis = await analyseOnly("header-only");
    expect(briefly(analysis)).toEqual(["M_EMPTY error syn70000104 null"]);
  });

  test("reads parents on several lines, however many", async () => {
    const analysis = await analyseOnly("parents-on-lines");
    expect(analysis.findings).toEqual([]);
    expect([analysis.filledFields, analysis.fields]).toEqual([31, 34]);
    expect(analysis.grids.single_cell.counts["ScRNA-seqLevel1"]).toBe(3);
    expect(analysis.sif.filter((line) => line.endsWith("SC1_HTA3_0000_201"))).toEqual(
      [1, 2, 3].map((participant) => `B_HTA3_${participant}_1\tconnect\tSC1_HTA3_0000_201`),
    );
  });

  test("believes the annotation of a manifest, and finds each component that was dragged down", async () => {
    const analysis = await analyseOnly("component-dragged");
    expectUntroubled(analysis);
    expect(briefly(analysis)).toEqual(["M_COMPONENT_DIFFERS warning syn70000109 3"]);
    const [finding] = analysis.findings;
    expect(finding?.fields["value"]).toBe("ScRNA-seqLevel2");
    expect(finding?.message).toContain("ScRNA-seqLevel2 (row 3), ScRNA-seqLevel3 (row 4)");
  });

  test("names the manifest that was passed over for a newer one where it is missed", async () => {
    const analysis = await analyseOnly("two-components-one-folder");
    expect(briefly(analysis)).toEqual([
      "H_DEM error syn70000001 null",
      ...[2, 3, 4].map((row) => `H_LINKS error syn70000105 ${row}`),
    ]);
    const note =
      " Passed over for a newer manifest in the same folder: syn70000102 (clinical/synapse_storage_manifest_demographics.csv) for syn70000103.";
    expect(analysis.findings.map(({ message }) => message)).toEqual([
      `HTA3 has no Demographics manifest.${note}`,
      ...[1, 2, 3].map(
        (participant) =>
          `Parent HTA3_${participant} of HTA3_${participant}_1 is in no Demographics manifest of this atlas.${note}`,
      ),
    ]);
  });

  test("knows an annotation with a blank behind it, and says so", async () => {
    const analysis = await analyseOnly("annotation-trailing-space");
    expectUntroubled(analysis);
    expect(briefly(analysis)).toEqual(["M_SPELLING warning syn70000109 null"]);
    expect(analysis.findings[0]?.message).toContain("the annotation “ScRNA-seqLevel1 ”");
  });

  test("links records whose own ids have blanks behind them, and says so", async () => {
    const analysis = await analyseOnly("specimen-trailing-space");
    expectUntroubled(analysis);
    expect(briefly(analysis)).toEqual(["M_SPELLING warning syn70000104 2"]);
    expect(analysis.findings[0]?.message).toContain("3 cells, the first in row 2 of HTAN Biosp");
  });

  test("takes Not Applicable in any case for the specimen beside it", async () => {
    const analysis = await analyseOnly("not-applicable-spellings");
    expect(analysis.findings).toEqual([]);
    expect(analysis.grids.bulk.counts["BulkRNA-seqLevel2"]).toBe(3);
    expect(analysis.sif).toEqual(
      expect.arrayContaining([
        "B_HTA3_2_1\tconnect\tRNA2_HTA3_2_601",
        "B_HTA3_3_1\tconnect\tRNA2_HTA3_3_602",
      ]),
    );
  });
});
