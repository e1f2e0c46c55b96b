// The matrix job as it is deployed: local folders, an Azul over HTTP, canned objects on a strict S3; Postgres; Slack.

import {
  copyFile,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type AzulServer, startAzul } from "../../../src/jobs/matrix/demo/azulServer.ts";
import { demoMatrices, type DemoProject } from "../../../src/jobs/matrix/demo/matrixWorld.ts";
import { FIGURE_NAMES } from "../../../src/jobs/matrix/figures/figure.ts";
import { type SlackServer, startSlack } from "../../../src/lookalikes/slackServer.ts";
import { type Ended, hdash, start } from "../../support/command.ts";
import { createTestDatabase, databaseEnv, type TestDatabase } from "../../support/postgres.ts";
import { type S3Server, startS3 } from "../../support/s3Server.ts";
import { type Services, startServices } from "../../support/services.ts";
import { makeManyProjects, type ManyProjects } from "./support/manyProjects.ts";

const FIXTURE = join(import.meta.dirname, "../../fixtures/matrix");
const TENX = join(FIXTURE, "tenx");
const STATS = "project-assets/project-stats";
/** A project that no source has. */
const ABSENT = "deadbeef-0000-4000-8000-000000000000";

let dir = "";

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-matrix-"));
});

afterAll(() => rm(dir, { recursive: true, force: true }));

/** A ledger, a home and a Slack for the tests of one describe(): what others have done before them is none of theirs. */
function useLedger(name: string) {
  let slack: SlackServer;
  let database: TestDatabase;
  beforeAll(async () => {
    slack = await startSlack();
    database = await createTestDatabase();
  });
  afterAll(async () => {
    await slack.close();
    await database.drop();
  });
  return {
    env: (): Readonly<Record<string, string>> => ({
      ...databaseEnv(database.settings),
      SLACK_WEBHOOK_URL: slack.url,
      HDASH_HOME: join(dir, `${name}-home`),
    }),
    lastMessage: (): string => JSON.stringify(slack.messages.at(-1)),
    /** What the last run put. */
    async lastPut(): Promise<readonly string[]> {
      const { rows } = await sql<{ paths: readonly string[] }>`
        select outcome -> 'published' -> 'putPaths' as paths from run order by id desc limit 1`.execute(
        database.database.db,
      );
      return rows[0]?.paths ?? [];
    },
  };
}

async function filesBelow(root: string): Promise<readonly string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
}

describe("hdash run matrix --source local --path DIR, over 15 projects of which 3 are bad", () => {
  const ledger = useLedger("many");
  let path = "";
  let site = "";
  let env: Readonly<Record<string, string>>;
  let many: ManyProjects;
  let first: { readonly ended: Ended; readonly message: string; readonly left: readonly string[] };

  function run(...flags: readonly string[]): Promise<Ended> {
    return hdash(["run", "matrix", "--source", "local", "--path", path, ...flags], env);
  }

  beforeAll(async () => {
    path = join(dir, "many");
    await mkdir(path);
    // More than are analysed at a time, drawn at a time and written at a time, all together.
    many = await makeManyProjects(path, { count: 15, bad: 3 });
    site = join(dir, "many-site");
    env = { ...ledger.env(), HDASH_SITE_DIR: site };
    const ended = await run();
    const left = await filesBelow(join(dir, "many-home", "scratch")).catch(() => []);
    first = { ended, message: ledger.lastMessage(), left };
  });

  test("publishes 12, names the 3 with their reasons, and ends with 3", async () => {
    expect(first.ended.code, first.ended.stderr).toBe(3);
    expect([many.ids.length, many.badIds.length]).toEqual([15, 3]);
    const good = many.ids.filter((id) => !many.badIds.includes(id)).sort();
    const pages = (await readdir(join(site, "matrices")))
      .filter((name) => /\.html$/.test(name) && name !== "index.html")
      .map((name) => name.slice(0, -".html".length))
      .sort();
    expect(pages).toEqual(good);
    expect((await readdir(join(site, STATS))).sort()).toEqual(good);
    const index = await readFile(join(site, "matrices", "index.html"), "utf8");
    for (const id of many.badIds) {
      expect(index).toContain(id);
      expect(first.message).toContain(id);
    }
    expect(first.message).toContain("3 of 15 matrices could not be updated");
  });

  test("leaves nothing on disk of what it has downloaded or spooled", () => {
    expect(first.left).toEqual(expect.not.arrayContaining([expect.stringMatching(/step-\d+/)]));
  });

  test("does nothing again when nothing moved, and still names the 3", async () => {
    // Whatever was asked for before: from here on nothing moves.
    await run();
    const again = await run();
    expect(again.code, again.stderr).toBe(3);
    const runs = await hdash(["runs", "--limit", "1", "--json"], env);
    const record = JSON.parse(runs.stdout) as { ran: number };
    // The index alone is made anew: its data say when to the millisecond, its page to the minute, which may be the same as before.
    expect(record.ran).toBe(1);
    const put = await ledger.lastPut();
    expect(put.filter((path) => path !== "matrices/index.html")).toEqual([
      "matrices/data/index.json",
    ]);
  });

  test("with --targets leaves what is said of the others as it is, good and bad", async () => {
    const good = many.ids.find((id) => !many.badIds.includes(id)) ?? "";
    const ended = await run("--targets", good);
    expect(ended.code, ended.stderr).toBe(0);
    const index = await readFile(join(site, "matrices", "index.html"), "utf8");
    for (const id of many.ids) expect(index).toContain(id);
    const data = JSON.parse(
      await readFile(join(site, "matrices", "data", "index.json"), "utf8"),
    ) as { matrices: readonly { id: string; failure: string | null }[] };
    const failed = data.matrices.filter(({ failure }) => failure !== null).map(({ id }) => id);
    expect(failed.sort()).toEqual([...many.badIds].sort());
    expect(index).not.toContain("not among the matrices asked for");
  });

  test("says that what is asked for is not there, and ends with 3", async () => {
    const ended = await run("--targets", ABSENT);
    expect(ended.code, ended.stderr).toBe(3);
    expect(ledger.lastMessage()).toContain(`${ABSENT} was asked for`);
  });
});

describe("hdash run matrix --source fresh, against Azul", () => {
  const ledger = useLedger("fresh");
  let projects: readonly DemoProject[];
  let azul: AzulServer;
  let env: Readonly<Record<string, string>>;
  let site = "";
  let first: { readonly ended: Ended; readonly message: string };

  beforeAll(async () => {
    projects = (await demoMatrices(join(dir, "demo"))).filter((one) => !one.isBlacklisted);
    azul = await startAzul({ projects, catalog: "dcp1" });
    site = join(dir, "fresh-site");
    env = {
      ...ledger.env(),
      HDASH_SITE_DIR: site,
      MATRIX_SOURCE: "fresh",
      MATRIX_ENDPOINT_URL: azul.url,
      MATRIX_CATALOG: "dcp1",
    };
    const ended = await hdash(["run", "matrix"], env);
    first = { ended, message: ledger.lastMessage() };
  });
  afterAll(() => azul.close());

  test("publishes the eight figures of every approach as PNG, SVG and specification, and ends with 0", async () => {
    expect(first.ended.code, first.ended.stderr).toBe(0);
    const data = JSON.parse(
      await readFile(join(site, "matrices", "data", "index.json"), "utf8"),
    ) as { matrices: readonly { id: string }[] };
    expect(data.matrices.length).toBeGreaterThanOrEqual(3);
    for (const { id } of data.matrices) {
      for (const approach of await readdir(join(site, STATS, id))) {
        const names = await readdir(join(site, STATS, id, approach));
        for (const figure of FIGURE_NAMES) {
          for (const suffix of [".png", "@2x.png", "-thumb.png", ".svg", ".vl.json"]) {
            expect(names).toContain(`${figure}${suffix}`);
          }
        }
      }
    }
    expect(first.message).toContain("first update");
  });

  test("lists what it did not read with the reason", async () => {
    const index = await readFile(join(site, "matrices", "index.html"), "utf8");
    expect(index).toMatch(/\.rds|R data|rds/);
  });

  test("downloads nothing when nothing moved", async () => {
    const before = azul.requests.file;
    // Whatever a test before this one has changed is as it was, and published.
    await hdash(["run", "matrix"], env);
    const again = await hdash(["run", "matrix"], env);
    expect(again.code, again.stderr).toBe(0);
    expect(azul.requests.file).toBe(before);
    expect(ledger.lastMessage()).toContain("nothing changed");
  });

  test("makes the same bytes again when forced", async () => {
    const files = (await filesBelow(site)).filter((name) => name.startsWith(STATS));
    const before = await Promise.all(files.map((name) => readFile(join(site, name), "base64")));
    const forced = await hdash(["run", "matrix", "--force"], env);
    expect(forced.code, forced.stderr).toBe(0);
    expect(forced.stderr).not.toContain("differs");
    const after = await Promise.all(files.map((name) => readFile(join(site, name), "base64")));
    expect(after).toEqual(before);
  });

  test("downloads nothing where only a title or the catalogue's name changed", async () => {
    azul.setProjects(projects.map((one) => ({ ...one, title: `${one.title} (revised)` })));
    const before = azul.requests.file;
    const again = await hdash(["run", "matrix"], env);
    expect(again.code, again.stderr).toBe(0);
    expect(azul.requests.file).toBe(before);
    expect(await readFile(join(site, "matrices", "index.html"), "utf8")).toContain("(revised)");
    const other = await startAzul({ projects, catalog: "dcp2" });
    try {
      const moved = { ...env, MATRIX_ENDPOINT_URL: other.url, MATRIX_CATALOG: "dcp2" };
      const ended = await hdash(["run", "matrix"], moved);
      expect(ended.code, ended.stderr).toBe(0);
      expect(other.requests.file).toBe(0);
    } finally {
      await other.close();
      azul.setProjects(projects);
    }
  });

  test("does only what it is asked for, and keeps the rest published and listed", async () => {
    const [one] = projects;
    if (one === undefined) throw new Error("there is no project");
    const pages = await readdir(join(site, "matrices"));
    const ended = await hdash(["run", "matrix", "--targets", one.projectId], env);
    expect(ended.code, ended.stderr).toBe(0);
    expect(await readdir(join(site, "matrices"))).toEqual(pages);
    const data = JSON.parse(
      await readFile(join(site, "matrices", "data", "index.json"), "utf8"),
    ) as { matrices: readonly { id: string }[] };
    expect(data.matrices.length).toBeGreaterThanOrEqual(3);
  });

  test("goes on after being killed in mid-run, and ends with the same site", async () => {
    const other = join(dir, "killed-site");
    const killedEnv = { ...env, HDASH_SITE_DIR: other, HDASH_HOME: join(dir, "killed-home") };
    const fresh = await createTestDatabase();
    try {
      const own = {
        ...killedEnv,
        HDASH_DB_NAME: fresh.settings.name,
        HDASH_DB_SCHEMA: fresh.settings.schema,
      };
      const running = start("src/main.ts", ["run", "matrix"], own);
      // The first matrix is done; others are going on.
      await running.line(/homo_sapiens\)? done/);
      running.process.kill("SIGKILL");
      expect((await running.ended).code).toBeNull();
      const resumed = await hdash(["run", "matrix"], own);
      expect(resumed.code, resumed.stderr).toBe(0);
      const figures = (await filesBelow(other)).filter((name) => name.startsWith(STATS));
      expect(figures).toEqual((await filesBelow(site)).filter((name) => name.startsWith(STATS)));
      for (const name of figures) {
        expect(await readFile(join(other, name), "base64"), name).toBe(
          await readFile(join(site, name), "base64"),
        );
      }
    } finally {
      await fresh.drop();
    }
  });
});

describe("hdash run matrix --environ dev --source canned --blacklist true", () => {
  const SOURCE = "dev.project-assets.data.humancellatlas.org";
  const ledger = useLedger("canned");
  let s3: S3Server;
  let env: Readonly<Record<string, string>>;
  let many: ManyProjects;

  beforeAll(async () => {
    s3 = await startS3({ buckets: [SOURCE] });
    const path = join(dir, "canned");
    await mkdir(path);
    many = await makeManyProjects(path, { count: 3, bad: 0 });
    for (const name of await readdir(path)) {
      s3.setObject(
        SOURCE,
        `project-assets/project-matrices/${name}`,
        await readFile(join(path, name)),
      );
    }
    env = {
      ...ledger.env(),
      S3_ACCESS_KEY_ID: s3.accessKeyId,
      S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
      S3_ENDPOINT_URL: s3.url,
      MATRIX_PUBLIC_READ: "1",
    };
  });
  afterAll(() => s3.close());

  test("reads one stage's bucket but for the blacklist, and publishes to it, readable by all", async () => {
    const [first = ""] = many.ids;
    s3.setObject(SOURCE, "blacklist", `# too large\n\n${first.split(".")[0] ?? ""}\n`);
    const ended = await hdash(
      ["run", "matrix", "--environ", "dev", "--source", "canned", "--blacklist", "true"],
      env,
    );
    expect(ended.code, ended.stderr).toBe(0);
    const keys = [...s3.objects(SOURCE).keys()];
    const published = new Set(
      keys.flatMap((key) => /^project-assets\/project-stats\/([^/]+)\//.exec(key)?.[1] ?? []),
    );
    expect([...published].sort()).toEqual(many.ids.filter((id) => id !== first).sort());
    const violin = keys.find((key) => key.endsWith("/violin.png")) ?? "";
    expect(s3.objects(SOURCE).get(violin)?.headers).toMatchObject({
      "content-type": "image/png",
      "content-disposition": "inline",
      "x-amz-acl": "public-read",
    });
    const index = s3.objects(SOURCE).get("matrices/index.html")?.read().toString("utf8");
    expect(index).toContain("is on the blacklist");
  });

  test("says which bucket is missing", async () => {
    const ended = await hdash(["run", "matrix", "--environ", "staging", "--source", "canned"], env);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain("staging.project-assets.data.humancellatlas.org");
  });
});

describe("hdash, with both jobs on one site", () => {
  const PROJECT = "00000000-0000-4000-8000-000000000005";
  const MATRIX = `${PROJECT}.homo_sapiens`;
  let services: Services;
  let env: Readonly<Record<string, string>>;

  beforeAll(async () => {
    services = await startServices();
    const path = join(dir, "both");
    await mkdir(path);
    await copyFile(join(FIXTURE, `${MATRIX}.mtx.zip`), join(path, `${MATRIX}.mtx.zip`));
    env = {
      ...services.env,
      MATRIX_SOURCE: "local",
      MATRIX_PATH: path,
      MATRIX_ATLASES: `HTA2=${PROJECT}`,
    };
  });
  afterAll(() => services.close());

  function page(key: string): string {
    return services.s3.objects("site").get(key)?.read().toString("utf8") ?? "";
  }

  // One test, since each part goes on with what the part before has published.
  test("makes figures first and shows them on the page of their atlas, leaves the other job's files alone, and does not empty the site, even if it is insisted on", async () => {
    const ended = await hdash([], env);
    expect(ended.code, ended.stderr).toBe(0);
    expect(page("HTA2.html")).toContain(`href="matrices/${MATRIX}.html"`);
    expect(page("HTA2.html")).toContain(`${STATS}/${MATRIX}/10X/umap.png`);
    expect(page("HTA1.html")).not.toContain("panel-figures");
    for (const name of ["index.html", "runs.html", "HTA1.html"]) {
      expect(page(name)).toContain('href="matrices/index.html"');
    }
    expect(page(`matrices/${MATRIX}.html`)).toContain('href="../HTA2.html#figures"');
    expect(services.slack.messages).toHaveLength(2);

    const whole = [...services.s3.objects("site").keys()].sort();
    for (const name of ["htan", "matrix"]) {
      const forced = await hdash(["run", name, "--force"], env);
      expect(forced.code, forced.stderr).toBe(0);
      expect([...services.s3.objects("site").keys()].sort()).toEqual(whole);
    }

    // The source is empty now, or holds what is no matrix, or does not have what is asked for.
    const path = join(dir, "both");
    await rm(join(path, `${MATRIX}.mtx.zip`));
    for (const flags of [[], ["--force"], ["--force", "--targets", ABSENT]]) {
      const refused = await hdash(["run", "matrix", ...flags], env);
      expect(refused.code, refused.stderr).toBe(1);
      expect(refused.stderr).toContain(`no matrix was found in ${path}: it is empty`);
    }
    await writeFile(join(path, "gen.py"), "");
    const file = join(path, "gen.py");
    const refused = await hdash(["run", "matrix", "--path", file, "--force"], env);
    expect(refused.code, refused.stderr).toBe(1);
    expect(refused.stderr).toContain(`no matrix was found in ${file}`);
    expect(JSON.stringify(services.slack.messages.at(-1))).toContain("gen.py");
    expect([...services.s3.objects("site").keys()].sort()).toEqual(whole);

    // Another matrix is there instead: the old one goes once that is insisted on.
    await cp(TENX, join(path, "pbmc3k"), { recursive: true });
    const replaced = await hdash(["run", "matrix"], env);
    expect(replaced.code, replaced.stderr).toBe(1);
    expect(replaced.stderr).toContain("no longer has 1 of the 1 published matrices");
    expect(replaced.stderr).toContain("--force");
    expect([...services.s3.objects("site").keys()].sort()).toEqual(whole);
    const forced = await hdash(["run", "matrix", "--force"], env);
    expect(forced.code, forced.stderr).toBe(0);
    const keys = [...services.s3.objects("site").keys()];
    expect(keys.filter((key) => key.includes(PROJECT))).toEqual([]);
    expect((await hdash(["run", "htan"], env)).code).toBe(0);
    expect(page("HTA2.html")).not.toContain("panel-figures");
  });
});

describe("hdash run matrix, told nonsense", () => {
  const ledger = useLedger("nonsense");

  test("names the variable, the flag or the folder that is wrong, and ends with 2", async () => {
    const env = { HDASH_HOME: join(dir, "nonsense") };
    const ends = await Promise.all([
      hdash(["run", "matrix"], env),
      hdash(["run", "matrix", "--source", "elsewhere"], env),
      hdash(["run", "matrix", "--source", "local"], env),
      hdash(["run", "htan", "--source", "local"], env),
    ]);
    expect(ends.map(({ code }) => code)).toEqual([2, 2, 2, 2]);
    expect(ends[0]?.stderr).toContain("MATRIX_SOURCE is not set");
    expect(ends[1]?.stderr).toContain("elsewhere");
    expect(ends[2]?.stderr).toContain("MATRIX_PATH is not set");
    expect(ends[3]?.stderr).toContain("unknown option '--source'");
  });

  test.each([
    [
      "a folder that is not there",
      ["--path", "nowhere"],
      /^hdash: --path \(MATRIX_PATH\) is "nowhere": there is no such folder.*; for example --path \.\/matrices$/m,
    ],
    [
      "a target that no service can have",
      ["--source", "canned", "--targets", "notauuid"],
      /^hdash: --targets \(MATRIX_TARGET_UUIDS\) has "notauuid", which is no <uuid>\[\.<species>\]; for example --targets 4a95/m,
    ],
    [
      "a target of a folder without a matrix",
      ["--path", "EMPTY", "--targets", "Köln two"],
      /^hdash: --targets \(MATRIX_TARGET_UUIDS\) has "Köln two", which .* does not have\. It has no matrix at all\.$/m,
    ],
    [
      "a target that is nearly there",
      ["--path", "FOLDER", "--targets", "pbmc3"],
      /^hdash: --targets \(MATRIX_TARGET_UUIDS\) has "pbmc3", which .* does not have\. Did you mean pbmc3k\?$/m,
    ],
  ])("refuses %s in one line with 2, and does nothing", async (_what, flags, expected) => {
    const path = join(dir, "refused");
    await mkdir(join(path, "pbmc3k"), { recursive: true });
    await writeFile(join(path, "pbmc3k", "matrix.mtx"), "");
    const home = join(dir, "refused-home");
    const empty = join(dir, "refused-empty");
    await mkdir(empty, { recursive: true });
    const args = flags.map((flag) => ({ FOLDER: path, EMPTY: empty })[flag] ?? flag);
    const ended = await hdash(["run", "matrix", "--source", "local", ...args], {
      HDASH_HOME: home,
      HDASH_SITE_DIR: join(dir, "refused-site"),
    });
    expect(ended.code, ended.stderr).toBe(2);
    expect(ended.stderr).toMatch(expected);
    expect(ended.stderr).not.toContain("HDASH_HOME");
    const made = [home, join(dir, "refused-site")].map((one) =>
      readdir(one).catch((): readonly string[] => []),
    );
    // What it remembers of files, and an empty work folder, are all.
    const [inHome, inSite] = await Promise.all(made);
    expect([inHome?.includes("database"), inSite]).toEqual([false, []]);
  });

  test("fails where a folder has no matrix: says what is there and what it takes, in the log and on Slack", async () => {
    const path = join(dir, "empty");
    await mkdir(join(path, "plots"), { recursive: true });
    await writeFile(join(path, "README.txt"), "nothing yet\n");
    await writeFile(join(path, "plots", "umap.png"), "x");
    const env = { ...ledger.env(), HDASH_SITE_DIR: join(dir, "empty-site") };
    const ended = await hdash(["run", "matrix", "--source", "local", "--path", path], env);
    expect(ended.code, ended.stderr).toBe(1);
    for (const said of [ended.stderr, ledger.lastMessage()]) {
      expect(said).toContain(`no matrix was found in ${path}: of 2 things there none can be read`);
      expect(said).toContain("The folder plots has no .mtx");
      expect(said).toContain("README.txt");
      expect(said.split("folders with a .mtx and its gene and cell tables")).toHaveLength(2);
    }
    // Without Slack its message is in the log: what to do is said there alone, unless the log is too quiet for it.
    for (const level of ["info", "warn"]) {
      const quiet = { ...env, HDASH_LOG_LEVEL: level, SLACK_WEBHOOK_URL: "" };
      const alone = await hdash(["run", "matrix", "--source", "local", "--path", path], quiet);
      expect(alone.stderr.split("folders with a .mtx and its gene and cell tables")).toHaveLength(
        2,
      );
    }
    expect(await readdir(join(dir, "empty-site")).catch(() => [])).toEqual([]);
    // It insists as long as it likes: there is nothing to take off the site.
    const forced = await hdash(
      ["run", "matrix", "--source", "local", "--path", path, "--force"],
      env,
    );
    expect(forced.code, forced.stderr).toBe(1);
    await rm(path, { recursive: true });
    await mkdir(path);
    const none = await hdash(["run", "matrix", "--source", "local", "--path", path], env);
    expect([
      none.code,
      none.stderr.includes(`no matrix was found in ${path}: it is empty`),
    ]).toEqual([1, true]);
  });
});

describe("hdash run matrix --source local --path DIR, with names of all kinds", () => {
  const ledger = useLedger("names");

  test("makes the figures of a folder called pbmc3k, of a linked one, and of one that is named itself", async () => {
    const path = join(dir, "names");
    await mkdir(path);
    await cp(TENX, join(path, "pbmc3k"), { recursive: true });
    await cp(TENX, join(dir, "elsewhere"), { recursive: true });
    await symlink(join(dir, "elsewhere"), join(path, "linked cells"));
    const site = join(dir, "names-site");
    const env = { ...ledger.env(), HDASH_SITE_DIR: site };
    const ended = await hdash(["run", "matrix", "--source", "local", "--path", path], env);
    expect(ended.code, ended.stderr).toBe(0);
    expect((await readdir(join(site, STATS))).sort()).toEqual(["linked-cells", "pbmc3k"]);
    const index = await readFile(join(site, "matrices", "index.html"), "utf8");
    expect(index).toContain("linked cells");
    expect(index).toContain('href="pbmc3k.html"');

    const own = { ...env, HDASH_SITE_DIR: join(dir, "own-site") };
    const one = await hdash(
      ["run", "matrix", "--source", "local", "--path", join(path, "pbmc3k")],
      own,
    );
    expect(one.code, one.stderr).toBe(0);
    expect(await readdir(join(dir, "own-site", STATS))).toEqual(["pbmc3k"]);

    // What may not be read fails as what is damaged does, and no other takes its page.
    await symlink("nowhere", join(path, "pbmc3k.h5ad"));
    const page = await readFile(join(site, "matrices", "pbmc3k.html"), "utf8");
    const unread = await hdash(["run", "matrix", "--source", "local", "--path", path], env);
    expect(unread.code, unread.stderr).toBe(3);
    const why = "pbmc3k.h5ad is a link that leads nowhere";
    const shown = await readFile(join(site, "matrices", "index.html"), "utf8");
    for (const said of [unread.stderr, ledger.lastMessage(), shown]) expect(said).toContain(why);
    expect(shown).toContain("1 matrix could not be read");
    expect(await readFile(join(site, "matrices", "pbmc3k.html"), "utf8")).toBe(page);
    await rm(join(path, "pbmc3k.h5ad"));

    const named = await hdash(
      ["run", "matrix", "--source", "local", "--path", path, "--targets", "Linked cells"],
      env,
    );
    expect(named.code, named.stderr).toBe(0);
    expect(named.stderr).toMatch(/linked.cells.* done in/);
    expect(named.stderr).not.toMatch(/pbmc3k.* done in/);

    const fewer = await hdash(
      ["run", "matrix", "--source", "local", "--path", join(path, "pbmc3k")],
      env,
    );
    expect(fewer.code, fewer.stderr).toBe(0);
    expect(await readdir(join(site, STATS))).toEqual(["pbmc3k"]);
    expect(fewer.stderr).toContain("taken off the site: linked cells");
    expect(ledger.lastMessage()).toContain("1 matrix taken off the site");
  });
});
