#!/usr/bin/env -S node --
// `hdash`: argv → one function each. The only catch-all, and with util.ts the only place that ends the process.
// "--" keeps Node from taking an --env-file that stands behind the script for its own.

import { runCommand } from "./command.ts";

process.exitCode = await runCommand(process.argv, async (program, shell) => {
  const { addWorkerCommands } = await import("./workerCommands.ts");
  addWorkerCommands(program, shell);
  const { addMatrixCommands } = await import("./matrixCommands.ts");
  addMatrixCommands(program, shell);
});
