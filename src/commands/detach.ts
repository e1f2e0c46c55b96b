// hdash run --detach: the run goes on in a process of its own, and the command ends as soon as it has really begun.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, open, readFile } from "node:fs/promises";
import { join } from "node:path";

import type { ProgressEvent } from "../engine/progress.ts";
import { HdashError } from "../error.ts";
import type { Config } from "../settings/config.ts";
import { EXIT, type Shell } from "../shell.ts";
import { closeFolder } from "../store/privateFolder.ts";

/** What the process that does the run says to the one that began it. */
interface Begun {
  readonly runId: string;
}

/** Tells whoever has begun this process, and waits for it, that the run goes on. */
export function tellBegun(event: ProgressEvent): void {
  if (event.kind === "runStarted" && process.connected) {
    process.send?.({ runId: event.runId } satisfies Begun);
  }
}

/** Begins the same command line in a process of its own; returns an exit code: what that one ended with, where it began no run. */
export async function detach(
  shell: Shell,
  config: Config,
  { pipeline, isJson }: { readonly pipeline: string; readonly isJson: boolean },
): Promise<number> {
  const path = await newLog(shell, config, pipeline);
  const log = await open(path, "ax", 0o600);
  const [, script = "", ...words] = process.argv;
  const own = words.filter((word) => word !== "--detach");
  // "--" keeps Node from taking an --env-file that stands behind the script for its own.
  const flags = [...process.execArgv.filter((flag) => flag !== "--"), "--"];
  const child = spawn(process.execPath, [...flags, script, ...own], {
    detached: true,
    stdio: ["ignore", log.fd, log.fd, "ipc"],
  });
  await log.close();
  const stop = (): void => void child.kill("SIGTERM");
  shell.signal.addEventListener("abort", stop, { once: true });
  const begun = await whatBegan(child);
  shell.signal.removeEventListener("abort", stop);
  if (typeof begun === "number") {
    process.stderr.write(await readFile(path, "utf8"));
    return begun;
  }
  child.disconnect();
  child.unref();
  const { runId } = begun;
  const pid = child.pid ?? 0;
  if (isJson) {
    shell.print(JSON.stringify({ run: Number(runId), pipeline, state: "running", pid, log: path }));
  } else
    for (const line of textOf({ runId, pipeline, pid, path, isShared: isShared(config) })) {
      shell.print(line);
    }
  return EXIT.ok;
}

/** The file that takes what the run says. */
async function newLog(shell: Shell, config: Config, pipeline: string): Promise<string> {
  await closeFolder(config.home, "HDASH_HOME", shell.log(config));
  const dir = join(config.home, "detached");
  await mkdir(dir, { recursive: true, mode: 0o700 });
  return join(dir, `${pipeline}-${crypto.randomUUID().slice(0, 8)}.log`);
}

/** The run that began, or the exit code of who began none. */
async function whatBegan(child: ChildProcess): Promise<Begun | number> {
  const failed = once(child, "error").then(([error]: readonly unknown[]) => {
    throw new HdashError("transient", "the process of the run could not be started", {
      cause: error,
    });
  });
  const told = once(child, "message").then(([message]) => message as Begun);
  // What it said before it ended comes before its end.
  const ended = once(child, "exit").then(([code]) => (code as number | null) ?? EXIT.handedBack);
  return Promise.race([failed, told, ended]);
}

/** Tells whether others can ask the ledger while the run goes on. */
function isShared({ database }: Config): boolean {
  return database.kind !== "embedded";
}

function textOf({
  runId,
  pipeline,
  pid,
  path,
  isShared,
}: {
  readonly runId: string;
  readonly pipeline: string;
  readonly pid: number;
  readonly path: string;
  readonly isShared: boolean;
}): readonly string[] {
  const first = `run ${runId} of ${pipeline} goes on as pid ${pid}`;
  if (isShared) {
    return [
      first,
      `To follow it: hdash logs ${runId} --follow · hdash status ${runId} · hdash cancel ${runId}`,
      `What it says: ${path}`,
    ];
  }
  return [
    `${first}, which has the embedded database until it ends: other commands can ask then`,
    `To follow it: tail -f ${path}`,
    `To stop it: kill -TERM ${pid}; hdash resume ${runId} goes on with it`,
  ];
}
