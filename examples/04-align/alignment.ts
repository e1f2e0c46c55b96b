// Reads to alignments, by bwa and samtools as Debian has them. In a module of its own: what is changed elsewhere aligns nothing again.

import { command, file, folder, sh, text } from "hdash";

export const index = command({
  name: "index",
  takes: { reference: file("genome.fa") },
  gives: { index: folder("index") },
  run: ({ reference }) => sh`
    mkdir index
    cp ${reference} index/genome.fa
    bwa index index/genome.fa
    samtools faidx index/genome.fa`,
});

export const align = command({
  name: "align",
  takes: { sample: text(), index: folder(), forward: file("1.fq.gz"), reverse: file("2.fq.gz") },
  gives: { alignment: file("aligned.bam") },
  resources: { cpus: 2, memoryMiB: 1024, minutes: 10 },
  // -K: as many bases at a time, however many threads there are. bwa writes its own command line, and so that number, into the header (@PG):
  // without both, another machine would give other bytes.
  run: ({ sample, index, forward, reverse }) => sh`
    bwa mem -t $HDASH_CPUS -K 10000000 -R ${`@RG\\tID:${sample}\\tSM:${sample}`} ${index}/genome.fa ${forward} ${reverse} |
      grep -v '^@PG' |
      samtools sort --no-PG -o aligned.bam`,
});
