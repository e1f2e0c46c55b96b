import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { digestOf } from "../../../src/digest.ts";
import {
  type Catalog,
  type CatalogEntry,
  EMPTY_CATALOG,
  withEntries,
} from "../../../src/jobs/cohort/data/catalog.ts";
import { byText } from "../../../src/jobs/cohort/data/text.ts";
import { allInputs, typeInputs } from "../../../src/jobs/cohort/data/typeInput.ts";
import { makeRandom } from "../matrix/support/random.ts";
import {
  build,
  type BuiltType,
  digestByDuck,
  fileRanges,
  FIXTURE,
  ingest,
  makeRig,
  type Rig,
} from "./support/cohortRig.ts";
import { expectedOf } from "./support/expected.ts";

const EXPECTED = expectedOf(FIXTURE);
/** Exports of a namespace by name: the one that was sent again comes behind the one of the same days. */
const exportsOf = (namespace: string): readonly string[] =>
  Object.entries(EXPECTED[namespace]?.objects ?? {})
    .filter(([, outcome]) => outcome === "read")
    .map(([key]) => key)
    .sort(byText);

let rig: Rig;
beforeAll(async () => {
  rig = await makeRig();
});
afterAll(() => rig.close());

/** Exports that were read once: what is read of one is the same whenever it comes. */
async function readOnce(namespace: string) {
  const home = await rig.folder();
  const entries = new Map<string, CatalogEntry>();
  for (const key of exportsOf(namespace)) {
    entries.set(
      key,
      await ingest(rig, home, key, fileRanges(join(FIXTURE, "world", namespace, key))),
    );
  }
  return { home, entries };
}

/** A type as it was built, with what decides whether another build may stand on it. */
interface Known {
  readonly digest: string;
  readonly extras: string;
  readonly out: string;
  readonly built: BuiltType;
}

/** Builds as runs do: only types whose inputs have changed, and of these only what is touched; tells how many. */
async function buildChanged(
  home: string,
  catalog: Catalog,
  known: Map<string, Known>,
  isMerging = false,
): Promise<number> {
  const inputs = typeInputs(catalog, rig.shapes);
  let changed = 0;
  for (const [type, { digest }] of allInputs(catalog, { name: "1", shapes: rig.shapes }, [])) {
    const last = known.get(type);
    if (last?.digest === digest) continue;
    const out = await rig.folder();
    const extras = JSON.stringify(inputs.get(type)?.extras);
    const before = last?.extras === extras ? last.built : undefined;
    const built = await build(rig, home, inputs, type, out, { before, isMerging });
    known.set(type, { digest, extras, out, built });
    changed++;
  }
  return changed;
}

describe.each([
  ["main", [1, 2]],
  ["world-b", [3]],
] as const)("exports of %s in whatever order", (namespace, seeds) => {
  let home: string;
  let entries: ReadonlyMap<string, CatalogEntry>;
  const keys = exportsOf(namespace);
  beforeAll(async () => {
    ({ home, entries } = await readOnce(namespace));
  });

  const taken = (order: readonly string[], catalog = EMPTY_CATALOG): Catalog =>
    order.reduce((all, key) => withEntries(all, [entries.get(key) as CatalogEntry]), catalog);

  test("give the same catalog and inputs, however often they come", () => {
    const all = taken(keys);
    const inputs = typeInputs(all, rig.shapes);
    const random = makeRandom(38);
    for (let round = 0; round < 60; round++) {
      const order = random.shuffle([...keys, ...keys.slice(0, random.below(keys.length))]);
      const catalog = taken(order);
      expect(catalog).toEqual(all);
      expect(typeInputs(catalog, rig.shapes)).toEqual(inputs);
    }
  });

  test.each(seeds)(
    "give the answers' datasets when built now and then, by seed %i",
    async (seed) => {
      const random = makeRandom(seed);
      // The first time the one that was sent again comes first of all.
      const again = keys.filter((key) => key.includes("re-export"));
      const shuffled = random.shuffle(keys);
      const order =
        seed === 1 ? [...again, ...shuffled.filter((k) => !again.includes(k))] : shuffled;
      const known = new Map<string, Known>();
      let catalog = EMPTY_CATALOG;
      for (const [at, key] of order.entries()) {
        catalog = taken([key], catalog);
        if (at < order.length - 1 && random.below(3) > 0)
          await buildChanged(home, catalog, known, random.below(3) === 0);
      }
      await buildChanged(home, catalog, known);
      expect(await buildChanged(home, catalog, known)).toBe(0);
      const found: Record<string, unknown> = {};
      for (const [type, { out, built }] of known) {
        for (const dataset of built.datasets) {
          const shape = rig.shapes.get(type);
          if (shape === undefined) throw new Error(`no shape of ${type}`);
          found[dataset.name] = (await digestByDuck(rig, out, shape, dataset)).sha256;
        }
      }
      const { datasets = {}, recordCounts = {} } = EXPECTED[namespace] ?? {};
      const wanted = Object.entries(datasets).map(([name, { sha256 }]) => [name, sha256]);
      expect(found).toEqual(Object.fromEntries(wanted));
      const counts = [...known].map(([type, { built }]) => [type.toLowerCase(), built.counts]);
      expect(Object.fromEntries(counts)).toMatchObject(recordCounts);
    },
  );

  test("leave the last one's copies in the places, when each knows of those before it", async () => {
    const own = await rig.folder();
    let catalog = EMPTY_CATALOG;
    for (const key of keys.toReversed()) {
      const later = catalog.exports
        .filter(({ report }) => byText(report.export, key.slice(key.indexOf("/") + 1)) > 0)
        .filter(({ report }) => report.cohort === key.slice(0, key.indexOf("/")))
        .flatMap(({ report }) => report.members)
        .flatMap(({ id, status }) => (id === null || status === "bad_member" ? [] : [id]));
      const source = fileRanges(join(FIXTURE, "world", namespace, key));
      const entry = await ingest(rig, own, key, source, (id) => !later.includes(id));
      // What is read of it does not depend on that; by its etag a copy is known that was put.
      expect(withoutEtags(entry.report)).toEqual(withoutEtags(entries.get(key)?.report));
      catalog = withEntries(catalog, [entry]);
    }
    let copies = 0;
    for (const { report } of catalog.exports) {
      const { members = {} } =
        EXPECTED[namespace]?.exports[`${report.cohort}/${report.export}`] ?? {};
      for (const { name, raw, copy } of report.members) {
        if (raw === null || members[name]?.superseded === true) continue;
        expect(digestOf(await readFile(join(own, "raw", raw.key)))).toBe(raw.sha256);
        if (copy === null) continue;
        expect(digestOf(await readFile(join(own, "intermediate", copy.key)))).toBe(copy.sha256);
        copies++;
      }
    }
    expect(copies).toBeGreaterThan(100);
  });
});

/** A report without what tells whether its copies were put. */
function withoutEtags(report: unknown): unknown {
  return JSON.parse(
    JSON.stringify(report, (name, value: unknown) => (name === "etag" ? null : value)),
  );
}
