// What the plan of a run is made with: what it is asked for, its steps, and who puts what is known.

import { type Digest, digestOfJson, type Json } from "../../digest.ts";
import { json, observation, type Plan } from "../../engine/step.ts";
import { HdashError } from "../../error.ts";
import type { TypeBuild } from "./building.ts";
import type { Catalog, Choice } from "./data/catalog.ts";
import type { CompareResult } from "./data/compareResult.ts";
import type { Current } from "./data/current.ts";
import type { Sweepable } from "./data/keptObjects.ts";
import type { CohortState } from "./data/known.ts";
import type { ExportReport, KeptObject } from "./data/report.ts";
import type { Validation } from "./data/validation.ts";
import type { CohortEffects } from "./doing.ts";
import type { Part } from "./settings.ts";
import type { SiteEffects } from "./siteSteps.ts";
import type { CohortSteps } from "./steps.ts";

/** Where a run works: runs of one namespace and its places exclude each other, whatever they are asked for. */
export type CohortParams = {
  readonly namespace: string;
  readonly processed: string;
};

/** What a run is asked for. */
export interface CohortRequest {
  readonly parts: readonly Part[];
  readonly choice: Choice;
  readonly types: readonly string[] | null;
  readonly dropped: readonly string[];
  readonly keepBuilds: number;
  /** Fewer people than this are not told. */
  readonly leastPeople: number;
}

/** What the plan is made with. */
export interface Maker {
  readonly effects: CohortEffects & CohortKeeper & SiteEffects;
  readonly steps: CohortSteps;
  readonly request: CohortRequest;
}

/** Keeps what is known, switches readers, and removes what nothing names. */
export interface CohortKeeper {
  /** Reads the report of an export that was read; null where it is gone. */
  readReport(report: KeptObject): Promise<ExportReport | null>;
  /** Reads what a type's build came to. Throws a permanent error where it is gone. */
  readBuilt(built: KeptObject): Promise<TypeBuild>;
  /** Reads what the last comparison of this namespace has found; null where there is none of this form. */
  readComparison(signal: AbortSignal): Promise<CompareResult | null>;
  saveCatalog(catalog: Catalog, signal: AbortSignal): Promise<void>;
  saveValidation(validation: Validation, signal: AbortSignal): Promise<void>;
  switchTo(
    current: Current,
    segments: CohortState["segments"],
    run: string,
    signal: AbortSignal,
  ): Promise<void>;
  removeUnnamed(
    found: Sweepable,
    known: Pick<CohortState, "catalog" | "current">,
    signal: AbortSignal,
  ): Promise<void>;
}

/**
 * Has something put while this run has its lease, and no longer: what is put late would undo what another attempt has done. `when` tells it
 * from what the run puts of that name at another time: an observation is made once.
 */
export async function put(
  plan: Plan,
  name: string,
  when: string,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const step = observation({
    name,
    outputs: { done: json<true>() },
    read: async (_params: { readonly when: string }, { signal }) => {
      await work(signal);
      return { done: true as const };
    },
  });
  await plan.do(step, { params: { when }, inputs: {} });
}

/** Looks at the world once in a run. The ledger keeps the digest of what was seen: all of it, whenever a part is new, would make it grow with all that there is. */
export async function look<T>(
  plan: Plan,
  name: string,
  read: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const seen: T[] = [];
  const step = observation({
    name,
    outputs: { seen: json<Digest>() },
    read: async (_params: null, { signal }) => {
      const found = await read(signal);
      seen.push(found);
      return { seen: digestOfJson(found as Json) };
    },
  });
  await plan.do(step, { params: null, inputs: {} });
  const [found] = seen;
  if (found === undefined) throw new HdashError("permanent", `${name} has not been looked at`);
  return found;
}
