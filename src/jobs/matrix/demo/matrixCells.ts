// Makes the counts of a demo's tissue: cells of known kinds, with what real ones suffer from (ambient RNA, doublets, dying cells).

import { HdashError } from "../../../error.ts";
import { type Dice, makeDice } from "../../../lookalikes/dice.ts";
import { type DemoGene, demoGenes, spread } from "./matrixGenes.ts";
import type { CellKind, CellSample, Switches, TissuePlan } from "./matrixPlans.ts";
import { type Programme, type ProgrammeName, readProgrammes } from "./matrixProgrammes.ts";

/** A cell as it was planned. */
export interface PlannedCell {
  readonly barcode: string;
  readonly kind: string;
  readonly approach: string;
  readonly state: "healthy" | "doublet" | "dying" | "empty";
}

/** Counts cell by cell; the genes of a cell ascend. */
export interface CellCounts {
  readonly genes: readonly DemoGene[];
  readonly cells: readonly PlannedCell[];
  /** cells + 1 offsets into geneOf and counts. */
  readonly starts: Uint32Array;
  readonly geneOf: Uint32Array;
  readonly counts: Uint32Array;
}

/** Share of a droplet's molecules that come from cells that burst elsewhere. */
const AMBIENT_SHARE = 0.035;
/** Genes vary by themselves from cell to cell, as factors drawn from this many log-normal ones. */
const FACTORS = 1024;
const FACTOR_SIGMA = 0.35;

/** Makes the cells of a tissue, in mixed order as they come off a flow cell. */
export function makeCells(plan: TissuePlan): CellCounts {
  const genes = demoGenes().filter(({ symbol, level }) => {
    const isRare = level > 0.05 && level < 2.5;
    return !(isRare && makeDice(plan.name, "left out", symbol).chance(plan.leftOut));
  });
  const factory = makeFactory(plan, genes);
  const jobs = plan.samples.flatMap((sample) =>
    Array.from({ length: sample.cells }, (_, index) => {
      const order = makeDice(plan.name, "order", sample.approach, index).fraction();
      return { sample, index, order };
    }),
  );
  jobs.sort((a, b) => a.order - b.order);
  const cells: PlannedCell[] = [];
  const starts = new Uint32Array(jobs.length + 1);
  const sink = makeSink();
  jobs.forEach(({ sample, index }, at) => {
    cells.push(factory.make(sample, index, sink));
    starts[at + 1] = sink.length();
  });
  return { genes, cells, starts, ...sink.take() };
}

interface Sink {
  add(gene: number, count: number): void;
  length(): number;
  take(): { readonly geneOf: Uint32Array; readonly counts: Uint32Array };
}

function makeSink(): Sink {
  let geneOf = new Uint32Array(1 << 16);
  let counts = new Uint32Array(1 << 16);
  let length = 0;
  const grown = (old: Uint32Array): Uint32Array<ArrayBuffer> => {
    const larger = new Uint32Array(old.length * 2);
    larger.set(old);
    return larger;
  };
  return {
    add(gene, count) {
      if (length === counts.length) [geneOf, counts] = [grown(geneOf), grown(counts)];
      geneOf[length] = gene;
      counts[length++] = count;
    },
    length: () => length,
    take: () => ({ geneOf: geneOf.slice(0, length), counts: counts.slice(0, length) }),
  };
}

function makeFactory(
  plan: TissuePlan,
  genes: readonly DemoGene[],
): { make(sample: CellSample, index: number, sink: Sink): PlannedCell } {
  const { mitochondrial, profiles, ambient, turnOn } = makeProfiles(plan, genes);
  // Reads of a plate cover whole genes: long ones give more.
  const lengths = Float64Array.from(genes, ({ symbol }) => spread(`${symbol} length`, 0.7));
  const factors = Float64Array.from({ length: FACTORS }, (_, index) =>
    Math.exp(normalQuantile((index + 0.5) / FACTORS) * FACTOR_SIGMA - FACTOR_SIGMA ** 2 / 2),
  );
  const rates = new Float64Array(genes.length);

  /** Puts a healthy cell of a kind into the rates, which then sum up to 10,000. */
  function express(kind: CellKind, dice: Dice): void {
    const own = profiles.get(kind.name) ?? ambient;
    const goal = profiles.get(kind.towards ?? "") ?? own;
    const way = goal === own ? 0 : dice.fraction() ** 1.7;
    for (let gene = 0; gene < rates.length; gene++) {
      const [from = 0, to = 0] = [own[gene], goal[gene]];
      rates[gene] = from + (to - from) * way;
    }
    const isCycling = dice.chance(kind.cycling ?? 0.01);
    const phase = dice.fraction() * 2 * Math.PI;
    const stress = Math.exp(1.1 * normal(dice) - 1.6);
    const interferon = dice.chance(0.12) ? dice.fraction() : 0;
    turnOn(rates, {
      stress: Math.min(stress, 2.5),
      interferon,
      synthesis: isCycling ? Math.max(0, Math.cos(phase)) * 1.3 : 0,
      mitosis: isCycling ? Math.max(0, Math.cos(phase - 2)) * 1.3 : 0,
    });
  }

  function pick(sample: CellSample, dice: Dice): CellKind {
    const weight = (kind: CellKind): number => sample.shares?.[kind.name] ?? kind.share;
    let rest = dice.fraction() * plan.kinds.reduce((sum, kind) => sum + weight(kind), 0);
    for (const kind of plan.kinds) {
      rest -= weight(kind);
      if (rest < 0) return kind;
    }
    throw new HdashError("usage", `${plan.name} has no kinds of cells for ${sample.approach}`);
  }

  function stateOf(sample: CellSample, dice: Dice): PlannedCell["state"] {
    const { doublets, dying, empty } = plan.flaws;
    const throwOf = dice.fraction();
    if (throwOf < dying) return "dying";
    if (sample.isPlate) return "healthy"; // Single cells are sorted into the wells of a plate.
    if (throwOf < dying + doublets) return "doublet";
    return throwOf < dying + doublets + empty ? "empty" : "healthy";
  }

  return {
    make(sample, index, sink) {
      const dice = makeDice(plan.name, "cell", sample.approach, index);
      const kind = pick(sample, dice);
      const state = stateOf(sample, dice);
      let molecules = sample.molecules * (kind.size ?? 1) * Math.exp(0.36 * normal(dice));
      let strange = sample.isPlate ? AMBIENT_SHARE / 4 : AMBIENT_SHARE;
      express(kind, dice);
      if (state === "doublet") {
        const first = rates.slice();
        express(pick(sample, dice), dice);
        for (let gene = 0; gene < rates.length; gene++) {
          rates[gene] = ((rates[gene] ?? 0) + (first[gene] ?? 0)) / 2;
        }
        molecules *= 1.75;
      } else if (state === "empty") {
        molecules = 90 + 260 * dice.fraction();
        strange = 0.85;
      }
      const leak = state === "dying" ? 4 + 9 * dice.fraction() : Math.exp(0.3 * normal(dice));
      if (state === "dying") molecules *= 0.18 + 0.3 * dice.fraction();
      for (const gene of mitochondrial) rates[gene] = (rates[gene] ?? 0) * leak;
      let sum = 0;
      for (let gene = 0; gene < rates.length; gene++) sum += rates[gene] ?? 0;
      const scale = (molecules * (1 - strange)) / sum;
      for (let gene = 0; gene < rates.length; gene++) {
        const rate = (rates[gene] ?? 0) * scale + (ambient[gene] ?? 0) * 1e-4 * molecules * strange;
        // A rate this low gives nothing or one, whatever its factor.
        const varied = rate < 0.02 ? rate : rate * (factors[dice.below(FACTORS)] ?? 1);
        const drawn = poisson(varied, dice);
        if (drawn === 0) continue;
        const count = sample.isPlate ? readsOf(drawn, lengths[gene] ?? 1, dice) : drawn;
        if (count > 0) sink.add(gene, count);
      }
      return {
        barcode: barcodeOf(plan, sample, index),
        kind: kind.name,
        approach: sample.approach,
        state,
      };
    },
  };
}

/** How strongly the genes of a tissue are expressed: by kind of cell, and in the soup between the cells. */
interface Profiles {
  readonly mitochondrial: readonly number[];
  readonly profiles: ReadonlyMap<string, Float64Array>;
  readonly ambient: Float64Array;
  /** Adds the genes of programmes, as strong as each is on. */
  turnOn(profile: Float64Array, on: Switches): void;
}

function makeProfiles(plan: TissuePlan, genes: readonly DemoGene[]): Profiles {
  const indexOf = new Map(genes.map(({ symbol }, index) => [symbol, index]));
  const programmes = readProgrammes();
  const genesOf = (pattern: RegExp): readonly number[] =>
    genes.flatMap(({ symbol }, index) => (pattern.test(symbol) ? [index] : []));
  const mitochondrial = genesOf(/^MT-/);
  const ribosomal = genesOf(/^RP[LS]/);
  const profiles = new Map(plan.kinds.map((kind) => [kind.name, profileOf(kind)]));
  const ambient = mixed();
  return { mitochondrial, profiles, ambient, turnOn };

  function profileOf(kind: CellKind): Float64Array {
    const profile = Float64Array.from(genes, ({ symbol, level }) => {
      return level * spread(`${kind.name} ${symbol}`, level > 20 ? 0.12 : 0.25);
    });
    for (const gene of ribosomal) profile[gene] = (profile[gene] ?? 0) * (kind.ribosomal ?? 1);
    for (const gene of mitochondrial) {
      profile[gene] = (profile[gene] ?? 0) * (kind.mitochondrial ?? 1);
    }
    turnOn(profile, kind.on);
    return normalised(profile);
  }

  function turnOn(profile: Float64Array, on: Switches): void {
    for (const [name, strength] of Object.entries(on)) {
      const programme: Programme = programmes.get(name as ProgrammeName) ?? new Map();
      for (const [symbol, level] of programme) {
        const gene = indexOf.get(symbol);
        if (gene !== undefined) profile[gene] = (profile[gene] ?? 0) + level * strength;
      }
    }
  }

  function mixed(): Float64Array {
    const sum = new Float64Array(genes.length);
    for (const { name, share } of plan.kinds) {
      profiles.get(name)?.forEach((rate, gene) => {
        sum[gene] = (sum[gene] ?? 0) + rate * share;
      });
    }
    return normalised(sum);
  }
}

/** Scales to a sum of 10,000. */
function normalised(profile: Float64Array): Float64Array {
  const sum = profile.reduce((total, rate) => total + rate, 0);
  return profile.map((rate) => (rate * 10_000) / sum);
}

/** Copies of a molecule vary a good deal from well to well and gene to gene. */
function readsOf(molecules: number, length: number, dice: Dice): number {
  return Math.round(molecules * 14 * length * Math.exp(0.55 * normal(dice)));
}

function poisson(rate: number, dice: Dice): number {
  if (rate > 40) return Math.max(0, Math.round(rate + Math.sqrt(rate) * normal(dice)));
  // Within 1e-6 of the exponential, and several times as fast: most genes of most cells end here.
  let share = rate < 0.015 ? 1 - rate + (rate * rate) / 2 : Math.exp(-rate);
  let rest = dice.fraction();
  let count = 0;
  while (rest >= share && count < 200) {
    rest -= share;
    count++;
    share *= rate / count;
  }
  return count;
}

function normal(dice: Dice): number {
  const radius = Math.sqrt(-2 * Math.log(1 - dice.fraction()));
  return radius * Math.cos(2 * Math.PI * dice.fraction());
}

/** The standard normal distribution's quantile, by Winitzki's approximation: within 0.01 where it matters here. */
function normalQuantile(share: number): number {
  const centred = 2 * share - 1;
  const log = Math.log(1 - centred * centred);
  const half = 2 / (Math.PI * 0.147) + log / 2;
  return Math.sign(centred) * Math.SQRT2 * Math.sqrt(Math.sqrt(half * half - log / 0.147) - half);
}

function barcodeOf(plan: TissuePlan, sample: CellSample, index: number): string {
  const dice = makeDice(plan.name, "barcode", sample.approach, index);
  let letters = "";
  for (let i = 0; i < 16; i++) letters += "ACGT"[dice.below(4)];
  return sample.isPlate ? `plate${1 + Math.floor(index / 384)}_${letters}` : `${letters}-1`;
}
