// The genes of the demo's matrices: symbols that look like those of a human reference, and how common each gene is in any cell.

import { makeDice } from "../../../lookalikes/dice.ts";
import { readProgrammes } from "./matrixProgrammes.ts";

export interface DemoGene {
  /** e.g. "ENSG00000172215"; none is meant to be a real gene's. */
  readonly id: string;
  readonly symbol: string;
  /** Counts of this gene among 10,000 of a cell in which nothing particular goes on. */
  readonly level: number;
}

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** Mitochondrial genes; about 5 % of a healthy cell's counts. */
const MITOCHONDRIAL: Readonly<Record<string, number>> = {
  "MT-CO1": 90,
  "MT-CO2": 84,
  "MT-CO3": 92,
  "MT-ND1": 38,
  "MT-ND2": 30,
  "MT-ND3": 34,
  "MT-ND4": 58,
  "MT-ND4L": 4,
  "MT-ND5": 9,
  "MT-ND6": 2,
  "MT-CYB": 42,
  "MT-ATP6": 62,
  "MT-ATP8": 3,
};

/** What every cell has plenty of. */
const COMMON: Readonly<Record<string, number>> = {
  MALAT1: 330,
  TMSB4X: 105,
  B2M: 98,
  EEF1A1: 92,
  FTH1: 74,
  FTL: 70,
  ACTB: 62,
  TMSB10: 58,
  TPT1: 52,
  NEAT1: 36,
  UBA52: 30,
  FAU: 32,
  PTMA: 44,
  EEF1D: 17,
  EEF2: 18,
  EEF1B2: 16,
  NACA: 20,
  GNB2L1: 19,
  GAPDH: 38,
  ACTG1: 30,
  PFN1: 24,
  CFL1: 25,
  MYL6: 26,
  MYL12A: 10,
  ARPC2: 9,
  ARPC3: 9,
  H3F3A: 14,
  H3F3B: 22,
  HSP90AA1: 16,
  HSP90AB1: 17,
  HSPA8: 14,
  UBB: 12,
  UBC: 19,
  OAZ1: 13,
  CALM1: 12,
  CALM2: 11,
  SERF2: 14,
  EIF1: 22,
  EIF4A1: 7,
  PABPC1: 13,
  HNRNPA1: 12,
  HNRNPA2B1: 10,
  YWHAZ: 7,
  TUBA1B: 8,
  PPIA: 13,
  ENO1: 9,
  PKM: 7,
  LDHB: 8,
  LDHA: 7,
  ATP5E: 12,
  NPM1: 9,
  SLC25A5: 6,
  SLC25A6: 7,
  CD63: 9,
  CD81: 5,
  ITM2B: 10,
  GPX1: 8,
  PRDX1: 6,
  S100A11: 9,
  LAPTM5: 3,
  PSAP: 7,
  DUSP1: 8,
  BTG1: 9,
  ZFP36: 6,
  ZFP36L2: 5,
  TXNIP: 7,
  JUND: 8,
  SAT1: 8,
};

const RIBOSOMAL = words(`
  RPL3 RPL4 RPL5 RPL6 RPL7 RPL7A RPL8 RPL9 RPL10 RPL10A RPL11 RPL12 RPL13 RPL13A RPL14 RPL15 RPL17 RPL18 RPL18A RPL19 RPL21
  RPL22 RPL23 RPL23A RPL24 RPL26 RPL27 RPL27A RPL28 RPL29 RPL30 RPL31 RPL32 RPL34 RPL35 RPL35A RPL36 RPL36A RPL37 RPL37A
  RPL38 RPL39 RPL41 RPLP0 RPLP1 RPLP2 RPSA RPS2 RPS3 RPS3A RPS4X RPS5 RPS6 RPS7 RPS8 RPS9 RPS10 RPS11 RPS12 RPS13 RPS14
  RPS15 RPS15A RPS16 RPS17 RPS18 RPS19 RPS20 RPS21 RPS23 RPS24 RPS25 RPS26 RPS27 RPS27A RPS28 RPS29 RPS4Y1`);

/** Families of the long tail: prefix, highest number, how many of them; "#" in a prefix stands for a chromosome's number. */
const FAMILIES: readonly (readonly [prefix: string, highest: number, count: number])[] = [
  ["NDUFA", 13, 12],
  ["NDUFB", 11, 10],
  ["NDUFS", 8, 8],
  ["PSMA", 7, 7],
  ["PSMB", 10, 10],
  ["PSMC", 6, 6],
  ["PSMD", 14, 13],
  ["MRPL", 57, 42],
  ["MRPS", 36, 26],
  ["SRSF", 11, 9],
  ["DDX", 60, 32],
  ["DNAJC", 30, 20],
  ["USP", 54, 34],
  ["SLC25A", 46, 26],
  ["SLC35A", 5, 4],
  ["SLC39A", 14, 10],
  ["TRIM", 70, 34],
  ["KLHL", 42, 22],
  ["ZBTB", 49, 26],
  ["WDR", 92, 42],
  ["TTC", 39, 22],
  ["RNF", 220, 58],
  ["PHF", 23, 14],
  ["VPS", 53, 20],
  ["CDK", 20, 12],
  ["MAPK", 15, 10],
  ["DUSP", 28, 14],
  ["TMEM", 260, 132],
  ["ZNF", 850, 236],
  ["CCDC", 190, 74],
  ["ANKRD", 60, 26],
  ["LRRC", 75, 28],
  ["FBXO", 48, 24],
  ["FBXW", 12, 8],
  ["TBC1D", 32, 18],
  ["ARHGAP", 45, 24],
  ["ARHGEF", 40, 20],
  ["RAB", 43, 26],
  ["SNX", 33, 20],
  ["MED", 31, 22],
  ["ABHD", 17, 12],
  ["METTL", 27, 16],
  ["NUP", 214, 18],
  ["KIAA", 2026, 40],
  ["C#orf", 230, 92],
  ["LINC0", 2999, 250],
  ["AC0", 99999, 250],
  ["AL1", 99999, 130],
  ["AP00", 9999, 60],
];
/** Hardly anything of these is ever seen outside of a nose. */
const OLFACTORY = { prefixes: words("OR1 OR2 OR4 OR5 OR6 OR8 OR10 OR51 OR52"), count: 60 };

/** Makes the reference: a few thousand genes in the order of their ids. */
export function demoGenes(): readonly DemoGene[] {
  const level = new Map<string, number>();
  const put = (symbol: string, counts: number): void => {
    if (!level.has(symbol)) level.set(symbol, counts);
  };
  for (const list of [MITOCHONDRIAL, COMMON]) {
    for (const [symbol, counts] of Object.entries(list)) put(symbol, counts);
  }
  for (const symbol of RIBOSOMAL) {
    put(symbol, symbol === "RPS4Y1" ? 4 : 26 * spread(symbol, 0.6));
  }
  // A marker is all but silent where its programme is not on.
  for (const genes of readProgrammes().values())
    for (const symbol of genes.keys()) put(symbol, 0.03);
  const tail = tailSymbols().filter((symbol) => !level.has(symbol));
  const dice = makeDice("tail of genes");
  const ranked = tail
    .map((symbol) => ({ symbol, at: dice.fraction() * (isLongRna(symbol) ? 0.6 : 1) }))
    .sort((a, b) => b.at - a.at);
  // Zipf's law, shifted so that the first of the tail stay below what every cell has plenty of.
  ranked.forEach(({ symbol }, rank) => put(symbol, (1500 / (rank + 140)) * spread(symbol, 0.35)));
  for (let i = 0; i < OLFACTORY.count; i++) {
    put(
      `${dice.pick(OLFACTORY.prefixes)}${"ABCDEFGHKM"[dice.below(10)]}${1 + dice.below(30)}`,
      2e-4,
    );
  }
  const taken = new Set<string>();
  return [...level]
    .map(([symbol, counts]) => ({ id: newId(symbol, taken), symbol, level: counts }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

function tailSymbols(): readonly string[] {
  const found = new Set<string>();
  for (const [prefix, highest, count] of FAMILIES) {
    const dice = makeDice("family", prefix);
    const digits = /^(KIAA|LINC|A[CLP])/.test(prefix) ? String(highest).length : 0;
    const before = found.size;
    // Many throws hit the same number; a family that is nearly full is left as it is.
    for (let i = 0; i < count * 12 && found.size - before < count; i++) {
      const chromosome = String(1 + dice.below(22));
      const number = String(1 + dice.below(highest)).padStart(digits, "0");
      const version = digits === 5 || prefix === "AP00" ? `.${1 + dice.below(3)}` : "";
      found.add(`${prefix.replace("#", chromosome)}${number}${version}`);
    }
  }
  return [...found];
}

function isLongRna(symbol: string): boolean {
  return /^(LINC|AC0|AL1|AP00)/.test(symbol);
}

/** A factor that belongs to a name, log-normal with this spread. */
export function spread(name: string, sigma: number): number {
  const dice = makeDice("spread", name);
  let sum = -3;
  for (let i = 0; i < 6; i++) sum += dice.fraction();
  // Six throws: near enough to a normal distribution, with a deviation of √½.
  return Math.exp(sum * Math.SQRT2 * sigma);
}

function newId(symbol: string, taken: Set<string>): string {
  const dice = makeDice("gene id", symbol);
  for (;;) {
    const id = `ENSG00000${100_000 + dice.below(190_000)}`;
    if (taken.has(id)) continue;
    taken.add(id);
    return id;
  }
}
