// Images, growing memory, what may be missing, parts that may fail.

import {
  container,
  file,
  folder,
  list,
  optional,
  pipeline,
  sh,
  table,
  text,
} from "../../../../src/index.ts";
import { call, report, split } from "./steps.ts";

export const align = container({
  name: "align",
  image: "registry.example.org/bwa-mem2:2.2.1",
  takes: { sample: text(), reads: list(file()), reference: folder() },
  gives: {
    bam: file("out.bam"),
    metrics: folder("metrics"),
    unmapped: optional(file("unmapped.fq")),
  },
  secrets: ["LICENCE_KEY"],
  resources: ({ attempt }) => ({
    ...{ cpus: 4, memoryMiB: 8192 * attempt, diskMiB: 102_400, minutes: 240 },
  }),
  attempts: 3,
  run: ({ sample, reads, reference }) => sh`
    bwa-mem2 mem -t $HDASH_CPUS -R ${`@RG\\tID:${sample}`} ${reference}/genome.fa ${reads} | samtools sort -o out.bam
    mkdir metrics && samtools stats out.bam > metrics/stats.txt`,
  stub: () => sh`mkdir metrics; touch out.bam`,
});

export default pipeline({
  name: "align",
  takes: { sheet: table({ sample: text(), reads: list(file()) }), reference: folder() },
  gives: { report: file() },
  async plan({ sheet, reference }, { run, scope, read }) {
    const done = await Promise.all(
      sheet.map(({ sample, reads }) =>
        scope(sample, async () => {
          const { bam, metrics } = run(align, { sample, reads, reference });
          const { chromosomes } = run(split, { bam });
          const calls = (await read(chromosomes)).map((name) => run(call, { bam, name }).vcf);
          return { calls, stats: metrics.at("stats.txt") };
        }),
      ),
    );
    return run(report, { samples: done.flatMap((one) => (one.ok ? [one.value.stats] : [])) });
  },
});
