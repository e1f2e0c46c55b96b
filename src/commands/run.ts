// hdash run: one job or all of them, once. Each job is a subcommand with the flags that it declares.

import { type Command, InvalidArgumentError, Option } from "commander";

import { HdashError, isAborted } from "../error.ts";
import type { Job, JobOption, JobRequest, RunJob } from "../job.ts";
import { type Environment, givenJobs } from "../settings/config.ts";
import { meant, nearest } from "../settings/nearest.ts";
import { EXIT, type Shell, worse } from "../shell.ts";

interface RunFlags {
  /** Names of steps only where a job takes them. */
  readonly force?: boolean | readonly string[];
  readonly wait?: boolean;
  /** False where the command has no --wait. */
  readonly hasWait?: boolean;
}

/** Adds the command to hdash. */
export function addRun(program: Command, shell: Shell, jobs: readonly Job[]): void {
  // A flag that a command and its subcommand have is read by the command, so that both have to take the same.
  const takesSteps = jobs.some(({ ownFlags }) => ownFlags !== undefined);
  const command = addFlags(program.command("run"), takesSteps)
    .description("run one job, or all of them, and publish")
    .usage("[options] [job]")
    .argument("[job...]", "its name; without one, every job that is configured")
    // Flags of a job that is mistyped are none of ours: the job is what is told.
    .allowUnknownOption()
    .action(async ([word]: readonly string[], flags: RunFlags, own: Command) => {
      if (word !== undefined) refuseWord(own, word, jobs);
      shell.exit(await runAll(shell, jobs, flags));
    });
  for (const job of jobs) {
    const subcommand = addFlags(command.command(job.name), takesSteps);
    subcommand.description(`run: ${job.title}`);
    for (const option of job.options) subcommand.addOption(makeOption(option));
    for (const { flags, description } of job.ownFlags?.flags ?? []) {
      subcommand.option(flags, description);
    }
    // Flags that stand before the job's name are meant for it all the same.
    subcommand.action(async (_flags: object, own: Command) => {
      const flags = own.optsWithGlobals<RunFlags & Readonly<Record<string, unknown>>>();
      const said = readOptions(job, own);
      await job.ownFlags?.take({
        values: own.opts(),
        forced: Array.isArray(flags.force) ? flags.force : [],
        given: Object.keys(said.overrides),
      });
      shell.exit(await runJobs(shell, { jobs, asked: [job] }, flags, said));
    });
  }
}

/** Says what is wrong with words behind `run` that commander has found to be neither a job nor flags of its own. */
function refuseWord(command: Command, word: string, jobs: readonly Job[]): never {
  if (!word.startsWith("-")) {
    const names = jobs.map(({ name }) => name);
    throw new HdashError("usage", `there is no job ${JSON.stringify(word)}`, {
      hint: meant(word, names),
    });
  }
  const flags = command.options.flatMap(({ long }) => long ?? []);
  const near = nearest(word, flags);
  return command.error(
    `error: unknown option '${word}'${near === null ? "" : `\n(Did you mean ${near}?)`}`,
  );
}

function addFlags(command: Command, takesSteps: boolean): Command {
  const force = takesSteps
    ? new Option(
        "--force [step,…]",
        "do every step again, even where its result is known; or those of these names",
      ).argParser((value: string, before: readonly string[] | undefined) => [
        ...(before ?? []),
        ...value.split(",").filter((name) => name !== ""),
      ])
    : new Option("--force", "do every step again, even where its result is known");
  return command
    .addOption(force)
    .option("--wait", "if the same run is going on elsewhere, wait for it to end");
}

function makeOption(option: JobOption): Option {
  const made = new Option(option.flags, option.description);
  if ("variables" in option) {
    return option.choices === undefined ? made : made.choices([...option.choices]);
  }
  return made.argParser((value: string, before: readonly string[] | undefined) => {
    const names = value.split(",").filter((name) => name !== "");
    for (const name of names) {
      const problem = option.scopeProblem(name);
      if (problem !== null) throw new InvalidArgumentError(problem);
    }
    return [...(before ?? []), ...names];
  });
}

/** What the flags of a job's subcommand say. */
interface Said {
  readonly scopes: JobRequest["scopes"];
  /** The variables that flags stand for. */
  readonly overrides: Environment;
  /** The same variables, and which flag it was, e.g. "--path". */
  readonly flags: Readonly<Record<string, string>>;
}

function readOptions(job: Job, command: Command): Said {
  const overrides: Record<string, string> = {};
  const flags: Record<string, string> = {};
  let scopes: readonly string[] | null = null;
  for (const option of job.options) {
    const made = makeOption(option);
    const value: unknown = command.getOptionValue(made.attributeName());
    if (value === undefined) continue;
    // Commander gives the text of an option that takes a value, and what its parser made of one that names scopes.
    if ("variables" in option) {
      for (const name of option.variables) {
        overrides[name] = value as string;
        flags[name] = made.long ?? option.flags;
      }
    } else scopes = [...(scopes ?? []), ...(value as readonly string[])];
  }
  return { scopes, overrides, flags };
}

/** Runs every job that the environment is for; where it is for none, the one that then says what is missing. */
export async function runAll(shell: Shell, jobs: readonly Job[], flags: RunFlags): Promise<number> {
  const given = givenJobs(shell.environment(), jobs);
  const chosen = jobs.filter(({ name }) => given.includes(name));
  for (const { title, name, isAskedByDefault } of jobs) {
    if (isAskedByDefault !== true || given.length === 0 || given.includes(name)) continue;
    shell.print(`${title} is left out: none of its variables is set`);
  }
  const asked =
    chosen.length > 0 ? chosen : jobs.filter(({ isAskedByDefault }) => isAskedByDefault);
  return runJobs(shell, { jobs, asked }, flags, { scopes: null, overrides: {}, flags: {} });
}

/** Makes what runs a job with variables of a command line. */
export function openRun(shell: Shell, jobs: readonly Job[], job: Job): RunJob {
  return (overrides, flags = {}) => {
    const given = Object.entries(overrides).filter(([, value]) => value !== undefined);
    const said = { scopes: null, overrides: Object.fromEntries(given), flags };
    return runJobs(shell, { jobs, asked: [job] }, { hasWait: false }, said);
  };
}

async function runJobs(
  shell: Shell,
  { jobs, asked }: { readonly jobs: readonly Job[]; readonly asked: readonly Job[] },
  flags: RunFlags,
  { scopes, ...said }: Said,
): Promise<number> {
  const { configure, work } = await import("../work/work.ts");
  const config = configure(shell, asked, said);
  const options = { scopes, force: flags.force === true, wait: flags.wait === true };
  const { hasWait = true } = flags;
  let code: number = EXIT.ok;
  for (const job of asked) {
    try {
      code = worse(code, await work(shell, config, { job, jobs }, { ...options, hasWait }, asked));
    } catch (error) {
      // What one cannot begin with says nothing of the others; to be told to stop, or wrongly, is said to all.
      const isForAll = isAborted(error) || (error instanceof HdashError && error.kind === "usage");
      if (isForAll) throw error;
      code = worse(code, shell.report(error));
    }
    // Told to stop: the next job would only begin to be stopped.
    if (shell.signal.aborted) break;
  }
  return code;
}
