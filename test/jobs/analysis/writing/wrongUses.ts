// Mistakes in pipelines that the compiler finds: nothing here is run. What stands below an expectation differs from what is right in that
// alone, and all else in here is right: types.test.ts counts.

/* eslint-disable @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-argument -- What does not compile has no type. */

import {
  boolean,
  choice,
  command,
  data,
  file,
  folder,
  integer,
  json,
  list,
  number,
  optional,
  pipeline,
  sh,
  source,
  step,
  table,
  text,
} from "../../../../src/index.ts";

export const count = step({
  name: "count",
  takes: { book: file(), k: integer(), note: optional(text()) },
  gives: { words: integer(), title: text(), mean: number(), all: list(text()) },
  run: ({ book, k, note }) => {
    // @ts-expect-error A file is no folder, and has no files.
    book.files();
    // @ts-expect-error A whole number is no text.
    k.trim();
    // @ts-expect-error What is optional may be missing.
    note.trim();
    return { words: k, title: note ?? "", mean: book.bytes / k, all: [] };
  },
});

export const pack = command({
  name: "pack",
  takes: { dir: folder(), lanes: list(file()), k: optional(integer()) },
  gives: { packed: folder("packed"), log: optional(file("log")), parts: list(file("part-*")) },
  run({ dir, lanes, k }) {
    // @ts-expect-error A program gets where a folder lies, not what is in it.
    dir.files();
    // @ts-expect-error An object is no word.
    void sh`pack ${{ k }}`;
    // @ts-expect-error Undefined is no word.
    void sh`pack ${undefined}`;
    return sh`pack ${k} ${dir} ${lanes}`;
  },
});

export const collect = step({
  name: "collect",
  takes: {
    sheet: table({ sample: text(), lane: file(), note: optional(text()) }),
    mode: choice("fast", "exact"),
    sorted: boolean(),
  },
  gives: { report: file(), mode: choice("fast", "exact") },
  run: async ({ mode }, { write }) => ({ report: await write("report.txt", mode), mode }),
});

export const steps = [
  step({
    ...{ name: "gives less", takes: {}, gives: { words: integer(), title: text() } },
    // @ts-expect-error It gives no title.
    run: () => ({ words: 1 }),
  }),
  step({
    ...{ name: "gives nothing", takes: {}, gives: { words: integer() } },
    // @ts-expect-error It gives nothing.
    run: () => {},
  }),
  step({
    ...{ name: "gives by another name", takes: {}, gives: { words: integer() } },
    // @ts-expect-error It gives by another name.
    run: () => ({ word: 1 }),
  }),
  step({
    ...{ name: "gives text for a number", takes: {}, gives: { words: integer() } },
    // @ts-expect-error It gives text for a number.
    run: async () => ({ words: "1" }),
  }),
  step({
    ...{ name: "gives a text for a file", takes: {}, gives: { report: file() } },
    // @ts-expect-error It gives a text for a file.
    run: () => ({ report: "report.txt" }),
  }),
  step({
    ...{ name: "gives no word of a choice", takes: {}, gives: { mode: choice("fast", "exact") } },
    // @ts-expect-error It gives a word that is none of the choice.
    run: () => ({ mode: "slow" as const }),
  }),
  step({
    ...{ name: "gives null", takes: {}, gives: { words: integer() } },
    // @ts-expect-error It gives null for what is not optional.
    run: () => ({ words: null }),
  }),
  step({
    ...{ name: "stub gives less", takes: {}, gives: { words: integer() } },
    run: () => ({ words: 1 }),
    // @ts-expect-error Its stub gives nothing.
    stub: () => ({}),
  }),
  // @ts-expect-error It has no name.
  step({ takes: {}, gives: { words: integer() }, run: () => ({ words: 1 }) }),
  // @ts-expect-error It reads the world, and does not say what that is like.
  source({ name: "read", takes: {}, gives: { words: integer() }, run: () => ({ words: 1 }) }),
];

export const temporaries = [
  step({
    name: "gives what may go",
    // @ts-expect-error What is taken is not this step's to keep or to drop.
    takes: { lane: file("lane", { temporary: true }) },
    gives: { bam: file("bam", { temporary: true }), parts: folder(undefined, { temporary: true }) },
    run: async (_values, { write }) => ({ bam: await write("bam", ""), parts: { path: "." } }),
  }),
  command({
    name: "packs what may go",
    takes: {},
    gives: { parts: list(file("*", { temporary: true })), log: file("log", { temporary: true }) },
    run: () => sh`pack`,
  }),
  // @ts-expect-error A word is no truth.
  file("bam", { temporary: "yes" }),
  // @ts-expect-error What is not temporary does not say so.
  folder("parts", { temporary: false }),
  // @ts-expect-error Text is not temporary.
  text("note", { temporary: true }),
  // @ts-expect-error What the pipeline takes has a default, what a step gives may be temporary.
  file("bam", { temporary: true, default: data("https://example.org/bam", { sha256: "" }) }),
];

export const programs = [
  // @ts-expect-error A program gives files and folders, no number.
  command({ name: "gives a number", takes: {}, gives: { words: integer() }, run: () => sh`true` }),
  // @ts-expect-error A program gives no table.
  command({ name: "gives rows", takes: {}, gives: { rows: table({}) }, run: () => sh`true` }),
  // @ts-expect-error A text is no command line: nothing would quote its values.
  command({ name: "has a text", takes: {}, gives: { out: file("out") }, run: () => "true" }),
  command({
    ...{ name: "has a file", takes: { lane: file() }, gives: { out: file("out") } },
    // @ts-expect-error The program gets where the file lies, not its content.
    run: ({ lane }) => sh`cat ${lane.text()} > out`,
  }),
];

export const uses = pipeline({
  name: "uses",
  takes: { book: file(), dir: folder(), k: integer(6), mode: choice("fast", "exact") },
  gives: { words: integer(), packed: folder(), log: optional(file()), data: json<string[]>() },
  async plan({ book, dir, k, mode }, { run, read }) {
    const { words, title, mean, all } = run(count, { book, k });
    const { packed, log } = run(pack, { dir, lanes: [book, packed0().at("a")] });
    function packed0() {
      return run(pack, { dir, lanes: [] }).packed;
    }
    const sheet = [{ sample: title, lane: book }];
    const collected = run(collect, { sheet, mode, sorted: true });
    run(collect, { sheet, mode: collected.mode, sorted: false });

    // @ts-expect-error A port that the step does not give.
    void run(count, { book, k }).word;
    // @ts-expect-error A value is missing.
    run(count, { book });
    // @ts-expect-error A value that the step does not take.
    run(count, { book, k, min: 2 });
    // @ts-expect-error Null for what is not optional.
    run(count, { book, k: null });
    // @ts-expect-error A text for a number.
    run(count, { book, k: "6" });
    // @ts-expect-error A handle of a text for a number.
    run(count, { book, k: title });
    // @ts-expect-error A handle of a number for a text.
    run(count, { book, k, note: words });
    // @ts-expect-error A path for a file.
    run(count, { book: "moby-dick.txt", k });
    // @ts-expect-error A folder for a file.
    run(count, { book: dir, k });
    // @ts-expect-error A file for a folder.
    run(pack, { dir: book, lanes: [] });
    // @ts-expect-error A file that may be missing for one that may not.
    run(count, { book: log, k });
    // @ts-expect-error A file for a list of files.
    run(pack, { dir, lanes: book });
    // @ts-expect-error A folder in a list of files.
    run(pack, { dir, lanes: [book, packed] });
    // @ts-expect-error A list of texts for a list of files.
    run(pack, { dir, lanes: all });
    // @ts-expect-error A word that is none of the choice.
    run(collect, { sheet, mode: "slow", sorted: true });
    // @ts-expect-error A handle of any text for a choice.
    run(collect, { sheet, mode: title, sorted: true });
    // @ts-expect-error A text for a truth.
    run(collect, { sheet, mode, sorted: "true" });
    // @ts-expect-error A row without a column.
    run(collect, { sheet: [{ sample: "a" }], mode, sorted: true });
    // @ts-expect-error A row with a wrong cell.
    run(collect, { sheet: [{ sample: 1, lane: book }], mode, sorted: true });
    // @ts-expect-error A row with a column that the table has not.
    run(collect, { sheet: [{ sample: "a", lane: book, k }], mode, sorted: true });
    // @ts-expect-error A row for a table.
    run(collect, { sheet: { sample: "a", lane: book }, mode, sorted: true });
    // @ts-expect-error What is no step.
    run({ name: "count" }, { book, k });
    // @ts-expect-error A word that no call has.
    run(count, { book, k }, { name: "count" });

    // @ts-expect-error A text is no handle.
    await read("words");
    // @ts-expect-error All that a step gives is no handle.
    await read(run(count, { book, k }));
    // @ts-expect-error A handle is not its value.
    words.toFixed();
    // @ts-expect-error What is read of a number is no text.
    (await read(words)).trim();
    // @ts-expect-error What is read of an optional file may be missing.
    void (await read(log)).bytes;
    // @ts-expect-error A file has no files in it.
    book.at("chapter-1.txt");
    // @ts-expect-error A file of a folder has no files in it.
    packed.at("a").at("b");
    // @ts-expect-error A plan's file is a handle, which has no text yet.
    await book.text();

    await read(mean);
    return { words, packed, log, data: await read(all).then((found) => [...found]) };
  },
});

export const pipelines = [
  pipeline({
    name: "gives-what-goes",
    takes: { book: file() },
    // @ts-expect-error What a pipeline gives is kept.
    gives: { bam: file("bam", { temporary: true }) },
    plan: ({ book }) => ({ bam: book }),
  }),
  pipeline({
    ...{ name: "too-little", takes: {}, gives: { words: integer(), title: text() } },
    // @ts-expect-error The plan returns no title.
    plan: () => ({ words: 1 }),
  }),
  pipeline({
    ...{ name: "nothing", takes: {}, gives: { words: integer() } },
    // @ts-expect-error The plan returns nothing.
    plan: () => {},
  }),
  pipeline({
    ...{ name: "another-kind", takes: { book: file() }, gives: { packed: folder() } },
    // @ts-expect-error The plan returns a file for a folder.
    plan: ({ book }) => ({ packed: book }),
  }),
  pipeline({
    ...{ name: "another-port", takes: { book: file() }, gives: { title: text() } },
    // @ts-expect-error The plan returns a number for a text.
    plan: ({ book }, { run }) => ({ title: run(count, { book, k: 1 }).words }),
  }),
  pipeline({
    ...{ name: "not-taken", takes: { book: file() }, gives: { words: integer() } },
    // @ts-expect-error The plan asks for what the pipeline does not take.
    plan: ({ book, k }, { run }) => run(count, { book, k: Number(k) }),
  }),
];

// @ts-expect-error A default of another kind.
export const textForNumber = integer("6");
// @ts-expect-error A choice of nothing.
export const noChoice = choice();
// @ts-expect-error A column is a kind.
export const noKind = table({ sample: "text" });
// @ts-expect-error A file of the web has a digest.
export const noDigest = data("https://example.org/a.fa");
// @ts-expect-error A default of a file is a file.
export const pathForFile = file("a lane", { default: "a.fa" });
