import { readFile, symlink } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { readArtifactSet } from "../../src/artifacts/artifactSet.ts";
import { isArtifact, readManifest, writeManifest } from "../../src/artifacts/manifest.ts";
import { digestOf } from "../../src/digest.ts";
import { loadDesign } from "../../src/render/design.ts";
import { LIST, LISTS, makeFolder, ROOT } from "./rig.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("readArtifactSet(root, from)", () => {
  test("holds all that the design and the lists are read from, and nothing else", async () => {
    const { files, leftOut } = await readArtifactSet(ROOT, null, LISTS);
    const paths = [...files.keys()];
    expect(paths.slice(0, 6)).toEqual([
      "config/cohort/1.json",
      "config/cohort/checks.json",
      "config/cohort/versions.json",
      "config/htan_components.json",
      "config/htan_labels.json",
      "config/htan_projects.csv",
    ]);
    expect(paths).toEqual(
      expect.arrayContaining(["views/htan/index.hbs", "views/partials/head.hbs"]),
    );
    expect(paths.filter((path) => /\.d\.ts$|\.json$|OFL/.test(path))).toEqual([
      "config/cohort/1.json",
      "config/cohort/checks.json",
      "config/cohort/versions.json",
      "config/htan_components.json",
      "config/htan_labels.json",
    ]);
    expect(leftOut).toEqual([]);
    const design = await loadDesign(ROOT);
    for (const name of Object.keys(design.assets.paths)) {
      const isOurs = await readFile(join(ROOT, "views/assets", name)).catch(() => null);
      if (isOurs !== null) expect(paths).toContain(`views/assets/${name}`);
    }
    const list = files.get("config/htan_projects.csv");
    const content = await readFile(join(ROOT, "config/htan_projects.csv"));
    expect([list?.sha256, list?.bytes]).toEqual([digestOf(content), content.byteLength]);
  });

  test("lays the files of another folder over its own, so that none is ever missing", async () => {
    const from = await makeFolder({
      "config/htan_projects.csv": LIST,
      "config/notes.txt": "mine",
      "views/index.hbs": "a page of which no template has this place",
      "views/assets/größe + 1%2F2.css": "p {}",
      "elsewhere/x.css": "p {}",
    });
    const own = await readArtifactSet(ROOT, null, LISTS);
    const { files, leftOut } = await readArtifactSet(ROOT, from, LISTS);
    expect(leftOut).toEqual(["config/notes.txt", "views/index.hbs"]);
    expect(files.get("config/htan_projects.csv")?.sha256).toBe(digestOf(LIST));
    expect([...files.keys()].filter((path) => !own.files.has(path))).toEqual([
      "views/assets/größe + 1%2F2.css",
    ]);
    expect([...own.files.keys()].filter((path) => !files.has(path))).toEqual([]);
  });

  test("follows a link to a file: a list is often one", async () => {
    const elsewhere = await makeFolder({ "list.csv": LIST });
    const from = await makeFolder({ "config/notes.txt": "" });
    await symlink(join(elsewhere, "list.csv"), join(from, "config", "htan_projects.csv"));
    const { files } = await readArtifactSet(ROOT, from, LISTS);
    expect(files.get("config/htan_projects.csv")?.sha256).toBe(digestOf(LIST));
  });

  test("refuses a link into nowhere, naming it", async () => {
    const from = await makeFolder({ "config/notes.txt": "" });
    await symlink(join(from, "none.csv"), join(from, "config", "htan_projects.csv"));
    await expect(readArtifactSet(ROOT, from, LISTS)).rejects.toMatchObject({
      kind: "config",
      message: expect.stringMatching(/config\/htan_projects\.csv cannot be read: ENOENT/) as string,
    });
  });

  test("refuses a folder in which hdash reads nothing: a name may be misspelt", async () => {
    const from = await makeFolder({ "config/htan_project.csv": LIST });
    await expect(readArtifactSet(ROOT, from, LISTS)).rejects.toMatchObject({
      kind: "usage",
      message: `${from} holds no artifacts: hdash does not read config/htan_project.csv`,
    });
  });

  test("refuses a folder with neither config/ nor views/", async () => {
    const from = await makeFolder({ "htan_projects.csv": LIST });
    await expect(readArtifactSet(ROOT, from, LISTS)).rejects.toMatchObject({
      kind: "usage",
      message: `${from} holds no artifacts: there is nothing in config/ or views/`,
    });
  });

  test("refuses what the next run would stumble over, and names every file of it", async () => {
    const from = await makeFolder({
      "config/htan_projects.csv": "id,atlas_id,name,liaison\n123,HTA1,One,\n",
      "config/htan_components.json": "[{}]",
      "views/htan/index.hbs": "{{#if x}}",
    });
    const refusal = await readArtifactSet(ROOT, from, LISTS).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ kind: "config" });
    const lines = String(refusal).split("\n").slice(1);
    expect(lines.filter((line) => /^ {2}\S/.test(line)).map((line) => line.split(":")[0])).toEqual([
      "  config/htan_projects.csv",
      "  config/htan_components.json",
      "  views/htan/index.hbs",
    ]);
    expect(String(refusal)).toContain('"123"');
  });

  test("takes versions of a schema that hdash itself does not have, and checks each by its name", async () => {
    const first = JSON.parse(await readFile(join(ROOT, "config/cohort/1.json"), "utf8")) as object;
    const schema = (version: number) => JSON.stringify({ ...first, version });
    const versions = (latest: number) => JSON.stringify({ latest_version: latest, rules: [] });
    const named = { "config/cohort/versions.json": versions(2) };
    const whole = await makeFolder({ ...named, "config/cohort/2.json": schema(2) });
    const { files, leftOut } = await readArtifactSet(ROOT, whole, LISTS);
    expect([...files.keys()].filter((path) => path.startsWith("config/cohort/"))).toEqual([
      ...["config/cohort/1.json", "config/cohort/2.json", "config/cohort/checks.json"],
      "config/cohort/versions.json",
    ]);
    expect(leftOut).toEqual([]);
    const wrong = await makeFolder({ ...named, "config/cohort/3.json": schema(2) });
    await expect(readArtifactSet(ROOT, wrong, LISTS)).rejects.toMatchObject({
      kind: "config",
      message:
        "the artifacts were refused:\n" +
        "  config/cohort/versions.json: it names config/cohort/2.json, which is not there\n" +
        "  config/cohort/3.json: version is 2, and its name says another",
    });
  });

  test("refuses a template that asks for a partial there is not, on whatever way", async () => {
    const from = await makeFolder({
      "views/site/list.hbs": "{{#if runs}}\n{{> table}}{{else}}{{> tabel}}{{/if}}",
      "views/partials/foot.hbs": "{{#each x}}{{> no/such this}}{{/each}}",
    });
    await expect(readArtifactSet(ROOT, from, LISTS)).rejects.toMatchObject({
      kind: "config",
      message:
        "the artifacts were refused:\n" +
        "  views/partials/foot.hbs: there is no partial no/such, which line 1 asks for\n" +
        "  views/site/list.hbs: there is no partial tabel, which line 2 asks for",
    });
  });

  test("takes partials that come with the folder, and blocks that need none", async () => {
    const from = await makeFolder({
      "views/site/list.hbs":
        "{{> new/one}}{{#> frame}}{{> table}}{{/frame}}{{#> nothing}}b{{/nothing}}",
      "views/partials/frame.hbs": "<b>{{> @partial-block}}</b>",
      "views/partials/new/one.hbs": "1",
    });
    const { files } = await readArtifactSet(ROOT, from, LISTS);
    expect(files.has("views/partials/new/one.hbs")).toBe(true);
  });

  test("refuses a list that is not UTF-8", async () => {
    const from = await makeFolder({ "config/x": "" });
    const { writeFile } = await import("node:fs/promises");
    await writeFile(join(from, "config/htan_projects.csv"), Buffer.from([0xff, 0xfe, 0x41]));
    await expect(readArtifactSet(ROOT, from, LISTS)).rejects.toMatchObject({ kind: "config" });
  });
});

describe("isArtifact(path)", () => {
  test.each([
    ["config/htan_projects.csv", true],
    ["config/other.csv", true],
    ["config/other.txt", false],
    ["config/cohort/1.json", true],
    ["config/a/b/1.json", false],
    ["config/../1.json", false],
    ["views/htan/index.hbs", true],
    ["views/partials/a b.hbs", true],
    ["views/site.css", false],
    ["views/assets/site.css", true],
    ["views/assets/fonts/inter-400.woff2", true],
    ["views/assets/tsconfig.json", false],
    ["src/main.ts", false],
  ])("%s: %j", (path, expected) => {
    expect(isArtifact(path)).toBe(expected);
  });
});

describe("readManifest(bytes)", () => {
  const file = { path: "views/a.hbs", bytes: 3, sha256: "0".repeat(64), etag: "e" };
  const manifest = {
    ...{ version: "1.0.0", revision: "0123456789abcdef", uploadedAt: "2026-11-21T10:00:00.000Z" },
    files: [file],
  };

  test("reads what was written, with the commit and without", () => {
    expect(readManifest(writeManifest(manifest))).toEqual(manifest);
    const unknown = { ...manifest, revision: null };
    expect(readManifest(writeManifest(unknown))).toEqual(unknown);
    const { revision: _revision, ...older } = manifest;
    expect(readManifest(bytesOf(JSON.stringify(older)))).toEqual(unknown);
  });

  test.each([
    ["no JSON", "{"],
    ["no object", "null"],
    ["no version", { ...manifest, version: 1 }],
    ["no commit", { ...manifest, revision: "\n" }],
    ["no instant", { ...manifest, uploadedAt: "yesterday" }],
    ["no files", { ...manifest, files: {} }],
    ["a file twice", { ...manifest, files: [file, file] }],
    ["a path that climbs", { ...manifest, files: [{ ...file, path: "views/../../a.hbs" }] }],
    ["a path elsewhere", { ...manifest, files: [{ ...file, path: "src/a.hbs" }] }],
    ["an absolute path", { ...manifest, files: [{ ...file, path: "/views/a.hbs" }] }],
    ["a path with a backslash", { ...manifest, files: [{ ...file, path: "views/a\\b.hbs" }] }],
    ["a size that is none", { ...manifest, files: [{ ...file, bytes: -1 }] }],
    ["a digest that is none", { ...manifest, files: [{ ...file, sha256: "x" }] }],
    ["no etag", { ...manifest, files: [{ ...file, etag: null }] }],
  ])("takes %s for no manifest", (_what, value) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    expect(readManifest(bytesOf(text))).toBeNull();
  });

  test("takes bytes that are no UTF-8 for no manifest", () => {
    expect(readManifest(new Uint8Array([0xff, 0xfe]))).toBeNull();
  });
});
