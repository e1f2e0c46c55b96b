import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { describe, expect, onTestFinished, test } from "vitest";

import { findArea } from "./area.ts";
import { findTests } from "./sharing.ts";

/** Files of a small house: a job of two tests, another job, and tests elsewhere that import from the first or from one with a like name. */
const FILES: Readonly<Record<string, string>> = {
  "src/jobs/toy/job.ts": "",
  "src/jobs/toybox/job.ts": "",
  "test/jobs/toy/job.test.ts": 'import "../../../src/jobs/toy/job.ts";',
  "test/jobs/toy/data/ids.test.ts": "",
  "test/jobs/toybox/job.test.ts": "",
  "test/e2e/run.test.ts": 'import { toy } from "../../src/jobs/toy/job.ts";',
  "test/e2e/box.test.ts": 'import { box } from "../../src/jobs/toybox/job.ts";',
  "test/retry.test.ts": 'import { retry } from "../src/retry.ts";',
  "infra/test/task.test.ts": "",
};

async function makeHouse(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "hdash-area-"));
  onTestFinished(() => rm(root, { recursive: true }));
  for (const [path, text] of Object.entries(FILES)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

describe("findTests(root)", () => {
  test("finds every test, also those of the stacks", async () => {
    const tests = Object.keys(FILES).filter((path) => path.endsWith(".test.ts"));
    expect(findTests(await makeHouse())).toEqual(tests.sort());
  });
});

describe("findArea(name, root)", () => {
  test.each(["jobs/toy", "jobs/toy/"])(
    "has the tests of %s and those that import from it, and no others",
    async (name) => {
      expect(findArea(name, await makeHouse())).toEqual({
        places: ["src/jobs/toy", "test/jobs/toy", "test/e2e/run.test.ts"],
        tests: [
          "test/e2e/run.test.ts",
          "test/jobs/toy/data/ids.test.ts",
          "test/jobs/toy/job.test.ts",
        ],
      });
    },
  );

  test("takes an area that has tests alone", async () => {
    expect(findArea("e2e", await makeHouse())).toEqual({
      places: ["test/e2e"],
      tests: ["test/e2e/box.test.ts", "test/e2e/run.test.ts"],
    });
  });

  test.each([
    ["jobs/none", "test/jobs/none"],
    [".", "test"],
    ["../src", "src"],
    ["jobs/to", "test/jobs/to"],
  ])("says what there is instead of %s", async (name, folder) => {
    expect(findArea(name, await makeHouse())).toBe(
      `AREA is ${name}, but there are no tests below ${folder}; there are e2e, jobs/toy, jobs/toybox`,
    );
  });
});
