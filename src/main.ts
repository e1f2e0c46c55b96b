#!/usr/bin/env -S node --disable-warning=ExperimentalWarning --
// `hdash`: argv → one function each. The only catch-all, and with util.ts the only place that ends the process.
// "--" keeps Node from taking an --env-file that stands behind the script for its own.

import { commandOf, pipelineAt, PROGRAMS, withCommand, withPipelineName } from "./commands/argv.ts";
import type { Job } from "./job.ts";
import { JOBS } from "./jobList.ts";

const [node = "", script = "", ...given] = process.argv;
const [first] = given;
// As the image's entry point it is told which program is meant, where its name stands in front.
const isNamed = PROGRAMS.some((name) => name === first);

if (first === "hdash-util") {
  process.argv = [node, script, ...given.slice(1)];
  await import("./util.ts");
} else {
  const own = withCommand(isNamed ? given.slice(1) : given, JOBS);
  const { jobs, words, refused } = await withPipeline(own);
  const [word] = words;
  // What takes longest to load is begun first; what it is for is checked later, and what fails here is told when it is tried again.
  const early =
    (await JOBS.find(({ name }) => name === word)
      ?.early?.(words.slice(1))
      .catch(() => null)) ?? null;
  const { runCommand } = await import("./shell.ts");

  process.exitCode = await runCommand([node, script, ...words], jobs, async (program, shell) => {
    const { addHdash } = await import("./commands/hdash.ts");
    addHdash(program, shell, jobs, async (run, names) => {
      const { openJobOfRun } = await import("./jobs/analysis/job.ts");
      return openJobOfRun(run, names);
    });
    const { addPipelineCommands } = await import("./jobs/analysis/commands.ts");
    const names = JOBS.map(({ name }) => name);
    addPipelineCommands(program, shell, names);
    if (refused !== null) throw refused.error;
    const { openRun } = await import("./commands/run.ts");
    for (const job of JOBS) {
      const own = job.name === word ? early : null;
      await job.commands?.(program, shell, own, openRun(shell, JOBS, job));
    }
  });
}

/**
 * Where a word is the path of a user's pipeline, that is a job like the others, and the word its name; the demo has an example of one. What is
 * wrong with it is told later.
 */
async function withPipeline(words: readonly string[]): Promise<{
  readonly jobs: readonly Job[];
  readonly words: readonly string[];
  readonly refused: { readonly error: unknown } | null;
}> {
  const at = pipelineAt(words);
  const names = JOBS.map(({ name }) => name);
  const isDemo = commandOf(words) === "demo";
  if (at === -1 && !isDemo) return { jobs: JOBS, words, refused: null };
  try {
    const { openExampleJob, openPipelineJob } = await import("./jobs/analysis/job.ts");
    if (isDemo) return { jobs: [...JOBS, await openExampleJob(names)], words, refused: null };
    const job = await openPipelineJob(words[at] ?? "", names);
    return { jobs: [...JOBS, job], words: withPipelineName(words, at, job.name), refused: null };
  } catch (error) {
    return { jobs: JOBS, words, refused: { error } };
  }
}
