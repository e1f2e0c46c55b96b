#!/usr/bin/env -S node --
// `hdash-util`: the registry and the ledger by hand, and a test message.

import { runCommand } from "./command.ts";

process.exitCode = await runCommand(process.argv, async (program, shell) => {
  const { addUtilCommands } = await import("./utilCommands.ts");
  addUtilCommands(program, shell);
});
