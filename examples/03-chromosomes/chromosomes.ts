// A list that only the data knows: one call of a step for each chromosome of an annotation.

import { join } from "node:path";

import { file, folder, integer, list, pipeline, step, table, text } from "hdash";

export const split = step({
  name: "split",
  takes: { genes: file() },
  gives: { parts: folder(), chromosomes: list(text()) },
  async run({ genes }, { write, workDir }) {
    const [, ...lines] = (await genes.text()).trimEnd().split("\n");
    const parts = Map.groupBy(lines, (line) => line.split("\t")[0] ?? "");
    for (const [chromosome, own] of parts) {
      await write(`parts/${chromosome}.tsv`, `${own.join("\n")}\n`);
    }
    return { parts: { path: join(await workDir(), "parts") }, chromosomes: [...parts.keys()] };
  },
});

export const cover = step({
  name: "cover",
  takes: { part: file() },
  gives: { genes: integer(), bases: integer() },
  async run({ part }) {
    const spans: [start: number, end: number][] = [];
    for await (const line of part.lines()) {
      const [, start, end] = line.split("\t");
      spans.push([Number(start), Number(end)]);
    }
    spans.sort(([a], [b]) => a - b);
    let [bases, last] = [0, 0];
    for (const [start, end] of spans) {
      bases += Math.max(0, end - Math.max(start - 1, last));
      last = Math.max(last, end);
    }
    return { genes: spans.length, bases };
  },
});

export const summarise = step({
  name: "summarise",
  takes: { rows: table({ chromosome: text(), genes: integer(), bases: integer() }) },
  gives: { summary: file() },
  async run({ rows }, { write }) {
    const lines = rows.map(({ chromosome, genes, bases }) => [chromosome, genes, bases].join("\t"));
    const head = ["chromosome", "genes", "bases in genes"].join("\t");
    return { summary: await write("summary.tsv", `${[head, ...lines].join("\n")}\n`) };
  },
});

export default pipeline({
  name: "chromosomes",
  takes: { genes: file("a table of chromosome, start, end and name of genes") },
  gives: { summary: file() },
  async plan({ genes }, { run, read }) {
    const { parts, chromosomes } = run(split, { genes });
    // read() waits until split has run, or is known; nothing else does.
    const rows = (await read(chromosomes)).map((chromosome) => {
      const part = parts.at(`${chromosome}.tsv`);
      return { chromosome, ...run(cover, { part }, { label: chromosome }) };
    });
    return run(summarise, { rows });
  },
});
