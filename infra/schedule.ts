// Schedules as EventBridge Scheduler writes them: whether one is right, and how long its runs lie apart.

/** What a field of cron( ) may hold: the least, the most, and names for what begins at the least. */
interface Field {
  readonly least: number;
  readonly most: number;
  readonly names?: readonly string[];
}

export const SCHEDULE_FORM =
  "cron(minutes hours day month weekday year) or rate(N hours), with numbers, names, ranges, lists and steps that there are, and a ? for just one of day and weekday";

const DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const MONTHS = [
  ...["JAN", "FEB", "MAR", "APR", "MAY", "JUN"],
  ...["JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
];
const MINUTES: Field = { least: 0, most: 59 };
const HOURS: Field = { least: 0, most: 23 };
const DAYS_OF_MONTH: Field = { least: 1, most: 31 };
const MONTHS_OF_YEAR: Field = { least: 1, most: 12, names: MONTHS };
const WEEKDAYS: Field = { least: 1, most: 7, names: DAYS };
const YEARS: Field = { least: 1970, most: 2199 };

const RATE = /^rate\(([1-9]\d{0,5}) (minute|hour|day)s?\)$/;
const HOURS_OF: Readonly<Record<string, number>> = { minute: 1 / 60, hour: 1, day: 24 };
const DAY_MS = 24 * 3600 * 1000;
/** The days that schedules are tried on: four years, so that there is a leap day among them. */
const FIRST_DAY = Date.UTC(2024, 0, 1);
const TRIED_DAYS = 4 * 365 + 1;

/**
 * Says how many hours lie at most between two runs of a schedule, Infinity where it runs once or never; null where it is no schedule.
 * L, W and # are none: what runs monthly, no alarm of CloudWatch could watch.
 */
export function longestGapHours(schedule: string): number | null {
  const [, count, unit = ""] = RATE.exec(schedule) ?? [];
  if (count !== undefined) return Number(count) * (HOURS_OF[unit] ?? Number.NaN);
  const fields = /^cron\(([^ ()]+(?: [^ ()]+){5})\)$/.exec(schedule)?.[1]?.split(" ") ?? [];
  const [minute = "", hour = "", day = "", month = "", weekday = "", year = ""] = fields;
  if ((day === "?") === (weekday === "?")) return null;
  const minutes = valuesOf(minute, MINUTES);
  const hours = valuesOf(hour, HOURS);
  const days = valuesOf(day === "?" ? "*" : day, DAYS_OF_MONTH);
  const months = valuesOf(month, MONTHS_OF_YEAR);
  const weekdays = valuesOf(weekday === "?" ? "*" : weekday, WEEKDAYS);
  const all = [minutes, hours, days, months, weekdays, valuesOf(year, YEARS)];
  if (minutes === null || hours === null || all.some((values) => values === null)) return null;
  // In minutes, which are whole: a sum of fractions of hours is a day and a little more.
  const times = hours.flatMap((at) => minutes.map((past) => at * 60 + past));
  const runs = Array.from({ length: TRIED_DAYS }, (_, at) => ({
    date: new Date(FIRST_DAY + at * DAY_MS),
    minutesBefore: at * 24 * 60,
  }))
    .filter(
      ({ date }) =>
        days?.includes(date.getUTCDate()) === true &&
        months?.includes(date.getUTCMonth() + 1) === true &&
        weekdays?.includes(date.getUTCDay() + 1) === true,
    )
    .flatMap(({ minutesBefore }) => times.map((time) => minutesBefore + time));
  if (runs.length < 2) return Number.POSITIVE_INFINITY;
  return runs.reduce((longest, run, at) => Math.max(longest, run - (runs[at - 1] ?? run)), 0) / 60;
}

/** Lists the values of a field, in order; null where it is not one. */
function valuesOf(text: string, field: Field): readonly number[] | null {
  const parts = text.split(",").map((part) => partOf(part, field));
  if (parts.some((values) => values.length === 0)) return null;
  return [...new Set(parts.flat())].sort((a, b) => a - b);
}

/** Lists the values of one part of a list: *, a value, a range, each with a step perhaps; none where it is wrong. */
function partOf(text: string, { least, most, names = [] }: Field): readonly number[] {
  const [, from = "", to, step] = /^(\*|\w+)(?:-(\w+))?(?:\/([1-9]\d*))?$/.exec(text) ?? [];
  const numberOf = (word: string): number => {
    const named = names.indexOf(word.toUpperCase());
    return named >= 0 ? least + named : /^\d+$/.test(word) ? Number(word) : Number.NaN;
  };
  if (from === "*" && to !== undefined) return [];
  const first = from === "*" ? least : numberOf(from);
  // "5/10" begins at 5 and goes on to the end.
  const last = to !== undefined ? numberOf(to) : from === "*" || step !== undefined ? most : first;
  if (!(first >= least && first <= last && last <= most)) return [];
  const by = Number(step ?? 1);
  return Array.from({ length: Math.floor((last - first) / by) + 1 }, (_, at) => first + at * by);
}
