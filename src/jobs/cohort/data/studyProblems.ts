// What is wrong with a study, in sentences: the most pressing first, what is of today before what is known for long. Names and counts that
// may be told in public; never a value.

import { count, date, instant, list, listFew, number } from "../../../format.ts";
import { showName } from "../../../formats/badMember.ts";
import { isUndone, NOT_DONE } from "./checkResult.ts";
import type { CohortDays } from "./cohortDays.ts";
import { SEVERITIES } from "./findings.ts";
import type { LineReason } from "./lineJudge.ts";
import { wasRead } from "./proof.ts";
import type { ReportCode } from "./report.ts";
import type { Study, TypeLine } from "./study.ts";
import { daysBefore, nextDay } from "./studyDays.ts";
import type { ExportLine } from "./studyExports.ts";
import { addByName, mostFirst, sumOf } from "./sums.ts";

export interface Problem {
  readonly severity: "error" | "warning";
  readonly text: string;
  /** Where more is told: a page of the cohorts, with a part of it. */
  readonly page: string;
}

/** Exports of so many days before the newest are told of one by one; older ones are counted. */
const RECENT_DAYS = 7;
/** A type that sent daily is missed after so many days. */
const QUIET_DAYS = 3;

/** Why lines were set aside, in words. */
const REASONS: Readonly<Record<LineReason, string>> = {
  bad_utf8: "not UTF-8",
  bad_json: "not JSON",
  not_object: "not an object",
  bad_value: "a value that cannot be read",
  missing_key: "a key that is missing",
  line_too_long: "too long",
  bad_member_name: "in a member whose name says nothing",
};

/** What findings of an export are called. */
const CODES: Readonly<Record<ReportCode, string>> = {
  manifest_mismatch: "its manifest counts otherwise",
  bad_export_name: "its name begins with a day that there is not",
  no_manifest: "it has no manifest",
  bad_manifest: "its manifest cannot be read",
  bad_member: "a member is damaged",
  bad_member_name: "a member's name says nothing",
  unknown_type: "a member is of a type that nobody declared",
  too_many_fields: "a member has more fields than are columns",
  duplicate_member: "it has two members of one name",
};

/** A reason in words; one that only another version of hdash knows, as it is called. */
export function reasonText(reason: string): string {
  return Object.hasOwn(REASONS, reason) ? REASONS[reason as LineReason] : reason;
}

/** What is found of an export, each kind once. */
export function findingWords({ findings }: ExportLine): readonly string[] {
  return [...new Set(findings.map(({ code }) => code))].map((code) => {
    const members = findings.filter((one) => one.code === code);
    const named = members.flatMap(({ member }) => (member === null ? [] : [showName(member)]));
    const words = Object.hasOwn(CODES, code) ? CODES[code] : code;
    return named.length === 0 ? words : `${words} (${listFew(named, 2)})`;
  });
}

/** Lists what is wrong. */
export function studyProblems(study: Study): readonly Problem[] {
  const all = [
    ...sums(study),
    ...missing(study),
    ...setAside(study),
    ...types(study),
    ...checks(study),
    ...exportFindings(study),
    ...lines(study),
    ...quiet(study),
  ];
  return [
    ...all.filter(({ severity }) => severity === "error"),
    ...all.filter(({ severity }) => severity === "warning"),
  ];
}

function sums({ isWhole }: Study): readonly Problem[] {
  const text =
    "The numbers of some exports do not add up: what was read is not what was written and set aside. This is a fault of hdash.";
  return isWhole ? [] : [{ severity: "error", text, page: "exports.html" }];
}

/** The newest day of any cohort; null where nothing was read. */
export function newestDay({ cohorts }: Pick<Study, "cohorts">): string | null {
  const days = cohorts.flatMap(({ newest }) => newest ?? []).sort();
  return days.at(-1) ?? null;
}

/** Says days in a few words: ranges where they follow each other. */
export function daysText(days: readonly string[], few = 4): string {
  const ranges: [first: string, last: string][] = [];
  for (const day of days) {
    const open = ranges.at(-1);
    if (open !== undefined && nextDay(open[1]) === day) open[1] = day;
    else ranges.push([day, day]);
  }
  const words = ranges
    .toReversed()
    .map(([first, last]) => (first === last ? date(first) : `${date(first)} to ${date(last)}`));
  return words.length > few ? listFew(words, few) : list(words);
}

function missing(study: Study): readonly Problem[] {
  const page = "index.html#days";
  const newest = newestDay(study);
  const found: Problem[] = [];
  if (newest === null) {
    return [{ severity: "warning", text: "No export has been read yet.", page: "exports.html" }];
  }
  const behind = daysBefore(newest, study.today);
  if (behind > 1) {
    const text = `No cohort has sent anything since ${date(newest)}, ${count(behind, "day")} before this run.`;
    found.push({ severity: "error", text, page });
  }
  for (const cohort of study.cohorts) {
    const problem = gapsOf(cohort, newest);
    if (problem !== null) found.push({ ...problem, page });
  }
  return found;
}

function gapsOf(
  { cohort, first, gaps, unread, newest: own }: CohortDays,
  newest: string,
): Omit<Problem, "page"> | null {
  if (first === null) return { severity: "warning", text: `${cohort} has never sent an export.` };
  const isRecent = gaps.some((day) => daysBefore(day, newest) < RECENT_DAYS);
  const tail = own === newest ? "" : `, and nothing since ${date(own ?? first)}`;
  const damaged = gaps.filter((day) => unread.includes(day));
  const sent =
    damaged.length === 0 ? "" : ` What it sent on ${daysText(damaged)} could not be read.`;
  if (gaps.length === 0) return null;
  const text = `${cohort} has no export of ${daysText(gaps)} (${count(gaps.length, "day")})${tail}.${sent}`;
  return { severity: isRecent ? "error" : "warning", text };
}

const STANDS: Readonly<Record<string, string>> = {
  unknown_cohort: "of a cohort that nobody has declared",
  no_file: "no file but a link or the like",
  bad_name: "of a name that cannot be read",
  empty_object: "empty",
  not_archive: "no zip archive",
  truncated_archive: "a zip archive that was cut short",
  too_many_members: "an archive of too many members",
  waiting: "not read yet",
  changed: "another than it was, and not read again yet",
};

/** What an export is that has not been read, in words. */
export function standText(stand: string): string {
  return Object.hasOwn(STANDS, stand) ? (STANDS[stand] ?? stand) : stand;
}

/** Exports that were set aside whole. */
function setAside(study: Study): readonly Problem[] {
  const newest = newestDay(study);
  const own = study.exports.filter(({ stand }) => !wasRead(stand));
  const byStand = Map.groupBy(own, ({ stand }) => stand);
  return [...byStand].map(([stand, all]) => {
    const isRecent = all.some((one) => isRecentExport(one, newest));
    const what = standText(stand);
    const names = listFew(
      all.map(({ key }) => showName(key)),
      2,
    );
    const text =
      all.length === 1
        ? `${names} is ${what}.`
        : `${number(all.length)} exports are ${what}: ${names}.`;
    const isWaiting = stand === "waiting" || stand === "changed";
    return { severity: isRecent && !isWaiting ? "error" : "warning", text, page: "exports.html" };
  });
}

function isRecentExport({ day, isNew }: ExportLine, newest: string | null): boolean {
  return isNew || day === null || newest === null || daysBefore(day, newest) < RECENT_DAYS;
}

function types({ types: all }: Study): readonly Problem[] {
  const failed = all.filter(({ stand }) => stand === "failed");
  const found: Problem[] = [];
  for (const { type, blocked } of all) {
    if (blocked === null) continue;
    const fails = blocked.checks.length === 1 ? "fails" : "fail";
    const text = `${type} is held back since ${instant(blocked.since)}: ${list(blocked.checks)} ${fails} on what came.`;
    found.push({ severity: "error", text, page: typePage(type) });
  }
  const behind = all.filter(({ stand }) => stand === "behind");
  if (behind.length > 0) {
    const names = listFew(behind.map(({ type }) => type));
    const text = `Records of ${names} have come that are in no dataset yet: they are not built.`;
    found.push({ severity: "warning", text, page: "index.html#types" });
  }
  if (failed.length > 0) {
    const names = listFew(failed.map(({ type }) => type));
    const text = `${names} could not be built: ${failed.length === 1 ? "its" : "their"} datasets are those of a build before.`;
    found.push({ severity: "error", text, page: "index.html#types" });
  }
  return found;
}

/** The page of a type. */
export function typePage(type: string): string {
  return `${type}.html`;
}

function checks(study: Study): readonly Problem[] {
  const failed = study.checks.filter(({ outcome }) => outcome === "failed");
  const undone = study.checks.filter(isUndone);
  const found: Problem[] = [];
  if (failed.length > 0) {
    const names = listFew(
      failed.map(({ text, unexpected }) =>
        unexpected === null ? text : `${text} (${count(unexpected, "row")} not so)`,
      ),
      3,
    );
    const text = `${count(failed.length, "check")} of ${number(study.checks.length)} ${failed.length === 1 ? "fails" : "fail"}: ${names}.`;
    found.push({
      severity: failed.some(({ blocks }) => blocks) ? "error" : "warning",
      text,
      page: "checks.html",
    });
  }
  const awaited = undone.filter(({ why }) => why === NOT_DONE).length;
  if (awaited > 0) {
    const text = `${count(awaited, "check")} of ${number(study.checks.length)} ${awaited === 1 ? "has" : "have"} not been done since the datasets were built.`;
    found.push({ severity: "warning", text, page: "checks.html" });
  }
  const broken = undone.length - awaited;
  if (broken > 0) {
    const text = `${count(broken, "check")} of ${number(study.checks.length)} could not be done.`;
    found.push({ severity: "warning", text, page: "checks.html" });
  }
  return found;
}

/** What is wrong with exports that were read: of recent ones by name, of others how many there are. */
function exportFindings(study: Study): readonly Problem[] {
  const newest = newestDay(study);
  const own = study.exports.filter(
    ({ stand, findings }) => stand === "read" && findings.length > 0,
  );
  const recent = own.filter((one) => isRecentExport(one, newest));
  const older = own.length - recent.length;
  const page = "exports.html";
  return [
    ...recent.map((one): Problem => {
      const isError = one.findings.some(({ code }) => SEVERITIES[code] === "error");
      const text = `${showName(one.key)}: ${list(findingWords(one))}.`;
      return { severity: isError ? "error" : "warning", text, page };
    }),
    ...(older === 0
      ? []
      : [
          {
            severity: "warning" as const,
            text: `${count(older, "older export")} with findings.`,
            page,
          },
        ]),
  ];
}

/** Lines that were set aside, of recent exports by reason. */
function lines(study: Study): readonly Problem[] {
  const newest = newestDay(study);
  const recent = study.exports.filter((one) => isRecentExport(one, newest));
  const reasons = addByName(recent.map(({ quarantined }) => quarantined));
  const hidden = new Set(
    recent.flatMap(({ members }) =>
      members.flatMap(({ type, isWithheld, quarantined }) =>
        isWithheld && Object.keys(quarantined).length > 0 ? [type ?? "members of no type"] : [],
      ),
    ),
  );
  const found: Problem[] = [];
  const total = sumOf(reasons);
  if (total > 0) {
    const words = mostFirst(reasons).map(([reason, own]) => `${number(own)} ${reasonText(reason)}`);
    const text = `${count(total, "line")} of the newest ${RECENT_DAYS} days ${total === 1 ? "was" : "were"} set aside: ${list(words)}.`;
    found.push({ severity: "warning", text, page: "exports.html" });
  }
  if (hidden.size > 0) {
    const text = `Lines of ${listFew([...hidden].sort())} were set aside.`;
    found.push({ severity: "warning", text, page: "exports.html" });
  }
  return found;
}

/** Types that used to send and have stopped. */
function quiet(study: Study): readonly Problem[] {
  const newest = study.types
    .flatMap(({ newest: own }) => own ?? [])
    .sort()
    .at(-1);
  if (newest === undefined) return [];
  const own = study.types.filter((type) => isQuiet(type, newest));
  if (own.length === 0) return [];
  const names = listFew(own.map(({ type, newest: last }) => `${type} since ${date(last ?? "")}`));
  return [{ severity: "warning", text: `No records of ${names}.`, page: "index.html#types" }];
}

/** Tells whether a type that had data on most days has had none of late. */
export function isQuiet({ newest: own, presence, deletes }: TypeLine, newest: string): boolean {
  if (own === null || deletes !== null) return false;
  const behind = daysBefore(own, newest);
  const span = daysBefore(presence[0] ?? own, own) + 1;
  return behind >= QUIET_DAYS && presence.length * 2 > span;
}
