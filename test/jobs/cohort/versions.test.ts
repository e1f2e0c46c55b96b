// Two versions of the schema at once: exports of either are read by the names and forms of their own, into one dataset.

import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { EMPTY_CATALOG, withEntries } from "../../../src/jobs/cohort/data/catalog.ts";
import { readSchema } from "../../../src/jobs/cohort/data/schema.ts";
import { typeInputs } from "../../../src/jobs/cohort/data/typeInput.ts";
import { loadSchemas } from "../../../src/jobs/cohort/schemas.ts";
import { handZip } from "../../formats/support/handZip.ts";
import { sourceOf } from "../../formats/support/ranges.ts";
import { build, ingest, makeRig, type Rig, rowsOfFile } from "./support/cohortRig.ts";

const schema = (version: number, types: object): string =>
  JSON.stringify({ version, cohorts: ["adults_v1"], tie: "InsertedDate", types });

const FIRST = schema(1, {
  Walk: {
    key: ["P"],
    columns: {
      ...{ P: "string", Floors: "int", Value: "string", Left: "string" },
      Notes: { struct: { a: "int", b: "string" }, from: "text" },
      Pulse: { array: { struct: { At: "int", Rate: "int" } }, from: "offsets" },
    },
    aliases: { Left: ["Gone"] },
  },
});
const SECOND = schema(2, {
  Walk: {
    key: ["P"],
    columns: {
      // A field more, one under another name, and one whose name is another's now.
      ...{ P: "string", FloorsClimbed: "int", Depth: "double", Value: "int", RawValue: "string" },
      Notes: { struct: { a: "double", b: "int", c: "string" } },
      Pulse: { array: { struct: { At: "int", Rate: "double" } } },
    },
    aliases: { FloorsClimbed: ["Floors"], RawValue: ["Value"], "Notes.c": ["b"] },
  },
  New: { key: ["P"], columns: { P: "string", Size: "int" } },
});

let dir: string;
let rig: Rig;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-versions-"));
  await mkdir(join(dir, "config/cohort"), { recursive: true });
  const rules = [{ before: "2026-02-01", version: 1 }];
  const files = { versions: JSON.stringify({ latest_version: 2, rules }), 1: FIRST, 2: SECOND };
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(dir, `config/cohort/${name}.json`), text);
  }
  rig = await makeRig(readSchema(SECOND, "2"));
});
afterAll(async () => {
  await rig.close();
  await rm(dir, { recursive: true });
});

describe("exports of two versions", () => {
  async function read(sent: Readonly<Record<string, Readonly<Record<string, object>>>>) {
    const schemas = await loadSchemas(dir);
    const home = await rig.folder();
    const entries = [];
    for (const [name, members] of Object.entries(sent)) {
      const zip = handZip(
        Object.entries(members).map(([type, record]) => {
          const day = name.slice(0, 10).replaceAll("-", "");
          return { name: `${type}_${day}.json`, content: Buffer.from(JSON.stringify(record)) };
        }),
      );
      const { shapes } = schemas.of(name);
      entries.push(await ingest({ ...rig, shapes }, home, `adults_v1/${name}`, sourceOf(zip)));
    }
    return { home, catalog: withEntries(EMPTY_CATALOG, entries) };
  }

  async function rowsOf(home: string, inputs: ReturnType<typeof typeInputs>, type: string) {
    const out = await rig.folder();
    const { datasets } = await build(rig, home, inputs, type, out);
    const rows: Record<string, unknown> = {};
    for (const { name, files } of datasets) {
      rows[name] = [];
      for (const { path } of files) {
        for (const row of await rowsOfFile(join(out, path))) {
          (rows[name] as unknown[]).push(Object.values(row));
        }
      }
    }
    const columns = datasets.map(({ name, columns: own }) => [name, own.map((one) => one.name)]);
    return { rows, columns: Object.fromEntries(columns) as Record<string, readonly string[]> };
  }

  const OLD = {
    ...{ P: "1", Floors: 3, Value: "x", Gone: "g", Depth: 1.5 },
    ...{ Notes: '{"a":"7.5","b":"t"}', Pulse: { 60: 61.5, "-60": 2 } },
  };
  const NEW = {
    ...{ P: "2", FloorsClimbed: 4, Value: 8, RawValue: "y", Depth: 2.5, Left: "l" },
    ...{ Notes: { a: 9, b: 1 }, Pulse: [{ At: 0, Rate: 70 }] },
  };

  test("fill one dataset, each by its own names and forms", async () => {
    const { home, catalog } = await read({
      "2026-01-15T00_a": { Walk: OLD },
      "2026-02-01T00_b": { Walk: NEW },
    });
    const { rows, columns } = await rowsOf(home, typeInputs(catalog, rig.shapes), "Walk");
    const id = expect.any(BigInt) as unknown;
    const [first, second] = ["2026-01-15T00:00:00", "2026-02-01T00:00:00"];
    expect(columns["dataset_walk"]).toEqual([
      ...[
        "P",
        "FloorsClimbed",
        "Depth",
        "Value",
        "RawValue",
        "Notes_a",
        "Notes_b",
        "Notes_c",
        "Pulse",
      ],
      // What the latest version does not declare is kept as text, under the name that it was sent by.
      ...["export_start_date", "export_end_date", "Gone", "Left"],
    ]);
    expect(rows["dataset_walk"]).toEqual([
      ["1", 3n, 1.5, null, "x", 7.5, null, "t", id, null, first, "g", null],
      ["2", 4n, 2.5, 8n, "y", 9, 1n, null, id, null, second, null, "l"],
    ]);
    expect(rows["dataset_walk_pulse"]).toEqual([
      [id, 0n, -60n, 2, "1"],
      [id, 1n, 60n, 61.5, "1"],
      [id, 0n, 0n, 70, "2"],
    ]);
  });

  test("of which all are of the older one fill a dataset of the latest", async () => {
    const { home, catalog } = await read({
      "2026-01-15T00_a": { Walk: { P: "1" }, New: { P: "1", Size: 2 } },
    });
    const inputs = typeInputs(catalog, rig.shapes);
    const end = "2026-01-15T00:00:00";
    expect((await rowsOf(home, inputs, "Walk")).rows["dataset_walk"]).toEqual([
      ["1", null, null, null, null, null, null, null, null, null, end],
    ]);
    // A type that the older version does not declare is read as the latest has it.
    expect((await rowsOf(home, inputs, "New")).rows["dataset_new"]).toEqual([["1", 2n, null, end]]);
  });

  test("say which they were read by, so that another version has them read anew", async () => {
    const [first, second] = ["2026-01-31T23", "2026-02-01T00"];
    const before = await loadSchemas(dir);
    expect(before.of(first).name).toMatch(/^1-[0-9a-f]{12}$/);
    expect(before.of(second)).toBe(before.of(null));
    const other = await mkdtemp(join(tmpdir(), "hdash-versions-"));
    await cp(dir, other, { recursive: true });
    await writeFile(join(other, "config/cohort/2.json"), SECOND.replace("Depth", "Deep"));
    const after = await loadSchemas(other);
    await rm(other, { recursive: true });
    for (const name of [first, second]) expect(after.of(name).name).not.toBe(before.of(name).name);
  });
});
