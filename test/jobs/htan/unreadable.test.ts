// One manifest never stops an atlas: what cannot be had of it is a finding, and the others count.

import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";

import type { Finding } from "../../../src/finding.ts";
import { makeMemorySite, openWorld, type World } from "../../engine/world.ts";
import { startAfresh } from "../../support/ledger.ts";
import { CASES, runCase } from "./caseRun.ts";

interface AtlasJson {
  readonly records: number;
  readonly fields: number;
  readonly filledFields: number;
  readonly manifests: Readonly<Record<string, object>>;
  readonly unreadManifests: readonly Record<string, unknown>[];
  readonly rules: readonly { rule: string; status: string; reason: string | null }[];
  readonly matrices: Readonly<Record<string, { counts: Readonly<Record<string, number>> }>>;
  readonly sif: readonly string[];
}

const GONE = join(CASES, "manifest-gone");
let world: World;
beforeAll(async () => {
  world = await openWorld("embedded");
});
afterAll(() => world.close());
beforeEach(() => startAfresh(world.database.db));

/** A copy of a world that a test may change. */
async function copyOf(dir: string): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), "hdash-case-"));
  onTestFinished(() => rm(copy, { recursive: true, force: true }));
  await cp(dir, copy, { recursive: true });
  return copy;
}

/** The world of the case with the manifest that is gone there, so that it has no trouble of its own. */
async function wholeWorld(): Promise<string> {
  const dir = await copyOf(GONE);
  await writeFile(
    join(dir, "files", "syn70000111.csv"),
    "Component,HTAN Participant ID,Primary Diagnosis\nDiagnosis,HTA3_1,x\n",
  );
  const path = join(dir, "master.csv");
  const view = await readFile(path, "utf8");
  await writeFile(path, view.replace("67,5352e9145f6087ff1100d393b3893727", "67,"));
  return dir;
}

const rulesOf = (findings: readonly Finding[]) =>
  findings.map(({ rule, subject }) => [rule, subject]);

describe("a manifest whose content is gone", () => {
  test("is a finding, and the atlas is published with the numbers of the others", async () => {
    const { outcome, json, site } = await runCase(world, GONE);
    expect(outcome).toMatchObject({ kind: "finished", record: { status: "succeeded" } });
    const data = json<AtlasJson>("data/HTA3.json");
    const findings = json<Finding[]>("data/HTA3-findings.json");
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({
      rule: "M_UNREADABLE",
      severity: "error",
      subject: "syn70000111",
      component: "Diagnosis",
      message:
        "The Diagnosis manifest (diagnosis/synapse_storage_manifest_diagnosis.csv) could not be read: " +
        "the content of syn70000111 is gone from Synapse. None of the numbers has its records.",
    });
    expect([data.records, data.filledFields, data.fields]).toEqual([9, 36, 39]);
    expect(Object.keys(data.manifests)).not.toContain("syn70000111");
    expect(data.matrices["single_cell"]?.counts["ScRNA-seqLevel1"]).toBe(3);
    expect(data.unreadManifests).toEqual([
      {
        entityId: "syn70000111",
        component: "Diagnosis",
        name: "synapse_storage_manifest_diagnosis.csv",
        path: "diagnosis",
        reason: "the content of syn70000111 is gone from Synapse",
        parts: ["completeness"],
      },
    ]);
    const page = site.files.get("HTA3.html")?.text ?? "";
    expect(page).toContain("1 manifest could not be read; the numbers lack what it holds");
    expect(page).toMatch(/under Metadata files, Validation and Completeness are without it\./);
  });

  test("is asked for again by the next run, and counts as soon as it is there", async () => {
    const dir = await copyOf(GONE);
    const site = makeMemorySite();
    await runCase(world, dir, { site });
    const again = await runCase(world, dir, { site });
    expect(again.downloads).toBe(1);
    const text = "Component,HTAN Participant ID,Primary Diagnosis\nDiagnosis,HTA3_1,x\n";
    const whole = await wholeWorld();
    expect(await readFile(join(whole, "files", "syn70000111.csv"), "utf8")).toBe(text);
    const { json } = await runCase(world, whole, { site });
    expect(json<AtlasJson>("data/HTA3.json").records).toBe(10);
    expect(json<Finding[]>("data/HTA3-findings.json")).toEqual([]);
  });
});

describe("a manifest that cannot be had", () => {
  test.each([
    ["may not be read", { denied: ["syn70000111"] }, "Synapse does not let hdash read syn70000111"],
    [
      "may not be downloaded",
      { undownloadable: ["syn70000111"] },
      "Synapse does not let hdash download syn70000111",
    ],
  ])("is a finding where it %s", async (_what, faults, reason) => {
    const { json } = await runCase(world, await wholeWorld(), { faults });
    expect(json<Finding[]>("data/HTA3-findings.json")).toMatchObject([
      {
        rule: "M_UNREADABLE",
        subject: "syn70000111",
        message: expect.stringContaining(reason) as string,
      },
    ]);
    expect(json<AtlasJson>("data/HTA3.json").records).toBe(9);
  });

  test("is a finding where its MD5 is not the view's", async () => {
    const dir = await wholeWorld();
    const path = join(dir, "master.csv");
    const view = await readFile(path, "utf8");
    await writeFile(path, view.replace("Diagnosis,67,", `Diagnosis,67,${"0".repeat(32)}`));
    const { json } = await runCase(world, dir);
    expect(json<Finding[]>("data/HTA3-findings.json")).toMatchObject([
      {
        rule: "M_UNREADABLE",
        subject: "syn70000111",
        message: expect.stringContaining("its content is not what the file view says") as string,
      },
    ]);
    expect(json<AtlasJson>("data/HTA3.json").records).toBe(9);
  });

  test("is a finding where the store fails at it alone", async () => {
    const dir = await wholeWorld();
    const site = makeMemorySite();
    await runCase(world, dir, { site });
    const path = join(dir, "files", "syn70000111.csv");
    await writeFile(path, `${await readFile(path, "utf8")}Diagnosis,HTA3_2,x\n`);
    const view = join(dir, "master.csv");
    await writeFile(view, (await readFile(view, "utf8")).replace("Diagnosis,67,", "Diagnosis,86,"));
    // Only the one that changed is downloaded: the store fails at that alone.
    const faults = { unavailable: { every: 1, routes: ["fileDownload"] } } as const;
    const { json } = await runCase(world, dir, { site, faults, atlases: null });
    expect(rulesOf(json<Finding[]>("data/HTA3-findings.json"))).toEqual([
      ["M_UNREADABLE", "syn70000111"],
    ]);
  });

  test("leaves an atlas as it was where the store fails at several of its manifests", async () => {
    const dir = await wholeWorld();
    const site = makeMemorySite();
    await runCase(world, dir, { site });
    const before = site.files.get("HTA3.html")?.text;
    const view = join(dir, "master.csv");
    const text = await readFile(view, "utf8");
    await writeFile(
      view,
      text.replace("Diagnosis,67,", "Diagnosis,86,").replace(/(Demographics,\d+),\w+/, "$1,"),
    );
    const faults = { unavailable: { every: 1, routes: ["fileDownload"] } } as const;
    const { outcome } = await runCase(world, dir, { site, faults });
    expect(outcome).toMatchObject({ kind: "finished", record: { status: "failed" } });
    expect(site.files.get("HTA3.html")?.text).toBe(before);
  });

  test("does not let an atlas of which nothing came stand empty: its page stays", async () => {
    const faults = { unavailable: { every: 1, routes: ["fileDownload"] } } as const;
    const { outcome, site } = await runCase(world, GONE, { faults });
    expect(outcome).toMatchObject({ kind: "finished", record: { status: "failed" } });
    expect(site.files.has("HTA3.html")).toBe(false);
  });

  test("is not missed as absent: what rests on it is not checked, and says why", async () => {
    const faults = { undownloadable: ["syn70000102", "syn70000104"] };
    const { json } = await runCase(world, await wholeWorld(), { faults });
    expect(rulesOf(json<Finding[]>("data/HTA3-findings.json"))).toEqual([
      ["M_UNREADABLE", "syn70000104"],
      ["M_UNREADABLE", "syn70000102"],
    ]);
    const { rules, unreadManifests } = json<AtlasJson>("data/HTA3.json");
    const of = (rule: string) => rules.find((one) => one.rule === rule);
    expect(of("H_DEM")).toMatchObject({ status: "passed" });
    expect(of("H_BIOSPEC")).toMatchObject({ status: "passed" });
    expect(of("H_NON_DEM")).toMatchObject({
      status: "not run",
      reason: expect.stringContaining(
        "syn70000102, with which participants are compared",
      ) as string,
    });
    expect(of("H_LINKS")).toMatchObject({
      status: "passed",
      reason: expect.stringContaining("3 links may lead to records of a manifest") as string,
    });
    expect(unreadManifests.map(({ parts }) => parts)).toEqual([
      ["completeness", "longitudinal", "network"],
      ["completeness", "network"],
    ]);
  });
});
