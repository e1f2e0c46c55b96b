import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { JOBS } from "../src/jobList.ts";
import { variablesOf } from "../src/settings/config.ts";
import { checkCommands, readSurroundings } from "./support/commands.ts";

const VARIABLES = variablesOf(JOBS);

const ROOT = join(import.meta.dirname, "..");
const DOCS = ["deploy.md", "operations.md", "migrate-from-hdash-air.md"] as const;
const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");
const DEPLOY = read("docs/deploy.md");

interface Template {
  readonly Resources: Readonly<
    Record<
      string,
      { readonly Type: string; readonly Properties?: Readonly<Record<string, unknown>> }
    >
  >;
  readonly Outputs?: Readonly<Record<string, unknown>>;
}

/** The templates that infra's own tests hold the stacks to. */
const TEMPLATES: readonly Template[] = globSync("infra/test/**/*.json", { cwd: ROOT })
  .map((file) => JSON.parse(read(file)) as Partial<Template>)
  .filter((template): template is Template => template.Resources !== undefined);

function resourcesOf(type: string): readonly Readonly<Record<string, unknown>>[] {
  return TEMPLATES.flatMap(({ Resources }) =>
    Object.values(Resources)
      .filter((resource) => resource.Type === type)
      .map(({ Properties = {} }) => Properties),
  );
}

/** The tables whose head begins with these cells, as rows of cells without markup. */
function rowsOf(text: string, ...head: readonly string[]): readonly (readonly string[])[] {
  return text
    .split(/\n(?=\n)/)
    .map((block) =>
      block
        .split("\n")
        .filter((line) => line.startsWith("|"))
        .map((line) =>
          line
            .split("|")
            .slice(1, -1)
            .map((cell) => cell.replaceAll(/[`*]/g, "").trim()),
        ),
    )
    .filter(([first = []]) => head.every((cell, at) => first[at] === cell))
    .flatMap((rows) => rows.slice(2));
}

function blocksOf(text: string, language: string): readonly string[] {
  return [...text.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].flatMap(([, found, body = ""]) =>
    found === language ? [body] : [],
  );
}

/** What a heading is called in an address, as GitHub makes it. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

function headingsOf(text: string): readonly string[] {
  return [...text.replaceAll(/^```[^]*?^```$/gm, "").matchAll(/^#+ (.*)$/gm)].map(
    ([, heading = ""]) => heading,
  );
}

describe("the costs in docs/deploy.md", () => {
  const prices = new Map(
    rowsOf(DEPLOY, "price", "USD", "per", "source").map(([name = "", usd]) => [name, Number(usd)]),
  );
  const items = rowsOf(DEPLOY, "item", "quantity", "price", "USD a month");
  const networks = rowsOf(DEPLOY, "network", "item", "quantity", "price", "USD a month");
  const cohorts = rowsOf(DEPLOY, "cohort", "quantity", "price", "USD a month");
  const spent = items.filter(([item]) => item !== "sum");
  const productOf = (quantity = ""): number =>
    quantity.split(" × ").reduce((product, factor) => product * Number(factor), 1);

  test("are what quantity and price make, and what they sum up to", () => {
    const cost = (quantity = "", price = ""): string =>
      (productOf(quantity) * (prices.get(price) ?? Number.NaN)).toFixed(2);
    for (const rows of [items, cohorts]) {
      const priced = rows.slice(0, -1);
      expect(priced.map(([item, quantity, price]) => [item, cost(quantity, price)])).toEqual(
        priced.map(([item, , , usd]) => [item, usd]),
      );
      const sum = priced.reduce((total, [, , , usd]) => total + Number(usd), 0);
      expect(rows.at(-1)).toEqual(["sum", "", "", sum.toFixed(2)]);
    }
    expect(networks.map(([, item, quantity, price]) => [item, cost(quantity, price)])).toEqual(
      networks.map(([, item, , , usd]) => [item, usd]),
    );
  });

  test("with cohorts, are of the hours that its schedules take together, and of its size", () => {
    const job = JOBS.find(({ name }) => name === "cohort");
    const schedules = job?.deployment.schedule;
    if (typeof schedules !== "object") throw new Error("the cohort has no schedules");
    const rows = rowsOf(DEPLOY, "schedule", "runs of a month", "hours", "sum");
    const runs = rows.slice(0, -1);
    expect([...new Set(runs.map(([name]) => name))]).toEqual(schedules.map(({ name }) => name));
    expect(runs.map(([, , hours]) => productOf(hours).toFixed(1))).toEqual(
      runs.map(([, , , sum]) => sum),
    );
    const all = runs.reduce((total, [, , , sum]) => total + Number(sum), 0).toFixed(1);
    expect(rows.at(-1)).toEqual(["all", "", "", all]);
    const quantities = Object.fromEntries(
      cohorts.map(([item = "", quantity]) => [item, quantity] as const),
    );
    expect(quantities).toMatchObject({
      vCPU: `${all} × ${(job?.deployment.cpu ?? 0) / 1024}`,
      memory: `${all} × ${(job?.deployment.memoryMiB ?? 0) / 1024}`,
      "disk above 20 GB": `${all} × ${(job?.deployment.diskGiB ?? 0) - 20}`,
      "public addresses of tasks, while they run": all,
      metrics: "3",
      alarms: "3",
    });
  });

  test("use every price, and each price says its source", () => {
    const used = [
      ...[...items, ...cohorts].map(([, , price]) => price),
      ...networks.map(([, , , price]) => price),
    ];
    expect([...new Set(used.filter((price) => price !== ""))].sort()).toEqual(
      [...prices.keys()].sort(),
    );
    const sources = rowsOf(DEPLOY, "price", "USD").map(([, , , source = ""]) => source);
    const listed = [...DEPLOY.matchAll(/^(\d+)\. [\w.-]+\/\S.*20\d\d/gm)].map(([, n]) => `[${n}]`);
    expect([...new Set(sources)].sort()).toEqual([...listed, "authors"].sort());
  });

  test("are those of the registry: sizes, daily runs, alarms and metrics for each pipeline, secrets", () => {
    const quantityOf = (item: string): string | undefined =>
      spent.find(([name = ""]) => name.startsWith(item))?.[1];
    const hours = { matrix: "1", htan: "0.05" } as const;
    // One that wants a variable is off as delivered; what it costs is told by itself.
    const delivered = JOBS.filter(({ deployment }) => deployment.requires === undefined);
    for (const { name, deployment } of delivered) {
      expect(deployment.schedule).toMatch(/^cron\(\d+ \d+ \* \* \? \*\)$/);
      const daily = `30.4 × ${hours[name as keyof typeof hours]}`;
      expect({
        vCPU: quantityOf(`${name}: vCPU`),
        memory: quantityOf(`${name}: memory`),
        disk: quantityOf(`${name}: disk`),
      }).toEqual({
        vCPU: `${daily} × ${deployment.cpu / 1024}`,
        memory: `${daily} × ${deployment.memoryMiB / 1024}`,
        disk: `${daily} × ${deployment.diskGiB - 20}`,
      });
    }
    expect(quantityOf("metrics")).toBe(`3 × ${delivered.length}`);
    expect(quantityOf("metric of refused")).toBe("1");
    expect(quantityOf("alarms")).toBe(String(3 * delivered.length + 4));
    const secrets = new Set(JOBS.flatMap(({ deployment }) => deployment.secrets));
    // The administrator's login and the namespace's.
    expect(quantityOf("secrets")).toBe(String(secrets.size + 2));
  });

  test("are those of the settings as delivered", () => {
    const settings = JSON.parse(read("infra/settings/prod.json")) as Readonly<
      Record<string, unknown>
    >;
    expect(settings).toMatchObject({
      network: "public",
      site: "cloudfront",
      newDatabase: { class: "db.t4g.micro", storageGiB: 20, multiAz: false },
      logRetentionDays: 365,
      accessLogs: true,
      flowLogs: true,
      ownKey: true,
    });
  });
});

describe("the deployment by hand in docs/deploy.md", () => {
  interface Task {
    readonly cpu: string;
    readonly memory: string;
    readonly ephemeralStorage: { readonly sizeInGiB: number };
    readonly containerDefinitions: readonly {
      readonly command: readonly string[];
      readonly user: string;
      readonly readonlyRootFilesystem: boolean;
      readonly environment: readonly { readonly name: string }[];
      readonly secrets: readonly { readonly name: string }[];
    }[];
  }
  const [, byHand = ""] = /^## By hand, without CDK$([^]*?)^## /m.exec(DEPLOY) ?? [];
  const documents = blocksOf(byHand, "json").map((block) => JSON.parse(block) as object);
  const task = documents.find((one): one is Task => "containerDefinitions" in one);
  const [container] = task?.containerDefinitions ?? [];

  test("has a task definition, a network and a target that parse", () => {
    expect(documents.map((one) => Object.keys(one)[0])).toEqual([
      "family",
      "awsvpcConfiguration",
      "Arn",
    ]);
  });

  test("names only variables that hdash reads, and gives secrets by reference", () => {
    const known = (names: readonly string[]): readonly string[] =>
      names.filter((name) => VARIABLES.some((variable) => variable.name === name));
    const plain = container?.environment.map(({ name }) => name) ?? [];
    const secret = container?.secrets.map(({ name }) => name) ?? [];
    expect(known(plain)).toEqual(plain);
    expect(known(secret)).toEqual(secret);
    const isSecret = (name: string): boolean =>
      VARIABLES.some((variable) => variable.name === name && variable.secret);
    expect({ plain: plain.filter(isSecret), secret: secret.filter(isSecret) }).toEqual({
      plain: [],
      secret,
    });
  });

  test("has the registry's sizes, secrets, command and schedule, and the image's user", () => {
    const htan = JOBS.find(({ name }) => name === "htan");
    expect(container?.command).toEqual(["hdash", "run", "htan"]);
    expect(container?.user).toBe(/^USER (.*)$/m.exec(read("Dockerfile"))?.[1]);
    expect(container?.readonlyRootFilesystem).toBe(true);
    expect({
      cpu: Number(task?.cpu),
      memoryMiB: Number(task?.memory),
      diskGiB: task?.ephemeralStorage.sizeInGiB,
      secrets: container?.secrets.map(({ name }) => name).filter((name) => !/_DB_/.test(name)),
      schedule: /--schedule-expression "([^"]*)"/.exec(DEPLOY)?.[1],
    }).toEqual({
      cpu: htan?.deployment.cpu,
      memoryMiB: htan?.deployment.memoryMiB,
      diskGiB: htan?.deployment.diskGiB,
      secrets: htan?.deployment.secrets,
      schedule: htan?.deployment.schedule,
    });
  });
});

describe("docs/deploy.md, from an empty account", () => {
  const [first = ""] = blocksOf(DEPLOY, "sh");
  const lines = first.trimEnd().split("\n");

  test("takes fewer than 20 lines", () => {
    expect(lines.length).toBeLessThan(20);
    expect(lines.at(-1)).toContain('COMMAND="hdash run htan"');
  });

  test("fills in every secret of the registry, by the name that the stack gives it", () => {
    const filled = [...first.matchAll(/--secret-id hdash\/\$STAGE\/(\w+)/g)].map(
      ([, name]) => name,
    );
    const secrets = new Set(JOBS.flatMap(({ deployment }) => deployment.secrets));
    expect([...filled].sort()).toEqual([...secrets].sort());
    const names = resourcesOf("AWS::SecretsManager::Secret").map(({ Name }) => Name);
    for (const name of filled) expect(names).toContain(`hdash/prod/${name}`);
  });

  test("names outputs that the stacks have", () => {
    const outputs = new Set(TEMPLATES.flatMap(({ Outputs = {} }) => Object.keys(Outputs)));
    const named = ["WorkBucket", "SiteBucket", "SiteUrl", "Repository"];
    expect(named.filter((name) => !outputs.has(name))).toEqual([]);
    expect([...first.matchAll(/\$\(output (\w+)\)/g)].map(([, name]) => name)).toEqual([
      "WorkBucket",
    ]);
  });
});

describe("docs/deploy.md, from GitHub", () => {
  const files = globSync(".github/workflows/*.yml", { cwd: ROOT });

  test("lists every workflow that starts by itself", () => {
    const listed = rowsOf(DEPLOY, "workflow", "when").map(([file]) => file);
    const started = files
      .filter((file) => !/^on:\n {2}workflow_call:$/m.test(read(file)))
      .map((file) => file.split("/").at(-1));
    expect([...listed].sort()).toEqual([...started].sort());
  });

  test("names every variable that workflows take from an environment", () => {
    const used = files.flatMap((file) =>
      [...read(file).matchAll(/\bvars\.(\w+)/g)].map(([, name]) => name),
    );
    const [, step = ""] = /^3\. Variables of each environment([^]*?)^4\. /m.exec(DEPLOY) ?? [];
    const named = [...step.matchAll(/`([A-Z][A-Z0-9_]+)`/g)].map(([, name]) => name);
    expect([...named].sort()).toEqual([...new Set(used)].sort());
  });
});

describe("docs/operations.md", () => {
  test("has a chapter for every alarm that the stacks have, and for no other", () => {
    const kinds = resourcesOf("AWS::CloudWatch::Alarm").map(({ AlarmName }) =>
      String(AlarmName).split("/").at(-1),
    );
    const [, alarms = ""] = read("docs/operations.md").split(/^## Alarms$/m);
    const [chapters = ""] = alarms.split(/^## /m);
    // A task that ended as no run ends is told by a rule, without an alarm.
    expect(resourcesOf("AWS::Events::Rule")).not.toEqual([]);
    expect(headingsOf(chapters).toSorted()).toEqual([...new Set(kinds), "stopped-task"].sort());
  });
});

describe.each(DOCS)("docs/%s", (name) => {
  const text = read(`docs/${name}`);

  test("tells people to run only what there is", () => {
    // With "…" in it, it is a form and not a command.
    const inline = [...text.matchAll(/`((?:make|npm run) [^`…]+)`/g)].map(([, command]) => command);
    const indented = text.split("\n").filter((line) => line.startsWith("    "));
    const shell = [...blocksOf(text, "sh"), ...inline, ...indented].join("\n");
    const commands = [...text.matchAll(/`(hdash(?:-util)? [a-z][^`]*)`/g)].map(
      ([, command]) => `COMMAND="${command}"`,
    );
    // hdash_air's own target, which the migration guide has to name.
    const targets = [...readSurroundings().targets, "smoke"];
    expect(
      checkCommands([shell, ...commands].join("\n"), { ...readSurroundings(), targets }),
    ).toEqual([]);
  });

  test("links to files and headings that there are", () => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)];
    expect(links.length).toBeGreaterThan(1);
    const broken = links.filter(([, path = "", anchor]) => {
      const target = path === "" ? text : read(join("docs", path));
      return anchor !== undefined && !headingsOf(target).map(anchorOf).includes(anchor);
    });
    expect(broken.map(([link]) => link)).toEqual([]);
  });

  test("names only variables that there are, or were", () => {
    const then = ["AIRFLOW_DEV_HOME", "AIRFLOW_VAR_", "HDASH_CLOUD_COMPOSER_DAG"];
    const named = [
      ...text.matchAll(/`((?:HDASH|S3|SYNAPSE|SLACK|MATRIX|COHORT|AIRFLOW)_[A-Z_]+)(?:=[^`]*)?`/g),
    ];
    const unknown = named
      .map(([, variable = ""]) => variable)
      .filter((variable) => !VARIABLES.some((one) => one.name === variable));
    expect(unknown.filter((variable) => !then.includes(variable))).toEqual([]);
  });
});
