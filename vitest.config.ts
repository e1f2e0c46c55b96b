// How tests run: every file in its own process, in UTC, without the developer's own settings and without any other host.

import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts", "infra/test/**/*.test.ts"],
    globalSetup: ["test/support/globalSetup.ts"],
    setupFiles: ["test/support/loopback.ts"],
    env: { TZ: "UTC" },
    // Processes, not threads: native modules (sharp) and crash tests do not share one.
    pool: "forks",
    testTimeout: 30_000,
    hookTimeout: 60_000,
    retry: 0,
    passWithNoTests: false,
    allowOnly: process.env["CI"] === undefined,
    restoreMocks: true,
  },
});
