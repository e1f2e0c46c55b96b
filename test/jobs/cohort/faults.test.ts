// Services that fail while a worker reads exports and builds datasets. Whatever fails, the run after it leaves what nobody would have
// missed: every object with its digest, every record counted once.

import { createHash } from "node:crypto";
import { deflateRawSync } from "node:zlib";

import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";

import { type Dice, makeDice } from "../../../src/lookalikes/dice.ts";
import { handZip } from "../../formats/support/handZip.ts";
import type { S3Fault, S3Request } from "../../support/s3Server.ts";
import { layWire } from "../../support/wire.ts";
import { makeRig, type Rig } from "./support/cohortRig.ts";
import {
  BUCKETS,
  type CohortWorld,
  CURRENT,
  differences,
  makeCohortWorld,
  type Outcome,
  outcomeOf,
  runHere,
  startWorker,
} from "./support/cohortWorld.ts";

const LONG_MS = 120_000;
const VARIABLES = { COHORT_TYPES: "FitbitDevices,SymptomLog", COHORT_KEEP_BUILDS: "0" };

/** Text that does not pack: what is made of it goes up in parts. */
function noise(bytes: number): string {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes; at += 32) pieces.push(createHash("sha256").update(`${at}`).digest());
  return Buffer.concat(pieces).toString("base64");
}

const devices = (day: number, more: object = {}): string =>
  [1, 2, 3]
    .map((person) => ({
      ...{ ParticipantIdentifier: `SYN-${person}`, Date: `2026-01-0${day}`, Device: "a" },
      ...{ Battery: `${day}`, ...more },
    }))
    .map((record) => `${JSON.stringify(record)}\r\n`)
    .join("");
const symptoms = (day: number): string =>
  `${JSON.stringify({ ParticipantIdentifier: "SYN-1", DataPointKey: `k${day}`, Value: '{"symptoms":[{"id":"a","severity":1}]}' })}\r\n`;

/** Two exports of a cohort, and one of the other. */
const SMALL = {
  "adults_v1/2026-01-02T05--00--08Z_a": zip(1),
  "adults_v1/2026-01-03T05--00--08Z_b": zip(2),
  "pediatric_v1/2026-01-02T05--00--08Z_c": zip(3),
};
/** One with a member whose copies are larger than a part. */
const LARGE = { "adults_v1/2026-01-02T05--00--08Z_a": zip(1, { Note: noise(3 << 20) }) };

function zip(day: number, more: object = {}): Buffer {
  const members = {
    [`FitbitDevices_2026010${day}.json`]: devices(day, more),
    [`SymptomLog_2026010${day}.json`]: symptoms(day),
    [`Unheard_2026010${day}.json`]: devices(day),
  };
  return handZip(
    Object.entries(members).map(([name, text]) => {
      const content = Buffer.from(text);
      return { name, content, packed: deflateRawSync(content, { level: 1 }) };
    }),
  );
}

let rig: Rig;
beforeAll(async () => {
  rig = await makeRig();
});
afterAll(() => rig.close());

/** Gives each test a world with these exports, and what there is of it to say where something failed in it. */
function useWorld(exports: Readonly<Record<string, Uint8Array>>): {
  readonly world: () => CohortWorld;
  /** Says what is not as it would be if nothing had failed. */
  readonly wrongs: () => Promise<readonly string[]>;
} {
  let calm: Outcome;
  let world: CohortWorld;
  const make = async (): Promise<CohortWorld> => {
    const made = await makeCohortWorld(inject("postgres"));
    for (const [key, bytes] of Object.entries(exports)) made.send(key, bytes);
    return made;
  };
  beforeAll(async () => {
    const undisturbed = await make();
    expect(await runHere(undisturbed, VARIABLES)).toBe("succeeded");
    calm = await outcomeOf(undisturbed, rig);
    await undisturbed.close();
  }, LONG_MS);
  beforeEach(async () => {
    world = await make();
    return () => world.close();
  });
  return {
    world: () => world,
    async wrongs() {
      const open = Object.values(BUCKETS).flatMap((bucket) => world.s3.openUploads(bucket));
      return [
        ...differences(calm, await outcomeOf(world, rig)),
        // An upload of which nobody was told is empty, and costs nothing.
        ...open.flatMap(({ key, parts }) => (parts > 0 ? [`an upload to ${key} is left`] : [])),
      ];
    },
  };
}

type Fits = (request: S3Request) => boolean;
const to =
  (bucket: string, pattern: RegExp, ...operations: readonly string[]): Fits =>
  (request) =>
    request.bucket === bucket &&
    pattern.test(request.key) &&
    operations.includes(request.operation);
const PUTS = ["PutObject", "UploadPart", "CreateMultipartUpload", "CompleteMultipartUpload"];

/** Has every request fail once: refused, cut off, cut short, or done without an answer. */
function failingOnce(dice: Dice): (request: S3Request) => S3Fault | null {
  const seen = new Set<string>();
  return ({ operation, bucket, key, query }) => {
    const name = [operation, bucket, key, query.get("partNumber"), query.get("prefix")].join();
    if (seen.has(name)) return null;
    seen.add(name);
    const short: S3Fault = { hangUp: operation === "GetObject" ? "midBody" : "after" };
    return dice.pick([{ status: 503 }, { status: 500 }, { hangUp: "before" }, short]);
  };
}

describe("a store of which every request fails once", () => {
  const { world, wrongs } = useWorld(LARGE);

  test.each([1, 2])(
    "is borne with, by the dice of seed %i",
    async (seed) => {
      world().s3.setFaults(failingOnce(makeDice("store", seed)));
      expect(await runHere(world(), VARIABLES)).toBe("succeeded");
      const failed = world().s3.requests.filter(({ status }) => status === null || status >= 500);
      expect(failed.length).toBeGreaterThan(30);
      expect(await wrongs()).toEqual([]);
    },
    LONG_MS,
  );
});

describe("a store that fails for good", () => {
  const { world, wrongs } = useWorld(SMALL);
  const status = (code: number): S3Fault => ({ status: code });

  // What it says, and how many exports are known after it.
  test.each<readonly [string, Fits, S3Fault, RegExp, number]>([
    [
      "an export",
      to(BUCKETS.source, /02T.*a$/, "GetObject", "HeadObject"),
      status(403),
      /^degraded/,
      2,
    ],
    ["a raw copy", to(BUCKETS.raw, /SymptomLog_20260102/, ...PUTS), status(403), /^degraded/, 2],
    [
      "a transformed copy",
      to(BUCKETS.intermediate, /compressed_json.*FitbitDevices_20260102/, ...PUTS),
      status(503),
      /^degraded/,
      2,
    ],
    ["rows", to(BUCKETS.intermediate, /staged.*Devices/, ...PUTS), status(503), /^degraded/, 0],
    [
      "a dataset",
      to(BUCKETS.processed, /dataset_symptomlog\//, ...PUTS),
      status(403),
      /^degraded/,
      3,
    ],
    [
      "the list of exports",
      to(BUCKETS.source, /^$/, "ListObjectsV2"),
      status(403),
      /^failed.*exports/,
      0,
    ],
    ["the catalog", to(BUCKETS.processed, /catalog/, ...PUTS), status(503), /^failed.*catalog/, 0],
    [
      "the switch",
      to(BUCKETS.processed, new RegExp(CURRENT), ...PUTS),
      status(403),
      /^failed.*current/,
      3,
    ],
  ])(
    "%s: all else is done, and the next run makes it whole",
    async (_what, fits, fault, says, exports) => {
      world().s3.setFaults((request) => (fits(request) ? fault : null));
      expect(await runHere(world(), VARIABLES)).toMatch(says);
      expect(world().catalog()?.exports.length ?? 0).toBe(exports);
      world().s3.setFaults(null);
      expect(await runHere(world(), VARIABLES)).toBe("succeeded");
      expect(await wrongs()).toEqual([]);
    },
    LONG_MS,
  );
});

describe("a database that goes away while an export is read", () => {
  const { world, wrongs } = useWorld(SMALL);
  /** Cuts the wire when the second copy is put, and mends it after a while, or not at all. */
  async function cutWire(mendAfterMs: number | null) {
    const wire = await layWire(world().settings.port);
    let puts = 0;
    world().s3.setFaults(({ bucket, method }) => {
      if (bucket !== BUCKETS.raw || method !== "PUT" || ++puts !== 2) return null;
      wire.cut();
      if (mendAfterMs !== null) setTimeout(() => void wire.mend(), mendAfterMs);
      return null;
    });
    return wire;
  }

  test(
    "is waited for, and nothing is done twice",
    async () => {
      const wire = await cutWire(300);
      expect(await runHere(world(), { ...VARIABLES, HDASH_DB_PORT: String(wire.port) })).toBe(
        "succeeded",
      );
      wire.cut();
      const copies = world()
        .s3.puts.filter(({ bucket }) => bucket === BUCKETS.raw)
        .map(({ key }) => key);
      expect(copies).toHaveLength(new Set(copies).size);
      expect(await wrongs()).toEqual([]);
    },
    LONG_MS,
  );

  test(
    "and stays away ends the run, and the next goes on with it",
    async () => {
      const wire = await cutWire(null);
      const end = await startWorker(world(), { ...VARIABLES, HDASH_DB_PORT: String(wire.port) })
        .ended;
      expect(end.outcome).toBeNull();
      expect(end.log).toContain("the ledger does not answer");
      expect((await startWorker(world(), VARIABLES).ended).outcome).toBe("succeeded");
      expect(await wrongs()).toEqual([]);
    },
    LONG_MS,
  );
});
