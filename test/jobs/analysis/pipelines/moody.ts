// Steps that give the same each time, and steps that do not: each looks at something else that is not in its key.

import { availableParallelism } from "node:os";

import {
  command,
  file,
  folder,
  integer,
  json,
  list,
  optional,
  pipeline,
  sh,
  source,
  step,
  table,
  text,
} from "../../../../src/index.ts";

const out = { out: file("out.txt") };
const nothing = { takes: {}, gives: out };

export const sorted = command({
  ...{ name: "sorted", takes: { lane: file(), k: integer() }, gives: out },
  run: ({ lane, k }) => sh`sort ${lane} > out.txt; echo ${k} >> out.txt`,
});
export const parts = step({
  name: "parts",
  takes: { sheet: table({ name: text(), lane: file(), also: optional(file()) }) },
  gives: { n: integer(), all: folder(), some: list(file()), none: optional(file()) },
  async run({ sheet }, { write }) {
    const some: { path: string }[] = [];
    for (const { name, lane } of sheet) some.push(await write(`all/${name}`, await lane.text()));
    const path = (some[0]?.path ?? "").replace(/\/[^/]*$/, "");
    return { n: sheet.length, all: { path }, some, none: null };
  },
});
export const weigh = step({
  name: "weigh",
  takes: { n: integer(), all: folder(), some: list(file()), one: file(), none: optional(file()) },
  gives: { bytes: integer() },
  run: ({ n, all, some, one }) => ({ bytes: n + all.bytes + some.length + one.bytes }),
});
export const clock = command({
  ...{ name: "clock", ...nothing },
  run: () => sh`echo "made at $(date -u +%FT%T.%NZ) by clock" > out.txt`,
});
export const seconds = step({
  ...{ name: "seconds", takes: {}, gives: { at: json<number>() } },
  run: () => ({ at: Date.now() / 1000 }),
});
export const zipped = command({
  ...{ name: "zipped", takes: {}, gives: { out: file("out.gz") } },
  run: () =>
    sh`echo same > plain; touch -d "@$((10#$(date +%s%N) % 4000000000))" plain; gzip -c plain > out.gz`,
});
export const shuffled = command({
  ...{ name: "shuffled", ...nothing },
  run: () => sh`seq 1 50 | shuf > out.txt`,
});
export const raced = step({
  ...{ name: "raced", takes: {}, gives: { names: json<readonly string[]>() } },
  async run() {
    const names: string[] = [];
    const later = (at: number) =>
      new Promise<void>((resolve) =>
        setTimeout(() => {
          names.push(`name ${at}`);
          resolve();
        }, Math.random() * 40),
      );
    await Promise.all(Array.from({ length: 30 }, (_, at) => later(at)));
    return { names };
  },
});
export const swapped = step({
  ...{ name: "swapped", takes: {}, gives: { files: list(file()) } },
  async run(_none, { write }) {
    const files = [];
    for (let at = 0; at < 12; at++) files.push(await write(`${at}`, `file ${at}`));
    return { files: files.sort(() => Math.random() - 0.5) };
  },
});
export const uptime = command({
  ...{ name: "uptime", ...nothing },
  run: () => sh`echo "up for $(cut -d' ' -f1 /proc/uptime) seconds" > out.txt`,
});
export const identified = command({
  ...{ name: "identified", ...nothing },
  run: () => sh`cat /proc/sys/kernel/random/uuid > out.txt`,
});
export const drawn = step({
  ...{ name: "drawn", takes: {}, gives: { value: json<number>() } },
  run: () => ({ value: Math.random() }),
});
export const noisy = command({
  ...{ name: "noisy", takes: {}, gives: { all: folder("all") } },
  run: () => sh`mkdir all; echo same > all/same.txt; head -c 1000 /dev/urandom > all/x.bin`,
});
export const named = command({
  ...{ name: "named", takes: {}, gives: { all: folder("all") } },
  run: () => sh`mkdir all; echo same > "all/made-$(date +%s%N)"; touch all/same.txt`,
});
export const placed = command({
  ...{ name: "placed", ...nothing },
  run: () => sh`echo "in $PWD/x" > out.txt`,
});
export const grown = command({
  ...{ name: "grown", ...nothing },
  run: () => sh`head -c $((1 + 10#$(date +%N) % 99999)) /dev/zero > out.txt`,
});
export const threads = command({
  ...{ name: "threads", ...nothing },
  run: () => sh`echo "threads: $(nproc)" > out.txt`,
});
export const asked = command({
  ...{ name: "asked", ...nothing, resources: { cpus: 2 } },
  run: () => sh`echo "$HDASH_CPUS" > out.txt`,
});
export const cores = step({
  ...{ name: "cores", takes: {}, gives: { n: integer() } },
  run: () => ({ n: availableParallelism() }),
});
export const late = command({
  ...{ name: "late", ...nothing, uses: ["bin/once.sh"] },
  run: () => sh`sh bin/once.sh; echo done > out.txt`,
});
export const worldly = source({
  ...{ name: "worldly", takes: {}, gives: { n: integer() } },
  pin: () => Promise.resolve(1),
  run: () => ({ n: 1 }),
});
export const always = step({
  ...{ name: "always", takes: {}, gives: { n: integer() }, cache: "run" },
  run: () => ({ n: 1 }),
});

export default pipeline({
  name: "moody",
  takes: { lane: file() },
  gives: { bytes: integer(), sorted: file(), three: integer() },
  plan({ lane }, { run }) {
    const done = run(sorted, { lane, k: 3 }).out;
    const sheet = [
      { name: "a", lane, also: done },
      { name: "b", lane: done, also: null },
    ];
    const { n, all, some, none } = run(parts, { sheet });
    const { bytes } = run(weigh, { n, all, some, one: all.at("b"), none });
    const commands = [clock, shuffled, uptime, identified, placed, grown, threads, asked, late];
    for (const one of commands) run(one, {});
    run(zipped, {});
    run(noisy, {});
    run(named, {});
    run(seconds, {});
    run(raced, {});
    run(swapped, {});
    run(drawn, {});
    run(cores, {});
    run(worldly, {});
    run(always, {});
    return { bytes, sorted: done, three: 3 };
  },
});
