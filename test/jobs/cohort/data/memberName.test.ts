import { describe, expect, test } from "vitest";

import {
  manifestName,
  readMemberName,
  stemOf,
} from "../../../../src/jobs/cohort/data/memberName.ts";
import { FIXTURE } from "../support/cohortRig.ts";
import { expectedOf } from "../support/expected.ts";

const day = (text: string): string => `${text}T00:00:00`;

describe("readMemberName(name)", () => {
  test.each([
    [
      "EnrolledParticipants_20230103",
      ["EnrolledParticipants", null, null, "2023-01-03"],
      "EnrolledParticipants_20230103",
    ],
    [
      "HealthKitV2Samples_AbdominalCramps_Deleted_20220111-20230103",
      ["HealthKitV2Samples_Deleted", "AbdominalCramps", "2022-01-11", "2023-01-03"],
      "HealthKitV2Samples_Deleted_AbdominalCramps_20220111-20230103",
    ],
    [
      "HealthKitV2Heartbeat_Samples_Deleted_20220401-20230112",
      ["HealthKitV2Heartbeat_Deleted", null, "2022-04-01", "2023-01-12"],
      "HealthKitV2Heartbeat_Deleted_20220401-20230112",
    ],
    [
      "HealthKitV2Electrocardiogram_Samples_20220401-20230112",
      ["HealthKitV2Electrocardiogram", null, "2022-04-01", "2023-01-12"],
      "HealthKitV2Electrocardiogram_20220401-20230112",
    ],
    [
      "HealthKitV2Statistics_DailySteps_20230112",
      ["HealthKitV2Statistics", "DailySteps", null, "2023-01-12"],
      "HealthKitV2Statistics_DailySteps_20230112",
    ],
    [
      "FitbitDevices_Deleted_20230112",
      ["FitbitDevices", null, null, "2023-01-12"],
      "FitbitDevices_20230112",
    ],
    ["Anything_20240229", ["Anything", null, null, "2024-02-29"], "Anything_20240229"],
  ] as const)("reads %s", (stem, [type, subtype, start, end], id) => {
    const expected = {
      type,
      subtype,
      start: start === null ? null : day(start),
      end: day(end),
      id,
    };
    expect(readMemberName(`${stem}.json`)).toEqual(expected);
  });

  test.each([
    ...["Notes", "Notes_", "_20230103", "20230103", "FitbitDiary_20261345", "FitbitDiary_20260229"],
    ...["FitbitDiary_20260431", "A_20230101-20230230", "A_20231301-20230103", "A_2023-01-03"],
    ...["A_20230103-", "A_-20230103", "A_202301031", "A_2023010", "A_20230101-20230102-20230103"],
    ...["A_00000101-2023010x", "A_٢٠٢٣٠١٠٣", "HealthKitV2Samples_20260112-20260114"],
    ...["HealthKitV2Statistics_20260112", "HealthKitV2Samples__20260112"],
    ...["HealthKitV2Samples_Deleted_20260112-20260114", ""],
  ])("finds nothing in %j", (stem) => {
    expect(readMemberName(`${stem}.json`)).toBe(null);
  });

  test("finds in the fixture's members what the fixture says", () => {
    let names = 0;
    for (const { exports } of Object.values(expectedOf(FIXTURE))) {
      for (const { members } of Object.values(exports)) {
        for (const [name, { type, subtype, start, end, id, status }] of Object.entries(members)) {
          if (status === "bad_member_name") expect(readMemberName(name)).toBe(null);
          else if (type !== undefined) {
            expect(readMemberName(name)).toEqual({ type, subtype, start, end, id });
          }
          names++;
        }
      }
    }
    expect(names).toBeGreaterThan(400);
  });
});

describe("stemOf(name)", () => {
  test.each([
    ["A_20230103.json", "A_20230103"],
    ["a.b_20230103.json", "a.b_20230103"],
    ["A_20230103", "A_20230103"],
  ])("takes %s for %s", (name, stem) => expect(stemOf(name)).toBe(stem));
});

describe("manifestName(name)", () => {
  test.each([
    ["EnrolledParticipants_20230103.json", "EnrolledParticipants"],
    [
      "HealthKitV2Heartbeat_Samples_Deleted_20220401-20230112.json",
      "HealthKitV2Heartbeat_Samples_Deleted",
    ],
    ["Notes.json", "Notes"],
  ])("takes %s for %s", (name, own) => expect(manifestName(name)).toBe(own));
});
