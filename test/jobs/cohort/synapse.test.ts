// hdash cohort synapse as people use it, with a strict S3 and the look-alike Synapse: twice the same, and no secret in what it says.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { startSynapse, type SynapseServer } from "../../../src/lookalikes/synapse/synapseServer.ts";
import { type Ended, hdash as start } from "../../support/command.ts";
import { type S3Server, startS3 } from "../../support/s3Server.ts";
import { ROOT, writeWorld } from "./support/synapseWorld.ts";

const TOKEN = "tok-5ecret-of-ada";
const BUCKETS = ["exports", "raw", "intermediate", "processed"] as const;

let dir = "";
let s3: S3Server;
let synapse: SynapseServer;
let empty = "";
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-synapse-command-"));
  s3 = await startS3({ buckets: BUCKETS });
  const world = join(dir, "world");
  const ids = await writeWorld(world, { "empty/": Buffer.from("") });
  empty = ids.get("empty") ?? "";
  const readObject = (bucket: string, key: string): Promise<Uint8Array | null> =>
    Promise.resolve(
      BUCKETS.some((one) => one === bucket) ? (s3.objects(bucket).get(key)?.read() ?? null) : null,
    );
  synapse = await startSynapse({ world, readObject, tokens: { [TOKEN]: "ada" } });
});
afterAll(async () => {
  await synapse.close();
  await s3.close();
  await rm(dir, { recursive: true, force: true });
});

function hdash(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  return start(["cohort", "synapse", ...args], {
    ...{ HDASH_HOME: join(dir, "home"), HDASH_LOG_LEVEL: "debug" },
    S3_ACCESS_KEY_ID: s3.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    S3_ENDPOINT_URL: s3.url,
    COHORT_SOURCE: "s3://exports/daily",
    COHORT_RAW: "s3://raw",
    COHORT_INTERMEDIATE: "s3://intermediate",
    COHORT_PROCESSED: "s3://processed",
    SYNAPSE_PASSWORD: TOKEN,
    SYNAPSE_ENDPOINT_URL: synapse.url,
    ...env,
  });
}

describe("hdash cohort synapse", () => {
  test("has a folder lead to the datasets, and the second time changes nothing", async () => {
    const first = await hdash(["--folder", empty]);
    expect(first.code, first.stderr).toBe(0);
    expect(first.stdout.trimEnd().split("\n")).toEqual([
      "s3://processed/main/parquet/owner.txt: names 3400001 now",
      "storage location 41: s3://processed/main/parquet",
      `folder ${empty}: leads there now`,
    ]);
    const before = [synapse.changes, s3.objects("processed").get("main/parquet/owner.txt")?.etag];
    const second = await hdash(["--folder", empty]);
    expect(second.stdout.trimEnd().split("\n")).toEqual([
      "s3://processed/main/parquet/owner.txt: names its owners already",
      "storage location 41: s3://processed/main/parquet",
      `folder ${empty}: leads there already`,
    ]);
    const owner = s3.objects("processed").get("main/parquet/owner.txt");
    expect([synapse.changes, owner?.etag]).toEqual(before);
    expect(owner?.read().toString()).toBe("3400001");
    // Neither the token nor what Synapse gives as credentials, not even for those who look for mistakes.
    for (const { stdout, stderr } of [first, second]) {
      expect(`${stdout}${stderr}`).not.toMatch(/tok-5ecret|ASIA|secretAccessKey|sessionToken/);
    }
  });

  test("makes a folder for the exports of a namespace, with owners besides", async () => {
    const made = await hdash([
      ...["--parent", ROOT, "--name", "exports of b", "--of", "exports", "--owners", "273950"],
      ...["--namespace", "b"],
    ]);
    expect(made.code, made.stderr).toBe(0);
    expect(made.stdout.trimEnd().split("\n")).toEqual([
      "s3://exports/daily/b/owner.txt: names 3400001 and 273950 now",
      "storage location 42: s3://exports/daily/b",
      expect.stringMatching(/^folder syn\d+: made, and leads there now$/),
    ]);
  });

  const WHICH = /^hdash: say which folder: --folder ID, or --parent ID and --name NAME$/m;
  test.each([
    [[], {}, WHICH],
    [["--parent", ROOT], {}, WHICH],
    [["--folder", "syn1", "--name", "x"], {}, WHICH],
    [["--folder", "1"], {}, /^hdash: --folder is "1", and no id like syn123$/m],
    [["--parent", "x", "--name", "y"], {}, /^hdash: --parent is "x", and no id like syn123$/m],
    [["--parent", ROOT, "--name", " "], {}, /^hdash: --name is empty$/m],
    [
      ["--folder", "syn1", "--of", "raw"],
      {},
      /^hdash: --of is "raw", and neither datasets nor exp/m,
    ],
    [
      ["--folder", "syn1", "--owners", "a b"],
      {},
      /^hdash: --owners has "a b", which is neither the/m,
    ],
    [["--folder", "syn1", "--owners", ""], {}, /^hdash: --owners has "", which is neither the/m],
    [
      ["--folder", "syn1"],
      { SYNAPSE_PASSWORD: "" },
      /^hdash: SYNAPSE_PASSWORD is not set, but a folder of Synapse is asked for$/m,
    ],
    [
      ["--folder", "syn1"],
      { COHORT_PROCESSED: "no-bucket" },
      /^hdash: COHORT_PROCESSED is a folder \(.*\), and Synapse can only lead to a bucket$/m,
    ],
    [
      ["--folder", "syn1", "--of", "exports"],
      { COHORT_SOURCE: "synapse:syn5" },
      /^hdash: COHORT_SOURCE is in Synapse itself, and Synapse can only lead to a bucket$/m,
    ],
  ])("says what is wrong with %j and %j, with 2", async (args, env, expected) => {
    const ended = await hdash(args, env);
    expect(ended.code, ended.stderr).toBe(2);
    expect(ended.stderr).toMatch(expected);
  });
});
