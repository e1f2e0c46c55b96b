import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inspect } from "node:util";
import { gunzipSync } from "node:zlib";

import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { HdashError } from "../../../src/error.ts";
import { buildType, findTouched } from "../../../src/jobs/cohort/build/buildType.ts";
import { stageStatement } from "../../../src/jobs/cohort/build/statements.ts";
import {
  type CatalogEntry,
  EMPTY_CATALOG,
  withEntries,
} from "../../../src/jobs/cohort/data/catalog.ts";
import { reportFindings } from "../../../src/jobs/cohort/data/findings.ts";
import { typeInputs } from "../../../src/jobs/cohort/data/typeInput.ts";
import { handZip } from "../../formats/support/handZip.ts";
import { sourceOf } from "../../formats/support/ranges.ts";
import {
  build,
  fileRanges,
  FIXTURE,
  ingest,
  makeRig,
  type Rig,
  rowsOf,
} from "./support/cohortRig.ts";
import { expectedOf } from "./support/expected.ts";
import { IDENTIFIERS, quarantinedValues } from "./support/secrets.ts";

const EXPECTED = expectedOf(FIXTURE);

let rig: Rig;
beforeAll(async () => {
  rig = await makeRig();
});
afterAll(() => rig.close());

/** Everything that an error says to whoever looks at it: message, stack, hints, causes. */
const told = (error: unknown): string =>
  `${String(error)} ${inspect(error, { depth: 10, showHidden: true })} ${JSON.stringify(error)}`;

async function failure(work: () => Promise<unknown>): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new Error("it did not fail");
}

describe.each(Object.keys(EXPECTED))("what is said of %s", (namespace) => {
  const entries: CatalogEntry[] = [];
  let home: string;
  const keys = Object.entries(EXPECTED[namespace]?.objects ?? {})
    .filter(([, outcome]) => outcome !== "ignored" && outcome !== "unknown_cohort")
    .map(([key]) => key);
  beforeAll(async () => {
    home = await rig.folder();
    for (const key of keys) {
      entries.push(
        await ingest(rig, home, key, fileRanges(join(FIXTURE, "world", namespace, key))),
      );
    }
  });

  /** Reports, findings, the lines set aside, inputs, and what is known of datasets. */
  async function sayings(): Promise<readonly string[]> {
    const said: string[] = [];
    for (const entry of entries) {
      said.push(JSON.stringify(entry), JSON.stringify(reportFindings(entry.report)));
      const { quarantine } = entry.report;
      if (quarantine === null) continue;
      said.push(gunzipSync(await readFile(join(home, "processed", quarantine.key))).toString());
    }
    const inputs = typeInputs(withEntries(EMPTY_CATALOG, entries), rig.shapes);
    // Types of which a line was set aside.
    const members = entries.flatMap(({ report }) => report.members);
    const types = members
      .filter(({ written, read }) => written !== (read ?? 0))
      .map(({ type }) => type);
    for (const type of new Set(types)) {
      if (type === null) continue;
      const out = await rig.folder();
      said.push(JSON.stringify(inputs.get(type)));
      said.push(JSON.stringify(await build(rig, home, inputs, type, out)));
    }
    return said;
  }

  test("has no identifier and no value of a line that was set aside in it", async () => {
    const values: string[] = [];
    for (const { report } of entries) {
      if (report.outcome !== "read") continue;
      values.push(...(await quarantinedValues(namespace, `${report.cohort}/${report.export}`)));
    }
    expect(IDENTIFIERS.length).toBeGreaterThan(100);
    expect(values.length).toBeGreaterThan(50);
    const said = (await sayings()).join("\n");
    const found = [...IDENTIFIERS, ...new Set(values)].filter((value) => said.includes(value));
    expect(found).toEqual([]);
    // They are in the exports, so that not finding them says something.
    expect(values.filter((value) => IDENTIFIERS.includes(value)).length).toBeGreaterThan(5);
  });
});

const SECRET = "SYN-0011-0002-secret";

describe("what errors say", () => {
  async function staged(): Promise<{ home: string; entry: CatalogEntry }> {
    const line = `{"ParticipantIdentifier":"${SECRET}","Date":"d","Device":"v","${SECRET}":"x"}\n`;
    const zip = handZip([{ name: "FitbitDevices_20260101.json", content: Buffer.from(line) }]);
    const home = await rig.folder();
    return { home, entry: await ingest(rig, home, "adults_v1/a", sourceOf(zip)) };
  }

  async function rows() {
    const { home, entry } = await staged();
    const input = typeInputs(withEntries(EMPTY_CATALOG, [entry]), rig.shapes).get("FitbitDevices");
    if (input === undefined) throw new Error("no input");
    return rowsOf(rig, home, input);
  }

  /** A statement that turns staged rows into others, in their place. */
  async function change(path: string, select: string): Promise<void> {
    const other = `${path}.other`;
    await rig.duck.run(
      "x",
      `copy (select ${select} from '${path}') to '${other}' (format parquet)`,
    );
    await writeFile(path, await readFile(other));
  }

  async function buildOf(given: Awaited<ReturnType<typeof rows>>): Promise<unknown> {
    const dir = await rig.folder();
    return buildType(rig.duck, {
      ...{ rows: given, dir, deleted: null, cohorts: rig.schema.cohorts },
      ...{ extras: given.shape.tables.map(() => new Set<string>()), dropped: new Set<string>() },
    });
  }

  test.each<[string, (path: string) => Promise<void>]>([
    ["no Parquet", (path) => writeFile(path, `${SECRET}\n`.repeat(100))],
    ["a part of one", async (path) => writeFile(path, (await readFile(path)).subarray(0, -20))],
    [
      "one with garbage in it",
      async (path) => {
        const bytes = await readFile(path);
        await writeFile(path, bytes.fill(0x53, 8, 60));
      },
    ],
    ["one without its columns", (path) => change(path, `"ParticipantIdentifier"`)],
    [
      "one whose numbers are values",
      (path) => change(path, `* replace ("ParticipantIdentifier" as "^m")`),
    ],
  ])("is not what a staged file holds that is %s", async (_what, damage) => {
    const given = await rows();
    await damage(given.files[0]?.[0]?.path ?? "");
    for (const work of [() => buildOf(given), () => findTouched(rig.duck, given, [], null)]) {
      const error = await failure(work);
      expect(error).toBeInstanceOf(HdashError);
      expect(error).toMatchObject({ kind: "permanent" });
      expect((error as HdashError).message).toMatch(
        /^(building FitbitDevices|comparing keys of FitbitDevices): DuckDB gave up \([A-Za-z -]+\)$/,
      );
      expect(told(error)).not.toContain(SECRET);
    }
    // The next build goes on as if nothing had been.
    expect(await buildOf(await rows())).toMatchObject([{ unique: { "2026-01-01T00:00:00": 1 } }]);
  });

  test.each([
    ["no JSON", SECRET],
    ["of another type", `{"m":"${SECRET}"}`],
    ["of a wrong form", `{"m":1,"l":1,"x":"${SECRET}"}`],
    ["cut short", `{"m":1,"l":1,"0":"${SECRET}`],
  ])(
    "is not what a line for staging holds that is %s, which DuckDB quotes",
    async (_what, line) => {
      const dir = await rig.folder();
      const [lines, file] = [join(dir, "lines"), join(dir, "file")];
      await writeFile(lines, `${line}\n`);
      const shape = rig.shapes.get("FitbitDevices");
      if (shape === undefined) throw new Error("no shape");
      const statement = stageStatement(shape, 0, { lines, file, mostRowBytes: 100 });
      const error = await failure(() => rig.duck.run("staging", statement));
      expect(error).toMatchObject({ kind: "permanent" });
      expect(told(error)).not.toContain(SECRET);
    },
  );

  test("would be a value, were DuckDB's own messages told", async () => {
    const instance = await DuckDBInstance.create(":memory:");
    const connection = await instance.connect();
    const error = await failure(() => connection.run(`select cast('${SECRET}' as bigint)`));
    expect(told(error)).toContain(SECRET);
    connection.closeSync();
    instance.closeSync();
    const ours = await failure(() => rig.duck.run("casting", `select cast('${SECRET}' as bigint)`));
    expect(told(ours)).not.toContain(SECRET);
    expect(ours).toMatchObject({ message: "casting: DuckDB gave up (Conversion)" });
  });

  test.each([
    ["no statement", `select ${SECRET}'`],
    ["of what there is not", `select "${SECRET}"`],
    ["that ends early", `select '${SECRET}\0'`],
    ["of what the caller says", `select error('${SECRET} Error')`],
    ["of a file that there is not", `select * from read_parquet('/nowhere/${SECRET}')`],
  ])("is nothing of a statement that is %s", async (_what, statement) => {
    for (const ask of [rig.duck.run, rig.duck.rows]) {
      const error = await failure(() => ask("asking", statement));
      expect(error).toBeInstanceOf(HdashError);
      expect(told(error)).not.toContain(SECRET);
    }
  });

  test("is nothing of a manifest or of a damaged member", async () => {
    const text = `A,FitbitDevices,ExcludedParticipantIdentifiers\n1,${SECRET},${SECRET}\n`;
    const line = `{"ParticipantIdentifier":"${SECRET}"}\n`;
    const zip = handZip([
      { name: "Manifest.csv", content: Buffer.from(text) },
      { name: "FitbitDevices_20260101.json", content: Buffer.from(line), crc32: 1 },
      { name: "FitbitDevices_20260102.json", content: Buffer.from(line) },
    ]);
    const { report } = await ingest(rig, await rig.folder(), "adults_v1/a", sourceOf(zip));
    expect(report.findings.map(({ code }) => code)).toEqual(["bad_member", "bad_manifest"]);
    expect(report.members.map(({ status }) => status)).toEqual(["bad_member", "ok"]);
    expect(JSON.stringify([report, reportFindings(report)])).not.toContain(SECRET);
  });
});
