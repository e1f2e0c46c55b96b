// A pipeline of three levels, as the files of its folder: lanes are counted by a program, samples merged and all reported by functions that
// share a helper; the last one uses a package.

import type { Files } from "./pipelineRunner.ts";

/** A package of the lockfile: what Node loads, and what the lockfile says of it. */
export function packageFiles(version: string): Files {
  return {
    "node_modules/rank/package.json": JSON.stringify({
      ...{ name: "rank", version, type: "module", exports: "./index.js" },
    }),
    "node_modules/rank/index.js": "export const rank = (a, b) => b[1] - a[1];\n",
  };
}

/** The lockfile; `other` is the version of a package that no module reaches. */
export function lockFile(version: string, other = "1.0.0"): string {
  const entry = (name: string, of: string) => ({
    [`node_modules/${name}`]: { version: of, integrity: `sha512-${name}-${of}` },
  });
  const packages = { "": { name: "lanes" }, ...entry("rank", version), ...entry("other", other) };
  return JSON.stringify({ name: "lanes", lockfileVersion: 3, requires: true, packages });
}

export const LANES: Files = {
  "package.json": '{ "name": "lanes", "type": "module" }',
  "package-lock.json": lockFile("1.0.0"),
  ...packageFiles("1.0.0"),
  "pipeline.ts": `
import { file, integer, pipeline, table, text } from "hdash";
import { count } from "./count.ts";
import { merge } from "./merge.ts";
import { report } from "./report.ts";

export default pipeline({
  name: "lanes",
  takes: {
    sheet: table({ sample: text(), lane: file() }),
    ...{ k: integer(2), min: integer(1), top: integer(3) },
  },
  gives: { report: file() },
  plan({ sheet, k, min, top }, { run }) {
    const samples = Map.groupBy(sheet, ({ sample }) => sample);
    const tables = [...samples].map(([sample, rows]) => {
      const counts = rows.map(({ lane }) => run(count, { lane, k }).counts);
      return run(merge, { counts, min }, { label: sample }).merged;
    });
    return run(report, { tables, top }, { label: "all" });
  },
});
`,
  "count.ts": `
import { command, file, integer, sh } from "hdash";

export const count = command({
  name: "count",
  takes: { lane: file(), k: integer() },
  gives: { counts: file("counts.tsv") },
  uses: ["bin"],
  run: ({ lane, k }) => sh\`bash bin/count.sh \${k} < \${lane} > counts.tsv\`,
});
`,
  "bin/count.sh": `#!/bin/bash
# Counts the words of k letters of a FASTA file.
grep -v '^>' | awk -v k="$1" '{ for (i = 1; i <= length($0) - k + 1; i++) n[substr($0, i, k)]++ }
  END { for (word in n) print word "\\t" n[word] }' | sort
`,
  "merge.ts": `
import { file, integer, list, step } from "hdash";
import { readTable, writeTable } from "./table.ts";

export const merge = step({
  name: "merge",
  takes: { counts: list(file()), min: integer() },
  gives: { merged: file() },
  async run({ counts, min }, { write }) {
    const sum = new Map<string, number>();
    for (const one of counts) {
      for (const [word, n] of readTable(await one.text())) sum.set(word, (sum.get(word) ?? 0) + n);
    }
    const rows = [...sum].filter(([, n]) => n >= min);
    return { merged: await write("merged.tsv", writeTable(rows)) };
  },
});
`,
  "report.ts": `
import { file, integer, list, step } from "hdash";
import { rank } from "rank";
import { readTable, writeTable } from "./table.ts";

export const report = step({
  name: "report",
  takes: { tables: list(file()), top: integer() },
  gives: { report: file() },
  async run({ tables, top }, { write }) {
    const lines: string[] = [];
    for (const one of tables) {
      lines.push(writeTable(readTable(await one.text()).sort(rank).slice(0, top)));
    }
    return { report: await write("report.txt", lines.sort().join("--\\n")) };
  },
});
`,
  "table.ts": `
export type Row = [word: string, times: number];

export function readTable(text: string): Row[] {
  const lines = text.split("\\n").filter((line) => line !== "");
  return lines.map((line): Row => {
    const [word = "", times] = line.split("\\t");
    return [word, Number(times)];
  });
}

export function writeTable(rows: readonly Row[]): string {
  return [...rows].sort().map(([word, times]) => word + "\\t" + times + "\\n").join("");
}
`,
  "data/A_1.fa": ">read 1\nACGTACGTAA\n",
  "data/A_2.fa": ">read 2\nACGTTTTA\n",
  "data/B_1.fa": ">read 3\nGGGGACGT\n",
  "data/B_2.fa": ">read 4\nACGACGACGA\n",
  "data/C_1.fa": ">read 5\nTTTTTTGA\n",
  "samples.csv":
    "sample,lane\nA,data/A_1.fa\nA,data/A_2.fa\nB,data/B_1.fa\nB,data/B_2.fa\nC,data/C_1.fa\n",
};
