import { describe, expect, test } from "vitest";

import { byRank, supersededMembers } from "../../../../src/jobs/cohort/data/ranking.ts";
import type { ExportReport } from "../../../../src/jobs/cohort/data/report.ts";
import { makeRandom } from "../../matrix/support/random.ts";
import { member, report } from "./cataloguing.ts";

/** What is superseded, by export and member. */
function superseded(...reports: readonly ExportReport[]): readonly string[] {
  const gone = supersededMembers(reports);
  return reports.flatMap(({ cohort, export: name, members }) =>
    members.filter((one) => gone.has(one)).map((one) => `${cohort}/${name}/${one.name}`),
  );
}

describe("supersededMembers(reports)", () => {
  test("names members that an export of a greater name has sent again, whichever came first", () => {
    const early = report("adults_v1/a", [member("A_2"), member("B_2")]);
    const late = report("adults_v1/b", [member("A_2")]);
    expect(superseded(early, late)).toEqual(["adults_v1/a/A_2.json"]);
    expect(superseded(late, early)).toEqual(["adults_v1/a/A_2.json"]);
  });

  test("orders names by code points", () => {
    const astral = report("adults_v1/\u{1f600}", [member("A_2")]);
    const last = report("adults_v1/\uffee", [member("A_2")]);
    expect(superseded(astral, last)).toEqual(["adults_v1/\uffee/A_2.json"]);
  });

  test("keeps members of other cohorts, other days and the same export", () => {
    const twice = [member("A_2"), member("A_2", { name: "A_x_2.json" })];
    expect(
      superseded(
        report("adults_v1/a", [member("A_2"), member("A_3")]),
        report("pediatric_v1/b", [member("A_2")]),
        report(
          "adults_v1/c",
          twice.map((one) => ({ ...one, id: "A_4" })),
        ),
      ),
    ).toEqual([]);
  });

  test("takes neither damaged members nor such without a name that says something for sent again", () => {
    expect(
      superseded(
        report("adults_v1/a", [
          member("A_2"),
          member(null),
          member("B_2", { status: "unknown_type" }),
        ]),
        report("adults_v1/b", [
          member("A_2", { status: "bad_member" }),
          member(null, { status: "bad_member_name" }),
          member("B_2", { status: "unknown_type" }),
        ]),
      ),
    ).toEqual(["adults_v1/a/B_2.json"]);
  });
});

describe("byRank(a, b)", () => {
  test("orders by end, export, cohort and name, whatever order they come in", () => {
    const of = (key: string, id: string) => {
      const one = member(id);
      return { report: report(key, [one]), member: one };
    };
    const sorted = [
      of("pediatric_v1/z", "B_20260111"),
      of("adults_v1/a", "B_20260112"),
      of("pediatric_v1/a", "A_20260112"),
      of("adults_v1/b", "A_20260112"),
      of("adults_v1/b", "B_20260112"),
      of("adults_v1/a", "A_20260113"),
    ];
    const random = makeRandom(4);
    for (let round = 0; round < 50; round++) {
      expect(random.shuffle(sorted).sort(byRank)).toEqual(sorted);
    }
  });
});
