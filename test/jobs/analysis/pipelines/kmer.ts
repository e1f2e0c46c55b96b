// Programs that are there: k-mers of lanes, merged by sample.

import { command, file, integer, list, pipeline, sh, table, text } from "../../../../src/index.ts";

export const count = command({
  name: "count",
  takes: { lane: file(), k: integer() },
  gives: { counts: file("counts.tsv") },
  uses: ["bin/count.sh"],
  run: ({ lane, k }) => sh`sh bin/count.sh ${k} < ${lane} > counts.tsv`,
});

export const merge = command({
  name: "merge",
  takes: { tables: list(file()), min: integer() },
  gives: { merged: file("merged.tsv") },
  uses: ["bin/merge.sh"],
  run: ({ tables, min }) => sh`sh bin/merge.sh ${min} ${tables} > merged.tsv`,
});

export default pipeline({
  name: "kmer",
  takes: { sheet: table({ sample: text(), lane: file() }), k: integer(6), min: integer(2) },
  gives: { merged: list(file()) },
  plan({ sheet, k, min }, { run }) {
    const samples = Map.groupBy(sheet, ({ sample }) => sample);
    const merged = [...samples.values()].map((rows) => {
      const tables = rows.map(({ lane }) => run(count, { lane, k }).counts);
      return run(merge, { tables, min }).merged;
    });
    return { merged };
  },
});
