// The pipelines' part of the demo: an example, run on the last two days of the story, between which its data changes.

import { cp, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import type { DemoPart } from "../../../job.ts";

/** As this file is, so is the example: TypeScript in a checkout, JavaScript in a package. */
export const EXAMPLE = fileURLToPath(
  new URL(
    `../../../../examples/02-kmer/kmer.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`,
    import.meta.url,
  ),
);
/** What the example reads, beside its module. */
const DATA = ["samples.csv", "data"];
/** A lane, of which a base is another one on the second day. */
const CHANGED = "data/B_1.fa";

/** Plays the example in a folder, on a copy of its data. What people may look at afterwards grows with the commands there are for it. */
export function playExample(folder: string): DemoPart {
  const changed = join(folder, CHANGED);
  return {
    variables: { KMER_SHEET: join(folder, "samples.csv") },
    days: 2,
    explains: "kmer.comparison",
    async prepare(_effects, day) {
      for (const name of DATA) {
        await cp(join(dirname(EXAMPLE), name), join(folder, name), { recursive: true });
      }
      if (day === 1) return;
      const text = await readFile(changed, "utf8");
      await writeFile(changed, text.replace(/^[ACGT]/m, "N"));
    },
    afterwards: {
      says: `A pipeline in one file, ${EXAMPLE}, ran on the last two days. In between a base in ${changed} had changed: that lane was counted again, and no other. Now everything is found`,
      commands: [
        `run ${EXAMPLE}`,
        `plan ${EXAMPLE} --k 5`,
        "why kmer.comparison",
        "provenance kmer.comparison",
        "verify kmer",
      ],
    },
    close: () => Promise.resolve(),
  };
}
