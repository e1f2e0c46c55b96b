// hdash run: one job or all of them, once. Each job is a subcommand with the flags that it declares.

import type { Command } from "commander";

import type { Effects } from "../effects.ts";
import { HdashError, isAborted } from "../error.ts";
import type { BoundPipeline, Job, RunJob } from "../job.ts";
import { givenJobs } from "../settings/config.ts";
import { meant, nearest } from "../settings/nearest.ts";
import { EXIT, type Shell, worse } from "../shell.ts";
import type { WorkOptions } from "../work/work.ts";
import { addJobFlags, type Forced, forceOption, type Said, takeJobFlags } from "./jobOptions.ts";

interface RunFlags {
  /** Names of steps only where a job takes them. */
  readonly force?: Forced;
  readonly wait?: boolean;
  /** A saved plan. */
  readonly plan?: string;
  readonly json?: boolean;
  readonly detach?: boolean;
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
    subcommand.option(
      "--plan <file>",
      "refuse where it would do anything else than a saved plan says",
    );
    subcommand.option("--detach", "begin it in a process of its own, and end once it has begun");
    addJobFlags(subcommand, job);
    // Flags that stand before the job's name are meant for it all the same.
    subcommand.action(async (_flags: object, own: Command) => {
      const flags = own.optsWithGlobals<RunFlags & Readonly<Record<string, unknown>>>();
      if (flags.detach === true && flags["params"] === "-") {
        throw new HdashError(
          "usage",
          "--params is - and --detach is set: that process reads no standard input",
          {
            hint: "Write the values to a file.",
          },
        );
      }
      const said = await takeJobFlags(job, own, flags.force ?? false);
      if (flags.detach === true) {
        const { configure } = await import("../work/work.ts");
        const { detach } = await import("./detach.ts");
        const of = { pipeline: job.name, isJson: flags.json === true };
        return shell.exit(await detach(shell, configure(shell, [job], said), of));
      }
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
  return command
    .addOption(forceOption(takesSteps))
    .option("--wait", "if the same run is going on elsewhere, wait for it to end")
    .option("--json", "tell what came of it as JSON (docs/schemas/run.schema.json)");
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
  const { plan } = flags;
  const options = {
    ...{ scopes, force: flags.force === true, wait: flags.wait === true },
    ...(plan === undefined
      ? {}
      : { check: makePlanCheck(plan, shell.signal, flags.force === true) }),
    ...(flags.json === true ? { onOutcome: makeTelling(shell) } : {}),
    ...(process.connected ? { onEvent: (await import("./detach.ts")).tellBegun } : {}),
  };
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

/** Makes what prints what came of a run. */
function makeTelling(shell: Shell): NonNullable<WorkOptions["onOutcome"]> {
  return async (effects, outcome, siteUrl) => {
    const { readLedgerRun } = await import("../store/lineage.ts");
    const { documentOfRun } = await import("../lineage/runDocument.ts");
    const { db } = await effects.database();
    const isFinished = outcome.kind === "finished";
    const run = await readLedgerRun(db, isFinished ? outcome.record.id : outcome.runId);
    if (run === null) throw new HdashError("permanent", "the run was forgotten while it ended");
    const state = isFinished ? run.status : outcome.kind;
    const places = { db, blobs: await effects.blobs() };
    shell.print(JSON.stringify(await documentOfRun(places, run, { state, siteUrl })));
  };
}

/** Makes what refuses a run that would do anything else than a saved plan says. */
function makePlanCheck(file: string, signal: AbortSignal, isForced: boolean) {
  return async (effects: Effects, bound: BoundPipeline): Promise<void> => {
    const { planBound, refuseMoved } = await import("./plan.ts");
    await refuseMoved(file, bound, await planBound(effects, bound, signal, isForced));
  };
}
