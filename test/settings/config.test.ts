import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { HdashError } from "../../src/error.ts";
import { JOBS } from "../../src/jobList.ts";
import { SETTINGS as HTAN } from "../../src/jobs/htan/settings.ts";
import { SETTINGS as MATRIX } from "../../src/jobs/matrix/settings.ts";
import {
  type Environment,
  type Need,
  readConfig as read,
  readLogConfig,
  variablesOf,
} from "../../src/settings/config.ts";
import { SPECS } from "../../src/settings/rules.ts";

const VARIABLES = variablesOf(JOBS);
const htan = { name: "htan", settings: HTAN };
const matrix = { name: "matrix", settings: MATRIX };

/** Reads with every job there; a job's name among the needs has it asked for. */
function readConfig(env: Environment, needs: readonly (Need | "htan" | "matrix")[]) {
  const isJob = (need: string) => need === "htan" || need === "matrix";
  return read(
    env,
    needs.filter((need): need is Need => !isJob(need)),
    JOBS,
    needs.filter(isJob),
  );
}

const TWELVE = {
  SYNAPSE_USER: "jdoe",
  SYNAPSE_PASSWORD: "token-abc",
  HDASH_DB_HOST: "db.example.org",
  HDASH_DB_USER: "hdash",
  HDASH_DB_PASSWORD: "pa ss",
  HDASH_DB_NAME: "hdash",
  S3_ACCESS_KEY_ID: "AKIA1",
  S3_SECRET_ACCESS_KEY: "secret/key",
  S3_ENDPOINT_URL: "http://127.0.0.1:9000",
  S3_BUCKET_NAME: "site",
  S3_WEB_SITE_URL: "https://dash.example.org",
  SLACK_WEBHOOK_URL: "https://hooks.slack.com/services/T/B/X",
};

function problemsOf(
  env: Record<string, string>,
  needs: Parameters<typeof readConfig>[1] = [],
): string {
  try {
    readConfig(env, needs);
  } catch (error) {
    if (error instanceof HdashError && error.kind === "config") return error.message;
    throw error;
  }
  return "";
}

describe("readConfig(env, needs)", () => {
  test("takes the twelve variables and fills in the rest", () => {
    const config = readConfig(TWELVE, ["htan", "database", "site", "slack"]);
    expect(config.of(htan)).toEqual({
      endpoint: "https://repo-prod.prod.sagebase.org",
      user: "jdoe",
      token: "token-abc",
      masterView: "syn20446927",
    });
    expect(config.given).toEqual(["htan"]);
    expect(config.database).toEqual({
      kind: "postgres",
      host: "db.example.org",
      port: 5432,
      user: "hdash",
      password: "pa ss",
      rolePassword: null,
      name: "hdash",
      schema: "hdash",
      // Nobody said "off", so nothing goes to another machine in clear.
      tls: { ca: null, rejectUnauthorized: true },
    });
    expect(config.site).toEqual({
      kind: "s3",
      bucket: "site",
      prefix: "",
      endpoint: "http://127.0.0.1:9000",
      region: "us-east-1",
      credentials: { accessKeyId: "AKIA1", secretAccessKey: "secret/key" },
    });
    expect(config.siteUrl).toBe("https://dash.example.org");
    expect([...config.secrets].sort()).toEqual(
      ["token-abc", "pa ss", "AKIA1", "secret/key", TWELVE.SLACK_WEBHOOK_URL].sort(),
    );
  });

  test("falls back to an embedded database, a folder and the log when nothing is set", () => {
    const config = readConfig({ HDASH_HOME: "/h" }, ["database", "site"]);
    expect(config.database).toEqual({ kind: "embedded", dir: "/h/database" });
    expect(config.site).toEqual({ kind: "folder", dir: "/h/site" });
    expect(config.siteUrl).toBe("file:///h/site/index.html");
    expect(config.slack.webhookUrl).toBeNull();
  });

  test("puts a namespace's deployment in its own places", () => {
    const env = { ...TWELVE, NAMESPACE: "foo-bar" };
    const config = readConfig(env, ["htan", "database", "site"]);
    expect(config.database).toMatchObject({ schema: "hdash_foo_bar" });
    expect(config.site).toMatchObject({ prefix: "foo-bar" });
    expect(config.slack.label).toBe("foo-bar");
    const own = { HDASH_DB_SCHEMA: "hdash_foo_bar", S3_PREFIX: "foo-bar/", HDASH_LABEL: "try" };
    const said = readConfig({ ...env, ...own }, ["htan", "database", "site"]);
    expect([said.site, said.slack.label]).toEqual([config.site, "try"]);
  });

  test("refuses another namespace's places", () => {
    const message = problemsOf(
      { ...TWELVE, NAMESPACE: "foo", HDASH_DB_SCHEMA: "hdash_main", S3_PREFIX: "main" },
      [],
    );
    expect(message).toContain(
      'HDASH_DB_SCHEMA is "hdash_main", but the namespace foo has hdash_foo',
    );
    expect(message).toContain('S3_PREFIX is "main", but the namespace foo has foo');
  });

  test("reads an empty value as not set", () => {
    const config = readConfig({ HDASH_DB_HOST: "", S3_BUCKET_NAME: "  ", HDASH_DB_PORT: "" }, []);
    expect(config.database.kind).toBe("embedded");
    expect(config.site.kind).toBe("folder");
  });

  test("uses the SDK's default chain when there is a bucket but no static key", () => {
    const config = readConfig({ S3_BUCKET_NAME: "site" }, ["site"]);
    expect(config.site).toMatchObject({ kind: "s3", credentials: null, endpoint: null });
  });

  test("reports every problem at once, each with the variable, what is wrong and an example", () => {
    const message = problemsOf(
      {
        HDASH_DB_HOST: "postgres://db",
        HDASH_DB_PORT: "70000",
        S3_ENDPOINT_URL: "minio:9000",
        S3_BUCKET_NAME: "s3://site",
        HDASH_LOG_FORMAT: "xml",
        HDASH_CONCURRENCY: "0",
        SYNAPSE_MASTER_VIEW: "20446927",
      },
      ["htan"],
    );
    const lines = message
      .split("\n")
      .slice(1)
      .map((line) => line.trim());
    expect(lines.map((line) => line.split(" ")[0]).sort()).toEqual([
      "HDASH_CONCURRENCY",
      "HDASH_DB_HOST",
      "HDASH_DB_PORT",
      "HDASH_LOG_FORMAT",
      "S3_BUCKET_NAME",
      "S3_ENDPOINT_URL",
      "SYNAPSE_MASTER_VIEW",
      "SYNAPSE_PASSWORD",
    ]);
    for (const line of lines) expect(line).toMatch(/; for example [A-Z_0-9]+=\S/);
    expect(message).toContain(
      'HDASH_DB_PORT is "70000": it must be a whole number from 1 to 65535',
    );
  });

  test.each([
    [{ HDASH_DB_NAME: "hdash" }, "HDASH_DB_HOST is not set, but HDASH_DB_NAME is"],
    [{ S3_ENDPOINT_URL: "https://s3" }, "S3_BUCKET_NAME is not set, but S3_ENDPOINT_URL is"],
    [{ HDASH_DB_HOST: "db" }, "HDASH_DB_USER is not set, but HDASH_DB_HOST is"],
    [
      { S3_BUCKET_NAME: "site", S3_ACCESS_KEY_ID: "A" },
      "S3_SECRET_ACCESS_KEY is not set, but S3_ACCESS_KEY_ID is",
    ],
    [{ S3_BUCKET_NAME: "site", HDASH_SITE_DIR: "x" }, "the site goes to one place"],
    [{ S3_BUCKET_NAME: "site", S3_PREFIX: "/a" }, 'S3_PREFIX is "/a"'],
    [{ S3_BUCKET_NAME: "site", S3_PREFIX: "a/../b" }, "without a leading slash, '..' or '//'"],
    [{ HDASH_DB_HOST: "db", HDASH_DB_CA_FILE: "/no/such.pem" }, "HDASH_DB_CA_FILE cannot be read"],
  ])("refuses %j", (env, expected) => {
    expect(problemsOf(env)).toContain(expected);
  });

  const OWN = ["S3_ENDPOINT_URL", "SLACK_WEBHOOK_URL", "SYNAPSE_ENDPOINT_URL"];
  test.each(OWN)("refuses to send credentials to %s in clear, unless told so", (name) => {
    const env = (url: string) => ({ [name]: url, S3_BUCKET_NAME: "site" });
    const clear = env("http://service.example.org/secret-path");
    expect(problemsOf(clear)).toContain(
      `${name} begins with http://, so that credentials would go to another machine in clear: use https://, or set HDASH_ALLOW_HTTP=1`,
    );
    expect(problemsOf(clear)).not.toContain("secret-path");
    expect(problemsOf({ ...clear, HDASH_ALLOW_HTTP: "1" })).toBe("");
    for (const url of [
      "http://127.0.0.1:9000",
      "http://localhost",
      "https://service.example.org",
    ]) {
      expect(problemsOf(env(url)), url).toBe("");
    }
  });

  test("reads the authority's certificate and then demands encryption", () => {
    const dir = mkdtempSync(join(tmpdir(), "hdash-config-"));
    const good = join(dir, "ca.pem");
    const bad = join(dir, "bad.pem");
    writeFileSync(good, "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n");
    writeFileSync(bad, "hello");
    const env = { ...TWELVE, HDASH_DB_CA_FILE: good };
    expect(readConfig(env, []).database).toMatchObject({
      tls: { ca: readFileSync(good, "utf8"), rejectUnauthorized: true },
    });
    expect(problemsOf({ ...TWELVE, HDASH_DB_CA_FILE: bad })).toContain("holds no PEM certificate");
    expect(problemsOf({ ...env, HDASH_DB_TLS: "off" })).toContain("use one or the other");
  });

  test.each(["127.0.0.1", "::1", "localhost", "/var/run/postgresql"])(
    "sends what stays on this machine (%s) in clear, unless told otherwise",
    (host) => {
      const env = { ...TWELVE, HDASH_DB_HOST: host };
      expect(readConfig(env, []).database).toMatchObject({ tls: null });
      const on = readConfig({ ...env, HDASH_DB_TLS: "on" }, []).database;
      expect(on).toMatchObject({ tls: { ca: null, rejectUnauthorized: true } });
    },
  );

  test("sends nothing to another machine in clear unless somebody says off", () => {
    const tlsOf = (env: Readonly<Record<string, string>>) => {
      const { database } = readConfig({ ...TWELVE, ...env }, []);
      return database.kind === "postgres" && database.tls !== null;
    };
    expect(tlsOf({})).toBe(true);
    expect(tlsOf({ HDASH_DB_HOST: "10.0.0.5" })).toBe(true);
    expect(tlsOf({ HDASH_DB_TLS: "" })).toBe(true);
    expect(tlsOf({ HDASH_DB_TLS: "off" })).toBe(false);
  });

  test("never repeats a secret that is malformed", () => {
    const message = problemsOf({
      SYNAPSE_PASSWORD: "hunter two",
      SLACK_WEBHOOK_URL: "hooks.slack.com/services/T/B/hunter",
      S3_SECRET_ACCESS_KEY: "hunter three",
    });
    expect(message).not.toContain("hunter");
    expect(message).toContain("SYNAPSE_PASSWORD must be a token without spaces");
    expect(message).toContain("SLACK_WEBHOOK_URL must be a http:// or https:// address");
  });

  test("keeps secrets as they are used, without the line break that a secret store adds", () => {
    const config = readConfig({ SYNAPSE_PASSWORD: "token-abc\n" }, ["htan"]);
    expect(config.of(htan)?.token).toBe("token-abc");
    expect(config.secrets).toEqual(["token-abc"]);
  });

  test("takes the bucket's region from AWS where nothing else is said", () => {
    const bucket = { S3_BUCKET_NAME: "site" };
    expect(readConfig({ ...bucket, AWS_REGION: "eu-west-1" }, []).site).toMatchObject({
      region: "eu-west-1",
    });
    expect(
      readConfig({ ...bucket, AWS_REGION: "eu-west-1", S3_REGION: "us-west-2" }, []).site,
    ).toMatchObject({
      region: "us-west-2",
    });
    expect(readConfig(bucket, []).site).toMatchObject({ region: "us-east-1" });
  });

  test("says one problem in one line, by the flag where one stood for the variable", () => {
    expect(problemsOf({ HDASH_DB_PORT: "x" })).toBe(
      'HDASH_DB_PORT is "x": it must be a whole number from 1 to 65535; for example HDASH_DB_PORT=5432',
    );
    const env = { MATRIX_SOURCE: "local", MATRIX_PATH: "/no/such" };
    const flags = { MATRIX_PATH: "--path" };
    expect(() => read(env, [], JOBS, ["matrix"], flags)).toThrow(
      '--path (MATRIX_PATH) is "/no/such": there is no such folder, or it may not be looked into; for example --path ./matrices',
    );
    // What is not going to be read may be missing.
    expect(problemsOf(env)).toBe("");
    expect(problemsOf({ ...env, MATRIX_PATH: "/dev/null" }, ["matrix"])).toContain(
      'MATRIX_PATH is "/dev/null", which is neither a folder nor a file',
    );
  });

  test("takes a profile by either of AWS's names, and the region that goes with them", () => {
    const s3Of = (env: Record<string, string>) => readConfig(env, []).s3;
    expect(s3Of({ AWS_PROFILE: "a", AWS_DEFAULT_PROFILE: "b" }).profile).toBe("a");
    expect(s3Of({ AWS_DEFAULT_PROFILE: "b", AWS_DEFAULT_REGION: "eu-west-1" })).toMatchObject({
      profile: "b",
      region: "eu-west-1",
    });
    expect(s3Of({})).not.toHaveProperty("profile");
    const keys = { S3_BUCKET_NAME: "site", S3_ACCESS_KEY_ID: "A", S3_SECRET_ACCESS_KEY: "B" };
    expect(s3Of({ ...keys, AWS_PROFILE: "a" })).not.toHaveProperty("profile");
  });

  test.each([
    ["s3://site", "without s3:// or a path"],
    ["site/folder", "without s3:// or a path"],
    ["ab", "of 3 to 63 characters, and has 2"],
    ["a".repeat(64), "of 3 to 63 characters, and has 64"],
    ["My-Site", "in small letters only"],
    ["my_site", "of small letters, digits, . and - only"],
    ["-site", "begins and ends with a letter or a digit"],
    ["site.", "begins and ends with a letter or a digit"],
    ["my..site", "no two dots together"],
    ["192.168.5.4", "not an IP address"],
  ])("refuses the bucket %s by S3's rules", (bucket, says) => {
    const problem = problemsOf({ S3_BUCKET_NAME: bucket });
    expect(problem).toContain(`S3_BUCKET_NAME is ${JSON.stringify(bucket)}`);
    expect(problem).toContain(says);
    for (const name of ["HDASH_WORK_BUCKET", "MATRIX_SOURCE_BUCKET", "MATRIX_TARGET_BUCKET"]) {
      expect(problemsOf({ [name]: bucket })).toContain(says);
    }
  });

  test("takes the buckets that S3 takes", () => {
    for (const name of ["abc", "0.project-assets.data", "a".repeat(63), "192.168.5.4.x"]) {
      expect(problemsOf({ S3_BUCKET_NAME: name })).toBe("");
    }
  });

  test("needs only what the command uses", () => {
    expect(problemsOf({}, ["slack"])).toContain(
      "SLACK_WEBHOOK_URL is not set, but a message has to be posted",
    );
    expect(problemsOf({ SLACK_WEBHOOK_URL: TWELVE.SLACK_WEBHOOK_URL }, ["slack"])).toBe("");
  });
});

describe("readConfig(env, needs), namespaces", () => {
  test("takes the namespace and the work bucket, and has none of its own accord", () => {
    const { namespace, workBucket } = readConfig(
      { NAMESPACE: " foo-bar ", HDASH_WORK_BUCKET: "hdash-work" },
      ["artifacts"],
    );
    expect([namespace, workBucket]).toEqual(["foo-bar", "hdash-work"]);
    expect(readConfig({}, [])).toMatchObject({ namespace: null, workBucket: null });
  });

  test("says what is wrong with them", () => {
    const message = problemsOf({ NAMESPACE: "foo/bar", HDASH_WORK_BUCKET: "s3://work/" });
    expect(message).toContain('NAMESPACE "foo/bar" cannot be a namespace: small letters');
    expect(message).toContain("HDASH_WORK_BUCKET is");
    expect(problemsOf({}, ["artifacts"])).toContain(
      "HDASH_WORK_BUCKET is not set, but artifacts are kept in it; for example HDASH_WORK_BUCKET=hdash-work",
    );
  });

  test("lets keys and an endpoint be for the work bucket alone", () => {
    const keys = {
      S3_ACCESS_KEY_ID: "A",
      S3_SECRET_ACCESS_KEY: "B",
      S3_ENDPOINT_URL: "https://s3",
    };
    expect(readConfig({ ...keys, HDASH_WORK_BUCKET: "work" }, ["artifacts"]).site.kind).toBe(
      "folder",
    );
    expect(problemsOf(keys)).toContain("S3_BUCKET_NAME is not set");
  });

  test("wants the site's bucket as well where something is published", () => {
    const work = { HDASH_WORK_BUCKET: "work", S3_ENDPOINT_URL: "https://s3" };
    expect(problemsOf(work, ["site"])).toContain(
      "S3_BUCKET_NAME is not set, but S3_ENDPOINT_URL is",
    );
    expect(problemsOf({ HDASH_WORK_BUCKET: "work" }, ["site"])).toBe("");
  });
});

describe("readLogConfig(env, JOBS)", () => {
  test("reads what is right of it, whatever else is wrong", () => {
    expect(
      readLogConfig(
        {
          HDASH_LOG_LEVEL: "loud",
          HDASH_LOG_FORMAT: "json",
          HDASH_DB_PORT: "x",
          SYNAPSE_PASSWORD: "token-abc\n",
        },
        JOBS,
      ),
    ).toEqual({ log: { level: "info", format: "json" }, secrets: ["token-abc"] });
    expect(readLogConfig({ HDASH_LOG_FORMAT: "yaml", HDASH_LOG_LEVEL: "error" }, JOBS)).toEqual({
      log: { level: "error", format: "auto" },
      secrets: [],
    });
  });
});

describe("readConfig(env, needs), matrices", () => {
  const matrixOf = (env: Record<string, string>) => readConfig(env, ["matrix"]).of(matrix);

  test("has none where no source is named, and says so to whom needs one", () => {
    expect(readConfig({}, []).of(matrix)).toBeNull();
    expect(problemsOf({}, ["matrix"])).toContain(
      "MATRIX_SOURCE is not set, but matrices have to be read",
    );
  });

  test("takes a stage's services and buckets, none in the name for prod", () => {
    expect(matrixOf({ MATRIX_SOURCE: "fresh", MATRIX_SOURCE_STAGE: "dev" })).toMatchObject({
      source: { kind: "fresh", service: "azul", pollMs: 30_000, catalog: null },
      targetBucket: null,
    });
    const endpointOf = (env: Record<string, string>) => {
      const source = matrixOf({ MATRIX_SOURCE: "fresh", ...env })?.source;
      return source?.kind === "fresh" ? source.endpoint : null;
    };
    expect([
      endpointOf({}),
      endpointOf({ MATRIX_SOURCE_STAGE: "dev" }),
      endpointOf({ MATRIX_SERVICE: "hca" }),
      endpointOf({ MATRIX_SERVICE: "hca", MATRIX_SOURCE_STAGE: "staging" }),
      endpointOf({ MATRIX_SERVICE: "azul-v0", MATRIX_SOURCE_STAGE: "integration" }),
      endpointOf({ MATRIX_ENDPOINT_URL: "http://127.0.0.1:1/" }),
    ]).toEqual([
      "https://service.azul.data.humancellatlas.org",
      "https://service.dev.azul.data.humancellatlas.org",
      "https://matrix.data.humancellatlas.org/v1",
      "https://matrix.staging.data.humancellatlas.org/v1",
      "https://service.integration.explore.data.humancellatlas.org",
      "http://127.0.0.1:1",
    ]);
    expect(matrixOf({ MATRIX_SOURCE: "canned" })?.source).toEqual({
      kind: "canned",
      bucket: "project-assets.data.humancellatlas.org",
    });
    expect(
      matrixOf({
        MATRIX_SOURCE: "canned",
        MATRIX_SOURCE_STAGE: "ux-dev",
        MATRIX_TARGET_STAGE: "dev",
      }),
    ).toMatchObject({
      source: { bucket: "ux-dev.project-assets.data.humancellatlas.org" },
      targetBucket: "dev.project-assets.data.humancellatlas.org",
    });
    expect(
      matrixOf({
        MATRIX_SOURCE: "canned",
        MATRIX_SOURCE_BUCKET: "source",
        MATRIX_TARGET_BUCKET: "target",
        MATRIX_TARGET_STAGE: "dev",
      }),
    ).toMatchObject({ source: { bucket: "source" }, targetBucket: "target" });
  });

  test("reads choices, switches, sizes and the atlases of projects", () => {
    expect(
      matrixOf({
        MATRIX_SOURCE: "local",
        MATRIX_PATH: "/tmp",
        MATRIX_BLACKLIST: "true",
        MATRIX_FORCE: "1",
        MATRIX_PUBLIC_READ: "yes",
        MATRIX_TARGET_UUIDS: "b, a,b",
        MATRIX_DISK_MB: "500",
        MATRIX_ATLASES: "HTA3=uuid-1, HTA12=uuid-2, HTA201=pbmc3k",
      }),
    ).toEqual({
      source: { kind: "local", dir: "/tmp" },
      sourceBucket: "project-assets.data.humancellatlas.org",
      targetBucket: null,
      isPublicRead: true,
      useBlacklist: true,
      targets: ["a", "b"],
      isForced: true,
      diskBytes: 500_000_000,
      atlases: { "uuid-1": "HTA3", "uuid-2": "HTA12", pbmc3k: "HTA201" },
    });
  });

  test("reports what is wrong by variable and value", () => {
    const said = problemsOf({
      MATRIX_SOURCE: "elsewhere",
      MATRIX_SOURCE_STAGE: "production",
      MATRIX_BLACKLIST: "maybe",
      MATRIX_TARGET_UUIDS: "../x",
      MATRIX_DISK_MB: "lots",
      MATRIX_TARGET_BUCKET: "s3://x/y",
    });
    for (const part of [
      'MATRIX_SOURCE is "elsewhere": it must be one of fresh, canned, local, cellxgene',
      'MATRIX_SOURCE_STAGE is "production"',
      'MATRIX_BLACKLIST is "maybe"',
      'MATRIX_TARGET_UUIDS is "../x"',
      'MATRIX_DISK_MB is "lots"',
      'MATRIX_TARGET_BUCKET is "s3://x/y"',
    ]) {
      expect(said).toContain(part);
    }
    expect(problemsOf({ MATRIX_SOURCE: "local" })).toContain("MATRIX_PATH is not set");
    const uuid = "4a95101c-9ffc-4f30-a809-f04518a23803";
    for (const source of ["fresh", "canned", "cellxgene"]) {
      const wrong = { MATRIX_SOURCE: source, MATRIX_TARGET_UUIDS: `${uuid},notauuid` };
      expect(problemsOf(wrong)).toContain(
        'MATRIX_TARGET_UUIDS has "notauuid", which is no <uuid>[.<species>]',
      );
      const right = `${uuid},${uuid.toUpperCase()}.homo_sapiens`;
      expect(problemsOf({ MATRIX_SOURCE: source, MATRIX_TARGET_UUIDS: right })).toBe("");
    }
    expect(problemsOf({ MATRIX_SOURCE: "fresh", MATRIX_ATLASES: "HTA3:x" })).toContain("HTA3:x");
    expect(problemsOf({ MATRIX_SOURCE: "fresh", MATRIX_ATLASES: "HTA3=a b" })).toContain('"b"');
  });

  test("takes names in a folder as people write them, and ids separated by blanks", () => {
    const uuid = "4a95101c-9ffc-4f30-a809-f04518a23803";
    const given = { MATRIX_SOURCE: "local", MATRIX_PATH: "/tmp" };
    expect(
      matrixOf({
        ...given,
        MATRIX_TARGET_UUIDS: ` Köln two,日本語 , ${uuid} ${uuid}.homo_sapiens`,
        MATRIX_ATLASES: "HTA3=Köln two, HTA4=x HTA5=10k PBMC (v3)",
      }),
    ).toMatchObject({
      targets: [uuid, `${uuid}.homo_sapiens`, "Köln two", "日本語"],
      atlases: { "Köln two": "HTA3", x: "HTA4", "10k PBMC (v3)": "HTA5" },
    });
  });

  test("lets buckets be reached without a site bucket where matrices use some", () => {
    const keys = { S3_ACCESS_KEY_ID: "AKIA1", S3_SECRET_ACCESS_KEY: "s" };
    expect(problemsOf(keys)).toContain("S3_BUCKET_NAME is not set");
    const config = readConfig({ ...keys, MATRIX_SOURCE: "canned" }, []);
    expect(config.site.kind).toBe("folder");
    expect(config.s3.credentials?.accessKeyId).toBe("AKIA1");
  });
});

describe("VARIABLES", () => {
  test("names every variable that readConfig reads, once", () => {
    const names = VARIABLES.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const rules = [SPECS, ...JOBS.map(({ settings }) => settings.rules)].flatMap((one) =>
      Object.entries(one),
    );
    // What several jobs share has one rule.
    expect(new Set(rules.map(([, rule]) => rule)).size).toBe(names.length);
    expect([...names].sort()).toEqual([...new Set(rules.map(([name]) => name))].sort());
  });
});
