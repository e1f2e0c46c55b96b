import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { Atlas } from "../../../../src/jobs/htan/data/atlas.ts";
import { listAtlases, saveAtlases } from "../../../../src/jobs/htan/registry/atlasTable.ts";
import { LEDGER_KINDS, openLedger, type TestLedger } from "../../../support/ledger.ts";

const atlas = (n: number, projectId = `syn${n}`): Atlas => ({
  atlasId: `HTA${n}`,
  projectId,
  name: `Atlas ${n}`,
  liaison: "",
});

describe.each(LEDGER_KINDS)("saveAtlases(db, atlases) on %s", (kind) => {
  let ledger: TestLedger;
  beforeAll(async () => {
    ledger = await openLedger(kind);
  });
  afterAll(() => ledger.close());

  test("reports added, changed, unchanged and removed, and lists in natural order", async () => {
    const { db } = ledger.database;
    expect(await saveAtlases(db, [atlas(10), atlas(2), atlas(3)])).toEqual({
      added: ["HTA10", "HTA2", "HTA3"],
      changed: [],
      unchanged: [],
      removed: [],
    });
    expect(await listAtlases(db)).toEqual([atlas(2), atlas(3), atlas(10)]);
    // HTA2 and HTA3 swap their projects, which are unique.
    expect(
      await saveAtlases(db, [atlas(2, "syn3"), atlas(3, "syn2"), atlas(4), { ...atlas(10) }]),
    ).toEqual({ added: ["HTA4"], changed: ["HTA2", "HTA3"], unchanged: ["HTA10"], removed: [] });
    expect(await saveAtlases(db, [atlas(4)])).toEqual({
      added: [],
      changed: [],
      unchanged: ["HTA4"],
      removed: ["HTA2", "HTA3", "HTA10"],
    });
    expect(await listAtlases(db)).toEqual([atlas(4)]);
  });

  test("lets many first starts fill an empty registry at once", async () => {
    const { db } = ledger.database;
    await saveAtlases(db, []);
    // Connections that are open already, so that all begin at the same moment.
    await Promise.all(Array.from({ length: 6 }, () => sql`select pg_sleep(0.1)`.execute(db)));
    const starts = Array.from({ length: 6 }, () => saveAtlases(db, [atlas(1), atlas(2)]));
    const added = (await Promise.all(starts)).map((saved) => saved.added.length);
    expect(added.sort()).toEqual([0, 0, 0, 0, 0, 2]);
    expect(await listAtlases(db)).toEqual([atlas(1), atlas(2)]);
  });

  test("changes nothing where two atlases claim one project", async () => {
    const { db } = ledger.database;
    const before = await listAtlases(db);
    await expect(saveAtlases(db, [atlas(5, "syn1"), atlas(6, "syn1")])).rejects.toMatchObject({
      kind: "permanent",
    });
    expect(await listAtlases(db)).toEqual(before);
  });
});
