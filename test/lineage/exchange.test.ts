// Results on their way from one ledger to another: the same bytes for the same, all hits at the other end, and nothing of what was tampered with.

import { cp, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";

import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { canonicalJson, type Digest, digestOf } from "../../src/digest.ts";
import { json, type Plan, step } from "../../src/engine/step.ts";
import { blobPath, MANIFEST, RECORDS } from "../../src/lineage/archive.ts";
import { exportFound } from "../../src/lineage/exporting.ts";
import { findResult } from "../../src/lineage/find.ts";
import { walkLineage } from "../../src/lineage/graph.ts";
import { importArchive, type Imported } from "../../src/lineage/importing.ts";
import { findByKey } from "../../src/store/lineage.ts";
import { fileHeader, padding } from "../../src/store/tarball.ts";
import { finish, openWorld, type World } from "../engine/world.ts";
import { type LEDGER_KINDS, startAfresh } from "../support/ledger.ts";
import { drawing } from "./drawing.ts";

const signal = new AbortController().signal;

const CODE = digestOf("some code");

/** Has facts, and may be told to give something else for the same key. */
const report = step({
  name: "report",
  version: 1,
  uses: { kind: "step", code: CODE },
  outputs: { said: json<string>() },
  run(_inputs: Record<never, never>, { of }: { of: string }, ctx) {
    const fields = { of };
    const finding = { rule: "R", severity: "error", subject: "s", row: 3, message: "m" } as const;
    ctx.find([
      { ...finding, fields },
      { ...finding, fields },
    ]);
    ctx.measure("s", "z", 0.1 + 0.2);
    ctx.measure("s", "a", 1);
    return Promise.resolve({ said: mood });
  },
});
let mood = "fine";

const fail = step({
  name: "fail",
  version: 1,
  outputs: { none: json<string>() },
  run: () => Promise.reject(new Error("it fails")),
});

function plan(of: string) {
  return async (p: Plan): Promise<void> => {
    await drawing(of)(p);
    await p.read((await p.do(report, { params: { of }, inputs: {}, label: `of ${of}` })).said);
    await p.scope("sad", async (own) => {
      await own.do(fail, { params: null, inputs: {} });
    });
  };
}

let dir: string;
const worlds: Record<string, World> = {};
beforeAll(async () => {
  worlds["postgres"] = await openWorld("postgres");
  worlds["embedded"] = await openWorld("embedded");
});
afterAll(async () => {
  for (const world of Object.values(worlds)) await world.close();
});
beforeEach(async () => {
  mood = "fine";
  dir = await mkdtemp(join(tmpdir(), "hdash-exchange-"));
  for (const world of Object.values(worlds)) {
    await startAfresh(world.database.db);
    await world.blobs.clear();
    world.warnings.length = 0;
  }
});
afterEach(() => rm(dir, { recursive: true, force: true }));

function worldOf(kind: string): World {
  const world = worlds[kind];
  if (world === undefined) throw new Error(kind);
  return world;
}

async function run(world: World, of: string): Promise<string> {
  const { record } = await finish(world, plan(of), { params: { of, from: `/home/me/${of}` } });
  expect(record.error).toBeNull();
  return `${record.hits} hits, ${record.ran} ran`;
}

async function exported(world: World, word: string, name: string, hasData = true): Promise<string> {
  const { database, blobs } = world;
  const found = await findResult(database.db, word, { siteUrl: null, signal });
  const out = join(dir, name);
  await exportFound({ db: database.db, blobs, scratch: dir, signal }, found, out, hasData);
  return out;
}

function imported(world: World, path: string, isTrusted = false): Promise<Imported> {
  const { database, blobs } = world;
  return importArchive({ db: database.db, blobs, scratch: dir, signal }, path, isTrusted);
}

/** Everything but what is a ledger's own: numbers of results, and what worked on it. */
async function provenance({ database: { db } }: World, step: string): Promise<unknown> {
  const { rows } = await sql<{ key: string }>`
    select step_key as key from step_result where step = ${step} order by id desc limit 1`.execute(
    db,
  );
  const results = await findByKey(db, rows[0]?.key ?? "", 1);
  const { steps, runIds } = await walkLineage(db, results);
  const names = new Map(steps.map(({ result }) => [result.id, result.key]));
  return JSON.parse(
    JSON.stringify({ steps, runIds }, (name, value: unknown) => {
      if (name === "id" || name === "resultId") return names.get(String(value)) ?? value;
      return value;
    }),
  );
}

async function count({ database: { db }, blobs }: World): Promise<string> {
  const { rows } = await sql<{ n: string }>`
    select (select count(*) from step_result) || ' results, ' || (select count(*) from run) || ' runs, '
      || (select count(*) from step_run) || ' steps, ' || (select count(*) from step_attempt) || ' attempts, '
      || (select count(*) from blob_part) || ' parts' as n`.execute(db);
  let blobCount = 0;
  for await (const _blob of blobs.list()) blobCount++;
  return `${rows[0]?.n ?? ""}, ${blobCount} blobs`;
}

type Kind = (typeof LEDGER_KINDS)[number];
describe.each<[Kind, Kind]>([
  ["postgres", "embedded"],
  ["embedded", "postgres"],
])("exportFound() from %s and importArchive() to %s", (from, to) => {
  test("bring all of a run: the next is all hits, and what is known of it is the same", async () => {
    const [here, there] = [worldOf(from), worldOf(to)];
    expect(await run(here, "a")).toBe("0 hits, 4 ran");
    await sql`insert into step_verdict (result_id, state, differences, build, machine, ms)
      select id, 'same', '[]', 'b', '{}', 1.5 from step_result where step = 'weigh'`.execute(
      here.database.db,
    );
    const archive = await exported(here, "1", "one.tar.zst");
    const again = await exported(here, "1", "two.tar.zst");
    expect(Buffer.compare(await readFile(archive), await readFile(again))).toBe(0);
    const text = zstdDecompressSync(await readFile(archive)).toString("latin1");
    expect(text).not.toContain("/home/me");
    expect(text).not.toContain(here.dir);
    const done = await imported(there, archive);
    expect(done).toMatchObject({ results: 4, known: 0, runs: ["1"], trustsLeft: 0 });
    expect(await count(there)).toBe(await count(here));
    expect(await provenance(there, "weigh")).toEqual(await provenance(here, "weigh"));
    // What was imported is exported as it was.
    const back = await exported(there, "1", "back.tar.zst");
    expect(Buffer.compare(await readFile(archive), await readFile(back))).toBe(0);
    expect(await imported(there, archive)).toMatchObject({ results: 0, known: 4, blobs: 0 });
    expect(await count(there)).toBe(await count(here));
    expect(await run(there, "a")).toBe("4 hits, 0 ran");
    expect(there.warnings.filter((line) => line.includes("missing"))).toEqual([]);
  });

  test("bring one result with what it was made of, as a folder, to a ledger that has other things", async () => {
    const [here, there] = [worldOf(from), worldOf(to)];
    await run(here, "a");
    await run(there, "b");
    const [, key = ""] = await keysOf(here, "pack");
    expect(key).toBe("");
    const [own = ""] = await keysOf(here, "pack");
    const archive = await exported(here, own.slice(0, 12), "pack");
    expect((await readdir(archive)).sort()).toEqual(["blobs", MANIFEST, RECORDS]);
    expect(await imported(there, archive)).toMatchObject({ results: 2, known: 0, runs: ["2"] });
    expect(await run(there, "a")).toBe("2 hits, 2 ran");
    expect(await run(there, "b")).toBe("4 hits, 0 ran");
  });
});

async function keysOf({ database: { db } }: World, step: string): Promise<readonly string[]> {
  const { rows } = await sql<{ key: string }>`
    select distinct step_key as key from step_result where step = ${step} order by 1`.execute(db);
  return rows.map(({ key }) => key);
}

describe("exportFound()", () => {
  test("leaves blobs out where it is told to: what is known of a result is the same, and it is made again", async () => {
    const [here, there] = [worldOf("embedded"), worldOf("postgres")];
    // Without parameters.
    await finish(here, plan("a"));
    const archive = await exported(here, "1", "records", false);
    expect((await readdir(archive)).sort()).toEqual([MANIFEST, RECORDS]);
    expect(await imported(there, archive)).toMatchObject({ results: 4, blobs: 0 });
    expect(await provenance(there, "weigh")).toEqual(await provenance(here, "weigh"));
    expect(await run(there, "a")).toBe("0 hits, 4 ran");
  });

  test("refuses what is gone, a run that goes on, and a name that is taken", async () => {
    const here = worldOf("embedded");
    await run(here, "a");
    await expect(exported(here, "1", ".")).rejects.toMatchObject({ kind: "usage" });
    const [first = digestOf("")] = await picture(here);
    await here.blobs.remove(first);
    await expect(exported(here, "1", "x.tar.zst")).rejects.toMatchObject({
      message: `1 blob of what is to be exported is not there any more, e.g. sha256:${first}`,
    });
    expect(await readdir(dir)).toEqual([]);
    await finish(
      here,
      async () => {
        await expect(exported(here, "2", "y")).rejects.toMatchObject({
          message: "run 2 has not ended; it can be exported then",
        });
      },
      { name: "other" },
    );
  });
});

async function picture({ database: { db } }: World): Promise<readonly Digest[]> {
  const { rows } = await sql<{ digest: Digest }>`
    select outputs -> 'picture' ->> 'digest' as digest from step_result where step = 'draw'`.execute(
    db,
  );
  return rows.map(({ digest }) => digest);
}

describe("importArchive()", () => {
  let archive: string;
  let folderArchive: string;
  let there: World;
  let digest: Digest;
  beforeEach(async () => {
    const here = worldOf("embedded");
    there = worldOf("postgres");
    await run(here, "a");
    archive = await exported(here, "1", "a.tar.zst");
    folderArchive = await exported(here, "1", "a");
    [digest = digestOf("")] = await picture(here);
  });

  interface Made {
    records: string;
    /** What becomes of the manifest's text. */
    manifest: (text: string) => string;
    /** Whether the manifest is made to fit what was changed. */
    isResigned: boolean;
  }

  /** Changes the folder, as somebody would who wants to be believed. */
  async function tamper(change: (made: Made) => void): Promise<string> {
    const path = join(dir, "tampered");
    await cp(folderArchive, path, { recursive: true });
    const made: Made = {
      records: await readFile(join(path, RECORDS), "utf8"),
      manifest: (text) => text,
      isResigned: true,
    };
    change(made);
    await rewrite(join(path, RECORDS), made.records);
    let text = await readFile(join(path, MANIFEST), "utf8");
    if (made.isResigned) {
      const found = JSON.parse(text) as {
        parts: { path: string; sha256: string; bytes: number }[];
      };
      const [records] = found.parts;
      if (records === undefined) throw new Error("no parts");
      records.sha256 = digestOf(made.records);
      records.bytes = Buffer.byteLength(made.records);
      text = `${canonicalJson(found)}\n`;
    }
    await rewrite(join(path, MANIFEST), made.manifest(text));
    return path;
  }

  async function rewrite(path: string, content: string | Uint8Array): Promise<void> {
    await rm(path, { force: true });
    await writeFile(path, content);
  }

  async function refused(path: string, says: RegExp): Promise<void> {
    const before = await count(there);
    await expect(imported(there, path)).rejects.toMatchObject({
      message: expect.stringMatching(says) as string,
    });
    expect(await count(there)).toBe(before);
  }

  const line = (records: string, table: string) =>
    records.split("\n").find((one) => one.includes(`"table":"${table}"`)) ?? "";

  test.each<[string, (made: Made) => void, RegExp]>([
    [
      "a record",
      (made) => {
        made.records = made.records.replace('"ms":', '"ms": ');
        made.isResigned = false;
      },
      /records\.ndjson has more than the \d+ bytes it should/,
    ],
    [
      "a key",
      (made) => {
        made.records = made.records.replace(/"step_key":"[0-9a-f]{8}/g, '"step_key":"00000000');
      },
      /records\.ndjson, line \d+ has key 00000000[0-9a-f]{56}, which is not that of its document/,
    ],
    [
      "a document",
      (made) => {
        made.records = made.records.replace('\\"of\\":\\"a\\"', '\\"of\\":\\"b\\"');
      },
      /which is not that of its document/,
    ],
    [
      "an output's digest",
      (made) => {
        made.records = made.records.replaceAll(
          `"digest":"${digest}"`,
          `"digest":"${digestOf("another")}"`,
        );
      },
      /blob [0-9a-f]{64} is there, and nothing names it/,
    ],
    [
      "an output's length",
      (made) => {
        made.records = made.records.replace('"bytes":1048586', '"bytes":1048585');
      },
      /blob [0-9a-f]{64} has 1048586 bytes, and the records say 1048585/,
    ],
    [
      "a finding",
      (made) => {
        made.records = made.records.replace('"message":"m"', '"message":"n"');
      },
      /findings and measures of [0-9a-f]{64} that are not those of its digest/,
    ],
    [
      "what lies in a folder",
      (made) => {
        made.records = made.records.replace('"path":"same"', '"path":"other"');
      },
      /blob [0-9a-f]{64} lists other files than the records say/,
    ],
    [
      "a table",
      (made) => {
        made.records = made.records.replace('"table":"step_run"', '"table":"publication"');
      },
      /is of no table that goes along/,
    ],
    [
      "a column",
      (made) => {
        made.records = made.records.replace('"usage":', '"unknown":1,"usage":');
      },
      /has other columns than step_attempt/,
    ],
    [
      "from what a run is begun again",
      (made) => {
        const one = line(made.records, "run");
        const other = one.replace(
          /"origin":[^,}]*/,
          '"origin":{"cwd":"/","file":"/tmp/theirs.ts"}',
        );
        made.records = made.records.replace(one, other);
      },
      /has a run that is begun again from \{"cwd":"\/","file":"\/tmp\/theirs\.ts"\}/,
    ],
    [
      "a run that a step is of",
      (made) => {
        const one = line(made.records, "step_run");
        made.records = made.records.replace(one, one.replace('"run_id":1', '"run_id":7'));
      },
      /names run 7, which is not there/,
    ],
    [
      "a line that is left out",
      (made) => {
        made.records = made.records.replace(`${line(made.records, "step_result")}\n`, "");
      },
      /has result 2, not 1/,
    ],
    [
      "a row of the manifest",
      (made) => {
        made.manifest = (text) => text.replace(digest, digestOf("another"));
      },
      /has a part .*, which is none/,
    ],
    [
      "a path that leaves the folder",
      (made) => {
        made.manifest = (text) => text.replace(blobPath(digest), `../../${digest}`);
      },
      /has a part .*\.\.\/\.\.\/.*, which is none/,
    ],
    [
      "a version",
      (made) => {
        made.manifest = (text) => text.replace('"version":1', '"version":2');
      },
      /is of version 2; this hdash reads 1/,
    ],
  ])(
    "refuses an archive in which %s was changed, and takes nothing of it",
    async (_name, change, says) => {
      await refused(await tamper(change), says);
    },
  );

  test("refuses blobs that are changed, missing, too many, or links", async () => {
    const path = join(folderArchive, blobPath(digest));
    const bytes = await readFile(path);
    await rewrite(path, Buffer.from(bytes).fill("x", 5, 6));
    await refused(folderArchive, new RegExp(`${digest} has SHA-256 [0-9a-f]{64}, not ${digest}`));
    await truncate(path, 100);
    await refused(folderArchive, new RegExp(`${digest} has 100 bytes, not ${bytes.byteLength}`));
    await rm(path);
    await refused(folderArchive, new RegExp(`${digest} is missing`));
    await symlink("/etc/hostname", path);
    await refused(folderArchive, new RegExp(`${digest} is no plain file`));
    await rewrite(path, bytes);
    await writeFile(join(folderArchive, "more"), "x");
    await refused(folderArchive, /more is not in the manifest/);
  });

  test("refuses files that are cut off, go on, hold other parts, or are none", async () => {
    const packed = await readFile(archive);
    const whole = zstdDecompressSync(packed);
    const path = join(dir, "b.tar.zst");
    const tarred = async (bytes: Uint8Array): Promise<string> => {
      await rewrite(path, zstdCompressSync(bytes));
      return path;
    };
    await rewrite(path, packed.subarray(0, packed.byteLength / 2));
    await refused(path, /is damaged or cut off/);
    await refused(await tarred(whole.subarray(0, whole.byteLength - 3000)), /is cut off|damaged/);
    await refused(
      await tarred(Buffer.concat([whole, Buffer.from("more")])),
      /goes on behind its end/,
    );
    const end = whole.byteLength - 1024;
    const extra = [
      fileHeader({ path: "extra", bytes: 1 }),
      Buffer.from("x"),
      Buffer.alloc(padding(1)),
    ];
    await refused(
      await tarred(Buffer.concat([whole.subarray(0, end), ...extra, whole.subarray(end)])),
      /extra is not in the manifest/,
    );
    const huge = fileHeader({ path: MANIFEST, bytes: 2 ** 40 });
    await refused(
      await tarred(Buffer.concat([huge, whole])),
      /has a manifest of 1099511627776 bytes/,
    );
    const link = Buffer.from(whole);
    link.write("2", 156);
    await refused(await tarred(link), /damaged/);
    await refused(await tarred(Buffer.alloc(2048)), /has no manifest/);
    await rewrite(path, "no archive");
    await refused(path, /damaged or cut off/);
    await refused(join(dir, "none"), /there is no archive \/.*\/none/);
  });

  test("does not inflate what is more than the manifest says", async () => {
    const whole = zstdDecompressSync(await readFile(archive));
    const path = join(dir, "bomb.tar.zst");
    await rewrite(path, zstdCompressSync(Buffer.concat([whole, Buffer.alloc(300 << 20)])));
    const before = process.memoryUsage().rss;
    await refused(path, /goes on behind its end/);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 << 20);
  });

  test("refuses another result for a key that is here, unless it is trusted; what is here stays beside it", async () => {
    mood = "sad";
    await run(there, "a");
    await refused(archive, /has 1 result that is others here: e\.g\. report, key [0-9a-f]{16}/);
    expect(await imported(there, archive, true)).toMatchObject({ results: 1, known: 3 });
    const [key = ""] = await keysOf(there, "report");
    const { rows } = await sql`select id from step_result where step_key = ${key}`.execute(
      there.database.db,
    );
    expect(rows).toHaveLength(2);
    mood = "neither";
    expect(await run(there, "a")).toBe("4 hits, 0 ran");
  });

  test("brings what code consists of, and words of trust only where it is trusted", async () => {
    const here = worldOf("embedded");
    await sql`insert into code_listing (digest, listing) values (${CODE}, '{"modules": []}')`.execute(
      here.database.db,
    );
    await sql`insert into step_trust (pipeline, step, code, stands_for, because)
      values ('test', 'report', 'new', ${CODE}, 'it is')`.execute(here.database.db);
    const path = await exported(here, "1", "trust.tar.zst");
    const counted = async (): Promise<unknown> =>
      (
        await sql`select (select count(*)::int from code_listing) as listings,
          (select count(*)::int from step_trust) as trusts`.execute(there.database.db)
      ).rows;
    expect((await imported(there, path)).trustsLeft).toBe(1);
    expect(await counted()).toEqual([{ listings: 1, trusts: 0 }]);
    expect((await imported(there, path, true)).trustsLeft).toBe(0);
    expect(await counted()).toEqual([{ listings: 1, trusts: 1 }]);
  });

  test("counts attempts on behind those that are here", async () => {
    await finish(there, async (p) => {
      await p.scope("sad", async (own) => {
        await own.do(fail, { params: null, inputs: {} });
      });
    });
    await imported(there, archive);
    const { rows } = await sql<{ n: number }>`
      select n from step_attempt where step = 'fail' order by n`.execute(there.database.db);
    expect(rows.map(({ n }) => n)).toEqual([1, 2]);
  });
});
