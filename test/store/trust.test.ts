// Words of trust and verdicts, as both kinds of ledger keep them.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { step } from "../../src/engine/step.ts";
import { json } from "../../src/engine/step.ts";
import { listVerdicts } from "../../src/store/ancestry.ts";
import { listRunSteps } from "../../src/store/lineage.ts";
import {
  addTrust,
  findLastOfStep,
  listAllTrust,
  listHolding,
  withdrawTrust,
} from "../../src/store/trust.ts";
import { addVerdict } from "../../src/store/verdicts.ts";
import { finish, openWorld, play, type World } from "../engine/world.ts";
import { LEDGER_KINDS, startAfresh } from "../support/ledger.ts";

const one = step({
  ...{ name: "one", version: 1, outputs: { n: json<number>() } },
  run: (_none: object, n: number) => Promise.resolve({ n }),
});

describe.each(LEDGER_KINDS)("trust and verdicts on %s", (kind) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld(kind);
  });
  afterAll(() => world.close());
  beforeEach(() => startAfresh(world.database.db));

  const at = new Date("2026-12-01T04:00:00Z");
  const word = { pipeline: "p", step: "s", code: "new", standsFor: "old", trustedAt: at };

  test("keeps words, lets a new one take the place of one for the same code, and withdraws by code or step", async () => {
    const { db } = world.database;
    await addTrust(db, [{ ...word, because: "first\u0000" }]);
    await addTrust(db, [
      { ...word, because: "second" },
      { ...word, code: "used", because: "second" },
      { ...word, pipeline: "other", because: "third" },
    ]);
    const holding = await listHolding(db, "p");
    expect(holding.map(({ code, because }) => `${code} ${because}`)).toEqual([
      "new second",
      "used second",
    ]);
    const now = { at, why: "wrong" };
    const of = { pipeline: "p", step: "s" };
    expect(await withdrawTrust(db, { ...of, codes: ["new"] }, now)).toBe(1);
    expect(await withdrawTrust(db, { ...of, codes: null }, now)).toBe(1);
    expect(await withdrawTrust(db, { ...of, codes: null }, now)).toBe(0);
    const all = await listAllTrust(db);
    expect(all.map(({ because, withdrawnWhy }) => [because, withdrawnWhy])).toEqual([
      ["first\uFFFD", "another word was given"],
      ["second", "wrong"],
      ["second", "wrong"],
      ["third", null],
    ]);
    expect((await listHolding(db, "other")).map(({ trustedAt }) => trustedAt)).toEqual([at]);
  });

  test("finds a step's last result of a good run, and keeps verdicts beside results that are there", async () => {
    const { db } = world.database;
    expect(await findLastOfStep(db, "test", "one")).toBeNull();
    const good = (n: number) =>
      finish(world, async (plan) => void (await plan.do(one, { params: n, inputs: {} })), {
        params: { n },
      });
    const { record } = await good(1);
    await good(2);
    await play(
      world,
      async (plan) => {
        await plan.do(one, { params: 3, inputs: {} });
        throw new Error("it ends badly");
      },
      { params: { n: 3 } },
    ).catch(() => {});
    const last = await findLastOfStep(db, record.pipeline, "one");
    expect(JSON.parse(last?.document ?? "{}")).toMatchObject({ params: 2 });

    const [made] = await listRunSteps(db, record.id);
    const resultId = made?.resultId ?? "";
    const verdict = {
      ...{ resultId, state: "different" as const, build: "hdash 1", checkedAt: at },
      differences: [{ port: "n", kind: "time" }],
    };
    const machine = { cpus: 2, memoryMiB: 100, arch: "x86_64" };
    await addVerdict(db, { ...verdict, machine, ms: 1.5 });
    await addVerdict(db, { ...verdict, resultId: "999999", machine, ms: 1 });
    expect(await listVerdicts(db, [resultId, "999999"])).toEqual([verdict]);
  });
});
