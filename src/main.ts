#!/usr/bin/env -S node --
// `hdash`: argv → one function each. The only catch-all, and with util.ts the only place that ends the process.
// "--" keeps Node from taking an --env-file that stands behind the script for its own.

import { PROGRAMS, withCommand } from "./commands/argv.ts";
import { JOBS } from "./jobList.ts";

const [node = "", script = "", ...given] = process.argv;
const [first] = given;
// As the image's entry point it is told which program is meant, where its name stands in front.
const isNamed = PROGRAMS.some((name) => name === first);

if (first === "hdash-util") {
  process.argv = [node, script, ...given.slice(1)];
  await import("./util.ts");
} else {
  const words = withCommand(isNamed ? given.slice(1) : given, JOBS);
  const [word] = words;
  // What takes longest to load is begun first; what it is for is checked later, and what fails here is told when it is tried again.
  const early =
    (await JOBS.find(({ name }) => name === word)
      ?.early?.(words.slice(1))
      .catch(() => null)) ?? null;
  const { runCommand } = await import("./shell.ts");

  process.exitCode = await runCommand([node, script, ...words], JOBS, async (program, shell) => {
    const { addHdash } = await import("./commands/hdash.ts");
    addHdash(program, shell, JOBS);
    const { openRun } = await import("./commands/run.ts");
    for (const job of JOBS) {
      const own = job.name === word ? early : null;
      await job.commands?.(program, shell, own, openRun(shell, JOBS, job));
    }
  });
}
