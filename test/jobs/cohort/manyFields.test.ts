// Exports whose records have fields without end: datasets have the same hundred of them, in whatever order exports come, and what is told
// of the others tells of nobody.

import { zstdDecompressSync } from "node:zlib";

import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";

import {
  type CatalogEntry,
  EMPTY_CATALOG,
  withEntries,
} from "../../../src/jobs/cohort/data/catalog.ts";
import { reportFindings } from "../../../src/jobs/cohort/data/findings.ts";
import { typeInputs } from "../../../src/jobs/cohort/data/typeInput.ts";
import { openDatabase } from "../../../src/store/database.ts";
import { handZip } from "../../formats/support/handZip.ts";
import { sourceOf } from "../../formats/support/ranges.ts";
import {
  build,
  type BuiltType,
  digestByDuck,
  ingest,
  makeRig,
  type Rig,
} from "./support/cohortRig.ts";
import { makeCohortWorld, runHere } from "./support/cohortWorld.ts";

const TYPE = "FitbitDevices";
const LONG_MS = 120_000;
const NAMES = [1, 2, 3].map((day) => `adults_v1/2026-01-0${day}T05--00--08Z_a`);

let rig: Rig;
beforeAll(async () => {
  rig = await makeRig();
});
afterAll(() => rig.close());

/** An export of some records, each with fields of its own. */
function zip(day: number, records: number, fields: number, from = 0): Buffer {
  const lines = Array.from({ length: records }, (_, at) => {
    const own = Array.from({ length: fields }, (_none, n) => [`x${from + at * fields + n}`, n]);
    const of = { ParticipantIdentifier: `SYN-${at}`, Date: `2026-01-0${day}`, Device: "a" };
    return JSON.stringify({ ...of, ...(Object.fromEntries(own) as object) });
  });
  const content = Buffer.from(lines.join("\n"));
  return handZip([{ name: `${TYPE}_2026010${day}.json`, content }]);
}

describe("an export with a hundred thousand undeclared fields", () => {
  test(
    "gives a hundred columns, and says so",
    async () => {
      const home = await rig.folder();
      const [key = ""] = NAMES;
      const entry = await ingest(rig, home, key, sourceOf(zip(1, 1000, 100)));
      const found = reportFindings(entry.report).filter(({ rule }) => rule === "too_many_fields");
      expect(found.map(({ message }) => message)).toEqual([
        "FitbitDevices_20260101.json has 100,000 fields that nobody declared in dataset_fitbitdevices: 100 of them are columns; the others are in its copies alone.",
      ]);
      expect(entry.report.members[0]?.extras[0]).toHaveLength(100);
      const inputs = typeInputs(withEntries(EMPTY_CATALOG, [entry]), rig.shapes);
      const { datasets } = await build(rig, home, inputs, TYPE, await rig.folder());
      const own = datasets[0]?.columns.filter(({ name }) => /^x\d+$/.test(name));
      expect([datasets[0]?.rows, own?.length]).toEqual([1000, 100]);
    },
    LONG_MS,
  );
});

describe("exports that have too many undeclared fields together", () => {
  test(
    "come to the same columns and rows in any order, and from scratch",
    async () => {
      const home = await rig.folder();
      const sent = [zip(1, 6, 10, 50), zip(2, 6, 10, 0), zip(3, 6, 10, 90)];
      const entries: CatalogEntry[] = [];
      for (const [at, bytes] of sent.entries()) {
        entries.push(await ingest(rig, home, NAMES[at] ?? "", sourceOf(bytes)));
      }
      const shape = rig.shapes.get(TYPE);
      if (shape === undefined) throw new Error(`no shape of ${TYPE}`);
      const cameTo = new Set<string>();
      for (const order of [
        [0, 1, 2],
        [2, 1, 0],
        [1, 2, 0],
      ]) {
        let catalog = EMPTY_CATALOG;
        let before: BuiltType | undefined;
        let extras = "";
        for (const at of order) {
          const entry = entries[at];
          if (entry === undefined) throw new Error("no entry");
          catalog = withEntries(catalog, [entry]);
          const inputs = typeInputs(catalog, rig.shapes);
          const now = JSON.stringify(inputs.get(TYPE)?.extras);
          // As the plan does: segments of other columns are worth nothing.
          const how = { before: now === extras ? before : undefined };
          extras = now;
          const dir = await rig.folder();
          before = await build(rig, home, inputs, TYPE, dir, how);
          if (at !== order.at(-1)) continue;
          expect(inputs.get(TYPE)).toMatchObject({ leftOut: [50] });
          const [dataset] = before.datasets;
          if (dataset === undefined) throw new Error("no dataset");
          const digest = await digestByDuck(rig, dir, shape, dataset);
          cameTo.add(JSON.stringify([dataset.columns, digest]));
        }
      }
      expect(cameTo.size).toBe(1);
    },
    LONG_MS,
  );
});

describe("names of undeclared fields that are values", () => {
  test(
    "are in the datasets, and in nothing that is kept or said elsewhere",
    async () => {
      const world = await makeCohortWorld(inject("postgres"));
      try {
        const record = {
          ...{ ParticipantIdentifier: "SYN-1", Date: "2026-01-01", Device: "a" },
          ...{ "alice@example.com": "\ud800", "MDH-4821-0093": 1, Plain: "\ud800" },
        };
        const content = Buffer.from(JSON.stringify(record));
        world.send(NAMES[0] ?? "", handZip([{ name: `${TYPE}_20260101.json`, content }]));
        expect(await runHere(world, { COHORT_TYPES: TYPE })).toBe("succeeded");
        const columns = world
          .current()
          ?.datasets.find(({ name }) => name === "dataset_fitbitdevices");
        const names = columns?.columns.map(({ name }) => name);
        expect(names).toEqual(expect.arrayContaining(["alice_example_com", "MDH_4821_0093"]));
        const [member] = world.catalog()?.exports[0]?.report.members ?? [];
        const notes = Object.keys(member?.casts ?? {});
        expect(notes).toEqual([
          expect.stringMatching(/^#[0-9a-f]{12}:repaired$/) as string,
          "Plain:repaired",
        ]);
        const { db, close } = await openDatabase(world.settings);
        const { rows: blobs } = await sql<{ bytes: Buffer; encoding: string }>`
          select string_agg(c.bytes, ''::bytea order by c.n) as bytes, b.encoding
          from blob b join blob_chunk c on b.digest = c.digest group by b.digest, b.encoding`.execute(
          db,
        );
        const { rows: tables } = await sql<{ name: string }>`
          select table_schema || '."' || table_name || '"' as name from information_schema.tables
          where table_schema not in ('pg_catalog', 'information_schema')`.execute(db);
        const told = blobs.map(({ bytes }) => zstdDecompressSync(bytes).toString());
        for (const { name } of tables) {
          const { rows } = await sql<{ text: string }>`
            select to_jsonb(t)::text as text from ${sql.raw(name)} t`.execute(db);
          told.push(...rows.map(({ text }) => text));
        }
        await close();
        expect(blobs.length).toBeGreaterThan(2);
        const all = told.join("\n");
        expect(["alice", "4821-0093", "4821_0093"].filter((value) => all.includes(value))).toEqual(
          [],
        );
      } finally {
        await world.close();
      }
    },
    LONG_MS,
  );
});
