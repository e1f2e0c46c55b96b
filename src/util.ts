#!/usr/bin/env -S node --
// `hdash-util`: what hdash keeps, looked after by hand, and a test message.

import { JOBS } from "./jobList.ts";
import { runCommand } from "./shell.ts";

process.exitCode = await runCommand(process.argv, JOBS, async (program, shell) => {
  const { addReset } = await import("./commands/reset.ts");
  const { addRole } = await import("./commands/role.ts");
  const { addSlack } = await import("./commands/slack.ts");
  program
    .name("hdash-util")
    .description(
      "Looks after what hdash keeps: registries, the ledger and who owns it, the Slack webhook.",
    );
  for (const { utilCommands } of JOBS) await utilCommands?.(program, shell);
  addReset(program, shell);
  addRole(program, shell);
  addSlack(program, shell);
});
