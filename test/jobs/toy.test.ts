// A job is one folder and one line: a job of toys is added to a copy of the tree, and everything that knows jobs is asked for it.

import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { pathToFileURL } from "node:url";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { startSlack } from "../../src/lookalikes/slackServer.ts";
import type { Variable } from "../../src/settings/variables.ts";
import { type Ended, startProgram } from "../support/command.ts";
import { blocksIn, blocksOf } from "../support/envExample.ts";

const ROOT = join(import.meta.dirname, "../..");
const FIXTURES = join(ROOT, "test/fixtures");
/** What of the tree the programs and the stacks are made of. */
const COPIED = [
  "src",
  "views",
  "config",
  "migrations",
  "examples",
  "infra",
  "package.json",
  ".env.example",
];
const MATRIX = "00000000-0000-4000-8000-000000000005.homo_sapiens.mtx.zip";

let dir = "";
let tree = "";

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "hdash-toy-"));
  tree = join(dir, "tree");
  mkdirSync(tree);
  const isOwn = (path: string): boolean => !/\/(node_modules|cdk\.out)$/.test(path);
  for (const name of COPIED) {
    cpSync(join(ROOT, name), join(tree, name), { recursive: true, filter: isOwn });
  }
  for (const name of ["node_modules", "infra/node_modules"]) {
    symlinkSync(join(ROOT, name), join(tree, name));
  }
  // The folder, and the line.
  cpSync(join(FIXTURES, "toyJob/jobs/toy"), join(tree, "src/jobs/toy"), { recursive: true });
  const list = join(tree, "src/jobList.ts");
  const [before, after] = readFileSync(list, "utf8").split(/^\];$/m);
  const line = '  (await import("./jobs/toy/job.ts")).TOY_JOB,\n';
  writeFileSync(list, `${before ?? ""}${line}];${after ?? ""}`);
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Runs `hdash …args` of the copy, with a ledger and a site that are named by `home`. */
function hdash(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  home = "home",
): Promise<Ended> {
  const places = { HDASH_HOME: join(dir, home), HDASH_SITE_DIR: join(dir, home, "site") };
  return node(["--", join(tree, "src/main.ts"), ...args], { ...places, ...env });
}

function node(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const compiled = join(dir, "compiled");
  const own = { TZ: "UTC", NO_COLOR: "1", NODE_COMPILE_CACHE: compiled, ...env };
  return startProgram(process.execPath, ["--disable-warning=ExperimentalWarning", ...args], own)
    .ended;
}

/** What a script of the copy gives; `modules` are put into the variables that it uses. */
async function ask<T>(modules: Readonly<Record<string, string>>, value: string): Promise<T> {
  const imports = Object.entries(modules).map(
    ([names, path]) =>
      `const ${names} = await import(${JSON.stringify(pathToFileURL(join(tree, path)).href)});`,
  );
  const script = `${imports.join("\n")}\nprocess.stdout.write(JSON.stringify(${value}));`;
  const ended = await node(["--input-type=module", "--eval", script]);
  expect(ended.code, ended.stderr).toBe(0);
  return JSON.parse(ended.stdout) as T;
}

const SHELF = { TOY_NAMES: "car,kite" };

describe("a job that is added by a folder and a line", () => {
  test("has its variables among the configuration's errors", async () => {
    const wrong = { TOY_NAMES: "Car", TOY_MOST: "many", TOY_KEY: "not this" };
    const { code, stderr } = await hdash(["run", "toy"], wrong);
    expect(code, stderr).toBe(2);
    expect(stderr).toContain(
      'TOY_NAMES is "Car": it must be names in small letters, separated by commas; for example TOY_NAMES=car,kite',
    );
    expect(stderr).toContain('TOY_MOST is "many": it must be a whole number from 1 to 9');
    expect(stderr).toContain("TOY_KEY must be letters and digits");
    expect(stderr).not.toContain("not this");
    const unset = await hdash(["run", "toy"]);
    expect(unset.stderr).toContain("TOY_NAMES is not set, but there have to be toys");
  });

  test("is told by the check of .env.example which lines are missing", async () => {
    const variables = await ask<readonly Variable[]>(
      { "{ JOBS }": "src/jobList.ts", "{ variablesOf }": "src/settings/config.ts" },
      "variablesOf(JOBS)",
    );
    const there = blocksIn(readFileSync(join(tree, ".env.example"), "utf8"));
    expect(blocksOf(variables).filter((block) => !there.includes(block))).toEqual([
      "# Toys on the shelf, separated by commas.\n# TOY_NAMES=car,kite",
      "# Most toys that the shelf has room for. Default: 9.\n# TOY_MOST=9",
      "# Opens the cupboard of toys.\n# TOY_KEY=x1y2z3",
    ]);
  });

  test("has its line of the doctor", async () => {
    const { stdout } = await hdash(["doctor"], SHELF);
    expect(stdout).toMatch(/^ok +Toys +car and kite are on the shelf$/m);
  });

  test("has its flags, its command and its example in the help, and they work", async () => {
    const help = (await hdash(["run", "toy", "--help"])).stdout;
    expect(help).toMatch(/--toy <name\.\.\.> +only these toys, e\.g\. kite/);
    expect(help).toMatch(/--names <list> +the toys on the shelf \(TOY_NAMES\)/);
    const refused = await hdash(["run", "toy", "--toy", "7"], SHELF);
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toContain("7 is no name of a toy.");
    expect((await hdash(["--help"])).stdout).toMatch(/hdash toy count +count the toys/);
    expect(await hdash(["toy", "count"], SHELF)).toMatchObject({
      code: 0,
      stdout: "2 toys on the shelf\n",
    });
  });

  test("tells Slack of its scopes in its own words, and has a page of its own where it is alone", async () => {
    const slack = await startSlack({});
    try {
      const env = { ...SHELF, SLACK_WEBHOOK_URL: slack.url };
      const { code, stderr } = await hdash(["run", "toy"], env, "alone");
      expect(code, stderr).toBe(0);
      const [message, ...more] = slack.messages.map((one) => JSON.stringify(one));
      expect(more).toEqual([]);
      expect(message).toContain("toy succeeded");
      expect(message).toContain("*In all:* 1 error, 0 warnings in 2 toys");
    } finally {
      await slack.close();
    }
    expect(menusOf(join(dir, "alone/site"))).toEqual({
      "toys/car.html": ["The toy shelf → toys/index.html", "Toys → toys/index.html"],
      "toys/index.html": ["The toy shelf → toys/index.html", "Toys → toys/index.html"],
      "toys/kite.html": ["The toy shelf → toys/index.html", "Toys → toys/index.html"],
    });
  });

  test("has its part of the demo, and its page in the menu of every page", async () => {
    // One of each is enough: its page shows the menu.
    const [world, matrices] = [join(dir, "world"), join(dir, "matrices")];
    cpSync(join(FIXTURES, "htan"), world, { recursive: true });
    const atlases = readFileSync(join(world, "atlases.csv"), "utf8").split("\n");
    writeFileSync(join(world, "atlases.csv"), `${atlases.slice(0, 2).join("\n")}\n`);
    mkdirSync(matrices);
    cpSync(join(FIXTURES, "matrix", MATRIX), join(matrices, MATRIX));
    const site = join(dir, "demo/site");
    const own = ["--world", world, "--matrices", matrices];
    const { code, stdout, stderr } = await hdash(["demo", ...own, "--site", site], {}, "demo");
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("toy succeeded");
    expect(stdout).toContain(`Open ${pathToFileURL(join(site, "toys/index.html")).href}`);
    const menu = [
      "HTAN data dashboard → index.html",
      "Atlases → index.html",
      "Runs → runs.html",
      "Matrices → matrices/index.html",
      "Toys → toys/index.html",
    ];
    const menus = menusOf(site);
    expect(Object.keys(menus)).toEqual(
      expect.arrayContaining(["index.html", "HTA1.html", "matrices/index.html", "toys/kite.html"]),
    );
    expect(menus).toEqual(Object.fromEntries(Object.keys(menus).map((path) => [path, menu])));
  });

  test("has its schedule, its task and its secret in the stack", async () => {
    const found = await ask<Readonly<Record<string, Readonly<Record<string, unknown>>>>>(
      { "{ synthesise, STAGING, resourcesOf }": "infra/test/support/templates.ts" },
      `(({ base, namespace }) => ({
        schedules: resourcesOf(namespace, "AWS::Scheduler::Schedule"),
        tasks: resourcesOf(namespace, "AWS::ECS::TaskDefinition"),
        secrets: resourcesOf(base, "AWS::SecretsManager::Secret"),
      }))(synthesise(STAGING))`,
    );
    const toys = (of: string) =>
      Object.values(found[of] ?? {}).filter((properties) =>
        /toy/i.test(JSON.stringify(properties)),
      );
    expect(toys("schedules")).toMatchObject([
      { ScheduleExpression: "cron(30 5 * * ? *)", State: "ENABLED" },
    ]);
    expect(toys("tasks")).toMatchObject([
      {
        Cpu: "256",
        Memory: "1024",
        ContainerDefinitions: [
          {
            Command: ["hdash", "run", "toy"],
            Environment: expect.arrayContaining([{ Name: "TOY_NAMES", Value: "robot" }]) as unknown,
            Secrets: expect.arrayContaining([
              expect.objectContaining({ Name: "TOY_KEY" }),
            ]) as unknown,
          },
        ],
      },
    ]);
    expect(toys("secrets")).toMatchObject([{ Name: "hdash/develop/TOY_KEY" }]);
  });
});

/** The brand and the menu of every page of a site, as "label → path from the site's root". */
function menusOf(site: string): Readonly<Record<string, readonly string[]>> {
  const pages = readdirSync(site, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".html") && path !== "404.html")
    .sort();
  return Object.fromEntries(
    pages.map((path) => {
      const html = readFileSync(join(site, path), "utf8");
      const [head = ""] = html.split("</header>");
      const links = [...head.matchAll(/<a (?:class="brand" )?href="([^"#]*)".*?>([^<]+)</g)];
      return [
        path,
        links.map(([, href = "", label = ""]) => {
          return `${label} → ${posix.join(posix.dirname(path), href)}`;
        }),
      ];
    }),
  );
}
