// Archives that are broken or made to do harm, read by a worker together with one that is neither: what is wrong is said of export and
// member, nothing of it is used, and everything else is.

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { constants, crc32, deflateRawSync } from "node:zlib";

import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";

import type { ExportReport } from "../../../src/jobs/cohort/data/report.ts";
import { openDatabase } from "../../../src/store/database.ts";
import { type HandMember, handZip } from "../../formats/support/handZip.ts";
import { BUCKETS, type CohortWorld, makeCohortWorld, runHere } from "./support/cohortWorld.ts";

const GIB = 2 ** 30;
const NAME = "FitbitDevices_20260101.json";

/** A member with a device of its own. */
const member = (name: string, more: Partial<HandMember> = {}): HandMember => {
  const record = { ParticipantIdentifier: "SYN-1", Date: "2026-01-01", Device: name };
  return { name, content: Buffer.from(`${JSON.stringify(record)}\r\n`), ...more };
};

/** A gibibyte of zeros in a megabyte, and its checksum. */
function zeros(): { readonly packed: Buffer; readonly crc32: number } {
  const piece = Buffer.alloc(1 << 20);
  const packed = deflateRawSync(piece, { level: 9, finishFlush: constants.Z_SYNC_FLUSH });
  const pieces = Array.from({ length: GIB / piece.length }, () => packed);
  const crc = pieces.reduce((sum) => crc32(piece, sum), 0);
  // An empty last block ends it.
  return { packed: Buffer.concat([...pieces, Buffer.from([3, 0])]), crc32: crc };
}

const ZEROS = zeros();
const [OTHER, LAST] = ["FitbitSleepLogs_20260101.json", "Unheard_20260101.json"];
/** A bad member between two that are good. */
const around = (bad: Partial<HandMember>): Buffer =>
  handZip([member(NAME), member(OTHER, bad), member(LAST)]);
const AROUND = [
  [NAME, "ok", 1],
  [OTHER, "bad_member", null],
  [LAST, "unknown_type", 1],
] as const;

interface Case {
  readonly zip: Uint8Array;
  /** Why it is set aside whole, or its members: name, status, records. */
  readonly is: string | readonly (readonly unknown[])[];
  /** A message of the ledger, and what it names besides the export. */
  readonly says: string;
  readonly of: string | null;
  /** How often its bytes are asked for, in ranges. */
  readonly reads: number;
}

const bad = (given: Partial<HandMember>, what: string, reads = 2): Case => ({
  ...{ zip: around(given), is: AROUND, of: OTHER, reads },
  says: `${OTHER} ${what}: nothing of it is used.`,
});
const setAside = (zip: Uint8Array, is: string, why: string, reads: number): Case => ({
  ...{ zip, is, of: null, reads },
  says: `The export was set aside: ${why}.`,
});

const PACKED = `${(ZEROS.packed.length / 1e6).toFixed(2)} MB`;
const EMPTY = Array.from({ length: 65_534 }, (_none, at) => ({ name: `${at}_20260101.json` }));
const CASES: Readonly<Record<string, Case>> = {
  "a bomb that says so": bad(
    { ...ZEROS, bytes: GIB },
    `states that ${PACKED} unpack to 1.07 GB; 1,000 times as much and 1.00 TB are the most`,
    // Over a gap of a megabyte the next member is asked for anew.
    3,
  ),
  "a bomb that says otherwise": bad(
    { ...ZEROS, bytes: 1000 },
    "unpacks to more than the 1,000 bytes that it states",
    2,
  ),
  "another checksum": bad(
    { crc32: 1 },
    `has the checksum ${crc32(member(OTHER).content ?? "")
      .toString(16)
      .padStart(8, "0")} and states 00000001`,
  ),
  "a member that is encrypted": bad({ flags: 1 }, "is encrypted"),
  "a member in zstd": bad(
    { method: 93 },
    "is packed by zstd (method 93), neither stored nor deflated",
  ),
  "names that lead elsewhere": {
    zip: handZip(
      [
        ...["../../up_20260101.json", "/etc/root_20260101.json", "..\\back_20260101.json"],
        ...["..", NAME, "..a_20260101.json"],
      ].map((name) => member(name)),
    ),
    is: [
      ["..", "bad_member_name", 1],
      ["..\\back_20260101.json", "bad_member_name", 1],
      ["..a_20260101.json", "unknown_type", 1],
      [NAME, "ok", 1],
    ],
    says: "The name of ..\\back_20260101.json does not say what it holds and of which days: none of its lines is used.",
    ...{ of: "..\\back_20260101.json", reads: 2 },
  },
  "sizes of 64 bits and the longest comment": {
    zip: handZip([member(NAME, { isWide: true }), member(OTHER, { crc32: 1 })], {
      ...{ isWide: true, comment: Buffer.alloc(65_535, "PK\x05\x06") },
    }),
    is: AROUND.slice(0, 2),
    says: "The export has no manifest: nothing says how many records it should have.",
    ...{ of: null, reads: 2 },
  },
  "65,537 members": {
    zip: handZip([member(NAME), ...EMPTY, member(OTHER, { crc32: 1 }), member(LAST)]),
    is: AROUND,
    says: "The export has no manifest: nothing says how many records it should have.",
    ...{ of: null, reads: 4 },
  },
  "a directory of a hundred million bytes": setAside(
    handZip([member(NAME)], {
      isWide: true,
      prefix: Buffer.alloc(100e6),
      directoryBytes: 99e6,
      directoryOffset: 0,
    }),
    "too_many_members",
    "its directory has 99.0 MB, more than the 67.1 MB that can be handled",
    1,
  ),
  nothing: setAside(Buffer.alloc(0), "empty_object", "it has no bytes", 0),
  text: setAside(
    Buffer.from("no zip"),
    "not_archive",
    "it neither begins like a zip nor has a zip's directory",
    1,
  ),
  "a zip that was cut": setAside(
    handZip([member(NAME)]).subarray(0, 90),
    "truncated_archive",
    "it begins like a zip and has no directory at its end",
    1,
  ),
};
/** Names as they are taken: nothing in them is decoded. */
const keyOf = (name: string): string => `adults_v1/2026-01-02T05%3A00+${name}`;

describe("archives that are broken or made to do harm", () => {
  let world: CohortWorld;
  let reports: ReadonlyMap<string, ExportReport>;
  let findings: readonly {
    readonly subject: string;
    readonly message: string;
    readonly fields: { readonly member?: string };
  }[];
  beforeAll(async () => {
    world = await makeCohortWorld(inject("postgres"));
    for (const [name, { zip }] of Object.entries(CASES)) world.send(keyOf(name), zip);
    expect(await runHere(world, { COHORT_TYPES: "FitbitDevices" })).toBe("succeeded");
    const exports = world.catalog()?.exports ?? [];
    reports = new Map(exports.map(({ report }) => [`adults_v1/${report.export}`, report]));
    const { db, close } = await openDatabase(world.settings);
    const found = await sql<(typeof findings)[number]>`
      select subject, message, fields from run_finding`.execute(db);
    findings = found.rows;
    await close();
  }, 120_000);
  afterAll(() => world.close());

  test.each(Object.entries(CASES))("%s: is told of, and keeps nothing else", (name, given) => {
    const key = keyOf(name);
    const report = reports.get(key);
    const members = report?.members.map((one) => [one.name, one.status, one.read]);
    expect(report?.outcome === "read" ? members : report?.outcome).toEqual(given.is);
    const own = findings.filter(({ subject }) => subject === key);
    expect(own.map(({ message, fields }) => [message, fields.member ?? null])).toContainEqual([
      given.says,
      given.of,
    ]);
    const asked = world.s3.requests.filter(
      (request) => request.operation === "GetObject" && request.key === `main/${key}`,
    );
    expect(asked).toHaveLength(given.reads);
  });

  test("leave the devices of all, copies of what is good alone, and nothing on the disk", async () => {
    const good = [...reports.values()].filter(({ members }) =>
      members.some(({ name }) => name === NAME),
    );
    expect(good).toHaveLength(8);
    // They are all of one key, and one day: the last one counts.
    expect(
      world.current()?.datasets.find(({ name }) => name === "dataset_fitbitdevices")?.rows,
    ).toBe(1);
    const raw = [...world.s3.objects(BUCKETS.raw).keys()];
    expect(raw.filter((key) => /FitbitSleepLogs|up_|root_|back_/.test(key))).toEqual([]);
    // Fonts are the same for every run.
    const left = await readdir(join(world.home, "scratch"));
    expect(left.filter((name) => name !== "fonts")).toEqual([]);
  });
});
