import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";

import { json, type Plan, publicTree, type SitePart, step } from "../../src/engine/step.ts";
import { HdashError } from "../../src/error.ts";
import type { Publisher } from "../../src/publish/site.ts";
import { cancelRun } from "../../src/store/queue.ts";
import { LEDGER_KINDS, startAfresh } from "../support/ledger.ts";
import { finish, makeMemorySite, openWorld, play, type World } from "./world.ts";

const page = step({
  name: "page",
  version: 1,
  outputs: { tree: publicTree(), secret: json<string>() },
  async run(_inputs: Record<never, never>, params: Record<string, string>) {
    const tree = Object.entries(params).map(([path, body]) => ({
      path,
      contentType: "text/html; charset=utf-8",
      bytes: new TextEncoder().encode(body),
    }));
    return { tree, secret: "participant-level" };
  },
});

const part = async (
  p: Plan,
  files: Record<string, string>,
  given: Partial<SitePart> = {},
): Promise<SitePart> => {
  const { tree } = await p.do(page, { params: files, inputs: {} });
  return { scope: null, prefix: "", tree, cache: "page", ...given };
};

describe.each(LEDGER_KINDS)("plan.site(contents) on %s", (kind) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld(kind);
  });
  afterAll(() => world.close());
  beforeEach(() => startAfresh(world.database.db));

  test("publishes the files of public trees below their prefixes, and notes what that came to", async () => {
    const publisher = makeMemorySite();
    const plan = (index: string, keepScopes: readonly string[]) => async (p: Plan) => {
      await p.site(async () => ({
        parts: [
          await part(p, { "index.html": index }),
          await part(p, { "app.1a2b.js": "js" }, { prefix: "assets/", cache: "immutable" }),
          ...(keepScopes.length > 0 ? [] : [await part(p, { "A.html": "A" }, { scope: "A" })]),
        ],
        keepScopes,
      }));
    };
    const publish = vi.spyOn(publisher, "publish");
    const { outcome, events } = await play(world, plan("one", []), { publisher, name: "pages" });
    expect(publish.mock.calls.map(([, { owner }]) => owner)).toEqual(["pages"]);
    const cacheControl = "no-cache";
    expect(Object.fromEntries(publisher.files)).toEqual({
      "index.html": { text: "one", cacheControl, scope: null },
      "A.html": { text: "A", cacheControl, scope: "A" },
      "assets/app.1a2b.js": {
        ...{ text: "js", cacheControl: "public, max-age=31536000, immutable", scope: null },
      },
    });
    expect(outcome).toMatchObject({
      record: { status: "succeeded", published: { put: 3, deleted: 0, unchanged: 0 } },
    });
    const { site } = publisher;
    expect(events.filter((event) => event.kind.startsWith("publish"))).toEqual([
      ...[1, 2, 3].map((done) => ({ kind: "publishProgress", site, done, total: 3 })),
      {
        ...{ kind: "published", site, put: 3, deleted: 0, unchanged: 0 },
        durationMs: expect.any(Number) as number,
      },
    ]);
    const { rows } = await sql`select outcome -> 'published' as published from run`.execute(
      world.database.db,
    );
    expect(rows).toEqual([
      {
        published: {
          ...{
            put: 3,
            unchanged: 0,
            deleted: 0,
            kept: 0,
            putBytes: 0,
            deletedPaths: [],
            goneScopes: [],
          },
          putPaths: ["A.html", "assets/app.1a2b.js", "index.html"],
        },
      },
    ]);

    const second = await finish(world, plan("two", ["A"]), { publisher });
    expect(second.record.published).toEqual({ put: 1, deleted: 0, unchanged: 1 });
    expect(publisher.files.get("A.html")?.text).toBe("A");
  });

  test("tells of scopes that the site no longer has, by what they were last called", async () => {
    const publisher = makeMemorySite();
    const plan = (titles: Readonly<Record<string, string | null>>) => async (p: Plan) => {
      const parts: SitePart[] = [];
      for (const [scope, title] of Object.entries(titles)) {
        await p.scope(scope, async () => {}, { title });
        parts.push(await part(p, { [`${scope}.html`]: scope }, { scope }));
      }
      await p.site(async () => ({ parts, keepScopes: [] }));
    };
    await finish(world, plan({ A: "Old", B: null, C: "Sea" }), { publisher });
    const kept = await finish(world, plan({ A: "Köln", B: null, C: "Sea" }), { publisher });
    expect(kept.gone).toEqual([]);
    const gone = [
      { scope: "A", title: "Köln" },
      { scope: "B", title: "B" },
    ];
    const { outcome, events } = await play(world, plan({ C: "Sea" }), { publisher });
    expect(outcome).toMatchObject({ gone });
    expect(events.find(({ kind }) => kind === "published")).toMatchObject({ deleted: 2, gone });
  });

  test.each<[string, (p: Plan) => Promise<readonly SitePart[]>, string]>([
    [
      "a private port that got around the types",
      async (p) => {
        const { secret } = await p.do(page, { params: {}, inputs: {} });
        return [await part(p, {}, { tree: secret as never })];
      },
      'what is to be published below "" is a private json, not a public tree',
    ],
    [
      "two parts with one file",
      async (p) => [await part(p, { a: "1" }), await part(p, { a: "2" })],
      "two parts of the site have a file a",
    ],
    ...["a", "/", "../", "a//", "./", "a/../"].map(
      (prefix): [string, (p: Plan) => Promise<readonly SitePart[]>, string] => [
        `the prefix ${prefix}`,
        async (p) => [await part(p, { a: "1" }, { prefix })],
        `"${prefix}" is not a prefix of a site: "" or a path that ends in a slash`,
      ],
    ),
  ])("refuses %s", async (_name, parts, error) => {
    const publisher = makeMemorySite();
    const { record } = await finish(
      world,
      (p) => p.site(async () => ({ parts: await parts(p), keepScopes: [] })),
      { publisher },
    );
    expect(record).toMatchObject({ status: "failed", error, published: null });
    expect(publisher.files.size).toBe(0);
  });

  test("fails the run where publishing fails, and gives the site free", async () => {
    const publisher = {
      ...makeMemorySite(),
      publish: () => Promise.reject(new HdashError("permanent", "the bucket is read-only")),
    };
    const contents = async () => ({ parts: [], keepScopes: [] });
    const { record } = await finish(
      world,
      async (p) => {
        await p.site(contents).catch(() => {});
        const { rows } = await sql`select publishing_site from run`.execute(world.database.db);
        expect(rows).toEqual([{ publishing_site: null }]);
        await p.site(contents);
      },
      { publisher },
    );
    expect(record).toMatchObject({ status: "failed", error: "the bucket is read-only" });
  });

  test("keeps the site of a run that is cancelled until its last file is put", async () => {
    const { db } = world.database;
    const site = async () => {
      const { rows } = await sql<{ publishing_site: string | null }>`
        select publishing_site from run`.execute(db);
      return rows.map(({ publishing_site }) => publishing_site);
    };
    const [begun, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const memory = makeMemorySite();
    const publisher: Publisher = {
      ...memory,
      async publish(...given) {
        begun.resolve();
        await gate.promise;
        return memory.publish(...given);
      },
    };
    const contents = async () => ({ parts: [], keepScopes: [] });
    const run = play(world, (p) => p.site(contents), { publisher });
    await begun.promise;
    await cancelRun(db, "1", "not needed", new Date());
    expect(await site()).toEqual(["memory://site"]);
    gate.resolve();
    expect((await run).outcome).toEqual({ kind: "cancelled", runId: "1" });
    expect(await site()).toEqual([null]);
  });

  test("lets one run at a time publish a site, from its contents to its last file", async () => {
    const order: string[] = [];
    const begun = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const publisher = makeMemorySite();
    const plan = (name: string, before: () => Promise<void>) => (p: Plan) =>
      p.site(async () => {
        order.push(`${name} begins`);
        await before();
        const contents = { parts: [await part(p, { "index.html": name })], keepScopes: [] };
        order.push(`${name} has its contents`);
        return contents;
      });
    const first = play(
      world,
      plan("first", () => {
        begun.resolve();
        return gate.promise;
      }),
      { publisher, params: 1 },
    );
    await begun.promise;
    const waiting = Promise.withResolvers<void>();
    const second = play(
      world,
      plan("second", async () => {}),
      {
        publisher,
        params: 2,
        onProgress: ({ kind: what }) => what === "waiting" && waiting.resolve(),
      },
    );
    await waiting.promise;
    gate.resolve();
    await Promise.all([first, second]);
    expect(order).toEqual([
      ...["first begins", "first has its contents", "second begins", "second has its contents"],
    ]);
    expect(publisher.files.get("index.html")?.text).toBe("second");
    expect((await second).events.find(({ kind: what }) => what === "waiting")).toMatchObject({
      for: "site",
      worker: expect.stringContaining(`pid ${process.pid}`) as string,
    });
  });

  test("takes the site from a run whose lease is over", async () => {
    const publisher = makeMemorySite();
    const begun = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const first = play(
      world,
      (p) =>
        p.site(async () => {
          begun.resolve();
          await gate.promise;
          return { parts: [], keepScopes: [] };
        }),
      { publisher, params: 1 },
    );
    await begun.promise;
    await sql`update run set lease_until = now() - interval '1 second'`.execute(world.database.db);
    const { record } = await finish(
      world,
      (p) =>
        p.site(async () => {
          gate.resolve();
          expect((await first).outcome).toMatchObject({
            record: {
              status: "failed",
              error: `run 1 has lost its turn to publish ${publisher.site}`,
            },
          });
          return { parts: [await part(p, { a: "a" })], keepScopes: [] };
        }),
      { publisher, params: 2 },
    );
    expect(record.status).toBe("succeeded");
    expect([...publisher.files.keys()]).toEqual(["a"]);
  });
});
