import { execFileSync } from "node:child_process";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { type Example, openExample, times } from "./support/play.ts";
import { missingPrograms } from "./support/programs.ts";

const why = missingPrograms();
if (why !== null) console.warn(why);

describe.skipIf(why !== null)("examples/04-align", () => {
  const given = { sheet: "data/samples.csv", reference: "data/reference.fa" };
  let example: Example;
  beforeEach(async () => {
    example = await openExample("04-align", "align.ts");
    execFileSync(process.execPath, [
      "--disable-warning=ExperimentalWarning",
      ...[join(example.dir, "simulate.ts"), join(example.dir, "data")],
    ]);
  });
  afterEach(() => example.remove());

  test("finds every read where it is from, and what each sample has otherwise", async () => {
    expect(await example.run(given)).toMatchObject({
      ...{ code: 0, hits: 0, failed: [] },
      ran: [
        ...times("align", 3),
        ...times("import file", 7),
        "index",
        ...times("measure", 3),
        "report",
        "results",
      ],
    });
    const summary = (await example.text("results/report/summary.tsv")).trimEnd().split("\n");
    expect(summary[0]).toBe("sample\treads\tmapped\tproperly paired\tmean depth\tvariants");
    const depths = new Map(
      summary.slice(1).map((line) => [line.split("\t")[0], Number(line.split("\t")[4])]),
    );
    for (const [at, sample] of ["ash", "birch", "cedar"].entries()) {
      const placed = placesOf(join(example.dir, `results/alignments-${at}.bam`));
      const [known, strange] = [
        placed.filter(({ from }) => from !== null),
        placed.filter(({ from }) => from === null),
      ];
      expect(known.filter(({ at: found, from }) => found !== from)).toEqual([]);
      expect(strange.filter(({ at: found }) => found !== null)).toEqual([]);
      const variants = (await example.text("data/truth.tsv"))
        .split("\n")
        .filter((line) => line.startsWith(`${sample}\t`));
      const depth = depths.get(sample) ?? 0;
      expect(summary[at + 1]).toBe(
        [sample, placed.length, known.length, known.length, depth.toFixed(2), variants.length].join(
          "\t",
        ),
      );
      // Each read has 100 bases, the reference 10,000; few are clipped from a read's end.
      expect(depth).toBeLessThanOrEqual(known.length / 100);
      expect(depth).toBeGreaterThan((known.length / 100) * 0.99);
    }
    const bySampleAndPlace = (text: string): readonly string[] =>
      text.trimEnd().split("\n").slice(1).sort();
    expect(bySampleAndPlace(await example.text("results/report/variants.tsv"))).toEqual(
      bySampleAndPlace(await example.text("data/truth.tsv")),
    );
    expect(await example.text("results/report/depth.svg")).toMatch(
      /^<svg [^]*>cedar<[^]*<\/svg>\n$/,
    );
  });

  test("runs what a change concerns", async () => {
    await example.run(given);
    expect(await example.run(given)).toMatchObject({ code: 0, hits: 16, ran: [] });
    // How the figure is drawn: the report.
    await example.edit("chart.ts", "const HEIGHT = 120", "const HEIGHT = 160");
    expect(await example.run(given)).toMatchObject({
      code: 0,
      hits: 14,
      ran: ["report", "results"],
    });
    // A script that each alignment is measured by, in a way that finds the same.
    await example.edit("bin/variants.sh", "$4 >= 8", "$4 > 7");
    expect(await example.run(given)).toMatchObject({ code: 0, hits: 13, ran: times("measure", 3) });
    // How reads are aligned: everything but the index, which is in the same module and runs, too.
    await example.edit("alignment.ts", "-K 10000000", "-K 20000000");
    expect(await example.run(given)).toMatchObject({
      code: 0,
      hits: 12,
      ran: [...times("align", 3), "index"],
    });
  });
});

/** Where a read is from, by its name, and where it was found; null: nowhere. Clipped bases are counted in. */
function placesOf(
  bam: string,
): readonly { readonly at: string | null; readonly from: string | null }[] {
  // What is found a second time elsewhere is none of the reads.
  const text = execFileSync("samtools", ["view", "-F", "0x900", bam], {
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  return text
    .trimEnd()
    .split("\n")
    .map((line) => {
      const [name = "", flag = "", contig = "", position = "", , cigar = ""] = line.split("\t");
      const isSecond = (Number(flag) & 0x80) !== 0;
      const isUnmapped = (Number(flag) & 0x4) !== 0;
      const [, , own, first, second] = name.split("_");
      const from = name.includes("_nowhere_") ? null : `${own}:${isSecond ? second : first}`;
      const clipped = Number(/^(\d+)S/.exec(cigar)?.[1] ?? 0);
      return { at: isUnmapped ? null : `${contig}:${Number(position) - clipped}`, from };
    });
}
