import { describe, expect, test } from "vitest";

import { reportFindings } from "../../../../src/jobs/cohort/data/findings.ts";
import type { ExportReport } from "../../../../src/jobs/cohort/data/report.ts";

const report = (findings: ExportReport["findings"]): ExportReport => ({
  ...{ schema: "1", cohort: "a", export: "b", outcome: "read", why: null, findings },
  ...{ members: [], ignored: [], staged: [], quarantine: null },
});

describe("reportFindings(report)", () => {
  test("names export and member, and says what is wrong with it on one line", () => {
    const member = `\u202ex${"y".repeat(300)}\n.json`;
    const [found] = reportFindings(report([{ code: "bad_member", member, why: "is encrypted" }]));
    expect(found).toMatchObject({ rule: "bad_member", subject: "a/b", fields: { member } });
    expect(found?.message).toBe(
      `?x${"y".repeat(78)}…${"y".repeat(24)}?.json is encrypted: nothing of it is used.`,
    );
  });

  test("tells of an export whose name begins with a day that there is not", () => {
    const code = "bad_export_name";
    const found = reportFindings(report([{ code, member: null, why: "x" }]));
    expect(found).toMatchObject([{ rule: code, severity: "error", subject: "a/b", fields: {} }]);
    expect(found[0]?.message).toMatch(/^The export's name begins with a day that there is not: /);
  });

  test("tells of a hundred of a kind, and how many more there are", () => {
    const members = Array.from({ length: 70_000 }, (_none, at) => `m${at}`);
    const found = reportFindings(
      report([
        { code: "no_manifest", member: null },
        ...members.map((member) => ({ code: "unknown_type" as const, member })),
      ]),
    );
    expect(found).toHaveLength(102);
    expect(found.at(-1)).toMatchObject({
      ...{ rule: "unknown_type", severity: "warning", fields: {} },
      message: "69,900 more members of this export: unknown_type.",
    });
  });
});
