// The package that `npm pack` makes, in an empty folder: it brings the programs, and the typed import of users' pipelines.

import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { Ended } from "./support/command.ts";
import { installHdash, listTarball, packHdash } from "./support/packed.ts";

const ROOT = join(import.meta.dirname, "..");
const PIPELINES = join(ROOT, "test/jobs/analysis/pipelines");

/** All that the compiler can be strict about, of a folder that knows nothing of Node. */
const STRICT = {
  ...{ target: "es2024", module: "nodenext", moduleResolution: "nodenext", lib: ["es2024"] },
  ...{ types: [], strict: true, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true },
  ...{ verbatimModuleSyntax: true, erasableSyntaxOnly: true, isolatedModules: true },
  ...{ noPropertyAccessFromIndexSignature: true, noUnusedLocals: true, noUnusedParameters: true },
  ...{ noImplicitReturns: true, noImplicitOverride: true, noFallthroughCasesInSwitch: true },
  ...{ skipLibCheck: false, allowImportingTsExtensions: true, noEmit: true },
};

let dir = "";
let app = "";
let tarball = "";

/** Runs a program of the folder that hdash is installed in. */
function inApp(program: string, ...args: readonly string[]): Promise<Ended> {
  const PATH = `${join(app, "node_modules/.bin")}:${process.env["PATH"] ?? ""}`;
  const env = { PATH, TZ: "UTC", NO_COLOR: "1", HDASH_HOME: join(app, "home"), HOME: dir };
  return new Promise((resolve) => {
    execFile(program, args, { cwd: app, env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

const put = (name: string, text: string): Promise<void> => writeFile(join(app, name), text);

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-package-"));
  app = join(dir, "app");
  await mkdir(app);
  tarball = await packHdash(join(dir, "sources"));
  await installHdash(tarball, app);
  await put("package.json", '{ "type": "module" }\n');
  await put("tsconfig.json", JSON.stringify({ compilerOptions: STRICT, include: ["*.ts"] }));
  for (const name of ["words.ts", "kmer.ts", "align.ts", "steps.ts"]) {
    const text = await readFile(join(PIPELINES, name), "utf8");
    await put(name, text.replaceAll("../../../../src/index.ts", "hdash"));
  }
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe("npm pack", () => {
  test("puts in what runs, with the types of the import alone", async () => {
    const paths = await listTarball(tarball);
    const tops = new Set(paths.map((path) => path.split("/").slice(0, 2).join("/")));
    expect([...tops].filter((top) => !/^(config|views)\//.test(top))).toEqual([
      ...["LICENSE", "dist/examples", "dist/migrations", "dist/src", "dist/types", "package.json"],
    ]);
    expect(tops).toContain("views/partials");
    expect(tops).toContain("config/cohort");
    const typed = paths.filter((path) => /^dist\/.*\.ts$/.test(path));
    expect(typed).toContain("dist/types/index.d.ts");
    expect(typed.filter((path) => !path.startsWith("dist/types/"))).toEqual([]);
    // What the import is made of, and nothing of what runs it.
    expect(
      typed.filter(
        (path) => !/types\/(index|error|jobs\/analysis\/writing\/\w+)\.d\.ts$/.test(path),
      ),
    ).toEqual([]);
  });
});

describe("the package in an empty folder", () => {
  test('gives a typed import … from "hdash", under all that the compiler can be strict about', async () => {
    const right = await inApp("tsc", "-p", ".");
    expect(right.stdout + right.stderr).toBe("");
    const words = await readFile(join(app, "words.ts"), "utf8");
    await put("wrong.ts", words.replace("run(count, { book })", "run(count, { bok: book })"));
    const wrong = await inApp("tsc", "-p", ".");
    await rm(join(app, "wrong.ts"));
    expect(wrong.code).not.toBe(0);
    expect(wrong.stdout).toMatch(/^wrong\.ts\(\d+,\d+\): error TS2561: .*'bok' does not exist/);
  });

  test("gives the import to any program of Node", async () => {
    const script = `import("hdash").then((all) => console.log(Object.keys(all).sort().join(" ")))`;
    const { stdout, stderr } = await inApp(process.execPath, "--eval", script);
    expect(stderr).toBe("");
    expect(stdout.trimEnd().split(" ")).toEqual([
      ...["boolean", "choice", "command", "container", "file", "folder", "integer", "json"],
      ...["list", "number", "optional", "pipeline", "sh", "source", "step", "table", "text"],
    ]);
  });

  test("gives hdash and hdash-util", async () => {
    const { version } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as {
      readonly version: string;
    };
    for (const program of ["hdash", "hdash-util"]) {
      const { code, stdout, stderr } = await inApp(program, "--version");
      expect([code, stdout, stderr]).toEqual([0, `hdash ${version}\n`, ""]);
    }
  });

  test("runs a pipeline with the embedded database below HDASH_HOME, and knows it again", async () => {
    await put("book.txt", "call me Ishmael\nsome years ago\n");
    const words = ["run", "./words.ts", "--book", "book.txt", "--out", "results"];
    const first = await inApp("npx", "--offline", "hdash", ...words);
    expect(first.code, first.stderr).toBe(0);
    expect(first.stderr + first.stdout).toContain("0 hits, 3 ran, 0 failed");
    expect(JSON.parse(await readFile(join(app, "results/results.json"), "utf8"))).toEqual({
      words: 6,
    });
    const again = await inApp("hdash", ...words);
    expect(again.stderr + again.stdout).toContain("3 hits, 0 ran, 0 failed");
  });

  test("brings the example that the demo runs, compiled, with its programs and its data", async () => {
    const example = join(app, "node_modules/hdash/dist/examples/02-kmer");
    const words = ["run", join(example, "kmer.js"), "--sheet", join(example, "samples.csv")];
    const ended = await inApp("hdash", ...words);
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr + ended.stdout).toContain("0 hits, 12 ran, 0 failed");
    const help = await inApp("hdash", "demo", "--help");
    expect([help.code, help.stderr]).toEqual([0, ""]);
  });
});
