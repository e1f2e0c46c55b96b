// Both namespaces of the fixture as workers read and build them, side by side in one store and one ledger.

import { gunzipSync } from "node:zlib";

import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";

import { digestOf } from "../../../src/digest.ts";
import { sortListing } from "../../../src/jobs/cohort/data/catalog.ts";
import { FIXTURE, makeRig, type Rig } from "./support/cohortRig.ts";
import {
  BUCKETS,
  type CohortWorld,
  digestBuild,
  exportOf,
  makeCohortWorld,
  runHere,
} from "./support/cohortWorld.ts";
import { expectedOf } from "./support/expected.ts";

const EXPECTED = expectedOf(FIXTURE);
const NAMESPACES = Object.keys(EXPECTED);
const LONG_MS = 600_000;

let rig: Rig;
let world: CohortWorld;
beforeAll(async () => {
  rig = await makeRig();
  world = await makeCohortWorld(inject("postgres"));
  for (const [namespace, { objects }] of Object.entries(EXPECTED)) {
    for (const key of Object.keys(objects)) {
      world.send(key, await exportOf(`${FIXTURE}/world/${namespace}`, key), namespace);
    }
  }
  for (const namespace of NAMESPACES) {
    expect(await runHere(world, { NAMESPACE: namespace })).toBe("succeeded");
  }
}, LONG_MS);
afterAll(async () => {
  await world.close();
  await rig.close();
});

describe.each(Object.entries(EXPECTED))("%s, read and built by a worker", (namespace, expected) => {
  test("has the digests of the answers", async () => {
    const current = world.current(namespace);
    if (current === null) throw new Error("there is no build");
    const wanted = Object.entries(expected.datasets);
    expect(wanted).toHaveLength(59);
    expect(await digestBuild(world, rig, current, namespace)).toEqual(
      Object.fromEntries(wanted.map(([name, { rows, sha256 }]) => [name, { rows, sha256 }])),
    );
  });

  test("says what became of every object, names taken as they are", () => {
    const keys = [...world.s3.objects(BUCKETS.source).keys()]
      .filter((key) => key.startsWith(`${namespace}/`))
      .map((key) => ({ key: key.slice(namespace.length + 1), bytes: 0, etag: "" }));
    const { others } = sortListing(keys, rig.schema.cohorts);
    const exports = world.catalog(namespace)?.exports ?? [];
    const found = [
      ...others.map(({ key, outcome }) => [key, outcome] as const),
      ...exports.map(
        ({ report }) => [`${report.cohort}/${report.export}`, report.outcome] as const,
      ),
    ];
    expect(Object.fromEntries(found)).toEqual(expected.objects);
  });

  test("keeps raw copies that are byte for byte what was sent last, and no others", () => {
    const copies: Record<string, string> = {};
    for (const { members } of Object.values(expected.exports)) {
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
});
