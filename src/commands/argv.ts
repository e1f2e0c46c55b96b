// Command lines without a command: options alone are a run, of the job whose options they are, as the older tools were started.

import type { Job } from "../job.ts";

/** Options of every command that take a value, and those that a run has. */
const WITH_VALUE = ["--env-file", "--log-format"];
const OF_RUNS = ["--force", "--wait"];
/** The two programs: an image whose entry point is one of them is told the name of either as its first word. */
export const PROGRAMS = ["hdash", "hdash-util"] as const;

/** Puts the command in front that options without one are meant for; leaves every other command line as it is. */
export function withCommand(words: readonly string[], jobs: readonly Job[]): readonly string[] {
  const given: string[] = [];
  const isOfJob = (flag: string): boolean => jobs.some((job) => hasOption(job, flag));
  const takesValue = (flag: string): boolean => WITH_VALUE.includes(flag) || isOfJob(flag);
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    // A word that is no option, and no option's value: there is a command. Behind a job's options it is the value of a mistyped one.
    if (!word.startsWith("-")) {
      if (given.some(isOfJob) && !takesValue(given.at(-1) ?? "")) continue;
      return words;
    }
    const [flag = ""] = word.split("=");
    given.push(flag);
    if (takesValue(flag) && !word.includes("=")) at++;
  }
  if (given.includes("--help") || given.includes("-h")) return words;
  const own = given.filter(isOfJob);
  if (own.length === 0)
    return given.some((one) => OF_RUNS.includes(one)) ? ["run", ...words] : words;
  const meant = jobs.find((job) => own.every((flag) => hasOption(job, flag)));
  return meant === undefined ? words : ["run", meant.name, ...words];
}

/** Tells whether a run of the job has an option of that name, which all take a value. */
function hasOption({ options }: Job, flag: string): boolean {
  return options.some(({ flags }) => flags.split(/[ ,]+/).includes(flag));
}

/** Commands whose word may be the path of a user's pipeline. */
const OF_PIPELINES = ["run", "plan"];

/** Where among the words the path of a pipeline stands, as the word behind a command of pipelines; -1 where there is none. */
export function pipelineAt(words: readonly string[]): number {
  const at = plainWordAt(words, plainWordAt(words, 0) + 1);
  const isOne = OF_PIPELINES.includes(commandOf(words) ?? "") && isPipelinePath(words[at] ?? "");
  return isOne ? at : -1;
}

/** The command that is asked for; null where there is none. */
export function commandOf(words: readonly string[]): string | null {
  return words[plainWordAt(words, 0)] ?? null;
}

/** Where the first word from `from` on stands that is neither an option of every command nor its value; their number where there is none. */
function plainWordAt(words: readonly string[], from: number): number {
  for (let at = from; at < words.length; at++) {
    const word = words[at] ?? "";
    if (!word.startsWith("-")) return at;
    if (WITH_VALUE.includes(word)) at++;
  }
  return words.length;
}

/**
 * Puts a pipeline's name in the place of its path, which stands at `at`, and flags that stand before it behind all else: there --force takes no
 * word that is not meant for it.
 */
export function withPipelineName(
  words: readonly string[],
  at: number,
  name: string,
): readonly string[] {
  const command = words.slice(0, at).findLastIndex((word) => OF_PIPELINES.includes(word));
  const before = words.slice(command + 1, at);
  return [...words.slice(0, command + 1), name, ...words.slice(at + 1), ...before];
}

/** Tells a path from the name of a job: it has a slash, or ends as a module does. */
function isPipelinePath(word: string): boolean {
  return /[\\/]/.test(word) || /\.[cm]?[jt]s$/.test(word);
}
