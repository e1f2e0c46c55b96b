import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";

import type { S3Request } from "../../support/s3Server.ts";
import { makeRig, type Rig } from "./support/cohortRig.ts";
import { BUCKETS, CURRENT } from "./support/cohortWorld.ts";
import {
  type Calm,
  type Death,
  FEW,
  isChange,
  playCalm,
  playDeaths,
  playRound,
} from "./support/kills.ts";

// make bench BENCH=cohortKills plays as many as it is told to.
const ROUNDS = 2;
const SEED = 1;
const LONG_MS = 600_000;

const to =
  (bucket: string, pattern: RegExp) =>
  (request: S3Request): boolean =>
    isChange(request) && request.bucket === bucket && pattern.test(request.key);

const at = (
  fits: (request: S3Request) => boolean,
  nth: number,
  when: "before" | "after",
): Death => ({
  ...{ kind: "request", fits, nth, when },
});

const RAW = to(BUCKETS.raw, /\.gz$/);
const COPY = to(BUCKETS.intermediate, /compressed_json/);
const STAGED = to(BUCKETS.intermediate, /staged/);
const CATALOG = to(BUCKETS.processed, /catalog/);
const DATASET = to(BUCKETS.processed, /\.parquet$/);
const SWITCH = to(BUCKETS.processed, new RegExp(`^${CURRENT}$`));

let rig: Rig;
let calm: Calm;
beforeAll(async () => {
  rig = await makeRig();
  calm = await playCalm(inject("postgres"), rig, FEW);
}, LONG_MS);
afterAll(() => rig.close());

describe("a worker of cohorts that is killed", () => {
  test.each<readonly [string, readonly Death[], number]>([
    [
      "while it reads exports",
      [
        at(RAW, 1, "before"),
        at(COPY, 3, "after"),
        at(STAGED, 2, "before"),
        at(CATALOG, 1, "after"),
      ],
      2,
    ],
    [
      "while it builds, and when nothing is left but the switch",
      [at(DATASET, 1, "before"), at(DATASET, 2, "after"), at(SWITCH, 1, "before")],
      3,
    ],
    ["right after the switch, and the rest is sent before it goes on", [at(SWITCH, 1, "after")], 1],
  ])(
    "%s leaves whole builds, and the next what nobody would have",
    async (_when, deaths, sendBefore) => {
      const round = await playDeaths(inject("postgres"), rig, calm, deaths, sendBefore);
      expect(round).toMatchObject({ kills: deaths.length, problems: [] });
      expect(round.readings).toBeGreaterThan(0);
    },
    LONG_MS,
  );

  test(
    "at any time leaves whole builds, and the next what nobody would have",
    async () => {
      for (let round = 0; round < ROUNDS; round++) {
        expect(await playRound(inject("postgres"), rig, calm, [SEED, round])).toMatchObject({
          problems: [],
        });
      }
    },
    LONG_MS,
  );
});
