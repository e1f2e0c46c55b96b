import { afterEach, beforeEach, expect, test } from "vitest";

import { type Example, openExample, times } from "./support/play.ts";

let example: Example;
beforeEach(async () => {
  example = await openExample("02-kmer", "kmer.ts");
});
afterEach(() => example.remove());

/** What the example should give, worked out in another way: of all its lanes at once. */
async function recount(k: number, min: number): Promise<string> {
  const [, ...rows] = (await example.text("samples.csv")).trimEnd().split("\n");
  const counts = new Map<string, Map<string, number>>();
  for (const [sample = "", lane = ""] of rows.map((row) => row.split(","))) {
    const own = counts.get(sample) ?? new Map<string, number>();
    counts.set(sample, own);
    for (const bases of (await example.text(lane)).split("\n")) {
      if (bases.startsWith(">")) continue;
      for (const { index } of bases.matchAll(/(?=[ACGT])/g)) {
        const kmer = bases.slice(index, index + k);
        if (kmer.length === k) own.set(kmer, (own.get(kmer) ?? 0) + 1);
      }
    }
  }
  const kept = [...counts.values()].map((own) => (kmer: string): number => {
    const found = own.get(kmer) ?? 0;
    return found >= min ? found : 0;
  });
  const kmers = [...new Set([...counts.values()].flatMap((own) => [...own.keys()]))].sort();
  const lines = kmers
    .map((kmer) => [kmer, ...kept.map((own) => own(kmer))])
    .filter(([, ...all]) => all.some((one) => one !== 0));
  return [["kmer", ...counts.keys()], ...lines].map((line) => `${line.join("\t")}\n`).join("");
}

test("counts k-mers by sample, and runs what a change concerns", async () => {
  const given = { sheet: "samples.csv" };
  expect(await example.run(given)).toMatchObject({
    ...{ code: 0, hits: 0, failed: [] },
    ran: [
      "compare",
      ...times("count", 4),
      ...times("import file", 4),
      ...times("merge", 2),
      "results",
    ],
  });
  const first = await example.text("results/comparison");
  expect(first.split("\n").length).toBeGreaterThan(50);
  expect(first).toBe(await recount(6, 2));
  expect(await example.run(given)).toMatchObject({ code: 0, hits: 12, ran: [] });

  // A base of one lane: that lane, its sample, and what is made of all samples.
  await example.edit("data/B_2.fa", ">B_2_1\n", ">B_2_1\nAAAAAAAAA\n");
  expect(await example.run(given)).toMatchObject({
    ...{ code: 0, hits: 7, ran: ["compare", "count", "import file", "merge", "results"] },
  });
  expect(await example.text("results/comparison")).toBe(await recount(6, 2));

  // The name of a read: its lane is counted again, gives what it gave, and nothing else runs.
  await example.edit("data/B_2.fa", ">B_2_1\n", ">another name\n");
  expect(await example.run(given)).toMatchObject({
    ...{ code: 0, hits: 10, ran: ["count", "import file"] },
  });

  // What is left out: merged again, and not counted.
  expect(await example.run({ ...given, min: "3" })).toMatchObject({
    ...{ code: 0, hits: 8, ran: ["compare", "merge", "merge", "results"] },
  });
  expect(await example.text("results/comparison")).toBe(await recount(6, 3));

  // A program: what uses it.
  await example.edit("bin/merge.sh", "-lt", "-le");
  expect(await example.run({ ...given, min: "2" })).toMatchObject({
    ...{ code: 0, ran: ["merge", "merge"] },
  });
  expect(await example.text("results/comparison")).toBe(await recount(6, 3));
});
