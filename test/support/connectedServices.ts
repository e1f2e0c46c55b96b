// All services of a run for a container that reaches them and nothing else: its network is another container's loopback, with a relay in it.

import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { inject } from "vitest";

import type { Engine } from "./dockerEngine.ts";
import { type Container, startContainer } from "./imageRuns.ts";
import { offerPorts } from "./loopbackRelay.ts";
import { type Services, startServices } from "./services.ts";

const RELAY = join(import.meta.dirname, "loopbackRelay.ts");

export interface Connection {
  readonly engine: Engine;
  /** An image with Node, for the relay. */
  readonly image: string;
  /** A folder that everybody may look into. */
  readonly dir: string;
  /** The name of the relay's container; no two at a time. */
  readonly name: string;
}

/** Starts services and a relay to them, calls `work` with how a container is started that reaches them, and stops all. */
export async function withConnectedServices(
  { engine, image, dir, name }: Connection,
  work: (services: Services, container: Container) => Promise<void>,
): Promise<void> {
  const services = await startServices();
  const { HDASH_HOME: _, ...variables } = services.env;
  const urls = [services.synapse.url, services.s3.url, services.slack.url];
  const ports = [
    Number(variables["HDASH_DB_PORT"]),
    ...urls.map((url) => Number(new URL(url).port)),
  ];
  const sockets = join(dir, `sockets-${name}`);
  await mkdir(sockets);
  await chmod(sockets, 0o777);
  const authority = join(dir, `${name}.pem`);
  await writeFile(authority, inject("postgres").ca);
  const close = await offerPorts(sockets, ports);
  const relay = startContainer(
    engine,
    image,
    ["node", "/relay.ts", "/sockets", ...ports.map(String)],
    { volumes: [`${sockets}:/sockets`, `${RELAY}:/relay.ts:ro`], flags: ["--rm", "--name", name] },
  );
  try {
    await relay.line(/^relaying$/);
    await work(services, {
      env: {
        ...variables,
        // Pages link to it, and the server's own address is another in each test.
        S3_WEB_SITE_URL: "https://site.example.org",
        HDASH_DB_TLS: "on",
        HDASH_DB_CA_FILE: "/authority.pem",
      },
      volumes: [`${services.world}:/world:ro`, `${authority}:/authority.pem:ro`],
      network: `container:${name}`,
    });
  } finally {
    await engine.run(["rm", "--force", name]);
    await close();
    await services.close();
  }
}
