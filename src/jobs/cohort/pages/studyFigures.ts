// Figures of a study as plain data, and what they say in words.

import { count, date, list, number } from "../../../format.ts";
import type { VegaLiteSpec } from "../../../render/vega.ts";
import { calendarSpec, type ChartSize } from "../charts/calendar.ts";
import { dayBarsSpec } from "../charts/dayBars.ts";
import { flowSpec } from "../charts/flowBars.ts";
import type { Comparison } from "../data/comparison.ts";
import type { Study, TypeLine } from "../data/study.ts";
import { daysBefore, nextDay } from "../data/studyDays.ts";
import { daysText, newestDay, reasonText } from "../data/studyProblems.ts";
import { mostFirst, sumOf } from "../data/sums.ts";

/** A figure to be drawn. */
export interface StudyFigure {
  readonly id: string;
  readonly title: string;
  readonly alt: string;
  spec(size: ChartSize): VegaLiteSpec;
}

/** Days behind the newest that a calendar shows, where nothing comes any more. */
const LATE_DAYS = 14;

/** The days of all cohorts; null where nothing was read. */
export function calendarFigure(study: Pick<Study, "cohorts" | "today">): StudyFigure | null {
  const newest = newestDay(study);
  if (newest === null) return null;
  const late = Math.max(0, Math.min(daysBefore(newest, study.today) - 1, LATE_DAYS));
  const cohorts = study.cohorts.filter(({ first }) => first !== null);
  const words = cohorts.map(({ cohort, records, gaps }) => {
    const days = Object.values(records);
    const missing = gaps.length === 0 ? "none missing" : `missing ${daysText(gaps)}`;
    return `${cohort}: ${count(days.length, "day")}, ${missing}, at most ${number(Math.max(0, ...days))} records a day`;
  });
  return {
    ...{ id: "days", title: "Records a day", alt: `${words.join("; ")}.` },
    spec: (size) => calendarSpec({ cohorts, last: nextDay(newest, late) }, size),
  };
}

/** Where lines went; null where nothing was read. */
export function flowFigure({ flow }: Pick<Study, "flow">): StudyFigure | null {
  if (flow.read === 0) return null;
  const aside = sumOf(flow.quarantined);
  const ends = [
    { label: "In datasets", value: flow.kept, tone: "good" as const },
    { label: "Older versions of a record", value: flow.duplicates, tone: "plain" as const },
    { label: "Deleted by their sender", value: flow.deleted, tone: "plain" as const },
    { label: "Deletions themselves", value: flow.deletions, tone: "plain" as const },
    { label: "Sent again by a later export", value: flow.superseded, tone: "plain" as const },
    { label: "Not built yet", value: flow.waiting, tone: "plain" as const },
    { label: "Set aside", value: aside, tone: "bad" as const },
  ].filter(({ value }, index) => value > 0 || index === 0);
  const words = ends.map(({ label, value }) => `${label.toLowerCase()} ${number(value)}`);
  const reasons = mostFirst(flow.quarantined).map(
    ([reason, lines]) => `${number(lines)} ${reasonText(reason)}`,
  );
  const why = reasons.length === 0 ? "" : ` Set aside: ${list(reasons)}.`;
  return {
    id: "flow",
    title: "Where every line went",
    alt: `${count(flow.read, "line")} read: ${list(words)}.${why}`,
    spec: (size) => flowSpec(ends, flow.read, size),
  };
}

/** The records of a type over time; null where there are none to be told. */
export function typeFigure(
  type: Pick<TypeLine, "type" | "days">,
  cohorts: readonly string[],
): StudyFigure | null {
  const groups = cohorts
    .map((cohort) => ({ name: cohort, days: type.days[cohort] ?? {} }))
    .filter(({ days }) => Object.keys(days).length > 0);
  const days = groups.flatMap((group) => Object.keys(group.days)).sort();
  const [first, last] = [days[0], days.at(-1)];
  if (first === undefined || last === undefined) return null;
  const words = groups.map(({ name, days: own }) => {
    const total = sumOf(own);
    return `${name} ${count(total, "record")} of ${count(Object.keys(own).length, "day")}`;
  });
  return {
    id: `days-${type.type}`,
    title: "Records over time",
    alt: `${list(words)}, from ${date(first)} to ${date(last)}.`,
    spec: (size) => dayBarsSpec({ groups, noun: "records", first, last }, size),
  };
}

/** Datasets, or columns, that a figure of differences has room for. */
const MOST_BARS = 20;

/** What differs between two builds: by dataset, by column, over time. */
export function comparisonFigures(comparison: Comparison): readonly (StudyFigure | null)[] {
  const { datasets, days, staging, main } = comparison;
  const bars = (
    id: string,
    title: string,
    all: readonly { readonly label: string; readonly value: number }[],
  ): StudyFigure | null => {
    const most = all.filter(({ value }) => value > 0).sort((a, b) => b.value - a.value);
    const shown = most.slice(0, MOST_BARS).map((one) => ({ ...one, tone: "bad" as const }));
    const total = most.reduce((sum, { value }) => sum + value, 0);
    if (shown.length === 0) return null;
    const words = shown.map(({ label, value }) => `${label} ${number(value)}`);
    return { id, title, alt: `${list(words)}.`, spec: (size) => flowSpec(shown, total, size) };
  };
  const plain = (dataset: string): string => dataset.replace(/^dataset_/, "");
  const byDay = [
    { name: `only ${staging.label}`, days: days.onlyStaging },
    { name: `only ${main.label}`, days: days.onlyMain },
    { name: "unequal", days: days.unequal },
  ].filter((group) => Object.keys(group.days).length > 0);
  const all = byDay.flatMap((group) => Object.keys(group.days)).sort();
  const [first, last] = [all[0], all.at(-1)];
  return [
    bars(
      "compare-rows",
      "Rows that differ, by dataset",
      datasets.map(({ dataset, rows }) => ({
        label: plain(dataset),
        value: rows === null ? 0 : rows.onlyStaging + rows.onlyMain + rows.someUnequal,
      })),
    ),
    bars(
      "compare-columns",
      "Values that differ, by column",
      datasets.flatMap(({ dataset, unequal }) =>
        unequal.map((column) => ({
          label: `${plain(dataset)}.${column.name}`,
          value: column.unequal ?? 0,
        })),
      ),
    ),
    first === undefined || last === undefined
      ? null
      : {
          ...{ id: "compare-days", title: "Rows that differ, over time" },
          alt: `${list(byDay.map(({ name, days: own }) => `${name} on ${count(Object.keys(own).length, "day")}`))}, from ${date(first)} to ${date(last)}.`,
          spec: (size) => dayBarsSpec({ groups: byDay, noun: "rows", first, last }, size),
        },
  ];
}
