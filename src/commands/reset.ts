// hdash-util: init (the atlas list into the registry), reset (forget everything), slack (a test message).

import type { Command } from "commander";

import { HdashError, messageOf } from "../error.ts";
import { count } from "../format.ts";
import type { Config } from "../settings/config.ts";
import { placesOf, PRODUCTION } from "../settings/namespace.ts";
import { EXIT, type Shell } from "../shell.ts";
import type { Database } from "../store/database.ts";

/** Adds the commands of hdash-util to a program. */
export function addUtilCommands(program: Command, shell: Shell): void {
  program
    .name("hdash-util")
    .description(
      "Looks after what hdash keeps: the atlas registry, the ledger, the Slack webhook.",
    );

  program
    .command("init")
    .description("load the atlas list into the registry; says what was added, changed and removed")
    .argument(
      "[file]",
      "the list to load (default: config/htan_projects.csv of the namespace's artifacts, or of hdash)",
    )
    .option("--file <csv>", "the same")
    .action(async (file: string | undefined, options: { file?: string }) => {
      if (file !== undefined && options.file !== undefined && file !== options.file) {
        throw new HdashError("usage", `init is given two lists: ${file} and ${options.file}`);
      }
      shell.exit(await init(shell, file ?? options.file));
    });

  program
    .command("reset")
    .description("delete all runs, results, findings and the registry; the published site stays")
    .option("--drop", "drop the whole Postgres schema too: for a namespace that is torn down")
    .option("--yes", "do not ask (needed without a terminal)")
    .action(async (options: { drop?: boolean; yes?: boolean }) =>
      shell.exit(
        await reset(shell, { isSure: options.yes === true, isDrop: options.drop === true }),
      ),
    );

  program
    .command("slack")
    .description("send a message that is marked as a test, and print Slack's answer")
    .action(async () => shell.exit(await slack(shell)));
}

async function init(shell: Shell, given: string | undefined): Promise<number> {
  const config = shell.config(["database"]);
  const log = shell.log(config);
  return shell.withEffects(config, log, async (effects) => {
    const { givenAtlases, loadAtlasFile } = await import("../jobs/htan/registry/atlasList.ts");
    const { saveAtlases } = await import("../jobs/htan/registry/atlasTable.ts");
    const { from, isOther, atlases } =
      given === undefined
        ? await givenAtlases(effects)
        : { from: given, isOther: false, atlases: await loadAtlasFile(given) };
    if (isOther) {
      // hdash's own list in the place of the namespace's would go unnoticed.
      throw new HdashError(
        "config",
        `the atlas list of ${config.namespace ?? ""} is of another build of hdash; nothing was registered`,
        { hint: "`hdash artifacts upload` from this build's checkout, or name a file." },
      );
    }
    const { db } = await effects.database();
    const saved = await saveAtlases(db, atlases);
    for (const [what, names] of Object.entries({
      added: saved.added,
      changed: saved.changed,
      removed: saved.removed,
    })) {
      if (names.length > 0) shell.print(`${what.padEnd(9)} ${names.join(", ")}`);
    }
    shell.print(
      `${count(atlases.length, "atlas", "atlases")} registered from ${from}: ${saved.added.length} added, ` +
        `${saved.changed.length} changed, ${saved.unchanged.length} unchanged, ${saved.removed.length} removed`,
    );
    return EXIT.ok;
  });
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
function refuseDrop({ namespace, database, home }: Config): void {
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

async function slack(shell: Shell): Promise<number> {
  const config = shell.config(["slack"]);
  const { webhookUrl, label } = config.slack;
  if (webhookUrl === null) throw new HdashError("config", "SLACK_WEBHOOK_URL is not set");
  const { makeTestMessage } = await import("../publish/message.ts");
  const { postMessage } = await import("../publish/slack.ts");
  const message = makeTestMessage({ label, siteUrl: config.siteUrl });
  const log = shell.log(config);
  try {
    const sent = await postMessage({ webhookUrl, message, log, signal: shell.signal });
    shell.print(
      sent.ok ? `Slack answered: ${sent.answer}` : `Slack did not take the message: ${sent.reason}`,
    );
    return sent.ok ? EXIT.ok : EXIT.failed;
  } catch (error) {
    throw new HdashError("permanent", `the test message could not be sent: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
