// Composition of sequences, by a program of the machine. To adapt: what bin/composition.awk counts, or another program in its place.

import { command, file, integer, list, pipeline, sh, table, text } from "hdash";

/** Done once for each sample: a sequence that changes runs its own sample again, and no other. */
export const composition = command({
  name: "composition",
  takes: { sample: text(), sequences: file(), shortest: integer() },
  gives: { rows: file("rows.tsv") },
  // Part of the code: a change of it runs this step again.
  uses: ["bin/composition.awk"],
  run: ({ sample, sequences, shortest }) => sh`
    awk -v sample=${sample} -v shortest=${shortest} -f bin/composition.awk ${sequences} > rows.tsv`,
});

export const merge = command({
  name: "merge",
  takes: { parts: list(file()) },
  gives: { composition: file("composition.tsv") },
  // Two backslashes: one of them is JavaScript's.
  run: ({ parts }) => sh`
    printf 'sample\\tsequence\\tlength\\tGC\\n' > composition.tsv
    sort ${parts} >> composition.tsv`,
});

export default pipeline({
  name: "composition",
  title: "Composition of sequences",
  takes: { sheet: table({ sample: text(), sequences: file() }), shortest: integer(8) },
  gives: { composition: file() },
  plan({ sheet, shortest }, { run }) {
    const parts = sheet.map(
      ({ sample, sequences }) => run(composition, { sample, sequences, shortest }).rows,
    );
    return run(merge, { parts });
  },
});
