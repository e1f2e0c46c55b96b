// Findings of an export for the ledger, the log and Slack: members and counts, never a value.

import type { Finding, Severity } from "../../../finding.ts";
import { count } from "../../../format.ts";
import { showName } from "../../../formats/badMember.ts";
import type { ExportReport, ReportFinding } from "./report.ts";

/** How bad a finding of an export is. */
export const SEVERITIES: Readonly<Record<ReportFinding["code"], Severity>> = {
  manifest_mismatch: "error",
  bad_member: "error",
  bad_member_name: "error",
  bad_manifest: "warning",
  no_manifest: "warning",
  bad_export_name: "error",
  unknown_type: "warning",
  too_many_fields: "warning",
  duplicate_member: "warning",
};

/** So many findings of a kind are told of one by one: an archive may have a hundred thousand members, all of them bad. */
const MOST_OF_A_KIND = 100;

/** Turns what is wrong with an export into findings: of the export, of its members, and of lines that were set aside. */
export function reportFindings(report: ExportReport): readonly Finding[] {
  const { cohort, export: name, outcome, why, findings, members } = report;
  const subject = `${cohort}/${name}`;
  const make = (
    rule: string,
    severity: Severity,
    message: string,
    member: string | null,
  ): Finding => ({
    ...{ rule, severity, subject, row: null, message },
    fields: member === null ? {} : { member },
  });
  if (outcome !== "read") {
    return [make(outcome, "error", `The export was set aside: ${why ?? outcome}.`, null)];
  }
  const own = findings.map((found) =>
    make(found.code, SEVERITIES[found.code], sentence(found), found.member),
  );
  const quarantined = members.flatMap(({ name: member, status, quarantined: lines }) =>
    status !== "ok"
      ? []
      : Object.entries(lines).map(([reason, lineCount]) =>
          make(
            reason,
            "warning",
            `${showName(member)}: ${count(lineCount, "line")} set aside, ${reason}.`,
            member,
          ),
        ),
  );
  return mostOfAKind([...own, ...quarantined], "member");
}

/** Leaves as many findings of each kind as are told one by one, and one that says how many more there are. */
export function mostOfAKind(
  findings: readonly Finding[],
  noun: "member" | "object",
): readonly Finding[] {
  return [...Map.groupBy(findings, ({ rule }) => rule).values()].flatMap((kind) => {
    const [first] = kind;
    const more = kind.length - MOST_OF_A_KIND;
    if (first === undefined || more <= 0) return kind;
    const [of, subject] = noun === "member" ? [" of this export", first.subject] : ["", ""];
    const message = `${count(more, `more ${noun}`)}${of}: ${first.rule}.`;
    return [...kind.slice(0, MOST_OF_A_KIND), { ...first, subject, message, fields: {} }];
  });
}

function sentence({ code, member: name, manifest, read, why }: ReportFinding): string {
  const member = showName(name ?? "");
  switch (code) {
    case "manifest_mismatch":
      return manifest === null || manifest === undefined
        ? `The manifest does not count ${member}, which has ${count(read ?? 0, "record")}.`
        : `The manifest counts ${count(manifest, "record")} of ${member}; ${read ?? 0} were read.`;
    case "bad_export_name":
      return "The export's name begins with a day that there is not: which member counts of those sent again, and which schema it is read by, goes by that name.";
    case "no_manifest":
      return "The export has no manifest: nothing says how many records it should have.";
    case "bad_manifest":
      return `The manifest cannot be read: ${why ?? ""}.`;
    case "bad_member":
      return `${member} ${why ?? "is not what the archive says"}: nothing of it is used.`;
    case "bad_member_name":
      return `The name of ${member} does not say what it holds and of which days: none of its lines is used.`;
    case "unknown_type":
      return `${member} is of a type that nobody declared: it is copied, and in no dataset.`;
    case "too_many_fields":
      return `${member} ${why ?? "has fields that are no columns"}; the others are in its copies alone.`;
    case "duplicate_member":
      return `The archive has several members called ${member}: the last is used.`;
  }
}
