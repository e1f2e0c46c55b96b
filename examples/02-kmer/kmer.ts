// Programs that are there: k-mers of lanes, merged by sample, and a table of all samples.

import { command, file, integer, list, pipeline, sh, step, table, text } from "hdash";

export const count = command({
  name: "count",
  takes: { lane: file(), k: integer() },
  gives: { counts: file("counts.tsv") },
  // Part of the code: change it, and every lane is counted again.
  uses: ["bin/count.sh"],
  run: ({ lane, k }) => sh`bash bin/count.sh ${k} < ${lane} > counts.tsv`,
});

export const merge = command({
  name: "merge",
  takes: { tables: list(file()), min: integer() },
  gives: { merged: file("merged.tsv") },
  uses: ["bin/merge.sh"],
  run: ({ tables, min }) => sh`bash bin/merge.sh ${min} ${tables} > merged.tsv`,
});

export const compare = step({
  name: "compare",
  takes: { samples: table({ sample: text(), counts: file() }) },
  gives: { comparison: file() },
  async run({ samples }, { write }) {
    const counts = new Map<string, string[]>();
    for (const [at, sample] of samples.entries()) {
      for await (const line of sample.counts.lines()) {
        const [kmer = "", times = ""] = line.split("\t");
        const row = counts.get(kmer) ?? samples.map(() => "0");
        row[at] = times;
        counts.set(kmer, row);
      }
    }
    const head = ["kmer", ...samples.map(({ sample }) => sample)];
    const rows = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
    const lines = [head, ...rows.map(([kmer, row]) => [kmer, ...row])];
    const tsv = lines.map((line) => `${line.join("\t")}\n`).join("");
    return { comparison: await write("comparison.tsv", tsv) };
  },
});

export default pipeline({
  name: "kmer",
  takes: { sheet: table({ sample: text(), lane: file() }), k: integer(6), min: integer(2) },
  gives: { merged: list(file()), comparison: file() },
  plan({ sheet, k, min }, { run }) {
    const lanesOf = Map.groupBy(sheet, ({ sample }) => sample);
    const samples = [...lanesOf].map(([sample, rows]) => {
      const tables = rows.map(({ lane }) => run(count, { lane, k }).counts);
      return { sample, counts: run(merge, { tables, min }, { label: sample }).merged };
    });
    const { comparison } = run(compare, { samples });
    return { merged: samples.map(({ counts }) => counts), comparison };
  },
});
