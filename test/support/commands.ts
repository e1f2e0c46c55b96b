// Whether what workflows and documentation tell people to run exists: make targets, npm scripts, files, commands of hdash with their options.

import { spawnSync } from "node:child_process";
import { globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");

/** What command lines refer to, and does or does not exist. */
export interface Surroundings {
  readonly targets: readonly string[];
  readonly scripts: readonly string[];
  readonly files: readonly string[];
  /** Says what is wrong with a command line of hdash or hdash-util, e.g. ["hdash", "run", "--force"]; null: nothing. */
  readonly refuse: (words: readonly string[]) => string | null;
}

/** Reads what there is in this repository; each command of hdash is asked for its help once. */
export function readSurroundings(): Surroundings {
  const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");
  const { scripts } = JSON.parse(read("package.json")) as { readonly scripts: object };
  const helps = new Map<string, string>();
  const helpOf = (words: readonly string[]): string => {
    const help = helps.get(words.join(" ")) ?? askHelp(words);
    helps.set(words.join(" "), help);
    return help;
  };
  return {
    targets: [...read("Makefile").matchAll(/^([a-z_0-9]+):/gm)].map(([, name = ""]) => name),
    scripts: Object.keys(scripts),
    files: [...globSync(".github/*.sh", { cwd: ROOT }), ".ci/run"].filter(
      (file) => (statSync(join(ROOT, file)).mode & 0o111) === 0o111,
    ),
    refuse: (words) => refuse(words, helpOf),
  };
}

/** Lists what a shell text runs that does not exist. */
export function checkCommands(
  text: string,
  { targets, scripts, files, refuse }: Surroundings,
): readonly string[] {
  const made = commandsOf(text, "make").flatMap((words) =>
    words.filter((word) => /^[a-z]/.test(word)),
  );
  const npm = commandsOf(text, "npm run -s");
  const named = [...text.matchAll(/(?:^|[\s(])(\.(?:github|ci)\/[\w./-]+)/g)].map(
    ([, file = ""]) => file,
  );
  const hdash = [
    ...npm
      .filter(([script = ""]) => script.startsWith("hdash"))
      .map((words) => words.filter((word) => word !== "--")),
    ...[...text.matchAll(/COMMAND="([^"]*)"/g)].map(([, command = ""]) => command.split(" ")),
  ];
  return [
    ...made.filter((target) => !targets.includes(target)).map((name) => `there is no make ${name}`),
    ...npm
      .filter(([script = ""]) => !scripts.includes(script))
      .map(([script = ""]) => `there is no script ${script}`),
    ...named.filter((file) => !files.includes(file)).map((file) => `there is no ${file}`),
    ...hdash.flatMap((words) => refuse(words) ?? []),
  ];
}

function askHelp([program = "", ...command]: readonly string[]): string {
  const file = program === "hdash" ? "src/main.ts" : "src/util.ts";
  const { stdout } = spawnSync(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", file, ...command, "--help"],
    { cwd: ROOT, encoding: "utf8" },
  );
  return stdout;
}

function refuse(
  words: readonly string[],
  helpOf: (words: readonly string[]) => string,
): string | null {
  // Options before the first command are the program's own.
  const [program = "", ...rest] = words;
  const inner = rest.slice(rest.findIndex((word) => !word.startsWith("-")));
  const whole = rest.every((word) => word.startsWith("-")) ? [] : inner;
  const end = until(whole, (word) => word.startsWith("-"));
  const command = [program, ...takeCommand(program, whole.slice(0, end), helpOf)];
  const help = helpOf(command);
  if (!isHelpOf(help, command)) return `there is no ${command.join(" ")}`;
  const offered = `${help}${helpOf([program])}`;
  const unknown = words.filter((word) => word.startsWith("--") && !offered.includes(`  ${word} `));
  return unknown.length === 0 ? null : `${command.join(" ")} has no ${unknown.join(", ")}`;
}

/** For a word that it does not know, hdash shows the help of what it does know. */
function isHelpOf(help: string, command: readonly string[]): boolean {
  return help.startsWith(`Usage: ${command.join(" ")} `);
}

/** The words that name a command, without its arguments where it takes any. */
function takeCommand(
  program: string,
  words: readonly string[],
  helpOf: (words: readonly string[]) => string,
): readonly string[] {
  const shorter = words.slice(0, -1);
  if (shorter.length === 0) return words;
  const [usage = ""] = helpOf([program, ...shorter]).split("\n");
  const takesArguments = new RegExp(
    `^Usage: ${[program, ...shorter].join(" ")} .*[\\[<](?!options|command)`,
  );
  // The last word may be an argument, or, as in `hdash run htan`, a command below one that takes some.
  const [whole, above] = [
    [program, ...words],
    [program, ...shorter],
  ];
  if (isHelpOf(helpOf(whole), whole)) return words;
  if (takesArguments.test(usage)) return takeCommand(program, shorter, helpOf);
  if (isHelpOf(helpOf(above), above)) return words;
  // The word before may be an argument, too.
  const command = takeCommand(program, shorter, helpOf);
  return command.length < shorter.length ? command : words;
}

/** The words after a command, wherever a line has it in the place of a command; up to what ends it. */
function commandsOf(text: string, command: string): readonly (readonly string[])[] {
  return text
    .split(/\n|&&|\|\||[;|]/)
    .map((part) => part.trim())
    .filter((part) => part.startsWith(`${command} `))
    .map((part) => part.slice(command.length + 1).split(/\s+/))
    .map((words) =>
      words.slice(
        0,
        until(words, (word) => /[=#"$]/.test(word)),
      ),
    );
}

function until(words: readonly string[], isEnd: (word: string) => boolean): number {
  const at = words.findIndex(isEnd);
  return at === -1 ? words.length : at;
}
