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

describe("checkLayers(graph)", () => {
  test("lets an import go down, and stay in its room", () => {
    expect(
      check({
        "src/main.ts": ["src/effects.ts", "src/jobs/htan/plan.ts"],
        "src/jobs/htan/plan.ts": ["src/jobs/htan/pages/atlasPage.ts", "src/engine/step.ts"],
        "src/engine/run.ts": ["src/store/runs.ts", "src/publish/site.ts", "src/engine/step.ts"],
        "src/jobs/htan/pages/atlasPage.ts": ["src/format.ts", "src/jobs/htan/data/atlas.ts"],
        "src/store/migrate.ts": ["kysely/migration", "migrations/0001_ledger.ts", "node:fs"],
      }),
    ).toEqual([]);
  });

  test("reports an import that goes up", () => {
    expect(check({ "src/store/runs.ts": ["src/engine/step.ts"] })).toEqual([
      "src/store/runs.ts (layer 1) imports src/engine/step.ts (layer 2), which is above it",
    ]);
    expect(check({ "src/jobs/htan/plan.ts": ["src/settings/config.ts"] })).toEqual([
      "src/jobs/htan/plan.ts (layer 3) imports src/settings/config.ts (layer 4), which is above it",
    ]);
  });

  test("reports rooms of layer 1 that know each other", () => {
    expect(check({ "src/jobs/htan/pages/atlasPage.ts": ["src/render/svg.ts"] })).toEqual([
      "src/jobs/htan/pages/atlasPage.ts imports src/render/svg.ts: rooms of layer 1 do not know each other",
    ]);
  });

  test("reports a package outside the room that owns it", () => {
    expect(
      check({
        "src/jobs/htan/pages/atlasPage.ts": ["handlebars", "node:fs/promises", "vega-lite"],
        "src/engine/run.ts": ["@aws-sdk/client-s3", "migrations/0001_ledger.ts"],
      }),
    ).toEqual([
      "src/jobs/htan/pages/atlasPage.ts imports handlebars, which only render may",
      "src/jobs/htan/pages/atlasPage.ts imports node:fs/promises, but htan is pure",
      "src/jobs/htan/pages/atlasPage.ts imports vega-lite, which only render may",
      "src/engine/run.ts imports @aws-sdk/client-s3, which only store may",
      "src/engine/run.ts imports migrations/0001_ledger.ts, which only store may",
    ]);
  });

  test("reports a cycle between files of one room", () => {
    expect(
      check({
        "src/htan/a.ts": ["src/htan/b.ts"],
        "src/htan/b.ts": ["src/htan/c.ts"],
        "src/htan/c.ts": ["src/htan/b.ts"],
      }),
    ).toEqual(["a cycle: src/htan/b.ts → src/htan/c.ts → src/htan/b.ts"]);
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
    expect(graph.get("src/main.ts")).toContain("src/commands/run.ts");
  });

  test("keeps to the layer table", () => {
    expect(checkLayers(graph)).toEqual([]);
  });
});

describe("infra", () => {
  test("has no files that import each other in a circle", () => {
    const graph = readGraph("infra/*.ts");
    expect(graph.get("infra/namespaceStack.ts")).toContain("infra/distribution.ts");
    expect(findCycles(graph)).toEqual([]);
  });
});
