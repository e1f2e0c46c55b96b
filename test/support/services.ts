// Everything hdash talks to, for real on loopback: Postgres, S3 with its website, a look-alike Synapse and a look-alike Slack.

import { existsSync } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { onTestFinished } from "vitest";

import { type SlackServer, startSlack } from "../../src/lookalikes/slackServer.ts";
import { startSynapse, type SynapseServer } from "../../src/lookalikes/synapse/synapseServer.ts";
import { hdashUtil } from "./command.ts";
import { createTestDatabase, databaseEnv, type TestDatabase } from "./postgres.ts";
import { type S3Server, startS3 } from "./s3Server.ts";

/** The world with known answers. */
export const FIXTURE = join(import.meta.dirname, "..", "fixtures", "htan");

export interface Services {
  /** A copy of the world, which a test may change. */
  readonly world: string;
  readonly synapse: SynapseServer;
  readonly slack: SlackServer;
  readonly s3: S3Server;
  readonly database: TestDatabase;
  /** The twelve variables and where to work. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** Starts all services on a copy of the world, and registers its atlases. */
export async function startServices(): Promise<Services> {
  const dir = await mkdtemp(join(tmpdir(), "hdash-services-"));
  await cp(FIXTURE, join(dir, "world"), { recursive: true });
  const s3 = await startS3({ buckets: ["site"] });
  const services = await openServices(dir, s3, await createTestDatabase());
  const list = join(services.world, "atlases.csv");
  const ended = await hdashUtil(["init", "--file", list], services.env);
  if (ended.code !== 0)
    throw new Error(`hdash-util init ended with ${ended.code}: ${ended.stderr}`);
  return {
    ...services,
    async close() {
      await Promise.all([services.close(), s3.close()]);
    },
  };
}

/** Starts what stands around an S3, a database and a folder with a world in it; S3 is not closed with it. */
async function openServices(dir: string, s3: S3Server, database: TestDatabase): Promise<Services> {
  const world = join(dir, "world");
  const synapse = await startSynapse({ world, tokens: { "token-1": "jdoe" } });
  const slack = await startSlack();
  return {
    ...{ world, synapse, slack, s3, database },
    env: {
      SYNAPSE_USER: "jdoe",
      SYNAPSE_PASSWORD: "token-1",
      SYNAPSE_ENDPOINT_URL: synapse.url,
      ...databaseEnv(database.settings),
      S3_ACCESS_KEY_ID: s3.accessKeyId,
      S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
      S3_ENDPOINT_URL: s3.url,
      S3_BUCKET_NAME: "site",
      S3_WEB_SITE_URL: s3.websiteUrl,
      SLACK_WEBHOOK_URL: slack.url,
      HDASH_HOME: join(dir, "home"),
    },
    async close() {
      await Promise.all([synapse.close(), slack.close()]);
      await database.drop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Services as they once were, to begin any number of tests with. */
export interface KeptServices {
  /** Starts services that hold what was kept, and end with the test: what others did in the meantime is not there. One test at a time. */
  start(): Promise<Services>;
  close(): Promise<void>;
}

/** Starts services, has `prepare` do with them what every test begins with, and keeps what they then hold: ledger, site, world and home. */
export async function keepServices(
  prepare: (services: Services) => Promise<void> = () => Promise.resolve(),
): Promise<KeptServices> {
  const first = await startServices();
  const { s3, database, world, env } = first;
  await prepare(first);
  // A database is copied while nobody is connected to it.
  await database.database.close();
  const site = [...s3.objects("site")];
  return {
    async start() {
      for (const key of s3.objects("site").keys()) s3.removeObject("site", key);
      for (const [key, object] of site) s3.setObject("site", key, object.read(), object.headers);
      s3.setFaults(null);
      s3.puts.length = 0;
      s3.requests.length = 0;
      const dir = await mkdtemp(join(tmpdir(), "hdash-services-"));
      // What Synapse says of when files changed is when they did here.
      await cp(world, join(dir, "world"), { recursive: true, preserveTimestamps: true });
      const home = env["HDASH_HOME"] ?? "";
      if (existsSync(home)) await cp(home, join(dir, "home"), { recursive: true });
      const services = await openServices(
        dir,
        s3,
        await createTestDatabase(database.settings.name),
      );
      onTestFinished(() => services.close());
      return services;
    },
    close: () => first.close(),
  };
}
