import { describe, expect, test } from "vitest";

import { type Digest, digestOf } from "../../../../src/digest.ts";
import {
  buildName,
  buildPrefix,
  type BuiltState,
  countsCsv,
  type Current,
  type Dataset,
  filesInUse,
  nextCurrent,
} from "../../../../src/jobs/cohort/data/current.ts";

const dataset = (name: string, ...keys: readonly string[]): Dataset => ({
  ...{ name, rows: keys.length, columns: [{ name: "P", type: "string" }] },
  files: keys.map((key) => ({ key, bytes: 1, sha256: "0", etag: null, rows: 1 })),
});
const key = (build: string, name: string, file = "data_0", cohort = "adults_v1"): string =>
  `${buildPrefix(build)}${name}/cohort=${cohort}/${file}.parquet`;
const state = (build: string, ...datasets: readonly string[]): BuiltState => ({
  ...{ inputs: `of ${build}` as Digest, datasets, counts: {}, build },
});

const EMPTY = [dataset("a"), dataset("b"), dataset("c")];
const TYPES = new Set(["a", "b", "c"]);
/** Builds types, each with a dataset of its name and one file. */
function next(
  before: Current | null,
  build: string,
  types: readonly string[],
  how: Partial<Parameters<typeof nextCurrent>[2]> = {},
): Current {
  const built = new Map(
    types.map((type) => [
      type,
      { state: state(build, type), datasets: [dataset(type, key(build, type))] },
    ]),
  );
  const given = {
    empty: EMPTY,
    failed: [],
    stale: how.failed ?? [],
    blocked: [],
    schema: 1,
    build,
    dropped: [],
    keepBuilds: 1,
    types: TYPES,
  };
  return nextCurrent(before, built, { ...given, ...how });
}
const files = (current: Current): readonly string[] =>
  current.datasets.flatMap((one) => one.files.map((file) => file.key));

describe("nextCurrent(before, built, how)", () => {
  test("names every dataset that there should be, sorted, from the first build on", () => {
    const first = next(null, "1", ["c", "a"]);
    expect(first).toEqual({
      ...{
        schema: 1,
        build: "1",
        prefix: "parquet/v/1/",
        dropped: [],
        stale: [],
        failed: [],
        blocked: [],
        kept: [],
        segments: null,
      },
      datasets: [dataset("a", key("1", "a")), dataset("b"), dataset("c", key("1", "c"))],
      types: { a: state("1", "a"), c: state("1", "c") },
    });
    expect(Object.keys(first.types)).toEqual(["a", "c"]);
  });

  test("says which types are held back, sorted, as long as they have records that are not shown", () => {
    const held = (type: string) => ({ type, checks: ["x"], since: "s", tried: digestOf(type) });
    const first = next(null, "1", ["a"]);
    const how = { blocked: [held("c"), held("a"), held("b")], stale: ["a", "c"] };
    expect(next(first, "2", [], how).blocked).toEqual([held("a"), held("c")]);
  });

  test("says that a column is left out only where no dataset has it any more", () => {
    const first = next(null, "1", ["a"]);
    expect(next(first, "2", ["a"], { dropped: ["P", "Q"] }).dropped).toEqual(["Q"]);
    const empty = EMPTY.map((one) => ({ ...one, columns: [] }));
    expect(next(null, "1", [], { dropped: ["P"], empty }).dropped).toEqual(["P"]);
  });

  test("lets go of a type that the schema has no more, with its datasets", () => {
    const failed = next(next(null, "1", ["a", "b"]), "2", ["a"], { failed: ["b"] });
    const gone = next(failed, "3", ["a"], {
      types: new Set(["a", "c"]),
      empty: [dataset("a"), dataset("c")],
    });
    expect(gone.datasets.map(({ name }) => name)).toEqual(["a", "c"]);
    expect([Object.keys(gone.types), gone.stale]).toEqual([["a"], []]);
  });

  test("keeps what was not built anew, and lets go of what was", () => {
    const second = next(next(null, "1", ["a", "b"]), "2", ["b"]);
    expect(files(second)).toEqual([key("1", "a"), key("2", "b")]);
    expect(second.types).toEqual({ a: state("1", "a"), b: state("2", "b") });
    // Of the build before stays what only it names.
    expect(second.kept).toEqual([{ build: "1", files: [key("1", "b")] }]);
  });

  test("keeps so many builds before it as it is told, newest first", () => {
    const build = (keepBuilds: number) =>
      ["2", "3", "4"].reduce(
        (before, name) => next(before, name, ["b"], { keepBuilds }),
        next(null, "1", ["a", "b"], { keepBuilds }),
      );
    expect(build(0).kept).toEqual([]);
    expect(build(2).kept).toEqual([
      { build: "3", files: [key("3", "b")] },
      { build: "2", files: [key("2", "b")] },
    ]);
    expect([...filesInUse(build(2))].sort()).toEqual([
      key("1", "a"),
      ...["2", "3", "4"].map((name) => key(name, "b")),
    ]);
  });

  test("says which types could not be built, until they can", () => {
    const first = next(null, "1", ["a", "b", "c"]);
    const second = next(first, "2", ["a"], { failed: ["c", "b"] });
    expect([second.stale, files(second)]).toEqual([
      ["b", "c"],
      [key("2", "a"), key("1", "b"), key("1", "c")],
    ]);
    const third = next(second, "3", ["b"], { failed: ["c"] });
    expect(third.failed).toEqual(["c"]);
    // What is not built this time has failed still; what is behind has not.
    const fourth = next(third, "4", ["a"], { stale: ["b", "c"] });
    expect([fourth.stale, fourth.failed]).toEqual([["b", "c"], ["c"]]);
    expect(next(third, "4", ["c"]).failed).toEqual([]);
  });

  test("does not change the one before", () => {
    const first = next(null, "1", ["a"]);
    const before = structuredClone(first);
    next(first, "2", ["a"], { failed: ["b"] });
    expect(first).toEqual(before);
  });
});

describe("filesInUse(current)", () => {
  test("names files of this build and of those that are kept", () => {
    const current = next(next(null, "1", ["a", "b"]), "2", ["a"]);
    expect([...filesInUse(current)].sort()).toEqual(
      [key("1", "a"), key("1", "b"), key("2", "a")].sort(),
    );
  });
});

describe("countsCsv(type, counts, run)", () => {
  test("numbers rows anew for each event, in the order of the events", () => {
    const counts = {
      READ: { "2026-01-12T00:00:00": 24, "2026-01-13T00:00:00": 2 },
      DROP_DUPLICATES: { "2026-01-13T00:00:00": 2 },
      WRITE: { "2026-01-13T00:00:00": 2 },
    };
    expect(countsCsv("FitbitDevices", counts, "r1")).toBe(
      [
        ",export_end_date,count,workflow_run_id,data_type,event",
        "0,2026-01-12T00:00:00,24,r1,fitbitdevices,READ",
        "1,2026-01-13T00:00:00,2,r1,fitbitdevices,READ",
        "0,2026-01-13T00:00:00,2,r1,fitbitdevices,DROP_DUPLICATES",
        "0,2026-01-13T00:00:00,2,r1,fitbitdevices,WRITE",
        "",
      ].join("\n"),
    );
    expect(countsCsv("X", {}, "r1")).toBe(
      ",export_end_date,count,workflow_run_id,data_type,event\n",
    );
  });
});

describe("buildName(startedAt, runId, before)", () => {
  test("sorts as runs follow each other", () => {
    expect(buildName("2026-01-12T05:06:07.123Z", "0198-ab_cd/ef0123456789", null)).toBe(
      "20260112T050607Z-0198abcdef01",
    );
    const name = (day: string, run: string): string => buildName(day, run, null);
    expect(name("2026-01-12T05:06:07Z", "z") < name("2026-01-12T05:06:08Z", "a")).toBe(true);
  });

  test("never names a build as the one that readers have, when its run goes on", () => {
    const name = (before: string): string =>
      buildName("2026-01-12T05:06:07Z", "1", next(null, before, ["a"]));
    expect(name("20260112T050607Z-1")).toBe("20260112T050607Z-1_2");
    expect(name("20260112T050607Z-1_2")).toBe("20260112T050607Z-1_3");
    expect(name("20260112T050607Z-12")).toBe("20260112T050607Z-1");
  });
});
