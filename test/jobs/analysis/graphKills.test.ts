import { describe, expect, inject, test } from "vitest";

import { playGraphRound } from "./support/graphKills.ts";

// node bench/kills.ts --graphs plays hundreds.
const ROUNDS = [0, 1, 2, 3, 4];
const SEED = 3;

describe("random graphs in workers that are killed at random times", () => {
  test.each(ROUNDS)(
    "give what they give in peace, and leave nothing behind (round %i)",
    async (round) => {
      const played = await playGraphRound(inject("postgres"), SEED, round);
      expect(played).toMatchObject({ problems: [] });
    },
  );
});
