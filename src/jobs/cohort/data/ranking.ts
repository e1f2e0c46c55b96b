// Which members count: of a member that was sent again, the last; and the order in which the records of members win.

import type { ExportReport, MemberReport } from "./report.ts";
import { byText } from "./text.ts";

/** A member of an export. */
export interface MemberOf {
  readonly report: ExportReport;
  readonly member: MemberReport;
}

/**
 * Tells the members that a later export has sent again: of those of one cohort and one id, only those of the export with the greatest name
 * count. What failed, and what is empty, supersedes nothing.
 */
export function supersededMembers(reports: readonly ExportReport[]): ReadonlySet<MemberReport> {
  const latest = new Map<string, string>();
  const sent: { readonly key: string; readonly name: string; readonly member: MemberReport }[] = [];
  for (const { cohort, export: name, members } of reports) {
    for (const member of members) {
      if (member.id === null || member.status === "bad_member") continue;
      const key = `${cohort}/${member.id}`;
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
