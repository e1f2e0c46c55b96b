// hdash itself: what it says of itself, the commands that all jobs share, and a run of everything where no command is named.

import type { Command } from "commander";

import { HdashError } from "../error.ts";
import type { Example, Job, OpenRunJob } from "../job.ts";
import { meant } from "../settings/nearest.ts";
import type { Shell } from "../shell.ts";
import { addArtifactCommands } from "./artifacts.ts";
import { addCancel } from "./cancel.ts";
import { addDemo } from "./demo.ts";
import { addDu } from "./du.ts";
import { addExchange } from "./exchange.ts";
import { addGc } from "./gc.ts";
import { addLogs } from "./logs.ts";
import { addPlan } from "./plan.ts";
import { addProvenance } from "./provenance.ts";
import { addReport } from "./report.ts";
import { addResume } from "./resume.ts";
import { addRun, runAll } from "./run.ts";
import { addRuns } from "./runs.ts";
import { addStatus } from "./status.ts";
import { addUsage } from "./usage.ts";
import { addWhy } from "./why.ts";

const OF_ALL_JOBS: readonly Example[] = [
  ["hdash", "run every job once and publish: what the container does by default"],
  ["hdash run NAME --force", "do every step of a job again, whatever is known already"],
  ["hdash run NAME --help", "the flags of a job"],
  ["hdash init-pipeline DIR", "begin a pipeline of your own: a folder that runs at once"],
  ["hdash check ./words.ts", "find what is wrong with a pipeline of your own; run nothing"],
  ["hdash doctor", "check the database, the bucket, the webhook and what the jobs read from"],
  ["hdash demo --site ./site", "publish a site from bundled data, without any account"],
  ["hdash artifacts --help", "the views and lists of a deployment of several in one account"],
];
/** Where what an example does is said. */
const SAYS_AT = 33;

/** What stands below the help: examples, those of the jobs last, and what all commands have in common. */
function helpText(jobs: readonly Job[]): string {
  const examples = [...OF_ALL_JOBS, ...jobs.flatMap(({ examples = [] }) => examples)];
  return `
Examples:
${examples.map(exampleText).join("\n")}

Exit codes: 0 ok · 1 failed · 2 configuration or command line · 3 degraded (published, but a part failed) ·
143 told to stop; the run was handed back and the next start goes on with it.

Configuration is read from the environment; .env.example names every variable. --env-file FILE reads a file.
`;
}

function exampleText([command, says]: Example): string {
  const start = `  ${command}`;
  // A long command has a line of its own.
  const isLong = start.length >= SAYS_AT;
  return isLong ? `${start}\n${" ".repeat(SAYS_AT)}${says}` : `${start.padEnd(SAYS_AT)}${says}`;
}

/** Adds the commands of hdash to a program. */
export function addHdash(
  program: Command,
  shell: Shell,
  jobs: readonly Job[],
  openRunJob: OpenRunJob,
): void {
  program
    .name("hdash")
    .description("Keeps published pages true to research data that lives elsewhere.")
    .addHelpText("after", helpText(jobs))
    .allowExcessArguments()
    .action(async (_flags: object, command: Command) => {
      const [word] = command.args;
      if (word !== undefined) throw unknownCommand(word, command);
      shell.exit(await runAll(shell, jobs, {}));
    });
  addRun(program, shell, jobs);
  addPlan(program, shell, jobs);
  addWhy(program, shell);
  addRuns(program, shell);
  addGc(program, shell);
  addDu(program, shell);
  addExchange(program, shell);
  addProvenance(program, shell);
  addReport(program, shell);
  addStatus(program, shell);
  addLogs(program, shell);
  addCancel(program, shell);
  addResume(program, shell, jobs, openRunJob);
  addUsage(program, shell);
  program
    .command("doctor")
    .description("check every configured service and say for each what to do")
    .action(async () => {
      const { examine } = await import("./doctor.ts");
      shell.exit(await examine(shell, jobs));
    });
  addDemo(program, shell, jobs);
  const lists = jobs.flatMap(({ configFiles }) => configFiles ?? []);
  const places = jobs.flatMap(({ deployment }) => deployment.privatePlaces ?? []);
  addArtifactCommands(program, shell, {
    lists,
    places: places.map(({ variable }) => variable),
  });
}

/** What a word that is no command may have been meant for. */
function unknownCommand(word: string, program: Command): HdashError {
  const names = program.commands.map((one) => one.name());
  return new HdashError("usage", `there is no command ${JSON.stringify(word)}`, {
    hint: meant(word, names),
  });
}
