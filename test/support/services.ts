// Everything hdash talks to, for real on loopback: Postgres, S3 with its website, a look-alike Synapse and a look-alike Slack.

import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

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
  const world = join(dir, "world");
  await cp(FIXTURE, world, { recursive: true });
  const database = await createTestDatabase();
  const synapse = await startSynapse({ world, tokens: { "token-1": "jdoe" } });
  const slack = await startSlack();
  const s3 = await startS3({ buckets: ["site"] });
  const env = {
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
  };
  const ended = await hdashUtil(["init", "--file", join(world, "atlases.csv")], env);
  if (ended.code !== 0)
    throw new Error(`hdash-util init ended with ${ended.code}: ${ended.stderr}`);
  return {
    world,
    synapse,
    slack,
    s3,
    database,
    env,
    async close() {
      await Promise.all([synapse.close(), slack.close(), s3.close()]);
      await database.drop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
