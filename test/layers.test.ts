import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

import ts from "typescript";
import { beforeAll, describe, expect, test } from "vitest";

import { checkLayers, findCycles, type ImportGraph } from "./support/layers.ts";

const ROOT = join(import.meta.dirname, "..");

/** Reads what every file that the pattern names imports, types and dynamic imports included. */
function readGraph(pattern: string): ImportGraph {
  const files = globSync(pattern, { cwd: ROOT });
  return new Map(
    files.map((file) => {
      const { importedFiles } = ts.preProcessFile(readFileSync(join(ROOT, file), "utf8"));
      const targets = importedFiles.map(({ fileName }) =>
        fileName.startsWith(".") ? join(file, "..", fileName) : fileName,
      );
      return [file, [...new Set(targets)]] as const;
    }),
  );
}

function check(imports: Readonly<Record<string, readonly string[]>>): readonly string[] {
  return checkLayers(new Map(Object.entries(imports)));
}

/** The sentences about what one file imports. */
function checkFile(from: string, ...targets: readonly string[]): readonly string[] {
  return check({ [from]: targets });
}

describe("checkLayers(graph)", () => {
  test("lets an import go down, and stay in its room", () => {
    expect(
      check({
        "src/main.ts": ["src/jobList.ts", "src/commands/run.ts"],
        "src/jobList.ts": ["src/jobs/htan/job.ts", "src/jobs/matrix/job.ts"],
        "src/commands/run.ts": ["src/work/work.ts", "src/job.ts", "commander"],
        "src/jobs/htan/job.ts": ["src/job.ts", "src/jobs/htan/settings.ts"],
        "src/jobs/htan/bind.ts": ["src/effects.ts", "src/jobs/htan/plan.ts", "node:fs"],
        "src/jobs/htan/plan.ts": ["src/jobs/htan/pages/atlasPage.ts", "src/engine/step.ts"],
        "src/jobs/htan/pages/atlasPage.ts": ["src/format.ts", "src/jobs/htan/data/atlas.ts"],
        "src/jobs/htan/registry/atlasTable.ts": ["kysely", "src/store/schema.ts"],
        "src/jobs/htan/settings.ts": ["envalid"],
        "src/jobs/matrix/sources/azul.ts": ["undici", "node:http"],
        "src/engine/run.ts": ["src/store/runs.ts", "src/publish/site.ts", "src/engine/step.ts"],
        "src/store/migrate.ts": ["kysely/migration", "migrations/0001_ledger.ts", "node:fs"],
        "src/finding.ts": ["src/error.ts"],
      }),
    ).toEqual([]);
  });

  test.each([
    ["src/format.ts", 0, "src/render/svg.ts", 1],
    ["src/store/runs.ts", 1, "src/engine/step.ts", 2],
    ["src/engine/run.ts", 2, "src/effects.ts", 3],
    ["src/job.ts", 3, "src/jobs/htan/plan.ts", 4],
    ["src/settings/config.ts", 1, "src/jobs/matrix/settings.ts", 4],
    ["src/jobs/htan/plan.ts", 4, "src/work/facts.ts", 5],
    ["src/work/work.ts", 5, "src/jobList.ts", 6],
  ])("reports %s of layer %i that imports %s of layer %i", (from, low, to, high) => {
    expect(checkFile(from, to)).toEqual([
      `${from} (layer ${low}) imports ${to} (layer ${high}), which is above it`,
    ]);
  });

  test("reports a file that no layer is named for", () => {
    expect(checkFile("src/htan/atlas.ts", "node:fs")).toEqual([
      "src/htan/atlas.ts: no layer has a place htan",
    ]);
  });

  test("reports a job that imports another", () => {
    expect(checkFile("src/jobs/htan/bind.ts", "src/jobs/matrix/published.ts")).toEqual([
      "src/jobs/htan/bind.ts imports src/jobs/matrix/published.ts: no job imports another",
    ]);
  });

  test.each(["src/work/work.ts", "src/commands/run.ts", "src/serve/server.ts"])(
    "reports %s that imports a job instead of being given it",
    (from) => {
      expect(checkFile(from, "src/jobs/htan/plan.ts")).toEqual([
        `${from} imports src/jobs/htan/plan.ts: only what makes the list of jobs imports a job`,
      ]);
    },
  );

  test.each([
    ["src/engine/run.ts", "src/publish/slack.ts", "src/store/, src/publish/site.ts"],
    ["src/engine/run.ts", "src/render/page.ts", "src/store/, src/publish/site.ts"],
    ["src/publish/sitePublisher.ts", "src/engine/step.ts", "src/store/"],
    ["src/artifacts/upload.ts", "src/sources/http.ts", "src/store/, src/render/"],
  ])("reports %s that imports %s", (from, to, allowed) => {
    const room = from.split("/")[1] ?? "";
    expect(checkFile(from, to)).toEqual([
      `${from} imports ${to}: of layers 1 and 2 ${room} imports only ${allowed}`,
    ]);
  });

  test.each([
    ["src/jobs/htan/data/past.ts", "src/effects.ts", "data"],
    ["src/jobs/htan/steps.ts", "src/store/schema.ts", "steps"],
    ["src/jobs/htan/pages/atlasPage.ts", "src/settings/config.ts", "pages"],
    ["src/jobs/matrix/plan.ts", "src/sources/http.ts", "plan"],
    ["src/jobs/matrix/charts/bars.ts", "src/engine/run.ts", "charts"],
    ["src/jobs/matrix/data/x.ts", "node:process", "data"],
  ])("reports %s, which is pure, that imports %s", (from, to, part) => {
    expect(checkFile(from, to)).toEqual([`${from} imports ${to}, but ${part} of a job is pure`]);
  });

  test("reports rooms of layer 1 that know each other", () => {
    expect(checkFile("src/render/page.ts", "src/store/schema.ts")).toEqual([
      "src/render/page.ts imports src/store/schema.ts: rooms of layer 1 do not know each other",
    ]);
  });

  test.each([
    ["data/past.ts", "pages/pageFrame.ts", "data", "pages"],
    ["data/past.ts", "charts/bars.ts", "data", "charts"],
    ["pages/atlasPage.ts", "steps.ts", "pages", "steps"],
    ["charts/bars.ts", "steps.ts", "charts", "steps"],
    ["steps.ts", "plan.ts", "steps", "plan"],
    ["plan.ts", "bind.ts", "plan", "bind"],
    ["bind.ts", "commands.ts", "bind", "commands"],
    ["bind.ts", "examine.ts", "bind", "examine"],
    ["bind.ts", "demo/world.ts", "bind", "demo"],
    ["commands.ts", "job.ts", "commands", "job"],
  ])("reports %s of a job that imports %s", (from, to, low, high) => {
    const [own, other] = [`src/jobs/htan/${from}`, `src/jobs/htan/${to}`];
    expect(checkFile(own, other)).toEqual([`${own} imports ${other}: ${low} stands below ${high}`]);
  });

  test.each(["data", "pages", "charts", "figures", "steps", "plan"])(
    "reports what reaches for the world in %s of a job",
    (part) => {
      const file = `src/jobs/htan/${part}.ts`;
      const outside = [
        ...["node:fs", "node:fs/promises", "node:net", "node:http", "node:https", "node:http2"],
        ...["node:tls", "node:dns", "node:child_process", "node:worker_threads", "node:os"],
      ];
      expect(checkFile(file, ...outside, "node:path")).toEqual(
        outside.map((name) => `${file} imports ${name}, but ${part} of a job is pure`),
      );
    },
  );

  test.each([
    ["undici", "sources, jobs/*/sources"],
    ["pg", "store"],
    ["kysely", "store, jobs/*/registry"],
    ["@aws-sdk/client-s3", "store"],
    ["@electric-sql/pglite", "store"],
    ["vega", "render"],
    ["vega-lite/build", "render"],
    ["sharp", "render"],
    ["handlebars", "render"],
    ["@slack/webhook", "publish"],
    ["h5wasm", "jobs/matrix"],
    ["h5wasm-plugins", "jobs/matrix"],
    ["scran.js", "jobs/matrix"],
    ["graphology", "jobs/matrix"],
    ["graphology-communities-louvain", "jobs/matrix"],
    ["yauzl", "formats, jobs/matrix"],
    ["pino", "log"],
    ["envalid", "settings, jobs/*/settings"],
    ["commander", "shell, job, commands, jobs/*/commands"],
    ["migrations/0001_ledger.ts", null],
  ])("reports %s outside of what owns it", (name, owners) => {
    const file = "src/jobs/htan/pages/atlasPage.ts";
    expect(checkFile(file, name)).toEqual([
      `${file} imports ${name}, which only ${owners ?? "store"} may`,
    ]);
  });

  test("reports a cycle between files of one room", () => {
    expect(
      check({
        "src/engine/a.ts": ["src/engine/b.ts"],
        "src/engine/b.ts": ["src/engine/c.ts"],
        "src/engine/c.ts": ["src/engine/b.ts"],
      }),
    ).toEqual(["a cycle: src/engine/b.ts → src/engine/c.ts → src/engine/b.ts"]);
  });
});

describe("src", () => {
  let graph: ImportGraph;
  beforeAll(() => {
    graph = readGraph("src/**/*.ts");
  });

  test("is read whole", () => {
    expect(graph.size).toBeGreaterThan(40);
    expect(graph.get("src/main.ts")).toContain("src/shell.ts");
    expect(graph.get("src/main.ts")).toContain("src/commands/hdash.ts");
  });

  test("keeps to the layer table", () => {
    expect(checkLayers(graph)).toEqual([]);
  });

  test("has no word of a job outside of what jobs own, but where docs/architecture.md says why", () => {
    const owned = /^src\/(jobs\/|jobList\.ts|lookalikes\/|sources\/synapse|settings\/synapse)/;
    const files = [...graph.keys()].filter((file) => !owned.test(file));
    const read = (file: string) => readFileSync(join(ROOT, file), "utf8");
    const word = /matri(x|ces)|synapse|atlas/i;
    expect(files.filter((file) => word.test(read(file)))).toEqual(["src/store/schema.ts"]);
    expect(read("docs/architecture.md")).toContain(
      "`src/store/schema.ts` lists the ledger's tables",
    );
  });
});

describe("infra", () => {
  test("has no files that import each other in a circle", () => {
    const graph = readGraph("infra/*.ts");
    expect(graph.get("infra/namespaceStack.ts")).toContain("infra/distribution.ts");
    expect(findCycles(graph)).toEqual([]);
  });
});
