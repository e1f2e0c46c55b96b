// What runs leave behind them: a ledger that grows with what is new, places that hold what something names, and a catalog that names what is
// there, also where a worker is killed between the two.

import { createHash } from "node:crypto";
import { readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";

import { digestOf } from "../../../src/digest.ts";
import type { Catalog } from "../../../src/jobs/cohort/data/catalog.ts";
import { nextCurrent } from "../../../src/jobs/cohort/data/current.ts";
import { switchTo } from "../../../src/jobs/cohort/state.ts";
import { openDatabase } from "../../../src/store/database.ts";
import { openFolderBucket } from "../../../src/store/folderBucket.ts";
import { handZip } from "../../formats/support/handZip.ts";
import { makeRig, type Rig } from "./support/cohortRig.ts";
import {
  BUCKETS,
  type CohortWorld,
  differences,
  makeCohortWorld,
  outcomeOf,
  runHere,
  startWorker,
} from "./support/cohortWorld.ts";

const LONG_MS = 120_000;
const TYPES = { COHORT_TYPES: "FitbitDevices", COHORT_KEEP_BUILDS: "0" };
const ALL = { ...TYPES, COHORT_PART: "all" };

const nameOf = (day: number): string =>
  `2026-01-${String(day).padStart(2, "0")}T05--00--08Z_${"abc"[day % 3] ?? ""}`;
const keyOf = (day: number): string => `adults_v1/${nameOf(day)}`;
/** An export of a day, with a line that is set aside. */
function zip(day: number, device = "a"): Buffer {
  const two = String(day).padStart(2, "0");
  const lines = [1, 2, 3].map((person) => {
    const of = { ParticipantIdentifier: `SYN-${person}`, Date: `2026-01-${two}`, Device: device };
    return `${JSON.stringify({ ...of, Battery: `${day}` })}\n`;
  });
  const content = Buffer.from(`${lines.join("")}{"Device":\n`);
  return handZip([{ name: `FitbitDevices_202601${two}.json`, content }]);
}

let rig: Rig;
beforeAll(async () => {
  rig = await makeRig();
});
afterAll(() => rig.close());

let world: CohortWorld;
beforeEach(async () => {
  world = await makeCohortWorld(inject("postgres"));
  return () => world.close();
});

const keysIn = (bucket: string, folder: string): readonly string[] =>
  [...world.s3.objects(bucket).keys()]
    .filter((key) => key.startsWith(`main/${folder}`))
    .map((key) => key.slice("main/".length));
const held = () => ({
  staged: keysIn(BUCKETS.intermediate, "staged/"),
  quarantine: keysIn(BUCKETS.processed, "quarantine/"),
  reports: keysIn(BUCKETS.processed, "reports/"),
  counts: keysIn(BUCKETS.processed, "parquet/record_counts/"),
});
/** What the catalog names of these. */
function named() {
  const reports = (world.catalog()?.exports ?? []).map(({ report }) => report);
  return {
    staged: reports
      .flatMap(({ staged }) => staged.flatMap(({ tables }) => tables))
      .map(({ object }) => object.key)
      .sort(),
    quarantine: reports.flatMap(({ quarantine }) => quarantine?.key ?? []).sort(),
  };
}

describe("the ledger", () => {
  async function sizes(): Promise<{ readonly bytes: number; readonly texts: readonly string[] }> {
    const { db, close } = await openDatabase(world.settings);
    const { rows: blobs } = await sql<{ bytes: string }>`
      select coalesce(sum(bytes), 0) as bytes from blob`.execute(db);
    const { rows: results } = await sql<{ text: string }>`
      select to_jsonb(t)::text as text from step_result t`.execute(db);
    await close();
    return { bytes: Number(blobs[0]?.bytes), texts: results.map(({ text }) => text) };
  }

  test(
    "grows with a day's exports by what these are, and by a line of a page for each that there was before",
    async () => {
      const growthOf = async (day: number): Promise<number> => {
        const before = await sizes();
        world.send(keyOf(day), zip(day));
        expect(await runHere(world, ALL)).toBe("succeeded");
        const after = await sizes();
        const texts = (of: readonly string[]): number =>
          of.reduce((sum, { length }) => sum + length, 0);
        return after.bytes - before.bytes + texts(after.texts) - texts(before.texts);
      };
      world.send(keyOf(1), zip(1));
      world.send(keyOf(2), zip(2));
      expect(await runHere(world, ALL)).toBe("succeeded");
      const third = await growthOf(3);
      for (let day = 4; day <= 27; day++) world.send(keyOf(day), zip(day));
      expect(await runHere(world, ALL)).toBe("succeeded");
      // Pages have a line for each export, and in their data; the reports of exports are some 50 kB each.
      expect(await growthOf(28)).toBeLessThan(third + 25 * 3000);
    },
    LONG_MS,
  );
});

describe("a run that looks at the places", () => {
  test(
    "removes what belongs to versions of exports and builds that are gone, and nothing else",
    async () => {
      world.send(keyOf(1), zip(1));
      world.send(keyOf(2), zip(2));
      expect(await runHere(world, ALL)).toBe("succeeded");
      const first = held();
      expect(first).toMatchObject({ ...named(), reports: [] });
      expect([first.staged.length, first.quarantine.length]).toEqual([2, 2]);

      world.send(keyOf(2), zip(2, "b"));
      expect(await runHere(world, { ...ALL, COHORT_PART: "ingest,build" })).toBe("succeeded");
      expect(held().staged).toHaveLength(3);
      const rows = (await outcomeOf(world, rig)).datasets;
      // Somebody may not delete: the run says so, and the next one does what is left.
      world.s3.setFaults(({ operation, bucket }) =>
        operation === "DeleteObjects" && bucket === BUCKETS.intermediate ? { status: 403 } : null,
      );
      expect(await runHere(world, ALL)).toContain("failed");
      world.s3.setFaults(null);
      expect(await runHere(world, ALL)).toBe("succeeded");
      const second = held();
      expect(second).toMatchObject({ ...named(), reports: [] });
      expect(second.staged).toHaveLength(2);
      expect(second.quarantine).not.toEqual(first.quarantine);
      // Those of the build before are gone with it.
      const folders = new Set(second.counts.map((key) => key.split("/")[2]));
      expect([folders.size, second.counts.length]).toEqual([1, first.counts.length]);
      expect(second.counts.filter((key) => first.counts.includes(key))).toEqual([]);
      expect((await outcomeOf(world, rig)).datasets).toEqual(rows);

      // The version of before comes back: the ledger knows it, and what it has left is not there any more.
      world.send(keyOf(2), zip(2));
      expect(await runHere(world, ALL)).toBe("succeeded");
      expect(held()).toMatchObject({ staged: first.staged, quarantine: first.quarantine });
      expect(await runHere(world, { ...ALL, COHORT_AGAIN: "1", COHORT_PART: "build" })).toBe(
        "succeeded",
      );
    },
    LONG_MS,
  );

  test(
    "keeps what a worker that was killed has read and nobody knows yet, or has it read once more",
    async () => {
      world.send(keyOf(1), zip(1));
      expect(await runHere(world, ALL)).toBe("succeeded");
      world.send(keyOf(2), zip(2));
      const puts = killAtCatalog(startWorker(world, ALL));
      expect((await puts).isKilled).toBe(true);
      expect([held().staged.length, named().staged.length]).toEqual([2, 1]);
      // Another run, which does not read exports.
      expect(await runHere(world, { ...ALL, COHORT_PART: "sync,build" })).toBe("succeeded");
      expect(held()).toMatchObject({ ...named(), reports: [] });
      expect(await runHere(world, ALL)).toBe("succeeded");
      expect(held()).toMatchObject({ ...named(), reports: [] });
      expect(held().staged).toHaveLength(2);
      expect((await outcomeOf(world, rig)).datasets["dataset_fitbitdevices"]?.rows).toBe(6);
    },
    LONG_MS,
  );
});

/** Kills a worker when it puts the catalog, and nothing of that is done. */
async function killAtCatalog({ child, ended }: ReturnType<typeof startWorker>) {
  world.s3.setFaults(({ method, bucket, key }) => {
    if (method !== "PUT" || bucket !== BUCKETS.processed || !key.endsWith("catalog.json.gz"))
      return null;
    child.kill("SIGKILL");
    return { hangUp: "before" };
  });
  const end = await ended;
  world.s3.setFaults(null);
  return end;
}

/** Puts other bytes of the same rows into the place of staged ones, as another DuckDB would have written them, and has the catalog say so. */
async function writeStagedOtherwise(): Promise<void> {
  const dir = await rig.folder();
  let text = JSON.stringify(world.catalog());
  const { exports } = JSON.parse(text) as Catalog;
  const objects = exports.flatMap(({ report }) =>
    report.staged.flatMap(({ tables }) => tables.map(({ object }) => object)),
  );
  for (const { key, sha256, etag, bytes } of objects) {
    const [from, to] = [join(dir, "from.parquet"), join(dir, "to.parquet")];
    await writeFile(from, world.s3.objects(BUCKETS.intermediate).get(`main/${key}`)?.read() ?? "");
    await rig.duck.run(
      "writing otherwise",
      `copy (from '${from}') to '${to}' (format parquet, compression uncompressed)`,
    );
    const other = await readFile(to);
    const digest = digestOf(other);
    expect(digest).not.toBe(sha256);
    const known = key.replace(sha256.slice(0, 16), digest.slice(0, 16));
    world.s3.removeObject(BUCKETS.intermediate, `main/${key}`);
    world.s3.setObject(BUCKETS.intermediate, `main/${known}`, other);
    const md5 = createHash("md5").update(other).digest("hex");
    const asIs = JSON.stringify({ key, bytes, sha256, etag });
    expect(text).toContain(asIs);
    text = text.replace(
      asIs,
      JSON.stringify({ key: known, bytes: other.length, sha256: digest, etag: md5 }),
    );
  }
  world.s3.setObject(BUCKETS.processed, "main/catalog.json.gz", gzipSync(text));
}

describe("the catalog", () => {
  test(
    "names what is there where a worker is killed that reads exports again with another DuckDB",
    async () => {
      world.send(keyOf(1), zip(1));
      const parts = { ...TYPES, COHORT_PART: "ingest" };
      expect(await runHere(world, parts)).toBe("succeeded");
      await writeStagedOtherwise();
      const end = await killAtCatalog(startWorker(world, { ...parts, COHORT_AGAIN: "1" }));
      expect(end.isKilled).toBe(true);
      for (const { report } of world.catalog()?.exports ?? []) {
        for (const { tables } of report.staged) {
          for (const { object } of tables) {
            const bytes = world.s3.objects(BUCKETS.intermediate).get(`main/${object.key}`)?.read();
            expect(digestOf(bytes ?? new Uint8Array())).toBe(object.sha256);
          }
        }
      }
      expect(await runHere(world, { ...TYPES, COHORT_PART: "build" })).toBe("succeeded");
      expect((await outcomeOf(world, rig)).datasets["dataset_fitbitdevices"]?.rows).toBe(3);
    },
    LONG_MS,
  );

  test(
    "knows what a run has mended that has also read new exports",
    async () => {
      world.send(keyOf(1), zip(1));
      expect(await runHere(world, ALL)).toBe("succeeded");
      await writeStagedOtherwise();
      const [lost = ""] = named().staged;
      world.s3.removeObject(BUCKETS.intermediate, `main/${lost}`);
      world.send(keyOf(2), zip(2));
      expect(await runHere(world, ALL)).toBe("succeeded");
      expect(named().staged).not.toContain(lost);
      expect(held()).toMatchObject(named());
      const outcome = await outcomeOf(world, rig);
      expect(await runHere(world, ALL)).toBe("succeeded");
      expect(differences(outcome, await outcomeOf(world, rig))).toEqual([]);
    },
    LONG_MS,
  );
});

describe("switchTo(processed, switch)", () => {
  test("reads no file of a folder to find those that are not used any more", async () => {
    const dir = await rig.folder();
    const place = openFolderBucket(dir, { isPrivate: true });
    const options = { contentType: "text/plain", cacheControl: "no-store" };
    const keys = ["parquet/v/old/dataset_a/0_0.parquet", "parquet/v/new/copy.sql", "staged.bin"];
    for (const key of keys) {
      await place.put(key, new Uint8Array(1), options);
      // To digest as much takes longer than anybody waits.
      await truncate(join(dir, key), 2 ** 36);
    }
    const how = { schema: 1, build: "new", dropped: [], keepBuilds: 0, empty: [] };
    const none = { failed: [], stale: [], blocked: [], types: new Set<string>() };
    const current = nextCurrent(null, new Map(), { ...how, ...none });
    await switchTo(place, { current, segments: {}, run: "1" });
    const left: string[] = [];
    for await (const key of place.keys("parquet/v/")) left.push(key);
    expect(left).toEqual(
      [
        "columns.sql",
        "copy.sql",
        "current.json",
        "segments.json.gz",
        "setup.sql",
        "tables.sql",
      ].map((name) => `parquet/v/new/${name}`),
    );
  });
});
