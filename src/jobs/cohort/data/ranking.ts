// Which members count: of a member that was sent again, the last; and the order in which the records of members win.

import type { ExportReport, MemberReport } from "./report.ts";
import { byText } from "./text.ts";

/** A member of an export. */
export interface MemberOf {
  readonly report: ExportReport;
  readonly member: MemberReport;
}

/** Tells whether a member takes the place of those of its id that were sent before. What failed, and what is empty, supersedes nothing. */
function supersedes(member: MemberReport): boolean {
  return idOf(member) !== null && member.status !== "bad_member";
}

/** What a member has in common with those that take its place: what its name says, or, where that is nothing, where its copy lies. */
function idOf({ id, raw }: MemberReport): string | null {
  return id ?? (raw === null ? null : copyId(raw.key));
}

/** The id of a member whose name says nothing, by the key of its copy. */
export function copyId(key: string): string {
  return `copy ${key}`;
}

/** Names the members, by their ids, that exports of a cohort after this one have sent: the places hold their copies. */
export function laterIds(
  reports: readonly ExportReport[],
  { cohort, export: name }: Pick<ExportReport, "cohort" | "export">,
): readonly string[] {
  return reports
    .filter((report) => report.cohort === cohort && byText(report.export, name) > 0)
    .flatMap(({ members }) => members.filter(supersedes))
    .flatMap((member) => idOf(member) ?? []);
}

/**
 * Tells the members that a later export has sent again: of those of one cohort and one id, only those of the export with the greatest name
 * count.
 */
export function supersededMembers(reports: readonly ExportReport[]): ReadonlySet<MemberReport> {
  const latest = new Map<string, string>();
  const sent: { readonly key: string; readonly name: string; readonly member: MemberReport }[] = [];
  for (const { cohort, export: name, members } of reports) {
    for (const member of members) {
      const id = idOf(member);
      if (id === null || !supersedes(member)) continue;
      const key = `${cohort}/${id}`;
      const before = latest.get(key);
      if (before === undefined || byText(before, name) < 0) latest.set(key, name);
      sent.push({ key, name, member });
    }
  }
  return new Set(
    sent.filter(({ key, name }) => latest.get(key) !== name).map(({ member }) => member),
  );
}

/** Orders members as their records win: by the day that the export ends, its name, the cohort, the member's name. */
export function byRank(a: MemberOf, b: MemberOf): number {
  return (
    byText(a.member.end ?? "", b.member.end ?? "") ||
    byText(a.report.export, b.report.export) ||
    byText(a.report.cohort, b.report.cohort) ||
    byText(a.member.name, b.member.name)
  );
}
