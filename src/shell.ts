// What both commands share: the environment and its file, the log, signals, and turning an error into a message and an exit code.

import { setImmediate } from "node:timers/promises";

import { Command, CommanderError, Option } from "commander";

import { nameBuild } from "./artifacts/build.ts";
import { type Effects, makeEffects, readBuild } from "./effects.ts";
import { HdashError, isAborted, isSetup, messageOf } from "./error.ts";
import { printable } from "./format.ts";
import { type Log, makeLog, makeRedaction } from "./log.ts";
import {
  type Config,
  type Environment,
  type JobWithSettings,
  type LogConfig,
  type LogFormat,
  type Need,
  readConfig,
  readLogConfig,
  variablesOf,
} from "./settings/config.ts";
import { type EnvFile, readEnvFile } from "./settings/envFile.ts";
import { findTypos } from "./settings/typos.ts";

/** How a process ends. 143 is what a shell shows for SIGTERM: the run was handed back for the next start. */
export const EXIT = { ok: 0, failed: 1, configuration: 2, degraded: 3, handedBack: 143 } as const;

/** The exit code of two runs together: failed is worse than degraded is worse than ok. */
export function worse(a: number, b: number): number {
  const order: readonly number[] = [
    EXIT.ok,
    EXIT.degraded,
    EXIT.failed,
    EXIT.configuration,
    EXIT.handedBack,
  ];
  return order.indexOf(a) >= order.indexOf(b) ? a : b;
}

/** What a command's function gets: configuration for what it needs, effects that are released afterwards, and where to write. */
export interface Shell {
  /** All jobs, as far as their settings go. */
  readonly jobs: readonly JobWithSettings[];
  /** Makes another job known, whose settings are read from now on: one that only the ledger could name. */
  learn(job: JobWithSettings): void;
  readonly signal: AbortSignal;
  readonly isTerminal: boolean;
  /** Width of the terminal in characters. */
  columns(): number;
  /** Writes one line for people to standard output, with no control character. */
  print(line: string): void;
  /** Reads a line from the terminal. */
  ask(question: string): Promise<string>;
  environment(): Environment;
  /**
   * Reads the configuration, and warns of what looks like a mistake in it. `asked` names the jobs that are going to run, `flags` the flags of
   * the command line that stand for variables.
   */
  config(
    needs: readonly Need[],
    overrides?: Environment,
    asked?: readonly string[],
    flags?: Readonly<Record<string, string>>,
  ): Config;
  logFormat(config: LogConfig): LogFormat;
  /** Makes the log; `write` gets its lines (default: standard error). */
  log(config: LogConfig, write?: (line: string) => void): Log;
  /** Prints an error as the last words of a command that it ends, for one that goes on, and returns its exit code. */
  report(error: unknown): number;
  /** Runs `work` with effects and releases them whatever happens; returns what work returns, an exit code. */
  withEffects(
    config: Config,
    log: Log,
    work: (effects: Effects) => Promise<number>,
    options?: { readonly clock?: () => Date; readonly purposes?: readonly string[] },
  ): Promise<number>;
  /** Says what the action's outcome is; the process ends with it. */
  exit(code: number): void;
}

/** A word too many is a mistake: `artifacts remove a` must not remove what NAMESPACE names. Subcommands inherit what the program allows. */
function refuseExtraWords(command: Command): void {
  command.allowExcessArguments(false);
  command.commands.forEach(refuseExtraWords);
}

/** The environment of a command: the process's own, and the file that --env-file names, where there is one. */
function makeSurroundings(program: Command, jobs: readonly JobWithSettings[]) {
  const known = (): readonly string[] => variablesOf(jobs).map(({ name }) => name);
  const readFile = (): EnvFile => {
    const { envFile } = program.opts<{ envFile?: string }>();
    return envFile === undefined ? { values: {}, warnings: [] } : readEnvFile(envFile, known());
  };
  return {
    environment(): Environment {
      const { values } = readFile();
      for (const [name, value] of Object.entries(values)) {
        // The AWS SDK looks at the process's own environment only.
        if (name.startsWith("AWS_") && !process.env[name]?.trim()) process.env[name] = value;
      }
      // Set but empty is not set: an empty variable of a task definition does not mask the file's.
      const own = Object.entries(process.env).filter(([, value]) => value?.trim());
      return { ...values, ...Object.fromEntries(own) };
    },
    /** What looks like a mistake in the file and in an environment. */
    warnings: (env: Environment) => [...readFile().warnings, ...findTypos(env, known())],
  };
}

/** Parses argv, runs the one command it names and returns the exit code. Prints errors; never throws. */
export async function runCommand(
  argv: readonly string[],
  ofHouse: readonly JobWithSettings[],
  addCommands: (program: Command, shell: Shell) => Promise<void>,
): Promise<number> {
  const jobs = [...ofHouse];
  const abort = new AbortController();
  let exitCode: number = EXIT.ok;
  let debug = false;
  const secrets: string[] = [];
  const stop = (name: NodeJS.Signals) => {
    abort.abort(new HdashError("aborted", `told to stop by ${name}`));
  };
  // A reader that has seen enough (`hdash --help | head`) closes the pipe; that is no failure of ours.
  let outputError: Error | null = null;
  const onOutputError = (error: NodeJS.ErrnoException): void => {
    if (error.code !== "EPIPE") outputError ??= error;
  };
  process.stdout.on("error", onOutputError);
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);

  const program = new Command();
  program
    .exitOverride()
    .configureOutput({ writeErr: (text) => void process.stderr.write(printable(text)) })
    .addOption(new Option("--env-file <file>", "read variables from a file; those already set win"))
    .addOption(
      new Option("--log-format <format>", "how progress is written").choices([
        "auto",
        "plain",
        "json",
      ]),
    )
    .option("--debug", "log more, and show where an error came from")
    .version(`hdash ${nameBuild(readBuild())}`, "-V, --version", "say which hdash this is");

  const { environment, warnings } = makeSurroundings(program, jobs);
  let isWarned = false;
  /** Warns, once, of what is likely a mistake: before it is found to be missing where it was meant to be. */
  const warnOfMistakes = (env: Environment): void => {
    const found = isWarned ? [] : warnings(env);
    isWarned = true;
    if (found.length === 0) return;
    const log = shell.log(readLogConfig(env, jobs));
    for (const warning of found) log.warn(warning);
  };
  const shell: Shell = {
    jobs,
    learn: (job) => void jobs.push(job),
    signal: abort.signal,
    isTerminal: process.stderr.isTTY && process.stdout.isTTY,
    columns: () => process.stderr.columns || 80,
    print: (line) => void process.stdout.write(`${printable(line)}\n`),
    ask: async (question) => {
      const { createInterface } = await import("node:readline/promises");
      const terminal = createInterface({ input: process.stdin, output: process.stdout });
      try {
        return await terminal.question(question, { signal: abort.signal });
      } finally {
        terminal.close();
      }
    },
    environment,
    config: (needs, overrides = {}, asked = [], flags = {}) => {
      const env = { ...environment(), ...overrides };
      warnOfMistakes(env);
      const config = readConfig(env, needs, jobs, asked, flags);
      secrets.push(...config.secrets);
      debug = program.opts<{ debug?: boolean }>().debug === true;
      return debug ? { ...config, log: { ...config.log, level: "debug" } } : config;
    },
    logFormat: (config) => program.opts<{ logFormat?: LogFormat }>().logFormat ?? config.log.format,
    log: (config, write = (line) => void process.stderr.write(`${line}\n`)) =>
      makeLog({
        format: shell.logFormat(config) === "json" ? "json" : "plain",
        level: config.log.level,
        write,
        clock: () => new Date(),
        secrets: config.secrets,
      }),
    report: (error) => report(program.name(), error, debug, secrets),
    withEffects: async (config, log, work, options = {}) => {
      const effects = makeEffects(config, log, { ...options, signal: abort.signal });
      try {
        return await work(effects);
      } finally {
        await effects.close();
      }
    },
    exit: (code) => {
      exitCode = code;
    },
  };

  try {
    await addCommands(program, shell);
    program.commands.forEach(refuseExtraWords);
    await program.parseAsync(argv);
  } catch (error) {
    exitCode = shell.report(error);
  } finally {
    // Errors of standard output come after what was written: they have come once this has been.
    await new Promise<void>((resolve) => process.stdout.write("", () => void resolve()));
    await setImmediate();
    process.off("SIGTERM", stop);
    process.off("SIGINT", stop);
    process.stdout.off("error", onOutputError);
  }
  if (outputError !== null && exitCode === EXIT.ok) {
    const error = new HdashError("permanent", "standard output cannot be written", {
      cause: outputError,
    });
    exitCode = report(program.name(), error, debug, secrets);
  }
  return exitCode;
}

function report(name: string, error: unknown, debug: boolean, secrets: readonly string[]): number {
  // Commander has printed its own message (or the help that was asked for).
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.configuration;
  const hint = error instanceof HdashError && error.hint !== null ? `\n${error.hint}` : "";
  const stack = debug && error instanceof Error ? `\n${error.stack ?? ""}` : "";
  // A message that is fit for everybody says all there is to do; only --debug shows the words of libraries beneath it.
  const isWhole = !debug && error instanceof HdashError && error.publicly === error.message;
  const said = isWhole ? error.message : messageOf(error);
  const text = makeRedaction(secrets)(`${name}: ${said}${hint}${stack}`);
  process.stderr.write(`${printable(text)}\n`);
  if (isAborted(error)) return EXIT.handedBack;
  return isSetup(error) ? EXIT.configuration : EXIT.failed;
}
