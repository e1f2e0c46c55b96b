// A Docker engine of a test's own: Debian's dockerd with a socket and a data folder that are gone when it stops.

import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Ended, type Running, startProgram } from "./command.ts";

export interface Engine {
  /** Where its files are; tests may put theirs here. */
  readonly dir: string;
  /** What `docker`, and whoever calls it, needs in the environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Starts `docker …args`. */
  start(args: readonly string[]): Running;
  /** Runs `docker …args` to its end. */
  run(args: readonly string[]): Promise<Ended>;
  /** Runs `docker …args` and returns what it wrote; throws where it fails. */
  read(args: readonly string[]): Promise<string>;
  stop(): Promise<void>;
}

/**
 * Starts an engine, or returns why there is none here. In CI as root there has to be one: install.sh installs what it needs.
 * `programs` are others that the test calls.
 */
export async function tryEngine(programs: readonly string[] = []): Promise<Engine | string> {
  if (process.getuid?.() !== 0) return "only root can start a Docker engine";
  const missing = ["dockerd", "docker", "setpriv", "unshare", ...programs].filter(
    (name) => !isInstalled(name),
  );
  const outcome =
    missing.length > 0
      ? `${missing.join(", ")} not installed (test/support/install.sh)`
      : await startEngine().catch((error: unknown) => `no Docker engine starts: ${String(error)}`);
  if (typeof outcome === "string" && process.env["CI"] !== undefined) throw new Error(outcome);
  return outcome;
}

function isInstalled(program: string): boolean {
  const path = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;
  return spawnSync("sh", ["-c", `command -v ${program}`], { env: { PATH: path } }).status === 0;
}

async function startEngine(): Promise<Engine> {
  // A short path: the engine's sockets lie below it, and their names may have 108 bytes.
  const dir = await mkdtemp(join(tmpdir(), "hdash-dk-"));
  const socket = `unix://${join(dir, "docker.sock")}`;
  const PATH = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;
  const env = {
    ...{ PATH, HOME: dir, DOCKER_HOST: socket, DOCKER_CONFIG: join(dir, "config") },
    // The only builder that Debian 12's engine has; buildx is not in Debian.
    DOCKER_BUILDKIT: "0",
  };
  const daemon = startProgram(
    "setpriv",
    [
      // However the test's process ends, the engine ends with it, and all that it mounted.
      ...[
        "--pdeathsig",
        "TERM",
        "unshare",
        "--mount",
        "dockerd",
        "--host",
        socket,
        "--data-root",
        join(dir, "data"),
      ],
      ...["--exec-root", join(dir, "exec"), "--pidfile", join(dir, "pid")],
      // The machine's network stays as it is: containers have none, or share another's.
      ...["--iptables=false", "--ip6tables=false", "--bridge=none"],
    ],
    env,
  );
  const read: Engine["read"] = async (args) => {
    const { code, stdout, stderr } = await startProgram("docker", args, env).ended;
    if (code !== 0) throw new Error(`docker ${args.join(" ")} ended with ${code}: ${stderr}`);
    return stdout;
  };
  const stop = async (): Promise<void> => {
    daemon.process.kill("SIGTERM");
    await daemon.ended;
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await daemon.line(/API listen on/);
    await read(["version"]);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    ...{ dir, env, read, stop },
    start: (args) => startProgram("docker", args, env),
    run: (args) => startProgram("docker", args, env).ended,
  };
}
