#!/usr/bin/env -S node --
// `hdash`: argv → one function each. The only catch-all, and with util.ts the only place that ends the process.
// "--" keeps Node from taking an --env-file that stands behind the script for its own.

import { JOBS } from "./jobList.ts";

const { argv } = process;
const [, , word] = argv;
// What takes longest to load is begun first; what it is for is checked later, and what fails here is told when it is tried again.
const early =
  (await JOBS.find(({ name }) => name === word)
    ?.early?.(argv.slice(3))
    .catch(() => null)) ?? null;
const { runCommand } = await import("./shell.ts");

process.exitCode = await runCommand(argv, JOBS, async (program, shell) => {
  const { addHdash } = await import("./commands/hdash.ts");
  addHdash(program, shell, JOBS);
  for (const { name, commands } of JOBS) {
    await commands?.(program, shell, name === word ? early : null);
  }
});
