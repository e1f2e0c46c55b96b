import { describe, expect, test } from "vitest";

import type { FigureData } from "../../../../src/jobs/htan/charts/figureData.ts";
import type { TimelineEvent } from "../../../../src/jobs/htan/data/analysis.ts";
import {
  atlasFigures,
  eventLabel,
  gridData,
  timelineData,
} from "../../../../src/jobs/htan/pages/figures.ts";
import { GRID_LABELS } from "../../../../src/jobs/htan/pages/gridLabels.ts";
import { sampleAnalysis } from "../../../support/siteSample.ts";

const COMPONENTS = [
  { component: "Demographics", abbreviation: "D" },
  { component: "Biospecimen", abbreviation: "B" },
  { component: "LungCancerTier3", abbreviation: "LUNG_3" },
];

function event(
  participant: string,
  grouping: string,
  start: number,
  finish: number,
  name = "Blood draw",
): TimelineEvent {
  return {
    Event: name,
    Start: start,
    Finish: finish,
    Grouping: grouping,
    Samples: ["1", "2"],
    Location: "NA",
    participant,
  };
}

describe("atlasFigures(analysis, components)", () => {
  const figures = atlasFigures(sampleAnalysis("HTA3"), COMPONENTS);

  test("lists every figure once, the six grids first", () => {
    expect(figures.map(({ id }) => id)).toEqual([
      "clinical_tier1_2",
      "clinical_tier3",
      "single_cell",
      "bulk",
      "image_other",
      "other",
      "timeline",
      "network",
    ]);
  });

  test("calls the grids as the page does", () => {
    expect(figures.slice(0, 6).map(({ title }) => title)).toEqual(
      GRID_LABELS.map(({ title }) => title),
    );
  });

  test("gives data that charts can be drawn from", () => {
    const data: readonly FigureData[] = figures.map((figure) => figure.data);
    expect(data.map(({ kind }) => kind)).toEqual([
      ...Array<string>(6).fill("completeness"),
      "timeline",
      "network",
    ]);
  });

  test("says a grid in words and numbers, with its components' whole names", () => {
    expect(figures[0]?.alt).toBe(
      "12 participants: Demographics 12 of 12 (100%), Exposure 5 of 12 (42%), Diagnosis 5 of 12 (42%), Therapy 8 of 12 (67%); nothing of 5 other components.",
    );
    expect(figures[1]?.alt).toContain("LungCancerTier3 6 of 12 (50%)");
    expect(figures[4]?.alt).toBe("0 biospecimens; none has data of these 7 components.");
  });

  test("says the other figures in words and numbers", () => {
    expect(figures[6]?.alt).toMatch(/^18 events of 11 participants: /);
    expect(figures[7]?.alt).toContain("Demographics to Biospecimen 16");
    expect(figures[7]?.alt).toMatch(
      /\. Broken links, by the component whose records have them: Biospecimen \d+/,
    );
  });

  test("keeps the still timeline to whole participants, and counts all of them", () => {
    const timelineEvents = Array.from({ length: 40 }, (_, index) => [
      event(`P${index}`, `P${index} Therapy`, 0, 30),
      event(`P${index}`, `P${index} Lung`, 0, 1),
      event(`P${index}`, `P${index} `, 0, 1),
    ]).flat();
    const timeline = atlasFigures({ ...sampleAnalysis("HTA3"), timelineEvents }, []).find(
      ({ id }) => id === "timeline",
    );
    expect(timeline?.data).toMatchObject({
      participants: 40,
      rows: { length: 48, 47: { participant: "P15" } },
    });
    expect(timeline?.alt).toBe(
      "120 events of 40 participants: Blood draw 120. The first 16 participants are shown.",
    );
  });
});

describe("gridData(grid, noun, components)", () => {
  test("turns rows with components into components with rows", () => {
    const grid = {
      columns: ["Demographics", "LungCanc..", "Unheard.."],
      counts: { Demographics: 2, "LungCanc..": 1, "Unheard..": 0 },
      rows: 3,
      rowIds: ["a", "b", "c"],
      ones: { a: ["Demographics"], c: ["Demographics", "LungCanc..", "not a column"] },
    };
    expect(gridData(grid, "participant", COMPONENTS)).toEqual({
      kind: "completeness",
      noun: "participant",
      rowIds: ["a", "b", "c"],
      columns: [
        { name: "Demographics", rows: [0, 2] },
        { name: "LungCancerTier3", rows: [2] },
        { name: "Unheard..", rows: [] },
      ],
    });
  });
});

describe("eventLabel(event)", () => {
  test.each([
    [["1", "2", "3"], "Blood draw (3)"],
    [["1"], "Blood draw"],
    ["NA" as const, "Blood draw"],
  ])("names an event with the specimens %j", (Samples, label) => {
    expect(eventLabel({ ...event("P", "P x", 0, 1), Samples })).toBe(label);
  });
});

describe("timelineData(events)", () => {
  test("groups events by participant and row, earliest first, and kinds by how often they occur", () => {
    const events = [
      event("P1", "P1 Therapy", 30, 60, "Radiation"),
      event("P2", "P2 ", 0, 1),
      event("P1", "P1 Therapy", 0, 14, "Radiation"),
      event("P1", "P1 Lung", 0, 1),
      event("P2", "elsewhere", 0, 1, "Resection"),
    ];
    const hover = "specimens 1, 2";
    expect(timelineData(events)).toEqual({
      kind: "timeline",
      participants: 2,
      kinds: [
        { name: "Blood draw", count: 2 },
        { name: "Radiation", count: 2 },
        { name: "Resection", count: 1 },
      ],
      rows: [
        {
          participant: "P1",
          label: "Therapy",
          events: [
            { kind: 1, label: "Radiation (2)", start: 0, finish: 14, hover },
            { kind: 1, label: "Radiation (2)", start: 30, finish: 60, hover },
          ],
        },
        {
          participant: "P1",
          label: "Lung",
          events: [{ kind: 0, label: "Blood draw (2)", start: 0, finish: 1, hover }],
        },
        {
          participant: "P2",
          label: "Site not given",
          events: [{ kind: 0, label: "Blood draw (2)", start: 0, finish: 1, hover }],
        },
        {
          participant: "P2",
          label: "elsewhere",
          events: [{ kind: 2, label: "Resection (2)", start: 0, finish: 1, hover }],
        },
      ],
    });
  });

  test("says nothing about specimens that are not given", () => {
    const [row] = timelineData([
      { ...event("P", "P x", 0, 1), Samples: "NA", Location: "NA" },
    ]).rows;
    expect(row?.events[0]?.hover).toBe("");
  });
});
