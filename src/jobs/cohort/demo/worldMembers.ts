// Which members an export has, and the records in each: days that overlap from one export to the next, rows that are sent again as they were,
// changed, or as they were before, and deletions.

import { makeDice } from "../../../lookalikes/dice.ts";
import { compactDay, DAY_MS, dayAt, type Person } from "./worldPeople.ts";
import {
  makeDeletion,
  makeRecord,
  type Row,
  type WorldRecord,
  type WorldTable,
  type WorldTables,
} from "./worldRecords.ts";

/** A member of an export before it is written. */
export interface MemberPlan {
  readonly name: string;
  /** The name without dates, as the manifest has it. */
  readonly stem: string;
  readonly type: string;
  readonly subtype: string | null;
  readonly table: WorldTable;
}

/** An export: of which cohort, which one, and the days that it covers. */
export interface ExportPlan {
  readonly seed: number;
  readonly cohort: string;
  readonly people: readonly Person[];
  /** Counts days since the first that there is data of. */
  readonly number: number;
  /** The first of the three exports in which things are wrong, where any are. */
  readonly origin: number;
  readonly rowsPerDay: number;
}

const STATISTICS = ["DailySteps", "HourlySteps", "HourlyMaximumHeartRate"];
/** The first four have data, of the others the vendor sends empty members. */
const FILLED = ["HeartRate", "Steps", "Weight", "OxygenSaturation"];
const SAMPLES = [
  ...FILLED,
  ...["BodyFatPercentage", "DistanceWalkingRunning", "DistanceCycling", "FlightsClimbed"],
  ...["AppleExerciseTime", "WheelchairPushCount", "DistanceSwimming", "SwimmingStrokeCount"],
  ...["VO2Max", "HeartRateRecoveryOneMinute", "WalkingSpeed", "WalkingDoubleSupportPercentage"],
  ...["WalkingAsymmetryPercentage", "WalkingStepLength", "AppleWalkingSteadiness", "FVC"],
  ...["SixMinuteWalkTestDistance", "StairAscentSpeed", "StairDescentSpeed", "Temperature"],
  ...["BloodPressureSystolic", "BloodPressureDiastolic", "RespiratoryRate", "RestingHeartRate"],
  ...["HeartRateVariability", "AtrialFibrillationBurden", "BloodGlucose", "NumberOfTimesFallen"],
  ...["ElectrodermalActivity", "InhalerUsage", "InsulinDelivery", "FEV1", "PEF", "AppleStandTime"],
  ...["EnvironmentalAudioExposure", "HeadphoneAudioExposure"],
];
/** Types that are sent as they are now, without a day on which they began. */
const CURRENT = ["EnrolledParticipants", "FitbitDevices"];

/** The first day of an export's data: two days in most, three in every third. */
export function firstDayOf(number: number): number {
  return Math.max(0, number % 3 === 2 ? number - 2 : number - 1);
}

/** The day on which an export's data ends, and which stands in the names of its members. */
export function endDayOf(number: number): number {
  return number + 2;
}

/** Lists the members of an export, empty ones too. */
export function listMemberPlans(tables: WorldTables, number: number): readonly MemberPlan[] {
  const end = compactDay(endDayOf(number));
  const days = `${compactDay(firstDayOf(number))}-${end}`;
  return Object.entries(tables).flatMap(([type, table]) =>
    subtypesOf(type).map((subtype) => {
      const base = type.replace(/_Deleted$/, "");
      const infix = /(Electrocardiogram|Heartbeat)$/.test(base) ? "_Samples" : "";
      const suffix = table.deletes === undefined ? "" : "_Deleted";
      const stem = `${base}${subtype === null ? "" : `_${subtype}`}${infix}${suffix}`;
      const name = `${stem}_${CURRENT.includes(type) ? end : days}.json`;
      return { name, stem, type, subtype, table };
    }),
  );
}

function subtypesOf(type: string): readonly (string | null)[] {
  if (type.startsWith("HealthKitV2Samples")) return SAMPLES;
  if (type.startsWith("HealthKitV2Statistics")) return STATISTICS;
  return [null];
}

/** Gives the records of a member, one after the other. */
export function* recordsOf(plan: ExportPlan, member: MemberPlan): Generator<WorldRecord> {
  const { type, subtype, table } = member;
  const people = plan.people.filter(({ platform }) => hasData(platform, type));
  if (type.startsWith("HealthKitV2Samples") && !FILLED.includes(subtype ?? "")) return;
  if (CURRENT.includes(type)) {
    for (const person of people) yield* sendings(plan, member, person, plan.number, 0);
    return;
  }
  for (let day = firstDayOf(plan.number); day <= plan.number; day++) {
    for (const person of people) {
      const count = rowsOf(type, subtype, plan.rowsPerDay);
      for (let index = 0; index < count; index++) {
        if (table.deletes === undefined) yield* sendings(plan, member, person, day, index);
        else if (isDeletedBy(plan, member, person, day, index)) {
          const row = rowOf(plan, member, person, day, index, 0);
          yield makeDeletion(table, row, dayAt(plan.number + 1) + 3_723_000);
        }
      }
    }
  }
}

function hasData(platform: Person["platform"], type: string): boolean {
  const owner = /^(HealthKit|Fitbit|GoogleFit|Garmin)/.exec(type)?.[1];
  return owner === undefined || owner === platform;
}

/** How many rows somebody has on a day. */
function rowsOf(type: string, subtype: string | null, rowsPerDay: number): number {
  const base = type.replace(/_Deleted$/, "");
  if (base === "FitbitIntradayCombined") return rowsPerDay;
  if (base === "HealthKitV2Samples" || base === "GoogleFitSamples")
    return Math.ceil(rowsPerDay / 4);
  if (base === "GarminEpochSummary") return Math.ceil(rowsPerDay / 8);
  if (base === "HealthKitV2Statistics")
    return subtype === "DailySteps" ? 1 : Math.ceil(rowsPerDay / 8);
  return 1;
}

function rowOf(
  plan: ExportPlan,
  member: MemberPlan,
  person: Person,
  day: number,
  index: number,
  version: number,
): Row {
  const insertedMs = dayAt(day) + DAY_MS / 2 + index * 1000 + version * 7_200_000;
  const { type, subtype } = member;
  return { seed: plan.seed, type, subtype, person, day, index, version, insertedMs };
}

/**
 * What an export sends of a row: once or twice; what was sent before as it was, or changed (inserted later, or at the same moment), or, after
 * it was changed, as it had been at first.
 */
function* sendings(
  plan: ExportPlan,
  member: MemberPlan,
  person: Person,
  day: number,
  index: number,
): Generator<WorldRecord> {
  const { seed, number } = plan;
  const age = number - day;
  const fate = makeDice(
    seed,
    "fate",
    member.type,
    member.subtype ?? "",
    person.identifier,
    day,
    index,
  );
  const [chance, isTwice] = [fate.fraction(), fate.chance(0.02)];
  const version = age === 0 || chance < 0.6 ? 0 : age === 1 || chance < 0.95 ? 1 : 0;
  const row = rowOf(plan, member, person, day, index, version);
  // In one case in eight what changed came at the same moment, so that only the export tells which is newer.
  const insertedMs = version === 1 && chance < 0.65 ? row.insertedMs - 7_200_000 : row.insertedMs;
  yield makeRecord(member.table, { ...row, insertedMs });
  if (isTwice)
    yield makeRecord(member.table, { ...row, version: 2, insertedMs: row.insertedMs + 60_000 });
}

/** One row in fifty is deleted on the day after it was sent. The first of all is, too, and the third export sends it again. */
function isDeletedBy(
  plan: ExportPlan,
  member: MemberPlan,
  person: Person,
  day: number,
  index: number,
): boolean {
  if (plan.number !== day + 1) return false;
  const { seed, origin } = plan;
  if (day === origin && index === 0 && person.number === 0) return true;
  return makeDice(
    seed,
    "deleted",
    member.type,
    member.subtype ?? "",
    person.identifier,
    day,
    index,
  ).chance(0.02);
}
