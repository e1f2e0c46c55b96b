// Makes the data of this example: a reference of two contigs, and paired reads of three samples whose origins are known. The same each time.
//
//   node simulate.ts DIR

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const CONTIGS = { one: 6000, two: 4000 };
/** Pairs of reads, how many places of the reference each sample has otherwise, and pairs that are from nowhere. */
const SAMPLES = { ash: [900, 6, 0], birch: [700, 4, 0], cedar: [400, 0, 25] } as const;
const READ = 100;
const FRAGMENT = 300;
/** Of a thousand bases that are read, so many are read wrongly. */
const ERRORS = 4;

/** Random numbers below n, from a seed: mulberry32. */
function makeDice(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

const complement: Readonly<Record<string, string>> = { A: "T", C: "G", G: "C", T: "A" };
const reverse = (bases: string): string =>
  [...bases]
    .reverse()
    .map((base) => complement[base])
    .join("");
/** Another base than this. */
const other = (base: string, dice: (n: number) => number): string =>
  [..."ACGT"].filter((one) => one !== base)[dice(3)] ?? base;

const dir = process.argv[2];
if (dir === undefined) throw new Error("say where to: node simulate.ts DIR");
mkdirSync(dir, { recursive: true });
const put = (name: string, content: string | Uint8Array): void =>
  writeFileSync(join(dir, name), content);

const dice = makeDice(20_261_129);
const randomBases = (length: number): string =>
  Array.from({ length }, () => "ACGT"[dice(4)]).join("");
const reference = Object.entries(CONTIGS).map(([name, length]) => ({
  name,
  bases: randomBases(length),
}));
const fold = (bases: string): string => bases.replaceAll(/.{60}(?=.)/g, "$&\n");
put("reference.fa", reference.map(({ name, bases }) => `>${name}\n${fold(bases)}\n`).join(""));

const sheet = ["sample,forward,reverse"];
const truth = ["sample\tcontig\tposition\treference\tsample's"];
for (const [sample, [pairs, changes, strange]] of Object.entries(SAMPLES)) {
  const own = reference.map(({ name, bases }) => {
    const changed = [...bases];
    for (let at = 0; at < changes / 2; at++) {
      // Far from the ends, where reads are few.
      const position = 500 + dice(bases.length - 1000);
      const was = bases[position] ?? "";
      changed[position] = other(was, dice);
      truth.push([sample, name, position + 1, was, changed[position]].join("\t"));
    }
    return { name, bases: changed.join("") };
  });
  const whole = own.reduce((sum, { bases }) => sum + bases.length, 0);
  const reads: [forward: string[], reverse: string[]] = [[], []];
  /** Adds a pair of reads, as they are read. */
  const read = (name: string, fragment: string): void => {
    const mates = [fragment.slice(0, READ), reverse(fragment.slice(-READ))] as const;
    for (const [mate, bases] of mates.entries()) {
      const found = [...bases].map((base) => (dice(1000) < ERRORS ? other(base, dice) : base));
      reads[mate]?.push(`@${name}/${mate + 1}\n${found.join("")}\n+\n${"I".repeat(READ)}\n`);
    }
  };
  for (let pair = 1; pair <= pairs; pair++) {
    const at = dice(whole);
    const contig = own.find((_one, index) => {
      const before = own.slice(0, index + 1).reduce((sum, { bases }) => sum + bases.length, 0);
      return at < before;
    });
    if (contig === undefined) throw new Error(`no contig has place ${at}`);
    const start = dice(contig.bases.length - FRAGMENT);
    // Where it is from stands in its name: contig, and first base of either mate, from 1.
    const places = `${contig.name}_${start + 1}_${start + FRAGMENT - READ + 1}`;
    read(`${sample}_${pair}_${places}`, contig.bases.slice(start, start + FRAGMENT));
  }
  for (let pair = 1; pair <= strange; pair++) {
    read(`${sample}_nowhere_${pair}`, randomBases(FRAGMENT));
  }
  put(`${sample}_1.fq.gz`, gzipSync(reads[0].join("")));
  put(`${sample}_2.fq.gz`, gzipSync(reads[1].join("")));
  sheet.push(`${sample},${sample}_1.fq.gz,${sample}_2.fq.gz`);
}
put("samples.csv", `${sheet.join("\n")}\n`);
put("truth.tsv", `${truth.join("\n")}\n`);
