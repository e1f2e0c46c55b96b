import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { hdashUtil } from "../../support/command.ts";

const FIXTURES = join(import.meta.dirname, "../../fixtures");
const MODEL = join(FIXTURES, "htan-model/model.csv");

describe("hdash-util components", () => {
  test("ends with 0 where the table lacks nothing of a model, and names what only the table has", async () => {
    const { code, stdout, stderr } = await hdashUtil(["components", MODEL], {});
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^11 templates in /);
    expect(stdout).toContain("only here RPPALevel1\n");
    expect(stdout).toMatch(/the table lacks nothing of the model\n$/);
  });

  test("ends with 1 where a table lacks components, each as the entry that it would have", async () => {
    const table = join(FIXTURES, "htan-model/table.json");
    const { code, stdout } = await hdashUtil(["components", MODEL, "--table", table], {});
    expect(code).toBe(1);
    expect(stdout).toContain('lacking   {"component":"ScRNA-seqLevel1","kind":"assay",');
    expect(stdout).toMatch(/lacks 10 components and differs in 0 components\n$/);
  });

  test("ends with 1 where the labels lack a value of the model", async () => {
    const dir = await mkdtemp(join(tmpdir(), "hdash-model-"));
    const model = join(dir, "model.csv");
    const columns = "Attribute,Valid Values,DependsOn";
    await writeFile(model, `${columns}\nTreatment Type,"Surgery, Telepathy",\n`);
    const { code, stdout } = await hdashUtil(["components", model], {});
    await rm(dir, { recursive: true });
    expect(code).toBe(1);
    expect(stdout).toContain("label     Treatment Type: Telepathy\n");
    expect(stdout).toMatch(/config\/htan_labels\.json lacks 1 value\n$/);
  });

  test.each([
    [[MODEL, "--labels", "nowhere.json"], "the list of labels nowhere.json cannot be read"],
    [["nowhere.csv"], "the data model nowhere.csv cannot be read"],
    [[MODEL, "--table", "nowhere.json"], "the component table nowhere.json cannot be read"],
    [[join(FIXTURES, "htan/atlases.csv")], "it has no columns Attribute and DependsOn"],
    [[MODEL, "--table", MODEL], "the component table"],
  ])("ends with 2 and says what cannot be read of %j", async (args, message) => {
    const { code, stderr } = await hdashUtil(["components", ...args], {});
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});
