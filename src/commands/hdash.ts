// hdash itself: what it says of itself, the commands that all jobs share, and a run of everything where no command is named.

import type { Command } from "commander";

import { HdashError } from "../error.ts";
import type { Job } from "../job.ts";
import type { Shell } from "../shell.ts";
import { addArtifactCommands } from "./artifacts.ts";
import { addDemo } from "./demo.ts";
import { addRun, runAll } from "./run.ts";
import { addRuns } from "./runs.ts";

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
export function addHdash(program: Command, shell: Shell, jobs: readonly Job[]): void {
  program
    .name("hdash")
    .description("Keeps published pages true to research data that lives elsewhere.")
    .addHelpText("after", EXAMPLES)
    .allowExcessArguments()
    .action(async (_flags: object, command: Command) => {
      const [word] = command.args;
      if (word !== undefined) throw unknownCommand(word, command);
      shell.exit(await runAll(shell, jobs, {}));
    });
  addRun(program, shell, jobs);
  addRuns(program, shell);
  program
    .command("doctor")
    .description("check every configured service and say for each what to do")
    .action(async () => {
      const { examine } = await import("./doctor.ts");
      shell.exit(await examine(shell, jobs));
    });
  addDemo(program, shell, jobs);
  const lists = jobs.flatMap(({ configFiles }) => configFiles ?? []);
  addArtifactCommands(program, shell, lists);
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
