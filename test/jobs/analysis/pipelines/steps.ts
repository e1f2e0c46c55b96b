// Steps of a module of their own.

import { command, file, list, sh, step, text } from "../../../../src/index.ts";

export const split = step({
  name: "split",
  takes: { bam: file() },
  gives: { chromosomes: list(text()) },
  run: ({ bam }) => ({ chromosomes: bam.bytes > 0 ? ["chr1", "chr2"] : [] }),
});

export const call = command({
  name: "call",
  takes: { bam: file(), name: text() },
  gives: { vcf: file("calls.vcf") },
  run: ({ bam, name }) => sh`echo ${name} ${bam} > calls.vcf`,
});

export const report = step({
  name: "report",
  takes: { samples: list(file()) },
  gives: { report: file() },
  async run({ samples }, { write }) {
    const texts = await Promise.all(samples.map((one) => one.text()));
    return { report: await write("report.txt", texts.join("\n")) };
  },
});
