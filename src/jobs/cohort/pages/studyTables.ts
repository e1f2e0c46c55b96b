// What pages about cohorts hand out as CSV.

import type { PageFile } from "../../../render/page.ts";
import type { CheckResult } from "../data/checkResult.ts";
import type { Study } from "../data/study.ts";
import type { ExportLine } from "../data/studyExports.ts";
import { sumOf } from "../data/sums.ts";
import { countRows } from "./countsPage.ts";
import { type CsvColumn, csvFiles } from "./csvTable.ts";
import { recentMembers } from "./exportsPage.ts";

const text = (name: string, description: string): CsvColumn => ({
  name,
  datatype: "string",
  description,
});
const whole = (name: string, description: string): CsvColumn => ({
  name,
  datatype: "integer",
  description,
});
const day = (name: string, description: string): CsvColumn => ({
  name,
  datatype: "date",
  description,
});

/** Makes all tables. */
export function studyTables(study: Study): readonly PageFile[] {
  return [
    ...exportsCsv(study.exports),
    ...membersCsv(study.exports),
    ...countsCsv(study),
    ...checksCsv(study.checks),
  ];
}

function exportsCsv(exports: readonly ExportLine[]): readonly PageFile[] {
  return csvFiles({
    name: "exports",
    title: "Exports, and where their lines went",
    columns: [
      text("cohort", "Cohort that sent it"),
      text("export", "Its name"),
      day("day", "Day that its name begins with"),
      text(
        "state",
        "read, gone (read and no longer listed), waiting, changed, or why it was set aside",
      ),
      whole("members", "Members with data"),
      whole("read", "Lines that are not blank, of members that are not withheld"),
      whole("written", "Records of them"),
      whole("set_aside", "Lines of them that are no record"),
      whole("manifest", "Records of them that the sender counts"),
      whole("sent_again", "Members that a later export has"),
      text("findings", "Codes of what was found, separated by spaces"),
    ],
    rows: exports.map((one) => {
      const isKnown = one.schema !== null;
      const aside = sumOf(one.quarantined);
      const codes = [...new Set(one.findings.map(({ code }) => code))];
      return [
        ...[one.cohort, one.name, one.day, one.stand],
        ...(isKnown
          ? [one.memberCount, one.read, one.written, aside, one.manifest, one.superseded]
          : [null, null, null, null, null, null]),
        codes.join(" "),
      ];
    }),
  });
}

function membersCsv(exports: readonly ExportLine[]): readonly PageFile[] {
  return csvFiles({
    name: "members",
    title: "Members of the newest exports",
    columns: [
      text("cohort", "Cohort that sent it"),
      text("export", "Name of its export"),
      day("day", "Day that the export's name begins with"),
      text("member", "Its name in the export"),
      text("type", "Data type; empty where its name says none"),
      text("state", "ok, bad_member, bad_member_name or unknown_type"),
      { name: "sent_again", datatype: "boolean", description: "Whether a later export has it" },
      { name: "withheld", datatype: "boolean", description: "Whether its numbers are withheld" },
      whole("read", "Lines that are not blank"),
      whole("written", "Records"),
      whole("set_aside", "Lines that are no record"),
      whole("manifest", "Records that the sender counts"),
      text("reasons", "Why lines were set aside, separated by spaces"),
    ],
    rows: recentMembers(exports).map(({ of, member }) => {
      const { isWithheld, quarantined } = member;
      const aside = sumOf(quarantined);
      return [
        ...[of.cohort, of.name, of.day, member.name, member.type, member.status],
        ...[member.isSuperseded, isWithheld, member.read, member.written],
        ...[isWithheld ? null : aside, member.manifest, Object.keys(quarantined).join(" ")],
      ];
    }),
  });
}

function countsCsv({ types }: Study): readonly PageFile[] {
  return csvFiles({
    name: "record-counts",
    title: "Rows by type and day at each step from exports to datasets",
    columns: [
      text("type", "Data type; those whose numbers are withheld are missing"),
      day("day", "Day that the export of the records ends"),
      whole("read", "READ: records of members that count"),
      whole("unique", "DROP_DUPLICATES: one for each key"),
      whole("not_deleted", "DROP_DELETED_SAMPLES; empty where nothing deletes records of the type"),
      whole("in_datasets", "WRITE"),
    ],
    rows: countRows(types).map(({ type, day: at, rows }) => [type, at.slice(0, 10), ...rows]),
  });
}

function checksCsv(checks: readonly CheckResult[]): readonly PageFile[] {
  return csvFiles({
    name: "checks",
    title: "Checks of datasets",
    columns: [
      text("id", "Names the check"),
      text("dataset", "Dataset that it looks at"),
      text("column", "Column, where it looks at one"),
      text("kind", "Kind of check"),
      text("text", "What it demands"),
      text("outcome", "passed, failed or not_run"),
      {
        name: "blocks",
        datatype: "boolean",
        description: "Whether its failure keeps old datasets",
      },
      whole("rows", "Rows of the dataset; empty where withheld"),
      whole("missing", "Rows without a value"),
      whole("unexpected", "Rows that are not as the check wants them"),
    ],
    rows: checks.map((one) => [
      ...[one.id, one.dataset, one.column, one.kind, one.text, one.outcome, one.blocks],
      ...[one.rows, one.missing, one.unexpected],
    ]),
  });
}
