// What is planted in a world's exports to be found: lines that are no records, values in every dress, members and counts that do not fit.

import type { ExportPlan, MemberPlan } from "./worldMembers.ts";
import { lineOf, makeRecord, type WorldRecord } from "./worldRecords.ts";

export interface Planting {
  readonly fault: string;
  /** Which cohort and export, counted from 0. */
  readonly at: readonly [cohort: number, number: number];
  /** The member's name without dates. */
  readonly stem: string;
  /** The lines, in front of all others; `record` makes a record of the type, each with a key of its own. */
  readonly lines: (record: () => WorldRecord) => readonly (string | Uint8Array)[];
  readonly expect: string;
}

const changed = (record: WorldRecord, change: WorldRecord): string =>
  lineOf({ ...record, ...change });

/** Somebody who is in both cohorts, with the day of a row of theirs. */
export const MOVED_IDENTIFIER = "SYN-MOVED-0001";
const MOVED = { ParticipantIdentifier: MOVED_IDENTIFIER, Date: "2026-01-10T00:00:00" } as const;
const ELSEWHERE = {
  ParticipantIdentifier: MOVED_IDENTIFIER,
  HealthKitSampleKey: "SYN-ELSEWHERE",
} as const;

/** A record without some of its fields. */
function without(record: WorldRecord, ...names: readonly string[]): string {
  return lineOf(
    Object.fromEntries(Object.entries(record).filter(([name]) => !names.includes(name))),
  );
}

const PLANTINGS: readonly Planting[] = [
  {
    ...{ fault: "bad_json_line", at: [0, 0], stem: "FitbitDailyData" },
    lines: (record) => [
      `${lineOf(record()).slice(0, 40)}\r\n`,
      lineOf(record()).replace(/\}\r\n$/, ",}\r\n"),
    ],
    expect: "a line cut short and one with a trailing comma: quarantine bad_json",
  },
  {
    ...{ fault: "blank_lines", at: [0, 0], stem: "FitbitRestingHeartRates" },
    lines: (record) => [
      `\ufeff${lineOf(record()).trimEnd()}\n`,
      "\r\n",
      " \t\r\n",
      lineOf(record()).replace(/\}\r\n$/, ',"RestingHeartRate":"61","RestingHeartRate":"62"}\n'),
    ],
    expect:
      "a BOM, blank lines, LF only: none is a record, none is lost; of a name twice the last counts",
  },
  {
    ...{ fault: "missing_key", at: [0, 0], stem: "FitbitSleepLogs" },
    lines: (record) => [
      without(record(), "LogId"),
      changed(record(), { LogId: null }),
      changed(record(), { LogId: "" }),
      without(record(), "ParticipantIdentifier"),
    ],
    expect: "key absent, null, empty; participant absent: quarantine missing_key",
  },
  {
    ...{ fault: "symptom_value", at: [0, 0], stem: "SymptomLog" },
    lines: (record) => [
      changed(record(), { Value: "" }),
      changed(record(), { Value: null }),
      without(record(), "Value"),
      changed(record(), { Value: "{not json" }),
      changed(record(), { Value: "[1,2]" }),
      changed(record(), { Value: { symptoms: [], notes: "an object" } }),
    ],
    expect: "Value empty, null, absent, an object: kept; not JSON, or JSON of no object: bad_value",
  },
  {
    ...{ fault: "casts", at: [0, 0], stem: "GarminActivitySummary" },
    lines: (record) => [
      changed(record(), { DurationInSeconds: 61.7, Steps: " 12 ", Manual: "TRUE", IsParent: 1 }),
      changed(record(), { DurationInSeconds: "61.2", Steps: "+5.", Manual: "yes", IsParent: 0 }),
      changed(record(), { DurationInSeconds: 1e300, Steps: true, Manual: "", IsParent: "0" }),
    ],
    expect: "numbers in every dress: fraction in an integer, text, overflow, true, empty",
  },
  {
    ...{ fault: "ties", at: [0, 0], stem: "GarminHrvSummary" },
    lines: (record) => {
      const same = record();
      return [
        "2026-01-11T12:00:00+02:00",
        "2026-01-11T11:00:00Z",
        "2026-01-11T11:00:00.5Z",
        "",
        null,
      ].map((InsertedDate, index) => changed(same, { InsertedDate, LastNightAvg: index }));
    },
    expect: "one key, many versions: instants decide, not letters; fractions count; none loses",
  },
  {
    ...{ fault: "garmin_maps", at: [0, 0], stem: "GarminStressDetailSummary" },
    lines: (record) => [
      changed(record(), {
        TimeOffsetStressLevelValues: { "120": 7.9, "0": "x", no: 5, "-60": null },
      }),
      changed(record(), { TimeOffsetStressLevelValues: null, TimeOffsetBodyBatteryValues: {} }),
    ],
    expect: "bad value and bad key become null, fractions are cut, order is by offset",
  },
  {
    ...{ fault: "arrays", at: [0, 1], stem: "HealthKitV2Workouts" },
    lines: (record) => [
      changed(record(), { Events: [] }),
      changed(record(), { Events: null }),
      without(record(), "Events"),
      changed(record(), { Events: "none" }),
      changed(record(), { Events: [null, { Type: "segment" }, 5] }),
    ],
    expect:
      "empty array: surrogate without rows; null, absent or no array: null; elements keep their place",
  },
  {
    ...{ fault: "not_object", at: [0, 1], stem: "FitbitDevices" },
    lines: () => ["[]\r\n", "1\r\n", "null\r\n", '"text"\r\n'],
    expect: "valid JSON that is no object: quarantine not_object",
  },
  {
    ...{ fault: "bad_utf8", at: [0, 1], stem: "SymptomLog" },
    lines: (record) => {
      const line = Buffer.from(changed(record(), { Properties: "?" }));
      line[line.lastIndexOf(0x3f)] = 0xff;
      return [line];
    },
    expect: "a byte that is not UTF-8: quarantine bad_utf8",
  },
  {
    ...{ fault: "custom_fields", at: [0, 2], stem: "EnrolledParticipants" },
    lines: (record) => [
      without(record(), "CustomFields"),
      changed(record(), { CustomFields: null }),
      changed(record(), { CustomFields: { Symptoms: "[broken", Treatments: [1, "a"] } }),
    ],
    expect: "CustomFields absent or null: kept; Symptoms undecodable: empty list",
  },
  {
    ...{ fault: "dates", at: [0, 2], stem: "FitbitDevices" },
    lines: (record) =>
      ["0001-01-01T00:00:00", "9999-12-31T23:59:59", "2026-03-08T02:30:00", "soon"].map((Date) =>
        changed(record(), { Date }),
      ),
    expect: "dates out of any range and in a gap of the clock are text, and stay as they were sent",
  },
  {
    ...{ fault: "out_of_range", at: [0, 2], stem: "FitbitDailyData" },
    lines: (record) => [
      changed(record(), { RestingHeartRate: "301", Steps: "0", SpO2: { Avg: "49.9" } }),
      changed(record(), { Calories: "299", Hrv: { DailyRmssd: "2" }, TempSkin: "15.1" }),
      changed(record(), { Calories: "300", RestingHeartRate: "25", Steps: "200000" }),
      changed(record(), { Calories: "many", Steps: "" }),
    ],
    expect:
      "values that the expectations must find, edges that they must not, text that is no number",
  },
  {
    ...{ fault: "unknown_fields", at: [0, 2], stem: "FitbitDailyData" },
    lines: (record) => [changed(record(), { "New field": "a", Tracker: { Extra: 1 } })],
    expect: "fields that nobody declared are kept as text columns",
  },
  {
    ...{ fault: "out_of_range_intraday", at: [0, 2], stem: "FitbitIntradayCombined" },
    lines: (record) => [
      changed(record(), {
        Type: "br",
        DeepSleepSummaryBreathRate: 40.7,
        RemSleepSummaryBreathRate: 3,
      }),
    ],
    expect: "breath rates out of range",
  },
  {
    ...{ fault: "same_key_two_cohorts", at: [1, 0], stem: "FitbitDevices" },
    lines: (record) => [changed(record(), { ...MOVED, Device: "Charge 5", Battery: "Low" })],
    expect: "a participant that moves from one cohort to the other: the later export's row is kept",
  },
  {
    ...{ fault: "same_key_two_cohorts", at: [0, 1], stem: "FitbitDevices" },
    lines: (record) => [changed(record(), { ...MOVED, Device: "Charge 5", Battery: "High" })],
    expect: "a participant that moves from one cohort to the other: the later export's row is kept",
  },
  {
    ...{ fault: "deleted_elsewhere", at: [1, 0], stem: "HealthKitV2Samples_Weight" },
    lines: (record) => [changed(record(), ELSEWHERE)],
    expect: "deleted by a member of the other cohort: gone",
  },
  {
    ...{ fault: "deletion", at: [0, 1], stem: "HealthKitV2Samples_Weight_Deleted" },
    lines: (record) => [
      changed(record(), ELSEWHERE),
      changed(record(), { HealthKitSampleKey: "SYN-NOBODY-SENT" }),
      without(record(), "HealthKitSampleKey"),
    ],
    expect: "deletions: of a key of the other cohort, of a key nobody sent, without a key",
  },
  {
    ...{ fault: "text_oddities", at: [1, 2], stem: "SymptomLog" },
    lines: (record) => [
      lineOf(record()).replace(
        /\}\r\n$/,
        ',"Properties":"a\\ud83db \\ud83d\\ude00 \\u0000 \u2028"}\r\n',
      ),
    ],
    expect: "a lone surrogate becomes U+FFFD; a pair, NUL and U+2028 are kept",
  },
];

/** Members that the table of types does not have, each with a line or two of its own. */
export const ODD_MEMBERS: readonly {
  readonly fault: string;
  readonly at: readonly [cohort: number, number: number];
  readonly name: (days: string, end: string) => string;
  readonly isInManifest: boolean;
  readonly expect: string;
}[] = [
  {
    ...{ fault: "subfolder", at: [0, 0], isInManifest: false },
    name: (days) => `old/FitbitDailyData_${days}.json`,
    expect: "a member in a folder: not read",
  },
  {
    ...{ fault: "subfolder", at: [0, 0], isInManifest: false },
    name: (days) => `Manifest_notes_${days}.json`,
    expect: "a member called Manifest_notes: not read",
  },
  {
    ...{ fault: "unknown_type", at: [0, 1], isInManifest: true },
    name: (days) => `OuraSleep_${days}.json`,
    expect: "a data type without schema: raw copy and NDJSON, no dataset, finding",
  },
  {
    ...{ fault: "not_in_manifest", at: [1, 1], isInManifest: false },
    name: (days) => `OuraReadiness_${days}.json`,
    expect: "a member that the manifest does not list: finding, the data are used",
  },
  {
    ...{ fault: "bad_member_name", at: [0, 2], isInManifest: true },
    name: () => "Notes.json",
    expect: "a member without a date: set aside whole, finding",
  },
  {
    ...{ fault: "bad_member_name", at: [0, 2], isInManifest: true },
    name: () => "FitbitDiary_20261345.json",
    expect: "a member with an impossible date: set aside whole, finding",
  },
  {
    ...{ fault: "bad_member_name", at: [0, 2], isInManifest: false },
    name: (days) => `HealthKitV2Samples_${days}.json`,
    expect: "a subtype type without subtype: set aside whole, finding",
  },
];

/** The planted lines of a member; none where nothing is planted in it. */
export function plantedIn(
  plan: ExportPlan,
  cohortNumber: number,
  member: MemberPlan,
): readonly { readonly planting: Planting; readonly lines: readonly Buffer[] }[] {
  const [person] = plan.people;
  if (person === undefined) return [];
  let index = 1_000_000;
  const record = (): WorldRecord => {
    index += 1;
    const { type, subtype } = member;
    // Keys that are a day (or a time) have to differ, too: no other row is of these days.
    const day = 5000 + (index - 1_000_000);
    const row = { seed: plan.seed, type, subtype, person, day, index, version: 0 };
    return makeRecord(member.table, { ...row, insertedMs: Date.UTC(2026, 0, 11, 12) });
  };
  return PLANTINGS.filter(
    ({ at, stem }) =>
      stem === member.stem && at[0] === cohortNumber && at[1] === plan.number - plan.origin,
  ).map((planting) => {
    return { planting, lines: planting.lines(record).map((line) => Buffer.from(line)) };
  });
}
