import { describe, expect, test } from "vitest";

import {
  type Choice,
  EMPTY_CATALOG,
  exportsToRead,
  sortListing,
  withEntries,
} from "../../../../src/jobs/cohort/data/catalog.ts";
import { entry, report } from "./cataloguing.ts";

const COHORTS = ["adults_v1", "pediatric_v1"];
const listed = (...keys: readonly string[]) => keys.map((key) => ({ key, bytes: 1, etag: "e" }));

describe("sortListing(objects, cohorts)", () => {
  test("takes cohort and name as they are, sorted", () => {
    const keys = ["pediatric_v1/a", "adults_v1/b%3A +", "adults_v1/B", "adults_v1/a"];
    expect(sortListing(listed(...keys), COHORTS)).toEqual({
      exports: [
        ["adults_v1", "B"],
        ["adults_v1", "a"],
        ["adults_v1", "b%3A +"],
        ["pediatric_v1", "a"],
      ].map(([cohort, name]) => ({
        ...{ key: `${cohort}/${name}`, bytes: 1, etag: "e", cohort, export: name },
      })),
      others: [],
    });
  });

  test.each([
    ["ignored", "owner.txt"],
    ["ignored", "adults_v1/owner.txt"],
    ["ignored", "adults_v1/2026_owner.txt_old"],
    ["ignored", "adults_v1"],
    ["ignored", "adults_v1/"],
    ["ignored", "/a"],
    ["ignored", "adults_v1/a/b"],
    ["ignored", "adults_v1/a/"],
    ["ignored", "elders_v1/a/b"],
    ["unknown_cohort", "elders_v1/a"],
    ["unknown_cohort", "ADULTS_V1/a"],
    ["unknown_cohort", "adults_v1_old/a"],
  ])("says %s of %s", (outcome, key) => {
    expect(sortListing(listed(key), COHORTS)).toEqual({ exports: [], others: [{ key, outcome }] });
  });
});

const ALL: Choice = {
  ...{ cohorts: null, since: null, exports: null, newest: null, isAgain: false },
};
const KEYS = [
  "adults_v1/2026-01-11T05_a",
  "adults_v1/2026-01-12T05_b",
  "pediatric_v1/2026-01-12T05_c",
];
describe("sortListing(objects, cohorts), of what is refused", () => {
  test.each([
    ["adults_v1/a", "no_file"],
    ["elders_v1/a", "no_file"],
    ["adults_v1", "no_file"],
    ["adults_v1/a/b", "ignored"],
    ["owner.txt", "ignored"],
    ["adults_v1/owner.txt", "ignored"],
  ])("says of %s that it is %s", (key, outcome) => {
    const refused = { outcome: "no_file", why: "it is a pipe" } as const;
    const [object] = listed(key);
    if (object === undefined) throw new Error("nothing is listed");
    const { exports, others } = sortListing([{ ...object, refused }], COHORTS);
    expect(exports).toEqual([]);
    expect(others).toEqual([outcome === "ignored" ? { key, outcome } : { key, ...refused }]);
  });
});

const FOUND = sortListing(listed(...KEYS), COHORTS).exports;
const KNOWN = withEntries(
  EMPTY_CATALOG,
  KEYS.map((key) => entry(report(key, []))),
);
const toRead = (choice: Partial<Choice>, catalog = EMPTY_CATALOG, schema = "1-x") =>
  exportsToRead(FOUND, catalog, { ...ALL, ...choice }, () => schema).map(({ key }) =>
    KEYS.indexOf(key),
  );

describe("exportsToRead(found, catalog, choice, schemaOf)", () => {
  test("names what is new, of another version, or was read with another schema", () => {
    expect(toRead({})).toEqual([0, 1, 2]);
    expect(toRead({}, KNOWN)).toEqual([]);
    expect(toRead({}, KNOWN, "2-x")).toEqual([0, 1, 2]);
    const changed = [
      entry(report(KEYS[0] ?? "", []), "f"),
      entry(report(KEYS[2] ?? "", []), "e", 2),
    ];
    expect(toRead({}, withEntries(KNOWN, changed))).toEqual([0, 2]);
  });

  test("names of what is meant the latest by name, whatever its cohort, whether it was read or not", () => {
    expect(toRead({ newest: 1 })).toEqual([2]);
    expect(toRead({ newest: 2 })).toEqual([1, 2]);
    expect(toRead({ newest: 28 })).toEqual([0, 1, 2]);
    expect(toRead({ newest: 1, cohorts: ["adults_v1"] })).toEqual([1]);
    const read = withEntries(EMPTY_CATALOG, [entry(report(KEYS[2] ?? "", []), "e")]);
    expect(toRead({ newest: 1 }, read)).toEqual([]);
    expect(toRead({ newest: 2 }, read)).toEqual([1]);
  });

  test("names what is meant alone", () => {
    expect(toRead({ cohorts: ["pediatric_v1"] })).toEqual([2]);
    expect(toRead({ cohorts: [] })).toEqual([]);
    expect(toRead({ since: "2026-01-12" })).toEqual([1, 2]);
    expect(toRead({ since: "2026-01-13" })).toEqual([]);
    expect(toRead({ exports: [KEYS[1] ?? "", "adults_v1/none"] })).toEqual([1]);
    expect(toRead({ since: "2026-01-12", cohorts: ["adults_v1"] })).toEqual([1]);
  });

  test("names what is known where it is to be read again", () => {
    expect(toRead({ isAgain: true }, KNOWN)).toEqual([0, 1, 2]);
    expect(toRead({ isAgain: true, exports: KEYS.slice(0, 1) }, KNOWN)).toEqual([0]);
  });

  test("does not take an export of another cohort for one of the same name", () => {
    const other = withEntries(EMPTY_CATALOG, [entry(report("pediatric_v1/2026-01-11T05_a", []))]);
    expect(toRead({}, other)).toEqual([0, 1, 2]);
  });
});

describe("withEntries(catalog, read)", () => {
  test("puts what was read in the place of what was there, sorted, and leaves the given one", () => {
    const [a, b] = [entry(report("adults_v1/b", [])), entry(report("adults_v1/a", []))];
    const one = withEntries(EMPTY_CATALOG, [a]);
    const two = withEntries(one, [b, entry(report("adults_v1/b", []), "new")]);
    expect(two.exports.map(({ report: { export: name }, etag }) => [name, etag])).toEqual([
      ["a", "e"],
      ["b", "new"],
    ]);
    expect([one.exports, EMPTY_CATALOG.exports]).toEqual([[a], []]);
  });
});
