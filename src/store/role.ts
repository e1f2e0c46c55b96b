// A namespace's own role in a Postgres that several share: it logs in, owns its schema and may do nothing else. An administrator of the
// server makes it and drops it; what a run does, it does as this role.

import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";

import { sql } from "kysely";

import { HdashError } from "../error.ts";
import type { Database } from "./database.ts";
import type { Db } from "./schema.ts";
import { trustCatalogAlone } from "./searchPath.ts";

/** Connections that a role may have: four runs at once, with eleven each. So no namespace takes all that the server has. */
const MOST_CONNECTIONS = 44;
/** What Postgres itself uses for a password. */
const ITERATIONS = 4096;
const SALT_BYTES = 16;
const KEY_BYTES = 32;
/** One at a time: each changes who may connect to the same database. The number is hdash's own. */
const LOCK = 4_711_020_031;

/** Remembers that a role is hdash's: no other is ever changed or dropped. */
const noteOf = (schema: string): string => `hdash: owns the schema ${schema}`;

/**
 * Makes the role that is called like the schema, and the schema as its own; or gives a role that is there another password, and a schema
 * that was the administrator's to its role. Whoever the database is connected as has to be allowed to make roles and schemas.
 * @param isAlone whether the server is hdash's alone: then nobody else may connect to it any more.
 */
export async function makeRole(
  { db, schema, describe }: Database,
  { password, isAlone }: { readonly password: string; readonly isAlone: boolean },
): Promise<"made" | "kept"> {
  return db.transaction().execute(async (trx) => {
    await trustCatalogAlone(trx);
    await sql`select pg_advisory_xact_lock(${LOCK}::bigint)`.execute(trx);
    const role = sql.id(schema);
    const isThere = await isOurs(trx, schema, describe());
    if (!isThere) {
      await sql`create role ${role} login connection limit ${sql.lit(MOST_CONNECTIONS)}`.execute(
        trx,
      );
      await sql`comment on role ${role} is ${sql.lit(noteOf(schema))}`.execute(trx);
    }
    await refusePowers(trx, schema, describe());
    // Never the password itself: a server may write statements to its log.
    await sql`alter role ${role} login password ${sql.lit(makeVerifier(password))}`.execute(trx);
    await join(trx, schema);
    await giveSchema(trx, schema);
    await openDatabaseTo(trx, schema, isAlone);
    return isThere ? "kept" : "made";
  });
}

/** Drops the role, whose schema is gone by then; false where there is none. Throws a permanent error for a role that is not hdash's. */
export async function dropRole({ db, schema, describe }: Database): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    await trustCatalogAlone(trx);
    await sql`select pg_advisory_xact_lock(${LOCK}::bigint)`.execute(trx);
    if (!(await isOurs(trx, schema, describe()))) return false;
    const { rows } = await sql`
      select from pg_catalog.pg_namespace where nspname = ${schema}`.execute(trx);
    if (rows.length > 0) {
      throw new HdashError("permanent", `${describe()}: the role ${schema} still has its schema`);
    }
    await join(trx, schema);
    // What it was granted, and what it may have made outside of its schema: large objects.
    await sql`drop owned by ${sql.id(schema)}`.execute(trx);
    await sql`drop role ${sql.id(schema)}`.execute(trx);
    return true;
  });
}

/** Says whether the role is there; throws where it is somebody else's. */
async function isOurs(trx: Db, name: string, subject: string): Promise<boolean> {
  const { rows } = await sql<{ note: string | null }>`
    select shobj_description(oid, 'pg_authid') as note from pg_catalog.pg_roles
    where rolname = ${name}`.execute(trx);
  const [role] = rows;
  if (role === undefined) return false;
  if (role.note === noteOf(name)) return true;
  throw new HdashError("permanent", `${subject}: there is a role ${name} that hdash did not make`, {
    hint: "Whose is it? Choose another namespace, or rename the role.",
  });
}

/** Throws where the role may do more than own a schema: somebody gave it rights since, and its password opens them all. */
async function refusePowers(trx: Db, name: string, subject: string): Promise<void> {
  const { rows } = await sql<{ power: string }>`
    select power from pg_catalog.pg_roles, lateral (values
      ('is a superuser', rolsuper), ('makes roles', rolcreaterole), ('makes databases', rolcreatedb),
      ('replicates', rolreplication), ('passes row security', rolbypassrls),
      ('is a member of others', exists (select from pg_catalog.pg_auth_members where member = pg_roles.oid))
    ) as powers (power, has) where rolname = ${name} and has`.execute(trx);
  const [first] = rows;
  if (first === undefined) return;
  throw new HdashError("permanent", `${subject}: the role ${name} ${first.power}`, {
    hint: "Take that away from it: a namespace's role owns its schema alone.",
  });
}

/** An administrator who is no superuser acts for a role as its member only; who makes one is none by that. */
async function join(trx: Db, name: string): Promise<void> {
  const { rows } = await sql<{ acts: boolean }>`
    select pg_has_role(current_user, ${name}, 'usage') as acts`.execute(trx);
  if (rows[0]?.acts !== true) await sql`grant ${sql.id(name)} to current_user`.execute(trx);
}

/** Makes the schema, or gives it with all that is in it to the role. */
async function giveSchema(trx: Db, name: string): Promise<void> {
  const role = sql.id(name);
  const { rows } = await sql<{ owner: string }>`
    select pg_get_userbyid(nspowner) as owner from pg_catalog.pg_namespace
    where nspname = ${name}`.execute(trx);
  const [schema] = rows;
  if (schema === undefined) {
    await sql`create schema ${role} authorization ${role}`.execute(trx);
    return;
  }
  if (schema.owner !== name) await sql`alter schema ${role} owner to ${role}`.execute(trx);
  // Indexes and sequences of a column go with their table.
  const { rows: others } = await sql<{ name: string; kind: string }>`
    select c.relname as name, case c.relkind when 'v' then 'view' when 'S' then 'sequence' else 'table' end as kind
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname = ${name} and c.relkind in ('r', 'p', 'v', 'S') and pg_get_userbyid(c.relowner) <> ${name}
      and not exists (
        select from pg_catalog.pg_depend d
        where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid
          and c.relkind = 'S' and d.refobjsubid > 0 and d.deptype in ('a', 'i'))
    order by 1`.execute(trx);
  for (const { name: relation, kind } of others) {
    await sql`alter ${sql.raw(kind)} ${sql.id(name, relation)} owner to ${role}`.execute(trx);
  }
}

/** Lets the role connect; where the server is hdash's alone, nobody else but owners. */
async function openDatabaseTo(trx: Db, name: string, isAlone: boolean): Promise<void> {
  const { rows } = await sql<{ name: string; is_this: boolean }>`
    select datname as name, datname = current_database() as is_this from pg_catalog.pg_database
    where datname = current_database()
      or (datallowconn and pg_get_userbyid(datdba) = current_user)
    order by 1`.execute(trx);
  for (const database of rows) {
    const id = sql.id(database.name);
    if (isAlone) await sql`revoke connect, temporary on database ${id} from public`.execute(trx);
    if (database.is_this) {
      await sql`grant connect on database ${id} to ${sql.id(name)}`.execute(trx);
    }
  }
}

/** What Postgres keeps of a password and checks it by (SCRAM-SHA-256, RFC 5803): nobody can log in with it. */
function makeVerifier(password: string): string {
  const salt = randomBytes(SALT_BYTES);
  const salted = pbkdf2Sync(password, salt, ITERATIONS, KEY_BYTES, "sha256");
  const keyed = (text: string): Buffer => createHmac("sha256", salted).update(text).digest();
  const stored = createHash("sha256").update(keyed("Client Key")).digest("base64");
  const server = keyed("Server Key").toString("base64");
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString("base64")}$${stored}:${server}`;
}
