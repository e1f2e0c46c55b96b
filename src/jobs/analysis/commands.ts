// The commands of users' pipelines. hdash init-pipeline and hdash check: where one begins, and what can be found of it without running it;
// neither opens a database.

import { type Command, Option } from "commander";

import { count, list } from "../../format.ts";
import { EXIT, type Shell } from "../../shell.ts";
import { addTrust } from "./commands/trust.ts";
import { addVerify } from "./commands/verify.ts";
import type { Checked } from "./sources/check/checkPipeline.ts";
import type { Starter } from "./sources/startProject.ts";

/** Adds the commands of users' pipelines to hdash. `names` are those of its own jobs. */
export function addPipelineCommands(
  program: Command,
  shell: Shell,
  names: readonly string[],
): void {
  program
    .command("init-pipeline")
    .description("begin a pipeline of your own in a new folder: with data, a test, and types")
    .argument("<dir>", "a folder that is not there yet, or is empty")
    .addOption(
      new Option("--with <kind>", "what its steps are: functions, programs, programs of images")
        .choices(["function", "command", "container"])
        .default("function"),
    )
    .option("--json", "as one object (docs/schemas/init-pipeline.schema.json)")
    .addHelpText("after", "\nExample: hdash init-pipeline counts --with command")
    .action(async (dir: string, flags: { readonly with: Starter; readonly json?: boolean }) => {
      const { files, next } = await start(dir, flags.with);
      if (flags.json === true) shell.print(JSON.stringify({ folder: dir, files, next }));
      else {
        shell.print(`${dir} has ${list(files)}`);
        for (const line of ["Next:", ...next.map((word) => `  ${word}`)]) shell.print(line);
      }
    });
  program
    .command("check")
    .description("find what is wrong with a pipeline of your own, without running any of it")
    .argument("<file>", "its module, e.g. ./words.ts")
    .option("--json", "as one object (docs/schemas/check.schema.json)")
    .action(async (path: string, { json }: { readonly json?: boolean }) => {
      const { checkPipeline } = await import("./sources/check/checkPipeline.ts");
      const checked = await checkPipeline(path, { names, cwd: process.cwd() });
      if (json === true) shell.print(JSON.stringify(documentOf(checked)));
      else for (const line of linesOf(checked)) shell.print(line);
      shell.exit(isRight(checked) ? EXIT.ok : EXIT.failed);
    });
  addVerify(program, shell, names);
  addTrust(program, shell, names);
}

/** Begins a project, and says what lies there then, and what to type next. */
async function start(
  dir: string,
  starter: Starter,
): Promise<{ readonly files: readonly string[]; readonly next: readonly string[] }> {
  const { startProject } = await import("./sources/startProject.ts");
  // In a checkout there is no program by that name.
  const [, script = ""] = process.argv;
  const program = script.endsWith(".ts") ? `node ${script}` : "hdash";
  const { files, command } = await startProject(dir, starter, program);
  const runs = `${command} run ./pipeline.ts --sheet data/samples.csv --out results`;
  const next = [
    `cd ${dir}`,
    // What runs in an image cannot be run yet.
    ...(starter === "container" ? [] : [runs]),
    `${command} check ./pipeline.ts`,
    "npm test",
  ];
  return { files, next };
}

function isRight({ found }: Checked): boolean {
  return found.every(({ severity }) => severity !== "error");
}

/** What --json says; its schema is docs/schemas/check.schema.json. */
function documentOf(checked: Checked): object {
  const { path, pipeline, isTyped, found } = checked;
  return { file: path, pipeline, isRight: isRight(checked), isTyped, found };
}

function linesOf({ path, found, isTyped }: Checked): readonly string[] {
  const errors = found.filter(({ severity }) => severity === "error").length;
  const notes = found.length - errors;
  const told = found.flatMap(({ path: at, line, column, severity, says, advice }) => [
    `${at}:${line}:${column}: ${severity}: ${says}`,
    `    ${advice}`,
  ]);
  const tally =
    found.length === 0
      ? "nothing found"
      : [
          ...(errors === 0 ? [] : [count(errors, "error")]),
          ...(notes === 0 ? [] : [count(notes, "note")]),
        ].join(", ");
  return [...told, `${path}: ${tally}${isTyped ? "" : "; types were not looked at"}`];
}
