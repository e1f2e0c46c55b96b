import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";

import { describe, expect, test } from "vitest";

import { limitMsOf, mapNeighbourhood } from "../../../../src/jobs/matrix/embed/neighbourhood.ts";
import { seededRandom } from "../../../../src/jobs/matrix/embed/sample.ts";
import { adjustedRandIndex } from "./planted.ts";

const COMPONENTS = 8;
/** Seconds of a processor's time, which other tests want as well. */
const OPTIONS = { seed: 1, limitMs: 60_000, signal: new AbortController().signal };

/** Scores of cells around four points in turn. */
function scoresOf(cells: number): Float64Array {
  const random = seededRandom(3);
  return Float64Array.from({ length: cells * COMPONENTS }, (_, at) => {
    const kind = Math.floor(at / COMPONENTS) % 4;
    return (at % COMPONENTS === kind ? 6 : 0) + random() + random() - 1;
  });
}

/** The processes for UMAP that this one, or the one with the id given, has started. */
function processes(of: number | "self" = "self"): readonly number[] {
  return readdirSync(`/proc/${of}/task`).flatMap((thread) =>
    readFileSync(`/proc/${of}/task/${thread}/children`, "utf8")
      .split(" ")
      .filter((pid) => pid !== "")
      .map(Number)
      .filter((pid) => isForUmap(pid)),
  );
}

function isForUmap(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("neighbourhoodProcess");
  } catch (error) {
    // It has ended meanwhile.
    if (error instanceof Error && "code" in error) return false;
    throw error;
  }
}

/** What a process has used; 0 once it has ended. */
function cpuSeconds(pid: number): number {
  if (!isForUmap(pid)) return 0;
  // Behind the name, which is in brackets: user and system time are fields 12 and 13, in hundredths.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function firstProcess(of?: number): Promise<number> {
  for (;;) {
    const [pid] = processes(of);
    if (pid !== undefined) return pid;
    await setTimeout(5);
  }
}

describe("mapNeighbourhood(scores, components, options)", () => {
  test("gives the same bytes again, for one thread and for two, exact or not", async () => {
    const scores = scoresOf(600);
    for (const isApproximate of [false, true]) {
      const [once, again, two] = await Promise.all(
        [1, 1, 2].map((threads) =>
          mapNeighbourhood(scores, COMPONENTS, { ...OPTIONS, threads, isApproximate }),
        ),
      );
      expect(once).toBeTypeOf("object");
      expect(again).toEqual(once);
      expect(two).toEqual(once);
    }
  });

  test("finds groups of cells, as clusters and as islands", async () => {
    const map = await mapNeighbourhood(scoresOf(400), COMPONENTS, OPTIONS);
    if (typeof map === "string") throw new Error(map);
    const kinds = Array.from({ length: 400 }, (_, cell) => cell % 4);
    expect(adjustedRandIndex(kinds, map.clusters)).toBe(1);
    expect(map.clusterSizes).toEqual([100, 100, 100, 100]);
    expect(map.modularity).toBeCloseTo(0.75, 2);
    // The nearest other cell on the map is of the same kind.
    const nearest = kinds.map((_, cell) => {
      let [best, distance] = [-1, Infinity];
      for (let other = 0; other < 400; other++) {
        const apart = Math.hypot(map.x[cell]! - map.x[other]!, map.y[cell]! - map.y[other]!);
        if (other !== cell && apart < distance) [best, distance] = [other, apart];
      }
      return best % 4;
    });
    expect(nearest.filter((kind, cell) => kind === kinds[cell]).length).toBeGreaterThan(395);
  });

  test("copes with cells that are all alike, and with as few as there may be", async () => {
    for (const scores of [new Float64Array(50 * COMPONENTS).fill(1), scoresOf(11)]) {
      const map = await mapNeighbourhood(scores, COMPONENTS, OPTIONS);
      if (typeof map === "string") throw new Error(map);
      expect(map.x.every(Number.isFinite) && map.y.every(Number.isFinite)).toBe(true);
      expect(map.clusters).toHaveLength(scores.length / COMPONENTS);
    }
  });

  test("says so when the process is killed", async () => {
    const map = mapNeighbourhood(scoresOf(9_000), COMPONENTS, OPTIONS);
    process.kill(await firstProcess(), "SIGKILL");
    await expect(map).rejects.toMatchObject({
      kind: "transient",
      message:
        "neighbours, UMAP and clusters could not be computed: the process ended with SIGKILL",
    });
    expect(processes()).toEqual([]);
  });

  test("stops a process that takes too long", async () => {
    const options = { ...OPTIONS, limitMs: 1 };
    await expect(mapNeighbourhood(scoresOf(9_000), COMPONENTS, options)).rejects.toMatchObject({
      kind: "transient",
      message: "neighbours, UMAP and clusters took longer than 1 s and were stopped",
    });
    expect(processes()).toEqual([]);
  });

  test("stops the process when it is told to stop", async () => {
    const controller = new AbortController();
    const map = mapNeighbourhood(scoresOf(9_000), COMPONENTS, {
      ...OPTIONS,
      signal: controller.signal,
    });
    await firstProcess();
    controller.abort("enough");
    await expect(map).rejects.toMatchObject({ kind: "aborted", cause: "enough" });
    expect(processes()).toEqual([]);
  });

  test("starts none when it is told to stop before", async () => {
    const signal = AbortSignal.abort("enough");
    await expect(
      mapNeighbourhood(scoresOf(50), COMPONENTS, { ...OPTIONS, signal }),
    ).rejects.toMatchObject({ kind: "aborted", cause: "enough" });
  });

  test("passes on what the process says of its failure", async () => {
    // Two and a half cells.
    const map = await mapNeighbourhood(new Float64Array(5), 2, OPTIONS);
    expect(map).toMatch(/^neighbours, UMAP and clusters could not be computed: [^/]+$/);
    expect(map).not.toContain("the process ended");
  });

  test("says so when the process cannot be started, without a path", async () => {
    const { execPath } = process;
    process.execPath = "/nowhere/node";
    try {
      await expect(mapNeighbourhood(scoresOf(50), COMPONENTS, OPTIONS)).rejects.toMatchObject({
        kind: "transient",
        message:
          "neighbours, UMAP and clusters could not be computed: the process could not be started (ENOENT)",
      });
    } finally {
      process.execPath = execPath;
    }
  });
});

describe("the process for UMAP", () => {
  test("ends where the process that waits for it was killed", async () => {
    const file = new URL("../../../../src/jobs/matrix/embed/neighbourhood.ts", import.meta.url)
      .href;
    const code = `import { mapNeighbourhood } from ${JSON.stringify(file)};
      const scores = Float64Array.from({ length: 10000 * 8 }, (_, at) => Math.sin(at * at));
      const { signal } = new AbortController();
      await mapNeighbourhood(scores, 8, { seed: 1, limitMs: 60_000, signal, threads: 1 });`;
    const caller = spawn(process.execPath, ["--input-type=module", "--eval", code]);
    const pid = await firstProcess(caller.pid);
    // Well into UMAP, which all in all takes 7 s of a processor's time.
    while (cpuSeconds(pid) < 2.5) await setTimeout(20);
    caller.kill("SIGKILL");
    let used = 0;
    while (isForUmap(pid)) {
      used = Math.max(used, cpuSeconds(pid));
      await setTimeout(20);
    }
    expect(used).toBeLessThan(4.5);
  });
});

describe("limitMsOf(cells)", () => {
  test("gives minutes to few cells and more to many", () => {
    expect([limitMsOf(0), limitMsOf(50_000)]).toEqual([120_000, 870_000]);
  });
});
