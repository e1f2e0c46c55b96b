// The report: a table with a row for each sample, its variants, and a figure. A function of ours, and a module that it imports.

import { join } from "node:path";

import { file, folder, step, table, text } from "hdash";

import { depthChart } from "./chart.ts";

const WINDOW = 250;

interface Flags {
  readonly "QC-passed reads": Readonly<Record<string, number>>;
}

const tsv = (rows: readonly (readonly (string | number)[])[]): string =>
  rows.map((row) => `${row.join("\t")}\n`).join("");

export const report = step({
  name: "report",
  takes: {
    samples: table({ sample: text(), flags: file(), depth: file(), variants: file() }),
  },
  gives: { report: folder() },
  async run({ samples }, { write, workDir }) {
    const summary: (string | number)[][] = [
      ["sample", "reads", "mapped", "properly paired", "mean depth", "variants"],
    ];
    const variants = [["sample", "contig", "position", "reference", "sample's"]];
    const charted = [];
    for (const one of samples) {
      const flags = ((await one.flags.json()) as Flags)["QC-passed reads"];
      const depths: number[] = [];
      for await (const line of one.depth.lines()) depths.push(Number(line.split("\t")[2]));
      const found = (await one.variants.text()).split("\n").filter(Boolean);
      variants.push(...found.map((line) => [one.sample, ...line.split("\t")]));
      const [reads = 0, mapped = 0, paired = 0] = [
        "primary",
        "primary mapped",
        "properly paired",
      ].map((name) => flags[name]);
      const mean = depths.reduce((sum, depth) => sum + depth, 0) / Math.max(1, depths.length);
      summary.push([one.sample, reads, mapped, paired, mean.toFixed(2), found.length]);
      const means = [];
      for (let at = 0; at < depths.length; at += WINDOW) {
        const window = depths.slice(at, at + WINDOW);
        means.push(window.reduce((sum, depth) => sum + depth, 0) / window.length);
      }
      charted.push({ sample: one.sample, means });
    }
    await write("report/summary.tsv", tsv(summary));
    await write("report/variants.tsv", tsv(variants));
    await write("report/depth.svg", depthChart(charted));
    return { report: { path: join(await workDir(), "report") } };
  },
});
