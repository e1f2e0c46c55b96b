// The page that is read in the morning: whether the newest data is whole, what is wrong, what is new, and where each type stands.

import { count, date, instant, list, listFew, number, percent } from "../../../format.ts";
import { HTML, type PageFigure, type PageFile } from "../../../render/page.ts";
import {
  type CellValue,
  makeTable,
  type TableColumn,
  type TableModel,
} from "../../../render/table.ts";
import { presenceStrip } from "../charts/presence.ts";
import { countOutcomes, isUndone } from "../data/checkResult.ts";
import type { CohortDays } from "../data/cohortDays.ts";
import { wasRead } from "../data/proof.ts";
import type { Study, TypeLine } from "../data/study.ts";
import { daysBefore } from "../data/studyDays.ts";
import {
  daysText,
  isQuiet,
  newestDay,
  type Problem,
  reasonText,
  studyProblems,
  typePage,
} from "../data/studyProblems.ts";
import { mostFirst, sumOf } from "../data/sums.ts";
import {
  dayCell,
  headOf,
  type PageContext,
  peopleCell,
  peopleText,
  toldCell,
  withheldText,
} from "./pageFrame.ts";

/** Days that the strip of a type shows. */
const STRIP_DAYS = 30;
/** Problems that are seen at once; the others are in a fold. */
const MOST_PROBLEMS = 12;

/** Makes index.html. */
export function makeOverviewPage(context: PageContext, calendar: PageFigure | null): PageFile {
  const { study, run, render } = context;
  const problems = studyProblems(study);
  const newest = newestDay(study);
  const model = {
    ...headOf(context, {
      title: "Digital-health cohorts",
      description: "What each cohort has sent, whether it is whole, and what is to be mended.",
      file: "index.html",
    }),
    ...{ sourceLabel: run.sourceLabel, builtAt: instant(run.startedAt), build: run.build },
    verdict: verdictOf(study, problems),
    problems: problems.slice(0, MOST_PROBLEMS).map(problemModel),
    hasMore: problems.length > MOST_PROBLEMS,
    moreTitle: `${number(problems.length - MOST_PROBLEMS)} more`,
    more: problems.slice(MOST_PROBLEMS).map(problemModel),
    headlines: headlines(study),
    news: freshOf(study),
    hasCalendar: calendar !== null,
    calendar: calendar ?? {},
    daysSummary: newest === null ? "" : daysSummary(study, newest),
    types: typesTable(context, newest),
    withheldNote: withheldNote(study),
    leastPeople: number(study.leastPeople),
  };
  return { path: "index.html", contentType: HTML, text: render("cohort/overview", model) };
}

function problemModel({ severity, text, page }: Problem) {
  return { severity, text, href: page };
}

/** What a type is of which the datasets do not show all that was sent. */
const UNBUILT: readonly TypeLine["stand"][] = ["behind", "failed", "blocked"];

/** One line that says whether the newest day is whole. */
export function verdictOf(study: Study, problems: readonly Problem[]) {
  const newest = newestDay(study);
  if (newest === null) {
    return { tone: "warning", text: "Nothing has been read yet.", lead: "" };
  }
  const own = study.exports.filter(({ day, stand }) => day === newest && wasRead(stand));
  const silent = study.cohorts.filter(
    ({ first, newest: last }) => first !== null && last !== newest,
  );
  const behind = daysBefore(newest, study.today);
  const damaged = study.exports.filter(
    ({ day, stand, findings, quarantined }) =>
      day === newest &&
      (!wasRead(stand) || findings.length > 0 || Object.keys(quarantined).length > 0),
  );
  const blocked = study.types.some(({ stand }) => UNBUILT.includes(stand));
  const failing = study.checks.some(({ outcome }) => outcome === "failed");
  const isWhole = silent.length === 0 && damaged.length === 0 && !blocked && study.isWhole;
  const read = own.reduce((sum, one) => sum + one.read, 0);
  const lead = `${count(own.length, "export")} of ${list([...new Set(own.map(({ cohort }) => cohort))])}, ${count(read, "record")}.`;
  if (behind > 1) {
    const text = `Nothing has come for ${count(behind, "day")}.`;
    return { tone: "error", text, lead: `The newest data is of ${date(newest)}: ${lead}` };
  }
  if (!isWhole) return { tone: "error", text: `The data of ${date(newest)} is not whole.`, lead };
  if (failing) {
    return {
      tone: "warning",
      text: `The data of ${date(newest)} is whole, but checks fail.`,
      lead,
    };
  }
  if (study.checks.some(isUndone)) {
    const text = `The data of ${date(newest)} is whole, but not all checks were done.`;
    return { tone: "warning", text, lead };
  }
  const tone = problems.some(({ severity }) => severity === "error") ? "warning" : "good";
  const text =
    tone === "good"
      ? `The data of ${date(newest)} is whole.`
      : `The data of ${date(newest)} is whole; other things are to be mended.`;
  return { tone, text, lead };
}

function checksNote(checks: Study["checks"]): string {
  const { failed } = countOutcomes(checks);
  const undone = checks.filter(isUndone).length;
  if (failed > 0) return `${number(failed)} ${failed === 1 ? "fails" : "fail"}`;
  if (undone > 0) return `${number(undone)} not done`;
  return checks.length === 0 ? "there are none" : "none fails";
}

function headlines(study: Study) {
  const { flow, exports, checks, types } = study;
  const enrolled = types.find(({ withheld, people }) => withheld === "people" && people.length > 0);
  const [mostAside] = mostFirst(flow.quarantined);
  const lines = sumOf(flow.quarantined);
  const { passed } = countOutcomes(checks);
  const read = exports.filter(({ stand }) => wasRead(stand));
  const withData = types.filter(({ presence, deletes }) => deletes === null && presence.length > 0);
  const all = types.filter(({ deletes }) => deletes === null);
  return [
    ...study.cohorts.map((cohort) => cohortHeadline(cohort, enrolled, study.leastPeople)),
    {
      label: "Exports",
      value: number(read.length),
      note: `${count(
        read.reduce((sum, { memberCount }) => sum + memberCount, 0),
        "member",
      )} with data`,
    },
    {
      label: "Records in datasets",
      value: number(flow.kept),
      note: `of ${number(flow.read)} read`,
    },
    {
      label: "Lines set aside",
      value: number(lines),
      note:
        lines === 0
          ? "none"
          : `${percent(lines / Math.max(1, flow.read))}, mostly ${reasonText(mostAside?.[0] ?? "")}`,
    },
    {
      label: "Checks",
      value: checks.length === 0 ? "–" : `${number(passed)} of ${number(checks.length)}`,
      note: checksNote(checks),
    },
    {
      label: "Types with data",
      value: number(withData.length),
      note: `of ${number(all.length)}`,
    },
  ];
}

function cohortHeadline(
  { cohort, newest, exports }: CohortDays,
  enrolled: TypeLine | undefined,
  least: number,
) {
  const told = enrolled?.people.find((one) => one.cohort === cohort);
  const note = newest === null ? "nothing sent yet" : `newest ${date(newest)}`;
  return told === undefined
    ? { label: cohort, value: count(exports, "export"), note }
    : { label: `${cohort}, participants`, value: peopleText(told, least), note };
}

/** What has come since the last run, in a few sentences. */
export function freshOf(study: Study): readonly string[] {
  const fresh = study.exports.filter(({ isNew, stand }) => isNew && wasRead(stand));
  const grown = study.types.flatMap(({ type, rows, rowsBefore }) =>
    rows !== null && rowsBefore !== null && rows > rowsBefore
      ? [{ type, by: rows - rowsBefore }]
      : [],
  );
  const shrunk = study.types.flatMap(({ type, rows, rowsBefore }) =>
    rows !== null && rowsBefore !== null && rows < rowsBefore
      ? [{ type, by: rowsBefore - rows }]
      : [],
  );
  const most = grown.toSorted((a, b) => b.by - a.by);
  const said = (
    sign: string,
    all: readonly { readonly type: string; readonly by: number }[],
  ): string =>
    listFew(
      all.map(({ type, by }) => `${type} ${sign}${number(by)}`),
      4,
    );
  return [
    ...(fresh.length === 0
      ? []
      : [
          `${count(fresh.length, "export")} read: ${listFew(
            fresh.map(({ cohort, day }) => `${cohort} of ${day === null ? "no day" : date(day)}`),
            4,
          )}.`,
        ]),
    ...(most.length === 0 ? [] : [`More records: ${said("+", most)}.`]),
    ...(shrunk.length === 0 ? [] : [`Fewer records: ${said("−", shrunk)}.`]),
    ...(study.newColumns.length === 0
      ? []
      : [
          `New ${study.newColumns.length === 1 ? "column" : "columns"}: ${listFew(study.newColumns)}.`,
        ]),
  ];
}

function daysSummary({ cohorts }: Study, newest: string): string {
  const gaps = cohorts.filter((cohort) => cohort.gaps.length > 0);
  if (gaps.length === 0) return `No day is missing up to ${date(newest)}.`;
  const words = gaps.map(({ cohort, gaps: days }) => `${cohort} lacks ${daysText(days)}`);
  return `${list(words)}.`;
}

function typesTable({ study }: PageContext, newest: string | null): TableModel {
  const lastData =
    study.types
      .flatMap((type) => type.newest ?? [])
      .sort()
      .at(-1) ??
    newest ??
    "";
  const cohorts = study.cohorts.map(({ cohort }) => cohort);
  const columns: readonly TableColumn[] = [
    { key: "type", label: "Data type", kind: "text" },
    { key: "state", label: "State", kind: "text" },
    { key: "days", label: `Last ${STRIP_DAYS} days`, kind: "number", hint: "Days with records" },
    { key: "newest", label: "Newest", kind: "date", hint: "When its newest export ends" },
    { key: "rows", label: "Records", kind: "number", hint: "In its dataset" },
    ...cohorts.map((cohort): TableColumn => ({
      key: `people-${cohort}`,
      label: cohort,
      kind: "number",
      hint: `Participants of ${cohort} with records`,
    })),
    { key: "aside", label: "Set aside", kind: "number", hint: "Lines" },
    { key: "checks", label: "Checks", kind: "text", hint: "Passed, of those that ran" },
  ];
  return makeTable({
    id: "types",
    name: `cohorts-${study.namespace}-types`,
    caption: "Data types",
    columns,
    rows: study.types.map((type) => typeCells(type, study, cohorts, lastData)),
    empty: "The schema declares no type.",
    allHref: "data/index.json",
  });
}

function typeCells(
  type: TypeLine,
  { leastPeople }: Study,
  cohorts: readonly string[],
  last: string,
): readonly CellValue[] {
  const { withheld, presence, newest, rows, rowsBefore, people, quarantined } = type;
  const isThere = presence.length > 0;
  const behind = newest === null || last === "" ? 0 : daysBefore(newest, last);
  const grown = rows !== null && rowsBefore !== null && rows !== rowsBefore ? rows - rowsBefore : 0;
  const sum = sumOf(quarantined);
  return [
    { text: type.type, href: typePage(type.type) },
    stateCell(type, last),
    !isThere
      ? ""
      : {
          text: "",
          value: presence.length,
          svg: presenceStrip(presence, { last, days: STRIP_DAYS, label: type.type }),
        },
    dayCell(newest, behind === 0 ? {} : { note: `${count(behind, "day")} before the newest` }),
    !isThere || type.deletes !== null
      ? ""
      : toldCell(
          withheld === null ? rows : null,
          grown === 0 ? {} : { note: `${grown > 0 ? "+" : "−"}${number(Math.abs(grown))}` },
        ),
    ...cohorts.map((cohort) =>
      peopleCell(
        people.find((one) => one.cohort === cohort),
        leastPeople,
      ),
    ),
    Object.keys(quarantined).length === 0
      ? ""
      : withheld !== null
        ? toldCell(null)
        : { text: number(sum), value: sum, tone: "warning" },
    checksCell(type),
  ];
}

/** Where a type stands, in a word or two. */
export function stateCell(type: TypeLine, last: string): CellValue {
  const { stand, blocked } = type;
  if (stand === "blocked") {
    return { text: "blocked", tone: "error", note: `since ${date(blocked?.since ?? "")}` };
  }
  if (stand === "failed") return { text: "failed", tone: "error" };
  if (stand === "empty") return { text: "no data", tone: "muted" };
  if (stand === "behind") return { text: "not built yet", tone: "warning" };
  if (last !== "" && isQuiet(type, last)) return { text: "silent", tone: "warning" };
  return { text: "current", tone: "good" };
}

function checksCell({ checks }: TypeLine): CellValue {
  if (checks.length === 0) return "";
  const { passed, failed } = countOutcomes(checks);
  if (failed + passed === 0) return { text: "not run", tone: "muted" };
  return {
    text: `${number(passed)} of ${number(passed + failed)}`,
    tone: failed === 0 ? "good" : "warning",
  };
}

function withheldNote({ withheld, leastPeople, types }: Study): string {
  const few = types.filter((type) => type.withheld === "few").map(({ type }) => type);
  if (withheld.length === 0) return "";
  if (few.length === 0) return "";
  return `${withheldText("few", leastPeople).replace("this type", listFew(few))}`;
}
