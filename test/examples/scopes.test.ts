import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { type Example, openExample, times } from "./support/play.ts";

let example: Example;
beforeEach(async () => {
  example = await openExample("05-scopes", "scopes.ts");
});
afterEach(() => example.remove());

/** A sample's row of the report, worked out in another way: sorted, each value is counted by how many are below and above it. */
async function row(sample: string): Promise<string> {
  const lines = (await example.text(`data/${sample}.txt`)).trimEnd().split("\n").slice(0, -1);
  const values = lines.map(Number).filter((value) => !Number.isNaN(value));
  values.sort((a, b) => a - b);
  const count = values.length;
  const sum = values.reduce((all, value, at) => all + value * (2 * at - count + 1), 0);
  const mean = sum / ((count * (count - 1)) / 2);
  return [sample, count, mean.toFixed(3), lines.length - count].join("\t");
}

test("reports the samples that are whole, and ends degraded for the one that is not", async () => {
  const given = { sheet: "samples.csv" };
  const head = "sample\tvalues\tmean distance\trejected";
  const whole = await Promise.all(["ash", "birch", "elm", "fir"].map(row));
  expect(whole[1]).toMatch(/\t2$/);

  const first = await example.run(given);
  expect(first).toMatchObject({ code: 3, hits: 0, failed: ["clean"] });
  expect(first.ran).toEqual([
    ...[...times("clean", 4), ...times("distances", 4), ...times("import file", 5)],
    ...["report", "results"],
  ]);
  expect(first.stderr).toContain("cedar");
  expect(first.stderr).toContain("the file was cut off");
  // The largest sample alone needs more than an attempt.
  expect(first.stderr.match(/distances: attempt \d of 3 failed/g)).toEqual([
    "distances: attempt 1 of 3 failed",
  ]);
  expect(await example.text("results/report")).toBe(
    `${[head, ...whole, "cedar\tmissing"].join("\n")}\n`,
  );

  // What failed is tried again, and nothing else.
  expect(await example.run(given)).toMatchObject({
    ...{ code: 3, hits: 15, ran: [], failed: ["clean"] },
  });

  const cut = await example.text("data/cedar.txt");
  await writeFile(join(example.dir, "data/cedar.txt"), `${cut}end\n`);
  const mended = await example.run(given);
  expect(mended).toMatchObject({ code: 0, hits: 12, failed: [] });
  expect(mended.ran).toEqual(["clean", "distances", "import file", "report", "results"]);
  const [ash = "", birch = "", elm = "", fir = ""] = whole;
  expect(await example.text("results/report")).toBe(
    `${[head, ash, birch, await row("cedar"), elm, fir].join("\n")}\n`,
  );
});
