import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { type DiskBudget, type DiskHold, makeDiskBudget } from "../../src/sources/diskBudget.ts";
import { failureOf, tempDir } from "./rig.ts";

function budgetOf(bytes: number, free = 1e9, sweepMs = 60_000): DiskBudget {
  return makeDiskBudget({ bytes, freeBytes: async () => free, sweepMs });
}

function take(
  budget: DiskBudget,
  bytes: number | null,
  subject = "a",
  signal = new AbortController().signal,
): Promise<DiskHold> {
  const hold = budget.take(bytes, { subject, signal });
  hold.catch(() => undefined);
  return hold;
}

/** Tells whether something has happened once everybody had a turn. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let isDone = false;
  const done = (): void => void (isDone = true);
  promise.then(done, done);
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  return isDone;
}

describe("makeDiskBudget(options).take(bytes, options)", () => {
  test("lets through what fits, and the rest in order as room is given back", async () => {
    const budget = budgetOf(100);
    const first = await take(budget, 60);
    const large = take(budget, 80);
    const small = take(budget, 10);
    // Small ones do not slip past: else a large one could wait for ever.
    expect([await isSettled(large), await isSettled(small)]).toEqual([false, false]);
    first.release();
    (await large).release();
    (await small).release();
    expect(await isSettled(take(budget, 100))).toBe(true);
  });

  test("gives back once what is released twice", async () => {
    const budget = budgetOf(100);
    const first = await take(budget, 60);
    await take(budget, 40);
    first.release();
    first.release();
    expect(await isSettled(take(budget, 60))).toBe(true);
    expect(await isSettled(take(budget, 1))).toBe(false);
  });

  test("refuses what is larger than the whole budget", async () => {
    expect(await failureOf(take(budgetOf(100), 101))).toEqual({
      kind: "permanent",
      message: "a takes 101 bytes, more than the 100 that downloads may take",
      hint: "Allow downloads more disk, or leave this file out.",
    });
  });

  test("refuses what is larger than the free disk when nothing else is on it", async () => {
    const budget = budgetOf(100, 50);
    const first = await take(budget, 10);
    const second = take(budget, 60, "b");
    expect(await isSettled(second)).toBe(false);
    first.release();
    expect(await failureOf(second)).toEqual({
      kind: "permanent",
      message: "b takes 60 bytes, but only 50 are free on the disk for downloads",
      hint: null,
    });
  });

  test("counts what is promised and not yet written as not free", async () => {
    const budget = budgetOf(1000, 50);
    const first = await take(budget, 40);
    const second = take(budget, 20);
    expect(await isSettled(second)).toBe(false);
    first.wrote(30);
    const third = take(budget, 0);
    await second;
    expect(await isSettled(third)).toBe(true);
  });

  test("gives room back when the settled file is removed", async () => {
    const path = join(await tempDir(), "file");
    await writeFile(path, "x");
    const budget = budgetOf(100, 1e9, 2);
    const first = await take(budget, 90);
    first.settle(path, 80);
    expect(await isSettled(take(budget, 20))).toBe(true);
    const waiting = take(budget, 50);
    expect(await isSettled(waiting)).toBe(false);
    await rm(path);
    (await waiting).release();
  });

  test("says when the disk does not answer", async () => {
    const budget = makeDiskBudget({
      bytes: 100,
      freeBytes: () => Promise.reject(new Error("gone")),
    });
    expect(await failureOf(take(budget, 1))).toMatchObject({
      kind: "permanent",
      message: "a: the disk does not say how much is free",
    });
  });

  test("stops waiting at once when told to, and lets the next one pass", async () => {
    const budget = budgetOf(100);
    const stop = new AbortController();
    await take(budget, 60);
    const waiting = take(budget, 60, "b", stop.signal);
    const next = take(budget, 40, "c");
    expect(await isSettled(next)).toBe(false);
    stop.abort();
    expect(await failureOf(waiting)).toEqual({
      kind: "aborted",
      message: "stopped while waiting for room for b",
      hint: null,
    });
    await next;
    expect(await failureOf(take(budget, 1, "d", stop.signal))).toMatchObject({ kind: "aborted" });
  });
});

describe("makeDiskBudget(options).take(null, options)", () => {
  test("grows until there is no room, and then says so", async () => {
    const hold = await take(budgetOf(100), null);
    await hold.grow(99);
    await hold.grow(1);
    expect(await failureOf(hold.grow(1))).toMatchObject({
      kind: "permanent",
      message: "a takes at least 101 bytes, more than the 100 that downloads may take",
    });
  });

  test("waits with growing until others gave room back", async () => {
    const budget = budgetOf(100);
    const known = await take(budget, 80);
    const growing = await take(budget, null);
    await growing.grow(20);
    const more = growing.grow(30);
    const behind = take(budget, 10);
    expect([await isSettled(more), await isSettled(behind)]).toEqual([false, false]);
    known.release();
    await more;
    await behind;
  });

  test("lets those who grow go first: who waits for a start holds nothing that others need", async () => {
    const budget = budgetOf(100);
    const known = await take(budget, 80);
    const growing = await take(budget, null);
    await growing.grow(20);
    const large = take(budget, 90);
    const more = growing.grow(30);
    known.release();
    await more;
    expect(await isSettled(large)).toBe(false);
    growing.release();
    await large;
  });

  test("lets only one grow at a time, so that no two wait for each other", async () => {
    const budget = budgetOf(100);
    const first = await take(budget, null);
    await first.grow(10);
    const second = take(budget, null);
    expect(await isSettled(second)).toBe(false);
    first.settle(import.meta.filename, 10);
    await (await second).grow(90);
    first.release();
  });
});
