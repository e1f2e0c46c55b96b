// The flags of a job's subcommand, whatever is asked of the job: those that it declares, and which steps are to be done again.

import { type Command, InvalidArgumentError, Option } from "commander";

import type { Job, JobOption, JobRequest } from "../job.ts";
import type { Environment } from "../settings/config.ts";

/** Steps that are to be done again: all, none, or those of these names. */
export type Forced = boolean | readonly string[];

/** Makes the flag --force; where a job takes names of steps, it does. */
export function forceOption(takesSteps: boolean): Option {
  return takesSteps
    ? new Option(
        "--force [step,…]",
        "do every step again, even where its result is known; or those of these names",
      ).argParser((value: string, before: readonly string[] | undefined) => [
        ...(before ?? []),
        ...value.split(",").filter((name) => name !== ""),
      ])
    : new Option("--force", "do every step again, even where its result is known");
}

/** Adds the flags that a job declares to a subcommand. */
export function addJobFlags(command: Command, job: Job): void {
  for (const option of job.options) command.addOption(makeOption(option));
  for (const { flags, description } of job.ownFlags?.flags ?? []) {
    command.option(flags, description);
  }
}

/** Reads them, and hands the job those that are its own. */
export async function takeJobFlags(job: Job, command: Command, force: Forced): Promise<Said> {
  const said = readOptions(job, command);
  await job.ownFlags?.take({
    values: command.opts(),
    forced: typeof force === "boolean" ? [] : force,
    given: Object.keys(said.overrides),
  });
  return said;
}

/** Makes the flag of a job's option. */
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
export interface Said {
  readonly scopes: JobRequest["scopes"];
  /** The variables that flags stand for. */
  readonly overrides: Environment;
  /** The same variables, and which flag it was, e.g. "--path". */
  readonly flags: Readonly<Record<string, string>>;
}

/** Reads the flags of a job's subcommand. */
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
