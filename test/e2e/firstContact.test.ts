// hdash as somebody meets it who has never used it: mistyped words, folders that will not do, full disks, older tools' command lines.

import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { hdash, hdashUtil } from "../support/command.ts";
import { type S3Server, startS3 } from "../support/s3Server.ts";
import { mountSmall, whyNoMount } from "../support/smallDisk.ts";

let dir = "";

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-first-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe("hdash and hdash-util, mistyped", () => {
  test.each([
    [hdash, ["run", "htn"], /there is no job "htn"\nDid you mean htan\?/],
    [hdash, ["run", "matrixs"], /there is no job "matrixs"\nDid you mean matrix\?/],
    [hdash, ["docter"], /there is no command "docter"\nDid you mean doctor\?/],
    [hdash, ["artifacts", "uplod"], /Did you mean upload\?/],
    [hdash, ["matrix", "stat", "x"], /Did you mean stats\?/],
    [hdash, ["hdash-util", "rest"], /Did you mean reset\?/],
    [hdashUtil, ["slak"], /Did you mean slack\?/],
    [hdashUtil, ["inti"], /Did you mean init\?/],
    [hdash, ["--source", "local", "--atlas", "HTA3"], /unknown option/],
    [
      hdash,
      ["--blacklist", "maybe", "--source", "fresh"],
      /^hdash: --blacklist \(MATRIX_BLACKLIST\) is "maybe": it must be 1 or 0; for example/m,
    ],
  ])("asks what was meant, with 2 (%o %j)", async (program, args, expected) => {
    const ended = await program(args, {});
    expect(ended.code, ended.stderr).toBe(2);
    expect(ended.stderr).toMatch(expected);
  });

  test("say which hdash they are", async () => {
    for (const ended of [await hdash(["--version"]), await hdashUtil(["-V"])]) {
      expect(ended.code).toBe(0);
      expect(ended.stdout).toMatch(/^hdash \d+\.\d+\.\d+( \([0-9a-f]{12}\))?\n$/);
    }
  });

  test("warn of variables and of lines of a file that are nearly ours, once, and show no value", async () => {
    const file = join(dir, ".env");
    await writeFile(file, "SYNAPSE_PASSWORT=hunter2\nS3_BUCKET_NAME my-bucket\n");
    const env = { SLACK_WEBHOOK: "https://hunter2.example.org", HDASH_LOG_FORMAT: "json" };
    const ended = await hdash(["--env-file", file, "run", "htan"], env);
    expect(ended.code).toBe(2);
    const lines = ended.stderr.split("\n").filter((line) => line.startsWith("{"));
    const said = lines.map((line) => (JSON.parse(line) as { level: string; msg: string }).msg);
    expect(said.slice(0, -1)).toEqual([
      `line 2 of ${file} is no NAME=value and is passed over: did you mean S3_BUCKET_NAME=…?`,
      "SLACK_WEBHOOK is set, which hdash does not read: did you mean SLACK_WEBHOOK_URL?",
      "SYNAPSE_PASSWORT is set, which hdash does not read: did you mean SYNAPSE_PASSWORD?",
    ]);
    expect(ended.stderr).not.toContain("hunter2");
  });
});

describe("hdash, told to use a folder that will not do", () => {
  test.each([
    ["a file", "file", /^hdash: --site: .*\/file is a file; name a folder$/m],
    [
      "a folder of somebody else's",
      "full",
      /^hdash: --site: .*\/full is not empty and holds no site of hdash \(there are mine\.txt\); name/m,
    ],
    [
      "a folder below a file",
      "file/site",
      /^hdash: --site: .*\/file\/site cannot be made: .*\/file is a file; name a folder$/m,
    ],
  ])(
    "refuses a demo's site that is %s before anything is done, with 2",
    async (_what, site, expected) => {
      await writeFile(join(dir, "file"), "");
      await mkdir(join(dir, "full"));
      await writeFile(join(dir, "full", "mine.txt"), "");
      const env = { HDASH_HOME: join(dir, "home") };
      const ended = await hdash(["demo", "--site", join(dir, site)], env);
      expect(ended.code, ended.stderr).toBe(2);
      expect(ended.stderr).toMatch(expected);
      expect((await readdir(dir)).sort()).toEqual(["file", "full"]);
      expect(await readdir(join(dir, "full"))).toEqual(["mine.txt"]);
    },
  );

  test("refuses a demo's site that is empty, which would be the current folder", async () => {
    const ended = await hdash(["demo", "--site", ""], { HDASH_HOME: join(dir, "home") });
    expect([ended.code, ended.stderr]).toEqual([
      2,
      "hdash: --site is empty: name the folder to publish to\n",
    ]);
  });

  test("refuses a run's site that is somebody else's, with 2, and leaves it as it is", async () => {
    await mkdir(join(dir, "m", "pbmc3k"), { recursive: true });
    await writeFile(join(dir, "m", "pbmc3k", "matrix.mtx"), "");
    const env = { HDASH_HOME: join(dir, "home"), HDASH_SITE_DIR: join(dir, "m") };
    const ended = await hdash(["--source", "local", "--path", join(dir, "m")], env);
    expect(ended.code, ended.stderr).toBe(2);
    expect(ended.stderr).toMatch(
      /^hdash: HDASH_SITE_DIR: .*\/m is not empty and holds no site of hdash/m,
    );
    expect(await readdir(join(dir, "m"))).toEqual(["pbmc3k"]);
    expect(await readdir(join(dir, "home"))).not.toContain("database");
  });

  test("refuses a full disk with 2, before anything is done", async () => {
    const why = whyNoMount();
    if (why !== null) return void console.warn(why);
    const disk = mountSmall(dir, 3_000_000);
    try {
      const home = join(disk.path, "home");
      const demo = await hdash(["demo", "--site", join(dir, "site")], { HDASH_HOME: home });
      const runs = await hdash(["runs"], { HDASH_HOME: home });
      for (const ended of [demo, runs]) {
        expect(ended.code, ended.stderr).toBe(2);
        expect(ended.stderr).toMatch(
          /^hdash: HDASH_HOME: the disk of .* is full \(3\.\d* MB free, \d+\.?\d* MB needed\); free some space, or name a folder on another disk$/m,
        );
      }
      expect(await readdir(disk.path)).toEqual([]);
    } finally {
      disk.unmount();
    }
  });
});

describe("hdash doctor, of a machine alone", () => {
  test("speaks of folders where nothing else is configured", async () => {
    const file = join(dir, "file");
    await writeFile(file, "");
    const ended = await hdash(["doctor"], {
      ...{ HDASH_HOME: file, HDASH_SITE_DIR: file },
      ...{ MATRIX_SOURCE: "local", MATRIX_PATH: join(dir, "nowhere") },
    });
    expect(ended.code).toBe(1);
    expect(ended.stdout).toMatch(
      /BAD {3}Database .*HDASH_HOME: .*is a file; name a folder\n.*→ Check HDASH_HOME, and that the folder may be read and written\./,
    );
    expect(ended.stdout).toMatch(/BAD {3}Site .*HDASH_SITE_DIR: .*\n.*→ Check HDASH_SITE_DIR, and/);
    expect(ended.stdout).toMatch(/BAD {3}Matrices .*\(ENOENT\)/);
    for (const word of ["HDASH_DB", "S3_"]) expect(ended.stdout).not.toContain(word);
    await mkdir(join(dir, "nowhere"));
    await writeFile(join(dir, "nowhere", "notes.txt"), "");
    const there = await hdash(["doctor"], {
      MATRIX_SOURCE: "local",
      MATRIX_PATH: join(dir, "nowhere"),
      HDASH_HOME: file,
    });
    expect(there.stdout).toMatch(
      /note {2}Matrices .*lists 0 matrices; 1 that cannot be read\n.*→ notes\.txt is a text table, which is not read\. What is read: /,
    );
  });
});

describe("hdash --environ STAGE --source canned --blacklist true, with a profile", () => {
  const BUCKET = "dev.project-assets.data.humancellatlas.org";
  let s3: S3Server;

  beforeAll(async () => {
    s3 = await startS3({ buckets: [BUCKET] });
  });
  afterAll(() => s3.close());

  async function run(
    aws: string,
    env: Readonly<Record<string, string>>,
    args: readonly string[] = [],
  ) {
    await mkdir(join(dir, ".aws"));
    await writeFile(join(dir, ".aws", "credentials"), aws);
    s3.setObject(BUCKET, "blacklist", "4a95101c-9ffc-4f30-a809-f04518a23803\n");
    return hdash([...args, "--environ", "dev", "--source", "canned", "--blacklist", "True"], {
      ...{ HOME: dir, HDASH_HOME: join(dir, "home"), S3_ENDPOINT_URL: s3.url, ...env },
    });
  }

  /** The file that `aws configure --profile` writes. */
  const profile = (name: string): string =>
    `[default]\naws_access_key_id = nobody\naws_secret_access_key = nothing\n\n[${name}]\naws_access_key_id = ${s3.accessKeyId}\naws_secret_access_key = ${s3.secretAccessKey}\n`;

  test.each(["AWS_DEFAULT_PROFILE", "AWS_PROFILE"])(
    "takes the keys of the profile that %s names",
    async (name) => {
      const ended = await run(profile("my-profile"), { [name]: "my-profile" });
      // It has got as far as to see that the bucket is empty.
      expect(ended.stderr).toContain(`no matrix was found in s3://${BUCKET}/`);
      expect(ended.code).toBe(1);
    },
  );

  test("takes a profile from a file of variables", async () => {
    const file = join(dir, ".env");
    await writeFile(
      file,
      `AWS_PROFILE=mine\nAWS_SHARED_CREDENTIALS_FILE=${dir}/.aws/credentials\n`,
    );
    const ended = await run(profile("mine"), { HOME: "/nowhere" }, ["--env-file", file]);
    expect(ended.stderr).toContain(`no matrix was found in s3://${BUCKET}/`);
  });

  test("says how to hand over a profile that it cannot find", async () => {
    const env = { AWS_DEFAULT_PROFILE: "my-profile", AWS_EC2_METADATA_DISABLED: "true" };
    const ended = await run("", env);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain("Check that there is a profile my-profile (AWS_PROFILE) in");
    expect(ended.stderr).toContain('docker run --user "$(id -u)" -v ~/.aws:/tmp/.aws:ro');
  });
});
