// What the image's tests build from, and how they start it: as a deployment does, with even less.

import { chmod, cp, mkdir, readdir, readFile, utimes } from "node:fs/promises";
import { join } from "node:path";

import type { Running } from "./command.ts";
import type { Engine } from "./dockerEngine.ts";

const ROOT = join(import.meta.dirname, "..", "..");

/** How a container is started, beyond what all have. */
export interface Container {
  readonly env?: Readonly<Record<string, string>>;
  /** `here:there`, or `here:there:ro`. */
  readonly volumes?: readonly string[];
  readonly flags?: readonly string[];
  /** Without one it has no network but a loopback of its own. */
  readonly network?: string;
  readonly memory?: string;
}

/** Starts a command with a read-only root, a /tmp, no capabilities, and no network unless it is given one. */
export function startContainer(
  engine: Engine,
  image: string,
  command: readonly string[],
  container: Container,
): Running {
  const [program = "", ...words] = command;
  // hdash is the entry point, and takes the names of both programs as its first word; any other program is one instead of it.
  const isOther = ["sh", "node", "true"].includes(program);
  const said = isOther ? ["--entrypoint", program, image, ...words] : [image, ...command];
  const { env = {}, volumes = [], flags = ["--rm"], network = "none", memory = "1g" } = container;
  return engine.start([
    ...["run", "--read-only", "--tmpfs", "/tmp", "--network", network, "--memory", memory],
    // No swap beside it: more is an end by the kernel, as in a deployment.
    ...["--memory-swap", memory, "--cap-drop", "ALL", "--security-opt", "no-new-privileges"],
    ...Object.entries(env).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
    ...volumes.flatMap((volume) => ["--volume", volume]),
    ...[...flags, ...said],
  ]);
}

/** Copies what the image is built from into a new folder, so that nobody changes it between two builds. */
export async function copySources(context: string): Promise<string> {
  await mkdir(context);
  const ignore = await readFile(join(ROOT, ".dockerignore"), "utf8");
  const names = [...ignore.matchAll(/^!(.+)$/gm)].map(([, path = ""]) => path);
  for (const path of [...names, "Dockerfile", ".dockerignore"]) {
    await cp(join(ROOT, path), join(context, path), { recursive: true });
  }
  return context;
}

/** Gives a copy of the sources other dates, and the modes of another umask: what differs between two checkouts. */
export async function disguiseSources(context: string): Promise<void> {
  for (const entry of await readdir(context, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    await chmod(path, entry.isDirectory() ? 0o775 : 0o664);
    await utimes(path, 1e9, 1e9);
  }
}

/** The files below a folder, by path. */
export async function filesOf(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const files = paths
    .sort()
    .map(async (path) => [path.slice(folder.length + 1), await readFile(path)] as const);
  return new Map(await Promise.all(files));
}
