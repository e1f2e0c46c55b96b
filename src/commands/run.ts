// hdash: run, runs, doctor and demo; without a command it runs every pipeline.

import { type Command, InvalidArgumentError, Option } from "commander";

import type { Effects } from "../effects.ts";
import { HdashError, isAborted } from "../error.ts";
import { duration, instant } from "../format.ts";
import { STAGES } from "../jobs/matrix/settings.ts";
import { MATRIX_SOURCES } from "../jobs/matrix/source.ts";
import { type Environment, givenJobs } from "../settings/config.ts";
import { EXIT, type Shell, worse } from "../shell.ts";
import { addArtifactCommands } from "./artifacts.ts";

interface RunFlags {
  readonly atlas?: readonly string[];
  readonly environ?: string;
  readonly source?: string;
  readonly path?: string;
  readonly blacklist?: string;
  readonly targets?: string;
  readonly force?: boolean;
  readonly wait?: boolean;
}

const EXAMPLES = `
Examples:
  hdash                          run every pipeline once and publish: what the container does by default
  hdash run htan --atlas HTA3    update one atlas; the others stay as they were last published
  hdash run htan --force         do every step again, whatever is known already
  hdash run matrix --source local --path ./matrices
                                 make the figures of every matrix in a folder; needs no service
  hdash run matrix --environ dev --source canned --blacklist true
  hdash matrix stats FILE        count one matrix and print it: .mtx folder or zip, .h5ad, .h5, .loom
  hdash doctor                   check the token, the view, the database, the bucket and the webhook
  hdash demo --site ./site       publish a site from bundled data, without any account
  hdash artifacts --help         the views and lists of a deployment of several in one account

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
    .argument("[pipeline]", "htan or matrix")
    .addOption(
      new Option("--atlas <id...>", "only these atlases, e.g. HTA3").argParser(collectAtlases),
    )
    .addOption(
      new Option("--source <kind>", "matrix: where matrices come from (MATRIX_SOURCE)").choices(
        MATRIX_SOURCES,
      ),
    )
    .option("--path <dir>", "matrix: the folder of a local source (MATRIX_PATH)")
    .addOption(
      new Option(
        "--environ <stage>",
        "matrix: the stage to read from and to publish to (MATRIX_SOURCE_STAGE and MATRIX_TARGET_STAGE)",
      ).choices(STAGES),
    )
    .addOption(
      new Option(
        "--blacklist <bool>",
        "matrix: leave out what the blacklist names (MATRIX_BLACKLIST)",
      ).choices(["true", "false"]),
    )
    .option("--targets <uuids>", "matrix: only these, separated by commas (MATRIX_TARGET_UUIDS)")
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
    .option(
      "--matrices <dir>",
      "make the figures of the matrices in this folder instead of the bundled ones",
    )
    .option("--site <dir>", "where to publish", "site")
    .action(async (flags: { world?: string; matrices?: string; site: string }) => {
      const { demo } = await import("./demo.ts");
      shell.exit(await demo(shell, flags));
    });

  addArtifactCommands(program, shell);
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
  const { PIPELINES } = await import("../jobList.ts");
  // Atlases are the dashboard's.
  const named = name ?? (flags.atlas === undefined ? null : "htan");
  const asked = PIPELINES.find((pipeline) => pipeline.name === named);
  if (name !== null && asked === undefined) {
    throw new HdashError("usage", `there is no pipeline ${JSON.stringify(name)}`, {
      hint: `There are: ${PIPELINES.map((pipeline) => pipeline.name).join(", ")}.`,
    });
  }
  const overrides = matrixOverrides(flags);
  if (Object.keys(overrides).length > 0 && name !== "matrix") {
    throw new HdashError("usage", `${flagNames(flags)} belongs to \`hdash run matrix\``);
  }
  if (flags.atlas !== undefined && named !== "htan") {
    throw new HdashError("usage", "--atlas belongs to `hdash run htan`");
  }
  const { configure, work } = await import("../work/work.ts");
  // What is asked for by name has to be there; a run of everything is of what is configured.
  const given = givenJobs(shell.environment());
  const chosen =
    asked === undefined ? PIPELINES.filter(({ isConfigured }) => isConfigured(given)) : [asked];
  if (asked === undefined && !given.dashboard && given.matrices) {
    shell.print("the HTAN dashboard is left out: no SYNAPSE_… variable is set");
  }
  const config = configure(shell, chosen, overrides);
  let code: number = EXIT.ok;
  for (const pipeline of chosen) {
    const isForced = pipeline.name === "matrix" && config.matrix?.isForced === true;
    try {
      const ended = await work(shell, config, pipeline, {
        atlases: flags.atlas ?? null,
        force: flags.force === true || isForced,
        wait: flags.wait === true,
      });
      code = worse(code, ended);
    } catch (error) {
      // What one cannot begin with says nothing of the others; to be told to stop, or wrongly, is said to all.
      const isForAll = isAborted(error) || (error instanceof HdashError && error.kind === "usage");
      if (isForAll) throw error;
      code = worse(code, shell.report(error));
    }
    // Told to stop: the next pipeline would only begin to be stopped.
    if (shell.signal.aborted) break;
  }
  return code;
}

/** What the flags of `run matrix` say, as the variables they stand for. */
function matrixOverrides({ source, path, environ, blacklist, targets }: RunFlags): Environment {
  const given: Environment = {
    MATRIX_SOURCE: source,
    MATRIX_PATH: path,
    MATRIX_SOURCE_STAGE: environ,
    MATRIX_TARGET_STAGE: environ,
    MATRIX_BLACKLIST: blacklist,
    MATRIX_TARGET_UUIDS: targets,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function flagNames(flags: RunFlags): string {
  const names = ["source", "path", "environ", "blacklist", "targets"] as const;
  return names
    .filter((name) => flags[name] !== undefined)
    .map((name) => `--${name}`)
    .join(", ");
}

async function listRuns(shell: Shell, flags: { limit: number; json?: boolean }): Promise<number> {
  const config = shell.config(["database"]);
  return shell.withEffects(config, shell.log(config), async (effects: Effects) => {
    const { listRuns: list } = await import("../store/runs.ts");
    const runs = await list((await effects.database()).db, { limit: flags.limit });
    if (flags.json === true) {
      for (const one of runs) shell.print(JSON.stringify(one));
      return EXIT.ok;
    }
    if (runs.length === 0) shell.print("no runs yet; `hdash` makes the first one");
    for (const one of runs) {
      const took =
        one.finishedAt === null || one.startedAt === null
          ? ""
          : duration(Date.parse(one.finishedAt) - Date.parse(one.startedAt));
      const changes = `+${one.added} −${one.removed}`;
      shell.print(
        [
          (one.startedAt === null ? "not started" : instant(one.startedAt)).padEnd(22),
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
