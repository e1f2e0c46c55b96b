import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { blocksOfMarkdown, differenceOf, fileOf, workThrough } from "./docBlocks.ts";

const block = (language: string, text: string) => ({ language, text, line: 1 });

describe("blocksOfMarkdown(text)", () => {
  test("finds fenced blocks with the lines that they begin in", () => {
    expect(blocksOfMarkdown("# A\n\n```ts\nlet a;\n```\n\n```console\n$ ls\n```\n")).toEqual([
      { language: "ts", text: "let a;\n", line: 4 },
      { language: "console", text: "$ ls\n", line: 8 },
    ]);
  });

  test("refuses a block without an end", () => {
    expect(() => blocksOfMarkdown("```ts\nlet a;\n")).toThrow("the block of line 2 has no end");
  });
});

describe("fileOf(block)", () => {
  test.each([
    ["// kmer.ts\n", "kmer.ts"],
    ["// lib/steps.ts: the steps\n", "lib/steps.ts"],
    ["// words of kmer.ts\n", null],
    ["export {};\n// kmer.ts\n", null],
  ])("of %j is %j", (text, file) => expect(fileOf(block("ts", text))).toBe(file));

  test("is null for what is no TypeScript", () => {
    expect(fileOf(block("js", "// kmer.ts\n"))).toBeNull();
  });
});

describe("differenceOf(shown, printed)", () => {
  test.each([
    ["12:00:00 done in 12 ms", "09:31:07 done in 1.5 s"],
    ["file 9f14025af006", "file 0123456789ab"],
    ["a … z", "a b c z"],
  ])("takes %j for %j", (shown, printed) => {
    expect(differenceOf([shown], [printed])).toBeNull();
  });

  test("takes … for any lines, and none", () => {
    expect(differenceOf(["…", "b", "…"], ["a", "a", "b", "c"])).toBeNull();
    expect(differenceOf(["…", "b"], ["b"])).toBeNull();
  });

  test.each<[readonly string[], readonly string[], string]>([
    [["3 hits"], ["2 hits"], "3 hits\n  is shown, but printed was\n2 hits"],
    [["a", "b"], ["a"], "b\n  was not printed"],
    [["a"], ["a", "b"], "b\n  was printed, and is not shown"],
    [["…", "b"], ["a", "c"], "b\n  was not printed"],
    [["a.c"], ["abc"], "a.c\n  is shown, but printed was\nabc"],
  ])("says what is not so: %j, %j", (shown, printed, says) => {
    expect(differenceOf(shown, printed)).toBe(says);
  });
});

describe("workThrough(blocks, dir)", () => {
  test("writes files, runs commands in the folder, and says which block is wrong", async () => {
    const dir = await mkdtemp(join(tmpdir(), "hdash-blocks-"));
    try {
      const text = [
        ...["```ts", "// lib/a.ts", "export const a = 1;", "```"],
        ...["```sh", "echo made > b.txt", "```"],
        ...["```console", "$ cat lib/a.ts b.txt", "// lib/a.ts", "export const a = 1;", "made"],
        ...["$ echo one; echo two >&2", "one", "two", "$ false", "$ echo 3 hits", "2 hits", "```"],
        ...["```text", "$ never", "```", "```sh", "false; true", "```"],
      ].join("\n");
      const problems = await workThrough(blocksOfMarkdown(text), dir);
      expect(problems).toEqual([
        "line 9: $ false ended with 1: ",
        "line 9: $ echo 3 hits\n2 hits\n  is shown, but printed was\n3 hits\nof\n3 hits\n",
        "line 24: ended with 1: ",
      ]);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });

  test("has hdash by its name", async () => {
    const dir = await mkdtemp(join(tmpdir(), "hdash-blocks-"));
    try {
      expect(await workThrough([block("sh", "hdash --version\n")], dir)).toEqual([]);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });
});
