// Paired reads of several samples, aligned to a reference by bwa, measured by samtools, and reported.

import { file, folder, list, pipeline, table, text } from "hdash";

import { align, index } from "./alignment.ts";
import { measure } from "./measurement.ts";
import { report } from "./report.ts";

export default pipeline({
  name: "align",
  takes: {
    sheet: table({ sample: text(), forward: file(), reverse: file() }),
    reference: file("the reference, as FASTA"),
  },
  gives: { alignments: list(file()), report: folder() },
  plan({ sheet, reference }, { run }) {
    const indexed = run(index, { reference }).index;
    const samples = sheet.map(({ sample, forward, reverse }) => {
      const { alignment } = run(align, { sample, index: indexed, forward, reverse });
      const measured = run(measure, { alignment, index: indexed }, { label: sample });
      return { alignment, row: { sample, ...measured } };
    });
    const alignments = samples.map(({ alignment }) => alignment);
    return { alignments, ...run(report, { samples: samples.map(({ row }) => row) }) };
  },
});
