// Composition of sequences, by a program of an image. To adapt: the image, and what it is to do.

import { command, container, file, integer, list, pipeline, sh, table, text } from "hdash";

/** Done once for each sample: a sequence that changes runs its own sample again, and no other. */
export const composition = container({
  name: "composition",
  // By its digest it is for ever the same: NAME@sha256:…
  image: "docker.io/library/debian:bookworm-slim",
  takes: { sample: text(), sequences: file(), shortest: integer() },
  gives: { rows: file("rows.tsv") },
  // Part of the code: a change of it runs this step again.
  uses: ["bin/composition.awk"],
  resources: ({ attempt }) => ({ cpus: 1, memoryMiB: 512 * attempt, minutes: 10 }),
  attempts: 2,
  run: ({ sample, sequences, shortest }) => sh`
    awk -v sample=${sample} -v shortest=${shortest} -f bin/composition.awk ${sequences} > rows.tsv`,
  stub: () => sh`touch rows.tsv`,
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
