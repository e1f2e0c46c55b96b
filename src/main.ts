#!/usr/bin/env -S node --
// `hdash`: argv → one function each. The only catch-all, and with util.ts the only place that ends the process.
// "--" keeps Node from taking an --env-file that stands behind the script for its own.

const { argv } = process;
// What takes longest to load is begun first; what it is for is checked later, and what fails here is told when it is tried again.
const hdf5Thread = argv[2] === "matrix" ? await startEarly().catch(() => null) : null;
const { runCommand } = await import("./shell.ts");

process.exitCode = await runCommand(argv, async (program, shell) => {
  const { addWorkerCommands } = await import("./commands/run.ts");
  addWorkerCommands(program, shell);
  const { addMatrixCommands } = await import("./jobs/matrix/commands.ts");
  addMatrixCommands(program, shell, hdf5Thread);
});

async function startEarly() {
  const { startHdf5ThreadEarly } = await import("./jobs/matrix/hdf5/hdf5Thread.ts");
  return startHdf5ThreadEarly(argv.slice(3));
}
