import { createHash } from "node:crypto";

import { describe, expect, test } from "vitest";

import { listMembers } from "../../../../src/formats/zip.ts";
import { readMembers } from "../../../../src/formats/zipMember.ts";
import {
  makeWorld,
  type World,
  type WorldOptions,
} from "../../../../src/jobs/cohort/demo/world.ts";
import type { WorldTables } from "../../../../src/jobs/cohort/demo/worldRecords.ts";
import { all, NEVER, sourceOf } from "../../../formats/support/ranges.ts";

const PI = { ParticipantIdentifier: "string" } as const;
const INSERTED = { InsertedDate: "string" } as const;

/** One table of each shape. */
const TABLES: WorldTables = {
  EnrolledParticipants: {
    key: ["ParticipantIdentifier"],
    columns: {
      ...PI,
      ...{ ParticipantID: "string", EmailAddress: "string", PostalCode: "string" },
      CustomFields: { struct: { Symptoms: { array: { struct: { id: "string" } } } } },
      ...INSERTED,
    },
  },
  HealthKitV2Samples: {
    key: ["ParticipantIdentifier", "HealthKitSampleKey"],
    columns: {
      ...PI,
      ...{ HealthKitSampleKey: "string", Type: "string", Value: "string" },
      Metadata: { struct: { WithingsLink: "string" } },
      ...INSERTED,
    },
  },
  HealthKitV2Samples_Deleted: {
    key: ["ParticipantIdentifier", "HealthKitSampleKey"],
    deletes: "HealthKitV2Samples",
    columns: { ...PI, HealthKitSampleKey: "string", Type: "string", DeletedDate: "string" },
  },
  FitbitDailyData: {
    key: ["ParticipantIdentifier", "Date"],
    columns: { ...PI, Date: "string", Steps: "string", SpO2: { struct: { Avg: "string" } } },
  },
  // Blank lines are planted in it.
  FitbitRestingHeartRates: {
    key: ["ParticipantIdentifier", "Date"],
    columns: { ...PI, Date: "string", RestingHeartRate: "string" },
  },
  FitbitDevices: {
    key: ["ParticipantIdentifier", "Date", "Device"],
    columns: { ...PI, Date: "string", Device: "string", Battery: "string" },
  },
  FitbitIntradayCombined: {
    key: ["ParticipantIdentifier", "Type", "DateTime"],
    columns: {
      ...PI,
      Type: "string",
      DateTime: "string",
      Value: "string",
      Level: "int",
      ...INSERTED,
    },
  },
  GoogleFitSamples: {
    key: ["ParticipantIdentifier", "GoogleFitSampleKey"],
    columns: { ...PI, GoogleFitSampleKey: "string", Value: "string", ...INSERTED },
  },
  SymptomLog: {
    key: ["ParticipantIdentifier", "DataPointKey"],
    columns: { ...PI, DataPointKey: "string", Value: { struct: {} }, ...INSERTED },
  },
  GarminStressDetailSummary: {
    key: ["ParticipantIdentifier", "StartTimeInSeconds"],
    columns: {
      ...PI,
      StartTimeInSeconds: "int",
      TimeOffsetStressLevelValues: {
        array: { struct: { OffsetInSeconds: "int", StressLevel: "int" } },
      },
      ...INSERTED,
    },
  },
};

const OPTIONS: WorldOptions = {
  seed: 7,
  namespace: "main",
  cohorts: ["adults_v1", "pediatric_v1"],
  exports: 4,
  participants: 16,
  rowsPerDay: 24,
  faults: false,
};

type Contents = ReadonlyMap<string, string>;

/** The contents of every export by member; a member that is damaged has none. */
async function contentsOf(world: World): Promise<ReadonlyMap<string, Contents>> {
  const found = new Map<string, Contents>();
  for (const { key, bytes } of world.objects) {
    const source = sourceOf(await all(bytes()));
    const listing = await listMembers(source, NEVER);
    if (listing.refusal !== null) {
      found.set(key, new Map([[listing.refusal, ""]]));
      continue;
    }
    const contents = new Map<string, string>();
    for await (const member of readMembers(source, listing.entries, NEVER, { only: "content" })) {
      const { name } = member.entry;
      await all(member.content).then(
        (content) => contents.set(name, content.toString()),
        () => contents.set(name, "damaged"),
      );
    }
    found.set(key, contents);
  }
  return found;
}

function recordsIn(content: string): number {
  return content.split("\n").filter((line) => line.trim() !== "").length;
}

/** What the manifest counts, less what there is: by member, where they differ. */
function differences(contents: Contents): Readonly<Record<string, string>> {
  const [head = "", row = ""] = (contents.get("Manifest.csv") ?? "").split("\r\n");
  const stated = new Map(head.split(",").map((name, i) => [name, row.split(",")[i] ?? ""]));
  const found: Record<string, string> = {};
  for (const [name, content] of contents) {
    if (name === "Manifest.csv") continue;
    const stem = name.replace(/(_[-\d]+)?\.json$/, "");
    const records = String(content === "damaged" ? stated.get(stem) : recordsIn(content));
    if (records !== stated.get(stem)) found[stem] = `${stated.get(stem) ?? "none"} ≠ ${records}`;
  }
  return found;
}

async function digest(world: World): Promise<string> {
  const hash = createHash("sha256");
  for (const { key, bytes } of world.objects) hash.update(key).update(await all(bytes()));
  return hash.digest("hex");
}

/** The records of a type of one cohort, export by export. */
function recordsOf(
  worlds: ReadonlyMap<string, Contents>,
  stem: string,
): readonly (readonly Record<string, unknown>[])[] {
  return [...worlds]
    .filter(([key]) => key.startsWith("main/adults_v1/2026"))
    .map(([, contents]) =>
      [...contents]
        .filter(([name]) => name.replace(/_[-\d]+\.json$/, "") === stem)
        .flatMap(([, content]) => content.split("\r\n").filter((line) => line !== ""))
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    );
}

describe("makeWorld(tables, options)", () => {
  test("is the same for the same seed, each time that it is read, and another for another", async () => {
    const options = { ...OPTIONS, faults: true };
    const world = makeWorld(TABLES, options);
    const first = await digest(world);
    expect(await digest(world)).toBe(first);
    expect(await digest(makeWorld(TABLES, options))).toBe(first);
    expect(await digest(makeWorld(TABLES, { ...options, seed: 8 }))).not.toBe(first);
  });

  test("is the same in every time zone", async () => {
    const zone = process.env["TZ"];
    const first = await digest(makeWorld(TABLES, OPTIONS));
    try {
      process.env["TZ"] = "Pacific/Auckland";
      expect(new Date(0).getHours()).not.toBe(0);
      expect(await digest(makeWorld(TABLES, OPTIONS))).toBe(first);
    } finally {
      process.env["TZ"] = zone;
    }
  });

  test("names exports and members as the vendor does, and counts them in the manifest", async () => {
    const contents = await contentsOf(makeWorld(TABLES, OPTIONS));
    for (const [key, members] of contents) {
      expect(key).toMatch(
        /^main\/(adults|pediatric)_v1\/2026-01-1\dT05--0\d--08Z_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
      );
      expect(differences(members)).toEqual({});
      const empty = [...members.values()].filter((content) => content === "").length;
      expect(empty).toBeGreaterThan(members.size / 2);
    }
    const [, second] = [...contents].filter(([key]) => key.includes("adults"));
    const names = [...(second?.[1].keys() ?? [])];
    expect(names).toContain("EnrolledParticipants_20260113.json");
    expect(names).toContain("HealthKitV2Samples_Weight_Deleted_20260110-20260113.json");
    expect(names.at(-1)).toBe("Manifest.csv");
  });

  test("writes lines as the vendor does: CRLF, escaped slashes, JSON within text, maps of offsets", async () => {
    const contents = await contentsOf(makeWorld(TABLES, OPTIONS));
    const text = [...contents.values()].flatMap((members) => [...members.values()]).join("");
    expect(/[^\r]\n/.test(text)).toBe(false);
    expect(/[^\\]\//.test(text)).toBe(false);
    expect(text).toMatch(/"Value":"\{\\"symptoms\\":/);
    expect(text).toMatch(/"TimeOffsetStressLevelValues":\{"0":\d+,"60":/);
    expect(text).toContain('"Withings Link":');
    expect(text).toMatch(/"Level":"\d+"/);
    expect(text).toMatch(/"Level":\d+/);
    for (const symptoms of ['"Symptoms":[{', '"Symptoms":"[{', '"Symptoms":""']) {
      expect(text).toContain(symptoms);
    }
    expect(recordsOf(contents, "HealthKitV2Samples_Weight")[0]?.[0]).not.toHaveProperty("Type");
  });

  test("sends days again: rows as they were, changed later or at once, twice, and as they had been", async () => {
    const options = { ...OPTIONS, participants: 60, rowsPerDay: 90 };
    const contents = await contentsOf(makeWorld(TABLES, options));
    const exports = recordsOf(contents, "FitbitIntradayCombined");
    const versions = new Map<string, { readonly inserted: string; readonly text: string }[]>();
    let twice = 0;
    for (const records of exports) {
      const own = new Set<string>();
      for (const record of records) {
        const key = [record["ParticipantIdentifier"], record["Type"], record["DateTime"]].join();
        if (own.has(key)) twice += 1;
        else {
          const { InsertedDate, ...rest } = record;
          const known = versions.get(key) ?? [];
          known.push({ inserted: InsertedDate as string, text: JSON.stringify(rest) });
          versions.set(key, known);
        }
        own.add(key);
      }
    }
    const kinds = { same: 0, later: 0, atOnce: 0, back: 0 };
    for (const sent of versions.values()) {
      for (const [index, { inserted, text }] of sent.entries()) {
        const before = sent[index - 1];
        if (before === undefined) continue;
        if (before.text === text) kinds.same += 1;
        else if (before.inserted < inserted) kinds.later += 1;
        else if (before.inserted === inserted) kinds.atOnce += 1;
        else kinds.back += 1;
      }
    }
    for (const [kind, count] of Object.entries({ ...kinds, twice })) {
      expect([kind, count > 5]).toEqual([kind, true]);
    }
  });

  test("deletes rows that were sent before, one of which is sent again", async () => {
    const contents = await contentsOf(makeWorld(TABLES, { ...OPTIONS, rowsPerDay: 400 }));
    const sent = recordsOf(contents, "HealthKitV2Samples_Weight");
    const deleted = recordsOf(contents, "HealthKitV2Samples_Weight_Deleted");
    const keysOf = (records: readonly Record<string, unknown>[] = []): ReadonlySet<unknown> =>
      new Set(records.map((record) => record["HealthKitSampleKey"]));
    expect([deleted[0]?.length, (deleted[1]?.length ?? 0) > 3]).toEqual([0, true]);
    const before = keysOf(sent[0]);
    for (const key of keysOf(deleted[1])) expect(before.has(key)).toBe(true);
    const after = keysOf(sent[2]);
    expect([...keysOf(deleted[1])].some((key) => after.has(key))).toBe(true);
  });

  test("names all that may not be published, and nothing that stands in another world's place", async () => {
    const world = makeWorld(TABLES, { ...OPTIONS, faults: true });
    const contents = await contentsOf(world);
    const people = new Set(world.identifiers);
    expect(people.size).toBe(world.identifiers.length);
    for (const members of contents.values()) {
      for (const content of members.values()) {
        for (const [, identifier = ""] of content.matchAll(/"ParticipantIdentifier":"([^"]+)"/g)) {
          expect(people.has(identifier)).toBe(true);
        }
        for (const [, email = ""] of content.matchAll(/"EmailAddress":"([^"]+)"/g)) {
          expect(people.has(email)).toBe(true);
        }
      }
    }
  });

  test("plants what it says it plants", async () => {
    const world = makeWorld(TABLES, { ...OPTIONS, faults: true });
    const contents = await contentsOf(world);
    const of = (fault: string): string => world.planted.find((p) => p.fault === fault)?.key ?? "";
    expect([...(contents.get(of("truncated_zip")) ?? [])]).toEqual([["truncated_archive", ""]]);
    expect([...(contents.get(of("text_file")) ?? [])]).toEqual([["not_archive", ""]]);
    expect([...(contents.get(of("empty_object")) ?? [])]).toEqual([["empty_object", ""]]);
    expect(of("odd_name")).toMatch(/05%3A02%3A08Z \+1_/);
    expect(contents.get(of("no_manifest"))?.has("Manifest.csv")).toBe(false);
    expect([...(contents.get(of("bad_crc")) ?? [])].filter(([, c]) => c === "damaged")).toEqual([
      ["GoogleFitSamples_20260110-20260113.json", "damaged"],
    ]);
    const found = [...contents].flatMap(([key, members]) =>
      members.has("Manifest.csv")
        ? Object.entries(differences(members)).map((d) => [key, ...d])
        : [],
    );
    expect(found.map(([, stem, what]) => `${stem}: ${what}`).sort()).toEqual([
      "HealthKitV2Samples: none ≠ 1",
      "HealthKitV2Samples_FVC: 7 ≠ 0",
      "Manifest_notes: none ≠ 1",
      "OuraReadiness: none ≠ 1",
      `SymptomLog: ${manifestOfSymptoms(contents, of("manifest_count"))}`,
      "old/FitbitDailyData: none ≠ 1",
    ]);
    for (const { key, member, lines } of world.planted) {
      if (lines === undefined) continue;
      const content = contents.get(key)?.get(member ?? "") ?? "";
      expect([member, content.split("\n").length > Math.max(...lines)]).toEqual([member, true]);
    }
    const bad = world.planted.find(({ fault }) => fault === "bad_json_line");
    const lines =
      contents
        .get(bad?.key ?? "")
        ?.get(bad?.member ?? "")
        ?.split("\r\n") ?? [];
    for (const line of bad?.lines ?? []) {
      expect(() => JSON.parse(lines[line - 1] ?? "") as unknown).toThrow();
    }
    expect(() => JSON.parse(lines[2] ?? "") as unknown).not.toThrow();
  });
});

/** One more than there are. */
function manifestOfSymptoms(contents: ReadonlyMap<string, Contents>, key: string): string {
  const content = contents.get(key)?.get("SymptomLog_20260110-20260113.json") ?? "";
  return `${recordsIn(content) + 1} ≠ ${recordsIn(content)}`;
}
