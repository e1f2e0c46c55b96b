// The smaller commands as people use them: doctor, runs, init, reset, slack, and what happens on a wrong command line.

import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { JOBS } from "../../src/jobList.ts";
import { readConfig } from "../../src/settings/config.ts";
import { purposeOf } from "../../src/work/work.ts";
import { hdash, hdashUtil, start } from "../support/command.ts";
import { keepServices, type KeptServices, type Services } from "../support/services.ts";

let kept: KeptServices;
let services: Services;
let dir = "";

beforeAll(async () => {
  kept = await keepServices();
});

afterAll(() => kept.close());

/** Each test has services of its own, of which nothing was asked but to register the atlases. */
beforeEach(async () => {
  services = await kept.start();
  dir = join(services.world, "..");
});

/** The doctor's lines about one service, joined. */
function about(stdout: string, service: string): string {
  const lines = stdout.split("\n");
  return lines
    .filter(
      (line, index) =>
        line.includes(` ${service} `) ||
        (line.includes("→") && (lines[index - 1] ?? "").includes(` ${service} `)),
    )
    .join("\n");
}

describe("words of a service that are meant for a terminal", () => {
  test("reach none, whoever repeats them", async () => {
    const refusal = await readFile(
      join(import.meta.dirname, "../fixtures/cases/security/terminal-escapes/refusal.json"),
    );
    const synapse = createHttpServer((request, response) => {
      const isProfile = request.url === "/repo/v1/userProfile";
      response.writeHead(isProfile ? 200 : 400, { "content-type": "application/json" });
      response.end(isProfile ? JSON.stringify({ userName: "jdoe", ownerId: "1" }) : refusal);
    });
    await new Promise<void>((resolve) => synapse.listen(0, "127.0.0.1", resolve));
    const address = synapse.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const env = {
      ...services.env,
      SYNAPSE_ENDPOINT_URL: `http://127.0.0.1:${port}`,
      HDASH_LOG_FORMAT: "plain",
    };
    const said: string[] = [];
    for (const args of [["doctor"], ["run", "htan"], ["runs"]]) {
      const { stdout, stderr } = await hdash(args, env);
      said.push(stdout, stderr);
    }
    await new Promise((resolve) => synapse.close(resolve));
    const text = said.join("");
    // They are told, but for what would act on a terminal.
    expect(text.match(/\[31mred/g)?.length).toBeGreaterThanOrEqual(3);
    expect(text.replaceAll("\n", "")).not.toMatch(/\p{Cc}|[\u202a-\u202e\u2066-\u2069]/u);
  });
});

describe("hdash doctor", () => {
  test("sends no password to a server of another machine that has no TLS", async () => {
    const heard: Buffer[] = [];
    const server = createServer((socket) => {
      socket.on("data", (bytes) => {
        heard.push(bytes);
        // "No", as a server without TLS answers; one that means ill goes on to ask for the password.
        socket.write("N");
        socket.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]));
      });
      socket.on("error", () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const ended = await hdash(["doctor"], {
      ...services.env,
      ...{ HDASH_DB_HOST: "0.0.0.0", HDASH_DB_PORT: String(port) },
    });
    await new Promise((resolve) => server.close(resolve));
    expect(about(ended.stdout, "Database")).toMatch(
      /BAD .*SSL connection\n.*→ .*HDASH_DB_TLS=off sends everything in clear/,
    );
    expect(ended.code).toBe(1);
    // The request for TLS (length 8, code 80877103), and nothing after it.
    expect(Buffer.concat(heard).toString("hex")).toBe("0000000804d2162f");
  });

  test("finds everything well and changes nothing", async () => {
    const ended = await hdash(["doctor"], services.env);
    expect(ended.code, ended.stdout + ended.stderr).toBe(0);
    expect(about(ended.stdout, "Synapse")).toMatch(
      /took the token of jdoe[\s\S]*view syn20446927 is readable: \d+ files/,
    );
    expect(about(ended.stdout, "Database")).toMatch(
      /reachable and migrated, without TLS, on this machine$/m,
    );
    expect(about(ended.stdout, "Registry")).toContain("3 atlases registered");
    expect(about(ended.stdout, "Site")).toContain("s3://site can be written and cleaned");
    expect(about(ended.stdout, "Slack")).toContain("is well-formed");
    expect(services.s3.objects("site").size).toBe(0);
    expect(services.slack.messages).toEqual([]);
    for (const secret of ["token-1", services.s3.secretAccessKey, services.slack.url]) {
      expect(ended.stdout).not.toContain(secret);
    }
  });

  test.each([
    ["a token nobody knows", "Synapse", { SYNAPSE_PASSWORD: "nobodys" }, /BAD .*token/],
    [
      "no token",
      "Synapse",
      { SYNAPSE_PASSWORD: "" },
      /SYNAPSE_PASSWORD is not set\n.*personal access token/,
    ],
    [
      "another user's token",
      "Synapse",
      { SYNAPSE_USER: "somebody" },
      /belongs to jdoe, but SYNAPSE_USER is somebody\n.*Set SYNAPSE_USER/,
    ],
    ["a view that is not there", "Synapse", { SYNAPSE_MASTER_VIEW: "syn1" }, /BAD .*syn1\b/],
    ["a wrong database name", "Database", { HDASH_DB_NAME: "nowhere" }, /BAD .*nowhere/],
    [
      // Linux leads it to this machine, of which hdash does not know.
      "a database of another machine that is spoken to in clear",
      "Database",
      { HDASH_DB_HOST: "0.0.0.0", HDASH_DB_TLS: "off" },
      /note .*without TLS, since HDASH_DB_TLS is off\n.*→ .*password.*HDASH_DB_TLS=on/,
    ],
    ["a bucket that is not there", "Site", { S3_BUCKET_NAME: "other" }, /BAD .*other[\s\S]*→/],
    ["a wrong secret key", "Site", { S3_SECRET_ACCESS_KEY: "wrong" }, /BAD [\s\S]*→/],
    [
      "a website that does not answer",
      "Website",
      { S3_WEB_SITE_URL: "http://127.0.0.1:9/" },
      /BAD .*127\.0\.0\.1:9/,
    ],
    [
      "a work bucket without a namespace",
      "Artifacts",
      { HDASH_WORK_BUCKET: "site" },
      /note .*NAMESPACE is not: hdash's own views and lists are used/,
    ],
    [
      "a namespace without artifacts",
      "Artifacts",
      { HDASH_WORK_BUCKET: "site", NAMESPACE: "foo", HDASH_DB_SCHEMA: "" },
      /note .*foo\/artifacts can be read: there is nothing[\s\S]*→ `hdash artifacts upload`/,
    ],
    [
      "a work bucket that is not there",
      "Artifacts",
      { HDASH_WORK_BUCKET: "other", NAMESPACE: "foo", HDASH_DB_SCHEMA: "" },
      /BAD .*other[\s\S]*→ .*HDASH_WORK_BUCKET/,
    ],
    [
      "a webhook with a wrong path",
      "Slack",
      { SLACK_WEBHOOK_URL: "http://127.0.0.1/hook" },
      /not of the form[\s\S]*Copy the incoming webhook/,
    ],
  ])(
    "says what to do about %s, and ends with 1 where it is broken",
    async (_what, service, change, expected) => {
      const ended = await hdash(["doctor"], { ...services.env, ...change });
      expect(about(ended.stdout, service)).toMatch(expected);
      expect(ended.code).toBe(about(ended.stdout, service).includes("BAD") ? 1 : 0);
      expect(ended.stdout + ended.stderr).not.toContain("nobodys");
    },
  );
});

describe("hdash-util init", () => {
  async function list(text: string): Promise<string> {
    const path = join(dir, "list.csv");
    await writeFile(path, text);
    return path;
  }

  test("says what was added, changed, removed and left", async () => {
    const text = await readFile(join(services.world, "atlases.csv"), "utf8");
    const changed = `\uFEFF${text.replace(",Ada", ",Grace").replace(/^syn31101199.*$/m, 'syn9,HTA4,"A, <b>B</b>",')}`;
    const ended = await hdashUtil(["init", "--file", await list(changed)], services.env);
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stdout).toMatch(/added +HTA4\n/);
    expect(ended.stdout).toMatch(/changed +HTA2\n/);
    expect(ended.stdout).toMatch(/removed +HTA3\n/);
    expect(ended.stdout).toContain("1 added, 1 changed, 1 unchanged, 1 removed");
    const again = await hdashUtil(
      ["init", "--file", join(services.world, "atlases.csv")],
      services.env,
    );
    expect(again.stdout).toContain("1 added, 1 changed, 1 unchanged, 1 removed");
  });

  test("refuses a bad file, names every line that is wrong, and changes nothing", async () => {
    const path = await list(
      "id,atlas_id,name,liaison\n123,HTA1,One,\nsyn2,HTA0,Two,\nsyn3,HTA1,Three\n",
    );
    const ended = await hdashUtil(["init", "--file", path], services.env);
    expect(ended.code).toBe(2);
    for (const part of [path, "line 2", '"123"', "line 3", '"HTA0"', "line 4"]) {
      expect(ended.stderr).toContain(part);
    }
    const after = await hdashUtil(
      ["init", "--file", join(services.world, "atlases.csv")],
      services.env,
    );
    expect(after.stdout).toContain("0 added, 0 changed, 3 unchanged, 0 removed");
  });

  test("refuses a list whose letters it would get wrong", async () => {
    const path = join(dir, "latin1.csv");
    await writeFile(path, Buffer.from("id,atlas_id,name,liaison\nsyn2,HTA2,Caf\xe9,\n", "latin1"));
    const ended = await hdashUtil(["init", path], services.env);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain("latin1.csv cannot be read: it is not UTF-8; save it so");
  });

  test("refuses two lists at once", async () => {
    const ended = await hdashUtil(["init", "a.csv", "--file", "b.csv"], services.env);
    expect([ended.code, ended.stderr]).toEqual([
      2,
      "hdash-util: init is given two lists: a.csv and b.csv\n",
    ]);
  });

  test("refuses a file that is not there", async () => {
    const ended = await hdashUtil(["init", "--file", join(dir, "none.csv")], services.env);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain("none.csv cannot be read");
  });
});

describe("hdash-util slack", () => {
  test("sends a marked test message and prints the answer", async () => {
    const ended = await hdashUtil(["slack"], services.env);
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stdout).toBe("Slack answered: ok\n");
    expect(JSON.stringify(services.slack.messages.at(-1))).toMatch(/test message/i);
  });

  test("needs nothing but the webhook, and says what Slack refused", async () => {
    services.slack.setAnswer({ status: 410, body: "channel_is_archived" });
    const ended = await hdashUtil(["slack"], { SLACK_WEBHOOK_URL: services.slack.url });
    services.slack.setAnswer(null);
    expect(ended.code).toBe(1);
    expect(ended.stdout).toContain("channel_is_archived");
    const none = await hdashUtil(["slack"], {});
    expect(none.code).toBe(2);
    expect(none.stderr).toContain("SLACK_WEBHOOK_URL is not set");
  });
});

describe("hdash runs and hdash-util reset", () => {
  test("lists what was run, and forgets it only when told so twice", async () => {
    const empty = await hdash(["runs"], services.env);
    expect(empty.stdout).toContain("no runs yet");
    const ran = await hdash(["run", "htan", "--log-format", "json"], services.env);
    expect(ran.code, ran.stderr).toBe(0);
    const lines = ran.stderr
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.length).toBeGreaterThan(3);
    for (const line of lines) {
      expect(line["level"]).toBeDefined();
      expect(typeof line["msg"]).toBe("string");
    }

    const text = await hdash(["runs"], services.env);
    expect(text.stdout).toMatch(/htan +succeeded +\S.* 0 hits, \d+ ran, 0 failed/);
    const json = await hdash(["runs", "--json", "--limit", "1"], services.env);
    expect(JSON.parse(json.stdout)).toMatchObject({
      pipeline: "htan",
      status: "succeeded",
      hits: 0,
    });

    const asked = await hdashUtil(["reset"], services.env);
    expect(asked.code).toBe(2);
    expect(asked.stderr).toContain("--yes");
    expect((await hdash(["runs"], services.env)).stdout).toContain("succeeded");
    const reset = await hdashUtil(["reset", "--yes"], services.env);
    expect(reset.code, reset.stderr).toBe(0);
    expect(reset.stdout).toMatch(/run +1 row deleted/);
    expect(reset.stdout).toMatch(/\d+ blobs deleted/);
    expect((await hdash(["runs"], services.env)).stdout).toContain("no runs yet");
    expect(services.s3.objects("site").has("index.html")).toBe(true);
  });
});

describe("hdash on a wrong command line", () => {
  test.each([
    [["run", "nothing"], /there is no job "nothing"[\s\S]*There are: matrix, htan/],
    [["run", "htan", "--atlas", "3"], /3 is not an atlas id such as HTA3/],
    [["runs", "--limit", "0"], /whole number from 1/],
    [["--env-file", "/no/such/file", "doctor"], /\/no\/such\/file/],
    [["publish"], /there is no command "publish"[\s\S]*There are: run, plan, why, runs/],
    [["rnu"], /there is no command "rnu"[\s\S]*Did you mean run\?/],
    [["run", "--frobnicate"], /unknown option '--frobnicate'/],
    // A word too many may have been meant for an option: what is done without it may be the wrong thing.
    [["run", "htan", "HTA3"], /too many arguments/],
    [["doctor", "now"], /too many arguments/],
    [["artifacts", "remove", "foo", "--yes"], /too many arguments/],
    [["artifacts", "upload", "DIR"], /too many arguments/],
  ])("refuses %j with 2 and says what is wrong", async (args, expected) => {
    const ended = await hdash(args, {});
    expect(ended.code, ended.stderr).toBe(2);
    expect(ended.stderr).toMatch(expected);
  });

  test("teaches with --help", async () => {
    const ended = await hdash(["--help"]);
    expect(ended.code).toBe(0);
    for (const word of ["run", "runs", "doctor", "demo", "Examples:", "Exit codes:"]) {
      expect(ended.stdout).toContain(word);
    }
  });
});

describe("hdash on one folder twice", () => {
  test("tells a second process who holds the embedded database", async () => {
    const home = join(dir, "shared-home");
    await mkdir(home, { recursive: true });
    const { openDatabase } = await import("../../src/store/database.ts");
    const held = await openDatabase({ kind: "embedded", dir: join(home, "database") });
    const ended = await hdash(["runs"], { HDASH_HOME: home });
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain(String(process.pid));
    const env = {
      HDASH_HOME: home,
      SYNAPSE_PASSWORD: "token-1",
      SYNAPSE_ENDPOINT_URL: services.synapse.url,
    };
    // Whatever has the folder, it is not this run: nobody does what was asked for.
    const second = await hdash(["run", "htan"], env);
    expect(second.code, second.stderr).toBe(1);
    expect(second.stderr).toContain(`htan was not done: the folder ${home}/database is in use`);
    const waiting = start("src/main.ts", ["run", "htan", "--wait", "--atlas", "HTA1"], env);
    await held.close();
    // It goes on as soon as the folder is free: the registry of this home holds the real atlases, which this Synapse has not.
    expect((await waiting.ended).stderr).toMatch(/HTAN dashboard started/);
    expect((await hdash(["runs"], { HDASH_HOME: home })).code).toBe(0);

    // A second start of the same run is no failure: somebody is at it, or about to be.
    const config = readConfig(env, [], JOBS, ["htan"]);
    const htan = JOBS.find(({ name }) => name === "htan");
    if (htan === undefined) throw new Error("no such job");
    const purposes = ["matrix's", purposeOf(config, htan, null)];
    const busy = await openDatabase({ kind: "embedded", dir: join(home, "database"), purposes });
    const same = await hdash(["run", "htan"], env);
    expect(same.code, same.stderr).toBe(0);
    expect(same.stderr).toContain(`htan was not started: the folder ${home}/database is in use`);
    expect((await hdash(["run", "htan", "--atlas", "HTA1"], env)).code).toBe(1);
    await busy.close();
  });

  test("says which folder cannot be written", async () => {
    const file = join(dir, "not-a-folder");
    await writeFile(file, "");
    await chmod(file, 0o444);
    const ended = await hdash(["runs"], { HDASH_HOME: file });
    expect(ended.code).not.toBe(0);
    expect(ended.stderr).toContain("not-a-folder");
    const below = await hdash(["runs"], { HDASH_HOME: join(file, "below") });
    expect(below.code).toBe(2);
    expect(below.stderr).toMatch(
      /^hdash: HDASH_HOME: .*below cannot be made: .*not-a-folder is a file/,
    );
    await rm(file);
  });
});
