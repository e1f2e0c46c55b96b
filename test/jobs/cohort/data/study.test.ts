import { describe, expect, test } from "vitest";

import { auditCatalog } from "../../../../src/jobs/cohort/data/proof.ts";
import { tellStudy } from "../../../../src/jobs/cohort/data/study.ts";
import { daysText, studyProblems } from "../../../../src/jobs/cohort/data/studyProblems.ts";
import { freshOf, verdictOf } from "../../../../src/jobs/cohort/pages/overviewPage.ts";
import { check } from "../support/studyPages.ts";
import {
  type SampleExport,
  type SampleMember,
  type SampleOptions,
  studyFacts,
} from "../support/studySample.ts";

const MANY = { adults_v1: 20, pediatric_v1: 20 };
const sleep = (lines: number, more: Partial<SampleMember> = {}): SampleMember => ({
  ...{ type: "FitbitSleepLogs", lines },
  ...more,
});
const sent = (cohort: string, day: string, ...members: SampleMember[]): SampleExport => ({
  ...{ cohort, day, members },
});

/** Both cohorts, whole, on three days. */
const WHOLE: readonly SampleExport[] = ["2026-01-11", "2026-01-12", "2026-01-13"].flatMap((day) => [
  sent("adults_v1", day, sleep(10)),
  sent("pediatric_v1", day, sleep(20)),
]);

function tell(options: Partial<SampleOptions> = {}) {
  const given: SampleOptions = {
    today: "2026-01-13",
    exports: WHOLE,
    datasets: [{ type: "FitbitSleepLogs", rows: 90, people: MANY }],
    ...options,
  };
  const study = tellStudy(studyFacts(given));
  const problems = studyProblems(study);
  return { study, problems, verdict: verdictOf(study, problems), news: freshOf(study) };
}

describe("the verdict on the newest day", () => {
  test("is good where every cohort has sent everything", () => {
    const { verdict, problems } = tell();
    expect(problems).toEqual([]);
    expect(verdict).toEqual({
      tone: "good",
      text: "The data of 13 Jan 2026 is whole.",
      lead: "2 exports of adults_v1 and pediatric_v1, 30 records.",
    });
  });

  test.each<[string, Partial<SampleOptions>, RegExp]>([
    [
      "a cohort has sent nothing",
      { exports: WHOLE.slice(0, -1) },
      /^pediatric_v1 has no export of 13 Jan 2026 \(1 day\), and nothing since 12 Jan 2026\.$/,
    ],
    [
      "lines were set aside",
      {
        exports: [
          ...WHOLE.slice(0, -1),
          sent("pediatric_v1", "2026-01-13", sleep(20, { aside: 2, reason: "missing_key" })),
        ],
      },
      /^2 lines of the newest 7 days were set aside: 2 a key that is missing\.$/,
    ],
    [
      "an export is none",
      {
        others: [{ key: "elders_v1/2026-01-13T05--00--00Z_x", bytes: 5, etag: "1" }],
      },
      /^elders_v1\/2026-01-13T05--00--00Z_x is of a cohort that nobody has declared\.$/,
    ],
    [
      "a manifest counts otherwise",
      {
        exports: [
          ...WHOLE.slice(0, -1),
          {
            ...sent("pediatric_v1", "2026-01-13", sleep(20, { manifest: 21 })),
            findings: [
              { code: "manifest_mismatch", member: "FitbitSleepLogs", manifest: 21, read: 20 },
            ],
          },
        ],
      },
      /: its manifest counts otherwise \(FitbitSleepLogs\)\.$/,
    ],
  ])("is bad where %s", (_what, options, problem) => {
    const { verdict, problems } = tell(options);
    expect(verdict).toMatchObject({ tone: "error", text: "The data of 13 Jan 2026 is not whole." });
    expect(problems.map(({ text }) => text)).toContainEqual(expect.stringMatching(problem));
  });

  test("says that nothing has come, and for how long", () => {
    const { verdict, problems } = tell({ today: "2026-01-16" });
    expect(verdict).toMatchObject({ tone: "error", text: "Nothing has come for 3 days." });
    expect(problems[0]?.text).toBe(
      "No cohort has sent anything since 13 Jan 2026, 3 days before this run.",
    );
    // An export of today comes in the course of the day.
    expect(tell({ today: "2026-01-14" }).verdict.tone).toBe("good");
  });

  test("warns where all has come and checks fail", () => {
    const failing = check({
      type: "FitbitSleepLogs",
      dataset: "dataset_fitbitsleeplogs",
      outcome: "failed",
      unexpected: 3,
    });
    const { verdict, problems } = tell({ checks: [failing, check()] });
    expect(verdict).toMatchObject({
      tone: "warning",
      text: "The data of 13 Jan 2026 is whole, but checks fail.",
    });
    expect(problems.map(({ text }) => text)).toEqual([
      "1 check of 2 fails: Value is between 0 and 100 (3 rows not so).",
    ]);
  });

  test("is bad where what has come is in no dataset yet", () => {
    const facts = studyFacts({
      ...{ today: "2026-01-13", exports: WHOLE },
      datasets: [{ type: "FitbitSleepLogs", rows: 90, people: MANY }],
    });
    const older = facts.current?.types["FitbitSleepLogs"];
    if (facts.current === null || older === undefined) throw new Error("nothing was built");
    const types = {
      ...facts.current.types,
      FitbitSleepLogs: { ...older, inputs: "another" as typeof older.inputs },
    };
    const study = tellStudy({ ...facts, current: { ...facts.current, types } });
    const problems = studyProblems(study);
    expect(verdictOf(study, problems).text).toBe("The data of 13 Jan 2026 is not whole.");
    expect(problems.map(({ text }) => text)).toEqual([
      "Records of FitbitSleepLogs have come that are in no dataset yet: they are not built.",
    ]);
  });

  test("is that of a study that has just begun", () => {
    const { verdict, problems } = tell({ exports: [], datasets: [] });
    expect(verdict.text).toBe("Nothing has been read yet.");
    expect(problems.map(({ text }) => text)).toEqual(["No export has been read yet."]);
  });
});

describe("days of a study", () => {
  test("has a gap where a cohort has sent nothing between its first day and the newest of any", () => {
    const { study, problems } = tell({
      exports: [
        sent("adults_v1", "2026-01-01", sleep(1)),
        sent("adults_v1", "2026-01-04", sleep(2)),
        sent("adults_v1", "2026-01-20", sleep(3)),
        sent("pediatric_v1", "2026-01-19", sleep(4)),
      ],
      today: "2026-01-20",
    });
    const [adults, children] = study.cohorts;
    expect(adults?.gaps).toHaveLength(17);
    expect(adults).toMatchObject({ first: "2026-01-01", newest: "2026-01-20", exports: 3 });
    expect(children?.gaps).toEqual(["2026-01-20"]);
    expect(adults?.records).toEqual({ "2026-01-01": 1, "2026-01-04": 2, "2026-01-20": 3 });
    expect(problems[0]?.text).toContain(
      "adults_v1 has no export of 5 Jan 2026 to 19 Jan 2026 and 2 Jan 2026 to 3 Jan 2026 (17 days)",
    );
  });

  test("counts a newest export that its source has no longer", () => {
    const facts = studyFacts({
      exports: [
        sent("adults_v1", "2026-01-18", sleep(1)),
        sent("adults_v1", "2026-01-20", sleep(2)),
        sent("pediatric_v1", "2026-01-18", sleep(3)),
      ],
      ...{ today: "2026-01-20", datasets: [] },
    });
    const exports = facts.listing.exports.filter(({ export: name }) => !/^2026-01-20/.test(name));
    const study = tellStudy({ ...facts, listing: { ...facts.listing, exports } });
    expect(study.cohorts.map(({ gaps }) => gaps)).toEqual([
      ["2026-01-19"],
      ["2026-01-19", "2026-01-20"],
    ]);
  });

  test("are said as ranges, the last first", () => {
    const days = [
      "2026-01-01",
      "2026-01-02",
      "2026-01-03",
      "2026-02-28",
      "2026-03-01",
      "2026-03-09",
    ];
    expect(daysText(days)).toBe(
      "9 Mar 2026, 28 Feb 2026 to 1 Mar 2026 and 1 Jan 2026 to 3 Jan 2026",
    );
    expect(daysText(["2026-01-01", "2026-01-03", "2026-01-05"], 2)).toBe(
      "5 Jan 2026, 3 Jan 2026 and 1 more",
    );
  });

  test("miss a type that was there daily, and not one that comes now and then", () => {
    const days = Array.from(
      { length: 20 },
      (_, at) => `2026-01-${String(at + 1).padStart(2, "0")}`,
    );
    const exports = days.map((day, at) =>
      sent(
        "adults_v1",
        day,
        ...(at < 15 ? [sleep(5)] : []),
        { type: "HealthKitV2Samples", lines: 5 },
        ...(at === 3 || at === 12 ? [{ type: "FitbitDevices", lines: 9 }] : []),
      ),
    );
    const datasets = ["FitbitSleepLogs", "HealthKitV2Samples", "FitbitDevices"].map((type) => ({
      ...{ type, rows: 50, people: MANY },
    }));
    const { problems } = tell({ exports, datasets, today: "2026-01-20" });
    expect(problems.map(({ text }) => text)).toContain(
      "No records of FitbitSleepLogs since 15 Jan 2026.",
    );
  });
});

describe("where lines went", () => {
  test("adds up: what was read is in one place each", () => {
    const day = "2026-01-13";
    const { study } = tell({
      exports: [
        sent("adults_v1", day, sleep(10, { aside: 3 }), {
          type: "HealthKitV2Samples_Deleted",
          lines: 4,
        }),
        // The same days sent again: the first one's records do not count.
        { ...sent("adults_v1", day, sleep(6)), suffix: "-again" },
        sent("pediatric_v1", day, sleep(5, { aside: 1, reason: "missing_key" })),
      ],
      datasets: [
        { type: "FitbitSleepLogs", rows: 10, people: MANY },
        { type: "HealthKitV2Samples", rows: 0, people: MANY },
      ],
    });
    const { flow } = study;
    expect(flow).toEqual({
      ...{ read: 25, written: 21, quarantined: { bad_json: 3, missing_key: 1 } },
      ...{ superseded: 7, duplicates: 0, deleted: 0, deletions: 4, kept: 10, waiting: 0 },
    });
    const { superseded, duplicates, deleted, deletions, kept, waiting } = flow;
    expect(superseded + duplicates + deleted + deletions + kept + waiting).toBe(flow.written);
    expect(study.exports.map(({ superseded: members }) => members)).toEqual([0, 1, 0]);
  });
});

test("a manifest's number for members that differ in their days alone counts once", () => {
  const day = "2026-01-13";
  const one = sleep(10, { manifest: 18 });
  const facts = studyFacts({
    ...{ today: day, exports: [sent("adults_v1", day, one, sleep(8, { manifest: 18 }))] },
    datasets: [{ type: "FitbitSleepLogs", rows: 18, people: MANY }],
  });
  expect(tellStudy(facts).exports.map(({ read, manifest }) => [read, manifest])).toEqual([
    [18, 18],
  ]);
  expect(auditCatalog(facts.catalog).total).toMatchObject({ read: 18, manifest: 18 });
});

describe("what is new", () => {
  test("is what this run has read, and what has grown or shrunk", () => {
    const before = studyFacts({
      ...{ today: "2026-01-12", exports: WHOLE.slice(0, 4) },
      datasets: [
        { type: "FitbitSleepLogs", rows: 60, people: MANY },
        { type: "HealthKitV2Samples", rows: 9, people: MANY },
      ],
    });
    const { news } = tell({
      before,
      datasets: [
        { type: "FitbitSleepLogs", rows: 90, people: MANY },
        { type: "HealthKitV2Samples", rows: 7, people: MANY },
      ],
    });
    expect(news).toEqual([
      "2 exports read: adults_v1 of 13 Jan 2026, pediatric_v1 of 13 Jan 2026.",
      "More records: FitbitSleepLogs +30.",
      "Fewer records: HealthKitV2Samples −2.",
    ]);
  });

  test("is nothing where nothing has come", () => {
    const facts = {
      today: "2026-01-13",
      exports: WHOLE,
      datasets: [{ type: "FitbitSleepLogs", rows: 90, people: MANY }],
    };
    expect(tell({ before: studyFacts(facts) }).news).toEqual([]);
  });
});
