// hdash cohort status and audit where something is odd: what is not read, what is not there yet, what is broken. They change nothing.

import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync, gzipSync } from "node:zlib";

import { beforeEach, describe, expect, test } from "vitest";

import { openDatabase } from "../../../src/store/database.ts";
import { listFindings } from "../../../src/store/facts.ts";
import { lockFolder } from "../../../src/store/lockFile.ts";
import { listRuns } from "../../../src/store/runs.ts";
import { handZip } from "../../formats/support/handZip.ts";
import { type Ended, hdash as start } from "../../support/command.ts";
import { cohortFolders } from "./support/cohortFolders.ts";

/** Runs of commands on a busy machine. */
const LONG_MS = 120_000;

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-looking-"));
  await mkdir(join(dir, "in/main/adults_v1"), { recursive: true });
  return () => rm(dir, { recursive: true, force: true });
});

function hdash(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  return start(args, {
    ...{ HDASH_HOME: join(dir, "home"), HDASH_LOG_LEVEL: "warn" },
    ...cohortFolders(dir),
    ...env,
  });
}

async function put(place: string, key: string, bytes: string | Uint8Array): Promise<void> {
  const path = join(dir, place, "main", key);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, bytes);
}

/** Says that a member's name is UTF-8: without it, control characters are letters of a code page. */
const UTF8 = 0x800;

const member = (name: string, text: string) => {
  const content = Buffer.from(text);
  return { name, content, packed: deflateRawSync(content), flags: UTF8 };
};

/** The findings of a scope by the last run: rule, severity, subject. */
async function findingsOf(scope: string): Promise<readonly (readonly string[])[]> {
  const database = await openDatabase({ kind: "embedded", dir: join(dir, "home", "database") });
  try {
    const [last] = await listRuns(database.db, { limit: 1 });
    const found = await listFindings(database.db, last?.id ?? "", scope);
    return found.map(({ rule, severity, subject }) => [rule, severity, subject]).sort();
  } finally {
    await database.close();
  }
}

describe("hdash cohort status and audit", () => {
  test("say that nothing has been read yet, and make no folder", async () => {
    const status = await hdash(["cohort", "status"]);
    expect([status.code, status.stderr]).toEqual([0, ""]);
    const lines = status.stdout.split("\n");
    expect(lines.slice(0, 5)).toEqual([
      expect.stringMatching(/^exports \(file:.*\/in\/main\)$/),
      "  none",
      "datasets (build none)",
      "  nothing has been read yet; `hdash cohort ingest --all` reads every export",
      "  unread   EnrolledParticipants",
    ]);
    expect(lines.filter((line) => line.startsWith("  unread "))).toHaveLength(38);
    expect((await hdash(["cohort", "audit"])).code).toBe(2);
    for (const place of ["raw", "intermediate", "processed", "home"]) {
      expect([place, existsSync(join(dir, place))]).toEqual([place, false]);
    }
  });

  test(
    "name what lies in the source and is not read, in a run's log too",
    async () => {
      await put("in", "elders\nv1/2026-01-11", "x");
      await symlink(join(dir, "in"), join(dir, "in/main/pediatric_v1"));
      await writeFile(Buffer.from(`${dir}/in/main/adults_v1/b\xff`, "latin1"), "x");
      const others = [
        "adults_v1/b\\xff  bad_name: its name is not UTF-8",
        "pediatric_v1  no_file: it is a symbolic link, which is not followed",
        "elders\\nv1/2026-01-11  unknown_cohort: the schema has no cohort elders\\nv1",
      ];

      const early = await hdash(["cohort", "audit"]);
      expect(early.code).toBe(2);
      expect(early.stdout.split("\n")).toEqual(expect.arrayContaining(others));

      const none = await hdash(["run", "cohort", "--part", "ingest"]);
      expect(none.code, none.stderr).toBe(0);
      expect(none.stderr).toMatch(
        /warning: file:\S+ lists 0 exports of adults_v1, pediatric_v1\. Exports lie at NAMESPACE\/COHORT\/EXPORT below COHORT_SOURCE; the namespace is main\.$/m,
      );
      expect(none.stderr).toMatch(/warning: 3 objects of file:\S+ cannot be read: .*b\\xff \(its/m);

      await put("in", "adults_v1/2026-01-11_text", "no zip");
      const some = await hdash(["run", "cohort", "--part", "ingest"]);
      expect(some.code, some.stderr).toBe(0);
      expect(some.stderr).not.toContain("lists 0 exports");
      const audit = await hdash(["cohort", "audit"]);
      expect(audit.code).toBe(3);
      const told = audit.stdout.split("\n");
      expect(told).toEqual(expect.arrayContaining(others));
      expect(told.at(-2)).toMatch(
        /^1 export, 1 of them set aside, .*; 0 findings; 3 objects not read$/,
      );
      expect(await findingsOf("the source")).toEqual([
        ["bad_name", "error", "adults_v1/b\\xff"],
        ["no_file", "error", "pediatric_v1"],
        ["unknown_cohort", "error", "elders\\nv1/2026-01-11"],
      ]);
      const status = await hdash(["cohort", "status", "--json"]);
      const { exports } = JSON.parse(status.stdout) as {
        exports: { key: string; stand: string }[];
      };
      expect(exports.map(({ key, stand }) => [key, stand])).toEqual([
        ["adults_v1/2026-01-11_text", "not_archive"],
        ["adults_v1/b\\xff", "bad_name"],
        ["elders\nv1/2026-01-11", "unknown_cohort"],
        ["pediatric_v1", "no_file"],
      ]);
      const { others: found } = JSON.parse(
        (await hdash(["cohort", "audit", "--json", "--cohort", "pediatric_v1"])).stdout,
      ) as { others: { key: string }[] };
      expect(found.map(({ key }) => key)).toEqual(["pediatric_v1"]);
    },
    LONG_MS,
  );

  test(
    "print names on a line of their own, whatever is in them, and how many lines were set aside",
    async () => {
      const name = "2026-99-99\nread adults_v1-forged\u001b[31m";
      const zip = handZip([
        member("Fit\nbit_20260101.json", "{}\r\n"),
        member("FitbitDevices_20260101.json", "{\r\n{\r\n"),
        member("a\tb/x.json", "{}"),
        member("Manifest.csv", '"Sh\noes"\n2\n'),
      ]);
      await put("in", `adults_v1/${name}`, zip);
      const run = await hdash(["run", "cohort", "--part", "ingest"]);
      expect(run.code, run.stderr).toBe(0);
      const status = await hdash(["cohort", "status"]);
      const shown = "adults_v1/2026-99-99\\nread adults_v1-forged\\u{1b}[31m";
      expect(status.stdout.split("\n")[1]).toBe(
        `  read               ${shown}  2 members, 5 findings, 3 lines set aside`,
      );
      const audit = await hdash(["cohort", "audit"]);
      expect(audit.stdout.split("\n").slice(0, -2)).toEqual([
        `${shown}  read 3 = written 0 + set aside 3, manifest 0`,
        "  bad_export_name: its name begins with a day that there is not",
        "  bad_member_name Fit\\nbit_20260101.json",
        "  manifest_mismatch Sh\\noes, manifest 2, read 0",
        "  manifest_mismatch Fit\\nbit, manifest none, read 1",
        "  manifest_mismatch FitbitDevices, manifest none, read 2",
        "  no data: a\\tb/x.json (members in folders, and notes of the manifest, are not read)",
        "  bad_json FitbitDevices_20260101.json, 2 lines set aside",
        expect.stringMatching(/^ {2}which lines: file:/),
      ]);
    },
    LONG_MS,
  );
});

describe("what is kept of a namespace, broken", () => {
  const CATALOG = "catalog.json.gz";
  const CURRENT = "parquet/current.json";
  const entry = { bytes: 1, etag: "e", report: { schema: "1", cohort: "a", export: "b" } };
  test.each<[string, string, string | Uint8Array, RegExp]>([
    [
      "no gzip",
      CATALOG,
      "text",
      /catalog\.json\.gz is no catalog of exports: it is no gzip, or cut/,
    ],
    ["no JSON", CATALOG, gzipSync('{"secret'), /is no catalog of exports: it is not JSON/],
    [
      "of another version",
      CATALOG,
      gzipSync('{"version":2,"exports":[]}'),
      /of exports: it has anoth/,
    ],
    [
      "of exports that lack their report",
      CATALOG,
      gzipSync(JSON.stringify({ version: 1, exports: [entry] })),
      /of exports: it has another form than this hdash writes\n.*hdash cohort ingest --all/,
    ],
    ["no JSON", CURRENT, "secret {", /current\.json is no description of a build: it is not JSON/],
    [
      "null",
      CURRENT,
      "null",
      /it has another form than this hdash writes\n.*hdash cohort build then/,
    ],
    ["of another form", CURRENT, '{"schema":1,"build":"b","datasets":{}}', /it has another form/],
  ])("is named with what to do: %s, %s", async (_what, key, bytes, says) => {
    await put("processed", key, bytes);
    const asked = [
      ["cohort", "status"],
      ["cohort", "audit"],
    ];
    for (const ended of await Promise.all(asked.map((args) => hdash(args)))) {
      expect(ended.code, ended.stderr).toBe(1);
      expect(ended.stderr).toMatch(says);
      expect(ended.stderr).not.toContain("secret");
    }
  });
});

describe("settings that no run can begin with", () => {
  test("are told once as what they are, and not as something that passes", async () => {
    const env = { HDASH_LOG_LEVEL: "info", COHORT_DROP: "ParticipantIdentifier" };
    const ended = await hdash(["run", "cohort"], env);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(
      /What to do: Leave ParticipantIdentifier out of COHORT_DROP: records are told apart by it\.$/m,
    );
    expect(ended.stderr).not.toContain("tries again");
  });

  test("are exports that there are not, with 2 as everything that is asked for wrongly", async () => {
    const ended = await hdash(["cohort", "ingest", "--export", "adults_v1/nothing"]);
    expect(ended.code, ended.stderr).toBe(2);
    expect(ended.stderr).toContain("there is no export adults_v1/nothing");
  });

  test("are places that cannot be written, by their own variable", async () => {
    await writeFile(join(dir, "broken"), "a file");
    const ended = await hdash(["run", "cohort"], { COHORT_RAW: join(dir, "broken") });
    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(
      /^hdash: COHORT_RAW: \S+broken\/main cannot be made: \S+broken is a file; name a folder$/m,
    );
  });
});

describe("a folder that another process has", () => {
  test("is to be waited for by a flag where the command has it, and else by the user", async () => {
    const lock = lockFolder(join(dir, "home", "database"));
    try {
      const own = await hdash(["cohort", "build"]);
      expect(own.code, own.stderr).toBe(1);
      expect(own.stderr).toMatch(
        /cohort was not done: .* is in use.*\(try again when that has end/,
      );
      expect(own.stderr).not.toContain("--wait");
      const run = await hdash(["run", "cohort"]);
      expect(run.code, run.stderr).toBe(1);
      expect(run.stderr).toMatch(
        /cohort was not done: .* is in use.*\(use --wait to wait for it\)/,
      );
    } finally {
      lock.release();
    }
  });
});
