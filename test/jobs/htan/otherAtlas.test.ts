// Parents in other atlases, as a run finds them: in those that it does, and not in those that it leaves out.

import { join } from "node:path";

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import type { Finding } from "../../../src/finding.ts";
import { makeMemorySite, openWorld, type World } from "../../engine/world.ts";
import { startAfresh } from "../../support/ledger.ts";
import { CASES, runCase } from "./caseRun.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld("embedded");
});
afterAll(() => world.close());
beforeEach(() => startAfresh(world.database.db));

describe("a run of atlases that work on each other's specimens", () => {
  test("says whose records parents are; a run of one atlas alone does not claim to know, and makes nothing new", async () => {
    const dir = join(CASES, "other-atlas-parents");
    const site = makeMemorySite();
    const links = (run: Awaited<ReturnType<typeof runCase>>) =>
      run
        .json<(Finding & { isNew: boolean })[]>("data/HTA13-findings.json")
        .filter(({ rule }) => rule === "H_LINKS")
        .map(({ severity, message, isNew }) => [severity, message, isNew]);
    const both = await runCase(world, dir, { site });
    expect(both.outcome).toMatchObject({ kind: "finished", record: { status: "succeeded" } });
    expect(both.json("data/HTA3-findings.json")).toEqual([]);
    const is = "is a record of HTA3 (Biospecimen), another atlas, and not of this one.";
    expect(links(both)).toEqual([
      ["warning", `Parent HTA3_1_1 of HTA13_1_1 ${is}`, false],
      ["warning", `Parent HTA3_3_1 of HTA13_1_9 ${is}`, false],
    ]);
    expect(site.files.get("HTA13.html")?.text).toContain("2 warnings");
    const alone = await runCase(world, dir, { site, atlases: ["HTA13"] });
    const unseen =
      "is no record of this atlas; it may be one of HTA3, which this run could not look at.";
    expect(links(alone)).toEqual([
      ["warning", `Parent HTA3_1_1 of HTA13_1_1 ${unseen}`, false],
      ["warning", `Parent HTA3_3_1 of HTA13_1_9 ${unseen}`, false],
    ]);
  });

  test("goes on where the other atlas cannot be read", async () => {
    const dir = join(CASES, "other-atlas-parents");
    const faults = { denied: ["syn70000001"] };
    const { outcome, json } = await runCase(world, dir, { faults });
    expect(outcome).toMatchObject({ kind: "finished", record: { status: "degraded" } });
    expect(json<Finding[]>("data/HTA13-findings.json")).toContainEqual(
      expect.objectContaining({
        severity: "warning",
        message: expect.stringContaining("HTA3, which this run could not look at") as unknown,
      }),
    );
  });
});
