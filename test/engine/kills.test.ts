import { describe, expect, inject, test } from "vitest";

import { playCalm, playRound } from "./kills.ts";

// make bench BENCH=kills plays hundreds.
const ROUNDS = 5;
const SEED = 1;

describe("workers that are killed at random times", () => {
  test("leave the pages and the ledger of one that was not, and do no known step again", async () => {
    const server = inject("postgres");
    const calm = await playCalm(server);
    expect(Object.keys(calm.site)).toEqual(["A.html", "B.html", "index.html"]);
    for (let round = 0; round < ROUNDS; round++) {
      expect(await playRound(server, calm, SEED, round)).toMatchObject({ problems: [] });
    }
  }, 300_000);
});
