import { readdirSync, readFileSync, rmSync } from "node:fs";
import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { sql } from "kysely";
import { afterAll, beforeEach, describe, expect, test } from "vitest";

import { makeEmbedded, openPglite, startPglite } from "../../src/store/embedded.ts";
import { fillFolder, makeTemplate, templatePath } from "../../src/store/template.ts";

const root = await mkdtemp(join(tmpdir(), "hdash-template-"));
afterAll(() => rmSync(root, { recursive: true }));

/** Makes a small folder in a database's place. */
async function makeSmall(dir: string): Promise<void> {
  await mkdir(join(dir, "base"), { recursive: true });
  await writeFile(join(dir, "base", "1"), "rows");
}

function mustNot(): Promise<void> {
  throw new Error("there is a template");
}

const rowsIn = (dir: string) => readFileSync(join(dir, "base", "1"), "utf8");

describe("fillFolder(dir, make, path)", () => {
  let dir: string;
  let path: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(root, "case-"));
    path = join(dir, "cache", "ledger.tar.gz");
  });

  test("makes the first database, and the next from what it kept", async () => {
    await fillFolder(join(dir, "one"), makeSmall, path);
    await fillFolder(join(dir, "two"), mustNot, path);
    expect([rowsIn(join(dir, "one")), rowsIn(join(dir, "two"))]).toEqual(["rows", "rows"]);
    expect(readdirSync(dirname(path))).toEqual(["ledger.tar.gz"]);
  });

  test.each([
    ["was cut", (bytes: Buffer) => bytes.subarray(0, bytes.length - 20)],
    [
      "has a wrong sum",
      (bytes: Buffer) => bytes.fill(~(bytes.at(-8) ?? 0), bytes.length - 8, bytes.length - 7),
    ],
    ["is empty", () => Buffer.of()],
    ["is no archive", () => Buffer.from("hello")],
  ])("makes a template anew that %s", async (_, damage) => {
    await fillFolder(join(dir, "one"), makeSmall, path);
    const whole = await readFile(path);
    await writeFile(path, damage(Buffer.from(whole)));
    await fillFolder(join(dir, "two"), makeSmall, path);
    expect(rowsIn(join(dir, "two"))).toBe("rows");
    expect((await readFile(path)).equals(whole)).toBe(true);
  });

  test("makes a database where no template can be kept", async () => {
    await writeFile(join(dir, "file"), "");
    const nowhere = join(dir, "file", "cache", "ledger.tar.gz");
    await fillFolder(join(dir, "one"), makeSmall, nowhere);
    expect(rowsIn(join(dir, "one"))).toBe("rows");
  });

  test("fills many folders at once, from no template and from one", async () => {
    const names = Array.from({ length: 8 }, (_, at) => `many-${at}`);
    await Promise.all(names.map((name) => fillFolder(join(dir, name), makeSmall, path)));
    expect(names.map((name) => rowsIn(join(dir, name)))).toEqual(Array(8).fill("rows"));
    expect(readdirSync(dirname(path))).toEqual(["ledger.tar.gz"]);
    await fillFolder(join(dir, "last"), mustNot, path);
  });

  test("keeps nothing of a database that could not be made", async () => {
    const fail = async (folder: string) => {
      await makeSmall(folder);
      throw new Error("the disk is full");
    };
    await expect(fillFolder(join(dir, "one"), fail, path)).rejects.toThrow("the disk is full");
    expect(readdirSync(dir)).not.toContain("cache");
    await expect(makeTemplate(join(dir, "two"), fail, path)).rejects.toThrow("the disk is full");
    expect(readdirSync(dir)).toEqual(["one"]);
  });

  test("gives a real database with every table", async () => {
    await makeTemplate(join(dir, "made"), makeEmbedded, path);
    expect(readdirSync(dir)).toEqual(["cache"]);
    await fillFolder(join(dir, "filled"), mustNot, path);
    const pglite = await startPglite({ dataDir: join(dir, "filled") });
    const database = await openPglite(pglite, "filled");
    const migrations = readdirSync(join(import.meta.dirname, "../../migrations"))
      .filter((name) => name.endsWith(".ts"))
      .map((name) => ({ name: name.slice(0, -3) }));
    const applied = await sql`select name from kysely_migration order by name`.execute(database.db);
    expect(applied.rows).toEqual(migrations);
    expect(await database.db.selectFrom("run").selectAll().execute()).toEqual([]);
    await database.close();
  });
});

describe("templatePath()", () => {
  async function place(
    name: string,
    version: string,
    migrations: Readonly<Record<string, string>>,
  ) {
    const engine = join(root, name, "node_modules/@electric-sql/pglite");
    const folder = join(root, name, "migrations");
    await Promise.all([engine, folder].map((path) => mkdir(path, { recursive: true })));
    await writeFile(join(engine, "package.json"), JSON.stringify({ version }));
    for (const [file, text] of Object.entries(migrations))
      await writeFile(join(folder, file), text);
    return templatePath(join(engine, "package.json"), folder).slice(join(root, name).length);
  }

  test("is another for another PGlite, another migration and one more, and for nothing else", async () => {
    const first = await place("a", "1.2.3", { "0001_ledger.ts": "up" });
    expect(first).toMatch(/^\/node_modules\/\.cache\/hdash\/ledger-[0-9a-f]{16}\.tar\.gz$/);
    const others = [
      await place("b", "1.2.4", { "0001_ledger.ts": "up" }),
      await place("c", "1.2.3", { "0001_ledger.ts": "down" }),
      await place("d", "1.2.3", { "0001_ledger.ts": "up", "0002_more.ts": "up" }),
    ];
    expect(new Set([first, ...others]).size).toBe(4);
    expect(await place("e", "1.2.3", { "0001_ledger.ts": "up", "schema.sql": "x" })).toBe(first);
  });

  test("lies beside the packages of this installation", () => {
    const cache = join(import.meta.dirname, "../../node_modules/.cache/hdash");
    expect(dirname(templatePath())).toBe(cache);
  });
});
