import { realpath, symlink } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { digestOf } from "../../../../src/digest.ts";
import {
  digestIn,
  type Files,
  makeFolder,
  newReader,
  refusalIn,
  write,
} from "./support/pipelineFolder.ts";

type Entries = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const ENTRIES: Entries = {
  "": { name: "mine", dependencies: { near: "^1", other: "^1", "@s/name": "^1" } },
  "node_modules/near": { version: "1.0.0", integrity: "sha512-near", dependencies: { far: "^1" } },
  "node_modules/far": {
    ...{ version: "1.0.0", integrity: "sha512-far" },
    ...{ dependencies: { farther: "^1" }, peerDependencies: { near: "*", none: "*" } },
  },
  "node_modules/farther": { version: "3.0.0", integrity: "sha512-farther3" },
  "node_modules/far/node_modules/farther": { version: "1.0.0", integrity: "sha512-farther1" },
  "node_modules/other": { version: "1.0.0", integrity: "sha512-other" },
  "node_modules/@s/name": { version: "1.0.0", integrity: "sha512-name" },
};

function lock(entries: Entries, version = 3): string {
  return JSON.stringify({ name: "mine", lockfileVersion: version, packages: entries });
}

function withEntry(place: string, change: Readonly<Record<string, unknown>>): Files {
  return { "package-lock.json": lock({ ...ENTRIES, [place]: { ...ENTRIES[place], ...change } }) };
}

const FILES: Files = {
  "package.json": '{ "type": "module" }',
  "pipeline.ts": 'import "./lib/a.ts"; import fs from "fs"; export default fs;',
  "lib/a.ts": 'import near from "near/sub/path.js"; export default near;',
  "package-lock.json": lock(ENTRIES),
};

/** What of packages the code of a pipeline holds, and what it notes. */
async function packagesOf(files: Files) {
  const folder = await makeFolder(files);
  const { packages, notes } = await newReader().codeOf(join(folder, "pipeline.ts"));
  return { packages, notes };
}

function installed(name: string, version: string): Files {
  return { [`node_modules/${name}/package.json`]: JSON.stringify({ name, version }) };
}

describe("codeOf(path), of packages in npm's lockfile", () => {
  test("lists all that is reached, by name, version and checksum", async () => {
    expect(await packagesOf(FILES)).toEqual({
      packages: [
        { name: "far", version: "1.0.0", integrity: "sha512-far" },
        { name: "farther", version: "1.0.0", integrity: "sha512-farther1" },
        { name: "near", version: "1.0.0", integrity: "sha512-near" },
      ],
      notes: [],
    });
  });

  test.each<[string, Files]>([
    ["a package's version", withEntry("node_modules/near", { version: "1.0.1" })],
    ["a package's checksum", withEntry("node_modules/near", { integrity: "sha512-x" })],
    ["what it needs", withEntry("node_modules/near", { dependencies: {} })],
    ["a package that it needs", withEntry("node_modules/far", { integrity: "sha512-x" })],
    [
      "a package that that needs",
      withEntry("node_modules/far/node_modules/farther", { version: "1.0.1" }),
    ],
    [
      "what may be needed",
      withEntry("node_modules/near", { optionalDependencies: { other: "1" } }),
    ],
    [
      "which of two versions a package is given",
      { "lib/a.ts": 'import near from "near/sub/path.js"; import "farther"; export default near;' },
    ],
  ])("changes the digest with %s", async (_, change) => {
    const folder = await makeFolder(FILES);
    const before = await digestIn(folder);
    await write(folder, change);
    expect(await digestIn(folder)).not.toBe(before);
  });

  test.each<[string, Files]>([
    ["a package that nobody reaches", withEntry("node_modules/other", { version: "2.0.0" })],
    ["another version of one", withEntry("node_modules/farther", { version: "3.0.1" })],
    ["the lockfile's own words", { "package-lock.json": lock(ENTRIES, 2).replaceAll(",", ",\n") }],
    ["what is only developed with", withEntry("", { devDependencies: { other: "1" } })],
    [
      "where it came from",
      withEntry("node_modules/near", { resolved: "https://r.example/near.tgz" }),
    ],
    ["whether it is installed", installed("near", "1.0.0")],
    ["its lockfile's name", { "package-lock.json": null, "npm-shrinkwrap.json": lock(ENTRIES) }],
    ["that another program has one too", { "yarn.lock": "# yarn" }],
    [
      "where in node_modules a package stands",
      {
        "package-lock.json": lock({
          ...ENTRIES,
          "node_modules/farther": ENTRIES["node_modules/far/node_modules/farther"] ?? {},
          "node_modules/far/node_modules/farther": {},
        }).replace(',"node_modules/far/node_modules/farther":{}', ""),
      },
    ],
  ])("keeps the digest whatever %s", async (_, change) => {
    const folder = await makeFolder(FILES);
    const before = await digestIn(folder);
    await write(folder, change);
    expect(await digestIn(folder)).toBe(before);
  });

  test("tells who is given which of two versions", async () => {
    const [one, two] = [
      { version: "1.0.0", integrity: "sha512-1" },
      { version: "2.0.0", integrity: "sha512-2" },
    ];
    const needy = (name: string) => ({
      ...{ version: "1.0.0", integrity: `sha512-${name}` },
      dependencies: { far: "*" },
    });
    const files = (top: Entries[string], nested: Entries[string]): Files => ({
      "pipeline.ts": 'import "near"; import "other";',
      "package-lock.json": lock({
        "node_modules/near": needy("near"),
        "node_modules/other": needy("other"),
        "node_modules/far": top,
        "node_modules/near/node_modules/far": nested,
      }),
    });
    const [a, b] = [await makeFolder(files(one, two)), await makeFolder(files(two, one))];
    const [codeA, codeB] = [
      await newReader().codeOf(join(a, "pipeline.ts")),
      await newReader().codeOf(join(b, "pipeline.ts")),
    ];
    expect(codeA.packages).toEqual(codeB.packages);
    expect(codeA.digest).not.toBe(codeB.digest);
  });

  test("counts a package that comes from git by its commit, under its own name", async () => {
    const files = (commit: string): Files => ({
      ...FILES,
      ...withEntry("node_modules/near", {
        ...{ name: "@real/near", integrity: undefined, dependencies: undefined },
        resolved: `git+ssh://git@example.org/near.git#${commit}`,
      }),
    });
    expect(await packagesOf(files("c0ffee"))).toEqual({
      packages: [{ name: "@real/near", version: "1.0.0", integrity: "c0ffee" }],
      notes: [],
    });
  });

  test("notes a package of which the lockfile has no checksum", async () => {
    const change = withEntry("node_modules/near", { integrity: undefined, dependencies: {} });
    expect(await packagesOf({ ...FILES, ...change })).toEqual({
      packages: [{ name: "near", version: "1.0.0", integrity: null }],
      notes: [
        {
          ...{ path: "lib/a.ts", line: 1 },
          says: "near counts by name and version alone: package-lock.json has no checksum of it",
        },
      ],
    });
  });

  test("counts every byte of a package that is linked, and what that needs", async () => {
    const files = {
      ...FILES,
      "packages/near/package.json": '{ "name": "near", "version": "7.0.0" }',
      "packages/near/sub/path.js": "export default 1;",
      "package-lock.json": lock({
        "node_modules/near": { resolved: "packages/near", link: true },
        "packages/near": { version: "7.0.0", dependencies: { other: "1" } },
        "node_modules/other": ENTRIES["node_modules/other"] ?? {},
      }),
    };
    const folder = await makeFolder(files);
    await write(folder, { "node_modules/.keep": "" });
    await symlink("../packages/near", join(folder, "node_modules/near"));
    const code = await newReader().codeOf(join(folder, "pipeline.ts"));
    expect(code.packages.map(({ name, version }) => `${name}@${version}`)).toEqual([
      ...["near@7.0.0", "other@1.0.0"],
    ]);
    expect(code.notes.map(({ says }) => says)).toEqual([
      "near is linked: every byte of its folder counts, but no file outside of it",
    ]);
    await write(folder, {
      "packages/near/node_modules/x/index.js": "",
      "packages/near/.git/HEAD": "",
    });
    expect(await digestIn(folder)).toBe(code.digest);
    await write(folder, { "packages/near/sub/path.js": "export default 1; // one" });
    expect(await digestIn(folder)).not.toBe(code.digest);
  });

  test("leaves hdash out, whoever needs it", async () => {
    const files = {
      "pipeline.ts": 'import "hdash"; import "near";',
      "package-lock.json": lock({
        "node_modules/near": {
          ...{ version: "1.0.0", integrity: "sha512-near" },
          peerDependencies: { hdash: "*" },
        },
        "node_modules/hdash": { version: "1.0.0", dependencies: { other: "1" } },
        "node_modules/other": { version: "1.0.0" },
      }),
    };
    const { packages } = await packagesOf(files);
    expect(packages.map(({ name }) => name)).toEqual(["near"]);
  });

  test("counts for a module only what it reaches", async () => {
    const folder = await makeFolder({
      ...FILES,
      "pipeline.ts": 'import "./lib/a.ts"; import "./lib/b.ts";',
      "lib/b.ts": 'import "@s/name";',
    });
    const packages = async (path: string) =>
      (await newReader().codeOf(join(folder, path))).packages.map(({ name }) => name);
    expect(await packages("lib/b.ts")).toEqual(["@s/name"]);
    expect(await packages("pipeline.ts")).toEqual(["@s/name", "far", "farther", "near"]);
    const closures = async () =>
      new Map(
        (await newReader().closuresOf(join(folder, "pipeline.ts"))).map((one) => [
          one.path,
          one.digest,
        ]),
      );
    const before = await closures();
    await write(folder, withEntry("node_modules/far", { version: "1.0.9" }));
    const after = await closures();
    expect(after.get("lib/b.ts")).toBe(before.get("lib/b.ts"));
    expect(after.get("lib/a.ts")).not.toBe(before.get("lib/a.ts"));
  });

  test("refuses another version than the lockfile's, of what is needed too", async () => {
    const folder = await realpath(await makeFolder({ ...FILES, ...installed("far", "1.0.7") }));
    expect(await refusalIn(folder, newReader().codeOf(join(folder, "pipeline.ts")))).toEqual({
      says: "node_modules/far is version 1.0.7, but package-lock.json says 1.0.0",
      hint: "Install what the lockfile names: npm ci",
    });
  });

  test.each<[string, Files, string]>([
    [
      "of version 1",
      { "package-lock.json": '{ "lockfileVersion": 1, "dependencies": {} }' },
      "package-lock.json is a lockfile of version 1, which hdash does not read",
    ],
    [
      "that holds no JSON",
      { "package-lock.json": "<<<<<<< ours" },
      "package-lock.json: Unexpected token '<', \"<<<<<<< ours\" is not valid JSON",
    ],
    [
      "with a link that leads nowhere",
      { "package-lock.json": lock({ "node_modules/near": { resolved: "gone", link: true } }) },
      "a linked package holds gone, which cannot be read",
    ],
  ])("refuses a lockfile %s", async (_, change, says) => {
    const folder = await realpath(await makeFolder({ ...FILES, ...change }));
    const work = newReader().codeOf(join(folder, "pipeline.ts"));
    expect((await refusalIn(folder, work)).says).toBe(says);
  });
});

describe("codeOf(path), of packages without npm's lockfile", () => {
  const BARE: Files = { ...FILES, "package-lock.json": null };
  const without = ({ "package-lock.json": _, ...files }: Files): Files => files;

  test("counts name and version, and notes it once", async () => {
    const files = {
      ...without(BARE),
      ...installed("near", "1.2.3"),
      "pipeline.ts": 'import "./lib/a.ts";\nimport "near";',
    };
    expect(await packagesOf(files)).toEqual({
      packages: [{ name: "near", version: "1.2.3", integrity: null }],
      notes: [
        {
          ...{ path: "lib/a.ts", line: 1 },
          says: "near counts by name and version alone: there is no lockfile",
        },
      ],
    });
  });

  test("changes the digest with the version that is installed", async () => {
    const folder = await makeFolder({ ...without(BARE), ...installed("near", "1.2.3") });
    const before = await digestIn(folder);
    await write(folder, installed("near", "1.2.4"));
    expect(await digestIn(folder)).not.toBe(before);
  });

  test("counts a package that the lockfile does not name like one without a lockfile", async () => {
    const files = { ...FILES, ...installed("new", "1.0.0"), "pipeline.ts": 'import "new";' };
    expect(await packagesOf(files)).toEqual({
      packages: [{ name: "new", version: "1.0.0", integrity: null }],
      notes: [
        {
          ...{ path: "pipeline.ts", line: 1 },
          says: "new counts by name and version alone: package-lock.json does not name it",
        },
      ],
    });
  });

  test.each(["pnpm-lock.yaml", "yarn.lock", "bun.lock"])(
    "counts every byte of %s, and says so",
    async (file) => {
      const files = { ...without(BARE), ...installed("near", "1.2.3"), [file]: "a: 1\n" };
      expect(await packagesOf(files)).toEqual({
        packages: [
          { name: "near", version: "1.2.3", integrity: null },
          { name: file, version: "", integrity: `sha256-${digestOf("a: 1\n")}` },
        ].sort((a, b) => (a.name < b.name ? -1 : 1)),
        notes: [
          {
            ...{ path: "lib/a.ts", line: 1 },
            says: `any change of ${file} counts as a change of code`,
          },
        ],
      });
      const folder = await makeFolder(files);
      const before = await digestIn(folder);
      await write(folder, { [file]: "a: 2\n" });
      expect(await digestIn(folder)).not.toBe(before);
    },
  );

  test.each<[string, Files, string, string | null]>([
    [
      "a package that is not there",
      {},
      'lib/a.ts:1 imports "near/sub/path.js", which is neither installed nor in a lockfile',
      'Did you mean a file of your own, "./near/sub/path.js"?',
    ],
    [
      "a package of a scope that is not there",
      { "lib/a.ts": '\nimport "@s/near/sub";' },
      'lib/a.ts:2 imports "@s/near/sub", which is neither installed nor in a lockfile',
      "Install it: npm install @s/near",
    ],
    [
      "what is no name",
      { "lib/a.ts": '\nimport ".near";' },
      'lib/a.ts:2 imports ".near", which is no name of a package',
      null,
    ],
    [
      "a package that imports itself",
      { "package.json": '{ "name": "near", "exports": "./a.js" }' },
      'lib/a.ts:1 imports "near/sub/path.js", which is the package that it is in itself',
      "Import the file by its path, or by a name that begins with #.",
    ],
  ])("refuses %s", async (_, change, says, hint) => {
    const folder = await realpath(await makeFolder({ ...without(BARE), ...change }));
    const work = newReader().codeOf(join(folder, "pipeline.ts"));
    expect(await refusalIn(folder, work)).toEqual({ says, hint });
  });
});
