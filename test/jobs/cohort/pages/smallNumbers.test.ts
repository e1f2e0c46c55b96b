// A number of people that is too small to be told must not follow from anything that is published: pages, JSON, CSV and drawings of two studies
// that differ in nothing but what is hidden are the same, byte for byte, today and the day after.

import { describe, expect, test } from "vitest";

import type { BuiltState } from "../../../../src/jobs/cohort/data/current.ts";
import type { StudyFacts } from "../../../../src/jobs/cohort/data/study.ts";
import { comparedDataset, compareResult } from "../support/compareSample.ts";
import { check, studyFiles } from "../support/studyPages.ts";
import { type SampleExport, studyFacts } from "../support/studySample.ts";

/** What nobody may find out: of how many people of the second cohort there is data of a type, and with how many lines. */
interface Hidden {
  readonly people: number;
  readonly lines: readonly [first: number, second: number];
  readonly aside: number;
  readonly unexpected: number;
}

const ONE: Hidden = { people: 1, lines: [1, 1], aside: 1, unexpected: 1 };
const FOUR: Hidden = { people: 4, lines: [19, 8], aside: 3, unexpected: 7 };

function exportsOf(type: string, hidden: Hidden): readonly SampleExport[] {
  const [first, second] = hidden.lines;
  const others = [
    { type: "FitbitSleepLogs", lines: 40 },
    { type: "HealthKitV2Samples", lines: 90, aside: 2 },
  ];
  const adults = [...others, { type, lines: 30 }];
  const sent = (day: string, lines: number): readonly SampleExport[] => [
    { cohort: "adults_v1", day, members: adults },
    {
      ...{ cohort: "pediatric_v1", day },
      members: [...others, { type, lines, aside: hidden.aside, manifest: lines + hidden.people }],
      findings: [
        {
          ...{ code: "manifest_mismatch", member: type },
          ...{ manifest: lines + hidden.people, read: lines },
        },
      ],
    },
  ];
  return [
    ...sent("2026-01-11", first + hidden.aside),
    ...sent("2026-01-12", second + hidden.aside),
  ];
}

function facts(type: string, hidden: Hidden, before: StudyFacts | null = null): StudyFacts {
  const rows = 60 + hidden.lines[0] + hidden.lines[1];
  const people = { adults_v1: 20, pediatric_v1: hidden.people };
  return studyFacts({
    today: "2026-01-12",
    exports: exportsOf(type, hidden),
    datasets: [
      { type: "FitbitSleepLogs", rows: 160, people: { adults_v1: 20, pediatric_v1: 20 } },
      { type: "HealthKitV2Samples", rows: 352, people: { adults_v1: 20, pediatric_v1: 20 } },
      { type, rows, people },
    ],
    checks: [
      check({
        ...{ type, dataset: `dataset_${type.toLowerCase()}`, outcome: "failed", rows },
        ...{ missing: hidden.people, unexpected: hidden.unexpected },
      }),
    ],
    before,
  });
}

async function difference(
  one: ReadonlyMap<string, string>,
  other: ReadonlyMap<string, string>,
): Promise<readonly string[]> {
  expect([...one.keys()]).toEqual([...other.keys()]);
  expect(one.size).toBeGreaterThan(20);
  return [...one].flatMap(([path, text]) => (text === other.get(path) ? [] : [path]));
}

const trendsOf = ({ unexpected }: Hidden) => ({
  "devices-value": [
    { at: "2026-01-11T06:00:00Z", value: 0 },
    { at: "2026-01-12T06:00:00Z", value: unexpected },
  ],
});

describe("numbers of few people", () => {
  test.each(["FitbitDevices", "EnrolledParticipants"])(
    "of %s follow from nothing that is published",
    async (type) => {
      const one = await studyFiles(facts(type, ONE), trendsOf(ONE));
      const four = await studyFiles(facts(type, FOUR), trendsOf(FOUR));
      expect(await difference(one, four)).toEqual([]);
    },
    60_000,
  );

  test("follow from what differs where they are not hidden: the comparison can fail", async () => {
    const told = { ...ONE, people: 5 };
    const one = await studyFiles(facts("FitbitDevices", told));
    const four = await studyFiles(facts("FitbitDevices", { ...FOUR, people: 5 }));
    expect(await difference(one, four)).toEqual(
      expect.arrayContaining([
        "index.html",
        "exports.html",
        "data/members.csv",
        "data/FitbitDevices.json",
      ]),
    );
  });

  test("of a type whose records are people do not follow from its records, however many", async () => {
    const one = await studyFiles(facts("EnrolledParticipants", { ...ONE, people: 30 }));
    const four = await studyFiles(facts("EnrolledParticipants", { ...FOUR, people: 30 }));
    expect(await difference(one, four)).toEqual([]);
    expect(one.get("index.html")).toContain(">30<");
  });

  test("are written as fewer than the least, and nobody as nobody", async () => {
    const files = await studyFiles(facts("FitbitDevices", FOUR));
    expect(files.get("index.html")).toContain("&lt;5");
    expect(JSON.parse(files.get("data/FitbitDevices.json") ?? "")).toMatchObject({
      withheld: "few",
      rows: null,
      days: {},
      counts: {},
      people: [
        { cohort: "adults_v1", count: 20 },
        { cohort: "pediatric_v1", count: null },
      ],
    });
    const all = facts("FitbitDevices", FOUR);
    const nobody = studyFacts({
      ...{ today: "2026-01-12", checks: all.checks },
      exports: exportsOf("FitbitDevices", FOUR).filter(({ cohort }) => cohort === "adults_v1"),
      datasets: [{ type: "FitbitDevices", rows: 60, people: { adults_v1: 20 } }],
    });
    expect(
      JSON.parse((await studyFiles(nobody)).get("data/FitbitDevices.json") ?? ""),
    ).toMatchObject({ withheld: null, rows: 60 });
  });

  test.each<[string, Hidden]>([
    ["has not been built yet, or has lost all its records to deletions", { ...ONE, people: 0 }],
    ["was built before the few came", { ...ONE, people: 0, aside: 0 }],
  ])("are withheld where what a cohort has sent %s", async (_what, hidden) => {
    const one = await studyFiles(facts("FitbitDevices", hidden));
    const other = await studyFiles(facts("FitbitDevices", { ...hidden, lines: [5, 9] }));
    expect(await difference(one, other)).toEqual([]);
    expect(JSON.parse(one.get("data/FitbitDevices.json") ?? "")).toMatchObject({
      withheld: "unknown",
    });
  });

  test("do not follow from the change since the day before", async () => {
    const now = { ...FOUR, people: 6, lines: [30, 30] as const };
    const one = await studyFiles(facts("FitbitDevices", now, facts("FitbitDevices", ONE)));
    const four = await studyFiles(facts("FitbitDevices", now, facts("FitbitDevices", FOUR)));
    expect(await difference(one, four)).toEqual([]);
  });

  test("do not follow from a comparison, on whichever side they are few", async () => {
    const told = facts("FitbitDevices", { ...ONE, people: 9 });
    const compared = (rows: number) =>
      compareResult(
        [
          comparedDataset("FitbitSleepLogs", { onlyMain: 3 }),
          comparedDataset("FitbitDevices", { inCommon: 50 + rows, onlyMain: rows, unequal: rows }),
        ],
        ["FitbitDevices"],
      );
    const one = await studyFiles(told, {}, compared(2));
    const other = await studyFiles(told, {}, compared(9));
    expect(await difference(one, other)).toEqual([]);
    expect(one.get("compare.html")).toContain("withheld");
  });

  test("are withheld where nobody could count them", async () => {
    const all = facts("FitbitDevices", FOUR);
    const profiles = new Map(
      [...all.profiles].filter(([name]) => name !== "dataset_fitbitdevices"),
    );
    const { current } = all;
    if (current === null) throw new Error("nothing was built");
    const { people: _people, ...devices } = current.types["FitbitDevices"] as BuiltState;
    const types = { ...current.types, FitbitDevices: devices };
    const files = await studyFiles({ ...all, profiles, current: { ...current, types } });
    expect(JSON.parse(files.get("data/FitbitDevices.json") ?? "")).toMatchObject({
      ...{ withheld: "unknown", rows: null, people: [] },
    });
  });
});
