// What can be counted of an alignment: how many reads found a place, how deep they lie, and where they all differ from the reference.

import { command, file, folder, sh } from "hdash";

export const measure = command({
  name: "measure",
  takes: { alignment: file("aligned.bam"), index: folder() },
  gives: { flags: file("flags.json"), depth: file("depth.tsv"), variants: file("variants.tsv") },
  uses: ["bin/variants.sh"],
  run: ({ alignment, index }) => sh`
    samtools flagstat -O json ${alignment} > flags.json
    samtools depth -a ${alignment} > depth.tsv
    samtools mpileup -B -f ${index}/genome.fa ${alignment} | bash bin/variants.sh > variants.tsv`,
});
