// Power cuts: the worker is killed at many moments of a run, started again, and must end with the very site of a run that was left alone.

import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { ProgressEvent } from "../../src/engine/progress.ts";
import { loadAtlasFile } from "../../src/jobs/htan/registry/atlasList.ts";
import { saveAtlases } from "../../src/jobs/htan/registry/atlasTable.ts";
import { startSynapse, type SynapseServer } from "../../src/lookalikes/synapse/synapseServer.ts";
import { start } from "../support/command.ts";
import { createTestDatabase, databaseEnv, type TestDatabase } from "../support/postgres.ts";
import { FIXTURE } from "../support/services.ts";

/** Kills between the first event and the last: spread over the run, in every phase of it. */
const KILLS = 10;

let synapse: SynapseServer;
let dir = "";
let reference: {
  readonly site: ReadonlyMap<string, string>;
  readonly events: readonly ProgressEvent[];
};

beforeAll(async () => {
  synapse = await startSynapse({ world: FIXTURE, tokens: { "token-1": "jdoe" } });
  dir = await mkdtemp(join(tmpdir(), "hdash-crash-"));
  const rig = await prepare("reference");
  const ended = await rig.run(0);
  expect(ended.code, ended.stderr).toBe(0);
  reference = { site: await readSite(rig.site), events: await rig.events() };
  await rig.close();
});

afterAll(async () => {
  await synapse.close();
  await rm(dir, { recursive: true, force: true });
});

/** A database, a home and a site of its own. */
async function prepare(name: string) {
  const database: TestDatabase = await createTestDatabase();
  await saveAtlases(database.database.db, await loadAtlasFile(join(FIXTURE, "atlases.csv")));
  const site = join(dir, name, "site");
  const eventsPath = join(dir, name, "events.jsonl");
  const env = {
    SYNAPSE_PASSWORD: "token-1",
    SYNAPSE_ENDPOINT_URL: synapse.url,
    ...databaseEnv(database.settings),
    HDASH_SITE_DIR: site,
    HDASH_HOME: join(dir, name),
    HDASH_TEST_EVENTS: eventsPath,
  };
  const { mkdir } = await import("node:fs/promises");
  await mkdir(join(dir, name), { recursive: true });
  return {
    site,
    run: (killAt: number) =>
      start("test/support/fixedWorker.ts", [], { ...env, HDASH_TEST_KILL_AT: String(killAt) })
        .ended,
    async events(): Promise<readonly ProgressEvent[]> {
      const lines = (await readFile(eventsPath, "utf8")).trimEnd().split("\n");
      return lines.map((line) => JSON.parse(line) as ProgressEvent);
    },
    close: () => database.drop(),
  };
}

async function readSite(site: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(site, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const contents = await Promise.all(
    files
      .sort()
      .map(async (path) => [path.slice(site.length), await readFile(path, "latin1")] as const),
  );
  return new Map(contents);
}

/** Keys of steps whose end was told as "ran", with their repeats. */
function ranKeys(events: readonly ProgressEvent[]): readonly string[] {
  return events.flatMap((event) =>
    event.kind === "stepEnded" && event.state === "ran" && event.key !== null
      ? [`${event.step} ${event.key}`]
      : [],
  );
}

describe("a run that is killed and started again", () => {
  test("is long enough to be killed in every phase", () => {
    const kinds = new Set(reference.events.map(({ kind }) => kind));
    for (const kind of ["stepStarted", "stepEnded", "scopeEnded", "publishProgress", "runEnded"]) {
      expect(kinds).toContain(kind);
    }
    expect(reference.site.size).toBeGreaterThan(50);
  });

  test.each(Array.from({ length: KILLS }, (_, index) => index + 1))(
    `ends with the same site, byte for byte, and no step done twice (kill ${"%i"} of ${KILLS})`,
    async (kill) => {
      const total = reference.events.length;
      const killAt = Math.max(2, Math.round((total * kill) / (KILLS + 1)));
      const rig = await prepare(`kill-${kill}`);
      const killed = await rig.run(killAt);
      expect(killed.code, killed.stderr).toBeNull();
      const ended = await rig.run(0);
      expect(ended.code, ended.stderr).toBe(0);
      expect(ended.stdout).toContain('"kind":"finished"');
      const events = await rig.events();
      const resumed = events.find((event) => event.kind === "runStarted" && event.isReplay);
      expect(resumed).toBeDefined();
      const ran = ranKeys(events);
      expect([...ran].sort()).toEqual([...new Set(ran)].sort());
      const site = await readSite(rig.site);
      expect([...site.keys()]).toEqual([...reference.site.keys()]);
      for (const [path, content] of site) {
        expect(content === reference.site.get(path), `${path} differs`).toBe(true);
      }
      await rig.close();
    },
  );
});
