// hdash as `npm pack` gives it, installed in a folder of a test's own: its files are the tarball's, its dependencies are links to those that
// are installed here, without any that is for development alone.

import { execFile } from "node:child_process";
import { chmod, mkdir, readFile, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import { copySources } from "./imageRuns.ts";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "..", "..");

/** Packs a copy of the sources, so that nobody's dist/ is removed, and returns the path of the tarball. `dir` is not there yet. */
export async function packHdash(dir: string): Promise<string> {
  await copySources(dir);
  await symlink(join(ROOT, "node_modules"), join(dir, "node_modules"));
  const { stdout } = await run("npm", ["pack", "--json", "--silent", "--ignore-scripts=false"], {
    cwd: dir,
  });
  // What prepack says stands before it.
  const [{ filename = "" } = {}] = JSON.parse(stdout.slice(stdout.indexOf("[\n"))) as readonly {
    readonly filename?: string;
  }[];
  return join(dir, filename);
}

/** Lists the files of a tarball, without the folder that all lie in. */
export async function listTarball(tarball: string): Promise<readonly string[]> {
  const { stdout } = await run("tar", ["-tzf", tarball]);
  const paths = stdout.trimEnd().split("\n");
  return paths.map((path) => path.replace(/^package\//, "")).sort();
}

/** Puts a tarball of hdash below the node_modules of a folder, as npm does. */
export async function installHdash(tarball: string, folder: string): Promise<void> {
  const modules = join(folder, "node_modules");
  const own = join(modules, "hdash");
  await mkdir(own, { recursive: true });
  await run("tar", ["-xzf", tarball, "-C", own, "--strip-components=1"]);
  const lock = JSON.parse(await readFile(join(ROOT, "package-lock.json"), "utf8")) as {
    readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
  };
  const places = Object.entries(lock.packages).flatMap(([place, { dev }]) =>
    dev !== true && /^node_modules\/(@[^/]+\/)?[^/]+$/.test(place) ? [place] : [],
  );
  for (const place of places) {
    await mkdir(dirname(join(folder, place)), { recursive: true });
    await symlink(join(ROOT, place), join(folder, place));
  }
  const { bin } = JSON.parse(await readFile(join(own, "package.json"), "utf8")) as {
    readonly bin: Readonly<Record<string, string>>;
  };
  await mkdir(join(modules, ".bin"));
  for (const [name, path] of Object.entries(bin)) {
    await chmod(join(own, path), 0o755);
    await symlink(join("..", "hdash", path), join(modules, ".bin", name));
  }
}
