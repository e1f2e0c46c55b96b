import { afterEach, beforeEach, expect, test } from "vitest";

import { type Example, openExample, times } from "./support/play.ts";

let example: Example;
beforeEach(async () => {
  example = await openExample("03-chromosomes", "chromosomes.ts");
});
afterEach(() => example.remove());

/** What the example should give, worked out in another way: base by base. */
async function recount(): Promise<string> {
  const [, ...lines] = (await example.text("data/genes.tsv")).trimEnd().split("\n");
  const rows = lines.map((line) => line.split("\t") as [string, string, string, string]);
  const chromosomes = [...new Set(rows.map(([chromosome]) => chromosome))].map((name) => {
    const own = rows.filter(([chromosome]) => chromosome === name);
    const bases = new Set<number>();
    for (const [, start, end] of own) {
      for (let base = Number(start); base <= Number(end); base++) bases.add(base);
    }
    return `${name}\t${own.length}\t${bases.size}\n`;
  });
  return ["chromosome\tgenes\tbases in genes\n", ...chromosomes].join("");
}

test("calls a step for each chromosome that there is", async () => {
  const given = { genes: "data/genes.tsv" };
  expect(await example.run(given)).toMatchObject({
    ...{ code: 0, hits: 0, failed: [] },
    ran: [...times("cover", 3), "import file", "results", "split", "summarise"],
  });
  expect(await example.text("results/summary")).toBe(await recount());
  expect(await example.run(given)).toMatchObject({ code: 0, hits: 7, ran: [] });

  // A gene of one chromosome: of the three, that one.
  await example.edit("data/genes.tsv", "chrII\t2271\t", "chrII\t1271\t");
  expect(await example.run(given)).toMatchObject({
    ...{ code: 0, hits: 2, ran: ["cover", "import file", "results", "split", "summarise"] },
  });
  expect(await example.text("results/summary")).toBe(await recount());

  // A chromosome more: one call more.
  await example.edit("data/genes.tsv", "chrIII\t898\t", "chrIV\t20\t90\tIV-01\nchrIII\t898\t");
  expect(await example.run(given)).toMatchObject({
    ...{ code: 0, hits: 3, ran: ["cover", "import file", "results", "split", "summarise"] },
  });
  expect(await example.text("results/summary")).toBe(await recount());
});
