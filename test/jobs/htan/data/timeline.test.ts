import { describe, expect, test } from "vitest";

import { analysisOf, rowsOf } from "../given.ts";

const THERAPY = [
  "HTAN Participant ID",
  "Treatment Type",
  "Days to Treatment Start",
  "Days to Treatment End",
];
const SPECIMEN = [
  "HTAN Biospecimen ID",
  "HTAN Parent ID",
  "Collection Days from Index",
  "Acquisition Method Type",
  "Site of Resection or Biopsy",
  "Site Data Source",
];

async function eventsOf(...manifests: Parameters<typeof analysisOf>[0][number][]) {
  return (await analysisOf(manifests)).timelineEvents;
}

/** What tells events apart, in short. */
function brief(events: Awaited<ReturnType<typeof eventsOf>>) {
  return events.map(({ Grouping, Event, Start, Finish }) => [Grouping, Event, Start, Finish]);
}

describe("makeTimelines(manifests)", () => {
  test("counts therapies from the first that has a day, even if that one is left out", async () => {
    const events = await eventsOf(
      rowsOf(
        "syn5",
        "Therapy",
        THERAPY,
        ["HTA3_2", "Surgery", "120", "120"],
        ["HTA3_2", "", "100", ""],
        ["HTA3_2", "Radiation Therapy NOS", "", "90"],
        ["HTA3_2", "Chemotherapy", "105.5", "130"],
        ["HTA3_1", "Not Reported", "1", "2"],
        ["HTA3_1", "Not Reported,", "1", "2"],
        ["HTA3_1", "Chemotherapy", "Not Reported", "2"],
        ["HTA3_1", "Chemotherapy", "3", "x"],
        ["", "Chemotherapy", "3", "4"],
      ),
    );
    const common = {
      Grouping: "HTA3_2 Therapy",
      Samples: "NA",
      Location: "NA",
      participant: "HTA3_2",
    };
    expect(events).toEqual([
      { ...common, Event: "Chemotherapy", Start: 5, Finish: 30 },
      { ...common, Event: "Surgery", Start: 20, Finish: 21 },
    ]);
  });

  test("reads older therapies, and joins those of several manifests in one row", async () => {
    const events = await eventsOf(
      rowsOf(
        "syn5",
        "Therapy",
        THERAPY.map((name, index) => (index === 0 ? name : `${name} 1`)),
        ["HTA3_1", "Chemotherapy", "10", "20"],
      ),
      rowsOf("syn6", "Therapy", THERAPY, ["HTA3_1", "Radiation Therapy NOS", "-5", "+7"]),
    );
    expect(brief(events)).toEqual([
      ["HTA3_1 Therapy", "Radiation Therapy NOS", 0, 12],
      ["HTA3_1 Therapy", "Chemotherapy", 15, 25],
    ]);
  });

  test("shows specimens taken from a participant by site, with their numbers and without what a centre calls their source", async () => {
    const events = await eventsOf(
      rowsOf(
        "syn5",
        "Biospecimen",
        SPECIMEN,
        ["HTA3_1_4", "HTA3_1", "30", "Biopsy", "Colon NOS", "BU"],
        ["HTA3_1_1", "HTA3_1", "10", "Blood draw", "Not Reported", ""],
        ["HTA3_1_2", "HTA3_1_1", "5", "Blood draw", "Not Reported", "BU"],
        ["HTA3_1_3", "HTA3_1", "20", "Not Reported", "Colon NOS", "BU"],
        ["HTA3_1_5", "HTA3_1", "Not Reported", "Biopsy", "Colon NOS", "BU"],
        ["HTA3_1_6", "HTA3_1", "10", "Biopsy", "", "NA"],
        ["HTA3_1_7", "", "10", "Biopsy", "", ""],
        ["HTA3_2_1", "HTA3_EXT7", "1e3", "Biopsy", "", ""],
        ["HTA204_0000_5_B2", "HTA3_EXT7", "2", "Biopsy", "", ""],
        ["HTA3-odd", "HTA3_EXT7", "3", "Biopsy", "", "Not Reported"],
      ),
    );
    expect(events.map((event): unknown[] => Object.values(event))).toEqual([
      ["Blood draw", 0, 1, "HTA3_1 ", ["1"], "NA", "HTA3_1"],
      ["Biopsy", 0, 1, "HTA3_1 ", ["6"], "NA", "HTA3_1"],
      ["Biopsy", 10, 11, "HTA3_1 Colon NOS", ["4"], "NA", "HTA3_1"],
      ["Biopsy", 0, 1, "HTA3_EXT7 ", ["B2"], "NA", "HTA3_EXT7"],
      ["Biopsy", 1, 2, "HTA3_EXT7 ", ["HTA3-odd"], "NA", "HTA3_EXT7"],
    ]);
  });

  test("makes one event of specimens that share participant, day, method, source and site", async () => {
    const row = ["HTA3_1", "30", "Biopsy", "Colon NOS", "BU"];
    const changed = (index: number, value: string) =>
      row.map((cell, at) => (at === index ? value : cell));
    const events = await eventsOf(
      rowsOf(
        "syn5",
        "Biospecimen",
        SPECIMEN,
        ["HTA3_1_1", ...row],
        ["HTA3_1_2", ...changed(0, "HTA3_2")],
        ["HTA3_1_3", ...changed(1, "31")],
        ["HTA3_1_4", ...changed(2, "Blood draw")],
        ["HTA3_1_5", ...changed(3, "Breast NOS")],
        ["HTA3_1_6", ...changed(4, "UCLA")],
        ["HTA3_1_7", ...changed(1, "30.0")],
      ),
      rowsOf("syn6", "SRRSBiospecimen", SPECIMEN, ["HTA3_1_8", ...row]),
    );
    expect(events.map(({ Samples }) => Samples)).toEqual([
      ["5"],
      ["1", "7", "8"],
      ["4"],
      ["6"],
      ["3"],
      ["2"],
    ]);
  });

  test("does without the columns of days and labels", async () => {
    const events = await eventsOf(
      rowsOf("syn5", "Therapy", THERAPY.slice(0, 1), ["HTA3_1"]),
      rowsOf("syn6", "Biospecimen", SPECIMEN.slice(0, 2), ["HTA3_1_1", "HTA3_1"]),
      rowsOf("syn7", "Biospecimen", SPECIMEN.slice(0, 1), ["HTA3_1_1"]),
    );
    expect(events).toEqual([]);
  });
});

describe("makeTimelines(manifests) of what is not known", () => {
  test("makes no row of nobody, and names no event or site by a word for nothing", async () => {
    const nobody = [
      "Not Reported",
      "unknown",
      "Unknown",
      "not applicable",
      "Not Allowed To Collect",
    ];
    const specimens = nobody.map((parent, at) => [
      `HTA3_1_${at}`,
      parent,
      "1",
      "Biopsy",
      "Lung",
      "own",
    ]);
    const treatments = nobody.map((participant) => [participant, "Surgery", "1", "2"]);
    const events = await eventsOf(
      rowsOf(
        "syn4",
        "Biospecimen",
        SPECIMEN,
        ...specimens,
        ["HTA3_1_9", "HTA3_1", "5", "Biopsy", "unknown", "own"],
        ["HTA3_1_8", "HTA3_1", "5", "Unknown", "Lung", "own"],
      ),
      rowsOf("syn5", "Therapy", THERAPY, ...treatments, ["HTA3_1", "unknown", "1", "2"]),
    );
    expect(brief(events)).toEqual([["HTA3_1 ", "Biopsy", 0, 1]]);
  });
});

describe("makeTimelines(manifests) of words that the data model does not permit", () => {
  test("shows permitted values alone, as the model spells them, each part of a list for itself", async () => {
    const events = await eventsOf(
      rowsOf(
        "syn5",
        "Therapy",
        THERAPY,
        ["HTA3_1", "chemotherapy", "0", "1"],
        ["HTA3_1", "Surgery, Jane Example; Steroid therapy", "1", "2"],
        ["HTA3_1", "seen by Dr Example", "2", "3"],
      ),
      rowsOf("syn6", "Biospecimen", SPECIMEN, [
        ...["HTA3_1_1", "HTA3_1", "30", "biopsy by Example", "Lung, NOS", "Example clinic"],
      ]),
      rowsOf("syn7", "Biospecimen", SPECIMEN, [
        ...["HTA3_1_2", "HTA3_1", "30", "Biopsy", "left lobe of J. Example", ""],
      ]),
    );
    const other = "other (not in the data model)";
    expect(brief(events)).toEqual([
      ["HTA3_1 Lung NOS", other, 0, 1],
      ["HTA3_1 Therapy", "Chemotherapy", 0, 1],
      ["HTA3_1 Therapy", `Surgery, ${other}, Steroid Therapy`, 1, 2],
      ["HTA3_1 Therapy", other, 2, 3],
      [`HTA3_1 ${other}`, "Biopsy", 0, 1],
    ]);
    expect(JSON.stringify(events)).not.toMatch(/example/i);
  });
});

describe("checkDays(manifests)", () => {
  test("finds treatments that end before they start, and timelines leave them out", async () => {
    const analysis = await analysisOf([
      rowsOf(
        "syn5",
        "Therapy",
        THERAPY,
        ["HTA3_1", "Surgery", "20", "20"],
        ["HTA3_1", "Radiation Therapy NOS", "30", "12"],
        ["HTA3_1", "Chemotherapy", "40", "unknown"],
      ),
    ]);
    expect(brief(analysis.timelineEvents)).toEqual([["HTA3_1 Therapy", "Surgery", 0, 1]]);
    expect(analysis.findings.filter(({ rule }) => rule === "M_DAYS")).toEqual([
      {
        ...{ rule: "M_DAYS", severity: "warning", subject: "syn5", row: 3 },
        message: "A treatment of HTA3_1 ends 18 days before it starts; it is in no timeline.",
        fields: {
          ...{ manifest: "syn5", component: "Therapy", column: "Days to Treatment End" },
          record: "HTA3_1",
        },
      },
    ]);
  });
});
