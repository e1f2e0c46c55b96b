import { describe, expect, test } from "vitest";

import type { Catalog } from "../../../../src/jobs/cohort/data/catalog.ts";
import { exportsOf, readNamedBuild } from "../../../../src/jobs/cohort/data/comparedBuilds.ts";
import { entry, member, report } from "./cataloguing.ts";

describe("readNamedBuild(text, own)", () => {
  test.each([
    ["foo", { namespace: "foo", build: null }],
    ["foo@20260111T000000Z-1", { namespace: "foo", build: "20260111T000000Z-1" }],
    ["@20260111T000000Z-1", { namespace: "own", build: "20260111T000000Z-1" }],
  ])("reads %s", (text, expected) => {
    expect(readNamedBuild(text, "own")).toEqual(expected);
  });

  test.each(["", "  ", "@", "foo@", "foo@ "])("refuses %j, which names none", (text) => {
    expect(() => readNamedBuild(text, "own")).toThrow(`${JSON.stringify(text)} names no build`);
  });
});

describe("exportsOf(catalog, type)", () => {
  test("lists cohorts and days of members that are not empty, by their names, each once", () => {
    const catalog: Catalog = {
      version: 1,
      exports: [
        entry(
          report("a/1", [
            member("FitbitDevices_2026-01-12", { written: 0 }),
            member("FitbitDevices_2026-01-13", { bytes: 0 }),
            member("FitbitECG_2026-01-14"),
            member(null),
          ]),
        ),
        entry(report("a/2", [member("FitbitDevices_2026-01-12")])),
        entry(report("b/1", [member("FitbitDevices_2026-01-11", { status: "bad_member" })])),
      ],
    };
    expect(exportsOf(catalog, "FitbitDevices")).toEqual([
      { cohort: "a", end: "2026-01-12" },
      { cohort: "b", end: "2026-01-11" },
    ]);
    expect(exportsOf(catalog, "SymptomLog")).toEqual([]);
  });
});
