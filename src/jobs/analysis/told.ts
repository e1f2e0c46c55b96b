// What a command line says of a run besides what its pipeline takes.

import { HdashError } from "../../error.ts";
import type { OwnFlags, SaidFlags } from "../../job.ts";
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
  /** Steps that are done again. */
  readonly forced: readonly string[];
}

/** What holds where nothing is said. */
export const NOTHING_TOLD: Told = {
  ...{ params: {}, flagged: [], isStub: false, isPublished: false, only: null, forced: [] },
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
        { flags: "--stub", description: "run the stubs of steps that have one instead" },
        {
          flags: "--publish",
          description:
            "put pages of the run on the site: steps, labels, states, times, parameters; no content, no log",
        },
      ],
      async take({ values, forced, given }: SaidFlags) {
        const { params, only, stub, publish } = values;
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
          forced,
        };
      },
    },
  };
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
