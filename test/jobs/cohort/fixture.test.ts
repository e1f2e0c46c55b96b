import { readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { digestOf } from "../../../src/digest.ts";
import { exportKey } from "../../../src/jobs/cohort/data/catalog.ts";
import { supersededMembers } from "../../../src/jobs/cohort/data/ranking.ts";
import { carriedColumns, type RecordShape } from "../../../src/jobs/cohort/data/recordShape.ts";
import type { MemberReport } from "../../../src/jobs/cohort/data/report.ts";
import { byText } from "../../../src/jobs/cohort/data/text.ts";
import {
  type BuiltDataset,
  columnsIn,
  digestByDuck,
  digestByHyparquet,
  FIXTURE,
  makeRig,
  type Rig,
  rowsOfFile,
  typesOfFile,
} from "./support/cohortRig.ts";
import { type ExpectedMember, expectedOf } from "./support/expected.ts";
import { type Worked, workThrough } from "./support/workThrough.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await makeRig();
});
afterAll(() => rig.close());

const members = ({ catalog }: Worked) =>
  catalog.exports.flatMap(({ report }) => report.members.map((member) => ({ report, member })));

function datasets({ built }: Worked): readonly (readonly [RecordShape, BuiltDataset])[] {
  return [...built].flatMap(([type, { datasets: own }]) =>
    own.map((dataset) => [rig.shapes.get(type) as RecordShape, dataset] as const),
  );
}

/** A member's report in the form of the answers. */
function inTheirForm(
  namespace: string,
  member: MemberReport,
  lines: ExpectedMember["quarantined"],
  isSuperseded: boolean,
): ExpectedMember {
  const { bytes, type, subtype, start, end, id, sha256, raw, status, read, written } = member;
  const isKnown = status === "ok" || status === "unknown_type";
  return {
    ...{ bytes, status, read, written, manifest: member.manifest, quarantined: lines },
    ...(type === null || end === null || id === null ? {} : { type, subtype, start, end, id }),
    ...(sha256 === null ? {} : { sha256 }),
    ...(raw === null ? {} : { rawKey: `${namespace}/${raw.key}` }),
    ...(isKnown ? { casts: member.casts, superseded: isSuperseded } : {}),
  };
}

/** The lines that were set aside, by member and reason, as the file of them says. */
async function quarantinedLines(
  { home }: Worked,
  key: string | undefined,
): Promise<ReadonlyMap<string, Record<string, number[]>>> {
  const found = new Map<string, Record<string, number[]>>();
  if (key === undefined) return found;
  const text = gunzipSync(await readFile(join(home, "processed", key))).toString();
  for (const line of text.trimEnd().split("\n")) {
    const one = JSON.parse(line) as { member: string; line: number; reason: string };
    const own = found.get(one.member) ?? {};
    found.set(one.member, own);
    (own[one.reason] ??= []).push(one.line);
  }
  return found;
}

/** Everything that the answers say of exports and their members. */
async function readings(namespace: string, worked: Worked) {
  const superseded = supersededMembers(worked.catalog.exports.map(({ report }) => report));
  const exports: Record<string, unknown> = {};
  for (const { report } of worked.catalog.exports) {
    const lines = await quarantinedLines(worked, report.quarantine?.key);
    exports[exportKey(report)] = {
      findings: report.findings
        .map(({ member, why: _why, ...rest }) => (member === null ? rest : { ...rest, member }))
        .sort(byJson),
      members: Object.fromEntries(
        report.members.map((member) => {
          const own = lines.get(member.name) ?? {};
          const counts = Object.entries(own).map(([reason, all]) => [reason, all.length]);
          expect(member.quarantined).toEqual(Object.fromEntries(counts));
          return [
            member.name,
            inTheirForm(namespace, member, own, superseded.has(member)),
          ] as const;
        }),
      ),
    };
  }
  return exports;
}

const byJson = (a: object, b: object): number => byText(sorted(a), sorted(b));
const sorted = (value: object): string =>
  JSON.stringify(Object.entries(value).sort(([a], [b]) => byText(a, b)));

const CASES = readdirSync(`${FIXTURE}/cases`);
const WORLDS = Object.entries(expectedOf(FIXTURE)).map(([namespace, expected]) => ({
  ...{ name: namespace, folder: `${FIXTURE}/world/${namespace}`, namespace, expected },
}));
const TRAPS = CASES.map((name) => ({
  ...{ name, folder: `${FIXTURE}/cases/${name}/main`, namespace: "main" },
  expected: expectedOf(`${FIXTURE}/cases/${name}`)["main"] as (typeof WORLDS)[number]["expected"],
}));

test("the fixture has two worlds and eight cases", () => {
  expect([WORLDS.length, TRAPS.length]).toEqual([2, 8]);
});

describe.each([...WORLDS, ...TRAPS])("$name, read and built", (given) => {
  const { folder, namespace, expected } = given;
  let worked: Worked;
  beforeAll(async () => {
    worked = await workThrough(rig, folder);
  });

  test("says what became of every object", () => {
    expect(worked.outcomes).toEqual(expected.objects);
  });

  test("reads, writes and sets aside what it should of every member", async () => {
    const wanted = Object.entries(expected.exports).map(([key, { findings, members: all }]) => {
      // Empty members are counted by their manifest alone.
      const own = Object.entries(all).filter(([, { bytes }]) => bytes > 0);
      return [key, { findings: findings.toSorted(byJson), members: Object.fromEntries(own) }];
    });
    expect(await readings(namespace, worked)).toEqual(Object.fromEntries(wanted));
  });

  test("keeps raw copies that are byte for byte what the last export sent", async () => {
    const superseded = supersededMembers(worked.catalog.exports.map(({ report }) => report));
    let copies = 0;
    for (const { member } of members(worked)) {
      const { raw, sha256 } = member;
      if (raw === null || superseded.has(member)) continue;
      const bytes = await readFile(join(worked.home, "raw", raw.key));
      expect([raw.key, digestOf(bytes), bytes.length]).toEqual([raw.key, raw.sha256, raw.bytes]);
      expect([raw.key, digestOf(gunzipSync(bytes))]).toEqual([raw.key, sha256]);
      copies++;
    }
    expect(copies).toBeGreaterThan(0);
  });

  test("keeps transformed copies with a line of JSON for every record written", async () => {
    const superseded = supersededMembers(worked.catalog.exports.map(({ report }) => report));
    for (const { report, member } of members(worked)) {
      if (member.copy === null || superseded.has(member)) continue;
      const packed = await readFile(join(worked.home, "intermediate", member.copy.key));
      expect(digestOf(packed)).toBe(member.copy.sha256);
      const lines = gunzipSync(packed).toString().split("\n");
      expect([member.name, lines.pop()]).toEqual([member.name, ""]);
      expect([member.name, lines.length]).toEqual([member.name, member.written]);
      for (const line of lines) {
        const record = JSON.parse(line) as Record<string, unknown>;
        expect(record).toMatchObject({
          export_start_date: member.start,
          export_end_date: member.end,
          cohort: report.cohort,
          ...(member.subtype === null ? {} : { Type: member.subtype }),
        });
      }
    }
  });

  test("builds every dataset as DuckDB reads it", async () => {
    const found: Record<string, unknown> = {};
    for (const [shape, dataset] of datasets(worked)) {
      const digest = await digestByDuck(rig, worked.out, shape, dataset);
      if (dataset.rows > 0 || dataset.name in expected.datasets) found[dataset.name] = digest;
      expect([dataset.name, dataset.rows]).toEqual([dataset.name, digest.rows]);
    }
    expect(found).toEqual(digests(expected.datasets));
  });

  test("builds every dataset as hyparquet reads it", async () => {
    const found: Record<string, unknown> = {};
    const all = datasets(worked);
    for (const [shape, dataset] of all) {
      if (dataset.rows === 0 && !(dataset.name in expected.datasets)) continue;
      const others = all.map(([, other]) => other);
      found[dataset.name] = await digestByHyparquet(worked.out, shape, dataset, others);
    }
    expect(found).toEqual(digests(expected.datasets));
  });

  test("gives datasets the columns that they should have, the same in every file", async () => {
    for (const [shape, dataset] of datasets(worked)) {
      const wanted = expected.datasets[dataset.name];
      if (wanted === undefined) continue;
      expect(Object.fromEntries(columnsIn(dataset, shape))).toEqual(wanted.columns);
      const types = dataset.columns.map(({ name, type }) => [name, PARQUET[type]]);
      for (const { path } of dataset.files) {
        expect([path, await typesOfFile(join(worked.out, path))]).toEqual([path, types]);
      }
    }
  });

  test("sorts files by key, and elements by their place", async () => {
    for (const [shape, dataset] of datasets(worked)) {
      for (const { path, rows: count } of dataset.files) {
        const rows = await rowsOfFile(join(worked.out, path));
        expect([path, rows.length]).toEqual([path, count]);
        expect([path, outOfOrder(shape, dataset, rows)]).toEqual([path, []]);
      }
    }
  });

  test("joins children to their parents by surrogates that are unique, with equal keys", async () => {
    for (const [shape, dataset] of datasets(worked)) {
      const own = expected.datasets[dataset.name];
      const parent = datasets(worked).find(([, { name }]) => name === own?.childOf)?.[1];
      if (own?.surrogate === undefined || parent === undefined) continue;
      const keys = new Map<unknown, string>();
      let surrogates = 0;
      for (const { path } of parent.files) {
        for (const row of await rowsOfFile(join(worked.out, path))) {
          const id = row[own.surrogate];
          if (id === null || id === undefined) continue;
          keys.set(id, keyText(shape, row));
          surrogates++;
        }
      }
      expect([dataset.name, keys.size]).toEqual([dataset.name, surrogates]);
      for (const { path } of dataset.files) {
        for (const row of await rowsOfFile(join(worked.out, path))) {
          expect(keys.get(row["id"])).toBe(keyText(shape, row));
        }
      }
    }
  });

  test("counts records by event and day", () => {
    if (expected.recordCounts === undefined) return;
    const counts = [...worked.built]
      .filter(([, { counts: own }]) => Object.keys(own).length > 0)
      .map(([type, { counts: own }]) => [type.toLowerCase(), own]);
    expect(Object.fromEntries(counts)).toEqual(expected.recordCounts);
  });
});

const PARQUET = {
  string: "string",
  int: "INT64",
  double: "DOUBLE",
  boolean: "BOOLEAN",
  surrogate: "INT64",
} as const;

function digests(expected: Readonly<Record<string, { rows: number; sha256: string }>>) {
  return Object.fromEntries(
    Object.entries(expected).map(([name, { rows, sha256 }]) => [name, { rows, sha256 }]),
  );
}

function keyText({ type }: RecordShape, row: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(carriedColumns(type).map((column) => String(row[column])));
}

/** Rows that do not come after the one before them. */
function outOfOrder(
  { type }: RecordShape,
  { columns }: BuiltDataset,
  rows: readonly Readonly<Record<string, unknown>>[],
): readonly number[] {
  const isChild = columns[0]?.name === "id" && columns[1]?.name === "index";
  return rows.flatMap((row, at) => {
    const before = rows[at - 1];
    if (before === undefined) return [];
    for (const column of type.key) {
      const order = compare(before[column], row[column]);
      if (order !== 0) return order < 0 ? [] : [at];
    }
    // Of one key: the next element of the same array, or the first of another.
    if (!isChild) return [at];
    const isNext = before["id"] === row["id"] && compare(before["index"], row["index"]) < 0;
    const isFirst = before["id"] !== row["id"] && row["index"] === 0n;
    return isNext || isFirst ? [] : [at];
  });
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === "bigint" && typeof b === "bigint") return a < b ? -1 : a > b ? 1 : 0;
  return byText(String(a), String(b));
}

describe("world-b, as the answers tell it from main", () => {
  test("has another digest, so that a digest says something", () => {
    const [main, other] = WORLDS.map(({ expected }) => expected.datasets);
    const differing = Object.keys(main ?? {}).filter(
      (name) => main?.[name]?.sha256 !== other?.[name]?.sha256,
    );
    expect(differing.length).toBeGreaterThan(20);
    expect(readFileSync(`${FIXTURE}/planted.json`, "utf8")).toContain('"differences"');
  });
});
