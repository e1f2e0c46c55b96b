// `make docker_push` to a registry that takes images, and to one that asks for a login first.

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type Ended, type Running, startProgram } from "../support/command.ts";
import { tryEngine } from "../support/dockerEngine.ts";

/** `loopback-only`, by bcrypt with as few rounds as it takes. */
const HASH = "$2b$04$NX535pVWZ8SM9USYZcB.KeVrEnkR5G7AdHcSMdGcI/eFhKR5d7F3y";

const found = await tryEngine(["docker-registry"]);
const why = typeof found === "string" ? found : null;
if (why !== null) console.warn(`pushing the image is not tested: ${why}`);

function engine() {
  if (typeof found === "string") throw new Error(found);
  return found;
}

let dir = "";
const registries: Running[] = [];

/** Starts Debian's registry on a free loopback port; returns its name in an image's. */
async function startRegistry(name: string, auth: readonly string[]): Promise<string> {
  const config = join(dir, `${name}.yml`);
  const lines = [
    ...["version: 0.1", "storage:", "  filesystem:", `    rootdirectory: ${join(dir, name)}`],
    ...["http:", "  addr: 127.0.0.1:0", ...auth, ""],
  ];
  await mkdir(join(dir, name));
  await writeFile(config, lines.join("\n"));
  const registry = startProgram("docker-registry", ["serve", config]);
  registries.push(registry);
  const [, port = ""] =
    /listening on 127\.0\.0\.1:(\d+)/.exec(await registry.line(/listening on /)) ?? [];
  return `127.0.0.1:${port}`;
}

/** Names the image as `make docker_push` is told to, and pushes it. */
async function push(registry: string): Promise<Ended> {
  await engine().read(["tag", "tiny", `${registry}/team/hdash:v1`]);
  const variables = [`REGISTRY=${registry}`, "REPOSITORY=team/hdash", "TAG=v1"];
  return startProgram("make", ["--no-print-directory", "docker_push", ...variables], engine().env)
    .ended;
}

beforeAll(async () => {
  if (why !== null) return;
  dir = await mkdtemp(join(tmpdir(), "hdash-push-"));
  // What is pushed does not matter here: an empty file system is an image.
  await writeFile(join(dir, "empty.tar"), Buffer.alloc(1024));
  await engine().read(["import", join(dir, "empty.tar"), "tiny"]);
});

afterAll(async () => {
  if (why !== null) return;
  for (const registry of registries) registry.process.kill();
  await Promise.all(registries.map(({ ended }) => ended));
  await engine().stop();
  await rm(dir, { recursive: true, force: true });
});

describe.skipIf(why !== null)("make docker_push", () => {
  test("pushes the image under the name that it is given", async () => {
    const registry = await startRegistry("open", []);
    const pushed = await push(registry);
    expect(pushed.code, pushed.stderr).toBe(0);
    const answer = await fetch(`http://${registry}/v2/team/hdash/tags/list`);
    expect(await answer.json()).toEqual({ name: "team/hdash", tags: ["v1"] });
    const [, digest = ""] = /digest: (sha256:[0-9a-f]{64})/.exec(pushed.stdout) ?? [];
    await engine().read(["rmi", `${registry}/team/hdash:v1`]);
    expect(await engine().read(["pull", `${registry}/team/hdash@${digest}`])).toContain(digest);
  });

  test("says how to log in where the registry asks for it, and that mends it", async () => {
    await writeFile(join(dir, "htpasswd"), `pusher:${HASH}\n`);
    const place = [
      "auth:",
      "  htpasswd:",
      "    realm: hdash",
      `    path: ${join(dir, "htpasswd")}`,
    ];
    const registry = await startRegistry("closed", place);
    const refused = await push(registry);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(
      `docker_push: ${registry}/team/hdash:v1 was not pushed. If the registry asked for a login, log in again and repeat:\n` +
        `  docker login ${registry}\n`,
    );
    await engine().read(["login", "--username", "pusher", "--password", "loopback-only", registry]);
    const pushed = await push(registry);
    expect(pushed.code, pushed.stderr).toBe(0);
  });

  test.each(["https://registry.example.org", "registry.example.org/"])(
    "refuses %s, which is no host",
    async (registry) => {
      const pushed = await startProgram(
        "make",
        ["--no-print-directory", "docker_push", `REGISTRY=${registry}`],
        {},
      ).ended;
      expect(pushed.code).toBe(2);
      expect(pushed.stderr).toContain(`docker_push: REGISTRY is ${registry}, but has to be a host`);
    },
  );
});
