import { describe, expect, test } from "vitest";

import { findStrangers, settleStrangers } from "../../../../src/jobs/htan/data/strangers.ts";
import { analysisOf, ASSAY, rowsOf, sound } from "../given.ts";

const joint = () =>
  analysisOf([
    ...sound(),
    rowsOf(
      "syn5",
      "ScRNA-seqLevel1",
      ASSAY,
      ["HTA3_1_10", "HTA5_1_1", "syn9"],
      ["HTA3_1_11", "HTA5_9_9", "syn9"],
      ["HTA3_1_12", "HTA3_7_77", "syn9"],
      ["HTA3_1_13", "HTA204_1_B1, HTA5_EXT1_1", "syn9"],
    ),
  ]);

const links = ({ findings }: Awaited<ReturnType<typeof joint>>) =>
  findings
    .filter(({ rule }) => rule === "H_LINKS")
    .map(({ severity, message }) => [severity, message]);

describe("findStrangers(analysis)", () => {
  test("lists what is named of other atlases, and nothing external or of its own", async () => {
    expect(findStrangers(await joint())).toEqual({
      HTA204: ["HTA204_1_B1"],
      HTA5: ["HTA5_1_1", "HTA5_9_9"],
    });
  });
});

describe("settleStrangers(analysis, elsewhere)", () => {
  test("says whose record a parent is, and that another atlas has no such record either", async () => {
    const found = { HTA5: { HTA5_1_1: "Biospecimen" } };
    const settled = settleStrangers(await joint(), { found, unseen: [] });
    expect(links(settled)).toEqual([
      [
        "warning",
        "Parent HTA5_1_1 of HTA3_1_10 is a record of HTA5 (Biospecimen), another atlas, and not of this one.",
      ],
      [
        "error",
        "Parent HTA5_9_9 of HTA3_1_11 is in no Biospecimen manifest of this atlas, and HTA5 has no such record either.",
      ],
      ["error", "Parent HTA3_7_77 of HTA3_1_12 is in no Biospecimen manifest of this atlas."],
      ["error", "Parent HTA204_1_B1 of HTA3_1_13 is in no Biospecimen manifest of this atlas."],
    ]);
    expect(settled.rules.find(({ rule }) => rule === "H_LINKS")).toMatchObject({
      severity: "error",
      count: 4,
    });
  });

  test("does not claim what it could not look up", async () => {
    const settled = settleStrangers(await joint(), { found: {}, unseen: ["HTA5"] });
    expect(links(settled)[1]).toEqual([
      "warning",
      "Parent HTA5_9_9 of HTA3_1_11 is no record of this atlas; it may be one of HTA5, which this run could not look at.",
    ]);
  });

  test("changes no field, so that a run of one atlas alone makes no finding new", async () => {
    const draft = await joint();
    const found = { HTA5: { HTA5_1_1: "Biospecimen" } };
    const fields = (of: typeof draft) =>
      of.findings.map((finding) => [finding.rule, finding.fields]);
    expect(fields(settleStrangers(draft, { found, unseen: [] }))).toEqual(fields(draft));
  });
});
