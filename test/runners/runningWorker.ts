// A worker that runs one script of the shell, to be killed: says where its launcher is, and what the script says.

import { makeProcessRunner } from "../../src/runners/process.ts";

const [prefix = "", folder = "", script = ""] = process.argv.slice(2);
const runner = makeProcessRunner({ prefix, folder });
await runner.probe();
process.stdout.write(`launcher ${runner.launcherPid() ?? 0}\n`);
await runner.run(
  "key",
  {
    ...{ folder, secrets: [] },
    script: [{ argv: ["/bin/sh", "-c", script], env: { PATH: "/usr/bin:/bin" } }],
    limits: { timeMs: null, memoryMiB: null, logBytes: null, diskMiB: null, processes: null },
  },
  {
    signal: new AbortController().signal,
    onLine: (line) => void process.stdout.write(`${line}\n`),
  },
);
