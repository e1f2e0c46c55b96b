// The reconciliation: every export, what it held, where its lines went, and whether its sender counts the same.

import { count, instant, number, percent } from "../../../format.ts";
import { showName } from "../../../formats/badMember.ts";
import { HTML, type PageFigure, type PageFile } from "../../../render/page.ts";
import { type CellValue, makeTable, type TableModel } from "../../../render/table.ts";
import { type ExportLine, type MemberLine, MEMBERS_OF_EXPORTS } from "../data/studyExports.ts";
import { findingWords, reasonText, standText, typePage } from "../data/studyProblems.ts";
import { mostFirst, sumOf } from "../data/sums.ts";
import { dayCell, headOf, type PageContext, toldCell } from "./pageFrame.ts";

/** Makes exports.html. */
export function makeExportsPage(context: PageContext, flow: PageFigure | null): PageFile {
  const { study, run, render } = context;
  const { read, written, quarantined } = study.flow;
  const lines = sumOf(quarantined);
  const members = recentMembers(study.exports);
  const model = {
    ...headOf(context, {
      title: "Exports",
      description: "Every export, and where each of its lines went.",
      file: "exports.html",
    }),
    ...{ sourceLabel: run.sourceLabel, builtAt: instant(run.startedAt), build: run.build },
    isWhole: study.isWhole,
    sum: `${count(read, "line")} read = ${number(written)} written + ${number(lines)} set aside`,
    hasFlow: flow !== null,
    flow: flow ?? {},
    reasons: reasonsTable(context),
    exports: exportsTable(context),
    members: membersTable(context, members),
    membersNote:
      members.length === 0
        ? ""
        : `Members of the newest ${count(Math.min(study.exports.length, MEMBERS_OF_EXPORTS), "export")}.`,
    leastPeople: number(study.leastPeople),
    hasWithheld: study.withheld.length > 0,
  };
  return { path: "exports.html", contentType: HTML, text: render("cohort/exports", model) };
}

/** The members that are told, each with its export. */
export function recentMembers(
  exports: readonly ExportLine[],
): readonly { readonly of: ExportLine; readonly member: MemberLine }[] {
  return exports.flatMap((of) => of.members.map((member) => ({ of, member })));
}

function reasonsTable({ study }: PageContext): TableModel {
  const { quarantined, read } = study.flow;
  return makeTable({
    id: "reasons",
    name: `cohorts-${study.namespace}-reasons`,
    caption: "Lines set aside, by reason",
    columns: [
      { key: "reason", label: "Reason", kind: "text" },
      { key: "words", label: "The line is", kind: "text", prose: true },
      { key: "lines", label: "Lines", kind: "number" },
      { key: "share", label: "Of all", kind: "share" },
      { key: "exports", label: "Exports", kind: "number" },
    ],
    rows: mostFirst(quarantined).map(([reason, lines]) => [
      reason,
      reasonText(reason),
      lines,
      { text: percent(lines / Math.max(1, read)), value: lines / Math.max(1, read) },
      study.exports.filter((one) => Object.hasOwn(one.quarantined, reason)).length,
    ]),
    empty: "No line was set aside.",
  });
}

function exportsTable({ study }: PageContext): TableModel {
  return makeTable({
    id: "exports",
    name: `cohorts-${study.namespace}-exports`,
    caption: "Exports",
    columns: [
      { key: "day", label: "Day", kind: "date" },
      { key: "cohort", label: "Cohort", kind: "text" },
      { key: "state", label: "State", kind: "text" },
      { key: "members", label: "Members", kind: "number", hint: "With data" },
      { key: "read", label: "Read", kind: "number", hint: "Lines that are not blank" },
      { key: "written", label: "Written", kind: "number" },
      { key: "aside", label: "Set aside", kind: "number" },
      {
        key: "manifest",
        label: "Manifest",
        kind: "number",
        hint: "Records that its sender counts",
      },
      {
        key: "again",
        label: "Sent again",
        kind: "number",
        hint: "Members that a later export has",
      },
      { key: "found", label: "Found", kind: "text", prose: true },
      { key: "export", label: "Export", kind: "text", prose: true },
    ],
    rows: study.exports.map(exportCells),
    empty: "Nothing has been read yet.",
    allHref: "data/exports.csv",
  });
}

function exportCells(one: ExportLine): readonly CellValue[] {
  const { name, cohort, day, memberCount, read, written, manifest, superseded, quarantined } = one;
  const aside = sumOf(quarantined);
  const isKnown = one.schema !== null;
  const isDiffering = one.findings.some(({ code }) => code === "manifest_mismatch");
  return [
    day === null ? "no day" : dayCell(day, one.isNew ? { note: "new" } : {}),
    cohort,
    standCell(one),
    isKnown ? memberCount : "",
    isKnown ? read : "",
    isKnown ? written : "",
    aside === 0 ? (isKnown ? 0 : "") : { text: number(aside), value: aside, tone: "warning" },
    isKnown
      ? { text: number(manifest), value: manifest, ...(isDiffering ? { tone: "error" } : {}) }
      : "",
    isKnown ? superseded : "",
    one.why ?? findingWords(one).join("; "),
    showName(name),
  ];
}

function standCell({ stand }: ExportLine): CellValue {
  if (stand === "read") return { text: "read", tone: "good" };
  if (stand === "gone") return { text: "read, and gone since", tone: "muted" };
  if (stand === "waiting" || stand === "changed")
    return { text: standText(stand), tone: "warning" };
  return { text: standText(stand), tone: "error" };
}

function membersTable(
  { study }: PageContext,
  members: ReturnType<typeof recentMembers>,
): TableModel {
  return makeTable({
    id: "members",
    name: `cohorts-${study.namespace}-members`,
    caption: "Members",
    columns: [
      { key: "member", label: "Member", kind: "text", prose: true },
      { key: "cohort", label: "Cohort", kind: "text" },
      { key: "day", label: "Export of", kind: "date" },
      { key: "type", label: "Type", kind: "text" },
      { key: "state", label: "State", kind: "text" },
      { key: "read", label: "Read", kind: "number" },
      { key: "written", label: "Written", kind: "number" },
      { key: "aside", label: "Set aside", kind: "number" },
      { key: "reasons", label: "Why", kind: "text" },
      { key: "manifest", label: "Manifest", kind: "number" },
    ],
    rows: members.map(({ of, member }) => memberCells(of, member)),
    empty: "No export has members.",
    allHref: "data/members.csv",
  });
}

function memberCells({ cohort, day }: ExportLine, member: MemberLine): readonly CellValue[] {
  const { name, type, read, written, manifest, isWithheld, quarantined } = member;
  const aside = sumOf(quarantined);
  const toldOr = (value: number | null): CellValue =>
    isWithheld ? toldCell(null) : value === null ? "unknown" : value;
  return [
    showName(name),
    cohort,
    dayCell(day),
    type === null ? "" : { text: type, href: typePage(type) },
    memberState(member),
    toldOr(read),
    toldOr(written),
    isWithheld
      ? toldCell(null)
      : aside === 0
        ? 0
        : { text: number(aside), value: aside, tone: "warning" },
    mostFirst(quarantined)
      .map(([reason]) => reason)
      .join(" "),
    isWithheld ? toldCell(null) : manifest === null ? "" : manifest,
  ];
}

function memberState({ status, isSuperseded }: MemberLine): CellValue {
  if (status === "bad_member") return { text: "damaged", tone: "error" };
  if (status === "bad_member_name") return { text: "name says nothing", tone: "error" };
  if (status === "unknown_type") return { text: "unknown type", tone: "warning" };
  return isSuperseded ? { text: "sent again", tone: "muted" } : { text: "counts", tone: "good" };
}
