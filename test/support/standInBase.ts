// A stand-in for the Dockerfile's base, which a machine without Docker Hub cannot pull: Debian by mmdebstrap, with this Node and npm.
// What this machine's network needs (an authority of its own, another registry) goes into the stand-in, and never into what is shipped.

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, realpath, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import type { Engine } from "./dockerEngine.ts";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "..", "..");

/** Gives the engine an image of the name that the Dockerfile begins with. */
export async function importStandInBase(engine: Engine): Promise<void> {
  const [, base = ""] =
    /^ARG BASE=(\S+)$/m.exec(await readFile(join(ROOT, "Dockerfile"), "utf8")) ?? [];
  const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  await engine.read(["import", "--change", `ENV PATH=${path}`, await makeTar(), base]);
}

/** Makes the tar of the stand-in, or finds the one that was made before: it takes half a minute and Debian's mirror. */
async function makeTar(): Promise<string> {
  const settings = await npmSettings();
  const npm = dirname(
    dirname(await realpath((await run("sh", ["-c", "command -v npm"])).stdout.trim())),
  );
  const recipe = [
    process.version,
    await readFile(join(npm, "package.json"), "utf8"),
    settings.npmrc,
  ];
  const key = createHash("sha256")
    .update(
      JSON.stringify([...recipe, settings.authority, await readFile(import.meta.filename, "utf8")]),
    )
    .digest("hex");
  const cache = join(ROOT, "node_modules", ".cache", "hdash");
  const tar = join(cache, `base-${key.slice(0, 16)}.tar`);
  if (existsSync(tar)) return tar;

  const dir = await mkdtemp(join(tmpdir(), "hdash-base-"));
  try {
    const made = join(cache, `${key}-${process.pid}.tar`);
    await mkdir(cache, { recursive: true });
    await writeFile(join(dir, "npmrc"), settings.npmrc);
    await writeFile(join(dir, "authority.pem"), settings.authority);
    // mkdtemp's own mode lets nobody else in, and mmdebstrap may look as another user.
    await chmod(dir, 0o755);
    const hooks = [
      'mkdir -p "$1/usr/local/etc" "$1/usr/local/lib/node_modules"',
      `cp "${process.execPath}" "$1/usr/local/bin/node"`,
      `cp -r "${npm}" "$1/usr/local/lib/node_modules/npm"`,
      'ln -s ../lib/node_modules/npm/bin/npm-cli.js "$1/usr/local/bin/npm"',
      `cp "${dir}/npmrc" "$1/usr/local/etc/npmrc"`,
      `cp "${dir}/authority.pem" "$1/usr/local/etc/authority.pem"`,
    ];
    await run("mmdebstrap", [
      ...["--variant=essential", "--include=libstdc++6"],
      ...["doc", "locale", "man"].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`),
      ...hooks.map((hook) => `--customize-hook=${hook}`),
      ...["bookworm", made],
    ]);
    await rename(made, tar);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
  return tar;
}

/** What npm in a container needs to reach the registry that this machine uses; logins are not among it. */
async function npmSettings(): Promise<{ readonly npmrc: string; readonly authority: string }> {
  // npm must not take the test's own settings for ours, nor load the guard that keeps tests on this machine.
  const ask = async (name: string): Promise<string> => {
    const env = { PATH: process.env["PATH"], HOME: process.env["HOME"] };
    const { stdout } = await run("npm", ["config", "get", name], { cwd: "/", env });
    return ["null", "undefined"].includes(stdout.trim()) ? "" : stdout.trim();
  };
  const [registry, cafile] = await Promise.all([ask("registry"), ask("cafile")]);
  const file = cafile === "" ? (process.env["NODE_EXTRA_CA_CERTS"] ?? "") : cafile;
  const isOwn = file !== "" && existsSync(file);
  return {
    npmrc: [
      `registry=${registry}`,
      ...(isOwn ? ["cafile=/usr/local/etc/authority.pem"] : []),
      "",
    ].join("\n"),
    authority: isOwn ? await readFile(file, "utf8") : "",
  };
}
