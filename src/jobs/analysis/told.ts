// What a command line says of a run besides what its pipeline takes.

import { HdashError } from "../../error.ts";
import type { OwnFlags, SaidFlags } from "../../job.ts";
import { loadPrices } from "../../lineage/pricesFile.ts";
import type { MostCost } from "../../lineage/spending.ts";
import { meant } from "../../settings/nearest.ts";
import { readParams } from "./sources/params.ts";
import type { DeclaredPipeline } from "./writing/pipeline.ts";

export interface Told {
  /** What a file of parameters gives, by take. */
  readonly params: Readonly<Record<string, unknown>>;
  /** Variables that flags stand for: they win over that file. */
  readonly flagged: readonly string[];
  readonly isStub: boolean;
  /** True where pages of the run are put on the site. */
  readonly isPublished: boolean;
  /** Results to be made; null: all. */
  readonly only: readonly string[] | null;
  /** What the run may cost; null: whatever it does. */
  readonly most: MostCost | null;
  /** Steps that are done again. */
  readonly forced: readonly string[];
}

/** What holds where nothing is said. */
export const NOTHING_TOLD: Told = {
  ...{ params: {}, flagged: [], isStub: false, isPublished: false, only: null, forced: [] },
  most: null,
};

/** The flags, and what was said of them by now. */
export function makeOwnFlags(pipeline: DeclaredPipeline): {
  readonly ownFlags: OwnFlags;
  readonly told: () => Told;
} {
  let told = NOTHING_TOLD;
  return {
    told: () => told,
    ownFlags: {
      flags: [
        {
          flags: "--params <file>",
          description:
            "JSON with values of what it takes; flags win over it, and it wins over variables; - reads standard input",
        },
        {
          flags: "--only <result,…>",
          description: "make these results, and do no step outside of scopes that they do not need",
        },
        {
          flags: "--max-cost <amount>",
          description: "begin no step any more once the run has cost so much, by --prices",
        },
        {
          flags: "--prices <file>",
          description: "a table of prices (config/prices.example.json shows its form)",
        },
        { flags: "--stub", description: "run the stubs of steps that have one instead" },
        {
          flags: "--publish",
          description:
            "put pages of the run on the site: steps, labels, states, times, parameters; no content, no log",
        },
      ],
      async take({ values, forced, given }: SaidFlags) {
        const { params, only, stub, publish, maxCost, prices } = values;
        if (stub === true && publish === true) {
          throw new HdashError(
            "usage",
            "--publish is set, but so is --stub: stubs give nothing to be shown",
          );
        }
        told = {
          params: typeof params === "string" ? await readParams(pipeline, params) : {},
          flagged: given,
          isStub: stub === true,
          isPublished: publish === true,
          only: typeof only === "string" ? onlyOf(pipeline, only) : null,
          most: await mostOf(maxCost, prices),
          forced,
        };
      },
    },
  };
}

/** What two flags say together: money is counted by a table of prices. */
async function mostOf(maxCost: unknown, prices: unknown): Promise<MostCost | null> {
  if (typeof maxCost !== "string") {
    if (typeof prices !== "string") return null;
    throw new HdashError("usage", "--prices is set, but --max-cost is not", {
      hint: "hdash usage tells what a run has cost.",
    });
  }
  const amount = Number(maxCost);
  if (maxCost.trim() === "" || !Number.isFinite(amount) || amount <= 0) {
    throw new HdashError("usage", `--max-cost is ${JSON.stringify(maxCost)}: it must be above 0`);
  }
  if (typeof prices !== "string") {
    throw new HdashError(
      "usage",
      "--max-cost is set, but --prices is not: nobody knows what is paid for",
      {
        hint: "config/prices.example.json shows the form of such a file.",
      },
    );
  }
  return { amount, prices: await loadPrices(prices) };
}

function onlyOf({ name, gives }: DeclaredPipeline, said: string): readonly string[] {
  const known = Object.keys(gives);
  const only = said.split(",").filter((one) => one !== "");
  const strange = only.find((one) => !known.includes(one));
  if (strange !== undefined || only.length === 0) {
    throw new HdashError(
      "usage",
      `--only is ${JSON.stringify(said)}: ${name} gives no such result`,
      {
        hint: meant(strange ?? "", known),
      },
    );
  }
  return only;
}
