// How tests run: in UTC, without the developer's own settings and without any other host. Files that touch nothing a process has only
// once share a few (test/support/sharing.ts); every other has a process of its own.

import { availableParallelism } from "node:os";

import { configDefaults, defineConfig } from "vitest/config";

import { COMPILE_CACHE } from "./test/support/compileCache.ts";
import { isFaked, UNFAKED } from "./test/support/fakedClock.ts";
import { LongestFirst } from "./test/support/longestFirst.ts";
import { findSharing, TEST_FILES } from "./test/support/sharing.ts";

const unfaked = isFaked() ? UNFAKED : [];
const sharing = findSharing().filter((file) => !unfaked.includes(file));
const isShuffled = process.argv.some((word) => word.startsWith("--sequence.shuffle"));

const common = {
  setupFiles: ["test/support/loopback.ts"],
  // Processes that tests start with what is in their own environment find the second, too.
  env: { TZ: "UTC", NODE_COMPILE_CACHE: COMPILE_CACHE },
  // Processes, not threads: native modules (sharp) and crash tests do not share one.
  pool: "forks" as const,
  // What hangs is to end; what is slow, since the machine has other things to do, is not to fail.
  testTimeout: 600_000,
  hookTimeout: 600_000,
  expect: { poll: { timeout: 120_000 } },
  retry: 0,
  restoreMocks: true,
};

export default defineConfig({
  test: {
    passWithNoTests: false,
    allowOnly: process.env["CI"] === undefined,
    // One more than there are cores: a test of a whole run waits for its processes a third of its time.
    maxWorkers: availableParallelism() + 1,
    sequence: isShuffled ? {} : { sequencer: LongestFirst },
    projects: [
      {
        test: {
          ...common,
          ...{ name: "sharing", include: sharing, isolate: false },
        },
      },
      {
        test: {
          ...common,
          ...{
            name: "own",
            include: TEST_FILES,
            exclude: [...configDefaults.exclude, ...unfaked, ...sharing],
          },
          globalSetup: ["test/support/globalSetup.ts"],
        },
      },
    ],
  },
});
