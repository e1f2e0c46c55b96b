// When a stage's pipelines begin: the schedules of the registry, changed or switched off one by one by the stage's settings, and for how long
// no run may end before an alarm says so.

import type { Deployment } from "../src/job.ts";
import { longestGapHours, SCHEDULE_FORM } from "./schedule.ts";
import { complain, type Fields, openFields, textOf } from "./settingsFields.ts";

/**
 * Null: the registry's. A text: another one, of a pipeline that has one. Of a pipeline that has several: their names, each with null for the
 * registry's, another one, or false where it is off; what is not named is the registry's.
 */
export type ScheduleSettings = string | null | Readonly<Record<string, string | false | null>>;

/** A schedule as it is deployed. */
export interface DeployedSchedule {
  /** Null where the pipeline has just this one. */
  readonly name: string | null;
  readonly schedule: string;
  readonly options: readonly string[];
  readonly isOn: boolean;
}

/** An alarm looks back seven days at most. */
export const MOST_LATE_HOURS = 168;
/** Told by reading it. */
const SCHEDULE = { test: (text: string): boolean => longestGapHours(text) !== null };

/** Reads what a stage says of a pipeline's schedules. */
export function readSchedules(
  fields: Fields,
  { schedule: declared }: Deployment,
): ScheduleSettings {
  const value = fields.values["schedule"];
  if (value === null) return null;
  if (typeof declared === "string") {
    return textOf(fields, "schedule", SCHEDULE, `null, ${SCHEDULE_FORM}`);
  }
  const names = declared.map(({ name }) => name);
  const isObject = typeof value === "object" && !Array.isArray(value);
  if (!isObject) {
    const form = `null or an object: the names of schedules (${names.join(", ")}), each with null, false or a schedule`;
    return complain(fields, "schedule", form, null);
  }
  const where = `${fields.where}.schedule`;
  const inner = openFields(where, value, names, fields.problems);
  const entries = names
    .filter((name) => name in inner.values)
    .map((name): readonly [string, string | false | null] => {
      const own = inner.values[name];
      if (own === null || own === false) return [name, own];
      return [name, textOf(inner, name, SCHEDULE, `null, false, ${SCHEDULE_FORM}`)];
    });
  return Object.fromEntries(entries);
}

/** Lists the schedules of a pipeline as a stage has them, those that are off among them. */
export function schedulesOf(
  { schedule: declared }: Pick<Deployment, "schedule">,
  settings: ScheduleSettings,
): readonly DeployedSchedule[] {
  if (typeof declared === "string") {
    const schedule = typeof settings === "string" ? settings : declared;
    return [{ name: null, schedule, options: [], isOn: true }];
  }
  const own = typeof settings === "string" ? {} : (settings ?? {});
  return declared.map(({ name, schedule, options }) => {
    const said = own[name] ?? schedule;
    return { name, schedule: said === false ? schedule : said, options, isOn: said !== false };
  });
}

/** Says what is wrong with how long a run is waited for; null where a schedule itself is wrong, which has been said. */
export function checkLateness(
  where: string,
  deployment: Pick<Deployment, "schedule" | "lateAfterHours">,
  settings: { readonly schedule: ScheduleSettings; readonly lateAfterHours: number | null },
): string | null {
  if (typeof settings.schedule === "string" && settings.lateAfterHours === null) {
    // Which has been said where it is no schedule at all.
    if (settings.schedule === "") return null;
    return `${where}.lateAfterHours is null, but a schedule of its own needs its own: hours after which no run has ended in time`;
  }
  const on = schedulesOf(deployment, settings.schedule).filter(({ isOn }) => isOn);
  if (on.length === 0) {
    return `${where}.schedule switches every schedule off: say enabled false instead`;
  }
  const gaps = on.map(({ schedule }) => longestGapHours(schedule));
  const known = gaps.filter((gap) => gap !== null);
  if (known.length < gaps.length) return null;
  // The alarm hears of every run, whichever schedule it is of: no more lies between two than between those of the most frequent one.
  const gap = Math.min(...known);
  const late = settings.lateAfterHours ?? deployment.lateAfterHours;
  if (late > gap) return null;
  return `${where}.lateAfterHours is ${late}, but must be more than lie between two runs, which is ${Number.isFinite(gap) ? `${Math.ceil(gap)} hours` : "for ever"}; an alarm looks back ${MOST_LATE_HOURS} hours at most`;
}
