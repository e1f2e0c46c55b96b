// Large things on the way to small ones: aligned lanes and a folder of parts, which only later steps need.

import {
  command,
  file,
  folder,
  integer,
  list,
  pipeline,
  sh,
  step,
  text,
} from "../../../../src/index.ts";

export const split = command({
  name: "split",
  takes: { book: file() },
  gives: { parts: folder("parts", { temporary: true }) },
  run: ({ book }) => sh`mkdir parts; head -c 3 ${book} > parts/a; tail -c 3 ${book} > parts/b`,
});

export const align = command({
  name: "align",
  takes: { book: file(), n: integer() },
  gives: { bam: file("out.bam", { temporary: true }), size: file("size") },
  run: ({ book, n }) => sh`
    for i in 1 2 3; do echo ${n}; cat ${book}; done > out.bam
    wc -c < out.bam | tr -d ' ' > size`,
});

export const sort = step({
  name: "sort",
  takes: { bam: file() },
  gives: { sorted: list(file("sorted", { temporary: true })) },
  async run({ bam }, { write }) {
    const lines = (await bam.text()).split("\n").sort();
    return { sorted: [await write("sorted", lines.join("\n"))] };
  },
});

export const merge = step({
  name: "merge",
  takes: { all: list(list(file())), parts: folder(), note: text() },
  gives: { merged: file() },
  async run({ all, parts, note }, { write }) {
    const texts = await Promise.all(all.flat().map((one) => one.text()));
    const ends = await Promise.all(parts.files().map(({ file: one }) => one.text()));
    return { merged: await write("merged", [note, ...texts, ...ends].join("\n")) };
  },
});

export const measure = step({
  name: "measure",
  takes: { part: file(), unit: text() },
  gives: { told: text() },
  async run({ part, unit }) {
    return { told: `${(await part.text()).length} ${unit}` };
  },
});

export default pipeline({
  name: "temporary",
  takes: { book: file(), lanes: integer(20), note: text("first"), unit: text("letters") },
  gives: { merged: file(), told: text(), sizes: list(file()) },
  plan({ book, lanes, note, unit }, { run }) {
    const { parts } = run(split, { book });
    const aligned = Array.from({ length: lanes }, (_, n) => run(align, { book, n }));
    const all = aligned.map(({ bam }) => run(sort, { bam }).sorted);
    const { merged } = run(merge, { all, parts, note });
    const { told } = run(measure, { part: parts.at("a"), unit });
    return { merged, told, sizes: aligned.map(({ size }) => size) };
  },
});
