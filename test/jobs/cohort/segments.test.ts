// Random histories of exports, built as they come, bit by bit, and from scratch: overlaps, records sent again, deletions, members that a
// later export sends again, fields that come up on some day. Whatever was rewritten on the way, the datasets and the counts are the same.

import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import {
  type Catalog,
  type CatalogEntry,
  EMPTY_CATALOG,
  withEntries,
} from "../../../src/jobs/cohort/data/catalog.ts";
import { typeInputs } from "../../../src/jobs/cohort/data/typeInput.ts";
import { handZip } from "../../formats/support/handZip.ts";
import { sourceOf } from "../../formats/support/ranges.ts";
import { makeRandom } from "../matrix/support/random.ts";
import {
  build,
  type BuiltType,
  digestByDuck,
  ingest,
  makeRig,
  type Rig,
  rowsOfFile,
} from "./support/cohortRig.ts";

const TYPES = ["HealthKitV2Samples", "SymptomLog"] as const;
const EXPORTS = 8;
/** So many keys that an export meets some of those before it and not all. */
const KEYS = 24;
const LONG_MS = 300_000;

let rig: Rig;
beforeAll(async () => {
  rig = await makeRig();
});
afterAll(() => rig.close());

type Random = ReturnType<typeof makeRandom>;
const pad = (number: number): string => String(number).padStart(2, "0");

/** Three moments and none: many records are equally new. */
function inserted(random: Random): object {
  const day = random.below(4);
  return day === 0 ? {} : { InsertedDate: `2026-01-0${day}T00:00:00Z` };
}

function samples(random: Random, day: number): object[] {
  return Array.from({ length: random.below(6) }, () => ({
    ...{ HealthKitSampleKey: `k${random.below(KEYS)}`, ParticipantIdentifier: "SYN-1" },
    ...{ Value: `${day}.${random.below(100)}`, ...inserted(random) },
    // A field that nobody has declared, from some day on.
    ...(day > 6 && random.below(3) === 0 ? { Altitude: `${day}` } : {}),
  }));
}

function symptoms(random: Random, day: number): object[] {
  return Array.from({ length: random.below(5) }, () => {
    const list = Array.from({ length: random.below(3) }, (_none, n) => ({
      id: `s${n}`,
      severity: day,
    }));
    return {
      ...{ ParticipantIdentifier: "SYN-1", DataPointKey: `k${random.below(KEYS)}` },
      ...{ Value: JSON.stringify({ symptoms: list }), ...inserted(random) },
    };
  });
}

/** An export of a day; one in eight sends members for the days of the one before it again. */
function zipOf(random: Random, day: number): Buffer {
  const end = `202601${pad(random.below(8) === 0 ? Math.max(1, day - 1) : day)}`;
  const deleted = Array.from({ length: random.below(3) }, () => ({
    ...{ HealthKitSampleKey: `k${random.below(KEYS)}`, ParticipantIdentifier: "SYN-1" },
  }));
  const members = {
    [`HealthKitV2Samples_HeartRate_20260101-${end}.json`]: samples(random, day),
    [`HealthKitV2Samples_HeartRate_Deleted_20260101-${end}.json`]: deleted,
    [`SymptomLog_20260101-${end}.json`]: symptoms(random, day),
  };
  return handZip(
    Object.entries(members).map(([name, records]) => ({
      name,
      content: Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join("")),
    })),
  );
}

/** What a reader finds of a type. */
async function contents(type: string, out: string, built: BuiltType): Promise<unknown> {
  const shape = rig.shapes.get(type);
  if (shape === undefined) throw new Error(`no shape of ${type}`);
  const datasets: Record<string, unknown> = {};
  for (const dataset of built.datasets) {
    datasets[dataset.name] = await digestByDuck(rig, out, shape, dataset);
  }
  return { datasets, counts: built.counts };
}

interface History {
  readonly home: string;
  readonly entries: readonly CatalogEntry[];
  /** How often parts of what was there stayed as they were. */
  kept: number;
}

async function historyOf(random: Random): Promise<History> {
  const home = await rig.folder();
  const entries: CatalogEntry[] = [];
  for (let day = 1; day <= EXPORTS; day++) {
    const cohort = random.below(4) === 0 ? "pediatric_v1" : "adults_v1";
    const key = `${cohort}/2026-01-${pad(day)}T05--00--08Z_${day}`;
    entries.push(await ingest(rig, home, key, sourceOf(zipOf(random, day))));
  }
  return { home, entries: random.shuffle(entries), kept: 0 };
}

/** Builds a type as its exports come, now and then, and sometimes merges. */
async function buildAsTheyCome(type: string, history: History, random: Random) {
  let catalog: Catalog = EMPTY_CATALOG;
  let last: { readonly built: BuiltType; readonly extras: string; readonly out: string } | null =
    null;
  for (const [at, entry] of history.entries.entries()) {
    catalog = withEntries(catalog, [entry]);
    if (at < history.entries.length - 1 && random.below(8) === 0) continue;
    const inputs = typeInputs(catalog, rig.shapes);
    const extras = JSON.stringify(inputs.get(type)?.extras);
    const before = last?.extras === extras ? last.built : undefined;
    const out = await rig.folder();
    const isMerging = random.below(8) === 0;
    const built = await build(rig, history.home, inputs, type, out, { before, isMerging });
    const names = new Set(before?.segments.segments.map(({ name }) => name));
    history.kept += built.segments.segments.filter(({ name }) => names.has(name)).length;
    last = { built, extras, out };
  }
  if (last === null) throw new Error("nothing was built");
  return { catalog, contents: await contents(type, last.out, last.built) };
}

describe.each([1, 2, 3, 4, 5, 6])("a history of exports, by seed %i", (seed) => {
  test(
    "comes to the same, built as they come and from scratch",
    async () => {
      const random = makeRandom(seed);
      const history = await historyOf(random);
      for (const type of TYPES) {
        const bitByBit = await buildAsTheyCome(type, history, random);
        const out = await rig.folder();
        const inputs = typeInputs(bitByBit.catalog, rig.shapes);
        const built = await build(rig, history.home, inputs, type, out);
        expect(bitByBit.contents).toEqual(await contents(type, out, built));
      }
      // Else it would not have been bit by bit.
      expect(history.kept).toBeGreaterThan(0);
    },
    LONG_MS,
  );
});

test(
  "a build writes anew what a new record or a deletion touches, and names the rest again",
  async () => {
    const home = await rig.folder();
    let catalog: Catalog = EMPTY_CATALOG;
    let before: BuiltType | undefined;
    const sample = (key: string) => ({ HealthKitSampleKey: key, ParticipantIdentifier: "SYN-1" });
    /** Sends records of keys, and deletions, and builds; tells what segments there are, and what their datasets hold. */
    const day = async (
      number: number,
      keys: readonly string[],
      deleted: readonly string[] = [],
    ) => {
      const member = (name: string, some: readonly string[]) => ({
        name: `HealthKitV2Samples_HeartRate_${name}2026010${number}.json`,
        content: Buffer.from(some.map((key) => `${JSON.stringify(sample(key))}\n`).join("")),
      });
      const zip = handZip([member("", keys), member("Deleted_", deleted)]);
      const key = `adults_v1/2026-01-0${number}T05--00--08Z_x`;
      catalog = withEntries(catalog, [await ingest(rig, home, key, sourceOf(zip))]);
      const inputs = typeInputs(catalog, rig.shapes);
      const out = await rig.folder();
      before = await build(rig, home, inputs, "HealthKitV2Samples", out, { before });
      const { segments } = before.segments;
      return segments.map(({ name, written }) => [name, Object.values(written).join("+")]);
    };
    const [one] = await day(1, ["a", "b"]);
    const [kept, two] = await day(2, ["c", "d"]);
    expect([one?.[1], kept, two?.[1]]).toEqual(["2", one, "2"]);
    // A deletion alone.
    const [less, same] = await day(3, [], ["a"]);
    expect([less?.[1], same]).toEqual(["1", two]);
    expect(less?.[0]).not.toBe(one?.[0]);
    // A key that the second has, and one that nobody has.
    const [still, fewer, three] = await day(4, ["c", "e"]);
    expect([still, fewer?.[1], three?.[1]]).toEqual([less, "1", "2"]);
    // What was deleted stays so when it is sent again; the segment that it was in has nothing of it any more.
    const [, , , four] = await day(5, ["a", "f"]);
    expect(four?.[1]).toBe("1");
    // The last of a segment goes to another one: then it is none.
    const last = await day(6, ["d"]);
    expect(last.map(([, rows]) => rows)).toEqual(["1", "2", "1", "1"]);
    expect(before?.segments.dead).toHaveLength(1);
  },
  LONG_MS,
);

test(
  "a build shows what is not deleted any more, and hides what is, where only the deletions are sent again",
  async () => {
    const home = await rig.folder();
    let catalog: Catalog = EMPTY_CATALOG;
    let before: BuiltType | undefined;
    const line = (key: string): string =>
      `${JSON.stringify({ HealthKitSampleKey: key, ParticipantIdentifier: "SYN-1" })}\n`;
    const member = (name: string, ...keys: readonly string[]) => ({
      name: `HealthKitV2Samples_HeartRate_${name}20260101.json`,
      content: Buffer.from(keys.map(line).join("")),
    });
    const day = async (number: number, ...members: readonly ReturnType<typeof member>[]) => {
      const key = `adults_v1/2026-01-0${number}T05--00--08Z_x`;
      catalog = withEntries(catalog, [
        await ingest(rig, home, key, sourceOf(handZip([...members]))),
      ]);
      const inputs = typeInputs(catalog, rig.shapes);
      const out = await rig.folder();
      before = await build(rig, home, inputs, "HealthKitV2Samples", out, { before });
      const keys: unknown[] = [];
      for (const { path } of before.datasets[0]?.files ?? []) {
        for (const row of await rowsOfFile(join(out, path))) keys.push(row["HealthKitSampleKey"]);
      }
      return keys.sort();
    };
    expect(await day(1, member("", "a", "b"), member("Deleted_", "a"))).toEqual(["b"]);
    // As many as before, and another one.
    expect(await day(2, member("Deleted_", "b"))).toEqual(["a"]);
    expect(await day(3, member("Deleted_", "nobody"))).toEqual(["a", "b"]);
    expect(await day(4, member("Deleted_", "a", "b"))).toEqual([]);
  },
  LONG_MS,
);
