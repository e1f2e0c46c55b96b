// A namespace from its first deployment to its teardown, as the role that is its own: the administrator's login is in two commands only.

import { join } from "node:path";

import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";

import { placesOf } from "../../src/settings/namespace.ts";
import { openDatabase } from "../../src/store/database.ts";
import { hdash, hdashUtil } from "../support/command.ts";
import { createEmptyDatabase, databaseEnv } from "../support/postgres.ts";
import { type Services, startServices } from "../support/services.ts";

const PASSWORD = "correct-horse-battery-staple";
const id = crypto.randomUUID().slice(0, 8);
const master = `hdash_test_${id}_master`;
const NAMESPACE = `n${id}`;
const { schema } = placesOf(NAMESPACE);

let services: Services;
let made: Awaited<ReturnType<typeof createEmptyDatabase>>;
let admin: Readonly<Record<string, string>>;
let own: Readonly<Record<string, string>>;
const asSuperuser = async (...statements: readonly string[]): Promise<void> => {
  const database = await openDatabase(made.settings);
  for (const statement of statements) await sql.raw(statement).execute(database.db);
  await database.close();
};

beforeAll(async () => {
  services = await startServices();
  made = await createEmptyDatabase();
  await asSuperuser(
    `create role ${master} login createrole password 'p'`,
    `alter database ${made.settings.name} owner to ${master}`,
  );
  own = envOf({ HDASH_DB_USER: schema, HDASH_DB_PASSWORD: PASSWORD });
  admin = envOf({
    HDASH_DB_USER: master,
    HDASH_DB_PASSWORD: "p",
    HDASH_DB_ROLE_PASSWORD: PASSWORD,
  });
});
afterAll(async () => {
  await asSuperuser(
    `alter database ${made.settings.name} owner to current_user`,
    `drop role ${master}`,
  );
  await made.drop();
  await services.close();
});

/** The variables of a task of the namespace, as one user or the other. */
function envOf(login: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { HDASH_DB_SCHEMA: _, ...place } = databaseEnv(made.settings);
  const { HDASH_DB_SCHEMA: __, S3_PREFIX: ___, ...env } = services.env;
  return { ...env, ...place, NAMESPACE, ...login };
}
test("a namespace runs as its own role, gets another password, and goes with its role", async () => {
  const refused = await hdash(["doctor"], own);
  expect(refused.stdout).toContain("password authentication failed");

  const first = await hdashUtil(["role", "--alone"], admin);
  expect(first.code, first.stderr).toBe(0);
  expect(first.stdout).toContain(
    `the role ${schema} was made; it owns its schema and nothing else\n`,
  );
  const list = join(services.world, "atlases.csv");
  expect((await hdashUtil(["init", "--file", list], own)).code).toBe(0);
  const ran = await hdash(["run", "htan"], own);
  expect(ran.code, ran.stderr).toBe(0);

  const next = PASSWORD.toUpperCase();
  const second = await hdashUtil(["role"], { ...admin, HDASH_DB_ROLE_PASSWORD: next });
  expect(second.stdout).toContain(`the role ${schema} was there and has the password; it owns`);
  expect((await hdash(["runs"], own)).code).toBe(2);
  const runs = await hdash(["runs"], { ...own, HDASH_DB_PASSWORD: next });
  expect(runs.stdout).toMatch(/htan +succeeded/);

  const asked = await hdashUtil(["role", "--drop"], admin);
  expect([asked.code, asked.stderr]).toEqual([2, expect.stringContaining("Say --yes")]);
  const gone = await hdashUtil(["role", "--drop", "--yes"], admin);
  expect(gone.code, gone.stderr).toBe(0);
  expect(gone.stdout).toMatch(/: the schema went with \d+ tables, its role as well; the published/);
  const again = await hdashUtil(["role", "--drop", "--yes"], admin);
  expect(again.stdout).toContain(": there was no schema, there was no role; the published site");
  const said = [refused, first, second, asked, gone, again];
  expect(said.map(({ stdout, stderr }) => stdout + stderr).join()).not.toContain(PASSWORD);
});

test.each([
  [
    "without a namespace",
    { NAMESPACE: "" },
    ["role"],
    "no role is made, since NAMESPACE does not say",
  ],
  [
    "without a password",
    { HDASH_DB_ROLE_PASSWORD: "" },
    ["role"],
    "HDASH_DB_ROLE_PASSWORD is not set",
  ],
  [
    "with a short one",
    { HDASH_DB_ROLE_PASSWORD: "short" },
    ["role"],
    "HDASH_DB_ROLE_PASSWORD must be 16",
  ],
  ["with the administrator's", { HDASH_DB_PASSWORD: PASSWORD }, ["role"], "they have to be two"],
  ["with the administrator's name", { HDASH_DB_USER: schema }, ["role"], "they have to be two"],
  [
    "in the embedded database",
    {
      HDASH_DB_HOST: "",
      HDASH_DB_USER: "",
      HDASH_DB_PASSWORD: "",
      HDASH_DB_NAME: "",
      HDASH_DB_ROLE_PASSWORD: "",
    },
    ["role"],
    "the embedded database has one user",
  ],
  [
    "that is to be dropped, of production",
    { NAMESPACE: "main" },
    ["role", "--drop", "--yes"],
    "production's schema: nothing drops it",
  ],
  ["that is made and dropped", {}, ["role", "--drop", "--alone"], "--alone goes with making"],
  ["that nobody asked about", {}, ["role", "--yes"], "--yes goes with --drop"],
])("no role is made %s", async (_, changes, args, says) => {
  const ended = await hdashUtil(args, { ...admin, ...changes });
  expect(ended.stderr).toContain(says);
  expect(ended.code).toBe(2);
  expect(ended.stderr).not.toContain(PASSWORD);
});
