#!/usr/bin/env -S node --
// `hdash-util`: the registry and the ledger by hand, and a test message.

import { runCommand } from "./shell.ts";

process.exitCode = await runCommand(process.argv, async (program, shell) => {
  const { addUtilCommands } = await import("./commands/reset.ts");
  addUtilCommands(program, shell);
});
