// The process that starts programs for a worker: small, since a process is forked with all the memory that it has. Started by
// launcherLink.ts; ends with the worker, and everything that it started ends with it.

import { Socket } from "node:net";

import { frameMessage, frameOutput, makeFrameReader, type ToLauncher } from "./frames.ts";
import { makeLauncher } from "./launcher.ts";
import { makePipes } from "./pipes.ts";

const [folder = "", grace = ""] = process.argv.slice(2);
// Files that programs make are their owner's alone.
process.umask(0o077);
// The worker decides when programs end: Ctrl-C and a service's stop reach it, too.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);

const link = new Socket({ fd: 3 });
const pipes = makePipes(folder);
const launcher = makeLauncher({
  graceMs: Number(grace),
  openPipe: pipes.open,
  output(id, bytes) {
    const [head, body] = frameOutput(id, bytes);
    link.write(head);
    return link.write(body);
  },
  end: (ending) => void link.write(frameMessage(ending)),
});
link.on(
  "data",
  makeFrameReader<ToLauncher>({
    message: (message) =>
      message.kind === "start" ? launcher.start(message) : launcher.stop(message.id),
    output: () => undefined,
  }),
);
link.on("drain", () => launcher.resume());
// Reset where the worker was killed; its close follows.
link.on("error", () => undefined);
link.on("close", () => launcher.abandon());
link.write(frameMessage({ kind: "ready" }));
