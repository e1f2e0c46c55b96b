import { describe, expect, inject, test } from "vitest";

import { dropClone } from "./postgresTemplate.ts";

describe("dropClone(server, name)", () => {
  test.each(["postgres", "hdash", "hdash_test_", 'hdash_test_x"; drop database hdash'])(
    "refuses to drop %s, which is not a test database",
    async (name) => {
      await expect(dropClone(inject("postgres"), name)).rejects.toThrow(
        `${name} is not a test database`,
      );
    },
  );
});
