// hdash: run, runs, doctor and demo; without a command it runs every pipeline.

import { type Command, InvalidArgumentError, Option } from "commander";

import { EXIT, type Shell, worse } from "./command.ts";
import type { Effects } from "./effects.ts";
import { HdashError } from "./error.ts";
import { duration, instant } from "./format.ts";

interface RunFlags {
  readonly atlas?: readonly string[];
  readonly force?: boolean;
  readonly wait?: boolean;
}

const EXAMPLES = `
Examples:
  hdash                          run every pipeline once and publish: what the container does by default
  hdash run htan --atlas HTA3    update one atlas; the others stay as they were last published
  hdash run htan --force         do every step again, whatever is known already
  hdash doctor                   check the token, the view, the database, the bucket and the webhook
  hdash demo --site ./site       publish a site from bundled data, without any account

Exit codes: 0 ok · 1 failed · 2 configuration or command line · 3 degraded (published, but a part failed) ·
143 told to stop; the run was handed back and the next start goes on with it.

Configuration is read from the environment; .env.example names every variable. --env-file FILE reads a file.
`;

/** Adds the commands of hdash to a program. */
export function addWorkerCommands(program: Command, shell: Shell): void {
  program
    .name("hdash")
    .description("Keeps published pages true to research data that lives elsewhere.")
    .addHelpText("after", EXAMPLES)
    .allowExcessArguments()
    .action(async (_flags: object, command: Command) => {
      const [word] = command.args;
      if (word !== undefined) throw unknownCommand(word, command);
      shell.exit(await run(shell, null, {}));
    });

  program
    .command("run")
    .description("run one pipeline, or all of them, and publish")
    .argument("[pipeline]", "htan")
    .addOption(
      new Option("--atlas <id...>", "only these atlases, e.g. HTA3").argParser(collectAtlases),
    )
    .option("--force", "do every step again, even where its result is known")
    .option("--wait", "if the same run is going on elsewhere, wait for it to end")
    .action(async (pipeline: string | undefined, flags: RunFlags) =>
      shell.exit(await run(shell, pipeline ?? null, flags)),
    );

  program
    .command("runs")
    .description("list past runs: when, how long, what was done, what changed")
    .option("--limit <n>", "how many", parseLimit, 20)
    .option("--json", "as JSON lines")
    .action(async (flags: { limit: number; json?: boolean }) =>
      shell.exit(await listRuns(shell, flags)),
    );

  program
    .command("doctor")
    .description("check every configured service and say for each what to do")
    .action(async () => {
      const { examine } = await import("./doctor.ts");
      shell.exit(await examine(shell));
    });

  program
    .command("demo")
    .description(
      "run the whole worker on bundled data: embedded database, local folder, look-alike Synapse and Slack",
    )
    .option(
      "--world <dir>",
      "serve this folder (atlases.csv, master.csv, files/) instead of the bundled story",
    )
    .option("--site <dir>", "where to publish", "site")
    .action(async (flags: { world?: string; site: string }) => {
      const { demo } = await import("./demo/demo.ts");
      shell.exit(await demo(shell, flags));
    });
}

/** What a word that is no command may have been meant for. */
function unknownCommand(word: string, program: Command): HdashError {
  const names = program.commands.map((one) => one.name());
  const meant = names.find(
    (name) => [...name].sort().join("") === [...word].sort().join("") || name.startsWith(word),
  );
  return new HdashError("usage", `there is no command ${JSON.stringify(word)}`, {
    hint: meant === undefined ? `There are: ${names.join(", ")}.` : `Did you mean ${meant}?`,
  });
}

function collectAtlases(value: string, before: readonly string[] | undefined): readonly string[] {
  const ids = value.split(",").filter((id) => id !== "");
  for (const id of ids) {
    if (!/^HTA[1-9]\d?$/.test(id))
      throw new InvalidArgumentError(`${id} is not an atlas id such as HTA3.`);
  }
  return [...(before ?? []), ...ids];
}

function parseLimit(value: string): number {
  const limit = Number(value);
  if (!Number.isInteger(limit) || limit < 1 || limit > 10_000) {
    throw new InvalidArgumentError("It must be a whole number from 1 to 10000.");
  }
  return limit;
}

async function run(shell: Shell, name: string | null, flags: RunFlags): Promise<number> {
  const { PIPELINES } = await import("./pipelineList.ts");
  const chosen = name === null ? PIPELINES : PIPELINES.filter((pipeline) => pipeline.name === name);
  if (chosen.length === 0) {
    throw new HdashError("usage", `there is no pipeline ${JSON.stringify(name)}`, {
      hint: `There is: ${PIPELINES.map((pipeline) => pipeline.name).join(", ")}.`,
    });
  }
  const { work } = await import("./work.ts");
  const config = shell.config([...new Set(chosen.flatMap(({ needs }) => needs))]);
  let code: number = EXIT.ok;
  for (const pipeline of chosen) {
    const ended = await work(shell, config, pipeline, {
      atlases: flags.atlas ?? null,
      force: flags.force === true,
      wait: flags.wait === true,
    });
    code = worse(code, ended);
  }
  return code;
}

async function listRuns(shell: Shell, flags: { limit: number; json?: boolean }): Promise<number> {
  const config = shell.config(["database"]);
  return shell.withEffects(config, shell.log(config), async (effects: Effects) => {
    const { listRuns: list } = await import("./store/runs.ts");
    const runs = await list((await effects.database()).db, { limit: flags.limit });
    if (flags.json === true) {
      for (const one of runs) shell.print(JSON.stringify(one));
      return EXIT.ok;
    }
    if (runs.length === 0) shell.print("no runs yet; `hdash` makes the first one");
    for (const one of runs) {
      const took =
        one.finishedAt === null
          ? ""
          : duration(Date.parse(one.finishedAt) - Date.parse(one.startedAt));
      const changes = `+${one.added} −${one.removed}`;
      shell.print(
        [
          instant(one.startedAt).padEnd(22),
          one.pipeline.padEnd(8),
          one.status.padEnd(10),
          took.padStart(8),
          `${one.hits} hits, ${one.ran} ran, ${one.failed} failed`.padEnd(34),
          changes.padEnd(10),
          one.error ?? Object.keys(one.failedScopes).join(", "),
        ]
          .join("  ")
          .trimEnd(),
      );
    }
    return EXIT.ok;
  });
}
