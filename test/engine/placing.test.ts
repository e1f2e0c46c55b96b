// Publishing in a private place from a plan: a folder with the real publisher and the ledger's record, on either ledger.

import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { digestOf } from "../../src/digest.ts";
import {
  file,
  files,
  json,
  type Place,
  type PlaceContents,
  type Plan,
  publicTree,
  step,
} from "../../src/engine/step.ts";
import { HdashError } from "../../src/error.ts";
import { SILENT } from "../../src/log.ts";
import { openPlace } from "../../src/publish/place.ts";
import { makePublisher } from "../../src/publish/publish.ts";
import type { Bucket } from "../../src/store/bucket.ts";
import { openFolderBucket } from "../../src/store/folderBucket.ts";
import { openPublications, type Publication } from "../../src/store/publications.ts";
import { LEDGER_KINDS, startAfresh } from "../support/ledger.ts";
import { finish, makeMemorySite, openWorld, play, type World } from "./world.ts";

const never = new AbortController().signal;

describe.each(LEDGER_KINDS)("plan.publish(place, contents) on %s", (kind) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld(kind);
  });
  afterAll(() => world.close());

  let bucket: Bucket;
  let place: Place<"private">;
  /** Paths in the order in which they were put. */
  let puts: string[];
  let refusedKey: string | null;
  beforeEach(async () => {
    await startAfresh(world.database.db);
    await rm(join(world.dir, "data"), { recursive: true, force: true });
    [puts, refusedKey] = [[], null];
    const folder = openFolderBucket(join(world.dir, "data"));
    bucket = {
      ...folder,
      async put(key, ...rest) {
        if (key === refusedKey) throw new HdashError("permanent", `${key} is refused`);
        puts.push(key);
        return folder.put(key, ...rest);
      },
    };
    const publications = openPublications(world.database.db);
    const publisher = makePublisher({ bucket, publications, log: SILENT, isPlain: true });
    place = { visibility: "private", publisher };
  });

  const make = step({
    name: "make",
    version: 1,
    outputs: { rows: json<{ n: number }>(), set: files(), one: file(), shown: publicTree() },
    async run(_inputs: Record<never, never>, params: { n: number; names: readonly string[] }, ctx) {
      const set = [];
      for (const name of params.names) {
        const path = join(await ctx.workDir(), name);
        await writeFile(path, `${name} ${params.n}`);
        set.push({ path: `${name}.csv`, contentType: "text/csv", file: path });
      }
      const one = join(await ctx.workDir(), "one");
      await writeFile(one, `one ${params.n}`);
      const page = { path: "page.html", contentType: "text/html", bytes: Buffer.from("page") };
      return { rows: { n: params.n }, set, one: { path: one }, shown: [page] };
    },
  });

  const plan =
    (n: number, names: readonly string[], more: Partial<PlaceContents<"private">> = {}) =>
    async (p: Plan) => {
      const { rows, set, one, shown } = await p.do(make, { params: { n, names }, inputs: {} });
      await p.publish(place, async () => ({
        entries: [
          { prefix: `v${n}/`, scope: null, tree: set },
          {
            key: `v${n}/one.bin`,
            contentType: "application/octet-stream",
            scope: "S",
            content: one,
          },
          { prefix: "pages/", scope: null, tree: shown },
        ],
        index: {
          key: "manifest.json",
          contentType: "application/json",
          scope: null,
          content: rows,
        },
        ...more,
      }));
    };

  async function live(): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    for await (const { key } of bucket.list()) {
      found[key] = await readFile(join(world.dir, "data", key), "utf8");
    }
    return found;
  }

  const listRows = (): Promise<readonly Publication[]> =>
    openPublications(world.database.db).list(bucket.uri);

  test("puts private and public outputs, the index last, and records each by its own digest", async () => {
    const { outcome, events } = await play(world, plan(1, ["b", "a"]), { name: "tide" });
    const site = bucket.uri;
    expect(outcome).toMatchObject({ record: { status: "succeeded", published: null } });
    expect(await live()).toEqual({
      ...{ "manifest.json": '{"n":1}', "pages/page.html": "page" },
      ...{ "v1/a.csv": "a 1", "v1/b.csv": "b 1", "v1/one.bin": "one 1" },
    });
    expect(puts.at(-1)).toBe("manifest.json");
    expect(
      (await listRows()).map(({ path, owner, digest, scope }) => [path, owner, digest, scope]),
    ).toEqual(
      Object.entries(await live()).map(([path, text]) => [
        ...[path, "tide", digestOf(text), path === "v1/one.bin" ? "S" : null],
      ]),
    );
    expect(events.find(({ kind: what }) => what === "published")).toMatchObject({ site, put: 5 });
    const { rows } = await sql<{ places: unknown; held: string | null }>`
      select outcome -> 'places' as places, publishing_site as held from run`.execute(
      world.database.db,
    );
    expect(rows).toEqual([
      {
        places: { [site]: expect.objectContaining({ put: 5, deleted: 0 }) as unknown },
        held: null,
      },
    ]);
    // The same again: nothing is put.
    puts.length = 0;
    await finish(world, plan(1, ["b", "a"]), { name: "tide" });
    expect(puts).toEqual([]);
  });

  test("takes away what is not named any more, but for what is kept, and leaves others' alone", async () => {
    await finish(world, plan(1, ["a"]), { name: "tide" });
    await bucket.put("theirs.csv", Buffer.from("x"), { contentType: "", cacheControl: "" });
    // Put by a step itself.
    const publications = openPublications(world.database.db);
    const writer = openPlace({ bucket, publications, owner: "tide", log: SILENT });
    const how = { contentType: "text/csv", scope: null };
    await writer.put("blocks/big.csv", { bytes: Buffer.from("big") }, how, never);
    await finish(world, plan(2, ["a"], { keepPrefixes: ["blocks/"] }), { name: "tide" });
    const left = ["blocks/big.csv", "manifest.json", "pages/page.html", "theirs.csv"];
    expect(Object.keys(await live())).toEqual([...left, "v2/a.csv", "v2/one.bin"]);
    await finish(world, plan(2, ["a"], { entries: [], keepScopes: ["S"] }), { name: "tide" });
    // A scope that is kept keeps what belongs to none: it may need it.
    expect(Object.keys(await live())).toEqual([...left, "v2/a.csv", "v2/one.bin"]);
    await finish(world, plan(2, ["a"], { entries: [] }), { name: "tide" });
    expect(Object.keys(await live())).toEqual(["manifest.json", "theirs.csv"]);
  });

  test("leaves the old index where something cannot be put", async () => {
    await finish(world, plan(1, ["a"]), { name: "tide" });
    refusedKey = "v2/a.csv";
    const { record } = await finish(world, plan(2, ["a"]), { name: "tide" });
    expect([record.status, record.error]).toEqual(["failed", "v2/a.csv is refused"]);
    expect(await live()).toMatchObject({ "manifest.json": '{"n":1}', "v1/a.csv": "a 1" });
  });

  test("holds the place for the run while its contents are made", async () => {
    const { record } = await finish(world, async (p) => {
      await p.publish(place, async () => {
        const { rows } = await sql`select publishing_site from run`.execute(world.database.db);
        expect(rows).toEqual([{ publishing_site: bucket.uri }]);
        return { entries: [] };
      });
    });
    expect([record.status, record.error]).toEqual(["succeeded", null]);
  });

  test.each<[string, (p: Plan) => Promise<void>, RegExp]>([
    [
      "a private port in a public place that got around the types",
      async (p) => {
        const { rows } = await p.do(make, { params: { n: 1, names: [] }, inputs: {} });
        const entry = { key: "rows.json", contentType: "application/json", scope: null };
        await p.publish({ visibility: "public", publisher: place.publisher }, async () => ({
          entries: [{ ...entry, content: rows as never }],
        }));
      },
      /^what is to be published as "rows.json" is a private json, not a public object$/,
    ],
    [
      "a tree for an object",
      async (p) => {
        const { set } = await p.do(make, { params: { n: 1, names: [] }, inputs: {} });
        await p.publish(place, async () => ({
          entries: [{ key: "set", contentType: "text/csv", scope: null, content: set }],
        }));
      },
      /^what is to be published as "set" is a private files, not a private or public object$/,
    ],
    [
      "a prefix that is none",
      (p) => p.publish(place, async () => ({ entries: [], keepPrefixes: ["../"] })),
      /^"..\/" is not a prefix/,
    ],
    [
      "another place before the first is done",
      (p) =>
        p.publish(place, async () => {
          await p.site(async () => ({ parts: [], keepScopes: [] }));
          return { entries: [] };
        }),
      /^memory:\/\/site cannot be published while file:.* is: a run holds one place at a time$/,
    ],
  ])("refuses %s", async (_what, play_, says) => {
    const { record } = await finish(world, play_, { publisher: makeMemorySite() });
    expect(record.error).toMatch(says);
    expect(await live()).toEqual({});
  });
});
