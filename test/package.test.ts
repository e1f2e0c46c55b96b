// The package that `npm pack` makes, in an empty folder: it brings the programs, and the typed import of users' pipelines.

import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
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
  return inFolder(app, program, ...args);
}

function inFolder(cwd: string, program: string, ...args: readonly string[]): Promise<Ended> {
  const PATH = `${join(app, "node_modules/.bin")}:${process.env["PATH"] ?? ""}`;
  const env = { PATH, TZ: "UTC", NO_COLOR: "1", HDASH_HOME: join(app, "home"), HOME: dir };
  return new Promise((resolve) => {
    execFile(program, args, { cwd, env }, (error, stdout, stderr) =>
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
    expect([...tops].filter((top) => !/^(config|starters|views)\//.test(top))).toEqual([
      ...["LICENSE", "dist/examples", "dist/migrations", "dist/src", "dist/types", "package.json"],
    ]);
    expect(tops).toContain("views/partials");
    expect(tops).toContain("config/cohort");
    expect(tops).toContain("starters/function");
    const typed = paths.filter((path) => /^dist\/.*\.ts$/.test(path));
    expect(typed).toContain("dist/types/index.d.ts");
    expect(typed.filter((path) => !path.startsWith("dist/types/"))).toEqual([]);
    // What the import is made of, and nothing of what runs it.
    expect(
      typed.filter(
        (path) =>
          !/types\/(index|error|address|digest|jobs\/analysis\/writing\/\w+)\.d\.ts$/.test(path),
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
      ...["boolean", "choice", "command", "container", "data", "file", "folder", "integer", "json"],
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

  test("begins pipelines that run at once and of which its compiler finds nothing, in it and elsewhere", async () => {
    const begun = await inApp("hdash", "init-pipeline", "mine");
    expect(begun.code, begun.stderr).toBe(0);
    expect(begun.stdout).toContain("  npx hdash run ./pipeline.ts --sheet data/samples.csv");
    const mine = join(app, "mine");
    expect(await readFile(join(mine, "tsconfig.json"), "utf8")).not.toContain("paths");

    // Where nobody has installed it, the types are a copy.
    const other = join(dir, "other");
    const elsewhere = await inApp("hdash", "init-pipeline", other);
    expect(elsewhere.stdout).toContain("\n  hdash check ./pipeline.ts\n");
    const { devDependencies } = JSON.parse(await readFile(join(other, "package.json"), "utf8")) as {
      readonly devDependencies: object;
    };
    expect(Object.keys(devDependencies)).toEqual(["@types/node", "typescript"]);
    await mkdir(join(other, "node_modules/@types"), { recursive: true });
    for (const name of ["@types/node", "undici-types"]) {
      await symlink(join(ROOT, "node_modules", name), join(other, "node_modules", name));
    }
    for (const folder of [mine, other]) {
      const compiled = await inFolder(folder, "tsc", "-p", ".");
      expect(compiled.stdout + compiled.stderr).toBe("");
      const checked = await inFolder(folder, "hdash", "check", "./pipeline.ts");
      expect(checked).toEqual({ code: 0, stdout: "pipeline.ts: nothing found\n", stderr: "" });
    }
  });

  test("finds the compiler of the pipeline's folder where it has none itself, and says where there is none", async () => {
    const own = join(app, "node_modules/typescript");
    const away = join(dir, "typescript");
    const lab = join(dir, "lab");
    await mkdir(join(lab, "node_modules"), { recursive: true });
    const words = await readFile(join(app, "words.ts"), "utf8");
    await writeFile(join(lab, "package.json"), '{ "type": "module" }\n');
    await writeFile(join(lab, "words.ts"), words.replace("run(count, { book })", "run(count, {})"));
    const check = () => inFolder(lab, "hdash", "check", "./words.ts");
    await rename(own, away);
    try {
      const without = await check();
      expect([without.code, without.stderr]).toEqual([0, ""]);
      expect(without.stdout.split("\n")).toEqual([
        "words.ts:1:1: note: types were not looked at: there is no TypeScript here",
        "    Install it in the folder of the pipeline: npm install --save-dev typescript@6",
        "words.ts: 1 note; types were not looked at",
        "",
      ]);
      await symlink(away, join(lab, "node_modules/typescript"));
      const withOne = await check();
      expect(withOne.code).toBe(1);
      expect(withOne.stdout).toContain("(TS2345)");
      // A later one may have no compiler that can be called.
      await rm(join(lab, "node_modules/typescript"));
      await mkdir(join(lab, "node_modules/typescript"));
      await writeFile(join(lab, "node_modules/typescript/index.js"), "module.exports = {};\n");
      expect((await check()).stdout).toContain("there is no TypeScript here");
    } finally {
      await rename(away, own);
    }
  });
});
