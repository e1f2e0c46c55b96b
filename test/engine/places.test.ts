import { describe, expect, test } from "vitest";

import { type Capacity, type Hold, machineCapacity, openPlaces } from "../../src/engine/places.ts";
import type { Resources } from "../../src/engine/step.ts";

/** Work that begins when it has what it needs, says so, and ends when told. */
function makeStage(capacity: Partial<Capacity>) {
  const stop = new AbortController();
  const places = openPlaces({ places: 8, cpus: 2, memoryMiB: 1000, ...capacity }, stop.signal);
  const working = new Set<string>();
  const ends = new Map<string, () => void>();
  const holds = new Map<string, Hold>();
  const results = new Map<string, Promise<void>>();
  function begin(name: string, need: Resources = {}): void {
    const done = places.run(async (hold) => {
      holds.set(name, hold);
      await hold.become(need);
      working.add(name);
      await new Promise<void>((resolve) => ends.set(name, resolve));
      working.delete(name);
    });
    done.catch(() => {});
    results.set(name, done);
  }
  return {
    ...{ stop, begin, holds, results },
    /** Who is at work, after all that can happen has. */
    async working() {
      await new Promise((resolve) => setImmediate(resolve));
      return [...working].sort();
    },
    async end(name: string) {
      ends.get(name)?.();
      await results.get(name);
    },
  };
}

describe("openPlaces(capacity, signal)", () => {
  test("lets as many work as there are places, and the next in order of coming", async () => {
    const stage = makeStage({ places: 2 });
    for (const name of ["a", "b", "c", "d"]) stage.begin(name);
    expect(await stage.working()).toEqual(["a", "b"]);
    await stage.end("b");
    expect(await stage.working()).toEqual(["a", "c"]);
  });

  test("counts CPUs and memory apart from places", async () => {
    const stage = makeStage({ cpus: 4, memoryMiB: 1000 });
    stage.begin("a", { cpus: 2, memoryMiB: 600 });
    stage.begin("b", { cpus: 2, memoryMiB: 600 });
    stage.begin("c", { memoryMiB: 300 });
    stage.begin("d", { cpus: 2 });
    // b lacks memory, and c and d came later than b.
    expect(await stage.working()).toEqual(["a"]);
    await stage.end("a");
    expect(await stage.working()).toEqual(["b", "c", "d"]);
  });

  test("gives who waits for CPUs no place: others work in it", async () => {
    const stage = makeStage({ places: 2 });
    stage.begin("big", { cpus: 2 });
    for (const name of ["w1", "w2", "w3"]) stage.begin(name, { cpus: 2 });
    expect(await stage.working()).toEqual(["big"]);
    stage.begin("small");
    expect(await stage.working()).toEqual(["big", "small"]);
  });

  test("does not let small ones overtake a big one for ever", async () => {
    const stage = makeStage({ cpus: 4 });
    stage.begin("s0", { cpus: 1 });
    stage.begin("big", { cpus: 4 });
    for (let index = 1; index < 5; index++) stage.begin(`s${index}`, { cpus: 1 });
    expect(await stage.working()).toEqual(["s0"]);
    await stage.end("s0");
    expect(await stage.working()).toEqual(["big"]);
    await stage.end("big");
    expect(await stage.working()).toEqual(["s1", "s2", "s3", "s4"]);
  });

  test("gives the next place to a big one that lacks nothing else, though small ones keep coming", async () => {
    const stage = makeStage({ places: 2 });
    stage.begin("first", { cpus: 2 });
    stage.begin("big", { cpus: 2 });
    stage.begin("s1");
    stage.begin("s2");
    expect(await stage.working()).toEqual(["first", "s1"]);
    await stage.end("s1");
    expect(await stage.working()).toEqual(["first", "s2"]);
    stage.begin("s3");
    await stage.end("first");
    expect(await stage.working()).toEqual(["big", "s2"]);
  });

  test("takes all CPUs of a machine that has fewer, and refuses what no machine of ours has in memory", async () => {
    const stage = makeStage({ cpus: 1, memoryMiB: 1000 });
    stage.begin("wide", { cpus: 16 });
    expect(await stage.working()).toEqual(["wide"]);
    stage.begin("huge", { memoryMiB: 1001 });
    await expect(stage.results.get("huge")).rejects.toMatchObject({
      kind: "permanent",
      message: "it asks for 1001 MiB of memory, and this machine has 1000 MiB",
    });
    stage.begin("odd", { cpus: Number.NaN });
    await expect(stage.results.get("odd")).rejects.toThrow("cpus of a step's resources is NaN");
    await stage.end("wide");
    stage.begin("next", { cpus: 1, memoryMiB: 1000 });
    expect(await stage.working()).toEqual(["next"]);
  });

  test("gives back at once what is not needed any more", async () => {
    const stage = makeStage({ cpus: 2 });
    stage.begin("a", { cpus: 2 });
    stage.begin("b", { cpus: 1 });
    expect(await stage.working()).toEqual(["a"]);
    await stage.holds.get("a")?.become({ cpus: 1 });
    expect(await stage.working()).toEqual(["a", "b"]);
  });

  test("holds nothing while it waits for something else, and comes before those that have not begun", async () => {
    const stage = makeStage({ places: 1 });
    stage.begin("a");
    stage.begin("b");
    stage.begin("c");
    expect(await stage.working()).toEqual(["a"]);
    const waited = Promise.withResolvers<string>();
    const result = stage.holds.get("a")?.without(() => waited.promise);
    // Of those that wait in the dark, b has the place now.
    expect(await stage.working()).toEqual(["a", "b"]);
    waited.resolve("came");
    await stage.end("b");
    expect(await result).toBe("came");
    expect(await stage.working()).toEqual(["a"]);
    await stage.end("a");
    expect(await stage.working()).toEqual(["c"]);
  });

  test("lets a step wait for one thing at a time", async () => {
    const stage = makeStage({});
    stage.begin("a");
    await stage.working();
    const hold = stage.holds.get("a");
    const first = hold?.without(() => new Promise<void>(() => {}));
    first?.catch(() => {});
    await expect(hold?.become({ cpus: 1 })).rejects.toThrow("one thing at a time");
  });

  test("stops waiting when told, and leaves no gap", async () => {
    const stage = makeStage({ places: 1 });
    stage.begin("a");
    stage.begin("b");
    expect(await stage.working()).toEqual(["a"]);
    const reason = new Error("told to stop");
    stage.stop.abort(reason);
    await expect(stage.results.get("b")).rejects.toBe(reason);
    stage.begin("c");
    await expect(stage.results.get("c")).rejects.toBe(reason);
  });
});

describe("machineCapacity(places)", () => {
  test("knows CPUs and memory of the machine", () => {
    const { places, cpus, memoryMiB } = machineCapacity(3);
    expect(places).toBe(3);
    expect(cpus).toBeGreaterThanOrEqual(1);
    expect(Number.isSafeInteger(memoryMiB) && memoryMiB > 100).toBe(true);
  });
});
