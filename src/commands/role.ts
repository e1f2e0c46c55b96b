// hdash-util role: makes the database role that a namespace's runs log in as, or drops it with its schema. An administrator's business.

import type { Command } from "commander";

import { HdashError } from "../error.ts";
import { count } from "../format.ts";
import { PRODUCTION } from "../settings/namespace.ts";
import { EXIT, type Shell } from "../shell.ts";
import { refuseDrop } from "./reset.ts";

interface Options {
  readonly alone?: boolean;
  readonly drop?: boolean;
  readonly yes?: boolean;
}

/** Adds the command to hdash-util. */
export function addRole(program: Command, shell: Shell): void {
  program
    .command("role")
    .description(
      "make the role that a namespace's runs log in to Postgres as, with a schema of its own; HDASH_DB_USER is an administrator here",
    )
    .option("--alone", "the server is hdash's alone: nobody else may connect to its databases")
    .option("--drop", "drop the schema and the role instead: for a namespace that is torn down")
    .option("--yes", "do not ask before dropping (needed without a terminal)")
    .action(async (options: Options) =>
      shell.exit(options.drop === true ? await drop(shell, options) : await make(shell, options)),
    );
}

async function make(shell: Shell, { alone, yes }: Options): Promise<number> {
  if (yes === true) throw new HdashError("usage", "--yes goes with --drop: nothing else is asked");
  const { namespace, database: settings } = shell.config(["database"]);
  if (settings.kind === "embedded") {
    throw new HdashError("usage", "the embedded database has one user, and no other role");
  }
  if (namespace === null) {
    throw new HdashError("usage", "no role is made, since NAMESPACE does not say whose it is", {
      hint: `Set NAMESPACE, which production has as well: NAMESPACE=${PRODUCTION}`,
    });
  }
  const { rolePassword: password, schema, user } = settings;
  if (password === null) {
    throw new HdashError("config", "HDASH_DB_ROLE_PASSWORD is not set, but the role needs one");
  }
  if (password === settings.password || user === schema) {
    throw new HdashError(
      "config",
      `the administrator ${user} has the ${user === schema ? "name" : "password"} of the role ${schema}: they have to be two`,
    );
  }
  const { openDatabase } = await import("../store/database.ts");
  const { makeRole } = await import("../store/role.ts");
  const database = await openDatabase(settings);
  try {
    const done = await makeRole(database, { password, isAlone: alone === true });
    shell.print(
      `${database.describe()}: the role ${schema} was ${done === "made" ? "made" : "there and has the password"}; it owns its schema and nothing else`,
    );
    return EXIT.ok;
  } finally {
    await database.close();
  }
}

/** Also what is left of an attempt that did not get to its end, and of a ledger from before there were roles. */
async function drop(shell: Shell, { alone, yes }: Options): Promise<number> {
  if (alone === true) throw new HdashError("usage", "--alone goes with making, not with --drop");
  const config = shell.config(["database"]);
  refuseDrop(config);
  if (yes !== true && !shell.isTerminal) {
    throw new HdashError(
      "usage",
      "role --drop deletes a whole ledger, and nobody is there to ask",
      {
        hint: "Say --yes if that is what you want.",
      },
    );
  }
  const { openDatabase } = await import("../store/database.ts");
  const { dropLedger } = await import("../store/reset.ts");
  const { dropRole } = await import("../store/role.ts");
  const database = await openDatabase(config.database);
  const { schema } = database;
  try {
    const question = `Drop ${schema} and its role in ${database.describe()}? Type "yes": `;
    if (yes !== true && (await shell.ask(question)).trim().toLowerCase() !== "yes") {
      shell.print("nothing was dropped");
      return EXIT.failed;
    }
    const tables = await dropLedger(database);
    const isDropped = await dropRole(database);
    const ledger =
      tables === null ? "there was no schema" : `the schema went with ${count(tables, "table")}`;
    const role = isDropped ? "its role as well" : "there was no role";
    shell.print(`${database.describe()}: ${ledger}, ${role}; the published site is as it was`);
    return EXIT.ok;
  } finally {
    await database.close();
  }
}
