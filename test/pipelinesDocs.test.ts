// docs/pipelines.md teaches by code: each block that names a file compiles under all that is strict, and each command prints what is shown.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import ts from "typescript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { blocksOfMarkdown, fileOf, workThrough } from "./support/docBlocks.ts";

const ROOT = join(import.meta.dirname, "..");
const text = await readFile(join(ROOT, "docs/pipelines.md"), "utf8");
const blocks = blocksOfMarkdown(text);
const files = blocks.flatMap((block) => fileOf(block) ?? []);

let dir = "";
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-docs-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** What the compiler says of files in the folder, as the house compiles its own. */
function compile(names: readonly string[]): readonly string[] {
  const { config } = ts.readConfigFile(join(ROOT, "tsconfig.json"), ts.sys.readFile) as {
    readonly config: { readonly compilerOptions: object };
  };
  const { options, errors } = ts.convertCompilerOptionsFromJson(config.compilerOptions, ROOT);
  expect(errors).toEqual([]);
  const program = ts.createProgram(
    names.map((name) => join(dir, name)),
    { ...options, typeRoots: [join(ROOT, "node_modules/@types")] },
  );
  return ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
    const line = file === undefined ? "" : file.getLineAndCharacterOfPosition(start ?? 0).line + 1;
    return `${file?.fileName.slice(dir.length + 1) ?? ""}:${line}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
  });
}

describe("docs/pipelines.md", () => {
  test("has pipelines and commands, and no file twice", () => {
    expect(files).toEqual([...new Set(files)]);
    expect(files.length).toBeGreaterThanOrEqual(4);
    expect(blocks.filter(({ language }) => language === "console").length).toBeGreaterThan(4);
  });

  test("shows what its commands print", async () => {
    expect(await workThrough(blocks, dir)).toEqual([]);
  });

  test("has files that compile, and would say so otherwise", async () => {
    await workThrough(
      [
        ...blocks.filter((block) => fileOf(block) !== null),
        { language: "ts", text: "// wrong.ts\nimport { file } from 'hdash';\nfile(1);\n", line: 1 },
      ],
      dir,
    );
    expect(compile(files)).toEqual([]);
    expect(compile(["wrong.ts"])).toEqual([expect.stringMatching(/^wrong\.ts:3: .*'string'/)]);
  });

  test("links only to headings that there are", () => {
    const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replaceAll(/[^a-z0-9 -]/g, "")
        .replaceAll(" ", "-"),
    );
    const links = [...text.matchAll(/\]\(#([^)]+)\)/g)].map(([, link]) => link ?? "");
    expect(links.length).toBeGreaterThan(5);
    expect(links.filter((link) => !headings.includes(link))).toEqual([]);
  });
});
