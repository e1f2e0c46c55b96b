// hdash-util reset: forget everything that the ledger and the blobs hold.

import type { Command } from "commander";

import { HdashError } from "../error.ts";
import { count } from "../format.ts";
import type { Config } from "../settings/config.ts";
import { placesOf, PRODUCTION } from "../settings/namespace.ts";
import { EXIT, type Shell } from "../shell.ts";
import type { Database } from "../store/database.ts";

/** Adds the command to hdash-util. */
export function addReset(program: Command, shell: Shell): void {
  program
    .command("reset")
    .description("delete all runs, results, findings and registries; the published site stays")
    .option("--drop", "drop the whole Postgres schema too: for a namespace that is torn down")
    .option("--yes", "do not ask (needed without a terminal)")
    .action(async (options: { drop?: boolean; yes?: boolean }) =>
      shell.exit(
        await reset(shell, { isSure: options.yes === true, isDrop: options.drop === true }),
      ),
    );
}

async function reset(
  shell: Shell,
  { isSure, isDrop }: { readonly isSure: boolean; readonly isDrop: boolean },
): Promise<number> {
  const config = shell.config(["database"]);
  const log = shell.log(config);
  if (isDrop) refuseDrop(config);
  if (!isSure && !shell.isTerminal) {
    throw new HdashError(
      "usage",
      "reset deletes every run, result and finding, and there is no terminal to ask on",
      {
        hint: "Say --yes if that is what you want.",
      },
    );
  }
  if (isDrop) return drop(shell, config, isSure);
  return shell.withEffects(config, log, async (effects) => {
    const database = await effects.database();
    if (!isSure && !(await isMeant(shell, database))) return EXIT.failed;
    const { resetLedger } = await import("../store/reset.ts");
    const deleted = await resetLedger(database.db);
    const { clear } = await effects.blobs();
    const blobs = await clear();
    for (const [table, rows] of Object.entries(deleted)) {
      if (rows > 0) shell.print(`${table.padEnd(12)} ${count(rows, "row")} deleted`);
    }
    shell.print(
      `${count(blobs, "blob")} deleted; ${database.describe()} is empty, the published site is as it was`,
    );
    return EXIT.ok;
  });
}

async function isMeant(shell: Shell, database: Database): Promise<boolean> {
  const answer = await shell.ask(
    `Delete everything hdash keeps in ${database.describe()}? Type "yes": `,
  );
  if (answer.trim().toLowerCase() === "yes") return true;
  shell.print("nothing was deleted");
  return false;
}

/** Refuses to drop production's schema, another namespace's, and the embedded database, which has none of its own. */
export function refuseDrop({ namespace, database, home }: Config): void {
  if (database.kind === "embedded") {
    throw new HdashError("usage", "the embedded database has no schema that could be dropped", {
      hint: `Delete its folder instead: ${database.dir}, and ${home}/blobs beside it.`,
    });
  }
  const { schema } = database;
  if (namespace === PRODUCTION || schema === placesOf(PRODUCTION).schema) {
    throw new HdashError("usage", `${schema} is production's schema: nothing drops it`, {
      hint: "`hdash-util reset` without --drop empties it.",
    });
  }
  if (namespace === null) {
    throw new HdashError(
      "usage",
      `${schema} is not dropped, since NAMESPACE does not say whose it is`,
      {
        hint: "Set NAMESPACE to the namespace that goes.",
      },
    );
  }
}

/** Opens the database without migrating it: what is to go need not be brought up to date. */
async function drop(shell: Shell, config: Config, isSure: boolean): Promise<number> {
  const { openDatabase } = await import("../store/database.ts");
  const { dropLedger } = await import("../store/reset.ts");
  const database = await openDatabase(config.database);
  try {
    if (!isSure && !(await isMeant(shell, database))) return EXIT.failed;
    const tables = await dropLedger(database);
    shell.print(
      tables === null
        ? `there is no schema ${database.schema}; nothing was dropped`
        : `${database.describe()}: the schema was dropped with ${count(tables, "table")}; the published site is as it was`,
    );
    return EXIT.ok;
  } finally {
    await database.close();
  }
}
