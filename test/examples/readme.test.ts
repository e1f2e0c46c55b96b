// What each example says of itself holds: its commands are run as they stand, and print what is shown.

import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { blocksOfMarkdown, workThrough } from "../support/docBlocks.ts";
import { missingPrograms } from "./support/programs.ts";

const EXAMPLES = join(import.meta.dirname, "../../examples");
const names = (await readdir(EXAMPLES)).filter((name) => /^\d\d-/.test(name)).sort();
const why = missingPrograms();
if (why !== null) console.warn(why);

describe("the examples", () => {
  test("are numbered, from 01 on, each in a folder of its own", () => {
    expect(names.map((name) => Number(name.slice(0, 2)))).toEqual([1, 2, 3, 4, 5]);
  });
});

describe.each(names)("examples/%s/README.md", (name) => {
  test.skipIf(name === "04-align" && why !== null)(
    "says in a few lines what it shows, and what comes out",
    async () => {
      const text = await readFile(join(EXAMPLES, name, "README.md"), "utf8");
      expect(text.split("\n").length).toBeLessThan(40);
      const dir = await mkdtemp(join(tmpdir(), "hdash-readme-"));
      try {
        await cp(join(EXAMPLES, name), dir, { recursive: true });
        const blocks = blocksOfMarkdown(text);
        expect(blocks.map(({ language }) => language)).toContain("console");
        expect(await workThrough(blocks, dir)).toEqual([]);
      } finally {
        await rm(dir, { recursive: true, force: true });
      }
    },
  );
});
