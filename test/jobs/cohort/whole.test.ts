// The fixture through the command as people run it: exports and places on a strict S3, the ledger in Postgres, Slack listening. Every
// dataset has the digest of the answers, and nothing that is told, logged or kept outside the datasets tells of anybody.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";

import { digestOf } from "../../../src/digest.ts";
import { type Catalog, sortListing } from "../../../src/jobs/cohort/data/catalog.ts";
import type { Current } from "../../../src/jobs/cohort/data/current.ts";
import { byText } from "../../../src/jobs/cohort/data/text.ts";
import type { Validation } from "../../../src/jobs/cohort/data/validation.ts";
import { type SlackServer, startSlack } from "../../../src/lookalikes/slackServer.ts";
import { openDatabase } from "../../../src/store/database.ts";
import { type Ended, start } from "../../support/command.ts";
import { FIXTURE, makeRig, type Rig } from "./support/cohortRig.ts";
import { BUCKETS, type CohortWorld, digestBuild, makeCohortWorld } from "./support/cohortWorld.ts";
import { expectedOf } from "./support/expected.ts";
import { IDENTIFIERS, quarantinedValues } from "./support/secrets.ts";

const EXPECTED = expectedOf(FIXTURE);
const NAMESPACES = Object.keys(EXPECTED);
/** Every object of two namespaces is read and built, on a busy machine. */
const LONG_MS = 600_000;

let rig: Rig;
let world: CohortWorld;
let slack: SlackServer;
const ended = new Map<string, Ended>();

/** Files below a folder, as keys. */
function filesIn(dir: string, below = ""): readonly string[] {
  return readdirSync(join(dir, below)).flatMap((name) => {
    const path = join(below, name);
    return statSync(join(dir, path)).isDirectory() ? filesIn(dir, path) : [path];
  });
}

function hdash(namespace: string, ...args: readonly string[]): Promise<Ended> {
  const given = world.env({ NAMESPACE: namespace, SLACK_WEBHOOK_URL: slack.url });
  // Each namespace has a schema of its own.
  const { HDASH_DB_SCHEMA: _schema, ...env } = given;
  return start("src/main.ts", args, env).ended;
}

beforeAll(async () => {
  rig = await makeRig();
  world = await makeCohortWorld(inject("postgres"));
  slack = await startSlack();
  const folder = join(FIXTURE, "world");
  for (const key of filesIn(folder)) {
    world.s3.setObject(BUCKETS.source, key, readFileSync(join(folder, key)));
  }
  // What the console makes where a folder is clicked together.
  world.s3.setObject(BUCKETS.source, "main/adults_v1/", Buffer.alloc(0));
  for (const namespace of NAMESPACES) ended.set(namespace, await hdash(namespace, "run", "cohort"));
}, LONG_MS);
afterAll(async () => {
  await rig.close();
  await slack.close();
  await world.close();
});

const pick = (of: object, fields: readonly string[]) =>
  Object.fromEntries(Object.entries(of).filter(([field]) => fields.includes(field)));

function textOf(key: string): string {
  const object = world.s3.objects(BUCKETS.processed).get(key);
  if (object === undefined) throw new Error(`there is no ${key}`);
  const bytes = object.read();
  return (key.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString();
}
const currentOf = (namespace: string): Current =>
  JSON.parse(textOf(`${namespace}/parquet/current.json`)) as Current;

describe.each(NAMESPACES)("hdash run cohort, for %s", (namespace) => {
  const expected = EXPECTED[namespace];

  test(
    "gives every dataset of the answers, and lists those without rows",
    async () => {
      const current = currentOf(namespace);
      expect(current.datasets).toHaveLength(59);
      const found = await digestBuild(world, rig, current, namespace);
      const wanted = Object.entries(expected?.datasets ?? {}).map(([name, { rows, sha256 }]) => [
        name,
        { rows, sha256 },
      ]);
      expect(found).toEqual(Object.fromEntries(wanted));
    },
    LONG_MS,
  );

  test("says what became of every object, names taken as they are", () => {
    const keys = [...world.s3.objects(BUCKETS.source).keys()]
      .filter((key) => key.startsWith(`${namespace}/`))
      .filter((key) => !key.endsWith("/adults_v1/"))
      .map((key) => ({ key: key.slice(namespace.length + 1), bytes: 0, etag: "" }));
    const { others } = sortListing(keys, rig.schema.cohorts);
    const { exports } = JSON.parse(textOf(`${namespace}/catalog.json.gz`)) as Catalog;
    const found = [
      ...others.map(({ key, outcome }) => [key, outcome] as const),
      ...exports.map(
        ({ report }) => [`${report.cohort}/${report.export}`, report.outcome] as const,
      ),
    ];
    expect(Object.fromEntries(found)).toEqual(expected?.objects);
  });

  test("keeps raw copies that are byte for byte what was sent last, and no others", () => {
    const copies: Record<string, string> = {};
    for (const { members } of Object.values(expected?.exports ?? {})) {
      for (const { rawKey, sha256, superseded } of Object.values(members)) {
        if (rawKey === undefined || sha256 === undefined || superseded === true) continue;
        copies[rawKey] = sha256;
      }
    }
    const held = [...world.s3.objects(BUCKETS.raw)]
      .filter(([key]) => key.startsWith(`${namespace}/`))
      .map(([key, object]) => [key, digestOf(gunzipSync(object.read()))]);
    expect(Object.fromEntries(held)).toEqual(copies);
  });

  test("gives all 31 checks of the answers, with their counts", () => {
    const { build } = currentOf(namespace);
    const { results } = JSON.parse(textOf(`${namespace}/validation/${build}.json`)) as Validation;
    const wanted = (expected?.expectations ?? []).map((one) => ({
      ...{ dataset: `dataset_${one.dataset}`, column: one.column, kind: one.check },
      ...{ outcome: one.success ? "passed" : "failed", rows: one.elementCount },
      missing: one.missingCount ?? null,
      unexpected: one.unexpectedCount ?? null,
    }));
    expect(wanted).toHaveLength(31);
    expect(results.map((one) => pick(one, Object.keys(wanted[0] ?? {})))).toEqual(wanted);
  });

  test("prints them, failed ones first, and ends with 3", async () => {
    const failed = (expected?.expectations ?? []).filter(({ success }) => !success).length;
    const { code, stdout, stderr } = await hdash(namespace, "cohort", "validate");
    expect(code, stderr).toBe(3);
    const lines = stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(33);
    expect(lines.slice(1, failed + 1).filter((line) => !line.startsWith("  failed "))).toEqual([]);
    expect(lines.at(-1)).toBe(`31 checks: ${failed} failed, 0 not run, ${31 - failed} passed`);
    const one = await hdash(
      namespace,
      "cohort",
      "validate",
      "--type",
      "HealthKitV2Workouts",
      "--json",
    );
    expect(one.code, one.stderr).toBe(0);
    const { results } = JSON.parse(one.stdout) as Pick<Validation, "results">;
    expect(results.map(({ kind }) => kind)).toEqual(["exists"]);
  });

  test("describes all datasets: rows, and people by cohort", () => {
    const { build, datasets } = currentOf(namespace);
    const { profiles } = JSON.parse(textOf(`${namespace}/validation/${build}.json`)) as Validation;
    expect(profiles.map(({ dataset, rows }) => [dataset, rows])).toEqual(
      datasets.map(({ name, rows }) => [name, rows]),
    );
    // A participant is enrolled once.
    const enrolled = datasets.find(({ name }) => name === "dataset_enrolledparticipants");
    const rows = Map.groupBy(enrolled?.files ?? [], ({ key }) => /cohort=([^/]+)/.exec(key)?.[1]);
    const counts = [...rows].map(([cohort, files]) => ({
      cohort,
      count: files.reduce((sum, file) => sum + file.rows, 0),
    }));
    const people = profiles.find(({ dataset }) => dataset === enrolled?.name)?.people;
    expect(people).toEqual(counts.sort((a, b) => byText(a.cohort ?? "", b.cohort ?? "")));
    expect(people?.length).toBe(2);
  });

  test("ends well, and says where nothing is lost", async () => {
    expect(ended.get(namespace)?.code).toBe(0);
    const audit = await hdash(namespace, "cohort", "audit");
    expect(audit.code).toBe(3);
    const { read, written, quarantined } = expected?.totals as Record<string, number>;
    const counted = (number = 0): string => number.toLocaleString("en");
    expect(audit.stdout).toContain(
      `${counted(read)} records read = ${counted(written)} written + ${counted(quarantined)} set aside`,
    );
  });
});

describe("whatever is told, logged or kept outside the datasets", () => {
  /** The copies, the rows on their way, the datasets, and the keys of segments: what may hold what was sent. */
  const HOLDS_RECORDS =
    /^[^/]+\/(json|compressed_json|staged|parquet\/v\/[^/]+\/(dataset_|keys\/|winners\/|people\/))/;

  async function ledger(): Promise<string> {
    const database = await openDatabase(world.settings);
    try {
      const { rows: tables } = await sql<{ name: string }>`
        select table_schema || '."' || table_name || '"' as name from information_schema.tables
        where table_schema not in ('pg_catalog', 'information_schema')`.execute(database.db);
      const texts: string[] = [];
      for (const { name } of tables) {
        const { rows } = await sql<{ text: string }>`
          select to_jsonb(t)::text as text from ${sql.raw(name)} t`.execute(database.db);
        texts.push(...rows.map(({ text }) => text));
      }
      expect(texts.length).toBeGreaterThan(100);
      return texts.join("\n");
    } finally {
      await database.close();
    }
  }

  test(
    "names nobody, and has no value of a line that was set aside",
    async () => {
      const told: Record<string, string> = { ledger: await ledger() };
      for (const [namespace, { code, stdout, stderr }] of ended) {
        expect(code).not.toBeNull();
        told[`output of ${namespace}`] = stdout + stderr;
        for (const args of [["audit"], ["audit", "--json"], ["status"], ["status", "--json"]]) {
          const said = await hdash(namespace, "cohort", ...args);
          told[`${args.join(" ")} of ${namespace}`] = said.stdout + said.stderr;
        }
      }
      told["Slack"] = JSON.stringify(slack.messages);
      expect(slack.messages.length).toBeGreaterThan(0);
      let kept = 0;
      for (const bucket of Object.values(BUCKETS)) {
        if (bucket === BUCKETS.source) continue;
        const keys = [...world.s3.objects(bucket).keys()];
        told[`keys in ${bucket}`] = keys.join("\n");
        for (const key of keys.filter((one) => !HOLDS_RECORDS.test(one))) {
          told[`${bucket}/${key}`] = textOf(key);
          kept++;
        }
      }
      expect(kept).toBeGreaterThan(80);
      for (const path of filesIn(world.home)) {
        told[`home/${path}`] = readFileSync(join(world.home, path), "latin1");
      }
      const values: string[] = [...IDENTIFIERS];
      for (const [namespace, { exports }] of Object.entries(EXPECTED)) {
        for (const key of Object.keys(exports))
          values.push(...(await quarantinedValues(namespace, key)));
      }
      const secrets = [...new Set(values)];
      expect(secrets.length).toBeGreaterThan(150);
      const found = Object.entries(told).flatMap(([where, text]) =>
        secrets.filter((value) => text.includes(value)).map((value) => [where, value]),
      );
      expect(found).toEqual([]);
    },
    LONG_MS,
  );

  test("is no work file: none is left when the worker has ended", () => {
    expect(filesIn(world.home).filter((path) => /ndjson|parquet|spill|\.gz/.test(path))).toEqual(
      [],
    );
  });
});
